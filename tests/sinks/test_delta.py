"""The result tables: created once, replaced by run, committed last, readable by their views."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from sparkguard.app import Options, load_suite
from sparkguard.console import Silent
from sparkguard.core.suite import Results
from sparkguard.errors import ConfigError, SinkError
from sparkguard.outcome import Report
from sparkguard.runner import Runner
from sparkguard.sinks import delta
from sparkguard.sinks.delta import DeltaSink
from sparkguard.sinks.location import require_safe
from sparkguard.sinks.rows import TABLES
from sparkguard.sinks.views import create_views, view_queries
from sparkguard.testing import TwinEngine

GOOD, BAD = [{"k": 1}], [{"k": 1}, {"k": 1}]


def run(spark: SparkSession, results: Results, rows: list[dict[str, int]], day: int, name: str = "s") -> Report:
    raw: dict[str, Any] = {
        "suite": name,
        "tags": {"team": "x"},
        "datasets": {"t": {"path": "t"}},
        "checks": [
            {"id": "a", "type": "duplicate_keys", "dataset": "t", "key": ["k"], "tags": ["x"]},
            {"id": "b", "type": "duplicate_keys", "dataset": "t", "key": ["k"], "needs": ["a"]},
        ],
    }
    suite = load_suite(raw, Options(date=date(2026, 1, day)))
    start = datetime(2026, 1, day, 6, tzinfo=UTC)
    tick = iter(range(100_000))
    sink = DeltaSink(spark, results)
    runner = Runner(suite, TwinEngine({"t": rows}), sink, Silent(), now=lambda: start + timedelta(seconds=next(tick)))
    return runner.run()


@pytest.fixture(scope="module")
def nights(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Four nights: good, bad, bad and repaired by a retry, good; and another suite beside."""
    results = Results(path=str(tmp_path_factory.mktemp("results") / "deep" / "er"))
    run(spark, results, GOOD, 1)
    run(spark, results, BAD, 2)
    run(spark, results, BAD, 3)
    run(spark, results, BAD, 3)
    run(spark, results, BAD, 4, "other")
    return results


def rows(spark: SparkSession, results: Results, table: str) -> list[Any]:
    return spark.read.format("delta").load(results.table(table)).collect()


def test_all_five_tables_are_made_with_comments_partition_and_version(spark: SparkSession, nights: Results) -> None:
    for name in TABLES:
        detail = spark.sql(f"DESCRIBE DETAIL delta.`{nights.table(name)}`").collect()[0]
        assert detail["partitionColumns"] == ["suite"]
        assert detail["properties"]["sparkguard.schema_version"] == "1"
        fields = spark.read.format("delta").load(nights.table(name)).schema.fields
        assert all(f.metadata.get("comment") for f in fields)


def test_a_retry_replaces_the_rows_of_its_run_only(spark: SparkSession, nights: Results) -> None:
    found = sorted(
        (r["run_date"].day, r["check_id"], r["attempt"], r["suite"]) for r in rows(spark, nights, "check_results")
    )
    assert found == [
        (1, "a", 1, "s"), (1, "b", 1, "s"), (2, "a", 1, "s"), (2, "b", 1, "s"),
        (3, "a", 2, "s"), (3, "b", 2, "s"), (4, "a", 1, "other"), (4, "b", 1, "other"),
    ]  # fmt: skip
    attempts = sorted((r["run_date"].day, r["attempt"]) for r in rows(spark, nights, "runs"))
    assert attempts == [(1, 1), (2, 1), (3, 1), (3, 2), (4, 1)]


def test_transitions_are_read_from_the_tables(spark: SparkSession, nights: Results) -> None:
    found = {(r["run_date"].day, r["check_id"]): r["transition"] for r in rows(spark, nights, "check_results")}
    assert [found[day, "a"] for day in (1, 2, 3, 4)] == ["steady", "new", "ongoing", "new"]


def test_times_are_utc_and_typed(spark: SparkSession, nights: Results) -> None:
    query = f"SELECT unix_seconds(started_at) AS s, tags, run_date FROM delta.`{nights.table('runs')}`"
    [row] = spark.sql(query).where("run_date = DATE'2026-01-01'").collect()
    assert row["s"] == datetime(2026, 1, 1, 6, tzinfo=UTC).timestamp()
    assert row["tags"] == {"team": "x"}


def view(spark: SparkSession, results: Results, name: str) -> list[Any]:
    return spark.sql(view_queries(results)[name]).collect()


def test_latest_status_has_each_check_once(spark: SparkSession, nights: Results) -> None:
    found = {
        (r["suite"], r["check_id"]): (r["status"], r["run_date"].day) for r in view(spark, nights, "latest_status")
    }
    assert found == {
        ("s", "a"): ("fail", 3),
        ("s", "b"): ("skipped", 3),
        ("other", "a"): ("fail", 4),
        ("other", "b"): ("skipped", 4),
    }


