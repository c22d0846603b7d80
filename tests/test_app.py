"""The Python interface and the plan, on real Spark and Delta."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

import sparkguard
from sparkguard import Options
from sparkguard.app import plan
from sparkguard.console import Silent
from tests.conftest import Work

DAY = Options(date=date(2026, 1, 31))


def check(name: str, dataset: str, **fields: Any) -> dict[str, Any]:
    return {"id": name, "type": "duplicate_keys", "dataset": dataset, "key": ["id"], **fields}


def suite(tmp_path: Path, datasets: dict[str, Any], *checks: dict[str, Any]) -> dict[str, Any]:
    return {"suite": "s", "results": str(tmp_path / "results"), "datasets": datasets, "checks": list(checks)}


def statuses(report: sparkguard.Report) -> dict[str, str]:
    return {c.id: f.status.value for c, f in report.findings}


def messages(report: sparkguard.Report) -> dict[str, str]:
    return {c.id: f.message for c, f in report.findings}


def test_a_data_frame_is_audited_before_it_is_published(spark: SparkSession, tmp_path: Path) -> None:
    raw = suite(tmp_path, {}, check("pk", "after"))
    after = spark.range(5).unionAll(spark.range(1))
    report = sparkguard.run(raw, spark=spark, dataframes={"after": after}, options=DAY)
    assert (report.ok, report.exit_code, statuses(report)) == (False, 5, {"pk": "fail"})
    with pytest.raises(sparkguard.CheckFailureError, match="id=0"):
        report.raise_for_failure()
    repaired = sparkguard.run(raw, spark=spark, dataframes={"after": after.distinct()}, options=DAY)
    assert (repaired.ok, repaired.run_id, repaired.attempt) == (True, report.run_id, 2)


def test_a_dataset_keeps_its_time_column_when_a_frame_stands_in(spark: SparkSession, tmp_path: Path) -> None:
    frame = spark.range(10).withColumn(
        "ts", F.expr("timestamp'2026-01-01 12:00:00' + make_dt_interval(cast(id AS int))")
    )
    window = {"start": "2026-01-03", "end": "2026-01-05"}
    raw = suite(tmp_path, {"t": {"path": "unused", "time_column": "ts"}}, check("pk", "t", window=window))
    [(_, finding)] = sparkguard.run(raw, spark=spark, dataframes={"t": frame}, options=DAY).findings
    assert finding.evaluated_rows == 2


def test_bad_data_breaks_its_own_checks_only(spark: SparkSession, tmp_path: Path) -> None:
    spark.range(5).write.parquet(str(tmp_path / "corrupt"))
    for part in (tmp_path / "corrupt").glob("*.parquet"):
        part.write_bytes(part.read_bytes()[:-20] + b"garbage, not a footer")
    for part in (tmp_path / "corrupt").glob(".*.crc"):
        part.unlink()
    spark.range(5).write.format("delta").save(str(tmp_path / "good"))
    (tmp_path / "empty").mkdir()
    raw = suite(
        tmp_path,
        {
            "corrupt": {"path": str(tmp_path / "corrupt"), "format": "parquet"},
            "gone": {"path": str(tmp_path / "gone")},
            "empty": {"path": str(tmp_path / "empty"), "format": "parquet"},
            "good": {"path": str(tmp_path / "good")},
        },
        check("a", "corrupt"),
        check("b", "corrupt", nulls="equal"),
        check("c", "gone"),
        check("d", "empty"),
        check("e", "good", key=["ID"]),
        check("f", "good"),
    )
    report = sparkguard.run(raw, spark=spark, options=DAY)
    assert statuses(report) == {"a": "error", "b": "error", "c": "error", "d": "error", "e": "error", "f": "pass"}
    assert report.exit_code == 3
    found = messages(report)
    assert "a file of it cannot be read" in found["a"]
    assert "there is no such data" in found["c"]
    assert "it holds no readable file" in found["d"]
    assert found["e"] == "column 'ID' does not exist; the nearest columns are 'id'"
    assert all("\n" not in text and "\tat " not in text for text in found.values())
    rows = spark.read.format("delta").load(str(tmp_path / "results/check_results"))
    assert rows.where("status = 'error' AND remedy IS NOT NULL").count() == 5


def test_a_file_that_breaks_while_it_is_read_is_an_error(spark: SparkSession, tmp_path: Path) -> None:
    spark.range(5).write.format("delta").save(str(tmp_path / "t"))
    for part in (tmp_path / "t").glob("*.parquet"):
        part.unlink()
    report = sparkguard.run(
        suite(tmp_path, {"t": {"path": str(tmp_path / "t")}}, check("a", "t")), spark=spark, options=DAY
    )
    assert (statuses(report), report.exit_code) == ({"a": "error"}, 3)


def test_all_evidence_can_go_to_a_table_of_the_suites_own(spark: SparkSession, tmp_path: Path) -> None:
    frame = spark.range(400).select((F.col("id") % 150).alias("id"), F.lit("anna@example.org").alias("mail"))
    target = str(tmp_path / "evidence")
    raw = suite(
        tmp_path, {}, check("pk", "t", key=["id", "mail"], violation_limit=3, violations_to=target, redact=["mail"])
    )
    for _ in range(2):
        report = sparkguard.run(raw, spark=spark, dataframes={"t": frame}, options=DAY)
    rows = spark.read.format("delta").load(target)
    assert (rows.count(), rows.select("attempt").distinct().collect()[0][0]) == (150, 2)
    capped = spark.read.format("delta").load(str(tmp_path / "results/violations"))
    assert (capped.count(), capped.agg(F.max("rank")).collect()[0][0]) == (3, 3)
    ids = {r["result_id"] for r in rows.select("result_id").distinct().collect()}
    assert ids == {r["result_id"] for r in capped.select("result_id").distinct().collect()}
    everything = str(rows.collect()) + str(capped.collect()) + str(messages(report))
    assert "anna" not in everything
    assert "[redacted]" in everything


def test_the_plan_reads_metadata_only_and_names_versions_bytes_and_cost(
    spark: SparkSession, tmp_path: Path, work: Work
) -> None:
    rows = spark.range(1000).withColumn("ts", F.expr("timestamp'2026-01-01' + make_dt_interval(cast(id % 30 AS int))"))
    rows.write.format("delta").save(str(tmp_path / "t"))
    window = {"end": "${date}", "length": "7d"}
    raw = suite(
        tmp_path,
        {"t": {"path": str(tmp_path / "t"), "time_column": "ts"}},
        check("a", "t", window=window, history="all"),
        check("same", "t", window=window),
        check("later", "t", needs=["a"]),
        check("wrong", "t", key=["idd"]),
    )
    with work:
        text = "\n".join(plan(raw, DAY))
    assert "suite s for 2026-01-31: 4 of 4 checks" in text
    assert "hashes of t [2026-01-24, 2026-01-31) by (id): 1 scan of id, 1 shuffle; for a, same" in text
    assert "first round in all: 1 scan, 1 shuffle" in text
    assert "version 0" in text
    assert "bytes in the whole table" in text
    assert "stage after a passed" in text
    assert "wrong cannot ask: column 'idd' does not exist" in text
    assert not (tmp_path / "results").exists()
    assert work.rows_read < 500


def test_jobs_are_counted_for_the_run(spark: SparkSession, tmp_path: Path) -> None:
    sparkguard.run(suite(tmp_path, {}, check("pk", "t")), spark=spark, dataframes={"t": spark.range(10)}, options=DAY)
    [row] = spark.read.format("delta").load(str(tmp_path / "results/runs")).collect()
    assert 1 <= row["spark_jobs"] <= 4
    assert row["spark_version"] == spark.version
    assert row["delta_version"]


def test_stages_are_pinned_when_their_needs_have_passed(spark: SparkSession, tmp_path: Path) -> None:
    path = str(tmp_path / "t")
    spark.range(3).write.format("delta").save(path)
    raw = suite(tmp_path, {"t": {"path": path}}, check("a", "t"), check("b", "t", needs=["a"]))

    class Writing(Silent):
        def judged(self, check: Any, findings: Any) -> None:
            if check.id == "a":
                spark.range(3, 6).write.format("delta").mode("append").save(path)

    report = sparkguard.run(raw, spark=spark, options=DAY, progress=Writing())
    assert [(j.check.id, j.dataset_version, j.finding.evaluated_rows) for j in report.judged] == [
        ("a", 0, 3),
        ("b", 1, 6),
    ]


def test_a_key_of_many_columns_is_planned_in_no_time_and_the_session_is_left_as_it_was(
    spark: SparkSession, tmp_path: Path
) -> None:
    names = [f"k{i}" for i in range(20)]
    rows = spark.range(6).selectExpr(*(f"CAST(id % 3 AS DOUBLE) + {i} AS {name}" for i, name in enumerate(names)))
    checked = suite(tmp_path, {}, check("keys", "t", key=names))
    setting = "spark.sql.constraintPropagation.enabled"
    spark.conf.set(setting, "true")
    try:
        report = sparkguard.run(checked, spark=spark, dataframes={"t": rows}, options=DAY)
        assert spark.conf.get(setting) == "true"
    finally:
        spark.conf.set(setting, "false")
    assert statuses(report)["keys"] == "fail"
