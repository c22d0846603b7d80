"""Is the data as new as it should be?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import ClassVar
from zoneinfo import ZoneInfo

from pydantic import Field

from sparkguard.core.check import Run, SourceCheck
from sparkguard.core.columns import Column
from sparkguard.core.evidence import Evidence
from sparkguard.core.fields import Bounds, ZoneField
from sparkguard.core.finding import Finding, Quantity, Status
from sparkguard.core.instant import EPOCH, moment_of
from sparkguard.core.measure import Answer, Measure
from sparkguard.core.text import count
from sparkguard.core.threshold import Bound
from sparkguard.core.types import is_time
from sparkguard.errors import DataError
from sparkguard.measures.commits import LastCommit
from sparkguard.measures.profile import Extremes
from sparkguard.measures.tallies import RowCount

_COMMIT = "commit_age_hours"


class Freshness(SourceCheck):
    r"""Measures the age of the newest event, and of the newest commit where a bound asks for it.

    The event's age is what lies between it and the end of the window, or now, whichever is earlier.
    A date counts from its end, and not at all while it lasts. The commit's age counts from now.

    Cost: shares one scan of the time column with all such checks of the same window; the commit comes
    from Delta's log.

    Blind to: rows that are missing while one new row has arrived, which `row_count` sees; without a
    window, one row from the future hides that all others are old (its age is negative and warns).

    Example:
        >>> from datetime import datetime
        >>> from sparkguard.testing import judge
        >>> check = Freshness(id="fresh", dataset="t", column="ts", error_if={"event_age_hours": "> 24"})
        >>> [finding] = judge(check, {"t": [{"ts": datetime(2026, 1, 29)}]})  # run on 2026-01-31
        >>> finding.status.value, finding.message
        ('fail', "the newest event is 48 h old (2026-01-29 00:00:00); event_age_hours is 48, and '> 24' fails")
    """

    QUANTITIES: ClassVar[Mapping[str, str]] = {
        "event_age_hours": "hours from the newest event to the end of the window or now",
        _COMMIT: "hours from the commit of the version that is read to now, where a bound asks for it",
        "evaluated_rows": "rows of the window",
    }
    COST: ClassVar[str] = "shares 1 scan of the time column with all such checks of the same window"

    column: str | None = None
    """The column of the events' times; by default the dataset's time_column."""
    timezone: ZoneField = Field(default="", validate_default=True)
    """The zone of a column that has none; by default the suite's."""
    error_if: Bounds = {"event_age_hours": Bound(">", 36.0)}
    """Bounds on the quantities whose breach fails the check."""
    warn_if: Bounds = {"event_age_hours": Bound("<", 0.0)}
    """Bounds on the quantities whose breach warns."""

    def ask(self, seen: Evidence) -> Iterable[Measure[Answer]]:
        """The newest event, and the commit if it is judged."""
        yield Extremes(self.source, self._time(seen))
        yield RowCount(self.source)
        if self._judges_commit:
            yield LastCommit(self.source)

    def judge(self, seen: Evidence, run: Run) -> tuple[Finding, ...]:
        """Judge the ages."""
        column = self._time(seen)
        extent = seen.require(Extremes(self.source, column))
        newest = extent.high
        rows = seen.require(RowCount(self.source)).rows
        quantities, told = {}, f"{column.name} is NULL in all {count(rows, 'row')}"
        if newest is not None:
            until = run.now if self.window is None else min(run.now, self.window.end_utc)
            moment = self._moment(int(newest), column, until)
            age = _hours(until - moment)
            shown = moment.astimezone(ZoneInfo(self.timezone)).replace(tzinfo=None)
            told = f"the newest event is {age:,.3g} h old ({self.text(column.name, str(shown))})"
            quantities["event_age_hours"] = Quantity(age, exactness=extent.exactness)
        if self._judges_commit:
            at = seen.require(LastCommit(self.source)).at
            quantities[_COMMIT] = Quantity(None if at is None else _hours(run.now - at))
            told += "" if at is None else f", committed {_hours(run.now - at):,.3g} h ago"
        finding = Finding(
            Status.PASS, "", evaluated_rows=rows, quantities=quantities, columns=(column.name,), source=self.source
        )
        return (self.verdict(finding, passed=told, failed=told, remedy="find out whether the upstream runs"),)

    @property
    def _judges_commit(self) -> bool:
        return _COMMIT in {*self.error_if, *self.warn_if}

    def _time(self, seen: Evidence) -> Column:
        name = self.column or seen.time_column(self.source)
        if name is None:
            message = f"dataset '{self.dataset}' has no time_column"
            raise DataError(message, "name the column of the events' times: column")
        column = seen.schema(self.source).column(name)
        if not is_time(column.type):
            message = f"column '{name}' is {column.type}; freshness needs a date or a timestamp"
            raise DataError(message, "name another column, or convert it in a dataset's sql")
        return column

    def _moment(self, ordinal: int, column: Column, until: datetime) -> datetime:
        """The instant for which an ordinal stands; a date for the midnight that ends it, or `until` on that day."""
        try:
            if column.type == "timestamp":
                return moment_of(ordinal)
            if column.type != "date":
                return self._local(timedelta(microseconds=ordinal))
            begin, end = (self._local(timedelta(days=ordinal + days)) for days in (0, 1))
        except OverflowError as error:
            message = f"the newest {column.name} lies beyond the year 9999"
            raise DataError(message, "leave out the rows that stand for no time, in the dataset's where") from error
        return min(end, max(begin, until))

    def _local(self, since: timedelta) -> datetime:
        return (EPOCH + since).replace(tzinfo=ZoneInfo(self.timezone)).astimezone(UTC)


def _hours(age: timedelta) -> float:
    return age / timedelta(hours=1)
