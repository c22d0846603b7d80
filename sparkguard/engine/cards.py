"""Model cards: JSON or YAML as texts under dotted keys."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import yaml

from sparkguard.errors import DataError
from sparkguard.measures.models import ModelMetadata

SHOWN = 20
"""Keys that are named when another was looked for."""
LONGEST = 500
"""Characters that are kept of a value."""

_MOST = 100_000
"""Values that a card of a megabyte may have; anchors of YAML could make any number of them."""
_NULLS = ("", "~", "null", "Null", "NULL")
_SMALL = "name a small file that holds only the metadata"
_CORRECT = "correct the card"


@dataclass(frozen=True)
class _Block:
    """A JSON object with its keys in their order, so that one that stands twice is seen."""

    entries: list[tuple[str, object]]


def read_card(content: bytes, keys: Sequence[str]) -> ModelMetadata:
    """What a card says under the keys; `DataError` if it cannot be read, or one of them stands in it twice."""
    found: dict[str, list[str | None]] = {}
    try:
        for number, (name, text) in enumerate(_leaves(_root(content), "")):
            if number >= _MOST:
                message = f"it has more than {_MOST:,} values"
                raise DataError(message, _SMALL)
            found.setdefault(name, []).append(text)
    except RecursionError as error:
        message = "it is nested too deeply, or a block of it holds itself"
        raise DataError(message, _CORRECT) from error
    for key in keys:
        if len(found.get(key, ())) > 1:
            message = f"'{key}' stands in it more than once"
            raise DataError(message, "keep one of them")
    return chosen({name: texts[0] for name, texts in found.items()}, keys)


def chosen(values: dict[str, str | None], keys: Sequence[str], note: str = "") -> ModelMetadata:
    """Of all values those that were asked for, cut to a length; of all keys a few."""
    wanted = tuple((key, _cut(values[key])) for key in dict.fromkeys(keys) if key in values)
    names = tuple(name[:LONGEST] for name in list(values)[:SHOWN])
    return ModelMetadata(wanted, names, max(0, len(values) - SHOWN), note)


def _cut(text: str | None) -> str | None:
    """Blank texts say nothing."""
    if text is None or not text.strip():
        return None
    return text.strip() if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _root(content: bytes) -> object:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"it is no text in UTF-8: byte {error.start + 1:,} is none of it"
        raise DataError(message, "name a JSON or YAML file") from error
    root = _json(text) if text.lstrip().startswith("{") else _yaml(text)
    if root is None:
        message = "it is empty"
        raise DataError(message, "write the model's metadata, or correct the place in the suite")
    if _entries(root) is None:
        message = "it is a list or a single value, but a card has keys with values"
        raise DataError(message, "write keys with values, for example 'version: 7'")
    return root


def _json(text: str) -> object:
    """JSON, or blocks in braces that only YAML allows."""
    try:
        return json.loads(text, object_pairs_hook=_Block, parse_int=str, parse_float=str, parse_constant=str)
    except json.JSONDecodeError as error:
        try:
            return _yaml(text)
        except DataError:
            message = f"not valid JSON: line {error.lineno}: {error.msg}"
            raise DataError(message, _CORRECT) from error


def _yaml(text: str) -> object:
    """The nodes, whose scalars are still text: dates stay as written, and 1.10 is not 1.1."""
    try:
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"line {mark.line + 1}: " if mark else ""
        message = f"not valid YAML: {where}{error.problem or error.context}"
        raise DataError(message, _CORRECT) from error
    except yaml.YAMLError as error:
        message = "it holds characters that are no text"
        raise DataError(message, "name a JSON or YAML file") from error


def _leaves(value: object, path: str) -> Iterator[tuple[str, str | None]]:
    """Every value that keys lead to; a list and an empty block have no text, but their key is there."""
    entries = _entries(value)
    if not entries and path:
        yield path, _text(value)
    for key, inner in entries or ():
        yield from _leaves(inner, f"{path}.{key}" if path else key)


def _entries(value: object) -> list[tuple[str, object]] | None:
    if isinstance(value, _Block):
        return value.entries
    if isinstance(value, yaml.MappingNode):
        return [(str(key.value), inner) for key, inner in value.value]
    return None


def _text(value: object) -> str | None:
    if isinstance(value, yaml.ScalarNode):
        plain = value.style is None
        return None if plain and value.value in _NULLS else str(value.value)
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else None
