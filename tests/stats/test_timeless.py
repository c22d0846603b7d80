"""Tables without time: clusters and independent rows, by simulation."""

import numpy as np
import pytest
from scipy.special import ndtr

from sparkguard.stats.cells import FIRST, NAN, NULL, CellKinds
from sparkguard.stats.maximum import Verdict, decide
from sparkguard.stats.timeless import cluster_scores, enough, row_scores

EDGES = np.array([-13.0, *np.linspace(-2, 2, 9), 13.0])
CELLS = FIRST + len(EDGES) + 1


def kinds(columns: int) -> CellKinds:
    return CellKinds(np.arange(columns) < columns - 1, np.full(columns, CELLS))


def sample(rng: np.random.Generator, level: np.ndarray, rows: float, nulls: float = 0.1) -> np.ndarray:
    """Counts (..., columns, cells); `level` has the shape (..., columns)."""
    values = np.diff(ndtr(EDGES - level[..., None]), axis=-1, prepend=0.0, append=1.0) * (1 - nulls)
    none = np.full((*level.shape, 1), nulls)
    return rng.poisson(rows * np.concatenate([none, 0 * none, values], axis=-1))


def drifted(found: Verdict) -> list[int]:
    return [i for i, u in enumerate(found.units) if u.drifted]


def test_healthy_independent_rows_fail_as_often_as_promised() -> None:
    rng = np.random.default_rng(1)
    fails = 0
    for n, m in [(200, 5000), (5000, 5000), (20_000, 500)] * 30:
        level = np.zeros(4)
        fails += bool(drifted(decide([row_scores(sample(rng, level, n), sample(rng, level, m), kinds(4), 99)], 0.05)))
    # 4.5 are expected; four standard errors are 8.3.
    assert fails <= 12


def test_healthy_clusters_fail_as_often_as_promised_and_as_rows_they_would_mostly() -> None:
    rng = np.random.default_rng(2)
    by_cluster = by_row = 0
    for _ in range(60):
        here, there = (sample(rng, 0.5 * rng.normal(size=(64, 4)), rows) for rows in (50, 200))
        by_cluster += bool(drifted(decide([cluster_scores(here, there, kinds(4), 199)], 0.05)))
        by_row += bool(drifted(decide([row_scores(here.sum(axis=0), there.sum(axis=0), kinds(4), 99)], 0.05)))
    assert by_cluster <= 10
    assert by_row >= 40


def test_what_stays_with_an_entity_on_both_sides_cancels() -> None:
    rng = np.random.default_rng(3)
    found = 0
    for _ in range(10):
        entity = 1.0 * rng.normal(size=(64, 4))
        here, there = sample(rng, entity + np.array([0.25, 0, 0, 0]), 100), sample(rng, entity, 100)
        found += 0 in drifted(decide([cluster_scores(here, there, kinds(4), 199)], 0.05))
    assert found >= 8


@pytest.mark.parametrize("clustered", [True, False])
def test_moved_levels_null_rates_and_constants_are_found(*, clustered: bool) -> None:
    rng = np.random.default_rng(4)
    level = np.zeros((64, 4))
    here, there = sample(rng, level + np.array([0.5, 0, 0, 0]), 50), sample(rng, level, 50)
    here[:, 1] = sample(rng, level[:, 1], 50, 0.22)
    for side, cell in ((here, NAN), (there, FIRST + 4)):
        side[:, 2] = 0
        side[:, 2, cell] = 50
    if clustered:
        found = decide([cluster_scores(here, there, kinds(4), 199)], 0.05)
    else:
        found = decide([row_scores(here.sum(axis=0), there.sum(axis=0), kinds(4), 99)], 0.05)
    assert drifted(found) == [0, 1, 2]
    assert [u.part for u in found.units[:3]] == ["values", "null", "nan"]
    assert found.units[1].effect == pytest.approx(0.12, abs=0.02)


def test_the_design_effect_of_clusters_is_how_much_less_their_rows_say() -> None:
    rng = np.random.default_rng(5)
    level = np.stack([np.zeros(64), 0.7 * rng.normal(size=64)], axis=1)
    here, there = sample(rng, level, 100), sample(rng, rng.permutation(level), 100)
    independent, together = (u.design_effect for u in decide([cluster_scores(here, there, kinds(2), 99)], 0.05).units)
    assert independent == pytest.approx(1, abs=0.3)
    assert together is not None
    assert together > 3


def test_sides_without_rows_or_values_are_not_judged_by_them() -> None:
    rng = np.random.default_rng(6)
    here, there = sample(rng, np.zeros((30, 3)), 50), sample(rng, np.zeros((30, 3)), 50)
    here[:, 0] = 0
    for side in (here, there):
        side[:, 1] = 0
        side[:, 1, NULL] = 50
    for scores in (
        cluster_scores(here, there, kinds(3), 99),
        row_scores(here.sum(axis=0), there.sum(axis=0), kinds(3), 99),
    ):
        units = decide([scores], 0.05).units
        assert [u.judged for u in units] == [False, True, True]
        assert (units[1].score, units[1].drifted) == (None, False)


@pytest.mark.parametrize(("window", "reference", "told"), [(64, 64, True), (3, 64, False), (64, 10, False)])
def test_clusters_of_a_side_that_are_few_tell_nothing(window: int, reference: int, *, told: bool) -> None:
    rng = np.random.default_rng(7)
    sides = []
    for many in (window, reference):
        side = np.zeros((64, 1, CELLS), dtype=np.int64)
        side[:many] = sample(rng, np.zeros((many, 1)), 50)
        sides.append(side)
    [unit] = decide([cluster_scores(sides[0], sides[1], kinds(1), 99)], 0.05).units
    assert unit.judged == told


def test_one_large_cluster_counts_as_one() -> None:
    rows = np.array([10_000] + [10] * 60)
    assert not enough(rows[:, None])
    assert enough(np.full((26, 1), 5))
    assert not enough(np.full((25, 1), 5))
