"""Rows that meet in one task, which packs them column by column for the driver."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame, Row

from sparkguard.engine.spark.histograms import as_hash, as_number, as_presence
from sparkguard.measures.grids import kind_of
from sparkguard.measures.row_sample import SampledColumn
from sparkguard.measures.sampled_grids import LONGEST_NAME

_SAMPLED = "number INT, kept BINARY, nulls BINARY, names STRING"
_NAMED = 256
"""The most frequent texts of a sample whose names travel to the driver."""


def packed(rows: DataFrame, asked: Sequence[tuple[str, str, bool]], order: str | None = None, most: int = 0) -> Packing:
    """The columns of `asked` (name, Spark's type, whether as text), in the order of a 64-bit number, `most` rows."""
    values, texts = [], []
    for i, (name, kind, text) in enumerate(asked):
        values.append(f"{as_hash(name, kind) if text else _number(name, kind)} AS v{i}")
        texts += [f"left(CAST({name} AS STRING), {LONGEST_NAME}) AS t{i}"] if text else []
    last = [] if order is None else [f"{order} AS h"]
    frame = rows.selectExpr(*values, *texts, *last).repartition(1)
    run = packer([text for *_, text in asked], _NAMED, None if order is None else most)
    # Of no rows Spark asks no task.
    found = {row["number"]: row for row in frame.mapInArrow(run, _SAMPLED).collect()}
    rest = json.loads(found[-1]["names"]) if found else [0, 0]
    return Packing(tuple(_unpacked(found.get(i), text) for i, (*_, text) in enumerate(asked)), *rest)


@dataclass(frozen=True)
class Packing:
    """Columns beside each other; so many rows met, with so many different values of the number that orders them."""

    columns: tuple[SampledColumn, ...]
    met: int
    different: int


def _number(name: str, kind: str) -> str:
    return as_presence(name) if kind_of(kind) is None else as_number(name, kind)


def _unpacked(row: Row | None, text: bool) -> SampledColumn:  # noqa: FBT001 - a field
    if row is None:
        return SampledColumn(text, b"")
    names = tuple((int(hashed), name) for hashed, name in json.loads(row["names"]))
    return SampledColumn(text, zlib.decompress(row["kept"]), zlib.decompress(row["nulls"]), names)


def packer(texts: Sequence[bool], named: int, most: int | None) -> Callable[[Iterable[Any]], Iterator[Any]]:
    """A function of Arrow batches, by value as those of `counting`: the values of each column, 0 for NULL.

    With `most` the last column is a number by which rows are ordered before so many are taken. Of the most
    frequent texts it tells the names, by their hashes. The row with number -1 says how many rows met.
    """
    flags = list(texts)

    def run(batches: Iterable[Any]) -> Iterator[Any]:
        import json
        import zlib

        import numpy as np
        import pyarrow as pa

        def whole(number: int) -> tuple[Any, Any]:
            columns = [batch.column(number) for batch in held]
            values = [c.fill_null(0).to_numpy(zero_copy_only=False) for c in columns]
            return np.concatenate(values), np.concatenate([c.is_null().to_numpy(zero_copy_only=False) for c in columns])

        def row(number: int, kept: Any, nulls: Any, names: Any) -> Any:
            kinds = (pa.int32(), pa.binary(), pa.binary(), pa.string())
            blobs = (zlib.compress(blob.tobytes(), 1) for blob in (kept, nulls))
            cells = (number, *blobs, json.dumps(names))
            arrays = [pa.array([cell], kind) for cell, kind in zip(cells, kinds, strict=True)]
            return pa.RecordBatch.from_arrays(arrays, ["number", "kept", "nulls", "names"])

        held, at = [batch for batch in batches if batch.num_rows], len(flags)
        if not held:
            return
        order: Any = slice(None)
        counts = [sum(batch.num_rows for batch in held)] * 2
        if most is not None:
            hashes, _ = whole(len(flags) + sum(flags))
            order = np.argsort(hashes, kind="stable")[:most]
            counts[1] = len(np.unique(hashes))
        nothing = np.zeros(0)
        yield row(-1, nothing, nothing, counts)
        for number, text in enumerate(flags):
            values, nulls = (side[order] for side in whole(number))
            names: list[Any] = []
            if text:
                known = values[~nulls]
                found, first, times = np.unique(known, return_index=True, return_counts=True)
                shown = pa.chunked_array([batch.column(at) for batch in held]).take(
                    pa.array(np.arange(counts[0])[order][~nulls][first])
                )
                at += 1
                names = [(int(found[i]), shown[int(i)].as_py()) for i in np.lexsort((found, -times))[:named]]
            yield row(number, values, np.packbits(nulls) if nulls.any() else nothing, names)

    return run
