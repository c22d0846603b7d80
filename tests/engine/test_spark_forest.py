"""Trees on all rows by Spark ML: what each feature's importance is, whatever its type."""

import math
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sparkguard.checks.label_leakage import LabelLeakage
from sparkguard.core.check import Run
from sparkguard.core.finding import Finding
from sparkguard.core.source import Dataset
from sparkguard.engine.gather import Rounds
from sparkguard.engine.reader import Reader
from sparkguard.engine.spark_engine import SparkEngine

RUN = Run(date(2026, 3, 26), datetime(2026, 3, 26, tzinfo=UTC))
START = datetime(2026, 1, 1)
DDL = (
    "late BOOLEAN, kind STRING, delay DOUBLE, leak DOUBLE, copy INT, noise DOUBLE, odd DOUBLE, price DECIMAL(10,2), "
    "ts TIMESTAMP, day DATE, flag BOOLEAN, `a b.c` STRING, tags ARRAY<INT>, id STRING"
)


def rows(many: int = 1_200) -> list[tuple[Any, ...]]:
    rng = np.random.default_rng(4)
    found: list[tuple[Any, ...]] = []
    for i in range(many):
        late = bool(rng.random() < 0.3)
        odd = (math.nan, math.inf, -math.inf, None, 1.5)[i % 5]
        leak = None if i % 50 == 0 else float(late) * 10 + rng.normal()
        known = (late, "abc"[int(late) + int(rng.random() < 0.5)], 60.0 * late + rng.random(), leak, int(late) * 7)
        price, flag = Decimal(int(rng.integers(999))) / 100, bool(rng.random() < 0.5)
        ts, day = (timedelta(hours=int(rng.integers(999))), timedelta(days=int(rng.integers(999))))
        text = None if i % 9 == 0 else f"x{rng.integers(300)}"
        others = (START + ts, date(1500, 1, 1) + day, flag, text, [i] if i % 2 else None, f"id{i}")
        found.append((*known, rng.normal(), odd, price, *others))
    return found


@pytest.fixture(scope="module")
def table(spark: SparkSession) -> DataFrame:
    return spark.createDataFrame(rows(), DDL)


def judged(spark: SparkSession, table: DataFrame, **fields: object) -> Mapping[str, Finding]:
    known: dict[str, Any] = {"id": "no_proxy", "dataset": "t", "engine": "mllib", "sample_rows": 500}
    check = LabelLeakage.model_validate({**known, **fields})
    engine = SparkEngine(Reader(spark, {"t": Dataset("t")}, {"t": table}))
    [gathered] = Rounds(engine).gather([check], {}, RUN.now)
    assert gathered.error is None, gathered.error
    return {f.subject: f for f in gathered.check.judge(gathered.seen, RUN)}


def share(finding: Finding) -> float:
    return finding.quantities["importance"].value or 0.0


def test_features_of_every_type_have_an_importance_and_a_leak_with_its_copy_has_it_all(
    spark: SparkSession, table: DataFrame
) -> None:
    found = judged(spark, table, label="late", exclude=["kind", "delay"])
    assert share(found["leak"]) + share(found["copy"]) > 0.99
    assert found["leak"].status.value == found["copy"].status.value == "fail"
    for name in ("noise", "odd", "price", "ts", "day", "flag", "a b.c", "tags", "id"):
        assert share(found[name]) < 0.01, name
    assert sum(share(found[name]) for name in found if name != ":all") == pytest.approx(1)


def test_it_is_the_same_for_a_seed_and_its_importance_is_not_that_of_the_sample(
    spark: SparkSession, table: DataFrame
) -> None:
    honest = {"label": "late", "features": ["kind", "noise", "price", "a b.c", "odd"]}
    one, again = (judged(spark, table.repartition(n), **honest) for n in (2, 2))
    assert all(share(one[name]) == share(again[name]) for name in one if name != ":all")
    sampled = judged(spark, table, **honest, engine="sklearn")
    assert share(one["kind"]) != share(sampled["kind"])
    assert share(one["kind"]) == pytest.approx(share(sampled["kind"]), abs=0.25)
    assert one["noise"].status.value == "pass"


@pytest.mark.parametrize("label", ["kind", "delay"])
def test_texts_and_numbers_are_labels_and_rows_without_one_are_left_out(
    spark: SparkSession, table: DataFrame, label: str
) -> None:
    wide = table.withColumn("delay", F.expr("IF(rand(1) < 0.1, double('NaN'), delay)"))
    twin = F.col("kind") if label == "kind" else F.col("delay") * 2
    found = judged(spark, wide.select(label, twin.alias("twin"), "noise", "price", "flag"), label=label)
    assert found["twin"].status.value == "fail"
    assert share(found["twin"]) > 0.9
