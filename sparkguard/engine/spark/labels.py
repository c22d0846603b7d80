"""Labels in Spark: i is the number of a row's class, u whether it has probabilities, p0, p1 and on what these are.

Of a row whose class a model is confident of, j is that class and best its probability.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sparkguard.core.text import hides
from sparkguard.engine.spark import Read
from sparkguard.engine.spark.classes import class_place, cluster_hash, is_class, named_class, typed_class, untold
from sparkguard.engine.spark.values import as_evidence, literal, text
from sparkguard.errors import DataError
from sparkguard.measures.classes import ROUNDING
from sparkguard.measures.labels import (
    MOST_CLASSES,
    Chances,
    ConfidentAnswer,
    ConfidentClasses,
    Doubt,
    Doubts,
    DoubtsAnswer,
    LabelCell,
    LabelCounts,
    LabelCountsAnswer,
)
from sparkguard.measures.splits import Part
from sparkguard.stats.confident import CLOSE


def label_counts(read: Read, measure: LabelCounts) -> LabelCountsAnswer:
    """Count in one aggregate; a row for each class, fold and task is shuffled."""
    label, chances = measure.label, measure.chances
    width = 0 if chances is None else len(chances.columns)
    frame = read(measure.source, measure.reads[measure.source])
    cluster = [(f"c{1 + width + i}", part.columns[0].type) for i, part in enumerate(measure.cluster)]
    clustered = measure.folds > 1
    usable, values = ("false", []) if chances is None else (_usable(chances, label), _chances(chances))
    terms = frame.selectExpr(
        f"{_text(label)} AS y",
        f"{cluster_hash(cluster)} AS h",
        f"{usable} AS u",
        *(f"{value} AS p{k}" for k, value in enumerate(values)),
    )
    sums = (F.expr(f"sum(IF(u, p{k}, 0D)) AS p{k}") for k in range(len(values)))
    counts = ["count(1) AS n", "count_if(u AND y IS NOT NULL) AS m"]
    counts.append(f"{'approx_count_distinct(h)' if clustered else '0L'} AS k")
    folds = F.expr(f"pmod(h, {measure.folds}L) AS f")
    groups = terms.groupBy("y", folds).agg(*map(F.expr, counts), *sums)
    found = groups.limit(MOST_CLASSES * measure.folds + 1).collect()
    if len({row["y"] for row in found}) > MOST_CLASSES:
        message = f"'{label.name}' of '{measure.source}' has more than {MOST_CLASSES:,} different values"
        raise DataError(message, "name a label of classes; cut a number into some in a dataset's sql")
    cells = [
        LabelCell(
            None if row["y"] is None else named_class(row["y"], label.type),
            row["f"],
            row["n"],
            row["m"],
            tuple(row[f"p{k}"] for k in range(len(values))) if row["m"] else (0.0,) * len(values),
            row["k"],
        )
        for row in found
    ]
    return LabelCountsAnswer(tuple(sorted(cells, key=lambda c: (c.label is not None, c.label or "", c.fold))))


def confident_classes(read: Read, measure: ConfidentClasses) -> ConfidentAnswer:
    """Count in one aggregate; a row for each pair of classes and task is shuffled."""
    rows = _confident(read, measure)
    found = rows.groupBy("i", "j").agg(F.expr("count(1) AS n"), F.expr("count_if(doubted) AS d")).collect()
    found.sort(key=lambda row: (row["i"], row["j"]))
    counted = {(row["i"], row["j"]): row["n"] for row in found}
    return ConfidentAnswer(counted, {(row["i"], row["j"]): row["d"] for row in found if row["d"]})


def doubts(read: Read, measure: Doubts) -> DoubtsAnswer:
    """Take the first rows in order; each task keeps no more."""
    width = 1 + len(measure.chances.columns)
    names = [f"c{width + i}" for i in range(len(measure.shown))]
    texts = [f"{text(name, c.type)} AS {name}" for name, c in zip(names, measure.shown, strict=True)]
    rows = _confident(read, measure).where("doubted").selectExpr("ahead", "y", "j", "best", *texts)
    found = rows.orderBy(F.col("ahead").desc(), *names).limit(measure.limit).collect()
    return DoubtsAnswer(
        tuple(
            Doubt(tuple(row[n] for n in names), named_class(row["y"], measure.label.type), row["j"], row["best"])
            for row in found
        )
    )


def evidence(read: Read, measure: Doubts, kind: str, redact: Sequence[str]) -> DataFrame:
    """Every row whose label is in doubt."""
    width = 1 + len(measure.chances.columns)
    values = ((one.name, F.expr(text(f"c{i}", one.type))) for i, one in enumerate(measure.shown, width))
    doubted, chances = _confident(read, measure).where("doubted"), measure.chances
    names = (chances.rest, chances.names[0]) if chances.single else chances.names
    other = f"element_at(array({', '.join(literal(name, 'string') for name in names)}), j + 1)"
    told = f"concat('label ', y, ', but {measure.reason}: ', {other}, ', probability ', round(best, 4))"
    hidden = any(hides(redact, name) for name in (measure.label.name, *(c.name for c in chances.columns)))
    reason = F.lit(measure.reason) if hidden else F.expr(told)
    return as_evidence(doubted, F.lit(kind), values, reason, F.lit(1).cast("bigint"), redact)


def _confident(read: Read, measure: ConfidentClasses | Doubts) -> DataFrame:
    """The rows with a confident class, with their own columns."""
    chances, label = measure.chances, measure.label
    frame = read(measure.source, measure.reads[measure.source])
    values = [f"{value} AS p{k}" for k, value in enumerate(_chances(chances))]
    usable = frame.where(_usable(chances, label)).selectExpr(
        "*", f"{_place(chances, label)} AS i", f"{_text(label)} AS y", *values
    )
    limits = enumerate(measure.thresholds)
    sure = (f"IF(p{k} >= {threshold - CLOSE!r}D, p{k}, -1D)" for k, threshold in limits)
    every = ", ".join(f"p{k}" for k in range(chances.many))
    told = usable.selectExpr("*", f"array({', '.join(sure)}) AS sure").selectExpr("*", "array_max(sure) AS best")
    told = told.where("best >= 0 AND i IS NOT NULL").selectExpr(
        "*",
        "IF(sure[i] = best, i, CAST(array_position(sure, best) - 1 AS INT)) AS j",
        f"best - array({every})[i] AS ahead",
    )
    return told.selectExpr("*", f"j <> i AND ahead > 0 AND best >= {measure.floor - CLOSE!r}D AS doubted")


def _text(label: Part) -> str:
    return f"IF({untold('c0', label.columns[0].type)}, NULL, {text(_class(label), label.type)})"


def _class(label: Part) -> str:
    return typed_class("c0", label.columns[0].type, label)


def _chances(chances: Chances) -> Sequence[str]:
    """The probability of each class."""
    if chances.single:
        return ("(1D - CAST(c1 AS DOUBLE))", "CAST(c1 AS DOUBLE)")
    return tuple(f"CAST(c{k} AS DOUBLE)" for k in range(1, chances.many + 1))


def _usable(chances: Chances, label: Part) -> str:
    """Whether a row has a label that has a probability, and its probabilities are some."""
    names = [f"CAST(c{k} AS DOUBLE)" for k in range(1, len(chances.columns) + 1)]
    # NaN is greater than all else, and of a NULL nothing is true.
    inside = [f"{name} BETWEEN 0D AND 1D" for name in names]
    whole = [] if chances.single else [f"abs({' + '.join(names)} - 1D) <= {ROUNDING!r}D"]
    known = f"NOT ({untold('c0', label.columns[0].type)})"
    there = [] if chances.single else [f"({_place(chances, label)}) IS NOT NULL"]
    return f"coalesce({' AND '.join([known, *inside, *whole, *there])}, false)"


def _place(chances: Chances, label: Part) -> str:
    value = _class(label)
    if chances.single:
        return f"CAST({is_class(label, value, chances.names[0])} AS INT)"
    return class_place(label, value, chances.names)


COMPUTE = {LabelCounts: label_counts, ConfidentClasses: confident_classes, Doubts: doubts}
EVIDENCE = {Doubts: evidence}
