"""Spark's types as people write them: one spelling for each, read without Spark."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_ALIASES: Mapping[str, str] = {
    "integer": "int",
    "long": "bigint",
    "short": "smallint",
    "byte": "tinyint",
    "real": "float",
    "numeric": "decimal",
    "dec": "decimal",
    "timestamp_ltz": "timestamp",
}
"""Spark's own other names of its types."""
_FOREIGN: Mapping[str, str] = {
    "bool": "boolean",
    "int8": "tinyint",
    "int16": "smallint",
    "int32": "int",
    "int64": "bigint",
    "float32": "float",
    "float64": "double",
    "datetime": "timestamp",
    "datetime64": "timestamp",
    "number": "decimal",
    "str": "string",
    "text": "string",
    "utf8": "string",
    "object": "string",
    "bytes": "binary",
    "list": "array",
    "dict": "map",
    "json": "variant",
}
"""What other systems call them, for the nearest valid spelling."""
_PLAIN = (
    *("boolean", "tinyint", "smallint", "int", "bigint", "float", "double", "decimal", "string", "binary"),
    *("date", "timestamp", "timestamp_ntz", "time", "variant", "void", "interval", "geometry", "geography"),
)
_NESTED = ("array", "map", "struct")
_ARGUMENTS = re.compile(r"(\w+)\s*(?:\((.*)\))?")
_COLLATION = re.compile(r"(?i)string\s+collate\s+(\w+)")
_INTERVAL = re.compile(r"interval( (year|month|day|hour|minute|second)( to (month|hour|minute|second))?)?")
_DIGITS = re.compile(r"\s*(\d+)\s*(?:,\s*(\d+)\s*)?")
_QUOTED = re.compile(r"`((?:[^`]|``)+)`")
_MOST_DIGITS = 38
_TIME_DIGITS = 6


@dataclass(frozen=True, slots=True)
class SqlType:
    """A type in Spark's spelling; `parts` are a struct's fields, an array's `element`, a map's `key` and `value`."""

    name: str
    parts: tuple[tuple[str, SqlType], ...] = ()

    def __str__(self) -> str:
        """Render as Spark's `simpleString` does."""
        if self.name == "struct":
            return f"struct<{','.join(f'{name}:{kind}' for name, kind in self.parts)}>"
        return f"{self.name}<{','.join(str(kind) for _, kind in self.parts)}>" if self.parts else self.name


def parse_type(text: str) -> SqlType:
    """Read a type however it is cased, spaced or called; `ValueError` names the nearest valid spelling."""
    text = text.strip()
    head, opened, rest = text.partition("<")
    name = head.strip().lower()
    if opened:
        if name not in _NESTED:
            raise ValueError(_unknown(text, name, _NESTED))
        if not rest.endswith(">"):
            message = f"'{text}' lacks a '>' at its end"
            raise ValueError(message)
        return _nested(text, name, list(_split(rest[:-1])))
    if name in _NESTED:
        message = f"'{text}' does not say of what; write for example {_EXAMPLES[name]}"
        raise ValueError(message)
    return SqlType(_plain(text))


_EXAMPLES: Mapping[str, str] = {
    "array": "array<double>",
    "map": "map<string,int>",
    "struct": "struct<id:bigint,name:string>",
}


def _nested(text: str, name: str, inner: list[str]) -> SqlType:
    if name == "struct":
        return SqlType(name, tuple(_field(text, part) for part in inner))
    names = ("element",) if name == "array" else ("key", "value")
    if len(inner) != len(names):
        message = f"'{text}' has {len(inner)} types inside, expected {len(names)}: {_EXAMPLES[name]}"
        raise ValueError(message)
    return SqlType(name, tuple((n, parse_type(part)) for n, part in zip(names, inner, strict=True)))


def _field(text: str, part: str) -> tuple[str, SqlType]:
    """Read `name:type`, `name type` or either with the name in backticks."""
    part = part.strip()
    quoted = _QUOTED.match(part)
    if quoted:
        name, rest = quoted[1].replace("``", "`"), part[quoted.end() :].strip().removeprefix(":")
    else:
        middle = ":" if ":" in part.partition("<")[0] else None
        pieces = part.split(middle, 1)
        name, rest = pieces[0].strip(), pieces[1] if len(pieces) > 1 else ""
    if not name or not rest.strip():
        message = f"'{part}' in '{text}' is not a field; write name:type"
        raise ValueError(message)
    return name, parse_type(rest)


def _split(text: str) -> Iterator[str]:
    """The parts between commas that are in no brackets, parentheses or backticks."""
    depth, start, quoted = 0, 0, False
    for at, character in enumerate(text):
        if character == "`":
            quoted = not quoted
        elif quoted:
            continue
        elif character in "<(":
            depth += 1
        elif character in ">)":
            depth -= 1
        elif character == "," and depth == 0:
            yield text[start:at]
            start = at + 1
    if text.strip():
        yield text[start:]


def _plain(text: str) -> str:
    lower = " ".join(text.lower().split())
    collated = _COLLATION.fullmatch(" ".join(text.split()))
    if collated:
        return "string" if collated[1].upper() == "UTF8_BINARY" else f"string collate {collated[1]}"
    if _INTERVAL.fullmatch(lower):
        return lower
    match = _ARGUMENTS.fullmatch(lower)
    name = _ALIASES.get(match[1], match[1]) if match else ""
    arguments = match[2] if match else None
    if name in ("varchar", "char", "character"):
        message = f"'{text}': Spark reads such a column as string; write string"
        raise ValueError(message)
    if name not in _PLAIN:
        raise ValueError(_unknown(text, lower.partition("(")[0].strip(), (*_PLAIN, *_NESTED, *_ALIASES)))
    if name in ("geometry", "geography") and arguments is not None:
        return f"{name}({arguments.strip()})"
    return _with_digits(text, name, arguments)


def _with_digits(text: str, name: str, arguments: str | None) -> str:
    if name not in ("decimal", "time"):
        if arguments is not None:
            message = f"'{text}': {name} takes no arguments"
            raise ValueError(message)
        return name
    digits = _DIGITS.fullmatch(arguments) if arguments is not None else None
    first, second = (int(d) if d else 0 for d in digits.groups()) if digits else (10 if name == "decimal" else 6, 0)
    wrong = arguments is not None and digits is None
    if name == "time":
        if wrong or first > _TIME_DIGITS or (digits and digits[2]):
            message = f"'{text}' is not a time; write time or time(0) to time({_TIME_DIGITS})"
            raise ValueError(message)
        return f"time({first})"
    if wrong or not 1 <= first <= _MOST_DIGITS or second > first:
        message = f"'{text}' is not a decimal; write decimal(precision,scale) with scale ≤ precision ≤ {_MOST_DIGITS}"
        raise ValueError(message)
    return f"decimal({first},{second})"


def _unknown(text: str, name: str, allowed: tuple[str, ...]) -> str:
    near = _FOREIGN.get(name) or next(iter(difflib.get_close_matches(name, allowed, 1, 0.6)), None)
    hint = f", did you mean '{near}'?" if near else f"; allowed: {', '.join((*_PLAIN, *_EXAMPLES.values()))}"
    return f"'{text}' is no type of Spark{hint}"
