"""Spark's reconciliation of two tables equals the oracle's, and costs what it promises."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sparkguard.checks.join_reconciliation import JoinReconciliation
from sparkguard.core.check import Run
from sparkguard.core.finding import Finding, Status
from sparkguard.core.source import Dataset, Versioned
from sparkguard.engine.gather import Rounds
from sparkguard.engine.reader import Reader
from sparkguard.engine.spark import joins
from sparkguard.engine.spark import sides as sides_of
from sparkguard.engine.spark_engine import SparkEngine
from sparkguard.errors import DataError
from sparkguard.testing import judge
from tests.conftest import Work

RUN = Run(date(2026, 1, 31), datetime(2026, 1, 31))
NAN = float("nan")


def check(**fields: Any) -> JoinReconciliation:
    return JoinReconciliation(**{"id": "j", "before": "b", "after": "a", "key": ("k",), **fields})


def findings(
    spark: SparkSession,
    wanted: JoinReconciliation,
    frames: dict[str, DataFrame],
    datasets: dict[str, Dataset] | None = None,
) -> tuple[Finding, ...]:
    known = {name: Dataset(name) for name in frames} | (datasets or {})
    [gathered] = Rounds(SparkEngine(Reader(spark, known, frames))).gather([wanted])
    if gathered.error is not None:
        raise gathered.error
    return gathered.check.judge(gathered.seen, RUN)


def by_spark(spark: SparkSession, wanted: JoinReconciliation, **frames: DataFrame) -> Finding:
    return findings(spark, wanted, frames)[0]


def frame(spark: SparkSession, rows: Sequence[tuple[Any, ...]], schema: str, partitions: int = 1) -> DataFrame:
    return spark.createDataFrame(list(rows), schema).repartition(partitions)


def counts(finding: Finding) -> list[float | None]:
    return [finding.quantities[f"{n}_rows"].value for n in ("lost", "gained", "multiplied", "changed")]


VALUES: dict[str, tuple[str, list[Any]]] = {
    "bigint": ("BIGINT", [2**62, 2**62, -(2**63), 0, None]),
    "string": ("STRING", ["a", "A", "a ", "", None, "ß", "日本"]),
    "double": ("DOUBLE", [0.0, -0.0, NAN, -NAN, float("inf"), float("-inf"), 1.5, None]),
    "decimal": ("DECIMAL(15,2)", [Decimal("1.10"), Decimal("1.10"), Decimal("0.00"), None]),
    "date": ("DATE", [date(1, 1, 1), date(1582, 10, 4), date(1, 1, 1), None]),
    "binary": ("BINARY", [b"\x00", b"\x00", b"\x00\x00", b"", None]),
}


@pytest.mark.parametrize("kind", VALUES)
def test_spark_reconciles_as_the_oracle_does_for_every_type_of_key(spark: SparkSession, kind: str) -> None:
    sql, values = VALUES[kind]
    before = [(v, i % 3) for i, v in enumerate([*values, *values[:3]])]
    after = [(v, (i + (i == 1)) % 3) for i, v in enumerate([*values[1:], *values[:4]])]
    other = [(v,) for v in values[:3]]
    frames = {
        "b": frame(spark, before, f"k {sql}, v INT", 3),
        "a": frame(spark, after, f"k {sql}, v INT", 2),
        "o": frame(spark, other, f"k {sql}"),
    }
    wanted = check(other="o")
    found = by_spark(spark, wanted, **frames)
    tables: dict[str, list[tuple[Any, ...]]] = {"b": before, "a": after, "o": other}
    named = {n: [dict(zip(("k", "v"), r, strict=False)) for r in rows] for n, rows in tables.items()}
    [oracle] = judge(wanted, named)
    assert found.quantities == oracle.quantities
    assert sorted((v.kind, v.reason or "", v.count) for v in found.violations) == sorted(
        (v.kind, v.reason or "", v.count) for v in oracle.violations
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("array(1, NULL)", "array(NULL, 1)"),
        ("array(array(1), array(2))", "array(array(1, 2))"),
        ("array(CAST(1.5 AS FLOAT), CAST('NaN' AS FLOAT))", "array(CAST(1.5 AS FLOAT))"),
        (
            "struct(CAST(NULL AS INT) AS a, if(true, 1, NULL) AS b)",
            "struct(if(true, 1, NULL) AS a, CAST(NULL AS INT) AS b)",
        ),
        ("map('x', 1)", "map('x', 2)"),
        ("struct(timestamp_micros(1) AS t)", "struct(timestamp_micros(999) AS t)"),
        ("parse_json('{\"a\": 1}')", "parse_json('{\"a\": 2}')"),
        ("'a' COLLATE UTF8_LCASE", "'A' COLLATE UTF8_LCASE"),
        ("CAST(NULL AS ARRAY<INT>)", "CAST(array() AS ARRAY<INT>)"),
        ("''", "CAST(NULL AS STRING)"),
        ("X'00'", "X'0000'"),
    ],
)
def test_values_that_spark_may_hash_alike_are_told_apart(spark: SparkSession, one: str, other: str) -> None:
    before, after = (spark.sql(f"SELECT 1 AS k, {value} AS v") for value in (one, other))
    assert counts(by_spark(spark, check(), b=before, a=before)) == [0, 0, 0, 0]
    assert counts(by_spark(spark, check(), b=before, a=after)) == [0, 0, 0, 1]


def test_nulls_in_other_columns_are_told_apart(spark: SparkSession) -> None:
    before = spark.sql("SELECT 1 AS k, 1 AS x, CAST(NULL AS INT) AS y")
    after = spark.sql("SELECT 1 AS k, CAST(NULL AS INT) AS x, 1 AS y")
    assert counts(by_spark(spark, check(), b=before, a=after)) == [0, 0, 0, 1]


def test_a_map_is_the_same_in_any_order(spark: SparkSession) -> None:
    before, after = (spark.sql(f"SELECT 1 AS k, {m} AS v") for m in ("map('x', 1, 'y', 2)", "map('y', 2, 'x', 1)"))
    assert by_spark(spark, check(), b=before, a=after).status is Status.PASS


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CAST(7 AS INT)", "CAST(7 AS BIGINT)"),
        ("CAST(1.5 AS DECIMAL(15,2))", "CAST(1.5 AS DECIMAL(20,4))"),
        ("CAST(7 AS BIGINT)", "CAST(7 AS DECIMAL(25,3))"),
        ("CAST(7 AS INT)", "CAST(7 AS DOUBLE)"),
        ("DATE'1500-02-03'", "TIMESTAMP_NTZ'1500-02-03 00:00:00'"),
    ],
)
def test_types_that_hold_the_same_values_compare_by_value(spark: SparkSession, one: str, other: str) -> None:
    frames = {n: spark.sql(f"SELECT {v} AS k, {v} AS v, 1 AS w") for n, v in (("b", one), ("a", other))}
    assert by_spark(spark, check(), **frames).status is Status.PASS
    assert by_spark(spark, check(other="o"), **frames, o=frames["a"]).quantities["unmatched_rows"].value == 0


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CAST(0.1 AS FLOAT)", "CAST(0.1 AS DOUBLE)"),
        ("DATE'2026-01-01'", "TIMESTAMP'2026-01-01 00:00:00'"),
        ("7", "'7'"),
        ("CAST(7 AS BIGINT)", "CAST(7 AS DOUBLE)"),
        ("array(1)", "array(1L)"),
        ("map(1, map(1, 1))", "map(1, map(1, 1))"),
        ("map(1, parse_json('1'))", "map(1, parse_json('1'))"),
    ],
)
def test_types_that_do_not_are_one_schema_finding(spark: SparkSession, one: str, other: str) -> None:
    frames = {n: spark.sql(f"SELECT id AS k, {v} AS v FROM range(9)") for n, v in (("b", one), ("a", other))}
    whole, schema = findings(spark, check(), frames)
    assert (whole.status, counts(whole)) == (Status.PASS, [0, 0, 0, 0])
    assert (schema.status, schema.columns) == (Status.WARN, ("v",))


def test_a_float_and_a_double_compare_within_a_tolerance(spark: SparkSession) -> None:
    frames = {n: spark.sql(f"SELECT 1 AS k, CAST(0.1 AS {t}) AS v") for n, t in (("b", "FLOAT"), ("a", "DOUBLE"))}
    assert by_spark(spark, check(float_tolerance=1e-6), **frames).status is Status.PASS
    assert counts(by_spark(spark, check(float_tolerance=1e-12), **frames)) == [0, 0, 0, 1]


def test_floats_within_the_tolerance_equal_the_oracles(spark: SparkSession) -> None:
    inf = float("inf")
    before = [(1, 0.1), (2, 1e12), (3, inf), (4, None), (5, NAN), (6, 1.0), (7, 1.0), (7, 2.0), (8, -0.0)]
    after = [(1, 0.1 + 1e-9), (2, 1e12 + 1e5), (3, -inf), (4, 0.0), (5, NAN), (6, 1.1), (7, 3.0), (7, 2.0), (8, 0.0)]
    wanted = check(float_tolerance=1e-6)
    found = by_spark(
        spark, wanted, b=frame(spark, before, "k INT, v DOUBLE", 2), a=frame(spark, after, "k INT, v DOUBLE")
    )
    named = {n: [{"k": k, "v": v} for k, v in rows] for n, rows in (("b", before), ("a", after))}
    [oracle] = judge(wanted, named)
    assert found.quantities == oracle.quantities
    assert counts(found) == [0, 0, 0, 3]


def test_changed_columns_are_named_with_both_values(spark: SparkSession) -> None:
    before = spark.sql("SELECT 1 AS k, 'x' AS s, array(1) AS v, 1.5D AS d, 2 AS same")
    after = spark.sql("SELECT 1 AS k, 'y' AS s, array(2) AS v, CAST(NULL AS DOUBLE) AS d, 2 AS same")
    [violation] = by_spark(spark, check(), b=before, a=after).violations
    assert (violation.reason, violation.expected, violation.actual) == (
        "changed: s, v, d",
        "s=x, v=[1], d=1.5",
        "s=y, v=[2], d=NULL",
    )


def test_a_key_under_a_collation_matches_as_spark_groups(spark: SparkSession) -> None:
    before, after = (
        spark.sql(f"SELECT concat('{k}', id div 2) COLLATE UTF8_LCASE AS k, if(id = {i}, -1, id) AS v FROM range(6)")
        for i, k in enumerate("Aa")
    )
    found = by_spark(spark, check(), b=before, a=after)
    # Key a0 has (-1, 1) before, A0 has (0, -1) after: they are one key, and one row has no partner.
    assert counts(found) == [0, 0, 0, 1]
    assert [(v.kind, v.count) for v in found.violations] == [("changed", 1)]


@pytest.mark.parametrize("name", ["a.b", "with space", "tick`ed", "Größe", "x'; DROP TABLE t; --"])
def test_odd_column_names_are_only_names(spark: SparkSession, name: str) -> None:
    before = spark.sql("SELECT 1 AS k, 1 AS v").withColumnsRenamed({"k": name, "v": name + "2"})
    after = before.withColumn(name + "2", F.lit(2))
    [violation] = by_spark(spark, check(key=(name,)), b=before, a=after).violations
    assert (dict(violation.key), violation.reason) == ({name: "1"}, f"changed: {name}2")


def test_a_table_of_800_columns_is_compared(spark: SparkSession) -> None:
    before = spark.range(20).selectExpr("id", *(f"id % {i + 2} AS f_{i}" for i in range(800)))
    after = before.withColumn("f_799", F.when(F.col("id") == 7, -1).otherwise(F.col("f_799")))
    found = by_spark(spark, check(key=("id",)), b=before, a=after)
    assert counts(found) == [0, 0, 0, 1]
    assert found.violations[0].reason == "changed: f_799"


def test_a_key_with_a_million_rows_on_both_sides_finishes(spark: SparkSession) -> None:
    before = spark.range(1_000_000, numPartitions=4).select(F.lit(None).cast("int").alias("k"), F.col("id").alias("v"))
    after = before.withColumn("v", F.when(F.col("v") == 5, -5).otherwise(F.col("v")))
    assert counts(by_spark(spark, check(), b=before, a=after)) == [0, 0, 0, 1]


@pytest.fixture(scope="module")
def sides(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Dataset]:
    """20,000 rows and, as version 1 of the same table, without 3, with 2 new, 2 doubled and 1 changed."""
    path = str(tmp_path_factory.mktemp("join") / "t")
    rows = spark.range(20_000, numPartitions=4).select("id", (F.col("id") * 2).alias("v"), F.lit("x" * 20).alias("s"))
    rows.write.format("delta").save(path)
    # Another table, since Spark reads one table only once for both sides.
    rows.write.format("delta").save(path + "_equal")
    changed = rows.withColumn("v", F.when(F.col("id") == 9, 0).otherwise(F.col("v"))).where("id >= 3")
    more = rows.where("id in (10, 11)").unionByName(rows.limit(2).withColumn("id", F.col("id") + 30_000))
    changed.unionByName(more).coalesce(4).write.format("delta").mode("overwrite").save(path)
    return {"t": Dataset("t", path=path)}


def equal(sides: dict[str, Dataset]) -> dict[str, Dataset]:
    path = sides["t"].path
    return {"b": Dataset("b", path=path, version=0), "a": Dataset("a", path=f"{path}_equal")}


def rewritten(**fields: Any) -> JoinReconciliation:
    versions = {"before": Versioned("t", 0), "after": Versioned("t", 1)}
    return JoinReconciliation(**{"id": "j", "key": ("id",), **versions, **fields})


def test_two_versions_of_a_table_tell_what_a_rewrite_changed(spark: SparkSession, sides: dict[str, Dataset]) -> None:
    [found] = findings(spark, rewritten(), {}, sides)
    assert counts(found) == [3, 2, 2, 1]
    assert found.evaluated_rows == 20_000


def test_equal_sides_cost_two_scans_and_no_shuffle_of_rows(
    spark: SparkSession, work: Work, sides: dict[str, Dataset]
) -> None:
    wanted, same = check(key=("id",)), equal(sides)
    findings(spark, wanted, {}, same)
    with work:
        [found] = findings(spark, wanted, {}, same)
    assert found.status is Status.PASS
    # One query, and one for each table's newest version; Spark counts every stage of them as a job.
    assert work.jobs <= 12
    assert 40_000 <= work.rows_read < 40_500
    # 4 files a side in at most 4 tasks each, every one with at most 4,096 sums.
    assert work.shuffled_rows <= 2 * 4 * 4_096 + 500
    # 8,192 sums, whatever the number of rows.
    assert work.result_bytes < 500_000


def test_a_small_difference_shuffles_only_its_buckets(
    spark: SparkSession, work: Work, sides: dict[str, Dataset]
) -> None:
    findings(spark, rewritten(violation_limit=0), {}, sides)
    with work:
        findings(spark, rewritten(violation_limit=0), {}, sides)
    assert work.rows_read < 4 * 20_000 + 1_000
    # Eight keys are in at most eight of 4,096 buckets, so the second pass shuffles about 80 rows.
    assert work.shuffled_rows < 2 * 4 * 4_096 + 1_000


def test_causes_cost_the_keys_of_three_tables_once_more(
    spark: SparkSession, work: Work, sides: dict[str, Dataset]
) -> None:
    frames = {"o": spark.range(2_000)}
    wanted = rewritten(violation_limit=0, compare="none", other="o", other_key=("id",))
    findings(spark, wanted, frames, sides)
    with work:
        [found] = findings(spark, wanted, frames, sides)
    assert (counts(found), found.quantities["unmatched_rows"].value) == ([3, 2, 2, 0], 18_000)
    # Both sides for the fingerprints, the difference and the causes; before once more for its rows without a match.
    assert work.rows_read < 7 * 20_000 + 2 * 2_000 + 1_000
    # The keys before and in other for the unmatched, a few differing keys and other for the causes.
    assert work.shuffled_rows < 2 * 4 * 4_096 + 2 * 20_000 + 4 * 2_000 + 2_000


def test_the_preflight_reads_two_tables_once(spark: SparkSession, work: Work, sides: dict[str, Dataset]) -> None:
    before = {"t": Dataset("t", path=sides["t"].path, version=0)}
    wanted = check(before="t", after=None, other="o", key=("id",), violation_limit=0)
    findings(spark, wanted, {"o": spark.range(2_000)}, before)
    with work:
        [found] = findings(spark, wanted, {"o": spark.range(2_000)}, before)
    assert counts(found) == [18_000, 0, 0, 0]
    assert work.rows_read < 20_000 + 2_000 + 500
    assert work.result_bytes < 100_000


def test_the_buckets_change_no_answer(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch, sides: dict[str, Dataset]
) -> None:
    honest = findings(spark, rewritten(), {}, sides)
    for module in (sides_of, joins):
        monkeypatch.setattr(module, "bucket_of", lambda _: F.lit(7))
    assert findings(spark, rewritten(), {}, sides)[0].quantities == honest[0].quantities


@pytest.mark.parametrize(("name", "value"), [("_FEW_BUCKETS", 0), ("_FEW", 3)])
def test_many_differing_keys_are_totalled_by_spark_alike(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch, sides: dict[str, Dataset], name: str, value: int
) -> None:
    [few] = findings(spark, rewritten(), {}, sides)
    monkeypatch.setattr(joins, name, value)
    [many] = findings(spark, rewritten(), {}, sides)
    assert (many.quantities, many.message) == (few.quantities, few.message)
    assert {str(v) for v in many.violations} == {str(v) for v in few.violations}


def test_sums_that_overflow_cost_time_and_no_answer(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch, sides: dict[str, Dataset]
) -> None:
    monkeypatch.setattr(sides_of, "halves_of", lambda name: [F.col(name), F.col(name)])
    monkeypatch.setattr(joins, "short", F.col)
    assert counts(findings(spark, rewritten(), {}, sides)[0]) == [3, 2, 2, 1]
    assert counts(findings(spark, check(key=("id",)), {}, equal(sides))[0]) == [0, 0, 0, 0]


@pytest.mark.parametrize("sql", [True, False])
def test_a_version_of_what_has_no_versions_is_an_error(spark: SparkSession, *, sql: bool) -> None:
    frames = {} if sql else {"b": spark.range(1)}
    datasets = {"b": Dataset("b", sql="SELECT 1 AS id")} if sql else {}
    wanted = JoinReconciliation(id="j", key=("id",), before=Versioned("b"), after=Versioned("b", 3))
    with pytest.raises(DataError, match="it has no versions"):
        findings(spark, wanted, frames, datasets)


def test_all_evidence_is_a_frame(spark: SparkSession, sides: dict[str, Dataset]) -> None:
    reader = Reader(spark, sides)
    engine = SparkEngine(reader)
    [gathered] = Rounds(engine).gather([rewritten(violations_to="main.ops.evidence")])
    [found] = gathered.check.judge(gathered.seen, RUN)
    rows = engine.evidence(found.queries, ()).groupBy("kind").agg(F.sum("count").alias("n")).collect()
    assert {r["kind"]: r["n"] for r in rows} == {"lost": 3, "gained": 2, "multiplied": 2, "changed": 1}


def test_the_preflight_names_what_a_join_would_lose_and_double(spark: SparkSession) -> None:
    before = frame(spark, [(1,), (2,), (2,), (None,)], "k INT", 2)
    other = frame(spark, [(1,), (1,), (None,)], "id BIGINT")
    found = by_spark(spark, check(after=None, other="o", other_key=("id",)), b=before, o=other)
    assert counts(found) == [3, 0, 1, 0]
    assert found.message == (
        "3 of 4 rows would be lost by an inner join (2 no match in other: k=2; 1 NULL key: k=NULL); "
        "1 row would be multiplied by a join (1 duplicate key in other: k=1)"
    )
    assert {v.reason for v in found.violations} == {"no match in other", "NULL key", "duplicate key in other (2 rows)"}
