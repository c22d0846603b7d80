"""How much room tomorrow's ordinary values get: rules that a person can follow by hand."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext

from sparkguard.core.columns import Column
from sparkguard.core.instant import EPOCH, moment_of
from sparkguard.core.types import column_scale, is_float
from sparkguard.measures.profile import Ordinal
from sparkguard.proposal.names import unit_of

SPREAD_SHARE = Decimal("0.1")
"""By this share of its spread a range is widened on either side."""
STANDARD_ERRORS = 4
GROWTH = 1.25
"""A rate may grow by a quarter: rows are not independent of each other, so standard errors alone are too few."""
RATES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.75)
"""Bounds are rounded up to one of these, so that columns share them."""
LEAST_HOURS = 36
"""A night and a half: what comes once a day is never as old as this."""
_AGE_SHARE = 0.1
_HOURS_STEP, _MANY_HOURS = 12, 1_000
_HALF_OF_ONE = Decimal("0.5")
_DIGITS = 90
_WEEKDAY, _MONTH, _DAY, _HOUR, _SIXTY = (0, 7), (1, 12), (1, 31), (0, 23), (0, 59)
_CALENDAR = {"quarter": (1, 4), "month": _MONTH, "monthofyear": _MONTH, "week": (1, 53), "weekofyear": (1, 53)}
_CALENDAR |= {"day": _DAY, "dayofmonth": _DAY, "dayofyear": (1, 366), "doy": (1, 366)}
_CALENDAR |= {"weekday": _WEEKDAY, "dayofweek": _WEEKDAY, "dow": _WEEKDAY}
_CALENDAR |= {"hour": _HOUR, "hourofday": _HOUR, "minute": _SIXTY, "second": _SIXTY}
_LARGEST = {"float": Decimal("1e38"), "double": Decimal("1e300")}

Bounds = tuple[Decimal | None, Decimal | None]


def widened(column: Column, low: Ordinal, high: Ordinal) -> Bounds:
    """The range of tomorrow's numbers; None on a side where no bound can be said.

    A tenth of the spread further on either side, rounded outwards to two digits of the spread, if the type
    has them. What is never negative stays so, what is never positive too, and what looks like a share stays
    below 1.
    """
    least, most = _decimal(low), _decimal(high)
    if not (least.is_finite() and most.is_finite()):
        return None, None
    with localcontext(prec=_DIGITS):
        spread = most - least
        step = Decimal(1).scaleb(spread.adjusted() - 1) if spread else Decimal(1)
        scale = column_scale(column.type)
        step = step if scale is None else max(step, Decimal(1).scaleb(-scale))
        lower = ((least - spread * SPREAD_SHARE) / step).to_integral_value(ROUND_FLOOR) * step
        upper = ((most + spread * SPREAD_SHARE) / step).to_integral_value(ROUND_CEILING) * step
        lower = max(lower, Decimal(0)) if least >= 0 else lower
        upper = min(upper, Decimal(0)) if most <= 0 else upper
        if scale != 0 and _is_share(least, most):
            upper = min(upper, Decimal(1))
    return _sayable(lower, column), _sayable(upper, column)


def calendar(column: Column, low: Ordinal, high: Ordinal) -> Bounds | None:
    """The bounds of what clocks and calendars count, by the column's name; None for anything else."""
    first, last = _CALENDAR.get(unit_of(column.name), (0, -1))
    fits = column_scale(column.type) == 0 and first <= low and high <= last
    return (Decimal(first), Decimal(last)) if fits else None


def share(column: Column, low: Ordinal, high: Ordinal) -> Bounds | None:
    """0 and 1 for what looks like a share; None for anything else."""
    least, most = _decimal(low), _decimal(high)
    return (Decimal(0), Decimal(1)) if column_scale(column.type) != 0 and _is_share(least, most) else None


