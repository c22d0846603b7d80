"""Spark finds what the oracle finds in two splits, whatever the values are, and costs what it promises."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sparkguard.checks.split_overlap import SplitOverlap
from sparkguard.core.check import Run
from sparkguard.core.finding import Finding, Status
from sparkguard.core.measure import Answer, Measure
from sparkguard.core.source import Dataset
from sparkguard.engine.gather import Gathered, Rounds
from sparkguard.engine.reader import Reader
from sparkguard.engine.spark_engine import SparkEngine
from sparkguard.errors import DataError
from sparkguard.measures.splits import SharedKeys, SharedKeysAnswer, SplitHashes, SplitHashesAnswer, SplitValues
from tests.conftest import Work

RUN = Run(date(2026, 1, 31), datetime(2026, 1, 31))
NAN, INF = float("nan"), float("inf")
NAMES = ("train", "validation", "test")


def check(**fields: Any) -> SplitOverlap:
    return SplitOverlap(**{"id": "c", "dataset": "t", "split": "part", "splits": NAMES, **fields})


def apart(*names: str, **fields: Any) -> SplitOverlap:
    return SplitOverlap(**{"id": "c", "splits": {n: n for n in names}, **fields})


def engine_of(spark: SparkSession, datasets: dict[str, Dataset] | None = None, **frames: DataFrame) -> SparkEngine:
    return SparkEngine(Reader(spark, {name: Dataset(name) for name in frames} | (datasets or {}), frames))


def gathered(engine: SparkEngine, wanted: SplitOverlap) -> Gathered:
    [one] = Rounds(engine).gather([wanted])
    if one.error is not None:
        raise one.error
    return one


def found(engine: SparkEngine, wanted: SplitOverlap) -> dict[str, Finding]:
    one = gathered(engine, wanted)
    return {finding.subject: finding for finding in one.check.judge(one.seen, RUN)}


def frame(spark: SparkSession, rows: Sequence[tuple[Any, ...]], schema: str, partitions: int = 1) -> DataFrame:
    return spark.createDataFrame(list(rows), schema).repartition(partitions)


def values(finding: Finding, *names: str) -> list[float | None]:
    return [finding.quantities[name].value for name in names]


def shared(finding: Finding) -> list[float | None]:
    return values(finding, "shared_keys", "shared_key_rows_first", "shared_key_rows_second", "null_key_rows")


def without_buckets(answer: Answer) -> Answer:
    """An answer without what only Spark's own hash and texts tell."""
    if isinstance(answer, SplitHashesAnswer):
        return replace(answer, suspects=frozenset())
    if isinstance(answer, SharedKeysAnswer):
        pairs = {pair: replace(both, top=()) for pair, both in answer.pairs.items()}
        return replace(answer, pairs=pairs)
    return answer


def compared(
    engine: SparkEngine, wanted: SplitOverlap, rows: Mapping[str, list[tuple[Any, ...]]], names: str
) -> list[Answer]:
    """Every answer of Spark, which is that of the oracle on the same rows."""
    answers: Mapping[Measure[Answer], Any] = gathered(engine, wanted).seen.answers
    for measure, answer in answers.items():
        places = {s: [names.split().index(c.name) for c in columns] for s, columns in measure.reads.items()}
        tables = {s: [[row[i] for i in at] for row in rows[s.dataset]] for s, at in places.items()}
        twin = measure.twin(tables)  # type: ignore[attr-defined]
        assert without_buckets(answer) == without_buckets(twin), str(measure)
        if isinstance(answer, SharedKeysAnswer):
            for pair, both in answer.pairs.items():
                assert [k.counts for k in both.top] == [k.counts for k in twin.pairs[pair].top]
    return list(answers.values())


