"""When the rows of a source are: from when to when, how many in a stretch, on which days two sources meet."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from sparkguard.core.columns import Column
from sparkguard.core.instant import EPOCH, micros_of, moment_of
from sparkguard.core.measure import Answer, Cost, Measure, RowMeasure, Rows, State
from sparkguard.core.source import Source
from sparkguard.core.types import is_text
from sparkguard.core.window import Stretch
from sparkguard.measures.pairing import Pair, Values, comparable
from sparkguard.measures.profile import ColumnMeasure, Extent, Extremes, Ordinal

ISO_DATE = r"^\d{4}-\d{2}-\d{2}"
"""How an ISO text begins; Spark would read a clock without a date as one of today."""
_MICROSECOND = timedelta(microseconds=1)
_DAY = timedelta(days=1)
EARLIEST, LATEST = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
"""Times beyond count as these, so that no zone and no gap leads out of the years that Python knows."""
_FIRST, _LAST = micros_of(EARLIEST), micros_of(LATEST)


@dataclass(frozen=True)
class Reach:
    """From the first to the last instant of some rows, both included, aware, in UTC.

    A day lasts to its last microsecond.
    """

    first: datetime
    last: datetime


@dataclass(frozen=True)
class Times(State):
    """The reach of texts in microseconds since 1970, and how many are times: with a zone, and at all."""

    HOLDS_VALUES = True

    first: int | None
    last: int | None
    zoned: int
    readable: int

    @classmethod
    def zero(cls) -> Self:
        """No texts."""
        return cls(None, None, 0, 0)

    def merge(self, other: Self) -> Self:
        """The reach of both."""
        firsts = [v for v in (self.first, other.first) if v is not None]
        lasts = [v for v in (self.last, other.last) if v is not None]
        zoned, readable = self.zoned + other.zoned, self.readable + other.readable
        return type(self)(min(firsts, default=None), max(lasts, default=None), zoned, readable)


@dataclass(frozen=True)
class TextTimes(ColumnMeasure[Times]):
    """From when to when are times that are written as ISO texts? Those without a zone are read in `timezone`."""

    STATE = Times

    timezone: str

    def twin(self, tables: Mapping[Source, Rows]) -> Times:
        """Read every text."""
        values = [v for (v,) in tables[self.source]]
        spans = [(v, s) for v in values if (s := span(v, self.column.type, self.timezone)) is not None]
        zoned = sum(_parsed(str(v)).tzinfo is not None for v, _ in spans)
        first, last = min((s[0] for _, s in spans), default=None), max((s[1] for _, s in spans), default=None)
        return Times(first, last, zoned, len(spans))


def extremes(source: Source, column: Column, timezone: str) -> Measure[Extent | Times]:
    """Ask for the reach of a time column."""
    return TextTimes(source, column, timezone) if is_text(column.type) else Extremes(source, column)


def reach(answer: Extent | Times, column: Column, timezone: str) -> Reach | None:
    """What the answer means; None if no row has a time. It ends at EARLIEST and LATEST."""
    if isinstance(answer, Times):
        first, last = answer.first, answer.last
    else:
        first, last = (None if v is None else _micros(v, column.type, timezone) for v in (answer.low, answer.high))
    if first is None or last is None:
        return None
    if column.type == "date":
        last += _day_length(last, timezone) - 1
    return Reach(*(moment_of(max(_FIRST, min(v, _LAST))) for v in (first, last)))


@dataclass(frozen=True)
class NearAnswer(Answer):
    """How many rows are in a stretch, and whether any other row has a time (None: not asked)."""

    rows: int
    others: bool | None


@dataclass(frozen=True)
class Near(RowMeasure[NearAnswer]):
    """How many rows of a source are in a stretch of time, and with `others`: is there any row outside of it?

    A time counts if it begins in the stretch; with `lasting` also a day that has begun before and lasts into
    it. Delta's statistics tell which files cannot have such rows, so where no file has, nothing is read; of
    the rows outside, one is looked for.
    """

    source: Source
    column: Column
    stretch: Stretch
    lasting: bool = False
    others: bool = False

    cost = Cost(scans=1, shuffles=0)

    @property
    def sources(self) -> tuple[Source, ...]:
        """The one source."""
        return (self.source,)

    @property
    def reads(self) -> Mapping[Source, tuple[Column, ...]]:
        """The time column."""
        return {self.source: (self.column,)}

    def twin(self, tables: Mapping[Source, Rows]) -> NearAnswer:
        """Look at every row."""
        spans = [s for (v,) in tables[self.source] if (s := span(v, self.column.type, self.stretch.timezone))]
        rows = sum(touches(s, self.stretch, lasting=self.lasting) for s in spans)
        return NearAnswer(rows, rows < len(spans) if self.others else None)

    def __str__(self) -> str:
        """For the plan."""
        return f"rows of {self.source} in {self.stretch} by {self.column.name}, from the files that may have some"


@dataclass(frozen=True)
class SharedKey:
    """A day, or an entity, that both sources have: its texts, and its rows on each side."""

    values: tuple[str | None, ...]
    rows: int
    other_rows: int


@dataclass(frozen=True)
class Shared:
    """How many days or entities both sources share, their rows on each side, and some of them."""

    keys: int
    rows: int
    other_rows: int
    top: tuple[SharedKey, ...]


@dataclass(frozen=True)
class SharedAnswer(Answer):
    """The days that both sources have, and the entities that both have on the same day, where they were asked for."""

    days: Shared
    entities: Shared | None


@dataclass(frozen=True)
class SharedDays(RowMeasure[SharedAnswer]):
    """On which days of a stretch do two sources both have rows, and which entities have rows in both on the same day?

    The first days come first, and the entities with the most rows. A NULL in the entity is shared with nothing.
    """

    one: Source
    other: Source
    times: tuple[Column, Column]
    stretch: Stretch
    entity: tuple[Pair, ...]
    limit: int

    cost = Cost(scans=2, shuffles=1)

    @property
    def sources(self) -> tuple[Source, ...]:
        """The two sources."""
        return (self.one, self.other)

    @property
    def reads(self) -> Mapping[Source, tuple[Column, ...]]:
        """The time and the entity of both sides."""
        return dict(zip(self.sources, self.columns, strict=True))

    @property
    def columns(self) -> tuple[tuple[Column, ...], tuple[Column, ...]]:
        """The columns of both sides: the time, then the entity."""
        return (self.times[0], *(p.one for p in self.entity)), (self.times[1], *(p.other for p in self.entity))

    def twin(self, tables: Mapping[Source, Rows]) -> SharedAnswer:
        """Count the days of both sides, and keep those that both have."""
        mine, theirs = (self._count(tables[s], t) for s, t in zip(self.sources, self.times, strict=True))
        days = [Counter[Values](), Counter[Values]()]
        for side, counted in zip(days, (mine, theirs), strict=True):
            for key, n in counted.items():
                side[key[:1]] += n
        found = self._shared(*days, by_day=True)
        if not self.entity:
            return SharedAnswer(found, None)
        both = [key for key in mine.keys() & theirs.keys() if None not in key]
        entities = [Counter[Values](), Counter[Values]()]
        for side, counted in zip(entities, (mine, theirs), strict=True):
            for key in both:
                side[key[1:]] += counted[key]
        return SharedAnswer(found, self._shared(*entities, by_day=False))

    def _count(self, rows: Sequence[Sequence[object]], column: Column) -> Counter[Values]:
        zone = ZoneInfo(self.stretch.timezone)
        spans = ((span(row[0], column.type, self.stretch.timezone), row[1:]) for row in rows)
        inside = ((s, entity) for s, entity in spans if s and touches(s, self.stretch, lasting=False))
        return Counter((_local_day(s[0], zone), *map(comparable, entity)) for s, entity in inside)

    def _shared(self, mine: Counter[Values], theirs: Counter[Values], *, by_day: bool) -> Shared:
        keys = [key for key in mine if mine[key] and theirs[key]]
        rows, other_rows = sum(mine[k] for k in keys), sum(theirs[k] for k in keys)
        texts = {k: (day_text(int(str(k[0]))),) if by_day else tuple(map(str, k)) for k in keys}
        found = [SharedKey(texts[k], mine[k], theirs[k]) for k in keys]
        found.sort(key=lambda one: (0 if by_day else -one.rows, tuple(map(str, one.values))))
        return Shared(len(keys), rows, other_rows, tuple(found[: self.limit]))

    def __str__(self) -> str:
        """For the plan."""
        what = f"days, and {', '.join(p.one.name for p in self.entity)} on days," if self.entity else "days"
        return f"{what} of {self.stretch} that {self.one} and {self.other} share"


def touches(span: tuple[int, int], stretch: Stretch, *, lasting: bool) -> bool:
    """Whether a time begins in a stretch, or with `lasting` lasts into it."""
    start, end = (None if m is None else micros_of(m) for m in (stretch.start_utc, stretch.end_utc))
    return (start is None or start <= span[1 if lasting else 0]) and (end is None or span[0] < end)


def span(value: object, kind: str, timezone: str) -> tuple[int, int] | None:
    """The first and the last microsecond of a time since 1970; None if it is none. The oracle of Spark's reading."""
    if value is None:
        return None
    if isinstance(value, str):
        try:
            moment = _parsed(value)
        except ValueError:
            return None
        value = moment if ":" in value else moment.date()
        kind = "text"
    zone = UTC if kind == "timestamp" else ZoneInfo(timezone)
    if isinstance(value, datetime):
        at = micros_of(value if value.tzinfo else value.replace(tzinfo=zone))
        return at, at
    if not isinstance(value, date):
        return None
    begin = micros_of(datetime.combine(value, time(), zone))
    return begin, begin + _day_length(begin, timezone) - 1


