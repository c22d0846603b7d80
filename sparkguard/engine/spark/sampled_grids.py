"""The sample that grids are made from: one read of all columns, and one row for each on the driver."""

from __future__ import annotations

from pyspark.sql import functions as F

from sparkguard.engine.spark import Read
from sparkguard.engine.spark.sampling import packed
from sparkguard.measures.grids import TEXT, Grid, kind_of
from sparkguard.measures.row_sample import SampledColumn
from sparkguard.measures.sampled_grids import Grids, GridsAnswer, ordered_grid, text_grid

_SEED = 8


def grids(read: Read, measure: Grids) -> GridsAnswer:
    """Count the rows, then read as many of all columns as the sample has."""
    rows = read(measure.source, measure.all_columns)
    share = measure.rows / max(1, rows.count())
    sample = rows if share >= 1 else rows.where(F.rand(_SEED) < share)
    name = {column: f"c{i}" for i, column in enumerate(measure.all_columns)}
    asked = [(c, kind_of(c.type) or TEXT) for c in measure.columns] + [(c, TEXT) for c in measure.texts]
    found = packed(sample, [(name[c], c.type, kind == TEXT) for c, kind in asked])
    made = [(c.name, _grid(kind, one)) for (c, kind), one in zip(asked, found.columns, strict=True)]
    blank = {c.name for (c, _), one in zip(asked, found.columns, strict=True) if not len(one.known)}
    blank |= {name for name, grid in made if grid.one}
    return GridsAnswer(dict(made[: len(measure.columns)]), dict(made[len(measure.columns) :]), frozenset(blank))


def _grid(kind: str, one: SampledColumn) -> Grid:
    return text_grid(one.hashes[~one.missing], dict(one.names)) if kind == TEXT else ordered_grid(kind, one.numbers)


COMPUTE = {Grids: grids}
