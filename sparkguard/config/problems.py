"""From pydantic's errors to one line each: where, what was found, what is allowed, what is near."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_origin

from pydantic import BaseModel, ValidationError

from sparkguard.config.yaml import Document, Path, show_path
from sparkguard.errors import Problem

_LONGEST = 80
_WORDS = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "string_type": "a text",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "list_type": "a list, for example [a, b]",
    "tuple_type": "a list, for example [a, b]",
    "dict_type": "a block of keys",
    "model_type": "a block of keys",
    "model_attributes_type": "a block of keys",
}


def did_you_mean(name: str, allowed: Iterable[str]) -> str:
    """`, did you mean 'type'?`, or the whole list where nothing is near."""
    names = list(allowed)
    close = difflib.get_close_matches(name.lower(), {n.lower(): n for n in names}, 1, 0.5)
    if close:
        return f", did you mean '{next(n for n in names if n.lower() == close[0])}'?"
    return f"; allowed: {', '.join(sorted(names))}" if names else ""


def problems(
    error: ValidationError, model: type[BaseModel], document: Document, at: Path, data: object
) -> Iterator[Problem]:
    """Each error of a validated block as a problem of the document; `at` is the block's path."""
    seen: set[tuple[Path, str]] = set()
    for item in error.errors(include_url=False):
        path = _within(data, item["loc"], keep_last=item["type"] in ("extra_forbidden", "missing"))
        message = _message(item, _block(model, path[:-1]))
        if (path, message) not in seen:
            seen.add((path, message))
            whole = (*at, *path)
            yield Problem(message, document.where(whole), show_path(whole))


def _within(data: object, loc: tuple[int | str, ...], *, keep_last: bool) -> Path:
    """The part of pydantic's location that exists in the data: unions add steps of their own."""
    path: list[str | int] = []
    for i, part in enumerate(loc):
        inside = (isinstance(data, Mapping) and part in data) or (
            isinstance(data, list) and isinstance(part, int) and part < len(data)
        )
        if inside:
            data = data[part]  # type: ignore[index]
            path.append(part)
        elif keep_last and i == len(loc) - 1:
            path.append(part)
    return tuple(path)


def _block(model: type[BaseModel] | None, path: Path) -> type[BaseModel] | None:
    """The model of a nested block, to know which keys it allows."""
    named = False
    for part in path:
        if named or model is None or part not in model.model_fields:
            named = False
            continue
        candidates = [model.model_fields[str(part)].annotation]
        inner: list[type[BaseModel]] = []
        while candidates:
            kind = candidates.pop()
            # What follows is a name of the user's own, be it that of a field.
            named = named or get_origin(kind) is dict
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                inner.append(kind)
            candidates.extend(getattr(kind, "__args__", ()))
        model = inner[0] if inner else None
    return model


def _message(item: Any, model: type[BaseModel] | None) -> str:  # noqa: PLR0911 - one return for each kind of error
    kind, found = item["type"], item.get("input")
    if kind == "extra_forbidden":
        allowed_keys = [f.alias or n for n, f in model.model_fields.items()] if model else []
        return f"unknown key{did_you_mean(str(item['loc'][-1]), allowed_keys)}"
    if kind == "missing":
        return "is required but missing"
    if kind == "literal_error":
        allowed = item["ctx"]["expected"]
        names = [a.strip("' ") for part in allowed.split(",") for a in part.split(" or ")]
        near = did_you_mean(str(found), names)
        suffix = near if near.startswith(", did") else ""
        return f"found {_shown(found)}, expected {allowed}{suffix}"
    if kind in _WORDS:
        return f"found {_shown(found)}, expected {_WORDS[kind]}"
    if kind == "value_error":
        return str(item["ctx"]["error"])
    if kind == "string_pattern_mismatch":
        return f"found {_shown(found)}, allowed are letters, digits, '_', '.' and '-'"
    if kind in ("too_short", "string_too_short"):
        return f"found {_shown(found)}, expected at least one entry"
    return f"found {_shown(found)}: {item['msg']}"


def _shown(found: object) -> str:
    text = "nothing" if found is None else f"'{found}'" if isinstance(found, str) else repr(found)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
