"""A sample of rows is bounded, whole, and the same however the rows are laid out."""

from typing import Any

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession

from sparkguard.measures.row_sample import RowSample, SampledColumn, SampledRows
from tests.conftest import Work
from tests.engine.test_spark_histograms import ODD, T, compute, tables
from tests.engine.test_spark_summaries import column_of


def rows_of(found: SampledRows) -> list[tuple[Any, ...]]:
    def shown(one: SampledColumn) -> list[Any]:
        values = one.hashes.tolist() if one.text else [repr(number + 0.0) for number in one.numbers.tolist()]
        return [None if gone else value for value, gone in zip(values, one.missing, strict=True)]

    return sorted(zip(*map(shown, found.columns), strict=True), key=repr)


def sampled(spark: SparkSession, frame: DataFrame, most: int, seed: int = 0) -> SampledRows:
    asked = RowSample(T, tuple(column_of(frame, name) for name in frame.columns), most, seed)
    found = compute(spark, frame, [asked])[asked]
    assert isinstance(found, SampledRows), found
    return found


@pytest.mark.parametrize("table", tables())
@pytest.mark.parametrize("partitions", [1, 7])
def test_few_rows_are_all_there_for_every_type(spark: SparkSession, table: str, partitions: int) -> None:
    types, rows = tables()[table]
    names = [f"{ODD[i % len(ODD)]} {i}" for i in range(len(types))]
    ddl = ", ".join(f"`{name.replace('`', '``')}` {sql}" for name, sql in zip(names, types, strict=True))
    frame = spark.createDataFrame(rows, ddl).repartition(partitions)
    asked = RowSample(T, tuple(column_of(frame, name) for name in names), 100)
    found, twin = compute(spark, frame, [asked])[asked], asked.twin({T: rows})
    assert rows_of(found) == rows_of(twin)
    assert [dict(c.names) for c in found.columns] == [dict(c.names) for c in twin.columns]
    assert found.rows == len(rows)


def test_types_without_order_tell_only_whether_there_is_a_value(spark: SparkSession) -> None:
    frame = spark.range(4).selectExpr("IF(id = 1, NULL, array(id)) AS a", "map(id, IF(id = 2, NULL, 'x')) AS m", "id")
    found = sampled(spark, frame, 10)
    assert sorted(rows_of(found), key=lambda row: row[2])[1] == (None, "0.0", "1.0")
    assert [row[:2] for row in rows_of(found)].count(("0.0", "0.0")) == 3


def test_the_sample_does_not_depend_on_the_order_of_rows(spark: SparkSession) -> None:
    frame = spark.range(20_000).selectExpr("id", "id * 0.1D AS x", "concat('v', id % 7) AS s")
    one = sampled(spark, frame.repartition(1), 500)
    other = sampled(spark, frame.repartition(7).orderBy("s"), 500)
    assert one == other
    assert one.size == 500
    assert rows_of(one) != rows_of(sampled(spark, frame, 500, seed=1))
    ids = np.sort(one.columns[0].numbers)
    assert abs(ids.mean() - 10_000) < 6 * 20_000 / np.sqrt(12 * 500)
    assert np.array_equal(one.columns[1].numbers, one.columns[0].numbers * 0.1)


@pytest.mark.parametrize(
    "kind", ["id % 5", "IF(id % 2 = 0, 0, id)"], ids=["few different rows", "half of the rows are equal"]
)
def test_a_sample_of_equal_rows_has_their_share(spark: SparkSession, kind: str) -> None:
    frame = spark.range(20_000).selectExpr(f"CAST({kind} AS BIGINT) AS x")
    values = sampled(spark, frame, 2_000).columns[0].numbers
    whole = np.array([row[0] for row in frame.collect()])
    assert len(values) == 2_000
    assert abs((values == 0).mean() - (whole == 0).mean()) < 0.05


def test_a_sample_costs_a_count_and_one_read(spark: SparkSession, work: Work) -> None:
    frame = spark.range(60_000).selectExpr("id", "randn(1) AS x")
    with work:
        found = sampled(spark, frame, 2_000)
    assert found.size == 2_000
    assert work.jobs <= 4
    assert work.shuffled_rows < 2_600, "only what may be in the sample travels"
