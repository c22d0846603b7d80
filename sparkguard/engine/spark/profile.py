"""Extremes, moments and sketches of a column as aggregates."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sparkguard.core.types import is_float
from sparkguard.engine.spark import Names, WideRecipe
from sparkguard.engine.spark.conditions import value_hash
from sparkguard.measures.profile import Extent, Extremes, Moments, Spread, ordinal
from sparkguard.measures.sketches import (
    HLL_LG_K,
    KEPT,
    KLL_K,
    TRACKED,
    TRACKING_ERROR,
    Distinct,
    Distincts,
    Frequent,
    Frequents,
    FrequentValues,
    Quantiles,
    Ranks,
)

_AS_ORDINAL = {"date": "unix_date({})", "timestamp": "unix_micros({})", "timestamp_ntz": "CAST({} AS STRING)"}


def _extremes(measure: Extremes, names: Names) -> Sequence[str]:
    name, kind = names[measure.column], measure.column.type
    if measure.lengths:
        name = f"array_size({name})"
    elif is_float(kind):
        name = f"nanvl({name}, NULL)"
    return bounds_of(name, "int" if measure.lengths else kind)


def bounds_of(name: str, kind: str) -> Sequence[str]:
    """The least and the greatest value as numbers, a timestamp without a zone as text."""
    shape = _AS_ORDINAL.get(kind, "{}")
    return [shape.format(f"{function}({name})") for function in ("min", "max")]


def _extent(measure: Extremes, values: Sequence[Any]) -> Extent:
    if measure.column.type == "timestamp_ntz":
        values = [None if v is None else ordinal(datetime.fromisoformat(v)) for v in values]
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
    found = f"approx_top_k({value_hash(name, measure.column.type)}, {KEPT}, {TRACKED})"
    return (f"count({name})", f"{found} FILTER (WHERE {name} IS NOT NULL)")


def _distinct(measure: Distinct, names: Names) -> Sequence[str]:
    name = names[measure.column]
    # A filter is a tenth faster than hashing NULL to NULL.
    return (f"hll_sketch_agg({value_hash(name, measure.column.type)}, {HLL_LG_K}) FILTER (WHERE {name} IS NOT NULL)",)


def _frequents(measure: FrequentValues, values: Sequence[Any]) -> Frequents:
    del measure
    n, found = values
    items = [(item, count) for item, count in found or [] if item is not None]
    if sum(count for _, count in items) == n:
        return Frequents.of(n, [Frequent(item, count, count) for item, count in items], 0)
    error = int(TRACKING_ERROR * n) + 1
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
        lambda _measure, values: Distincts(bytes(values[0] or b"")),
        needs="hll_sketch_agg",
    ),
    FrequentValues: WideRecipe(_frequent, _frequents, needs="approx_top_k"),
}
