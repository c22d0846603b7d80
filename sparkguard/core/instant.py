"""Instants as whole microseconds since 1970, in which no timezone and no rounding can touch them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def micros_of(moment: datetime) -> int:
    """Microseconds from 1970 to an aware moment."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def moment_of(micros: int) -> datetime:
    """The moment, aware and in UTC, so many microseconds after 1970; `OverflowError` beyond the year 9999."""
    return EPOCH + timedelta(microseconds=micros)