# The first values are in train, the second in validation, the third in test.
COLUMNS: dict[str, tuple[str, list[Any], list[Any], list[Any]]] = {
    "int": ("INT", [1, 2, 2, None], [2, -5, None], [7, 1]),
    "bigint": ("BIGINT", [2**62, -(2**63), 0], [-(2**63), 0, 0], [2**62 + 1, None]),
    "string": ("STRING", ["a", "A", "a ", "", None, "ß", "Ω", "日本"], ["a", "ss", "", None], ["\u2126", "日本"]),
    "double": ("DOUBLE", [0.0, NAN, INF, 1.5, None], [-0.0, -INF, None], [-NAN, INF, 1.25]),
    "float": ("FLOAT", [0.0, NAN, 0.5], [-0.0, 0.25], [-NAN, 0.25, None]),
    "decimal": ("DECIMAL(15,2)", [Decimal("1.10"), Decimal(0)], [Decimal("-0.00"), None], [Decimal("1.1"), None]),
    "boolean": ("BOOLEAN", [True, True, None], [False], [False, None]),
    "date": ("DATE", [date(1, 1, 1), date(1582, 10, 4)], [date(1582, 10, 15), None], [date(1582, 10, 4)]),
    "timestamp": ("TIMESTAMP", [datetime(1969, 12, 31), datetime(2026, 3, 29, 1)], [datetime(1969, 12, 31)], [None]),
    "timestamp_ntz": ("TIMESTAMP_NTZ", [datetime(2026, 3, 29, 2, 30)], [datetime(2026, 3, 29, 2, 30)], [None]),
    "binary": ("BINARY", [b"\x00", b""], [b"\x00\x00", b""], [b"\x00", None]),
}
NESTED: dict[str, tuple[str, list[Any], list[Any], list[Any]]] = {
    "array": ("ARRAY<DOUBLE>", [[0.0, NAN], [1.0, None], [], None], [[-0.0, -NAN], [None, 1.0]], [[], [1.0], None]),
    "arrays": ("ARRAY<ARRAY<INT>>", [[[1], [2]], [[1, 2]]], [[[1], [2]], [[], [1, 2]]], [[[1, 2], []]]),
    "struct": (
        "STRUCT<a: DOUBLE, b: STRING>",
        [(0.0, "x"), (None, "x"), (None, None), None],
        [(-0.0, "x"), (None, "x"), None],
        [(NAN, "y"), (None, None)],
    ),
    "map": ("MAP<STRING,DOUBLE>", [{"a": 0.0, "b": NAN}, {}], [{"b": -NAN, "a": -0.0}, {"a": None}], [{}, None]),
}


@pytest.mark.parametrize("partitions", [7])
@pytest.mark.parametrize("kind", ["string", "double", "date", "binary", "map"])
def test_spark_answers_as_the_oracle_does_for_types_of_every_shape(
    spark: SparkSession, kind: str, partitions: int
) -> None:
    sql, *splits = (COLUMNS | NESTED)[kind]
    rows: list[tuple[Any, ...]] = [
        (v, n, s) for s, vs in zip(NAMES, splits, strict=True) for v in vs * 2 for n in (0, None)
    ]
    rows += [(v, 0, other) for v in splits[0] for other in (None, "spare")]
    engine = engine_of(spark, t=frame(spark, rows, f"k {sql}, n INT, part STRING", partitions))
    answers = compared(engine, check(rows=True), {"t": rows}, "k n part")
    assert any(isinstance(answer, SharedKeysAnswer) and answer.keys for answer in answers)
    if kind in COLUMNS:
        compared(engine, check(key=("k", "n"), entity=("k",)), {"t": rows}, "k n part")
    others = {n: [(v, i % 2) for i, v in enumerate(vs)] for n, vs in zip(NAMES, splits, strict=True)}
    frames = {n: frame(spark, r, f"k {sql}, n INT", partitions) for n, r in others.items()}
    compared(engine_of(spark, None, **frames), apart(*NAMES, rows=True), others, "k n")


@pytest.mark.parametrize("rows", [[], [(None, None, "train"), (None, None, "test")], [(1, 1, None), (2, 2, "spare")]])
def test_no_rows_and_rows_of_nulls_are_what_they_are(spark: SparkSession, rows: list[Any]) -> None:
    engine = engine_of(spark, t=frame(spark, rows, "k INT, n INT, part STRING", 2))
    compared(engine, check(rows=True, key=("k",)), {"t": rows}, "k n part")
    assert found(engine, check(key=("k",)))[":all"].status is Status.ERROR


