"""Ranges of numbers, days and moments, with room for tomorrow; columns of equal bounds share a check."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal

from sparkguard.core.instant import EPOCH
from sparkguard.core.text import number
from sparkguard.core.types import is_integer, is_time
from sparkguard.proposal.margins import Bounds, calendar, coarse, earliest, one_digit, share, shown_moment, widened
from sparkguard.proposal.names import goes_on, is_numbered, words_of
from sparkguard.proposal.profile import ColumnProfile, TableProfile
from sparkguard.proposal.proposed import Node, Proposal, id_of, names_of, shown, some

MOST_RANGES = 30
"""More checks than these are no file that anyone reads: then ranges are coarser, so that columns share them."""
MOST_INTEGERS = 10
"""Whole numbers of more values are measured rather than listed."""
_HOW = (
    "Bounds of ranges are a tenth of the spread further out, rounded; what is never negative stays so, and hours, days"
    " and months keep to the clock and the calendar."
)
_ONE_DIGIT = (
    "Bounds are a tenth of the spread further out, rounded to one digit, since ranges of their own would be too many"
    " checks; shares, hours, days and months keep theirs."
)
_COARSE = (
    "Bounds are powers of ten, since ranges of their own would be too many checks; twice the extremes are inside."
    " Shares, hours, days and months keep theirs."
)
_GOES_ON = "No upper bound, since time goes on."
_LONG_AGO, _FAR_AHEAD = -25_567, 2_932_896
"""1900-01-01 and 9999-12-31 as days since 1970: they often stand for "unknown"."""
_MICROS_PER_DAY = 86_400_000_000
_YEARS = (1900, 2200)
_LEAST_EPOCH = 10**8
"""Seconds since 1970 of the year 1973; milliseconds and more are larger."""

Groups = dict[Bounds, list[ColumnProfile]]


def range_proposals(table: TableProfile, notes: list[str]) -> Iterator[Proposal]:
    """A check for each pair of bounds; what has no range goes to `notes`."""
    spread = [p for p in table.columns if p.low is not None and p.high is not None and p.low < p.high]
    numbers = [p for p in spread if not is_time(p.type) and not is_listed(p)]
    counted = [p for p in numbers if is_integer(p.type) and is_numbered(p.name)]
    infinite = [p for p in numbers if p.not_finite]
    if counted:
        notes.append(f"no range for numbers that are handed out, which grow: {some([shown(p.name) for p in counted])}")
    if infinite:
        names = some([shown(p.name) for p in infinite])
        notes.append(f"no range for columns with NaN or infinity, which are outside of every range: {names}")
    left = [p for p in numbers if p not in counted and p not in infinite]
    groups, how = _least_coarse(left)
    for i, ((low, high), columns) in enumerate(groups.items()):
        if i == MOST_RANGES:
            rest = [shown(p.name) for part in list(groups.values())[i:] for p in part]
            notes.append(f"no range, since there are {MOST_RANGES} checks of ranges already: {some(rest)}")
            break
        said = [] if i else [how]
        said += [_GOES_ON] if high is None and any(map(_goes_on, columns)) else []
        yield _range(columns, {"min": low, "max": high}, _extremes(columns), " ".join(said))
    yield from _times(table)


def _least_coarse(columns: Sequence[ColumnProfile]) -> tuple[Groups, str]:
    """Columns by the narrowest bounds of which there are not too many, and how those were found."""
    groups, how = _grouped(columns, widened), _HOW
    for room, said in ((one_digit, _ONE_DIGIT), (coarse, _COARSE)):
        if len(groups) > MOST_RANGES:
            groups, how = (
                _grouped(columns, lambda c, low, high, room=room: share(c, low, high) or room(c, low, high)),
                said,
            )
    return groups, how


def is_listed(column: ColumnProfile) -> bool:
    """Whether a column's values are written down, in the place of a range."""
    return bool(column.values) and (column.low is None or len(column.values or ()) <= MOST_INTEGERS)


