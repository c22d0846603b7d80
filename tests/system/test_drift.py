"""The check of drift gives on Spark what its twins give in plain Python, and a night reads only its window."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

import sparkguard
from sparkguard.checks.distribution_drift import DistributionDrift
from sparkguard.core.check import Run
from sparkguard.core.finding import Finding
from sparkguard.core.source import Dataset
from sparkguard.engine.gather import Rounds
from sparkguard.engine.reader import Reader
from sparkguard.engine.spark_engine import SparkEngine
from sparkguard.measures import sampled_grids
from sparkguard.shapes import joint
from sparkguard.testing import judge
from tests.checks.test_distribution_drift import DAYS, FIRST, TABLE, Row, changed, check
from tests.conftest import Work
from tests.shapes.test_joint import BROKEN, HEALTHY
from tests.shapes.test_joint import check as together_of

RUN = Run(datetime(2026, 3, 26).date(), datetime(2026, 3, 26, tzinfo=UTC))
SQL = "ts timestamp, amount double, kind string, flag boolean, user bigint"
LAST = FIRST + timedelta(days=DAYS - 2)


SUITE = """
suite: nights
results: {folder}/results
datasets: {{t: {{path: {folder}/t, time_column: ts}}}}
checks:
  - id: like
    type: distribution_drift
    dataset: t
    window: {{end: "${{date}}", length: 2d}}
    reference_window: {{start: 2026-01-05, end: 2026-03-22}}
"""


@pytest.fixture(autouse=True)
def whole_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Grids of all rows, as the twin has them."""
    monkeypatch.setattr(sampled_grids, "MOST_ROWS", 10 * len(TABLE))
    monkeypatch.setattr(sampled_grids, "MOST_VALUES", 100 * len(TABLE))


def with_users(table: list[Row]) -> list[Row]:
    return [{**row, "user": i % 600} for i, row in enumerate(table)]


def frame(spark: SparkSession, table: list[Row]) -> DataFrame:
    return spark.createDataFrame([tuple(row[name] for name in table[0]) for row in table], SQL)


def on_spark(spark: SparkSession, wanted: DistributionDrift, frames: Mapping[str, DataFrame]) -> tuple[Finding, ...]:
    datasets = {name: Dataset(name, time_column="ts") for name in frames}
    [gathered] = Rounds(SparkEngine(Reader(spark, datasets, frames))).gather([wanted], {}, RUN.now)
    assert gathered.error is None
    return gathered.check.judge(gathered.seen, RUN)


def same(one: tuple[Finding, ...], other: tuple[Finding, ...]) -> None:
    assert [f.message for f in one] == [f.message for f in other]
    assert [f.status for f in one] == [f.status for f in other]
    for mine, theirs in zip(one, other, strict=True):
        assert {n: q.value for n, q in mine.quantities.items()} == pytest.approx(
            {n: q.value for n, q in theirs.quantities.items()}, nan_ok=True
        )


def test_stretches_and_slices_are_those_of_the_twin(spark: SparkSession) -> None:
    table = with_users(changed(lambda row: {**row, "amount": 400.0 if row["kind"] == "b" else row["amount"]}))
    wanted = check(slices=["kind"], columns=["amount", "flag"])
    expected = judge(wanted, {"t": table}, time_columns={"t": "ts"}, run=RUN)
    same(on_spark(spark, wanted, {"t": frame(spark, table).repartition(5)}), expected)


@pytest.mark.parametrize("fields", [{"cluster": "user"}, {"rows_independent": True}])
def test_tables_without_time_are_those_of_the_twin(spark: SparkSession, fields: dict[str, Any]) -> None:
    table = with_users(TABLE)
    tables = {"t": [r for r in table if r["ts"] >= LAST], "past": [r for r in table if r["ts"] < LAST]}
    known: dict[str, Any] = {"id": "drift", "dataset": "t", "reference": "past", "columns": {"like": "[akf]*"}}
    wanted = DistributionDrift.model_validate({**known, **fields})
    frames = {name: frame(spark, rows) for name, rows in tables.items()}
    same(on_spark(spark, wanted, frames), judge(wanted, tables, run=RUN))


def test_columns_that_no_longer_go_together_are_found_in_a_cut_sample(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joint, "SAMPLE", 8_000)
    monkeypatch.setattr(joint, "WINDOW_SAMPLE", 300)
    wanted = together_of()
    for table, drifted in ((HEALTHY, 0), (BROKEN, 1)):
        rows = [tuple(row[name] for name in ("ts", "a", "b", "c")) for row in table]
        frame = spark.createDataFrame(rows, "ts timestamp, a double, b double, c double")
        one, other = (on_spark(spark, wanted, {"t": frame.repartition(n)})[-1] for n in (1, 5))
        assert one.message == other.message
        assert one.quantities["joint_drift"].value == drifted
        assert [v.key for v in one.violations][:1] == [{"column": "a", "with": "b"}] * drifted


def test_the_second_night_reads_the_new_day_alone(spark: SparkSession, tmp_path: Path) -> None:
    rows = frame(spark, with_users(TABLE))
    nights = [FIRST, *(FIRST + timedelta(days=day) for day in range(DAYS - 4, DAYS + 1))]
    for since, until in pairwise(nights):
        night = rows.where(f"ts >= '{since.isoformat()}' AND ts < '{until.isoformat()}'")
        night.coalesce(1).write.format("delta").mode("append").save(str(tmp_path / "t"))
    suite = tmp_path / "nights.yaml"
    suite.write_text(SUITE.format(folder=tmp_path), encoding="utf-8")
    read = []
    for night_of in (date(2026, 3, 25), date(2026, 3, 26), date(2026, 3, 26)):
        work = Work(spark)
        with work:
            report = sparkguard.run(suite, spark=spark, options=sparkguard.Options(date=night_of))
        assert report.ok, report.findings
        read.append(work.rows_read)
    assert read[0] > len(TABLE)
    assert read[1] < read[0] / 3
    assert read[2] < read[1]
