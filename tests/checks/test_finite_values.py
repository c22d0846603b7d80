"""`finite_values` judged on small tables in plain Python."""

import math
from typing import Any

from sparkguard.checks.finite_values import FiniteValues
from sparkguard.core.finding import Finding, Status
from sparkguard.testing import judge

NAN, INF = math.nan, math.inf


def found(rows: list[dict[str, object]], **fields: Any) -> dict[str, Finding]:
    check = FiniteValues(**{"id": "c", "dataset": "t", **fields})
    return {f.subject: f for f in judge(check, {"t": rows})}


def test_nan_infinity_and_null_are_told_apart() -> None:
    rows: list[dict[str, object]] = [{"x": v} for v in (1.0, NAN, INF, -INF, None, -0.0)]
    finding = found(rows)["x"]
    values = {n: q.value for n, q in finding.quantities.items()}
    assert values == {
        "nan_rows": 1,
        "infinite_rows": 2,
        "evaluated_rows": 5,
        "violation_rows": 3,
        "violation_rate": 0.6,
    }
    assert (finding.status, sum(v.count or 0 for v in finding.violations)) == (Status.FAIL, 3)


def test_all_columns_that_can_hold_nan_are_judged_unless_named() -> None:
    rows: list[dict[str, object]] = [{"x": 1.0, "n": 1, "s": "nan", "v": [1.0, 2.0]}]
    assert set(found(rows)) == {"x", "v"}
    named = found(rows, columns=["n", "x"])
    assert {n: f.status.value for n, f in named.items()} == {"n": "error", "x": "pass"}
    assert "needs a float, a double or an array of them" in named["n"].message


def test_one_element_spoils_a_vector_and_so_does_a_missing_one() -> None:
    rows: list[dict[str, object]] = [{"v": v} for v in ([1.0, NAN], [1.0, None], [INF], [], [2.0], None)]
    finding = found(rows)["v"]
    assert (finding.violation_rows, finding.evaluated_rows) == (3, 5)
    assert (finding.quantities["nan_rows"].value, finding.quantities["infinite_rows"].value) == (1, 1)


def test_a_bound_on_nan_alone_lets_infinity_pass() -> None:
    rows: list[dict[str, object]] = [{"x": 1.0}, {"x": INF}]
    assert found(rows, error_if={"nan_rows": "> 0"})["x"].status is Status.PASS


def test_a_column_of_nulls_is_not_called_finite() -> None:
    finding = found([{"x": None}, {"x": None}, {"y": 1.0, "x": None}], columns=["y"])["y"]
    assert finding.status is Status.PASS
    rows: list[dict[str, object]] = [{"y": None, "z": 1.0}] * 2
    check = FiniteValues(id="c", dataset="t", columns=("z",), error_if={})
    assert judge(check, {"t": rows})[0].status is Status.PASS
