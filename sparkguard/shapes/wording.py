"""Checks in the words of Great Expectations: the same verdict, or a reason why there are no words for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import NoReturn

from sparkguard.core.check import Check, SourceCheck
from sparkguard.core.expectation import Expectation
from sparkguard.core.fields import Like
from sparkguard.core.text import hides
from sparkguard.core.threshold import Bound
from sparkguard.errors import DataError
from sparkguard.shapes.columns import ColumnsCheck

FILLED = "expect_column_values_to_not_be_null"
"""Its results hold no value, since what is unexpected is NULL."""
MOST_EXACT = 2**53
"""Up to here every whole number is a float, as which GX compares some."""
Words = tuple[str, Mapping[str, object]]
"""The type of an expectation and its arguments, without the column and `mostly`."""


def refuse(what: str, check: Check) -> NoReturn:
    """Say why a check cannot be exported, as `DataError`."""
    message = f"Great Expectations cannot say {what} of {check.kind()}"
    raise DataError(message)


def for_each_column(check: ColumnsCheck, words: Callable[[], Words]) -> tuple[Expectation, ...]:
    """One expectation for each column and each bound; `DataError` for what these words do not say."""
    require_whole(check)
    if isinstance(check.columns, Like):
        message = f"columns {check.columns} are known from the table's schema only; name them"
        raise DataError(message)
    require_plain(check.columns, check)
    kind, arguments = words()
    if kind != FILLED:
        require_open(check.columns, check)
    return tuple(
        Expectation(kind, {"column": column, **arguments, **({} if share is None else {"mostly": share})}, severity)
        for severity, bounds in levels(check)
        for share in [_mostly(bounds, check)]
        for column in check.columns
    )


def levels(check: Check) -> Iterator[tuple[str, Mapping[str, Bound]]]:
    """The bounds that fail and those that warn, each with a severity; `DataError` if there are none."""
    if not check.error_if and not check.warn_if:
        message = f"{check.kind()} without bounds passes whatever it finds"
        raise DataError(message)
    if check.error_if:
        yield severity_of(check), check.error_if
    if check.warn_if:
        yield "warning", check.warn_if


def severity_of(check: Check) -> str:
    """What Great Expectations calls the severity of a check."""
    return "critical" if check.severity == "error" else "warning"


def require_whole(check: SourceCheck) -> None:
    """Refuse a window: an expectation is about the whole batch."""
    if check.window is not None:
        refuse("window", check)


def require_plain(columns: Iterable[str], check: Check) -> None:
    """Refuse a name with a dot, which may be a column's or lead into a struct; GX wants the first in backticks."""
    for name in columns:
        if "." in name or "`" in name:
            refuse(f"the column {name}", check)


def require_open(columns: Iterable[str], check: Check) -> None:
    """Refuse columns whose values are kept out of results: in those of GX they stand."""
    if check.violations == "none":
        refuse("violations: none", check)
    for name in columns:
        if hides(check.redact, name):
            refuse(f"redact: {name}", check)


def _mostly(bounds: Mapping[str, Bound], check: Check) -> float | None:
    """The share of rows that must be right; None where all must.

    GX passes where the share of right rows is at least `mostly`, so only `>` can be said: at the bound
    itself `>=` fails and GX passes.
    """
    [(name, bound), *others] = bounds.items()
    field = "error_if" if bounds is check.error_if else "warn_if"
    if others or bound.comparison != ">" or name not in ("violation_rows", "violation_rate"):
        refuse(field, check)
    if bound.limit == 0:
        return None
    if name == "violation_rows" or not 0 < bound.limit < 1:
        refuse(field, check)
    # As decimals, since 1 - 0.7 is more than 0.3, and three right rows of ten must do.
    return float(1 - Decimal(repr(bound.limit)))
