"""Are values inside their bounds?"""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import Field, model_validator

from sparkguard.core.columns import Column
from sparkguard.core.evidence import Evidence
from sparkguard.core.expectation import Expectation
from sparkguard.core.types import is_number, is_time
from sparkguard.core.values import Value, ValueField, inward
from sparkguard.errors import DataError
from sparkguard.measures.conditions import Outside
from sparkguard.shapes.rows import ColumnRowsCheck, Rule
from sparkguard.shapes.wording import MOST_EXACT, Words, for_each_column, refuse


class ValueRange(ColumnRowsCheck):
    """Counts rows in which a number, a day or a moment lies outside its bounds, which are included.

    NaN is outside of every range. A NULL is not judged: `completeness` counts it. A bound is read in
    the column's type: for a float column 0.1 is the float next to it.

    Cost: shares one scan with all such checks of the same window; no shuffle. Where a bound is
    broken, a second scan shows rows.

    Blind to: values that are wrong and inside.

    Example:
        >>> from sparkguard.testing import judge
        >>> check = ValueRange(id="share", dataset="t", columns="x", min=0, max=1)
        >>> [finding] = judge(check, {"t": [{"x": 0.0}, {"x": 1.5}, {"x": None}]})
        >>> finding.status.value, finding.message
        ('fail', '1 of 2 rows is outside [0, 1] in x, for example x=1.5')
    """

    FITS: ClassVar[str] = "a number, a date or a timestamp"

    min: ValueField | None = Field(default=None, examples=["0"])
    """The least value that is allowed; a time without a zone is in the suite's timezone."""
    max: ValueField | None = Field(default=None, examples=["1"])
    """The greatest value that is allowed."""

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.min is None and self.max is None:
            message = "give min, max or both"
            raise ValueError(message)
        return self

    def fits(self, column: Column) -> bool:
        """Texts have an order too, but hardly one that is meant."""
        return is_number(column.type) or is_time(column.type)

    def rule(self, column: Column, seen: Evidence) -> Rule:
        """What is outside is wrong."""
        del seen
        low, high = (
            None if bound is None else inward(bound.typed(column), column, up=bound is self.min)
            for bound in (self.min, self.max)
        )
        if low is not None and high is not None and low > high:  # type: ignore[operator] # of one type
            message = f"no value of '{column.name}' is inside [{self.min}, {self.max}]"
            raise DataError(message, "exchange min and max")
        inside = f"[{'-∞' if self.min is None else self.min}, {'∞' if self.max is None else self.max}]"
        return Rule(
            self.finding(column),
            Outside(column, low, high),
            kind="out_of_range",
            fine=f"{column.name} is inside {inside}",
            wrong=f"outside {inside} in {column.name}",
            expected=f"inside {inside}",
            remedy="look for a change of unit, of sign or of scale in the upstream",
        )

    def as_expectations(self) -> tuple[Expectation, ...]:
        """Values are between two numbers. It reads times in the session's timezone, so those it has no words for."""
        return for_each_column(self, self._words)

    def _words(self) -> Words:
        if self.max is None:
            # NaN is greater than every number, so only a greatest value excludes it.
            refuse("min without max, which NaN would pass,", self)
        given = {"min_value": self.min, "max_value": self.max}
        return "expect_column_values_to_be_between", {n: self._number(v) for n, v in given.items() if v is not None}

    def _number(self, bound: Value) -> float:
        try:
            number = float(bound.raw)
        except ValueError:
            refuse(f"the bound {bound}", self)
        if not abs(number) < MOST_EXACT:
            refuse(f"the bound {bound}", self)
        return int(number) if number.is_integer() else number
