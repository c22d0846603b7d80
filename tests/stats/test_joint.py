"""The classifier sees how columns go together and nothing else, and its area is the one that theory knows."""

import numpy as np
import numpy.typing as npt
import pytest
from scipy.stats import multivariate_normal, norm
from sklearn.metrics import roc_auc_score

from sparkguard.stats import joint
from sparkguard.stats.joint import Apart, Codes, decide, named, told_apart

Floats = npt.NDArray[np.float64]


def codes(item: Floats, base: Floats) -> tuple[Codes, Codes]:
    """Ranks among all rows of both sides, equal values alike."""
    whole = np.concatenate([item, base])
    ranks = [np.unique(column, return_inverse=True)[1] for column in whole.T]
    found = np.stack(ranks, axis=1).astype(np.int32)
    return found[: len(item)], found[len(item) :]


def normal(rng: np.random.Generator, rows: int, correlation: float, columns: int = 2) -> Floats:
    """The first two of some normal columns correlate."""
    found = rng.normal(size=(rows, columns))
    found[:, 1] = correlation * found[:, 0] + np.sqrt(1 - correlation**2) * found[:, 1]
    return np.asarray(found)


def quarters_of(correlation: float) -> Floats:
    """The shares of the 16 pairs of quarters of a normal law."""
    law = multivariate_normal(cov=[[1, correlation], [correlation, 1]])
    edges = norm.ppf([1e-9, 0.25, 0.5, 0.75, 1 - 1e-9])
    below = np.array([[law.cdf([a, b]) for b in edges] for a in edges])
    return np.diff(np.diff(below, axis=0), axis=1).ravel()


def best_area(item: Floats, base: Floats) -> float:
    """The area of the likelihood ratio itself (Neyman and Pearson)."""
    order = np.argsort(item / base)
    below = np.concatenate([[0], np.cumsum(base[order])])
    return float((item[order] * (below[:-1] + below[1:]) / 2).sum())


@pytest.mark.parametrize(("was", "now"), [(0.8, 0.0), (0.0, 0.6), (0.5, -0.5)])
def test_with_many_rows_it_tells_as_well_as_the_likelihood_ratio(was: float, now: float) -> None:
    rng = np.random.default_rng(1)
    item, base = codes(normal(rng, 20_000, now), normal(rng, 40_000, was))
    found = told_apart(item, base, [0])
    assert found.area == pytest.approx(best_area(quarters_of(now), quarters_of(was)), abs=0.01)


def test_what_columns_show_by_themselves_it_does_not_see() -> None:
    rng = np.random.default_rng(2)
    item, base = normal(rng, 500, 0.4, 5), normal(rng, 2_000, 0.4, 5)
    moved = np.exp(3 * item) + np.array([0, 7, -3, 100, 2])
    assert told_apart(*codes(item, base), [1]).area == told_apart(*codes(moved, base), [1]).area


def test_equal_values_tell_nothing_by_their_share() -> None:
    rng = np.random.default_rng(3)
    item, base = (rng.random((n, 3)) < p for n, p in ((2_000, 0.6), (4_000, 0.3)))
    assert abs(told_apart(*codes(item.astype(float), base.astype(float)), [0]).score) < 3


def test_values_that_go_missing_together_are_told_apart() -> None:
    rng = np.random.default_rng(4)
    item, base = (np.zeros((n, 3), np.int32) + rng.integers(0, 1_000, (n, 3), dtype=np.int32) for n in (2_000, 4_000))
    base[rng.random(base.shape) < 0.3] = -1
    item[rng.random(len(item)) < 0.3, :2] = -1
    item[rng.random(len(item)) < 0.3, 2] = -1
    found = told_apart(item, base, [0])
    assert found.score > 8
    [pair, *_] = named(found, item, base, [True] * 3)
    assert (pair.one, pair.other) == (0, 1)
    assert pair.share > 0.8


def test_of_rows_of_one_law_the_score_is_standard_normal() -> None:
    rng = np.random.default_rng(5)
    scores = []
    for night in range(300):
        item, base = codes(normal(rng, 400, 0.5, 6), normal(rng, 1_600, 0.5, 6))
        scores.append(told_apart(item, base, [night]).score)
    assert abs(np.mean(scores)) < 0.25
    assert 0.8 < np.std(scores) < 1.25


