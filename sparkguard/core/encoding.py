"""States as bytes, and measures as fingerprints that outlive a release.

Generic over dataclasses: a field that is added later with a default is read from older bytes, and a
class that changes its meaning raises its `VERSION`. Never pickle: bytes from a table run no code.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import zlib
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar, get_args, get_type_hints

from sparkguard.core.columns import Column
from sparkguard.core.measure import Answer, Measure

FORMAT = 1
"""Version of the encoding of a pack of states."""

A = TypeVar("A", bound=Answer)


def fingerprint(measure: Measure[Answer], about: str) -> str:
    """A hash of what a measure asks, its source left out; `about` says which table is asked."""
    fields = {f.name: _plain(getattr(measure, f.name)) for f in dataclasses.fields(measure) if f.name != "source"}  # type: ignore[arg-type] # a measure is a dataclass
    what = [type(measure).__name__, getattr(measure, "VERSION", 1), fields, about]
    return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:32]


def pack(states: Mapping[str, Answer]) -> bytes:
    """Several states by their measures' fingerprints."""
    return zlib.compress(json.dumps({key: _encoded(state) for key, state in states.items()}).encode())


def unpack(packed: bytes) -> Mapping[str, Any]:
    """What `decode` reads, by fingerprint; empty if it is in no known format."""
    try:
        found = json.loads(zlib.decompress(packed))
    except (zlib.error, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def decode(kind: type[A], raw: Any) -> A | None:
    """A state from its encoding; None if it was encoded by another version of its class."""
    try:
        return kind(*_arguments(kind, raw))
    except (KeyError, TypeError, ValueError):
        return None


def _encoded(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return [_encoded(getattr(value, f.name)) for f in dataclasses.fields(value)]
    if isinstance(value, tuple):
        return [_encoded(v) for v in value]
    if isinstance(value, bytes):
        return {"b": base64.b64encode(value).decode()}
    if isinstance(value, Decimal):
        return {"d": str(value)}
    return value


def _arguments(kind: type[Any], raw: Any) -> list[Any]:
    hints, required = _hints(kind)  # type: ignore[arg-type] # a type is hashable
    if not isinstance(raw, list) or not required <= len(raw) <= len(hints):
        raise TypeError(raw)
    return [_value(hint, v) for hint, v in zip(hints, raw, strict=False)]


@cache
def _hints(kind: type[Any]) -> tuple[tuple[Any, ...], int]:
    """The types of a dataclass's fields, and how many of them have no default."""
    hints, fields = get_type_hints(kind), dataclasses.fields(kind)
    return tuple(hints[f.name] for f in fields), sum(f.default is dataclasses.MISSING for f in fields)


def _value(hint: Any, raw: Any) -> Any:
    if isinstance(raw, dict):
        return Decimal(raw["d"]) if "d" in raw else base64.b64decode(raw["b"])
    if isinstance(raw, list):
        inner = get_args(hint)[0]
        nested = isinstance(inner, type) and dataclasses.is_dataclass(inner)
        return tuple(inner(*_arguments(inner, v)) if nested else _value(inner, v) for v in raw)
    return raw


def _plain(value: Any) -> Any:
    if isinstance(value, Column):
        return ["Column", value.path, value.type]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [type(value).__name__, *(_plain(getattr(value, f.name)) for f in dataclasses.fields(value))]
    if isinstance(value, tuple | list):
        return [_plain(v) for v in value]
    if isinstance(value, date | datetime | Decimal):
        return [type(value).__name__, str(value)]
    return value
