"""What the log of a versioned table says of the version that is read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sparkguard.core.measure import Answer, Probe
from sparkguard.core.source import Source


@dataclass(frozen=True)
class Commit(Answer):
    """When the version was committed, aware and in UTC; None where the dataset has no versions."""

    at: datetime | None


@dataclass(frozen=True)
class LastCommit(Probe[Commit]):
    """When was the version that is read committed?"""

    source: Source

    @property
    def sources(self) -> tuple[Source, ...]:
        """The one source."""
        return (self.source,)

    def __str__(self) -> str:
        """For the plan."""
        return f"last commit of {self.source.dataset}"
