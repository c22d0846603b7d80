"""What to run of a suite, and what a run found."""

from __future__ import annotations

from dataclasses import dataclass

from sparkguard.core.check import Check
from sparkguard.core.finding import Finding
from sparkguard.core.settle import exit_code
from sparkguard.errors import CheckFailureError
from sparkguard.sinks.render import Judged


@dataclass(frozen=True)
class Choice:
    """What to run of a suite: `--only`, `--tags`, `--fail-fast`, `--attempt`."""

    only: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    fail_fast: bool = False
    attempt: int | None = None

    @property
    def selection(self) -> str | None:
        """What `--only` and `--tags` select, as one text; None for the whole suite."""
        parts = [f"only {','.join(self.only)}" if self.only else "", f"tags {','.join(self.tags)}" if self.tags else ""]
        return " ".join(part for part in parts if part) or None


@dataclass(frozen=True)
class Report:
    """What a run found; `judged` has a finding for each check at least."""

    suite: str
    run_id: str
    attempt: int
    status: str
    exit_code: int
    results: str
    judged: tuple[Judged, ...]

    @property
    def ok(self) -> bool:
        """Whether every error-severity check passed."""
        return self.exit_code == 0

    @property
    def findings(self) -> tuple[tuple[Check, Finding], ...]:
        """Each check with each of its findings, in the order of the verdicts."""
        return tuple((j.check, j.finding) for j in self.judged)

    def raise_for_failure(self) -> None:
        """Raise `CheckFailureError` unless `ok`, with a line for each check that counts."""
        if not self.ok:
            bad = [f"{c.id}: {f.status.value}: {f.message}" for c, f in self.findings if exit_code([(c, f)])]
            raise CheckFailureError("\n".join([f"suite '{self.suite}' {self.status}", *bad]))
