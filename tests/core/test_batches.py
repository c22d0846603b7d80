"""Which summaries share one read."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkguard.core import batches as module
from sparkguard.core.batches import batches
from sparkguard.core.columns import Column
from sparkguard.core.measure import Daily
from sparkguard.core.source import Source
from sparkguard.measures.conditions import Missing, Untrue
from sparkguard.measures.grids import Grid
from sparkguard.measures.histograms import Histogram
from sparkguard.measures.profile import Moments
from sparkguard.measures.tallies import Count, Examples, RowCount

T, U = Source("t"), Source("u")


def column(name: str) -> Column:
    return Column(name, (name,), "double")


def test_all_summaries_of_a_source_are_one_batch_whatever_asks_them() -> None:
    measures = [RowCount(T), *(m for n in "abc" for m in (Moments(T, column(n)), Count(T, Missing(column(n)))))]
    [batch] = batches(measures)
    assert (batch.source, set(batch.measures), len(batch.columns)) == (T, set(measures), 3)
    assert batch.shuffles == 0


def test_sources_and_kinds_are_read_apart() -> None:
    rule = Missing(column("a"))
    measures = [RowCount(T), RowCount(U), Examples(T, rule, (column("a"),), None)]
    assert [(b.source, b.shuffles) for b in batches(measures)] == [(T, 0), (U, 0), (T, 1)]


@given(st.lists(st.lists(st.integers(0, 30), min_size=0, max_size=4), max_size=40), st.integers(1, 10))
def test_no_column_is_read_by_two_batches_and_every_measure_by_one(mentions: list[list[int]], most: int) -> None:
    measures = {Count(T, Untrue(str(i), tuple(column(f"c{n}") for n in names))) for i, names in enumerate(mentions)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MAX_MEASURES", most)
        found = list(batches(measures))
    assert sorted(str(m) for b in found for m in b.measures) == sorted(str(m) for m in measures)
    reads = Counter(c for b in found for c in b.columns)
    assert set(reads.values()) <= {1}


def test_a_table_too_wide_for_one_plan_is_split_into_full_batches() -> None:
    measures = [Moments(T, column(f"c{i}")) for i in range(3 * module.MAX_MEASURES - 1)]
    sizes = [len(b.measures) for b in batches(measures)]
    assert sizes == [module.MAX_MEASURES, module.MAX_MEASURES, module.MAX_MEASURES - 1]


def test_what_is_dense_is_one_batch_however_wide_and_days_are_asked_apart() -> None:
    measures = [Histogram(T, column(f"c{i}"), Grid("number")) for i in range(2 * module.MAX_MEASURES)]
    days = [Daily(m) for m in measures]
    whole, daily = batches([*measures, *days])
    assert (len(whole.measures), whole.daily, whole.asked) == (len(measures), False, tuple(measures))
    assert (daily.measures, daily.daily, daily.asked) == (tuple(measures), True, tuple(days))
