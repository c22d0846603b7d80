"""Which columns of two tables are compared, in what type, and which cannot be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from sparkguard.core.columns import Column, Schema
from sparkguard.core.text import few
from sparkguard.core.types import can_be_key, common_type
from sparkguard.errors import DataError

_FLOATS = ("float", "double")
_SHOWN = 10

Values = tuple[object, ...]


@dataclass(frozen=True)
class Pair:
    """A column on two sides, and the type in which both are compared."""

    one: Column
    other: Column
    type: str


@dataclass(frozen=True)
class Pairing:
    """How rows before and after are compared: by `key`, then by `exact` columns and by `floats`.

    `floats` are compared within `tolerance` times the larger absolute value, or times 1 if that is
    smaller, and only for keys with one row on each side.
    """

    key: tuple[Pair, ...]
    exact: tuple[Pair, ...] = ()
    floats: tuple[Pair, ...] = ()
    tolerance: float = 0.0

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """All columns: the key, the exact ones, the floats."""
        return (*self.key, *self.exact, *self.floats)

    def split(self, row: Sequence[object]) -> tuple[Values, Values, Values]:
        """A row's key, exact and float values, comparable in plain Python."""
        values = tuple(comparable(v) for v in row)
        k, e = len(self.key), len(self.key) + len(self.exact)
        return values[:k], values[k:e], values[e:]

    def near(self, one: Values, other: Values) -> bool:
        """Whether floats agree within the tolerance."""
        return all(_near(a, b, self.tolerance) for a, b in zip(one, other, strict=True))

    def __str__(self) -> str:
        """The key's columns as written."""
        return ", ".join(p.one.name for p in self.key)


def comparable(value: object) -> object:
    """One NaN, one zero, as Spark groups."""
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else value + 0.0
    return value


def _near(one: object, other: object, tolerance: float) -> bool:
    if isinstance(one, float) and isinstance(other, float) and math.isfinite(one) and math.isfinite(other):
        return abs(one - other) <= tolerance * max(1.0, abs(one), abs(other))
    return one == other


@dataclass(frozen=True)
class Columns:
    """How the columns of two tables meet: compared ones, and those that cannot be.

    `incomparable` have types that no loss-free cast brings together; `missing` are only in the first
    table, `added` only in the second.
    """

    pairing: Pairing
    incomparable: tuple[Pair, ...] = ()
    missing: tuple[str, ...] = ()
    added: tuple[str, ...] = ()

    def one_sided(self) -> str:
        """The columns that only one side has, for the end of a message."""
        sides = (("before", self.missing), ("after", self.added))
        return "".join(f"; only {side}: {few(names, _SHOWN)}" for side, names in sides if names)

    def types(self) -> str:
        """The columns that cannot be compared, with their types."""
        return few([f"{p.one.name} ({p.one.type} before, {p.other.type} after)" for p in self.incomparable], _SHOWN)


@lru_cache(maxsize=32)
def pair_columns(
    one: Schema, other: Schema, key: tuple[str, ...], compare: str | tuple[str, ...], tolerance: float | None
) -> Columns:
    """Pair the columns of two tables; `compare` is all, none or some names.

    `DataError` if a column that is named does not exist, or the key cannot be compared.
    """
    keys = pair_key(one, key, other, key)
    mine, theirs = ({f.name: Column(f.name, (f.name,), f.type, f.nullable) for f in s.fields} for s in (one, other))
    whole = compare == "all"
    if whole:
        keyed = {p.one.path[0] for p in keys if len(p.one.path) == 1}
        both = [(mine[n], theirs[n]) for n in mine if n in theirs and n not in keyed]
    else:
        both = [(one.column(n), other.column(n)) for n in compare if n not in key] if compare != "none" else []
    pairs = [Pair(a, b, common_type(a.type, b.type, tolerant=tolerance is not None) or "") for a, b in both]
    floats = tuple(p for p in pairs if tolerance is not None and p.type in _FLOATS)
    exact = tuple(p for p in pairs if p.type and (tolerance is None or p.type not in _FLOATS))
    return Columns(
        Pairing(keys, exact, floats, tolerance or 0.0),
        tuple(p for p in pairs if not p.type),
        tuple(n for n in mine if n not in theirs) if whole else (),
        tuple(n for n in theirs if n not in mine) if whole else (),
    )


def pair_key(one: Schema, key: Sequence[str], other: Schema, other_key: Sequence[str]) -> tuple[Pair, ...]:
    """Pair the columns of a key; `DataError` if they cannot be compared by value."""
    pairs = []
    for mine, theirs in zip(key, other_key, strict=True):
        a, b = one.column(mine), other.column(theirs)
        kind = common_type(a.type, b.type)
        if kind is None or not can_be_key(kind):
            both = f"is {a.type}" if a.type == b.type else f"is {a.type} on one side and {b.type} on the other"
            message = f"key column '{mine}' {both}, so its values cannot be matched"
            raise DataError(message, "cast it to one plain type on both sides, in a dataset's sql")
        pairs.append(Pair(a, b, kind))
    return tuple(pairs)
