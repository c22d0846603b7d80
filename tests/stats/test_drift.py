"""Scores and verdicts: their laws, what they must find, and what must not disturb them."""

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest
from scipy.special import ndtr

from sparkguard.stats.cells import FIRST, NAN, NULL, CellKinds
from sparkguard.stats.drift import PARTS, Scores, gathered, scores
from sparkguard.stats.maximum import Unit, Verdict, decide
from sparkguard.stats.stretches import Mode, Timeline, choose

EDGES = np.array([-13.0, -4.0, -3.0, *np.linspace(-2, 2, 17), 3.0, 4.0, 13.0])
CELLS = FIRST + len(EDGES) + 1
ALPHA = 1 / 27


def ordered(columns: int) -> CellKinds:
    return CellKinds(np.ones(columns, dtype=np.bool_), np.full(columns, CELLS))


def named(columns: int, names: int, buckets: int = 16) -> CellKinds:
    cells = np.full(columns, FIRST + names + buckets)
    return CellKinds(np.zeros(columns, dtype=np.bool_), cells)


def weeks(rng: np.random.Generator, level: np.ndarray, rows: int = 2000, nulls: float = 0.0) -> np.ndarray:
    """Counts (weeks, columns, cells) of normal columns with these levels."""
    below = ndtr(EDGES - level[..., None])
    values = np.diff(below, axis=-1, prepend=0.0, append=1.0) * (1 - nulls)
    none = np.full((*level.shape, 1), nulls)
    return rng.poisson(rows * np.concatenate([none, 0 * none, values], axis=-1))


def judge(
    counts: np.ndarray, kinds: CellKinds, mode: Mode = "around", alpha: float = ALPHA, min_effect: float = 0.0
) -> Verdict:
    """The last week against those before it."""
    return decide([scored(counts, kinds, mode)], alpha, min_effect)


def scored(counts: np.ndarray, kinds: CellKinds, mode: Mode = "around") -> Scores:
    rows = tuple(counts[:-1].sum(axis=(1, 2)).tolist())
    found = choose(Timeline(rows, 1, 0, datetime(2024, 1, 1), timedelta(days=7)), mode)
    assert found is not None
    return scores(*gathered(counts[:-1], counts[-1], found), kinds)


def drifted(verdict: Verdict) -> list[int]:
    return [i for i, u in enumerate(verdict.units) if u.drifted]


@pytest.mark.parametrize("ratio", [0.02, 1, 100])
def test_a_healthy_window_fails_as_often_as_promised_whatever_its_rows(ratio: float) -> None:
    rng = np.random.default_rng(1)
    fails = 0
    for _ in range(100):
        level = 0.15 * rng.normal(size=(27, 8))
        counts = weeks(rng, level, 1500)
        counts[-1] = weeks(rng, level[-1:], int(1500 * ratio))[0]
        fails += bool(drifted(judge(counts, ordered(8))))
    # 3.7 nights are expected; four standard errors are 7.6.
    assert fails <= 11


def test_ranks_of_a_healthy_window_are_uniform() -> None:
    rng = np.random.default_rng(2)
    p = [judge(weeks(rng, 0.2 * rng.normal(size=(27, 3)), 500), ordered(3)).p_value for _ in range(120)]
    shares = np.array([np.mean(np.array(p) <= level) for level in (0.25, 0.5, 0.75)])
    assert shares == pytest.approx([0.25, 0.5, 0.75], abs=0.16)


def test_the_order_of_units_and_stretches_and_padding_do_not_matter() -> None:
    rng = np.random.default_rng(3)
    counts = weeks(rng, 0.2 * rng.normal(size=(31, 5)))
    counts[-1] = counts[:-1].sum(axis=0) // 30
    usual = judge(counts, ordered(5))
    turned = judge(counts[:, ::-1], ordered(5))
    assert turned.limit == pytest.approx(usual.limit, abs=0.35)
    order = rng.permutation(30)
    mixed = scored(np.concatenate([counts[:-1][order], counts[-1:]]), ordered(5))
    assert mixed.window == pytest.approx(scored(counts, ordered(5)).window, abs=0.5)
    padded = np.concatenate([counts, np.zeros((31, 5, 9), dtype=np.int64)], axis=-1)
    assert scored(padded, ordered(5)).window[:, 0] == pytest.approx(scored(counts, ordered(5)).window[:, 0], abs=0.5)


def test_groups_of_units_judged_together_are_one_table() -> None:
    rng = np.random.default_rng(4)
    level = 0.2 * rng.normal(size=(27, 6))
    level[-1, 4] = 3
    counts = weeks(rng, level)
    split = decide([scored(counts[:, :2], ordered(2)), scored(counts[:, 2:], ordered(4))], ALPHA)
    assert drifted(split) == drifted(judge(counts, ordered(6))) == [4]
    assert len(split.units) == 6


def test_a_healthy_unit_more_hides_nothing() -> None:
    rng = np.random.default_rng(5)
    level = 0.2 * rng.normal(size=(27, 30))
    level[-1, 0] = 2
    assert drifted(judge(weeks(rng, level), ordered(30))) == [0]


