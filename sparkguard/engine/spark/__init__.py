"""The only Spark expressions of sparkguard: one module for each family of measures.

A module declares, by measure type, `COMPUTE` (the function that answers it), `WIDE`, `TALL` and `DENSE`
(what a summary adds to the one read of its source), `PROBE` (the function that asks a log), and `EVIDENCE`
(the function that gives all its evidence as a frame).
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Protocol

from pyspark.sql import DataFrame

from sparkguard.core.columns import Column
from sparkguard.core.measure import Answer, Measure, State
from sparkguard.core.source import Source
from sparkguard.engine.spark.counting import Coded

if TYPE_CHECKING:
    from sparkguard.engine.reader import Reader

ENTRY_POINTS = "sparkguard.spark"
"""Where plugins declare the families of their own measures."""


class Read(Protocol):
    """Opens the rows of a source with columns renamed to c0, c1, … and expressions to e0, e1, …."""

    def __call__(self, source: Source, columns: tuple[Column, ...], expressions: Sequence[str] = ()) -> DataFrame:
        """The rows as a frame."""


Compute = Callable[[Read, Any], Answer]
Evidence = Callable[[Read, Any, str, Sequence[str]], DataFrame]


class Logs(Protocol):
    """What a probe may ask: a dataset's log, the suite's earlier runs, a file; and rows, for another engine."""

    def committed(self, source: Source) -> datetime | None:
        """When the version that is read was committed; None where the dataset has no versions."""

    def recorded(self, table: str) -> DataFrame | None:
        """The rows that other runs of the suite left in a result table; None before the first has made it."""

    def small_file(self, place: str) -> bytes:
        """A whole file from wherever Spark can read; `DataError` if there is none or it is not small."""

    def recorded_of_all(self, table: str, results: str | None) -> DataFrame | None:
        """The rows of all suites in a result table of some place (None: of this suite); None where there is none."""

    def afresh(self) -> Reader:
        """The datasets as they are now, whatever the stage has pinned."""

    @property
    def remembered(self) -> dict[Measure[Answer], tuple[object, Answer]]:
        """What was answered last at which state of the data, for probes that are asked again and again."""

    def rows(self, source: Source) -> DataFrame:
        """The rows of a source with all columns under their own names, for what does its own reading."""


Ask = Callable[[Logs, Any], Answer]


class Names:
    """The names that columns and expressions have in the frame of one read."""

    def __init__(self, columns: Sequence[Column]) -> None:
        """Name the columns c0, c1 and on."""
        self._columns = {column: f"c{i}" for i, column in enumerate(columns)}
        self.expressions: list[str] = []

    def __getitem__(self, column: Column) -> str:
        """The name of a column."""
        return self._columns[column]

    def expression(self, sql: str) -> str:
        """The name of an expression over the source's own columns, which the read then has."""
        if sql not in self.expressions:
            self.expressions.append(sql)
        return f"e{self.expressions.index(sql)}"


@dataclass(frozen=True)
class WideRecipe:
    """Aggregates of SQL text, what their values mean, and a function that not every Spark has."""

    aggregates: Callable[[Any, Names], Sequence[str]]
    state: Callable[[Any, Sequence[Any]], State]
    needs: str | None = None


@dataclass(frozen=True)
class TallCell:
    """As SQL text: the rows that count, the number of their cell, and the texts that are kept of them."""

    when: str
    cell: str
    shown: Sequence[str] = ()


Cells = Iterable[tuple[int, int, Sequence[str | None], Sequence[str | None]]]
"""Cells that hold rows: number, rows, and the least and the greatest of the kept texts."""


@dataclass(frozen=True)
class TallRecipe:
    """Which cell a row counts in, and what the counts mean."""

    cell: Callable[[Any, Names], TallCell]
    state: Callable[[Any, Cells], State]


@dataclass(frozen=True)
class Grouping:
    """Rows apart by a code, which is one of so many."""

    code: Coded
    codes: int


@dataclass(frozen=True)
class DenseCells:
    """What a row counts in: the code of a value (one of `width`), in the group that up to two other codes tell.

    Of two the first counts faster: group = second * first.codes + first.
    """

    value: Coded
    width: int
    groups: tuple[Grouping, ...] = ()


@dataclass(frozen=True)
class DenseRecipe:
    """Which cell a row counts in, and what the rows of all cells, as 64-bit numbers in their order, mean."""

    cells: Callable[[Any, Names], DenseCells]
    state: Callable[[Any, Any], State]


def computations() -> Mapping[type[Measure[Answer]], Compute]:
    """Every measure type that Spark can answer, with its function."""
    return _declared("COMPUTE")


def wide_recipes() -> Mapping[type[Measure[Answer]], WideRecipe]:
    """What each wide summary adds to the aggregate of its source."""
    return _declared("WIDE")


def tall_recipes() -> Mapping[type[Measure[Answer]], TallRecipe]:
    """What each tall summary adds to the cells of its source."""
    return _declared("TALL")


def dense_recipes() -> Mapping[type[Measure[Answer]], DenseRecipe]:
    """What each dense summary counts of a row."""
    return _declared("DENSE")


def probes() -> Mapping[type[Measure[Answer]], Ask]:
    """How each log is asked."""
    return _declared("PROBE")


def evidence_frame(read: Read, measure: Measure[Answer], kind: str, redact: Sequence[str]) -> DataFrame:
    """All evidence of a measure as a frame of `kind`, `key`, `reason` and `count`."""
    find: Evidence = _declared("EVIDENCE")[type(measure)]
    return find(read, measure, kind, redact)


@cache
def _declared(name: str) -> Mapping[type[Measure[Answer]], Any]:
    found: dict[type[Measure[Answer]], Any] = {}
    families = [importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__)]
    families += [entry.load() for entry in entry_points(group=ENTRY_POINTS)]
    for family in families:
        found.update(getattr(family, name, {}))
    return found