def test_open_failures_say_since_when(spark: SparkSession, nights: Results) -> None:
    failures = view(spark, nights, "open_failures")
    found = {r["suite"]: (r["check_id"], r["failing_since"].day, r["failing_runs"]) for r in failures}
    assert found == {"s": ("a", 2, 2), "other": ("a", 4, 1)}


def test_check_trend_follows_a_number(spark: SparkSession, nights: Results) -> None:
    trend = [r for r in view(spark, nights, "check_trend") if (r["suite"], r["metric_name"]) == ("s", "excess_rows")]
    assert sorted((r["run_date"].day, r["value"], r["baseline_eligible"]) for r in trend) == [
        (1, 0.0, True), (1, 0.0, True), (2, 1.0, False), (3, 1.0, False),
    ]  # fmt: skip


def test_the_scorecard_and_the_promotion_follow_the_last_run(spark: SparkSession, nights: Results) -> None:
    cards = {
        r["suite"]: (r["dataset"], r["failed"], r["skipped"], r["healthy"])
        for r in view(spark, nights, "dataset_scorecard")
    }
    assert cards == {"s": ("t", 1, 1, False), "other": ("t", 1, 1, False)}
    promotion = {
        (r["suite"], r["run_date"].day): (r["may_promote"], r["attempt"]) for r in view(spark, nights, "promotion")
    }
    assert promotion == {("s", 1): (True, 1), ("s", 2): (False, 1), ("s", 3): (False, 2), ("other", 4): (False, 1)}


def test_rows_without_their_run_are_seen_by_no_view(spark: SparkSession, tmp_path: Path) -> None:
    results = Results(path=str(tmp_path / "r"))
    run(spark, results, BAD, 1)
    spark.sql(f"DELETE FROM delta.`{results.table('runs')}`")
    for name in view_queries(results):
        assert view(spark, results, name) == []
    assert DeltaSink(spark, results).previous("s", "other", date(2026, 2, 1)) == {}
    again = run(spark, results, GOOD, 1)
    assert (again.attempt, len(rows(spark, results, "violations"))) == (2, 0)


def test_a_catalog_schema_holds_the_tables_and_the_views(spark: SparkSession) -> None:
    spark.sql("CREATE DATABASE IF NOT EXISTS dq")
    results = Results(schema="spark_catalog.dq")
    run(spark, results, BAD, 1)
    assert spark.table("dq.runs").count() == 1
    assert "spark_catalog.dq.promotion" in create_views(spark, results)
    assert spark.table("dq.open_failures").collect()[0]["check_id"] == "a"


@pytest.mark.parametrize("place", ["/proc/nope", "{file}/below"])
def test_a_place_that_cannot_be_written_is_a_sink_error(spark: SparkSession, tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SinkError, match="results cannot be written to"):
        run(spark, Results(path=place.format(file=tmp_path / "file")), GOOD, 1)


def test_a_doubled_commit_of_one_write_is_skipped(spark: SparkSession, tmp_path: Path) -> None:
    results = Results(path=str(tmp_path / "r"))
    run(spark, results, GOOD, 1)
    sink = DeltaSink(spark, results)
    frame = spark.read.format("delta").load(results.table("metrics"))
    before = spark.sql(f"DESCRIBE HISTORY delta.`{results.table('metrics')}`").count()
    for _ in range(2):
        delta._save_to(sink._writer(frame, results.table("metrics"), "suite = 's'", 7), results.table("metrics"))
    assert spark.sql(f"DESCRIBE HISTORY delta.`{results.table('metrics')}`").count() == before + 1


def test_a_concurrent_modification_is_tried_again_and_another_error_is_not(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delta, "_FIRST_PAUSE", 0.001)
    sink = DeltaSink(spark, Results(path=str(tmp_path / "r")))
    tries: list[str] = []

    def act(message: str, good_after: int) -> str:
        tries.append(message)
        if len(tries) < good_after:
            raise RuntimeError(message)
        return "done"

    assert sink._guarded(lambda: act("[DELTA_CONCURRENT_APPEND] x", 4)) == "done"
    assert len(tries) == 4
    tries.clear()
    with pytest.raises(SinkError, match="disk full"):
        sink._guarded(lambda: act("disk full", 4))
    assert len(tries) == 1


@pytest.mark.parametrize("path", ["s3://bucket/x", "s3a://bucket/x"])
def test_plain_s3_needs_a_word_that_there_is_one_writer(path: str) -> None:
    with pytest.raises(ConfigError, match="single_writer: true"):
        require_safe(Results(path=path), None)
    require_safe(Results(path=path, single_writer=True), None)
    require_safe(Results(path=path), "io.delta.storage.S3DynamoDBLogStore")
    require_safe(Results(path="abfss://x/y"), None)
