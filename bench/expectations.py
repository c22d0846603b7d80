"""Measures the check type `expectations` beside Great Expectations' own ways of running the same suite.

The suite is `conf/gx/flights.json`, the rows those of the demo's flights (`make demo`), `--copies` times. On one
week all but one of its expectations hold; on the whole year five do not. Each way runs twice; the second counts.
"""

from __future__ import annotations

import argparse
import json
import time
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from sparkguard.app import session
from sparkguard.engine.gx import run_expectations
from sparkguard.shapes.gx import construct, quiet

ROOT = Path(__file__).parent.parent
WEEK = "time_hour >= '2013-10-28' AND time_hour < '2013-11-04'"


def entries() -> list[dict[str, Any]]:
    """The shipped suite."""
    suite = json.loads((ROOT / "conf/gx/flights.json").read_text(encoding="utf-8"))
    return [{"type": entry["type"], "kwargs": entry["kwargs"]} for entry in suite["expectations"]]


def by_sparkguard(frame: DataFrame) -> int:
    """How many hold, by the check's engine, with samples of those that do not."""
    outcomes = run_expectations(frame, [json.dumps(entry) for entry in entries()], 100)
    return sum(bool(outcome.holds) for outcome in outcomes)


def by_gx(frame: DataFrame, result_format: str, *, persist: bool) -> int:
    """How many hold, by Great Expectations alone."""
    with quiet():
        import great_expectations as gx

        context = gx.get_context(mode="ephemeral")
        asset = context.data_sources.add_spark("s", persist=persist).add_dataframe_asset("a")
        batch = asset.add_batch_definition_whole_dataframe("b").get_batch(batch_parameters={"dataframe": frame})
        made = [construct(entry["type"], entry["kwargs"]) for entry in entries()]
        results = batch.validate(gx.ExpectationSuite("s", expectations=made), result_format=result_format).results
        frame.unpersist()
        return sum(bool(result.success) for result in results)


WAYS: Mapping[str, Callable[[DataFrame], int]] = {
    "sparkguard": by_sparkguard,
    "GX, its defaults (SUMMARY, persist)": partial(by_gx, result_format="SUMMARY", persist=True),
    "GX, SUMMARY without persist": partial(by_gx, result_format="SUMMARY", persist=False),
    "GX, BOOLEAN_ONLY without persist: no counts, no samples": partial(
        by_gx, result_format="BOOLEAN_ONLY", persist=False
    ),
}


def measure(spark: SparkSession, name: str, frame: DataFrame) -> None:
    """Print seconds and jobs of each way."""
    print(f"\n{name}: {frame.count():,} rows, {len(entries())} expectations")
    for _ in range(2):
        lines = []
        for way, run in WAYS.items():
            group = uuid.uuid4().hex
            spark.sparkContext.setJobGroup(group, way)
            start = time.perf_counter()
            hold = run(frame)
            seconds = time.perf_counter() - start
            jobs = len(spark.sparkContext.statusTracker().getJobIdsForGroup(group))
            lines.append(f"  {way:56} {seconds:6.1f} s {jobs:4} jobs, {hold} hold")
    print("\n".join(lines))


def main() -> None:
    """Measure a week and the year."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--copies", type=int, default=3)
    copies = parser.parse_args().copies
    with session("sparkguard bench") as spark, TemporaryDirectory() as scratch:
        flights = spark.read.format("delta").load(str(ROOT / "data/flights"))
        flights.crossJoin(spark.range(copies).select("id").withColumnRenamed("id", "copy")).write.parquet(
            f"{scratch}/flights"
        )
        measure(spark, "a week", flights.where(WEEK))
        measure(spark, "the year", spark.read.parquet(f"{scratch}/flights"))


if __name__ == "__main__":
    main()
