"""The sample that grids are made from: one read of all columns, and one row for each on the driver."""

from __future__ import annotations

import numpy as np
from pyspark.sql import functions as F

from sparkguard.engine.spark import Read
from sparkguard.engine.spark.sampling import Packed, packed
from sparkguard.measures.grids import TEXT, Grid, kind_of
from sparkguard.measures.sampled_grids import Grids, GridsAnswer, ordered_grid, text_grid

_SEED = 8

Whole = np.ndarray[tuple[int, ...], np.dtype[np.int64]]


def grids(read: Read, measure: Grids) -> GridsAnswer:
    """Count the rows, then read as many of all columns as the sample has."""
    rows = read(measure.source, measure.all_columns)
    share = measure.rows / max(1, rows.count())
    sample = rows if share >= 1 else rows.where(F.rand(_SEED) < share)
    name = {column: f"c{i}" for i, column in enumerate(measure.all_columns)}
    asked = [(c, kind_of(c.type) or TEXT) for c in measure.columns] + [(c, TEXT) for c in measure.texts]
    found = packed(sample, [(name[c], c.type, kind == TEXT) for c, kind in asked])
    values = [_values(one) for one in found.columns]
    made = [(c.name, _grid(kind, held, one)) for (c, kind), held, one in zip(asked, values, found.columns, strict=True)]
    blank = {c.name for (c, _), held in zip(asked, values, strict=True) if not len(held)}
    blank |= {name for name, grid in made if grid.one}
    return GridsAnswer(dict(made[: len(measure.columns)]), dict(made[len(measure.columns) :]), frozenset(blank))


def _values(one: Packed) -> Whole:
    """What is not NULL, as 64 bits."""
    held = np.frombuffer(one.values, "<i8")
    nulls = np.unpackbits(np.frombuffer(one.nulls, np.uint8), count=len(held)) if one.nulls else np.zeros(len(held))
    return np.asarray(held[nulls == 0], np.int64)


def _grid(kind: str, held: Whole, one: Packed) -> Grid:
    return text_grid(held, dict(one.names)) if kind == TEXT else ordered_grid(kind, held.view("<f8"))


COMPUTE = {Grids: grids}
