"""Fields that hold a suite of Great Expectations: a file that it wrote, or entries in the YAML."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ValidationError, ValidationInfo, WithJsonSchema
from pydantic_core import InitErrorDetails

from sparkguard.shapes.gx import OLD_ENTRY, Entry, Step, WrongEntry, doubled, entry_of
from sparkguard.shapes.named_files import read_named

_OLD = ("expectation_suite_name", "data_asset_type", "ge_cloud_id")
"""Keys of suites of Great Expectations 0.x."""


@dataclass(frozen=True)
class SuiteFile:
    """A suite in a file: where it stands, its text, and its entries."""

    path: str
    text: str
    entries: tuple[Entry, ...]


def _refuse(mistakes: list[tuple[Step, str]], found: object) -> ValidationError:
    """All mistakes as one error, each at a place of its own."""
    details = [
        InitErrorDetails(type="value_error", loc=at, input=found, ctx={"error": ValueError(message)})
        for at, message in mistakes
    ]
    return ValidationError.from_exception_data("expectations", details)


def _parse_entry(raw: object, info: ValidationInfo) -> Entry:
    if isinstance(raw, Entry):
        return raw
    try:
        return entry_of(raw, info.data.get("parameters") or {})
    except WrongEntry as wrong:
        raise _refuse(list(wrong.mistakes), raw) from wrong


def _distinct(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    mistakes: list[tuple[Step, str]] = [((i,), message) for i, message in doubled(entries)]
    if mistakes:
        raise _refuse(mistakes, None)
    return entries


def _parse_file(raw: object, info: ValidationInfo) -> SuiteFile:
    if isinstance(raw, SuiteFile):
        return raw
    path = str(raw)
    text = read_named(path, info)
    entries: list[Entry] = []
    try:
        mistakes = list(_mistakes(text, info.data.get("parameters") or {}, entries))
    except RecursionError:
        mistakes = ["is no suite of Great Expectations: blocks in blocks without end"]
    if mistakes:
        raise _refuse([((), f"{path}: {message}") for message in mistakes], path)
    return SuiteFile(path, text, tuple(entries))


def _mistakes(text: str, parameters: Mapping[str, object], entries: list[Entry]) -> Iterator[str]:
    """What is wrong with a suite; `entries` gets what is right."""
    try:
        suite = json.loads(text, object_pairs_hook=_block)
    except json.JSONDecodeError as error:
        yield f"line {error.lineno}: not valid JSON: {error.msg}"
        return
    except _TwiceError as error:
        yield f"{error} stands twice in the same block"
        return
    misshapen = _misshapen(suite)
    if misshapen is not None:
        yield misshapen
        return
    raw, known = suite["expectations"], {**(suite.get("suite_parameters") or {}), **parameters}
    for i, one in enumerate(raw):
        try:
            entries.append(entry_of(one, known))
        except WrongEntry as wrong:
            for at, message in wrong.mistakes:
                yield f"expectations[{i}]{''.join(f'.{step}' for step in at)}: {message}"
    if len(entries) == len(raw):
        yield from (f"expectations[{i}]: {message}" for i, message in doubled(entries))


def _misshapen(suite: object) -> str | None:
    """Why this cannot be a suite."""
    if not isinstance(suite, Mapping):
        return "is no suite of Great Expectations: a block with the key expectations"
    old = [key for key in _OLD if key in suite]
    if old:
        return f"{', '.join(old)}: {OLD_ENTRY}"
    raw = suite.get("expectations")
    if not isinstance(raw, list) or not raw:
        return "has no expectations" if raw == [] else "has no list under the key expectations"
    parameters = suite.get("suite_parameters") or {}
    return None if isinstance(parameters, Mapping) else "suite_parameters is no block of values"


class _TwiceError(ValueError):
    """A key that stands twice in one block."""


def _block(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """A block of JSON, of which Python's parser would keep the last of equal keys."""
    block = dict(pairs)
    if len(block) < len(pairs):
        keys = [key for key, _ in pairs]
        raise _TwiceError(next(key for key in keys if keys.count(key) > 1))
    return block


_ENTRY_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "type": {"type": "string", "description": "The name of the expectation in snake case."},
        "kwargs": {"type": "object", "description": "Its arguments."},
        "severity": {"enum": ["critical", "warning", "info"]},
        "id": {"type": "string", "description": "What it is called in the results."},
    },
    "required": ["type"],
}

EntriesField = Annotated[
    tuple[Annotated[Entry, BeforeValidator(_parse_entry), WithJsonSchema(_ENTRY_SCHEMA)], ...],
    AfterValidator(_distinct),
]
"""Entries as a suite of Great Expectations 1.x has them, each constructed by it."""

SuiteFileField = Annotated[SuiteFile, BeforeValidator(_parse_file), WithJsonSchema({"type": "string"})]
"""The path of a JSON file that Great Expectations 1.x wrote; it is read through the context's `read`."""
