"""Datasets of every format, pinned versions, windows on every type of time column."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from sparkguard.core.columns import Column
from sparkguard.core.evidence import Pin
from sparkguard.core.measure import Broken
from sparkguard.core.source import Dataset, Partition, Source
from sparkguard.core.window import Duration, Window
from sparkguard.engine.reader import Reader
from sparkguard.engine.spark.windows import render
from sparkguard.errors import DataError

ID = (Column("id", ("id",), "bigint"),)


def opened(spark: SparkSession, frames: Mapping[str, Any] | None = None, **fields: Any) -> tuple[Reader, Pin | Broken]:
    reader = Reader(spark, {"t": Dataset("t", **fields)}, frames)
    return reader, reader.pin([Source("t")])["t", None]


def ids(reader: Reader, window: Window | None = None) -> list[int]:
    return sorted(row[0] for row in reader.frame(Source("t", window), ID).collect())


@pytest.mark.parametrize("kind", ["parquet", "json", "orc", "csv", "delta"])
def test_every_format_is_read_and_filtered(spark: SparkSession, tmp_path: Path, kind: str) -> None:
    path = str(tmp_path / "data")
    writer = spark.range(5).write.format(kind)
    (writer.option("header", "true") if kind == "csv" else writer).save(path)
    reader, pin = opened(spark, path=path, format=None if kind == "delta" else kind, where="id > 2")
    assert isinstance(pin, Pin)
    assert pin.version == (0 if kind == "delta" else None)
    assert ids(reader) == [3, 4]


@pytest.fixture
def versions(spark: SparkSession, tmp_path: Path) -> str:
    path = str(tmp_path / "versions")
    for i in range(3):
        spark.range(i, i + 1).write.format("delta").mode("append").save(path)
    return path


def test_a_delta_table_is_pinned_to_the_version_of_its_opening(spark: SparkSession, versions: str) -> None:
    reader, pin = opened(spark, path=versions)
    spark.range(9, 10).write.format("delta").mode("append").save(versions)
    assert isinstance(pin, Pin)
    assert (pin.version, ids(reader)) == (2, [0, 1, 2])
    pin = reader.pin([Source("t")])["t", None]
    assert isinstance(pin, Pin)
    assert (pin.version, ids(reader)) == (3, [0, 1, 2, 9])


def test_a_version_or_a_timestamp_can_be_named(spark: SparkSession, versions: str) -> None:
    assert ids(opened(spark, path=versions, version=0)[0]) == [0]
    history = spark.sql(f"DESCRIBE HISTORY delta.`{versions}`").where("version = 1").collect()[0]
    moment = history["timestamp"].astimezone()
    reader, pin = opened(spark, path=versions, timestamp=moment)
    assert isinstance(pin, Pin)
    assert (pin.version, ids(reader)) == (1, [0, 1])
    _, missing = opened(spark, path=versions, timestamp=datetime(1999, 1, 1, tzinfo=UTC))
    assert isinstance(missing, Broken)
    assert "no version as old as" in missing.reason


def test_two_versions_of_one_dataset_are_two_sources(spark: SparkSession, versions: str) -> None:
    reader = Reader(spark, {"t": Dataset("t", path=versions)})
    reader.pin([Source("t", version=0), Source("t", version=1)])
    assert reader.frame(Source("t", version=0), ID).count() == 1
    assert reader.frame(Source("t", version=1), ID).count() == 2


def test_tables_views_and_queries_are_read_by_name(spark: SparkSession) -> None:
    spark.sql("CREATE DATABASE IF NOT EXISTS shop")
    spark.sql("CREATE OR REPLACE TABLE shop.`odd_name` USING delta AS SELECT id FROM range(3)")
    spark.sql("CREATE OR REPLACE VIEW shop.seen AS SELECT id FROM shop.`odd_name`")
    reader, pin = opened(spark, table="shop.`odd_name`")
    assert isinstance(pin, Pin)
    assert (pin.version, ids(reader)) == (0, [0, 1, 2])
    reader, pin = opened(spark, table="shop.seen")
    assert isinstance(pin, Pin)
    assert (pin.version, ids(reader)) == (None, [0, 1, 2])
    assert ids(opened(spark, sql="SELECT id FROM range(2)")[0]) == [0, 1]


def test_a_path_with_odd_characters_is_a_path(spark: SparkSession, tmp_path: Path) -> None:
    path = str(tmp_path / "a b.c`d'é")
    spark.range(2).write.format("delta").save(path)
    assert ids(opened(spark, path=path)[0]) == [0, 1]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"path": "/nowhere/at/all"}, "there is no such data"),
        ({"path": "/nowhere/at/all", "format": "parquet"}, "there is no such data"),
        ({"table": "no.such.table_at_all"}, "there is no such table"),
        ({"table": "x; DROP TABLE y"}, "dataset 't'"),
        ({"table": "a..b"}, "is not a table name"),
        ({"sql": "SELEC 1"}, "dataset 't' (query)"),
    ],
)
def test_what_cannot_be_opened_is_broken_with_a_reason(
    spark: SparkSession, fields: dict[str, Any], reason: str
) -> None:
    _, pin = opened(spark, **fields)
    assert isinstance(pin, Broken)
    assert reason in pin.reason
    assert "\n" not in pin.reason


def test_a_folder_that_is_no_delta_table_says_so(spark: SparkSession, tmp_path: Path) -> None:
    spark.range(3).write.parquet(str(tmp_path / "p"))
    _, pin = opened(spark, path=str(tmp_path / "p"))
    assert isinstance(pin, Broken)
    assert "format" in str(pin.remedy)


INSIDE = ["2013-11-03T04:30:00Z", "2013-11-03T05:30:00Z", "2013-11-04T04:59:59Z"]
OUTSIDE = ["2013-11-03T03:59:59Z", "2013-11-04T05:00:00Z"]
# The day of 25 hours in New York: from 04:00 UTC to 05:00 UTC of the next day.
DAY = Window(datetime(2013, 11, 3), datetime(2013, 11, 4), "America/New_York")


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo"])
@pytest.mark.parametrize("kind", ["timestamp", "zoned", "offset"])
def test_a_window_holds_the_same_instants_in_every_session(spark: SparkSession, zone: str, kind: str) -> None:
    before = spark.conf.get("spark.sql.session.timeZone")
    rows = [(i, t) for i, t in enumerate(INSIDE + OUTSIDE)]
    expressions = {
        "timestamp": "to_timestamp(t)",
        "zoned": "t",
        "offset": "replace(t, 'Z', '+00:00')",
    }
    try:
        spark.conf.set("spark.sql.session.timeZone", zone)
        frame = spark.createDataFrame(rows, "id BIGINT, t STRING").select("id", F.expr(expressions[kind]).alias("ts"))
        reader, _ = opened(spark, {"t": frame}, time_column="ts")
        assert ids(reader, DAY) == [0, 1, 2]
    finally:
        spark.conf.set("spark.sql.session.timeZone", str(before))


LOCAL = [
    "2013-11-03 00:00:00",
    "2013-11-03 01:30:00",
    "2013-11-03 23:59:59.999",
    "2013-11-02 23:59:59",
    "2013-11-04 00:00:00",
]


@pytest.mark.parametrize("expression", ["CAST(t AS TIMESTAMP_NTZ)", "t", "replace(t, ' ', 'T')"])
def test_what_has_no_zone_is_wall_clock_time_of_the_suite(spark: SparkSession, expression: str) -> None:
    frame = spark.createDataFrame(list(enumerate(LOCAL)), "id BIGINT, t STRING").select(
        "id", F.expr(expression).alias("ts")
    )
    reader, _ = opened(spark, {"t": frame}, time_column="ts")
    assert ids(reader, DAY) == [0, 1, 2]


@pytest.mark.parametrize("expression", ["CAST(t AS DATE)", "t"])
def test_dates_are_midnights_of_the_suite(spark: SparkSession, expression: str) -> None:
    days = [(0, "2013-11-02"), (1, "2013-11-03"), (2, "2013-11-04"), (3, None)]
    frame = spark.createDataFrame(days, "id BIGINT, t STRING").select("id", F.expr(expression).alias("ts"))
    reader, _ = opened(spark, {"t": frame}, time_column="ts")
    assert ids(reader, DAY) == [1]
    noon = Window(datetime(2013, 11, 2, 12), datetime(2013, 11, 3, 12), "America/New_York")
    assert ids(reader, noon) == [1]


def test_unreadable_times_are_in_no_window_and_stop_nothing(spark: SparkSession) -> None:
    rows = [(0, "2013-11-03 10:00:00"), (1, "2013-11-03 what"), (2, ""), (3, "yesterday")]
    reader, _ = opened(spark, {"t": spark.createDataFrame(rows, "id BIGINT, ts STRING")}, time_column="ts")
    assert ids(reader, DAY) == [0]


def test_a_number_is_no_time(spark: SparkSession) -> None:
    reader, _ = opened(spark, {"t": spark.range(3)}, time_column="id")
    with pytest.raises(DataError, match="time column 'id' is bigint"):
        reader.frame(Source("t", DAY), ID)


@pytest.mark.parametrize("kind", ["timestamp", "timestamp_ntz", "date"])
def test_bounds_are_pushed_down_to_the_raw_column(spark: SparkSession, tmp_path: Path, kind: str) -> None:
    rows = spark.createDataFrame(list(enumerate(LOCAL)), "id BIGINT, t STRING")
    rows.select("id", F.col("t").cast(kind).alias("ts")).write.parquet(str(tmp_path / "p"))
    reader, _ = opened(spark, path=str(tmp_path / "p"), format="parquet", time_column="ts")
    plan = reader.frame(Source("t", DAY), ID)._jdf.queryExecution().toString()
    pushed = plan[plan.index("PushedFilters") :]
    assert "GreaterThanOrEqual(ts" in pushed
    assert "LessThan(ts" in pushed


@pytest.mark.parametrize(("kind", "pattern"), [("string", "yyyyMMdd"), ("int", "yyyyMMdd"), ("date", "yyyy-MM-dd")])
def test_windows_also_prune_the_partition_column(spark: SparkSession, tmp_path: Path, kind: str, pattern: str) -> None:
    rows = spark.range(20).select(
        "id", F.expr("timestamp_ntz'2013-11-01' + make_dt_interval(cast(id AS int))").alias("ts")
    )
    ds = F.to_date("ts") if kind == "date" else F.date_format("ts", pattern).cast(kind)
    rows.withColumn("ds", ds).write.partitionBy("ds").parquet(str(tmp_path / "p"))
    partition = Partition("ds", pattern, Duration(days=1))
    reader, _ = opened(spark, path=str(tmp_path / "p"), format="parquet", time_column="ts", partition=partition)
    frame = reader.frame(Source("t", Window(datetime(2013, 11, 10), datetime(2013, 11, 12))), ID)
    assert sorted(r[0] for r in frame.collect()) == [9, 10]
    (filters,) = re.findall(r"PartitionFilters: \[([^\]]*)\]", frame._jdf.queryExecution().toString())
    assert "ds" in filters


def test_partition_texts_are_rendered_by_the_pattern() -> None:
    assert render(datetime(2026, 1, 2, 3, 4), "yyyy/MM/dd-HH'h'mm") == "2026/01/02-03h04"
