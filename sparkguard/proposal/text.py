"""The text of a suite: proposals as YAML with their reasons as comments, whatever names and values hold."""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

import yaml

from sparkguard.proposal.proposed import Node, Proposal

WIDTH = 118
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:[./-][A-Za-z0-9_]+)*")
_NOT_TEXT = frozenset(("true", "false", "null", "yes", "no", "on", "off", "y", "n", "inf", "nan"))
"""What some reader of YAML takes for something else, now or in its version 1.1."""
_VARIABLE = "${"
_NO_VARIABLE = "${literal_dollar:-$}{"
"""A variable that nobody sets, whose default is the sign: a value that looks like a variable stays what it is."""
_LONGEST_KEY = 1_000
"""A key of more characters must be marked as one."""
_EXACT_DIGITS = 15
_TYPE = re.compile(r"[a-z][a-z0-9_]*(?:[<(][A-Za-z0-9_,<>()]*[>)])?")
"""A type that needs no quotes in a block: its brackets and commas mean nothing there."""


def scalar(value: str | float | Decimal, *, key: bool = False) -> str:
    """One value; in a key nothing is filled in, so nothing needs protection from it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else quoted(str(value))
    if isinstance(value, Decimal):
        text = _plain_number(value)
        return text if len(value.as_tuple().digits) <= _EXACT_DIGITS or "." not in text else quoted(text)
    if _PLAIN.fullmatch(value) and value.lower() not in _NOT_TEXT:
        return value
    return quoted(value if key else value.replace(_VARIABLE, _NO_VARIABLE))


def quoted(text: str) -> str:
    """A text in double quotes, in one line, with every sign escaped that could end or change it."""
    written: str = yaml.dump(text, default_style='"', allow_unicode=True, width=math.inf)
    return written.rstrip("\n")


def flow(value: Node) -> str:
    """A value in one line."""
    if isinstance(value, list):
        return f"[{', '.join(map(flow, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{scalar(k, key=True)}: {flow(v)}' for k, v in value.items())}}}"
    return scalar(value)


def comment(text: str, indent: int = 0, width: int = WIDTH) -> list[str]:
    """A sentence as lines of comment."""
    start = " " * indent + "# "
    clean = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    lines = textwrap.wrap(clean, width - len(start), break_long_words=False, break_on_hyphens=False)
    return [start + line for line in lines]


def block(name: str, value: Node, indent: int) -> list[str]:
    """`name: value`, over several lines where it is long."""
    start = " " * indent
    line = f"{start}{name}: {flow(value)}"
    if isinstance(value, dict) and name == "columns":
        return [f"{start}{name}:", *_typed(value, indent + 2)]
    if len(line) <= WIDTH or not isinstance(value, list):
        return [line]
    return [f"{start}{name}: [", *_wrapped([flow(v) for v in value], indent + 2), f"{start}]"]


def check_lines(check: Proposal, dataset: str, indent: int = 2, *, told: bool = True) -> list[str]:
    """One check of a list, its reasons above it."""
    start = " " * indent
    lines = [line for reason in check.reasons for line in comment(reason, indent)] if told else []
    lines += [
        f"{start}- id: {scalar(check.id)}",
        f"{start}  type: {check.type}",
        f"{start}  dataset: {scalar(dataset)}",
    ]
    for name, value in check.fields.items():
        lines += block(name, value, indent + 2)
    return lines


def checks_text(checks: Sequence[Proposal], dataset: str, indent: int = 2) -> list[str]:
    """Several checks, a blank line between them."""
    lines: list[str] = []
    for check in checks:
        lines += [*([""] if lines else []), *check_lines(check, dataset, indent)]
    return lines


def _typed(columns: Mapping[str, Node], indent: int) -> Iterator[str]:
    """Columns with their types, a line each."""
    for name, value in columns.items():
        yield from _entry(name, value, indent)


def _entry(name: str, value: Node, indent: int) -> Iterator[str]:
    key, start = scalar(name, key=True), " " * indent
    text = str(value)
    written = text if _TYPE.fullmatch(text) else flow(value)
    if len(key) > _LONGEST_KEY:
        yield from (f"{start}? {key}", f"{start}: {written}")
    else:
        yield f"{start}{key}: {written}"


def _wrapped(parts: Iterable[str], indent: int) -> Iterator[str]:
    """Parts of a list with commas, as many in a line as fit."""
    start, line = " " * indent, ""
    for part in parts:
        if line and len(start) + len(line) + len(part) + 2 > WIDTH:
            yield start + line.rstrip()
            line = ""
        line += f"{part}, "
    if line:
        yield start + line.rstrip(", ")


def _plain_number(value: Decimal) -> str:
    """Digits without an exponent, and without zeros that say nothing."""
    text = f"{value:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) if value else "0"
