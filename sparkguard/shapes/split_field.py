"""The field that names splits: values of a column, or names with a dataset each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BeforeValidator, TypeAdapter, WithJsonSchema

from sparkguard.core.fields import VersionedField
from sparkguard.core.source import Versioned
from sparkguard.core.text import count
from sparkguard.measures.splits import MOST_SPLITS, split_name

_VERSIONED: TypeAdapter[Versioned] = TypeAdapter(VersionedField)
FEWEST_SPLITS = 2
"""Fewer splits cannot share anything."""


def _parse_splits(raw: object) -> object:
    if isinstance(raw, Mapping):
        found = {str(split_name(name)): _VERSIONED.validate_python(value) for name, value in raw.items()}
    elif isinstance(raw, list | tuple):
        found = {str(split_name(name)): Versioned("") for name in raw}
    else:
        message = "expected names, for example [train, test], or names with datasets, {train: train_ds, test: test_ds}"
        raise ValueError(message)  # noqa: TRY004 - pydantic collects ValueErrors
    names = list(map(str, raw))
    if len(found) < len(names) or "" in found:
        message = f"names a split twice, or not at all: {', '.join(names)}"
    elif raw and not FEWEST_SPLITS <= len(found) <= MOST_SPLITS:
        message = f"names {count(len(found), 'split')}; from {FEWEST_SPLITS} to {MOST_SPLITS} can be compared"
    else:
        return found if isinstance(raw, Mapping) else tuple(found)
    raise ValueError(message)


SplitsField = Annotated[
    tuple[str, ...] | dict[str, Versioned],
    BeforeValidator(_parse_splits),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "array", "items": {"type": ["string", "number", "boolean"]}},
                {"type": "object", "additionalProperties": _VERSIONED.json_schema()},
            ]
        }
    ),
]
"""Names of splits, or names with the dataset of each."""
