"""How Spark finds the keys of a table that another does not have."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sparkguard.core.columns import Column
from sparkguard.core.source import Source
from sparkguard.engine.spark import Read
from sparkguard.engine.spark.sides import key_names, key_texts
from sparkguard.engine.spark.values import as_evidence, comparable
from sparkguard.measures.duplicates import KeyCount
from sparkguard.measures.references import Orphans, OrphansAnswer

_COUNTS = ("n", "apart", "parents")
"""The child's rows of a key, its rows with a NULL in the key, and the parent's rows."""


def orphans(read: Read, measure: Orphans) -> OrphansAnswer:
    """Total the keys of both sides and take the worst orphans; both read one shuffle, which Spark reuses."""
    groups = _groups(read, measure)
    names = key_names(measure.key)
    totals: dict[str, SparkColumn] = {
        "rows": F.sum(F.col("n") + F.col("apart")),
        "null_rows": F.sum("apart"),
        "keys": F.count_if(F.col("n") > 0),
        "orphan_keys": F.count_if(_orphaned()),
        "orphan_rows": F.sum(F.when(_orphaned(), F.col("n"))),
        "parent_rows": F.sum("parents"),
        "parent_keys": F.count_if((F.col("parents") > 0) & F.col(names[0]).isNotNull()),
    }
    nothing = (F.lit(None).cast("bigint").alias(name) for name in totals)
    worst = groups.where(_orphaned()).orderBy(F.col("n").desc(), *names).limit(measure.limit)
    worst = worst.select(*key_texts(measure.key), "n", *nothing)
    whole = groups.agg(*(total.cast("bigint").alias(name) for name, total in totals.items()))
    whole = whole.select(
        *(F.lit(None).cast("string").alias(n) for n in names), F.lit(None).cast("bigint").alias("n"), *totals
    )
    rows = worst.unionByName(whole).collect()
    top = [KeyCount(tuple(r[n] for n in names), r["n"]) for r in rows if r["n"] is not None]
    top.sort(key=lambda t: -t.count)
    [total] = [r for r in rows if r["n"] is None]
    return OrphansAnswer(**{name: total[name] or 0 for name in totals}, top=tuple(top))


def _groups(read: Read, measure: Orphans) -> DataFrame:
    """Each key of either side with its rows there; keys with a NULL are one group.

    The rows of both sides are counted in one aggregate and not joined: each task counts before the
    shuffle, so a key or a NULL that a million rows share is one row of it, and nothing is sorted.
    """
    mine, theirs = measure.columns
    one, zero = F.lit(1), F.lit(0)
    child = _keys(read, measure, measure.child, mine)
    child = child.select("*", F.when(_keyed(measure), one).otherwise(zero).alias("n"), zero.alias("parents"))
    child = child.withColumn("apart", one - F.col("n"))
    parent = _keys(read, measure, measure.parent, theirs)
    parent = parent.select("*", zero.alias("n"), one.alias("parents"), zero.alias("apart"))
    names = key_names(measure.key)
    both = child.unionByName(parent).groupBy(*names)
    return both.agg(*(F.sum(c).alias(c) for c in _COUNTS))


def _keys(read: Read, measure: Orphans, source: Source, columns: tuple[Column, ...]) -> DataFrame:
    """The keys of one side in the common types, as k0 and on; all NULL where one is."""
    casts = (
        f"c{i}" if c.type == p.type else f"CAST(c{i} AS {p.type})"
        for i, (c, p) in enumerate(zip(columns, measure.key, strict=True))
    )
    values = [comparable(v, p.type, measure.normalize) for v, p in zip(casts, measure.key, strict=True)]
    names = key_names(measure.key)
    filled = " AND ".join(f"c{i} IS NOT NULL" for i in range(len(columns)))
    return read(source, columns).selectExpr(
        *(f"CASE WHEN {filled} THEN {v} END AS {n}" for v, n in zip(values, names, strict=True))
    )


def _keyed(measure: Orphans) -> SparkColumn:
    return F.col(key_names(measure.key)[0]).isNotNull()


def _orphaned() -> SparkColumn:
    """Of a key that only the child has.

    Says so of counts alone, and of all of them: a condition on the key would be pushed below the
    shuffle, and a count that is not needed left out of it, so that it could not be read twice.
    """
    return (F.col("n") > 0) & (F.col("parents") == 0) & (F.col("apart") == 0)


def evidence(read: Read, measure: Orphans, kind: str, redact: Sequence[str]) -> DataFrame:
    """Every orphaned key, not only the worst."""
    values = ((pair.one.name, column) for column, pair in zip(key_texts(measure.key), measure.key, strict=True))
    orphaned = _groups(read, measure).where(_orphaned())
    return as_evidence(orphaned, F.lit(kind), values, F.lit(measure.reason), F.col("n"), redact)


COMPUTE = {Orphans: orphans}
EVIDENCE = {Orphans: evidence}
