"""How often the limits of `metric_anomaly` are left by healthy nights, and how often by a drop.

Every number is a share of simulated nights: a history of n values, and one more. The limits are those
of `sparkguard.stats.prediction`, as the check uses them. The seed is fixed, so the table is always
the same; a share p of N nights is known to ± 2 √(p (1 - p) / N).
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from sparkguard.stats.prediction import Outlook, predict

Nights = npt.NDArray[np.float64]
Series = Callable[[np.random.Generator, int, int], Nights]
"""So many series of so many nights."""

ALPHA = 1 / 365
LENGTHS = (26, 60, 90, 365)
WEEK = 7
WEEKEND = (1.0, 1.05, 1.0, 0.95, 1.1, 0.6, 0.5)
"""The level of each weekday, as a share of Monday's."""


def scattered(spread: float) -> Series:
    """About 100, normally."""
    return lambda rng, series, nights: 100 + spread * rng.normal(size=(series, nights))


def weekly(spread: float, *, proportional: bool = False) -> Series:
    """A level of 100 that halves at the weekend; the last night is a Monday.

    `spread` is that of all days, or of a Monday, and of other days in proportion to their level.
    """

    def nights(rng: np.random.Generator, series: int, length: int) -> Nights:
        level = np.asarray(WEEKEND)[(np.arange(length) - (length - 1)) % WEEK]
        return np.asarray(100 * level + spread * (level if proportional else 1) * rng.normal(size=(series, length)))

    return nights


def heavy(freedom: int) -> Series:
    """Scatter with Student's tails."""
    return lambda rng, series, nights: 100 + rng.standard_t(freedom, size=(series, nights))


def counts(mean: float) -> Series:
    """Counts of rare, independent things."""
    return lambda rng, series, nights: rng.poisson(mean, size=(series, nights)).astype(float)


def factors(spread: float) -> Series:
    """Positive numbers that vary by a factor (log-normal)."""
    return lambda rng, series, nights: 100 * np.exp(spread * rng.normal(size=(series, nights)))


def lasting(rho: float) -> Series:
    """Each night keeps a part of the deviation of the night before (AR(1))."""

    def nights(rng: np.random.Generator, series: int, length: int) -> Nights:
        found = rng.normal(size=(series, length))
        for i in range(1, length):
            found[:, i] = rho * found[:, i - 1] + np.sqrt(1 - rho**2) * found[:, i]
        return 100 + found

    return nights


def overlapping(days: int) -> Series:
    """Nightly windows of many days: each shares all but one of its days with the next."""

    def nights(rng: np.random.Generator, series: int, length: int) -> Nights:
        daily = 100 + rng.normal(size=(series, length + days - 1))
        return np.asarray(np.lib.stride_tricks.sliding_window_view(daily, days, axis=1).mean(axis=2))

    return nights


def moving(step: float) -> Series:
    """A level that moves by so many standard deviations of the scatter a night."""
    return lambda rng, series, nights: 100 + rng.normal(size=(series, nights)) + step * np.arange(nights)


def wandering(rng: np.random.Generator, series: int, nights: int) -> Nights:
    """A random walk: each night starts where the last one ended."""
    return 100 + rng.normal(size=(series, nights)).cumsum(axis=1)


