"""Types of check fields that read their short YAML forms: bounds, windows, lengths of time.

Windows are wall-clock time of the suite, so `config.load` passes its timezone as the validation
context `{"timezone": ...}`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, ValidationInfo, WithJsonSchema

from sparkguard.core.source import Versioned
from sparkguard.core.threshold import Bound
from sparkguard.core.window import Duration, Window

_WINDOW_FORMS = ({"end", "length"}, {"start", "end"})


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


_LENGTH_SCHEMA: dict[str, Any] = {"type": "string", "pattern": r"^\d+\s*[wdhms]$|\$\{"}

Bounds = Annotated[
    dict[str, Bound],
    BeforeValidator(_parse_bounds),
    WithJsonSchema({"type": "object", "additionalProperties": {"type": "string"}}),
]
"""Quantities with a comparison and a limit each."""

DurationField = Annotated[Duration, BeforeValidator(_parse_duration), WithJsonSchema(_LENGTH_SCHEMA)]
"""A length of time: 30d, 4w, 6h, 90m, 45s."""

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
