"""How often `distribution_drift` calls a healthy table drifted, and how often it finds a change.

Every simulated number is a share of nights with seed 1: a share p of N nights is known to
± 2 √(p (1 - p) / N). Each table is printed by its own option; without any, all are.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from drift_others import others_table
from drift_tables import HEALTHY, Change, Table, night

from sparkguard.stats.drift import gathered, scores
from sparkguard.stats.maximum import Verdict, decide
from sparkguard.stats.stretches import Mode, Snapshots, Timeline, choose

FIRST_DAY = datetime(2024, 1, 1)  # noqa: DTZ001 - wall-clock time
ALPHA = 0.05
MIN_EFFECT = 0.02
"""That of the check; without any more healthy nights would fail, and more changes be found."""
MODES: tuple[Mode, ...] = ("forward", "around")


@dataclass(frozen=True, slots=True)
class Case:
    """Nights of one kind."""

    name: str
    table: Table
    stretches: int = 26
    ratio: float = 1.0
    change: Change = HEALTHY
    alpha: float = ALPHA
    mode: Mode = "around"
    min_effect: float = 0.0


def snapshots(weeks: int, mode: Mode) -> Snapshots:
    """The stretches of a reference of so many weeks, for the week after it."""
    found = choose(Timeline((1,) * weeks, 1, 0, FIRST_DAY, timedelta(days=7)), mode)
    if found is None:
        message = f"{weeks} weeks are too few"
        raise ValueError(message)
    return found


def judged(rng: np.random.Generator, case: Case) -> Verdict:
    """One night."""
    chosen = snapshots(case.stretches, case.mode)
    groups = []
    for weeks, window, kinds in night(rng, case.table, case.stretches, case.ratio, case.change):
        groups.append(scores(*gathered(weeks, window, chosen), kinds))
    return decide(groups, case.alpha, case.min_effect)


def share_drifted(case: Case, nights: int, of: Callable[[Verdict], bool]) -> float:
    """The share of nights in which this holds."""
    rng = np.random.default_rng(1)
    return sum(of(judged(rng, case)) for _ in range(nights)) / nights


def fails(verdict: Verdict) -> bool:
    """Whether the table fails."""
    return any(u.drifted for u in verdict.units)


def print_table(head: str, cases: list[Case], nights: int, of: Callable[[Verdict], bool] = fails) -> None:
    """Print one line a case."""
    print(f"\n| {head} | stretches | nights | share |\n|---|---|---|---|")
    for case in cases:
        share = share_drifted(case, nights, of)
        print(f"| {case.name} | {case.stretches} | {nights} | {share:.1%} |", flush=True)


def healthy(columns: int, nights: int) -> None:
    """(a) Healthy tables."""
    table = Table(columns)
    cases = [
        Case(f"{columns} columns, {name}", one, stretches)
        for name, one in {
            "day effects, AR(.7)": table,
            "strong day effects, AR(.7), 7,000 rows a week": replace(table, spread=0.5, rows=1000),
        }.items()
        for stretches in (26, 52)
    ]
    print_table(f"healthy nights that fail, nominal {ALPHA:.0%}", cases, nights)


def ratios(columns: int, nights: int) -> None:
    """(b, c) A window with fewer or more rows than the stretches."""
    cases = [
        Case(f"{columns} columns, {name}, × {ratio:g} rows", one, 52, ratio)
        for name, one in {"independent rows": Table(columns, spread=0.0), "day effects": Table(columns)}.items()
        for ratio in (0.02, 0.2, 1, 3, 10, 100)
    ]
    print_table(f"healthy nights that fail, nominal {ALPHA:.0%}", cases, nights)


def later(columns: int, nights: int) -> None:
    """A window after its reference, and a trend that goes on."""
    table = Table(columns)
    cases = [
        Case(f"`{mode}`, {columns} columns, {name}", one, 52, mode=mode)
        for name, one in {
            "day effects": table,
            "moving 0.02 standard deviations a week": replace(table, trend=0.02),
            "moving 0.05": replace(table, trend=0.05),
        }.items()
        for mode in MODES
    ]
    print_table(f"healthy nights that fail, nominal {ALPHA:.0%}", cases, nights)


def power(nights: int) -> None:
    """(d) Changes of one column, which must be named."""
    rows, means = Table(200, rows=1429, spread=0.0), Change(of_means=7)
    usual = Table(200, rows=1000)
    cases = [
        Case("independent rows, 10,000 a week: 0.2 standard deviations", rows, 26, change=Change(of_rows=0.2)),
        Case("day effects, 7,000 rows a week: 7 standard deviations of its stretch means", usual, 26, change=means),
        Case("the same", usual, 52, change=means),
        Case("the same, at 1 in 90", usual, 52, change=means, alpha=1 / 90),
        Case("the same, strong day effects", replace(usual, spread=0.5), 26, change=means),
        Case("the same, 1,400 rows a week", Table(200), 26, change=means),
        Case("the same, 7,000 rows, Student's t effects (5 degrees)", replace(usual, freedom=5), 26, change=means),
        Case("day effects, 7,000 rows a week: 5 standard deviations", usual, 26, change=Change(of_means=5)),
    ]
    cases = [replace(case, min_effect=MIN_EFFECT) for case in cases]
    print_table("column 0 is found", cases, nights, lambda v: v.units[0].drifted)
    nulls = Case("day effects, 7,000 rows a week: NULL from 10 to 22 %", usual, 26, change=Change(nulls=0.22))
    print_table("column 3 is found", [nulls], nights, lambda v: v.units[3].drifted)


def tail(nights: int) -> None:
    """(f) A budget finer than the ranks."""
    cases = [
        Case(f"{columns} columns, {name}", replace(table, columns=columns), stretches, alpha=1 / 90)
        for columns in (1, 10, 50)
        for name, table in {"day effects": Table(), "Student's t effects (5 degrees)": Table(freedom=5)}.items()
        for stretches in (26, 52)
    ]
    print_table("healthy nights that fail, nominal 1.1 %", cases, nights)


def main() -> None:
    """Print the tables of `docs/calibration.md`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="*", help="healthy ratios later power tail flights; default: all")
    parser.add_argument("--nights", type=int, default=500, help="simulated nights for each number")
    parser.add_argument("--columns", type=int, default=200)
    options = parser.parse_args()
    tables = {
        "healthy": lambda: healthy(options.columns, options.nights),
        "ratios": lambda: ratios(options.columns, options.nights),
        "later": lambda: later(options.columns, options.nights),
        "power": lambda: power(options.nights),
        "tail": lambda: tail(options.nights),
        "flights": others_table,
    }
    for name in options.tables or tables:
        tables[name]()


if __name__ == "__main__":
    main()
