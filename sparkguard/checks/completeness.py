"""Are values missing?"""

from __future__ import annotations

from sparkguard.core.columns import Column
from sparkguard.core.evidence import Evidence
from sparkguard.core.expectation import Expectation
from sparkguard.measures.conditions import Missing
from sparkguard.shapes.rows import ColumnRowsCheck, Rule
from sparkguard.shapes.wording import FILLED, Words, for_each_column, refuse


class Completeness(ColumnRowsCheck):
    """Counts rows in which a column is NULL.

    Cost: shares one scan with all such checks of the same window; no shuffle. With a `key`, rows
    of columns that break a bound are shown by a second scan.

    Blind to: values that stand for a missing one, such as -1, 'n/a' or 1970-01-01; NaN, which
    `finite_values` counts; rows that are missing altogether.

    Example:
        >>> from sparkguard.testing import judge
        >>> check = Completeness(id="filled", dataset="t", columns="x", error_if={"violation_rate": "> 0.5"})
        >>> [finding] = judge(check, {"t": [{"x": 1}, {"x": None}, {"x": None}]})
        >>> finding.status.value, finding.message
        ('fail', '2 of 3 rows are without x')
    """

    blank: bool = False
    """Count texts of nothing but white space as missing too."""

    def rule(self, column: Column, seen: Evidence) -> Rule:
        """NULL is wrong."""
        del seen
        return Rule(
            self.finding(column),
            Missing(column, self.blank),
            kind="missing",
            fine=f"{column.name} has a value",
            wrong=f"without {column.name}",
            expected="a value",
            remedy="find out what the upstream did not deliver, often a join that found no partner",
            telling=False,
        )

    def as_expectations(self) -> tuple[Expectation, ...]:
        """Values are not NULL; it has no words for blank texts that `mostly` counts with them."""
        return for_each_column(self, self._words)

    def _words(self) -> Words:
        if self.blank:
            refuse("blank", self)
        return FILLED, {}
