"""What Python workers run travels by value and needs numpy and pyarrow, not sparkguard."""

import math
import subprocess
import sys
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyspark import cloudpickle

from sparkguard.engine.spark import counting
from sparkguard.engine.spark.counting import Coded, Item, _coders, counter, merger
from sparkguard.engine.spark.sampling import packer
from sparkguard.measures.grids import NUMBER, Grid
from sparkguard.measures.sampled_grids import ordered_grid

CODES = [Coded("x", (0.0, 1.0)), Coded("s", None, (7, -3), 2), Coded("g", None, (-3,), first=1)]
PARTS = [[Item(0, None, 5, 5), Item(0, 2, 5, 10)], [Item(1, None, 6, 6)]]
RUN = """
import pickle, sys
sys.modules["sparkguard"] = None
work, batches = pickle.load(open(sys.argv[1], "rb"))
pickle.dump(list(work(batches)), open(sys.argv[2], "wb"))
"""


def batch(rows: list[tuple[int, float | None, int | None, int | None]]) -> pa.RecordBatch:
    kinds = (pa.int32(), pa.float64(), pa.int64(), pa.int64())
    arrays = [pa.array([row[i] for row in rows], kind) for i, kind in enumerate(kinds)]
    return pa.RecordBatch.from_arrays(arrays, ["block", "c0", "c1", "c2"])


def cells(batches: Any) -> dict[tuple[int, int], list[int]]:
    rows = [row for found in batches for row in found.to_pylist()]
    return {(r["block"], r["part"]): np.frombuffer(zlib.decompress(r["counts"]), "<i8").tolist() for r in rows}


BATCHES = [
    batch([(3, 0.5, 7, -3), (9, None, None, None), (3, float("nan"), 10, 7)]),
    batch([]),
    batch([(9, -1.0, -3, -3), (9, 1.0, -4, 1)]).slice(1),
]


@pytest.mark.parametrize("chunk", [1, 1 << 20])
def test_rows_are_counted_by_block_group_and_cell(monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    monkeypatch.setattr(counting, "_CHUNK", chunk)
    found = cells(merger()(counter(CODES, PARTS, (3, 9))(BATCHES)))
    assert found == {
        (0, 0): [*(0, 1, 0, 1, 0), *(0, 1, 0, 0, 0), *(0, 0, 0, 1, 0)],
        (1, 0): [*(1, 0, 0, 0, 1), *(1, 0, 0, 0, 1), *(0, 0, 0, 0, 0)],
        (0, 1): [0, 0, 1, 0, 1, 0],
        (1, 1): [1, 0, 0, 0, 1, 0],
    }


@pytest.mark.parametrize(
    "work", [counter(CODES, PARTS, (3, 9)), packer([False, True], 4, None)], ids=["counts", "sample"]
)
def test_a_worker_without_sparkguard_runs_it(work: Any, tmp_path: Path) -> None:
    plain = [pa.RecordBatch.from_arrays([pa.array([1.0]), pa.array([5]), pa.array(["a"])], ["v0", "v1", "t1"])]
    batches = BATCHES if work.__qualname__.startswith("counter") else plain
    (tmp_path / "work").write_bytes(cloudpickle.dumps((work, batches)))  # type: ignore[no-untyped-call]
    subprocess.run([sys.executable, "-c", RUN, tmp_path / "work", tmp_path / "found"], check=True)
    found = cloudpickle.loads((tmp_path / "found").read_bytes())
    assert [b.to_pydict() for b in found] == [b.to_pydict() for b in work(batches)]


def test_equal_blocks_of_many_tasks_add_up() -> None:
    found = list(counter(CODES, PARTS, (3, 9))(BATCHES))
    once, twice = cells(merger()(found)), cells(merger()([*found, *found]))
    assert twice == {key: [2 * n for n in counts] for key, counts in once.items()}


def binned(edges: tuple[float, ...], values: Any) -> Any:
    [code_of] = _coders()([(edges, (), 0, 2)])
    return code_of(values)


numbers = st.floats(allow_nan=True, allow_infinity=True, width=64)


@given(st.lists(numbers.filter(math.isfinite), unique=True, max_size=300), st.lists(numbers, min_size=1))
def test_every_number_is_in_the_bin_of_its_grid(edges: list[float], values: list[float]) -> None:
    grid = Grid(NUMBER, tuple(sorted({e + 0.0 for e in edges})))
    # Beside the edges it matters most.
    near = [v for e in grid.edges for v in (e, math.nextafter(e, -math.inf), math.nextafter(e, math.inf))]
    asked = [*values, *near, -0.0, math.nan, math.inf, -math.inf]
    found = binned(grid.edges, np.array(asked))
    assert found.tolist() == [grid.cell_of(v) for v in asked]


@pytest.mark.parametrize("kind", ["normal", "lognormal", "few", "far", "whole"])
def test_bins_of_usual_grids_are_those_of_a_search(kind: str) -> None:
    rng = np.random.default_rng(5)
    drawn = {
        "normal": rng.normal(size=20_000),
        "lognormal": np.exp(2 * rng.normal(size=20_000)),
        "few": rng.integers(0, 40, 20_000) / 8,
        "far": 1.7e15 + rng.normal(size=20_000) * 1e9,
        "whole": rng.integers(-(2**60), 2**60, 20_000),
    }[kind]
    grid = ordered_grid(NUMBER, drawn.astype(np.float64))
    found = binned(grid.edges, drawn)
    assert (found == 2 + np.searchsorted(grid.edges, drawn.astype(np.float64), side="right")).all()


@pytest.mark.parametrize("kind", [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.float32(), pa.float64()])
def test_numbers_of_every_width_count_as_doubles(kind: pa.DataType) -> None:
    arrays = [pa.array([0, 0, 0, 0], pa.int32()), pa.array([-1, 0, None, 2], kind)]
    batch = pa.RecordBatch.from_arrays(arrays, ["block", "c0"])
    found = cells(counter([Coded("x", (0.0, 1.0))], [[Item(0, None, 5, 5)]], (0,))([batch, batch.slice(1)]))
    assert found == {(0, 0): [2, 0, 1, 2, 2]}


def test_what_many_columns_hold_in_a_worker_is_small() -> None:
    drawn = np.exp(3 * np.random.default_rng(6).normal(size=4_000))
    grids = [ordered_grid(NUMBER, values) for values in (drawn, np.log(drawn))]
    tracemalloc.start()
    codes = _coders()([(grid.edges, (), 0, 2) for grid in grids * 50])
    for code_of in codes:
        code_of(drawn)
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert held < 16 << 20
