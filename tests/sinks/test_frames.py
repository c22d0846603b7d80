"""Rows survive the way into Spark whatever is in them."""

from datetime import UTC, date, datetime
from math import inf, isnan, nan

from pyspark.sql import SparkSession

from sparkguard.sinks.frames import frame_of
from sparkguard.sinks.rows import TABLES, MetricRow, StateRow, ViolationRow, columns

ODD = "a\"b'c\\d\n\t\u2028 日本 \U0001f600 {}"


def metric(value: float | None) -> MetricRow:
    moment = datetime(2013, 11, 3, 5, 0, 0, 123456, tzinfo=UTC)
    return MetricRow(
        run_id=ODD, attempt=1, suite="s", run_date=date(1500, 1, 1), check_id="a", dataset=None, dataset_version=2**40,
        column_name="c", metric_name="m", value=value, window_start=moment, window_end=None, reference_start=None,
        reference_end=None, slice_key=None, slice_value=None, baseline_eligible=True, created_at=moment,
    )  # fmt: skip


def test_values_arrive_as_they_were(spark: SparkSession) -> None:
    values = [0.1, -0.0, 1e300, None, nan, inf, -inf]
    found = frame_of(spark, "metrics", [metric(v) for v in values])
    got = found.selectExpr("*", "unix_micros(window_start) AS micros", "CAST(run_date AS STRING) AS day").collect()
    for row, value in zip(got, values, strict=True):
        assert row["value"] == value or (value is not None and isnan(value) and isnan(row["value"]))
        assert (row["run_id"], row["dataset_version"], row["day"]) == (ODD, 2**40, "1500-01-01")
        assert row["micros"] == 1383454800123456


def test_maps_arrays_and_bytes_arrive(spark: SparkSession) -> None:
    violation = ViolationRow(
        result_id="r", run_id="r", attempt=1, suite="s", run_date=date(2026, 1, 1), check_id="a", kind="duplicate",
        key={ODD: None, "k": ODD, "": ""}, reason=None, expected=None, actual=None, count=None, rank=1,
    )  # fmt: skip
    assert frame_of(spark, "violations", [violation]).collect()[0]["key"] == {ODD: None, "k": ODD, "": ""}
    state = StateRow(
        suite="s", dataset="d", dataset_version=None, window_start=None, window_end=None, columns=("a", ODD),
        measure_fingerprint="f", state_version=1, state=bytes(range(256)), rows=0, created_at=datetime.now(UTC),
    )  # fmt: skip
    [row] = frame_of(spark, "states", [state]).collect()
    assert (row["columns"], bytes(row["state"])) == (["a", ODD], bytes(range(256)))


def test_no_rows_keep_their_columns(spark: SparkSession) -> None:
    for table in TABLES:
        frame = frame_of(spark, table, [])
        assert (frame.columns, frame.count()) == (list(columns(table)), 0)
