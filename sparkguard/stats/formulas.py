"""Formulas of two columns that give the label away, though neither column need tell anything by itself.

For every pair the difference, the sum and the ratio are tried on a few rows, and the best on all rows of the
sample. Times written as HHMM (1530 is half past three) are also tried as minutes, which go round the clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from sparkguard.stats.homogeneity import Floats
from sparkguard.stats.power import Power, Task, power, quick_power

Labels = npt.NDArray[np.int64]

FEW_ROWS = 1_000
"""Rows on which every pair is tried."""
MOST_COLUMNS = 200
"""Columns whose pairs are tried: 19,900."""
_TOGETHER = 256
"""Pairs that are tried at once."""
_BEST = 24
"""Formulas that are tried on all rows."""
_BINS = 32
_FEWEST_BINS, _ROWS_OF_A_BIN = 8, 10
"""Bins for all rows are fewer where rows are few, since rates of other folds need some of each class."""
_PROMISING = 0.95
_CONCENTRATED = 0.5
"""A residual is promising if it is the same for half of the few rows …"""
EXACT = 0.9
"""… and a formula exact if it is for nine tenths of all rows on which it has a value."""
_DAY, _HOUR, _MINUTES, _LAST = 1440.0, 100.0, 60.0, 2400.0

_FORMULAS: Mapping[str, Callable[[Floats, Floats], Floats]] = {
    "{0} - {1}": lambda a, b: a - b,
    "{0} + {1}": lambda a, b: a + b,
    "{0} / {1}": lambda a, b: _ratio(a, b),  # noqa: PLW0108 - it is defined below
    "{1} / {0}": lambda a, b: _ratio(b, a),
}
_CLOCK = {"minutes({0}) - minutes({1})": lambda a, b: (a - b + _DAY / 2) % _DAY - _DAY / 2}


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula of the columns `one` and `other`, by number: how it is written, and what it tells.

    `same` is the share of rows on which the label and the formula, or its negative, differ by one and the
    same number (None: the label is no number).
    """

    one: int
    other: int
    written: str
    power: Power
    same: float | None

    @property
    def exact(self) -> bool:
        """Whether it is the label, but for a constant; not where most labels are one number, as what it is made of."""
        return self.same is not None and self.same >= EXACT and self.power.value >= _PROMISING


def formulas(
    values: Floats, labels: Labels, groups: Labels, task: Task, numbers: Floats | None = None
) -> Sequence[Formula]:
    """The formulas of pairs of the columns of values (n, P) that give the label away, the best first.

    `labels` (n,) are classes, `groups` (n,) the groups of rows for the error, `numbers` (n,) the label itself.
    """
    few = np.linspace(0, len(values) - 1, min(len(values), FEW_ROWS)).astype(np.int64)
    if len(values) < 2 * _BINS or values.shape[1] < 2:  # noqa: PLR2004 - a pair
        return ()
    found: list[tuple[float, _Candidate]] = []
    some = None if numbers is None else numbers[few]
    for candidates in _together(_candidates(values)):
        tried = np.stack([c.values(values[few]) for c in candidates])
        found += zip(_promise(tried, labels[few], task, some), candidates, strict=True)
    found = sorted((one for one in found if one[0] >= 1), key=lambda one: -one[0])[:_BEST]
    return _judged([c for _, c in found], values, labels, groups, task, numbers)


@dataclass(frozen=True, slots=True)
class _Candidate:
    one: int
    other: int
    written: str
    clock: bool

    def values(self, of: Floats) -> Floats:
        a, b = of[:, self.one], of[:, self.other]
        if self.clock:
            return np.asarray(_CLOCK[self.written](_minutes(a), _minutes(b)))
        with np.errstate(all="ignore"):
            return np.asarray(_FORMULAS[self.written](a, b))


def _candidates(values: Floats) -> Iterator[_Candidate]:
    columns = range(min(values.shape[1], MOST_COLUMNS))
    clocks = {i for i in columns if _is_clock(values[:, i])}
    for one, other in combinations(columns, 2):
        yield from (_Candidate(one, other, written, clock=False) for written in _FORMULAS)
        if one in clocks and other in clocks:
            yield from (_Candidate(one, other, written, clock=True) for written in _CLOCK)


def _together(candidates: Iterator[_Candidate]) -> Iterator[Sequence[_Candidate]]:
    block: list[_Candidate] = []
    for candidate in candidates:
        block.append(candidate)
        if len(block) == _TOGETHER:
            yield block
            block = []
    if block:
        yield block


