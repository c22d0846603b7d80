"""Numbers, times and bounds of result rows in words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sparkguard.core.finding import Quantity
from sparkguard.core.text import count, number, percent
from sparkguard.core.threshold import Bound

_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000))
_SECOND = 1000
# What a reader would not see, or what would make text run backwards, and lone halves of characters.
_UNSEEN = (
    *range(9), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0x7F, 0xA0), 0x200B, 0x200E, 0x200F, 0x2028, 0x2029,
    *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF, *range(0xD800, 0xE000),
)  # fmt: skip
_SEEN = {code: f"\\u{code:04x}" if code > 0xFF else f"\\x{code:02x}" for code in _UNSEEN}  # noqa: PLR2004 - two digits hold it


def visible(text: str) -> str:
    """Text with what is unseen in it written out, as Python's `repr` does."""
    return text.translate(_SEEN)


def clipped(text: str, limit: int) -> str:
    """At most `limit` characters, and how many there were."""
    return text if len(text) <= limit else f"{text[: limit - 1]}… ({len(text):,} characters)"


def moment(value: datetime | None) -> str | None:
    """`2026-01-31 02:00:00 UTC`."""
    return None if value is None else f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def duration(milliseconds: int) -> str:
    """`0.4 s`, `27.5 s`, `3 min 12 s`, `2 h 5 min`."""
    left = milliseconds
    if left < _UNITS[-1][1]:
        return f"{left / _SECOND:.1f} s"
    parts = []
    for unit, size in _UNITS:
        if left >= size:
            parts.append(f"{left // size} {unit}")
            left %= size
    seconds = left // _SECOND
    return " ".join([*parts, f"{seconds} s"][:2])


def window(start: datetime | None, end: datetime | None) -> str | None:
    """A half-open window with both its ends; None where there is none."""
    if start is None and end is None:
        return None
    ends = [None if end is None else end.astimezone(UTC) for end in (start, end)]
    days = all(end is None or (end.hour, end.minute, end.second) == (0, 0, 0) for end in ends)
    first, after = (None if end is None else f"{end:%Y-%m-%d}" if days else f"{end:%Y-%m-%d %H:%M:%S}" for end in ends)
    parts = ([f"from {first}"] if first else []) + ([f"until before {after}"] if after else [])
    return " ".join(parts) + " (UTC)"


def observed(row: Mapping[str, Any]) -> str | None:
    """The quantity that decided, with its margin: `violation_rows is 3`; None where nothing was measured."""
    name, value = row["metric_name"], row["observed"]
    if name is None:
        return None
    if value is None:
        return f"{name} has no value"
    margin = f" ± {number(row['error_margin'])}" if row["error_margin"] else ""
    how = f" ({row['exactness']})" if row["exactness"] not in (None, "exact") else ""
    return f"{name} is {number(value)}{margin}{how}"


def bounds(row: Mapping[str, Any]) -> str | None:
    """What the quantity was held against: `fails if > 0 (default)`."""
    error, warn = row["error_bound"], row["warn_bound"]
    if row["comparison"] is None or (error is None and warn is None):
        return None
    comparison, by_warn = row["comparison"], _by_warn(row)
    told = f"warns if {comparison} {number(warn)}" if by_warn else f"fails if {comparison} {number(error)}"
    source = row["threshold_source"]
    if source not in (None, "config"):
        told += " (default)" if source == "default" else f" (from {source})"
    # Only the deciding bound's comparison is recorded.
    other = error if by_warn else warn
    return told if other is None else f"{told}; the bound that {'fails' if by_warn else 'warns'} is {number(other)}"


def _by_warn(row: Mapping[str, Any]) -> bool:
    if row["warn_bound"] is None or row["error_bound"] is None:
        return row["error_bound"] is None
    seen = Quantity(row["observed"], row["error_margin"] or 0.0)
    return row["status"] == "warn" and bool(Bound(row["comparison"], row["warn_bound"]).broken_by(seen))


def violating(row: Mapping[str, Any]) -> str | None:
    """`3 of 2,121 violate the rule (0.141 %)`; None where no rows were judged."""
    rows, evaluated, rate = row["violation_rows"], row["evaluated_rows"], row["violation_rate"]
    if evaluated is None:
        return None
    if rows is None:
        return f"{count(evaluated, 'row')} evaluated"
    share = "" if rate is None or not rows else f" ({percent(rate)})"
    return f"{rows:,} of {evaluated:,} violate the rule{share}"
