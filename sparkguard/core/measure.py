"""Questions about data and what comes back: a measure says what is wanted, never how.

Two checks that ask equal measures share one answer, so a measure is a frozen dataclass and its
equality is its key.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Generic, Self, TypeVar

from sparkguard.core.columns import Column
from sparkguard.core.source import Source
from sparkguard.core.window import Window


@dataclass(frozen=True)
class Answer:
    """What a measure is answered with: bounded, whatever the size of the data."""


@dataclass(frozen=True)
class State(Answer, ABC):
    """A summary that merges: raw counts, sums or a sketch, never a ratio.

    Law: a commutative monoid. `zero` changes nothing, and neither the order nor the grouping of
    merges matters; for sketches within their stated error.
    """

    HOLDS_VALUES: ClassVar[bool] = False
    """Whether values of the data can be read from it; what is redacted is then not stored."""

    @classmethod
    @abstractmethod
    def zero(cls) -> Self:
        """The state of no rows."""

    @abstractmethod
    def merge(self, other: Self) -> Self:
        """The state of the rows of both."""


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
S_co = TypeVar("S_co", bound=State, covariant=True)


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


class RowMeasure(Measure[A_co]):
    """A question that the rows of its sources answer."""

    @abstractmethod
    def twin(self, tables: Mapping[Source, Rows]) -> A_co:
        """The same answer in plain Python, from small tables of the values that `reads` names.

        It is the oracle that every way of computing is tested against.
        """


class Keyed(RowMeasure[A_co]):
    """A question that needs equal keys to meet.

    Law: if the rows are split so that equal keys stay together, the answers of the parts add up
    to the answer of the whole. It is neither merged across windows nor stored.
    """


class Summary(RowMeasure[S_co]):
    """A question about one source whose answer is a `State`.

    Law: if the rows are split anywhere, the merged states of the parts are the state of the whole.
    All summaries that a round asks of the same source are answered by one read.
    """

    VERSION: ClassVar[int] = 1
    """Raised when the states of old nights no longer mean the same."""
    STATE: ClassVar[type[State]]

    source: Source
    cost: ClassVar[Cost] = Cost(scans=1, shuffles=0)

    @property
    def lasts(self) -> bool:
        """Whether other nights will ask the same, so that the states of days are worth keeping."""
        return True

    @property
    def sources(self) -> tuple[Source, ...]:
        """The one source."""
        return (self.source,)

    @property
    @abstractmethod
    def columns(self) -> tuple[Column, ...]:
        """The columns that are read."""

    @property
    def reads(self) -> Mapping[Source, tuple[Column, ...]]:
        """The columns of the one source."""
        return {self.source: self.columns}


class Wide(Summary[S_co]):
    """A few numbers or a sketch: columns of one aggregate."""


class Tall(Summary[S_co]):
    """Many cells, each with its count: rows of one aggregate grouped by cell."""

    cost: ClassVar[Cost] = Cost(scans=1, shuffles=1)


class Dense(Summary[S_co]):
    """As many cells as the question says, most of which hold rows: counted together, whatever the days.

    Its answer has no size that depends on the data, so one read answers it for each day of years.
    """

    cost: ClassVar[Cost] = Cost(scans=1, shuffles=1)

    @property
    @abstractmethod
    def cells(self) -> int:
        """How many cells there are."""


@dataclass(frozen=True)
class Days(Answer, Generic[S_co]):
    """The states of the days of a window, in their order; a day without rows has the state of no rows."""

    days: tuple[Window, ...]
    states: tuple[S_co, ...]


@dataclass(frozen=True)
class Daily(Measure[Days[S_co]]):
    """A summary of each day of its source's window, where the summary by itself is one of all of them.

    The window consists of whole days. Days that other nights have counted are not read again.
    """

    of: Summary[S_co]

    @property
    def sources(self) -> tuple[Source, ...]:
        """The one source."""
        return self.of.sources

    @property
    def reads(self) -> Mapping[Source, tuple[Column, ...]]:
        """The columns of the one source; the engine knows what tells the day."""
        return self.of.reads

    @property
    def cost(self) -> Cost:
        """One read of the days that are not known."""
        return self.of.cost

    def parts(self) -> Mapping[Window, Summary[S_co]] | None:
        """The summary of each day by itself, which is what the answer means; None if there are no days."""
        window = self.of.source.window
        days = None if window is None else window.days()
        if days is None:
            return None
        return {day: replace(self.of, source=replace(self.of.source, window=day)) for day in days}  # type: ignore[type-var] # a measure is a dataclass

    def __str__(self) -> str:
        """For the plan."""
        return f"{self.of}, day by day"


class Probe(Measure[A_co]):
    """A question that no rows answer: a log, a history, a registry. It is neither merged nor stored.

    Unless it says otherwise it is about no dataset, and reads no column of those that it is about.
    """

    cost: ClassVar[Cost] = Cost(scans=0, shuffles=0)

    @property
    def sources(self) -> tuple[Source, ...]:
        """None: it is about no pinned dataset."""
        return ()

    @property
    def reads(self) -> Mapping[Source, tuple[Column, ...]]:
        """No column by name."""
        return dict.fromkeys(self.sources, ())


@dataclass(frozen=True)
class Awaited(Answer):
    """An answer that may have been waited for: `waited` seconds from the first question to the last."""

    waited: float = field(default=0.0, kw_only=True)


W_co = TypeVar("W_co", bound=Awaited, covariant=True)


class Waiting(Probe[W_co]):
    """A probe that is asked again every `poll` seconds until it is ready, `timeout` seconds at most (0: once).

    It looks at what is there when it is asked, whatever version the checks of its stage read.
    """

    timeout: float
    poll: float

    @abstractmethod
    def ready(self, answer: Awaited) -> bool:
        """Whether an answer needs no more waiting."""
