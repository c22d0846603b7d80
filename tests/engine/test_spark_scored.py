"""Spark's sums and orders of scores are those of the oracle, whatever the columns are, and cost what they promise."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from pyspark.sql import DataFrame, SparkSession
from sklearn import metrics

from sparkguard.checks.metric_gate import MetricGate
from sparkguard.core.check import Run
from sparkguard.core.finding import Finding, Status
from sparkguard.core.source import Dataset
from sparkguard.engine.gather import Gathered, Rounds
from sparkguard.engine.reader import Reader
from sparkguard.engine.spark_engine import SparkEngine
from sparkguard.measures.ranked import Area, ScoreEdges
from sparkguard.measures.scored import MOST_CELLS, ScoredAnswer
from sparkguard.shapes.metrics import METRICS
from tests.conftest import Work

RUN = Run(date(2026, 1, 31), datetime(2026, 1, 31))
NAN, INF = float("nan"), float("inf")
SCHEMA = "part STRING, y INT, p DOUBLE, w DOUBLE, user STRING"


def check(**fields: Any) -> MetricGate:
    of = {"id": "gate", "dataset": "t", "split": "part", "sets": ["a", "b"], "label": "y", "metric": "roc_auc"}
    limit = "minimum" if METRICS[{**of, **fields}["metric"]].higher_is_better else "maximum"
    return MetricGate(**{**of, limit: 0.5, **fields})


def engine_of(spark: SparkSession, **frames: DataFrame) -> SparkEngine:
    return SparkEngine(Reader(spark, {name: Dataset(name) for name in frames}, frames))


def gathered(engine: SparkEngine, wanted: MetricGate) -> Gathered:
    [one] = Rounds(engine).gather([wanted])
    if one.error is not None:
        raise one.error
    return one


def found(engine: SparkEngine, wanted: MetricGate) -> dict[str, Finding]:
    one = gathered(engine, wanted)
    return {finding.subject: finding for finding in one.check.judge(one.seen, RUN)}


def frame(spark: SparkSession, rows: Sequence[tuple[Any, ...]], schema: str, partitions: int = 1) -> DataFrame:
    return spark.createDataFrame(list(rows), schema).repartition(partitions)


def compared(engine: SparkEngine, wanted: MetricGate, rows: list[tuple[Any, ...]], names: Sequence[str]) -> int:
    """Compare each answer of Spark with the oracle's on the same rows; how many there were."""
    one = gathered(engine, wanted)
    for measure, answer in one.seen.answers.items():
        columns = [[names.index(column.path[0]) for column in of] for of in measure.reads.values()]
        tables = {
            source: [[row[i] for i in of] for row in rows] for source, of in zip(measure.reads, columns, strict=True)
        }
        if isinstance(answer, ScoredAnswer):
            expected = measure.twin(tables)  # type: ignore[attr-defined]
            assert answer.fates == expected.fates
            assert by_cell(answer) == {k: pytest.approx(v, rel=1e-12, abs=1e-12) for k, v in by_cell(expected).items()}
        elif isinstance(answer, Area):
            expected = measure.twin(tables)  # type: ignore[attr-defined]
            assert answer.lost == pytest.approx(expected.lost, rel=1e-12, abs=1e-12)
            assert answer.precision == pytest.approx(expected.precision, rel=1e-12, abs=1e-12)
        else:
            assert isinstance(measure, ScoreEdges)
    return len(one.seen.answers)


def by_cell(answer: ScoredAnswer) -> dict[Any, Any]:
    cells: dict[Any, list[Any]] = {}
    for cell in answer.cells:
        cells.setdefault((cell.place, cell.key), []).append((cell.rows, *cell.sums, *cell.moments))
    return {key: np.sum(parts, axis=0).tolist() for key, parts in cells.items()}


ROWS = [
    ("a", 1, 0.9, 1.0, "u"),
    ("a", 0, 0.9, 2.0, "u"),
    ("a", 1, 0.25, 0.5, None),
    ("a", 0, -0.0, 1.0, "v"),
    ("a", 0, 0.0, 1.0, "v"),
    ("b", 1, 1.0, 1.0, "w"),
    ("b", 0, 0.5, 3.0, "ü"),
    ("b", 0, 0.1, 0.0, ""),
    ("a", None, 0.5, 1.0, "u"),
    ("b", 1, None, 1.0, "u"),
    ("b", 1, NAN, 1.0, "u"),
    ("b", 1, INF, 1.0, "u"),
    ("c", 1, 0.5, 1.0, "u"),
    (None, 1, 0.5, 1.0, "u"),
]


