"""Spark's answers equal the oracle's, whatever is in the key, and cost what they promise."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sparkguard.checks.duplicate_keys import DuplicateKeys
from sparkguard.core.check import Run
from sparkguard.core.finding import Finding
from sparkguard.core.source import Dataset
from sparkguard.core.window import Duration, Window
from sparkguard.engine.gather import Rounds
from sparkguard.engine.reader import Reader
from sparkguard.engine.spark import computations, duplicates
from sparkguard.engine.spark_engine import SparkEngine
from sparkguard.errors import DataError
from sparkguard.measures.duplicates import SeenBefore
from sparkguard.testing import judge
from tests.conftest import Work

RUN = Run(date(2026, 1, 31), datetime(2026, 1, 31))
NAN = float("nan")


def by_spark(spark: SparkSession, check: DuplicateKeys, frame: DataFrame, time: str | None = None) -> Finding:
    reader = Reader(spark, {"t": Dataset("t", time_column=time)}, {"t": frame})
    [gathered] = Rounds(SparkEngine(reader)).gather([check])
    if gathered.error is not None:
        raise gathered.error
    [finding] = gathered.check.judge(gathered.seen, RUN)
    return finding


def check(*key: str, **fields: Any) -> DuplicateKeys:
    return DuplicateKeys(**{"id": "pk", "dataset": "t", "key": key, **fields})


def frame_of(spark: SparkSession, rows: Sequence[tuple[Any, ...]], schema: str, partitions: int = 1) -> DataFrame:
    return spark.createDataFrame(list(rows), schema).repartition(partitions)


COLUMNS: dict[str, tuple[str, list[Any]]] = {
    "int": ("INT", [1, 2, 2, None, -1]),
    "bigint": ("BIGINT", [2**62, 2**62, -(2**63), 0, None]),
    "string": ("STRING", ["a", "A", "a ", "", None, "ß", "Ω", "\u2126", "日本"]),
    "double": ("DOUBLE", [0.0, -0.0, NAN, -NAN, float("inf"), float("-inf"), 1.5, None]),
    "float": ("FLOAT", [0.0, -0.0, NAN, 0.1, 0.1, None]),
    "decimal": ("DECIMAL(15,2)", [Decimal("1.10"), Decimal("1.1"), Decimal("-0.00"), Decimal(0), None]),
    "boolean": ("BOOLEAN", [True, False, True, None]),
    "date": ("DATE", [date(1, 1, 1), date(1582, 10, 15), date(1582, 10, 4), date(1, 1, 1), None]),
    "timestamp": ("TIMESTAMP", [datetime(2026, 3, 29, 1), datetime(2026, 3, 29, 1), datetime(1969, 12, 31), None]),
    "timestamp_ntz": ("TIMESTAMP_NTZ", [datetime(2026, 3, 29, 2, 30), datetime(2026, 3, 29, 2, 30), None]),
    "binary": ("BINARY", [b"\x00", b"\x00", b"\x00\x00", b"", None]),
}


MODES = ("violation", "equal", "distinct")
CASES = [(kind, MODES[i % 3]) for i, kind in enumerate(COLUMNS)] + [("double", "equal"), ("string", "equal")]


@pytest.mark.parametrize(("kind", "nulls"), CASES)
def test_spark_answers_as_the_oracle_does_for_every_type_of_key(spark: SparkSession, kind: str, nulls: str) -> None:
    sql, values = COLUMNS[kind]
    rows = [(v, i % 2) for i, v in enumerate(values * 2)]
    wanted = check("k", "n", nulls=nulls)
    frame = frame_of(spark, rows, f"k {sql}, n INT", partitions=7)
    [oracle] = judge(wanted, {"t": [{"k": k, "n": n} for k, n in rows]})
    found = by_spark(spark, wanted, frame)
    assert found.quantities == oracle.quantities
    assert found.status == oracle.status
    assert sorted((v.kind, v.count) for v in found.violations) == sorted((v.kind, v.count) for v in oracle.violations)


@pytest.mark.parametrize("partitions", [1, 7])
def test_the_worst_keys_come_first_with_their_values(spark: SparkSession, partitions: int) -> None:
    rows = [("x", i) for i in range(3) for _ in range(i + 1)] + [("y", None)]
    found = by_spark(spark, check("a", "b"), frame_of(spark, rows, "a STRING, b INT", partitions))
    assert [(v.kind, dict(v.key), v.count) for v in found.violations] == [
        ("duplicate", {"a": "x", "b": "2"}, 3),
        ("duplicate", {"a": "x", "b": "1"}, 2),
        ("null_key", {"a": "y", "b": None}, 1),
    ]


def test_values_are_shown_alike_in_every_session(spark: SparkSession) -> None:
    query = """SELECT timestamp_micros(1383454800123456) AS ts, X'00FF' AS b, DATE'1500-01-01' AS d,
               TIMESTAMP_NTZ'2026-03-29 02:30:00' AS n, -0.0D AS f, timestamp_micros(-1) AS old"""
    found = by_spark(spark, check("ts", "b", "d", "n", "f", "old"), spark.sql(f"{query} UNION ALL {query}"))
    assert dict(found.violations[0].key) == {
        "ts": "2013-11-03T05:00:00.123456Z",
        "b": "00FF",
        "d": "1500-01-01",
        "n": "2026-03-29 02:30:00",
        "f": "0.0",
        "old": "1969-12-31T23:59:59.999999Z",
    }


@pytest.mark.parametrize("nulls", ["violation", "equal"])
@pytest.mark.parametrize("history", ["none", "all"])
def test_a_hash_that_always_collides_costs_time_and_no_answer(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch, nulls: str, history: str
) -> None:
    rows = [(k, datetime(2026, 1, 1 + i)) for i, k in enumerate([1, 2, 3, None, 3, 1, 5, 6, 6, None, 7])]
    window = Window(datetime(2026, 1, 6), datetime(2026, 1, 31), "UTC")
    wanted = check("k", nulls=nulls, window=window, history=history)
    frame = frame_of(spark, rows, "k INT, ts TIMESTAMP_NTZ", 3)
    honest = by_spark(spark, wanted, frame, "ts")
    monkeypatch.setattr(
        duplicates, "_hash", lambda _: F.pmod(F.coalesce(F.col("c0"), F.lit(0)), F.lit(1)).cast("bigint")
    )
    collided = by_spark(spark, wanted, frame, "ts")
    [oracle] = judge(wanted, {"t": [{"k": k, "ts": t} for k, t in rows]}, time_columns={"t": "ts"})
    assert honest.quantities == collided.quantities == oracle.quantities


def test_keys_that_spark_hashes_alike_are_told_apart(spark: SparkSession) -> None:
    found = by_spark(spark, check("a", "b", nulls="equal"), frame_of(spark, [(1, None), (None, 1)], "a INT, b INT"))
    assert found.status.value == "pass"


@pytest.mark.parametrize(
    "kind", ["array(1)", "map(1, 2)", "struct(1 AS a)", "parse_json('1')", "NULL", "INTERVAL 1 DAY"]
)
def test_keys_that_cannot_be_compared_are_refused(spark: SparkSession, kind: str) -> None:
    with pytest.raises(DataError, match="cannot be part of a key"):
        by_spark(spark, check("k"), spark.sql(f"SELECT {kind} AS k"))


def test_a_field_inside_a_struct_is_a_key(spark: SparkSession) -> None:
    frame = spark.sql("SELECT struct(id % 3 AS id) AS `payload.x`, struct(id % 2 AS `i d`) AS p FROM range(6)")
    assert by_spark(spark, check("`payload.x`.id", "p.i d"), frame).status.value == "pass"
    assert by_spark(spark, check("p.i d"), frame).quantities["duplicate_keys"].value == 2


@pytest.mark.parametrize("name", ["a.b", "with space", "tick`ed", "Größe", "SELECT", "x'; DROP TABLE t; --"])
def test_odd_column_names_are_only_names(spark: SparkSession, name: str) -> None:
    frame = spark.createDataFrame([(1,), (1,)], "c INT").withColumnRenamed("c", name)
    found = by_spark(spark, check(name), frame)
    assert dict(found.violations[0].key) == {name: "1"}


def test_collations_group_as_spark_groups(spark: SparkSession) -> None:
    frame = spark.sql("SELECT c COLLATE UTF8_LCASE AS k FROM VALUES ('a'), ('A'), ('b') AS t(c)")
    assert by_spark(spark, check("k"), frame).quantities["excess_rows"].value == 1


def test_a_table_of_no_rows_is_an_error_and_no_pass(spark: SparkSession) -> None:
    found = by_spark(spark, check("k"), frame_of(spark, [], "k INT"))
    assert (found.status.value, found.message) == ("error", "'t' has no rows, so nothing was checked")


def test_a_table_of_no_columns_says_so(spark: SparkSession) -> None:
    with pytest.raises(DataError, match="the source has no columns"):
        by_spark(spark, check("k"), spark.createDataFrame([()], "struct<>"))


def test_a_table_of_2000_columns_is_judged(spark: SparkSession) -> None:
    frame = spark.range(10).select(*((F.col("id") % (i + 1)).alias(f"f_{i}") for i in range(2000)))
    found = by_spark(spark, check("f_1999", "f_3"), frame)
    assert found.status.value == "pass"


@pytest.fixture(scope="module")
def table(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> str:
    """20,000 unique rows over 100 days, ten days to a file; half of `nullable` is NULL."""
    path = str(tmp_path_factory.mktemp("data") / "rows")
    # No repartitioning by range: it draws its borders from a random sample.
    rows = spark.range(20_000, numPartitions=10).select(
        "id",
        (F.col("id") % 7).cast("int").alias("n"),
        F.when(F.col("id") % 2 == 0, F.col("id")).alias("nullable"),
        F.expr("timestamp_micros(1735689600000000 + (id div 200) * 86400000000)").alias("ts"),
        F.lit("x" * 50).alias("wide"),
    )
    rows.write.format("delta").save(path)
    return path


def on_delta(spark: SparkSession, path: str, wanted: DuplicateKeys) -> Finding:
    reader = Reader(spark, {"t": Dataset("t", path=path, time_column="ts")})
    [gathered] = Rounds(SparkEngine(reader)).gather([wanted])
    assert gathered.error is None
    return gathered.check.judge(gathered.seen, RUN)[0]


def test_a_unique_key_costs_one_scan_and_one_shuffle_of_hashes(spark: SparkSession, work: Work, table: str) -> None:
    on_delta(spark, table, check("id"))
    with work:
        assert on_delta(spark, table, check("wide", "id")).status.value == "pass"
    assert 20_000 <= work.rows_read < 20_500
    assert 20_000 <= work.shuffled_rows < 20_500
    assert work.result_bytes < 100_000


def test_repeated_keys_cost_one_more_scan_that_shuffles_only_the_suspects(
    spark: SparkSession, work: Work, table: str, tmp_path: Path
) -> None:
    path = str(tmp_path / "doubled")
    rows = spark.read.format("delta").load(table)
    rows.unionByName(rows.where("id < 3")).coalesce(4).write.format("delta").save(path)
    with work:
        found = on_delta(spark, path, check("id", "wide"))
    assert found.quantities["duplicate_keys"].value == 3
    assert 40_006 <= work.rows_read < 41_000
    assert work.shuffled_rows < 20_003 + 3 * 20_000 / 64 * 2 + 500


def test_rows_with_null_are_counted_before_the_shuffle(spark: SparkSession, work: Work, table: str) -> None:
    with work:
        found = on_delta(spark, table, check("nullable", nulls="distinct"))
    assert found.quantities["null_key_rows"].value == 10_000
    assert work.shuffled_rows < 10_500


def test_history_is_read_once_filtered_and_never_grouped(spark: SparkSession, work: Work, table: str) -> None:
    start = datetime(2025, 1, 1)
    window = Window(start + timedelta(days=97), start + timedelta(days=100), "UTC")
    with work:
        found = on_delta(spark, table, check("id", window=window, history="all"))
    assert (found.evaluated_rows, found.quantities["history_rows"].value) == (600, 0)
    # Files hold ten days: the window reads the last one twice, history all ten once.
    assert work.rows_read < 20_000 + 2 * 2_000 + 500
    assert work.shuffled_rows < 600 + 500


def test_a_window_reads_only_its_files(spark: SparkSession, work: Work, table: str) -> None:
    start = datetime(2025, 1, 1)
    window = Window(start + timedelta(days=30), start + timedelta(days=40), "UTC")
    with work:
        on_delta(spark, table, check("id", window=window))
    assert work.rows_read < 2_000 + 500


def test_a_length_of_history_reads_only_its_files(spark: SparkSession, work: Work, table: str) -> None:
    start = datetime(2025, 1, 1)
    window = Window(start + timedelta(days=90), start + timedelta(days=100), "UTC")
    with work:
        on_delta(spark, table, check("id", window=window, history=Duration(days=10)))
    # The window's file twice, the file before it once.
    assert work.rows_read < 3 * 2_000 + 500


@pytest.mark.parametrize("rows", [1, 10**9])
def test_the_bloom_filter_loses_no_key_at_any_size(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    monkeypatch.setattr(duplicates, "_MOST_BITS", 1 << 18)
    monkeypatch.setattr(duplicates, "_MOST_BROADCAST", 0)
    data = [(i % 4_000, datetime(2026, 1, 1 + (i >= 4_000))) for i in range(5_000)]
    window = Window(datetime(2026, 1, 2), datetime(2026, 1, 3), "UTC")
    wanted = check("k", window=window, history="all")
    frame = frame_of(spark, data, "k INT, ts TIMESTAMP_NTZ", 3)
    seen, real = duplicates.seen_before, dict[Any, Any](computations())

    def resized(read: Any, measure: Any) -> Any:
        return seen(read, replace(measure, rows=rows))

    monkeypatch.setattr("sparkguard.engine.spark_engine.computations", lambda: real | {SeenBefore: resized})
    found = by_spark(spark, wanted, frame, "ts")
    assert found.quantities["history_rows"].value == 1_000
