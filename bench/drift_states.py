"""Measures counts by day and column, of which drift is judged, beside a bare scan of TPC-H lineitem's columns.

Beside it: a night that brings a thirtieth of the rows to stored states; what the states of a year of 1,000 columns
take on the driver; a table of 2,000 columns. The ways are timed in turn, after a round that only warms up, and
compared round by round: the ratios count, the seconds depend on the machine. It measures and never fails.
"""

from __future__ import annotations

import argparse
import time
import tracemalloc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import numpy as np
from column_profile import NARROW, NUMBERS, WIDE, Kept, wide_table
from pyspark.sql import DataFrame, SparkSession
from timing import Meter, Way, expect, measure, show
from tpch import generated, nightly, with_months

from sparkguard.app import session
from sparkguard.core.columns import Column
from sparkguard.core.encoding import decode, unpack
from sparkguard.core.measure import Daily, Days
from sparkguard.core.source import Dataset, Source
from sparkguard.core.states import StoredStates
from sparkguard.core.window import Window
from sparkguard.engine.packs import packs
from sparkguard.engine.reader import Reader
from sparkguard.engine.spark_engine import SparkEngine
from sparkguard.measures.grids import Grid
from sparkguard.measures.histograms import CellCounts, Histogram
from sparkguard.measures.sampled_grids import Grids, GridsAnswer

DATA = Path(__file__).parent.parent / "data" / "tpch"
DATES = ("l_shipdate", "l_commitdate", "l_receiptdate")
MONTHLY_AIM, DAILY_AIM = 2.5, 4.0
"""Seconds of the counts by those of a bare scan of the same columns, at most."""
NIGHT_AIM = 0.2
"""Seconds of a night whose window is a thirtieth, on stored states, by those of all days, at most."""
MEMORY_AIM = 1 << 30
YEAR, MANY = 365, 1_000
FIRST, LAST = datetime(1992, 1, 1), datetime(1998, 12, 3)  # noqa: DTZ001 - wall-clock time
MONTHS = Window(FIRST, FIRST + timedelta(days=84))
"""A month of lineitem's ship dates as a day each: 84 blocks."""
DAYS = Window(FIRST, LAST)


def columns_of(frame: DataFrame, names: Sequence[str]) -> tuple[Column, ...]:
    """Columns by their names."""
    types = dict(frame.dtypes)
    return tuple(Column(name, (name,), types[name]) for name in names)


def made(spark: SparkSession, frame: DataFrame, columns: Sequence[Column]) -> Mapping[str, Grid]:
    """The grids of all columns."""
    engine = SparkEngine(Reader(spark, {"t": Dataset("t")}, {"t": frame}))
    engine.pin([Source("t")])
    [(_, answer)] = engine.compute([Grids(Source("t"), tuple(columns), "t")])
    if not isinstance(answer, GridsAnswer):
        raise SystemExit(str(answer))
    return answer.grids


def counted(
    engine: Callable[[], SparkEngine], window: Window, columns: Sequence[Column], grids: Mapping[str, Grid], rows: int
) -> SparkEngine:
    """Count all columns day by day, and see that every row is there."""
    source, asked = Source("t", window), engine()
    asked.pin([source])
    for _, answer in asked.compute([Daily(Histogram(source, c, grids[c.name])) for c in columns]):
        if not isinstance(answer, Days):
            raise SystemExit(str(answer))
        expect(sum(state.rows for state in answer.states), rows)
    return asked


def scan(frame: DataFrame, names: Sequence[str]) -> None:
    """Read the columns and throw them away."""
    frame.select(*names).write.format("noop").mode("overwrite").save()


def ways(spark: SparkSession, parquet: Path) -> list[Way]:
    """A bare scan, counts by month, counts by day, and a night on stored states."""
    frame = spark.read.parquet(str(with_months(spark, parquet)))
    names, rows = (*NUMBERS, *DATES), frame.count()
    columns = columns_of(frame, names)
    grids = made(spark, frame, columns)

    def plain(frame: DataFrame, time: str) -> SparkEngine:
        return SparkEngine(Reader(spark, {"t": Dataset("t", time_column=time)}, {"t": frame}))

    kept, table = Kept(), Dataset("t", path=str(nightly(spark, parquet)), time_column="l_shipdate")

    def lasting() -> SparkEngine:
        return SparkEngine(Reader(spark, {"t": table}), kept)

    before = Window(FIRST, LAST - timedelta(days=84))
    old = frame.where(f"l_shipdate < DATE'{before.end.date()}'").count()
    updates = counted(lasting, before, columns, grids, old).updates()
    kept.states = [s for update in updates for s in (*update.states, update.checked) if s]
    bare, daily = "scan of 11 columns", "counts of 11 columns, 2,528 days"
    return [
        Way(bare, partial(scan, frame, names)),
        Way(
            "counts of 11 columns, 84 months",
            partial(count, partial(plain, frame, "month"), MONTHS, columns, grids, rows),
            bare,
            MONTHLY_AIM,
        ),
        Way(daily, partial(count, partial(plain, frame, "l_shipdate"), DAYS, columns, grids, rows), bare, DAILY_AIM),
        Way(
            "the same, all but the last 84 days stored",
            partial(count, lasting, DAYS, columns, grids, rows),
            daily,
            NIGHT_AIM,
        ),
    ]


