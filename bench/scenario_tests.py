"""What 1,000 scenarios cost by equality and keys, and 200 by predicates, beside a scan and a hand-written aggregate.

The table is synthetic: 500 destinations, 24 hours, users, a label and a predicted class. The ways are timed in turn,
after a round that only warms up, and compared round by round.
"""

from __future__ import annotations

import argparse
import shutil
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from timing import Meter, Way, expect, measure, show

from sparkguard.app import session
from sparkguard.checks.scenario_tests import ScenarioTests
from sparkguard.core.check import Run
from sparkguard.core.source import Dataset
from sparkguard.engine.gather import Rounds
from sparkguard.engine.reader import Reader
from sparkguard.engine.spark_engine import SparkEngine

DATA = Path(__file__).parent.parent / "data" / "cases"
COLUMNS = ("dest", "hour", "user", "label", "told")
PREDICATES = 200


def table(spark: SparkSession, folder: Path, rows: int) -> Path:
    """Write the table as Parquet, once."""
    target = folder / str(rows)
    if not (target / "_SUCCESS").exists():
        shutil.rmtree(target, ignore_errors=True)
        made = spark.range(0, rows, 1, 24).selectExpr(
            "concat('D', pmod(xxhash64(id, 1), 500)) AS dest",
            "CAST(pmod(xxhash64(id, 2), 24) AS INT) AS hour",
            "pmod(xxhash64(id, 3), 100000) AS user",
            "CAST(pmod(xxhash64(id, 4), 10) = 0 AS INT) AS label",
            "CAST(pmod(xxhash64(id, 5), 10) = 0 AS INT) AS told",
        )
        made.write.parquet(str(target))
    return target


def by_equality() -> list[dict[str, Any]]:
    """A scenario for each destination, for some hours of some, and of lists of users."""
    found: list[dict[str, Any]] = [{"name": f"D{i}", "equals": {"dest": f"D{i}"}} for i in range(500)]
    found += [{"name": f"D{i} at {i % 24}", "equals": {"dest": f"D{i}", "hour": i % 24}} for i in range(300)]
    keys = ([{"user": 50 * i + j} for j in range(50)] for i in range(200))
    return found + [{"name": f"users {i}", "keys": one} for i, one in enumerate(keys)]


def predicates() -> list[str]:
    """Conditions that no lookup tells."""
    return [f"hour >= {i % 20} AND user % {i + 7} = 0 AND dest <> 'D{i}'" for i in range(PREDICATES)]


def scan(frame: DataFrame) -> None:
    """Read the columns and throw them away."""
    frame.select(*COLUMNS).write.format("noop").mode("overwrite").save()


def by_hand(frame: DataFrame) -> None:
    """What one writes for the accuracy of each predicate."""
    sums = (f"count_if({p}) AS n{i}, count_if({p} AND label = told) AS r{i}" for i, p in enumerate(predicates()))
    [row] = frame.selectExpr(*", ".join(sums).split(", ")).collect()
    expect(len(row), 2 * PREDICATES)


def check(spark: SparkSession, place: Path, scenarios: Any) -> None:
    """The check, from opening the table to its verdict."""
    fields: dict[str, Any] = {"label": "label", "prediction": "told", "metric": "accuracy", "minimum": 0.1}
    asked = ScenarioTests(id="c", dataset="t", scenarios=scenarios, **fields)
    datasets = {"t": Dataset("t", path=str(place), format="parquet")}
    [gathered] = Rounds(SparkEngine(Reader(spark, datasets))).gather([asked])
    now = datetime.now(UTC)
    found = asked.judge(gathered.seen, Run(now.date(), now))
    expect(sum(one.status.value == "pass" for one in found), len(scenarios))


def main() -> None:
    """Measure and print the figures beside the aims."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--no-predicates", action="store_true", help="only equality and keys")
    given = parser.parse_args()
    with session("scenario tests") as spark:
        place = table(spark, DATA, given.rows)
        frame = spark.read.parquet(str(place))
        free = [{"name": f"case {i}", "where": sql} for i, sql in enumerate(predicates())]
        bare, hand = "scan of 5 columns", f"{PREDICATES} predicates by hand"
        found = [
            Way(bare, partial(scan, frame)),
            Way("1,000 scenarios by equality and keys", partial(check, spark, place, by_equality()), bare, 3),
        ]
        if not given.no_predicates:
            found.append(Way(hand, partial(by_hand, frame)))
            found.append(Way(f"{PREDICATES} scenarios by predicates", partial(check, spark, place, free), hand, 1))
        show(f"{given.rows:,} rows", found, measure(Meter(spark), found, given.runs))


if __name__ == "__main__":
    main()
