"""What the page shows: the types between rows and HTML."""

from __future__ import annotations

from dataclasses import dataclass

from sparkguard.report.evidence import Evidence


@dataclass(frozen=True, slots=True)
class Fact:
    """A labelled fact; `code` for names and identifiers."""

    label: str
    values: tuple[str, ...]
    code: bool = False
    more: int = 0
    """Values that are left out."""


@dataclass(frozen=True, slots=True)
class Result:
    """A row of `check_results`; only those shown in full have facts and evidence."""

    status: str
    title: str
    """The subject and the slice."""
    transition: str
    message: str
    observed: str | None
    facts: tuple[Fact, ...] = ()
    evidence: Evidence | None = None
    evidence_rows: int = 0


@dataclass(frozen=True, slots=True)
class CheckView:
    """One check with all its results; facts that hold for all of them stand here."""

    id: str
    type: str
    status: str
    severity: str
    dataset: str
    transition: str | None
    """None where its results differ."""
    tally: str | None
    """How many results have which status, where there are several."""
    facts: tuple[Fact, ...]
    full: tuple[Result, ...]
    listed: tuple[Result, ...]
    passed: tuple[Result, ...]
    duration: str

    @property
    def single(self) -> Result | None:
        """The only result of a check that has one."""
        results = self.full + self.listed + self.passed
        return results[0] if len(results) == 1 else None


@dataclass(frozen=True, slots=True)
class Section:
    """The checks whose worst result has one status: some in full, the others a line each."""

    status: str
    title: str
    checks: tuple[CheckView, ...]

    @property
    def cards(self) -> tuple[CheckView, ...]:
        """The checks that have something to show in full."""
        return tuple(c for c in self.checks if c.full)

    @property
    def lines(self) -> tuple[CheckView, ...]:
        """The checks that get a line in a table."""
        return tuple(c for c in self.checks if not c.full)


@dataclass(frozen=True, slots=True)
class RunView:
    """One suite's part of the page."""

    suite: str
    date: str
    status: str
    exit_code: int
    advice: str
    counts: tuple[tuple[str, str, int], ...]
    """Status, its title, and how many checks have it, as `runs` counted them."""
    total: int
    """The checks of the suite."""
    notes: tuple[str, ...]
    facts: tuple[Fact, ...]
    sections: tuple[Section, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """The whole page; `results` names the place of the tables."""

    runs: tuple[RunView, ...]
    exit_code: int
    advice: str
    results: str