def test_all_rows_null_are_equal_rows_and_no_key(spark: SparkSession) -> None:
    rows = [(None, None, "train"), (None, None, "train"), (None, None, "test")]
    engine = engine_of(spark, t=frame(spark, rows, "k INT, n INT, part STRING", 2))
    of_rows = found(engine, check(splits=("train", "test"), rows=True))["train & test"]
    of_keys = found(engine, check(splits=("train", "test"), key=("k",)))["train & test"]
    assert values(of_rows, "shared_contents", "shared_rows") == [1, 3]
    assert (of_keys.status, shared(of_keys)) == (Status.WARN, [0, 0, 0, 3])


@pytest.mark.parametrize(
    ("one", "other", "mine", "theirs"),
    [
        ("INT", "BIGINT", [1, 2], [2, 2**40]),
        ("DECIMAL(15,2)", "DECIMAL(20,4)", [Decimal("1.10"), Decimal("2.00")], [Decimal("1.1000"), Decimal("2.0001")]),
        ("INT", "DOUBLE", [0, 8], [-0.0, 8.5]),
        (
            "DATE",
            "TIMESTAMP_NTZ",
            [date(1500, 1, 1), date(2026, 1, 2)],
            [datetime(1500, 1, 1), datetime(2026, 1, 2, 1)],
        ),
    ],
)
def test_types_with_a_common_type_compare_by_value(
    spark: SparkSession, one: str, other: str, mine: list[Any], theirs: list[Any]
) -> None:
    rows = {"train": [(v,) for v in mine], "test": [(v,) for v in theirs]}
    frames = {"train": frame(spark, rows["train"], f"k {one}"), "test": frame(spark, rows["test"], f"k {other}")}
    names = ("train", "test") if one < other else ("test", "train")
    compared(engine_of(spark, None, **frames), apart(*names, key=("k",), rows=True), rows, "k")
    pair = found(engine_of(spark, None, **frames), apart(*names, key=("k",)))[" & ".join(names)]
    assert shared(pair) == [1, 1, 1, 0]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("7", "'7'"),
        ("7L", "7D"),
        ("DATE'2026-01-01'", "TIMESTAMP'2026-01-01 00:00:00'"),
        ("'a' COLLATE UTF8_LCASE", "'a'"),
    ],
)
def test_types_without_a_common_type_are_an_error_that_names_both(spark: SparkSession, one: str, other: str) -> None:
    engine = engine_of(spark, train=spark.sql(f"SELECT {one} AS k"), test=spark.sql(f"SELECT {other} AS k"))
    with pytest.raises(DataError, match=r"key column 'k' is .* in train, .* in test, so its values cannot be matched"):
        found(engine, apart("train", "test", key=("k",)))
    with pytest.raises(DataError, match=r"rows cannot be compared by value: 'k' is .* in train, .* in test"):
        found(engine, apart("train", "test"))


@pytest.mark.parametrize("kind", ["array(map(1, 2))", "struct(parse_json('1') AS v)", "NULL"])
def test_what_cannot_be_compared_is_an_error_until_it_is_left_out(spark: SparkSession, kind: str) -> None:
    engine = engine_of(spark, t=spark.sql(f"SELECT {kind} AS odd, 1 AS k, p AS part FROM VALUES ('a'), ('b') AS t(p)"))
    with pytest.raises(DataError, match=r"rows cannot be compared by value: 'odd' is") as caught:
        found(engine, check(splits=("a", "b")))
    assert "rows_except" in str(caught.value.remedy)
    assert found(engine, check(splits=("a", "b"), rows=True, rows_except=("odd",)))[":all"].violation_rows == 2


def test_variants_compare_by_their_json(spark: SparkSession) -> None:
    data = spark.sql("""SELECT parse_json(j) AS v, p AS part FROM VALUES
        ('{"a": 1, "b": 2}', 'train'), ('{"b": 2, "a": 1}', 'test'), ('null', 'train'), (NULL, 'test') AS t(j, p)""")
    pair = found(engine_of(spark, t=data), check(splits=("train", "test")))["train & test"]
    assert values(pair, "shared_contents", "shared_rows") == [1, 2]
    assert pair.violations[0].key == {"v": '{"a":1,"b":2}'}


