"""Histograms as coded columns, and the sample that grids are made from."""

from __future__ import annotations

from sparkguard.core.columns import Column
from sparkguard.engine.spark import DenseCells, DenseRecipe, Grouping, Names
from sparkguard.engine.spark.counting import Coded
from sparkguard.engine.spark.profile import AS_ORDINAL
from sparkguard.engine.spark.values import hashes_apart
from sparkguard.measures.grids import TEXT, Grid, kind_of
from sparkguard.measures.histograms import CellCounts, Histogram, Slicing


def as_number(name: str, kind: str) -> str:
    """A number, a day or a moment as a double."""
    return f"CAST({AS_ORDINAL.get(kind, '{0}').format(name)} AS DOUBLE)"


def as_counted(name: str, kind: str) -> str:
    """The same as the column has it, where Python makes the double of it, which is faster than in Spark."""
    return as_number(name, kind) if kind.startswith("decimal") else AS_ORDINAL.get(kind, "{0}").format(name)


def as_presence(name: str) -> str:
    """0 for a value of whatever type; of NULL it is NULL."""
    return f"IF({name} IS NULL, NULL, 0D)"


def as_hash(name: str, kind: str) -> str:
    """The hash of a value's text; of NULL it is NULL."""
    text = f"CAST({name} AS BINARY)" if hashes_apart(kind) else f"CAST({name} AS STRING)"
    return f"IF({name} IS NULL, NULL, xxhash64({text}))"


def _cells(measure: Histogram, names: Names) -> DenseCells:
    groups = () if measure.by is None else (_group(names[measure.by.column], measure.by),)
    return DenseCells(value_code(names[measure.column], measure.column, measure.grid), measure.grid.cells, groups)


def value_code(name: str, column: Column, grid: Grid) -> Coded:
    """The cell of a value in a grid; of a type that has no grid, whether there is a value."""
    if grid.kind == TEXT:
        return Coded(as_hash(name, column.type), None, grid.hashes, grid.buckets)
    if kind_of(column.type) is None:
        return Coded(as_presence(name), grid.edges)
    return Coded(as_counted(name, column.type), grid.edges)


def _group(name: str, by: Slicing) -> Grouping:
    return Grouping(Coded(as_hash(name, by.column.type), None, by.hashes, by.buckets, first=1), by.groups)


DENSE = {Histogram: DenseRecipe(_cells, lambda _measure, counts: CellCounts.of(counts))}
