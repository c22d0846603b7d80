"""Histograms by label and group in Spark equal their twins, and cost one read."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

import sparkguard
from sparkguard.checks.label_leakage import LabelLeakage
from sparkguard.measures.conditions import LaterThan
from sparkguard.measures.grids import TEXT, Grid
from sparkguard.measures.labelled import Apart, LabelledHistogram
from sparkguard.measures.tallies import Count
from sparkguard.testing import judge
from tests.conftest import Work
from tests.engine.test_spark_histograms import T, compute
from tests.engine.test_spark_summaries import column_of

START = datetime(2026, 1, 1)
ROWS = [
    [
        None if i % 7 == 0 else i % 5 * 0.5,
        f"v{i % 3}" if i % 11 else None,
        bool(i % 2) if i % 13 else None,
        f"user{i % 20}" if i % 17 else None,
        START + timedelta(hours=i),
        START + timedelta(hours=i + (i % 4 == 0)) if i % 5 else None,
        [i] if i % 2 else None,
    ]
    for i in range(300)
]
DDL = "`x.y` DOUBLE, `s p` STRING, label BOOLEAN, user STRING, ts TIMESTAMP_NTZ, known TIMESTAMP_NTZ, a ARRAY<INT>"
LABEL = Grid(TEXT, (), (), (), 4)


@pytest.mark.parametrize("partitions", [1, 7])
def test_they_equal_their_twins(spark: SparkSession, partitions: int, work: Work) -> None:
    frame = spark.createDataFrame(ROWS, DDL).repartition(partitions)
    c = {name: column_of(frame, name) for name in frame.columns}
    middle = 1_767_225_600_000_000.0 + 150 * 3_600_000_000
    groups = [Apart((c["user"],), 8), Apart((c["ts"],), bins=Grid("timestamp_ntz", (middle,)))]
    grids = [(c["x.y"], Grid("number", (0.5, 1.5))), (c["s p"], Grid(TEXT, buckets=5)), (c["a"], Grid("number"))]
    asked = [LabelledHistogram(T, column, grid, c["label"], LABEL, apart) for column, grid in grids for apart in groups]
    with work:
        found = compute(spark, frame, asked)
    rows = {name: [row[i] for row in ROWS] for i, name in enumerate(frame.columns)}
    for measure in asked:
        table = list(zip(*(rows[column.name] for column in measure.columns), strict=True))
        assert found[measure] == measure.twin({T: table}), measure
    assert work.jobs <= 3


def test_a_row_that_belongs_to_nothing_is_in_some_group(spark: SparkSession) -> None:
    frame = spark.createDataFrame(ROWS, DDL)
    c = {name: column_of(frame, name) for name in frame.columns}
    apart = Apart((c["label"], c["x.y"], c["a"]), 8)
    asked = LabelledHistogram(T, c["x.y"], Grid("number", (0.5, 1.5)), c["label"], LABEL, apart)
    table = [[row[0], row[2], row[6]] for row in ROWS]
    answers = (compute(spark, frame, [asked])[asked], asked.twin({T: table}))
    found, twin = (answer.cells(asked.cells).reshape(asked.shape) for answer in answers)
    assert (found.sum(axis=0) == twin.sum(axis=0)).all()
    assert (found.sum(axis=(1, 2)) > 0).sum() >= 5


def test_values_later_than_their_row_are_counted(spark: SparkSession) -> None:
    frame = spark.createDataFrame(ROWS, DDL)
    c = {name: column_of(frame, name) for name in frame.columns}
    asked = Count(T, LaterThan(c["x.y"], c["known"], c["ts"]))
    assert compute(spark, frame, [asked])[asked] == asked.twin({T: [[row[0], row[5], row[4]] for row in ROWS]})


def test_the_check_finds_in_spark_what_its_twin_finds(spark: SparkSession, tmp_path: Path) -> None:
    kinds = [(i % 3 == 0, i * 7 % 11, 30 if i % 3 == 0 else 0, f"v{i % 4}") for i in range(600)]
    table = [dict(zip(("label", "x", "refund", "s"), kind, strict=True)) for kind in kinds]
    check = {"id": "c", "type": "label_leakage", "dataset": "t", "label": "label"}
    suite = {"suite": "s", "results": str(tmp_path), "datasets": {"t": {"path": "nowhere"}}, "checks": [check]}
    frame = spark.createDataFrame(kinds, "label BOOLEAN, x BIGINT, refund BIGINT, s STRING")
    report = sparkguard.run(suite, spark=spark, dataframes={"t": frame})
    twin = judge(LabelLeakage(id="c", dataset="t", label="label"), {"t": table})
    shown = {f.subject: f.status.value for f in twin}
    assert {f.subject: f.status.value for _, f in report.findings} == shown
    assert shown == {"x": "pass", "refund": "fail", "s": "pass", ":all": "fail"}
