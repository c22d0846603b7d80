"""Counting cells in Python workers: functions that travel to the executors by value.

They need numpy and pyarrow there, not sparkguard, so each is made inside another function and names
nothing of a module. The bin of a number is looked up by which of 4,096 equal parts of the edges' range it is in,
and compared with the few edges in that part: half the time of comparing it with all edges, an eighth of a search.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

COUNTED = "block INT, part INT, counts BINARY"
"""Rows by cell of a block and some of the questions: zlib over 64-bit numbers, little end first."""
_CHUNK = 1 << 21
"""Values that a worker counts at once: 16 MiB, held three times."""
_CACHED = 1 << 15
"""Values that stay in the processor's cache while their bins are found."""
_SLOTS = 1 << 12
"""Equal parts of the edges' range."""
_CROWDED = 5
"""With more edges in a part than so, comparing with all of them is no slower."""

_TOGETHER = 64
"""Rows that a worker hands back at once."""

Run = Callable[[Iterable[Any]], Iterator[Any]]


@dataclass(frozen=True)
class Coded:
    """A value as SQL text, and its code: the bin of a number between `edges`, or the place of a 64-bit hash.

    With edges: 0 for NULL, 1 for NaN, 2 and on for the bins. With `hashes`: `first` and on for these, then
    `buckets` for others (without any they are 0), and 0 for NULL. The number is an integer or a
    floating one of any width, and counts as a double.
    """

    sql: str
    edges: tuple[float, ...] | None
    hashes: tuple[int, ...] = ()
    buckets: int = 0
    first: int = 2


@dataclass(frozen=True)
class Product:
    """Rows by two codes at once, given by their numbers: `high` times the codes that `low` can have, and `low`."""

    low: int
    high: int
    lows: int


@dataclass(frozen=True)
class Item:
    """One question: the numbers of its value and of its group (None: one group), cells of a group and in all.

    Products are numbered after the codes.
    """

    value: int
    group: int | None
    width: int
    cells: int


def columns(block: str, codes: Sequence[Coded]) -> Sequence[str]:
    """The block's number and the values of `codes` as SQL, for the columns that `counter` takes."""
    return [f"CAST({block} AS INT) AS block", *(f"{code.sql} AS c{i}" for i, code in enumerate(codes))]


