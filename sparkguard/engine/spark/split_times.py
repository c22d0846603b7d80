"""Times of splits: their reaches in one aggregate, and the rows that are out of order.

Times are compared in microseconds since 1970, so that no setting of the session changes them: f and l are the
first and the last of a row, s the place of its split.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sparkguard.core.text import REDACTED, hides
from sparkguard.engine.spark import Read
from sparkguard.engine.spark.sides import LONGEST_VALUE
from sparkguard.engine.spark.splits import split_code
from sparkguard.engine.spark.times import instants
from sparkguard.engine.spark.values import literal, text
from sparkguard.measures.split_times import (
    SplitReach,
    SplitReaches,
    SplitReachesAnswer,
    StrayRow,
    Strays,
    StraysAnswer,
)


def split_reaches(read: Read, measure: SplitReaches) -> SplitReachesAnswer:
    """Aggregate by split; a row for each split and task is shuffled."""
    aggregates = ("count(1) AS n", "count(f) AS timed", "min(f) AS f", "max(l) AS l")
    groups = _timed(read, measure).groupBy("s").agg(*(F.expr(a) for a in aggregates))
    found = {row["s"]: row for row in groups.collect()}
    reaches = [
        SplitReach(row["n"], row["n"] - row["timed"], row["f"], row["l"]) if row else SplitReach(0, 0, None, None)
        for row in (found.get(i) for i in range(len(measure.splits.names)))
    ]
    return SplitReachesAnswer(tuple(reaches), found[None]["n"] if None in found else 0)


def strays(read: Read, measure: Strays) -> StraysAnswer:
    """Count the rows out of order in one aggregate, and rank those of each split and side, which Spark cuts early."""
    rows = _timed(read, measure)
    counts = [
        f"count_if({condition})"
        for b in measure.borders
        for condition in (f"s = {b.one} AND l > {b.after}L", f"s = {b.other} AND f < {b.before}L")
    ]
    wrong = _wrong(measure)
    counts += [f"count_if({' OR '.join(sides)})" if sides else "0L" for sides in wrong]
    totals = rows.selectExpr("-1 AS s", "0L AS f", "0L AS l", f"to_json(array({', '.join(counts)})) AS t")
    sides = [
        f"IF({condition}, named_struct('s', {split}, 'late', {late}, 'd', {'-l' if late == 'true' else 'f'}), NULL)"
        for split, conditions in enumerate(wrong)
        for condition, late in conditions.items()
    ]
    texts = f"to_json(array({', '.join(_texts(measure))}))"
    order = f"p.d, {', '.join(_texts(measure))}"
    placed = rows.selectExpr("*", f"explode(filter(array({', '.join(sides)}), p -> p IS NOT NULL)) AS p")
    ranked = placed.selectExpr(
        "s", "f", "l", f"{texts} AS t", f"row_number() OVER (PARTITION BY p.s, p.late ORDER BY {order}) AS place"
    )
    found = totals.union(ranked.where(f"place <= {measure.limit}").select("s", "f", "l", "t")).collect()
    [numbers] = [json.loads(row["t"]) for row in found if row["s"] == -1]
    top = {StrayRow(r["s"], r["f"], r["l"], tuple(json.loads(r["t"]))) for r in found if r["s"] != -1}
    at_borders = list(zip(*[iter(numbers[: 2 * len(measure.borders)])] * 2, strict=True))
    ordered = sorted(top, key=lambda r: (r.split, r.first, r.last, str(r)))
    return StraysAnswer(tuple(at_borders), tuple(numbers[2 * len(measure.borders) :]), tuple(ordered))


def _timed(read: Read, measure: SplitReaches | Strays) -> DataFrame:
    """All rows: split, first and last microsecond; of Strays also what is shown, as texts t0 and on."""
    shown = measure.shown if isinstance(measure, Strays) else ()
    frames = []
    for at, source in enumerate(measure.splits.sources):
        columns = measure.reads[source]
        first, last = instants("c0", columns[0].type, measure.timezone)
        code = f"CAST({split_code(measure.splits, at, f'c{1 + len(shown)}')} AS INT) AS s"
        kinds = [c.type for c in columns[: 1 + len(shown)]] if isinstance(measure, Strays) else []
        texts = (f"substring({text(f'c{i}', kind)}, 1, {LONGEST_VALUE}) AS t{i}" for i, kind in enumerate(kinds))
        frames.append(read(source, columns).selectExpr(code, f"{first} AS f", f"{last} AS l", *texts))
    return reduce(lambda a, b: a.union(b), frames)


def _texts(measure: Strays) -> list[str]:
    return [f"t{i}" for i in range(1 + len(measure.shown))]


def _wrong(measure: Strays) -> list[dict[str, str]]:
    """Of each split the conditions by which a row is out of order, and whether it is late (true) or early."""
    found: list[dict[str, str]] = []
    for split, (after, before) in enumerate(measure.limits):
        late = {} if after is None else {f"(s = {split} AND l > {after}L)": "true"}
        early = {} if before is None else {f"(s = {split} AND f < {before}L)": "false"}
        found.append(late | early)
    return found


def evidence(read: Read, measure: Strays, kind: str, redact: Sequence[str]) -> DataFrame:
    """Every row out of order."""
    rows = _timed(read, measure).where(" OR ".join(c for conditions in _wrong(measure) for c in conditions) or "false")
    names = " ".join(f"WHEN {i} THEN {literal(n, 'string')}" for i, n in enumerate(measure.splits.names))
    of_time = {c.name for c in measure.times}
    named = [(next(iter(sorted(of_time))), "t0"), *((p.name, f"t{i}") for i, p in enumerate(measure.shown, 1))]
    hidden = {"t0"} if any(hides(redact, name) for name in of_time) else set()
    entries = [
        part
        for name, column in named
        for part in (F.lit(name), F.lit(REDACTED) if column in hidden or hides(redact, name) else F.col(column))
    ]
    reason = F.expr(f"concat('a row of ', CASE s {names} END, ' is out of order in time')")
    facts = {"kind": F.lit(kind), "key": F.create_map(*entries), "reason": reason, "count": F.lit(1).cast("bigint")}
    return rows.select(*(fact.alias(name) for name, fact in facts.items()))


COMPUTE = {SplitReaches: split_reaches, Strays: strays}
EVIDENCE = {Strays: evidence}
