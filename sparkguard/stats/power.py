"""How well one feature tells the label by itself, from counts, with an error that counts groups of rows.

The power is the probability that a row of a class scores higher than one of another (the area under the ROC
curve): of two classes; of several as the mean of each class against the rest; of ordered classes, in which a
number is cut, over all pairs of rows in different ones (the concordance). A score is the place of a cell on an
ordered scale, in either direction, or the classes' rates in the cell among rows of other folds: in-sample rates
would tell labels of an entity that has many rows by the entity alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from sparkguard.stats.homogeneity import Counts, Floats

FOLDS = 8
"""Folds of groups; a cell's rates are those of the seven others."""
_PRIOR_ROWS = 1.0
"""Rows by which the rate of a cell is drawn to that of all."""
_LEAST_PAIRS = 0.01
"""With a smaller share of all pairs inside of folds, rates cannot be tried."""

Task = Literal["binary", "multiclass", "regression"]


@dataclass(frozen=True, slots=True)
class Power:
    """A power between 0 and 1 (0.5: none), its standard error over groups (NaN: unknown), and by what it scored."""

    value: float
    error: float
    by: Literal["order", "rates", "nothing"] = "nothing"

    @property
    def known(self) -> bool:
        """Whether its error is."""
        return not math.isnan(self.error)


NOTHING = Power(0.5, float("nan"))


def power(counts: Counts, task: Task, *, ordered: bool) -> Power:
    """The power of a feature from its rows (G, K, C): by group, class of the label, and cell.

    The first two cells are NULL and NaN; with `ordered` the others ascend.
    """
    problems = _problems(counts, task)
    if not problems:
        return NOTHING
    found = [_by_rates(counts, problems) or _in_sample(counts, problems)]
    found += [_by_order(problems, last=last) for last in (False, True)] if ordered else []
    return max(found, key=lambda one: one.value)


def missing_power(counts: Counts, task: Task) -> Power:
    """How well it tells the label whether there is a value at all."""
    halves = np.stack([counts[:, :, 0], counts[:, :, 1:].sum(axis=2)], axis=2)
    if not halves.sum(axis=(0, 1)).all():
        return NOTHING
    problems = _problems(halves, task)
    return _by_order(problems, last=False) if problems else NOTHING


def quick_power(counts: Floats, task: Task) -> Floats:
    """The power (B,) of many features from the rows (B, K, C) of each, by rates among the same rows."""
    everything = counts.sum(axis=1)
    each = task == "multiclass" and counts.shape[1] > 2  # noqa: PLR2004 - two classes are one problem
    level = np.tensordot(counts, np.arange(counts.shape[1]), axes=([1], [0]))
    found = []
    lower = np.zeros_like(everything)
    for rows in counts.swapaxes(0, 1):
        rates = (rows if each else level) / np.maximum(everything, 1)
        order = np.argsort(rates, axis=1)
        mine, rest = (np.take_along_axis(s, order, axis=1) for s in (rows, everything - rows if each else lower))
        higher = (mine * (np.cumsum(rest, axis=1) - rest / 2)).sum(axis=1)
        found.append((higher, rows.sum(axis=1) * rest.sum(axis=1)))
        lower = lower + rows
    higher, pairs = (np.array(side) for side in zip(*found, strict=True))
    if not each:
        return np.asarray(higher.sum(axis=0) / np.maximum(pairs.sum(axis=0), 1))
    used = np.where(pairs > 0, higher / np.maximum(pairs, 1), np.nan)
    return np.asarray(np.nan_to_num(np.nanmean(used, axis=0))) if np.isfinite(used).any() else np.zeros(len(counts))


def area(scores: Floats, labels: npt.NDArray[np.int64]) -> float:
    """The power of scores (n, 1), or (n, K) of each class against the rest, for the classes (n,); 0.5 without pairs."""
    several = scores.shape[1] > 1
    found = []
    for column in range(scores.shape[1]):
        classes = (labels == column).astype(np.int64) if several else labels
        levels, cells = np.unique(scores[:, column], return_inverse=True)
        counts = np.zeros((1, int(classes.max(initial=0)) + 1, len(levels)), np.int64)
        np.add.at(counts[0], (classes, cells), 1)
        for problem in _problems(counts, "binary"):
            higher, equal, whole = _pairs(levels, problem.rows, problem.rest)
            found.append(float((higher + equal / 2).sum() / whole.sum()))
    return float(np.mean(found)) if found else 0.5


@dataclass(frozen=True, slots=True, eq=False)
class _Problem:
    """Rows (G, L, C) that should score higher, each of L against those of `rest` (G, L, C)."""

    rows: Counts
    rest: Counts
    classes: slice

    @property
    def pairs(self) -> float:
        """All pairs that are compared."""
        rows, rest = (side.sum(axis=(0, 2), dtype=np.float64) for side in (self.rows, self.rest))
        return float(rows @ rest)


