"""The shape of every check: it asks for measures and judges their answers.

A check is frozen and its fields are its YAML. `ask` and `judge` are pure: no Spark, no clock, no
files. Neither can start a scan; `ask` may ask more once earlier answers are in.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import ClassVar, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from sparkguard.core.evidence import Evidence
from sparkguard.core.expectation import Expectation
from sparkguard.core.fields import Bounds, WindowField
from sparkguard.core.finding import Decision, Finding, Quantity, Status, Violation, capped
from sparkguard.core.measure import Answer, Measure
from sparkguard.core.source import Source
from sparkguard.core.text import REDACTED, hides
from sparkguard.core.threshold import decide
from sparkguard.errors import DataError

_ERROR_CLASS = re.compile(r"\[[A-Z_.0-9]+\]")
_EMPTY = {"error": Status.ERROR, "fail": Status.FAIL, "pass": Status.PASS, "skip": Status.SKIPPED}


@dataclass(frozen=True, slots=True)
class Run:
    """What a judge may know about the run: its date and when it started (aware, UTC)."""

    date: date
    now: datetime


class Mention(NamedTuple):
    """A dataset that is looked at without being pinned, and the path of the field that names it.

    `logged`: only a Delta table's log is read, at its newest version and without a filter.
    """

    source: Source
    path: tuple[str | int, ...]
    logged: bool = False


class Watched(NamedTuple):
    """A quantity of another check of the suite."""

    check: str
    quantity: str


class Check(BaseModel, ABC):
    """The fields that every check has; a type adds its own."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, use_attribute_docstrings=True)

    QUANTITIES: ClassVar[Mapping[str, str]] = {}
    COST: ClassVar[str] = ""
    TIMED: ClassVar[bool] = False
    """Whether checks of the type are `timed`, whatever their fields say."""
    UNMET: ClassVar[str] = ""
    """What the message of a check that is skipped begins with, if it needs one of this type that did not pass."""

    id: str = Field(pattern=r"^[\w.-]+$")
    """Unique in the suite; the dashboard's stable name."""
    needs: tuple[str, ...] = ()
    """Checks that must have passed before this one runs; else it is skipped."""
    severity: Literal["error", "warn"] = "error"
    """A warn check never changes the exit code."""
    owner: str | None = None
    """Who is asked when the check fails."""
    tags: tuple[str, ...] = ()
    """For `--tags` and for dashboards."""
    description: str | None = None
    """What the check is for, in a sentence."""
    on_empty: Literal["error", "fail", "pass", "skip"] = "error"
    """The status when there are no rows to judge."""
    error_if: Bounds = {}
    """Bounds on the check's quantities whose breach fails the check."""
    warn_if: Bounds = {}
    """Bounds on the check's quantities whose breach warns."""
    violations: Literal["capped", "none"] = "capped"
    """Whether evidence rows are kept; `none` keeps values out of tables and messages."""
    violation_limit: int = Field(default=100, ge=0, le=10_000)
    """How many evidence rows are kept for each result."""
    violations_to: str | None = None
    """A table or path that gets all evidence, written by the executors."""
    redact: tuple[str, ...] = ()
    """Columns whose values are replaced in evidence and messages."""

    @classmethod
    def kind(cls) -> str:
        """The type's name in YAML, which is the name of its file."""
        return cls.__module__.rpartition(".")[2]

    @property
    @abstractmethod
    def datasets(self) -> tuple[Source, ...]:
        """Every source that the check may read; they are pinned before it asks."""

    @property
    def quantities(self) -> frozenset[str]:
        """The names of its quantities: those of its type, and what its fields add."""
        return frozenset(self.QUANTITIES)

    @property
    def timed(self) -> bool:
        """Whether all its datasets need a time column, also without a window."""
        return self.TIMED

    @property
    def mentions(self) -> tuple[Mention, ...]:
        """The datasets that it looks at as they are when it asks; those in `datasets` are pinned before."""
        return ()

    @property
    def watches(self) -> tuple[Watched, ...]:
        """The quantities of other checks that this one judges; it finds them in `seen.judged`."""
        return ()

    @property
    def follows(self) -> frozenset[str]:
        """The checks that are judged before this one, whatever their verdict; unlike `needs`, they need not pass."""
        return frozenset(watched.check for watched in self.watches)

    @property
    def content(self) -> str:
        """The text of the files that its fields name: as much a part of the rule as the fields."""
        return ""

    @property
    def about(self) -> tuple[str, ...]:
        """The columns that a finding on the whole check is about."""
        return ()

    @abstractmethod
    def ask(self, seen: Evidence) -> Iterable[Measure[Answer]]:
        """Every measure wanted, given what was seen; `DataError` if the data cannot be asked so."""

    @abstractmethod
    def judge(self, seen: Evidence, run: Run) -> tuple[Finding, ...]:
        """The findings, once all that was asked is answered; `DataError` if an answer is broken."""

    def as_expectations(self) -> tuple[Expectation, ...]:
        """The check in the words of Great Expectations; `DataError` says why it has none."""
        message = f"Great Expectations has no words for {self.kind()}"
        raise DataError(message)

    def verdict(
        self,
        finding: Finding,
        *,
        passed: str,
        failed: str,
        remedy: str | None = None,
        told: Collection[str] | None = None,
        nothing: str | None = None,
    ) -> Finding:
        """Complete a finding: its status by the bounds, its message by its status.

        `told` are the quantities of which `failed` speaks (None: all); the message adds what decided
        if it is none of them. `nothing` says why no row was judged, if it is not that there is none.
        A finding that judges no rows is bad if `failed` says something.
        Nothing evaluated and nothing found is never a pass unless `on_empty` says so.
        """
        rows = ("evaluated_rows", "violation_rows", "violation_rate")
        judged = rows if finding.violation_rows is not None else rows[:1] if finding.evaluated_rows is not None else ()
        quantities = {**finding.quantities, **{name: Quantity(getattr(finding, name)) for name in judged}}
        decision = decide(quantities, self.error_if, self.warn_if)
        if finding.evaluated_rows == 0 and not self._decides_on_nothing(finding, decision):
            return self._empty(finding, nothing)
        bad = bool(finding.violation_rows if finding.evaluated_rows is not None else failed)
        silent = told is not None and decision.metric_name not in told
        message = failed if bad else passed
        if bad and decision.status is Status.PASS:
            message += " (within the bounds)"
        elif decision.reason and (decision.margin or not bad or silent or decision.status is Status.ERROR):
            message += f"; {decision.reason}"
        return replace(
            finding,
            status=decision.status,
            decision=decision,
            quantities=quantities,
            message=message,
            remedy=remedy if decision.status in (Status.FAIL, Status.WARN) else None,
            violations=self._shown(finding.violations),
            queries=finding.queries if self.violations_to else (),
        )

    def text(self, column: str, value: str | None) -> str:
        """A value for a message, unless the suite keeps it out."""
        if self.violations == "none" or hides(self.redact, column):
            return REDACTED
        return "NULL" if value is None else value

    def public(self, message: str) -> str:
        """An exception's message; only its head and error class where the suite keeps values out."""
        if self.violations == "none" or self.redact:
            head, colon, detail = message.partition(": ")
            kind = _ERROR_CLASS.search(detail)
            return f"{head}{colon}{kind[0] if kind else ''} {REDACTED}" if colon else head
        return message

    def bounded_by(self, told: Collection[str], *, written: bool = True) -> Self:
        """The check with the bounds on quantities that are told alone; if not `written`, only defaults are left out."""
        blocks = {"error_if", "warn_if"} - (set() if written else self.model_fields_set)
        return self.model_copy(
            update={n: {q: bound for q, bound in getattr(self, n).items() if q in told} for n in blocks}
        )

    def _mistakes(self) -> Iterator[str]:
        """What contradicts what, in the words of the fields; a type names its own."""
        yield from ()

    @model_validator(mode="after")
    def _keeps_values_out(self) -> Self:
        if self.violations == "none" and self.violations_to is not None:
            message = "violations: none keeps values out of tables, violations_to asks for them; give one of them"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _consistent_fields(self) -> Self:
        message = next(self._mistakes(), None)
        if message is not None:
            raise ValueError(message)
        return self

    def _shown(self, violations: tuple[Violation, ...]) -> tuple[Violation, ...]:
        if self.violations == "none":
            return ()
        return tuple(
            replace(v, key={c: REDACTED if hides(self.redact, c) else t for c, t in v.key.items()})
            for v in capped(violations, self.violation_limit)
        )

    def _decides_on_nothing(self, finding: Finding, decision: Decision) -> bool:
        """Whether bounds decide though no row was judged: one fails, or rows were found that should not be."""
        if decision.status is Status.FAIL:
            return bool(finding.violation_rows) or self.on_empty in ("error", "fail")
        return bool(finding.violation_rows) and decision.status is Status.ERROR

    def _empty(self, finding: Finding, nothing: str | None) -> Finding:
        source = finding.source
        where = (
            f"the window {source.window} of '{source.dataset}' is empty"
            if source and source.window
            else (f"'{source.dataset if source else self.id}' has no rows")
        )
        return replace(
            finding,
            status=_EMPTY[self.on_empty],
            message=f"{nothing or where}, so nothing was checked",
            remedy=None
            if self.on_empty in ("pass", "skip")
            else "find out whether the upstream has landed, or set on_empty",
            counted=self.on_empty != "skip",
            quantities={**finding.quantities, "evaluated_rows": Quantity(0)},
        )


class SourceCheck(Check):
    """A check of one dataset, over all of it or a window."""

    dataset: str = Field(examples=["path=data/weather,time_column=time_hour"])
    """The name of a dataset of the suite; on the command line also the dataset itself."""
    window: WindowField | None = Field(default=None, examples=["end=2026-01-31,length=30d"])
    """Half-open stretch of the dataset's time column: {end, length} or {start, end}."""

    @property
    def source(self) -> Source:
        """The rows that the check is about."""
        return Source(self.dataset, self.window)

    @property
    def datasets(self) -> tuple[Source, ...]:
        """The one source."""
        return (self.source,)
