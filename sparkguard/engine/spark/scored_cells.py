"""Cells and values of judged rows in Spark: y is the label of a row, t what was told of it, s the place of its set."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sparkguard.engine.spark.classes import is_class
from sparkguard.engine.spark.values import text
from sparkguard.measures.scored import ScoredRows
from sparkguard.measures.scored_cells import (
    EPSILON,
    Agreement,
    ByLabel,
    Cell,
    ChanceLoss,
    ClassPairs,
    Constantly,
    Error,
    FromAnchor,
    Mistake,
    OneClass,
    Pinball,
    Score,
    ScoreBins,
    Side,
    Value,
)


def keys_of(cell: Cell, rows: ScoredRows) -> Sequence[str]:
    """What tells the cell of a row."""
    if isinstance(cell, ScoreBins):
        return (
            f"CAST({is_class(rows.label, 'y', cell.positive)} AS INT)",
            _bin(cell.edges, "<=" if cell.right else "<"),
        )
    if isinstance(cell, OneClass):
        said = is_class(rows.told, "t", cell.positive) if cell.threshold is None else f"(t >= {cell.threshold!r}D)"
        return (f"CAST({is_class(rows.label, 'y', cell.positive)} AS INT)", f"CAST({said} AS INT)")
    if isinstance(cell, ByLabel):
        return (f"CAST({is_class(rows.label, 'y', cell.positive)} AS INT)",)
    if isinstance(cell, Side):
        return ("CAST(sign(t - y) AS INT)",)
    if isinstance(cell, Agreement):
        return ("CAST(y = t AS INT)",)
    return (text("y", rows.label.type), text("t", rows.told.type)) if isinstance(cell, ClassPairs) else ()


def _bin(edges: Sequence[float], below: str, first: int = 0) -> str:
    """The bin of t by halving."""
    if not edges:
        return str(first)
    half = len(edges) // 2
    lower, upper = _bin(edges[:half], below, first), _bin(edges[half + 1 :], below, first + half + 1)
    return f"IF(t {below} {edges[half]!r}D, {lower}, {upper})"


def value_of(value: Value, rows: ScoredRows, told: str = "t") -> str:
    """A number of a row that is added up."""
    if isinstance(value, Constantly):
        return value_of(value.value, rows, f"{value.told!r}D")
    return _VALUES[type(value)](value, rows, told)


def _score(value: Score, rows: ScoredRows, told: str) -> str:
    positive = is_class(rows.label, "y", value.positive)
    if value.kind == "log_loss":
        low, high = f"{value.epsilon!r}D", f"{1 - value.epsilon!r}D"
        return f"-ln(least(greatest(IF({positive}, {told}, 1 - {told}), {low}), {high}))"
    gap = f"(IF({positive}, 1D, 0D) - {told})"
    return gap if value.kind == "gap" else f"({gap} * {gap})"


def _error(value: Error, _: ScoredRows, told: str) -> str:
    size = f"abs(y - {told})"
    kinds = {"squared_error": f"({size} * {size})", "percentage_error": f"({size} / greatest(abs(y), {EPSILON!r}D))"}
    return kinds.get(value.kind, size)


def _chance_loss(value: ChanceLoss, _: ScoredRows, told: str) -> str:
    if value.kind == "brier_score":
        return told
    return f"-ln(least(greatest({told}, {value.epsilon!r}D), {1 - value.epsilon!r}D))"


def _mistake(value: Mistake, rows: ScoredRows, told: str) -> str:
    if value.threshold is None:
        return f"IF(y = {told}, 0D, 1D)"
    return f"IF({is_class(rows.label, 'y', value.positive)} = ({told} >= {value.threshold!r}D), 0D, 1D)"


def _pinball(value: Pinball, _: ScoredRows, told: str) -> str:
    return f"(IF(y >= {told}, {value.alpha!r}D, {value.alpha - 1!r}D) * (y - {told}))"


def _from_anchor(value: FromAnchor, _: ScoredRows, __: str) -> str:
    distance = f"(y - element_at(array({', '.join(f'{a!r}D' for a in value.anchors)}), s + 1))"
    return distance if value.power == 1 else f"({distance} * {distance})"


_VALUES: Mapping[type[Value], Callable[[Any, ScoredRows, str], str]] = {
    Error: _error,
    Mistake: _mistake,
    Pinball: _pinball,
    FromAnchor: _from_anchor,
    Score: _score,
    ChanceLoss: _chance_loss,
}
