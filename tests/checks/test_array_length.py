"""`array_length` judged on small tables in plain Python."""

from datetime import UTC, datetime
from typing import Any

import pytest

from sparkguard.checks.array_length import ArrayLength
from sparkguard.core.check import Run
from sparkguard.core.finding import Finding, Status
from sparkguard.core.measure import Broken
from sparkguard.engine.gather import Rounds
from sparkguard.measures.profile import Extremes
from sparkguard.testing import TwinEngine, judge


def found(values: list[Any], **fields: Any) -> Finding:
    check = ArrayLength(**{"id": "c", "dataset": "t", "columns": "v", **fields})
    [finding] = judge(check, {"t": [{"v": v, "k": i} for i, v in enumerate(values)]})
    return finding


def test_vectors_of_one_length_pass_and_the_length_is_told() -> None:
    finding = found([[1.0, 2.0], [3.0, 4.0], None])
    assert (finding.status, finding.message) == (Status.PASS, "v has 2 elements in 2 rows")
    assert (finding.quantities["shortest"].value, finding.quantities["longest"].value) == (2, 2)


def test_without_a_length_shorter_ones_than_the_longest_are_wrong() -> None:
    finding = found([[1.0, 2.0], [3.0], [], None], key=["k"])
    assert (finding.violation_rows, finding.evaluated_rows, finding.status) == (2, 3, Status.FAIL)
    assert sorted(v.key["k"] or "" for v in finding.violations) == ["1", "2"]


def test_a_given_length_and_a_range_of_lengths() -> None:
    assert found([[1.0, 2.0]], length=3).violation_rows == 1
    assert found([[1.0]] * 2, length=1).status is Status.PASS
    assert found([[], [1.0], [1.0, 2.0], [1.0] * 3], min_length=1, max_length=2).violation_rows == 2
    assert found([[], [1.0]], min_length=1).violation_rows == 1


def test_lengths_of_nothing_are_no_pass() -> None:
    rows: list[dict[str, object]] = [{"v": None, "w": [1.0]}]
    finding = judge(ArrayLength(id="c", dataset="t", columns=("w",)), {"t": [*rows, {"v": [1.0], "w": None}]})[0]
    assert finding.status is Status.PASS
    assert found([[1.0], None], length=1).evaluated_rows == 1


@pytest.mark.parametrize("wrong", [{"length": 1, "min_length": 1}, {"min_length": 3, "max_length": 2}, {"length": -1}])
def test_contradictions_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="length"):
        found([[1.0]], **wrong)


class Failing(TwinEngine):
    """Cannot tell the lengths."""

    def compute(self, measures: Any) -> Any:
        for measure, answer in super().compute(measures):
            yield measure, Broken("the file is damaged") if isinstance(measure, Extremes) else answer


def test_why_lengths_are_unknown_is_told() -> None:
    check = ArrayLength(id="c", dataset="t", columns=("v",))
    [gathered] = Rounds(Failing({"t": [{"v": [1.0]}]})).gather([check])
    now = datetime(2026, 1, 1, tzinfo=UTC)
    [finding] = check.judge(gathered.seen, Run(now.date(), now))
    assert (finding.status, finding.message) == (Status.ERROR, "the file is damaged")


def test_other_types_have_no_length() -> None:
    assert "needs an array" in found(["abc"]).message