def _promise(tried: Floats, labels: Labels, task: Task, numbers: Floats | None) -> Floats:
    """How promising each of (B, n) is: 1 or more for what is worth another look."""
    found = np.zeros(len(tried)) if numbers is None else _sameness(tried, numbers) / _CONCENTRATED
    return np.maximum(found, _quick_power(tried, labels, task) / _PROMISING)


def _sameness(tried: Floats, numbers: Floats) -> Floats:
    """The share of rows (B,) on which the label and the formula, or its negative, differ by the same number."""
    shares = []
    for sign in (1, -1):
        with np.errstate(all="ignore"):
            residual = np.sort(np.round(numbers - sign * tried, 6), axis=1)
            near = np.diff(residual, axis=1) <= 1e-6 * np.maximum(1, np.abs(residual[:, 1:]))
        shares.append((_longest_run(near) + 1) / np.maximum(1, np.isfinite(residual).sum(axis=1)))
    return np.asarray(np.minimum(1, np.maximum(*shares)) * (np.isfinite(tried).sum(axis=1) >= _BINS))


def _longest_run(flags: npt.NDArray[np.bool_]) -> Floats:
    """The longest run (B,) of True in each row of (B, n)."""
    at = np.arange(flags.shape[1])
    broken = np.maximum.accumulate(np.where(flags, -1, at), axis=1)
    return np.asarray(np.max(np.where(flags, at - broken, 0), axis=1, initial=0), np.float64)


def _quick_power(tried: Floats, labels: Labels, task: Task) -> Floats:
    """The power (B,) of each row of (B, n), by rates among the same rows, which flatter a little."""
    many, rows = tried.shape
    order = np.argsort(tried, axis=1)
    place = np.empty_like(order)
    np.put_along_axis(place, order, np.broadcast_to(np.arange(rows), order.shape), axis=1)
    cells = 1 + place * _BINS // rows
    cells[~np.isfinite(tried)] = 0
    classes, width = int(labels.max()) + 1, _BINS + 1
    keys = (np.arange(many)[:, None] * classes + labels) * width + cells
    counts = np.bincount(keys.ravel(), minlength=many * classes * width).reshape(many, classes, width)
    return quick_power(counts.astype(np.float64), task)


def _judged(
    candidates: Sequence[_Candidate], values: Floats, labels: Labels, groups: Labels, task: Task, numbers: Floats | None
) -> Sequence[Formula]:
    """The best formula of each pair, on all rows."""
    best: dict[tuple[int, int], Formula] = {}
    for candidate in candidates:
        tried = candidate.values(values)
        same = None if numbers is None else float(_sameness(tried[None], numbers)[0])
        found = Formula(candidate.one, candidate.other, candidate.written, _power(tried, labels, groups, task), same)
        pair = (candidate.one, candidate.other)
        if pair not in best or _order(found) < _order(best[pair]):
            best[pair] = found
    return sorted(best.values(), key=_order)


def _order(formula: Formula) -> tuple[float, float]:
    return (-(formula.same or 0), -formula.power.value)


def _power(tried: Floats, labels: Labels, groups: Labels, task: Task) -> Power:
    there = np.isfinite(tried)
    if not there.any():
        return power(np.zeros((1, 1, 3), np.int64), task, ordered=True)
    bins = int(np.clip(np.count_nonzero(there) // _ROWS_OF_A_BIN, _FEWEST_BINS, 2 * _BINS))
    edges = np.unique(np.quantile(tried[there], np.arange(1, bins) / bins, method="higher"))
    cells = np.where(there, 2 + np.searchsorted(edges, tried, side="right"), 0)
    counts = np.zeros((int(groups.max()) + 1, int(labels.max()) + 1, len(edges) + 3), np.int64)
    np.add.at(counts, (groups, labels, cells), 1)
    return power(counts, task, ordered=True)


def _is_clock(column: Floats) -> bool:
    """Whether all values are times of the day as HHMM, some of them after one o'clock."""
    there = column[np.isfinite(column)]
    if not there.size or (there != np.floor(there)).any():
        return False
    return bool(there.min() >= 0 and _HOUR < there.max() <= _LAST and (there % _HOUR < _MINUTES).all())


def _minutes(clock: Floats) -> Floats:
    return np.asarray(np.floor(clock / _HOUR) * _MINUTES + clock % _HOUR)


def _ratio(a: Floats, b: Floats) -> Floats:
    return np.asarray(np.where(b == 0, np.nan, a / np.where(b == 0, 1, b)))
