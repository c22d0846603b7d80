"""How Spark answers the questions about keys."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import or_

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sparkguard.core.text import REDACTED, hides
from sparkguard.engine.spark import Read
from sparkguard.engine.spark.values import comparable, hashes_apart, text
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
    """Group by a 64-bit hash; rows with NULL share the group NULL, which each task pre-counts."""
    key, frame = measure.key, _rows(read, measure)
    hashed = _hash(key)
    if not key.nulls_equal:
        hashed = F.when(~_has_null(key), hashed)
    groups = (
        frame.select(hashed.alias("h"), _has_null(key).cast("bigint").alias("z"))
        .groupBy("h")
        .agg(F.count(F.lit(1)).alias("n"), *([F.sum("z").alias("z")] if key.nulls_equal else []))
    )
    null_rows = F.sum("z") if key.nulls_equal else F.sum(F.when(F.col("h").isNull(), F.col("n")))
    repeats = (F.col("n") > 1) & F.col("h").isNotNull()
    row = groups.agg(
        F.sum("n"),
        null_rows,
        F.sum(F.when(F.col("h").isNotNull(), F.col("n"))),
        F.count("h"),
        # Not by a bitmap aggregate: Spark generates no code for it, which made the pass a fifth slower.
        *(F.bit_or(F.when(repeats & (_bucket_word() == w), _bit())) for w in range(BUCKETS // _WORD)),
    ).collect()[0]
    rows, nulls, keyed, hashes = (int(v or 0) for v in row[:4])
    suspects = {_WORD * w + i for w, word in enumerate(row[4:]) for i in range(_WORD) if (word or 0) >> i & 1}
    return KeyHashesAnswer(rows, nulls, keyed, hashes, frozenset(suspects))


def repeated_keys(read: Read, measure: RepeatedKeys) -> KeyCountsAnswer:
    """Count the repeated keys and fetch the worst, in one job that shares one shuffle."""
    return _answer(repeated_frame(read, measure), measure.key, measure.limit)


def repeated_frame(read: Read, measure: RepeatedKeys) -> DataFrame:
    """Group the rows of suspect buckets by their true key; those with more than one row."""
    rows = _keyed(read, measure)
    if len(measure.suspects) < BUCKETS:
        bucket = _hash(measure.key).bitwiseAND(F.lit(BUCKETS - 1).cast("bigint"))
        rows = rows.where(bucket.isin(sorted(measure.suspects)))
    return _counts(rows, measure.key).where(F.col("n") > 1)


def null_keys(read: Read, measure: NullKeys) -> KeyCountsAnswer:
    """Count the keys that have a NULL."""
    return _answer(null_frame(read, measure), measure.key, measure.limit)


def null_frame(read: Read, measure: NullKeys) -> DataFrame:
    """Group the rows with NULL by their key; each task pre-counts, so a million of one key is one row."""
    return _counts(_rows(read, measure).where(_has_null(measure.key)), measure.key)


def seen_before(read: Read, measure: SeenBefore) -> KeyCountsAnswer:
    """Count the window's keys that history holds."""
    return _answer(seen_frame(read, measure), measure.key, measure.limit)


def seen_frame(read: Read, measure: SeenBefore) -> DataFrame:
    """Semi-join the window's keys with what a filter by their hashes leaves of history."""
    key = measure.key
    window = _keyed(read, measure)
    history = read(measure.history, key.columns).select(*_comparable(key))
    if not key.nulls_equal:
        history = history.where(~_has_null(key))
    hashes = window.select(_hash(key).alias("h"))
    hashed = history.withColumn("h", _hash(key))
    if measure.rows <= _MOST_BROADCAST:
        candidates = hashed.join(F.broadcast(hashes), "h", "left_semi")
    else:
        candidates = _bloomed(hashed, hashes, measure.rows)
    survivors = candidates.select(*(F.col(n).alias(f"s{n}") for n in _names(key)))
    pairs = [(F.col(n), F.col(f"s{n}")) for n in _names(key)]
    same = [a.eqNullSafe(b) if key.nulls_equal else a == b for a, b in pairs]
    return _counts(window, key).join(survivors, same, "left_semi")


def _bloomed(hashed: DataFrame, hashes: DataFrame, keys: int) -> DataFrame:
    """Keep the rows whose hash `h` a Bloom filter of `hashes` has seen; about 3 % of others pass."""
    bits = _MOST_BITS
    while bits > _FEWEST_BITS and bits // 2 >= keys * _BITS_PER_KEY:
        bits //= 2
    placed = hashed.withColumn("w", _word("h", bits).cast("int")).withColumn("b", F.expr("cast(h & 63L as int)"))
    return placed.join(F.broadcast(_bloom(hashes, bits)), F.expr("shiftright(bloom[w], b) & 1L") == 1)


def _bloom(hashes: DataFrame, bits: int) -> DataFrame:
    """One row with an array of `bits / 64` words, one bit set for each hash."""
    words = hashes.select(_word("h", bits).alias("w"), _bit().alias("b"))
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
    return [comparable(F.col(n), c.type, key.normalize).alias(n) for n, c in zip(_names(key), key.columns, strict=True)]


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
    values = [F.col(n) for n, c in zip(_names(key), key.columns, strict=True) if not hashes_apart(c.type)]
    if key.nulls_equal:
        mask = F.concat(*(F.when(F.col(n).isNull(), "0").otherwise("1") for n in _names(key)))
        values = [mask, *values]
    return F.xxhash64(*(values or [F.lit(0)]))


def _bucket_word() -> SparkColumn:
    return F.expr(f"shiftright(h, 6) & {BUCKETS // _WORD - 1}L")


def _bit() -> SparkColumn:
    return F.expr("shiftleft(1L, cast(h & 63L as int))")


def _counts(frame: DataFrame, key: Key) -> DataFrame:
    return frame.groupBy(*_names(key)).agg(F.count(F.lit(1)).alias("n"))


def _answer(groups: DataFrame, key: Key, limit: int) -> KeyCountsAnswer:
    """Total the groups and take the worst of them; both read one shuffle, which Spark reuses."""
    texts = [text(F.col(n), c.type).alias(n) for n, c in zip(_names(key), key.columns, strict=True)]
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
    entries = [
        part
        for name, column in zip(_names(measure.key), measure.key.columns, strict=True)
        for part in (
            F.lit(column.name),
            F.lit(REDACTED) if hides(redact, column.name) else text(F.col(name), column.type),
        )
    ]
    return groups.select(F.lit(kind).alias("kind"), F.create_map(*entries).alias("key"), F.col("n").alias("count"))


EVIDENCE = dict.fromkeys(_FRAMES, evidence)
