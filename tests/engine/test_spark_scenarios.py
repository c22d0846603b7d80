"""Spark finds the rows of scenarios as the oracle does, however they are told, in as few passes as promised."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from sparkguard.checks.scenario_tests import ScenarioTests
from sparkguard.core.check import Run
from sparkguard.core.finding import Finding, Status
from sparkguard.core.source import Dataset
from sparkguard.engine.gather import Rounds
from sparkguard.engine.reader import Reader
from sparkguard.engine.spark_engine import SparkEngine
from sparkguard.testing import judge
from tests.conftest import Work

RUN = Run(date(2026, 1, 31), datetime(2026, 1, 31))
SCHEMA = "id INT, dest STRING, `ho.ur` BIGINT, day DATE, ok BOOLEAN, y INT, p INT, old INT"
ROWS = [
    (1, "SFO", 5, date(2026, 1, 1), True, 1, 1, 1),
    (2, "SFO", 22, date(2026, 1, 2), False, 0, 1, 0),
    (3, "Zürich's", 23, date(1500, 1, 1), None, 1, 1, 0),
    (4, "BOS", 7, None, True, 0, 0, 1),
    (5, None, None, date(2026, 1, 1), True, 0, 0, 1),
]
SCENARIOS: list[dict[str, Any]] = [
    {"name": "sfo", "equals": {"dest": "SFO"}},
    {"name": "text", "equals": {"dest": ["Zürich's", "BOS"]}},
    {"name": "null", "equals": {"dest": None}},
    {"name": "number", "equals": {"`ho.ur`": [22, 23]}},
    {"name": "no number", "equals": {"`ho.ur`": ["x", 7]}},
    {"name": "day", "equals": {"day": date(2026, 1, 1), "ok": True}},
    {"name": "past", "equals": {"day": "1500-01-01"}},
    {"name": "keys", "keys": [{"id": 2, "dest": "SFO"}, {"id": 2, "dest": "BOS"}, {"id": 5, "dest": None}]},
    {"name": "table", "keys": {"dataset": "k", "key": ["id"]}},
    {"name": "where", "where": "`ho.ur` > 20 AND y = 1"},
    {"name": "quoted", "where": "dest = 'SFO' OR dest = 'BOS'"},
    {"name": "never", "where": "NULL"},
    {"name": "own", "dataset": "o"},
]


def check(scenarios: Sequence[dict[str, Any]], **fields: Any) -> ScenarioTests:
    of = {"id": "cases", "dataset": "t", "label": "y", "metric": "accuracy", "prediction": "p", "minimum": 0.5}
    return ScenarioTests(**{**of, "scenarios": list(scenarios), **fields})


def found(spark: SparkSession, wanted: ScenarioTests, **frames: DataFrame) -> tuple[Finding, ...]:
    engine = SparkEngine(Reader(spark, {name: Dataset(name) for name in frames}, frames))
    [one] = Rounds(engine).gather([wanted])
    if one.error is not None:
        raise one.error
    return wanted.judge(one.seen, RUN)


def table(rows: Sequence[tuple[Any, ...]], *names: str) -> list[dict[str, Any]]:
    return [dict(zip(names, row, strict=True)) for row in rows]


@pytest.mark.parametrize("fields", [{}, {"baseline_prediction": "old", "max_regression": 0.2, "key": ["id"]}], ids=str)
def test_every_way_of_telling_a_scenario_is_that_of_the_oracle(spark: SparkSession, fields: dict[str, Any]) -> None:
    wanted = check(SCENARIOS, **fields)
    keys, own = [(2,), (3,), (3,), (None,)], [(7, 1, 0, 1), (8, 1, 1, 1)]
    frames = {
        "t": spark.createDataFrame(ROWS, SCHEMA).repartition(3),
        "k": spark.createDataFrame(keys, "id BIGINT"),
        "o": spark.createDataFrame(own, "id INT, y INT, p INT, old INT"),
    }
    tables = {
        "t": table(ROWS, "id", "dest", "ho.ur", "day", "ok", "y", "p", "old"),
        "k": table(keys, "id"),
        "o": table(own, "id", "y", "p", "old"),
    }
    mine, oracle = found(spark, wanted, **frames), judge(wanted, tables)
    assert [(f.subject, f.status, f.evaluated_rows, f.message) for f in mine] == [
        (f.subject, f.status, f.evaluated_rows, f.message) for f in oracle
    ]
    rows = {f.subject: f.evaluated_rows for f in mine}
    assert (rows["no number"], rows["null"], rows["never"], rows["day"]) == (1, 1, 0, 2)


def test_a_row_is_in_a_scenario_once_however_often_it_is_named(spark: SparkSession) -> None:
    twice: list[dict[str, Any]] = [
        {"name": "texts", "keys": [{"`ho.ur`": "5"}, {"`ho.ur`": "05"}, {"`ho.ur`": 5}]},
        {"name": "lists", "equals": {"dest": ["SFO", "SFO"]}},
        {"name": "all", "where": "true"},
    ]
    frame = spark.createDataFrame(ROWS, SCHEMA)
    assert [f.evaluated_rows for f in found(spark, check(twice, minimum=0), t=frame)] == [1, 2, 5]


def test_scenarios_may_all_have_datasets_of_their_own(spark: SparkSession) -> None:
    own = spark.createDataFrame([(1, 1), (1, 0)], "y INT, p INT")
    [one] = found(spark, check([{"name": "own", "dataset": "o"}]), t=spark.createDataFrame(ROWS, SCHEMA), o=own)
    assert (one.status, one.evaluated_rows) == (Status.PASS, 2)


def test_a_thousand_scenarios_by_equality_and_keys_cost_one_read_and_no_row_of_the_table_is_shuffled(
    spark: SparkSession,
) -> None:
    rows = spark.range(20_000).selectExpr("id", "id % 500 AS dest", "id % 7 AS hour", "CAST(id % 3 = 0 AS INT) AS y")
    data = rows.selectExpr("*", "1 - y AS p").localCheckpoint()
    by_dest = [{"name": f"dest {i}", "equals": {"dest": i}, "minimum": 0} for i in range(500)]
    both = [{"name": f"both {i}", "equals": {"dest": i, "hour": i % 7}, "minimum": 0} for i in range(400)]
    keys = [{"name": f"key {i}", "keys": [{"id": i}, {"id": i + 1}], "minimum": 0} for i in range(100)]
    with Work(spark) as work:
        mine = found(spark, check([*by_dest, *both, *keys]), t=data)
    assert {f.status for f in mine if f.evaluated_rows} == {Status.PASS}
    assert [mine[i].evaluated_rows for i in (0, 999)] == [40, 2]
    # One for the places of each group of columns, which are broadcast.
    assert work.jobs <= 9
    assert work.shuffled_rows <= 2 * 4 * 1_000
    assert work.result_bytes < 1_000_000


def test_a_predicate_that_spark_cannot_read_is_an_error_that_quotes_it(spark: SparkSession) -> None:
    data = spark.createDataFrame(ROWS, SCHEMA)
    with pytest.raises(Exception, match="nothing_here"):
        found(spark, check([{"name": "odd", "where": "nothing_here > 1"}]), t=data)


def by_equality(spark: SparkSession, data: DataFrame, listed: Any) -> dict[str, int | None]:
    fields: dict[str, Any] = {"label": "y", "prediction": "p", "metric": "accuracy", "minimum": 0.1}
    asked = ScenarioTests(id="c", dataset="t", scenarios=listed, **fields)
    [one] = Rounds(SparkEngine(Reader(spark, {"t": Dataset("t")}, {"t": data}))).gather([asked])
    assert one.error is None
    return {finding.subject: finding.evaluated_rows for finding in asked.judge(one.seen, RUN)}


def test_texts_under_a_collation_tell_a_scenario_as_it_says(spark: SparkSession) -> None:
    if spark.version < "4":
        pytest.skip("collations came with Spark 4")
    data = spark.createDataFrame([("SFO", 1, 1), ("sfo", 1, 0), ("BOS", 1, 1)], "dest STRING, y INT, p INT")
    data = data.selectExpr("dest COLLATE UTF8_LCASE AS dest", "y", "p")
    listed = [{"name": "sfo", "equals": {"dest": "Sfo"}}, {"name": "both", "equals": {"dest": ["sFO", "bos"]}}]
    assert by_equality(spark, data, listed) == {"sfo": 2, "both": 3}


def test_a_null_in_one_column_is_not_that_in_another(spark: SparkSession) -> None:
    data = spark.createDataFrame(
        [("x", None, 1, 1), (None, "x", 1, 1), (None, "x", 0, 0)], "a STRING, b STRING, y INT, p INT"
    )
    listed = [{"name": "left", "equals": {"a": "x", "b": None}}, {"name": "right", "equals": {"a": None, "b": "x"}}]
    assert by_equality(spark, data, listed) == {"left": 1, "right": 2}
