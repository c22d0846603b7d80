"""Values that a suite writes down, and what they mean for a column of some type."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation, localcontext
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, ValidationInfo, WithJsonSchema

from sparkguard.core.columns import Column
from sparkguard.core.fields import parse_moment
from sparkguard.core.types import column_scale, is_float, is_integer, is_text, is_time
from sparkguard.errors import DataError

_MOST_DIGITS = 38
"""Digits of the largest decimal."""

Scalar = int | float | str | bool
Typed = int | float | str | bool | Decimal | date | datetime
"""A value in the type of a column; a `datetime` is aware for TIMESTAMP and naive for TIMESTAMP_NTZ."""


@dataclass(frozen=True, slots=True)
class Value:
    """A value as it was written; what has no zone is read in `timezone`."""

    raw: Scalar
    timezone: str = "UTC"

    def typed(self, column: Column) -> Typed:
        """The value in the column's type; `DataError` if it is none of that type."""
        try:
            return self._typed(column.type)
        except (ValueError, InvalidOperation, OverflowError) as error:
            message = f"'{self.raw}' is no value of column '{column.name}', which is {column.type}"
            raise DataError(message, "correct the value in the suite") from error

    def _typed(self, kind: str) -> Typed:
        if is_text(kind):
            return self._text()
        if kind == "boolean" or isinstance(self.raw, bool):
            return self._boolean(kind)
        if is_float(kind):
            number = float(self.raw)
            return number if kind == "double" else float(struct.unpack("f", struct.pack("f", number))[0])
        if is_integer(kind) or kind.startswith("decimal"):
            return _exact(Decimal(str(self.raw)))
        return self._time(kind)

    def _time(self, kind: str) -> date:
        if kind == "date":
            return date.fromisoformat(str(self.raw))
        if not is_time(kind):
            raise ValueError(kind)
        zone = ZoneInfo(self.timezone)
        moment = parse_moment(self.raw, zone)
        return moment.replace(tzinfo=zone) if kind == "timestamp" else moment

    def _text(self) -> str:
        return str(self.raw).lower() if isinstance(self.raw, bool) else str(self.raw)

    def _boolean(self, kind: str) -> bool:
        words = {"true": True, "false": False}
        if kind != "boolean" or str(self.raw).lower() not in words:
            raise ValueError(kind)
        return words[str(self.raw).lower()]

    def __str__(self) -> str:
        """As it was written."""
        return self._text()


def inward(bound: Typed, column: Column, *, up: bool) -> Typed:
    """The next value that a column of exact numbers can hold, up or down: a bound that says the same of it.

    So a comparison needs no wider type, which may not hold the column's largest values.
    """
    scale = column_scale(column.type)
    if scale is None or not isinstance(bound, int | Decimal):
        return bound
    with localcontext(prec=2 * _MOST_DIGITS):
        most, step = Decimal(10) ** _MOST_DIGITS - 1, Decimal(1).scaleb(-scale)
        rounded = Decimal(bound).quantize(step, ROUND_CEILING if up else ROUND_FLOOR)
        return _exact(max(-most, min(most, rounded)))


def _exact(number: Decimal) -> int | Decimal:
    if not number.is_finite():
        raise ValueError(number)
    return int(number) if number == number.to_integral_value() else number


def _parse(raw: object, info: ValidationInfo) -> Value:
    if isinstance(raw, Value):
        return raw
    if isinstance(raw, date):
        raw = raw.isoformat()
    if not isinstance(raw, int | float | str):
        message = f"'{raw}' is not a number, a text, a date or a boolean"
        raise ValueError(message)  # noqa: TRY004 - pydantic collects ValueErrors
    return Value(raw, (info.context or {}).get("timezone", "UTC"))


ValueField = Annotated[Value, BeforeValidator(_parse), WithJsonSchema({"type": ["number", "string", "boolean"]})]
"""A number, a text, a date, a time or a boolean, read in the type of the column that it is compared with."""
