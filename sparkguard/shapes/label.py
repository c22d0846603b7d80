"""What a label is: which of its values are classes, or how a number is cut into some."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from sparkguard.core.columns import Column
from sparkguard.core.types import is_number, is_time
from sparkguard.errors import DataError
from sparkguard.measures.grids import FIRST, INTEGER, TEXT, Grid, kind_of
from sparkguard.measures.row_sample import SampledColumn
from sparkguard.stats.power import Task

Asked = Literal["auto", "binary", "multiclass", "regression"]

MOST_CLASSES = 50
DECILES = 10
"""Classes into which a number is cut, of equal shares of its rows."""
_FEW_INTEGERS = 20
"""Whole numbers of as many values are classes, of more a number."""
_PAIR = 2


@dataclass(frozen=True, slots=True)
class Label:
    """A label, what is to be told of it, and the grid whose cells of values are its classes."""

    column: Column
    task: Task
    grid: Grid

    def name(self, label_class: int) -> str:
        """A class in words, by its number among the cells of values."""
        return self.grid.label(FIRST + label_class)


def label_of(column: Column, sampled: SampledColumn, asked: Asked) -> Label:
    """The label as the task has it, or as its values in a sample suggest; `DataError` if it can be none."""
    if kind_of(column.type) is None or is_time(column.type):
        message = f"the label '{column.name}' is {column.type}, which is neither a class nor a number"
        raise DataError(message, "name another column, or compute the label in a dataset's sql")
    known = sampled.known
    values, counts = np.unique(known, return_counts=True)
    if not len(values):
        message = f"the label '{column.name}' is NULL in all rows that were looked at"
        raise DataError(message, "name another column, or find out why it is empty")
    task = _task(column, len(values)) if asked == "auto" else asked
    if task == "regression":
        if not is_number(column.type):
            message = f"task: regression needs a number as label, and '{column.name}' is {column.type}"
            raise DataError(message, "write task: multiclass, or name another column")
        edges = np.unique(np.quantile(known, np.arange(1, DECILES) / DECILES, method="higher"))
        return Label(
            column, task, Grid(kind_of(column.type) or TEXT, tuple(e for e in edges.tolist() if e > values[0]))
        )
    most = _PAIR if task == "binary" else MOST_CLASSES
    if len(values) > most:
        message = f"the label '{column.name}' has {len(values):,} values, more than the {most} classes of task: {task}"
        raise DataError(message, "write task: regression for a number, or put rare classes together in a dataset's sql")
    order = np.argsort(-counts, kind="stable")
    grid = (
        Grid(TEXT, (), *_named(values[order].tolist(), sampled), 1)
        if sampled.text
        # Each class from its value to the next, since a sample has hardly missed one.
        else Grid(kind_of(column.type) or TEXT, tuple(values[1:].tolist()))
    )
    return Label(column, task, grid)


def _task(column: Column, values: int) -> Task:
    if values <= _PAIR:
        return "binary"
    few = _FEW_INTEGERS if kind_of(column.type) == INTEGER else _PAIR
    return "regression" if is_number(column.type) and values > few else "multiclass"


def _named(hashes: Sequence[int], sampled: SampledColumn) -> tuple[tuple[int, ...], tuple[str, ...]]:
    names = dict(sampled.names)
    return tuple(hashes), tuple(names.get(hashed, f"value {i}") for i, hashed in enumerate(hashes, 1))
