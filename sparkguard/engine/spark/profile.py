"""Extremes, moments and sketches of a column as aggregates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sparkguard.core.types import is_float
from sparkguard.engine.spark import Names, WideRecipe
from sparkguard.engine.spark.conditions import value_hash
from sparkguard.engine.spark.values import comparable, hash_of, is_nested, whole_value
from sparkguard.measures.profile import Extent, Extremes, Moments, Spread
from sparkguard.measures.sketches import (
    HLL_LG_K,
    KEPT,
    KEY_LG_K,
    KLL_K,
    TRACKED,
    TRACKING_ERROR,
    Distinct,
    DistinctKeys,
    Distincts,
    Frequent,
    Frequents,
    FrequentValues,
    Quantiles,
    Ranks,
)

AS_ORDINAL = {
    "date": "unix_date({0})",
    "timestamp": "unix_micros({0})",
    # By parts, which no session's timezone touches.
    "timestamp_ntz": (
        "datediff(CAST({0} AS DATE), DATE'1970-01-01') * 86400000000L + hour({0}) * 3600000000L"
        " + minute({0}) * 60000000L + CAST(extract(SECOND FROM {0}) * 1000000 AS BIGINT)"
    ),
}
_HASH_OF_NULL = 42
"""What Spark's hash of nothing but a NULL is."""


def _extremes(measure: Extremes, names: Names) -> Sequence[str]:
    name, kind = names[measure.column], measure.column.type
    if measure.lengths:
        name = f"array_size({name})"
    elif is_float(kind):
        name = f"nanvl({name}, NULL)"
    shape = "{}" if measure.lengths else AS_ORDINAL.get(kind, "{}")
    return [shape.format(f"{function}({name})") for function in ("min", "max")]


def _extent(measure: Extremes, values: Sequence[Any]) -> Extent:
    del measure
    return Extent(*values)


def _moments(measure: Moments, names: Names) -> Sequence[str]:
    value = _finite(names[measure.column], measure.column.type)
    count = value if is_float(measure.column.type) else names[measure.column]
    return (f"count({count})", f"sum({value})", f"var_pop({value})")


def _spread(measure: Moments, values: Sequence[Any]) -> Spread:
    del measure
    n, total, variance = values
    return Spread(n, total / n, variance * n) if n else Spread.zero()


def _finite(name: str, kind: str) -> str:
    value = f"CAST({name} AS DOUBLE)"
    return f"IF(abs({name}) < CAST('Infinity' AS {kind}), {value}, NULL)" if is_float(kind) else value


def _frequent(measure: FrequentValues, names: Names) -> Sequence[str]:
    name = names[measure.column]
    found = f"approx_top_k({_hash(name, measure.column.type)}, {KEPT}, {TRACKED})"
    return ("count(1)", f"count({name})", found)


def _distinct(measure: Distinct, names: Names) -> Sequence[str]:
    name = names[measure.column]
    return ("count(1)", f"count({name})", f"hll_sketch_agg({_hash(name, measure.column.type)}, {HLL_LG_K})")


def _distincts(measure: Distinct, values: Sequence[Any]) -> Distincts:
    rows, n, sketch = values
    return Distincts(bytes(sketch or b""), n < rows and not is_nested(measure.column.type))


def _distinct_keys(measure: DistinctKeys, names: Names) -> Sequence[str]:
    named = [(names[column], column.type) for column in measure.key]
    absent = " OR ".join(f"{name} IS NULL" for name, _ in named)
    values = [part for name, kind in named for part in whole_value(comparable(name, kind), kind)]
    return (f"hll_sketch_agg(IF({absent}, NULL, {hash_of(values)}), {KEY_LG_K})",)


def _hash(name: str, kind: str) -> str:
    """A hash of each value; of a plain NULL it is the hash of nothing, since a condition in each row costs a tenth."""
    whole = value_hash(name, kind)
    return f"IF({name} IS NULL, NULL, {whole})" if is_nested(kind) else whole


def _frequents(measure: FrequentValues, values: Sequence[Any]) -> Frequents:
    del measure
    rows, n, found = values
    items = [(item, count) for item, count in found or [] if item not in (None, _HASH_OF_NULL)]
    if sum(count for _, count in items) == n:
        return Frequents.of(n, [Frequent(item, count, count) for item, count in items], 0)
    error = int(TRACKING_ERROR * rows) + 1
    bounds = [Frequent(item, max(0, count - error), count) for item, count in items]
    return Frequents.of(n, bounds, max([error, *(i.high for i in bounds[KEPT - 1 :])]))


WIDE = {
    Extremes: WideRecipe(_extremes, _extent),
    Moments: WideRecipe(_moments, _spread),
    Quantiles: WideRecipe(
        lambda m, names: (f"kll_sketch_agg_double(CAST({names[m.column]} AS DOUBLE), {KLL_K})",),
        lambda _measure, values: Ranks(bytes(values[0] or b"")),
        needs="kll_sketch_agg_double",
    ),
    Distinct: WideRecipe(
        _distinct,
        _distincts,
        needs="hll_sketch_agg",
    ),
    DistinctKeys: WideRecipe(
        _distinct_keys,
        lambda _measure, values: Distincts(bytes(values[0] or b"")),
        needs="hll_sketch_agg",
    ),
    FrequentValues: WideRecipe(_frequent, _frequents, needs="approx_top_k"),
}
