"""Are there as many rows as there should be?"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import ClassVar, Self

from pydantic import Field, model_validator

from sparkguard.core.check import Run, SourceCheck
from sparkguard.core.evidence import Evidence
from sparkguard.core.expectation import Expectation
from sparkguard.core.fields import Bounds, DurationField
from sparkguard.core.finding import Finding, Quantity, Status
from sparkguard.core.measure import Answer, Measure
from sparkguard.core.source import Source
from sparkguard.core.text import count
from sparkguard.core.threshold import Bound
from sparkguard.measures import tallies
from sparkguard.shapes.wording import levels, refuse, require_whole

_AGAINST = ("previous_rows", "change")


class RowCount(SourceCheck):
    r"""Counts the rows of a window, and compares them with a window before it where a bound asks so.

    Cost: no scan where Delta's log holds the answer (the whole of a table without a filter); else it
    shares one scan of the time column with all such checks of the same window. A bound on `change` or
    `previous_rows` reads the window before as well.

    Blind to: rows that are lost and others that are gained; a slow decline, unless `metric_anomaly`
    watches.

    Example:
        >>> from sparkguard.testing import judge
        >>> check = RowCount(id="rows", dataset="t", error_if={"rows": "< 3"})
        >>> [finding] = judge(check, {"t": [{"x": 1}, {"x": 2}]})
        >>> finding.status.value, finding.message
        ('fail', "2 rows; rows is 2, and '< 3' fails")
    """

    QUANTITIES: ClassVar[Mapping[str, str]] = {
        "rows": "rows of the window",
        "previous_rows": "rows of the window before, where a bound asks for it or for change",
        "change": "rows / previous_rows - 1, where a bound asks for it: -0.5 is half as many",
        "evaluated_rows": "rows of the window",
    }
    COST: ClassVar[str] = "none by Delta's log, else shares 1 scan of the window, and 1 of the window before"

    offset: DurationField | None = Field(default=None, examples=["7d"])
    """How much earlier the window before ends; by default it ends where the window starts."""
    error_if: Bounds = {"rows": Bound("<", 1.0)}
    """Bounds on the quantities whose breach fails the check."""

    @model_validator(mode="after")
    def _comparable(self) -> Self:
        compares = {*self.error_if, *self.warn_if} & {*_AGAINST}
        if (compares or self.offset) and (self.window is None or self.window.start is None):
            message = f"{' and '.join(sorted(compares)) or 'offset'} needs a window: it is compared with the one before"
            raise ValueError(message)
        return self

    @property
    def datasets(self) -> tuple[Source, ...]:
        """The window, and the one before it."""
        before = self._before
        return (self.source,) if before is None else (self.source, before)

    def ask(self, seen: Evidence) -> Iterable[Measure[Answer]]:
        """Count both windows."""
        del seen
        return (tallies.RowCount(source) for source in self.datasets)

    def judge(self, seen: Evidence, run: Run) -> tuple[Finding, ...]:
        """Judge the counts."""
        del run
        total = seen.require(tallies.RowCount(self.source))
        rows = total.rows
        quantities = {"rows": Quantity(rows, exactness=total.exactness)}
        told = count(rows, "row")
        if self._before is not None:
            previous = seen.require(tallies.RowCount(self._before)).rows
            change = Quantity(rows / previous - 1 if previous else None)
            quantities |= {"previous_rows": Quantity(previous), "change": change}
            told += f", {count(previous, 'row')} in {self._before.window}"
        finding = Finding(
            Status.PASS, "", evaluated_rows=rows, quantities=quantities, source=self.source, reference=self._before
        )
        return (
            self.verdict(
                finding,
                passed=told,
                failed=told,
                remedy="find out which files or partitions the upstream did not write",
            ),
        )

    def as_expectations(self) -> tuple[Expectation, ...]:
        """The table has at least, at most, or not so many rows."""
        require_whole(self)
        return tuple(
            Expectation("expect_table_row_count_to_be_between", self._between(name, bound), severity)
            for severity, bounds in levels(self)
            for name, bound in bounds.items()
        )

    def _between(self, name: str, bound: Bound) -> Mapping[str, object]:
        """The numbers of rows that do not break a bound, as far as they are without a gap."""
        limit = bound.limit
        allowed: Mapping[str, Mapping[str, object]] = {
            "<": {"min_value": math.ceil(limit)},
            "<=": {"min_value": math.floor(limit) + 1},
            ">": {"max_value": math.floor(limit)},
            ">=": {"max_value": math.ceil(limit) - 1},
            "!=": {"min_value": limit, "max_value": limit},
        }
        if name not in ("rows", "evaluated_rows") or bound.comparison not in allowed:
            refuse(f"{name} {bound}", self)
        return allowed[bound.comparison]

    @property
    def _before(self) -> Source | None:
        if self.window is None or self.window.start is None or not {*self.error_if, *self.warn_if} & {*_AGAINST}:
            return None
        return Source(self.dataset, self.window.earlier(self.offset))
