"""Types of check fields that read their short YAML forms: bounds, windows, lengths of time.

Windows are wall-clock time of the suite, so `config.load` passes its timezone as the validation
context `{"timezone": ...}`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from fnmatch import fnmatchcase
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, ValidationInfo, WithJsonSchema

from sparkguard.core.budget import Budget
from sparkguard.core.columns import Column, Schema
from sparkguard.core.source import Versioned
from sparkguard.core.threshold import Bound
from sparkguard.core.window import Duration, Window

_WINDOW_FORMS = ({"end", "length"}, {"start", "end"})


@dataclass(frozen=True, slots=True)
class Like:
    """Top-level columns by patterns: `f_*`, with `*`, `?` and `[…]`; `but` takes some out again."""

    patterns: tuple[str, ...]
    but: tuple[str, ...] = ()

    def matching(self, schema: Schema, suits: Callable[[Column], bool]) -> Iterator[Column]:
        """The columns of a schema that match and suit, in its order."""
        return (column for column in schema.columns if self._matches(column.name) and suits(column))

    def _matches(self, name: str) -> bool:
        wanted, unwanted = (any(fnmatchcase(name, p) for p in ps) for ps in (self.patterns, self.but))
        return wanted and not unwanted

    def __str__(self) -> str:
        """For messages."""
        but = f" but {', '.join(self.but)}" if self.but else ""
        return f"like {', '.join(self.patterns)}{but}"


def parse_moment(raw: object, zone: ZoneInfo) -> datetime:
    """Read an ISO date or time as naive wall-clock time in `zone`; `ValueError` otherwise."""
    if isinstance(raw, datetime):
        moment = raw
    elif isinstance(raw, date):
        moment = datetime(raw.year, raw.month, raw.day)  # noqa: DTZ001 - wall-clock time by design
    else:
        try:
            moment = datetime.fromisoformat(str(raw).strip())
        except ValueError as error:
            message = f"'{raw}' is not a date or time; write for example 2026-01-31 or 2026-01-31T06:00"
            raise ValueError(message) from error
    return moment.astimezone(zone).replace(tzinfo=None) if moment.tzinfo else moment


def _parse_bounds(raw: object) -> dict[str, Bound]:
    if not isinstance(raw, Mapping):
        message = 'expected quantities with their bounds, for example {violation_rate: "> 0.001"}'
        raise ValueError(message)  # noqa: TRY004 - pydantic collects ValueErrors
    return {name: b if isinstance(b, Bound) else Bound.parse(str(b)) for name, b in raw.items()}


def _parse_duration(raw: object) -> Duration:
    return raw if isinstance(raw, Duration) else Duration.parse(str(raw))


def _parse_budget(raw: object) -> Budget:
    return raw if isinstance(raw, Budget) else Budget.parse(str(raw))


def _parse_window(raw: object, info: ValidationInfo) -> Window:
    if isinstance(raw, Window):
        return raw
    if not isinstance(raw, Mapping) or set(raw) not in _WINDOW_FORMS:
        message = "expected {end, length} or {start, end}, for example {end: 2026-01-31, length: 30d}"
        raise ValueError(message)
    zone = ZoneInfo((info.context or {}).get("timezone", "UTC"))
    end = parse_moment(raw["end"], zone)
    length = raw.get("length")
    try:
        start = parse_moment(raw["start"], zone) if length is None else _parse_duration(length).before(end, zone)
    except OverflowError as error:
        message = f"a window of {length} before {end} starts before the year 1"
        raise ValueError(message) from error
    if start >= end:
        message = f"the window starts at {start}, which is not before its end {end}"
        raise ValueError(message)
    return Window(start, end, zone.key)


def timezone_name(name: str) -> str:
    """The name of a timezone; `ValueError` for anything else."""
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError) as error:
        message = f"'{name}' is not a timezone; write for example UTC or Europe/Berlin"
        raise ValueError(message) from error


def _parse_zone(raw: object, info: ValidationInfo) -> str:
    return timezone_name(str(raw or (info.context or {}).get("timezone", "UTC")))


def _parse_versioned(raw: object) -> Versioned:
    if isinstance(raw, Versioned):
        return raw
    if isinstance(raw, str) and raw:
        return Versioned(raw)
    if isinstance(raw, Mapping) and set(raw) == {"dataset", "version"}:
        version = raw["version"]
        if isinstance(version, int) and not isinstance(version, bool) and version >= 0:
            return Versioned(str(raw["dataset"]), version)
    message = "expected the name of a dataset, or {dataset: flights, version: 41}"
    raise ValueError(message)


def _parse_columns(raw: object) -> tuple[str, ...] | Like:
    if isinstance(raw, Like):
        return raw
    if isinstance(raw, Mapping) and {"like"} <= set(raw) <= {"like", "except"}:
        patterns, but = (_names(raw.get(key, ())) for key in ("like", "except"))
        if patterns:
            return Like(patterns, but)
    names = () if isinstance(raw, Mapping) else _names(raw)
    if not names or "" in names:
        message = 'expected names of columns or a pattern, for example [a, b] or {like: "f_*", except: [f_id]}'
        raise ValueError(message)
    if len(set(names)) < len(names):
        message = f"names a column twice: {', '.join(names)}"
        raise ValueError(message)
    return names


def _names(raw: object) -> tuple[str, ...]:
    if isinstance(raw, str):
        return (raw,)
    return tuple(map(str, raw)) if isinstance(raw, list | tuple) else ()


_LENGTH_SCHEMA: dict[str, Any] = {"type": "string", "pattern": r"^\d+\s*[wdhms]$|\$\{"}

Bounds = Annotated[
    dict[str, Bound],
    BeforeValidator(_parse_bounds),
    WithJsonSchema({"type": "object", "additionalProperties": {"type": "string"}}),
]
"""Quantities with a comparison and a limit each."""

DurationField = Annotated[Duration, BeforeValidator(_parse_duration), WithJsonSchema(_LENGTH_SCHEMA)]
"""A length of time: 30d, 4w, 6h, 90m, 45s."""

BudgetField = Annotated[
    Budget,
    BeforeValidator(_parse_budget),
    WithJsonSchema({"type": "string", "pattern": r"^\d+\s+per\s+\d+\s*[wdhms]$|\$\{"}),
]
"""How many false alarms in which time are accepted: 1 per 365d."""

ZoneField = Annotated[str, BeforeValidator(_parse_zone), WithJsonSchema({"type": "string"})]
"""A timezone; with `validate_default` the suite's unless it is given."""

