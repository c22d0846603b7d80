"""The sample that grids are made from: one read of all columns, and one row for each on the driver."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from sparkguard.engine.spark import Read
from sparkguard.engine.spark.histograms import as_hash, as_number
from sparkguard.measures.grids import TEXT, Grid, kind_of
from sparkguard.measures.sampled_grids import LONGEST_NAME, Grids, GridsAnswer, ordered_grid, text_grid

_SAMPLED = "number INT, kept BINARY, names STRING"
_NAMED = 256
"""The most frequent texts of a sample whose names travel to the driver."""
_SEED = 8


def grids(read: Read, measure: Grids) -> GridsAnswer:
    """Count the rows, then read as many of all columns as the sample has; they meet in one task, which packs them."""
    rows = read(measure.source, measure.all_columns)
    share = measure.rows / max(1, rows.count())
    sample = rows if share >= 1 else rows.where(F.rand(_SEED) < share)
    name = {column: f"c{i}" for i, column in enumerate(measure.all_columns)}
    asked = [(c, kind_of(c.type) or TEXT) for c in measure.columns] + [(c, TEXT) for c in measure.texts]
    values, texts = [], []
    for i, (column, kind) in enumerate(asked):
        text = kind == TEXT
        values.append(f"{(as_hash if text else as_number)(name[column], column.type)} AS v{i}")
        texts += [f"left(CAST({name[column]} AS STRING), {LONGEST_NAME}) AS t{i}"] if text else []
    # Of no rows Spark asks no task.
    found = {
        row["number"]: (row["kept"], row["names"])
        for row in _packed(sample.selectExpr(*values, *texts), [k == TEXT for _, k in asked])
    }
    made = [(column.name, _grid(kind, *found.get(i, (b"", "[]")))) for i, (column, kind) in enumerate(asked)]
    blank = {column.name for i, (column, _) in enumerate(asked) if i not in found or not found[i][0]}
    blank |= {name for name, grid in made if grid.one}
    return GridsAnswer(dict(made[: len(measure.columns)]), dict(made[len(measure.columns) :]), frozenset(blank))


def _packed(sample: DataFrame, texts: Sequence[bool]) -> Sequence[Row]:
    return sample.repartition(1).mapInArrow(_packer(texts, _NAMED), _SAMPLED).collect()


def _grid(kind: str, kept: bytes, named: str) -> Grid:
    packed = zlib.decompress(kept) if kept else b""
    if kind != TEXT:
        return ordered_grid(kind, np.frombuffer(packed, "<f8"))
    names = {int(hashed): name for hashed, name in json.loads(named)}
    return text_grid(np.frombuffer(packed, "<i8"), names)


def _packer(texts: Sequence[bool], most: int) -> Callable[[Iterable[Any]], Iterator[Any]]:
    """A function of Arrow batches, by value as those of `counting`: the values of each column that are not NULL.

    Of the most frequent texts it tells the names, by their hashes.
    """
    flags = list(texts)

    def run(batches: Iterable[Any]) -> Iterator[Any]:
        import json
        import zlib

        import numpy as np
        import pyarrow as pa

        held, at = list(batches), len(flags)
        for number, text in enumerate(flags):
            parts = [batch.column(number).drop_null().to_numpy() for batch in held]
            values = np.concatenate(parts) if parts else np.zeros(0)
            names = []
            if text:
                found, first, counts = np.unique(values, return_index=True, return_counts=True)
                shown = [name for batch in held for name in batch.column(at).drop_null().to_pylist()]
                at += 1
                names = [(int(found[i]), shown[first[i]]) for i in np.lexsort((found, -counts))[:most]]
            kept = zlib.compress(values.tobytes(), 1) if len(values) else b""
            columns = (([number], pa.int32()), ([kept], pa.binary()), ([json.dumps(names)], pa.string()))
            arrays = [pa.array(value, kind) for value, kind in columns]
            yield pa.RecordBatch.from_arrays(arrays, ["number", "kept", "names"])

    return run


COMPUTE = {Grids: grids}
