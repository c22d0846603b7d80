"""Spark says of labels what the oracle says, in as many scans and shuffles as promised."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from sparkguard.checks.label_quality import LabelQuality
from sparkguard.core.finding import Finding, Violation
from sparkguard.core.source import Dataset
from sparkguard.engine.gather import Rounds
from sparkguard.engine.reader import Reader
from sparkguard.engine.spark_engine import SparkEngine
from sparkguard.errors import DataError
from sparkguard.measures.labels import LabelCounts
from sparkguard.testing import judge
from tests.conftest import Work
from tests.engine.test_spark_baselines import RUN

NAN = float("nan")
SCHEMA = (
    "y STRING, n DOUBLE, b BOOLEAN, `a.b` STRING, x DOUBLE, d DATE, m DECIMAL(9,2), p DOUBLE, pa FLOAT, pb FLOAT, "
    "pc FLOAT, user STRING, id INT"
)
NAMES = ("y", "n", "b", "a.b", "x", "d", "m", "p", "pa", "pb", "pc", "user", "id")
CLASSES = (None, "Zürich's", "b", "c")
ROWS: list[tuple[Any, ...]] = [
    (
        CLASSES[i % 4],
        (None, NAN, float("inf"), -0.0, 0.0, 1.0, 2.5)[i % 7],
        (None, True, False)[i % 3],
        ("x", None, "`")[i % 3],
        (0.0, -0.0, NAN, 1.5)[i % 4 if i % 5 else 0],
        (date(1500, 1, 1), None)[i % 2],
        Decimal(i % 3),
        (0.9, 0.2, 0.5, 0.05, 1.0, 0.0, 0.3, 0.85)[i % 8],
        *((0.75, 0.125, 0.125), (0.25, 0.5, 0.25), (0.0625, 0.0625, 0.875))[i % 3],
        f"u{i % 30}",
        i,
    )
    for i in range(600)
]
TABLE = [dict(zip(NAMES, row, strict=True)) for row in ROWS]
FEATURES = ["`a.b`", "x", "d", "m"]


def check(**fields: Any) -> LabelQuality:
    of = {"id": "labels", "dataset": "t", "features": FEATURES, "key": ["id"]}
    return LabelQuality(**{**of, **fields})


def mine(spark: SparkSession, wanted: LabelQuality, partitions: int) -> tuple[tuple[Finding, ...], Work, int]:
    data = spark.createDataFrame(ROWS, SCHEMA).repartition(partitions)
    frames = {"t": data, "old": data.where("id % 5 <> 0")}
    engine = SparkEngine(Reader(spark, {name: Dataset(name) for name in frames}, frames))
    with Work(spark) as work:
        [one] = Rounds(engine).gather([wanted])
    assert one.error is None
    return wanted.judge(one.seen, RUN), work, len(one.seen.answers)


CASES: dict[str, dict[str, Any]] = {
    "texts": {"label": "y", "probabilities": {"Zürich's": "pa", "b": "pb", "c": "pc"}, "min_probability": 0.5},
    "numbers": {"label": "n", "score": "p", "positive": 1, "training": "old", "min_probability": 0},
    "one class": {"label": "y", "probabilities": {"b": "pa", "none": "pb", "more": "pc"}, "min_probability": 0},
    "booleans": {"label": "b", "score": "p", "positive": False, "training": "old"},
}


@pytest.mark.parametrize(("fields", "partitions"), [(f, p) for f, p in zip(CASES.values(), (1, 7, 2, 3), strict=True)])
def test_labels_are_those_of_the_oracle(spark: SparkSession, fields: dict[str, Any], partitions: int) -> None:
    wanted = check(**fields)
    found, *_ = mine(spark, wanted, partitions)
    expected = judge(wanted, {"t": TABLE, "old": [row for row in TABLE if row["id"] % 5]})
    assert [shown(f) for f in found] == [shown(f) for f in expected]
    for one, other in zip(found, expected, strict=True):
        assert values(one) == pytest.approx(values(other), nan_ok=True)
    assert sorted(map(str, evidence(found))) == sorted(map(str, evidence(expected)))


def shown(finding: Finding) -> tuple[object, ...]:
    return finding.status, finding.slice_value, finding.message


def values(finding: Finding) -> dict[str, float | None]:
    return {name: quantity.value for name, quantity in finding.quantities.items()}


def evidence(findings: tuple[Finding, ...]) -> list[Violation]:
    """The evidence, numbers in one spelling: texts of decimals are not the same in Spark and in Python."""
    found = []
    for one in findings[0].violations:
        key = {k: str(float(t)) if k in ("x", "m") and t is not None else t for k, t in one.key.items()}
        found.append(replace(one, key=key))
    return found


def test_what_is_asked_costs_what_is_promised(spark: SparkSession) -> None:
    findings, work, answers = mine(spark, check(**CASES["texts"]), 3)
    assert answers == 5
    # Classes, hashes, conflicts by label, and pairs of classes; each task adds up first.
    assert work.shuffled_rows < 3 * 1_000
    assert work.result_bytes < 300_000
    assert findings[0].quantities["doubted_labels"].value


def test_clusters_are_hashed_into_groups(spark: SparkSession) -> None:
    wanted = check(label="b", training="old", cluster=["user"], conflicts=False)
    found, *_ = mine(spark, wanted, 3)
    margin = found[0].quantities["l_infinity_distance"].margin
    assert 0 < margin < 1


def test_labels_without_end_are_no_classes(spark: SparkSession) -> None:
    wanted = check(label="id", features=["x"], key=[], conflicts=False)
    data = spark.range(1_500).selectExpr("id", "1D AS x")
    engine = SparkEngine(Reader(spark, {"t": Dataset("t")}, {"t": data}))
    [one] = Rounds(engine).gather([wanted])
    [broken] = [answer for measure, answer in one.seen.answers.items() if isinstance(measure, LabelCounts)]
    assert "'id' of 't' has more than 1,000 different values" in str(broken)


def found(spark: SparkSession, data: DataFrame, **fields: Any) -> tuple[Finding, ...]:
    wanted = LabelQuality(**{"id": "labels", "dataset": "t", "label": "y", **fields})
    engine = SparkEngine(Reader(spark, {"t": Dataset("t")}, {"t": data}))
    [one] = Rounds(engine).gather([wanted])
    if one.error is not None:
        raise one.error
    return wanted.judge(one.seen, RUN)


@pytest.mark.parametrize(
    "feature", ["array(id, NULL)", "IF(id % 2 = 0, array(NULL, id), array(id, NULL))", "map('a', id)"]
)
def test_nested_features_may_share_a_hash_so_repeated_rows_are_not_told(spark: SparkSession, feature: str) -> None:
    data = spark.range(200).selectExpr(f"{feature} AS x", "id % 2 AS y")
    whole, *_ = found(spark, data)
    assert whole.quantities["repeated_rows"].value is None
    assert whole.quantities["conflicting_rows"].value == 0
    assert "no equal features have different labels" in whole.message


def test_texts_under_a_collation_are_equal_as_it_says(spark: SparkSession) -> None:
    if spark.version < "4":
        pytest.skip("collations came with Spark 4")
    data = spark.range(200).selectExpr(
        "concat(IF(id < 2, 'K', 'k'), id % 100) COLLATE UTF8_LCASE AS x", "id >= 198 AS y"
    )
    whole, *_ = found(spark, data)
    assert (whole.quantities["repeated_rows"].value, whole.quantities["conflicting_rows"].value) == (None, 4)


def test_more_features_than_spark_can_group_by_are_refused(spark: SparkSession) -> None:
    data = spark.range(9).selectExpr("id % 2 AS y", *(f"id AS x{i}" for i in range(2_001)))
    with pytest.raises(DataError, match="conflicts of 2,001 features are looked for; 2,000 is the most") as error:
        found(spark, data)
    assert "conflicts: false" in str(error.value.remedy)
    whole, *_ = found(spark, data, conflicts=False, error_if={}, warn_if={})
    assert whole.quantities["features"].value == 2_001


def test_a_feature_that_holds_the_label_is_refused(spark: SparkSession) -> None:
    data = spark.range(60).selectExpr("named_struct('y', id % 2, 'x', id) AS s")
    with pytest.raises(DataError, match=r"the feature 's' has 's\.y' in it"):
        found(spark, data, label="s.y")


@pytest.mark.parametrize(
    ("redact", "reason"),
    [
        ((), "label 0, but a model that has not seen the row is confident of another class: 1, probability 0.9123"),
        (("p",), "a model that has not seen the row is confident of another class"),
    ],
)
def test_a_table_of_evidence_says_what_is_doubted(spark: SparkSession, redact: tuple[str, ...], reason: str) -> None:
    told = "IF(id = 7, 0.91234D, IF(id % 2 = 1, 0.85D, 0.1D))"
    data = spark.range(100).selectExpr("id", "IF(id = 7, 0L, id % 2) AS y", f"{told} AS p")
    wanted = LabelQuality(
        id="labels",
        dataset="t",
        label="y",
        score="p",
        key=("id",),
        conflicts=False,
        violations_to="main.ops.evidence",
        redact=redact,
    )
    engine = SparkEngine(Reader(spark, {"t": Dataset("t")}, {"t": data}))
    [one] = Rounds(engine).gather([wanted])
    queries = wanted.judge(one.seen, RUN)[0].queries
    [row] = engine.evidence(queries, redact).collect()
    assert row["reason"] == reason
