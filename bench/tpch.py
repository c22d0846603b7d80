"""TPC-H data for the benchmarks: tables as `tpchgen-cli` makes them, and what is made of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

_DIFFERENCES = 1_000
_MONTHS = 84
"""Lineitem ships over seven years; a file a month is what a compacted nightly table looks like."""


def generated(table: str, scale: int, folder: Path) -> Path:
    """Make a table of a scale as one Parquet file, unless it is there."""
    target = folder / f"sf{scale}" / f"{table}.parquet"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        generator = Path(sys.executable).parent / "tpchgen-cli"
        # Made aside and moved, so that an interrupted run does not leave half a file behind.
        with TemporaryDirectory(dir=target.parent) as scratch:
            command = [str(generator), "parquet", "-s", str(scale), "-T", table, "--output-dir", scratch, "-q"]
            subprocess.run(command, check=True)
            (Path(scratch) / target.name).rename(target)
    return target


def nightly(spark: SparkSession, parquet: Path) -> Path:
    """Make a Delta table of lineitem, laid out by ship date as nightly loads leave it, unless it is there."""
    target = parquet.parent / "lineitem_by_shipdate"
    if not (target / "_delta_log").exists():
        rows = spark.read.parquet(str(parquet))
        laid_out = rows.repartitionByRange(_MONTHS, "l_shipdate").sortWithinPartitions("l_shipdate")
        laid_out.write.format("delta").mode("overwrite").save(str(target))
    return target


def with_months(spark: SparkSession, parquet: Path) -> Path:
    """Lineitem as it is, and beside it the month of the ship date as a day of its own, unless it is there."""
    target = parquet.with_name("lineitem_with_months.parquet")
    if not (target / "_SUCCESS").exists():
        number = "(year(l_shipdate) - 1992) * 12 + month(l_shipdate) - 1"
        rows = spark.read.parquet(str(parquet)).selectExpr("*", f"DATE'1992-01-01' + {number} AS month")
        rows.coalesce(1).write.mode("overwrite").parquet(str(target))
    return target


def orders_pair(spark: SparkSession, scale: int, folder: Path) -> tuple[Path, Path, Path]:
    """Orders, an equal copy, and a copy with 1,000 rows lost, 1,000 gained and 1,000 changed."""
    orders = generated("orders", scale, folder)
    equal, differing = (orders.with_name(f"orders_{name}.parquet") for name in ("equal", "differing"))
    rows = spark.read.parquet(str(orders))
    if not (equal / "_SUCCESS").exists():
        rows.coalesce(1).write.mode("overwrite").parquet(str(equal))
    if not (differing / "_SUCCESS").exists():
        drawn = rows.select("o_orderkey").orderBy(F.xxhash64("o_orderkey")).limit(3 * _DIFFERENCES).collect()
        keys = [row[0] for row in drawn]
        lost, changed, copied = (keys[i * _DIFFERENCES : (i + 1) * _DIFFERENCES] for i in range(3))
        price = F.when(F.col("o_orderkey").isin(changed), F.col("o_totalprice") + 1).otherwise(F.col("o_totalprice"))
        kept = rows.where(~F.col("o_orderkey").isin(lost)).withColumn("o_totalprice", price.cast("decimal(15,2)"))
        new = rows.where(F.col("o_orderkey").isin(copied)).withColumn("o_orderkey", -F.col("o_orderkey"))
        kept.unionByName(new).coalesce(1).write.mode("overwrite").parquet(str(differing))
    return orders, equal, differing
