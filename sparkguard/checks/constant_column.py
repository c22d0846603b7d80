"""Does a column still vary?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar

from sparkguard.core.check import Run
from sparkguard.core.columns import Column
from sparkguard.core.evidence import Evidence
from sparkguard.core.fields import Bounds
from sparkguard.core.finding import Finding, Quantity, Status, Violation
from sparkguard.core.measure import Answer, Broken, Measure
from sparkguard.core.text import count
from sparkguard.core.threshold import Bound, decide
from sparkguard.core.types import can_be_compared
from sparkguard.measures.conditions import HashIs, Missing
from sparkguard.measures.sketches import Frequent, FrequentValues
from sparkguard.measures.tallies import Count, Examples, examples
from sparkguard.shapes.columns import ColumnsCheck


class ConstantColumn(ColumnsCheck):
    """Measures the share of rows that have a column's most frequent value; NULL is a value here.

    A share of 1 is a constant, which teaches a model nothing: a feature that is no longer computed
    looks like this. For nearly constant columns write `warn_if: {top_share: "> 0.999"}`.

    Cost: shares one scan with all such checks of the same window; no shuffle: a frequent-items sketch
    of 64-bit hashes. Where the sketch cannot tell, and where a bound is broken, a second scan counts
    exactly.

    Blind to: a column that varies without meaning; values whose hashes collide (one pair in 2^64).

    Example:
        >>> from sparkguard.testing import judge
        >>> check = ConstantColumn(id="varies", dataset="t", columns=["x", "y"])
        >>> judged = judge(check, {"t": [{"x": 1, "y": 1}, {"x": 1, "y": 2}]})
        >>> [f"{f.subject}: {f.status.value}" for f in judged]
        ['x: fail', 'y: pass']
    """

    FITS: ClassVar[str] = "comparable"
    QUANTITIES: ClassVar[Mapping[str, str]] = {
        "top_share": "share of the rows that have the most frequent value",
        "evaluated_rows": "rows of the window",
    }
    COST: ClassVar[str] = "shares 1 scan with all such checks of the same window; 1 more, shared too, to count exactly"

    error_if: Bounds = {"top_share": Bound(">=", 1.0)}
    """Bounds on the quantities whose breach fails the check."""

    def fits(self, column: Column) -> bool:
        """What cannot be compared cannot be constant."""
        return can_be_compared(column.type)

    def ask_column(self, column: Column, seen: Evidence) -> Iterable[Measure[Answer]]:
        """First a sketch; then, if it does not say enough, its most frequent value."""
        first = (Count(self.source, Missing(column)), FrequentValues(self.source, column))
        yield from first
        if all(m in seen and not isinstance(seen.get(m), Broken) for m in first):
            yield from self._exactly(column, seen)

    def judge_column(self, column: Column, seen: Evidence, run: Run) -> Finding:
        """Judge the share."""
        del run
        tally = seen.require(Count(self.source, Missing(column)))
        share, top = self._share(column, seen), self._named(column, seen)
        shown = [Violation("constant", {column.name: v}, expected="more than one value", count=n) for v, n in top]
        finding = self.finding(
            column, evaluated_rows=tally.rows, quantities={"top_share": share}, violations=tuple(shown)
        )
        value = "".join(f", {self.text(column.name, v)}," for v, _ in top)
        rows = count(tally.rows, "row")
        return self.verdict(
            finding,
            passed=f"the most frequent value of {column.name}{value} has {share.value or 0:.4%} of {rows}",
            failed="",
            remedy="find out whether the column is still computed, or drop it from the model's inputs",
        )

    def _exactly(self, column: Column, seen: Evidence) -> Iterable[Measure[Answer]]:
        top = self._top(column, seen)
        first = self._sketched(column, seen)
        quantities = {
            "top_share": first,
            "evaluated_rows": Quantity(seen.require(Count(self.source, Missing(column))).rows),
        }
        if top is not None and decide(quantities, self.error_if, self.warn_if).status is not Status.PASS:
            exact = Count(self.source, HashIs(column, top.hash))
            yield exact
            if self.violations != "none" and self.violation_limit:
                yield self._example(column, top)

    def _share(self, column: Column, seen: Evidence) -> Quantity:
        """The share by the sketch, or exactly where it was counted."""
        top = self._top(column, seen)
        exact = None if top is None else seen.get(Count(self.source, HashIs(column, top.hash)))
        sketched = self._sketched(column, seen)
        if top is None or exact is None or isinstance(exact, Broken):
            return sketched
        others = [i.high for i in seen.require(FrequentValues(self.source, column)).items if i.hash != top.hash]
        most = max(
            [exact.broke, self._nulls(column, seen), seen.require(FrequentValues(self.source, column)).rest, *others]
        )
        least = max(exact.broke, self._nulls(column, seen))
        return _quantity(least, most, exact.rows)

    def _sketched(self, column: Column, seen: Evidence) -> Quantity:
        found = seen.require(FrequentValues(self.source, column))
        nulls = self._nulls(column, seen)
        rows = seen.require(Count(self.source, Missing(column))).rows
        return _quantity(
            max([nulls, *(i.low for i in found.items)]), max([nulls, found.rest, *(i.high for i in found.items)]), rows
        )

    def _nulls(self, column: Column, seen: Evidence) -> int:
        return seen.require(Count(self.source, Missing(column))).broke

    def _top(self, column: Column, seen: Evidence) -> Frequent | None:
        """The most frequent value, unless it is NULL."""
        items = seen.require(FrequentValues(self.source, column)).items
        return items[0] if items and items[0].high >= self._nulls(column, seen) else None

    def _example(self, column: Column, top: Frequent) -> Examples:
        return examples(self.source, HashIs(column, top.hash), (column,), top.high, 1)

    def _named(self, column: Column, seen: Evidence) -> list[tuple[str | None, int | None]]:
        """The most frequent value as text and its rows, where it was asked for."""
        top = self._top(column, seen)
        found = None if top is None else seen.get(self._example(column, top))
        if found is None or isinstance(found, Broken):
            return []
        return [(texts[0], rows) for texts, rows in found.examples()][:1]


def _quantity(least: int, most: int, rows: int) -> Quantity:
    if not rows:
        return Quantity(None)
    exactness = "exact" if least == most else "sketch"
    return Quantity((least + most) / 2 / rows, (most - least) / 2 / rows, exactness)