def test_text_compares_by_its_collation_alone_and_inside_of_others(spark: SparkSession) -> None:
    words = "('A', 'train'), ('b', 'train'), ('a', 'test') AS t(c, p)"
    data = spark.sql(
        f"SELECT c COLLATE UTF8_LCASE AS c, array(c COLLATE UTF8_LCASE) AS cs, p AS part FROM VALUES {words}"
    )
    engine = engine_of(spark, t=data)
    assert shared(found(engine, check(splits=("train", "test"), key=("c",)))["train & test"]) == [1, 1, 1, 0]
    pair = found(engine, check(splits=("train", "test")))["train & test"]
    assert values(pair, "shared_contents", "shared_rows") == [1, 2]


@pytest.mark.parametrize(
    "name", ["a.b", "with space", "tick`ed", "Größe", "SELECT", "x'; DROP TABLE t; --", "c0", "k0", "s"]
)
def test_odd_column_names_are_only_names(spark: SparkSession, name: str) -> None:
    rows = [(1, 1, "train"), (2, 2, "test"), (1, 3, "test")]
    data = frame(spark, rows, "k INT, n INT, part STRING").withColumnsRenamed({"k": name, "part": f"{name}2"})
    engine = engine_of(spark, t=data)
    pair = found(engine, check(split=f"{name}2", splits=("train", "test"), key=(name,)))["train & test"]
    assert [dict(v.key) for v in pair.violations] == [{name: "1"}]
    pair = found(engine, check(split=f"{name}2", splits=(), rows=True, rows_except=("n",)))["test & train"]
    assert [dict(v.key) for v in pair.violations] == [{name: "1"}]


@pytest.mark.parametrize(
    ("values_", "names"),
    [
        ("1, 2", (1, 2)),
        ("true, false", (True, False)),
        ("DATE'2026-01-01', DATE'2026-01-02'", ("2026-01-01", "2026-01-02")),
        ("'it''s', 'a\\\\b'", ("it's", "a\\b")),
        ("'A' COLLATE UTF8_LCASE, 'b' COLLATE UTF8_LCASE", ("A", "b")),
    ],
)
def test_values_of_any_plain_type_name_splits(spark: SparkSession, values_: str, names: tuple[Any, ...]) -> None:
    data = spark.sql(f"SELECT 1 AS k, explode(array({values_})) AS part")
    listed = found(engine_of(spark, t=data), check(splits=names, key=("k",)))
    assert (listed[":all"].evaluated_rows, values(listed[":all"], "other_rows")) == (2, [0])
    assert found(engine_of(spark, t=data), check(splits=(), key=("k",)))[":all"].violation_rows == 2


def test_the_worst_of_each_pair_come_first_with_their_rows_in_both(spark: SparkSession) -> None:
    rows: list[tuple[str | None, str]] = [(f"k{i}", s) for i in range(5) for s in ("train",) * (i + 1) + ("test",)]
    rows += [("only", "train"), ("only", "validation"), (None, "train"), (None, "test")]
    findings = found(
        engine_of(spark, t=frame(spark, rows, "k STRING, part STRING", 5)), check(key=("k",), violation_limit=2)
    )
    assert [(v.key["k"], v.count, v.actual) for v in findings["train & test"].violations] == [
        ("k4", 6, "5 rows of train, 1 row of test"),
        ("k3", 5, "4 rows of train, 1 row of test"),
    ]
    assert [v.key["k"] for v in findings["train & validation"].violations] == ["only"]
    assert shared(findings["train & test"]) == [5, 15, 5, 2]
    assert shared(findings["validation & test"]) == [0, 0, 0, 1]
    assert values(findings[":all"], "shared_keys", "shared_key_rows", "null_key_rows") == [6, 22, 2]


def test_a_row_in_three_splits_counts_once_in_all(spark: SparkSession) -> None:
    rows = [(1, "train"), (1, "validation"), (1, "test"), (2, "test")]
    findings = found(engine_of(spark, t=frame(spark, rows, "k INT, part STRING", 2)), check(key=("k",)))
    assert values(findings[":all"], "shared_keys", "shared_key_rows") == [1, 3]
    assert [findings[s].violation_rows for s in ("train & validation", "train & test", "validation & test")] == [
        2,
        2,
        2,
    ]


