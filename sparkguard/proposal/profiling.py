"""The questions that a profile needs, in rounds: all columns at once, then the values of those that have few."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from sparkguard.core.columns import Column, Schema
from sparkguard.core.measure import Answer, Broken, Measure
from sparkguard.core.source import Source
from sparkguard.core.types import can_be_key, column_scale, element, is_float, is_number, is_time
from sparkguard.errors import DataError
from sparkguard.measures.conditions import Missing, NotFinite, Present
from sparkguard.measures.profile import Extremes
from sparkguard.measures.sketches import Distinct
from sparkguard.measures.tallies import Count, Examples, RowCount
from sparkguard.proposal.keys import unique_keys
from sparkguard.proposal.names import goes_on, is_personal
from sparkguard.proposal.profile import Ask, Asked, ColumnProfile, TableProfile, is_plain_code

MOST_VALUES = 30
"""More values than these are no list that somebody would check by eye."""
LONGEST_VALUE = 60
"""A longer text is prose, not the name of a kind."""
LEAST_REPEATED = 10
"""Rows for each value: what recurs less is not a kind of things."""
MOST_LISTED = 40
"""Columns whose values are counted: each adds to the cells that a row is copied into."""
_PERSONAL = "of secrets and of persons, to judge by names and values"
_GO_ON = "of days and months, which tomorrow brings new ones of"
_TOO_MANY = f"beyond the first {MOST_LISTED} columns that have few"
_E_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.\w+")
_DAY = re.compile(
    r"(?:19|20)\d\d[-/.]?(?:0[1-9]|1[0-2])(?:[-/.]?(?:0[1-9]|[12]\d|3[01])(?:[T ]?\d\d(?::?\d\d){0,2}\S*)?)?"
    r"|(?:0?[1-9]|[12]\d|3[01])[-/.](?:0?[1-9]|[12]\d|3[01])[-/.](?:19|20)\d\d"
)
"""A month, a day or an hour as text."""
_SLACK = 1.05
"""What a sketch of so few values may be off by."""

A = TypeVar("A", bound=Answer)


def profile(
    source: Source, schema: Schema, ask: Ask, now: datetime, *, values: bool = True, say: Callable[[str], None]
) -> TableProfile:
    """Profile a table by a handful of reads, whatever the number of its columns; `DataError` if it cannot be read."""
    columns = [column for column in schema.columns if column.name]
    say(f"reading {len(columns)} columns")
    rows_of = RowCount(source)
    found = ask([rows_of, *(m for column in columns for m in _questions(source, column))])
    rows = _required(found, rows_of).rows
    profiles = [_column(source, column, found) for column in columns]
    lacking = _lacking(found)
    if values:
        profiles = _with_values(source, profiles, rows, ask, say)
    say("looking for a key")
    keys = unique_keys(source, profiles, rows, ask)
    return TableProfile(schema, rows, tuple(profiles), now, tuple(keys), lacking)


def _questions(source: Source, column: Column) -> Iterable[Measure[Answer]]:
    """What a check of a column of this type would need to know, and nothing else."""
    kind, inner = column.type, element(column.type)
    yield Count(source, Missing(column))
    if is_number(kind) or is_time(kind):
        yield Extremes(source, column)
    if inner is not None:
        yield Extremes(source, column, lengths=True)
    if is_float(inner or kind):
        yield Count(source, NotFinite(column))
    if _is_counted(column):
        yield Distinct(source, column)


def _is_counted(column: Column) -> bool:
    """Whether its distinct values matter: not those of floats, fractions and bytes, which are no kinds and no keys."""
    kind = column.type
    return can_be_key(kind) and not is_float(kind) and kind != "binary" and not column_scale(kind)


def _column(source: Source, column: Column, found: Asked) -> ColumnProfile:
    answers = {m: found.get(m) for m in _questions(source, column)}
    wrong = [a for m, a in answers.items() if isinstance(a, Broken) and not isinstance(m, Distinct)]
    if wrong:
        return ColumnProfile(column, unread=wrong[0].reason)
    extent = _known(found, Extremes(source, column))
    lengths = _known(found, Extremes(source, column, lengths=True))
    infinite = _known(found, Count(source, NotFinite(column)))
    distinct = _known(found, Distinct(source, column))
    return ColumnProfile(
        column,
        nulls=_required(found, Count(source, Missing(column))).broke,
        low=extent.low if extent else None,
        high=extent.high if extent else None,
        shortest=int(lengths.low) if lengths and lengths.low is not None else None,
        longest=int(lengths.high) if lengths and lengths.high is not None else None,
        not_finite=infinite.broke if infinite else 0,
        distinct=distinct.estimate()[0] if distinct else None,
    )


def _with_values(
    source: Source, columns: Sequence[ColumnProfile], rows: int, ask: Ask, say: Callable[[str], None]
) -> list[ColumnProfile]:
    """The profiles with the values of columns that have few, or with the reason why they are not listed."""
    few = [p for p in columns if _has_few(p, rows)]
    unlisted = {p.column: why for p in few if (why := _not_to_be_listed(p.name))}
    asked = [p for p in few if p.column not in unlisted]
    unlisted |= {p.column: _TOO_MANY for p in asked[MOST_LISTED:]}
    listed: dict[Column, tuple[tuple[str, int], ...]] = {}
    if asked:
        say(f"counting the values of {len(asked[:MOST_LISTED])} columns")
        listed = _values(source, asked[:MOST_LISTED], ask)
    for column, found in list(listed.items()):
        texts = [value for value, _ in found]
        why = _PERSONAL if any(map(_E_MAIL.search, texts)) else _GO_ON if all(map(_DAY.fullmatch, texts)) else None
        if why:
            unlisted[column] = why
            del listed[column]
    return [replace(p, values=listed.get(p.column), unlisted=unlisted.get(p.column)) for p in columns]


def _not_to_be_listed(name: str) -> str | None:
    return _PERSONAL if is_personal(name) else _GO_ON if goes_on(name) else None


def _has_few(column: ColumnProfile, rows: int) -> bool:
    filled = rows - column.nulls
    if column.distinct is None or not is_plain_code(column.column) or column.constant(rows):
        return False
    return 0 < column.distinct <= MOST_VALUES * _SLACK and filled >= LEAST_REPEATED * column.distinct


def _values(source: Source, columns: Sequence[ColumnProfile], ask: Ask) -> dict[Column, tuple[tuple[str, int], ...]]:
    """All values with their rows, of columns that do have few, and short ones."""
    wanted = {p.column: Examples(source, Present(p.column), (p.column,), None) for p in columns}
    found, listed = ask(list(wanted.values())), {}
    for column, measure in wanted.items():
        sample = _known(found, measure)
        values = [(texts[0], rows) for texts, rows in sample.examples()] if sample else []
        short = tuple((v, n) for v, n in values if v is not None and n is not None and len(v) <= LONGEST_VALUE)
        if short and len(short) == len(values) <= MOST_VALUES:
            listed[column] = short
    return listed


def _lacking(found: Asked) -> tuple[str, ...]:
    """Why no distinct value could be counted, if none could."""
    replies = [answer for measure, answer in found.items() if isinstance(measure, Distinct)]
    broken = [reply.reason for reply in replies if isinstance(reply, Broken)]
    return tuple(broken[:1]) if broken and len(broken) == len(replies) else ()


def _known(found: Asked, measure: Measure[A]) -> A | None:
    answer = found.get(measure)
    return None if answer is None or isinstance(answer, Broken) else answer  # type: ignore[return-value] # its own answer


def _required(found: Asked, measure: Measure[A]) -> A:
    answer = found[measure]
    if isinstance(answer, Broken):
        raise DataError(answer.reason, answer.remedy)
    return answer  # type: ignore[return-value] # its own answer
