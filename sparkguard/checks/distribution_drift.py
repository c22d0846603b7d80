"""Does the window look like random snapshots of the same size from the training data?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from sparkguard.core.budget import Budget
from sparkguard.core.check import Run, SourceCheck
from sparkguard.core.columns import Column
from sparkguard.core.evidence import Evidence
from sparkguard.core.fields import Bounds, BudgetField, ColumnsField, DurationField, Like, VersionedField, WindowField
from sparkguard.core.finding import Finding, Status
from sparkguard.core.measure import Answer, Daily, Measure
from sparkguard.core.source import Source
from sparkguard.core.text import hides
from sparkguard.core.threshold import Bound
from sparkguard.core.window import Duration, Window
from sparkguard.errors import DataError
from sparkguard.measures.grids import Grid
from sparkguard.measures.histograms import MOST_SLICES, CellCounts, Histogram, Slicing
from sparkguard.measures.overlap import Side
from sparkguard.measures.sampled_grids import Grids
from sparkguard.measures.tallies import RowCount
from sparkguard.shapes.series import Calendar, Series
from sparkguard.shapes.shared_columns import Shared, shared

if TYPE_CHECKING:
    from sparkguard.shapes.drift import Comparison
    from sparkguard.shapes.joint import Question, Together

CLUSTERS = 256
"""Groups into which clusters are hashed."""
_MOST_DAYS = 3_700
_DAY = Duration(days=1)


class DistributionDrift(SourceCheck):
    """Compares a window with stretches of the same length from its reference, so that alarms have a budget.

    For each column the counts of the window's rows in the cells of a grid are compared with those of the
    reference, and so is every stretch of the reference that is as long as the window: what the stretches
    show is usual. The largest score of all columns is ranked among the largest of the stretches, so that a
    healthy window fails as often as `false_alarms` says, however many columns there are. With fewer than
    26 disjoint stretches the longest end of the window that has them is judged.

    Cost: one scan of the days that are not known yet, of the window and, the first time, of the reference;
    a sample of it once, for the grids; with `multivariate` a sample of both each night. The driver holds the
    counts of the days.

    Blind to: a change of correlation alone, unless `multivariate`, which sees pairs of columns; a drift that
    the reference already has; what changes within a bin; a slow trend under `forward`, which is usual then; new
    values of a text column with hundreds of rare ones. docs/calibration.md says how often it errs.

    Example:
        >>> from datetime import datetime, timedelta
        >>> from sparkguard.testing import judge
        >>> hours = [datetime(2026, 1, 1) + timedelta(hours=h) for h in range(24 * 60)]
        >>> table = [{"ts": t, "x": t.hour + (9 if t.month == 3 else 0)} for t in hours]
        >>> past, last = {"start": "2026-01-01", "end": "2026-03-01"}, {"start": "2026-03-01", "end": "2026-03-02"}
        >>> check = DistributionDrift(id="like_training", dataset="t", window=last, reference_window=past)
        >>> found, whole = judge(check, {"t": table}, time_columns={"t": "ts"})
        >>> found.subject, found.status.value, found.message.partition(";")[0]
        ('x', 'fail', 'median 11 → 20, up to 10: 46 % → 8.3 %')
    """

    QUANTITIES: ClassVar[Mapping[str, str]] = {
        "drifted_columns": "columns, or columns within slices, that drifted",
        "compared_columns": "those that were judged",
        "underpowered_columns": "those of which the window has too few rows to tell a change of two fifths of them",
        "undecided_columns": "those that cannot be judged: their base or too many stretches have none of them, "
        "their grid is out of date, or their types differ",
        "left_out_columns": "columns that only one side has",
        "joint_drift": "1 if columns that look as usual do not go together as usual, else 0; of multivariate",
        "joint_columns": "columns that were looked at together",
        "joint_auc": "how well a classifier tells rows of the window from those of the reference by what goes together",
        "joint_limit": "the joint_auc that a healthy window exceeds as often as its half of false_alarms says",
        "joint_p_value": "how probable so large a joint_auc is in a healthy window",
        "joint_effect": "twice what joint_auc is above the median of the snapshots",
        "snapshots": "disjoint stretches of the reference that say what is usual; without time, resamplings",
        "judged_days": "days at the end of the window that were judged",
        "maximum": "the largest score",
        "limit": "what a healthy window's largest score exceeds as often as false_alarms says",
        "p_value": "how probable so large a maximum is in a healthy window; of a column, so large a score",
        "evaluated_rows": "rows of the window",
    }
    COST: ClassVar[str] = (
        "1 scan, for each 8 million cells (columns x cells x days), of the days of window and reference that "
        "no earlier night has counted; the first time 1 sample of the reference"
    )

    window: WindowField | None = Field(default=None, examples=["end=2026-01-31,length=7d"])
    """Half-open stretch of whole days: {end, length} or {start, end}; optional for tables without time."""
    reference: VersionedField | None = Field(default=None, examples=["path=data/features,time_column=time_hour"])
    """The dataset that the model was trained on, or {dataset, version} (default: the dataset itself)."""
    reference_window: WindowField | None = Field(default=None, examples=["end=2026-01-01,length=365d"])
    """Half-open stretch of the reference's time column (default: all days that it has)."""
    columns: ColumnsField = Like(("*",))
    """The columns that are compared (default: all that both sides have, but the time column)."""
    false_alarms: BudgetField = Field(default=Budget(1, Duration(days=90)), json_schema_extra={"default": "1 per 90d"})
    """How many false alarms are accepted, for all columns together, if the suite judges one window a night."""
    snapshots: Literal["auto", "forward", "around", "rows"] = "auto"
    """What is usual: stretches beside the data before them (forward) or all other (around); rows without time."""
    cluster: str | None = Field(default=None, min_length=1)
    """For tables without time: the column that names what rows belong to; clusters are independent of each other."""
    rows_independent: bool = False
    """For tables without time: all rows are independent of each other."""
    block: DurationField = Field(default=_DAY, json_schema_extra={"default": "1d"})
    """Stretches begin at multiples of this many days."""
    seasonality: Literal["none", "weekly", "yearly"] = "none"
    """Stretches begin on the window's day of the week, or near its day of the year, which needs three years."""
    min_effect: float = Field(default=0.02, ge=0, le=1)
    """How far values must have moved beyond what is usual to be named; shares of NULL and the like have floors."""
    slices: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """Text columns for whose most frequent values each column is also judged by itself."""
    multivariate: bool = False
    """Also whether columns go together as usual, with half of false_alarms; then joint_drift fails by default too."""
    min_rows: int = Field(default=100, ge=1)
    """Slices with fewer rows in the window are not judged."""
    grid: int = Field(default=1, ge=1)
    """Raise it to have the grids of all columns made anew, and all days counted again."""
    error_if: Bounds = {"drifted_columns": Bound(">", 0.0)}
    """Bounds on the quantities whose breach fails the check."""

    @model_validator(mode="after")
    def _consistent(self) -> DistributionDrift:
        message = self._unclear() or (self._untimely() if self.timeless else self._undated())
        if message is not None:
            raise ValueError(message)
        return self

    def _unclear(self) -> str | None:
        """What is wrong with or without time."""
        if self.reference is None and self.reference_window is None:
            return "name what the window is compared with: reference, reference_window, or both"
        if self.violations_to is not None:
            return "violations_to is not for this check; all drifted columns are in the results"
        if len(set(self.slices)) < len(self.slices) or len(self.slices) > MOST_SLICES:
            return f"slices names a column twice, or more than {MOST_SLICES}"
        if self.slices and (self.violations == "none" or any(hides(self.redact, name) for name in self.slices)):
            return "slices would show values that redact or violations: none keeps out"
        return None

    def _untimely(self) -> str | None:
        """What is for tables with time only."""
        if self.cluster is not None and self.rows_independent:
            return "give cluster or rows_independent: rows of a cluster are not independent"
        if self.snapshots in ("forward", "around"):
            return f"snapshots: {self.snapshots} is for tables with time, cluster and rows_independent for others"
        if self.slices:
            return "slices are for tables with time; write a check with a filtered dataset for each slice"
        if self.model_fields_set & {"seasonality", "block"}:
            return "seasonality and block are for tables with time"
        if self._reference == self.source:
            return "the reference is the dataset itself; name another, or another version or window"
        return None

    def _undated(self) -> str | None:
        """Why days cannot be counted."""
        if self.snapshots == "rows":
            return "snapshots: rows needs cluster, or rows_independent: true if each row is for itself"
        if self.window is None:
            return "give window; for a table without time cluster, or rows_independent: true"
        days = self.window.days()
        if days is None or (self.reference_window is not None and self.reference_window.days() is None):
            return "windows begin and end at midnight, since days are counted"
        if self.block.seconds:
            return f"block is {self.block}, but days are counted; write for example 1d or 7d"
        if len(days) % self.block.days:
            return f"the window of {len(days)} days does not consist of blocks of {self.block}"
        return None

    @property
    def timeless(self) -> bool:
        """Whether rows or clusters of them are compared, and no stretches of time."""
        return self.cluster is not None or self.rows_independent

    @property
    def about(self) -> tuple[str, ...]:
        """The columns that are named."""
        return self.columns if isinstance(self.columns, tuple) else ()

    @property
    def datasets(self) -> tuple[Source, ...]:
        """The window, and what it is compared with."""
        return (self.source, self._reference)

    def ask(self, seen: Evidence) -> Iterable[Measure[Answer]]:
        """Ask for the reference's days, then for the grids, then for the counts of both by day."""
        yield RowCount(self.source)
        reference = self._known_reference(seen)
        if reference is None:
            yield self._side(seen).extremes
            return
        wanted = self._grids(seen, reference)
        yield wanted
        if wanted in seen:
            for both in self._counts(seen, reference):
                yield from both if self.timeless else map(Daily, both)
            if self.multivariate:
                yield from self._together(seen, reference).samples

    def judge(self, seen: Evidence, run: Run) -> tuple[Finding, ...]:  # noqa: ARG002 - nothing depends on the date
        """One finding for each column and slice, and one for all, which the bounds judge."""
        from sparkguard.shapes.drift_findings import Story

        whole = Finding(Status.PASS, "", columns=self.about, source=self.source, reference=self._reference)
        rows, reference = seen.require(RowCount(self.source)).rows, self._known_reference(seen)
        if not rows or reference is None:
            return (self.verdict(replace(whole, evaluated_rows=rows), passed="", failed=""),)
        common, series = self._shared(seen), list(self._series(seen, reference))
        if not series and common.unfit:
            raise common.unfit[0].error
        if not series:
            message = f"no column of {self.source} can be compared with {reference}"
            raise DataError(message, "name columns that both have: numbers, times, texts or booleans")
        if not any(series[0].cells(state).any() for state in series[0].reference):
            message = f"{reference} has no rows, so there is nothing to compare with"
            raise DataError(message, "find out whether the training table is there, or correct reference_window")
        whole = replace(whole, reference=reference, evaluated_rows=rows)
        large = [one for one in series if one.slice_key is None or one.rows >= self.min_rows]
        small = {(one.slice_key, one.slice_value) for one in series} - {(o.slice_key, o.slice_value) for o in large}
        texts = seen.require(self._grids(seen, reference)).texts
        bare = tuple(name for name in self.slices if not texts[name].names)
        calendar = None if self.timeless else self._calendar(reference)
        joint = partial(self._joint, seen, reference) if self.multivariate else None
        story = Story(self._bounded, self.false_alarms, whole, common, calendar, len(small), bare, joint)
        comparison = self._comparison(large, calendar)
        return story.undecided() if comparison is None else story.told(comparison)

    def _comparison(self, series: Sequence[Series], calendar: Calendar | None) -> Comparison | None:
        from sparkguard.shapes.drift import by_clusters, by_rows, by_stretches

        budget = (self._nightly, self.min_effect)
        if calendar is None:
            return (by_clusters if self.cluster else by_rows)(series, *budget)
        return by_stretches(series, calendar, *budget)

    @property
    def _nightly(self) -> float:
        """The budget of a test: of columns, and of what goes on between them."""
        return self.false_alarms.nightly / (2 if self.multivariate else 1)

    @property
    def _bounded(self) -> Self:
        """The check with the default bounds of what its fields ask for."""
        if not self.multivariate or "error_if" in self.model_fields_set:
            return self
        return self.model_copy(update={"error_if": {**self.error_if, "joint_drift": Bound(">", 0.0)}})

    def _together(self, seen: Evidence, reference: Source) -> Question:
        from sparkguard.shapes.joint import Question

        times = (None if self.timeless else seen.time_column(source) for source in self.datasets)
        name, other = (self.cluster or time for time in times)
        mine, theirs = (seen.schema(source) for source in self.datasets)
        placed = (mine.column(name), theirs.column(other)) if name and other else None
        return Question(self.source, reference, self._shared(seen).pairs, placed)

    def _joint(self, seen: Evidence, reference: Source, comparison: Comparison) -> Together:
        from sparkguard.shapes.joint import together

        question = self._together(seen, reference)
        one, other = question.samples
        drifted = {one.series.column for one, unit in comparison.units() if unit.drifted}
        answers = seen.require(one), seen.require(other)
        return together(question, answers, comparison, drifted, self._nightly, self.min_effect)

    @property
    def _reference(self) -> Source:
        named = self.reference
        if named is None:
            return Source(self.dataset, self.reference_window)
        return Source(named.dataset, self.reference_window, named.version)

    def _side(self, seen: Evidence) -> Side:
        return Side.of(self._reference, seen, self._dated.timezone)

    @property
    def _dated(self) -> Window:
        """The window of a check that counts days."""
        if self.window is None:
            raise TypeError
        return self.window

    def _known_reference(self, seen: Evidence) -> Source | None:
        """The reference over the days that are compared; None as long as they are not known."""
        if self.reference_window is not None or self.timeless:
            return self._reference
        side = self._side(seen)
        if side.extremes not in seen:
            return None
        reach = side.reach(seen)
        if reach is None:
            message = f"no row of {self._reference} has a time, so there is nothing to compare with"
            raise DataError(message, "find out whether the training table is there, and which column has its times")
        zone = self._dated.timezone
        first, last = (_midnight(moment.astimezone(ZoneInfo(zone))) for moment in (reach.first, reach.last))
        window = Window(first, last + timedelta(days=1), zone)
        if (window.end - first).days > _MOST_DAYS:
            message = f"the reference has rows from {first.date()} to {last.date()}, more than {_MOST_DAYS:,} days"
            raise DataError(message, "give reference_window, the days that the model was trained on")
        return replace(self._reference, window=window)

    def _calendar(self, reference: Source) -> Calendar:
        window, training = self._dated, reference.window
        if window.start is None or training is None or training.start is None:
            raise TypeError
        gap = (window.start - training.end).days
        if gap < 0 and gap % self.block.days:
            message = f"the window does not begin with a block of {self.block} of {reference}"
            raise DataError(message, "move the window or the reference by whole blocks, or write block: 1d")
        around = self.snapshots == "around" or (self.snapshots == "auto" and gap < 0)
        mode: Literal["forward", "around"] = "around" if around else "forward"
        return Calendar(self.block.days, mode, self.seasonality, gap, training.start, window.end, window.timezone)

    def _shared(self, seen: Evidence) -> Shared:
        mine, theirs = (seen.schema(source) for source in self.datasets)
        times = {seen.time_column(source) for source in self.datasets}
        return shared(mine, theirs, self.columns, {*times, self.cluster})

    def _grids(self, seen: Evidence, reference: Source) -> Grids:
        """The question for the grids of the columns that are compared, and of those that slice."""
        theirs = seen.schema(self._reference)
        columns = tuple(column for _, column in self._shared(seen).pairs)
        slices = tuple(theirs.column(name) for name in self.slices)
        return Grids(reference, columns, self.dataset, slices, self.grid)

    def _counts(self, seen: Evidence, reference: Source) -> Iterator[tuple[Histogram, Histogram]]:
        """What is counted of each column, of all rows and by each slicing; by clusters, where there are."""
        found = seen.require(self._grids(seen, reference))
        for mine, theirs in self._shared(seen).pairs:
            grid = found.grids[theirs.name]
            for ways in self._slicings(seen, found.texts, mine):
                yield Histogram(self.source, mine, grid, ways[0]), Histogram(reference, theirs, grid, ways[1])

    def _slicings(
        self, seen: Evidence, texts: Mapping[str, Grid], column: Column
    ) -> Iterator[tuple[Slicing, Slicing] | tuple[None, None]]:
        mine, theirs = (seen.schema(source) for source in self.datasets)
        if self.cluster is not None:
            one, other = mine.column(self.cluster), theirs.column(self.cluster)
            yield Slicing(one, (), CLUSTERS), Slicing(other, (), CLUSTERS)
            return
        yield None, None
        for name in (n for n in self.slices if mine.column(n).path != column.path):
            hashes = texts[name].hashes[: MOST_SLICES // len(self.slices)]
            yield Slicing(mine.column(name), hashes), Slicing(theirs.column(name), hashes)

    def _series(self, seen: Evidence, reference: Source) -> Iterator[Series]:
        """Each column, and each in each slice."""
        texts = seen.require(self._grids(seen, reference)).texts
        for window, base in self._counts(seen, reference):
            now, before = (self._states(seen, one) for one in (window, base))
            whole = Series(window.column.name, window.grid, before, now, groups=window.groups)
            if window.by is None or self.cluster is not None:
                yield whole
                continue
            key = window.by.column.name
            for group, value in enumerate(texts[key].names[: window.groups - 1], 1):
                yield replace(whole, slice_key=key, slice_value=value, group=group)

    def _states(self, seen: Evidence, counted: Histogram) -> tuple[CellCounts, ...]:
        return (seen.require(counted),) if self.timeless else seen.require(Daily(counted)).states


def _midnight(moment: datetime) -> datetime:
    return datetime.combine(moment.date(), time())
