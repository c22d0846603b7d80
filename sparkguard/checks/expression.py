"""Does a rule in SQL hold for every row?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar, Literal

from pydantic import Field

from sparkguard.core.check import Run
from sparkguard.core.evidence import Evidence
from sparkguard.core.finding import Finding, Status
from sparkguard.core.measure import Answer, Measure
from sparkguard.measures.conditions import Untrue, mentioned
from sparkguard.shapes.rows import ROW_QUANTITIES, RowsCheck, Rule


class Expression(RowsCheck):
    """Counts rows for which an SQL predicate is not true.

    It is any boolean expression of Spark SQL over one row. Where it is NULL, the row breaks the rule,
    unless `nulls: ignored` leaves it out.

    Cost: shares one scan with all such checks of the same window; no shuffle. Where a bound is
    broken, a second scan shows rows. Hundreds of predicates in one scan cost what each of them costs.

    Blind to: what more than one row would tell; use a dataset's `sql` for aggregates.

    Example:
        >>> from sparkguard.testing import judge
        >>> check = Expression(id="order", dataset="t", expression="low <= high")
        >>> [finding] = judge(check, {"t": [{"low": 1, "high": 2}, {"low": 3, "high": 2}]})
        >>> finding.status.value, finding.message
        ('fail', '1 of 2 rows is against low <= high, for example low=3, high=2')
    """

    QUANTITIES: ClassVar[Mapping[str, str]] = ROW_QUANTITIES

    expression: str = Field(min_length=1, examples=["arr_time >= dep_time"])
    """A boolean expression in Spark SQL that should be true of every row."""
    nulls: Literal["violation", "ignored"] = "violation"
    """What it means if the expression is NULL: a violation, or a row that is not judged."""

    def ask(self, seen: Evidence) -> Iterable[Measure[Answer]]:
        """Ask for the one rule."""
        return self.ask_rule(self._rule(seen), seen)

    def judge(self, seen: Evidence, run: Run) -> tuple[Finding, ...]:
        """Judge the one rule."""
        del run
        return (self.judge_rule(self._rule(seen), seen),)

    def _rule(self, seen: Evidence) -> Rule:
        columns = mentioned(self.expression, seen.schema(self.source))
        return Rule(
            Finding(Status.PASS, "", columns=tuple(c.name for c in columns), source=self.source),
            Untrue(self.expression, columns, self.nulls == "violation"),
            kind="untrue",
            fine=f"{self.expression} is true",
            wrong=f"against {self.expression}",
            expected=self.expression,
            remedy="look at the rows in violations, and at the step that computes these columns",
            telling=bool(columns),
        )