def spoiled(series: Series) -> Series:
    """One night of the history, which no check failed, is half of what it was."""

    def nights(rng: np.random.Generator, many: int, length: int) -> Nights:
        found = series(rng, many, length)
        found[:, length // 2] *= 0.5
        return found

    return nights


def share_outside(
    series: Series, nights: int, many: int, *, factor: float = 1.0, log: bool = False, trend: bool = False
) -> float:
    """The share of series whose last night, times `factor`, is outside the limits of the nights before."""
    values = series(np.random.default_rng(20260131), many, nights + 1)
    days = [(d - nights) % WEEK for d in range(nights)]
    outside = 0
    for past, tonight in zip(values[:, :-1], factor * values[:, -1], strict=True):
        known = np.log(past) if log else past
        prediction = predict(known.tolist(), days, 0, range(nights) if trend else None, nights)
        exceedance = Outlook.of(prediction, ALPHA, "both", log=log).exceedance(float(tonight))
        outside += exceedance is not None and exceedance > 0
    return outside / many


def robust_share(points: int, many: int) -> float:
    """The same for a robust z-score of 3.5 (Iglewicz and Hoaglin, How to Detect and Handle Outliers, 1993)."""
    values = np.random.default_rng(20260131).normal(size=(many, points + 1))
    past, tonight = values[:, :-1], values[:, -1]
    middle = np.median(past, axis=1)
    spread = np.median(np.abs(past - middle[:, None]), axis=1)
    return float(np.mean(0.6745 * np.abs(tonight - middle) / spread > 3.5))  # noqa: PLR2004 - the score's usual bound


HEALTHY: Mapping[str, tuple[Series, Mapping[str, bool]]] = {
    "normal, independent": (scattered(1), {}),
    "normal, `trend: linear`": (scattered(1), {"trend": True}),
    "weekly pattern, half at weekends": (weekly(5), {}),
    "weekly pattern, scatter in proportion": (weekly(5, proportional=True), {}),
    "weekly, in proportion, `scale: log`": (weekly(5, proportional=True), {"log": True}),
    "Student's t, 5 degrees": (heavy(5), {}),
    "Student's t, 3 degrees": (heavy(3), {}),
    "counts, Poisson(20)": (counts(20), {}),
    "rare counts, Poisson(0.2)": (counts(0.2), {}),
    "factors, log-normal 0.3": (factors(0.3), {}),
    "log-normal 0.3, `scale: log`": (factors(0.3), {"log": True}),
    "AR(1), 0.5": (lasting(0.5), {}),
    "AR(1), 0.8": (lasting(0.8), {}),
    "windows of 7 days, every night": (overlapping(7), {}),
    "windows of 30 days, every night": (overlapping(30), {}),
    "growing 0.01 s a night": (moving(0.01), {}),
    "growing 0.05 s a night": (moving(0.05), {}),
    "the same, `trend: linear`": (moving(0.05), {"trend": True}),
    "random walk": (wandering, {}),
}

DROPS: Mapping[str, tuple[Series, float]] = {
    "drop of 20 %, scatter of 5 %": (scattered(5), 0.8),
    "drop of 20 %, scatter of 10 %": (scattered(10), 0.8),
    "drop of 50 %, scatter of 10 %": (scattered(10), 0.5),
    "drop of 20 %, weekly pattern, scatter of 5 %": (weekly(5), 0.8),
    "drop of 50 %, weekly pattern, scatter of 5 %": (weekly(5), 0.5),
    "drop of 20 %, scatter of 5 %, one night of the history at half": (spoiled(scattered(5)), 0.8),
    "drop of 50 %, scatter of 5 %, one night of the history at half": (spoiled(scattered(5)), 0.5),
}


def main() -> None:
    """Print the tables of `docs/anomalies.md`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nights", type=int, default=20_000, help="simulated nights for each number")
    nights = parser.parse_args().nights
    head = " | ".join(f"n = {n}" for n in LENGTHS)
    print(f"| outside the limits, nominal {ALPHA:.2%} | {head} |")
    print("|---|" + "---|" * len(LENGTHS))
    for name, (series, options) in HEALTHY.items():
        print(row(name, [share_outside(series, n, nights, **options) for n in LENGTHS], 2), flush=True)
    print(f"\nrobust z-score of 3.5, 8 points, normal: {robust_share(8, 50 * nights):.1%}\n")
    print(f"| found | {head} |")
    print("|---|" + "---|" * len(LENGTHS))
    for name, (series, factor) in DROPS.items():
        print(row(name, [share_outside(series, n, nights // 10, factor=factor) for n in LENGTHS], 0), flush=True)


def row(name: str, shares: list[float], digits: int) -> str:
    """One line of a table."""
    return f"| {name} | " + " | ".join(f"{share:.{digits}%}" for share in shares) + " |"


if __name__ == "__main__":
    main()
