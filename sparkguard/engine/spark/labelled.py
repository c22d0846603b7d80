"""Histograms by the label and by groups of rows, as coded columns."""

from __future__ import annotations

from sparkguard.engine.spark import DenseCells, DenseRecipe, Grouping, Names
from sparkguard.engine.spark.counting import Coded
from sparkguard.engine.spark.histograms import as_hash, value_code
from sparkguard.engine.spark.row_sample import content_hash
from sparkguard.measures.histograms import CellCounts
from sparkguard.measures.labelled import Apart, LabelledHistogram

_SEED = 9


def _cells(measure: LabelledHistogram, names: Names) -> DenseCells:
    label = value_code(names[measure.label], measure.label, measure.label_grid)
    groups = (Grouping(label, measure.label_grid.cells), Grouping(_apart(measure.apart, names), measure.apart.groups))
    return DenseCells(value_code(names[measure.column], measure.column, measure.grid), measure.grid.cells, groups)


def _apart(apart: Apart, names: Names) -> Coded:
    if apart.bins is not None:
        return value_code(names[apart.columns[0]], apart.columns[0], apart.bins)
    if len(apart.columns) == 1:
        hashed = as_hash(names[apart.columns[0]], apart.columns[0].type)
    else:
        hashed = content_hash([(names[c], c) for c in apart.columns], _SEED)
    return Coded(hashed, None, (), apart.buckets, first=1)


DENSE = {LabelledHistogram: DenseRecipe(_cells, lambda _measure, counts: CellCounts.of(counts))}
