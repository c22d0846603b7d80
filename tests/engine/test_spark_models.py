"""Spark counts the models that the oracle counts, and reads cards from wherever it can read."""

import itertools
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

import sparkguard
from sparkguard import Options
from sparkguard.checks.model_freshness import ModelFreshness
from sparkguard.core.check import Run
from sparkguard.core.columns import Column
from sparkguard.core.finding import Finding, Status
from sparkguard.core.instant import moment_of
from sparkguard.core.source import Dataset, Source
from sparkguard.engine.files import LARGEST
from sparkguard.engine.gather import Rounds
from sparkguard.engine.reader import Reader
from sparkguard.engine.spark_engine import SparkEngine
from sparkguard.errors import DataError
from sparkguard.measures.models import ModelVersions, VersionsAnswer, written_version
from tests.conftest import Work

NAN = float("nan")
DAY = {"start": "2013-11-03", "end": "2013-11-04"}
TIMED = Dataset("t", time_column="ts")

VERSIONS: dict[str, tuple[str, Sequence[object], str]] = {
    "string": ("STRING", ["7", " 7 ", "6", "7.0", "", None, "ß", "v`8"], "7"),
    "int": ("INT", [7, 7, 6, -1, None], "7.0"),
    "double": ("DOUBLE", [7.0, 7.5, -0.0, 0.0, 1e9, NAN, NAN, None], "7.50"),
    "decimal": ("DECIMAL(10,2)", [Decimal("7.00"), Decimal("7.10"), Decimal("100.00"), Decimal("0.00"), None], "7.1"),
    "whole": ("DECIMAL(10,0)", [Decimal(100), Decimal(7), None], "100"),
    "date": ("DATE", [date(2013, 7, 4), date(1500, 1, 1), None], "2013-07-04"),
}
TIMES: dict[str, tuple[str, Sequence[Any]]] = {
    "timestamp": ("TIMESTAMP", [datetime(2013, 11, 3, 5, 30), datetime(1500, 1, 1), datetime(9999, 12, 31), None]),
    "timestamp_ntz": ("TIMESTAMP_NTZ", [datetime(2013, 3, 10, 2, 30), datetime(1500, 1, 1), None]),
    "date": ("DATE", [date(2013, 3, 10), date(1500, 1, 1), date(9999, 12, 31), None]),
}


def engine_of(spark: SparkSession, **frames: DataFrame) -> SparkEngine:
    return SparkEngine(Reader(spark, dict.fromkeys(frames, TIMED), frames))


def answer(engine: SparkEngine, measure: ModelVersions) -> VersionsAnswer:
    engine.pin([measure.source])
    [(_, found)] = engine.compute([measure])
    assert isinstance(found, VersionsAnswer), found
    return found


def columns(table: Mapping[str, Sequence[object]]) -> list[tuple[object, ...]]:
    """Rows of columns that are not equally long, filled up with NULL."""
    return list(itertools.zip_longest(*table.values()))


def test_versions_of_every_type_are_counted_as_the_oracle_does(spark: SparkSession) -> None:
    table = {name: [*values, *values[:3]] for name, (_, values, _) in VERSIONS.items()}
    rows = columns({**table, "at": [date(2013, 1, 1 + n) for n in range(7)]})
    schema = ", ".join([*(f"{name} {sql}" for name, (sql, _, _) in VERSIONS.items()), "at DATE"])
    frame = spark.createDataFrame(rows, schema).repartition(3)
    engine = engine_of(spark, t=frame)
    for n, (name, (_, _, expected)) in enumerate(VERSIONS.items()):
        kind = frame.schema[n].dataType.simpleString()
        wanted = written_version(expected, kind)
        measure = ModelVersions(Source("t"), column(name, kind), column("at", "date"), wanted, 3)
        found = answer(engine, measure)
        assert found == measure.twin({measure.source: [(row[n], row[-1]) for row in rows]}), name
        assert found.expected_rows > 0, name


def test_times_of_training_are_counted_as_the_oracle_does(spark: SparkSession) -> None:
    rows = columns({name: values for name, (_, values) in TIMES.items()})
    frame = spark.createDataFrame(rows, ", ".join(f"{name} {sql}" for name, (sql, _) in TIMES.items()))
    # Python's naive times went in by the zone of the process; whatever they became is what must be counted.
    frame = frame.withColumn("micros", F.unix_micros("timestamp"))
    micros = [row["micros"] for row in frame.collect()]
    aware = [None if m is None else moment_of(m) for m in micros]
    engine = engine_of(spark, t=frame)
    for n, kind in enumerate(TIMES):
        measure = ModelVersions(Source("t"), None, column(kind, kind), None, 3)
        values = [(aware[i] if kind == "timestamp" else row[n],) for i, row in enumerate(rows)]
        assert answer(engine, measure) == measure.twin({measure.source: values}), kind


def column(name: str, kind: str) -> Column:
    return Column(name, (name,), kind, nullable=True)


def scored(spark: SparkSession, place: Path) -> str:
    """A Delta table with the predictions of two models on one day, and of one on the next."""
    spark.sql(
        "SELECT named_struct('version.no', IF(id < 5, 6, 7)) AS `künstler's.model`, "
        "timestamp_micros((1383436800 + IF(id < 40, 0, 86400) + id) * 1000000L) AS ts, "
        "IF(id < 5, TIMESTAMP_NTZ'2013-07-04 09:00:00', TIMESTAMP_NTZ'2013-10-20 09:00:00') AS `trained.at` "
        "FROM range(60)"
    ).write.format("delta").save(str(place))
    return str(place)


