"""Which columns of two sources can be compared on a grid."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sparkguard.core.columns import Column, Schema
from sparkguard.core.fields import Like
from sparkguard.errors import DataError
from sparkguard.measures.grids import alike, kind_of
from sparkguard.shapes.columns import Unfit


@dataclass(frozen=True, slots=True)
class Shared:
    """Columns of the window with those of the reference, and the named ones that cannot be compared.

    Of those that nobody named, `unlike` have another type on each side, and only one side has `left_out`.
    """

    pairs: tuple[tuple[Column, Column], ...]
    unfit: tuple[Unfit, ...] = ()
    unlike: tuple[Unfit, ...] = ()
    left_out: tuple[str, ...] = ()


def shared(mine: Schema, theirs: Schema, chosen: tuple[str, ...] | Like, but: Collection[str | None]) -> Shared:
    """Pair the columns that were chosen, by name, or by a pattern `but` some; those that fit on one side are told."""
    if isinstance(chosen, tuple):
        return _named(mine, theirs, chosen)
    one, other = ({c.name: c for c in schema.columns} for schema in (mine, theirs))
    fitting = (c.name for schema in (mine, theirs) for c in chosen.matching(schema, fits))
    pairs, unlike, lone = [], [], []
    for name in dict.fromkeys(name for name in fitting if name not in but):
        if name not in one or name not in other:
            lone.append(name)
            continue
        try:
            pairs.append(_pair(one[name], other[name]))
        except DataError as error:
            unlike.append(Unfit(name, error))
    return Shared(tuple(pairs), (), tuple(unlike), tuple(lone))


def fits(column: Column) -> bool:
    """Whether values of a column have cells: numbers, times, texts and booleans."""
    return kind_of(column.type) is not None


def _named(mine: Schema, theirs: Schema, names: tuple[str, ...]) -> Shared:
    pairs, unfit = [], []
    for name in names:
        try:
            pairs.append(_pair(mine.column(name), theirs.column(name)))
        except DataError as error:
            unfit.append(Unfit(name, error))
    return Shared(tuple(pairs), tuple(unfit))


def _pair(mine: Column, theirs: Column) -> tuple[Column, Column]:
    for column in (mine, theirs):
        if not fits(column):
            message = f"column '{column.name}' is {column.type}; numbers, times, texts and booleans are compared"
            raise DataError(message, "name another column, or compute a number of it in a dataset's sql")
    if not alike(kind_of(mine.type), kind_of(theirs.type)):
        message = f"column '{mine.name}' is {mine.type} in the window and {theirs.type} in the reference"
        raise DataError(message, "cast one of them in a dataset's sql")
    return mine, theirs
