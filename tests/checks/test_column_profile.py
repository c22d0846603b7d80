"""`column_profile` judged on small tables in plain Python."""

import math
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from sparkguard.checks.column_profile import ColumnProfile
from sparkguard.core.finding import Finding, Status
from sparkguard.testing import TwinEngine, judge


def found(table: dict[str, list[Any]], **fields: Any) -> dict[str, Finding]:
    rows = [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]
    return {f.subject: f for f in judge(ColumnProfile(**{"id": "c", "dataset": "t", **fields}), {"t": rows})}


def numbers(finding: Finding) -> dict[str, float | None]:
    return {n: q.value for n, q in finding.quantities.items()}


def test_numbers_of_a_column_equal_numpys() -> None:
    values = np.random.default_rng(7).lognormal(0, 1, 400)
    got = numbers(found({"x": [*values.tolist(), None, math.nan]})["x"])
    assert (got["evaluated_rows"], got["null_rows"], got["minimum"]) == (402, 1, values.min())
    assert got["maximum"] == values.max()
    assert got["mean"] == pytest.approx(values.mean())
    assert got["deviation"] == pytest.approx(values.std())
    assert got["distinct_values"] == pytest.approx(401, rel=0.03)
    assert got["q50"] == pytest.approx(np.median(values), rel=0.05)


def test_only_what_the_type_has_is_recorded() -> None:
    findings = found({"s": ["a", None], "n": [1, 2], "d": [Decimal("1.5"), None], "v": [[1.0], None]})
    assert set(numbers(findings["s"])) == {"null_rows", "null_rate", "distinct_values", "evaluated_rows"}
    assert {"minimum", "q50", "mean"} <= set(numbers(findings["n"])) & set(numbers(findings["d"]))
    assert "minimum" not in numbers(findings["v"])


def test_only_what_is_asked_for_is_computed() -> None:
    engine = TwinEngine({"t": [{"x": 1.0}]})
    from sparkguard.engine.gather import Rounds

    list(Rounds(engine).gather([ColumnProfile(id="c", dataset="t", statistics=("moments",))]))
    assert [type(m).__name__ for m in engine.computed] == ["Count", "Moments"]


def test_a_bound_on_a_sketch_is_broken_only_beyond_its_margin() -> None:
    table = {"x": list(range(5000))}
    assert found(table, error_if={"distinct_values": "> 5001"})["x"].status is Status.WARN
    assert found(table, error_if={"distinct_values": "> 4000"})["x"].status is Status.FAIL
    assert found(table, error_if={"distinct_values": "> 6000"})["x"].status is Status.PASS


def test_values_of_redacted_columns_are_not_recorded() -> None:
    table: dict[str, list[Any]] = {"salary": [1.0, 2.0]}
    got = numbers(found(table, redact=["salary"])["salary"])
    assert "mean" in got
    assert not {"minimum", "maximum", "q50"} & set(got)


def test_a_column_of_nulls_has_no_numbers_and_passes_without_bounds() -> None:
    got = found({"x": [None, None], "y": [1.0, 2.0]}, columns=["y"])["y"]
    assert got.status is Status.PASS
    rows = [{"x": None, "y": 1.0}]
    [finding] = judge(ColumnProfile(id="c", dataset="t", columns=("x",)), {"t": rows})
    assert numbers(finding)["null_rate"] == 1
