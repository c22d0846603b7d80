"""Histograms and grids in Spark equal their twins, and cost one read of what is not known."""

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession

from sparkguard.core.columns import Column
from sparkguard.core.measure import Broken, Daily
from sparkguard.core.source import Dataset, Source
from sparkguard.core.window import Window
from sparkguard.engine import dense
from sparkguard.engine.reader import Reader
from sparkguard.engine.spark_engine import SparkEngine
from sparkguard.measures.grids import TEXT, Grid
from sparkguard.measures.hashes import hash_of_text
from sparkguard.measures.histograms import Histogram, Slicing
from sparkguard.measures.sampled_grids import Grids
from tests.conftest import Work
from tests.engine.test_spark_summaries import column_of

NAN, INF = math.nan, math.inf
T = Source("t")
LARGE = Decimal(12345678901234567890123456789012345678)
SPRING = datetime(2026, 3, 8, 6, 59, 59, 999_999, tzinfo=UTC)
"""A microsecond before clocks change in New York, where the tests' session is."""

COLUMNS: dict[str, tuple[str, list[Any]]] = {
    "int": ("INT", [1, 2, 2, None, -1, 2**31 - 1]),
    "bigint": ("BIGINT", [2**62, -(2**63), 2**63 - 1, 0, None, 2**53 + 1]),
    "double": ("DOUBLE", [0.0, -0.0, NAN, INF, -INF, 1.5, 0.1, None]),
    "float": ("FLOAT", [0.0, -0.0, NAN, INF, 1.5, 0.10000000149011612, None]),
    "decimal": ("DECIMAL(15,2)", [Decimal("1.10"), Decimal("-0.01"), Decimal(0), None]),
    "wide decimal": ("DECIMAL(38,0)", [LARGE, LARGE + 1, -LARGE, None]),
    "date": ("DATE", [date(1, 1, 1), date(1582, 10, 4), date(1582, 10, 15), date(2026, 3, 29), None]),
    "timestamp_ntz": ("TIMESTAMP_NTZ", [datetime(2026, 3, 29, 2, 30, 0, 1), datetime(1500, 1, 1), None]),
    "string": ("STRING", ["a", "A", "", "  ", None, "ß", "日本", "x" * 31, "x" * 32, "Straße " * 20, "a"]),
    "boolean": ("BOOLEAN", [True, False, True, None]),
    "all NULL": ("DOUBLE", [None, None]),
}


def compute(spark: SparkSession, frame: DataFrame, measures: Sequence[Any], **dataset: Any) -> dict[Any, Any]:
    engine = SparkEngine(Reader(spark, {"t": Dataset("t", **dataset)}, {"t": frame}))
    engine.pin({source for m in measures for source in m.sources})
    return dict(engine.compute(measures))


ODD = ["a.b", "with space", "back`tick", "ÄÖ", "select"]


def tables() -> dict[str, tuple[list[str], list[list[Any]]]]:
    """The columns beside each other, shorter ones filled up with NULL, and small tables of one."""
    longest = max(len(values) for _, values in COLUMNS.values())
    filled = [values + [None] * (longest - len(values)) for _, values in COLUMNS.values()]
    whole = [sql for sql, _ in COLUMNS.values()], [list(row) for row in zip(*filled, strict=True)]
    return {"every type": whole, "no rows": (["STRING", "DOUBLE"], []), "one row": (["DOUBLE"], [[4.0]])}


@pytest.mark.parametrize("table", tables())
@pytest.mark.parametrize("partitions", [1, 7])
def test_grids_and_histograms_equal_their_twins_for_every_type(
    spark: SparkSession, table: str, partitions: int
) -> None:
    types, rows = tables()[table]
    names = [f"{ODD[i % len(ODD)]} {i}" for i in range(len(types))]
    ddl = ", ".join(f"`{name.replace('`', '``')}` {sql}" for name, sql in zip(names, types, strict=True))
    frame = spark.createDataFrame(rows, ddl).repartition(partitions)
    columns = tuple(column_of(frame, name) for name in names)
    asked = Grids(T, columns, "t")
    found = compute(spark, frame, [asked])[asked]
    assert found == asked.twin({T: rows})
    measures = [Histogram(T, column, found.grids[column.name]) for column in columns]
    counted = compute(spark, frame, measures)
    for i, measure in enumerate(measures):
        assert counted[measure] == measure.twin({T: [(row[i],) for row in rows]}), measure