def _problems(counts: Counts, task: Task) -> Sequence[_Problem]:
    """One, or of several classes one for each; those without pairs are left out."""
    everything = counts.sum(axis=1, keepdims=True)
    if task == "multiclass" and counts.shape[1] > 2:  # noqa: PLR2004 - two classes are one problem
        slices = [slice(k, k + 1) for k in range(counts.shape[1])]
        found = [_Problem(counts[:, s], everything - counts[:, s], s) for s in slices]
    else:
        lower = np.cumsum(counts, axis=1) - counts
        found = [_Problem(counts[:, 1:], lower[:, 1:], slice(None))]
    return [one for one in found if one.pairs]


def _by_order(problems: Sequence[_Problem], *, last: bool) -> Power:
    """By the place of the cells; NULL and NaN come first, or last. Each problem takes its better direction."""
    pairs = []
    for one in problems:
        cells = one.rows.shape[2]
        scores = np.arange(cells, dtype=np.float64)
        scores[:2] += cells if last else 0
        higher, equal, whole = _pairs(scores, one.rows, one.rest)
        up = higher + equal / 2
        flip = up.sum() < whole.sum() / 2
        pairs.append((whole - up if flip else up, whole))
    return Power(*_estimate(pairs), "order")


def _by_rates(counts: Counts, problems: Sequence[_Problem]) -> Power | None:
    """By the rates among other folds; pairs are compared within a fold. None if there are hardly any."""
    groups = counts.shape[0]
    fold_of = np.arange(groups) * FOLDS // groups
    total = counts.sum(axis=0)
    up = [np.zeros((groups, groups)) for _ in problems]
    whole = [np.zeros((groups, groups)) for _ in problems]
    for fold in range(min(FOLDS, groups)):
        mine = fold_of == fold
        rates = _rates(total - counts[mine].sum(axis=0))
        at = np.ix_(mine, mine)
        for i, one in enumerate(problems):
            higher, equal, pairs = _pairs(_scores(rates, one), one.rows[mine], one.rest[mine])
            up[i][at], whole[i][at] = higher + equal / 2, pairs
    if sum(pairs.sum() for pairs in whole) < _LEAST_PAIRS * sum(one.pairs for one in problems):
        return None
    tried = [(u, w) for u, w in zip(up, whole, strict=True) if w.any()]
    return Power(*_estimate(tried), "rates")


def _in_sample(counts: Counts, problems: Sequence[_Problem]) -> Power:
    """By the rates among the same rows, whose error nobody knows."""
    rates, shares = _rates(counts.sum(axis=0)), []
    for one in problems:
        higher, equal, whole = _pairs(_scores(rates, one), one.rows, one.rest)
        shares.append((higher + equal / 2).sum() / whole.sum())
    return Power(float(np.mean(shares)), float("nan"), "rates")


def _scores(rates: Floats, problem: _Problem) -> Floats:
    """The rate of the problem's class, or the mean number of the class."""
    one = rates[problem.classes]
    return np.asarray(one[0] if len(one) == 1 else np.arange(len(rates)) @ rates)


def _rates(others: Counts) -> Floats:
    """The classes' shares (K, C) in each cell, drawn to their shares in all cells."""
    overall = others.sum(axis=1, keepdims=True) / max(1, others.sum())
    return np.asarray((others + _PRIOR_ROWS * overall) / (others.sum(axis=0) + _PRIOR_ROWS))


def _pairs(scores: Floats, rows: Counts, rest: Counts) -> tuple[Floats, Floats, Floats]:
    """Pairs (G, G) of a row of one group and one of the rest of another: where it scores higher, equal, and all."""
    order = np.argsort(scores, kind="stable")
    starts = np.flatnonzero(np.diff(scores[order], prepend=-np.inf) > 0)
    mine, others = (np.add.reduceat(side[:, :, order], starts, axis=2).astype(np.float64) for side in (rows, rest))
    below = np.cumsum(others, axis=2) - others
    all_others = np.broadcast_to(others.sum(axis=2, keepdims=True), others.shape)
    higher, equal, whole = (np.tensordot(mine, side, axes=([1, 2], [1, 2])) for side in (below, others, all_others))
    return higher, equal, whole


def _estimate(pairs: Sequence[tuple[Floats, Floats]]) -> tuple[float, float]:
    """The mean over problems of the share of pairs, and its error by leaving out each group in turn.

    The jackknife over groups (Efron and Tibshirani 1993, chapter 11), with the scores held fixed.
    """
    value = float(np.mean([up.sum() / whole.sum() for up, whole in pairs]))
    left = []
    for up, whole in pairs:
        without_up, without = (side.sum() - side.sum(axis=0) - side.sum(axis=1) + np.diag(side) for side in (up, whole))
        left.append(np.divide(without_up, without, out=np.full(len(up), np.nan), where=without > 0))
    used = np.any([whole.sum(axis=0) + whole.sum(axis=1) > 0 for _, whole in pairs], axis=0)
    found: npt.NDArray[np.float64] = np.mean(left, axis=0)[used]
    found = found[np.isfinite(found)]
    if len(found) < 2:  # noqa: PLR2004 - of one group there is no spread
        return value, float("nan")
    spread = (len(found) - 1) / len(found) * float(((found - found.mean()) ** 2).sum())
    return value, float(np.sqrt(spread))
