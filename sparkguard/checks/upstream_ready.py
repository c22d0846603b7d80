"""Has everything arrived that this run depends on?"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from sparkguard.core.check import Check, Mention, Run
from sparkguard.core.evidence import Evidence
from sparkguard.core.fields import Bounds, DurationField, WindowField
from sparkguard.core.finding import Finding, Quantity, Status, Violation
from sparkguard.core.measure import Answer, Broken, Measure
from sparkguard.core.source import Source
from sparkguard.core.text import count
from sparkguard.core.threshold import Bound
from sparkguard.core.window import Duration
from sparkguard.measures.upstreams import Arrival, count_instead
from sparkguard.measures.upstreams import Upstream as Question
from sparkguard.shapes.arrivals import REMEDIES, Words
from sparkguard.shapes.upstreams import Upstream

_PART = {"marker": "missing_marker", "commit": "missing_partition", "rows": "missing_partition"}


class Wait(BaseModel):
    """How long upstreams are waited for."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, use_attribute_docstrings=True)

    timeout: DurationField
    """How long at most."""
    poll: DurationField = Field(default=Duration(seconds=60), json_schema_extra={"default": "60s"})
    """How often the upstreams are asked."""


class UpstreamReady(Check):
    """Asks whether all upstreams of a window have arrived, and waits for them if told to.

    An upstream is a commit that holds rows of the window, a number of rows, a marker, a row in a table of
    tasks, or a passing run of another suite; each is a result of its own. Nothing is pinned beforehand:
    every question goes to the newest version, and data that does not exist yet is not ready. Checks that
    name this one in `needs` are pinned after it passed, and are skipped otherwise.

    Cost: commit reads Delta's log since its last checkpoint, once for each new version; rows one scan of
    the window, for a Delta table once for each new version; row one scan up to the first match; marker
    and suite no scan. A wait repeats that every `poll`.

    Blind to: for commit, how many rows there are, and a `partition` that a dataset declares is believed;
    for marker and row, whether what they announce is there; rows that arrive after the check has passed.

    Example:
        >>> from datetime import datetime
        >>> from sparkguard.core.source import Source
        >>> from sparkguard.core.window import Window
        >>> from sparkguard.measures.upstreams import Arrival, Committed, Missing, Partitions
        >>> from sparkguard.testing import judge
        >>> day = Window(datetime(2013, 11, 3), datetime(2013, 11, 4))
        >>> fields = {"commit": "scored", "partitions": {"origin": ["EWR", "JFK", "LGA"]}}
        >>> check = UpstreamReady(id="ready", window=day, upstreams=[fields])
        >>> question = Committed(Source("scored", day), Partitions(("origin",), (("EWR", "JFK", "LGA"),)))
        >>> [finding] = judge(check, {}, recorded={question: Arrival(missing=(Missing(("LGA",)),))})
        >>> finding.status.value, finding.message
        ('fail', "2 of 3 partitions of 'scored' are there for [2013-11-03, 2013-11-04); missing: origin=LGA")
    """

    QUANTITIES: ClassVar[Mapping[str, str]] = {
        "expected": "parts that must be there: partitions or markers, 1 for a whole",
        "missing": "parts that are not there",
        "rows": "rows that were counted, for rows",
        "waited_seconds": "seconds that were waited",
    }
    COST: ClassVar[str] = "rows and row: 1 scan each, repeated while it waits; commit, marker and suite: no scan"
    UNMET: ClassVar[str] = "upstream not ready"

    window: WindowField | None = Field(default=None, examples=["end=2026-01-31,length=1d"])
    """The stretch of time whose rows must be there, for commit and rows: {end, length} or {start, end}."""
    upstreams: tuple[Upstream, ...] = Field(
        min_length=1, examples=["'[{commit: {path: data/weather, time_column: time_hour}}, {marker: in/_SUCCESS}]'"]
    )
    """What must be there, each {commit: …}, {rows: …}, {marker: …}, {row: …, where: …} or {suite: …}."""
    wait: Wait | None = Field(default=None, examples=["timeout=30m,poll=60s"])
    """How long to wait: {timeout, poll}; by default everything is asked once."""
    error_if: Bounds = {"missing": Bound(">", 0.0)}
    """Bounds on the quantities whose breach fails the check."""

    @model_validator(mode="after")
    def _consistent(self) -> UpstreamReady:
        first: dict[str, int] = {}
        for i, upstream in enumerate(self.upstreams):
            message, subject = None, upstream.subject
            if first.setdefault(subject, i) != i:
                message = f"upstreams[{first[subject]}] and upstreams[{i}] are both called '{subject}'; give one a name"
            elif upstream.windowed and self.window is None:
                message = f"window is required but missing: whose rows must upstreams[{i}] ({subject}) hold?"
            if message is not None:
                raise ValueError(message)
        return self

    @property
    def datasets(self) -> tuple[Source, ...]:
        """None is pinned: an input that is missing is an answer."""
        return ()

    @property
    def mentions(self) -> tuple[Mention, ...]:
        """The datasets of its upstreams."""
        sources = ((i, u, u.source(self.window)) for i, u in enumerate(self.upstreams))
        return tuple(Mention(s, ("upstreams", i, u.kind), u.kind == "commit") for i, u, s in sources if s is not None)

    def ask(self, seen: Evidence) -> Iterable[Measure[Answer]]:  # noqa: ARG002 - it asks once
        """One question for each upstream."""
        return map(self._question, self.upstreams)

    def judge(self, seen: Evidence, run: Run) -> tuple[Finding, ...]:  # noqa: ARG002 - no date is needed
        """One finding for each upstream."""
        return tuple(self._finding(upstream, seen.get(self._question(upstream))) for upstream in self.upstreams)

    def _question(self, upstream: Upstream) -> Question:
        timeout, poll = (_seconds(self.wait.timeout), _seconds(self.wait.poll)) if self.wait else (0.0, 60.0)
        return upstream.question(self.window, timeout, poll)

    def _finding(self, upstream: Upstream, answer: Arrival | Broken | None) -> Finding:
        question, source = self._question(upstream), upstream.source(self.window)
        finding = Finding(Status.ERROR, "", subject_kind="upstream", subject=upstream.subject, source=source)
        if answer is None or isinstance(answer, Broken):
            broken = answer or Broken(f"not measured: {question}")
            return replace(finding, message=self.public(broken.reason), remedy=broken.remedy)
        exactness = "exact" if upstream.kind in ("rows", "row") else "metadata"
        numbers: dict[str, float | None] = {
            "expected": len(question.parts),
            "missing": len(answer.missing),
            "rows": answer.rows,
        }
        numbers |= {"waited_seconds": answer.waited}
        finding = replace(
            finding,
            quantities={name: Quantity(n, exactness=exactness) for name, n in numbers.items() if n is not None},
            columns=tuple(upstream.partitions),
            version=answer.newest.version if answer.newest else None,
            violations=tuple(_evidence(upstream, answer)),
        )
        words = Words(upstream, self.window, answer, len(question.parts), self.text)
        check = self._bounded(finding.quantities)
        verdict = check.verdict(finding, passed=words.passed(), failed=words.failed(), remedy=REMEDIES[upstream.kind])
        if not answer.unsure or verdict.status is Status.FAIL:
            return verdict
        # A warning would let the checks go that need this one.
        remedy = count_instead(str(upstream.commit))
        return replace(verdict, status=Status.ERROR, message=words.undecided(), remedy=remedy, decision=None)

    def _bounded(self, quantities: Collection[str]) -> Self:
        """The check with the bounds on what this upstream tells; what is missing fails unless one says otherwise."""
        bounded = {n: {q: b for q, b in getattr(self, n).items() if q in quantities} for n in ("error_if", "warn_if")}
        if not any("missing" in bounds for bounds in bounded.values()):
            bounded["error_if"] = {**type(self).model_fields["error_if"].default, **bounded["error_if"]}
        return self.model_copy(update=bounded)


def _evidence(upstream: Upstream, answer: Arrival) -> Iterator[Violation]:
    """A piece for each part that is missing."""
    names = ("marker",) if upstream.kind == "marker" else tuple(upstream.partitions)
    kind = _PART.get(upstream.kind, "missing_upstream") if names else "missing_upstream"
    expected = f"at least {count(upstream.at_least, 'row')}" if upstream.kind == "rows" else None
    for missing in answer.missing:
        actual = None if missing.rows is None else count(missing.rows, "row")
        key = dict(zip(names, missing.part, strict=True)) or {"upstream": upstream.subject}
        yield Violation(kind, key, expected=expected, actual=actual)


def _seconds(duration: Duration) -> float:
    return float(duration.days * 86_400 + duration.seconds)
