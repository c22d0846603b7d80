"""What splits share: one aggregate by hash over all of them, then one by the true key of suspects.

The key's columns are k0, k1 and on; s is the place of a row's split, NULL where it is in none; n0, n1 and on
are the rows of a key in each split.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from sparkguard.engine.spark import Read
from sparkguard.engine.spark.sides import LONGEST_VALUE, numbered
from sparkguard.engine.spark.values import as_evidence, comparable, hash_of, literal, text
from sparkguard.measures.duplicates import BUCKETS
from sparkguard.measures.splits import (
    MOST_NAMED,
    MOST_SHOWN,
    Part,
    SharedByPair,
    SharedKey,
    SharedKeys,
    SharedKeysAnswer,
    SplitHashes,
    SplitHashesAnswer,
    SplitKey,
    Splits,
    SplitValues,
    SplitValuesAnswer,
)

_APART, _OTHERS = 0, 2
"""In place of a hash: of a row that NULL sets apart, and of one in no split. Hashes are odd."""
_ORDERED = 8
"""By so many of their first values keys with equally many rows are put in order."""


def split_values(read: Read, measure: SplitValues) -> SplitValuesAnswer:
    """Count the rows of each value, the most frequent first."""
    names = read(measure.source, (measure.column,)).selectExpr(f"{text('c0', measure.column.type)} AS v")
    counts = names.groupBy("v").agg(F.count(F.lit(1)).alias("n"))
    found = [(row["v"], row["n"]) for row in counts.orderBy(F.col("n").desc(), "v").limit(measure.limit + 1).collect()]
    return SplitValuesAnswer(tuple(found[: measure.limit]), len(found) > measure.limit)


def split_code(splits: Splits, at: int, column: str) -> str:
    """The place of a row's split as SQL: that of its source, or that of the text of a column."""
    if splits.column is None:
        return str(at)
    whens = " ".join(f"WHEN {literal(name, 'string')} THEN {i}" for i, name in enumerate(splits.names))
    return f"CASE {text(column, splits.column.type)} {whens} END"


def split_hashes(read: Read, measure: SplitHashes) -> SplitHashesAnswer:
    """Count the rows of each hash by split, and mark the buckets of hashes that are in two.

    Each task counts before the shuffle, so rows of one key, of NULL or of no split are one row of it.
    """
    key, splits = measure.key, range(len(measure.splits.names))
    rows = _rows(read, measure).selectExpr("s", f"{_marked_hash(key)} AS h")
    # Rows of no split stand among the first one's, under a hash of their own.
    counts = (F.expr(f"count_if(coalesce(s, 0) = {i})").alias(f"n{i}") for i in splits)
    groups = rows.groupBy("h").agg(*counts)
    bucket = f"CAST(shiftright(h, 1) & {BUCKETS - 1}L AS INT)"
    totals = groups.selectExpr(
        *(f"sum(IF(h = {_OTHERS}, 0, n{i})) AS r{i}" for i in splits),
        *(f"sum(IF(h = {_APART}, n{i}, 0)) AS a{i}" for i in splits),
        f"sum(IF(h = {_OTHERS}, n0, 0)) AS others",
        f"bit_or(CASE WHEN h & 1L = 1 AND {_in_many(measure.splits)} THEN shiftleft(1L, {bucket}) END) AS word",
    )
    [row] = totals.collect()
    suspects = frozenset(i for i in range(BUCKETS) if (row["word"] or 0) >> i & 1)
    found, apart = (tuple(row[f"{letter}{i}"] or 0 for i in splits) for letter in "ra")
    return SplitHashesAnswer(found, apart, row["others"] or 0, suspects)


def shared_keys(read: Read, measure: SharedKeys) -> SharedKeysAnswer:
    """Total what is shared, in all and by pair, and take the worst of each pair; all read one shuffle."""
    shared = _shared(read, measure)
    shown = measure.key.parts[:MOST_SHOWN]
    counts = [f"n{i}" for i in range(len(measure.splits.names))]
    by_pair = shared.selectExpr("*", f"explode({_pairs(measure.splits)}) AS p")
    order = ", ".join(("p.n + p.m DESC", *_names(measure.key)[:_ORDERED]))
    ranked = by_pair.selectExpr("*", f"row_number() OVER (PARTITION BY p.i, p.j ORDER BY {order}) AS place")
    texts = [f"substring({key_text(f'k{i}', p)}, 1, {LONGEST_VALUE}) AS k{i}" for i, p in enumerate(shown)]
    worst = ranked.where(f"place <= {min(measure.limit, MOST_NAMED)}")
    worst = worst.selectExpr("'key' AS what", "p.i AS i", "p.j AS j", "CAST(place AS BIGINT) AS keys", *counts, *texts)
    nothing = [f"CAST(NULL AS STRING) AS k{i}" for i in range(len(shown))]
    totals = by_pair.groupBy("p.i", "p.j").agg(*(F.expr(e) for e in ("count(1) AS keys", "sum(p.n) n", "sum(p.m) m")))
    both = ["n AS n0", "m AS n1", *(f"CAST(NULL AS BIGINT) AS {n}" for n in counts[2:])]
    totals = totals.selectExpr("'pair' AS what", "i", "j", "keys", *both, *nothing)
    sums = (f"coalesce(sum({n}), 0) AS {n}" for n in counts)
    whole = shared.selectExpr("'all' AS what", "0 AS i", "0 AS j", "count(1) AS keys", *sums, *nothing)
    return _answer(whole.union(totals).union(worst).collect(), measure)