def counter(
    codes: Sequence[Coded], parts: Sequence[Sequence[Item]], blocks: Sequence[int], products: Sequence[Product] = ()
) -> Run:
    """A function of Arrow batches of `columns` that counts them: `COUNTED`.

    Blocks, by their numbers in ascending order, are told by their place. It holds 8 bytes for each cell of each
    block, and the values of `_CHUNK`.
    """
    most, numbers = max(1, _CHUNK // (1 + len(codes))), list(blocks)
    ways = [(c.edges, c.hashes, c.buckets, c.first) for c in codes]
    pairs = [(p.low, p.high, p.lows) for p in products]
    plan = [[(i.value, i.group, i.width, i.cells) for i in part] for part in parts]
    coders, coded, add, packed = _coders(), _coded(), _add(), _packed()

    def run(batches: Iterable[Any]) -> Iterator[Any]:
        import numpy as np

        places = np.zeros(numbers[-1] + 1, np.int64)
        places[numbers] = np.arange(len(numbers))
        ready = coders(ways)
        counts: list[Any] = [np.zeros((len(numbers), sum(cells for *_, cells in part)), np.int64) for part in plan]
        held: list[Any] = []
        for batch in batches:
            held.append(batch)
            if sum(b.num_rows for b in held) >= most:
                add(*coded(held, places, ready, pairs), plan, counts)
                held = []
        if sum(b.num_rows for b in held):
            add(*coded(held, places, ready, pairs), plan, counts)
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
        widest = max(cells for part in plan for *_, cells in part)
        near = (blocks - low).astype(np.int32 if (high - low) * widest < 1 << 31 else np.int64)
        for part, whole in zip(plan, counts, strict=True):
            at = 0
            for value, group, width, cells in part:
                keys = near * cells
                keys += codes[value]
                if group is not None:
                    keys += codes[group] * width
                found = np.bincount(keys, minlength=(high - low) * cells)
                whole[low:high, at : at + cells] += found.reshape(high - low, cells)
                at += cells

    return add


def _coded() -> Callable[[Sequence[Any], Any, Sequence[Any], Sequence[Any]], tuple[Any, Sequence[Any]]]:
    column = _column()

    def coded(held: Sequence[Any], places: Any, ready: Sequence[Any], pairs: Any) -> tuple[Any, Sequence[Any]]:
        import numpy as np

        blocks = places[column(held, 0)[0]]
        codes = []
        for number, code_of in enumerate(ready, 1):
            values, missing = column(held, number)
            code = code_of(values)
            if missing is not None:
                code[missing] = 0
            codes.append(code)
        for low, high, lows in pairs:
            codes.append(codes[high].astype(np.int32) * lows + codes[low])
        return blocks, codes

    return coded


def _column() -> Callable[[Sequence[Any], int], tuple[Any, Any]]:
    def column(held: Sequence[Any], number: int) -> tuple[Any, Any]:
        """The values of a column of some batches, and which of them are NULL (None: none is)."""
        import numpy as np

        found = [batch.column(number) for batch in held if batch.num_rows]
        kind = np.dtype(found[0].type.to_pandas_dtype())
        values = [np.frombuffer(c.buffers()[1], kind, len(c), c.offset * kind.itemsize) for c in found]
        missing = None
        if any(c.null_count for c in found):
            missing = np.concatenate([c.is_null().to_numpy(zero_copy_only=False) for c in found])
        return np.concatenate(values), missing

    return column


def _coders() -> Callable[[Sequence[Any]], Sequence[Callable[[Any], Any]]]:
    bins, places, cached = _bins(), _places(), _CACHED

    def coders(ways: Sequence[Any]) -> Sequence[Callable[[Any], Any]]:
        """A function of values for each code."""
        import numpy as np

        # Memory that is taken once, for all columns: taking it for each step costs more than the step.
        scratch = [np.empty(cached, kind) for kind in (np.float64, np.float64, np.float64, np.intp, np.bool_)]
        return [
            places(hashes, buckets, first) if edges is None else bins(edges, scratch)
            for edges, hashes, buckets, first in ways
        ]

    return coders


def _bins() -> Callable[[Sequence[float], Sequence[Any]], Callable[[Any], Any]]:
    slots, crowded = _SLOTS, _CROWDED

    def bins(edges: Sequence[float], scratch: Sequence[Any]) -> Callable[[Any], Any]:
        """A function that finds the bins of numbers: 2 and the number of edges that are no greater."""
        import numpy as np

        known = np.array(edges, np.float64)
        kind = np.uint8 if len(edges) < 250 else np.int32  # noqa: PLR2004 - 2 bins more fit
        low, high = known[[0, -1]].tolist() if len(edges) > 1 else (0.0, 0.0)
        scale = slots / (high - low) if 0 < high - low < np.inf else np.inf

        def slot(values: Any, out: Any) -> Any:
            # Never falls where values rise: an edge in a part below is smaller, one above is greater.
            np.subtract(values, low, out=out)
            np.multiply(out, scale, out=out)
            return np.minimum(np.maximum(out, 0, out=out), slots - 1, out=out)

        parts = np.zeros(len(edges), np.int64)
        if np.isfinite(scale):
            parts[:] = slot(known, np.empty(len(edges)))
        most = int(np.bincount(parts).max(initial=0))
        looked_up = np.isfinite(scale) and most <= crowded
        if looked_up:
            base = (2 + np.searchsorted(parts, np.arange(slots))).astype(kind)
            # No number is as great as NaN.
            inside = np.full((most, slots), np.nan)
            inside[np.arange(len(parts)) - np.searchsorted(parts, parts), parts] = known

        def found(values: Any) -> Any:
            codes: Any = np.empty(len(values), kind)
            size = len(scratch[0])
            for start in range(0, len(values), size):
                code = codes[start : start + size]
                some, slotted, limit, part, beyond = (memory[: len(code)] for memory in scratch)
                some[:] = values[start : start + size]
                if looked_up:
                    with np.errstate(invalid="ignore", over="ignore"):  # NaN has no part
                        np.copyto(part, slot(some, slotted), casting="unsafe")
                    np.take(base, part, out=code, mode="clip")
                else:
                    code[:] = 2
                for edge in inside if looked_up else known:
                    reached = np.take(edge, part, out=limit, mode="clip") if looked_up else edge
                    np.add(code, np.greater_equal(some, reached, out=beyond).view(np.uint8), out=code)
                code[np.isnan(some, out=beyond)] = 1
            return codes

        return found

    return bins


def _places() -> Callable[[Sequence[int], int, int], Callable[[Any], Any]]:
    def places(hashes: Sequence[int], buckets: int, first: int) -> Callable[[Any], Any]:
        """A function that finds the places of hashes."""
        import numpy as np

        known = np.sort(np.array(hashes, np.int64))
        place = first + np.argsort(np.array(hashes, np.int64))

        def found(values: Any) -> Any:
            others = first + len(known) + values % buckets if buckets else np.zeros(len(values), np.int64)
            if not len(known):
                return others
            nearest = np.minimum(np.searchsorted(known, values), len(known) - 1)
            return np.where(known[nearest] == values, place[nearest], others)

        return found

    return places
