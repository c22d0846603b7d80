"""Which contiguous stretches of a reference stand for the windows that a healthy table shows.

A window is compared with its base; so is each of at least 26 disjoint stretches of the reference that
are as long as the window. What the stretches show is what the window is judged by. Blocks are numbered
from the reference's first, 0, to its last, B - 1; a span (start, stop) is half-open.

- forward: a base is what lies before, at the same gap as between the reference's end and the window.
  All bases are equally long, the window's too: were it compared with the whole reference, and stretches
  with what there was before them, it would be the farthest from the middle of its base, and a steady
  trend would be drift in every second night (`docs/calibration.md`).
- around: a base is the reference without the stretch, and without the window if that lies inside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import accumulate
from math import gcd
from typing import Literal

Mode = Literal["forward", "around"]
Seasonality = Literal["none", "weekly", "yearly"]
Span = tuple[int, int]

LEAST = 26
"""Stretches without which there is no verdict: the rank of one of 27 is at best 3.7 %."""
LEAST_BASE = 4
"""Windows that a base of `forward` has at least."""
YEARS = 3
"""Whole years that a reference needs for `yearly`."""

_WEEK = timedelta(days=7)
_YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Stretch:
    """One snapshot of the reference, and the spans that it is compared with."""

    start: int
    stop: int
    base: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Snapshots:
    """What is judged by what: the last `length` blocks of the window against `base`, by the stretches.

    Stretches are disjoint, and in order of time.
    """

    length: int
    base: tuple[Span, ...]
    stretches: tuple[Stretch, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """A reference of B blocks, of which the first begins at `first`, and a window of `window` blocks.

    `rows` has the number of rows of each block: a stretch or base without any is none. `gap` is how many
    blocks lie between the reference's end and the window's start; negative if the window starts inside.
    """

    rows: Sequence[int]
    window: int
    gap: int
    first: datetime
    block: timedelta = timedelta(days=1)

    @property
    def blocks(self) -> int:
        """How many blocks the reference has."""
        return len(self.rows)

    @property
    def start(self) -> int:
        """The number of the window's first block."""
        return self.blocks + self.gap

    @property
    def taken(self) -> Span:
        """The blocks of the reference that are the window's."""
        return max(self.start, 0), min(max(self.start + self.window, 0), self.blocks)


def choose(timeline: Timeline, mode: Mode, seasonality: Seasonality = "none") -> Snapshots | None:
    """Choose the stretches for the window, or for as much of its end as has 26; None if there is nothing to judge by.

    weekly: each stretch starts in the window's phase of the week. yearly: near the window's day of the
    year, nearest first and no more than 26; None where the reference has less than three years.
    """
    if timeline.window < 1 or (seasonality == "yearly" and timeline.blocks * timeline.block < YEARS * _YEAR):
        return None
    for length in range(timeline.window, 0, -1):
        start = timeline.start + timeline.window - length
        places = _places(timeline, start, length, seasonality)
        most = LEAST if seasonality == "yearly" else timeline.blocks
        if mode == "forward":
            chosen = _forward(timeline, start, length, places, most)
        else:
            chosen = _around(timeline, length, places, most)
        if chosen is not None:
            return chosen
    return None


def _places(timeline: Timeline, start: int, length: int, seasonality: Seasonality) -> list[int]:
    """Where a stretch may start, in the order in which places are tried."""
    latest_first = range(timeline.blocks - length, -1, -1)
    if seasonality == "weekly":
        tick = timedelta(microseconds=1)
        phases = _WEEK // tick // gcd(_WEEK // tick, timeline.block // tick)
        return list(latest_first[(latest_first.start - start) % phases :: phases])
    if seasonality == "yearly":
        at = timeline.first + start * timeline.block
        years = range(timeline.blocks * timeline.block // _YEAR + 1)
        days = [start - (at - _years_before(at, y)) // timeline.block for y in years]
        return sorted(latest_first, key=lambda t: min(abs(t - d) for d in days))
    return list(latest_first)


def _forward(timeline: Timeline, start: int, length: int, places: Sequence[int], most: int) -> Snapshots | None:
    """Take the longest base, of at most a quarter of the reference, that leaves 26 stretches."""
    end = min(timeline.blocks, timeline.start)
    gap = start - end
    longest = min((end - gap) // 4, end - gap - LEAST * length)
    for size in range(longest, LEAST_BASE * length - 1, -length):

        def base(at: int, size: int = size) -> tuple[Span, ...]:
            return ((at - gap - size, at - gap),)

        free = [t for t in places if gap + size <= t <= end - length]
        stretches = _disjoint(timeline.rows, free, length, base, most)
        if len(stretches) >= LEAST:
            return _known(timeline.rows, Snapshots(length, base(start), stretches))
    return None


def _around(timeline: Timeline, length: int, places: Sequence[int], most: int) -> Snapshots | None:
    """Compare each stretch with all that is neither its own nor the window's."""
    left, right = timeline.taken
    whole = (0, timeline.blocks)
    if timeline.blocks < LEAST * length:
        return None

    def base(at: int) -> tuple[Span, ...]:
        return _without(whole, (at, at + length), (left, right))

    free = [t for t in places if t + length <= left or t >= right or left == right]
    stretches = _disjoint(timeline.rows, free, length, base, most)
    if len(stretches) < LEAST:
        return None
    return _known(timeline.rows, Snapshots(length, _without(whole, (left, right)), stretches))


def _disjoint(
    rows: Sequence[int], starts: Iterable[int], length: int, base: Callable[[int], tuple[Span, ...]], most: int
) -> tuple[Stretch, ...]:
    """Take each stretch that has rows, a base with rows, and no block of one taken before."""
    total = [0, *accumulate(rows)]
    used = bytearray(len(rows))
    chosen: list[Stretch] = []
    for start in starts:
        stop = start + length
        if len(chosen) == most:
            break
        if used[start] or used[stop - 1] or total[stop] == total[start]:
            continue
        stretch = Stretch(start, stop, base(start))
        if any(total[b] > total[a] for a, b in stretch.base):
            used[start:stop] = b"\x01" * length
            chosen.append(stretch)
    return tuple(sorted(chosen, key=lambda s: s.start))


def _known(rows: Sequence[int], snapshots: Snapshots) -> Snapshots | None:
    """Nothing to judge by if the window's base has no rows."""
    return snapshots if any(sum(rows[a:b]) for a, b in snapshots.base) else None


def _without(whole: Span, *holes: Span) -> tuple[Span, ...]:
    """Cut holes out of a span."""
    spans, at = [], whole[0]
    for left, right in sorted(h for h in holes if h[0] < h[1]):
        spans.append((at, left))
        at = max(at, right)
    return tuple((a, b) for a, b in [*spans, (at, whole[1])] if a < b)


def _years_before(moment: datetime, years: int) -> datetime:
    """The same day of an earlier year; 28 February for a leap day."""
    year = moment.year - years
    try:
        return moment.replace(year=year)
    except ValueError:
        return moment.replace(year=year, day=28)
