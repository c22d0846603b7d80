"""Do the dates of the inference window lie apart from those of the training table?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Annotated, ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from sparkguard.core.check import Run, SourceCheck
from sparkguard.core.evidence import Evidence
from sparkguard.core.fields import Bounds, DurationField, VersionedField, WindowField, ZoneField
from sparkguard.core.finding import Finding, Quantity, Status, Violation
from sparkguard.core.measure import Answer, Measure
from sparkguard.core.source import Source
from sparkguard.core.text import REDACTED, count, hides
from sparkguard.core.threshold import Bound
from sparkguard.errors import DataError
from sparkguard.measures.overlap import Overlap, Side
from sparkguard.measures.pairing import Pair, pair_key
from sparkguard.measures.tallies import RowCount
from sparkguard.measures.times import LATEST, Near, Reach, SharedAnswer, SharedDays

_MEASURED = ("gap_days", "range_overlap_days")
_REMEDY = "correct the date of the run or the window, or train without these days"
_FUTURE = "look for a wrong date, or a clock or zone that is ahead"


class WindowOverlap(SourceCheck):
    r"""Counts the rows that lie before the training table's last row and the required gap after it; exactly.

    Every row counts, not a sample. A row is a violation if it is not later than the last training row,
    or, with `gap`, earlier than that long after it; with `order: either` rows that far before the first
    training row are fine too. A date lasts until the next midnight. Columns without a zone are read in
    `timezone`, and the finding says so where one side has a zone and the other has not.

    Cost: on the usual night no scan of the training table: Delta's statistics tell that no file of it
    reaches the window, and one row is looked for to know that there are any; data without statistics is
    scanned once. Otherwise the time column of each side is scanned for its reach (not where Delta's log
    has it), that of the window again, and both for the days that they share, with a shuffle of a row
    for each day, or for each entity and day.

    Blind to: rows whose time is NULL or unreadable; features that were computed from later rows; the
    same rows under other times, which a comparison of keys sees.

    Example:
        >>> from datetime import datetime
        >>> from sparkguard.testing import judge
        >>> check = WindowOverlap(id="apart", dataset="scored", training="features")
        >>> days = {"scored": [27, 28], "features": [25, 27]}
        >>> tables = {name: [{"ts": datetime(2026, 1, day)} for day in on] for name, on in days.items()}
        >>> [finding] = judge(check, tables, time_columns={"scored": "ts", "features": "ts"})
        >>> finding.status.value, finding.message
        ('fail', "1 of 2 rows of scored is not later than 'features', which ends 2026-01-27 00:00:00; both have rows on 2026-01-27")
    """  # noqa: E501 - a message is one line

    TIMED: ClassVar[bool] = True
    QUANTITIES: ClassVar[Mapping[str, str]] = {
        "overlap_days": "days on which both have rows",
        "overlap_rows": "rows on these days",
        "overlap_entities": "entities that have rows in both on the same one of these days, where entity is given",
        "range_overlap_days": "days from the later of both beginnings to the earlier end, 0 if there are none",
        "gap_days": "days from the end of training to the first row, negative if that is earlier; measured where a "
        "bound asks for it or rows are near",
        "future_rows": "rows later than the start of the run",
        "training_future_rows": "rows of training later than the start of the run",
        "evaluated_rows": "rows of the window",
        "violation_rows": "rows that are not later than training, or too near to it",
        "violation_rate": "violation_rows / evaluated_rows",
    }
    COST: ClassVar[str] = (
        "usually no scan of training (Delta's statistics); else 1 scan of training's time column and 2 of the "
        "window's, and 1 of both with a shuffle of the days, or entities and days, that they share"
    )

    training: VersionedField = Field(examples=["path=data/features,time_column=time_hour"])
    """The dataset that the model was trained on, or {dataset, version}; on the command line also the dataset itself."""
    training_window: WindowField | None = Field(default=None, examples=["end=2026-01-01,length=365d"])
    """Half-open stretch of the time column of training: {end, length} or {start, end}."""
    gap: DurationField | None = Field(default=None, examples=["7d"])
    """How far apart both must be: the time until a label is known."""
    order: Literal["after", "either"] = "after"
    """Whether the window must lie after training, or only apart from it."""
    entity: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """Columns that name what the rows are about; entities on common days are then counted."""
    training_entity: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """The columns of training that entity is compared with, in its order (default: the same names)."""
    timezone: ZoneField = Field(default="", validate_default=True)
    """The zone of columns that have none, and of days; by default the suite's."""
    error_if: Bounds = {"violation_rows": Bound(">", 0.0), "training_future_rows": Bound(">", 0.0)}
    """Bounds on the quantities whose breach fails the check."""
    warn_if: Bounds = {"future_rows": Bound(">", 0.0)}
    """Bounds on the quantities whose breach warns."""

    @model_validator(mode="after")
    def _consistent(self) -> WindowOverlap:
        message = None
        if self._training == self.source:
            message = "training is the dataset itself; name another, or another version or window"
        elif self.training_entity and len(self.training_entity) != len(self.entity):
            message = "training_entity names as many columns of training as entity has"
        elif "overlap_entities" in {*self.error_if, *self.warn_if} and not self.entity:
            message = "a bound on overlap_entities needs entity: the columns that name what rows are about"
        elif self.violations_to is not None:
            message = "violations_to is not for this check; common days and entities are in the results"
        if message is not None:
            raise ValueError(message)
        return self

    @property
    def about(self) -> tuple[str, ...]:
        """The entity."""
        return self.entity

    @property
    def datasets(self) -> tuple[Source, ...]:
        """The window, and what the model was trained on."""
        return (self.source, self._training)

    def ask(self, seen: Evidence) -> Iterable[Measure[Answer]]:
        """Ask whether training reaches the window; how far, and which days both have, only if it does."""
        overlap = self._overlap(seen)
        yield RowCount(self.source)
        if self.window is None:
            yield overlap.window.extremes
        near = overlap.near(seen)
        if near is None:
            return
        yield near
        if near in seen:
            yield from (measure for measure in overlap.future(seen) if measure is not None)
            if self._measures_always or seen.require(near).rows:
                yield overlap.window.extremes
                yield overlap.training.extremes
                yield from self._details(seen, overlap)

    def judge(self, seen: Evidence, run: Run) -> tuple[Finding, ...]:  # noqa: ARG002 - `seen` has the clock
        """One finding for the window."""
        overlap = self._overlap(seen)
        rows, near = seen.require(RowCount(self.source)).rows, overlap.near(seen)
        finding = Finding(Status.PASS, "", columns=self.about, source=self.source, reference=self._training)
        if near is None or not rows:
            nothing = f"no row of {self.source} has a readable {overlap.window.time.name}" if rows else None
            empty = replace(finding, evaluated_rows=0, violation_rows=0)
            return (self.verdict(empty, passed="", failed="", nothing=nothing),)
        found = seen.require(near)
        if not found.rows and not found.others:
            message = f"no row of {self._training} has a readable {overlap.training.time.name}, so nothing was compared"
            raise DataError(message, "find out whether the training table is there, and which column has its times")
        return (self._verdict(seen, overlap, near, replace(finding, evaluated_rows=rows, violation_rows=0)),)

    @property
    def _training(self) -> Source:
        return Source(self.training.dataset, self.training_window, self.training.version)

    @property
    def _measures_always(self) -> bool:
        return any(name in {*self.error_if, *self.warn_if} for name in _MEASURED)

    def _overlap(self, seen: Evidence) -> Overlap:
        window, training = (Side.of(source, seen, self.timezone) for source in self.datasets)
        return Overlap(window, training, self.gap, after=self.order == "after")

    def _details(self, seen: Evidence, overlap: Overlap) -> Iterator[Measure[Answer]]:
        """What is too near and what both share, once both reaches are known."""
        reaches = overlap.reaches(seen)
        if reaches is not None:
            yield overlap.bad(reaches[1])
            shared = self._shared(seen, overlap, reaches)
            if shared is not None:
                yield shared

    def _shared(self, seen: Evidence, overlap: Overlap, reaches: tuple[Reach, Reach]) -> SharedDays | None:
        return overlap.shared(*reaches, self._pairs(seen), max(1, self.violation_limit))

    def _pairs(self, seen: Evidence) -> tuple[Pair, ...]:
        mine, theirs = (seen.schema(source) for source in self.datasets)
        return pair_key(mine, self.entity, theirs, self.training_entity or self.entity)

    def _verdict(self, seen: Evidence, overlap: Overlap, near: Near, finding: Finding) -> Finding:
        late = [0 if m is None else seen.require(m).rows for m in overlap.future(seen)]
        quantities = {"overlap_days": 0.0, "overlap_rows": 0.0, "range_overlap_days": 0.0}
        quantities |= dict(zip(("future_rows", "training_future_rows"), map(float, late), strict=True))
        quantities |= {"overlap_entities": 0.0} if self.entity else {}
        rest = self._future(late) + self._zones(seen, overlap)
        rows = f"{count(finding.evaluated_rows or 0, 'row')} of {self.source}"
        verb = "lies" if finding.evaluated_rows == 1 else "lie"
        reaches = overlap.reaches(seen)
        if reaches is None:
            told = f"{rows} {verb} apart from {self._apart(overlap, near)}{rest}"
            return self.verdict(_counted(finding, quantities), passed=told, failed=told, remedy=_FUTURE)
        bad = seen.require(overlap.bad(reaches[1])).rows
        wanted = self._shared(seen, overlap, reaches)
        shared = None if wanted is None else seen.require(wanted)
        quantities |= {"gap_days": overlap.apart(*reaches), "range_overlap_days": overlap.common(*reaches)}
        if shared is not None:
            quantities |= {"overlap_days": shared.days.keys, "overlap_rows": shared.days.rows}
            quantities |= {} if shared.entities is None else {"overlap_entities": shared.entities.keys}
        evidence = () if shared is None else (*self._day_evidence(overlap, shared), *self._entity_evidence(shared))
        full = _counted(replace(finding, violation_rows=bad, violations=evidence), quantities)
        passed = f"{rows} {verb} apart from {self._ends(overlap, reaches[1])}{rest}"
        failed = f"{bad:,} of {rows} {'is' if bad == 1 else 'are'} {self._where(overlap, reaches[1])}"
        failed += self._common(overlap, shared) + rest
        return self.verdict(full, passed=passed, failed=failed, remedy=_REMEDY if bad else _FUTURE)

    def _apart(self, overlap: Overlap, near: Near) -> str:
        """Why training was not measured: no row of it is near."""
        start = near.stretch.start_utc
        begin = "" if start is None else f" from {self._moment(overlap, overlap.training, start)} on"
        gap = "" if self.gap is None else f" (the gap of {self.gap} included)"
        return f"'{self.training.dataset}', which has no row{begin}{gap}"

    def _ends(self, overlap: Overlap, training: Reach) -> str:
        first, last = (self._moment(overlap, overlap.training, m) for m in (training.first, training.last))
        name = f"'{self.training.dataset}'"
        return f"{name}, which ends {last}" if self.order == "after" else f"{name} ({first} to {last})"

    def _where(self, overlap: Overlap, training: Reach) -> str:
        ends = self._ends(overlap, training)
        if self.order == "after":
            return f"not later than {ends}" if self.gap is None else f"not {self.gap} after {ends}"
        return (
            f"inside the time of {ends}"
            if self.gap is None
            else f"inside the time of or less than {self.gap} from {ends}"
        )

    def _common(self, overlap: Overlap, shared: SharedAnswer | None) -> str:
        if shared is None or not shared.days.keys:
            return "; no day has rows of both"
        first = self._hidden(str(shared.days.top[0].values[0]), overlap)
        days = first if shared.days.keys == 1 else f"{shared.days.keys:,} days, the first is {first}"
        entities = shared.entities
        both = "" if entities is None else f", and {count(entities.keys, 'entity', 'entities')} on the same day"
        return f"; both have rows on {days}{both}"

    def _future(self, rows: Iterable[int]) -> str:
        """How many rows of each side are later than now."""
        late = [(n, source) for n, source in zip(rows, self.datasets, strict=True) if n]
        told = (f"{count(n, 'row')} of {source} {'is' if n == 1 else 'are'} later than now" for n, source in late)
        return "".join(f"; {one}" for one in told)

    def _zones(self, seen: Evidence, overlap: Overlap) -> str:
        """Which column was read in the suite's zone, where the other side has one."""
        sides = (overlap.window, overlap.training)
        zoned = [side.zoned(seen) for side in sides]
        if zoned[0] == zoned[1]:
            return ""
        words = {
            True: "has a zone",
            False: f"has no zone and is read in {self.timezone}",
            None: f"is text, read in {self.timezone} where it says no zone",
        }
        told = (f"{s.time.name} of '{s.source.dataset}' {words[z]}" for s, z in zip(sides, zoned, strict=True))
        return "; " + ", ".join(told)

    def _moment(self, overlap: Overlap, side: Side, moment: datetime) -> str:
        if moment >= LATEST:
            return self._hidden(f"{LATEST.date()} or later", overlap)
        local = moment.astimezone(ZoneInfo(self.timezone)).replace(tzinfo=None)
        return self._hidden(str(local.date() if side.time.type == "date" else local), overlap)

    def _hidden(self, text: str, overlap: Overlap) -> str:
        """A time for a message, unless the suite keeps that of either side out."""
        return self.text(overlap.training.time.name, self.text(overlap.window.time.name, text))

    def _day_evidence(self, overlap: Overlap, shared: SharedAnswer) -> Iterator[Violation]:
        for day in shared.days.top:
            actual = f"{count(day.other_rows, 'row')} of '{self.training.dataset}'"
            key = {"day": self._hidden(str(day.values[0]), overlap)}
            yield Violation("overlap_day", key, "both have rows on this day", None, actual, day.rows)

    def _entity_evidence(self, shared: SharedAnswer) -> Iterator[Violation]:
        names = zip(self.entity, self.training_entity or self.entity, strict=True)
        hidden = [name for name, other in names if hides(self.redact, other)]
        for one in shared.entities.top if shared.entities else ():
            key = dict(zip(self.entity, one.values, strict=True)) | dict.fromkeys(hidden, REDACTED)
            actual = f"{count(one.other_rows, 'row')} of '{self.training.dataset}'"
            reason = "the entity has rows in both on the same day"
            yield Violation("overlap_entity", key, reason, None, actual, one.rows)


def _counted(finding: Finding, quantities: Mapping[str, float]) -> Finding:
    return replace(finding, quantities={name: Quantity(value) for name, value in quantities.items()})