def one_digit(column: Column, low: Ordinal, high: Ordinal) -> Bounds:
    """A range whose bounds have one digit, which more columns share."""
    lower, upper = widened(column, low, high)
    return (
        None if lower is None else _sayable(-_one_digit(-lower), column),
        None if upper is None else _sayable(_one_digit(upper), column),
    )


def coarse(column: Column, low: Ordinal, high: Ordinal) -> Bounds:
    """A range between powers of ten, which many columns share; twice the extremes are inside."""
    least, most = _decimal(low), _decimal(high)
    if not (least.is_finite() and most.is_finite()):
        return None, None
    return _sayable(-_power(-least), column), _sayable(_power(most), column)


def earliest(column: Column, low: int, high: int) -> str | None:
    """The least day or moment of tomorrow: a tenth of the spread earlier, at the beginning of a day."""
    unit = 1 if column.type == "date" else 86_400_000_000
    days = low // unit - math.ceil((high - low) / unit * float(SPREAD_SHARE))
    try:
        return (EPOCH + timedelta(days=days)).date().isoformat()
    except OverflowError:
        return None


def shown_moment(column: Column, ordinal: int) -> str:
    """A day or a moment for people."""
    try:
        if column.type == "date":
            return (EPOCH + timedelta(days=ordinal)).date().isoformat()
        return moment_of(ordinal).replace(tzinfo=None).isoformat(sep=" ")
    except OverflowError:
        return "beyond the year 9999" if ordinal > 0 else "before the year 1"


def rate(broke: int, rows: int) -> float | None:
    """The bound of a share of rows, from the one of today; None where there is none worth writing."""
    share = broke / rows
    above = max(share + STANDARD_ERRORS * math.sqrt(share * (1 - share) / rows), share * GROWTH)
    return next((bound for bound in RATES if bound >= above), None)


def fewest(rows: int) -> int:
    """The least number of rows of tomorrow: half of today's, rounded down to two digits."""
    half = rows // 2
    if half < 1:
        return 1
    digit: int = 10 ** max(len(str(half)) - 2, 0)
    return half // digit * digit


def age_hours(column: Column, newest: int, now: datetime) -> float | None:
    """Hours from the newest event to now, as `freshness` counts them: a day counts from its end."""
    try:
        if column.type != "date":
            return (now - moment_of(newest)) / timedelta(hours=1)
        begin = EPOCH + timedelta(days=newest)
        end = begin + timedelta(days=1)
    except OverflowError:
        return None
    return (now - min(end, max(begin, now))) / timedelta(hours=1)


def oldest_hours(age: float) -> int:
    """How old the newest event may become: a night and a half more, of an old table a tenth more."""
    oldest = max(age, 0) + max(LEAST_HOURS, age * _AGE_SHARE)
    step = _HOURS_STEP if oldest < _MANY_HOURS else 10 ** (len(str(int(oldest))) - 2)
    return int(math.ceil(oldest / step) * step)


def day_of(moment: datetime) -> date:
    """The day of a moment in UTC."""
    return moment.astimezone(UTC).date()


def _decimal(value: Ordinal) -> Decimal:
    return value if isinstance(value, Decimal) else Decimal(repr(value))


def _is_share(least: Decimal, most: Decimal) -> bool:
    return least >= 0 and _HALF_OF_ONE <= most <= 1


def _one_digit(value: Decimal) -> Decimal:
    """The next value upwards that has one digit."""
    if not value:
        return value
    step = Decimal(1).scaleb(value.adjusted())
    return (value / step).to_integral_value(ROUND_CEILING) * step


def _power(value: Decimal) -> Decimal:
    """The power of ten above twice a value; 0 for what is not positive."""
    if value <= 0:
        return Decimal(0)
    return Decimal(1).scaleb((2 * value).adjusted() + 1)


def _sayable(bound: Decimal, column: Column) -> Decimal | None:
    if is_float(column.type) and abs(bound) > _LARGEST[column.type]:
        return None
    return bound if column_scale(column.type) is None or bound.adjusted() < 38 else None  # noqa: PLR2004 - digits of a decimal