def test_a_wide_row_is_compared_whole_and_shown_in_part(spark: SparkSession) -> None:
    wide = spark.range(4).selectExpr(
        "if(id < 2, 'train', 'test') AS part", *(f"CAST(id % 2 AS INT) + {i} AS f{i}" for i in range(300))
    )
    wide = wide.withColumn("f299", F.when((F.col("part") == "test") & (F.col("f0") == 1), 0).otherwise(F.col("f299")))
    pair = found(engine_of(spark, t=wide), check(splits=("train", "test")))["train & test"]
    assert values(pair, "shared_contents", "shared_rows") == [1, 2]
    assert len(pair.violations[0].key) == 20


def test_all_evidence_is_a_frame(spark: SparkSession) -> None:
    rows = [(i, "x", s) for i in range(40) for s in ("train", "test", "test")] + [(99, "x", "train")]
    engine = engine_of(spark, t=frame(spark, rows, "k INT, e STRING, part STRING", 3))
    wanted = check(splits=("train", "test"), key=("k",), entity=("e",), violations_to="a.b", violation_limit=2)
    findings = found(engine, wanted)
    evidence = engine.evidence(findings[":all"].queries, ("e",))
    kinds = evidence.groupBy("kind").agg(F.sum("count").alias("n"), F.count(F.lit(1)).alias("keys")).collect()
    assert {r["kind"]: (r["n"], r["keys"]) for r in kinds} == {"shared_key": (120, 40), "shared_entity": (121, 1)}
    of_key = evidence.where("kind = 'shared_key' AND key['k'] = '7'").collect()
    assert [row["reason"] for row in of_key] == ["1 row of train, 2 rows of test"]
    assert {r["e"] for r in evidence.where("kind = 'shared_entity'").selectExpr("key['e'] AS e").collect()} == {
        "[redacted]"
    }
    assert findings["train & test"].queries == ()


def test_splits_that_are_not_named_are_found(spark: SparkSession) -> None:
    rows = [(i, f"fold{i % 3}") for i in range(9)] + [(0, None)]
    engine = engine_of(spark, t=frame(spark, rows, "k INT, part STRING", 2))
    findings = found(engine, check(splits=(), key=("k",)))
    assert list(findings) == ["fold0 & fold1", "fold0 & fold2", "fold1 & fold2", ":all"]
    assert (findings[":all"].status, values(findings[":all"], "other_rows")) == (Status.PASS, [1])
    many = engine_of(spark, t=spark.range(50).selectExpr("id AS k", "id AS part"))
    with pytest.raises(DataError, match="'part' has more than 16 values"):
        found(many, check(splits=(), key=("k",)))


def test_sixteen_splits_are_compared(spark: SparkSession) -> None:
    data = spark.range(160, numPartitions=3).selectExpr(
        "id % 40 AS k", "concat('f', lpad(CAST(id % 16 AS STRING), 2, '0')) AS part"
    )
    engine = engine_of(spark, t=data)
    names = tuple(f"f{i:02}" for i in range(16))
    findings = found(engine, check(splits=names, key=("k",), violation_limit=3))
    rows = [(r["k"], r["part"]) for r in data.collect()]
    compared(engine, check(splits=names, key=("k",)), {"t": rows}, "k part")
    assert len(findings) == 121
    assert findings[":all"].violation_rows == 160


@pytest.fixture(scope="module")
def tables(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Dataset]:
    """40,000 rows of 8,000 users in 4 files: train, validation and test by user, and a tenth NULL."""
    place = str(tmp_path_factory.mktemp("splits") / "t")
    user = F.when(F.col("id") % 10 > 0, F.col("id") % 8_000)
    part = F.expr("CASE id % 8 WHEN 0 THEN 'test' WHEN 1 THEN 'validation' ELSE 'train' END")
    rows = spark.range(40_000, numPartitions=4).select("id", user.alias("user"), part.alias("part"))
    rows = rows.withColumn("spoilt", F.when(F.col("id") == 1, F.lit(2)).otherwise(F.col("user")))
    rows.write.format("delta").save(place)
    return {"t": Dataset("t", path=place)}


def cost_of(spark: SparkSession, work: Work, wanted: SplitOverlap, tables: dict[str, Dataset]) -> dict[str, Finding]:
    engine = engine_of(spark, tables)
    found(engine, wanted)
    with work:
        return found(engine_of(spark, tables), wanted)


