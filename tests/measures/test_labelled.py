"""The group of a row is the same in each process, so what plain Python judges is the same for a seed."""

from sparkguard.core.columns import Column
from sparkguard.measures.labelled import Apart


def test_the_group_of_a_row_is_the_same_in_each_process() -> None:
    apart = Apart((Column("a", ("a",), "string"), Column("b", ("b",), "bigint")), 64)
    assert [apart.group_of(row) for row in (["x", 1], ["x", 2], [None, 2])] == [1, 59, 25]