WindowField = Annotated[
    Window,
    BeforeValidator(_parse_window),
    WithJsonSchema(
        {
            "type": "object",
            "properties": {
                "start": {"type": "string"},
                "end": {"type": "string"},
                "length": _LENGTH_SCHEMA,
            },
            "required": ["end"],
            "additionalProperties": False,
        }
    ),
]
"""A half-open window of the suite's wall-clock time."""

VersionedField = Annotated[
    Versioned,
    BeforeValidator(_parse_versioned),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {
                    "type": "object",
                    "properties": {"dataset": {"type": "string"}, "version": {"type": "integer", "minimum": 0}},
                    "required": ["dataset", "version"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]
"""A dataset by name, or {dataset, version} for one version of a Delta table."""

_NAMES_SCHEMA: dict[str, Any] = {
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]
}

ColumnsField = Annotated[
    tuple[str, ...] | Like,
    BeforeValidator(_parse_columns),
    WithJsonSchema(
        {
            "anyOf": [
                *_NAMES_SCHEMA["anyOf"],
                {
                    "type": "object",
                    "properties": {"like": _NAMES_SCHEMA, "except": _NAMES_SCHEMA},
                    "required": ["like"],
                    "additionalProperties": False,
                },
            ]
        }
    ),
]
"""Columns by name, or by a pattern: {like: "f_*", except: [f_id]}."""
