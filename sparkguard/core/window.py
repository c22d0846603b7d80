"""Lengths of time and half-open windows, in the wall-clock time of a suite's timezone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

_LENGTH = re.compile(r"(\d+)\s*([wdhms])")
_SECONDS = {"h": 3600, "m": 60, "s": 1}


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time: whole calendar days, or seconds of physical time."""

    days: int = 0
    seconds: int = 0

    @classmethod
    def parse(cls, text: str) -> Duration:
        """Read `30d`, `4w`, `6h`, `90m` or `45s`; `ValueError` for anything else or zero."""
        match = _LENGTH.fullmatch(text.strip())
        if match is None or int(match[1]) == 0:
            message = f"'{text}' is not a length of time; write for example 30d, 4w, 6h, 90m or 45s"
            raise ValueError(message)
        number, unit = int(match[1]), match[2]
        if unit in "wd":
            return cls(days=number * (7 if unit == "w" else 1))
        return cls(seconds=number * _SECONDS[unit])

    def __str__(self) -> str:
        """Render as in the configuration: `30d`, `21600s`."""
        return f"{self.days}d" if self.days else f"{self.seconds}s"

    def before(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """Go back from a wall-clock `moment`: days keep the hour across a change to summer time."""
        return self._from(moment, zone, -1)

    def after(self, moment: datetime, zone: ZoneInfo) -> datetime:
        """Go on from a wall-clock `moment`, as `before` goes back."""
        return self._from(moment, zone, 1)

    def _from(self, moment: datetime, zone: ZoneInfo, sign: int) -> datetime:
        if self.days:
            return moment + sign * timedelta(days=self.days)
        instant = moment.replace(tzinfo=zone).astimezone(UTC) + sign * timedelta(seconds=self.seconds)
        return instant.astimezone(zone).replace(tzinfo=None)


@dataclass(frozen=True)
class Stretch:
    """The half-open stretch [start, end) of wall-clock time in `timezone`.

    `start` and `end` are naive datetimes; None means that it is open on that side.
    """

    start: datetime | None
    end: datetime | None
    timezone: str = "UTC"

    @property
    def start_utc(self) -> datetime | None:
        """The first instant, aware, in UTC."""
        return None if self.start is None else self._utc(self.start)

    @property
    def end_utc(self) -> datetime | None:
        """The first instant after it, aware, in UTC."""
        return None if self.end is None else self._utc(self.end)

    def __str__(self) -> str:
        """Render as `[start, end)`, dates without a needless midnight."""
        start, end = (None if m is None else _short(m) for m in (self.start, self.end))
        return f"[{start or 'beginning'}, {end or 'open'})"

    def _utc(self, moment: datetime) -> datetime:
        return moment.replace(tzinfo=ZoneInfo(self.timezone)).astimezone(UTC)


@dataclass(frozen=True)
class Window(Stretch):
    """A stretch that ends: what users write, and what datasets are cut into."""

    end: datetime

    @property
    def end_utc(self) -> datetime:
        """The first instant after the window, aware, in UTC."""
        return self._utc(self.end)

    def days(self) -> tuple[Window, ...] | None:
        """The window day by day; None if it does not consist of whole days."""
        if self.start is None or any(moment.time() != time() for moment in (self.start, self.end)):
            return None
        starts = (self.start + timedelta(days=number) for number in range((self.end - self.start).days))
        return tuple(Window(start, start + timedelta(days=1), self.timezone) for start in starts)

    def preceding(self, length: Duration | None) -> Window:
        """The window of `length` (None: of all time) that ends where this one starts."""
        if self.start is None:
            message = "a window without a start has nothing before it"
            raise ValueError(message)
        start = length.before(self.start, ZoneInfo(self.timezone)) if length else None
        return Window(start, self.start, self.timezone)

    def earlier(self, offset: Duration | None) -> Window:
        """The window as long as this one that ends `offset` before its end, or where it starts."""
        if self.start is None:
            message = "a window without a start has nothing before it"
            raise ValueError(message)
        zone = ZoneInfo(self.timezone)
        if offset is None and self.start.time() == self.end.time():
            return Window(self.start - (self.end - self.start), self.start, self.timezone)
        if offset is None:
            # Hours are physical time: a night in which clocks change has one more or one less.
            start = 2 * Window._instant(self.start, zone) - Window._instant(self.end, zone)
            return Window(datetime.fromtimestamp(start, zone).replace(tzinfo=None), self.start, self.timezone)
        return Window(offset.before(self.start, zone), offset.before(self.end, zone), self.timezone)

    @staticmethod
    def _instant(moment: datetime, zone: ZoneInfo) -> float:
        return moment.replace(tzinfo=zone).timestamp()


def _short(moment: datetime) -> str:
    text = moment.isoformat(sep=" ")
    return text.removesuffix(" 00:00:00")
