"""Spark's summaries equal their twins, share one read, and survive one another's faults."""

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from sparkguard.core import batches
from sparkguard.core.columns import Column
from sparkguard.core.measure import Broken, State, Summary
from sparkguard.core.source import Dataset, Source
from sparkguard.core.values import Value
from sparkguard.core.window import Window
from sparkguard.engine.reader import Reader
from sparkguard.engine.spark_engine import SparkEngine
from sparkguard.measures.conditions import (
    Infinite,
    Missing,
    NotANumber,
    NotFinite,
    NotIn,
    NotMatching,
    Outside,
    Present,
    Untrue,
    WrongLength,
)
from sparkguard.measures.profile import Extremes, Moments
from sparkguard.measures.sketches import Distinct, DistinctKeys, FrequentValues, Quantiles
from sparkguard.measures.tallies import Count, Examples, RowCount, examples
from tests.conftest import Work

NAN, INF = math.nan, math.inf
T = Source("t")
ODD = ["a.b", "with space", "back`tick", "ÄÖ", "select"]

COLUMNS: dict[str, tuple[str, list[Any]]] = {
    "int": ("INT", [1, 2, 2, None, -1]),
    "bigint": ("BIGINT", [2**62, -(2**63), 2**63 - 1, 0, None]),
    "double": ("DOUBLE", [0.0, -0.0, NAN, INF, -INF, 1.5, 0.1, None]),
    "float": ("FLOAT", [0.0, -0.0, NAN, INF, 1.5, 0.10000000149011612, None]),
    "decimal": ("DECIMAL(15,2)", [Decimal("1.10"), Decimal("-0.01"), Decimal(0), None]),
    "string": ("STRING", ["a", "A", "", "  ", None, "ß", "日本", "N1", "line\nbreak"]),
    "boolean": ("BOOLEAN", [True, False, True, None]),
    "date": ("DATE", [date(1, 1, 1), date(1582, 10, 4), date(2026, 3, 29), None]),
    "timestamp_ntz": ("TIMESTAMP_NTZ", [datetime(2026, 3, 29, 2, 30, 0, 1), datetime(1500, 1, 1), None]),
    "array": ("ARRAY<DOUBLE>", [[1.0, NAN], [], [1.0, 2.0], [None], [INF], None]),
    "all NULL": ("DOUBLE", [None, None]),
    "empty": ("DOUBLE", []),
}


def answers(
    spark: SparkSession, frame: DataFrame, measures: Sequence[Summary[State]], time: str | None = None
) -> dict[Any, Any]:
    engine = SparkEngine(Reader(spark, {"t": Dataset("t", time_column=time)}, {"t": frame}))
    engine.pin([T])
    return dict(engine.compute(measures))


def column_of(frame: DataFrame, name: str) -> Column:
    field = frame.schema[name]
    return Column(name, (name,), field.dataType.simpleString(), field.nullable)


def exact_measures(column: Column) -> list[Summary[State]]:
    kind = column.type
    found: list[Summary[State]] = [RowCount(T), Count(T, Missing(column)), Count(T, Missing(column, blank=True))]
    found.append(Count(T, Present(column)))
    if kind in ("double", "float", "array<double>"):
        found += [Count(T, condition(column)) for condition in (NotANumber, Infinite, NotFinite)]
    if kind == "array<double>":
        found += [Extremes(T, column, lengths=True), Count(T, WrongLength(column, 1, 2))]
        return [*found, Count(T, WrongLength(column, 3)), Count(T, WrongLength(column))]
    if kind == "string":
        found += [Count(T, NotMatching(column, p)) for p in ("[a-z]*", "N[0-9]", "line.break", "(?s)line.break|.")]
    if kind not in ("string", "boolean"):
        found.append(Extremes(T, column))
        bounds = {"date": ("1582-10-05", "2026-01-01"), "timestamp_ntz": ("1600-01-01", "2026-03-29T02:30:00")}
        low, high = (Value(b).typed(column) for b in bounds.get(kind, (0, 0.1)))
        found += [Count(T, Outside(column, *pair)) for pair in ((low, high), (low, None), (None, high))]
    if kind not in ("double", "float"):
        allowed: dict[str, tuple[Any, ...]] = {"string": ("a", "ß", ""), "boolean": (True,), "date": ("0001-01-01",)}
        raw = allowed.get(kind, ("1500-01-01",) if kind == "timestamp_ntz" else (1, 1.1, 2**62))
        found.append(Count(T, NotIn(column, tuple(Value(v).typed(column) for v in raw))))
    return found


