"""Windows in blocks of a day, so that the states of days add up to any window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sparkguard.core.columns import Column
from sparkguard.core.instant import micros_of
from sparkguard.core.states import Span
from sparkguard.core.window import Window

Block = Window | None
"""A day, or None for all rows of a source."""

MOST_BLOCKS = 1_500
"""A window of more days is read as a whole, unless it is asked day by day."""
_DAY = timedelta(days=1)
_MICROS = 86_400_000_000
_DIVISIBLE = ("date", "timestamp", "timestamp_ntz")


def days(window: Window) -> tuple[Window, ...] | None:
    """The days of a window; None if it does not consist of whole days, or of too many."""
    found = window.days()
    return found if found is not None and len(found) <= MOST_BLOCKS else None


def divisible(column: Column) -> bool:
    """Whether days of a time column can be told apart in SQL."""
    return column.type in _DIVISIBLE


def meets(block: Block, span: Span) -> bool:
    """Whether a block has an instant in common with a span."""
    if block is None or block.start_utc is None:
        return True
    return block.start_utc <= span[1] and span[0] < block.end_utc


def runs(blocks: Sequence[Window]) -> list[Window]:
    """Neighbouring blocks as one window each, in their order."""
    joined: list[Window] = []
    for block in blocks:
        if joined and joined[-1].end == block.start:
            joined[-1] = Window(joined[-1].start, block.end, block.timezone)
        else:
            joined.append(block)
    return joined


def numbers(blocks: Sequence[Block]) -> Mapping[int, Block]:
    """Blocks by their number: days since the first, 0 for all rows of a source."""
    first = blocks[0]
    return {0 if b is None or first is None else (b.end - first.end).days: b for b in blocks}


def number_of(name: str, kind: str, blocks: Sequence[Window]) -> str:
    """SQL for the number of the day that a time belongs to; no setting of the session changes it."""
    first, last = blocks[0], blocks[-1]
    start = first.end - _DAY
    if kind != "timestamp":
        return f"datediff(CAST({name} AS DATE), DATE'{start.date().isoformat()}')"
    cases = [
        # A day of 25 hours ends late: its last hour is not yet the next day.
        f"WHEN {micros} >= {at}L THEN least({number} + ({micros} - {at}L) div {_MICROS}L, {most}L)"
        for micros in (f"unix_micros({name})",)
        for at, number, most in reversed(_regular(start, last.end, first.timezone))
    ]
    return f"CAST(CASE {' '.join(cases)} END AS INT)"


def _regular(start: datetime, end: datetime, timezone: str) -> list[tuple[int, int, int]]:
    """Stretches of days that start 24 hours apart: first instant in microseconds, first and last number."""
    stretches: list[tuple[int, int, int]] = []
    for number in range((end - start).days):
        day = Window(start + number * _DAY, start + (number + 1) * _DAY, timezone)
        at = micros_of(day.start_utc) if day.start_utc else 0
        if stretches and at - stretches[-1][0] == (number - stretches[-1][1]) * _MICROS:
            stretches[-1] = (*stretches[-1][:2], number)
        else:
            stretches.append((at, number, number))
    return stretches
