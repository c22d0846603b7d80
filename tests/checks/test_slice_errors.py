"""`slice_errors` finds planted slices and, over many tables, no more healthy ones than it says."""

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from sparkguard.checks.slice_errors import SliceErrors
from sparkguard.core.finding import Finding, Status
from sparkguard.core.threshold import Bound
from sparkguard.errors import DataError
from sparkguard.stats.slices import discoveries
from sparkguard.testing import judge

Rows = list[dict[str, Any]]


def check(**fields: Any) -> SliceErrors:
    of = {"id": "where", "dataset": "t", "label": "y", "prediction": "p", "metric": "accuracy"}
    return SliceErrors(**{**of, **fields})


def found(rows: Rows, **fields: Any) -> tuple[Finding, ...]:
    return judge(check(**fields), {"t": rows})


def flights(seed: int, rows: int = 2_000, **worse: Any) -> Rows:
    """Predictions that err in a tenth of the rows, and in half of those that have all values of `worse`."""
    rng = np.random.default_rng(seed)
    table: Rows = [
        {"dest": str(d), "hour": int(h), "delay": None if m else float(x), "user": int(u), "y": 1}
        for d, h, x, m, u in zip(
            rng.choice(list("ABCDE"), rows),
            rng.integers(0, 24, rows),
            rng.normal(size=rows),
            rng.random(rows) < 0.1,
            rng.integers(0, 100, rows),
            strict=True,
        )
    ]
    chance = rng.random(rows)
    for row, x in zip(table, chance, strict=True):
        bad = bool(worse) and all(row[name] == value for name, value in worse.items())
        row["p"] = int(x > (0.5 if bad else 0.1))
    return table


def slices(findings: tuple[Finding, ...]) -> set[tuple[str | None, str | None]]:
    return {(f.slice_key, f.slice_value) for f in findings[1:]}


@pytest.mark.parametrize(
    ("worse", "key", "value"),
    [
        ({"dest": "C"}, "dest", "C"),
        ({"delay": None}, "delay", "NULL"),
        ({"dest": "B", "delay": None}, "dest & delay", "B & NULL"),
    ],
)
def test_a_planted_slice_is_the_worst(worse: dict[str, Any], key: str, value: str) -> None:
    findings = found(flights(1, 6_000, **worse), exclude=["user"])
    whole = findings[0]
    assert (whole.status, whole.subject, whole.slice_key) == (Status.WARN, ":all", None)
    assert (key, value) in slices(findings)
    [slice_] = [f for f in findings if (f.slice_key, f.slice_value) == (key, value)]
    assert slice_.quantities["mean_loss"].value == pytest.approx(0.5, abs=0.1)
    assert slice_.quantities["rest_loss"].value == pytest.approx(0.12, abs=0.05)
    assert (slice_.status, slice_.subject_kind) == (Status.WARN, "table")
    assert any(
        v.kind == "worse_slice" and dict(zip(key.split(" & "), value.split(" & "), strict=True)) == v.key
        for v in whole.violations
    )


def test_contributions_are_what_the_slice_adds_to_all_errors() -> None:
    rows = flights(2, 4_000, dest="A")
    [slice_] = [f for f in found(rows, pairs=False, columns=["dest"]) if f.slice_value == "A"]
    wrong = np.array([row["p"] == 0 for row in rows])
    mine = np.array([row["dest"] == "A" for row in rows])
    expected = (wrong[mine].sum() - mine.sum() * wrong[~mine].mean()) / wrong.sum()
    assert slice_.quantities["contribution"].value == pytest.approx(expected)
    assert slice_.evaluated_rows == mine.sum()


def test_healthy_tables_rarely_have_a_worse_slice() -> None:
    alarms = [found(flights(seed), exclude=["user"])[0].quantities["worse_slices"].value for seed in range(60)]
    # Without any worse slice a false discovery is an alarm: in 3 of 60 tables, and by chance in 8 at most.
    assert sum(a is not None and a > 0 for a in alarms) <= 8


def test_rows_of_a_cluster_count_together() -> None:
    rng = np.random.default_rng(3)
    hard = dict(enumerate(rng.random(100) < 0.2))
    home = dict(enumerate(rng.choice(list("ABCDE"), 100)))
    rows = [{**row, "dest": str(home[row["user"]]), "p": int(not hard[row["user"]])} for row in flights(3, 10_000)]
    fields: dict[str, Any] = {"columns": ["dest"], "pairs": False, "min_effect": 0}
    assert len(found(rows, **fields)) > 1
    assert len(found(rows, **fields, cluster=["user"])) == 1


