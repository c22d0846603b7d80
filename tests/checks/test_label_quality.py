"""`label_quality` tells what labels are like, and each thing that is wrong with them by itself."""

from collections import Counter
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from sparkguard.checks.label_quality import LabelQuality
from sparkguard.core.finding import Finding, Status
from sparkguard.core.threshold import Bound
from sparkguard.errors import DataError
from sparkguard.testing import judge

Rows = list[dict[str, Any]]


def check(**fields: Any) -> LabelQuality:
    return LabelQuality(**{"id": "labels", "dataset": "t", "label": "y", **fields})


def found(rows: Rows, training: Rows | None = None, **fields: Any) -> tuple[Finding, ...]:
    tables = {"t": rows} if training is None else {"t": rows, "old": training}
    return judge(check(**({} if training is None else {"training": "old"}), **fields), tables)


def table(counts: dict[Any, int], features: int = 1) -> Rows:
    """So many rows of each class, whose features are all different."""
    labels = [label for label, n in counts.items() for _ in range(n)]
    return [{"y": y, **{f"x{k}": i * features + k for k in range(features)}} for i, y in enumerate(labels)]


def numbers(finding: Finding) -> dict[str, float | None]:
    return {name: quantity.value for name, quantity in finding.quantities.items()}


def test_balanced_labels_of_many_rows_pass_and_each_class_has_a_result() -> None:
    whole, *classes = found(table({"a": 300, "b": 100}))
    assert (whole.status, whole.evaluated_rows) == (Status.PASS, 400)
    assert [(c.slice_key, c.slice_value, c.evaluated_rows) for c in classes] == [("y", "a", 300), ("y", "b", 100)]
    assert classes[1].quantities["share"].value == 0.25
    assert whole.message.startswith("2 classes of 400 rows: a 75 %, b 25 %; no two of 400 rows have equal features")


@pytest.mark.parametrize(
    ("fields", "training", "quantity", "status"),
    [
        ({"a": 400}, None, "classes", Status.FAIL),
        ({"a": 300, "b": 100, "B": 100}, {"a": 300, "b": 100}, "new_classes", Status.FAIL),
        ({"a": 300, "b": 100}, {"a": 300, "b": 100, "c": 100}, "missing_classes", Status.WARN),
        ({"a": 300, "b": 7}, None, "rare_classes", Status.WARN),
        ({"a": 1000, "b": 1000}, {"a": 3000, "b": 1000}, "l_infinity_distance", Status.WARN),
    ],
)
def test_a_thing_that_is_wrong_decides_and_has_a_remedy(
    fields: dict[str, int], training: dict[str, int] | None, quantity: str, status: Status
) -> None:
    whole, *classes = found(table(fields), None if training is None else table(training))
    assert whole.decision is not None
    assert (whole.status, whole.decision.metric_name) == (status, quantity)
    assert whole.remedy
    if quantity != "classes":
        assert any(one.status is status for one in classes)


def test_of_many_classes_those_that_are_wrong_have_a_result_first() -> None:
    whole, *classes = found(table({**{f"c{i:03}": 60 for i in range(150)}, "typo": 1}))
    assert len(classes) == 100
    assert (classes[0].slice_value, classes[0].status) == ("typo", Status.WARN)
    assert whole.quantities["classes"].value == 151


def test_a_class_that_is_missing_by_chance_is_not_missed() -> None:
    few = {"min_class_rows": 1}
    whole, *_ = found(table({"a": 300, "b": 100}), table({"a": 3_000, "b": 1_000, "c": 4}), **few)
    assert numbers(whole)["missing_classes"] == 0
    assert whole.status is Status.PASS


def test_a_difference_of_shares_that_chance_explains_cannot_be_told() -> None:
    whole, *_ = found(table({"a": 70, "b": 50}), table({"a": 7_000, "b": 3_000}))
    assert whole.status is Status.WARN
    assert "too close to '> 0.1' to decide" in whole.message
    sure, *_ = found(table({"a": 7_000, "b": 5_000}), table({"a": 7_000, "b": 3_000}))
    assert "too close" not in sure.message
    assert sure.status is Status.WARN