@pytest.mark.parametrize(
    "fields",
    [
        *({"metric": metric} for metric in METRICS),
        {"metric": "roc_auc", "weight": "w", "cluster": ["user"]},
        {"metric": "average_precision", "weight": "w"},
        {"metric": "log_loss", "weight": "w", "cluster": ["user"]},
        {"metric": "r2", "weight": "w"},
        {"metric": "pinball_loss", "alpha": 0.9, "weight": "w"},
    ],
    ids=str,
)
def test_sums_and_orders_are_those_of_the_oracle(spark: SparkSession, fields: dict[str, Any]) -> None:
    partitions = 1 if len(fields) == 1 else 7
    column = "prediction" if METRICS[fields["metric"]].family == "errors" else "score"
    engine = engine_of(spark, t=frame(spark, ROWS, SCHEMA, partitions))
    assert compared(engine, check(**{column: "p"}, **fields), ROWS, ["part", "y", "p", "w", "user"])


@pytest.mark.parametrize(
    ("kind", "labels", "told_kind", "told"),
    [
        ("boolean", [True, False, None], "boolean", [True, True, True]),
        ("boolean", [True, False, None], "int", [1, 1, 0]),
        ("bigint", [1, 0, -1], "double", [1.0, -0.0, NAN]),
        ("float", [0.5, 1.5, NAN], "double", [0.5, 2.5, 0.5]),
        ("decimal(5,2)", [Decimal("1.50"), Decimal(2), None], "decimal(3,1)", [Decimal("1.5"), Decimal(2), Decimal(1)]),
        ("decimal(5,2)", [Decimal("1.00"), Decimal(2), None], "int", [1, 3, 1]),
        ("string", ["a", "A", "ß"], "varchar(3)", ["a", "a", "ss"]),
        ("date", [date(1500, 1, 1), date(2026, 1, 1), None], "date", [date(1500, 1, 1), date(2026, 1, 2), None]),
    ],
)
@pytest.mark.parametrize("metric", [{"metric": "f1", "average": "macro"}, {"metric": "accuracy"}], ids=str)
def test_classes_of_any_type_have_one_name_and_compare_by_value(
    spark: SparkSession, kind: str, labels: list[Any], told_kind: str, told: list[Any], metric: dict[str, Any]
) -> None:
    rows = list(zip(labels, told, strict=True))
    data = spark.createDataFrame(rows, f"`la.bel` {kind}, `to``ld` {told_kind.replace('varchar(3)', 'string')}")
    fields = {"split": None, "sets": (), "label": "`la.bel`", "prediction": "to`ld", **metric}
    wanted = check(**{name: value for name, value in fields.items() if value is not None})
    wanted = wanted.model_copy(update={"split": None, "sets": ()})
    assert compared(engine_of(spark, t=data), wanted, rows, ["la.bel", "to`ld"]) == 1


def test_areas_are_those_of_scikit_learn_with_many_ties_and_with_none(spark: SparkSession) -> None:
    rng = np.random.default_rng(7)
    label = (rng.random(20_000) < 0.1).astype(int)
    for score in (rng.normal(size=20_000) + label, np.round(rng.random(20_000) * 0.5 + label * 0.3, 2), label * 0.0):
        weight = rng.choice([0.5, 1.0, 3.0], 20_000)
        rows = [
            ("ab"[i % 2], int(y), float(s), float(w), None)
            for i, (y, s, w) in enumerate(zip(label, score, weight, strict=True))
        ]
        engine = engine_of(spark, t=frame(spark, rows, SCHEMA, 3))
        for metric, oracle in (
            ("roc_auc", metrics.roc_auc_score),
            ("average_precision", metrics.average_precision_score),
        ):
            sets = found(engine, check(metric=metric, score="p", weight="w"))
            for at, name in enumerate("ab"):
                mine = slice(at, None, 2)
                expected = oracle(label[mine], score[mine], sample_weight=weight[mine])
                assert sets[name].quantities[metric].value == pytest.approx(expected, rel=1e-9)


def test_no_rows_at_all_fail_each_set(spark: SparkSession) -> None:
    for metric in ("roc_auc", "accuracy", "log_loss"):
        sets = found(engine_of(spark, t=frame(spark, [], SCHEMA)), check(metric=metric, score="p"))
        assert {finding.status for finding in sets.values()} == {Status.FAIL}
        assert sets["a"].message == "no row of 't' has 'a' as 'part', so nothing was checked"


