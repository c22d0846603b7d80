"""What Python workers run travels by value and needs numpy and pyarrow, not sparkguard."""

import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyspark import cloudpickle

from sparkguard.engine.spark import counting
from sparkguard.engine.spark.counting import Coded, Item, counter, merger
from sparkguard.engine.spark.sampled_grids import _packer

CODES = [Coded("x", (0.0, 1.0)), Coded("s", None, (7, -3), 2), Coded("g", None, (-3,), first=1)]
PARTS = [[Item(0, None, 5, 5), Item(0, 2, 5, 10)], [Item(1, None, 6, 6)]]
RUN = """
import pickle, sys
sys.modules["sparkguard"] = None
work, batches = pickle.load(open(sys.argv[1], "rb"))
pickle.dump(list(work(batches)), open(sys.argv[2], "wb"))
"""


def batch(rows: list[tuple[float, float | None, int | None, int | None]]) -> pa.RecordBatch:
    doubles, hashes = [list(r[:2]) for r in rows], [list(r[2:]) for r in rows]
    arrays = [pa.array(doubles, pa.list_(pa.float64())), pa.array(hashes, pa.list_(pa.int64()))]
    return pa.RecordBatch.from_arrays(arrays, ["doubles", "hashes"])


def cells(batches: Any) -> dict[tuple[int, int], list[int]]:
    rows = [row for found in batches for row in found.to_pylist()]
    return {(r["block"], r["part"]): np.frombuffer(zlib.decompress(r["counts"]), "<i8").tolist() for r in rows}


BATCHES = [
    batch([(3.0, 0.5, 7, -3), (9.0, None, None, None), (3.0, float("nan"), 10, 7)]),
    batch([]),
    batch([(9.0, -1.0, -3, -3), (9.0, 1.0, -4, 1)]).slice(1),
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


@pytest.mark.parametrize("work", [counter(CODES, PARTS, (3, 9)), _packer([False, True], 4)], ids=["counts", "sample"])
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
