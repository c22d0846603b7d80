"""What results of Great Expectations say, without its types."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from numbers import Real
from typing import Any

from sparkguard.core.text import brief, first_line
from sparkguard.measures.expectations import Outcome, Sample
from sparkguard.measures.tallies import LONGEST_TEXT

_LONGEST = 200


def outcome_of(result: Any) -> Outcome:
    """Read a result, or the exception in its place."""
    error = error_of(result)
    if error is not None:
        return Outcome(error=error)
    details = _details(result)
    # numpy's booleans are no bool, and JSON of older results has texts.
    word = str(result.success).lower()
    if word not in ("true", "false"):
        return Outcome(error="Great Expectations says neither success nor failure")
    observed = details.get("observed_value")
    mismatched = (details.get("details") or {}).get("mismatched") if word == "false" else None
    told = [] if observed is None else [_text(observed)]
    told += [] if not mismatched else [f"mismatched {_text(mismatched)}"]
    # Of an expectation of a whole column they are values of its set, not rows.
    rows, missing = _whole(details.get("element_count")), _whole(details.get("missing_count"))
    return Outcome(
        holds=word == "true",
        number=_number(observed),
        shown="; ".join(brief(text, _LONGEST) for text in told) or None,
        rows=rows,
        missing=None if rows is None else missing,
        unexpected=_whole(details.get("unexpected_count")),
        lacking=missing if rows is None else None,
    )


def _details(result: Any) -> Mapping[str, Any]:
    return getattr(result, "result", None) or {}


def error_of(result: Any) -> str | None:
    """The telling line of what stopped an expectation; None if nothing did."""
    if isinstance(result, Exception):
        return first_line(result)
    return next(_messages(result.exception_info or {}), None)


def _messages(info: Mapping[str, Any]) -> Iterator[str]:
    """Of one exception, or of one for each metric that could not be computed."""
    if "raised_exception" in info:
        if info["raised_exception"]:
            yield first_line(Exception(info.get("exception_message") or "Great Expectations says nothing"))
        return
    for one in info.values():
        if isinstance(one, Mapping):
            yield from _messages(one)


def samples_of(columns: Sequence[str], values: Iterable[Any]) -> tuple[Sample, ...]:
    """Equal values together, the most frequent first; of equally frequent ones in the order of their texts."""
    rows: Counter[tuple[tuple[str, str | None], ...]] = Counter()
    for value in values:
        several = len(columns) > 1
        if several and isinstance(value, Mapping):
            cells: Iterable[tuple[str, Any]] = value.items()
        else:
            cells = zip(columns, value if several and isinstance(value, list | tuple) else [value], strict=False)
        rows[tuple((str(name), None if cell is None else _cell(cell)) for name, cell in cells)] += 1
    ordered = sorted(rows.items(), key=lambda one: (-one[1], [(t is not None, t or "") for _, t in one[0]]))
    return tuple(Sample(values, n) for values, n in ordered)


def lacking_of(columns: Sequence[str], values: Iterable[Any]) -> tuple[Sample, ...]:
    """Values that an expectation of one column wants, and that no row has."""
    return tuple(Sample(((columns[0], text),), 0) for text in sorted(map(_cell, values)))


def _cell(value: Any) -> str:
    return brief(_text(value), LONGEST_TEXT)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date):
        return value.isoformat(*[" "] * isinstance(value, datetime))
    if isinstance(value, list | tuple | set | dict):
        return json.dumps(sorted(value, key=str) if isinstance(value, set) else value, default=str, ensure_ascii=False)
    return str(value)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, Real | Decimal):
        return None
    return None if math.isnan(value) else float(value)


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)
