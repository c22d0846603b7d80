"""Every state is a commutative monoid, and what is split anywhere merges to the whole."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkguard.core.columns import Column
from sparkguard.core.encoding import decode, pack, unpack
from sparkguard.core.measure import State, Summary
from sparkguard.core.source import Source
from sparkguard.measures.conditions import Missing, NotFinite, Outside, twin_hash
from sparkguard.measures.grids import Grid
from sparkguard.measures.hashes import hash_of_text
from sparkguard.measures.histograms import CellCounts, Histogram, Slicing
from sparkguard.measures.profile import Extremes, Moments, Spread
from sparkguard.measures.sketches import Distinct, DistinctKeys, FrequentValues, Quantiles
from sparkguard.measures.tallies import Count, Examples, RowCount

T = Source("t")
X = Column("x", ("x",), "double")
values = st.one_of(st.none(), st.floats(-1e6, 1e6), st.sampled_from([math.nan, math.inf, -math.inf, -0.0, 1.0, 1.0]))
EXACT: Sequence[Summary[State]] = (
    RowCount(T),
    Count(T, Missing(X)),
    Count(T, Outside(X, 0.0, 10.0)),
    Extremes(T, X),
    Examples(T, NotFinite(X), (X,), None),
    Examples(T, Outside(X, 0.0, 1.0), (X,), 3),
    Histogram(T, X, Grid("number", (-5.0, 0.0, 1.0, 1e5))),
    Histogram(T, X, Grid("text", hashes=(hash_of_text("1.0"),), buckets=3), Slicing(X, (hash_of_text("-0.0"),))),
)


def of(measure: Summary[State], column: Sequence[Any]) -> Any:
    rows = [() if not measure.columns else (v,) for v in column]
    return measure.twin({T: rows})


def name(measure: object) -> str:
    return type(measure).__name__


@pytest.mark.parametrize("measure", EXACT, ids=name)
@given(parts=st.lists(st.lists(values, max_size=12), max_size=4))
def test_exact_states_of_parts_merge_to_the_state_of_the_whole(measure: Summary[State], parts: list[list[Any]]) -> None:
    whole = of(measure, [v for part in parts for v in part])
    zero = type(whole).zero()
    forth = back = zero
    for part in parts:
        forth = forth.merge(of(measure, part))
        back = of(measure, part).merge(back)
    assert forth == back == whole.merge(zero) == zero.merge(whole) == whole


@given(st.lists(st.lists(values, max_size=12), max_size=4))
def test_moments_of_parts_merge_to_those_of_the_whole(parts: list[list[Any]]) -> None:
    merged = Spread.zero()
    for part in parts:
        merged = merged.merge(of(Moments(T, X), part))
    whole = of(Moments(T, X), [v for part in parts for v in part])
    assert merged.n == whole.n
    assert merged.mean == pytest.approx(whole.mean, rel=1e-12, abs=1e-9)
    assert merged.squares == pytest.approx(whole.squares, rel=1e-9, abs=1e-6)


def test_moments_lose_no_digits_where_the_mean_is_large() -> None:
    column = [1e9 + i % 2 for i in range(1000)]
    merged = of(Moments(T, X), column[:300]).merge(of(Moments(T, X), column[300:]))
    assert merged.deviation == pytest.approx(0.5, rel=1e-6)


@given(st.lists(st.lists(st.integers(0, 200), max_size=300), min_size=1, max_size=4))
def test_frequent_values_of_parts_bound_the_true_counts(parts: list[list[int]]) -> None:
    merged = of(FrequentValues(T, X), [])
    for part in parts:
        merged = merged.merge(of(FrequentValues(T, X), part))
    whole = [v for part in parts for v in part]
    assert merged.n == len(whole)
    bounds = {i.hash: (i.low, i.high) for i in merged.items}
    for value in set(whole):
        low, high = bounds.get(twin_hash(value), (0, merged.rest))
        assert low <= whole.count(value) <= high


def sketched(measure: Callable[[Source, Column], Any], column: Sequence[Any], cut: int) -> Any:
    wanted = measure(T, X)
    return of(wanted, column[:cut]).merge(of(wanted, column[cut:]))


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=300), st.integers(0, 300), st.floats(0, 1))
def test_merged_quantiles_are_within_their_rank_error(column: list[float], cut: int, rank: float) -> None:
    ranks = sketched(Quantiles, column, cut)
    value = ranks.quantile(rank)
    below, upto = (sum(v < value for v in column), sum(v <= value for v in column))
    error = 0.01 * len(column) + 1
    assert below - error <= rank * len(column) <= upto + error


@given(st.lists(st.integers(0, 5000), max_size=3000), st.integers(0, 3000))
def test_merged_distinct_counts_are_within_their_margin(column: list[int], cut: int) -> None:
    found, margin = sketched(Distinct, column, cut).estimate()
    assert abs(found - len(set(column))) <= 2 * margin + 1


def test_sketches_of_nothing_are_zero() -> None:
    assert of(Quantiles(T, X), []).merge(of(Quantiles(T, X), [])).quantile(0.5) is None
    assert of(Distinct(T, X), [None]).estimate()[0] == 0


@given(st.lists(st.lists(st.integers(0, 2_000), max_size=400), min_size=1, max_size=4))
def test_distinct_keys_of_parts_merge_to_those_of_the_whole(parts: list[list[int]]) -> None:
    measure = DistinctKeys(T, (X,))
    merged = measure.STATE.zero()
    for part in parts:
        merged = merged.merge(of(measure, part))
    whole = {v for part in parts for v in part}
    assert merged.estimate()[0] == pytest.approx(len(whole), rel=0.01)
    assert of(FrequentValues(T, X), [None]).items == ()


@given(st.lists(st.integers(0, 2**40), max_size=8), st.integers(0, 12))
def test_counts_are_packed_without_loss_and_alike_however_long(counts: list[int], more: int) -> None:
    packed = CellCounts.of(np.array(counts + [0] * more, np.int64))
    assert packed == CellCounts.of(np.array(counts, np.int64))
    assert packed.cells(len(counts) + more).tolist() == counts + [0] * more
    assert packed.rows == sum(counts)
    assert decode(CellCounts, unpack(pack({"k": packed}))["k"]) == packed


def test_small_counts_take_a_byte_each() -> None:
    assert len(CellCounts.of(np.full(50, 200)).packed) == 51
    assert len(CellCounts.of(np.full(50, 70_000)).packed) == 201