def test_moments_are_instants_whatever_the_clocks_do(spark: SparkSession) -> None:
    moments = [SPRING, SPRING + timedelta(microseconds=1), datetime(1500, 1, 1, tzinfo=UTC)]
    texts = ", ".join(f"(TIMESTAMP'{m.isoformat()}')" for m in moments)
    frame = spark.sql(f"SELECT * FROM VALUES {texts}, (NULL) AS t(at)")
    measure = Histogram(T, column_of(frame, "at"), Grid("timestamp", (0.0, SPRING.timestamp() * 1e6 + 0.5)))
    assert compute(spark, frame, [measure])[measure].cells().tolist() == [1, 0, 1, 1, 1]
    assert compute(spark, frame, [measure])[measure] == measure.twin({T: [(m,) for m in (*moments, None)]})


def test_slices_are_counted_apart_and_add_up(spark: SparkSession) -> None:
    frame = spark.range(3_000).selectExpr(
        "IF(id % 11 = 0, NULL, CAST(id % 40 AS DOUBLE)) AS x",
        "IF(id % 7 = 0, NULL, concat('g', id % 5)) AS `slice`",
        "CAST(id % 3 AS INT) AS fold",
    )
    rows = [tuple(row) for row in frame.collect()]
    x, group, fold = (column_of(frame, name) for name in frame.columns)
    grid = Grid("number", tuple(i + 0.5 for i in range(39)))
    by_text = Slicing(group, tuple(hash_of_text(f"g{i}") for i in (4, 0, 2)))
    by_fold = Slicing(fold, tuple(hash_of_text(str(i)) for i in range(3)))
    text = Grid(TEXT, hashes=by_text.hashes, buckets=4)
    measures = [
        Histogram(T, x, grid),
        Histogram(T, x, grid, by_text),
        Histogram(T, x, grid, by_fold),
        Histogram(T, group, text, by_fold),
        Histogram(T, group, text, by_text),
    ]
    found = compute(spark, frame.repartition(5), measures)
    at = dict(zip((x, group, fold), zip(*rows, strict=True), strict=True))
    for measure in measures:
        table = list(zip(*(at[c] for c in measure.columns), strict=True))
        assert found[measure] == measure.twin({T: table}), measure
    apart = found[measures[1]].cells(4 * grid.cells).reshape(4, grid.cells)
    assert apart.sum(axis=0).tolist() == found[measures[0]].cells(grid.cells).tolist()
    assert apart.sum(axis=1).tolist()[0] > 0


@pytest.mark.parametrize("kind", ["DATE", "TIMESTAMP", "TIMESTAMP_NTZ"])
def test_daily_is_the_summary_of_each_day(spark: SparkSession, kind: str) -> None:
    frame = spark.range(2_000).selectExpr(
        # Over the change of clocks in New York, with days that have no row, and rows without a time.
        f"IF(id % 50 = 0, NULL, CAST(TIMESTAMP'2026-03-01' + make_interval(0,0,0, CAST(pmod(id * 7, 13) AS INT), "
        f"CAST(id % 24 AS INT)) AS {kind})) AS at",
        "id % 9 AS x",
    )
    window = Window(datetime(2026, 3, 1), datetime(2026, 3, 17), "America/New_York")
    source = Source("t", window)
    measure = Histogram(source, column_of(frame, "x"), Grid("integer", (0.5, 1.5, 5.0)))
    daily = Daily(measure)
    parts = daily.parts() or {}
    found = compute(spark, frame.repartition(3), [daily, measure, *parts.values()], time_column="at")
    assert found[daily].days == tuple(parts)
    assert [state.rows for state in found[daily].states][:3] == [150, 151, 151]
    assert found[daily].states == tuple(found[part] for part in parts.values())
    assert found[measure].rows == sum(state.rows for state in found[daily].states) == 1_960
    assert found[daily].states[-1] == measure.STATE.zero()