def _answer(rows: Sequence[Row], measure: SharedKeys) -> SharedKeysAnswer:
    width, shown = len(measure.splits.names), len(measure.key.parts[:MOST_SHOWN])
    [whole] = [row for row in rows if row["what"] == "all"]
    top: dict[tuple[int, int], list[Row]] = {}
    for row in sorted((row for row in rows if row["what"] == "key"), key=lambda row: row["keys"]):
        top.setdefault((row["i"], row["j"]), []).append(row)
    pairs = {}
    for row in sorted((row for row in rows if row["what"] == "pair"), key=lambda row: (row["i"], row["j"])):
        pair = (row["i"], row["j"])
        named = (
            SharedKey(tuple(one[f"k{i}"] for i in range(shown)), tuple(one[f"n{i}"] for i in range(width)))
            for one in top.get(pair, ())
        )
        pairs[pair] = SharedByPair(row["keys"], row["n0"], row["n1"], tuple(named))
    return SharedKeysAnswer(whole["keys"], tuple(whole[f"n{i}"] for i in range(width)), pairs)


def _shared(read: Read, measure: SharedKeys) -> DataFrame:
    """The keys that are in more than one split, by their true values, with their rows in each."""
    key = measure.key
    rows = _rows(read, measure).where("s IS NOT NULL")
    if not key.nulls_equal:
        rows = rows.where(" AND ".join(f"{n} IS NOT NULL" for n in _names(key)))
    if len(measure.suspects) < BUCKETS:
        buckets = ", ".join(f"{b}L" for b in sorted(measure.suspects)) or "NULL"
        rows = rows.where(f"shiftright({_marked_hash(key)}, 1) & {BUCKETS - 1}L IN ({buckets})")
    counts = (F.expr(f"count_if(s = {i})").alias(f"n{i}") for i in range(len(measure.splits.names)))
    # A condition on counts alone: one on the key would be pushed below the shuffle, which then is done twice.
    return rows.groupBy(*_names(key)).agg(*counts).where(_in_many(measure.splits))


def _rows(read: Read, measure: SplitHashes | SharedKeys) -> DataFrame:
    """The rows of all splits."""
    splits, key = measure.splits, measure.key
    frames = []
    for at, source in enumerate(splits.sources):
        code = f"CAST({split_code(splits, at, f'c{len(key.parts)}')} AS INT) AS s"
        values = (f"{key_value(f'c{i}', p, at)} AS k{i}" for i, p in enumerate(key.parts))
        frames.append(read(source, measure.reads[source]).selectExpr(*values, code))
    return reduce(lambda a, b: a.union(b), frames)


def key_value(name: str, part: Part, at: int) -> str:
    """A column as splits compare it: a map by its entries in order, a variant by its JSON."""
    if part.type == "variant":
        return f"to_json({name})"
    value = name if part.columns[at].type == part.type else f"CAST({name} AS {part.type})"
    return f"array_sort(map_entries({value}))" if part.type.startswith("map<") else comparable(value, part.type)


def key_text(name: str, part: Part) -> str:
    """A value of a key for people."""
    return name if part.type == "variant" else text(name, part.type)


def _names(key: SplitKey) -> list[str]:
    return numbered("k", key.parts)  # type: ignore[arg-type] # it only counts them


def _marked_hash(key: SplitKey) -> str:
    """An odd hash, or what stands for a row that is set apart or in no split."""
    names = _names(key)
    found = f"{key_hash(key)} | 1L"
    apart = " OR ".join(f"{n} IS NULL" for n in names)
    null = "" if key.nulls_equal else f"WHEN {apart} THEN {_APART}L "
    return f"CASE WHEN s IS NULL THEN {_OTHERS}L {null}ELSE {found} END"


def key_hash(key: SplitKey) -> str:
    """A hash of a key.

    Equal keys have equal hashes: text under a collation, alone or inside of others, stays out. Parts that
    Spark's hash of nested values skips only make more suspects.
    """
    names = _names(key)
    hashed = [n for n, p in zip(names, key.parts, strict=True) if "collate" not in p.type.lower()]
    return hash_of(hashed, names if key.nulls_equal else ())


def _in_many(splits: Splits) -> str:
    """Whether a key is in more than one split."""
    return f"({' + '.join(f'IF(n{i} > 0, 1, 0)' for i in range(len(splits.names)))}) > 1"


def _pairs(splits: Splits) -> str:
    """The pairs of splits that a key is in, with its rows in both."""
    pairs = ", ".join(
        f"IF(n{i} > 0 AND n{j} > 0, named_struct('i', {i}, 'j', {j}, 'n', n{i}, 'm', n{j}), NULL)"
        for i, j in splits.pairs
    )
    return f"filter(array({pairs}), p -> p IS NOT NULL)"


def rows_by_split(splits: Splits) -> SparkColumn:
    """`3 rows of train, 1 row of test`, of the counts of a key."""
    parts = (
        f"IF(n{i} > 0, concat(n{i}, IF(n{i} = 1, ' row of ', ' rows of '), {literal(name, 'string')}), NULL)"
        for i, name in enumerate(splits.names)
    )
    return F.expr(f"concat_ws(', ', {', '.join(parts)})")


def evidence(read: Read, measure: SharedKeys, kind: str, redact: Sequence[str]) -> DataFrame:
    """Every shared key, not only the worst of each pair."""
    values = ((p.name, F.expr(key_text(f"k{i}", p))) for i, p in enumerate(measure.key.parts[:MOST_SHOWN]))
    rows = F.expr(" + ".join(f"n{i}" for i in range(len(measure.splits.names))))
    return as_evidence(_shared(read, measure), F.lit(kind), values, rows_by_split(measure.splits), rows, redact)


COMPUTE = {SplitValues: split_values, SplitHashes: split_hashes, SharedKeys: shared_keys}
EVIDENCE = {SharedKeys: evidence}
