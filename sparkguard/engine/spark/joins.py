"""How Spark compares two tables by key, and looks for the causes in a third."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from operator import and_, or_

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from sparkguard.engine.spark import Read
from sparkguard.engine.spark.sides import (
    COUNTS,
    among,
    bucket_of,
    compared,
    compared_frame,
    halves,
    in_buckets,
    key_hash,
    key_names,
    key_texts,
    part_hashes,
    row_hashes,
    short,
    sides,
    signed,
)
from sparkguard.engine.spark.values import as_evidence, comparable
from sparkguard.measures.changes import UNMATCHED, Cause, ChangesAnswer, Group, KeyChange, Kind, grouped
from sparkguard.measures.joins import (
    BUCKETS,
    BucketsMeasure,
    Causes,
    Difference,
    Fingerprints,
    FingerprintsAnswer,
)
from sparkguard.measures.pairing import Pair, Pairing

_FEW = 20_000
"""How many differing keys the driver totals by itself (some 2 MiB) …"""
_FEW_BUCKETS = BUCKETS * 9 // 10
"""… which about 9,400 differing keys spread over so many buckets keep within."""
_EVIDENCE_KINDS = [k.value for k in (Kind.LOST, Kind.GAINED, Kind.MULTIPLIED, Kind.CHANGED)]


def fingerprints(read: Read, measure: Fingerprints) -> FingerprintsAnswer:
    """Sum row hashes by bucket on each side, and compare the sums: at most 8,192 rows reach the driver.

    A sum of 64-bit numbers overflows, so both halves are summed; NULL where even they do.
    """
    parts = []
    for name, side in zip(COUNTS, sides(read, measure), strict=True):
        hashed = side.select(bucket_of(measure.pairing).alias("bucket"), *row_hashes(measure.pairing))
        sums = (F.try_sum(half).alias(f"s{i}") for i, half in enumerate(halves()))
        parts.append(hashed.groupBy("bucket").agg(F.count(F.lit(1)), *sums).withColumn("side", F.lit(name)))
    known: dict[str, dict[int, list[int | None]]] = {name: {} for name in COUNTS}
    for bucket, *counted, name in parts[0].unionByName(parts[1]).collect():
        known[name][bucket] = counted
    before, after = (known[name] for name in COUNTS)
    differing = frozenset(b for b in {*before, *after} if before.get(b) != after.get(b) or None in before[b])
    rows_before, rows_after = (sum(counted[0] or 0 for counted in side.values()) for side in (before, after))
    return FingerprintsAnswer(rows_before, rows_after, differing)


def difference(read: Read, measure: Difference) -> ChangesAnswer:
    """Count the rows of each key of the differing buckets, and sum their hashes, in one shuffle.

    Few keys are totalled by the driver, which spares Spark two stages; that they are few shows in
    how many buckets differ. Many are shuffled once more, since they are read twice.
    """
    key = measure.pairing.key
    found = difference_frame(read, measure).where(F.col("kind").isNotNull())
    few = _few(found, key, measure.limit) if len(measure.buckets) <= _FEW_BUCKETS else None
    return few or answer(found.repartition(*key_names(key)), key, measure.limit)


def difference_frame(read: Read, measure: BucketsMeasure) -> DataFrame:
    """Each key of the differing buckets with its rows before and after, its kind and cause."""
    keys = key_names(measure.pairing.key)
    hashes = part_hashes(measure.pairing)
    parts = [
        side.select(*keys, F.lit(1).alias("n"), *(h.alias(n) for n, h in hashes.items())).select(
            *keys, *signed(sign), *((short(n) * F.lit(sign)).alias(n) for n in hashes)
        )
        for side, sign in zip(in_buckets(read, measure), (1, -1), strict=True)
    ]
    groups = parts[0].unionByName(parts[1]).groupBy(*keys)
    counted = groups.agg(*(F.sum(c).alias(c) for c in COUNTS), *(F.try_sum(n).alias(n) for n in hashes))
    never, doubtful = F.lit(False), F.lit(True)  # noqa: FBT003 - columns
    exact, floats = (F.coalesce(F.col(n) != 0, doubtful) if n in hashes else never for n in ("exact", "floats"))
    kind = (
        F.when(F.col("before") != F.col("after"), _counted_kind())
        .when(exact & (F.col("before") == 1), Kind.CHANGED.value)
        .when(exact, Kind.MANY.value)
        .when(floats & (F.col("before") == 1), Kind.FLOATS.value)
    )
    return _classified(counted.withColumn("kind", kind), keys).drop(*hashes)


def causes(read: Read, measure: Causes) -> ChangesAnswer:
    """Look for each key that lost, gained or multiplied in the other table."""
    return answer(causes_frame(read, measure), measure.key, measure.limit)


def causes_frame(read: Read, measure: Causes) -> DataFrame:
    """Each key with its rows before, after and in other, its kind and cause."""
    keys = key_names(measure.key)
    others = read(measure.other, tuple(p.other for p in measure.other_key)).select(
        *(F.expr(compared(f"c{i}", p, p.other.type)).alias(f"o{i}") for i, p in enumerate(measure.other_key))
    )
    names = [f"o{i}" for i in range(len(keys))]
    # Not by dropna, which drops NaN too.
    filled = reduce(and_, (F.col(n).isNotNull() for n in names))
    known = others.where(filled).groupBy(*names).agg(F.count(F.lit(1)).alias("other"))
    counted = _counted_sides(read, measure, keys)
    same = [
        F.expr(_matched(k, p, q)) == F.col(o)
        for k, p, q, o in zip(keys, measure.key, measure.other_key, names, strict=True)
    ]
    joined = counted.join(known, same, "left").drop(*names)
    joined = joined.withColumn("other", F.coalesce(F.col("other"), F.lit(0).cast("bigint")))
    if measure.after is None:
        joined = joined.withColumn("after", F.col("before") * F.col("other"))
    different = F.col("before") != F.col("after")
    return _classified(joined.withColumn("kind", F.when(different, _counted_kind())), keys)


def _counted_sides(read: Read, measure: Causes, keys: Sequence[str]) -> DataFrame:
    """Rows of each key on both sides, of the keys that differ if there are two."""
    pairing = Pairing(measure.key)
    columns = [(measure.before, tuple(p.one for p in measure.key), 1)]
    if measure.after is not None:
        columns.append((measure.after, tuple(p.other for p in measure.key), -1))
    parts = []
    for source, wanted, sign in columns:
        rows = compared_frame(read(source, wanted), pairing, wanted_types=[c.type for c in wanted])
        if measure.buckets is not None:
            rows = rows.where(among(bucket_of(pairing), measure.buckets))
        parts.append(rows.withColumn("n", F.lit(1)).select(*keys, *signed(sign)))
    counted = reduce(lambda a, b: a.unionByName(b), parts).groupBy(*keys).agg(*(F.sum(c).alias(c) for c in COUNTS))
    return counted if measure.after is None else counted.where(F.col("before") != F.col("after"))


def _matched(key: str, mine: Pair, theirs: Pair) -> str:
    return key if mine.type == theirs.type else comparable(f"CAST({key} AS {theirs.type})", theirs.type)


def _counted_kind() -> SparkColumn:
    """The kind of a key whose numbers of rows differ."""
    return (
        F.when(F.col("before") > F.col("after"), Kind.LOST.value)
        .when(F.col("before") == 0, Kind.GAINED.value)
        .otherwise(Kind.MULTIPLIED.value)
    )


def _classified(counted: DataFrame, keys: Sequence[str]) -> DataFrame:
    """Add `rows` and `cause` to keys with their kind, as `cause_without_other` and its sibling do."""
    kind, before, after = F.col("kind"), F.col("before"), F.col("after")
    lost, multiplied, gained = (kind == k.value for k in (Kind.LOST, Kind.MULTIPLIED, Kind.GAINED))
    null = reduce(or_, (F.col(k).isNull() for k in keys)) & (lost | multiplied | gained)
    doubled = (before > 1) & (multiplied | (lost & (after > 0)))
    cause = F.when(null, Cause.NULL_KEY.value)
    if "other" in counted.columns:
        other = F.col("other")
        cause = (
            cause.when(gained & (other > 0), Cause.ONLY_IN_OTHER.value)
            .when(gained, Cause.NOWHERE.value)
            .when(lost & (other == 0), Cause.NO_MATCH.value)
            .when(multiplied & (other > 1), Cause.DUPLICATE_IN_OTHER.value)
            .when(doubled, Cause.DUPLICATE_IN_BEFORE.value)
            .when(lost, Cause.MATCHED.value)
        )
    else:
        cause = cause.when(doubled, Cause.DUPLICATE_IN_BEFORE.value)
    rows = F.when(before == after, before).otherwise(F.abs(before - after))
    return counted.withColumns({"rows": rows, "cause": cause.otherwise(Cause.UNKNOWN.value)})


def _few(keys: DataFrame, key: Sequence[Pair], limit: int) -> ChangesAnswer | None:
    """Total and rank the keys in plain Python; None if there are too many."""
    names = key_names(key)
    worst = keys.orderBy(F.col("rows").desc(), *names).limit(_FEW)
    rows = worst.select("kind", "cause", "rows", *COUNTS, _hash_of(key), *key_texts(key)).collect()
    if len(rows) == _FEW:
        return None
    changes = (
        (Kind(kind), Cause(cause), KeyChange(tuple(texts), before, after, n, None, found))
        for kind, cause, n, before, after, found, *texts in rows
    )
    return ChangesAnswer(grouped(changes, limit))


def _hash_of(key: Sequence[Pair]) -> SparkColumn:
    return key_hash(Pairing(tuple(key))).alias("hash")


def answer(keys: DataFrame, key: Sequence[Pair], limit: int) -> ChangesAnswer:
    """Total the keys by kind and cause and take the worst of each; both read one shuffle, which Spark reuses."""
    names = key_names(key)
    place = Window.partitionBy("kind", "cause").orderBy(F.col("rows").desc(), *names)
    other = F.col("other") if "other" in keys.columns else F.lit(None).cast("bigint")
    worst = keys.where(F.col("kind").isNotNull()).withColumn("place", F.row_number().over(place))
    worst = worst.where(F.col("place") <= limit).select(
        "kind", "cause", "rows", *COUNTS, other.alias("other"), "place",
        *key_texts(key), _hash_of(key),
    )  # fmt: skip
    totals = keys.groupBy("kind", "cause").agg(
        F.sum("rows").alias("rows"), F.sum("before").alias("before"), F.count(F.lit(1)).alias("after")
    )
    totals = totals.select(
        "kind", "cause", "rows", *COUNTS, *(F.lit(None).cast("bigint").alias(n) for n in ("other", "place")),
        *(F.lit(None).cast("string").alias(n) for n in names), F.lit(None).cast("bigint").alias("hash"),
    )  # fmt: skip
    rows = worst.withColumn("place", F.col("place").cast("bigint")).unionByName(totals).collect()
    top: dict[tuple[str, str], list[tuple[int, KeyChange]]] = {}
    for row in rows:
        if row["place"] is not None:
            texts = tuple(row[n] for n in names)
            change = KeyChange(texts, row["before"], row["after"], row["rows"], row["other"], row["hash"])
            top.setdefault((row["kind"], row["cause"]), []).append((row["place"], change))
    groups = tuple(
        Group(
            Kind(r["kind"]), Cause(r["cause"]), r["after"], r["rows"], _in_order(top.get((r["kind"], r["cause"]), ()))
        )
        for r in rows
        if r["place"] is None and r["kind"] is not None
    )
    return ChangesAnswer(groups, sum(r["before"] for r in rows if r["place"] is None))


def _in_order(placed: Iterable[tuple[int, KeyChange]]) -> tuple[KeyChange, ...]:
    return tuple(change for _, change in sorted(placed, key=lambda p: p[0]))


COMPUTE = {Fingerprints: fingerprints, Difference: difference, Causes: causes}


def evidence(read: Read, measure: Difference | Causes, kind: str, redact: Sequence[str]) -> DataFrame:
    """Every key that differs; `kind` narrows them to some kinds, separated by commas."""
    if isinstance(measure, Causes):
        return key_evidence(causes_frame(read, measure), measure.key, kind, redact)
    return key_evidence(difference_frame(read, measure), measure.pairing.key, kind, redact)


def key_evidence(keys: DataFrame, key: Sequence[Pair], kind: str, redact: Sequence[str]) -> DataFrame:
    """Keys with their kind, cause and rows as evidence."""
    values = ((pair.one.name, column) for column, pair in zip(key_texts(key), key, strict=True))
    if kind == UNMATCHED:
        keys = keys.where(F.col("kind") == Kind.LOST.value).withColumn("kind", F.lit(UNMATCHED))
    wanted = [UNMATCHED, *(k for k in _EVIDENCE_KINDS if not kind or k in kind.split(","))]
    known = F.when(F.col("cause") != Cause.UNKNOWN.value, F.col("cause"))
    if "other" in keys.columns:
        rows = F.concat(F.col("cause"), F.lit(" ("), F.format_number("other", 0), F.lit(" rows)"))
        known = F.when(F.col("cause") == Cause.DUPLICATE_IN_OTHER.value, rows).otherwise(known)
    told = keys.where(F.col("kind").isin(wanted))
    return as_evidence(told, F.col("kind"), values, known, F.col("rows"), redact)


EVIDENCE = dict.fromkeys((Difference, Causes), evidence)
