"""Distances: scipy's on the same counts, and what they say at the edges."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import jensenshannon

from sparkguard.stats.distances import (
    chi_squared_pvalue,
    chi_squared_statistic,
    js_distance,
    ks_pvalue,
    ks_statistic,
    l_infinity_distance,
    population_stability_index,
    robust_spread,
    tv_distance,
    wasserstein_distance,
)

VECTORS = st.integers(2, 12).flatmap(
    lambda k: st.tuples(*(st.lists(st.integers(0, 500), min_size=k, max_size=k).filter(sum) for _ in range(2)))
)
ALL = (ks_statistic, tv_distance, l_infinity_distance, js_distance)


def rows(counts: np.ndarray) -> np.ndarray:
    return np.repeat(np.arange(len(counts)), counts)


@given(VECTORS)
def test_they_agree_with_scipy_on_the_rows_that_were_counted(both: tuple[list[int], list[int]]) -> None:
    one, other = (np.array(c, dtype=np.int64) for c in both)
    p, q = one / one.sum(), other / other.sum()
    assert ks_statistic(one, other) == pytest.approx(stats.ks_2samp(rows(one), rows(other)).statistic, abs=1e-9)
    assert js_distance(one, other) == pytest.approx(jensenshannon(p, q, base=2), abs=1e-7)
    assert js_distance(one, other) ** 2 == pytest.approx(jensenshannon(p, q, base=2) ** 2, abs=1e-9)
    assert tv_distance(one, other) == pytest.approx(np.abs(p - q).sum() / 2, abs=1e-9)
    assert l_infinity_distance(one, other) == pytest.approx(np.abs(p - q).max(), abs=1e-9)
    positions = np.cumsum(1.0 + np.arange(len(one)))
    moved = stats.wasserstein_distance(positions, positions, p, q)
    scaled = wasserstein_distance(one, other, positions)
    spread = float(robust_spread(other, positions))
    assert (scaled * spread if spread else moved) == pytest.approx(moved, abs=1e-9)
    used = (one + other) > 0
    if used.sum() > 1:
        expected = stats.chi2_contingency(np.stack([one, other])[:, used], correction=False)
        statistic, freedom = chi_squared_statistic(one, other)
        assert statistic == pytest.approx(expected.statistic, abs=1e-9)
        assert freedom == expected.dof
        assert chi_squared_pvalue(one, other) == pytest.approx(expected.pvalue, abs=1e-9)


def test_the_row_p_value_of_ks_is_scipys_asymptotic_one() -> None:
    one, other = np.array([300, 280, 420]), np.array([3000, 3100, 3900])
    root = math.sqrt(1000 * 10_000 / 11_000)
    assert ks_pvalue(one, other) == pytest.approx(stats.kstwobign.sf(root * float(ks_statistic(one, other))), abs=1e-9)


def test_psi_is_the_textbooks_where_all_cells_have_rows_and_finite_where_not() -> None:
    one, other = np.array([30, 70]), np.array([500, 500])
    expected = (0.3 - 0.5) * math.log(0.3 / 0.5) + (0.7 - 0.5) * math.log(0.7 / 0.5)
    assert population_stability_index(one, other) == pytest.approx(expected, abs=1e-12)
    assert population_stability_index(np.array([0, 100]), other) == pytest.approx(
        (0.005 - 0.5) * math.log(0.005 / 0.5) + (1 - 0.5) * math.log(1 / 0.5), abs=1e-12
    )
    padded = population_stability_index(np.array([30, 70, 0]), np.array([500, 500, 0]))
    assert padded == pytest.approx(expected, abs=1e-12)


def test_many_pairs_at_once_are_each_pair_alone() -> None:
    rng = np.random.default_rng(1)
    one, other = rng.integers(0, 50, (2, 3, 4, 9))
    positions = np.arange(9.0)
    for distance in (*ALL, population_stability_index, lambda a, b: wasserstein_distance(a, b, positions)):
        whole = distance(one, other)
        assert whole.shape == (3, 4)
        assert whole[2, 1] == distance(one[2, 1], other[2, 1])


@pytest.mark.parametrize("distance", [*ALL, population_stability_index, ks_pvalue, chi_squared_pvalue])
def test_a_side_without_rows_is_at_no_known_distance(distance: object) -> None:
    assert callable(distance)
    assert np.isnan(distance(np.zeros(4, dtype=np.int64), np.array([1, 2, 3, 4])))


def test_one_cell_has_no_chi_square() -> None:
    assert np.isnan(chi_squared_statistic(np.array([5, 0]), np.array([7, 0]))[0])


def test_a_level_that_moves_by_a_standard_deviation_is_at_distance_one() -> None:
    positions = np.linspace(-6, 6, 1201)
    density = np.round(1e7 * stats.norm.pdf(positions)).astype(np.int64)
    moved = np.round(1e7 * stats.norm.pdf(positions - 1)).astype(np.int64)
    assert wasserstein_distance(moved, density, positions) == pytest.approx(1, abs=0.01)


def test_a_reference_of_one_value_has_no_unit() -> None:
    positions = np.arange(3.0)
    one_value = np.array([0, 9, 0])
    assert wasserstein_distance(one_value, one_value, positions) == 0
    assert wasserstein_distance(np.array([1, 8, 0]), one_value, positions) == math.inf
    mostly = np.array([5, 95, 0])
    assert robust_spread(mostly, positions) == pytest.approx(0.05)
