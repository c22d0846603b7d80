"""Runs another tool on two tables, once for each line on standard input; in an environment of its own.

Started by `join_reconciliation.py`. After each run it prints one line of JSON: seconds and what was found.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

KEY = "o_orderkey"


def pyspark_extension(before: DataFrame, after: DataFrame) -> dict[str, int]:
    """Count the rows of each kind of difference."""
    from gresearch.spark.diff import Differ, DiffOptions

    counts = Differ(DiffOptions()).diff(before, after, KEY).groupBy("diff").count().collect()
    found = {row["diff"]: row["count"] for row in counts}
    return {"lost": found.get("D", 0), "gained": found.get("I", 0), "changed": found.get("C", 0)}


def datacompy(before: DataFrame, after: DataFrame) -> dict[str, int]:
    """Count rows on one side and unequal values; it cannot compare dates, so they become text."""
    from datacompy import SparkSQLCompare

    sides = [side.withColumn("o_orderdate", F.col("o_orderdate").cast("string")) for side in (before, after)]
    compared: Any = SparkSQLCompare(before.sparkSession, *sides, join_columns=[KEY])
    changed = sum(column["unequal_cnt"] for column in compared.column_stats)
    return {"lost": compared.df1_unq_rows.count(), "gained": compared.df2_unq_rows.count(), "changed": changed}


PEERS: dict[str, Callable[[DataFrame, DataFrame], dict[str, int]]] = {
    "pyspark-extension": pyspark_extension,
    "datacompy": datacompy,
}


def main() -> None:
    """Open two Parquet folders and wait for lines."""
    peer, before, after = sys.argv[1:4]
    builder = SparkSession.builder.master("local[*]").appName(peer)
    for key, value in (
        ("spark.ui.enabled", "false"),
        ("spark.log.level", "ERROR"),
        ("spark.ui.showConsoleProgress", "false"),
        ("spark.sql.shuffle.partitions", "4"),
        ("spark.driver.memory", "6g"),
        ("spark.driver.host", "localhost"),
    ):
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    for _ in sys.stdin:
        began = time.perf_counter()
        found = PEERS[peer](spark.read.parquet(before), spark.read.parquet(after))
        print(json.dumps({"seconds": time.perf_counter() - began, "found": found}), flush=True)


if __name__ == "__main__":
    main()
