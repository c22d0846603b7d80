"""Which columns of two sources can be compared on a grid."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sparkguard.core.columns import Column, Schema
from sparkguard.core.fields import Like
from sparkguard.errors import DataError
from sparkguard.measures.grids import kind_of
from sparkguard.shapes.columns import Unfit


@dataclass(frozen=True, slots=True)
class Shared:
    """Columns of the window with those of the reference, and the named ones that cannot be compared.

    `left_out` are the names of columns that nobody named and that only one side has, or with other types.
    """

    pairs: tuple[tuple[Column, Column], ...]
    unfit: tuple[Unfit, ...] = ()
    left_out: tuple[str, ...] = ()


def shared(mine: Schema, theirs: Schema, chosen: tuple[str, ...] | Like | None, but: Collection[str | None]) -> Shared:
    """Pair the columns that were chosen, by name or pattern, or all top-level ones `but` some."""
    if isinstance(chosen, tuple):
        return _named(mine, theirs, chosen)
    known = {column.name: column for column in theirs.columns}
    found = chosen.matching(mine, fits) if chosen is not None else filter(fits, mine.columns)
    wanted = [column for column in found if column.name not in but]
    pairs = tuple((c, known[c.name]) for c in wanted if c.name in known and alike(c, known[c.name]))
    paired = {mine.name for mine, _ in pairs}
    return Shared(pairs, (), tuple(c.name for c in wanted if c.name not in paired))


def fits(column: Column) -> bool:
    """Whether values of a column have cells: numbers, times, texts and booleans."""
    return kind_of(column.type) is not None


def alike(one: Column, other: Column) -> bool:
    """Whether both columns count on the same grid: whole numbers go with others, times only with their own."""
    kinds = {kind_of(one.type), kind_of(other.type)}
    return len(kinds) == 1 or kinds == {"integer", "number"}


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
    if not alike(mine, theirs):
        message = f"column '{mine.name}' is {mine.type} in the window and {theirs.type} in the reference"
        raise DataError(message, "cast one of them in a dataset's sql")
    return mine, theirs
