"""What is known of an upstream, in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sparkguard.core.text import count, lasting
from sparkguard.core.window import Window
from sparkguard.measures.upstreams import Arrival, Part, Touch
from sparkguard.shapes.upstreams import Upstream

_SHOWN = 5

REMEDIES = {
    "commit": "ask those who write it why it has not landed, then run the suite again",
    "rows": "ask those who write it why it has not landed, then run the suite again",
    "marker": "find out whether the job that leaves it has finished",
    "row": "find out what became of the task that writes this row",
    "suite": "look at the report of that suite's run, then run this suite again",
}
"""Whom to ask, by kind."""


@dataclass(frozen=True)
class Words:
    """An upstream and its answer; `total` parts were asked for, `show` hides values that a suite keeps out."""

    upstream: Upstream
    window: Window | None
    answer: Arrival
    total: int
    show: Callable[[str, str | None], str]

    def passed(self) -> str:
        """What is there."""
        upstream, answer, name = self.upstream, self.answer, self._name
        if upstream.commit is not None:
            touch = answer.touch
            what = commit(touch or answer.newest, f" of '{name}'") + (" touched" if touch else " holds rows of")
            every = f"all {count(self.total, 'partition')} are there; " if upstream.partitions else ""
            text = f"{every}{what} {self.window}"
        elif upstream.rows is not None:
            each = f", at least {upstream.at_least:,} in each of {count(self.total, 'partition')}"
            text = (
                f"'{name}' has {count(answer.rows or 0, 'row')} in {self.window}{each if upstream.partitions else ''}"
            )
        elif upstream.marker is not None:
            text = f"'{upstream.marker[0]}' exists" if self.total == 1 else f"all {self.total} markers exist"
        elif upstream.row is not None:
            text = f"'{name}' has a row where {upstream.where}"
        else:
            text = f"suite '{name}' passed for {upstream.date}{self._run}"
        return text + self._waited("after")

    def failed(self) -> str:
        """What is missing; nothing if nothing is."""
        if not self.answer.missing:
            return ""
        if self.upstream.marker is not None:
            text = f"'{self.upstream.marker[0]}' does not exist"
            text = text if self.total == 1 else f"{self._there} of {self.total} markers exist; {self._missing()}"
        elif self.upstream.suite is not None:
            text = self._failed_suite()
        elif self.answer.absent is not None:
            text = f"'{self._name}' ({self.answer.absent}) does not exist yet"
        elif self.upstream.partitions:
            least = self.upstream.at_least
            each = f" with at least {count(least, 'row')}" if least > 1 else ""
            some = f"{self._there} of {count(self.total, 'partition')} of '{self._name}'"
            text = f"{some} {'is' if self._there == 1 else 'are'} there{each} for {self.window}; {self._missing()}"
        else:
            text = self._failed_whole()
        return text + self._waited()

    def undecided(self) -> str:
        """What the log does not tell."""
        which = f": {self._parts(self.answer.unsure)}" if self.upstream.partitions else ""
        return (
            f"the log of '{self._name}' cannot tell whether rows of {self.window} are there{which}; the files that may "
            f"hold them have no statistics of the time column, or begin before and end after{self._waited()}"
        )

    @property
    def _name(self) -> str:
        return str(getattr(self.upstream, self.upstream.kind))

    @property
    def _there(self) -> int:
        return self.total - len(self.answer.missing) - len(self.answer.unsure)

    @property
    def _run(self) -> str:
        run = self.answer.run
        return f" (run {run.run_id}, ended {_minute(run.ended_at)})" if run else ""

    def _failed_suite(self) -> str:
        run, day = self.answer.run, self.upstream.date
        if run is None:
            return f"suite '{self._name}' has not run for {day} in {self.upstream.environment}"
        return f"the latest run of suite '{self._name}' for {day} {run.status}, exit code {run.exit_code}{self._run}"

    def _failed_whole(self) -> str:
        rows, least = self.answer.rows, self.upstream.at_least
        if self.upstream.commit is not None:
            latest = self.answer.latest and self.show(self.answer.time or self._name, self.answer.latest)
            newest = f"; its newest are of {latest}" if latest else ""
            return f"'{self._name}' has no rows of {self.window} up to {commit(self.answer.newest)}{newest}"
        if self.upstream.rows is not None:
            expected = f", expected at least {least:,}" if least > 1 else ""
            return f"'{self._name}' has {count(rows, 'row') if rows else 'no rows'} in {self.window}{expected}"
        return f"'{self._name}' has no row where {self.upstream.where}"

    def _missing(self) -> str:
        unsure = self.answer.unsure
        more = f"; the log cannot tell of {self._parts(unsure)}" if unsure else ""
        return f"missing: {self._parts([m.part for m in self.answer.missing])}{more}"

    def _parts(self, parts: Sequence[Part]) -> str:
        """A few parts by name, with their rows where some were counted."""
        names = tuple(self.upstream.partitions)
        rows = {m.part: m.rows for m in self.answer.missing if m.rows}
        shown = [
            (", ".join(f"{n}={self.show(n, v)}" for n, v in zip(names, part, strict=True)) if names else str(part[0]))
            + (f" ({count(rows[part], 'row')})" if part in rows else "")
            for part in parts[:_SHOWN]
        ]
        more = [f"{len(parts) - _SHOWN:,} more"] if len(parts) > _SHOWN else []
        return ("; " if len(names) > 1 else ", ").join([*shown, *more])

    def _waited(self, word: str = "waited") -> str:
        return f" ({word} {lasting(self.answer.waited)})" if self.answer.waited >= 1 else ""


def commit(touch: Touch | None, of: str = "") -> str:
    """A version with what its history tells: `version 41 (WRITE, committed 2013-11-04 03:12 UTC)`."""
    if touch is None:
        return f"the newest version{of}"
    told = [touch.operation, None if touch.at is None else f"committed {_minute(touch.at)}"]
    known = ", ".join(text for text in told if text)
    return f"version {touch.version}{of}" + (f" ({known})" if known else "")


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