def test_rows_of_a_cluster_make_a_difference_less_sure() -> None:
    rng = np.random.default_rng(1)
    tables = []
    for share in (0.5, 0.3):
        users = rng.random(100) < share
        tables.append([{"y": int(users[i % 100]), "x": i, "user": i % 100} for i in range(4_000)])
    (alone, *_), (together, *_) = found(*tables, exclude=["user"]), found(*tables, cluster=["user"])
    assert alone.quantities["l_infinity_distance"].value == together.quantities["l_infinity_distance"].value
    assert together.quantities["l_infinity_distance"].margin > 3 * alone.quantities["l_infinity_distance"].margin


def test_conflicts_are_those_of_brute_force() -> None:
    rng = np.random.default_rng(2)
    rows: Rows = [
        {"y": str(y), "a": None if a == 3 else int(a), "b": (0.0, -0.0, float("nan"))[b]}
        for y, a, b in zip(
            rng.choice(3, 600, p=[0.8, 0.15, 0.05]), rng.integers(0, 40, 600), rng.integers(0, 3, 600), strict=True
        )
    ]
    groups: dict[tuple[Any, ...], Counter[str]] = {}
    for row in rows:
        b = "NaN" if row["b"] != row["b"] else 0
        groups.setdefault((row["a"], b), Counter())[str(row["y"])] += 1
    several = [n for n in groups.values() if len(n) > 1]
    [whole, *_] = found(rows)
    told = numbers(whole)
    assert told["conflicting_rows"] == sum(n.total() for n in several)
    assert told["least_error"] == pytest.approx(sum(n.total() - max(n.values()) for n in groups.values()) / 600)
    assert told["repeated_rows"] == sum(n.total() for n in groups.values() if n.total() > 1)
    worst = max(several, key=lambda n: (n.total() - max(n.values()), n.total()))
    first = next(v for v in whole.violations if v.kind == "conflicting_label")
    assert (first.count, set(first.key)) == (worst.total(), {"a", "b"})


def test_no_model_of_the_features_errs_less_than_the_least_error() -> None:
    rng = np.random.default_rng(3)
    rows = [{"y": int(rng.random() < (0.2, 0.6, 0.9)[i % 3]), "x": i % 3} for i in range(3_000)]
    whole, *_ = found(rows)
    best = {x: Counter(r["y"] for r in rows if r["x"] == x).most_common(1)[0][0] for x in range(3)}
    assert numbers(whole)["least_error"] == pytest.approx(np.mean([best[r["x"]] != r["y"] for r in rows]))
    assert (whole.status, whole.decision and whole.decision.metric_name) == (Status.WARN, "least_error")


def doubtful(rows: int = 1_000, wrong: float = 0.05, seed: int = 4) -> tuple[Rows, set[int]]:
    """Labels of which some are wrong, with the probabilities of a model that is right."""
    rng = np.random.default_rng(seed)
    true = rng.random(rows) < 0.3
    flipped = rng.random(rows) < wrong
    chance = np.where(true, rng.uniform(0.85, 1, rows), rng.uniform(0, 0.15, rows))
    table = [
        {"y": bool(t ^ f), "p": float(p), "id": i}
        for i, (t, f, p) in enumerate(zip(true, flipped, chance, strict=True))
    ]
    return table, set(np.flatnonzero(flipped).tolist())


