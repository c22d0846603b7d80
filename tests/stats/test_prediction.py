"""Prediction limits: against a brute-force oracle, by their laws, and by simulation."""

import math
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t

from sparkguard.stats.prediction import Direction, Outlook, Prediction, predict, tells_weekdays

ALPHA = 1 / 365
NIGHTS = st.lists(st.tuples(st.floats(-1e6, 1e6, allow_nan=False), st.integers(0, 2)), min_size=26, max_size=40).filter(
    lambda rows: {g for _, g in rows} >= {0, 1} and np.std([v for v, _ in rows]) > 1
)


def split(rows: list[tuple[float, int]]) -> tuple[list[float], list[int]]:
    return [v for v, _ in rows], [g for _, g in rows]


def close(one: Prediction, other: Prediction, *, shift: float = 0.0, scale: float = 1.0) -> bool:
    tolerance = 1e-7 * (abs(shift) + scale * 1e6)
    return (
        math.isclose(one.expected * scale + shift, other.expected, abs_tol=tolerance)
        and math.isclose(one.error * scale, other.error, rel_tol=1e-6, abs_tol=tolerance)
        and (one.freedom, one.alike) == (other.freedom, other.alike)
    )


@pytest.mark.parametrize("trend", [False, True])
def test_it_is_ordinary_least_squares_with_the_textbooks_error_of_a_new_observation(*, trend: bool) -> None:
    rng = np.random.default_rng(1)
    groups = rng.integers(0, 7, 60)
    times = np.sort(rng.uniform(1.7e9, 1.71e9, 60))
    y = 1000 + 50 * groups + rng.normal(size=60) + (times - 1.7e9) * (1e-6 if trend else 0)
    found = predict(y.tolist(), groups.tolist(), 3, times.tolist() if trend else None, 1.711e9)

    columns = [(groups == g).astype(float) for g in np.unique(groups)]
    row = [float(g == 3) for g in np.unique(groups)]
    if trend:
        columns.append((times - 1.7e9) / 1e6)
        row.append((1.711e9 - 1.7e9) / 1e6)
    x, ahead = np.column_stack(columns), np.array(row)
    beta, *_ = np.linalg.lstsq(x, y, rcond=None)
    freedom = 60 - x.shape[1]
    s = math.sqrt(float(np.sum((y - x @ beta) ** 2)) / freedom)
    h = float(ahead @ np.linalg.inv(x.T @ x) @ ahead)
    assert found.freedom == freedom
    assert found.expected == pytest.approx(float(ahead @ beta))
    assert found.error == pytest.approx(s * math.sqrt(1 + h))
    outlook = Outlook.of(found, ALPHA, "both")
    assert outlook.upper == pytest.approx(
        float(ahead @ beta) + float(t.ppf(1 - ALPHA / 2, freedom)) * s * math.sqrt(1 + h)
    )


@given(NIGHTS, st.randoms())
def test_the_order_of_the_history_does_not_matter(rows: list[tuple[float, int]], random: Random) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert close(predict(*split(rows), 1), predict(*split(shuffled), 1))


@given(NIGHTS, st.floats(-1e6, 1e6), st.floats(0.01, 100))
def test_limits_move_and_stretch_with_the_numbers(rows: list[tuple[float, int]], shift: float, scale: float) -> None:
    values, groups = split(rows)
    moved = [shift + scale * v for v in values]
    assert close(predict(values, groups, 1), predict(moved, groups, 1), shift=shift, scale=scale)


def coverage(values: np.ndarray, direction: Direction, *, weekly: bool, trend: bool) -> float:
    n = values.shape[1] - 1
    groups = [(d - n) % 7 if weekly else 0 for d in range(n)]
    outside = 0
    for row in values:
        found = predict(row[:n].tolist(), groups, 0, range(n) if trend else None, n)
        outside += (Outlook.of(found, 0.05, direction).exceedance(row[n]) or 0) > 0
    return outside / len(values)


@pytest.mark.parametrize("direction", ["both", "low", "high"])
@pytest.mark.parametrize(("weekly", "trend"), [(False, False), (True, False), (True, True)])
def test_healthy_nights_leave_the_limits_as_often_as_promised(
    direction: Direction, *, weekly: bool, trend: bool
) -> None:
    nights = np.random.default_rng(2).normal(size=(2000, 27))
    # Four standard errors of a share of 5 % in 2,000 nights.
    assert coverage(nights, direction, weekly=weekly, trend=trend) == pytest.approx(0.05, abs=0.02)


