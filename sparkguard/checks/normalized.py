"""Are inputs scaled as the model expects?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar, Literal

from sparkguard.core.columns import Column
from sparkguard.core.evidence import Evidence
from sparkguard.core.fields import Bounds
from sparkguard.core.finding import Quantity
from sparkguard.core.measure import Answer, Measure, State
from sparkguard.core.text import number
from sparkguard.core.threshold import Bound
from sparkguard.core.types import is_number
from sparkguard.core.values import Value
from sparkguard.measures.conditions import Condition, NotFinite, Outside
from sparkguard.measures.profile import Extent, Extremes, Moments, Spread
from sparkguard.shapes.rows import ROW_QUANTITIES, ColumnRowsCheck, Rule

_RANGES = {"unit": (0.0, 1.0), "centered": (-0.5, 0.5)}


class Normalized(ColumnRowsCheck):
    r"""Tells whether numbers have mean 0 and deviation 1, or lie inside [0, 1] or [-0.5, 0.5].

    `standard`: `scale_error` is the larger of |mean| and |deviation - 1| over the finite values, and
    rows that are not finite break the rule. `unit` and `centered`: `scale_error` is how far the values
    reach outside, and rows outside break the rule. A NULL is not judged.

    Cost: shares one scan with all such checks of the same window; no shuffle. Where a bound is
    broken, a second scan shows rows.

    Blind to: columns that were scaled with the parameters of another; a shape that is far from normal.

    Example:
        >>> from sparkguard.testing import judge
        >>> check = Normalized(id="scaled", dataset="t", columns="x")
        >>> [finding] = judge(check, {"t": [{"x": 10.0}, {"x": 12.0}]})
        >>> finding.status.value, finding.message
        ('fail', "x has mean 11 and deviation 1 in 2 rows; scale_error is 11, and '> 0.1' fails")
    """

    FITS: ClassVar[str] = "a number"
    QUANTITIES: ClassVar[Mapping[str, str]] = {
        "scale_error": "standard: the larger of |mean| and |deviation - 1|; else how far values reach outside",
        "mean": "mean of the finite values (standard)",
        "deviation": "standard deviation of the finite values, divided by n (standard)",
        **ROW_QUANTITIES,
    }

    scale: Literal["standard", "unit", "centered"] = "standard"
    """standard: mean 0 and deviation 1; unit: inside [0, 1]; centered: inside [-0.5, 0.5]."""
    error_if: Bounds = {"violation_rows": Bound(">", 0.0), "scale_error": Bound(">", 0.1)}
    """Bounds on the quantities whose breach fails the check."""

    def fits(self, column: Column) -> bool:
        """Only numbers have a scale."""
        return is_number(column.type)

    def ask_column(self, column: Column, seen: Evidence) -> Iterable[Measure[Answer]]:
        """The rule, and the column's scale."""
        yield self._scale(column)
        yield from super().ask_column(column, seen)

    def rule(self, column: Column, seen: Evidence) -> Rule:
        """What cannot be on the scale is wrong."""
        scale = self._scale(column)
        quantities, told = self._quantities(column, seen.require(scale) if scale in seen else None)
        condition, expected = self._condition(column)
        return Rule(
            self.finding(column, quantities=quantities),
            condition,
            kind="not_normalized",
            fine=f"{column.name} {told}",
            wrong=f"not {expected} in {column.name}",
            expected=expected,
            remedy="look whether the scaler ran, and whether it was fitted on the data that the model was trained on",
        )

    def _scale(self, column: Column) -> Moments | Extremes:
        return Moments(self.source, column) if self.scale == "standard" else Extremes(self.source, column)

    def _condition(self, column: Column) -> tuple[Condition, str]:
        if self.scale == "standard":
            return NotFinite(column), "finite"
        low, high = _RANGES[self.scale]
        return Outside(
            column, Value(low).typed(column), Value(high).typed(column)
        ), f"inside [{number(low)}, {number(high)}]"

    def _quantities(self, column: Column, found: State | None) -> tuple[dict[str, Quantity], str]:
        if isinstance(found, Spread) and found.deviation is not None:
            error = max(abs(found.mean), abs(found.deviation - 1))
            values = {"scale_error": error, "mean": found.mean, "deviation": found.deviation}
            told = f"has mean {number(found.mean)} and deviation {number(found.deviation)}"
            return {n: Quantity(v) for n, v in values.items()}, told
        if isinstance(found, Extent) and found.low is not None and found.high is not None:
            low, high = _RANGES[self.scale]
            error = max(0.0, low - float(found.low), float(found.high) - high)
            ends = " to ".join(self.text(column.name, number(float(end))) for end in (found.low, found.high))
            return {"scale_error": Quantity(error)}, f"reaches from {ends}"
        return {}, "has no finite value"