def test_planted_label_errors_are_named_and_no_others() -> None:
    rows, wrong = doubtful()
    whole, *classes = found(rows, score="p", key=["id"], conflicts=False, violation_limit=1_000)
    named = {int(v.key["id"] or -1) for v in whole.violations}
    assert named <= wrong
    # The others are less probable than their class is on average, so that nobody is confident; the estimate has them.
    assert len(named) > 0.6 * len(wrong)
    assert numbers(whole)["doubted_labels"] == len(named)
    assert numbers(whole)["doubted_rate"] == pytest.approx(len(named) / 1_000)
    assert numbers(whole)["estimated_error_rate"] == pytest.approx(len(wrong) / 1_000, abs=0.01)
    assert sum(c.quantities["doubted_labels"].value or 0 for c in classes) == len(named)
    worst = whole.violations[0]
    assert {worst.actual, (worst.expected or "").partition(",")[0]} == {"true", "false"}


def test_a_default_bound_on_doubts_there_is_none_but_one_can_be_written() -> None:
    rows, _ = doubtful()
    assert found(rows, score="p", key=["id"], conflicts=False)[0].status is Status.PASS
    bound = {"doubted_rate": Bound(">", 0.01)}
    assert found(rows, score="p", key=["id"], conflicts=False, warn_if=bound)[0].status is Status.WARN


def test_the_evidence_of_what_decided_stands_first() -> None:
    rows, _ = doubtful()
    rows = [row | {"x": 1} for row in rows]
    bound = {"doubted_rate": Bound(">", 0.01)}
    whole, *_ = found(rows, score="p", key=["id"], error_if=bound, warn_if={})
    assert {one.kind for one in whole.violations} == {"doubted_label", "conflicting_label"}
    assert whole.violations[0].kind == "doubted_label"


def test_each_class_may_have_a_probability() -> None:
    rows = [
        {"y": "abc"[i % 3], "pa": 0.9, "pb": 0.05, "pc": 0.05, "id": i}
        if i % 3 == 0 or i == 7
        else {
            "y": "abc"[i % 3],
            "pa": 0.04,
            "pb": 0.92 if i % 3 == 1 else 0.04,
            "pc": 0.92 if i % 3 == 2 else 0.04,
            "id": i,
        }
        for i in range(300)
    ]
    fields: dict[str, Any] = {"probabilities": {"a": "pa", "b": "pb", "c": "pc"}, "key": ["id"], "conflicts": False}
    whole, *_ = found(rows, **fields)
    assert [(v.key, v.actual, v.expected) for v in whole.violations] == [({"id": "7"}, "b", "a, probability 0.9")]
    rows[5]["pa"] = float("nan")
    rows[6]["pa"] = 0.5
    rows[8]["y"] = "d"
    whole, *_ = found(rows, **fields, min_class_rows=1)
    assert numbers(whole)["unscored_rows"] == 3
    assert (whole.status, whole.decision and whole.decision.metric_name) == (Status.FAIL, "unscored_rows")


def test_few_rows_for_the_features_warn() -> None:
    whole, *_ = found(table({"a": 60, "b": 60}, features=20))
    assert (numbers(whole)["features"], numbers(whole)["rows_per_feature"]) == (20, 6)
    assert (whole.status, whole.decision and whole.decision.metric_name) == (Status.WARN, "rows_per_feature")


def test_rows_without_a_label_are_set_apart_and_only_those_are_nothing() -> None:
    rows = table({"a": 100, "b": 100, None: 30})
    whole, *_ = found(rows)
    assert (whole.evaluated_rows, numbers(whole)["unlabelled_rows"]) == (200, 30)
    [nothing] = found([{"y": None, "x": i} for i in range(5)])
    assert (nothing.status, nothing.message) == (Status.ERROR, "none of 5 rows has a 'y', so nothing was checked")


def test_numbers_of_any_type_are_the_same_class() -> None:
    whole, *_ = found(table({1: 100, 0: 100}), [{"y": float(i % 2), "x0": i} for i in range(400)])
    assert numbers(whole)["new_classes"] == 0


def test_what_names_rows_is_no_feature() -> None:
    rows = [{"y": i % 2, "x": i % 5, "id": i, "user": i} for i in range(500)]
    whole, *_ = found(rows, key=["id"], cluster=["user"])
    assert numbers(whole)["features"] == 1
    assert numbers(whole)["conflicting_rows"] == 500


