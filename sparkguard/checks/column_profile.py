"""What does a column look like tonight, for bounds and for trends?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from sparkguard.core.check import Run
from sparkguard.core.columns import Column
from sparkguard.core.evidence import Evidence
from sparkguard.core.fields import ColumnsField, Like
from sparkguard.core.finding import Finding, Quantity
from sparkguard.core.measure import Answer, Measure
from sparkguard.core.text import count, hides, number
from sparkguard.core.types import can_be_compared, is_number
from sparkguard.measures.conditions import Missing
from sparkguard.measures.profile import Extremes, Moments
from sparkguard.measures.sketches import Distinct, Quantiles
from sparkguard.measures.tallies import Count
from sparkguard.shapes.columns import ColumnsCheck

Statistic = Literal["nulls", "distinct", "extremes", "moments", "quantiles"]
_OF_NUMBERS = ("extremes", "moments", "quantiles")
_VALUES = ("extremes", "quantiles")


class ColumnProfile(ColumnsCheck):
    """Records numbers of each column: missing and distinct values, extremes, mean, deviation, quantiles.

    It passes unless bounds are given; its numbers go to `metrics`, where dashboards show them and
    `metric_anomaly` watches them. Of columns that are not numbers only `nulls` and `distinct` are
    recorded, and of redacted columns neither extremes nor quantiles.

    Cost: shares one scan with all such checks of the same window; no shuffle. Only what `statistics`
    names is computed.

    Blind to: everything for which no bound is given.

    Example:
        >>> from sparkguard.testing import judge
        >>> check = ColumnProfile(id="shape", dataset="t", columns="x", statistics=["nulls", "moments"])
        >>> [finding] = judge(check, {"t": [{"x": 1}, {"x": 3}, {"x": None}]})
        >>> {n: q.value for n, q in finding.quantities.items()}
        {'null_rows': 1.0, 'null_rate': 0.3333333333333333, 'mean': 2.0, 'deviation': 1.0, 'evaluated_rows': 3.0}
    """

    QUANTITIES: ClassVar[Mapping[str, str]] = {
        "null_rows": "rows without a value (nulls)",
        "null_rate": "null_rows / evaluated_rows (nulls)",
        "distinct_values": "distinct values, NULL left out, by a sketch (distinct)",
        "minimum": "the least value, NaN left out (extremes)",
        "maximum": "the greatest value, NaN left out (extremes)",
        "mean": "mean of the finite values (moments)",
        "deviation": "standard deviation of the finite values, divided by n (moments)",
        "q50": "the value at a rank of 50 %, by a sketch; so for each of `quantiles`",
        "evaluated_rows": "rows of the window",
    }
    COST: ClassVar[str] = "shares 1 scan with all such checks of the same window"

    columns: ColumnsField = Like(("*",))
    """Columns by name, or by a pattern: {like: "f_*", except: [f_id]}; by default all."""
    statistics: tuple[Statistic, ...] = ("nulls", "distinct", "extremes", "moments", "quantiles")
    """What is recorded."""
    quantiles: tuple[Annotated[float, Field(ge=0, le=1)], ...] = (0.01, 0.25, 0.5, 0.75, 0.99)
    """The ranks whose values are recorded, as q01, q25, q50 and so on."""

    @property
    def quantities(self) -> frozenset[str]:
        """The type's, and one for each of `quantiles`."""
        return frozenset({*self.QUANTITIES, *map(_rank_name, self.quantiles)})

    def ask_column(self, column: Column, seen: Evidence) -> Iterable[Measure[Answer]]:
        """What is recorded of a column of this type."""
        del seen
        yield Count(self.source, Missing(column))
        asked = {"distinct": Distinct, "extremes": Extremes, "moments": Moments, "quantiles": Quantiles}
        for name in self._recorded(column):
            if name in asked:
                yield asked[name](self.source, column)

    def judge_column(self, column: Column, seen: Evidence, run: Run) -> Finding:
        """Record, and judge by the bounds if there are any."""
        del run
        tally = seen.require(Count(self.source, Missing(column)))
        quantities: dict[str, Quantity] = {}
        recorded = self._recorded(column)
        if "nulls" in recorded:
            quantities["null_rows"] = Quantity(tally.broke)
            quantities["null_rate"] = Quantity(tally.broke / tally.rows if tally.rows else None)
        if "distinct" in recorded:
            quantities["distinct_values"] = Quantity(*seen.require(Distinct(self.source, column)).estimate(), "sketch")
        quantities |= self._of_numbers(column, seen, recorded)
        finding = self.finding(column, evaluated_rows=tally.rows, quantities=quantities)
        shown = ", ".join(f"{n} {number(q.value)}" for n, q in quantities.items() if q.value is not None)
        return self.verdict(finding, passed=f"{column.name} in {count(tally.rows, 'row')}: {shown}", failed="")

    def _of_numbers(self, column: Column, seen: Evidence, recorded: Iterable[str]) -> Mapping[str, Quantity]:
        found: dict[str, Quantity] = {}
        if "extremes" in recorded:
            extent = seen.require(Extremes(self.source, column))
            found |= {"minimum": _exact(extent.low), "maximum": _exact(extent.high)}
        if "moments" in recorded:
            spread = seen.require(Moments(self.source, column))
            found |= {"mean": Quantity(spread.mean if spread.n else None), "deviation": Quantity(spread.deviation)}
        if "quantiles" in recorded:
            ranks = seen.require(Quantiles(self.source, column))
            found |= {
                _rank_name(rank): Quantity(ranks.quantile(rank), ranks.margin(rank), "sketch")
                for rank in self.quantiles
            }
        return found

    def _recorded(self, column: Column) -> tuple[Statistic, ...]:
        hidden = self.violations == "none" or hides(self.redact, column.name)
        return tuple(
            s
            for s in self.statistics
            if (s not in _OF_NUMBERS or is_number(column.type))
            and (s != "distinct" or can_be_compared(column.type))
            and not (hidden and s in _VALUES)
        )


def _rank_name(rank: float) -> str:
    return f"q{100 * rank:02.6g}"


def _exact(value: object) -> Quantity:
    return Quantity(None if value is None else float(value))  # type: ignore[arg-type] # a number
