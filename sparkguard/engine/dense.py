"""Dense summaries of a batch: each task counts in numpy, equal blocks are added, the driver gets packed rows."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
from pyspark.sql import DataFrame, Row

from sparkguard.core.batches import Batch
from sparkguard.core.measure import Dense, State, Summary
from sparkguard.engine.blocks import Block, numbers
from sparkguard.engine.reader import Reader
from sparkguard.engine.settings import BATCH_BYTES, setting
from sparkguard.engine.spark import DenseCells, Names, dense_recipes
from sparkguard.engine.spark.counting import COUNTED, Coded, Item, Product, columns, counter, merger

MOST_CELLS = 1 << 23
"""Cells times blocks of one read: each Python worker holds 64 MiB of them."""
MOST_COLUMNS = 512
"""Columns of one read: Spark hands 10,000 rows at a time to a worker."""
PART_CELLS = 1 << 18
"""Cells of a block that travel together."""

Query = Callable[[], Sequence[Mapping[Block, State]]]


def dense_query(reader: Reader, batch: Batch, blocks: Sequence[Block], files: Sequence[str]) -> Query:
    """A function that counts the blocks' rows; what is wrong with the text of its query shows before."""
    reads = [_Read(reader, part, blocks, files) for part in _reads(batch, len(blocks))]

    def states() -> Sequence[Mapping[Block, State]]:
        return [found for read in reads for found in read.states()]

    return states


class _Read:
    """One read of some columns."""

    def __init__(self, reader: Reader, batch: Batch, blocks: Sequence[Block], files: Sequence[str]) -> None:
        names = Names(batch.columns)
        self._recipes = [dense_recipes()[type(m)] for m in batch.measures]
        asked = [r.cells(m, names) for r, m in zip(self._recipes, batch.measures, strict=True)]
        self._batch, self._blocks = batch, blocks
        codes, products, items = _items(asked)
        self._parts = list(_parts(items))
        rows = reader.frame(batch.source, batch.columns, names.expressions, blocks, files)
        number = "0" if tuple(blocks) == (None,) else "b"
        coded = rows.selectExpr(*columns(number, codes))
        counted = coded.mapInArrow(counter(codes, self._parts, sorted(numbers(blocks)), products), COUNTED)
        self._spark = reader.spark
        self._query: DataFrame = counted.repartition("block", "part").mapInArrow(merger(), COUNTED)
        self._query.schema  # noqa: B018 - Spark Connect analyses on demand

    def states(self) -> Sequence[Mapping[Block, State]]:
        """For each measure the states of all blocks; one without rows is known to be empty."""
        found: list[dict[Block, State]] = [dict.fromkeys(self._blocks, m.STATE.zero()) for m in self._batch.measures]
        first = [0]
        for part in self._parts:
            first.append(first[-1] + len(part))
        with setting(self._spark, *BATCH_BYTES):
            rows = self._query.collect()
        for row in rows:
            at = first[row["part"]]
            for i, counts in enumerate(_cut(row, self._parts[row["part"]]), at):
                found[i][self._blocks[row["block"]]] = self._recipes[i].state(self._batch.measures[i], counts)
        return found


def _reads(batch: Batch, blocks: int) -> Iterator[Batch]:
    """Measures that one read answers, in their order."""
    part: list[Summary[State]] = []
    for measure in batch.measures:
        wider = Batch(batch.source, (*part, measure))
        if part and (_cells(wider) * blocks > MOST_CELLS or len(wider.columns) > MOST_COLUMNS):
            yield Batch(batch.source, tuple(part))
            part = []
        part.append(measure)
    yield Batch(batch.source, tuple(part))


def _cells(batch: Batch) -> int:
    return sum(m.cells for m in batch.measures if isinstance(m, Dense))


def _items(asked: Sequence[DenseCells]) -> tuple[Sequence[Coded], Sequence[Product], Sequence[Item]]:
    """Every code and every product of two once, and what is counted by their numbers."""
    codes = {code: i for i, code in enumerate(dict.fromkeys(c for cells in asked for c in _codes(cells)))}
    products: dict[Product, int] = {}
    items = []
    for cells in asked:
        groups = [codes[grouping.code] for grouping in cells.groups]
        if len(groups) > 1:
            product = Product(groups[0], groups[1], cells.groups[0].codes)
            groups = [products.setdefault(product, len(codes) + len(products))]
        many = math.prod(grouping.codes for grouping in cells.groups)
        items.append(Item(codes[cells.value], groups[0] if groups else None, cells.width, many * cells.width))
    return list(codes), list(products), items


def _codes(cells: DenseCells) -> Sequence[Coded]:
    return [cells.value, *(grouping.code for grouping in cells.groups)]


def _parts(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """Neighbours that travel together."""
    part: list[Item] = []
    for item in items:
        if part and sum(i.cells for i in part) + item.cells > PART_CELLS:
            yield part
            part = []
        part.append(item)
    yield part


def _cut(row: Row, part: Sequence[Item]) -> Iterator[np.ndarray[tuple[int, ...], np.dtype[np.int64]]]:
    """The counts of each question of a part."""
    counts, at = np.frombuffer(zlib.decompress(row["counts"]), "<i8"), 0
    for item in part:
        yield counts[at : at + item.cells]
        at += item.cells
