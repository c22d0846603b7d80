"""A suite: named datasets, the checks on them, and where their results go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sparkguard.core.check import Check
from sparkguard.core.source import Dataset
from sparkguard.core.text import hides


@dataclass(frozen=True, slots=True)
class Results:
    """Where results are written: a folder or URI of Delta tables, or a `catalog.schema`."""

    path: str | None = None
    schema: str | None = None
    single_writer: bool = False

    @classmethod
    def parse(cls, text: str, *, single_writer: bool = False) -> Results:
        """Read a folder, a URI, or `catalog.schema` (a dotted name without a slash)."""
        if "/" not in text and "." in text.strip("."):
            return cls(schema=text)
        return cls(path=text, single_writer=single_writer)

    def table(self, name: str) -> str:
        """The path or the qualified name of one result table."""
        return f"{self.path.rstrip('/')}/{name}" if self.path is not None else f"{self.schema}.{name}"

    def __str__(self) -> str:
        """The folder, URI or schema as the user wrote it."""
        return self.path or self.schema or ""


@dataclass(frozen=True)
class Suite:
    """A validated configuration for one run date; nothing in it was read from data."""

    name: str
    date: date
    timezone: str
    environment: str
    results: Results
    datasets: Mapping[str, Dataset]
    checks: tuple[Check, ...]
    rule_fingerprints: Mapping[str, str]
    config_sha256: str
    run_id: str
    tags: Mapping[str, str]
    scheduled_for: datetime | None = None
    secrets: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    """What is right, but may not be meant."""

    def hides(self, dataset: str, column: str) -> bool:
        """Whether a check on the dataset keeps the column's values out of tables and messages."""
        return any(
            check.violations == "none" or hides(check.redact, column)
            for check in self.checks
            if any(s.dataset == dataset for s in (*check.datasets, *(m.source for m in check.mentions)))
        )
