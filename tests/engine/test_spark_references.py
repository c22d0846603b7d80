"""Spark finds the orphans that the oracle finds, whatever is in the key, and costs what it promises."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sparkguard.checks.referential_integrity import ReferentialIntegrity
from sparkguard.core.check import Run
from sparkguard.core.finding import Finding, Status
from sparkguard.core.source import Dataset, Versioned
from sparkguard.core.window import Window
from sparkguard.engine.gather import Gathered, Rounds
from sparkguard.engine.reader import Reader
from sparkguard.engine.spark_engine import SparkEngine
from sparkguard.errors import DataError
from sparkguard.measures.references import Orphans, OrphansAnswer
from sparkguard.testing import judge
from tests.conftest import Work

RUN = Run(date(2026, 1, 31), datetime(2026, 1, 31))
NAN = float("nan")


def check(**fields: Any) -> ReferentialIntegrity:
    return ReferentialIntegrity(**{"id": "fk", "dataset": "t", "references": "p", "key": ("k",), **fields})


def gathered(engine: SparkEngine, wanted: ReferentialIntegrity) -> Gathered:
    [one] = Rounds(engine).gather([wanted])
    if one.error is not None:
        raise one.error
    return one


def engine_of(spark: SparkSession, datasets: dict[str, Dataset] | None = None, **frames: DataFrame) -> SparkEngine:
    return SparkEngine(Reader(spark, {name: Dataset(name) for name in frames} | (datasets or {}), frames))


def by_spark(
    spark: SparkSession, wanted: ReferentialIntegrity, datasets: dict[str, Dataset] | None = None, **frames: DataFrame
) -> Finding:
    one = gathered(engine_of(spark, datasets, **frames), wanted)
    [finding] = one.check.judge(one.seen, RUN)
    return finding


def frame(spark: SparkSession, rows: Sequence[tuple[Any, ...]], schema: str, partitions: int = 1) -> DataFrame:
    return spark.createDataFrame(list(rows), schema).repartition(partitions)


def orphans(finding: Finding) -> list[float | None]:
    return [finding.quantities[n].value for n in ("orphan_rows", "orphan_keys", "null_key_rows")]


COLUMNS: dict[str, tuple[str, list[Any], list[Any]]] = {
    "int": ("INT", [1, 2, 2, None, -1], [2, 5]),
    "bigint": ("BIGINT", [2**62, 2**62, -(2**63), 0, None], [-(2**63), None]),
    "string": ("STRING", ["a", "A", "a ", "", None, "ß", "Ω", "\u2126", "日本"], ["a", "ss", "Ω", "", "日本"]),
    "double": ("DOUBLE", [0.0, -0.0, NAN, -NAN, float("inf"), float("-inf"), 1.5, None], [-0.0, NAN, float("inf")]),
    "float": ("FLOAT", [0.0, -0.0, NAN, 0.5, 0.25, None], [-0.0, 0.25]),
    "decimal": ("DECIMAL(15,2)", [Decimal("1.10"), Decimal("1.1"), Decimal("-0.00"), Decimal(0), None], [Decimal(0)]),
    "boolean": ("BOOLEAN", [True, False, True, None], [False]),
    "date": ("DATE", [date(1, 1, 1), date(1582, 10, 15), date(1582, 10, 4), date(1, 1, 1), None], [date(1582, 10, 4)]),
    "timestamp": (
        "TIMESTAMP",
        [datetime(2026, 3, 29, 1), datetime(2026, 3, 29, 1), datetime(1969, 12, 31), None],
        [datetime(1969, 12, 31)],
    ),
    "timestamp_ntz": (
        "TIMESTAMP_NTZ",
        [datetime(2026, 3, 29, 2, 30), datetime(2026, 3, 29, 2, 30), datetime(2026, 3, 29), None],
        [datetime(2026, 3, 29)],
    ),
    "binary": ("BINARY", [b"\x00", b"\x00", b"\x00\x00", b"", None], [b"\x00\x00"]),
}
CASES = [(kind, (1, 7)[i // 2 % 2], ("ignored", "violation")[i % 2]) for i, kind in enumerate(COLUMNS)]


@pytest.mark.parametrize(("kind", "partitions", "nulls"), CASES)
def test_spark_answers_as_the_oracle_does_for_every_type_of_key(
    spark: SparkSession, kind: str, partitions: int, nulls: str
) -> None:
    sql, values, parents = COLUMNS[kind]
    rows = [(v, n) for v in values * 2 for n in (0, 1, None)]
    others = [(v, n) for v in parents * 3 for n in (0, 1, None)]
    wanted = check(key=("k", "n"), nulls=nulls)
    frames = {
        "t": frame(spark, rows, f"k {sql}, n INT", partitions),
        "p": frame(spark, others, f"k {sql}, n INT", partitions),
    }
    tables: dict[str, Any] = {n: [{"k": k, "n": v} for k, v in r] for n, r in (("t", rows), ("p", others))}
    [oracle] = judge(wanted, tables)
    found = by_spark(spark, wanted, None, **frames)
    assert found.quantities == oracle.quantities
    assert found.status == oracle.status == Status.FAIL
    assert sorted((v.kind, v.count) for v in found.violations) == sorted((v.kind, v.count) for v in oracle.violations)


@pytest.mark.parametrize(
    ("mine", "theirs", "values", "parents"),
    [
        ("INT", "BIGINT", [1, 2, None], [2, 2**40]),
        ("DECIMAL(15,2)", "DECIMAL(20,4)", [Decimal("1.10"), Decimal("2.00")], [Decimal("1.1000"), Decimal("2.0001")]),
        ("BIGINT", "DECIMAL(25,3)", [7, 8, 2**62], [Decimal("7.000"), Decimal("8.001")]),
        ("INT", "DOUBLE", [7, 8, 0], [7.0, 8.5, -0.0]),
        (
            "DATE",
            "TIMESTAMP_NTZ",
            [date(1500, 1, 1), date(2026, 1, 2)],
            [datetime(1500, 1, 1), datetime(2026, 1, 2, 1)],
        ),
    ],
)
def test_types_with_a_common_type_compare_by_value_in_either_direction(
    spark: SparkSession, mine: str, theirs: str, values: list[Any], parents: list[Any]
) -> None:
    sides = {"t": (mine, values), "p": (theirs, parents)}
    frames = {n: frame(spark, [(v,) for v in vs], f"k {kind}", 2) for n, (kind, vs) in sides.items()}
    for child, parent in (("t", "p"), ("p", "t")):
        one = gathered(engine_of(spark, None, **frames), check(dataset=child, references=parent))
        [(measure, answer)] = one.seen.answers.items()
        assert isinstance(measure, Orphans)
        assert isinstance(answer, OrphansAnswer)
        oracle = measure.twin({measure.child: _rows(sides[child][1]), measure.parent: _rows(sides[parent][1])})
        assert replace(answer, top=()) == replace(oracle, top=())
        assert 0 < oracle.orphan_keys < oracle.keys


def _rows(values: list[Any]) -> list[tuple[Any]]:
    return [(v,) for v in values]


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        ("7", "'7'"),
        ("CAST(7 AS BIGINT)", "CAST(7 AS DOUBLE)"),
        ("DATE'2026-01-01'", "TIMESTAMP'2026-01-01 00:00:00'"),
        ("CAST(7 AS DECIMAL(38,0))", "CAST(7 AS DECIMAL(38,10))"),
        ("'a' COLLATE UTF8_LCASE", "'a'"),
    ],
)
def test_types_without_a_common_type_are_an_error_that_names_both(spark: SparkSession, mine: str, theirs: str) -> None:
    child, parent = (spark.sql(f"SELECT {value} AS k") for value in (mine, theirs))
    both = f"is {child.schema[0].dataType.simpleString()} on one side and {parent.schema[0].dataType.simpleString()}"
    with pytest.raises(DataError) as caught:
        by_spark(spark, check(), t=child, p=parent)
    assert both in str(caught.value)


@pytest.mark.parametrize("kind", ["array(1)", "map(1, 2)", "struct(1 AS a)", "parse_json('1')", "NULL"])
def test_keys_that_cannot_be_compared_are_refused(spark: SparkSession, kind: str) -> None:
    one = spark.sql(f"SELECT {kind} AS k")
    with pytest.raises(DataError, match="cannot be matched"):
        by_spark(spark, check(), t=one, p=one)


def test_text_matches_by_its_collation_and_by_what_is_asked(spark: SparkSession) -> None:
    child, parent = (spark.sql(f"SELECT c FROM VALUES {v} AS t(c)") for v in ("('A'), (' a'), ('b')", "('a'), ('x')"))
    assert orphans(by_spark(spark, check(key=("c",)), t=child, p=parent)) == [3, 3, 0]
    assert orphans(by_spark(spark, check(key=("c",), normalize=("trim", "lower")), t=child, p=parent)) == [1, 1, 0]
    cased = [f.selectExpr("c COLLATE UTF8_LCASE AS c") for f in (child, parent)]
    assert orphans(by_spark(spark, check(key=("c",)), t=cased[0], p=cased[1])) == [2, 2, 0]


@pytest.mark.parametrize("name", ["a.b", "with space", "tick`ed", "Größe", "SELECT", "x'; DROP TABLE t; --"])
def test_odd_column_names_are_only_names(spark: SparkSession, name: str) -> None:
    child = frame(spark, [(1,), (2,)], "c INT").withColumnRenamed("c", name)
    found = by_spark(
        spark, check(key=(name,), references_key=(f"{name}2",)), t=child, p=spark.range(2).toDF(f"{name}2")
    )
    assert [dict(v.key) for v in found.violations] == [{name: "2"}]


def test_a_field_inside_a_struct_refers_to_a_column(spark: SparkSession) -> None:
    child = spark.sql("SELECT struct(id AS `i d`) AS p FROM range(3)")
    assert orphans(by_spark(spark, check(key=("p.i d",), references_key=("id",)), t=child, p=spark.range(2))) == [
        1,
        1,
        0,
    ]


def test_the_worst_orphans_come_first_with_their_values(spark: SparkSession) -> None:
    rows = [(f"k{i}", datetime(2026, 1, 1)) for i in range(9) for _ in range(i + 1)]
    parent = frame(spark, [("k4", datetime(2026, 1, 1))], "k STRING, d TIMESTAMP_NTZ")
    wanted = check(key=("k", "d"), violation_limit=3)
    found = by_spark(spark, wanted, t=frame(spark, rows, "k STRING, d TIMESTAMP_NTZ", 5), p=parent)
    assert [(dict(v.key), v.count) for v in found.violations] == [
        ({"k": "k8", "d": "2026-01-01 00:00:00"}, 9),
        ({"k": "k7", "d": "2026-01-01 00:00:00"}, 8),
        ({"k": "k6", "d": "2026-01-01 00:00:00"}, 7),
    ]
    assert orphans(found) == [40, 8, 0]


def test_an_empty_side_and_a_side_of_nulls_are_what_they_are(spark: SparkSession) -> None:
    some, nulls, none = (frame(spark, rows, "k INT", 2) for rows in ([(1,), (1,), (2,)], [(None,), (None,)], []))
    assert by_spark(spark, check(), t=none, p=some).status is Status.ERROR
    assert by_spark(spark, check(), t=none, p=none).status is Status.ERROR
    no_parent = by_spark(spark, check(), t=some, p=none)
    assert (orphans(no_parent), no_parent.message.endswith("; 'p' has no rows")) == ([3, 2, 0], True)
    no_key = by_spark(spark, check(), t=some, p=nulls)
    assert (orphans(no_key), no_key.message.endswith("'p' has no row without NULL in its key")) == ([3, 2, 0], True)
    no_child = by_spark(spark, check(), t=nulls, p=some)
    assert (orphans(no_child), no_child.status) == ([0, 0, 2], Status.WARN)


def test_a_table_refers_to_itself(spark: SparkSession, tmp_path: Path) -> None:
    staff = frame(spark, [(1, None), (2, 1), (3, 1), (4, 9), (5, 9)], "id INT, manager INT", 2)
    wanted = check(references="t", key=("manager",), references_key=("id",))
    assert orphans(by_spark(spark, wanted, t=staff)) == [2, 1, 1]
    path = str(tmp_path / "staff")
    staff.write.format("delta").save(path)
    spark.range(1).selectExpr("9 AS id", "CAST(NULL AS INT) AS manager").write.format("delta").mode("append").save(path)
    datasets = {"t": Dataset("t", path=path)}
    assert orphans(by_spark(spark, wanted, datasets)) == [0, 0, 2]
    before = wanted.model_copy(update={"references": Versioned("t", 0)})
    assert orphans(by_spark(spark, before, datasets)) == [2, 1, 2]


def test_each_side_has_its_own_window(spark: SparkSession) -> None:
    rows = [(i, datetime(2026, 1, 1 + i)) for i in range(10)]
    frames = {n: frame(spark, rows, "k INT, ts TIMESTAMP_NTZ") for n in ("t", "p")}
    datasets = {n: Dataset(n, time_column="ts") for n in ("t", "p")}
    window = Window(datetime(2026, 1, 5), datetime(2026, 1, 9), "UTC")
    history = Window(datetime(2026, 1, 1), datetime(2026, 1, 7), "UTC")
    found = by_spark(spark, check(window=window, references_window=history), datasets, **frames)
    assert (found.evaluated_rows, orphans(found)) == (4, [2, 2, 0])


def test_missing_parents_and_columns_are_errors(spark: SparkSession) -> None:
    child = frame(spark, [(1,)], "k INT")
    with pytest.raises(DataError, match=r"dataset 'p' \(/no/such\)"):
        by_spark(spark, check(), {"p": Dataset("p", path="/no/such")}, t=child)
    with pytest.raises(DataError, match="column 'k' does not exist; the nearest columns are 'kk'"):
        by_spark(spark, check(), t=child, p=child.toDF("kk"))


def test_all_evidence_is_a_frame(spark: SparkSession) -> None:
    child = frame(spark, [(i % 200, None if i % 5 == 0 else "x") for i in range(1_000)], "k INT, s STRING", 3)
    parent = frame(spark, [(i, "x") for i in range(50)] * 2, "k INT, s STRING")
    engine = engine_of(spark, t=child, p=parent)
    one = gathered(engine, check(key=("k", "s"), nulls="violation", violations_to="a.b", violation_limit=2))
    [found] = one.check.judge(one.seen, RUN)
    evidence = engine.evidence(found.queries, ("s",))
    rows = evidence.groupBy("kind").agg(F.sum("count").alias("n"), F.count(F.lit(1)).alias("keys")).collect()
    assert {r["kind"]: (r["n"], r["keys"]) for r in rows} == {"orphan": (600, 120), "null_key": (200, 40)}
    assert {r["s"] for r in evidence.selectExpr("key['s'] AS s").collect()} == {"[redacted]"}


@pytest.fixture(scope="module")
def tables(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Dataset]:
    """40,000 rows of 2,000 keys, a tenth NULL, in 4 files; 3,000 parents, each twice."""
    folder = tmp_path_factory.mktemp("references")
    key = F.when(F.col("id") % 10 > 0, F.col("id") % 2_000)
    rows = spark.range(40_000, numPartitions=4).select(key.alias("k"), F.lit("x" * 50).alias("wide"))
    rows.write.format("delta").save(f"{folder}/t")
    parents = spark.range(6_000, numPartitions=2).select(
        (F.col("id") % 3_000).alias("k"), F.lit("y" * 50).alias("wide")
    )
    parents.write.format("delta").save(f"{folder}/p")
    return {n: Dataset(n, path=f"{folder}/{n}") for n in ("t", "p")}


def cost_of(spark: SparkSession, work: Work, wanted: ReferentialIntegrity, tables: dict[str, Dataset]) -> Finding:
    by_spark(spark, wanted, tables)
    with work:
        return by_spark(spark, wanted, tables)


def test_a_night_without_orphans_costs_one_scan_of_each_side_and_a_shuffle_of_keys(
    spark: SparkSession, work: Work, tables: dict[str, Dataset]
) -> None:
    found = cost_of(spark, work, check(), tables)
    assert (found.status, orphans(found)) == (Status.PASS, [0, 0, 4_000])
    assert 46_000 <= work.rows_read < 46_500
    # At most every key once for each of the 4 files of one side and the 2 of the other, and NULL once for each.
    assert work.shuffled_rows <= 4 * 1_801 + 2 * 3_001 + 500
    assert work.result_bytes < 100_000


def test_orphans_cost_no_more_than_that(spark: SparkSession, work: Work, tables: dict[str, Dataset]) -> None:
    found = cost_of(spark, work, check(dataset="p", references="t", violation_limit=5), tables)
    # Keys 0, 10, 20 and on are NULL in the other table, and those from 2,000 are not there.
    assert (orphans(found), len(found.violations)) == ([2 * 1_200, 1_200, 0], 5)
    assert 46_000 <= work.rows_read < 46_500
    assert work.shuffled_rows <= 4 * 1_801 + 2 * 3_001 + 500
    assert work.result_bytes < 100_000


def test_a_key_of_many_rows_is_one_row_of_the_shuffle(spark: SparkSession, work: Work) -> None:
    child = spark.range(200_000, numPartitions=4).selectExpr("if(id % 2 = 0, NULL, 7) AS a", "id AS b")
    only = child.selectExpr("a")
    with work:
        found = by_spark(spark, check(key=("a",)), t=only, p=spark.range(2).toDF("a"))
    assert orphans(found) == [100_000, 1, 100_000]
    assert work.shuffled_rows < 100
    with work:
        # With NULL in a column, the other columns of the key do not keep the rows apart.
        found = by_spark(spark, check(key=("a", "b")), t=child.where("a IS NULL"), p=child.limit(1))
    assert found.quantities["null_key_rows"].value == 100_000
    assert work.shuffled_rows < 100


@pytest.mark.parametrize(("child", "parent", "nulls", "rows"), [("t", "p", 4_000, 86_000), ("p", "t", 0, 46_000)])
def test_null_keys_cost_one_more_scan_only_where_they_exist(
    spark: SparkSession, work: Work, tables: dict[str, Dataset], child: str, parent: str, nulls: int, rows: int
) -> None:
    found = cost_of(spark, work, check(dataset=child, references=parent, nulls="violation"), tables)
    assert found.quantities["null_key_rows"].value == nulls
    assert rows <= work.rows_read < rows + 500


def test_a_million_duplicates_on_the_other_side_multiply_nothing(spark: SparkSession, work: Work) -> None:
    child = spark.range(100_000, numPartitions=2).selectExpr("1L AS k")
    with work:
        found = by_spark(spark, check(), t=child, p=spark.range(1_000_000, numPartitions=2).selectExpr("id % 2 AS k"))
    assert (found.status, found.evaluated_rows) == (Status.PASS, 100_000)
    assert work.shuffled_rows < 100
