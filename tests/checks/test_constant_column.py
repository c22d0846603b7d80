"""`constant_column` judged on small tables in plain Python, and what it does with an inexact sketch."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkguard.checks.constant_column import ConstantColumn
from sparkguard.core.finding import Finding, Status
from sparkguard.core.source import Source
from sparkguard.core.threshold import Bound
from sparkguard.measures.sketches import Frequent, Frequents, FrequentValues
from sparkguard.testing import TwinEngine, judge


def found(values: list[Any], **fields: Any) -> Finding:
    check = ConstantColumn(**{"id": "c", "dataset": "t", "columns": "x", **fields})
    [finding] = judge(check, {"t": [{"x": v, "k": i} for i, v in enumerate(values)]})
    return finding


def test_a_constant_fails_and_is_named() -> None:
    finding = found([7, 7, 7])
    assert finding.status is Status.FAIL
    assert [(v.kind, v.key["x"], v.count) for v in finding.violations] == [("constant", "7", 3)]
    assert finding.message.startswith("the most frequent value of x, 7, has 100.0000% of 3 rows")


@pytest.mark.parametrize("values", [[None], [None] * 5])
def test_a_column_of_nulls_is_constant_too(values: list[Any]) -> None:
    check = ConstantColumn(id="c", dataset="t", columns=("x",))
    [finding] = judge(check, {"t": [{"x": v, "y": 1} for v in values]})
    assert (finding.status, finding.quantities["top_share"].value) == (Status.FAIL, 1)


def test_null_is_one_value_among_others() -> None:
    assert found([None, None, None, 1]).quantities["top_share"].value == 0.75


def test_nearly_constant_columns_warn_where_asked() -> None:
    finding = found([0] * 999 + [1], warn_if={"top_share": "> 0.99"})
    assert (finding.status, finding.quantities["top_share"].value) == (Status.WARN, 0.999)
    assert finding.decision is not None
    assert finding.decision.exactness == "exact"


def test_a_value_that_may_not_be_shown_is_not() -> None:
    assert "secret" not in str(found(["secret"] * 3, redact=["x"]))
    assert "secret" not in str(found(["secret"] * 3, violations="none"))


@given(st.lists(st.one_of(st.none(), st.integers(0, 3)), min_size=1))
def test_the_share_equals_brute_force(values: list[int | None]) -> None:
    finding = found([*values, 9, 9])
    top = Counter([*values, 9, 9]).most_common(1)[0][1]
    assert finding.quantities["top_share"].value == top / (len(values) + 2)


class Vague(TwinEngine):
    """Answers as a sketch would that is off by a tenth of the rows."""

    def compute(self, measures: Any) -> Any:
        for measure, answer in super().compute(measures):
            if isinstance(measure, FrequentValues) and isinstance(answer, Frequents):
                off = answer.n // 10
                items = [Frequent(i.hash, max(0, i.low - off), i.high) for i in answer.items]
                yield measure, Frequents.of(answer.n, items, off)
            else:
                yield measure, answer


@pytest.mark.parametrize(("often", "status"), [(95, Status.FAIL), (93, Status.PASS), (50, Status.PASS)])
def test_where_the_sketch_cannot_tell_a_second_scan_counts(often: int, status: Status) -> None:
    from datetime import UTC, datetime

    from sparkguard.core.check import Run
    from sparkguard.engine.gather import Rounds

    rows = [{"x": 0 if i < often else i} for i in range(100)]
    engine = Vague({"t": rows})
    check = ConstantColumn(id="c", dataset="t", columns=("x",), error_if={"top_share": Bound(">=", 0.94)})
    [gathered] = Rounds(engine).gather([check])
    now = datetime(2026, 1, 1, tzinfo=UTC)
    [finding] = check.judge(gathered.seen, Run(now.date(), now))
    assert finding.status is status
    assert len(engine.computed) == (4 if often == 95 else 2)
    assert Source("t") == finding.source
