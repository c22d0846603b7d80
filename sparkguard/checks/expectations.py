"""Do the expectations of a suite of Great Expectations hold?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from sparkguard.core.check import Run, SourceCheck
from sparkguard.core.evidence import Evidence
from sparkguard.core.expectation import Expectation
from sparkguard.core.fields import Bounds
from sparkguard.core.finding import Finding, Quantity, Status, Violation
from sparkguard.core.measure import Answer, Measure
from sparkguard.core.text import REDACTED, count, hides, number
from sparkguard.core.threshold import Bound
from sparkguard.measures.expectations import ExpectationsRun, Outcome, Sample
from sparkguard.measures.tallies import RowCount
from sparkguard.shapes.gx import QUERY, Entry
from sparkguard.shapes.gx_suite import EntriesField, SuiteFileField
from sparkguard.shapes.wording import refuse, require_open, require_whole

_NAMED = 3
_FAILED: Bounds = {"failed": Bound(">", 0.0)}
_STATISTICS = {
    "expect_column_mean_to_be_between",
    "expect_column_proportion_of_non_null_values_to_be_between",
    "expect_column_proportion_of_unique_values_to_be_between",
    "expect_column_stdev_to_be_between",
    "expect_column_sum_to_be_between",
    "expect_column_unique_value_count_to_be_between",
    "expect_table_column_count_to_be_between",
    "expect_table_column_count_to_equal",
    "expect_table_row_count_to_be_between",
    "expect_table_row_count_to_equal",
    "unexpected_rows_expectation",
}
"""Expectations whose observed number is none of the column's values."""


