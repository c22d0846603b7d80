"""The two sides of a reconciliation as frames: columns in common types, hashes, buckets.

The key's columns are k0, k1 and on, the exact ones e0 and on, the floats f0 and on.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sparkguard.engine.spark import Read
from sparkguard.engine.spark.values import comparable, hashed, hashes_apart, text, whole_value
from sparkguard.measures.joins import BUCKETS, BucketsMeasure, SidesMeasure
from sparkguard.measures.pairing import Pair, Pairing

COUNTS = ("before", "after")
_HALF = 32
LONGEST_VALUE = 1_000
"""Characters of a value that reach the driver."""
_SHORT = 52


def sides(read: Read, measure: SidesMeasure) -> list[DataFrame]:  # type: ignore[type-arg] # any answer
    """Both sides with their key as k0 and on, exact columns as e0, floats as f0."""
    pairs = measure.pairing.pairs
    sides = ((measure.before, [p.one for p in pairs]), (measure.after, [p.other for p in pairs]))
    return [
        compared_frame(read(source, tuple(columns)), measure.pairing, wanted_types=[c.type for c in columns])
        for source, columns in sides
    ]


def compared_frame(frame: DataFrame, pairing: Pairing, wanted_types: Sequence[str]) -> DataFrame:
    """One side with its columns in the common types, named by what they are to the pairing."""
    names = [*key_names(pairing.key), *numbered("e", pairing.exact), *numbered("f", pairing.floats)]
    parts = enumerate(zip(pairing.pairs, wanted_types, names, strict=True))
    return frame.selectExpr(*(f"{compared(f'c{i}', pair, kind)} AS {name}" for i, (pair, kind, name) in parts))


def in_buckets(read: Read, measure: BucketsMeasure) -> list[DataFrame]:
    """The rows of both sides in the buckets of a measure."""
    inside = among(bucket_of(measure.pairing), measure.buckets)
    return [side.where(inside) for side in sides(read, measure)]


def pair_rows(before: DataFrame, after: DataFrame, keys: Sequence[str]) -> DataFrame:
    """Join rows by key; the columns of the two sides become structs b and a."""
    left = before.select(*keys, F.struct(*before.columns).alias("b"))
    right = after.select(*(F.col(k).alias(f"a{k}") for k in keys), F.struct(*after.columns).alias("a"))
    return left.join(right, [F.col(k).eqNullSafe(F.col(f"a{k}")) for k in keys])


def compared(value: str, pair: Pair, kind: str) -> str:
    """A column of type `kind` as the pair compares it."""
    return comparable(value if kind == pair.type else f"CAST({value} AS {pair.type})", pair.type)


def numbered(letter: str, pairs: Sequence[Pair]) -> list[str]:
    """The names of some columns: their letter and their place."""
    return [f"{letter}{i}" for i in range(len(pairs))]


def key_names(key: Sequence[Pair]) -> list[str]:
    """The names of the key's columns."""
    return numbered("k", key)


def key_texts(key: Sequence[Pair]) -> list[SparkColumn]:
    """The key for people, under its columns' names."""
    named = zip(key_names(key), key, strict=True)
    return [F.expr(f"substring({text(n, p.type)}, 1, {LONGEST_VALUE})").alias(n) for n, p in named]


def _hash(*parts: tuple[str, Sequence[Pair]], seed: int | None = None) -> SparkColumn:
    """A hash of some columns, given by their letter: of masks of their NULLs, and of their values."""
    named = [(n, p) for letter, pairs in parts for n, p in zip(numbered(letter, pairs), pairs, strict=True)]
    return hashed([v for n, p in named for v in whole_value(n, p.type)], [n for n, _ in named], seed=seed)


def row_hashes(pairing: Pairing, *, exact_only: bool = False) -> list[SparkColumn]:
    """Two independent hashes of a row: of all its columns, or of the exact ones without the key."""
    exact = ("e", pairing.exact)
    parts = [exact] if exact_only else [("k", pairing.key), exact, ("f", pairing.floats)]
    return [_hash(*parts).alias("h0"), _hash(*parts, seed=1).alias("h1")]


def part_hashes(pairing: Pairing) -> dict[str, SparkColumn]:
    """The hash of the exact columns and that of the floats, of what there is of them."""
    parts = {"exact": ("e", pairing.exact), "floats": ("f", pairing.floats)}
    return {name: _hash(part) for name, part in parts.items() if part[1]}


def short(name: str) -> SparkColumn:
    """52 bits of a hash: the sum of two cannot overflow, nor but by rare chance that of a million."""
    return F.shiftright(F.col(name), 64 - _SHORT)


def key_hash(pairing: Pairing) -> SparkColumn:
    """A hash that equal keys share, so without columns whose equal values hash apart."""
    names = key_names(pairing.key)
    return hashed([n for n, p in zip(names, pairing.key, strict=True) if not hashes_apart(p.type)], names)


def bucket_of(pairing: Pairing) -> SparkColumn:
    """The bucket of a row, 0 to BUCKETS - 1, by the hash of its key."""
    return key_hash(pairing).bitwiseAND(F.lit(BUCKETS - 1).cast("bigint")).cast("int")


def among(bucket: SparkColumn, buckets: frozenset[int]) -> SparkColumn:
    """Whether a bucket is among some, looked up in a literal array of bits."""
    if len(buckets) == BUCKETS:
        return F.lit(True)  # noqa: FBT003 - a column
    words = [sum(1 << i for i in range(64) if 64 * w + i in buckets) for w in range(BUCKETS // 64)]
    signed = ", ".join(
        f"{w - (1 << 64) if w >> 63 else w}L" if w != 1 << 63 else "-9223372036854775807L - 1L" for w in words
    )
    table = F.expr(f"array({signed})")
    word = F.call_function("element_at", table, (F.shiftright(bucket, 6) + F.lit(1)))
    return F.call_function("shiftright", word, bucket.bitwiseAND(63)).bitwiseAND(F.lit(1).cast("bigint")) == 1


def halves() -> list[SparkColumn]:
    """The halves of both row hashes."""
    return [half for h in ("h0", "h1") for half in halves_of(h)]


def halves_of(name: str) -> list[SparkColumn]:
    """The upper half of a hash, with its sign, and the lower."""
    return [F.shiftright(F.col(name), _HALF), F.col(name).bitwiseAND(F.lit((1 << _HALF) - 1).cast("bigint"))]


def signed(sign: int) -> list[SparkColumn]:
    """The rows `n` of one side as `before` and `after`."""
    n, zero = F.col("n").cast("bigint"), F.lit(0).cast("bigint")
    return [(n if side == sign else zero).alias(c) for c, side in zip(COUNTS, (1, -1), strict=True)]
