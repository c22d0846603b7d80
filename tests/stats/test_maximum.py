"""The decision: ranks, the extrapolated tail and q-values against oracles and by simulation."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from sparkguard.stats.drift import Detectable, Scores
from sparkguard.stats.maximum import Verdict, decide
from sparkguard.stats.standardised import Law


def given(window: np.ndarray, stretches: np.ndarray, effects: np.ndarray | None = None) -> Scores:
    """Scores of C units of which only values count."""
    many = len(window)
    parts = np.full((many, 4), -np.inf)
    parts[:, 0] = window
    one = np.ones(many)
    law = Law(one, 0 * one, one, one, 1e9 * one)
    moved = np.ones((many, 4)) if effects is None else effects
    detectable = Detectable(law, 0 * one, one > 0)
    return Scores(parts, stretches, moved, one > 0, one, detectable, detectable, one < 0)


def verdict(window: Sequence[float], stretches: np.ndarray, alpha: float) -> Verdict:
    return decide([given(np.array(window), stretches)], alpha)


def test_the_limit_is_the_rank_that_the_budget_allows() -> None:
    stretches = np.arange(1.0, 53.0)[:, None]
    for rank in (1, 2, 5):
        found = verdict([52.5 - rank], stretches, rank / 53)
        assert (found.limit, found.extrapolated) == (53 - rank, False)
        assert not found.units[0].drifted
        above = verdict([53.5 - rank], stretches, rank / 53)
        assert above.units[0].drifted
        assert above.p_value <= rank / 53
        tied = verdict([53.0 - rank], stretches, rank / 53)
        assert tied.p_value == pytest.approx(rank / 53)
        assert not tied.units[0].drifted
    assert verdict([0.5], stretches, 0.999).limit == 1
    assert verdict([0.5], stretches, 0.05).p_value == 1


def test_between_two_ranks_an_exponential_tail_keeps_the_budget() -> None:
    rng = np.random.default_rng(6)
    for alpha, stretches in ((0.05, 26), (0.05, 52), (0.1, 26)):
        scores = rng.exponential(size=(1500, stretches + 1, 1))
        found = [verdict(one[-1].tolist(), one[:-1], alpha) for one in scores]
        assert np.mean([v.units[0].drifted for v in found]) == pytest.approx(alpha, abs=4 * (alpha / 1500) ** 0.5)
        assert [v.p_value < alpha for v in found] == [v.units[0].drifted for v in found]


def test_a_finer_budget_is_extrapolated_and_no_lower_than_what_was_seen() -> None:
    rng = np.random.default_rng(1)
    stretches = stats.gumbel_r.rvs(3, 0.5, size=(2000, 1), random_state=rng)
    found = verdict([3.0], stretches, 1e-4)
    assert found.extrapolated
    assert found.limit == pytest.approx(max(stats.gumbel_r.isf(1e-4, 3, 0.5), stretches.max()), rel=0.05)
    outlier = np.append(np.full(25, 2.0), 30.0)[:, None]
    assert verdict([29.0], outlier, 1 / 90).limit >= 30


@pytest.mark.parametrize("seed", [2, 3])
def test_the_extrapolated_tail_keeps_its_budget(seed: int) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(2000, 27, 20))
    fails = sum(any(u.drifted for u in verdict(one[-1].tolist(), one[:-1], 1 / 90).units) for one in scores)
    # 22 nights are expected, and the tail is not exact: half to twice that.
    assert 11 <= fails <= 45


def test_maxima_that_never_differ_make_no_tail() -> None:
    found = verdict([1.0], np.full((26, 1), -np.inf), 1 / 90)
    assert found.limit == pytest.approx(stats.norm.isf(1 / 90))
    assert not found.units[0].drifted
    assert verdict([9.0], np.full((26, 1), -np.inf), 1 / 90).units[0].drifted
    assert verdict([9.0], np.full((26, 1), -np.inf), 1 / 90).p_value == 1 / 27


def test_beyond_all_stretches_the_p_value_falls_on() -> None:
    stretches = np.random.default_rng(4).normal(size=(26, 5))
    chances = [verdict([score] + [0.0] * 4, stretches, 0.05).p_value for score in (1.0, 3.0, 5.0, 9.0)]
    assert chances == sorted(chances, reverse=True)
    assert chances[-1] < chances[-2] < 1 / 27


def test_p_values_rank_a_unit_among_all_and_q_values_are_benjamini_and_hochbergs() -> None:
    rng = np.random.default_rng(5)
    window, stretches = rng.normal(size=30), rng.normal(size=(26, 30))
    window[:3] = 4.0
    units = decide([given(window, stretches)], 0.05).units
    p = np.array([u.p_value for u in units], dtype=np.float64)
    assert p[7] == (1 + (stretches >= window[7]).sum()) / (1 + stretches.size)
    q = np.array([u.q_value for u in units], dtype=np.float64)
    assert q == pytest.approx(stats.false_discovery_control(p))


def test_values_that_moved_too_little_do_not_make_a_unit_drift_but_a_share_may_which_has_its_own_floor() -> None:
    scores = given(np.array([9.0, 9.0]), np.zeros((26, 2)), np.array([[0.01, 0.05, 0, 0], [0.01, 0.05, 0, 0]]))
    scores.window[1, 1] = 8.0
    one, both = decide([scores], 0.05, min_effect=0.1).units
    assert (one.drifted, one.part, one.effect) == (False, "values", 0.01)
    assert (both.drifted, both.part, both.effect) == (True, "null", 0.05)


def test_what_has_no_law_is_not_called_underpowered() -> None:
    scores = given(np.array([1.0]), np.zeros((26, 1)))
    unknown = Detectable(scores.detectable.law, scores.detectable.noise, np.array([False]))
    blind = replace(scores, design_effect=np.array([math.nan]), detectable=unknown, by_rows=unknown)
    unit = decide([blind], 0.05).units[0]
    assert (unit.smallest_effect, unit.underpowered, unit.design_effect) == (None, False, None)


def test_nothing_to_judge_and_impossible_budgets_are_refused() -> None:
    with pytest.raises(ValueError, match="0 groups"):
        decide([], 0.05)
    for alpha in (0.0, 1.0):
        with pytest.raises(ValueError, match="budget"):
            verdict([1.0], np.zeros((26, 1)), alpha)
