"""Measures `duplicate_keys` beside plain Spark on TPC-H lineitem, in one Spark application.

The ways are timed in turn (A B C A B C …), after a round that only warms up, and compared round by
round: the ratios count, the seconds depend on the machine. It measures and never fails.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from tpch import lineitem, nightly

from sparkguard.app import session
from sparkguard.checks.duplicate_keys import DuplicateKeys
from sparkguard.core.check import Run
from sparkguard.core.finding import Status
from sparkguard.core.source import Dataset
from sparkguard.core.window import Window
from sparkguard.engine.gather import Rounds
from sparkguard.engine.reader import Reader
from sparkguard.engine.spark_engine import SparkEngine

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
class Way:
    """One way of doing the work, the way that it is compared with, and the ratio aimed at."""

    name: str
    run: Callable[[], None]
    against: str | None = None
    aim: float | None = None
    most_bytes: int | None = None


@dataclass(frozen=True)
class Sample:
    """One run: seconds, CPU seconds of Spark's JVM, and bytes that its tasks sent to the driver."""

    seconds: float
    cpu: float
    collected: int


Samples = Mapping[str, Sequence[Sample]]


class Meter:
    """Reads clocks and counters of the JVM that runs Spark, which in local mode does all the work."""

    def __init__(self, spark: SparkSession) -> None:
        """Read the JVM of a classic session."""
        # No public way leads to the JVM's process and counters; a benchmark may look inside.
        gateway: Any = spark.sparkContext._gateway  # noqa: SLF001
        self._scala: Any = spark.sparkContext._jsc.sc()  # noqa: SLF001
        java = gateway.jvm.java
        self._stat = Path(f"/proc/{java.lang.ProcessHandle.current().pid()}/stat")
        # Stages of any status, without tasks and without quantiles.
        none = gateway.new_array(gateway.jvm.double, 0)
        self._all_stages = (None, False, False, none, java.util.Collections.emptyList())
        self._last_stage = -1

    def sample(self, run: Callable[[], None]) -> Sample:
        """Time one run."""
        self._collected()
        cpu, began = self._cpu(), time.perf_counter()
        run()
        seconds = time.perf_counter() - began
        return Sample(seconds, self._cpu() - cpu, self._collected())

    def _cpu(self) -> float:
        """User and system time of the process, or 0 where there is no /proc."""
        if not self._stat.exists():
            return 0.0
        fields = self._stat.read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _collected(self) -> int:
        """Bytes of all task results since the last call, by Spark's own record of its stages."""
        self._scala.listenerBus().waitUntilEmpty()
        stages = self._scala.statusStore().stageList(*self._all_stages)
        new = [s for s in (stages.apply(i) for i in range(stages.size())) if s.stageId() > self._last_stage]
        self._last_stage = max([self._last_stage, *(s.stageId() for s in new)])
        return sum(s.resultSize() for s in new)


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
    parquet = lineitem(scale, DATA)
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
    _expect(tuple(row), (table.rows, 1, 0))


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
    [gathered] = Rounds(SparkEngine(Reader(spark, datasets))).gather([asked])
    now = datetime.now(UTC)
    [finding] = asked.judge(gathered.seen, Run(now.date(), now))
    rows = table.window_rows if history else table.rows
    _expect((finding.status, finding.evaluated_rows), (Status.PASS, rows))


def measure(meter: Meter, found: Sequence[Way], runs: int) -> dict[str, list[Sample]]:
    """Run all ways in turn, once to warm up and then `runs` times."""
    samples: dict[str, list[Sample]] = {way.name: [] for way in found}
    for turn in range(runs + 1):
        print(f"round {turn} of {runs}" if turn else "warming up", file=sys.stderr, flush=True)
        for way in found:
            sample = meter.sample(way.run)
            if turn:
                samples[way.name].append(sample)
    return samples


def ratio(samples: Samples, name: str, against: str, what: Callable[[Sample], float]) -> float:
    """The median over the rounds of what one way took by what the other took in the same round."""
    pairs = zip(samples[name], samples[against], strict=True)
    return median(what(a) / (what(b) or float("nan")) for a, b in pairs)


def show(scale: int, table: Table, found: Sequence[Way], samples: Samples) -> None:
    """Print one scale: a line for each way, with its ratio where it has one."""
    print(f"\nscale {scale}: {table.rows:,} rows; window {table.window} of {table.window_rows:,} rows")
    print(f"{'':40} {'seconds':>8} {'CPU s':>7} {'to driver':>10} {'ratio':>6} {'CPU':>5} {'aim':>7}")
    for way in found:
        runs = samples[way.name]
        line = (
            f"{way.name:40} {median(s.seconds for s in runs):8.2f} {median(s.cpu for s in runs):7.1f}"
            f" {max(s.collected for s in runs) / 1024:6,.0f} KiB"
        )
        if way.against is not None and way.aim is not None:
            seconds = ratio(samples, way.name, way.against, lambda s: s.seconds)
            cpu = ratio(samples, way.name, way.against, lambda s: s.cpu)
            line += f" {seconds:6.2f} {cpu:5.2f} <= {way.aim:4.2f}  {_verdict(met=seconds <= way.aim)}"
        print(line, flush=True)


def show_growth(by_scale: Mapping[int, Samples], found: Sequence[Way]) -> None:
    """Print what the largest scale took by what the smallest took, and what reached the driver."""
    small, large = min(by_scale), max(by_scale)
    print("\nmost bytes that tasks sent to the driver in one run")
    for way in found:
        if way.most_bytes is not None:
            most = max(s.collected for samples in by_scale.values() for s in samples[way.name])
            told = _verdict(met=most <= way.most_bytes)
            print(f"{way.name:40} {most / 1024:8,.0f} KiB  <= {way.most_bytes / 1024:,.0f} KiB  {told}")
    if small == large:
        return
    print(f"\nseconds at scale {large} by seconds at scale {small}, for {large / small:.0f} times the rows")
    for way in found:
        times = [median(s.seconds for s in by_scale[scale][way.name]) for scale in (large, small)]
        growth = times[0] / times[1]
        aim = f"  <= {large / small:.2f}  {_verdict(met=growth <= large / small)}" if way.most_bytes else ""
        print(f"{way.name:40} {growth:6.2f}{aim}")


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
            show(scale, table, found, by_scale[scale])
    show_growth(by_scale, found)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001 - windows are wall-clock time


def _expect(found: object, wanted: object) -> None:
    if found != wanted:
        message = f"the work was not done: {found} instead of {wanted}"
        raise SystemExit(message)


def _verdict(*, met: bool) -> str:
    return "PASS" if met else "short"


if __name__ == "__main__":
    main()