def _goes_on(column: ColumnProfile) -> bool:
    """Whether whole numbers count days or years, or seconds since 1970, so that tomorrow's are larger."""
    if not is_integer(column.type) or calendar(column.column, column.low or 0, column.high or 0):
        return False
    low, high = int(column.low or 0), int(column.high or 0)
    if _is_day(low) and _is_day(high):
        return True
    if not goes_on(column.name):
        return False
    is_month = all(_is_day(value * 100 + 1) for value in (low, high))
    is_year = "year" in words_of(column.name) and _YEARS[0] <= low <= high <= _YEARS[1]
    return is_month or is_year or low >= _LEAST_EPOCH


def _is_day(value: int) -> bool:
    """Whether a number is a day as 20260131."""
    try:
        return _YEARS[0] <= date.fromisoformat(str(value)).year <= _YEARS[1]
    except ValueError:
        return False


def _grouped(columns: Sequence[ColumnProfile], room: Callable[..., Bounds]) -> Groups:
    groups: Groups = {}
    for p in columns:
        low, high = calendar(p.column, p.low or 0, p.high or 0) or room(p.column, p.low, p.high)
        bounds = (low, None) if _goes_on(p) else (low, high)
        if bounds != (None, None):
            groups.setdefault(bounds, []).append(p)
    return groups


def _range(columns: Sequence[ColumnProfile], bounds: dict[str, Decimal | str | None], told: str, how: str) -> Proposal:
    fields: dict[str, Node] = {"columns": names_of(columns)}
    fields |= {name: bound for name, bound in bounds.items() if bound is not None}
    return Proposal(id_of("range", columns[0].name), "value_range", fields, (f"{told}. {how}".strip(),))


def _extremes(columns: Sequence[ColumnProfile]) -> str:
    return _told([(p, f"{_short(p.low)} to {_short(p.high)}") for p in columns])


def _told(columns: Sequence[tuple[ColumnProfile, str]]) -> str:
    """What is true of one column, or of each of several."""
    return f"From {columns[0][1]}" if len(columns) == 1 else some([f"{shown(p.name)} {what}" for p, what in columns])


def _short(value: object) -> str:
    return str(value) if isinstance(value, int) and abs(value) < 10_000 else number(float(str(value)))  # noqa: PLR2004 - years have no separators


def _times(table: TableProfile) -> Iterator[Proposal]:
    """Only a lower bound: tomorrow's days are later than today's."""
    groups: dict[str, list[ColumnProfile]] = {}
    for p in table.columns:
        if is_time(p.type) and p.low is not None and p.high is not None and p.low < p.high:
            first = earliest(p.column, int(p.low), _last_of_spread(p, table.at))
            if first is not None:
                groups.setdefault(first, []).append(p)
    for i, (first, columns) in enumerate(groups.items()):
        told = _told([(p, f"{_moment(p, p.low)} to {_moment(p, p.high)}") for p in columns])
        how = "" if i else f"A tenth of the spread earlier. {_GOES_ON}"
        if any(_stands_for_unknown(p) for p in columns):
            how += " Does 1900-01-01 or 9999-12-31 stand for an unknown day?"
        yield _range(columns, {"min": first}, told, how)


def _last_of_spread(column: ColumnProfile, now: datetime) -> int:
    """The end of the spread: today, where rows lie beyond it, and nothing where the beginning stands for "unknown"."""
    low, high, unit = int(column.low or 0), int(column.high or 0), _unit(column)
    if low // unit <= _LONG_AGO:
        return low
    today = (now - EPOCH).days * unit
    return max(low, min(high, today))


def _unit(column: ColumnProfile) -> int:
    return 1 if column.type == "date" else _MICROS_PER_DAY


def _moment(column: ColumnProfile, ordinal: object) -> str:
    return shown_moment(column.column, int(str(ordinal)))


def _stands_for_unknown(column: ColumnProfile) -> bool:
    low, high = (int(str(v)) // _unit(column) for v in (column.low, column.high))
    return low <= _LONG_AGO or high >= _FAR_AHEAD - 1
