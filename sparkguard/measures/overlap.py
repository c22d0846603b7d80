"""How far apart in time two sources are: which question is asked when, and what the answers mean."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sparkguard.core.columns import Column
from sparkguard.core.evidence import Evidence
from sparkguard.core.measure import Measure
from sparkguard.core.source import Source
from sparkguard.core.types import is_text
from sparkguard.core.window import Duration, Stretch, Window
from sparkguard.measures.pairing import Pair
from sparkguard.measures.profile import Extent
from sparkguard.measures.tallies import RowCount
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

    @property
    def zoned(self) -> bool | None:
        """Whether its times say their zone; None where each text says so for itself."""
        return None if is_text(self.time.type) else self.time.type == "timestamp"

    @property
    def extremes(self) -> Measure[Extent | Times]:
        """The question for its first and last time."""
        return extremes(self.source, self.time, self.timezone)

    def reach(self, seen: Evidence) -> Reach | None:
        """From its first to its last instant; None if that is not known, or no row has a time."""
        measure = self.extremes
        return reach(seen.require(measure), self.time, self.timezone) if measure in seen else None

    def from_day(self, moment: datetime) -> Near:
        """The question for its rows from a moment on, and for any other; a day counts if it has begun before."""
        return replace(self.since(self._begun(moment)), others=True)

    def since(self, moment: datetime) -> Near:
        """The question for its rows that begin at a moment or later."""
        return Near(self.source, self.time, Stretch(self._wall(moment), None, self._reading))

    def between(self, start: datetime, end: datetime) -> Source:
        """Its rows from one instant to another; a day counts if it has begun before."""
        window = Window(self._wall(self._begun(start)), _wall(end, ZoneInfo(self._reading)), self._reading)
        return Source(self.source.dataset, window, self.source.version)

    def _begun(self, moment: datetime) -> datetime:
        """The midnight before a moment, if a value may be a day: it lasts until the next."""
        if moment > EARLIEST and (self.zoned is None or self.time.type == "date"):
            return moment.astimezone(ZoneInfo(self.timezone)).replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        return moment

    def _wall(self, moment: datetime) -> datetime | None:
        """A moment as the column writes it; None before all that can be written."""
        return None if moment <= EARLIEST else _wall(moment, ZoneInfo(self._reading))

    @property
    def _reading(self) -> str:
        """The zone in whose wall-clock time the column is read."""
        return "UTC" if self.zoned else self.timezone


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
        window = self.window.source.window
        begin = None if window is None else window.start_utc
        if begin is None:
            found = self.window.reach(seen)
            begin = found.first if found else None
        return None if begin is None else self.training.from_day(self._moved(begin, -1))

    def reaches(self, seen: Evidence) -> tuple[Reach, Reach] | None:
        """The reaches of the window and of training, once both are known."""
        mine, theirs = self.window.reach(seen), self.training.reach(seen)
        return None if mine is None or theirs is None else (mine, theirs)

    def bad(self, mine: Reach, theirs: Reach) -> RowCount | None:
        """The question for the window's rows that are too near; None if there can be none."""
        late = theirs.last + _MICROSECOND if self.gap is None else self._moved(theirs.last, 1)
        early = mine.first
        if not self.after:
            early = theirs.first if self.gap is None else self._moved(theirs.first, -1) + _MICROSECOND
        start, end = max(mine.first, early), min(mine.last + _MICROSECOND, late)
        return RowCount(self.window.between(start, end)) if start < end else None

    def shared(self, mine: Reach, theirs: Reach, entity: tuple[Pair, ...], limit: int) -> SharedDays | None:
        """The question for the days, or entities and days, of the common stretch; None if there is none."""
        start, end = max(mine.first, theirs.first), min(mine.last, theirs.last) + _MICROSECOND
        if start >= end:
            return None
        sources = [side.between(start, end) for side in (self.window, self.training)]
        times = (self.window.time, self.training.time)
        return SharedDays(sources[0], sources[1], times, self.window.timezone, entity, limit)

    def apart(self, mine: Reach, theirs: Reach) -> float:
        """Days from the end of training to the window, negative if that begins before; the wider side with `either`."""
        after = mine.first - theirs.last
        return (after if self.after else max(after, theirs.first - mine.last)) / _DAY

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
            moved = (self.gap.after if sign > 0 else self.gap.before)(_wall(moment, zone), zone)
            return moved.replace(tzinfo=zone).astimezone(UTC)
        except OverflowError:
            return LATEST if sign > 0 else _BEFORE_ALL


def _wall(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)
