"""Which scenarios a row is in: one broadcast lookup for all that are told by equal columns, an array of predicates."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sparkguard.core.columns import Column
from sparkguard.engine.spark import Read
from sparkguard.engine.spark.values import comparable, hashes_apart, in_type
from sparkguard.measures.scenarios import ByEquality, ByTable, Scenarios, Texts
from sparkguard.measures.scored import ScoredRows

_ALIKE = "two values that tell scenarios have the same hash: give one of these scenarios by a condition (where)"


def scenario_rows(read: Read, rows: ScoredRows) -> Iterator[tuple[int, DataFrame]]:
    """The place of each source and its rows, once for each scenario that holds them, with its place, s."""
    scenarios = rows.sets
    if not isinstance(scenarios, Scenarios):
        raise TypeError
    if scenarios.telling or scenarios.by_predicate or scenarios.whole is not None:
        yield 0, _of_main(read, rows, scenarios)
    for at, (source, place) in enumerate(scenarios.own, 1):
        yield at, read(source, rows.reads[source]).selectExpr("*", f"{place} AS s")


def _of_main(read: Read, rows: ScoredRows, scenarios: Scenarios) -> DataFrame:
    predicates = list(dict.fromkeys(one.sql for one in scenarios.by_predicate))
    frame = read(scenarios.main, rows.reads[scenarios.main], predicates)
    kept = [f"c{i}" for i in range(len(rows.parts))]
    names = {column: f"c{len(kept) + i}" for i, column in enumerate(scenarios.telling)}
    alone = [f"IF(e{predicates.index(one.sql)}, {one.place}, NULL)" for one in scenarios.by_predicate]
    alone += [] if scenarios.whole is None else [str(scenarios.whole)]
    looked: list[str] = []
    for i, equal in enumerate(scenarios.by_equality):
        mine, theirs = [names[c] for c in equal.columns], [f"k{i}_{j}" for j in range(len(equal.columns))]
        table = F.broadcast(_places(frame.sparkSession, equal, i))
        same = " AND ".join(f"{a} <=> {b}" for a, b in zip(mine, theirs, strict=True))
        found = f"{_hash(mine, equal)} = h{i}" if _hashable(equal) else same
        frame = frame.join(table, F.expr(found), "left")
        looked.append(same)
    for i, by_table in enumerate(scenarios.by_table, len(scenarios.by_equality)):
        mine = []
        for j, pair in enumerate(by_table.pairs):
            mine.append(f"m{i}_{j}")
            value = comparable(in_type(names[pair.one], pair.one.type, pair.type), pair.type)
            frame = frame.selectExpr("*", f"{value} AS {mine[-1]}")
        same = " AND ".join(f"{name} = k{i}_{j}" for j, name in enumerate(mine))
        frame = frame.join(_keys(read, by_table, i), F.expr(same), "left")
        looked.append(f"p{i} IS NOT NULL")
    # What was looked up is checked here: inside of `explode` it would be handed on for each place.
    right = [f"IF({same}, {name}{i}, NULL) AS {name}{i}" for i, same in enumerate(looked) for name in "pq"]
    frame = frame.selectExpr(*kept, *(f"{sql} AS a{i}" for i, sql in enumerate(alone)), *right)
    places = _all_places(len(alone), len(looked))
    # To look for what is there twice takes as long as the lookups.
    places = places if scenarios.disjoint else f"array_distinct({places})"
    return frame.selectExpr(*kept, f"explode({places}) AS s").where("s IS NOT NULL")


def _all_places(alone: int, looked: int) -> str:
    """The places of a row, NULL among them: of so many that are told alone, and of so many lookups."""
    parts = []
    if alone:
        parts.append(f"filter(array({', '.join(f'a{i}' for i in range(alone))}), place -> place IS NOT NULL)")
    if looked:
        parts.append(f"array({', '.join(f'p{i}' for i in range(looked))})")
    first = f"concat({', '.join(parts)})" if len(parts) > 1 else parts[0]
    if not looked:
        return first
    # Mostly a lookup says one place, and Spark makes an array of numbers sooner than one of arrays.
    several = " OR ".join(f"q{i} IS NOT NULL" for i in range(looked))
    rest = ", ".join(f"coalesce(q{i}, array())" for i in range(looked))
    return f"IF({several}, concat({first}, {rest}), {first})"


def _hashable(equal: ByEquality) -> bool:
    """Whether equal values have equal hashes."""
    return not any(hashes_apart(column.type) for column in equal.columns)


def _hash(names: Sequence[str], equal: ByEquality) -> str:
    """One number for some values, by which rows are looked up faster than by the values themselves."""
    # A hash passes over NULL, so (NULL, 1) and (1, NULL) would have the same.
    empty = [f"isnull({name})" for j, name in enumerate(names) if any(values[j] is None for values, _ in equal.places)]
    return f"xxhash64({', '.join([*names, *empty])})"


def _places(spark: SparkSession, equal: ByEquality, number: int) -> DataFrame:
    """The values of scenarios and their places, as rows of the driver; what is no value of the type is none."""
    keys_of: dict[tuple[int, ...], list[Texts]] = {}
    for key, places in equal.places:
        keys_of.setdefault(places, []).append(key)
    rows = [{"p": places, "k": keys} for places, keys in keys_of.items()]
    # One partition, so that nothing is shuffled; and no constant, which Spark would write out in each of its plans.
    told = F.concat(F.lit(json.dumps(rows, separators=(",", ":"))), F.expr("IF(id = 0, '', ' ')"))
    listed = F.inline(F.from_json(told, "ARRAY<STRUCT<p: ARRAY<INT>, k: ARRAY<ARRAY<STRING>>>>"))
    names = (f"k[{j}] AS k{j}" for j in range(len(equal.columns)))
    texts = spark.range(0, 1, 1, 1).select(listed).selectExpr("p", "explode(k) AS k").selectExpr("p", *names)
    values = [f"try_cast(k{j} AS {c.type}) AS k{number}_{j}" for j, c in enumerate(equal.columns)]
    # A text that is no value of the column's type names no row, and is not to be taken for NULL.
    valid = [f"(k{j} IS NULL OR {_valid(f'k{j}', c)})" for j, c in enumerate(equal.columns)]
    typed = texts.where(" AND ".join(valid)).selectExpr(*values, "p")
    keys = [f"k{number}_{j}" for j in range(len(equal.columns))]
    # Texts that are one value of the column have one hash; it is checked that nothing else has.
    by = [F.expr(f"{_hash(keys, equal)} AS h{number}")] if _hashable(equal) else [F.col(key) for key in keys]
    ends = (f"{end}(struct({', '.join(keys)})) AS {end}" for end in ("min", "max"))
    merged = typed.groupBy(*by).agg(*map(F.expr, ends), F.expr("array_distinct(flatten(collect_list(p))) AS p"))
    once = f"IF(min <=> max, p[0], raise_error('{_ALIKE}')) AS p{number}"
    more = f"IF(size(p) > 1, slice(p, 2, size(p)), NULL) AS q{number}"
    return merged.selectExpr(*([f"h{number}"] if _hashable(equal) else []), "min.*", once, more)


def _valid(name: str, column: Column) -> str:
    return f"try_cast({name} AS {column.type}) IS NOT NULL"


def _keys(read: Read, table: ByTable, number: int) -> DataFrame:
    """The different keys of a table, with the scenario's place."""
    rows = read(table.source, tuple(pair.other for pair in table.pairs))
    values = [comparable(in_type(f"c{j}", pair.other.type, pair.type), pair.type) for j, pair in enumerate(table.pairs)]
    known = rows.where(" AND ".join(f"c{j} IS NOT NULL" for j in range(len(table.pairs))))
    keys = known.selectExpr(*(f"{value} AS k{number}_{j}" for j, value in enumerate(values))).distinct()
    return keys.selectExpr("*", f"{table.place} AS p{number}", f"CAST(NULL AS ARRAY<INT>) AS q{number}")
