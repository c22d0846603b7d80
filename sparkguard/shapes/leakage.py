"""What is asked of features and a label, and what the answers say of each feature."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from sparkguard.core.columns import Column
from sparkguard.core.source import Source
from sparkguard.errors import DataError
from sparkguard.measures.grids import FIRST, NULL, TEXT, Grid, kind_of
from sparkguard.measures.histograms import CellCounts
from sparkguard.measures.labelled import Apart, LabelledHistogram
from sparkguard.measures.row_sample import SampledColumn, SampledRows
from sparkguard.shapes.feature_grids import grids_of, single_cells, wide
from sparkguard.shapes.identifiers import IN_STEP, in_step, is_identifier
from sparkguard.shapes.label import Asked, Label, label_of
from sparkguard.stats import purity
from sparkguard.stats.homogeneity import Counts
from sparkguard.stats.power import Power, missing_power, power

GROUPS = 64
"""Groups of rows that belong together, from whose spread the error of a power is known …"""
_FEWEST_GROUPS = 16
"""… or fewer, where features are so many that one read could not count them all."""
_WIDE_GROUPS = 8
"""Groups where a feature has very many cells."""
_MOST_CELLS = 1 << 23
_HASHED = 4
"""Columns, at most, by whose values rows are grouped that belong to nothing: each is read in every pass."""
_TOLD_APART = 0.99
"""The share of the sample's rows that as few columns as possible tell apart."""
MIX = np.uint64(0x9E3779B97F4A7C15)
"""An odd number whose multiples look random, by which values of several columns are mixed."""


@dataclass(frozen=True)
class Question:
    """Which features may stand in for a label; rows belong together by `entity`, else by `time`, else not at all."""

    source: Source
    features: tuple[Column, ...]
    label: Column
    task: Asked
    entity: tuple[Column, ...] = ()
    time: Column | None = None

    @property
    def columns(self) -> tuple[Column, ...]:
        """Every column of the sample, once."""
        extra = (*self.entity, *([self.time] if self.time else []))
        return tuple(dict.fromkeys((*self.features, self.label, *extra)))

    @property
    def grouped(self) -> bool:
        """Whether something tells which rows belong together."""
        return bool(self.entity) or self.time is not None

    @property
    def together(self) -> str:
        """What rows belong to, in words."""
        if self.entity:
            return ", ".join(c.name for c in self.entity)
        return f"stretches of {self.time.name}" if self.time else "nothing: each row counts for itself"


@dataclass(frozen=True)
class Asking:
    """What is counted: the label as its sample suggests, and for each feature its histograms."""

    label: Label
    histograms: tuple[tuple[LabelledHistogram, ...], ...]


@dataclass(frozen=True, slots=True)
class Feature:
    """What is known of a feature alone.

    `grid` is the one on which it has its power; `tested` values could have been pure. `in_step` is Spearman's
    correlation with time (None: no time), `identifier` whether nearly every row has a value of its own.
    """

    column: Column
    grid: Grid
    power: Power
    missing: Power
    missing_share: float
    pure: tuple[purity.Pure, ...]
    tested: int
    identifier: bool
    in_step: float | None


@dataclass(frozen=True, slots=True)
class Rows:
    """How many rows have a label and how many none, the classes by number, and the groups of rows of the smallest."""

    labelled: int
    unlabelled: int
    classes: tuple[int, ...]
    units: int


@lru_cache(maxsize=2)
def asking(question: Question, sample: SampledRows) -> Asking:
    """What to count, from a sample of rows; `DataError` if the label can be none."""
    at = dict(zip(question.columns, sample.columns, strict=True))
    label = label_of(question.label, at[question.label], question.task)
    classes = at[question.label].cells(label.grid)
    grids = [tuple(grids_of(c, at[c], classes)) for c in question.features]
    cells = sum(g.cells for gs in grids for g in gs if not wide(g)) * label.grid.cells
    groups = GROUPS
    while groups > _FEWEST_GROUPS and cells * groups > _MOST_CELLS:
        groups //= 2
    fine, coarse = (_apart(question, at, n) for n in (groups, _WIDE_GROUPS))

    def histogram(column: Column, grid: Grid) -> LabelledHistogram:
        apart = coarse if wide(grid) else fine
        return LabelledHistogram(question.source, column, grid, label.column, label.grid, apart)

    each = zip(question.features, grids, strict=True)
    return Asking(label, tuple(tuple(histogram(column, grid) for grid in gs) for column, gs in each))


