"""How far apart in time two sources are: which question is asked when, and what the answers mean."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sparkguard.core.columns import Column
from sparkguard.core.evidence import Evidence
from sparkguard.core.measure import Measure
from sparkguard.core.source import Source
from sparkguard.core.types import is_text
from sparkguard.core.window import Duration, Stretch
from sparkguard.errors import DataError
from sparkguard.measures.pairing import Pair
from sparkguard.measures.profile import Extent
from sparkguard.measures.times import EARLIEST, LATEST, Near, Reach, SharedDays, Times, extremes, reach

_MICROSECOND = timedelta(microseconds=1)
_DAY = timedelta(days=1)
_BEFORE_ALL = EARLIEST - _DAY


@dataclass(frozen=True)
class Side:
    """One of the two sources, with its time column, which is read in `timezone` if it has no zone."""

    source: Source
    time: Column
    timezone: str

    @classmethod
    def of(cls, source: Source, seen: Evidence, timezone: str) -> Side:
        """The side of a source; `DataError` if its dataset has no time column."""
        name = seen.time_column(source)
        if name is None:
            message = f"dataset '{source.dataset}' has no time_column"
            raise DataError(message, "add time_column to the dataset in the suite")
        return cls(source, seen.schema(source).column(name), timezone)

    @property
    def extremes(self) -> Measure[Extent | Times]:
        """The question for its first and last time."""
        return extremes(self.source, self.time, self.timezone)

    def reach(self, seen: Evidence) -> Reach | None:
        """From its first to its last instant; None if that is not known, or no row has a time."""
        measure = self.extremes
        return reach(seen.require(measure), self.time, self.timezone) if measure in seen else None

    def zoned(self, seen: Evidence) -> bool | None:
        """Whether its times say their zone; None where only some texts do, or they have not been read."""
        if not is_text(self.time.type):
            return self.time.type == "timestamp"
        found = seen.require(self.extremes) if self.extremes in seen else None
        if not isinstance(found, Times) or 0 < found.zoned < found.readable:
            return None
        return found.zoned > 0

    @property
    def begin(self) -> datetime | None:
        """The earliest instant at which its window may begin; None without a window."""
        window = self.source.window
        if window is None or window.start is None or window.start_utc is None:
            return None
        # A window is of the suite's zone; what has none is compared with it as it is written.
        own = window.start.replace(tzinfo=ZoneInfo(self.timezone)).astimezone(UTC)
        return window.start_utc if self.time.type == "timestamp" else min(window.start_utc, own)

    def rows(self, start: datetime | None, end: datetime | None, *, lasting: bool, others: bool = False) -> Near:
        """The question for its rows from one instant to another, of the window that it has anyway."""
        reading = "UTC" if self.time.type == "timestamp" else self.timezone
        first, last = (None if m is None or m <= EARLIEST else _wall(m, reading) for m in (start, end))
        return Near(self.source, self.time, Stretch(first, last, reading), lasting, others)


@dataclass(frozen=True)
class Overlap:
    """A window and what a model was trained on, which must be `gap` apart, the window `after` it or on either side."""

    window: Side
    training: Side
    gap: Duration | None
    after: bool

    def near(self, seen: Evidence) -> Near | None:
        """The question for training's rows that are too near to the window or later.

        None while the window's own reach is unknown, or if it has none.
        """
        begin = self.window.begin
        if begin is None:
            found = self.window.reach(seen)
            begin = found.first if found else None
        return None if begin is None else self.training.rows(self._moved(begin, -1), None, lasting=True, others=True)

    def future(self, seen: Evidence) -> tuple[Near | None, Near | None]:
        """The questions for rows of the window and of training that begin after now; None if there can be none."""
        now, window, near = seen.now, self.window.source.window, self.near(seen)
        # A zone is at most a day away from another.
        over = window is not None and window.end_utc + _DAY <= now
        start = near.stretch.start_utc if near is not None and near in seen and not seen.require(near).rows else None
        none_later = start is not None and start <= now
        mine, theirs = (side.rows(now, None, lasting=False) for side in (self.window, self.training))
        return None if over else mine, None if none_later else theirs

    def reaches(self, seen: Evidence) -> tuple[Reach, Reach] | None:
        """The reaches of the window and of training, once both are known."""
        mine, theirs = self.window.reach(seen), self.training.reach(seen)
        return None if mine is None or theirs is None else (mine, theirs)

    def bad(self, theirs: Reach) -> Near:
        """The question for the window's rows that are too near to training, or on the wrong side of it."""
        late = theirs.last + _MICROSECOND if self.gap is None else self._moved(theirs.last, 1)
        early = None
        if not self.after:
            early = theirs.first if self.gap is None else self._moved(theirs.first, -1) + _MICROSECOND
        return self.window.rows(early, late, lasting=True)

    def shared(self, mine: Reach, theirs: Reach, entity: tuple[Pair, ...], limit: int) -> SharedDays | None:
        """The question for days, and entities on days, that both may have; None if there can be none."""
        zone = self.window.timezone
        first, last = max(mine.first, theirs.first), min(mine.last, theirs.last)
        start, end = (_wall(m, zone).replace(hour=0, minute=0, second=0, microsecond=0) for m in (first, last + _DAY))
        if start >= end:
            return None
        stretch = Stretch(None if first <= EARLIEST else start, end, zone)
        times = (self.window.time, self.training.time)
        return SharedDays(self.window.source, self.training.source, times, stretch, entity, limit)

    def apart(self, mine: Reach, theirs: Reach) -> float:
        """Calendar days from the end of training to the window; with `either` those on the wider side.

        Negative if the window begins before.
        """
        zone = self.window.timezone
        after, before = (
            _wall(b, zone) - _wall(a, zone) for a, b in ((theirs.last, mine.first), (mine.last, theirs.first))
        )
        return round((after if self.after else max(after, before)) / _DAY, 6)

    @staticmethod
    def common(mine: Reach, theirs: Reach) -> float:
        """Length in days of the common stretch."""
        length = min(mine.last, theirs.last) - max(mine.first, theirs.first)
        return round(max(timedelta(), length) / _DAY, 6)

    def _moved(self, moment: datetime, sign: int) -> datetime:
        """The moment that lies the gap away, by the calendar."""
        if self.gap is None:
            return moment
        zone = ZoneInfo(self.window.timezone)
        try:
            moved = (self.gap.after if sign > 0 else self.gap.before)(_wall(moment, zone.key), zone)
            return moved.replace(tzinfo=zone).astimezone(UTC)
        except OverflowError:
            return LATEST if sign > 0 else _BEFORE_ALL


def _wall(moment: datetime, zone: str) -> datetime:
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
