"""Which column tells when a row happened, and how old the newest may become."""

from __future__ import annotations

from collections.abc import Iterator

from sparkguard.core.types import is_time
from sparkguard.proposal.margins import LEAST_HOURS, age_hours, oldest_hours, shown_moment
from sparkguard.proposal.names import is_event, is_of_pipeline, is_promise
from sparkguard.proposal.profile import ColumnProfile, TableProfile
from sparkguard.proposal.proposed import Node, Proposal, shown, some

_MOST_NULL = 0.05
_OLD_HOURS = 14 * 24
_DAY, _YEAR = 24, 24 * 365.25
_TWO_DAYS = 48


def time_column(table: TableProfile, chosen: str | None) -> tuple[ColumnProfile | None, str | None]:
    """The column by which windows cut, and what to say of the choice."""
    times = [p for p in table.columns if is_time(p.type)]
    if chosen is not None:
        return next((p for p in table.columns if p.name == chosen), None), None
    usable = [p for p in times if p.nulls <= _MOST_NULL * table.rows and p.unread is None and not is_promise(p.name)]
    if not usable:
        return None, None
    best = max(usable, key=_likeness)
    others = [shown(p.name) for p in times if p is not best]
    note = f"chosen by its name and type; there are also {some(others)}" if others else None
    return best, note


def _likeness(column: ColumnProfile) -> tuple[bool, bool, bool]:
    """The first of equals wins."""
    name = column.name
    return not is_of_pipeline(name), is_event(name), column.type != "date"


def promises(table: TableProfile) -> Iterator[str]:
    """What to say where every day and moment is of a life or a promise."""
    times = [p for p in table.columns if is_time(p.type)]
    if times and all(is_promise(p.name) for p in times):
        names = some([shown(p.name) for p in times])
        yield f"no freshness and no time_column: of lives and promises are {names}; if one is not: --time-column"


def freshness(table: TableProfile, column: ColumnProfile | None, notes: list[str]) -> Iterator[Proposal]:
    """The newest event may be a night and a half older than today."""
    if column is None or column.high is None or not is_time(column.type):
        return
    newest = int(column.high)
    age = age_hours(column.column, newest, table.at)
    told = f"The newest {shown(column.name)} is {shown_moment(column.column, newest)}"
    if age is None or age < -_TWO_DAYS:
        ahead = "far" if age is None else _ago(age)
        notes.append(
            f"no freshness, since one row from the future would hide that all others are old. {told}, {ahead} in the "
            "future: mend those rows, or leave them out by the `where` of the dataset, and run `sparkguard init` again"
        )
        return
    bound = oldest_hours(age)
    fields: dict[str, Node] = {"error_if": {"event_age_hours": f"> {bound}"}}
    told = f"{told}, {_ago(age)}"
    if age < 0:
        fields["warn_if"] = {"event_age_hours": f"< -{_TWO_DAYS}"}
        reasons = [f"{told} in the future, which time zones or plans explain: rows further ahead warn (warn_if)."]
    elif age > _OLD_HOURS:
        told += " old: an archive, or a table that nobody feeds. The bound lets it pass, and a tenth more."
        reasons = [
            f'{told} Of a table that is fed every night write "> {LEAST_HOURS}"; of an archive delete this check.'
        ]
    else:
        reasons = [f"{told} old; {LEAST_HOURS} hours more, a night and a half, are too old."]
    yield Proposal("fresh", "freshness", fields, tuple(reasons))


def _ago(hours: float) -> str:
    length = abs(hours)
    if length >= _YEAR:
        return f"{length / _YEAR:.1f} years"
    return f"{length / _DAY:.0f} days" if length >= _TWO_DAYS else f"{length:.0f} hours"