@pytest.mark.parametrize("kind", COLUMNS)
def test_exact_summaries_equal_their_twins_for_every_type(spark: SparkSession, kind: str) -> None:
    sql, values = COLUMNS[kind]
    for name, partitions in zip(ODD, (1, 7, 2, 1, 3), strict=True):
        frame = spark.createDataFrame([(v,) for v in values], f"`{name.replace('`', '``')}` {sql}")
        column = column_of(frame, name)
        measures = exact_measures(column)
        found = answers(spark, frame.repartition(partitions), measures)
        for measure in measures:
            rows = [(v,) if measure.columns else () for v in values]
            assert found[measure] == measure.twin({T: rows}), (measure, name)
        if kind not in ("int", "double"):
            break


def test_moments_equal_their_twin_and_leave_out_what_is_not_finite(spark: SparkSession) -> None:
    columns: dict[str, list[Any]] = {
        "d": [1e9, 1e9 + 1, None, NAN, INF, 1e9 + 2],
        "n": [Decimal("1.50"), None, Decimal("-7.25")] * 2,
    }
    rows = list(zip(*columns.values(), strict=True))
    frame = spark.createDataFrame(rows, "d DOUBLE, n DECIMAL(12,2)").repartition(3)
    for name, values in columns.items():
        measure = Moments(T, column_of(frame, name))
        found, twin = answers(spark, frame, [measure])[measure], measure.twin({T: [(v,) for v in values]})
        assert found.n == twin.n
        assert found.mean == pytest.approx(twin.mean, rel=1e-12)
        assert found.deviation == pytest.approx(twin.deviation, rel=1e-9)


def test_combinations_are_counted_without_those_that_have_a_null(spark: SparkSession) -> None:
    frame = spark.range(20_000).selectExpr(
        "id % 500 AS `a.b`", "IF(id % 10 = 0, NULL, CAST(id DIV 500 AS STRING)) AS s", "-0.0D * (id % 2) AS zero"
    )
    columns = tuple(column_of(frame, name) for name in frame.columns)
    pair, triple = DistinctKeys(T, columns[:2]), DistinctKeys(T, columns)
    found = answers(spark, frame.repartition(5), [pair, triple])
    for measure in (pair, triple):
        assert found[measure].estimate()[0] == pytest.approx(18_000, rel=0.01)
        twin = measure.twin({T: [tuple(row)[: len(measure.key)] for row in frame.limit(2_000).collect()]})
        assert twin.estimate()[0] == pytest.approx(1_800, rel=0.01)


def test_sketches_hold_what_they_promise(spark: SparkSession) -> None:
    frame = spark.range(20_000).selectExpr(
        "id AS k", "IF(id % 100 = 0, NULL, id / 7.0D) AS x", "IF(id % 3 = 0, 'often', CAST(id AS STRING)) AS s"
    )
    k, x, s = (column_of(frame, name) for name in ("k", "x", "s"))
    found = answers(
        spark, frame.repartition(5), [Quantiles(T, x), Distinct(T, k), FrequentValues(T, s), FrequentValues(T, x)]
    )
    truth = [i / 7 for i in range(20_000) if i % 100]
    for rank in (0.0, 0.01, 0.5, 0.99, 1.0):
        ranked = sum(v <= found[Quantiles(T, x)].quantile(rank) for v in truth) / len(truth)
        assert ranked == pytest.approx(rank, abs=0.015)
    distinct, margin = found[Distinct(T, k)].estimate()
    assert abs(distinct - 20_000) <= 2 * margin
    top = found[FrequentValues(T, s)].items[0]
    assert top.low <= 6_667 <= top.high <= 6_667 + 100
    assert all(item.low <= 1 <= item.high for item in found[FrequentValues(T, x)].items[:3])


@pytest.mark.parametrize("rows", [[], [(None, None, None)]], ids=["no rows", "all NULL"])
def test_sketches_of_no_values_are_empty(spark: SparkSession, rows: list[Any]) -> None:
    frame = spark.createDataFrame(rows, "x DOUBLE, s STRING, v ARRAY<INT>")
    columns = [column_of(frame, n) for n in ("x", "s", "v")]
    measures = [Quantiles(T, columns[0]), *(m(T, c) for c in columns for m in (Distinct, FrequentValues))]
    found = answers(spark, frame, measures)
    assert found[Quantiles(T, columns[0])].quantile(0.5) is None
    for column in columns:
        assert found[Distinct(T, column)].estimate()[0] == 0
        assert (found[FrequentValues(T, column)].n, found[FrequentValues(T, column)].items) == (0, ())


def test_few_frequent_values_are_counted_exactly(spark: SparkSession) -> None:
    frame = spark.createDataFrame([("a",)] * 5 + [("b",)] * 3 + [(None,)], "s STRING").repartition(3)
    found = answers(spark, frame, [FrequentValues(T, column_of(frame, "s"))])
    [state] = found.values()
    assert ([(i.low, i.high) for i in state.items], state.rest, state.n) == ([(5, 5), (3, 3)], 0, 8)