def _apart(question: Question, at: Mapping[Column, SampledColumn], groups: int) -> Apart:
    if question.entity:
        return Apart(question.entity, groups)
    if question.time is None:
        return Apart(_telling(question, at), groups)
    known = at[question.time].known
    edges = np.unique(np.quantile(known, np.arange(1, groups) / groups, method="higher")) if known.size else known
    return Apart((question.time,), bins=Grid(kind_of(question.time.type) or TEXT, tuple(edges.tolist())))


def _telling(question: Question, at: Mapping[Column, SampledColumn]) -> tuple[Column, ...]:
    """The few columns that tell most rows apart; equal rows are in one group, so that none is told by another."""
    bits = {c: np.frombuffer(at[c].values, "<u8") for c in (question.label, *question.features)}
    chosen: list[Column] = []
    mixed = np.zeros(len(bits[question.label]), np.uint64)
    for column in sorted(bits, key=lambda c: -len(np.unique(bits[c])))[:_HASHED]:
        chosen.append(column)
        mixed = np.unique(mixed, return_inverse=True)[1].astype(np.uint64) * MIX ^ bits[column]
        if len(np.unique(mixed)) >= _TOLD_APART * len(mixed):
            break
    return tuple(chosen)


def rows_of(question: Question, asked: Asking, counts: CellCounts) -> Rows:
    """The rows by class, from the counts of any feature; `DataError` if there is one class only."""
    histogram = asked.histograms[0][0]
    by_label = counts.cells(histogram.cells).reshape(histogram.shape).sum(axis=2)
    labelled = by_label[:, FIRST:].sum(axis=0)
    classes = tuple(np.flatnonzero(labelled).tolist())
    if len(classes) == 1:
        [only] = classes
        message = f"all {labelled.sum():,} labels of '{question.label.name}' are of one class, {asked.label.name(only)}"
        raise DataError(message, "give it rows of another class: a longer window, or a table that was not filtered")
    filled = (by_label[:, FIRST:] > 0).sum(axis=0) if question.grouped else labelled
    units = int((by_label[:, FIRST:].sum(axis=1) > 0).sum()) if question.grouped else int(labelled.sum())
    if asked.label.task != "regression":
        units = min((int(filled[i]) for i in classes), default=0)
    return Rows(int(labelled.sum()), int(by_label[:, :FIRST].sum()), classes, units)


def feature_of(
    question: Question,
    asked: Asking,
    sample: SampledRows,
    at: int,
    counts: Sequence[CellCounts],
    rows: Rows,
) -> Feature:
    """What the counts of one feature, by its place, and the sample say of it."""
    column, classes = question.features[at], list(rows.classes)
    tried: list[tuple[Power, LabelledHistogram, Counts]] = []
    for histogram, state in zip(asked.histograms[at], counts, strict=True):
        labelled = state.cells(histogram.cells).reshape(histogram.shape)[:, FIRST:, :][:, classes, :]
        tried.append((power(labelled, asked.label.task, ordered=histogram.grid.ordered), histogram, labelled))
    _, first, labelled = tried[0]
    best, on, _ = max(tried, key=lambda one: one[0].value)
    single = single_cells(first.grid)
    pure = purity.pure_cells(labelled, single, ordered=first.grid.ordered, grouped=question.grouped)
    held = labelled.sum(axis=(0, 1))
    sampled = sample.columns[question.columns.index(column)]
    time = None if question.time is None else sample.columns[question.columns.index(question.time)]
    return Feature(
        column,
        on.grid if best.value > tried[0][0].value else first.grid,
        best,
        missing_power(labelled, asked.label.task),
        float(held[NULL] / max(1, held.sum())),
        tuple(pure),
        int(single.sum()),
        is_identifier(column, sampled),
        in_step(time, sampled),
    )


def tells_the_time(feature: Feature) -> bool:
    """Whether a feature is a counter: its values are hardly ever equal, and rise or fall as time goes on."""
    return feature.identifier and feature.in_step is not None and abs(feature.in_step) >= IN_STEP