def test_independent_rows_that_moved_by_a_fifth_of_a_standard_deviation_are_found() -> None:
    rng = np.random.default_rng(6)
    level = np.zeros((27, 20))
    level[-1, 7] = 0.2
    for _ in range(20):
        assert 7 in drifted(judge(weeks(rng, level, 10_000), ordered(20)))


@pytest.mark.parametrize(
    ("before", "after", "found"), [(0.10, 0.22, True), (0.0, 0.006, True), (0.0, 0.003, False), (0.6, 0.62, False)]
)
def test_null_rates(before: float, after: float, *, found: bool) -> None:
    rng = np.random.default_rng(7)
    counts = weeks(rng, 0.1 * rng.normal(size=(27, 10)), 10_000, before)
    counts[-1, 0] = weeks(rng, np.zeros((1, 1)), 10_000, after)[0, 0]
    counts[-1, 0, NULL] = 10_000 * after
    unit = judge(counts, ordered(10)).units[0]
    assert unit.drifted is found
    if found:
        assert unit.part == "null"
        assert unit.effect == pytest.approx(after - before, abs=0.015)


def test_a_column_that_is_null_tonight_is_found_and_so_is_one_that_never_had_values_before() -> None:
    rng = np.random.default_rng(8)
    counts = weeks(rng, 0.1 * rng.normal(size=(27, 3)))
    counts[-1, 0] = 0
    counts[-1, 0, NULL] = 2000
    counts[:-1, 1] = 0
    counts[:-1, 1, NULL] = 2000
    counts[-1, 2, NAN] = 500
    found = judge(counts, ordered(3))
    assert [u.part for u in found.units] == ["null", "null", "nan"]
    assert drifted(found) == [0, 1, 2]
    assert found.units[0].smallest_effect is None


def test_values_beyond_what_was_seen_are_a_part_of_their_own() -> None:
    rng = np.random.default_rng(9)
    counts = weeks(rng, 0.1 * rng.normal(size=(27, 3)))
    counts[-1, 1, FIRST] += 60
    found = judge(counts, ordered(3))
    assert drifted(found) == [1]
    assert found.units[1].part == "beyond"
    assert found.units[1].effect == pytest.approx(0.03, abs=0.01)


def test_one_value_of_a_million_hides_nothing_and_is_nothing() -> None:
    rng = np.random.default_rng(10)
    level = 0.1 * rng.normal(size=(27, 3))
    level[-1, 0] = 1.5
    counts = weeks(rng, level)
    counts[5, 0, CELLS - 1] += 1
    counts[-1, 1, CELLS - 1] += 1
    assert drifted(judge(counts, ordered(3))) == [0]


def test_a_zipf_column_with_new_values_every_week_is_quiet() -> None:
    rng = np.random.default_rng(11)
    popular = 1 / np.arange(1, 49)
    fails = 0
    for _ in range(30):
        counts = np.zeros((40, 2, FIRST + 64), dtype=np.int64)
        weights = popular * np.exp(0.1 * rng.normal(size=(40, 2, 48)))
        counts[..., FIRST : FIRST + 48] = rng.poisson(1900 * weights / popular.sum())
        for week in range(40):
            counts[week, :, FIRST + 48 + week % 16] = rng.poisson(100, 2)
        fails += bool(drifted(judge(counts, named(2, 48), "forward")))
    assert fails <= 5


def test_a_steady_trend_is_quiet_forward_if_it_goes_on() -> None:
    rng = np.random.default_rng(12)
    fails = 0
    for _ in range(40):
        level = 0.05 * np.arange(53)[:, None] + 0.1 * rng.normal(size=(53, 6))
        fails += bool(drifted(judge(weeks(rng, level), ordered(6), "forward", 0.05)))
    assert fails <= 7


def test_a_column_with_heavy_tails_does_not_make_all_others_blind() -> None:
    rng = np.random.default_rng(13)
    found = 0
    for _ in range(30):
        level = 0.1 * rng.normal(size=(53, 20))
        level[:, 1] = 0.1 * rng.standard_t(2, size=53)
        level[-1, 0] = 1
        found += 0 in drifted(judge(weeks(rng, level), ordered(20), alpha=0.05))
    assert found >= 24


@pytest.mark.parametrize("rows", [0, 1])
def test_a_window_with_hardly_any_rows_decides_nothing_of_values(rows: int) -> None:
    rng = np.random.default_rng(14)
    counts = weeks(rng, 0.1 * rng.normal(size=(27, 2)))
    counts[-1] = 0
    counts[-1, :, FIRST + 9] = rows
    found = judge(counts, ordered(2))
    assert drifted(found) == []
    assert all(u.judged is bool(rows) for u in found.units)
    assert all(u.underpowered is bool(rows) for u in found.units)