class Expectations(SourceCheck):
    """Runs a suite of Great Expectations with its own Spark engine; one result for each expectation.

    Great Expectations decides what holds. A row of the results is named by the expectation's id, or by a hash of
    its type and arguments. Severity `critical` fails by `error_if`; `warning` and `info` only warn, and never
    change the exit code. A bound on a quantity that an expectation does not have is replaced by `failed: "> 0"`.

    Cost: one scan of a few Spark jobs for all expectations of rows, one more of each kind that cannot share it
    (uniqueness, pairs, a row_condition, a median), and one to count values where it does not; for those that do
    not hold, a second scan and one job each for samples. Nothing is persisted. On the driver: the samples, and what
    Great Expectations collects itself, which for `distinct values` and quantiles may be much. Importing it takes
    2.5 seconds, in these suites only.

    Blind to: what the suite does not say; a z-score of values that are all equal; a row_condition that no row
    meets beside a count of the table's rows or a query. Counts beside a sample are the sample's, not the table's.

    Example:
        >>> from sparkguard.core.source import Source
        >>> from sparkguard.measures.expectations import ExpectationsRun, Outcome, Outcomes, Sample
        >>> from sparkguard.shapes.gx import Entry
        >>> from sparkguard.testing import judge
        >>> text = '{"kwargs": {"column": "x", "max_value": 9}, "type": "expect_column_values_to_be_between"}'
        >>> check = Expectations(id="gx", dataset="t", expectations=[Entry(text, "3f2a", columns=("x",))])
        >>> found = Outcome(False, rows=3, missing=0, unexpected=1, samples=(Sample((("x", "12"),), 1),))
        >>> run = {ExpectationsRun(Source("t"), (text,), 100): Outcomes((found,))}
        >>> [finding] = judge(check, {"t": [{"x": 1}, {"x": 2}, {"x": 12}]}, recorded=run)
        >>> finding.status.value, finding.message
        ('fail', 'expect_column_values_to_be_between(x, max_value=9): 1 of 3 rows is unexpected, for example 12')
    """

    QUANTITIES: ClassVar[Mapping[str, str]] = {
        "failed": "1 if the expectation does not hold, else 0",
        "observed": "the observed value, where it is a number",
        "missing_rows": "rows that are not judged because a value is NULL",
        "evaluated_rows": "rows that were judged, where rows are",
        "violation_rows": "rows that are unexpected",
        "violation_rate": "violation_rows / evaluated_rows",
    }
    COST: ClassVar[str] = "1 scan for most expectations together, by Great Expectations; 1 more for those that fail"

    parameters: dict[str, Any] = {}
    """Values for `{"$PARAMETER": name}` in arguments; they win over the file's suite_parameters."""
    suite: SuiteFileField | None = Field(default=None, examples=["conf/gx/flights.json"])
    """A JSON file that Great Expectations 1.x wrote, relative to the working directory."""
    expectations: EntriesField | None = Field(default=None, min_length=1)
    """Entries in the place of a file: {type, kwargs, severity, id}."""
    error_if: Bounds = _FAILED
    """Bounds on the quantities whose breach fails a critical expectation, and warns for any other."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        used = {name for entry in self.entries for name in entry.used}
        idle = sorted({*self.parameters} - used)
        message = None
        if (self.suite is None) == (self.expectations is None):
            message = "give exactly one of suite and expectations"
        elif idle:
            message = f"parameters: no expectation uses {', '.join(idle)}"
        elif self.violations_to is not None:
            message = "violations_to is for all rows; Great Expectations gives samples, up to violation_limit"
        if message is not None:
            raise ValueError(message)
        return self

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The expectations, from the file or from the YAML."""
        return self.suite.entries if self.suite is not None else self.expectations or ()

    @property
    def content(self) -> str:
        """The text of the suite's file."""
        return "" if self.suite is None else self.suite.text

    def ask(self, seen: Evidence) -> Iterable[Measure[Answer]]:
        """Have all expectations run together, and count the rows: of none everything holds."""
        del seen
        return (RowCount(self.source), self._run)

    def judge(self, seen: Evidence, run: Run) -> tuple[Finding, ...]:
        """Judge one finding for each expectation."""
        del run
        empty = seen.require(RowCount(self.source)).rows == 0
        found = seen.require(self._run).outcomes
        return tuple(self._finding(e, o, empty=empty) for e, o in zip(self.entries, found, strict=True))

    def as_expectations(self) -> tuple[Expectation, ...]:
        """The entries themselves, parameters filled in."""
        require_whole(self)
        if self.error_if != _FAILED or self.warn_if:
            refuse("error_if or warn_if", self)
        for entry in self.entries:
            require_open(self.redact if QUERY in entry.arguments else entry.columns, self)
        weak = self.severity == "warn"
        return tuple(
            Expectation(entry.kind, entry.arguments, "warning" if weak and entry.critical else entry.severity, entry.id)
            for entry in self.entries
        )

    @property
    def _run(self) -> ExpectationsRun:
        samples = 0 if self.violations == "none" else self.violation_limit
        return ExpectationsRun(self.source, tuple(entry.text for entry in self.entries), samples)

    def _finding(self, entry: Entry, outcome: Outcome, *, empty: bool) -> Finding:
        about = Finding(
            Status.PASS,
            "",
            subject_kind="expectation",
            subject=entry.subject,
            columns=entry.columns,
            source=self.source,
        )
        if outcome.error is not None:
            return replace(
                about,
                status=Status.ERROR,
                message=self.public(f"{entry}: {outcome.error}"),
                remedy="correct the expectation, or find out what became of its columns",
                counted=entry.critical,
            )
        finding = self._measured(about, entry, outcome, empty=empty)
        hidden = self._hides(entry)
        told = f"{entry}: {self._told(outcome, _judged(outcome), hidden=hidden)}"
        verdict = self._bounded(entry, finding).verdict(
            finding,
            passed=told,
            failed="" if outcome.holds and finding.violation_rows is None else told,
            told=("failed", "violation_rows", "violation_rate"),
            nothing=None if empty or finding.evaluated_rows != 0 else _nothing(entry, outcome),
            remedy="look at the unexpected values, then at the upstream; if they are right, change the suite",
        )
        counts = entry.critical or verdict.status in (Status.PASS, Status.WARN)
        reason = verdict.decision.reason if verdict.decision and verdict.decision.metric_name == "failed" else ""
        verdict = replace(
            verdict, message=verdict.message.removesuffix(f"; {reason}"), counted=verdict.counted and counts
        )
        return _withheld(verdict) if hidden and entry.kind not in _STATISTICS else verdict

    def _measured(self, about: Finding, entry: Entry, outcome: Outcome, *, empty: bool) -> Finding:
        """The numbers and the samples, without a verdict."""
        judged = _judged(outcome)
        return replace(
            about,
            quantities={
                "failed": Quantity(float(not outcome.holds)),
                "observed": Quantity(outcome.number),
                "missing_rows": Quantity(outcome.missing),
            },
            evaluated_rows=0 if empty else judged,
            violation_rows=None if judged is None else outcome.unexpected,
            violations=tuple(
                Violation(
                    "unexpected" if one.rows else "missing",
                    dict(one.values),
                    str(entry),
                    count=None if judged is None else one.rows,
                )
                for one in outcome.samples
            ),
        )

    def _told(self, outcome: Outcome, judged: int | None, *, hidden: bool) -> str:
        """What was found, in a clause."""
        be = "is" if outcome.unexpected == 1 else "are"
        if judged is not None and outcome.unexpected is not None:
            rows = count(judged, "row")
            if not outcome.unexpected:
                return f"all {rows} are as expected" if outcome.holds else f"does not hold for {rows}"
            return f"{outcome.unexpected:,} of {rows} {be} unexpected{self._named(outcome.samples)}"
        if outcome.shown is not None:
            return f"observed {REDACTED if hidden else outcome.shown}"
        found = [s for s in outcome.samples if s.rows]
        told = []
        if outcome.unexpected:
            told.append(f"{count(outcome.unexpected, 'value')} {be} unexpected{self._named(found)}")
        if outcome.lacking:
            lacking = [s for s in outcome.samples if not s.rows]
            be = "is" if outcome.lacking == 1 else "are"
            told.append(f"{count(outcome.lacking, 'value')} of its set {be} missing{self._named(lacking)}")
        return ", and ".join(told) or ("holds" if outcome.holds else "does not hold")

    def _named(self, samples: Sequence[Sample]) -> str:
        texts = [", ".join(self.text(*value) for value in sample.values) for sample in samples[:_NAMED]]
        return f", for example {'; '.join(texts)}" if texts else ""

    def _hides(self, entry: Entry) -> bool:
        return self.violations == "none" or any(hides(self.redact, column) for column in entry.columns)

    def _bounded(self, entry: Entry, finding: Finding) -> Self:
        """The check with the bounds that apply to this expectation."""
        known = {name: quantity for name, quantity in finding.quantities.items() if quantity.value is not None}
        if finding.evaluated_rows is not None:
            known["evaluated_rows"] = Quantity(finding.evaluated_rows)
        if finding.violation_rows is not None:
            known["violation_rows"] = Quantity(finding.violation_rows)
            known["violation_rate"] = Quantity(finding.violation_rate)
        errors, warns = ({n: b for n, b in given.items() if n in known} for given in (self.error_if, self.warn_if))
        if self.error_if and not errors:
            errors = dict(_FAILED)
        if not entry.critical:
            # Of two bounds on a quantity the broken one warns.
            warns |= {n: bound for n, bound in errors.items() if n not in warns or bound.broken_by(known[n])}
            errors = {}
        return self.model_copy(update={"error_if": errors, "warn_if": warns})


def _judged(outcome: Outcome) -> int | None:
    """The rows that were judged, where rows are."""
    return None if outcome.rows is None else outcome.rows - (outcome.missing or 0)


def _withheld(finding: Finding) -> Finding:
    """The finding without the number that was observed, after it was judged."""
    decision, message = finding.decision, finding.message
    if decision is not None and decision.metric_name == "observed" and decision.observed is not None:
        reason = decision.reason.replace(number(decision.observed), REDACTED, 1)
        message = message.replace(f"; {decision.reason}", f"; {reason}")
        decision = replace(decision, observed=None, reason=reason)
    quantities = {**finding.quantities, "observed": Quantity(None)}
    return replace(finding, quantities=quantities, decision=decision, message=message)


def _nothing(entry: Entry, outcome: Outcome) -> str:
    if outcome.rows:
        return f"{entry}: a value is NULL in all {count(outcome.rows, 'row')}"
    return f"{entry}: no row meets its row_condition"
