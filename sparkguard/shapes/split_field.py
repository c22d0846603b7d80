"""The fields that name splits or sets: values of a column, or names with a dataset each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, TypeAdapter, WithJsonSchema

from sparkguard.core.fields import VersionedField
from sparkguard.core.source import Versioned
from sparkguard.core.text import count
from sparkguard.measures.splits import MOST_SPLITS, split_name

_VERSIONED: TypeAdapter[Versioned] = TypeAdapter(VersionedField)
FEWEST_SPLITS = 2
"""Fewer splits cannot share anything."""


MOST_SETS = 1_000
"""Sets that are judged one by one, each with a result of its own."""


def _parser(noun: str, fewest: int, most: int) -> Callable[[object], object]:
    def parse(raw: object) -> object:
        if isinstance(raw, Mapping):
            found = {str(split_name(name)): _VERSIONED.validate_python(value) for name, value in raw.items()}
        elif isinstance(raw, list | tuple):
            found = {str(split_name(name)): Versioned("") for name in raw}
        else:
            message = "expected names, for example [train, test], or names with datasets, {train: trained, test: new}"
            raise ValueError(message)  # noqa: TRY004 - pydantic collects ValueErrors
        names = list(map(str, raw))
        if len(found) < len(names) or "" in found:
            message = f"names a {noun} twice, or not at all: {', '.join(names)}"
        elif raw and not fewest <= len(found) <= most:
            message = f"names {count(len(found), noun)}; from {fewest} to {most:,} are possible"
        else:
            return found if isinstance(raw, Mapping) else tuple(found)
        raise ValueError(message)

    return parse


_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "array", "items": {"type": ["string", "number", "boolean"]}},
        {"type": "object", "additionalProperties": _VERSIONED.json_schema()},
    ]
}

SplitsField = Annotated[
    tuple[str, ...] | dict[str, Versioned],
    BeforeValidator(_parser("split", FEWEST_SPLITS, MOST_SPLITS)),
    WithJsonSchema(_SCHEMA),
]
"""Names of splits, or names with the dataset of each."""

SetsField = Annotated[
    tuple[str, ...] | dict[str, Versioned],
    BeforeValidator(_parser("set", 1, MOST_SETS)),
    WithJsonSchema(_SCHEMA),
]
"""Names of sets, or names with the dataset of each."""
