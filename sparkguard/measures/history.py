"""What a metric was on the nights before, from the result tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sparkguard.core.measure import Answer, Probe
from sparkguard.stats.prediction import WEEK, tells_weekdays

MOST_POINTS = 400
"""So many points of each subject are remembered at most: a year of nights, and some that were left out."""

MOST_SUBJECTS = 1000
"""So many subjects are asked for at once, at most: some ten megabytes for the driver."""


class Subject(NamedTuple):
    """What a row of `metrics` is about: a column, `:table`, or as `:set:validation`; and a slice of it."""

    column: str
    slice_key: str | None = None
    slice_value: str | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """A metric of one window: its value, and the window's bounds, aware, in UTC.

    `end` is exclusive. A number without a window ends with the day of its run, as if that were UTC.
    """

    value: float
    start: datetime | None
    end: datetime

    def day(self, zone: ZoneInfo) -> int:
        """The last day of the window, by its ordinal; the window's end belongs to the day after."""
        return (self.end - timedelta(microseconds=1)).astimezone(zone).date().toordinal()

    def alike(self, other: Point, zone: ZoneInfo) -> bool:
        """Whether both windows have one length, in seconds or in wall-clock time, where days have 23 to 25 hours."""
        if self.start is None or other.start is None:
            return self.start is other.start
        physical = self.end - self.start == other.end - other.start
        local = [
            p.end.astimezone(zone).replace(tzinfo=None) - s.astimezone(zone).replace(tzinfo=None)
            for p, s in ((self, self.start), (other, other.start))
        ]
        return physical or local[0] == local[1]


@dataclass(frozen=True, slots=True)
class Series:
    """Tonight's point and those that it is compared with, with the weekday of each as a number, 0 for Sunday.

    All numbers are 0 where weekdays cannot be told apart. `left_out` points are of windows of another length.
    """

    now: Point
    points: tuple[Point, ...]
    weekdays: tuple[int, ...]
    weekday: int
    weekly: bool
    left_out: int

    @classmethod
    def of(cls, now: Point, points: Iterable[Point], zone: ZoneInfo, since: datetime | None = None) -> Series:
        """Choose what tonight's point is compared with: windows of its own length that end before, from `since` on."""
        moment = timedelta(microseconds=1)
        near = [p for p in points if p.end < now.end and (since is None or (p.start or p.end - moment) >= since)]
        kept = tuple(p for p in near if p.alike(now, zone))
        days = [p.day(zone) for p in kept]
        weekly = tells_weekdays(days)
        weekdays = tuple(day % WEEK if weekly else 0 for day in days)
        return cls(now, kept, weekdays, now.day(zone) % WEEK if weekly else 0, weekly, len(near) - len(kept))


@dataclass(frozen=True)
class History(Answer):
    """The points of each subject, oldest window first; subjects without a point are left out."""

    points: Mapping[Subject, tuple[Point, ...]]


@dataclass(frozen=True)
class MetricHistory(Probe[History]):
    """What was a metric of a check on earlier nights, as far as it may serve as a baseline?

    Points come from committed runs of the suite other than this one. Of runs with the same window the
    one that started last counts, and it counts only if the metric has a finite value, its check did
    not fail, and neither did `judge`, the check that asks. At most `MOST_POINTS` of a subject, the newest.

    `until` is the end of tonight's window, aware, in UTC: only windows that end before it count. None:
    numbers without a window, which are ordered by the date of their run.
    """

    judge: str
    check: str
    metric: str
    columns: tuple[str, ...]
    until: datetime | None = None

    def __str__(self) -> str:
        """For the plan."""
        return f"history of {self.metric} of {self.check}"
