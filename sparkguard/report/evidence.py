"""The evidence of one result as a table of cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sparkguard.core.text import REDACTED
from sparkguard.report.outline import Row
from sparkguard.report.words import clipped

LONGEST_VALUE = 200
WIDEST_KEY = 12
"""Columns of keys in one table of evidence; a wider key is cut, and the table says so."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One value; `kind` keeps NULL, an empty text and a column without a value apart."""

    kind: str
    """text | word | null | empty | absent | redacted | number; a word is sparkguard's own, a text may be data."""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Rows of `violations` for one result."""

    keys: tuple[str, ...]
    """The key's columns, each a column of the table."""
    others: tuple[str, ...]
    """The columns after them that hold anything."""
    rows: tuple[tuple[Cell, ...], ...]
    """Cells in the order kind, keys, others."""
    total: int
    """Rows of the result in `violations`."""
    more_keys: int = 0


def evidence_of(rows: Sequence[Row], total: int) -> Evidence | None:
    """The shown rows and how many there are; None without any."""
    if not total:
        return None
    names = tuple(dict.fromkeys(name for row in rows for name in row["key"]))
    keys = names[:WIDEST_KEY]
    others = tuple(n for n in ("reason", "expected", "actual", "count") if any(r[n] is not None for r in rows))
    cells = tuple(
        (_word(row["kind"]), *(_of_key(row["key"], k) for k in keys), *(_other(row, n) for n in others)) for row in rows
    )
    shown = tuple(clipped(key, LONGEST_VALUE) for key in keys)
    return Evidence(shown, others, cells, total, len(names) - len(keys))


def cell(value: str | None) -> Cell:
    """What stands for a value of the data."""
    if value is None:
        return Cell("null")
    if value in ("", REDACTED):
        return Cell("redacted" if value else "empty")
    return Cell("text", clipped(value, LONGEST_VALUE))


def _of_key(key: Mapping[str, str | None], name: str) -> Cell:
    return cell(key[name]) if name in key else Cell("absent")


def _other(row: Row, name: str) -> Cell:
    value = row[name]
    if name == "count":
        return Cell("absent") if value is None else Cell("number", f"{value:,}")
    return _word(value) if name == "reason" else cell(value)


def _word(value: str | None) -> Cell:
    return Cell("word", clipped(value, LONGEST_VALUE)) if value else Cell("absent")