def test_a_suite_finds_two_models_and_an_old_one_in_a_delta_table_and_passes_the_next_day(
    spark: SparkSession, tmp_path: Path
) -> None:
    card = tmp_path / "größe #1" / "card.json"
    card.parent.mkdir()
    card.write_text(json.dumps({"model": {"version": 7}, "training.end": "2013-10-27", "data": 41, "no": None}))
    check: dict[str, Any] = {
        "type": "model_freshness", "dataset": "scored", "version_column": "`künstler's.model`.`version.no`",
        "trained_at_column": "trained.at", "gap": "7d", "data_version": 41, "card": str(card),
        "keys": {"version": "model.version", "training_end": "training.end", "data_version": "data"},
    }  # fmt: skip
    alone = {"id": "card", "type": "model_freshness", "card": str(card), "keys": {"trained_at": "training.end"}}
    suite = {
        "suite": "s",
        "results": str(tmp_path / "results"),
        "timezone": "Europe/Berlin",
        "datasets": {"scored": {"path": scored(spark, tmp_path / "t"), "time_column": "ts"}},
        "checks": [
            {**check, "id": "mixed", "window": {"start": "2013-11-03T01:00", "end": "2013-11-04T01:00"}},
            {**check, "id": "healthy", "window": {"start": "2013-11-04T01:00", "end": "2013-11-05T01:00"}},
            {**alone, "keys": {**alone["keys"], "version": "model.version"}},  # type: ignore[dict-item]
        ],
    }
    report = sparkguard.run(suite, spark=spark, options=Options(date=date(2013, 11, 5)))
    by_id = {one.check.id: one.finding for one in report.judged}
    mixed, healthy, card_only = (by_id[name] for name in ("mixed", "healthy", "card"))
    assert mixed.status is Status.FAIL
    assert "2 models in [2013-11-03 01:00:00, 2013-11-04 01:00:00): 7 (35 rows), 6 (5 rows); the card says 7" in (
        mixed.message
    )
    assert "model 6 was trained 2013-07-04 09:00 Europe/Berlin, 124.7 days before 2013-11-06 00:00" in mixed.message
    assert (mixed.violation_rows, mixed.evaluated_rows) == (5, 40)
    assert (healthy.status, healthy.evaluated_rows) == (Status.PASS, 20)
    assert healthy.quantities["training_gap_days"].value == pytest.approx(1 + 2 / 24)
    assert (card_only.status, card_only.evaluated_rows) == (Status.PASS, None)
    rows = spark.read.format("delta").load(str(tmp_path / "results/check_results"))
    assert {r["check_id"]: r["dataset"] for r in rows.collect()} == {
        "mixed": "scored",
        "healthy": "scored",
        "card": None,
    }
    violations = spark.read.format("delta").load(str(tmp_path / "results/violations")).collect()
    assert [(v["kind"], list(v["key"].values()), v["count"]) for v in violations] == [("other_version", ["6"], 5)]


def test_one_scan_and_one_small_shuffle_whatever_the_number_of_rows(
    spark: SparkSession, work: Work, tmp_path: Path
) -> None:
    place = str(tmp_path / "t")
    spark.range(20_000).selectExpr("CAST(id % 3 AS INT) AS v").repartition(4).write.parquet(place)
    frame = spark.read.parquet(place)
    measure = ModelVersions(Source("t"), column("v", "int"), None, "1", 10)
    engine = engine_of(spark, t=frame)
    engine.pin([measure.source])
    with work:
        found = answer(engine, measure)
    assert (found.rows, found.versions, [one.version for one in found.top]) == (20_000, 3, ["0", "1", "2"])
    assert work.rows_read == 20_000
    assert work.shuffled_rows <= 40


def test_a_column_of_unique_values_brings_few_of_them_to_the_driver(spark: SparkSession, work: Work) -> None:
    frame = spark.range(50_000).selectExpr("uuid() AS v")
    measure = ModelVersions(Source("t"), column("v", "string"), None, None, 10)
    engine = engine_of(spark, t=frame)
    with work:
        found = answer(engine, measure)
    assert (found.versions, len(found.top)) == (50_000, 10)
    assert work.result_bytes < 100_000


def judged(spark: SparkSession, card: str) -> Finding:
    check = ModelFreshness.model_validate({"id": "m", "card": card})
    [gathered] = Rounds(engine_of(spark)).gather([check])
    if gathered.error:
        raise gathered.error
    [finding] = check.judge(gathered.seen, Run(date(2013, 11, 4), datetime(2013, 11, 4, tzinfo=UTC)))
    return finding


def test_a_card_is_found_by_a_path_or_a_uri(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = tmp_path / "a card.yaml"
    card.write_text("version: 7\ntrained_at: 2013-10-20\n")
    monkeypatch.chdir(tmp_path)
    for place in (str(card), "a card.yaml", f"file:{card}"):
        assert "model 7 was trained 2013-10-20, " in judged(spark, place).message


def test_a_card_that_cannot_be_read_says_which_and_why(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for name in ("a.json", "b.json"):
        (tmp_path / "folder" / name).write_text("{}")
    (tmp_path / "huge.json").write_bytes(b" " * (LARGEST + 1))
    (tmp_path / "_hidden.json").write_text("{}")
    (tmp_path / "list.json").write_text("[1]")
    reasons = {
        "none.json": "there is no such file",
        "huge.json": "the file has 1,048,577 bytes, more than 1,048,576",
        "folder": "this is a folder or a pattern of several files",
        "_hidden.json": "there is no file; Spark leaves out names that begin",
        "list.json": "it is a list or a single value",
    }
    for name, reason in reasons.items():
        with pytest.raises(DataError) as error:
            judged(spark, str(tmp_path / name))
        assert str(error.value).startswith(f"model card {tmp_path / name}: {reason}")
        assert error.value.remedy
    with pytest.raises(DataError, match=r"model card nowhere://x/card[.]json: "):
        judged(spark, "nowhere://x/card.json")