def day_text(day: int) -> str:
    """A day, given in days since 1970."""
    return date.fromordinal(day + EPOCH.toordinal()).isoformat()


def _micros(ordinal: Ordinal, kind: str, timezone: str) -> int:
    """The instant of an ordinal of `Extremes`."""
    if kind == "timestamp":
        return int(ordinal)
    micros = int(ordinal) * (_DAY // _MICROSECOND if kind == "date" else 1)
    wall = moment_of(max(_FIRST, min(micros, _LAST))).replace(tzinfo=ZoneInfo(timezone))
    return micros - (wall.utcoffset() or timedelta()) // _MICROSECOND


def _day_length(begin: int, timezone: str) -> int:
    """Microseconds from the midnight that begins a day to the next: a change to summer time takes an hour."""
    zone = ZoneInfo(timezone)
    if not _FIRST < begin < _LAST:
        return _DAY // _MICROSECOND
    start = moment_of(begin).astimezone(zone).replace(tzinfo=None)
    return micros_of((start + _DAY).replace(tzinfo=zone)) - begin


def _local_day(micros: int, zone: ZoneInfo) -> int:
    return moment_of(micros).astimezone(zone).toordinal() - EPOCH.toordinal()


def _parsed(text: str) -> datetime:
    if not re.match(ISO_DATE, text):
        message = f"'{text}' does not begin with a date"
        raise ValueError(message)
    return datetime.fromisoformat(text.rstrip())
