"""The schema of a source, without Spark, and how a written name finds its column in it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from sparkguard.core.text import few
from sparkguard.errors import DataError

_PART = re.compile(r"`((?:[^`]|``)+)`|([^.`]+)")
_SHOWN_NAMES = 5


@dataclass(frozen=True, slots=True)
class Column:
    """A column that was found in a schema.

    `path` holds the field names from the top level down (one for a plain column), `type` is
    Spark's own spelling ("bigint", "decimal(15,2)", "string collate UTF8_LCASE").
    """

    name: str
    path: tuple[str, ...]
    type: str
    nullable: bool = True


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a schema; a struct has `children`."""

    name: str
    type: str
    nullable: bool = True
    children: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class Schema:
    """The fields of a source in their order."""

    fields: tuple[Field, ...]

    @property
    def columns(self) -> tuple[Column, ...]:
        """The top-level columns."""
        return tuple(Column(f.name, (f.name,), f.type, f.nullable) for f in self.fields)

    def column(self, written: str) -> Column:
        """Find a column by the name that a user wrote.

        A top-level column of exactly that name wins; otherwise the name is read as a path into
        structs, in which backticks protect dots. `DataError` names the nearest columns.
        """
        if not written.startswith("`"):
            for field in self.fields:
                if field.name == written:
                    return Column(written, (field.name,), field.type, field.nullable)
        path = split_path(written)
        column = _walk(self.fields, path, written) if path else None
        if column is None:
            raise DataError(*self._missing(written))
        return column

    def names(self) -> Iterator[str]:
        """Every name that `column` understands, nested ones with dots."""
        yield from _names(self.fields, "")

    def _missing(self, written: str) -> tuple[str, str]:
        names = list(self.names())
        folded = {name.lower(): name for name in names}
        close = difflib.get_close_matches(written.strip("`").lower(), folded, _SHOWN_NAMES, 0.6)
        if close:
            hint = "the nearest columns are " + ", ".join(f"'{folded[c]}'" for c in close)
        elif names:
            hint = "the columns are " + few([f"'{n}'" for n in names], _SHOWN_NAMES)
        else:
            hint = "the source has no columns"
        return (
            f"column '{written}' does not exist; {hint}",
            "correct the name in the suite, or find out why the table lost the column",
        )


def split_path(written: str) -> tuple[str, ...] | None:
    """Split `payload.user.id` at its dots, minding backticks; None if it is not a path."""
    parts: list[str] = []
    at = 0
    while True:
        match = _PART.match(written, at)
        if match is None:
            return None
        quoted, plain = match.groups()
        parts.append(plain if quoted is None else quoted.replace("``", "`"))
        at = match.end()
        if at == len(written):
            return tuple(parts)
        if written[at] != ".":
            return None
        at += 1


def _walk(fields: tuple[Field, ...], path: tuple[str, ...], written: str) -> Column | None:
    nullable, found = False, None
    for part in path:
        found = next((field for field in fields if field.name == part), None)
        if found is None:
            return None
        nullable, fields = nullable or found.nullable, found.children
    return Column(written, path, found.type, nullable) if found else None


def _names(fields: tuple[Field, ...], prefix: str) -> Iterator[str]:
    for field in fields:
        yield prefix + field.name
        yield from _names(field.children, f"{prefix}{field.name}.")