def test_timestamps_are_instants_whatever_the_session_says(spark: SparkSession) -> None:
    frame = spark.sql("SELECT timestamp_micros(1383454800000000) AS t UNION ALL SELECT timestamp_micros(-1)")
    column = column_of(frame, "t")
    inside = Outside(column, datetime(1969, 12, 31, tzinfo=UTC), datetime(2013, 11, 3, 4, 59, tzinfo=UTC))
    found = answers(spark, frame, [Extremes(T, column), Count(T, inside)])
    assert (found[Extremes(T, column)].low, found[Extremes(T, column)].high) == (-1, 1383454800000000)
    assert found[Count(T, inside)].broke == 1


@pytest.mark.parametrize("nulls", [True, False])
def test_a_predicate_counts_as_sqlite_does(spark: SparkSession, nulls: bool) -> None:  # noqa: FBT001
    rows = [(1, 2), (3, 2), (None, 2), (2, 2), (None, None)]
    frame = spark.createDataFrame(rows, "low INT, `hi gh` INT")
    columns = tuple(column_of(frame, n) for n in ("low", "hi gh"))
    for spark_sql, sqlite in (("low <= `hi gh`", 'low <= "hi gh"'), ("low IS NOT NULL", "low IS NOT NULL")):
        measure = Count(T, Untrue(spark_sql, columns, nulls))
        twin = Count(T, Untrue(sqlite, columns, nulls)).twin({T: rows})
        assert answers(spark, frame, [measure])[measure] == twin


def test_examples_show_every_broken_row_while_they_are_few(spark: SparkSession) -> None:
    rows = [(i, f"key {i}", None if i % 5 == 0 else float(i)) for i in range(40)]
    frame = spark.createDataFrame(rows, "id INT, `k.k` STRING, x DOUBLE").repartition(4)
    x, key = column_of(frame, "x"), column_of(frame, "k.k")
    rules = [Outside(x, 0.0, 30.0), Missing(x)]
    measures = [examples(T, rule, (key, x), 9, 100) for rule in rules]
    found = answers(spark, frame, measures)
    for measure in measures:
        twin = measure.twin({T: [(r[2], r[1]) for r in rows]})
        assert sorted(found[measure].examples()) == sorted(twin.examples())


def test_examples_of_many_rows_are_a_bounded_sample_without_repetition(spark: SparkSession) -> None:
    frame = spark.range(50_000).selectExpr("id", "IF(id < 30000, 'XX', CAST(id AS STRING)) AS s")
    s, key = column_of(frame, "s"), column_of(frame, "id")
    by_value, by_row = examples(T, Missing(s), (s,), 50_000, 10), examples(T, NotIn(s, ("a",)), (key, s), 50_000, 10)
    found = answers(spark, frame, [examples(T, NotIn(s, ("a",)), (s,), 50_000, 10), by_row, by_value])
    values = found[examples(T, NotIn(s, ("a",)), (s,), 50_000, 10)]
    assert len(values.cells) <= 1024
    assert max(values.cells, key=lambda c: c.count).count >= 30_000
    rows = [texts for texts, _ in found[by_row].examples()]
    assert 1024 <= len(rows) <= 2048
    assert len(set(rows)) == len(rows)
    assert found[by_value].cells == ()


def test_all_summaries_of_a_window_are_one_read_of_their_columns(
    spark: SparkSession, work: Work, tmp_path: Path
) -> None:
    rows = spark.range(10_000).selectExpr(
        "id", "DATE'2026-01-01' + CAST(id % 10 AS INT) AS d", "CAST(id AS DOUBLE) AS x", "'unread' AS other"
    )
    rows.repartition(4).write.format("delta").save(str(tmp_path / "t"))
    engine = SparkEngine(Reader(spark, {"t": Dataset("t", path=str(tmp_path / "t"), time_column="d")}))
    source = Source("t", Window(datetime(2026, 1, 3), datetime(2026, 1, 5)))
    engine.pin([source])
    columns = [Column(n, (n,), k) for n, k in (("id", "bigint"), ("x", "double"))]
    measures: list[Summary[State]] = [RowCount(source)]
    for column in columns:
        measures += [m(source, column) for m in (Moments, Extremes, Distinct, FrequentValues, Quantiles)]
        measures += [Count(source, Missing(column)), Count(source, Outside(column, 0, 10))]
    with work:
        found = dict(engine.compute(measures))
    # Delta's log is read too: a few rows.
    assert 10_000 <= work.rows_read <= 10_020
    assert work.shuffled_rows <= 4
    # One for Delta's log, two for the stages of the query.
    assert work.jobs <= 3
    assert found[RowCount(source)].rows == 2_000  # type: ignore[union-attr]


