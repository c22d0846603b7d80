"""Checks that count the rows which break a rule, and show some of them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

from sparkguard.core.check import Run, SourceCheck
from sparkguard.core.columns import Column
from sparkguard.core.evidence import Evidence
from sparkguard.core.fields import Bounds
from sparkguard.core.finding import EvidenceQuery, Finding, Quantity, Status, Violation
from sparkguard.core.measure import Answer, Broken, Measure
from sparkguard.core.text import count
from sparkguard.core.threshold import Bound, decide
from sparkguard.measures.conditions import Condition
from sparkguard.measures.tallies import Count, Examples, Tally, examples
from sparkguard.shapes.columns import ColumnsCheck

ROW_QUANTITIES: Mapping[str, str] = {
    "evaluated_rows": "rows of the window that were judged",
    "violation_rows": "rows that break the rule",
    "violation_rate": "violation_rows / evaluated_rows",
}
ROW_COST = (
    "shares 1 scan of its columns with all such checks of the same window; "
    "where a bound is broken, 1 more with 1 shuffle, shared too"
)


@dataclass(frozen=True)
class Rule:
    """One rule of a check: the condition that breaks it, and how it is told.

    `fine` and `wrong` complete sentences: "x is inside [0, 1] in 3 rows", "1 of 3 rows is outside [0, 1] in x".
    `counts` are the check's own quantities, each the rows that another condition breaks. `named` is
    how many of the rows shown the message names; `telling` is false where the values say nothing, so
    that without a key no row is shown.
    """

    finding: Finding
    condition: Condition
    kind: str
    fine: str
    wrong: str
    expected: str
    remedy: str
    counts: Mapping[str, Condition] = field(default_factory=dict)
    named: int = 1
    telling: bool = True


class RowsCheck(SourceCheck):
    """A check of rows, each by itself."""

    QUANTITIES: ClassVar[Mapping[str, str]] = ROW_QUANTITIES
    COST: ClassVar[str] = ROW_COST

    key: tuple[str, ...] = ()
    """Columns that name a row in the evidence; without them equal values are counted."""
    error_if: Bounds = {"violation_rows": Bound(">", 0.0)}
    """Bounds on the quantities whose breach fails the check."""

    def ask_rule(self, rule: Rule, seen: Evidence) -> Iterable[Measure[Answer]]:
        """Count; once a bound is broken, show."""
        counts = [Count(self.source, c) for c in (rule.condition, *rule.counts.values())]
        yield from counts
        if all(m in seen and not isinstance(seen.get(m), Broken) for m in counts):
            wanted = self._examples(rule, seen)
            if wanted is not None:
                yield wanted

    def judge_rule(self, rule: Rule, seen: Evidence) -> Finding:
        """Judge the counts by the bounds; `DataError` if one is broken."""
        finding, wanted = self._measured(rule, seen), self._examples(rule, seen)
        if wanted is not None:
            shown = tuple(_violations(rule, wanted, seen))
            finding = replace(finding, violations=shown, queries=(EvidenceQuery(wanted, rule.kind),))
        tally = self._tally(rule, seen)
        rows, named = count(tally.judged, "row"), self._named(finding, rule.named)
        return self.verdict(
            finding,
            passed=f"{rule.fine} in {rows}",
            failed=f"{tally.broke:,} of {rows} {'is' if tally.broke == 1 else 'are'} {rule.wrong}{named}",
            remedy=rule.remedy,
            told=("violation_rows", "violation_rate", *rule.counts),
            nothing=f"{self._subject(finding)} is NULL in all {count(tally.rows, 'row')}" if tally.rows else None,
        )

    def _tally(self, rule: Rule, seen: Evidence) -> Tally:
        return seen.require(Count(self.source, rule.condition))

    def _measured(self, rule: Rule, seen: Evidence) -> Finding:
        tally = self._tally(rule, seen)
        own = {n: Quantity(seen.require(Count(self.source, c)).broke) for n, c in rule.counts.items()}
        quantities = {**rule.finding.quantities, **own}
        return replace(rule.finding, evaluated_rows=tally.judged, violation_rows=tally.broke, quantities=quantities)

    def _examples(self, rule: Rule, seen: Evidence) -> Examples | None:
        """The rows to show, if the verdict is not a pass and the suite wants to see them."""
        finding = self._measured(rule, seen)
        hidden = self.violations == "none" or not self.violation_limit or not (rule.telling or self.key)
        if hidden or not finding.violation_rows:
            return None
        quantities = {**finding.quantities, **{n: Quantity(getattr(finding, n)) for n in ROW_QUANTITIES}}
        status = decide(quantities, self.error_if, self.warn_if).status
        if status is Status.PASS and self.violations_to is None:
            return None
        schema = seen.schema(self.source)
        shown = tuple(dict.fromkeys((*(schema.column(name) for name in self.key), *rule.condition.columns)))
        return examples(self.source, rule.condition, shown, finding.violation_rows, self.violation_limit)

    def _named(self, finding: Finding, most: int) -> str:
        shown = [
            ", ".join(f"{name}={self.text(name, value)}" for name, value in violation.key.items())
            for violation in finding.violations[:most]
        ]
        return f", for example {'; '.join(shown)}" if shown else ""

    def _subject(self, finding: Finding) -> str:
        return f"column '{finding.subject}'" if finding.subject_kind == "column" else "the rule"


def _violations(rule: Rule, wanted: Examples, seen: Evidence) -> Iterable[Violation]:
    names = [c.name for c in wanted.shown]
    for texts, rows in seen.require(wanted).examples():
        yield Violation(rule.kind, dict(zip(names, texts, strict=True)), expected=rule.expected, count=rows)


class ColumnRowsCheck(RowsCheck, ColumnsCheck):
    """A check of each value of its columns."""

    @abstractmethod
    def rule(self, column: Column, seen: Evidence) -> Rule:
        """The rule for a column; `DataError` if it has none."""

    def ask_column(self, column: Column, seen: Evidence) -> Iterable[Measure[Answer]]:
        """Ask for the column's rule."""
        return self.ask_rule(self.rule(column, seen), seen)

    def judge_column(self, column: Column, seen: Evidence, run: Run) -> Finding:
        """Judge the column's rule."""
        del run
        return self.judge_rule(self.rule(column, seen), seen)
