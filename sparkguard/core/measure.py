"""Questions about data and what comes back: a measure says what is wanted, never how.

Two checks that ask equal measures share one answer, so a measure is a frozen dataclass and its
equality is its key.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from sparkguard.core.columns import Column
from sparkguard.core.source import Source


@dataclass(frozen=True)
class Answer:
    """What a measure is answered with: bounded, whatever the size of the data."""


@dataclass(frozen=True)
class Broken:
    """Stands where an answer should be: why there is none, and what to do."""

    reason: str
    remedy: str | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """What one measure may cost: reads of a source and shuffles of its rows."""

    scans: int
    shuffles: int


Rows = Sequence[Sequence[object]]
"""The rows of a source in plain Python, each with the values of its columns."""

A_co = TypeVar("A_co", bound=Answer, covariant=True)


class Measure(ABC, Generic[A_co]):
    """A question about one or more sources; its answer type is the parameter."""

    @property
    @abstractmethod
    def sources(self) -> tuple[Source, ...]:
        """The sources that are read; a join has three."""

    @property
    @abstractmethod
    def reads(self) -> Mapping[Source, tuple[Column, ...]]:
        """The columns that are needed of each source; no other column is read."""

    @property
    @abstractmethod
    def cost(self) -> Cost:
        """The promise that the engine keeps and the tests count."""

    @abstractmethod
    def __str__(self) -> str:
        """One line for the plan: what is asked of which source."""


class Keyed(Measure[A_co]):
    """A question that needs equal keys to meet.

    Law: if the rows are split so that equal keys stay together, the answers of the parts add up
    to the answer of the whole. It is neither merged across windows nor stored.
    """

    @abstractmethod
    def twin(self, tables: Mapping[Source, Rows]) -> A_co:
        """The same answer in plain Python, from small tables of the values that `reads` names.

        It is the oracle that every way of computing is tested against.
        """