@pytest.mark.parametrize("hidden", [{"violations": "none"}, {"redact": ["y"]}])
def test_classes_are_values_that_a_suite_can_keep_out(hidden: dict[str, Any]) -> None:
    rows = [{"y": f"secret{i % 2}", "x": i % 5} for i in range(500)]
    findings = found(rows, **hidden)
    assert len(findings) == 1
    told = findings[0].message + "".join(f"{v.key}{v.reason}{v.expected}{v.actual}" for v in findings[0].violations)
    assert "secret" not in told


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"score": "p", "probabilities": {"a": "p", "b": "q"}}, "give score, for one class"),
        ({"positive": "a"}, "give score too"),
        ({"probabilities": {"a": "p"}}, "from 2 to 50 are possible"),
        ({"score": "y"}, "'y' is the label"),
        ({"features": ["x", "y"]}, "features names y, which is judged"),
        ({"warn_if": {"l_infinity_distance": "> 0.2"}}, "a bound on l_infinity_distance needs training"),
        ({"error_if": {"doubted_rate": "> 0.2"}}, "needs score or probabilities"),
        ({"conflicts": False, "warn_if": {"least_error": "> 0.2"}}, "needs conflicts: true"),
        ({"probabilities": {"a": "p", "b": "p"}}, "names a column for two classes: p"),
        ({"warn_if": {"share": "> 0.2"}}, "share is of a class"),
    ],
)
def test_fields_that_contradict_each_other_are_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        check(**fields)


