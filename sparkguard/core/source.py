"""What can be read: named datasets, and the part of one that a measure is about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sparkguard.core.window import Duration, Window


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition column that follows the time column, so that windows can prune by it.

    `format` is a Java date pattern from large to small units (`yyyyMMdd`), so that its texts
    sort as its times do; `slack` widens the pruned range on both sides.
    """

    column: str
    format: str
    slack: Duration


@dataclass(frozen=True, slots=True)
class Dataset:
    """A named input: a path, a table, a query, or a data frame that the caller supplies.

    Exactly one of `path`, `table` and `sql` is set, or none if a data frame stands in.
    """

    name: str
    path: str | None = None
    table: str | None = None
    sql: str | None = None
    format: str | None = None
    options: tuple[tuple[str, str], ...] = ()
    version: int | None = None
    timestamp: datetime | None = None
    where: str | None = None
    time_column: str | None = None
    partition: Partition | None = None

    @property
    def location(self) -> str:
        """The path or table or the word `query` for messages; SQL may hold literals."""
        return self.path or self.table or ("query" if self.sql else "data frame")


@dataclass(frozen=True, slots=True)
class Versioned:
    """A dataset, at a version of its own if one is given."""

    dataset: str
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """The rows of a dataset that a measure is about; `version` overrides the dataset's own."""

    dataset: str
    window: Window | None = None
    version: int | None = None

    def __str__(self) -> str:
        """Render as `weather@3 [2013-10-04, 2013-11-04)`."""
        at = "" if self.version is None else f"@{self.version}"
        return f"{self.dataset}{at}" + (f" {self.window}" if self.window else "")
