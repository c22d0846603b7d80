"""How often `multivariate` of `distribution_drift` calls a healthy table drifted, and how often it finds a change.

Every number is a share of nights with seed 1. `healthy` judges columns and what goes on between them as the check
does, each with half of the budget; `power` changes what goes on between columns and leaves each as it is.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from drift_calibration import ALPHA, MIN_EFFECT, snapshots

from sparkguard.stats import drift, joint, maximum
from sparkguard.stats.cells import FIRST, CellKinds
from sparkguard.stats.homogeneity import Counts, Floats

WEEK = 7
BINS = 64
FEWEST = 4
"""Weeks that a base has, at most as many rows as so many."""
Codes = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of a normal law whose columns correlate by a factor, `common` of their variance, and by themselves not.

    Levels of days have a standard deviation of `spread`, half of their variance common to all columns, and keep 0.7
    from the day before. Each week each pair of neighbouring columns has its own correlation, which differs from the
    usual one with a standard deviation of `wander`.
    """

    columns: int = 20
    rows: int = 1_000
    """A week."""
    spread: float = 0.2
    wander: float = 0.0
    common: float = 0.2


@dataclass(frozen=True, slots=True)
class Change:
    """What is wrong tonight: a pair of columns correlates by so much more, or one column was shuffled."""

    correlation: float = 0.0
    shuffled: bool = False
    square: bool = False
    """Whether a column becomes the sign-less size of another, with the same law."""


HEALTHY = Change()


@dataclass(frozen=True, slots=True)
class Case:
    """Nights of one kind."""

    name: str
    table: Table
    stretches: int = 26
    change: Change = HEALTHY


def weeks(rng: np.random.Generator, table: Table, many: int, change: Change) -> Iterator[Floats]:
    """The (rows, columns) values of so many weeks; the last one has the change."""
    levels = np.zeros(table.columns)
    for week in range(many):
        steps = []
        for _ in range(WEEK):
            step = np.sqrt(0.5) * rng.normal(size=table.columns) + np.sqrt(0.5) * rng.normal()
            levels = 0.7 * levels + np.sqrt(1 - 0.7**2) * table.spread * step
            steps.append(levels)
        own = rng.normal(size=(table.rows, table.columns))
        bend = rng.normal(0, table.wander, table.columns // 2) if table.wander else np.zeros(table.columns // 2)
        last = week == many - 1
        if last:
            bend[0] += change.correlation
        bend = bend.clip(-0.95, 0.95)
        pairs = slice(0, 2 * len(bend), 2), slice(1, 2 * len(bend), 2)
        own[:, pairs[1]] = bend * own[:, pairs[0]] + np.sqrt(1 - bend**2) * own[:, pairs[1]]
        found = np.sqrt(table.common) * rng.normal(size=(table.rows, 1)) + np.sqrt(1 - table.common) * own
        if last and change.shuffled:
            found[:, 0] = rng.permutation(found[:, 0])
        if last and change.square:
            found[np.argsort(np.abs(found[:, 1])), 0] = np.sort(found[:, 0])
        yield found + np.repeat(steps, -(-table.rows // WEEK), axis=0)[: table.rows]


def codes(values: Sequence[Floats]) -> list[Codes]:
    """Ranks of all values, equal ones alike."""
    whole = np.concatenate(values)
    order = whole.argsort(axis=0).argsort(axis=0).astype(np.int32)
    return np.split(order, np.cumsum([len(v) for v in values])[:-1])


def judged(rng: np.random.Generator, case: Case) -> tuple[bool, bool]:
    """One night: whether columns drifted, and whether they go together in another way."""
    found = codes(list(weeks(rng, case.table, case.stretches + 1, case.change)))
    total, chosen = sum(map(len, found)), snapshots(case.stretches, "around")
    counts = np.stack([_counts(week, total) for week in found])
    kinds = CellKinds(np.ones(case.table.columns, np.bool_), np.full(case.table.columns, FIRST + BINS))
    items, bases = drift.gathered(counts[:-1], counts[-1], chosen)
    columns = maximum.decide([drift.scores(items, bases, kinds)], ALPHA / 2, MIN_EFFECT)
    spans = [((s.start, s.stop), s.base) for s in chosen.stretches]
    apart = []
    for number, ((start, stop), base) in enumerate([*spans, ((case.stretches, case.stretches + 1), chosen.base)]):
        item = np.concatenate(found[start:stop])
        rows = np.concatenate([found[w] for a, b in base for w in range(a, b)])
        rows = rows[rng.permutation(len(rows))[: FEWEST * len(item)]]
        apart.append(joint.told_apart(item, rows, [number]))
    together = joint.decide(apart[-1], apart[:-1], ALPHA / 2, MIN_EFFECT)
    return any(u.drifted for u in columns.units), together.drifted


def _counts(week: Codes, total: int) -> Counts:
    bins = week.astype(np.int64) * BINS // total
    return np.stack([np.bincount(FIRST + bins[:, c], minlength=FIRST + BINS) for c in range(week.shape[1])])


def print_table(head: str, cases: Sequence[Case], nights: int) -> None:
    """Print one line a case."""
    print(f"\n| {head} | stretches | nights | a column | together | either |\n|---|---|---|---|---|---|")
    for case in cases:
        rng = np.random.default_rng(1)
        found = np.array([judged(rng, case) for _ in range(nights)])
        shares = [*found.mean(axis=0), found.any(axis=1).mean()]
        told = " | ".join(f"{share:.1%}" for share in shares)
        print(f"| {case.name} | {case.stretches} | {nights} | {told} |", flush=True)


def healthy(nights: int) -> None:
    """Healthy tables."""
    days = Table()
    cases = [
        Case("independent rows", replace(days, spread=0.0)),
        Case("days differ", days),
        Case("days differ a lot", replace(days, spread=0.5)),
        Case("correlations wander by 0.1", replace(days, wander=0.1)),
        Case("correlations wander by 0.3", replace(days, wander=0.3)),
        Case("days differ, 300 rows a week", replace(days, rows=300)),
        Case("days differ, a year", days, 52),
        Case("correlations wander by 0.1, a year", replace(days, wander=0.1), 52),
    ]
    print_table(f"healthy nights that fail, nominal {ALPHA:.0%}", cases, nights)


def power(nights: int) -> None:
    """Changes of what goes on between columns."""
    days = Table()
    cases = [
        Case("a correlation from 0.2 to 0.44", days, change=Change(correlation=0.3)),
        Case("from 0.2 to 0.6", days, change=Change(correlation=0.5)),
        Case("the same, correlations wander by 0.1", replace(days, wander=0.1), change=Change(correlation=0.5)),
        Case("the same, 100 columns", replace(days, columns=100), change=Change(correlation=0.5)),
        Case("one column shuffled, as by a wrong join", replace(days, common=0.5), change=Change(shuffled=True)),
        Case("one column is another's size without its sign", days, change=Change(square=True)),
    ]
    print_table("changes that are found", cases, nights)


def main() -> None:
    """Print both tables, or one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("which", nargs="?", choices=("healthy", "power"))
    parser.add_argument("--nights", type=int, default=200)
    options = parser.parse_args()
    for name, run in {"healthy": healthy, "power": power}.items():
        if options.which in (None, name):
            run(options.nights)


if __name__ == "__main__":
    main()
