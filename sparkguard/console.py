"""What a person or a scheduler sees while a suite runs: progress, one line a check, a summary."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol, TextIO

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from sparkguard.core.check import Check
from sparkguard.core.finding import WHOLE, Finding, Status
from sparkguard.core.text import count, few

_COLOURS = {"pass": "green", "warn": "yellow", "fail": "bold red", "error": "magenta", "skipped": "dim"}
_SHOWN_EVIDENCE = 3
_SHOWN_SUBJECTS = 6
_SHOWN_LINES = 50
"""Lines of a check that has as many findings of one status: thousands of columns may fail at once."""


class Progressing(Protocol):
    """What the runner tells while it works."""

    def started(self, suite: str, checks: int) -> None:
        """The suite begins."""

    def working(self, what: str) -> None:
        """A step that may take a while begins."""

    def judged(self, check: Check, findings: Sequence[Finding]) -> None:
        """A check has its findings."""

    def finished(self, summary: str) -> None:
        """The suite is over and written."""


class Silent:
    """Says nothing; the default of the Python interface."""

    def started(self, suite: str, checks: int) -> None:
        """Say nothing."""

    def working(self, what: str) -> None:
        """Say nothing."""

    def judged(self, check: Check, findings: Sequence[Finding]) -> None:
        """Say nothing."""

    def finished(self, summary: str) -> None:
        """Say nothing."""


class Unbreakable:
    """Passes everything on; a closed pipe or a terminal without the letters must not cost a run."""

    def __init__(self, inner: Progressing) -> None:
        """Pass on to `inner`."""
        self._inner = inner

    def started(self, suite: str, checks: int) -> None:
        """Pass on."""
        with suppress(OSError, ValueError):
            self._inner.started(suite, checks)

    def working(self, what: str) -> None:
        """Pass on."""
        with suppress(OSError, ValueError):
            self._inner.working(what)

    def judged(self, check: Check, findings: Sequence[Finding]) -> None:
        """Pass on."""
        with suppress(OSError, ValueError):
            self._inner.judged(check, findings)

    def finished(self, summary: str) -> None:
        """Pass on."""
        with suppress(OSError, ValueError):
            self._inner.finished(summary)


class TerminalProgress:
    """Lines for people; on a terminal with a bar that shows which check of how many."""

    def __init__(self, *, quiet: bool = False) -> None:
        """With `quiet`, only findings that did not pass and the summary are printed."""
        self._quiet = quiet
        self._console = Console(soft_wrap=True, highlight=False)
        self._bar: Progress | None = None

    def started(self, suite: str, checks: int) -> None:
        """Start the bar where there is a terminal."""
        if self._quiet or not self._console.is_terminal:
            return
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
        )
        self._bar = Progress(*columns, console=self._console, transient=True)
        self._bar.add_task(escape(suite), total=checks)
        self._bar.start()

    def working(self, what: str) -> None:
        """Name the step beside the bar."""
        if self._bar is not None:
            self._bar.update(self._bar.task_ids[0], description=escape(what))

    def judged(self, check: Check, findings: Sequence[Finding]) -> None:
        """Print a line for each finding, evidence below it."""
        fine = [f for f in findings if f.status is Status.PASS]
        lines, hidden = Counter[Status](), Counter[Status]()
        for finding in findings:
            lines[finding.status] += 1
            if finding.status is not Status.PASS:
                if self._quiet and finding.status is Status.SKIPPED:
                    continue
                if lines[finding.status] <= _SHOWN_LINES or finding.subject == WHOLE:
                    self._line(check, finding)
                else:
                    hidden[finding.status] += 1
            elif len(fine) == 1 and not self._quiet:
                self._line(check, finding)
        for status, many in hidden.items():
            more = f"{status.value.upper():7}[/] [bold]{escape(check.id)}[/]  {many:,} more"
            self._console.print(f"[{_COLOURS[status.value]}]{more}, all of them in check_results")
        if len(fine) > 1 and not self._quiet:
            if fine[0].subject == WHOLE and fine[0].slice_key is None:
                self._line(check, fine.pop(0))
            self._all_fine(check, fine)
        if self._bar is not None:
            self._bar.advance(self._bar.task_ids[0])

    def finished(self, summary: str) -> None:
        """Print the summary in place of the bar."""
        if self._bar is not None:
            self._bar.stop()
        self._console.print(escape(summary))

    def _all_fine(self, check: Check, findings: Sequence[Finding]) -> None:
        """One line for all subjects of a check that pass: there may be thousands of columns."""
        names = few([_subject(f) for f in findings], _SHOWN_SUBJECTS)
        kind = findings[0].subject_kind if findings[0].slice_key is None else "slice"
        self._console.print(
            f"[{_COLOURS['pass']}]{'PASS':7}[/] [bold]{escape(check.id)}[/]"
            f"  {escape(count(len(findings), kind))}: {escape(names)}"
        )

    def _line(self, check: Check, finding: Finding) -> None:
        colour = _COLOURS[finding.status.value]
        subject = "" if finding.subject == WHOLE else f"[{_subject(finding)}]"
        mild = " (severity warn)" if check.severity == "warn" and finding.status is not Status.PASS else ""
        self._console.print(
            f"[{colour}]{finding.status.value.upper():7}[/] [bold]{escape(check.id + subject)}[/]"
            f"{mild}  {escape(finding.message)}"
        )
        for violation in finding.violations[:_SHOWN_EVIDENCE]:
            key = ", ".join(f"{c}={'NULL' if v is None else v}" for c, v in violation.key.items())
            rows = f"  × {violation.count:,}" if violation.count is not None else ""
            self._console.print(f"[dim]          {escape(violation.kind)}: {escape(key)}{rows}[/]")
        if finding.remedy:
            self._console.print(f"[dim]          → {escape(finding.remedy)}[/]")


def _subject(finding: Finding) -> str:
    """The subject, and which rows of it."""
    where = "" if finding.slice_key is None else f" where {finding.slice_key} is {finding.slice_value}"
    return finding.subject + where


class JsonProgress:
    """One JSON object a line on standard output, for log collectors."""

    def __init__(self, out: TextIO | None = None) -> None:
        """Write to `out` (default: standard output)."""
        self._out = out or sys.stdout
        self._start = time.monotonic()

    def started(self, suite: str, checks: int) -> None:
        """Log the start."""
        self._log("started", suite=suite, checks=checks)

    def working(self, what: str) -> None:
        """Log a step."""
        self._log("working", step=what)

    def judged(self, check: Check, findings: Sequence[Finding]) -> None:
        """Log each finding."""
        for finding in findings:
            self._log(
                "judged",
                check_id=check.id,
                subject=finding.subject,
                slice_key=finding.slice_key,
                slice_value=finding.slice_value,
                status=finding.status.value,
                severity=check.severity,
                message=finding.message,
                evaluated_rows=finding.evaluated_rows,
                violation_rows=finding.violation_rows,
            )

    def finished(self, summary: str) -> None:
        """Log the end."""
        self._log("finished", summary=summary)

    def _log(self, event: str, **fields: object) -> None:
        elapsed = round(time.monotonic() - self._start, 3)
        self._out.write(json.dumps({"event": event, "elapsed_s": elapsed, **fields}, ensure_ascii=False) + "\n")
        self._out.flush()
