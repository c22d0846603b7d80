"""Is a number of another check what it usually is?"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from sparkguard.core.budget import Budget
from sparkguard.core.check import Check, Run, Watched
from sparkguard.core.evidence import Evidence
from sparkguard.core.fields import Bounds, BudgetField, DurationField
from sparkguard.core.finding import Decision, Finding, Quantity, Status
from sparkguard.core.measure import Answer, Measure
from sparkguard.core.source import Source
from sparkguard.core.text import number
from sparkguard.core.threshold import Bound, decide
from sparkguard.core.window import Duration
from sparkguard.errors import DataError
from sparkguard.measures.history import MOST_POINTS, MOST_SUBJECTS, MetricHistory, Point, Series, Subject
from sparkguard.stats.prediction import EXCEEDANCE, Direction, Outlook, predict

_LEAST_ALIKE = 2
_RAREST = 1e-6
_REMEDY = (
    "compare the data with that of the nights before; what failed is no baseline, so if the new level is right, "
    "set since to its first day"
)
_WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


class MetricAnomaly(Check):
    r"""Compares a number of another check with what it was on earlier nights.

    The limits are those that a healthy night passes as often as `false_alarms` allows: prediction
    limits by Student's t around the mean of the same weekday, from the numbers of committed runs whose
    windows end before tonight's, whenever they were computed. A number is no baseline if its check
    failed, or if this one did. Before there are `min_points` the status is `warn`. A number that never
    varied tells little: at most 1 in n + 1 healthy nights is the first to differ, so a difference
    fails only if that is within `false_alarms`, and warns otherwise.

    Cost: one query of the result tables for all subjects; 400 points of each reach the driver at most.

    Blind to: a level that moves slowly, which the limits follow; what was wrong from the first night on;
    one wild night among the baseline, which widens the limits; the hour of the day; a column that is
    gone. The rates of false alarms hold for numbers that scatter normally and independently:
    docs/anomalies.md says what heavy tails, rare counts and overlapping windows make of them.

    Example:
        >>> from datetime import UTC, datetime, timedelta
        >>> from sparkguard.core.finding import Finding, Quantity, Status
        >>> from sparkguard.measures.history import History, MetricHistory, Point, Subject
        >>> from sparkguard.testing import judge
        >>> check = MetricAnomaly(id="rows_usual", check="rows", metric="rows")
        >>> day = datetime(2026, 1, 31, tzinfo=UTC)
        >>> points = tuple(Point(1000 + n % 3, None, day - timedelta(n)) for n in range(28))
        >>> past = {MetricHistory("rows_usual", "rows", "rows", (":table",)): History({Subject(":table"): points})}
        >>> tonight = Finding(Status.PASS, "", quantities={"rows": Quantity(500)})
        >>> [finding] = judge(check, {}, recorded=past, judged={"rows": [tonight]})
        >>> finding.status.value, finding.message
        ('fail', 'rows is 500, usually 997.262 to 1004.24 (28 points, by weekday);
          healthy data is so far off less than once in 1,000,000 nights')
    """

    QUANTITIES: ClassVar[Mapping[str, str]] = {
        EXCEEDANCE: "how far outside the limits, in halves of the width between them: 0 at a limit, -1 if as expected",
        "observed": "the metric's value",
        "expected": "its predicted value",
        "lower_limit": "healthy nights are rarely lower",
        "upper_limit": "healthy nights are rarely higher",
        "deviation": "observed - expected, in standard errors of the prediction; with scale: log, of the logarithms",
        "points": "earlier values that it is compared with",
    }
    COST: ClassVar[str] = "1 query of the result tables, no scan of a dataset"

    check: str
    """The id of the check whose number is watched; it is judged before, whatever its verdict."""
    metric: str
    """The number: a quantity of that check."""
    columns: tuple[str, ...] = ()
    """The columns whose number is watched; by default all that the check has tonight."""
    false_alarms: BudgetField = Field(
        default=Budget(1, Duration(days=365)), json_schema_extra={"default": "1 per 365d"}
    )
    """How many false alarms are accepted, for all columns together, if the suite judges one window a night."""
    direction: Direction = "both"
    """Whether only too `low` or too `high` a number is an anomaly."""
    history: DurationField = Field(default=Duration(days=90), json_schema_extra={"default": "90d"})
    """How far back tonight's number is compared."""
    since: date | None = Field(default=None, examples=["2026-01-15"])
    """The first day of the present level: what lies before is not compared with."""
    min_points: int = Field(default=26, ge=26, le=MOST_POINTS)
    """How many earlier values are needed for a verdict."""
    trend: Literal["none", "linear"] = "none"
    """Whether the number is expected to go on growing or shrinking as it did."""
    scale: Literal["linear", "log"] = "linear"
    """`log` for positive numbers that vary by a factor rather than by an amount."""
    error_if: Bounds = {EXCEEDANCE: Bound(">", 0.0)}
    """Bounds on the quantities whose breach fails the check."""

    @property
    def datasets(self) -> tuple[Source, ...]:
        """None: only the result tables are read."""
        return ()

    @property
    def about(self) -> tuple[str, ...]:
        """The columns that are named."""
        return self.columns

    @property
    def watches(self) -> tuple[Watched, ...]:
        """The one number."""
        return (Watched(self.check, self.metric),)

    def ask(self, seen: Evidence) -> Iterable[Measure[Answer]]:
        """The history of tonight's subjects; nothing before the watched check was judged."""
        measured = self._measured(seen)
        if len(measured) > MOST_SUBJECTS:
            message = f"'{self.check}' has '{self.metric}' of {len(measured):,} subjects, {MOST_SUBJECTS:,} is the most"
            raise DataError(message, "name those to watch: columns")
        return self._questions(measured).values()

    def judge(self, seen: Evidence, run: Run) -> tuple[Finding, ...]:
        """One finding for each subject."""
        measured = self._measured(seen)
        questions, subjects = self._questions(measured), Counter(map(_subject, measured))
        alpha = self.false_alarms.nightly / max(1, len(measured))
        findings = []
        for finding in measured:
            if subjects[_subject(finding)] > 1:
                message = f"'{self.check}' has several '{self.metric}' that `metrics` does not tell apart"
                findings.append(_about(finding, Status.ERROR, message))
                continue
            points = seen.require(questions[_until(finding)]).points.get(_subject(finding), ())
            findings.append(self._finding(finding, points, run, alpha))
        return (*findings, *self._absent(seen.judged.get(self.check, ()), measured))

    def _measured(self, seen: Evidence) -> list[Finding]:
        """The watched check's findings that have the metric, of the columns to watch."""
        found = [f for f in seen.judged.get(self.check, ()) if self.metric in f.quantities and not _left_out(f)]
        return [f for f in found if not self.columns or f.subject in self.columns]

    def _questions(self, measured: Sequence[Finding]) -> Mapping[datetime | None, MetricHistory]:
        """One question for all subjects, by the end of their window; several only if they differ in it."""
        columns: dict[datetime | None, dict[str, None]] = {}
        for finding in measured:
            columns.setdefault(_until(finding), {})[_subject(finding).column] = None
        return {end: MetricHistory(self.id, self.check, self.metric, tuple(c), end) for end, c in columns.items()}

    def _absent(self, watched: Sequence[Finding], measured: Sequence[Finding]) -> Iterator[Finding]:
        """What should have been measured tonight and was not: silence is no pass, unless it is on purpose."""
        seen, none = {f.subject for f in measured}, f"'{self.check}' has no '{self.metric}'"
        for finding in watched:
            ours = not self.columns or finding.subject_kind != "column" or finding.subject in self.columns
            if not ours or finding.status not in (Status.ERROR, Status.SKIPPED) or finding in measured:
                continue
            seen |= {finding.subject} if finding.subject_kind == "column" else {finding.subject, *self.columns}
            why = f"{none} tonight, it is {finding.status.value}: {finding.message}"
            left_out = _left_out(finding)
            yield replace(_about(finding, Status.SKIPPED if left_out else Status.ERROR, why), counted=not left_out)
        for column in self.columns:
            if column not in seen:
                why = f"{none} of column '{column}' tonight"
                yield Finding(Status.ERROR, why, subject_kind="column", subject=column, columns=(column,))
        if not self.columns and not seen:
            yield Finding(Status.ERROR, f"{none} tonight")

    def _finding(self, watched: Finding, points: Iterable[Point], run: Run, alpha: float) -> Finding:
        quantity = watched.quantities[self.metric]
        if quantity.value is None or not math.isfinite(quantity.value):
            told = "has no value" if quantity.value is None else f"is {quantity.value}"
            return _about(watched, Status.ERROR, f"{self.metric} {told} tonight, so it cannot be compared")
        series = self._series(watched, quantity.value, points, run)
        short = self._too_few(series)
        if short:
            return self._verdict(watched, series, None, f"cannot decide yet: {short}")
        log = self.scale == "log"
        if log and any(p.value <= 0 for p in series.points):
            message = f"{self.metric} was 0 or less before, which has no logarithm; write scale: linear"
            return _about(watched, Status.ERROR, message)
        values = [math.log(p.value) if log else p.value for p in series.points]
        times = [p.end.timestamp() for p in series.points] if self.trend == "linear" else None
        prediction = predict(values, series.weekdays, series.weekday, times, series.now.end.timestamp())
        outlook = Outlook.of(prediction, alpha, self.direction, log=log)
        return self._verdict(watched, series, outlook, self._told(series, outlook))

    def _series(self, watched: Finding, value: float, points: Iterable[Point], run: Run) -> Series:
        window = watched.source.window if watched.source else None
        if window is None:
            zone, now = ZoneInfo("UTC"), Point(value, None, datetime.combine(run.date, time(), UTC) + timedelta(days=1))
        else:
            zone, now = ZoneInfo(window.timezone), Point(value, window.start_utc, window.end_utc)
        oldest = self.history.before(now.end.astimezone(zone).replace(tzinfo=None), zone).replace(tzinfo=zone)
        since = None if self.since is None else datetime.combine(self.since, time(), zone)
        return Series.of(now, (p for p in points if p.end > oldest), zone, since)

    def _too_few(self, series: Series) -> str | None:
        """What is missing for a verdict: points, or points of tonight's weekday."""
        if len(series.points) < self.min_points:
            other = f", and {series.left_out} of windows of another length" if series.left_out else ""
            return f"{len(series.points)} of {self.min_points} points{other}"
        alike = series.weekdays.count(series.weekday)
        if alike < _LEAST_ALIKE:
            return f"{alike} of {_LEAST_ALIKE} points on a {_WEEKDAYS[series.weekday]}"
        return None

    def _told(self, series: Series, outlook: Outlook) -> str:
        low, high, value = number(outlook.at(-1)), number(outlook.at(1)), series.now.value
        usual = {"both": low if low == high else f"{low} to {high}", "low": f"{low} or more", "high": f"{high} or less"}
        details = f"{len(series.points)} points" + (", by weekday" if series.weekly else "")
        details += ", with a trend" if self.trend == "linear" else ""
        told = f"{self.metric} is {number(value)}, usually {usual[self.direction]} ({details})"
        chance = outlook.chance(value)
        if outlook.exceedance(value) is None:
            return f"{told}; it never varied before, but in too few points for a first change to fail"
        if chance > outlook.alpha:
            return told
        so = {"both": "so far off", "low": "so low", "high": "so high"}[self.direction]
        rare = f"{'less than ' if chance < _RAREST else ''}once in {1 / max(chance, _RAREST):,.0f} nights"
        return f"{told}; healthy data is {so} {rare}"

    def _verdict(self, watched: Finding, series: Series, outlook: Outlook | None, message: str) -> Finding:
        """Judge by the bounds; what the points cannot decide warns, unless a bound on what is known fails."""
        value, exactness = series.now.value, watched.quantities[self.metric].exactness
        limits = {} if outlook is None else outlook.numbers(value)
        known = {"observed": value, **limits, "points": float(len(series.points))}
        quantities = {name: Quantity(number, exactness=exactness) for name, number in known.items()}
        undecided = EXCEEDANCE not in known
        error, warn = (
            {name: bound for name, bound in bounds.items() if name in known or not undecided}
            for bounds in (self.error_if, self.warn_if)
        )
        decision = decide(quantities, error, warn)
        if decision.metric_name == EXCEEDANCE and outlook is not None:
            decision, source = self._in_units(decision, outlook, value, exactness), "history"
        elif undecided and decision.status is not Status.FAIL:
            decision, source = Decision(Status.WARN, self.metric, value, exactness=exactness), "history"
        else:
            source, message = None, message + (f"; {decision.reason}" if decision.reason else "")
        return replace(
            _about(watched, decision.status, message),
            decision=decision,
            quantities=quantities,
            remedy=None if decision.status is Status.PASS or undecided else _REMEDY,
            threshold_source=source,
        )

    def _in_units(self, decision: Decision, outlook: Outlook, value: float, exactness: str) -> Decision:
        """The decision on the exceedance as one on the metric itself: its value against the nearer limit.

        An approximate metric keeps no margin: its error is part of how it varied from night to night.
        """
        low = self.direction == "low" or (self.direction == "both" and value < outlook.at(0))
        side = -1 if low else 1
        warn, error = (
            None if bound is None else outlook.at(side * (1 + bound))
            for bound in (decision.warn_bound, decision.error_bound)
        )
        return Decision(decision.status, self.metric, value, "<" if low else ">", warn, error, exactness)


def _left_out(finding: Finding) -> bool:
    """Whether nothing was judged on purpose: `on_empty: skip`."""
    return finding.status is Status.SKIPPED and not finding.counted


def _until(finding: Finding) -> datetime | None:
    return finding.source.window.end_utc if finding.source and finding.source.window else None


def _subject(finding: Finding) -> Subject:
    return Subject(finding.metric_column, finding.slice_key, finding.slice_value)


def _about(watched: Finding, status: Status, message: str) -> Finding:
    """A finding on what the watched one is about."""
    return Finding(
        status,
        message,
        subject_kind=watched.subject_kind,
        subject=watched.subject,
        slice_key=watched.slice_key,
        slice_value=watched.slice_value,
        columns=watched.columns,
        source=watched.source,
    )