def test_losses_are_compared_by_their_mean() -> None:
    rng = np.random.default_rng(4)
    rows = [
        {"where": "far" if i % 4 == 0 else "near", "y": 0.0, "p": float(e * (3 if i % 4 == 0 else 1))}
        for i, e in enumerate(rng.normal(size=2_000))
    ]
    _, slice_ = found(rows, metric="mae")
    assert (slice_.slice_key, slice_.slice_value) == ("where", "far")
    assert slice_.message.startswith("where far has a mean loss of 2.")


def test_a_slice_in_which_all_is_wrong_is_found_though_nothing_varies() -> None:
    rows = [{"part": "ab"[i < 60], "y": 1, "p": int(i >= 60)} for i in range(600)]
    _, slice_ = found(rows)
    assert (slice_.slice_value, slice_.quantities["excess"].value) == ("b", None)


def test_few_rows_and_small_effects_are_no_slices() -> None:
    rows = flights(5, 4_000, dest="C")
    assert len(found(rows, columns=["dest"], min_rows=2_000)) == 1
    assert len(found(rows, columns=["dest"], min_effect=10)) == 1
    assert found(rows, columns=["dest"], error_if={"worse_slices": Bound(">", 0.0)})[1].status is Status.FAIL


def test_values_that_are_kept_out_are_not_told() -> None:
    rows = flights(6, 4_000, dest="C")
    assert ("dest", "C") not in slices(found(rows, redact=["dest"]))
    hidden = found(rows, violations="none")
    assert ("dest", "[redacted]") in slices(hidden)
    assert not any(" C" in f.message for f in hidden)


def test_nothing_to_judge_is_no_pass() -> None:
    [finding] = found([{"y": float("nan"), "p": 1, "dest": "A"}])
    assert finding.status is Status.ERROR
    [unscored] = [
        f for f in found([{"y": 1, "p": None, "dest": "A"}, {"y": 1, "p": 1, "dest": "A"}]) if f.subject == ":all"
    ]
    assert unscored.status is Status.FAIL


