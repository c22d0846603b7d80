"""What does Great Expectations find in the rows of a source?"""

from __future__ import annotations

from dataclasses import dataclass

from sparkguard.core.measure import Answer, Cost, Probe
from sparkguard.core.source import Source


@dataclass(frozen=True)
class Sample:
    """Unexpected values as texts, by column, and in how many of the rows that were looked at.

    Of no row: a value that the expectation wants, and that is not there.
    """

    values: tuple[tuple[str, str | None], ...]
    rows: int


@dataclass(frozen=True)
class Outcome:
    """What one expectation found: whether it holds, or in `error` why nobody knows.

    `number` is the observed value where it is a number, `shown` its text. `rows`, `missing` and `unexpected`
    count rows, where Great Expectations counts them; for an expectation of a whole column `unexpected` may
    count values, and `rows` is None; `lacking` then counts values that it wants and did not find.
    """

    holds: bool | None = None
    number: float | None = None
    shown: str | None = None
    rows: int | None = None
    missing: int | None = None
    unexpected: int | None = None
    lacking: int | None = None
    samples: tuple[Sample, ...] = ()
    error: str | None = None


@dataclass(frozen=True)
class Outcomes(Answer):
    """One outcome for each expectation, in their order."""

    outcomes: tuple[Outcome, ...]


@dataclass(frozen=True)
class ExpectationsRun(Probe[Outcomes]):
    """Which of these expectations hold for the rows of a source?

    Each is the JSON of its type and arguments. `samples` unexpected values at most are fetched of each
    that does not hold, none for 0.
    """

    source: Source
    expectations: tuple[str, ...]
    samples: int

    cost = Cost(scans=1, shuffles=0)

    @property
    def sources(self) -> tuple[Source, ...]:
        """The rows that are validated."""
        return (self.source,)

    def __str__(self) -> str:
        """For the plan."""
        return f"{len(self.expectations)} expectations of {self.source}"
