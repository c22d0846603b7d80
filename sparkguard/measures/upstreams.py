"""Whether what a run depends on has arrived: commits, rows, markers, the verdict of another suite."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import product

from sparkguard.core.measure import Awaited, Cost, Waiting
from sparkguard.core.source import Source
from sparkguard.core.text import count, lasting

Part = tuple[str | None, ...]
"""What must be there: the texts of some columns, a marker's place, or nothing for the whole."""

WHOLE: Part = ()

MOST_PARTS = 10_000
"""So many partitions of an upstream are told apart at most."""


def count_instead(dataset: str) -> str:
    """What to do where a log cannot tell."""
    return f"count instead: write rows: {dataset} in place of commit: {dataset}"


@dataclass(frozen=True, slots=True)
class Partitions:
    """Columns, and for each the texts that must be there, in all combinations."""

    columns: tuple[str, ...] = ()
    values: tuple[Part, ...] = ()

    @property
    def parts(self) -> tuple[Part, ...]:
        """Every combination; the whole where there are no columns."""
        return tuple(product(*self.values))

    def __str__(self) -> str:
        """Render as ` in 3 partitions of origin`."""
        return f" in {count(len(self.parts), 'partition')} of {', '.join(self.columns)}" if self.columns else ""


NO_PARTITIONS = Partitions()


@dataclass(frozen=True, slots=True)
class Missing:
    """A part that is not there, with the rows that are, where they were counted."""

    part: Part
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class Touch:
    """A commit: its version, and what the table's history tells of it, in UTC."""

    version: int
    operation: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class LastRun:
    """The latest run of a suite for a date."""

    run_id: str
    status: str
    exit_code: int
    ended_at: datetime


@dataclass(frozen=True)
class Arrival(Awaited):
    """Which parts of an upstream are missing, and what is known of the others.

    Of `unsure` parts it cannot be told. `rows` is NULL where they were not counted. Of a table `newest` is its newest
    version, `touch` the last commit that brought rows of the window, `latest` its greatest `time` by the
    log. `absent` is the place of a table that does not exist.
    """

    missing: tuple[Missing, ...] = ()
    unsure: tuple[Part, ...] = ()
    rows: int | None = None
    newest: Touch | None = None
    touch: Touch | None = None
    latest: str | None = None
    time: str | None = None
    run: LastRun | None = None
    absent: str | None = None


@dataclass(frozen=True)
class Upstream(Waiting[Arrival]):
    """Has an upstream arrived?"""

    timeout: float = field(default=0.0, kw_only=True)
    poll: float = field(default=60.0, kw_only=True)

    @property
    @abstractmethod
    def what(self) -> str:
        """What is asked of what, for people."""

    @property
    def parts(self) -> tuple[Part, ...]:
        """What must be there."""
        return (WHOLE,)

    def ready(self, answer: Awaited) -> bool:
        """Whether all parts are there."""
        return isinstance(answer, Arrival) and not answer.missing and not answer.unsure

    def nothing(self, absent: str | None = None, run: LastRun | None = None) -> Arrival:
        """The answer that no part is there."""
        return Arrival(missing=tuple(map(Missing, self.parts)), absent=absent, run=run)

    def __str__(self) -> str:
        """For the plan."""
        return self.what + (f", waiting up to {lasting(self.timeout)}" if self.timeout else "")


@dataclass(frozen=True)
class Committed(Upstream):
    """Does Delta's log say that the newest version holds rows of a window, in each partition?"""

    source: Source
    partitions: Partitions = NO_PARTITIONS

    @property
    def parts(self) -> tuple[Part, ...]:
        """Its partitions."""
        return self.partitions.parts

    @property
    def what(self) -> str:
        """For people."""
        return f"commit of {self.source}{self.partitions}"


@dataclass(frozen=True)
class Counted(Upstream):
    """Has the newest version enough rows of a window, in each group?"""

    source: Source
    partitions: Partitions = NO_PARTITIONS
    at_least: int = 1

    @property
    def cost(self) -> Cost:  # type: ignore[override] # of the others it is a constant
        """A read of the window, whenever there is a new version."""
        return Cost(scans=1, shuffles=1 if self.partitions.columns else 0)

    @property
    def parts(self) -> tuple[Part, ...]:
        """Its groups."""
        return self.partitions.parts

    @property
    def what(self) -> str:
        """For people."""
        return f"rows of {self.source}{self.partitions}"


@dataclass(frozen=True)
class Marked(Upstream):
    """Do files or folders exist?"""

    places: tuple[str, ...]

    @property
    def parts(self) -> tuple[Part, ...]:
        """The places."""
        return tuple((place,) for place in self.places)

    @property
    def what(self) -> str:
        """For people."""
        more = f" and {len(self.places) - 1} more" if len(self.places) > 1 else ""
        return f"marker {self.places[0]}{more}"


@dataclass(frozen=True)
class Recorded(Upstream):
    """Has the newest version of a dataset a row for which a condition of SQL holds?"""

    dataset: str
    where: str

    cost = Cost(scans=1, shuffles=0)

    @property
    def what(self) -> str:
        """For people."""
        return f"row of {self.dataset}"


@dataclass(frozen=True)
class SuitePassed(Upstream):
    """Did the latest full run of a suite for a date pass? `results` is where it writes; None: where this suite does."""

    suite: str
    date: date
    results: str | None = None
    environment: str = "dev"

    @property
    def what(self) -> str:
        """For people."""
        return f"suite {self.suite} for {self.date}"