def count(
    engine: Callable[[], SparkEngine], window: Window, columns: Sequence[Column], grids: Mapping[str, Grid], rows: int
) -> None:
    """A way of `counted` that keeps nothing."""
    counted(engine, window, columns, grids, rows)


def show_driver() -> None:
    """Print what the states of a year of 1,000 columns take: stored, read, and as one array of counts."""
    drawn = np.random.default_rng(8)
    grid = Grid("number", tuple(float(edge) for edge in range(48)))
    column = [Column(f"c{i}", (f"c{i}",), "double") for i in range(MANY)]
    stored: list[StoredStates] = []
    for day in range(YEAR):
        start = FIRST + timedelta(days=day)
        window = Window(start, start + timedelta(days=1))
        block = StoredStates("t", 0, window.start_utc, window.end_utc, (), "", b"", 0)
        found = {
            f"{i:032x}": (Histogram(Source("t", window), c, grid), CellCounts.of(drawn.poisson(2_000, grid.cells)))
            for i, c in enumerate(column)
        }
        stored += packs(block, found)
    print(f"\n{YEAR} days of {MANY:,} columns: {len(stored):,} rows, {sum(len(s.packed) for s in stored) >> 20} MiB")
    began = time.perf_counter()
    load_all(stored, grid)
    print(f"read and decoded in {time.perf_counter() - began:.1f} s")
    tracemalloc.start()
    arrays = load_all(stored, grid)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    expect(arrays.shape, (YEAR * MANY, grid.cells))
    told = "PASS" if peak <= MEMORY_AIM else "short"
    print(f"states and all counts as 64-bit numbers took {peak >> 20} MiB at most, <= 1,024 MiB {told}")


def load_all(stored: Sequence[StoredStates], grid: Grid) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """The counts of every day and column, as a run has them after it has read its states."""
    raw = {(one.start, key): value for one in stored for key, value in unpack(one.packed).items()}
    states = {key: decode(CellCounts, value) for key, value in raw.items()}
    del raw
    return np.stack([state.cells(grid.cells) for state in states.values() if state is not None])


def show_wide(spark: SparkSession, meter: Meter, runs: int) -> None:
    """Print what grids and counts of a column cost in a narrow and in a wide table."""
    found = []
    for width in (NARROW, WIDE):
        frame = spark.read.parquet(str(wide_table(spark, width)))
        timed = frame.selectExpr("*", "DATE'1992-01-01' + CAST(f0 DIV 50 AS INT) AS at").where("at IS NOT NULL")
        columns, rows = columns_of(timed, frame.columns), timed.count()
        engine = partial(
            lambda frame: SparkEngine(Reader(spark, {"t": Dataset("t", time_column="at")}, {"t": frame})), timed
        )
        grids = made(spark, timed, columns)
        found += [
            Way(f"grids of {width:,} columns", partial(make, spark, timed, columns)),
            Way(
                f"counts of {width:,} columns, 21 days",
                partial(count, engine, replace(DAYS, end=FIRST + timedelta(days=21)), columns, grids, rows),
            ),
        ]
    show(f"a table of {WIDE:,} columns", found, measure(meter, found, runs))


def make(spark: SparkSession, frame: DataFrame, columns: Sequence[Column]) -> None:
    """A way of `made` that keeps nothing."""
    made(spark, frame, columns)


def main() -> None:
    """Measure and print the figures beside the aims."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=int, default=1, help="TPC-H scale (default 1)")
    parser.add_argument("--runs", type=int, default=5, help="rounds after the warm-up (default 5)")
    parser.add_argument("--data", type=Path, default=DATA, help="where the tables are, or are made")
    parser.add_argument("--no-wide", action="store_true", help="leave the table of 2,000 columns out")
    options = parser.parse_args()
    show_driver()
    with session("sparkguard bench") as spark:
        meter = Meter(spark)
        print(f"Spark {spark.version}, {spark.sparkContext.defaultParallelism} cores, {options.runs} runs")
        found = ways(spark, generated("lineitem", options.scale, options.data))
        show(f"scale {options.scale}", found, measure(meter, found, options.runs))
        if not options.no_wide:
            show_wide(spark, meter, min(options.runs, 2))


if __name__ == "__main__":
    main()
