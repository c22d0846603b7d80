"""Rows with a label and a prediction in Spark: their fate, their sums by set, fold and cell, their order by score.

Of a judged row s is the place of its set, y its label, t what was told, w its weight, h the hash of its cluster.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from itertools import combinations_with_replacement

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from sparkguard.engine.spark import Read
from sparkguard.engine.spark.classes import class_place, cluster_hash, is_class, named_class, typed_class, untold
from sparkguard.engine.spark.scenarios import scenario_rows
from sparkguard.engine.spark.scored_cells import keys_of, value_of
from sparkguard.engine.spark.slices import slice_rows
from sparkguard.engine.spark.splits import split_code
from sparkguard.engine.spark.times import instants
from sparkguard.engine.spark.values import comparable, in_type
from sparkguard.errors import DataError
from sparkguard.measures.classes import ROUNDING
from sparkguard.measures.ranked import Area, Edges, Ranked, ScoreEdges
from sparkguard.measures.scenarios import Scenarios
from sparkguard.measures.scored import (
    MOST_CELLS,
    AllChances,
    Fate,
    LastLabel,
    Scored,
    ScoredAnswer,
    ScoredRows,
    SetCell,
)
from sparkguard.measures.scored_cells import Agreement, ClassPairs
from sparkguard.measures.slices import Slices
from sparkguard.measures.splits import Part, Splits

_ACCURACY = 1_000
"""An edge is off by so small a share of the rows at most."""
_JUDGED = f"fate = {Fate.JUDGED:d}"


def scored(read: Read, measure: Scored) -> ScoredAnswer:
    """Add up in one aggregate; a row for each cell and task is shuffled, and the cells come to the driver."""
    rows, keys = measure.rows, [f"{sql} AS k{i}" for i, sql in enumerate(keys_of(measure.cell, measure.rows))]
    clustered = measure.folds > 1
    values = [f"{value_of(value, rows)} AS v{i}" for i, value in enumerate(measure.values, 1)]
    # Each column more in the key of the aggregate costs as much as a value.
    folds = [f"pmod(h, {measure.folds}L) AS f"] if clustered else []
    terms = judged(read, rows).selectExpr("s", "fate", "w", "h", *folds, *keys, *values)
    names = ["s", "fate", *(["f"] if clustered else []), *(f"k{i}" for i in range(len(keys)))]
    # What is not judged is counted by set alone.
    apart = [f"IF({_JUDGED}, {n}, NULL) AS {n}" if n[0] in "fk" and n != "fate" else n for n in names]
    wanted = ["w", "h", *(f"v{i}" for i in range(1, len(values) + 1))]
    groups = terms.selectExpr(*apart, *wanted).groupBy(*names).agg(*map(F.expr, _aggregates(measure)))
    found = groups.limit(MOST_CELLS + 1).collect()
    if len(found) > MOST_CELLS:
        message = f"{measure}: more than {MOST_CELLS:,} cells of sets, folds of clusters and classes"
        raise DataError(message, "put rare classes together in a dataset's sql, judge fewer sets, or leave out cluster")
    return _answer(found, measure)


def score_edges(read: Read, measure: ScoreEdges) -> Edges:
    """One aggregate with a sketch for each class."""
    shares = ", ".join(f"{share!r}D" for share in measure.shares)
    positive = is_class(measure.rows.label, "y", measure.positive)
    sketches = (
        f"percentile_approx(t, array({shares}), {_ACCURACY}) FILTER (WHERE {_JUDGED} AND {of}) AS e{i}"
        for i, of in enumerate((positive, f"NOT ({positive})"))
    )
    [row] = judged(read, measure.rows).agg(*map(F.expr, sketches)).collect()
    return Edges(tuple(sorted({edge + 0.0 for edges in row for edge in edges or ()})))


def ranked(read: Read, measure: Ranked) -> Area:
    """Add up by score, order the scores of each bin in a task of its own, and add up again."""
    positive, at = keys_of(measure.bins, measure.rows)
    rows = judged(read, measure.rows).where(_JUDGED).selectExpr("s", "t", f"{at} AS b", f"{positive} AS p", "w")
    scores = rows.groupBy("s", "b", "t").agg(F.expr("sum(w * p) AS yes"), F.expr("sum(w * (1 - p)) AS no"))
    above = json.dumps([side for bins in measure.above for sides in bins for side in sides])
    place = f"2 * (s * {measure.bins.bins} + b)"
    window = "OVER (PARTITION BY s, b ORDER BY t DESC ROWS UNBOUNDED PRECEDING)"
    ordered = scores.selectExpr(
        "s",
        "yes",
        "no",
        f"sum(yes) {window} AS right",
        f"sum(no) {window} AS wrong",
        f"from_json('{above}', 'ARRAY<DOUBLE>') AS above",
        f"{place} AS i",
    ).selectExpr("s", "yes", "no", "right + above[i + 1] AS right", "wrong + above[i] AS wrong")
    sums = ordered.groupBy("s").agg(
        F.expr("sum(yes * (wrong - no / 2)) AS lost"),
        F.expr("sum(IF(yes > 0, yes * (right / (right + wrong)), 0D)) AS precision"),
    )
    found = {row["s"]: row for row in sums.collect()}
    sides = (
        [found[i][name] if i in found else 0.0 for i in range(len(measure.above))] for name in ("lost", "precision")
    )
    return Area(*map(tuple, sides))


def judged(read: Read, rows: ScoredRows) -> DataFrame:
    """The rows of all sets, of each as often as it is in one."""
    frames: Iterator[tuple[int, DataFrame]]
    if isinstance(rows.sets, Scenarios):
        frames = scenario_rows(read, rows)
    elif isinstance(rows.sets, Slices):
        frames = iter(((0, slice_rows(read, rows, rows.sets)),))
    else:
        frames = _split_rows(read, rows, rows.sets)
    return reduce(lambda a, b: a.union(b), (_judged(frame, rows, at) for at, frame in frames))


def _split_rows(read: Read, rows: ScoredRows, splits: Splits) -> Iterator[tuple[int, DataFrame]]:
    """The place of each source and its rows with the place of their set, s."""
    for at, source in enumerate(splits.sources):
        code = f"CAST({split_code(splits, at, f'c{len(rows.parts)}')} AS INT) AS s"
        frame = read(source, rows.reads[source]).selectExpr("*", code).where("s IS NOT NULL")
        yield at, (frame if rows.last is None else _with_last(read, frame, rows, rows.last))


def _with_last(read: Read, frame: DataFrame, rows: ScoredRows, last: LastLabel) -> DataFrame:
    """The rows with the last label that their entity had before, l: in one window of each entity, by time."""
    width = len(last.entity) + 1
    names = [f"c{len(rows.parts) - width + i}" for i in range(width)]
    own = frame.selectExpr("*", "true AS own", *_history("c0", names, last, 0))
    if last.past not in rows.sets.sources:
        names = [f"c{i + 1}" for i in range(width)]
        past = read(last.past, last.reads).selectExpr("false AS own", *_history("c0", names, last, 1))
        own = own.unionByName(past, allowMissingColumns=True)
    keys = [f"g{i}" for i in range(len(last.entity))]
    before = f"PARTITION BY {', '.join(keys)} ORDER BY at RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING"
    known = " AND ".join(f"{key} IS NOT NULL" for key in (*keys, "at"))
    # Of several at the same time the greatest. Rows without a time come before all others.
    latest = f"max(IF(past_label IS NULL OR at IS NULL, NULL, named_struct('at', at, 'y', past_label))) OVER ({before})"
    return own.selectExpr("*", f"IF({known}, ({latest}).y, NULL) AS l").where("own")


def _history(label: str, names: Sequence[str], last: LastLabel, at: int) -> Iterator[str]:
    """The label where it is known, the entity in comparable values, and the time in microseconds."""
    column = last.label.columns[at]
    yield f"IF({untold(label, column.type)}, NULL, {in_type(label, column.type, last.label.type)}) AS past_label"
    for i, (name, part) in enumerate(zip(names, last.entity, strict=False)):
        yield f"{comparable(in_type(name, part.columns[at].type, part.type), part.type)} AS g{i}"
    first, _ = instants(names[-1], last.time.columns[at].type, last.timezone)
    yield f"{first} AS at"


def _judged(frame: DataFrame, rows: ScoredRows, at: int) -> DataFrame:
    named = {part: (f"c{i}", part.columns[at].type) for i, part in enumerate(rows.parts)}
    of = ("l", rows.label.type) if rows.last is not None and rows.last.told else named[rows.told]
    told = _typed(*of, rows.told, number=not rows.told_class)
    if rows.chances is not None:
        told = _chance(rows, rows.chances, named)
    weight = "1D" if rows.weight is None else f"CAST({named[rows.weight][0]} AS DOUBLE)"
    return frame.selectExpr(
        "s",
        f"{_fate(rows, named)} AS fate",
        f"{_typed(*named[rows.label], rows.label, number=rows.numeric)} AS y",
        f"{told} AS t",
        f"{weight} AS w",
        f"{cluster_hash([(in_type(*named[part], part.type), part.type) for part in rows.cluster])} AS h",
    )


def _fate(rows: ScoredRows, named: Mapping[Part, tuple[str, str]]) -> str:
    label, told = named[rows.label][0], named[rows.told][0]
    whens = [f"WHEN {untold(*named[rows.label])} THEN {Fate.UNLABELLED:d}"]
    if rows.chances is not None:
        whens.append(f"WHEN ({_place(rows, rows.chances, named)}) IS NULL THEN {Fate.FOREIGN:d}")
    if rows.binary:
        whens.append(f"WHEN abs(CAST({label} AS DOUBLE)) NOT IN (0D, 1D) THEN {Fate.FOREIGN:d}")
    if rows.last is not None:
        whens.append(f"WHEN l IS NULL THEN {Fate.NEW:d}")
    others = () if rows.chances is None else rows.chances.others
    models = [untold(*named[part]) for part in (rows.told, rows.rival, *others) if part is not None]
    whens.append(f"WHEN {' OR '.join(models)} THEN {Fate.UNSCORED:d}")
    if rows.weight is not None:
        weight = named[rows.weight]
        whens.append(f"WHEN {untold(*weight)} OR CAST({weight[0]} AS DOUBLE) < 0 THEN {Fate.UNWEIGHTED:d}")
    if rows.probability:
        scores = [told, *([] if rows.rival is None else [named[rows.rival][0]]), *(named[part][0] for part in others)]
        inside = [f"CAST({score} AS DOUBLE) BETWEEN 0D AND 1D" for score in scores]
        if rows.chances is not None:
            whole = " + ".join(f"CAST({score} AS DOUBLE)" for score in scores)
            inside.append(f"abs({whole} - 1D) <= {ROUNDING!r}D")
        whens.append(f"WHEN NOT ({' AND '.join(inside)}) THEN {Fate.OUTSIDE:d}")
    return f"CASE {' '.join(whens)} ELSE {Fate.JUDGED:d} END"


def _place(rows: ScoredRows, chances: AllChances, named: Mapping[Part, tuple[str, str]]) -> str:
    return class_place(rows.label, typed_class(*named[rows.label], rows.label), chances.classes)


def _chance(rows: ScoredRows, chances: AllChances, named: Mapping[Part, tuple[str, str]]) -> str:
    """What is made of the probabilities of all classes."""
    told = [f"CAST({named[part][0]} AS DOUBLE)" for part in (rows.told, *chances.others)]
    place = f"({_place(rows, chances, named)})"
    if not chances.squared:
        return f"array({', '.join(told)})[{place}]"
    gaps = (f"pow({one} - IF({place} = {k}, 1D, 0D), 2)" for k, one in enumerate(told))
    return f"({chances.scale!r}D * ({' + '.join(gaps)}))"


def _typed(name: str, kind: str, part: Part, *, number: bool) -> str:
    """A number with one zero, or a class in the type that all sets share."""
    return f"CAST({name} AS DOUBLE) + 0D" if number else typed_class(name, kind, part)


def _aggregates(measure: Scored) -> Sequence[str]:
    weighted = measure.rows.weight is not None
    names = ["1D", *(f"v{i}" for i in range(1, len(measure.values) + 1))]
    found = ["count(1) AS n", *(f"{_sum(['w'] if weighted else [], [n])} AS s{i}" for i, n in enumerate(names))]
    if measure.folds > 1:
        return [*found, "min(h) AS low", "max(h) AS high"]
    weights = ["w", "w"] if weighted else []
    pairs = enumerate(combinations_with_replacement(names, 2))
    return [*found, *(f"{_sum(weights, pair)} AS m{i}" for i, pair in pairs)]


def _sum(weights: Sequence[str], terms: Sequence[str]) -> str:
    factors = [*weights, *(term for term in terms if term != "1D")]
    return f"sum({' * '.join(factors)})" if factors else "CAST(count(1) AS DOUBLE)"


def _answer(found: Sequence[Row], measure: Scored) -> ScoredAnswer:
    fates: dict[tuple[int, Fate], int] = {}
    cells = []
    many, keys = len(measure.values) + 1, len(keys_of(measure.cell, measure.rows))
    types = (measure.rows.label.type, measure.rows.told.type)
    for row in found:
        fate = Fate(row["fate"])
        fates[row["s"], fate] = fates.get((row["s"], fate), 0) + row["n"]
        if fate is not Fate.JUDGED:
            continue
        key = tuple(row[f"k{i}"] for i in range(keys))
        if isinstance(measure.cell, Agreement):
            key = (1, *key)
        elif isinstance(measure.cell, ClassPairs):
            key = tuple(named_class(name, kind) for name, kind in zip(key, types, strict=True))
        sums = tuple(row[f"s{i}"] for i in range(many))
        clusters = frozenset((row["low"], row["high"])) if measure.folds > 1 else frozenset()
        moments = tuple(row[f"m{i}"] for i in range(many * (many + 1) // 2)) if measure.folds == 1 else ()
        cells.append(SetCell(row["s"], row["f"] if measure.folds > 1 else 0, key, row["n"], sums, moments, clusters))
    return ScoredAnswer(tuple(sorted(cells, key=lambda cell: (cell.place, cell.fold, cell.key))), fates)


COMPUTE = {Scored: scored, ScoreEdges: score_edges, Ranked: ranked}
