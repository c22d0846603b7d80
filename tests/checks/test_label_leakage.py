"""Planted leaks are named, honest tables pass, and what cannot be told is no pass."""

from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from sklearn import datasets

from sparkguard.checks.label_leakage import LabelLeakage
from sparkguard.core.finding import Finding
from sparkguard.errors import DataError
from sparkguard.testing import judge

Table = list[dict[str, object]]


def found_of(table: Table, **fields: Any) -> tuple[dict[str, Finding], Finding]:
    time_columns = {"t": fields.pop("time")} if "time" in fields else {}
    check = LabelLeakage(id="c", dataset="t", **{"label": "label", **fields})
    *features, whole = judge(check, {"t": table}, time_columns=time_columns)
    return {finding.subject: finding for finding in features}, whole


def clean(rows: int = 2_000, seed: int = 0) -> Table:
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, 4))
    labels = values[:, 0] + 1.5 * rng.normal(size=rows) > 0
    return [
        {"label": bool(y), **{f"x{i}": float(v) for i, v in enumerate(row)}, "kind": "abc"[int(rng.integers(3))]}
        for row, y in zip(values, labels, strict=True)
    ]


def test_a_clean_table_passes() -> None:
    features, whole = found_of(clean())
    assert {f.status.value for f in (*features.values(), whole)} == {"pass"}
    assert whole.message.startswith("none of 5 features stands in for 'label' (binary, 2,000 rows)")
    assert {"power", "missing_power", "importance", "permutation_importance"} <= set(features["x0"].quantities)


@pytest.mark.parametrize("copies", [1, 2, 4, 8])
def test_copies_of_the_label_are_named_however_many_there_are(copies: int) -> None:
    table = [{**row, **{f"copy{i}": int(bool(row["label"])) for i in range(copies)}} for row in clean()]
    features, whole = found_of(table)
    assert {name for name, f in features.items() if f.status.value == "fail"} == {f"copy{i}" for i in range(copies)}
    assert whole.status.value == "fail"
    assert {v.kind for v in whole.violations} == {"leaking_feature"}
    assert {v.key["column"] for v in whole.violations} == {f"copy{i}" for i in range(copies)}


@pytest.mark.parametrize(
    "leak",
    [
        lambda y, _: None if y else 1.5,
        lambda y, i: "refunded" if y else "ab"[i % 2],
        lambda y, i: i + (100_000 if y else 0),
        lambda y, _: date(2026, 1, 1) + timedelta(days=100 * y),
        lambda y, _: [1] if y else None,
    ],
    ids=["missing", "a category", "an identifier", "a date", "an array that is missing"],
)
def test_a_planted_leak_is_found(leak: Any) -> None:
    table: Table = [{**row, "leak": leak(bool(row["label"]), i)} for i, row in enumerate(clean())]
    table.sort(key=lambda row: row["leak"] is None)
    features, whole = found_of(table)
    assert features["leak"].status.value == "fail", features["leak"].message
    assert whole.quantities["leaking_features"].value == 1


def test_two_columns_whose_difference_is_the_label_are_both_named() -> None:
    rng = np.random.default_rng(1)
    table: Table = []
    for row in clean():
        start = float(rng.uniform(0, 1_000))
        table.append({**row, "start": start, "end": start + (40 if row["label"] else 10) + float(rng.uniform(0, 9))})
    features, _ = found_of(table)
    assert [n for n, f in features.items() if f.status.value == "fail"] == ["start", "end"]
    assert "start - end" in features["end"].message


@pytest.mark.parametrize(("others", "status"), [(0.1, "fail"), (2, "warn")])
def test_a_category_encoded_with_its_own_rows_labels_is_found(others: float, status: str) -> None:
    """The fewer other rows a category has, the more its mean label is the row's own."""
    table = encoded(others)
    features, _ = found_of([{k: row[k] for k in ("label", "x", "category", "in_fold")} for row in table])
    assert features["in_fold"].status.value == status
    assert (features["in_fold"].quantities["power"].value or 0) > 0.95
    features, whole = found_of([{k: row[k] for k in ("label", "x", "category", "out_of_fold")} for row in table])
    assert {f.status.value for f in (*features.values(), whole)} == {"pass"}


def encoded(others: float, rows: int = 2_000) -> Table:
    """A category with so many other rows for each, which says something, and its mean label in two ways."""
    rng = np.random.default_rng(4)
    many = int(rows / others)
    codes, level, fold = rng.integers(many, size=rows), rng.normal(size=many), rng.integers(5, size=rows)
    labels = level[codes] + 0.7 * rng.normal(size=rows) > 0

    def mean(of: Any) -> Any:
        n, total = np.bincount(codes[of], minlength=many), np.bincount(codes[of], labels[of], minlength=many)
        return np.where(n > 0, total / np.maximum(1, n), labels[of].mean())[codes]

    own, others_mean = mean(fold >= 0), np.choose(fold, [mean(fold != f) for f in range(5)])
    return [
        {
            "label": bool(labels[i]),
            "x": float(rng.normal() + 0.3 * labels[i]),
            "category": f"k{codes[i]}",
            "in_fold": float(own[i]),
            "out_of_fold": float(others_mean[i]),
        }
        for i in range(rows)
    ]