def test_daily_needs_whole_days(spark: SparkSession) -> None:
    frame = spark.range(3).selectExpr("TIMESTAMP'2026-01-01' AS at", "id AS x")
    for window in (None, Window(datetime(2026, 1, 1, 6), datetime(2026, 1, 3))):
        measure = Daily(Histogram(Source("t", window), column_of(frame, "x"), Grid("integer")))
        answer = compute(spark, frame, [measure], time_column="at")[measure]
        assert isinstance(answer, Broken)
        assert "whole days" in answer.reason


def test_one_job_reads_once_and_sends_a_row_for_each_day(spark: SparkSession, work: Work, tmp_path: Path) -> None:
    rows = spark.range(20_000).selectExpr(
        "DATE'2026-01-01' + CAST(id % 20 AS INT) AS d", *(f"CAST(id % {i + 3} AS DOUBLE) AS x{i}" for i in range(12))
    )
    rows.repartition(4).write.format("parquet").save(str(tmp_path / "t"))
    source = Source("t", Window(datetime(2026, 1, 1), datetime(2026, 1, 21)))
    dataset = Dataset("t", path=str(tmp_path / "t"), format="parquet", time_column="d")
    engine = SparkEngine(Reader(spark, {"t": dataset}))
    engine.pin([source])
    grid = Grid("number", tuple(i + 0.5 for i in range(20)))
    measures = [Daily(Histogram(source, Column(f"x{i}", (f"x{i}",), "double"), grid)) for i in range(12)]
    with work:
        found: dict[Any, Any] = dict(engine.compute(measures))
    assert work.rows_read == 20_000
    assert work.shuffled_rows <= 4 * 20
    assert work.jobs <= 2, "the shuffle and what reads it"
    assert all(sum(s.rows for s in found[m].states) == 20_000 for m in measures)


def test_many_columns_and_blocks_are_cut_into_reads_and_parts(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = spark.range(300).selectExpr(
        "DATE'2026-01-01' + CAST(id % 3 AS INT) AS d", *(f"id % {i + 2} AS x{i}" for i in range(9))
    )
    source = Source("t", Window(datetime(2026, 1, 1), datetime(2026, 1, 4)))
    measures = [Daily(Histogram(source, column_of(frame, f"x{i}"), Grid("integer", (0.5, 2.5)))) for i in range(9)]
    whole = compute(spark, frame, measures, time_column="d")
    for name, limit in (("MOST_CELLS", 40), ("MOST_COLUMNS", 4), ("PART_CELLS", 12)):
        with monkeypatch.context() as limits:
            limits.setattr(dense, name, limit)
            assert compute(spark, frame, measures, time_column="d") == whole


def test_a_package_that_is_missing_is_named_with_its_remedy(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: object) -> Any:
        message = "No module named 'pyarrow'"
        raise ModuleNotFoundError(message)

    frame = spark.range(3).selectExpr("id")
    monkeypatch.setattr(type(frame), "mapInArrow", missing)
    measures = [Histogram(T, column_of(frame, "id"), Grid("integer", (float(i),))) for i in range(2)]
    for answer in compute(spark, frame, measures).values():
        assert "sparkguard[drift]" in str(answer.remedy)


def test_grids_come_from_a_bounded_sample(spark: SparkSession, monkeypatch: pytest.MonkeyPatch, work: Work) -> None:
    monkeypatch.setattr("sparkguard.measures.sampled_grids.MOST_ROWS", 2_000)
    frame = spark.range(60_000).selectExpr("randn(1) AS x", "concat('v', CAST(pow(rand(2), 3) * 200 AS INT)) AS s")
    asked = Grids(T, tuple(column_of(frame, name) for name in ("x", "s")), "t")
    with work:
        found = compute(spark, frame, [asked])[asked]
    assert work.jobs <= 4, "a count, and the sample"
    assert 1_500 <= work.shuffled_rows - work.shuffled_rows // 1_500 <= 2_500
    shares = [math.erf(edge / math.sqrt(2)) / 2 + 0.5 for edge in found.grids["x"].edges]
    inner = [share for share in shares if 0.01 < share < 0.99]
    assert np.diff(inner).max() < 0.07
    assert found.grids["s"].names[0] == "v0"
    assert len(found.grids["s"].names) == 48
