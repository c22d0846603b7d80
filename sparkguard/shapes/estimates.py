"""From the sums of a set to its metric, and to where the truth may lie."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property, partial
from typing import cast

import numpy as np
import numpy.typing as npt

from sparkguard.measures.scored import SetCell
from sparkguard.measures.scored_cells import ByLabel, Cell, ScoreBins
from sparkguard.shapes.metrics import Wanted
from sparkguard.stats import areas, losses
from sparkguard.stats.confusion import Average, ByClass, Confusion
from sparkguard.stats.homogeneity import Floats
from sparkguard.stats.intervals import (
    UNTOLD,
    Error,
    Interval,
    Metric,
    error_by_groups,
    error_by_rows,
    gap_interval,
    loss_interval,
    share_interval,
)

MOST_CLASSES = 100
"""Classes whose own metrics are told."""
_SUMS: Mapping[str, Metric] = {
    "roc_auc": areas.roc_auc,
    "average_precision": areas.average_precision,
    "calibration_error": losses.calibration_error,
    "rmse": losses.root_mean,
    "r2": losses.r2,
}
"""The metrics of sums that are no plain mean."""

Key = tuple[int | str, ...]


@dataclass(frozen=True)
class Estimate:
    """A metric of one set: its value (NaN: not defined), how sure it is, and the worst classes by themselves.

    `margin`: how far the value may be off the exact one. `clusters`: at least so many; None without clusters.
    """

    wanted: Wanted
    value: float
    error: Error = UNTOLD
    clusters: int | None = None
    classes: Mapping[str, float] = field(default_factory=dict)
    margin: float = 0.0

    @cached_property
    def interval(self) -> Interval:
        """Where the truth lies, with the confidence that is wanted; NaN where nobody can say."""
        metric, confidence = self.wanted.metric, self.wanted.confidence
        if metric.share:
            return share_interval(self.value, self.error, confidence)
        if self.wanted.name == "calibration_error":
            return gap_interval(self.value, self.error, confidence)
        if not metric.higher_is_better:
            return loss_interval(self.value, self.error, confidence)
        # What is left of the label's variance is a loss.
        left = loss_interval(1 - self.value, self.error, confidence)
        return Interval(1 - left.high, 1 - left.low)


def estimate(wanted: Wanted, cell: Cell, cells: Sequence[SetCell], *, clustered: bool) -> Estimate:
    """The metric of one set from its cells; without any it is not defined."""
    if not cells:
        return Estimate(wanted, math.nan, clusters=0 if clustered else None)
    function, sums, pieces, classes = _prepared(wanted, cell, cells)
    if clustered:
        error = error_by_groups(function, sums.groups, pieces.clusters, pieces.rows)
    else:
        # The spread of a share of rows is known with the share.
        freedom = {"classes": math.inf, "areas": pieces.rows - 1}.get(wanted.metric.family, float(sums.rows.sum()) - 1)
        error = error_by_rows(function, sums.whole, sums.moments, sums.rows, freedom, pieces.rows)
    value, clusters = float(function(sums.whole)), sums.clusters if clustered else None
    if wanted.name == "r2" and sums.rows.sum() < 2:  # noqa: PLR2004 - one row has no variance to explain
        value = math.nan
    return Estimate(wanted, value, error, clusters, classes, _margin(wanted, sums, value))


def difference(wanted: Wanted, cells: tuple[Cell, Cell], mine: Sequence[SetCell], theirs: Sequence[SetCell]) -> Error:
    """How sure the difference of two metrics is whose rows are in the same clusters, or are the same rows."""
    if not mine or not theirs:
        return UNTOLD
    folds = sorted({one.fold for one in (*mine, *theirs)})
    (function, sums, *_), (other, others, *_) = (
        _prepared(wanted, cell, side, folds) for cell, side in zip(cells, (mine, theirs), strict=True)
    )
    width, clusters = sums.groups.shape[1], min(sums.clusters, others.clusters)

    def apart(both: Floats) -> Floats:
        return function(both[..., :width, :]) - other(both[..., width:, :])

    return error_by_groups(apart, np.concatenate([sums.groups, others.groups], axis=1), clusters, 0)


def against_constant(
    wanted: Wanted, cell: Cell, cells: Sequence[SetCell], told: str | float, *, clustered: bool
) -> tuple[float, Error]:
    """The metric if always the same had been told, and how sure the model's difference to it is.

    Of a class that is told always `told` is the name, of a number it is one of the constants that are wanted; the area
    of a constant score is a half, its average precision the share of positives.
    """
    function, sums, *_ = _prepared(wanted, cell, cells)
    constant: Metric
    if wanted.metric.family == "areas":
        constant = _constant_area if wanted.name == "roc_auc" else _constant_precision
    elif wanted.metric.family == "classes":
        always = int(told == wanted.positive) if wanted.binary else str(told)
        constant = _of_classes(wanted, cells, (), always)[0]
    else:
        at = len(wanted.values((0.0,))) - len(wanted.constants) + wanted.constants.index(float(told)) + 1

        def constant(terms: Floats) -> Floats:
            return function(np.concatenate([terms[..., :1], terms[..., at : at + 1], terms[..., 2:]], axis=-1))

    def apart(terms: Floats) -> Floats:
        return function(terms) - constant(terms)

    value = float(constant(sums.whole))
    if clustered:
        return value, error_by_groups(apart, sums.groups, sums.clusters, 0)
    freedom = float(sums.rows.sum()) - 1
    return value, error_by_rows(apart, sums.whole, sums.moments, sums.rows, freedom, 0)


def _constant_area(terms: Floats) -> Floats:
    return np.where(np.isnan(areas.roc_auc(terms)), np.nan, 0.5)


def _constant_precision(terms: Floats) -> Floats:
    half = terms.shape[-2] // 2
    positives = terms[..., half:, 0].sum(axis=-1)
    return np.where(positives > 0, positives / np.maximum(terms[..., 0].sum(axis=-1), 1e-300), np.nan)


@dataclass(frozen=True, eq=False)
class Sums:
    """Sums (G, C, M) by group of clusters and cell; without clusters of one group, with moments (C, M, M)."""

    groups: Floats
    rows: Floats
    moments: Floats
    clusters: int

    @property
    def whole(self) -> Floats:
        """The sums (C, M) of all groups."""
        return np.asarray(self.groups.sum(axis=0))

    @classmethod
    def of(cls, cells: Sequence[SetCell], keys: Sequence[Key], folds: Sequence[int] = ()) -> Sums:
        """The sums of a set, its cells in the order of `keys`, its groups in that of `folds` (default: its own)."""
        at = {key: i for i, key in enumerate(keys)}
        place_of = {fold: i for i, fold in enumerate(folds or sorted({cell.fold for cell in cells}))}
        terms = len(cells[0].sums)
        groups, rows = np.zeros((len(place_of), len(keys), terms)), np.zeros(len(keys))
        moments = np.zeros((len(keys), terms, terms))
        upper = _upper(terms)
        for cell in cells:
            place = at[cell.key]
            groups[place_of[cell.fold], place] += cell.sums
            rows[place] += cell.rows
            if cell.moments:
                moments[place][upper] += cell.moments
                moments[place].T[upper] = moments[place][upper]
        return cls(groups, rows, moments, len({one for cell in cells for one in cell.clusters}))


@cache
def _upper(terms: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """The places of the upper triangle of so many terms, row by row."""
    return np.triu_indices(terms)


@dataclass(frozen=True, slots=True)
class Pieces:
    """What decides whether a metric is 1: so many rows of equal weight, in so many clusters."""

    rows: float
    clusters: int

    @classmethod
    def of(cls, cells: Sequence[SetCell]) -> Pieces:
        """Of all rows of some cells; unequal weights count as fewer rows, where their squares are known."""
        rows, clusters = float(sum(cell.rows for cell in cells)), {one for cell in cells for one in cell.clusters}
        squares = sum(cell.moments[0] for cell in cells if cell.moments)
        if squares > 0:
            rows = sum(cell.sums[0] for cell in cells) ** 2 / squares
        return cls(rows, len(clusters))


Prepared = tuple[Metric, Sums, Pieces, Mapping[str, float]]
"""A metric of sums, the sums, what decides whether it is 1, and the classes by themselves."""


def _prepared(wanted: Wanted, cell: Cell, cells: Sequence[SetCell], folds: Sequence[int] = ()) -> Prepared:
    if wanted.metric.family == "classes":
        return _of_classes(wanted, cells, folds)
    keys: list[Key] = [(0,), (1,)] if isinstance(cell, ByLabel) else [()]
    if isinstance(cell, ScoreBins):
        keys = [(k, b) for k in (0, 1) for b in range(cell.bins)]
    return _SUMS.get(wanted.name, losses.mean), Sums.of(cells, keys, folds), _pieces(wanted, cells), {}


def _of_classes(
    wanted: Wanted, cells: Sequence[SetCell], folds: Sequence[int], always: int | str | None = None
) -> Prepared:
    """With `always` the metric is of the same sums, had that class been told of every row."""
    keys = sorted({cell.key for cell in cells})
    pair = wanted.binary or (wanted.name == "accuracy" and not wanted.by_pairs)
    told = keys if always is None else [(label, always) for label, _ in keys]
    names: list[int | str] = [0, 1] if pair else sorted({name for key in (*keys, *told) for name in key})
    confusion = Confusion(_places(keys, 0, names), _places(told, 1, names), len(names))
    sums = Sums.of(cells, keys, folds)
    if not wanted.metric.averaged:
        function = confusion.accuracy if wanted.name == "accuracy" else confusion.balanced_accuracy
        return function, sums, _pieces(wanted, cells), {}
    name = cast("ByClass", wanted.name)
    if wanted.average not in ("binary", "by_class"):
        function = partial(confusion.average, name, average=cast("Average", wanted.average))
        return function, sums, _pieces(wanted, cells), {}
    each = [partial(confusion.of_class, name, number=i) for i in range(len(names))]
    if wanted.average == "binary":
        return each[1], sums, _pieces(wanted, cells, 1), {}
    found = {str(told): float(of(sums.whole)) for told, of in zip(names, each, strict=True)}
    ordered = sorted(found, key=lambda told: found[told])
    worst = names.index(ordered[0])
    return each[worst], sums, _pieces(wanted, cells, names[worst]), {one: found[one] for one in ordered[:MOST_CLASSES]}


def _margin(wanted: Wanted, sums: Sums, value: float) -> float:
    """How far an area of bins may be off."""
    if wanted.name == "roc_auc":
        return float(areas.roc_auc_margin(sums.whole))
    if wanted.name != "average_precision":
        return 0.0
    low, high = (float(side) for side in areas.average_precision_range(sums.whole))
    return max(high - value, value - low)


def _places(keys: Sequence[Key], side: int, names: Sequence[int | str]) -> npt.NDArray[np.int64]:
    return np.array([names.index(key[side]) for key in keys], np.int64)


def _pieces(wanted: Wanted, cells: Sequence[SetCell], positive: int | str | None = None) -> Pieces:
    """The rows that decide whether a metric is 1: of one class those that are or are called so, else of the rarest."""
    if positive is not None:
        sides = {"precision": (1,), "recall": (0,)}.get(wanted.name, (0, 1))
        return Pieces.of([cell for cell in cells if positive in [cell.key[side] for side in sides]])
    if wanted.name == "accuracy" or wanted.average == "micro" or not wanted.metric.share:
        return Pieces.of(cells)
    by_label: dict[int | str, list[SetCell]] = {}
    for cell in cells:
        by_label.setdefault(cell.key[0], []).append(cell)
    if wanted.name == "average_precision":
        return Pieces.of(by_label.get(1, []))
    found = [Pieces.of(mine) for mine in by_label.values()]
    return Pieces(min(one.rows for one in found), min(one.clusters for one in found))