@pytest.mark.parametrize("fault", ["1 / (id - 7) > 0", "CAST(s AS INT) > 0", "nowhere > 1", "id +", "id + 1"])
def test_a_measure_that_stops_the_query_is_found_and_the_others_are_answered(spark: SparkSession, fault: str) -> None:
    frame = spark.range(20).selectExpr("id", "CONCAT('x', id) AS s", "CAST(id AS DOUBLE) AS x")
    columns = [column_of(frame, n) for n in ("id", "s", "x")]
    good: list[Summary[State]] = [RowCount(T), *(Count(T, Missing(c)) for c in columns), Moments(T, columns[2])]
    bad = Count(T, Untrue(fault, (columns[0],)))
    found = answers(spark, frame, [*good[:2], bad, *good[2:]])
    assert isinstance(found[bad], Broken)
    assert not [m for m in good if isinstance(found[m], Broken)]


def test_examples_too_survive_one_that_stops(spark: SparkSession) -> None:
    frame = spark.range(20).selectExpr("id", "CONCAT('x', id) AS s")
    key = column_of(frame, "id")
    good, bad = (Examples(T, Untrue(sql, (key,)), (key,), None) for sql in ("id <> 3", "CAST(s AS INT) > 0"))
    found = answers(spark, frame, [good, bad])
    assert [texts for texts, _ in found[good].examples()] == [("3",)]
    assert isinstance(found[bad], Broken)


def test_faults_without_end_are_given_up_on(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sparkguard.engine.fused.MOST_READS", 4)
    frame = spark.range(3).selectExpr("id", "'x' AS s")
    # The message quotes the expression of one measure only, so the search has to go on.
    measures = [Count(T, Untrue(f"CAST(s AS INT) > {i}", (column_of(frame, "s"),))) for i in range(12)]
    found = answers(spark, frame, measures)
    assert all(isinstance(found[m], Broken) for m in measures)


def test_what_this_spark_cannot_compute_says_so(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Reader, "can", lambda _self, function: function != "kll_sketch_agg_double")
    frame = spark.createDataFrame([(1.0,)], "x DOUBLE")
    x = column_of(frame, "x")
    found = answers(spark, frame, [Quantiles(T, x), Moments(T, x)])
    assert "this Spark has no kll_sketch_agg_double" in found[Quantiles(T, x)].reason
    assert found[Moments(T, x)].n == 1


def test_batches_of_a_wide_table_read_each_column_once(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "MAX_MEASURES", 10)
    frame = spark.range(50).selectExpr("id", *(f"IF(id < {i}, NULL, id) AS c{i}" for i in range(20)))
    columns = [column_of(frame, f"c{i}") for i in range(20)]
    measures = [m for c in columns for m in (Count(T, Missing(c)), Extremes(T, c))]
    assert len(list(batches.batches(measures))) == 4
    found = answers(spark, frame, measures)
    assert [found[Count(T, Missing(c))].broke for c in columns] == list(range(20))


def test_an_aggregate_is_no_rule_on_a_row_and_changes_no_other_answer(spark: SparkSession) -> None:
    frame = spark.range(20).selectExpr("id")
    measures = [RowCount(T), Count(T, Untrue("count(*) > 1"))]
    found = answers(spark, frame, measures)
    assert found[RowCount(T)].rows == 20
    assert isinstance(found[measures[1]], Broken)


def test_a_filter_that_is_wrong_is_told_once_for_all(spark: SparkSession) -> None:
    frame = spark.range(20).selectExpr("id", "id AS x")
    engine = SparkEngine(Reader(spark, {"t": Dataset("t", where="no_such = 1")}, {"t": frame}))
    engine.pin([T])
    found = dict(engine.compute([RowCount(T), *(Count(T, Missing(column_of(frame, n))) for n in ("id", "x"))]))
    assert all(isinstance(f, Broken) and "no_such" in f.reason for f in found.values())


def test_a_quantile_at_infinity_has_no_margin_that_is_no_number(spark: SparkSession) -> None:
    frame = spark.createDataFrame([(-INF,), (-INF,), (-INF,), (1.0,)], "x DOUBLE")
    x = column_of(frame, "x")
    ranks = answers(spark, frame, [Quantiles(T, x)])[Quantiles(T, x)]
    assert (ranks.quantile(0.5), ranks.margin(0.5)) == (-INF, 0)


def test_distinct_values_leave_null_out(spark: SparkSession) -> None:
    frame = spark.sql(
        "SELECT IF(id % 2 = 0, NULL, id % 5) AS k, IF(id % 2 = 0, NULL, array(id % 3)) AS v FROM range(60)"
    )
    measures = [Distinct(T, column_of(frame, name)) for name in ("k", "v")]
    found = answers(spark, frame.repartition(3), measures)
    assert [round(found[m].estimate()[0]) for m in measures] == [5, 3]