def test_a_table_without_slices_is_refused() -> None:
    with pytest.raises(DataError, match="has no column by which slices could be told"):
        found([{"y": 1, "p": 1}])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"metric": "f1"}, "f1 is no mean over rows"),
        ({"columns": ["y"]}, "columns names y, which is judged"),
    ],
)
def test_mistakes_are_told(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        check(**fields)


def test_discoveries_are_those_of_benjamini_and_hochberg() -> None:
    from scipy.stats import false_discovery_control

    chance = np.random.default_rng(7).random(50) ** 3
    expected = false_discovery_control(chance) <= 0.1
    assert (discoveries(chance, np.ones(50, bool), 0.1) == expected).all()
    assert not discoveries(chance, np.zeros(50, bool), 0.1).any()


def mistakes(findings: tuple[Finding, ...]) -> dict[tuple[str, str | None], dict[str, float | None]]:
    table = [f for f in findings if f.slice_key == "error"]
    assert {(f.subject_kind, f.status) for f in table} <= {("set", Status.PASS)}
    return {(f.subject, f.slice_value): {name: q.value for name, q in f.quantities.items()} for f in table}


def test_kinds_of_mistakes_are_counted_by_split_as_in_a_confusion_matrix() -> None:
    rng = np.random.default_rng(6)
    rows: Rows = [
        {"y": str(y), "p": str(p), "part": str(part), "w": float(w), "x": 1}
        for y, p, part, w in zip(
            rng.choice(list("abc"), 900), rng.choice(list("abc"), 900), rng.choice(["train", "test"], 900),
            rng.choice([0.5, 2.0], 900), strict=True,
        )
    ]  # fmt: skip
    table = mistakes(found(rows, split="part", weight="w", exclude=["w"]))
    assert len(table) == 12
    for (split, name), numbers in table.items():
        label, _, told = str(name).partition(" taken for ")
        mine = [row for row in rows if row["part"] == split]
        wrong = [row for row in mine if row["y"] != row["p"]]
        these = [row for row in wrong if (row["y"], row["p"]) == (label, told)]
        assert numbers["error_rows"] == len(these)
        assert numbers["error_rate"] == pytest.approx(sum(r["w"] for r in these) / sum(r["w"] for r in mine))
        assert numbers["contribution"] == pytest.approx(sum(r["w"] for r in these) / sum(r["w"] for r in wrong))


@pytest.mark.parametrize(
    ("fields", "kinds"),
    [
        ({"metric": "brier_score", "prediction": None, "score": "s"}, {"false positive", "false negative"}),
        ({"metric": "accuracy", "prediction": None, "score": "s", "threshold": 0.3}, {"false positive"}),
        ({"metric": "mae", "prediction": "s"}, {"too low", "too high"}),
    ],
)
def test_scores_and_numbers_have_kinds_of_mistakes_too(fields: dict[str, Any], kinds: set[str]) -> None:
    rows = [{"y": i % 2, "s": 0.4 if i % 3 else 0.6, "part": "ab"[i % 7 > 2], "x": i % 4} for i in range(400)]
    table = mistakes(found(rows, split="part", splits=["a", "b"], **fields))
    assert {name for _, name in table} == kinds
    assert {split for split, _ in table} == {"a", "b"}


def test_a_split_without_rows_warns_and_a_split_column_of_many_values_is_refused() -> None:
    rows = [{"y": 1, "p": i % 2, "part": i % 20, "x": i % 3} for i in range(400)]
    [lost] = [f for f in found(rows, split="part", splits=["1", "99"]) if f.subject == "99"]
    assert (lost.status, lost.message) == (Status.WARN, "no row of 'part' 99 has a label and a prediction")
    with pytest.raises(ValidationError, match="give split"):
        check(splits=["a"])
    with pytest.raises(ValidationError, match="names a split twice"):
        check(split="part", splits=["a", "a"])
    assert {f.subject for f in found(rows, split="part", splits=[1, 2]) if f.slice_key == "error"} == {"1", "2"}


def test_a_table_that_cannot_be_made_leaves_slices_as_they_are() -> None:
    rows = [{"y": 1, "p": i % 2, "part": i % 20, "x": i % 3} for i in range(400)]
    whole, table = found(rows, split="part")
    assert whole.status is Status.PASS
    assert (table.status, table.subject) == (Status.ERROR, "part")
    assert "no table of mistakes: 'part' has more than 16 values" in table.message
    assert table.remedy == "name those that are splits in splits"


def test_rows_of_no_split_are_told() -> None:
    rows = [{"y": 1, "p": i % 2, "part": None if i % 4 == 0 else "a", "x": i % 3} for i in range(400)]
    [lost] = [f for f in found(rows, split="part") if f.subject == "part"]
    assert (lost.status, lost.message) == (Status.WARN, "100 rows without a 'part' are in no split")
    [nothing] = [f for f in found([row | {"part": None} for row in rows], split="part") if f.subject_kind == "set"]
    assert (nothing.status, nothing.message) == (Status.WARN, "no table of mistakes: no row has a 'part'")


def test_a_split_whose_rows_weigh_nothing_is_missing_and_rates_are_by_weight() -> None:
    rows = [{"y": 1, "p": i % 2, "part": "ab"[i % 2], "w": i % 2 * 2.0, "x": i % 3} for i in range(400)]
    findings = found(rows, split="part", weight="w")
    assert [f.subject for f in findings if f.status is Status.WARN and f.subject_kind == "set"] == ["a"]
    rows = [{"y": 1, "p": int(i % 4 > 0), "part": "a", "w": 1.0 + 2 * (i % 4 == 0), "x": i % 3} for i in range(400)]
    [one] = [f for f in found(rows, split="part", weight="w") if f.slice_key == "error"]
    assert one.message.startswith("1 taken for 0: 100 rows of 400 (50 % by weight)")


@pytest.mark.parametrize("hidden", [{"violations": "none"}, {"redact": ["y"]}, {"redact": ["part"]}])
def test_kinds_of_mistakes_are_kept_out_with_the_values_that_they_name(hidden: dict[str, Any]) -> None:
    rows = [{"y": 1, "p": i % 2, "part": i % 2, "x": i % 3} for i in range(400)]
    assert not mistakes(found(rows, split="part", **hidden))
