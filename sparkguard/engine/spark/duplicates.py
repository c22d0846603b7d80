"""How Spark answers the questions about keys."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import or_

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sparkguard.engine.spark import Read
from sparkguard.engine.spark.values import as_evidence, comparable, hashed, hashes_apart, text
from sparkguard.measures.duplicates import (
    BUCKETS,
    Key,
    KeyCount,
    KeyCountsAnswer,
    KeyHashes,
    KeyHashesAnswer,
    NullKeys,
    RepeatedKeys,
    SeenBefore,
)

_MOST_BROADCAST = 1 << 20
"""The most rows of a window whose hashes Spark broadcasts whole (8 MiB, some 40 MiB as a table)."""
_BITS_PER_KEY = 32
"""Bits of the Bloom filter for each key of the window: about 3 % of strange keys pass."""
_MOST_BITS = 1 << 27
"""The filter's largest size (16 MiB), which Spark broadcasts; with more keys more pass, none is lost."""
_FEWEST_BITS = 1 << 16
_WORD = 64


def key_hashes(read: Read, measure: KeyHashes) -> KeyHashesAnswer:
    """Group by a hash whose lowest bit says "no NULL"; rows set apart share the hash 0.

    The hash is never NULL, since Spark groups by a nullable column a tenth slower.
    """
    key = measure.key
    groups = _rows(read, measure).select(_marked_hash(key).alias("h")).groupBy("h").agg(F.count(F.lit(1)).alias("n"))
    whole = F.col("h").bitwiseAND(F.lit(1).cast("bigint")) == 1
    judged = F.lit(True) if key.nulls_equal else whole  # noqa: FBT003 - a column
    row = groups.agg(
        F.sum("n"),
        F.sum(F.when(~whole, F.col("n"))),
        F.count(F.lit(1)),
        # Not by a bitmap aggregate: Spark generates no code for it, which made the pass a fifth slower.
        F.bit_or(F.when((F.col("n") > 1) & judged, _bit(_bucket("h")))),
    ).collect()[0]
    rows, nulls, hashes, word = (int(v or 0) for v in row)
    set_apart = nulls > 0 and not key.nulls_equal
    suspects = frozenset(i for i in range(BUCKETS) if word >> i & 1)
    return KeyHashesAnswer(rows, nulls, rows - nulls if set_apart else rows, hashes - set_apart, suspects)


def repeated_keys(read: Read, measure: RepeatedKeys) -> KeyCountsAnswer:
    """Count the repeated keys and fetch the worst, in one job that shares one shuffle."""
    return _answer(repeated_frame(read, measure), measure.key, measure.limit)


def repeated_frame(read: Read, measure: RepeatedKeys) -> DataFrame:
    """Group the rows of suspect buckets by their true key; those with more than one row."""
    rows = _keyed(read, measure)
    if len(measure.suspects) < BUCKETS:
        rows = rows.withColumn("h", _hash(measure.key)).where(_bucket("h").isin(sorted(measure.suspects)))
    return _counts(rows, measure.key).where(F.col("n") > 1)


def null_keys(read: Read, measure: NullKeys) -> KeyCountsAnswer:
    """Count the keys that have a NULL."""
    return _answer(null_frame(read, measure), measure.key, measure.limit)


def null_frame(read: Read, measure: NullKeys) -> DataFrame:
    """Group the rows with NULL by their key; each task pre-counts, so a million of one key is one row."""
    return _counts(_rows(read, measure).where(_has_null(measure.key)), measure.key)


def seen_before(read: Read, measure: SeenBefore) -> KeyCountsAnswer:
    """Count the window's keys that history holds; the exact join is spared where not even hashes meet."""
    if measure.rows <= _MOST_BROADCAST:
        [row] = _candidates(read, measure).agg(F.count(F.lit(1))).collect()
        if not row[0]:
            return KeyCountsAnswer(0, 0, 0, ())
    return _answer(seen_frame(read, measure), measure.key, measure.limit)


def seen_frame(read: Read, measure: SeenBefore) -> DataFrame:
    """Semi-join the window's keys with what a filter by their hashes leaves of history."""
    key = measure.key
    survivors = _candidates(read, measure).select(*(F.col(n).alias(f"s{n}") for n in _names(key)))
    pairs = [(F.col(n), F.col(f"s{n}")) for n in _names(key)]
    same = [a.eqNullSafe(b) if key.nulls_equal else a == b for a, b in pairs]
    return _counts(_keyed(read, measure), key).join(survivors, same, "left_semi")


def _candidates(read: Read, measure: SeenBefore) -> DataFrame:
    """The rows of history whose hash occurs in the window, and a few more where the window is large.

    Rows with NULL need no filter of their own: the join by the true key drops them.
    """
    key = measure.key
    history = read(measure.history, key.columns).select(*_comparable(key))
    hashes = _keyed(read, measure).select(_hash(key).alias("h"))
    rows = history.withColumn("h", _hash(key))
    if measure.rows <= _MOST_BROADCAST:
        return rows.join(F.broadcast(hashes), "h", "left_semi")
    return _bloomed(rows, hashes, measure.rows)


def _bloomed(rows: DataFrame, hashes: DataFrame, keys: int) -> DataFrame:
    """Keep the rows whose hash `h` a Bloom filter of `hashes` has seen; about 3 % of others pass."""
    bits = _MOST_BITS
    while bits > _FEWEST_BITS and bits // 2 >= keys * _BITS_PER_KEY:
        bits //= 2
    placed = rows.withColumn("w", _word("h", bits).cast("int")).withColumn("b", _low("h"))
    return placed.join(F.broadcast(_bloom(hashes, bits)), F.expr("shiftright(bloom[w], b) & 1L") == 1)


