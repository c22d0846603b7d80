"""In which slices a row is: a code for each column, and from these a place for each group of columns."""

from __future__ import annotations

from pyspark.sql import DataFrame

from sparkguard.core.types import is_float
from sparkguard.engine.spark import Read
from sparkguard.engine.spark.values import literal
from sparkguard.measures.scored import ScoredRows
from sparkguard.measures.slices import Cells, Slices


def slice_rows(read: Read, rows: ScoredRows, slices: Slices) -> DataFrame:
    """The rows, once for each group, with the place of the slice, s."""
    kept = [f"c{i}" for i in range(len(rows.parts))]
    codes = [f"{_code(f'c{len(kept) + i}', cells)} AS g{i}" for i, cells in enumerate(slices.columns)]
    coded = read(slices.main, rows.reads[slices.main]).selectExpr(*kept, *codes)
    places = []
    for group, first in zip(slices.groups, slices.offsets, strict=False):
        place = "0"
        for at in group:
            place = f"({place} * {slices.columns[at].width} + g{at})"
        places.append(f"{first} + {place}")
    return coded.selectExpr(*kept, f"explode(array({', '.join(places)})) AS s")


def _code(name: str, cells: Cells) -> str:
    if cells.text:
        whens = " ".join(f"WHEN {literal(value, 'string')} THEN {i}" for i, value in enumerate(cells.values, 1))
        other = len(cells.values) + 1
        known = f"CASE CAST({name} AS STRING) {whens} ELSE {other} END" if cells.values else str(other)
        return f"IF({name} IS NULL, 0, {known})"
    value = f"CAST({name} AS DOUBLE)"
    missing = f"{name} IS NULL" + (f" OR isnan({name})" if is_float(cells.column.type) else "")
    bins = " + ".join(f"IF({value} >= {edge!r}D, 1, 0)" for edge in cells.edges)
    return f"IF({missing}, 0, {' + '.join(filter(None, ['1', bins]))})"
