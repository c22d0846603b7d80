"""Trees on all rows, by Spark ML."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.utils import is_remote

from sparkguard.core.columns import Column
from sparkguard.engine.spark import Read
from sparkguard.engine.spark.histograms import as_hash, as_number, as_presence
from sparkguard.errors import DataError
from sparkguard.measures.forest import Forest, ForestAnswer, TreeFeature
from sparkguard.measures.grids import TEXT, Grid, kind_of

TREES, DEPTH, BINS = 24, 5, 64
_CONNECT_SINCE = 4
"""Spark's major version from which on Connect trains trees."""
_LEAST, _MOST = "-1e300D", "1e299D"
"""What stands for no value, below all others, and for what is infinite."""


def forest(read: Read, measure: Forest) -> ForestAnswer:
    """Train a forest whose every split may use every feature, and tell the features' importances."""
    from pyspark.ml.classification import RandomForestClassifier
    from pyspark.ml.feature import VectorAssembler
    from pyspark.ml.regression import RandomForestRegressor

    names = [f"c{i}" for i in range(len(measure.features) + 1)]
    rows = read(measure.source, measure.reads[measure.source])
    _refuse_connect(rows)
    features = [f"{_feature(n, f)} AS f{i}" for i, (n, f) in enumerate(zip(names, measure.features, strict=False))]
    label = _class(names[-1], measure.label, measure.grid) if measure.weights else _number(names[-1], measure.label)
    value = as_number(names[-1], measure.label.type)
    there = f"{names[-1]} IS NOT NULL" + ("" if kind_of(measure.label.type) == TEXT else f" AND NOT isnan({value})")
    labelled = rows.where(there).selectExpr(*features, f"CAST({label} AS DOUBLE) AS label").where("label IS NOT NULL")
    inputs = [f"f{i}" for i in range(len(features))]
    packed = VectorAssembler(inputCols=inputs, outputCol="features").transform(labelled)
    trees: dict[str, Any] = {"numTrees": TREES, "maxDepth": DEPTH, "maxBins": BINS, "featureSubsetStrategy": "all"}
    if measure.weights:
        weighted = packed.withColumn("weight", F.expr(_weight(measure.weights)))
        model = RandomForestClassifier(weightCol="weight", seed=measure.seed, **trees).fit(weighted)
    else:
        model = RandomForestRegressor(seed=measure.seed, **trees).fit(packed)
    return ForestAnswer(tuple(float(share) for share in model.featureImportances.toArray()))


def _refuse_connect(rows: DataFrame) -> None:
    """Over Spark Connect Spark ML asks its thread for the session, and a suite runs in a thread of its own."""
    if not is_remote():
        return
    session = rows.sparkSession
    old = int(session.version.split(".")[0]) < _CONNECT_SINCE
    if old or type(session).getActiveSession() is None:
        why = "before Spark 4" if old else "but in the thread that opened the session, as sparkguard.run may be"
        message = f"Spark ML trains no trees over Spark Connect {why}"
        raise DataError(message, "write engine: sklearn, which trains them on a sample, or go without Spark Connect")


def _feature(name: str, feature: TreeFeature) -> str:
    column = feature.column
    if feature.ranks is not None:
        return _ranked(as_hash(name, column.type), feature.ranks)
    return _number(name, column) if kind_of(column.type) is not None else f"IF({as_presence(name)} IS NULL, 0D, 1D)"


def _number(name: str, column: Column) -> str:
    """A number that trees can order: below all others where there is none, and never infinite."""
    value = as_number(name, column.type)
    return f"IF({value} IS NULL OR isnan({value}), {_LEAST}, greatest(least({value}, {_MOST}), -{_MOST}))"


def _ranked(hashed: str, ranks: Sequence[int]) -> str:
    """The rank of a text by its hash: 0 for others, -1 for NULL."""
    if not ranks:
        return f"IF({hashed} IS NULL, -1D, 0D)"
    # As text, since a literal of -2^63 is no BIGINT.
    known = ", ".join(f"CAST('{one}' AS BIGINT), {rank}D" for rank, one in enumerate(ranks, 1))
    return f"IF({hashed} IS NULL, -1D, coalesce(element_at(map({known}), {hashed}), 0D))"


def _class(name: str, column: Column, grid: Grid) -> str:
    """The number of a label's class; NULL for a value that the sample did not have."""
    if kind_of(column.type) == TEXT:
        return f"nullif({_ranked(as_hash(name, column.type), grid.hashes)}, 0D) - 1"
    edges = ", ".join(f"{edge!r}D" for edge in grid.edges)
    return f"size(filter(array({edges}), edge -> edge <= {as_number(name, column.type)}))"


def _weight(weights: Sequence[float]) -> str:
    return f"element_at(array({', '.join(f'{w!r}D' for w in weights)}), CAST(label AS INT) + 1)"


COMPUTE = {Forest: forest}
