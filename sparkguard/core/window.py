"""Lengths of time and half-open windows, in the wall-clock time of a suite's timezone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
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
        if self.days:
            return moment - timedelta(days=self.days)
        instant = moment.replace(tzinfo=zone).astimezone(UTC) - timedelta(seconds=self.seconds)
        return instant.astimezone(zone).replace(tzinfo=None)


@dataclass(frozen=True, slots=True)
class Window:
    """The half-open stretch [start, end) of wall-clock time in `timezone`.

    `start` and `end` are naive datetimes; a `start` of None means "everything before `end`".
    """

    start: datetime | None
    end: datetime
    timezone: str = "UTC"

    @property
    def start_utc(self) -> datetime | None:
        """The first instant of the window, aware, in UTC."""
        return None if self.start is None else self._utc(self.start)

    @property
    def end_utc(self) -> datetime:
        """The first instant after the window, aware, in UTC."""
        return self._utc(self.end)

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

    def __str__(self) -> str:
        """Render as `[start, end)`, dates without a needless midnight."""
        return f"[{_short(self.start)}, {_short(self.end)})"

    def _utc(self, moment: datetime) -> datetime:
        return moment.replace(tzinfo=ZoneInfo(self.timezone)).astimezone(UTC)


def _short(moment: datetime | None) -> str:
    if moment is None:
        return "beginning"
    text = moment.isoformat(sep=" ")
    return text.removesuffix(" 00:00:00")