def test_a_night_without_overlap_costs_one_read_and_one_shuffle_of_hashes(
    spark: SparkSession, work: Work, tables: dict[str, Dataset]
) -> None:
    findings = cost_of(spark, work, check(entity=("user",)), tables)
    assert {f.status for f in findings.values()} == {Status.PASS}
    assert 40_000 <= work.rows_read < 40_500
    # Each user once for each of the 4 files, NULL once for each, and the totals of the tasks.
    assert work.shuffled_rows <= 4 * (7_200 + 1) + 500
    assert work.result_bytes < 100_000


def test_each_question_costs_one_read_and_no_pair_costs_another(
    spark: SparkSession, work: Work, tables: dict[str, Dataset]
) -> None:
    cost_of(spark, work, check(splits=("train", "test"), entity=("user",)), tables)
    jobs, rows = work.jobs, work.rows_read
    cost_of(spark, work, check(entity=("user",), key=("id",)), tables)
    assert 80_000 <= work.rows_read - rows < 80_500
    assert work.jobs - jobs <= 2 * jobs


def test_what_is_shared_costs_a_second_read_of_the_suspect_rows(
    spark: SparkSession, work: Work, tables: dict[str, Dataset]
) -> None:
    findings = cost_of(spark, work, check(entity=("spoilt",), violation_limit=5), tables)
    # User 2 is in train; a row of user 1, of validation, is taken for one of it.
    assert values(findings["train & validation"], "shared_entities", "shared_entity_rows_first") == [1, 5]
    assert values(findings["train & validation"], "shared_entity_rows_second") == [1]
    assert 80_000 <= work.rows_read < 80_500
    # Of the second shuffle a bucket of 64.
    assert work.shuffled_rows <= 4 * (7_200 + 1) * (1 + 3 / 64) + 500
    assert work.result_bytes < 100_000


def test_splits_that_are_not_named_cost_a_read_of_their_column(
    spark: SparkSession, work: Work, tables: dict[str, Dataset]
) -> None:
    cost_of(spark, work, check(splits=(), entity=("user",)), tables)
    assert 80_000 <= work.rows_read < 80_500


def test_a_key_of_many_rows_and_null_are_one_row_of_the_shuffle(spark: SparkSession, work: Work) -> None:
    data = spark.range(200_000, numPartitions=4).selectExpr(
        "if(id % 2 = 0, NULL, 7) AS a", "id AS b", "if(id % 4 < 2, 'train', 'test') AS part"
    )
    with work:
        findings = found(engine_of(spark, t=data), check(splits=("train", "test"), key=("a",)))
    assert shared(findings["train & test"]) == [1, 50_000, 50_000, 100_000]
    assert work.shuffled_rows < 100
    with work:
        # With NULL in a column, the other columns of the key do not keep the rows apart; nor do those of no split.
        found(engine_of(spark, t=data.where("a IS NULL")), check(splits=("train", "test"), key=("a", "b")))
        found(engine_of(spark, t=data), check(splits=("x", "y"), key=("b",)))
    assert work.shuffled_rows < 100


def test_what_millions_share_sends_only_the_worst_to_the_driver(spark: SparkSession, work: Work) -> None:
    data = spark.range(300_000, numPartitions=4).selectExpr("id DIV 3 AS k", "concat('s', id % 3) AS part")
    with work:
        findings = found(engine_of(spark, t=data), check(splits=("s0", "s1", "s2"), key=("k",), violation_limit=10))
    assert values(findings[":all"], "shared_keys", "shared_key_rows") == [100_000, 300_000]
    assert [len(f.violations) for f in findings.values()] == [10, 10, 10, 0]
    assert work.result_bytes < 200_000
    # Twice the keys of each task, by hash and by value; ranks are cut before their shuffle.
    assert work.shuffled_rows < 2 * 300_000 + 2_000


def test_the_plan_names_what_is_asked(spark: SparkSession, tables: dict[str, Dataset]) -> None:
    asked = gathered(engine_of(spark, tables), check(splits=(), entity=("user",))).seen.answers
    assert [type(m) for m in asked] == [SplitValues, SplitHashes]
    assert [str(m) for m in asked] == ["values of part in t", "hashes (user) of t by part"]
    assert [m.cost.scans for m in asked] == [1, 1]
    assert SharedKeys.reason
