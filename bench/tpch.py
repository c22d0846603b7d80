"""TPC-H data for the benchmarks: lineitem as `tpchgen-cli` makes it, and as a nightly Delta table."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from pyspark.sql import SparkSession

_MONTHS = 84
"""Lineitem ships over seven years; a file a month is what a compacted nightly table looks like."""


def lineitem(scale: int, folder: Path) -> Path:
    """Make lineitem of a scale (six million rows each) as one Parquet file, unless it is there."""
    target = folder / f"sf{scale}" / "lineitem.parquet"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        generator = Path(sys.executable).parent / "tpchgen-cli"
        # Made aside and moved, so that an interrupted run does not leave half a file behind.
        with TemporaryDirectory(dir=target.parent) as scratch:
            command = [str(generator), "parquet", "-s", str(scale), "-T", "lineitem", "--output-dir", scratch, "-q"]
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