def _bloom(hashes: DataFrame, bits: int) -> DataFrame:
    """One row with an array of `bits / 64` words, one bit set for each hash."""
    words = hashes.select(_word("h", bits).alias("w"), _bit(_low("h")).alias("b"))
    empty = hashes.sparkSession.range(bits // _WORD).select(F.col("id").alias("w"), F.lit(0).cast("bigint").alias("b"))
    return (
        words.unionByName(empty)
        .groupBy("w")
        .agg(F.bit_or("b").alias("b"))
        .agg(F.sort_array(F.collect_list(F.struct("w", "b"))).alias("words"))
        .select(F.col("words.b").alias("bloom"))
    )


def _word(column: str, bits: int) -> SparkColumn:
    return F.shiftright(F.col(column).bitwiseAND(F.lit(bits - 1).cast("bigint")), 6)


def _names(key: Key) -> list[str]:
    return [f"c{i}" for i in range(len(key.columns))]


def _comparable(key: Key) -> list[SparkColumn]:
    named = zip(_names(key), key.columns, strict=True)
    return [F.expr(comparable(n, c.type, key.normalize)).alias(n) for n, c in named]


def _rows(read: Read, measure: KeyHashes | RepeatedKeys | NullKeys | SeenBefore) -> DataFrame:
    return read(measure.source, measure.key.columns).select(*_comparable(measure.key))


def _keyed(read: Read, measure: RepeatedKeys | SeenBefore) -> DataFrame:
    frame = _rows(read, measure)
    return frame if measure.key.nulls_equal else frame.where(~_has_null(measure.key))


def _has_null(key: Key) -> SparkColumn:
    return reduce(or_, (F.col(n).isNull() for n in _names(key)))


def _hash(key: Key) -> SparkColumn:
    """Hash the values behind a mask of NULLs, since Spark's hash skips NULLs.

    Columns whose equal values may hash apart stay out: fewer hashes mean more suspects, never a
    wrong answer.
    """
    values = [n for n, c in zip(_names(key), key.columns, strict=True) if not hashes_apart(c.type)]
    return hashed(values, _names(key) if key.nulls_equal else ())


def _marked_hash(key: Key) -> SparkColumn:
    """A hash that is odd for keys without NULL; even for the others, and 0 where NULLs set a row apart."""
    found, one = _hash(key), F.lit(1).cast("bigint")
    apart = F.shiftleft(F.shiftright(found, 1), 1) if key.nulls_equal else F.lit(0).cast("bigint")
    return F.when(_has_null(key), apart).otherwise(found.bitwiseOR(one))


def _bucket(column: str) -> SparkColumn:
    """The bucket of a hash, which its lowest bit does not move."""
    return F.expr(f"cast(shiftright({column}, 1) & {BUCKETS - 1}L as int)")


def _low(column: str) -> SparkColumn:
    return F.expr(f"cast({column} & {_WORD - 1}L as int)")


def _bit(place: SparkColumn) -> SparkColumn:
    return F.call_function("shiftleft", F.lit(1).cast("bigint"), place)


def _counts(frame: DataFrame, key: Key) -> DataFrame:
    return frame.groupBy(*_names(key)).agg(F.count(F.lit(1)).alias("n"))


def _answer(groups: DataFrame, key: Key, limit: int) -> KeyCountsAnswer:
    """Total the groups and take the worst of them; both read one shuffle, which Spark reuses."""
    texts = [F.expr(text(n, c.type)).alias(n) for n, c in zip(_names(key), key.columns, strict=True)]
    worst = groups.orderBy(F.col("n").desc(), *_names(key)).limit(limit)
    worst = worst.select(
        *texts, "n", F.lit(None).cast("bigint").alias("keys"), F.lit(None).cast("bigint").alias("total")
    )
    totals = groups.agg(F.max("n").alias("n"), F.count(F.lit(1)).alias("keys"), F.sum("n").alias("total"))
    totals = totals.select(*(F.lit(None).cast("string").alias(n) for n in _names(key)), "n", "keys", "total")
    rows = worst.unionByName(totals).collect()
    total = next(r for r in rows if r["keys"] is not None)
    top = [KeyCount(tuple(r[n] for n in _names(key)), r["n"]) for r in rows if r["keys"] is None]
    top.sort(key=lambda t: -t.count)
    return KeyCountsAnswer(total["keys"], total["total"] or 0, total["n"] or 0, tuple(top))


COMPUTE = {
    KeyHashes: key_hashes,
    RepeatedKeys: repeated_keys,
    NullKeys: null_keys,
    SeenBefore: seen_before,
}

_FRAMES = {RepeatedKeys: repeated_frame, NullKeys: null_frame, SeenBefore: seen_frame}


def evidence(read: Read, measure: RepeatedKeys | NullKeys | SeenBefore, kind: str, redact: Sequence[str]) -> DataFrame:
    """Every key that a measure finds, not only the worst."""
    groups: DataFrame = _FRAMES[type(measure)](read, measure)  # type: ignore[operator]
    values = ((c.name, F.expr(text(n, c.type))) for n, c in zip(_names(measure.key), measure.key.columns, strict=True))
    return as_evidence(groups, F.lit(kind), values, F.lit(measure.reason), F.col("n"), redact)


EVIDENCE = dict.fromkeys(_FRAMES, evidence)
