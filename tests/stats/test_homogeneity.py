"""The sampling part of a distance, by simulation; laws of what is left; a tail against its exact law."""

import numpy as np
import pytest
from scipy import stats

from sparkguard.stats.homogeneity import Divergence, divergence, share_divergence, thinned
from sparkguard.stats.standardised import Between, Law, between, law, usable

SHARES = np.array([0.4, 0.3, 0.2, 0.07, 0.02, 0.01, 0.0])
USED = np.ones(7, dtype=np.bool_)


@pytest.mark.parametrize(("n", "m"), [(50, 5_000), (2_000, 2_000), (100_000, 300)])
def test_sampling_explains_its_part_whatever_the_sizes(n: int, m: int) -> None:
    rng = np.random.default_rng(1)
    found = divergence(rng.multinomial(n, SHARES, 4000), rng.multinomial(m, SHARES, 4000), USED)
    assert found.observed.mean() == pytest.approx(found.sampling.mean(), rel=0.06)
    freedom = 2 * found.observed.mean() ** 2 / found.observed.var()
    assert found.freedom.mean() == pytest.approx(freedom, rel=0.25)


def test_what_is_left_is_the_distance_of_the_true_shares() -> None:
    rng = np.random.default_rng(2)
    moved = np.array([0.35, 0.3, 0.25, 0.07, 0.02, 0.01, 0.0])
    exact = divergence((1e9 * moved).astype(np.int64), (1e9 * SHARES).astype(np.int64), USED).observed
    for n in (200, 20_000):
        found = divergence(rng.multinomial(n, moved, 4000), rng.multinomial(10_000, SHARES, 4000), USED)
        noise = 4 * found.observed.std() / 4000**0.5
        assert (found.observed - found.sampling).mean() == pytest.approx(float(exact), abs=noise + 0.02 * float(exact))


def test_shares_have_a_sampling_part_that_does_not_depend_on_them() -> None:
    rng = np.random.default_rng(3)
    rows = np.full(4000, 1000.0)
    for share in (0.1, 0.5):
        part, base = rng.binomial(1000, share, (2, 4000)).astype(float)
        found = share_divergence(part, rows, base, rows)
        assert found.observed.mean() == pytest.approx(2 / 1000, rel=0.1)


def test_a_side_without_rows_is_not_known_and_finite() -> None:
    none = np.zeros(7, dtype=np.int64)
    found = divergence(np.stack([none, none + 1]), np.stack([none + 1, none]), USED)
    assert not found.known.any()
    assert np.isfinite([found.observed, found.sampling, found.freedom]).all()
    one_value = divergence(np.array([[7]]), np.array([[9]]), np.ones(1, dtype=np.bool_))
    assert not one_value.known.any()


def test_thinning_leaves_the_rows_asked_for_and_never_adds_any() -> None:
    counts = np.array([[4_000_000_000, 1_000_000_000], [3, 5]])
    found = thinned(counts, np.array([1e6, 1e6]), np.random.default_rng(4))
    assert found[0].sum() == pytest.approx(1e6, rel=0.01)
    assert found[1].tolist() == [3, 5]


def stretches(observed: np.ndarray, sampling: float, freedom: float = 10.0) -> Divergence:
    same = np.ones_like(observed)
    return Divergence(observed, sampling * same, freedom * same, observed >= 0)


def test_the_part_between_blocks_is_found_for_each_stretch_from_the_others() -> None:
    rng = np.random.default_rng(5)
    chi = stats.chi2.rvs(1, size=(40, 300), random_state=rng)
    noise = stats.chi2.rvs(10, size=(40, 300), random_state=rng) / 10
    found = between(stretches(chi + noise, 1.0))
    assert found.mean[-1].mean() == pytest.approx(1.0, rel=0.05)
    spread = found.mean[-1].std()
    assert found.variance[-1].mean() == pytest.approx(spread**2, rel=0.35)
    outlier = chi.copy()
    outlier[3] = 1000
    again = between(stretches(outlier + noise, 1.0))
    assert np.allclose(again.mean[3], found.mean[3])
    assert (again.mean[4] > 20).all()


def test_a_law_of_one_part_is_the_chi_square_of_that_part() -> None:
    one, zero = np.ones(1), np.zeros(1)
    rows = law(Divergence(one, one, 10 * one, one > 0), Between(zero, zero, one))
    blocks = law(Divergence(one, 1e-9 * one, 10 * one, one > 0), Between(one, zero, one))
    for found, freedom in ((rows, 10), (blocks, 1)):
        assert found.freedom[0] == pytest.approx(freedom, rel=1e-3)
        for level in (0.5, 0.99, 0.9999):
            score = found.score(np.array([stats.chi2.ppf(level, freedom) / freedom]))[0]
            assert score == pytest.approx(stats.norm.ppf(level), abs=0.15)


def test_a_mean_that_is_itself_estimated_makes_an_f() -> None:
    found = Law(*(np.array([x]) for x in (1.0, 0.0, 1.0, 3.0, 26.0)))
    for level in (0.5, 0.99, 0.9999):
        assert found.score(np.array([stats.f.ppf(level, 3, 26)]))[0] == pytest.approx(stats.norm.ppf(level), abs=0.1)


def test_scores_and_distances_are_each_others_inverse() -> None:
    found = Law(*(np.array([x]) for x in (1.2, 0.3, 0.9, 1.7, 26.0)))
    for score in (0.0, 2.0, 5.0):
        assert found.score(found.observed(score))[0] == pytest.approx(score)
    assert found.observed(50.0)[0] == np.inf


def test_half_of_the_stretches_must_tell_and_no_fewer_than_thirteen() -> None:
    known = np.ones((26, 3), dtype=np.bool_)
    known[13:, 0] = False
    known[12:, 1] = False
    assert usable(known).tolist() == [True, False, True]
