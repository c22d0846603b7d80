"""Which column tells when a row happened, and how old the newest may become."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sparkguard.core.types import is_time
from sparkguard.proposal.margins import LEAST_HOURS, age_hours, oldest_hours, shown_moment
from sparkguard.proposal.profile import ColumnProfile, TableProfile
from sparkguard.proposal.proposed import Node, Proposal, shown, some

_WORD = r"(?:^|[^A-Za-z]|(?<=[a-z])(?=[A-Z]))"
_EVENT = re.compile(rf"(?i){_WORD}(?:ts|time|timestamp|event|at|date|day|dt|ds|hour|datetime)(?:$|[^A-Za-z])")
_RATHER_NOT = re.compile(
    r"(?i)birth|dob|due|expir|valid|until|end|deadline|commit|receipt|deliver|updat|modif|load|ingest"
)
"""What names a life, a promise or the work of the pipeline rather than the event."""
_MOST_NULL = 0.05
_OLD_HOURS = 14 * 24
_DAY, _YEAR = 24, 24 * 365.25
_TWO_DAYS = 48


def time_column(table: TableProfile, chosen: str | None) -> tuple[ColumnProfile | None, str | None]:
    """The column by which windows cut, and what to say of the choice."""
    times = [p for p in table.columns if is_time(p.type)]
    if chosen is not None:
        return next((p for p in table.columns if p.name == chosen), None), None
    usable = [p for p in times if p.nulls <= _MOST_NULL * table.rows and p.unread is None]
    if not usable:
        return None, None
    best = max(usable, key=_likeness)
    others = [shown(p.name) for p in times if p is not best]
    note = f"chosen by its name and type; there are also {some(others)}" if others else None
    return best, note


def _likeness(column: ColumnProfile) -> tuple[bool, bool, bool]:
    """The first of equals wins."""
    name = column.name
    return _RATHER_NOT.search(name) is None, _EVENT.search(name) is not None, column.type != "date"


def freshness(table: TableProfile, column: ColumnProfile | None) -> Iterator[Proposal]:
    """The newest event may be a night and a half older than today."""
    newest = None if column is None else column.high
    age = None if column is None or newest is None else age_hours(column.column, int(newest), table.at)
    if column is None or newest is None or age is None or not is_time(column.type):
        return
    bound = oldest_hours(age)
    fields: dict[str, Node] = {"error_if": {"event_age_hours": f"> {bound}"}}
    told = f"The newest {shown(column.name)} is {shown_moment(column.column, int(newest))}, {_ago(age)}"
    if age < 0:
        fields["warn_if"] = {}
        reasons = [f"{told} in the future, so there is no warning of such rows (warn_if)."]
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
