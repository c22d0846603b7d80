"""The sample of rows as numbers for trees and formulas."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from sparkguard.core.columns import Column
from sparkguard.core.types import is_number
from sparkguard.measures.forest import Forest, TreeFeature
from sparkguard.measures.grids import FIRST
from sparkguard.measures.row_sample import SampledColumn, SampledRows
from sparkguard.shapes.label import Label
from sparkguard.shapes.leakage import GROUPS, MIX, Question
from sparkguard.stats.power import FOLDS

Numbers = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]

_HELD_OUT = 4
"""One of so many stretches of groups is held out."""
_PRIOR_ROWS = 10.0
"""Rows by which the mean label of a text is drawn to that of all."""
_MOST_TEXTS = 60
"""Texts that trees on all rows tell apart, fewer than such a tree's bins."""


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """The labelled rows of a sample: values (n, P) of all features, NaN for NULL, classes, groups, and who is held out.

    A text is the mean class of its rows in other folds. `numbers` (n,) is the label itself if it is a number that
    is cut into classes; `plain` are the features that are numbers.
    """

    values: Numbers
    classes: Whole
    groups: Whole
    held_out: npt.NDArray[np.bool_]
    numbers: Numbers | None
    plain: tuple[int, ...]


def matrix_of(question: Question, label: Label, sample: SampledRows) -> Matrix:
    """The rows of the sample that have a label."""
    at = dict(zip(question.columns, sample.columns, strict=True))
    cells = at[label.column].cells(label.grid)
    rows = cells >= FIRST
    _, classes = np.unique(cells[rows], return_inverse=True)
    groups = _groups(question, at, sample.size)[rows]
    columns = [_encoded(at[c], rows, classes, groups) if at[c].text else at[c].numbers[rows] for c in question.features]
    return Matrix(
        np.stack(columns, axis=1) if columns else np.zeros((int(rows.sum()), 0)),
        classes.astype(np.int64),
        groups,
        groups * _HELD_OUT * 2 // GROUPS % _HELD_OUT == 0,
        at[label.column].numbers[rows] if label.task == "regression" else None,
        tuple(i for i, c in enumerate(question.features) if is_number(c.type)),
    )


@lru_cache(maxsize=2)
def forest_of(question: Question, label: Label, sample: SampledRows, seed: int) -> Forest | None:
    """What trees on all rows are asked, whose texts and weights a sample tells; None if it has one class only."""
    at = dict(zip(question.columns, sample.columns, strict=True))
    cells = at[label.column].cells(label.grid)
    rows = cells >= FIRST
    counts = np.bincount(cells[rows] - FIRST, minlength=label.grid.cells - FIRST)
    if np.count_nonzero(counts) < 2:  # noqa: PLR2004 - a pair of classes
        return None
    # As many for each class; one that the sample has hardly seen does not outweigh all others.
    weights = () if label.task == "regression" else tuple((counts.sum() / np.maximum(counts, 1) / len(counts)).tolist())
    features = (TreeFeature(c, _by_label(at[c], rows, cells) if at[c].text else None) for c in question.features)
    return Forest(question.source, tuple(features), label.column, label.grid, weights, seed)


def _by_label(sampled: SampledColumn, rows: npt.NDArray[np.bool_], cells: Whole) -> tuple[int, ...]:
    """The most frequent texts in the order of their rows' mean class."""
    there = rows & ~sampled.missing
    frequent = [hashed for hashed, _ in sampled.names[:_MOST_TEXTS]]
    hashes, classes = sampled.hashes[there], cells[there]
    means = {one: float(classes[hashes == one].mean()) for one in frequent if (hashes == one).any()}
    return tuple(sorted(means, key=lambda one: means[one]))


def _groups(question: Question, at: dict[Column, SampledColumn], size: int) -> Whole:
    """The group of each row: stretches of time are neighbours, entities and rows without any lie anywhere."""
    if not question.entity and question.time is not None:
        times = at[question.time].numbers
        known = at[question.time].known
        edges = np.quantile(known, np.arange(1, GROUPS) / GROUPS) if known.size else known
        return np.searchsorted(edges, times, side="right").clip(0, GROUPS - 1).astype(np.int64)
    mixed = np.arange(size if not question.entity else 0, dtype=np.uint64) * MIX
    for column in question.entity:
        bits = np.frombuffer(at[column].values, "<u8") * MIX
        bits = (bits ^ (bits >> np.uint64(29))) * MIX
        mixed = bits if not len(mixed) else (mixed ^ bits) * MIX
    return (mixed >> np.uint64(58)).astype(np.int64)


def _encoded(sampled: SampledColumn, rows: npt.NDArray[np.bool_], classes: Whole, groups: Whole) -> Numbers:
    """A text as the mean class of its rows in other folds, so that none is told by its own."""
    hashes = np.where(sampled.missing, 0, sampled.hashes)[rows]
    _, codes = np.unique(hashes, return_inverse=True)
    folds = groups * FOLDS // GROUPS
    found, many = np.zeros(len(codes)), int(codes.max(initial=0)) + 1
    for fold in range(FOLDS):
        mine = folds == fold
        others = ~mine
        mean = classes[others].mean() if others.any() else 0.0
        n = np.bincount(codes[others], minlength=many)
        total = np.bincount(codes[others], classes[others], minlength=many)
        found[mine] = ((total + _PRIOR_ROWS * mean) / (n + _PRIOR_ROWS))[codes[mine]]
    return found