def test_labels_of_float_columns_are_clipped_as_scikit_learn_does(spark: SparkSession) -> None:
    rows = [("a", 0, 1.0), ("a", 1, 0.5), ("b", 1, 0.25)]
    data = spark.createDataFrame(rows, "part STRING, y INT, p FLOAT")
    sets = found(engine_of(spark, t=data), check(metric="log_loss", score="p"))
    expected = metrics.log_loss([0, 1], np.array([1.0, 0.5], np.float32))
    assert sets["a"].quantities["log_loss"].value == pytest.approx(expected, rel=1e-6)


def test_each_promise_of_cost_is_kept(spark: SparkSession) -> None:
    rows = [("ab"[i % 2], i % 3 % 2, float(i % 997), 1.0, str(i % 50)) for i in range(6_000)]
    frame(spark, rows, SCHEMA).write.format("noop").mode("overwrite").save()
    data = frame(spark, rows, SCHEMA, 2).localCheckpoint()
    engine = engine_of(spark, t=data)
    for fields, scans, shuffled in (
        ({"metric": "accuracy", "threshold": 500}, 1, 2 * 2 * 4),
        ({"metric": "accuracy", "threshold": 500, "cluster": ["user"]}, 1, 2 * 2 * 4 * 50),
        ({"metric": "roc_auc"}, 3, 4 + 2 * 2 * 64 * 2 + 2 * 2 * 997 * 2 + 4 * 64),
        ({"metric": "roc_auc", "area": "binned"}, 2, 4 + 2 * 2 * 64 * 2),
    ):
        wanted = check(**fields, score="p")
        with Work(spark) as work:
            one = gathered(engine, wanted)
        assert len(one.seen.answers) == scans, fields
        assert work.shuffled_rows <= shuffled, (fields, work.shuffled_rows)
        assert work.jobs <= 2 * scans + (4 if scans == 3 else 0), (fields, work.jobs)
        assert work.result_bytes < 600_000, (fields, work.result_bytes)


def test_more_cells_than_the_driver_takes_are_refused(spark: SparkSession) -> None:
    data = spark.range(MOST_CELLS + 10).selectExpr("'a' AS part", "id AS y", "id + 1 AS p", "1D AS w", "'u' AS user")
    wanted = check(metric="f1", average="macro", prediction="p", sets=["a"])
    [one] = Rounds(engine_of(spark, t=data)).gather([wanted])
    with pytest.raises(Exception, match="more than 250,000 cells of sets, folds of clusters and classes"):
        one.check.judge(one.seen, RUN)


CLASSES = [
    ("a", "x", 0.5, 0.25, 0.25, 1.0, "u"),
    ("a", "ü'", 0.0, 1.0, 0.0, 2.0, "v"),
    ("a", "z", 1.0, 0.0, 0.0, 0.5, None),
    ("b", "x", 0.4, 0.3, 0.33, 3.0, "u"),
    ("b", "x", 0.9, 0.3, 0.3, 1.0, "u"),
    ("b", "x", 1.5, -0.25, -0.25, 1.0, "u"),
    ("b", "x", NAN, 0.5, 0.5, 1.0, "u"),
    ("b", "z", 0.5, INF, 0.5, 1.0, "u"),
    ("b", "z", 0.5, None, 0.5, -1.0, "u"),
    ("b", "other", 0.5, 0.25, 0.25, 1.0, "u"),
    ("b", None, 0.5, 0.25, 0.25, 1.0, "u"),
    ("b", "z", 0.5, 0.25, 0.25, None, "u"),
    ("b", "other", 0.5, 0.25, 0.25, NAN, "u"),
    ("b", "z", 0.5, 0.5, 0.5, -1.0, "u"),
]


@pytest.mark.parametrize("metric", ["log_loss", "brier_score"])
@pytest.mark.parametrize("more", [{}, {"weight": "w"}, {"weight": "w", "cluster": ["user"]}], ids=str)
def test_losses_of_all_classes_are_those_of_the_oracle(spark: SparkSession, metric: str, more: dict[str, Any]) -> None:
    names = ["part", "y", "p", "q", "r", "w", "user"]
    schema = "part STRING, y STRING, p DOUBLE, q DOUBLE, r DOUBLE, w DOUBLE, user STRING"
    engine = engine_of(spark, t=frame(spark, CLASSES, schema, 3))
    told = {"x": "p", "ü'": "q", "z": "r"}
    assert compared(engine, check(metric=metric, probabilities=told, **more), CLASSES, names)