@pytest.mark.parametrize(("shared", "status"), [(False, "warn"), (True, "fail")])
def test_a_formula_of_two_columns_that_warn_anyway_only_warns(*, shared: bool, status: str) -> None:
    """Two strong columns tell more together; but one that tells nothing shows what the other hides."""
    rng = np.random.default_rng(5)
    table: Table = []
    for _ in range(2_000):
        noise, y = rng.normal(size=2), bool(rng.integers(2))
        other = -noise[0] if shared else 2.6 * y + noise[1]
        table.append({"label": y, "strong": 2.6 * float(y) + float(noise[0]), "other": float(other)})
    features, whole = found_of(table)
    assert "strong + other tells the label" in features["other"].message
    assert {f.status.value for f in (*features.values(), whole)} == {status}


def test_a_number_made_of_two_columns_is_exact() -> None:
    rng = np.random.default_rng(2)
    pairs = rng.normal(size=(1_000, 3)) * 100
    table: Table = [{"label": float(a - b), "a": float(a), "b": float(b), "c": float(c)} for a, b, c in pairs]
    features, _ = found_of(table)
    assert {n for n, f in features.items() if f.status.value == "fail"} == {"a", "b"}
    assert "a - b is 'label', but for a constant" in features["a"].message


def test_a_label_of_each_entity_raises_nothing() -> None:
    rng = np.random.default_rng(3)
    table: Table = []
    for entity in range(200):
        label, home, age = bool(rng.integers(2)), f"home{entity}", float(rng.normal())
        table += [{"user": entity, "label": label, "home": home, "age": age} for _ in range(int(rng.integers(10, 50)))]
    features, whole = found_of(table, entity=["user"])
    assert whole.status.value == "pass", [f.message for f in features.values()]
    assert "rows belong to user" in whole.message


def test_values_that_became_available_later_fail() -> None:
    start = datetime(2026, 1, 1)
    table: Table = [
        {**row, "ts": start + timedelta(hours=i), "known": start + timedelta(hours=i + (i % 50 == 0) - 1)}
        for i, row in enumerate(clean())
    ]
    table[0]["known"] = None
    features, _ = found_of(table, time="ts", available_at={"x3": "known"})
    assert features["x3"].status.value == "pass"
    table[7]["known"] = start + timedelta(days=400)
    features, _ = found_of(table, time="ts", available_at={"x3": "known"})
    assert features["x3"].status.value == "fail"
    assert "became available after" in features["x3"].message
    assert "known" not in features


def test_a_waiver_is_shown_and_expires() -> None:
    table: Table = [{**row, "copy": row["label"]} for row in clean()]
    waiver = {"column": "copy", "reason": "known at booking", "owner": "ann"}
    features, whole = found_of(table, waive=[{**waiver, "until": "2026-01-31"}])
    assert features["copy"].status.value == "warn"
    assert features["copy"].message.startswith("waived until 2026-01-31 by ann: known at booking; ")
    assert whole.status.value == "pass"
    assert whole.quantities["waived_features"].value == 1
    features, whole = found_of(table, waive=[{**waiver, "until": "2026-01-30"}])
    assert whole.status.value == "fail"
    assert "expired" in whole.message


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "digits", "diabetes"])
def test_honest_tables_do_not_fail(name: str) -> None:
    data = getattr(datasets, f"load_{name}")()
    names = [f"f{i}" for i in range(data.data.shape[1])]
    label = float if name == "diabetes" else int
    rows = zip(data.data.tolist(), data.target.tolist(), strict=True)
    features, whole = found_of([{"label": label(y), **dict(zip(names, row, strict=True))} for row, y in rows])
    assert whole.status.value != "fail", [f.message for f in features.values() if f.status.value == "fail"]
    assert sum(f.status.value == "warn" for f in features.values()) <= {"iris": 2, "breast_cancer": 5}.get(name, 0)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ([{"label": None, "x": 1}] * 5, "NULL in all rows"),
        ([{"label": True, "x": i} for i in range(5)], "of one class"),
        ([{"label": f"v{i}", "x": i} for i in range(90)], "more than the 50 classes"),
        ([{"label": date(2026, 1, 1), "x": 1}], "neither a class nor a number"),
    ],
)
def test_a_label_that_can_be_none_is_an_error(table: Table, words: str) -> None:
    with pytest.raises(DataError, match=words):
        judge(LabelLeakage(id="c", dataset="t", label="label"), {"t": table})


def test_values_that_the_suite_keeps_out_are_in_no_message() -> None:
    table: Table = [{**row, "leak": "secret" if row["label"] else "ab"[i % 2]} for i, row in enumerate(clean())]
    for fields in ({"violations": "none"}, {"redact": ["leak"]}):
        features, whole = found_of(table, **fields)
        assert features["leak"].status.value == "fail"
        assert "secret" not in features["leak"].message + whole.message + repr(whole.violations)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"features": ["label"]}, "is the label"),
        ({"max_power": {"warn": 0.99, "fail": 0.9}}, "greater power"),
        ({"features": ["x"], "entity": ["x"]}, "told apart"),
    ],
)
def test_fields_that_contradict_each_other_are_refused(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        LabelLeakage(id="c", dataset="t", **{"label": "label", **fields})


def test_a_formula_of_two_columns_that_both_warn_by_themselves_warns_and_says_why() -> None:
    rng = np.random.default_rng(11)
    late = rng.random(2_000) < 0.5
    noise = rng.normal(size=2_000)
    table = [
        {"late": bool(y), "a": float(2.6 * y + n), "b": float(-2.6 * y + n)} for y, n in zip(late, noise, strict=True)
    ]
    found = {f.subject: f for f in judge(LabelLeakage(id="c", dataset="t", label="late"), {"t": table})}
    assert {name: f.status.value for name, f in found.items()} == {"a": "warn", "b": "warn", ":all": "warn"}
    assert "a - b tells the label: power 1.0000" in found["a"].message
    assert "each of the two nearly does by itself, and may be honest" in found["a"].message
