"""Spark finds what the oracle finds of baselines and of the parts of an error, message by message."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from sparkguard.checks.baseline_comparison import BaselineComparison
from sparkguard.checks.error_decomposition import ErrorDecomposition
from sparkguard.core.check import Check, Run
from sparkguard.core.finding import Finding
from sparkguard.core.source import Dataset
from sparkguard.engine.gather import Rounds
from sparkguard.engine.reader import Reader
from sparkguard.engine.spark_engine import SparkEngine
from sparkguard.testing import judge

RUN = Run(date(2026, 1, 31), datetime(2026, 1, 31))
NAMES = ("ts", "user", "part", "y", "p", "s", "v", "q")
SCHEMA = "ts TIMESTAMP, user STRING, part STRING, y INT, p INT, s DOUBLE, v DOUBLE, q DOUBLE"


def moment(day: int, hour: int = 0) -> datetime:
    return datetime(2026, 1, day, hour, tzinfo=UTC)


ROWS = [
    (
        moment(1 + i % 5, i % 7),
        "xyz"[i % 3],
        "abc"[i % 4 % 3],
        i % 5 % 2,
        i % 3 % 2,
        (i % 10) / 10,
        i % 9 / 2,
        i % 7 / 2,
    )
    for i in range(60)
]
ODD = [
    (moment(2), None, "a", 1, 1, 0.5, 1.0, 1.0),
    (None, "x", "a", 1, 1, 0.5, 1.0, 1.0),
    (moment(9), "x", "b", None, 1, 0.5, None, 1.0),
    (moment(9), "new", "b", 1, 0, 0.5, 2.0, 1.0),
]


def found(spark: SparkSession, check: Check, frames: Mapping[str, DataFrame]) -> tuple[Finding, ...]:
    datasets = {name: Dataset(name, time_column="ts") for name in frames}
    [one] = Rounds(SparkEngine(Reader(spark, datasets, dict(frames)))).gather([check])
    if one.error is not None:
        raise one.error
    return check.judge(one.seen, RUN)


def same(spark: SparkSession, check: Check, **tables: Sequence[tuple[Any, ...]]) -> list[str]:
    """The messages of Spark, which are those of the oracle."""
    frames = {name: spark.createDataFrame(list(rows), SCHEMA).repartition(3) for name, rows in tables.items()}
    rows = {name: [dict(zip(NAMES, row, strict=True)) for row in table] for name, table in tables.items()}
    mine, oracle = found(spark, check, frames), judge(check, rows, time_columns=dict.fromkeys(tables, "ts"))
    told = [(f.subject, f.status, f.evaluated_rows, f.message) for f in mine]
    assert told == [(f.subject, f.status, f.evaluated_rows, f.message) for f in oracle]
    for one, other in zip(mine, oracle, strict=True):
        for name, quantity in other.quantities.items():
            if quantity.value is None:
                assert one.quantities[name].value is None
            elif "upper" not in name and "lower" not in name:
                assert one.quantities[name].value == pytest.approx(quantity.value, rel=1e-9, abs=1e-12), name
    return [f.message for f in mine]


def compared(**fields: Any) -> BaselineComparison:
    return BaselineComparison(**{"id": "c", "dataset": "t", "label": "y", "train": "train", **fields})


@pytest.mark.parametrize(
    "fields",
    [
        {"metric": "f1", "average": "macro", "prediction": "p"},
        {"metric": "log_loss", "score": "s"},
        {"metric": "average_precision", "score": "s", "train": None},
        {"metric": "r2", "label": "v", "prediction": "q", "baselines": ["mean"]},
        {"metric": "mae", "label": "v", "prediction": "q", "known_result": 0.1, "baselines": ["median"]},
    ],
    ids=str,
)
def test_constants_lose_in_spark_what_they_lose_in_the_oracle(spark: SparkSession, fields: dict[str, Any]) -> None:
    assert same(spark, compared(**fields), t=ROWS, train=[*ROWS[:30], *ODD])


def test_the_last_value_is_that_of_the_same_entity_before(spark: SparkSession) -> None:
    # Intervals count users by a hash that only Spark has, so there are too few of them here.
    number = compared(metric="mae", label="v", prediction="q", baselines=["last_value"], entity=["user"], error_if={})
    [message] = same(spark, number, t=[*ROWS, *ODD], train=[(moment(1), "new", "a", 0, 0, 0.0, 7.0, 0.0)])
    assert "of the last v of the same user" in message
    classes = compared(metric="accuracy", prediction="p", train=None, baselines=["last_value"], entity=["user"])
    assert same(spark, classes.model_copy(update={"error_if": {}}), t=[*ROWS, *ODD])


def test_the_parts_of_an_error_are_those_of_the_oracle(spark: SparkSession) -> None:
    sets = {"train": "a", "train_validation": "b", "test": "c"}
    fields: dict[str, Any] = {"id": "why", "dataset": "t", "split": "part", "sets": sets, "irreducible": 0.1}
    check = ErrorDecomposition(label="v", prediction="q", metric="rmse", **fields)
    assert same(spark, check, t=ROWS)
