"""Measures `duplicate_keys` beside plain Spark on TPC-H lineitem, in one Spark application.

The ways are timed in turn (A B C A B C …), after a round that only warms up, and compared round by
round: the ratios count, the seconds depend on the machine. It measures and never fails.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from timing import Meter, Samples, Way, expect, judged, measure, show, show_growth
from tpch import generated, nightly

from sparkguard.app import session
from sparkguard.checks.duplicate_keys import DuplicateKeys
from sparkguard.core.finding import Status
from sparkguard.core.source import Dataset
from sparkguard.core.window import Window

DATA = Path(__file__).parent.parent / "data" / "tpch"
KEYS: Mapping[str, tuple[str, ...]] = {
    "integers": ("l_orderkey", "l_linenumber"),
    "wide": ("l_comment", "l_orderkey", "l_linenumber"),
}
GROUP_BY_AIM: Mapping[str, float] = {"integers": 1.0, "wide": 0.65}
"""Seconds of our check by those of a plain group-by, at most."""
WINDOW_AIM = 0.5
"""Seconds of a window against all history by those of the check on the whole table, at most."""
WINDOW_SHARE = 30
"""The window holds one of so many rows."""
FLAT_BYTES = 1 << 20
"""What tasks may send to the driver in all, whatever the scale …"""
FLAT_BYTES_HISTORY = 32 << 20
"""… and with a history, whose filter of at most 16 MiB passes through the driver."""


@dataclass(frozen=True)
class Table:
    """Lineitem at one scale: as it was generated, as a nightly Delta table, and its last window."""

    parquet: Path
    delta: Path
    rows: int
    window: Window
    window_rows: int


def prepare(spark: SparkSession, scale: int) -> Table:
    """Make the data; the window is the last whole days that hold a thirtieth of the rows."""
    parquet = generated("lineitem", scale, DATA)
    delta = nightly(spark, parquet)
    days = spark.read.format("delta").load(str(delta)).groupBy("l_shipdate").agg(F.count(F.lit(1)).alias("n"))
    counts: dict[date, int] = {r["l_shipdate"]: r["n"] for r in days.collect()}
    rows, inside, start = sum(counts.values()), 0, max(counts)
    for day in sorted(counts, reverse=True):
        inside, start = inside + counts[day], day
        if inside * WINDOW_SHARE >= rows:
            break
    end = max(counts) + timedelta(days=1)
    return Table(parquet, delta, rows, Window(_midnight(start), _midnight(end)), inside)


def ways(spark: SparkSession, table: Table) -> list[Way]:
    """Every way that is timed, a way after the one it is compared with."""
    found = [Way("scan of all columns", partial(scan, spark, table.parquet, ("*",)))]
    for name, key in KEYS.items():
        plain, full = f"{name}: plain group-by", f"{name}: duplicate_keys, Delta"
        found += [
            Way(f"{name}: scan of the key", partial(scan, spark, table.parquet, key)),
            Way(plain, partial(group_by, spark, table, key)),
            Way(
                f"{name}: duplicate_keys",
                partial(check, spark, table, key, delta=False),
                plain,
                GROUP_BY_AIM[name],
                FLAT_BYTES,
            ),
            Way(full, partial(check, spark, table, key, delta=True)),
            Way(
                f"{name}: 1/{WINDOW_SHARE} and history, Delta",
                partial(check, spark, table, key, delta=True, history=True),
                full,
                WINDOW_AIM,
                FLAT_BYTES_HISTORY,
            ),
        ]
    return found


def scan(spark: SparkSession, parquet: Path, columns: Sequence[str]) -> None:
    """Read columns and throw them away."""
    spark.read.parquet(str(parquet)).select(*columns).write.format("noop").mode("overwrite").save()


def group_by(spark: SparkSession, table: Table, key: Sequence[str]) -> None:
    """Count by key as one would by hand; the counts are used, or Spark would drop the work."""
    groups = spark.read.parquet(str(table.parquet)).groupBy(*key).count()
    count = F.col("count")
    row = groups.agg(F.sum(count), F.max(count), F.count_if(count > 1)).collect()[0]
    expect(tuple(row), (table.rows, 1, 0))


def check(spark: SparkSession, table: Table, key: Sequence[str], *, delta: bool, history: bool = False) -> None:
    """Run our check from opening the dataset to the verdict; only its result rows are not written."""
    datasets = {
        "parquet": Dataset("parquet", path=str(table.parquet), format="parquet"),
        "delta": Dataset("delta", path=str(table.delta), time_column="l_shipdate"),
    }
    asked = DuplicateKeys(
        id="key",
        dataset="delta" if delta else "parquet",
        key=tuple(key),
        window=table.window if history else None,
        history="all" if history else "none",
    )
    finding = judged(spark, datasets, asked)
    rows = table.window_rows if history else table.rows
    expect((finding.status, finding.evaluated_rows), (Status.PASS, rows))


def main() -> None:
    """Measure each scale and print the figures beside the aims."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=int, action="append", help="TPC-H scale; may be repeated (default 1)")
    parser.add_argument("--runs", type=int, default=5, help="rounds after the warm-up (default 5)")
    options = parser.parse_args()
    by_scale: dict[int, Samples] = {}
    found: list[Way] = []
    with session("sparkguard bench") as spark:
        meter = Meter(spark)
        print(f"Spark {spark.version}, {spark.sparkContext.defaultParallelism} cores, {options.runs} runs")
        for scale in sorted(set(options.scale or [1])):
            table = prepare(spark, scale)
            found = ways(spark, table)
            by_scale[scale] = measure(meter, found, options.runs)
            title = f"scale {scale}: {table.rows:,} rows; window {table.window} of {table.window_rows:,} rows"
            show(title, found, by_scale[scale])
    show_growth(by_scale, found)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001 - windows are wall-clock time


if __name__ == "__main__":
    main()
