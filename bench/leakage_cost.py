"""What `label_leakage` costs on a large table: a bare scan, the pass that counts, the whole check, Spark ML's trees.

The table is synthetic: a label that is NULL nowhere, numbers, whole numbers and texts, none of which is the label.
The ways are timed in turn, after a round that only warms up, and compared round by round.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from timing import Meter, Way, expect, measure, show

from sparkguard.app import session
from sparkguard.checks.label_leakage import LabelLeakage
from sparkguard.core.check import Run
from sparkguard.core.columns import Column
from sparkguard.core.source import Dataset, Source
from sparkguard.engine.gather import Rounds
from sparkguard.engine.reader import Reader
from sparkguard.engine.spark_engine import SparkEngine
from sparkguard.measures.row_sample import RowSample, SampledRows
from sparkguard.shapes.leakage import Asking, Question, asking

DATA = Path(__file__).parent.parent / "data" / "leakage"
AIM = 4.0
"""Seconds of the pass that counts by those of a bare scan of the same columns, at most."""
SAMPLE = 200_000
TEXTS, WHOLE = 5, 5
"""One column in so many is a text, and one a whole number; all else are doubles."""


def table(spark: SparkSession, folder: Path, rows: int, features: int) -> Path:
    """Write the table as Parquet, once."""
    target = folder / f"{rows}x{features}"
    if (target / "_SUCCESS").exists():
        return target
    shutil.rmtree(target, ignore_errors=True)

    def feature(i: int) -> str:
        draw = f"pmod(xxhash64(id, {i}), 1000003) / 1000003"
        if i % TEXTS == 0:
            return f"concat('v', CAST({draw} * {2 + i % 7 * 40} AS INT)) AS f{i}"
        if i % WHOLE == 1:
            return f"CAST({draw} * {100 + i * 50} AS INT) AS f{i}"
        return f"IF(pmod(xxhash64({i}, id), 50) = 0, NULL, round(ln({draw} + 0.001) * {1 + i % 3}, 3)) AS f{i}"

    label = "pmod(xxhash64(id, -1), 10) < 2 + IF(pmod(xxhash64(id, 2), 1000003) > 500000, 3, 0) AS label"
    made = spark.range(0, rows, 1, 24).selectExpr(label, *(feature(i) for i in range(features)))
    made.write.mode("overwrite").parquet(str(target))
    return target


def engine_of(spark: SparkSession, frame: DataFrame) -> SparkEngine:
    """An engine that keeps nothing."""
    made = SparkEngine(Reader(spark, {"t": Dataset("t")}, {"t": frame}))
    made.pin([Source("t")])
    return made


def scan(frame: DataFrame) -> None:
    """Read all columns and throw them away."""
    frame.write.format("noop").mode("overwrite").save()


def question_of(frame: DataFrame) -> Question:
    """The check's question of a frame."""
    columns = [Column(name, (name,), kind) for name, kind in frame.dtypes]
    [label, *features] = columns
    return Question(Source("t"), tuple(features), label, "auto")


def sample(spark: SparkSession, frame: DataFrame) -> SampledRows:
    """The bounded sample of rows."""
    [(_, found)] = engine_of(spark, frame).compute([RowSample(Source("t"), question_of(frame).columns, SAMPLE)])
    if not isinstance(found, SampledRows):
        raise SystemExit(str(found))
    return found


def draw(spark: SparkSession, frame: DataFrame) -> None:
    """A way of `sample` that keeps nothing."""
    sample(spark, frame)


def count(spark: SparkSession, frame: DataFrame, asked: Asking, rows: int) -> None:
    """Count all features by class and by group of rows, and see that every row is there."""
    for _, answer in engine_of(spark, frame).compute(list(chain.from_iterable(asked.histograms))):
        expect(getattr(answer, "rows", answer), rows)


def check(spark: SparkSession, frame: DataFrame) -> None:
    """The whole check, to its verdict."""
    asked = LabelLeakage(id="c", dataset="t", label="label", sample_rows=SAMPLE)
    [gathered] = Rounds(SparkEngine(Reader(spark, {"t": Dataset("t")}, {"t": frame}))).gather([asked])
    if gathered.error is not None:
        raise gathered.error
    now = datetime.now(UTC)
    found = asked.judge(gathered.seen, Run(now.date(), now))
    expect(found[-1].quantities["leaking_features"].value, 0)


def forest(frame: DataFrame) -> None:
    """Spark ML's random forest with its default settings (20 trees of depth 5), texts as indices."""
    from pyspark.ml import Pipeline
    from pyspark.ml.classification import RandomForestClassifier
    from pyspark.ml.feature import StringIndexer, VectorAssembler

    texts = [name for name, kind in frame.dtypes if kind == "string"]
    numbers = [name for name, kind in frame.dtypes if kind != "string" and name != "label"]
    filled = frame.fillna(0, numbers).withColumn("label", F.col("label").cast("double"))
    stages: list[Any] = [
        StringIndexer(inputCols=texts, outputCols=[f"{t}_i" for t in texts]),
        VectorAssembler(inputCols=[*numbers, *(f"{t}_i" for t in texts)], outputCol="x"),
        RandomForestClassifier(featuresCol="x", labelCol="label", maxBins=512, seed=1),
    ]
    Pipeline(stages=stages).fit(filled)


def ways(spark: SparkSession, folder: Path, rows: int, features: int, trees_rows: int) -> Sequence[Way]:
    """A bare scan, the parts of the check, the check, and training on as many rows as the driver can hold."""
    frame = spark.read.parquet(str(table(spark, folder, rows, features)))
    asked = asking(question_of(frame), sample(spark, frame))
    cells = sum(h.cells for histograms in asked.histograms for h in histograms)
    print(f"{rows:,} rows, {features} features, {cells:,} cells", flush=True)
    bare = f"scan of {features + 1} columns"
    found = [
        Way(bare, partial(scan, frame)),
        Way("sample of rows", partial(draw, spark, frame), bare, AIM),
        Way("counts: the power pass", partial(count, spark, frame, asked, rows), bare, AIM),
        Way("the whole check", partial(check, spark, frame)),
    ]
    if trees_rows:
        few = frame if trees_rows >= rows else frame.sample(trees_rows / rows, seed=1)
        found.append(Way(f"Spark ML's forest, {min(trees_rows, rows):,} rows", partial(forest, few)))
    return found


def add_options(parser: argparse.ArgumentParser) -> None:
    """The options of `cost`."""
    parser.add_argument("--rows", type=int, default=6_000_000, help="rows of the table (default 6,000,000)")
    parser.add_argument("--features", type=int, default=100, help="features (default 100)")
    parser.add_argument("--trees-rows", type=int, default=6_000_000, help="rows for Spark ML (0: leave it out)")
    parser.add_argument("--runs", type=int, default=2, help="rounds after the warm-up (default 2)")
    parser.add_argument("--data", type=Path, default=DATA, help="where the table is, or is made")


def run(args: argparse.Namespace) -> None:
    """Measure and print the figures beside the aim."""
    with session("leakage cost") as spark:
        found = ways(spark, args.data, args.rows, args.features, args.trees_rows)
        show("cost", found, measure(Meter(spark), found, args.runs))