@pytest.mark.parametrize(
    ("rows", "fields", "message"),
    [
        ([{"y": "a", "x": 1, "p": 0.5}], {"score": "p"}, "nobody said which of its classes is positive"),
        ([{"y": 1, "x": 1, "p": "high"}], {"score": "p"}, "'p' is string, and a probability is a number"),
        ([{"y": 1}], {}, "has no column that is a feature"),
        ([{"y": 1, "x": 1}], {"label": "z"}, "z"),
        (
            [{"y": i % 2, "x": 1, "p": 0.5} for i in range(9)],
            {"score": "p", "positive": 2},
            "no 'y' of 9 rows is the positive class: that is 2, and there are 0, 1",
        ),
        (
            [{"y": i % 2 + 1, "x": 1, "p": 0.5} for i in range(9)],
            {"score": "p"},
            "nobody said which class of 'y' is positive: there are 1, 2",
        ),
        (
            [{"y": 0, "x": 1, "p": 0.99} for _ in range(9)],
            {"score": "p"},
            "is the positive class: that is 1, and there are 0",
        ),
        ([{"y": 1, "x": 1, "p": 0.5, "q": 0.5}], {"probabilities": {"1": "p", "1.0": "q"}}, "a class twice"),
        ([{"y": 1, "x": 1}], {"features": ["`y`", "x"]}, "the feature '`y`' has 'y' in it"),
    ],
)
def test_columns_that_do_not_suit_are_refused(rows: Rows, fields: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        found(rows, **fields)


def test_a_training_set_without_labels_is_an_error() -> None:
    with pytest.raises(DataError, match="has no row with a 'y'"):
        found(table({"a": 100, "b": 100}), [{"y": None, "x0": 1}])


def test_of_what_has_no_probabilities_nothing_is_said_of_its_labels() -> None:
    rows = [{"y": i % 2, "x": i, "p": 50.0 if i else 0.5} for i in range(200)]
    whole, *_ = found(rows, score="p")
    assert (whole.status, whole.decision and whole.decision.metric_name) == (Status.FAIL, "unscored_rows")
    whole, *_ = found(rows, score="p", error_if={"doubted_rate": Bound(">", 0.1)})
    assert (whole.status, whole.decision and whole.decision.metric_name) == (Status.WARN, "unscored_rows")
    whole, *_ = found(rows[1:], score="p", error_if={"doubted_labels": Bound(">", 10)})
    assert (whole.status, whole.decision and whole.decision.metric_name) == (Status.ERROR, "doubted_labels")
    assert "no label can be doubted; 199 rows without probabilities" in whole.message


def test_a_class_that_has_no_probability_is_named() -> None:
    rows = [{"y": "ab"[i % 2], "x": i, "p": 0.5, "q": 0.5} for i in range(200)]
    whole, *_ = found(rows, probabilities={"a": "p", "other": "q"})
    assert (whole.status, whole.decision and whole.decision.metric_name) == (Status.FAIL, "unscored_rows")
    assert "100 rows without probabilities, also of b" in whole.message


def test_labels_of_a_class_that_nobody_has_are_doubted() -> None:
    rows = [{"y": "a" if i % 3 else "c", "x": i, "id": i, "a": 0.01, "b": 0.98, "c": 0.01} for i in range(200)]
    rows += [
        {"y": y, "x": i, "id": i, "a": 0.98 * (y == "a"), "b": 0.02, "c": 0.98 * (y == "c")}
        for i in range(200, 600)
        for y in ("ac"[i % 2],)
    ]
    whole, *_ = found(rows, probabilities={"a": "a", "b": "b", "c": "c"}, key=["id"], conflicts=False)
    assert numbers(whole)["doubted_labels"] == 200


def test_most_labels_in_doubt_warn_since_the_score_may_be_of_another_class() -> None:
    rows = [{"y": i % 2, "x": i, "p": 0.9 if i % 2 == 0 else 0.1} for i in range(400)]
    whole, *_ = found(rows, score="p", conflicts=False)
    # The mean probability of each class is exceeded by the other one alone.
    assert (whole.status, whole.decision and whole.decision.metric_name) == (Status.WARN, "doubted_rate")
    assert "the probability of the class that is meant" in (whole.remedy or "")


def test_a_redacted_probability_is_not_told() -> None:
    rows, _ = doubtful()
    whole, *_ = found(rows, score="p", key=["id"], conflicts=False, redact=["p"])
    assert {v.expected for v in whole.violations} <= {"true", "false"}


def test_what_a_model_learns_from_is_the_training_set() -> None:
    whole, *classes = found(table({"a": 600, "b": 400}, features=10), table({"a": 60, "b": 20}, features=10))
    assert numbers(whole)["rows_per_feature"] == 8
    assert numbers(whole)["rare_classes"] == 1
    assert "rare of 20 rows in training: fewer than 50 rows" in classes[1].message
    sure, *_ = found(table({"a": 30, "b": 20}), table({"a": 600, "b": 400}))
    assert numbers(sure)["rare_classes"] == 0


def test_a_class_of_few_clusters_may_be_missing_by_chance_and_one_of_many_may_not() -> None:
    rows = [{"y": "ab"[i % 2], "x": i, "user": i % 3_000} for i in range(6_000)]
    of_many = [{"y": "c" if i % 20 == 7 else "ab"[i % 2], "x": i, "user": i % 3_000} for i in range(6_000)]
    of_one = [{"y": "c" if i % 3_000 == 7 else "ab"[i % 2], "x": i, "user": i % 3_000} for i in range(6_000)]
    fields: dict[str, Any] = {"cluster": ["user"], "conflicts": False, "min_class_rows": 1}
    assert numbers(found(rows, of_many, **fields)[0])["missing_classes"] == 1
    assert numbers(found(rows, of_one, **fields)[0])["missing_classes"] == 0


def test_a_single_cluster_cannot_tell_a_difference() -> None:
    rows = [{"y": i % 2, "x": i, "user": 1} for i in range(200)]
    whole, one, _ = found(rows, rows, cluster=["user"])
    assert (whole.status, one.status) == (Status.WARN, Status.WARN)
    assert "too few clusters to compare" in one.message
