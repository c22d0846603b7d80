"""Counting cells in Python workers: functions that travel to the executors by value.

They need numpy and pyarrow there, not sparkguard, so each is made inside another function and names
nothing of a module. Numbers are compared with all edges by numpy, which takes a quarter of a binary search.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

COUNTED = "block INT, part INT, counts BINARY"
"""Rows by cell of a block and some of the questions: zlib over 64-bit numbers, little end first."""
_CHUNK = 1 << 21
"""Values that a worker counts at once: 16 MiB, held three times."""
_CACHED = 1 << 16
"""Values that stay in the processor's cache while they are compared with every edge."""

_TOGETHER = 64
"""Rows that a worker hands back at once."""

Run = Callable[[Iterable[Any]], Iterator[Any]]


@dataclass(frozen=True)
class Coded:
    """A value as SQL text, and its code: the bin of a double between `edges`, or the place of a 64-bit hash.

    With edges: 0 for NULL, 1 for NaN, 2 and on for the bins. With `hashes`: `first` and on for these, then
    `buckets` for others (without any they are 0), and 0 for NULL.
    """

    sql: str
    edges: tuple[float, ...] | None
    hashes: tuple[int, ...] = ()
    buckets: int = 0
    first: int = 2


@dataclass(frozen=True)
class Item:
    """One question: the numbers of its value and of its group (None: one group), cells of a group and in all."""

    value: int
    group: int | None
    width: int
    cells: int


def arrays(block: str, codes: Sequence[Coded]) -> Sequence[str]:
    """The values of `codes` as SQL for the two columns that `counter` takes, the block's number before the doubles.

    Spark hands an array of doubles to Python for half of what as many columns cost.
    """
    doubles = [f"CAST({block} AS DOUBLE)", *(code.sql for code in codes if code.edges is not None)]
    hashes = [code.sql for code in codes if code.edges is None]
    return [f"array({', '.join(doubles)}) AS doubles", *([f"array({', '.join(hashes)}) AS hashes"] if hashes else [])]


