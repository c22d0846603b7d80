"""Are there values that nobody expects?"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from typing import Annotated, ClassVar

from pydantic import Field

from sparkguard.core.columns import Column
from sparkguard.core.evidence import Evidence
from sparkguard.core.expectation import Expectation
from sparkguard.core.types import element, is_float
from sparkguard.core.values import ValueField
from sparkguard.measures.conditions import NotIn
from sparkguard.shapes.rows import ColumnRowsCheck, Rule
from sparkguard.shapes.wording import MOST_EXACT, Words, for_each_column, refuse

_NAMED = 5
_TIME = re.compile(r"\d{4}-\d\d?-\d\d?([T ].*)?")
_WHOLE = re.compile(r"[-+]?\d+")


class AllowedValues(ColumnRowsCheck):
    """Counts rows whose value is not on the list, and names the values that are not.

    Values compare as Spark compares them, so text by its collation. A NULL is not judged:
    `completeness` counts it.

    Cost: shares one scan with all such checks of the same window; no shuffle. Where a bound is
    broken, a second scan with one shuffle counts the values that are not allowed: each of them while
    1,024 rows at most have one, else a sample of them.

    Blind to: an allowed value that stands in the wrong row; a list that has become too long.

    Example:
        >>> from sparkguard.testing import judge
        >>> check = AllowedValues(id="airports", dataset="t", columns="x", values=["EWR", "JFK"])
        >>> [finding] = judge(check, {"t": [{"x": "EWR"}, {"x": "LGA"}, {"x": "LGA"}, {"x": "ewr"}]})
        >>> finding.status.value, finding.message
        ('fail', '3 of 4 rows are not allowed in x, for example x=LGA; x=ewr')
    """

    FITS: ClassVar[str] = "text, a whole number, a decimal, a date, a timestamp or a boolean"

    values: Annotated[tuple[ValueField, ...], Field(min_length=1)] = Field(examples=["EWR,JFK"])
    """Every value that is allowed, read in the column's type."""

    def fits(self, column: Column) -> bool:
        """Floats are rarely equal to what was written; nested values cannot be written."""
        plain = not column.type.startswith(("map<", "struct<", "variant", "binary", "interval"))
        return plain and element(column.type) is None and not is_float(column.type)

    def rule(self, column: Column, seen: Evidence) -> Rule:
        """What is not on the list is wrong."""
        del seen
        allowed = tuple(dict.fromkeys(value.typed(column) for value in self.values))
        more = f" and {len(allowed) - _NAMED} more" if len(allowed) > _NAMED else ""
        return Rule(
            self.finding(column),
            NotIn(column, allowed),
            kind="unseen_value",
            fine=f"{column.name} has only allowed values",
            wrong=f"not allowed in {column.name}",
            expected=f"one of {', '.join(map(str, self.values[:_NAMED]))}{more}",
            remedy="add the value to the list if it is right, else find out where it comes from",
            named=_NAMED,
        )

    def as_expectations(self) -> tuple[Expectation, ...]:
        """Values are in a set of texts, which Spark reads in the column's type."""
        return for_each_column(self, self._words)

    def _words(self) -> Words:
        texts = list(dict.fromkeys(map(str, self.values)))
        for text in texts:
            if _may_differ(text):
                refuse(f"the value {text}", self)
        return "expect_column_values_to_be_in_set", {"value_set": texts}


def _may_differ(text: str) -> bool:
    """Whether Spark may read another value, or none: a day in its own timezone, 1.0 as an integer, 2^53 as a double."""
    if _TIME.fullmatch(text):
        return True
    try:
        number = Decimal(text)
    except InvalidOperation:
        return False
    whole = number.is_finite() and number == number.to_integral_value()
    return whole and (_WHOLE.fullmatch(text) is None or abs(number) >= MOST_EXACT)
