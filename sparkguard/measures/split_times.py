"""Are splits ordered in time? The reach of each first; which rows are out of order only where two reaches meet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from zoneinfo import ZoneInfo

from sparkguard.core.columns import Column
from sparkguard.core.instant import micros_of, moment_of
from sparkguard.core.measure import A_co, Answer, Cost, RowMeasure, Rows
from sparkguard.core.source import Source
from sparkguard.core.window import Duration
from sparkguard.measures.splits import Part, Splits
from sparkguard.measures.times import EARLIEST, LATEST, span

Span = tuple[int, int]


@dataclass(frozen=True)
class SplitReach:
    """The rows of a split, those without a readable time, and the first and last microsecond of the others.

    A day lasts to its last microsecond. None: no row has a time.
    """

    rows: int
    null_rows: int
    first: int | None
    last: int | None


@dataclass(frozen=True)
class SplitReachesAnswer(Answer):
    """The reach of each split, and the rows of no split."""

    reaches: tuple[SplitReach, ...]
    others: int


@dataclass(frozen=True)
class TimesMeasure(RowMeasure[A_co]):
    """A question about the times of all splits; what has no zone is read in `timezone`."""

    splits: Splits
    times: tuple[Column, ...]
    timezone: str

    @property
    def sources(self) -> tuple[Source, ...]:
        """Those of the splits."""
        return self.splits.sources

    def spans(self, tables: Mapping[Source, Rows]) -> Iterator[tuple[int | None, int, Span | None, Sequence[object]]]:
        """Of every row its split, its source, its time, and its other values."""
        for split, at, values in self.splits.rows(tables):
            yield split, at, span(values[0], self.times[at].type, self.timezone), values


@dataclass(frozen=True)
class SplitReaches(TimesMeasure[SplitReachesAnswer]):
    """How many rows has each split, and from when to when?"""

    @property
    def cost(self) -> Cost:
        """One read of each source; a row for each split and task is shuffled."""
        return Cost(scans=len(self.sources), shuffles=1)

    @property
    def reads(self) -> Mapping[Source, tuple[Column, ...]]:
        """The time, and what tells the split."""
        return self.splits.reads(self.times)

    def twin(self, tables: Mapping[Source, Rows]) -> SplitReachesAnswer:
        """Look at every row."""
        reaches, others = [SplitReach(0, 0, None, None)] * len(self.splits.names), 0
        for split, _, found, _ in self.spans(tables):
            if split is None:
                others += 1
                continue
            old = reaches[split]
            new = replace(old, rows=old.rows + 1, null_rows=old.null_rows + (found is None))
            if found is not None:
                first, last = ((v,) if v is not None else () for v in (old.first, old.last))
                new = replace(new, first=min(*first, found[0], found[0]), last=max(*last, found[1], found[1]))
            reaches[split] = new
        return SplitReachesAnswer(tuple(reaches), others)

    def __str__(self) -> str:
        """For the plan."""
        return f"reaches of {self.splits} in time"


@dataclass(frozen=True)
class Border:
    """Where two splits meet that should not, in microseconds since 1970.

    A row of the split `one` is out of order if it lasts beyond `after`, one of `other` if it begins
    before `before`.
    """

    one: int
    other: int
    after: int
    before: int


def borders(reaches: Sequence[SplitReach], gap: Duration | None, timezone: str) -> tuple[Border, ...]:
    """Every two splits of which the earlier does not end `gap` before the later begins."""
    found = []
    for one, mine in enumerate(reaches):
        for other, theirs in enumerate(reaches[one + 1 :], one + 1):
            if mine.last is None or theirs.first is None:
                continue
            after = theirs.first - 1 if gap is None else _moved(theirs.first, gap, timezone, -1)
            before = mine.last + 1 if gap is None else _moved(mine.last, gap, timezone, 1)
            if mine.last > after or theirs.first < before:
                found.append(Border(one, other, after, before))
    return tuple(found)


def _moved(micros: int, gap: Duration, timezone: str, sign: int) -> int:
    """The moment that lies the gap away, by the calendar."""
    first, last = micros_of(EARLIEST), micros_of(LATEST)
    if not first <= micros <= last:
        return micros
    zone = ZoneInfo(timezone)
    wall = moment_of(micros).astimezone(zone).replace(tzinfo=None)
    try:
        moved = (gap.after if sign > 0 else gap.before)(wall, zone)
        return micros_of(moved.replace(tzinfo=zone).astimezone(UTC))
    except OverflowError:
        return last if sign > 0 else first


@dataclass(frozen=True)
class StrayRow:
    """A row out of order: its split, its first and last microsecond, its time and its key as texts."""

    split: int
    first: int
    last: int
    values: tuple[str | None, ...]


@dataclass(frozen=True)
class StraysAnswer(Answer):
    """Rows out of order: of both splits at each border, of each split at any, and the furthest of each split."""

    at_borders: tuple[tuple[int, int], ...]
    rows: tuple[int, ...]
    top: tuple[StrayRow, ...]


@dataclass(frozen=True)
class Strays(TimesMeasure[StraysAnswer]):
    """How many rows are out of order, and which are the furthest?

    Of each split and side `limit` rows are shown by their time and by `shown`.
    """

    borders: tuple[Border, ...]
    shown: tuple[Part, ...]
    limit: int

    reason = "it is out of order in time"

    @property
    def cost(self) -> Cost:
        """One read for the counts, and one for the rows that are shown."""
        return Cost(scans=2 * len(self.sources), shuffles=1)

    @property
    def reads(self) -> Mapping[Source, tuple[Column, ...]]:
        """The time, what is shown, and what tells the split."""
        return self.splits.reads(self.times, *(p.columns for p in self.shown))

    @property
    def limits(self) -> tuple[tuple[int | None, int | None], ...]:
        """Of each split: after and before which microsecond a row is out of order at any border."""
        after: list[int | None] = [None] * len(self.splits.names)
        before: list[int | None] = [None] * len(self.splits.names)
        for b in self.borders:
            mine, theirs = after[b.one], before[b.other]
            after[b.one] = b.after if mine is None else min(mine, b.after)
            before[b.other] = b.before if theirs is None else max(theirs, b.before)
        return tuple(zip(after, before, strict=True))

    def twin(self, tables: Mapping[Source, Rows]) -> StraysAnswer:
        """Look at every row."""
        timed = [(s, t, row) for s, _, t, row in self.spans(tables) if s is not None and t is not None]
        counts = tuple(
            (
                sum(s == b.one and t[1] > b.after for s, t, _ in timed),
                sum(s == b.other and t[0] < b.before for s, t, _ in timed),
            )
            for b in self.borders
        )
        rows, top = [0] * len(self.splits.names), set[StrayRow]()
        for split, (after, before) in enumerate(self.limits):
            late = [(t, r) for s, t, r in timed if s == split and after is not None and t[1] > after]
            early = [(t, r) for s, t, r in timed if s == split and before is not None and t[0] < before]
            rows[split] = len(late) + sum(after is None or t[1] <= after for t, _ in early)
            late.sort(key=lambda found: (-found[0][1], _texts(found[1])))
            early.sort(key=lambda found: (found[0][0], _texts(found[1])))
            for t, r in (*late[: self.limit], *early[: self.limit]):
                top.add(StrayRow(split, *t, _texts(r)))
        return StraysAnswer(counts, tuple(rows), tuple(sorted(top, key=lambda r: (r.split, r.first, r.last, str(r)))))

    def __str__(self) -> str:
        """For the plan."""
        return f"rows of {self.splits} that are out of order in time"


def _texts(row: Sequence[object]) -> tuple[str | None, ...]:
    return tuple(None if v is None else str(v) for v in row)


def moment_text(micros: int, timezone: str) -> str:
    """A moment for people, as wall-clock time."""
    moment = moment_of(max(micros_of(EARLIEST), min(micros, micros_of(LATEST))))
    return str(moment.astimezone(ZoneInfo(timezone)).replace(tzinfo=None))