def test_stretches_without_rows_of_a_unit_are_left_out_and_too_few_are_no_verdict() -> None:
    rng = np.random.default_rng(15)
    level = 0.1 * rng.normal(size=(31, 3))
    level[-1] = 2
    counts = weeks(rng, level)
    counts[:10, 0] = 0
    counts[:20, 1] = 0
    found = judge(counts, ordered(3))
    assert [u.judged for u in found.units] == [True, False, True]
    assert found.units[1] == Unit(judged=False)
    assert drifted(found) == [0, 2]


def test_a_constant_that_changes_is_found_and_one_that_does_not_is_quiet() -> None:
    counts = np.zeros((27, 2, CELLS), dtype=np.int64)
    counts[:, :, FIRST + 5] = 1000
    counts[-1, 0] = np.roll(counts[-1, 0], 3)
    counts[-1, 1] *= 2
    found = judge(counts, ordered(2))
    assert drifted(found) == [0]
    category = judge(counts, named(2, len(EDGES), 1))
    assert drifted(category) == [0]


def test_exact_copies_of_one_week_are_quiet_and_a_change_of_it_is_not() -> None:
    rng = np.random.default_rng(16)
    counts = np.repeat(weeks(rng, np.zeros((1, 2))), 27, axis=0)
    counts[-1, 1] = weeks(rng, np.ones((1, 1)))[0, 0]
    assert drifted(judge(counts, ordered(2))) == [1]


def test_a_unit_of_one_category_or_of_nan_alone_has_no_score_of_values() -> None:
    counts = np.zeros((27, 2, FIRST + 1), dtype=np.int64)
    counts[:, 0, FIRST] = 100
    counts[:, 1, NAN] = 100
    kinds = CellKinds(np.zeros(2, dtype=np.bool_), np.full(2, FIRST + 1))
    found = judge(counts, kinds)
    assert drifted(found) == []
    assert [u.score for u in found.units] == [None, None]
    assert found.maximum == 0


def test_small_effects_are_not_drift_if_the_user_says_so() -> None:
    rng = np.random.default_rng(17)
    level = np.zeros((27, 3))
    level[-1, 0], level[-1, 1] = 0.2, 1.0
    counts = weeks(rng, level, 20_000)
    assert drifted(judge(counts, ordered(3))) == [0, 1]
    found = judge(counts, ordered(3), min_effect=0.2)
    assert drifted(found) == [1]
    assert found.units[0].score is not None
    assert found.units[0].score > found.limit


def test_a_single_value_that_spreads_is_found_although_ks_hardly_sees_it() -> None:
    rng = np.random.default_rng(21)
    level = 0.03 * rng.normal(size=(27, 3))
    counts = weeks(rng, level, 20_000)
    counts[-1, 1, FIRST + len(EDGES) // 2] += 800
    found = judge(counts, ordered(3))
    assert drifted(found) == [1]
    assert found.units[1].effect is not None
    assert found.units[1].effect < 0.03


def test_too_few_rows_are_underpowered_and_weeks_that_differ_are_not() -> None:
    rng = np.random.default_rng(22)
    level = np.stack([0 * np.ones(27), rng.normal(size=27)], axis=1)
    counts = weeks(rng, level)
    assert [u.underpowered for u in judge(counts, ordered(2)).units] == [False, False]
    blind = judge(counts, ordered(2)).units[1].smallest_effect
    assert blind is not None
    assert blind > 0.4
    counts[-1] = weeks(rng, level[-1:], 20)[0]
    assert [u.underpowered for u in judge(counts, ordered(2)).units] == [True, True]


def test_what_is_said_to_be_detectable_is_detected() -> None:
    rng = np.random.default_rng(18)
    found = []
    for _ in range(30):
        level = 0.05 * rng.normal(size=(27, 5))
        counts = weeks(rng, level, 1000)
        smallest = judge(counts, ordered(5)).units[0].smallest_effect
        assert smallest is not None
        level[-1, 0] += smallest / 0.3989
        counts[-1] = weeks(rng, level[-1:], 1000)[0]
        found.append(0 in drifted(judge(counts, ordered(5))))
    assert np.mean(found) >= 0.6


def test_the_design_effect_says_how_much_more_stretches_differ_than_rows() -> None:
    rng = np.random.default_rng(19)
    level = np.stack([np.zeros(200), 0.3 * rng.normal(size=200)], axis=1)
    still, moving = (u.design_effect for u in judge(weeks(rng, level, 1000), ordered(2)).units)
    assert still == pytest.approx(1, abs=0.1)
    assert moving is not None
    assert moving > 3


def test_scores_of_other_shapes_cannot_be_mixed_up() -> None:
    assert PARTS == ("values", "null", "nan", "beyond")
    rng = np.random.default_rng(20)
    found = scored(weeks(rng, np.zeros((27, 4))), ordered(4))
    assert found.window.shape == found.effects.shape == (4, 4)
    assert found.stretches.shape == (26, 4)
    none = replace(found, judged=np.zeros(4, dtype=np.bool_))
    verdict = decide([none], 0.05)
    assert verdict.units == (Unit(judged=False),) * 4
