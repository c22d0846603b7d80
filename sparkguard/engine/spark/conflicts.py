"""Labels of equal features in Spark: one aggregate by hash, then one by the true features of suspects.

The features are k0, k1 and on, y is the label, h the hash of the features.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sparkguard.core.text import REDACTED, hides
from sparkguard.engine.spark import Read
from sparkguard.engine.spark.classes import named_class, typed_class, untold
from sparkguard.engine.spark.sides import LONGEST_VALUE
from sparkguard.engine.spark.splits import key_hash, key_text, key_value
from sparkguard.engine.spark.values import as_evidence, text
from sparkguard.measures.conflicts import (
    SHOWN_LABELS,
    Conflict,
    ConflictHashes,
    ConflictHashesAnswer,
    Conflicts,
    ConflictsAnswer,
)
from sparkguard.measures.duplicates import BUCKETS
from sparkguard.measures.splits import MOST_SHOWN

_ORDERED = 8
"""By so many of their first values features with equally many rows are put in order."""
_SHOWN = "filter(array_sort(collect_list(named_struct('n', -n, 'y', y))), (one, at) -> at < {})"


def conflict_hashes(read: Read, measure: ConflictHashes) -> ConflictHashesAnswer:
    """Group by hash; each task counts before the shuffle, so equal rows of one task are one row of it."""
    # By their hashes, since Spark sorts instead of hashing where it keeps the least of texts.
    rows = _rows(read, measure).selectExpr(f"{key_hash(measure.features)} AS h", "xxhash64(y) AS y")
    groups = rows.groupBy("h").agg(*map(F.expr, ("count(1) AS n", "min(y) AS low", "max(y) AS high")))
    bucket = f"CAST(h & {BUCKETS - 1}L AS INT)"
    totals = (
        "coalesce(sum(n), 0) AS n",
        "coalesce(sum(IF(n > 1, n, 0)), 0) AS repeated",
        f"coalesce(bit_or(IF(low <> high, shiftleft(1L, {bucket}), 0L)), 0L) AS word",
    )
    [row] = groups.agg(*map(F.expr, totals)).collect()
    suspects = frozenset(i for i in range(BUCKETS) if row["word"] >> i & 1)
    return ConflictHashesAnswer(row["n"], row["repeated"] if measure.tells_rows_apart else None, suspects)


def conflicts(read: Read, measure: Conflicts) -> ConflictsAnswer:
    """Total the features with several labels and take the worst of them; both read one shuffle."""
    groups = _groups(read, measure)
    shown = measure.features.parts[:MOST_SHOWN]
    names = [f"k{i}" for i in range(len(shown))]
    texts = [f"substring({key_text(n, part)}, 1, {LONGEST_VALUE}) AS {n}" for n, part in zip(names, shown, strict=True)]
    worst = groups.orderBy(F.expr("n - most").desc(), F.col("n").desc(), *names[:_ORDERED]).limit(measure.limit)
    worst = worst.selectExpr("CAST(NULL AS BIGINT) AS many", "n", "n - most AS mistakes", "labels", *texts)
    nothing = [f"CAST(NULL AS STRING) AS {n}" for n in names]
    totals = groups.selectExpr(
        "count(1) AS many",
        "coalesce(sum(n), 0) AS n",
        "coalesce(sum(n - most), 0) AS mistakes",
        "NULL AS labels",
        *nothing,
    )
    found = totals.union(worst).collect()
    [whole] = [row for row in found if row["many"] is not None]
    top = [row for row in found if row["many"] is None]
    top.sort(key=lambda row: (-row["mistakes"], -row["n"]))
    kind = measure.label.type
    named = (
        Conflict(
            tuple(row[n] for n in names),
            row["n"],
            tuple((named_class(one["y"], kind), -one["n"]) for one in row["labels"]),
        )
        for row in top
    )
    return ConflictsAnswer(whole["many"], whole["n"], whole["mistakes"], tuple(named))


def evidence(read: Read, measure: Conflicts, kind: str, redact: Sequence[str]) -> DataFrame:
    """All equal features with several labels."""
    values = ((p.name, F.expr(key_text(f"k{i}", p))) for i, p in enumerate(measure.features.parts[:MOST_SHOWN]))
    told = "concat_ws(', ', transform(labels, one -> concat(-one.n, ' × ', one.y)))"
    reason = F.lit(REDACTED) if hides(redact, measure.label.name) else F.expr(told)
    return as_evidence(_groups(read, measure), F.lit(kind), values, reason, F.col("n"), redact)


def _groups(read: Read, measure: Conflicts) -> DataFrame:
    """Features with several labels: their rows, those of the commonest label, and the labels with the most rows."""
    rows = _rows(read, measure)
    if len(measure.suspects) < BUCKETS:
        buckets = ", ".join(f"{b}L" for b in sorted(measure.suspects)) or "NULL"
        rows = rows.where(f"({key_hash(measure.features)} & {BUCKETS - 1}L) IN ({buckets})")
    names = [f"k{i}" for i in range(len(measure.features.parts))]
    by_label = rows.groupBy(*names, "y").agg(F.expr("count(1) AS n"))
    by_label = by_label.withColumn("y", F.expr(text("y", measure.label.type)))
    totals = ("count(1) AS labels_", "sum(n) AS n", "max(n) AS most", f"{_SHOWN.format(SHOWN_LABELS)} AS labels")
    return by_label.groupBy(*names).agg(*map(F.expr, totals)).where("labels_ > 1").drop("labels_")


def _rows(read: Read, measure: ConflictHashes | Conflicts) -> DataFrame:
    """The rows with a label, their features as keys compare them."""
    frame = read(measure.source, measure.reads[measure.source])
    label = measure.label
    values = (f"{key_value(f'c{i + 1}', part, 0)} AS k{i}" for i, part in enumerate(measure.features.parts))
    known = frame.where(f"NOT ({untold('c0', label.columns[0].type)})")
    return known.selectExpr(f"{typed_class('c0', label.columns[0].type, label)} AS y", *values)


COMPUTE = {ConflictHashes: conflict_hashes, Conflicts: conflicts}
EVIDENCE = {Conflicts: evidence}