def counter(codes: Sequence[Coded], parts: Sequence[Sequence[Item]], blocks: Sequence[int]) -> Run:
    """A function of Arrow batches of `arrays` that counts them: `COUNTED`.

    Blocks, by their numbers in ascending order, are told by their place. It holds 8 bytes for each cell of each
    block, and the values of `_CHUNK`.
    """
    most, numbers = max(1, _CHUNK // (1 + len(codes))), list(blocks)
    ways = [(c.edges, c.hashes, c.buckets, c.first) for c in codes]
    plan = [[(i.value, i.group, i.width, i.cells) for i in part] for part in parts]
    coded, add, packed = _coded(), _add(), _packed()

    def run(batches: Iterable[Any]) -> Iterator[Any]:
        import numpy as np

        places = np.zeros(numbers[-1] + 1, np.int64)
        places[numbers] = np.arange(len(numbers))
        counts: list[Any] = [np.zeros((len(numbers), sum(cells for *_, cells in part)), np.int64) for part in plan]
        held: list[Any] = []
        for batch in batches:
            held.append(batch)
            if sum(b.num_rows for b in held) >= most:
                add(*coded(held, places, ways), plan, counts)
                held = []
        if sum(b.num_rows for b in held):
            add(*coded(held, places, ways), plan, counts)
        yield from packed(
            (int(block), number, part[block])
            for number, part in enumerate(counts)
            for block in part.any(axis=1).nonzero()[0]
        )

    return run


def merger() -> Run:
    """A function of Arrow batches of `COUNTED` that adds those of equal block and part."""
    packed = _packed()

    def run(batches: Iterable[Any]) -> Iterator[Any]:
        import zlib

        import numpy as np

        found: dict[tuple[int, int], Any] = {}
        for batch in batches:
            for block, part, counts in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                more = np.frombuffer(zlib.decompress(counts), "<i8")
                found[block, part] = found[block, part] + more if (block, part) in found else more
        yield from packed((block, part, counts) for (block, part), counts in found.items())

    return run


def _packed() -> Callable[[Iterable[tuple[int, int, Any]]], Iterator[Any]]:
    together = _TOGETHER

    def packed(found: Iterable[tuple[int, int, Any]]) -> Iterator[Any]:
        """Some rows at a time: a batch for each would cost more than counting."""
        import zlib
        from itertools import islice

        import pyarrow as pa

        schema = pa.schema([("block", pa.int32()), ("part", pa.int32()), ("counts", pa.binary())])
        rows = ((block, part, zlib.compress(counts.astype("<i8").tobytes(), 1)) for block, part, counts in found)
        while some := list(islice(rows, together)):
            yield pa.RecordBatch.from_arrays(
                [pa.array(c, f.type) for c, f in zip(zip(*some, strict=True), schema, strict=True)], schema=schema
            )

    return packed


def _add() -> Callable[[Any, Sequence[Any], Sequence[Any], Sequence[Any]], None]:
    def add(blocks: Any, codes: Any, plan: Any, counts: Any) -> None:
        import numpy as np

        # Rows of a table that is laid out by time meet few blocks at once.
        low, high = int(blocks.min()), int(blocks.max()) + 1
        near = blocks - low
        for part, whole in zip(plan, counts, strict=True):
            at = 0
            for value, group, width, cells in part:
                keys = near * cells + codes[value]
                if group is not None:
                    keys += codes[group] * width
                found = np.bincount(keys, minlength=(high - low) * cells)
                whole[low:high, at : at + cells] += found.reshape(high - low, cells)
                at += cells

    return add


def _coded() -> Callable[[Sequence[Any], Any, Sequence[Any]], tuple[Any, Sequence[Any]]]:
    columns, bins, places_of = _columns(), _bins(), _places()

    def coded(held: Sequence[Any], places: Any, ways: Sequence[Any]) -> tuple[Any, Sequence[Any]]:
        import numpy as np

        doubles = columns([batch.column(0) for batch in held], "f8")
        blocks = places[next(doubles)[0].astype(np.int64)]
        hashed = columns([batch.column(1) for batch in held], "i8") if held[0].num_columns > 1 else iter(())
        codes = []
        for edges, hashes, buckets, first in ways:
            values, missing = next(hashed if edges is None else doubles)
            code = places_of(values, hashes, buckets, first) if edges is None else bins(values, edges)
            if missing is not None:
                code[missing] = 0
            codes.append(code)
        return blocks, codes

    return coded


def _columns() -> Callable[[Sequence[Any], str], Iterator[tuple[Any, Any]]]:
    def columns(lists: Sequence[Any], kind: str) -> Iterator[tuple[Any, Any]]:
        """The columns of arrays of equal length, and which of their values are NULL (None: none is)."""
        import numpy as np

        flat = [values.flatten() for values in lists if len(values)]
        rows = sum(map(len, lists))
        width, at = sum(map(len, flat)) // rows, 0
        table, nulls = np.empty((width, rows), kind), np.zeros((width, rows), bool)
        for values in flat:
            part = slice(at, at := at + len(values) // width)
            # Batch by batch, each of which stays in the processor's cache while it is turned.
            table[:, part] = (
                np.frombuffer(values.buffers()[1], kind, len(values), values.offset * 8).reshape(-1, width).T
            )
            if values.null_count:
                nulls[:, part] = values.is_null().to_numpy(zero_copy_only=False).reshape(-1, width).T
        some = any(values.null_count for values in flat)
        yield from zip(table, nulls if some else [None] * width, strict=True)

    return columns


def _bins() -> Callable[[Any, Sequence[float]], Any]:
    cached = _CACHED

    def bins(values: Any, edges: Sequence[float]) -> Any:
        import numpy as np

        found: Any = np.full(len(values), 2, np.uint8 if len(edges) < 250 else np.int32)  # noqa: PLR2004 - 2 bins more fit
        above = np.empty(min(cached, len(values)), bool)
        for start in range(0, len(values), cached):
            some, numbers = values[start : start + cached], found[start : start + cached]
            beyond = above[: len(some)]
            for edge in edges:
                np.greater_equal(some, edge, out=beyond)
                np.add(numbers, beyond.view(np.uint8), out=numbers)
        found[np.isnan(values)] = 1
        return found

    return bins


def _places() -> Callable[[Any, Sequence[int], int, int], Any]:
    def places(values: Any, hashes: Sequence[int], buckets: int, first: int) -> Any:
        import numpy as np

        others = first + len(hashes) + values % buckets if buckets else np.zeros(len(values), np.int64)
        if not hashes:
            return others
        known = np.array(hashes, np.int64)
        order = np.argsort(known)
        nearest = np.minimum(np.searchsorted(known, values, sorter=order), len(hashes) - 1)
        return np.where(known[order[nearest]] == values, first + order[nearest], others)

    return places