def test_a_weekly_pattern_that_is_told_apart_does_not_widen_the_limits() -> None:
    rng = np.random.default_rng(3)
    days = np.arange(60) % 7
    y = 100.0 * (days < 5) + rng.normal(size=60)
    blind, seeing = predict(y.tolist(), [0] * 60, 0), predict(y.tolist(), days.tolist(), 6)
    assert 20 * seeing.half_width(ALPHA) < blind.half_width(ALPHA)
    assert abs(seeing.expected) < 2


def test_a_large_level_costs_no_digits_of_a_small_spread() -> None:
    y = np.random.default_rng(4).normal(size=40)
    small, large = predict(y.tolist(), [0] * 40, 0), predict((y + 1e9).tolist(), [0] * 40, 0)
    assert large.error == pytest.approx(small.error, rel=1e-5)


def test_one_sided_limits_are_nearer_and_have_no_other_side() -> None:
    found = predict(np.random.default_rng(5).normal(size=40).tolist(), [0] * 40, 0)
    low, high, both = (Outlook.of(found, ALPHA, d) for d in ("low", "high", "both"))
    assert (low.upper, high.lower) == (None, None)
    assert low.lower is not None
    assert both.lower is not None
    assert low.lower > both.lower
    assert (low.exceedance(1e6) or 0) < -1 < 0 < (high.exceedance(1e6) or 0)


def test_chance_and_limit_agree() -> None:
    found = predict(np.random.default_rng(6).normal(size=40).tolist(), [0] * 40, 0)
    for direction in ("both", "low", "high"):
        outlook = Outlook.of(found, ALPHA, direction)
        limit = outlook.upper if direction == "high" else outlook.lower
        assert limit is not None
        assert outlook.chance(limit) == pytest.approx(ALPHA)
        assert outlook.exceedance(limit) == pytest.approx(0, abs=1e-9)
    assert Outlook.of(found, ALPHA, "both").exceedance(found.expected) == -1
    assert found.chance(found.expected) == 1


def test_logarithms_keep_their_limits_positive_and_zero_outside() -> None:
    y = np.log(100) + 0.3 * np.random.default_rng(7).normal(size=60)
    outlook = Outlook.of(predict(y.tolist(), [0] * 60, 0), ALPHA, "both", log=True)
    assert outlook.lower is not None
    assert outlook.upper is not None
    assert 0 < outlook.lower < 100 < outlook.upper
    assert outlook.at(0) ** 2 == pytest.approx(outlook.lower * outlook.upper)
    assert (outlook.exceedance(0.0) or 0) > 0
    assert math.isfinite(outlook.exceedance(0.0) or 0)
    assert math.isfinite(outlook.at(1e9))


@pytest.mark.parametrize("value", [0.0, 16.0, 0.1, 1e9])
def test_what_never_varied_passes_if_equal_and_else_depends_on_how_much_is_known(value: float) -> None:
    found = predict([value] * 30, [d % 7 for d in range(30)], 0)
    assert (found.error, found.alike, found.expected) == (0, 30, value)
    few, many = Outlook.of(found, 1 / 365, "both"), Outlook.of(found, 1 / 31, "both")
    assert few.exceedance(value) == -1
    assert few.exceedance(value + 1) is None
    assert many.exceedance(value + 1) == math.inf
    assert many.chance(value + 1) == 1 / 31
    assert Outlook.of(found, 1 / 31, "low").exceedance(value + 1) == -1
    assert (few.lower, few.upper) == (value, value)


def test_sums_in_another_order_are_the_same_number() -> None:
    found = predict([0.1 + 0.2, 0.3] * 20, [0] * 40, 0)
    assert found.error == 0
    assert found.deviation(0.3) == 0


def test_of_a_pattern_without_scatter_only_the_same_weekday_is_a_witness() -> None:
    found = predict([float(d % 7) for d in range(70)], [d % 7 for d in range(70)], 3)
    assert (found.error, found.alike) == (0, 10)
    assert found.expected == pytest.approx(3)


def test_what_cannot_be_predicted_is_refused() -> None:
    with pytest.raises(ValueError, match="no value of group 5"):
        predict([1.0, 2.0, 3.0], [0, 0, 1], 5)
    with pytest.raises(ValueError, match="nothing to estimate"):
        predict([1.0, 2.0], [0, 1], 0)


@pytest.mark.parametrize(
    ("days", "told"),
    [
        (range(26), True),
        (range(20), False),
        (range(0, 182, 7), False),
        ([d for d in range(40) if d % 7 < 5], True),
        ([0, 0, 0, 1, 1, 1] * 5, False),
        (range(0, 800, 30), False),
        ([], False),
        ([3] * 30, False),
    ],
)
def test_weekdays_are_told_apart_after_three_weeks_of_more_than_weekly_numbers(days: list[int], *, told: bool) -> None:
    assert tells_weekdays(days) is told
