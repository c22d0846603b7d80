"""How Spark looks closer at rows that changed: among several of one key, within a tolerance, by column."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sparkguard.engine.spark import Read
from sparkguard.engine.spark.joins import answer, difference_frame, key_evidence
from sparkguard.engine.spark.sides import (
    COUNTS,
    in_buckets,
    key_hash,
    key_names,
    key_texts,
    numbered,
    pair_rows,
    row_hashes,
    sides,
    signed,
)
from sparkguard.engine.spark.values import hashes_apart, text, whole_value
from sparkguard.measures.changes import Cause, ChangesAnswer, Kind
from sparkguard.measures.joins import (
    CELLS,
    BucketsMeasure,
    Cell,
    CellsAnswer,
    ChangedAmongMany,
    ChangedCells,
    ChangedFloats,
)
from sparkguard.measures.pairing import Pair

_LONGEST_TEXT = 200


def changed_among_many(read: Read, measure: ChangedAmongMany) -> ChangesAnswer:
    """Match equal rows of the keys with several, one by one."""
    return answer(changed_among_many_frame(read, measure), measure.pairing.key, measure.limit)


def changed_among_many_frame(read: Read, measure: ChangedAmongMany) -> DataFrame:
    """The keys with several rows on both sides, as many before as after, that are not the same."""
    keys = key_names(measure.pairing.key)
    wanted = difference_frame(read, measure).where(F.col("kind") == Kind.MANY.value)
    rows = reduce(
        lambda a, b: a.unionByName(b),
        (
            side.select(*keys, *row_hashes(measure.pairing, exact_only=True), F.lit(1).alias("n")).select(
                *keys, "h0", "h1", *signed(sign)
            )
            for side, sign in zip(_matching(read, measure, wanted), (1, -1), strict=True)
        ),
    )
    values = rows.groupBy(*keys, "h0", "h1").agg(*(F.sum(c).alias(c) for c in COUNTS))
    lone = F.sum(F.greatest(F.col("before") - F.col("after"), F.lit(0)))
    counted = values.groupBy(*keys).agg(lone.alias("rows"), *(F.sum(c).alias(c) for c in COUNTS))
    return _all_changed(counted.where(F.col("rows") > 0))


def changed_floats(read: Read, measure: ChangedFloats) -> ChangesAnswer:
    """Compare the floats of the keys with one row on each side, pairwise."""
    return answer(changed_floats_frame(read, measure), measure.pairing.key, measure.limit)


def changed_floats_frame(read: Read, measure: ChangedFloats) -> DataFrame:
    """The keys whose floats are further apart than the tolerance."""
    keys = key_names(measure.pairing.key)
    wanted = difference_frame(read, measure).where(F.col("kind") == Kind.FLOATS.value)
    before, after = _matching(read, measure, wanted)
    paired = pair_rows(before, after, keys)
    far = [f"NOT ({_near(i, measure.pairing.tolerance)})" for i in range(len(measure.pairing.floats))]
    ones = [F.lit(1).cast("bigint").alias(c) for c in ("rows", *COUNTS)]
    return _all_changed(paired.where(" OR ".join(far)).select(*keys, *ones))


def changed_cells(read: Read, measure: ChangedCells) -> CellsAnswer:
    """Fetch the columns that differ between the two rows of some keys, by their places.

    Keys of which a part cannot be hashed cannot be found again: too many rows would seem to be theirs.
    """
    pairing = measure.pairing
    if any(hashes_apart(p.type) for p in pairing.key):
        return CellsAnswer({})
    keys = key_names(pairing.key)
    found = key_hash(pairing).isin(sorted(measure.hashes))
    before, after = (side.where(found) for side in sides(read, measure))
    paired = pair_rows(before, after, keys)
    differs = [_differs(n, p.type) for n, p in zip(numbered("e", pairing.exact), pairing.exact, strict=True)]
    differs += [f"NOT ({_near(i, pairing.tolerance)})" for i in range(len(pairing.floats))]
    names = [*numbered("e", pairing.exact), *numbered("f", pairing.floats)]
    pairs = (*pairing.exact, *pairing.floats)
    shown = (f"'b', {_shown('b.' + n, p)}, 'a', {_shown('a.' + n, p)}" for n, p in zip(names, pairs, strict=True))
    cells = ", ".join(
        f"CASE WHEN {different} THEN named_struct('place', {i}, {texts}) END"
        for i, (different, texts) in enumerate(zip(differs, shown, strict=True))
    )
    changed = F.expr(f"slice(array_compact(array({cells})), 1, {CELLS})")
    found_cells = paired.select(*key_texts(pairing.key), changed.alias("cells")).where(F.size("cells") > 0)
    rows = found_cells.limit(len(measure.hashes)).collect()
    return CellsAnswer(
        {tuple(row[k] for k in keys): tuple(Cell(pairs[i].one.name, b, a) for i, b, a in row["cells"]) for row in rows}
    )


def _matching(read: Read, measure: BucketsMeasure, wanted: DataFrame) -> list[DataFrame]:
    """The rows of both sides whose keys are wanted."""
    keys = key_names(measure.pairing.key)
    renamed = wanted.select(*(F.col(k).alias(f"w{k}") for k in keys))
    same = [F.col(k).eqNullSafe(F.col(f"w{k}")) for k in keys]
    return [side.join(renamed, same, "left_semi") for side in in_buckets(read, measure)]


def _near(i: int, tolerance: float) -> str:
    one, other = f"b.f{i}", f"a.f{i}"
    finite = f"greatest(abs({one}), abs({other})) < double('inf')"
    apart = f"abs({one} - {other}) <= {tolerance!r}D * greatest(1D, abs({one}), abs({other}))"
    return f"{one} <=> {other} OR coalesce({finite} AND {apart}, false)"


def _differs(name: str, kind: str) -> str:
    """Whether a column of a pair differs; what is nested or collated by what its hash is made of."""
    parts = zip(whole_value(f"b.{name}", kind), whole_value(f"a.{name}", kind), strict=True)
    return " OR ".join(f"NOT {one} <=> {other}" for one, other in parts)


def _shown(value: str, pair: Pair) -> str:
    return f"substring({text(value, pair.type)}, 1, {_LONGEST_TEXT})"


def _all_changed(counted: DataFrame) -> DataFrame:
    return counted.withColumns({"kind": F.lit(Kind.CHANGED.value), "cause": F.lit(Cause.UNKNOWN.value)})


COMPUTE = {
    ChangedAmongMany: changed_among_many,
    ChangedFloats: changed_floats,
    ChangedCells: changed_cells,
}


def evidence(read: Read, measure: ChangedAmongMany | ChangedFloats, kind: str, redact: Sequence[str]) -> DataFrame:
    """Every changed key of a measure."""
    if isinstance(measure, ChangedAmongMany):
        return key_evidence(changed_among_many_frame(read, measure), measure.pairing.key, kind, redact)
    return key_evidence(changed_floats_frame(read, measure), measure.pairing.key, kind, redact)


EVIDENCE = dict.fromkeys((ChangedAmongMany, ChangedFloats), evidence)
