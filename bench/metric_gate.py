"""What `metric_gate` costs beside a bare scan of the same columns, a hand-written aggregate and Spark ML's evaluator.

The table is synthetic: three sets, a label, scores that all differ, a predicted class and users. The ways are timed
in turn, after a round that only warms up, and compared round by round.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from timing import Meter, Way, expect, judged, measure, show

from sparkguard.app import session
from sparkguard.checks.metric_gate import MetricGate
from sparkguard.core.source import Dataset

DATA = Path(__file__).parent.parent / "data" / "scored"
SETS = ("train", "val_a", "val_b")
COLUMNS = ("part", "label", "score", "told", "user")


def table(spark: SparkSession, folder: Path, rows: int) -> Path:
    """Write the table as Parquet, once."""
    target = folder / str(rows)
    if not (target / "_SUCCESS").exists():
        shutil.rmtree(target, ignore_errors=True)
        draw = "(xxhash64(id, {0}) / 18446744073709551616.0D + 0.5D)"
        made = spark.range(0, rows, 1, 24).selectExpr(
            "element_at(array('train', 'train', 'train', 'val_a', 'val_b'), CAST(id % 5 AS INT) + 1) AS part",
            f"CAST({draw.format(1)} < 0.1 AS INT) AS label",
            f"{draw.format(2)} AS noise",
            f"CAST({draw.format(3)} * 100000 AS BIGINT) AS user",
        )
        made = made.selectExpr("part", "label", "(label + 3 * noise) / 4 AS score", "user")
        made.selectExpr("*", "CAST(score > 0.6 AS INT) AS told").write.parquet(str(target))
    return target


def scan(frame: DataFrame, *columns: str) -> None:
    """Read columns and throw them away."""
    frame.select(*columns).write.format("noop").mode("overwrite").save()


def by_hand(frame: DataFrame) -> None:
    """What one writes for an accuracy by set."""
    expect(len(frame.groupBy("part").agg({"label": "count", "told": "sum"}).collect()), len(SETS))


def gate(spark: SparkSession, place: Path, fields: dict[str, Any]) -> None:
    """The check, from opening the table to its verdict."""
    asked = MetricGate(id="c", dataset="t", split="part", sets=SETS, label="label", **fields)
    found = judged(spark, {"t": Dataset("t", path=str(place), format="parquet")}, asked)
    expect(found.status.value, "pass")


def evaluator(frame: DataFrame, bins: int) -> None:
    """Spark ML's area under the ROC curve, set by set; of all scores with 0 bins."""
    from pyspark.ml.evaluation import BinaryClassificationEvaluator

    judge = BinaryClassificationEvaluator(rawPredictionCol="score", labelCol="label", numBins=bins)
    for name in SETS:
        rows = frame.where(f"part = '{name}'").selectExpr("CAST(label AS DOUBLE) AS label", "score")
        expect(judge.evaluate(rows) > 1 / 2, wanted=True)


def ways(spark: SparkSession, place: Path) -> Sequence[Way]:
    """Bare scans, the gates, and what others do."""
    frame = spark.read.parquet(str(place))
    area = {"score": "score", "metric": "roc_auc", "minimum": 0.5}
    of = partial(gate, spark, place)
    classes, scores, peer = "scan of part, label, told", "scan of part, label, score", "Spark ML's roc_auc, exact"
    return [
        Way(classes, partial(scan, frame, "part", "label", "told")),
        Way("a count and a sum by set, by hand", partial(by_hand, frame), classes, 3),
        Way("accuracy", partial(of, {"prediction": "told", "metric": "accuracy", "minimum": 0.5}), classes, 3),
        Way(
            "f1, 100,000 users",
            partial(of, {"prediction": "told", "metric": "f1", "minimum": 0.1, "cluster": ["user"]}),
            classes,
            3,
        ),
        Way(scores, partial(scan, frame, "part", "label", "score")),
        Way("log_loss", partial(of, {"score": "score", "metric": "log_loss", "maximum": 2}), scores, 3),
        Way("Spark ML's roc_auc, 1,000 bins", partial(evaluator, frame, 1_000)),
        Way(peer, partial(evaluator, frame, 0)),
        Way("roc_auc, binned", partial(of, {**area, "area": "binned"}), peer, 1),
        Way("roc_auc, exact", partial(of, area), peer, 1),
    ]


def main() -> None:
    """Measure and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    with session("metric gate") as spark:
        found = ways(spark, table(spark, DATA, given.rows))
        show(f"{given.rows:,} rows", found, measure(Meter(spark), found, given.runs))


if __name__ == "__main__":
    main()