def test_a_change_without_correlation_is_found_and_called_an_association() -> None:
    rng = np.random.default_rng(6)
    item, base = normal(rng, 2_000, 0.0, 4), normal(rng, 4_000, 0.0, 4)
    item[np.argsort(np.abs(item[:, 3])), 2] = np.sort(item[:, 2])
    sides = codes(item, base)
    found = told_apart(*sides, [0])
    [pair, *_] = named(found, *sides, [True] * 4)
    assert (pair.one, pair.other, pair.measure) == (2, 3, "association")
    assert pair.before < 0.1
    assert pair.now > 0.3


def test_where_order_means_nothing_there_is_no_rank_correlation() -> None:
    rng = np.random.default_rng(7)
    sides = codes(normal(rng, 2_000, 0.9), normal(rng, 4_000, 0.0))
    found = told_apart(*sides, [0])
    assert [p.measure for p in named(found, *sides, [True, True])] == ["rank correlation"]
    assert [p.measure for p in named(found, *sides, [True, False])] == ["association"]


def test_the_area_is_that_of_scikit_learn_with_ties() -> None:
    rng = np.random.default_rng(8)
    item, base = rng.integers(0, 9, 300).astype(float), rng.integers(2, 12, 500).astype(float)
    truth = roc_auc_score([1] * 300 + [0] * 500, [*item, *base])
    assert joint._area(item, base) == pytest.approx(truth, abs=1e-12)


def test_pairs_of_quarters_are_counted_as_by_hand() -> None:
    quarters = np.random.default_rng(9).integers(0, 4, (200, 3)).astype(np.uint8)
    found = joint._together(quarters)
    for one in range(3):
        for other in range(3):
            by_hand, _, _ = np.histogram2d(quarters[:, one], quarters[:, other], bins=4, range=[[-0.5, 3.5]] * 2)
            assert (found[one, :, other, :] == by_hand).all()


def test_the_same_rows_are_always_told_apart_alike() -> None:
    rng = np.random.default_rng(10)
    sides = codes(normal(rng, 300, 0.2, 4), normal(rng, 900, 0.4, 4))
    assert told_apart(*sides, [3, 1]).area == told_apart(*sides, [3, 1]).area


@pytest.mark.parametrize(("rows", "columns"), [(1, 3), (5, 1)])
def test_one_row_or_one_column_is_an_error(rows: int, columns: int) -> None:
    side = np.zeros((rows, columns), np.int32)
    with pytest.raises(ValueError, match=f"{rows} and {rows} rows of {columns} columns"):
        told_apart(side, side, [0])


def test_two_rows_of_two_constant_columns_tell_nothing() -> None:
    side = np.zeros((2, 2), np.int32)
    assert 0 <= told_apart(side, side, [0]).area <= 1


def apart(area: float, score: float) -> Apart:
    return Apart(area, score, np.zeros((2, 2)))


def test_a_window_is_ranked_among_its_snapshots() -> None:
    snapshots = [apart(0.5 + i / 1_000, i / 10) for i in range(40)]
    for area, drifted in ((0.53, False), (0.58, True)):
        found = decide(apart(area, (area - 0.5) * 100), snapshots, 0.05, 0.0)
        assert found.drifted is drifted
        assert found.limit == pytest.approx(0.538, abs=0.002)
    assert decide(apart(0.58, 8.0), snapshots, 0.05, 0.0).p_value <= 1 / 41
    assert decide(apart(0.4, -8.0), snapshots, 0.05, 0.0).p_value == 1


def test_significance_needs_an_effect() -> None:
    snapshots = [apart(0.5 + i / 10_000, i / 10) for i in range(40)]
    assert decide(apart(0.51, 10.0), snapshots, 0.05, 0.01).drifted
    assert not decide(apart(0.51, 10.0), snapshots, 0.05, 0.02).drifted


def test_what_independent_rows_show_by_chance_is_no_drift_though_snapshots_show_less() -> None:
    snapshots = [apart(0.5, 0.0)] * 30
    assert not decide(apart(0.51, 2.0), snapshots, 0.01, 0.0).drifted
    assert decide(apart(0.53, 6.0), snapshots, 0.01, 0.0).drifted
