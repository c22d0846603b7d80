"""Spark finds in slices what the oracle finds, and what it costs does not grow with the number of slices."""

from typing import Any

import pytest
from pyspark.sql import SparkSession

from sparkguard.checks.slice_errors import SliceErrors
from sparkguard.core.finding import Finding
from sparkguard.core.source import Dataset
from sparkguard.engine.gather import Rounds
from sparkguard.engine.reader import Reader
from sparkguard.engine.spark_engine import SparkEngine
from sparkguard.testing import judge
from tests.conftest import Work
from tests.engine.test_spark_baselines import RUN

NAN = float("nan")
NAMES = ("dest", "hour", "delay", "wet", "user", "y", "s")
SCHEMA = "dest STRING, hour INT, delay DOUBLE, wet BOOLEAN, user STRING, y INT, s DOUBLE"
ROWS = [
    (
        (None, "A", "Zürich's", "B")[i % 4],
        i % 24,
        (None, NAN, float("inf"), -0.0, i / 7)[i % 5],
        (None, True, False)[i % 3],
        f"u{i % 60}",
        1,
        0.9 if i % 4 and i % 11 else 0.2,
    )
    for i in range(1_200)
]


def check(**fields: Any) -> SliceErrors:
    of = {"id": "where", "dataset": "t", "label": "y", "score": "s", "metric": "log_loss", "exclude": ["user"]}
    return SliceErrors(**{**of, **fields})


CASES = [
    {},
    {"metric": "accuracy", "threshold": 0.5, "split": "wet"},
    {"metric": "mae", "prediction": "s", "split": "dest"},
]


@pytest.mark.parametrize("fields", CASES, ids=str)
def test_slices_are_those_of_the_oracle(spark: SparkSession, fields: dict[str, Any]) -> None:
    data = spark.createDataFrame(ROWS, SCHEMA).repartition(3)
    engine = SparkEngine(Reader(spark, {"t": Dataset("t")}, {"t": data}))
    wanted = check(**fields)
    with Work(spark) as work:
        [one] = Rounds(engine).gather([wanted])
    assert one.error is None
    mine = wanted.judge(one.seen, RUN)
    oracle = judge(wanted, {"t": [dict(zip(NAMES, row, strict=True)) for row in ROWS]})
    assert [shown(f) for f in mine] == [shown(f) for f in oracle]
    assert ("dest", "NULL") in {(f.slice_key, f.slice_value) for f in mine} or "split" in fields
    assert len(one.seen.answers) == 3 + 2 * ("split" in fields)
    # Each row counts once for each column and pair, and is added up before the shuffle.
    assert work.shuffled_rows < 8_000 + 1_000 * ("split" in fields)
    assert work.result_bytes < 1_000_000


def shown(finding: Finding) -> tuple[object, ...]:
    where = (finding.subject, finding.slice_key, finding.slice_value)
    return *where, finding.status, finding.evaluated_rows, finding.message
