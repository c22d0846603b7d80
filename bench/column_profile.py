"""Measures the profile of all columns and 20 rules beside plain Spark on TPC-H lineitem, in one Spark application.

Beside it: a night that brings a thirtieth of the rows, and a table of 2,000 columns. The ways are
timed in turn, after a round that only warms up, and compared round by round: the ratios count, the
seconds depend on the machine. It measures and never fails.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from pyspark.sql import SparkSession
from timing import Meter, Samples, Way, expect, measure, show, show_growth
from tpch import generated

from sparkguard.app import session
from sparkguard.checks.allowed_values import AllowedValues
from sparkguard.checks.column_profile import ColumnProfile
from sparkguard.checks.completeness import Completeness
from sparkguard.checks.expression import Expression
from sparkguard.checks.value_range import ValueRange
from sparkguard.core.check import Check, Run
from sparkguard.core.fields import Like
from sparkguard.core.finding import Status
from sparkguard.core.source import Dataset
from sparkguard.core.states import StoredStates
from sparkguard.core.values import Value
from sparkguard.engine.gather import Rounds
from sparkguard.engine.reader import Reader
from sparkguard.engine.spark_engine import SparkEngine
from sparkguard.measures.sketches import HLL_LG_K, KLL_K

DATA = Path(__file__).parent.parent / "data" / "tpch"
BY_HAND_AIM = 1.0
"""Seconds of our checks by those of the same aggregates written by hand, at most."""
NIGHT_AIM = 0.1
"""Seconds of a night that brings a thirtieth of the rows by those of the full profile, at most."""
WIDE_AIM = 3.0
"""Time for a column of 2,000 by that for a column of 20, at most."""
FLAT_BYTES = 16 << 20
NIGHT_SHARE = 30
WIDE_ROWS = 100_000
NARROW, WIDE = 20, 2_000

NUMBERS = (
    "l_orderkey", "l_partkey", "l_suppkey", "l_linenumber", "l_quantity", "l_extendedprice", "l_discount", "l_tax",
)  # fmt: skip
TEXTS = (
    "l_returnflag", "l_linestatus", "l_shipdate", "l_commitdate", "l_receiptdate", "l_shipinstruct", "l_shipmode",
    "l_comment",
)  # fmt: skip
KEYS = ("l_orderkey", "l_partkey", "l_suppkey")
RANGES = (
    ("l_linenumber", 1, 7), ("l_quantity", 1, 50), ("l_extendedprice", 900, 105_000), ("l_discount", 0, "0.1"),
    ("l_tax", 0, "0.08"), ("l_orderkey", 1, 10**9), ("l_partkey", 1, 10**9), ("l_suppkey", 1, 10**9),
)  # fmt: skip
LISTS = (("l_returnflag", ("A", "N", "R")), ("l_linestatus", ("F", "O")))
PREDICATES = (
    "l_shipdate <= l_receiptdate", "l_extendedprice >= l_quantity * 900", "l_discount < 1", "length(l_comment) > 0",
    "l_commitdate >= DATE'1992-01-01'", "l_shipmode <> ''", "l_tax <= l_discount + 1",
)  # fmt: skip


def checks(dataset: str) -> list[Check]:
    """The profile of all columns, and 20 rules that lineitem keeps."""
    rules: list[Check] = [Completeness(id="keys", dataset=dataset, columns=KEYS)]
    rules += [
        ValueRange(id=f"range_{c}", dataset=dataset, columns=(c,), min=Value(low), max=Value(high))
        for c, low, high in RANGES
    ]
    rules += [
        AllowedValues(id=f"list_{c}", dataset=dataset, columns=(c,), values=tuple(map(Value, values)))
        for c, values in LISTS
    ]
    rules += [Expression(id=f"rule_{i}", dataset=dataset, expression=sql) for i, sql in enumerate(PREDICATES)]
    return [ColumnProfile(id="profile", dataset=dataset), *rules]


def scan(spark: SparkSession, path: Path) -> None:
    """Read all columns and throw them away."""
    spark.read.parquet(str(path)).write.format("noop").mode("overwrite").save()


def by_hand(spark: SparkSession, path: Path, rows: int) -> None:
    """The same numbers and rules as one aggregate, written as one would."""
    wanted = ["count(*)"]
    for c in (*NUMBERS, *TEXTS):
        wanted += [f"count({c})", f"hll_sketch_agg(xxhash64({c}), {HLL_LG_K})"]
    for c in NUMBERS:
        number = f"CAST({c} AS DOUBLE)"
        wanted += [f"min({c})", f"max({c})", f"avg({number})", f"stddev_pop({number})"]
        wanted.append(f"kll_sketch_agg_double({number}, {KLL_K})")
    wanted += [f"count_if({c} NOT BETWEEN {low} AND {high})" for c, low, high in RANGES]
    wanted += [f"count_if({c} NOT IN ({str(values)[1:-1]}))" for c, values in LISTS]
    wanted += [f"count_if(NOT ({sql}))" for sql in PREDICATES]
    expect(spark.read.parquet(str(path)).selectExpr(*wanted).collect()[0][0], rows)


def ours(spark: SparkSession, path: Path, rows: int) -> None:
    """From opening the dataset to the verdicts; only result rows are not written."""
    reader = Reader(spark, {"t": Dataset("t", path=str(path), format="parquet")})
    judge_all(SparkEngine(reader), checks("t"), rows)


def judge_all(engine: SparkEngine, wanted: Sequence[Check], rows: int) -> None:
    """Let every check ask and judge, and see that each passes over all rows."""
    now = datetime.now(UTC)
    for gathered in Rounds(engine).gather(wanted):
        if gathered.error is not None:
            raise gathered.error
        for finding in gathered.check.judge(gathered.seen, Run(now.date(), now)):
            expect((finding.message, finding.status), (finding.message, Status.PASS))
            expect(finding.evaluated_rows, rows)


class Kept:
    """States of the night before, as the result table would hold them."""

    def __init__(self) -> None:
        """Keep nothing yet."""
        self.states: list[StoredStates] = []

    def load(
        self, dataset: str, start: datetime | None, end: datetime | None, columns: Sequence[str] = ()
    ) -> list[StoredStates]:
        """All of them: there is one table, and no window."""
        del dataset, start, end, columns
        return self.states


def night(spark: SparkSession, path: Path, kept: Kept, rows: int) -> None:
    """The profile of the whole table from the states of the night before and the rows since."""
    engine = SparkEngine(Reader(spark, {"t": Dataset("t", path=str(path))}), kept)
    judge_all(engine, checks("t"), rows)


def two_nights(spark: SparkSession, parquet: Path, folder: Path) -> tuple[Path, Kept]:
    """A Delta table of which the last commit brought a thirtieth, and the states of the night before it."""
    target, kept = folder / f"{parquet.parent.name}_nights", Kept()
    frame = spark.read.parquet(str(parquet))
    new = f"pmod(xxhash64(l_orderkey, l_linenumber), {NIGHT_SHARE}) = 0"
    old = frame.where(f"NOT {new}")
    old.write.format("delta").save(str(target))
    engine = SparkEngine(Reader(spark, {"t": Dataset("t", path=str(target))}), kept)
    judge_all(engine, checks("t"), old.count())
    kept.states = [s for update in engine.updates() for s in (*update.states, update.checked) if s]
    frame.where(new).coalesce(1).write.format("delta").mode("append").save(str(target))
    return target, kept


def wide_table(spark: SparkSession, columns: int) -> Path:
    """A table of numbers, one in fifty missing."""
    target = DATA / f"wide_{columns}.parquet"
    if not (target / "_SUCCESS").exists():
        cells = (
            f"IF({value} % 50 = 0, NULL, {value} / 1000.0D) AS f{i}"
            for i, value in enumerate(f"pmod(xxhash64(id, {i}), 1000003)" for i in range(columns))
        )
        frame = spark.range(0, WIDE_ROWS, 1, 4).selectExpr(*cells)
        frame.write.mode("overwrite").parquet(str(target))
    return target


def wide(spark: SparkSession, path: Path) -> None:
    """Profile and check every column of a table."""
    wanted: list[Check] = [
        ColumnProfile(id="profile", dataset="t"),
        Completeness(id="filled", dataset="t", columns=Like(("*",)), error_if={}),
        ValueRange(id="range", dataset="t", columns=Like(("*",)), min=Value(0), max=Value(1001)),
    ]
    engine = SparkEngine(Reader(spark, {"t": Dataset("t", path=str(path), format="parquet")}))
    now = datetime.now(UTC)
    for gathered in Rounds(engine).gather(wanted):
        statuses = {f.status for f in gathered.check.judge(gathered.seen, Run(now.date(), now))}
        expect(statuses, {Status.PASS})


def ways(spark: SparkSession, parquet: Path, folder: Path) -> list[Way]:
    """Every way that is timed at a scale, a way after the one it is compared with."""
    rows = spark.read.parquet(str(parquet)).count()
    target, kept = two_nights(spark, parquet, folder)
    full = "profile and 20 rules"
    return [
        Way("scan of all columns", partial(scan, spark, parquet)),
        Way("one aggregate by hand", partial(by_hand, spark, parquet, rows)),
        Way(full, partial(ours, spark, parquet, rows), "one aggregate by hand", BY_HAND_AIM, FLAT_BYTES),
        Way(f"a night with 1/{NIGHT_SHARE} new rows", partial(night, spark, target, kept, rows), full, NIGHT_AIM),
    ]


def show_wide(spark: SparkSession, meter: Meter, runs: int) -> None:
    """Print what a column costs in a narrow and in a wide table."""
    found = [Way(f"{n:,} columns", partial(wide, spark, wide_table(spark, n))) for n in (NARROW, WIDE)]
    samples = measure(meter, found, runs)
    show(f"{WIDE_ROWS:,} rows", found, samples)
    narrow, broad = (median(s.seconds for s in samples[way.name]) for way in found)
    ratio = (broad / WIDE) / (narrow / NARROW)
    print(f"time for a column: {1000 * narrow / NARROW:.1f} ms and {1000 * broad / WIDE:.1f} ms, ratio {ratio:.2f}")
    print(f"aim: at most {WIDE_AIM}")


def main() -> None:
    """Measure each scale and print the figures beside the aims."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=int, action="append", help="TPC-H scale; may be repeated (default 1)")
    parser.add_argument("--runs", type=int, default=5, help="rounds after the warm-up (default 5)")
    parser.add_argument("--no-wide", action="store_true", help="leave the table of 2,000 columns out")
    options = parser.parse_args()
    by_scale: dict[int, Samples] = {}
    found: list[Way] = []
    with session("sparkguard bench") as spark, TemporaryDirectory() as folder:
        meter = Meter(spark)
        print(f"Spark {spark.version}, {spark.sparkContext.defaultParallelism} cores, {options.runs} runs")
        for scale in sorted(set(options.scale or [1])):
            found = ways(spark, generated("lineitem", scale, DATA), Path(folder))
            by_scale[scale] = measure(meter, found, options.runs)
            show(f"scale {scale}", found, by_scale[scale])
        show_growth(by_scale, found)
        if not options.no_wide:
            show_wide(spark, meter, options.runs)


if __name__ == "__main__":
    main()
