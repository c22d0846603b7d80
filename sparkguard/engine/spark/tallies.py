"""Row counts and broken rules as aggregates, and rows that break a rule as cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sparkguard.engine.spark import Cells, Names, Read, TallCell, TallRecipe, WideRecipe
from sparkguard.engine.spark.conditions import predicate
from sparkguard.engine.spark.values import as_evidence, hash_of, text
from sparkguard.measures.conditions import Missing
from sparkguard.measures.tallies import LONGEST_TEXT, Cell, Count, Examples, RowCount, Sample, Tally, Total

_ROWS = "count(1)"


def _count(measure: Count, names: Names) -> Sequence[str]:
    condition = measure.condition
    if isinstance(condition, Missing) and not condition.blank:
        return (_ROWS, f"count({names[condition.column]})")
    judged, broke = predicate(condition, names)
    return (_ROWS, _ROWS if judged is None else f"count({judged})", f"count_if({broke})")


def _tally(measure: Count, values: Sequence[Any]) -> Tally:
    if len(values) == 2:  # noqa: PLR2004 - rows and those with a value
        return Tally(values[0], values[0], values[0] - values[1])
    del measure
    return Tally(*values)


def _cell(measure: Examples, names: Names) -> TallCell:
    texts = [f"left({text(names[c], c.type)}, {LONGEST_TEXT})" for c in measure.shown]
    whole = hash_of(texts, texts)
    cell = whole if measure.buckets is None else f"pmod({whole}, {measure.buckets}L)"
    return TallCell(f"{predicate(measure.condition, names).broke}", cell, texts)


def _sample(measure: Examples, cells: Cells) -> Sample:
    del measure
    return Sample(tuple(Cell(bucket, n, tuple(low), tuple(high)) for bucket, n, low, high in sorted(cells)))


def evidence(read: Read, measure: Examples, kind: str, redact: Sequence[str]) -> DataFrame:
    """Every row that breaks the rule, equal ones counted."""
    names = Names(measure.columns)
    where = predicate(measure.condition, names).broke
    rows = read(measure.source, measure.columns, names.expressions).where(where)
    shown = {f"k{i}": column for i, column in enumerate(measure.shown)}
    texts = [F.expr(text(names[column], column.type)).alias(key) for key, column in shown.items()]
    groups = rows.select(*texts).groupBy(*shown).agg(F.count(F.lit(1)).alias("count"))
    values = ((column.name, F.col(key)) for key, column in shown.items())
    return as_evidence(groups, F.lit(kind), values, F.lit(measure.reason), F.col("count"), redact)


WIDE = {
    RowCount: WideRecipe(lambda _measure, _names: (_ROWS,), lambda _measure, values: Total(values[0])),
    Count: WideRecipe(_count, _tally),
}
TALL = {Examples: TallRecipe(_cell, _sample)}
EVIDENCE = {Examples: evidence}
