"""Counting cells in Python workers: functions that travel to the executors by value.

They need numpy and pyarrow there, not sparkguard, so each is made inside another function and names
nothing of a module. Numbers are compared with all edges by numpy, which takes a quarter of a binary search.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

COUNTED = "block INT, part INT, counts BINARY"
"""Rows by cell of a block and some of the questions: zlib over 64-bit numbers, little end first."""
_CHUNK = 1 << 22
"""Values that a worker counts at once: 32 MiB."""
_CACHED = 1 << 15
"""Values that stay in the processor's cache while they are compared with every edge."""

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


def counter(codes: Sequence[Coded], parts: Sequence[Sequence[Item]], blocks: Sequence[int]) -> Run:
    """A function of Arrow batches (block, values as `codes` have them) that counts them: `COUNTED`.

    Blocks, by their numbers in ascending order, are told by their place. It holds 8 bytes for each cell of each
    block, and the values of `_CHUNK`.
    """
    most = max(1, _CHUNK // max(1, len(codes)))
    ways = [{"edges": c.edges, "hashes": c.hashes, "buckets": c.buckets, "first": c.first} for c in codes]
    plan = [[(i.value, i.group, i.width, i.cells) for i in part] for part in parts]
    add, packed, numbers = _add(), _packed(), list(blocks)

    def run(batches: Iterable[Any]) -> Iterator[Any]:
        import numpy as np

        places = np.zeros(numbers[-1] + 1, np.int64)
        places[numbers] = np.arange(len(numbers))
        counts: list[Any] = [np.zeros((len(numbers), sum(cells for *_, cells in part)), np.int64) for part in plan]
        held: list[Any] = []
        for batch in batches:
            held.append(batch)
            if sum(b.num_rows for b in held) >= most:
                add(held, places, ways, plan, counts)
                held = []
        add(held, places, ways, plan, counts)
        yield from packed(
            (block, number, part[block])
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
    def packed(found: Iterable[tuple[int, int, Any]]) -> Iterator[Any]:
        import zlib

        import pyarrow as pa

        kinds = (pa.int32(), pa.int32(), pa.binary())
        for block, part, counts in found:
            values = ([block], [part], [zlib.compress(counts.astype("<i8").tobytes(), 1)])
            columns = [pa.array(value, kind) for value, kind in zip(values, kinds, strict=True)]
            yield pa.RecordBatch.from_arrays(columns, ["block", "part", "counts"])

    return packed


def _add() -> Callable[[Sequence[Any], Any, Sequence[Mapping[str, Any]], Sequence[Any], Sequence[Any]], None]:
    code = _code()

    def add(held: Any, places: Any, ways: Any, plan: Any, counts: Any) -> None:
        import numpy as np

        if not sum(batch.num_rows for batch in held):
            return
        blocks = places[np.concatenate([batch.column(0).to_numpy() for batch in held])]
        # Rows of a table that is laid out by time meet few blocks at once.
        low, high = int(blocks.min()), int(blocks.max()) + 1
        codes = [code([batch.column(i) for batch in held], **way) for i, way in enumerate(ways, 1)]
        blocks -= low
        for part, whole in zip(plan, counts, strict=True):
            at = 0
            for value, group, width, cells in part:
                keys = blocks * cells + codes[value]
                if group is not None:
                    keys += codes[group] * width
                found = np.bincount(keys, minlength=(high - low) * cells)
                whole[low:high, at : at + cells] += found.reshape(high - low, cells)
                at += cells

    return add


def _code() -> Callable[..., Any]:
    bins, places = _bins(), _places()

    def code(columns: Sequence[Any], edges: Any, hashes: Any, buckets: int, first: int) -> Any:
        import numpy as np

        codes = []
        for column in columns:
            valid, data = column.buffers()
            kind = np.dtype(column.type.to_pandas_dtype())
            if data is None:
                values = np.zeros(len(column), kind)
            else:
                values = np.frombuffer(data, kind, len(column), column.offset * kind.itemsize)
            found = bins(values, edges) if edges is not None else places(values, hashes, buckets, first)
            if column.null_count:
                bits = np.unpackbits(np.frombuffer(valid, np.uint8), bitorder="little")
                found[bits[column.offset : column.offset + len(column)] == 0] = 0
            codes.append(found)
        return np.concatenate(codes)

    return code


def _bins() -> Callable[[Any, Sequence[float]], Any]:
    cached = _CACHED

    def bins(values: Any, edges: Sequence[float]) -> Any:
        import numpy as np

        found: Any = np.full(len(values), 2, np.uint8 if len(edges) < 250 else np.int32)  # noqa: PLR2004 - 2 bins more fit
        above = np.empty(min(cached, len(values)), bool)
        for start in range(0, len(values), cached):
            some, numbers = values[start : start + cached], found[start : start + cached]
            for edge in edges:
                numbers += np.greater_equal(some, edge, out=above[: len(some)])
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
