"""Which checks a profile suggests, and why: nothing is proposed that today's rows break."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from sparkguard.core.columns import Field
from sparkguard.core.evolution import differences, part_of_field, part_of_type
from sparkguard.core.sqltypes import parse_type
from sparkguard.core.text import count
from sparkguard.proposal.keys import is_doubtful
from sparkguard.proposal.margins import GROWTH, STANDARD_ERRORS, fewest, rate
from sparkguard.proposal.profile import ColumnProfile, TableProfile
from sparkguard.proposal.proposed import Node, Proposal, Proposed, id_of, names_of, shown, some, written_name
from sparkguard.proposal.ranges import is_listed, range_proposals
from sparkguard.proposal.times import freshness, promises, time_column

_MOST_NULL = 0.5
"""Of a column that is mostly NULL nobody knows whether a value is the exception or the rule."""
_HARDLY_FILLED = 0.95
"""A column with more NULLs may be NULL everywhere tomorrow, and then a rule on its values is an error."""


def propose(table: TableProfile, chosen_time: str | None = None) -> Proposed:
    """The checks of a table; one without rows gets its schema only."""
    time, time_note = time_column(table, chosen_time)
    notes = list(_unread(table))
    checks = list(_rows(table))
    if table.rows:
        checks += [*freshness(table, time, notes), *_keys(table), *_completeness(table, notes)]
        filled = replace(table, columns=tuple(p for p in table.columns if p.nulls <= _HARDLY_FILLED * table.rows))
        checks += [*_finite(filled, notes), *_allowed_values(filled), *range_proposals(filled, notes)]
        checks += _array_lengths(filled, notes)
        notes += [*promises(table), *_no_key(table), *_mostly_null(table), *_constant(table), *_unlisted(table)]
    else:
        notes.append("the table has no rows, so only its columns are checked; run `sparkguard init` again once it has")
    checks += _schema(table, notes)
    found = None if time is None else written_name(time.name)
    return Proposed(_numbered(checks), tuple(notes), chosen_time or found, time_note)


def _rows(table: TableProfile) -> Iterator[Proposal]:
    if table.rows:
        least = fewest(table.rows)
        reason = f"{count(table.rows, 'row')} today; the bound is half of that, rounded down to two digits."
        yield Proposal("rows", "row_count", {"error_if": {"rows": f"< {least}"}}, (reason,))


def _keys(table: TableProfile) -> Iterator[Proposal]:
    if not table.keys:
        return
    first, *others = table.keys
    reasons = [f"No two of the {count(table.rows, 'row')} share it, counted exactly; none has a NULL in it."]
    fields: dict[str, Node] = {"key": [written_name(n) for n in first]}
    if is_doubtful(first, table.columns, table.rows):
        fields["severity"] = "warn"
        reasons.append("It may be so by chance, and only warns: delete it, or the severity if it is meant.")
    if others:
        reasons.append("Also unique: " + "; ".join(f"[{', '.join(map(shown, key))}]" for key in others) + ".")
    yield Proposal("key", "duplicate_keys", fields, tuple(reasons))


def _completeness(table: TableProfile, notes: list[str]) -> Iterator[Proposal]:
    filled = [p for p in table.columns if p.unread is None and not p.nulls]
    if filled:
        reason = f"{_all_or(filled, table)} without a single NULL in {count(table.rows, 'row')}."
        yield Proposal("complete", "completeness", {"columns": names_of(filled)}, (reason,))
    some_null = [p for p in table.columns if 0 < p.nulls <= _MOST_NULL * table.rows]
    yield from _rates("complete", "completeness", "NULL", [(p, p.nulls, table.rows) for p in some_null], notes)


def _finite(table: TableProfile, notes: list[str]) -> Iterator[Proposal]:
    floats = [p for p in table.columns if p.can_be_infinite and p.unread is None and p.nulls < table.rows]
    finite = [p for p in floats if not p.not_finite]
    if finite:
        reason = f"{count(len(finite), 'column')} of floats without NaN or infinity."
        yield Proposal("finite", "finite_values", {"columns": names_of(finite)}, (reason,))
    wrong = [(p, p.not_finite, table.rows - p.nulls) for p in floats if p.not_finite]
    yield from _rates("finite", "finite_values", "NaN or infinite", wrong, notes)


def _rates(
    rule: str, kind: str, what: str, columns: Sequence[tuple[ColumnProfile, int, int]], notes: list[str]
) -> Iterator[Proposal]:
    """A check for each bound, of all columns that share it; what has none goes to `notes`."""
    bounds = [(column, rate(broke, rows), broke / rows) for column, broke, rows in columns]
    groups: dict[float, list[tuple[ColumnProfile, float]]] = {}
    for column, bound, share in bounds:
        if bound is not None:
            groups.setdefault(bound, []).append((column, share))
    unbound = [f"{shown(column.name)} ({share:.0%})" for column, bound, share in bounds if bound is None]
    if unbound:
        notes.append(f"{what} too often, or in too few rows, for a bound on the share: {some(unbound)}")
    for i, (bound, members) in enumerate(sorted(groups.items())):
        percent = f"{bound * 100:g}"
        told = some([f"{shown(p.name)} {share * 100:.2g} %" for p, share in members])
        how = (
            f"The bound: {STANDARD_ERRORS} standard errors above the share of today, at least {GROWTH:g} times it, "
            "rounded up."
        )
        fields: dict[str, Node] = {
            "columns": names_of(p for p, _ in members),
            "error_if": {"violation_rate": f"> {percent} %"},
        }
        yield Proposal(f"{rule}_{percent}pct", kind, fields, (f"{what}: {told}.", *([] if i else [how])))


def _allowed_values(table: TableProfile) -> Iterator[Proposal]:
    groups: dict[tuple[tuple[str, ...], bool], list[ColumnProfile]] = {}
    for p in table.columns:
        if is_listed(p):
            single = any(n == 1 for _, n in p.values or ())
            groups.setdefault((tuple(v for v, _ in _ordered(p)), single), []).append(p)
    for (values, single), columns in groups.items():
        numbers = columns[0].low is not None
        rarest = min(n for p in columns for _, n in p.values or ())
        fields: dict[str, Node] = {
            "columns": names_of(columns),
            "values": [int(v) if numbers else v for v in values],
        }
        reasons = [f"{count(len(values), 'value')}, the rarest in {count(rarest, 'row')}."]
        if single:
            # Good (1953): the share of rows with values not seen yet is about that of values seen once.
            fields["severity"] = "warn"
            once = sum(n == 1 for p in columns for _, n in p.values or ())
            reasons.append(f"{count(once, 'value')} in one row only, so that others are likely to come: it only warns.")
        yield Proposal(id_of("values", columns[0].name), "allowed_values", fields, tuple(reasons))


def _unlisted(table: TableProfile) -> Iterator[str]:
    """What has few values that are not written down."""
    groups: dict[str, list[str]] = {}
    for p in table.columns:
        if p.unlisted:
            groups.setdefault(p.unlisted, []).append(shown(p.name))
    for why, names in groups.items():
        yield f"no allowed values for columns {why}: {some(names)}"


def _ordered(column: ColumnProfile) -> list[tuple[str, int]]:
    values = list(column.values or ())
    return sorted(values, key=lambda v: int(v[0])) if column.low is not None else sorted(values)


def _array_lengths(table: TableProfile, notes: list[str]) -> Iterator[Proposal]:
    groups: dict[tuple[int, int], list[ColumnProfile]] = {}
    empty = [shown(p.name) for p in table.columns if p.longest == 0]
    if empty:
        notes.append(f"every array is empty, so that its length is not checked: {some(empty)}")
    for p in table.columns:
        if p.shortest is not None and p.longest:
            groups.setdefault((p.shortest, p.longest), []).append(p)
    for (shortest, longest), columns in groups.items():
        fields: dict[str, Node] = {"columns": names_of(columns)}
        if shortest == longest:
            fields["length"] = longest
            reason = f"Every array has {count(longest, 'element')}."
        else:
            fields |= {"min_length": min(shortest, 1), "max_length": 2 * longest}
            reason = f"{shortest:,} to {count(longest, 'element')} today; twice the longest, and none empty if none is."
        yield Proposal(id_of("length", columns[0].name), "array_length", fields, (reason,))


def _schema(table: TableProfile, notes: list[str]) -> Iterator[Proposal]:
    columns: dict[str, Node] = {f.name: f.type for f in table.schema.fields if _can_be_written(f)}
    odd = [shown(f.name) for f in table.schema.fields if not _can_be_written(f)]
    if odd:
        notes.append(f"not in the check of the schema, since their types cannot be written in a suite: {some(odd)}")
    if columns:
        reason = "No column may vanish or change its type; new ones may come (mode: strict forbids them too)."
        yield Proposal("columns", "schema", {"columns": columns, "mode": "additive"}, (reason,))


def _can_be_written(column: Field) -> bool:
    """Whether the type, read back from its text, is the type: names inside structs may break it."""
    try:
        written = part_of_type(column.name, parse_type(column.type))
    except ValueError:
        return False
    return bool(column.name) and not differences([written], [part_of_field(column)])


def _no_key(table: TableProfile) -> Iterator[str]:
    if table.lacking:
        yield f"no key and no allowed values are proposed: {table.lacking[0]}"
    elif not table.keys:
        yield "no key was found: none of the columns and combinations that were tried is unique in each row"


def _mostly_null(table: TableProfile) -> Iterator[str]:
    empty = [shown(p.name) for p in table.columns if p.nulls == table.rows and p.unread is None]
    mostly = [
        f"{shown(p.name)} ({p.nulls / table.rows:.0%})"
        for p in table.columns
        if _MOST_NULL * table.rows < p.nulls < table.rows
    ]
    if empty:
        yield f"NULL in every row, so nothing is proposed for {some(empty)}"
    if mostly:
        yield f"mostly NULL, so that completeness is not checked: {some(mostly)}"
    if any(p.nulls > _HARDLY_FILLED * table.rows for p in table.columns if p.nulls < table.rows):
        yield f"no rule on the values of columns that are NULL in more than {_HARDLY_FILLED:.0%} of the rows"


def _constant(table: TableProfile) -> Iterator[str]:
    constant = [shown(p.name) for p in table.columns if p.constant(table.rows)]
    if constant:
        yield f"the same value in every row: {some(constant)}; if they should vary, add a check of type constant_column"


def _unread(table: TableProfile) -> Iterator[str]:
    yield from (f"{shown(p.name)} could not be profiled: {p.unread}" for p in table.columns if p.unread is not None)


def _all_or(columns: Sequence[ColumnProfile], table: TableProfile) -> str:
    whole = len(columns) == len(table.columns)
    return f"All {count(len(columns), 'column')}" if whole and len(columns) > 1 else count(len(columns), "column")


def _numbered(checks: Iterable[Proposal]) -> tuple[Proposal, ...]:
    """Ids are unique: those of columns whose names differ in signs only get numbers."""
    taken: dict[str, Proposal] = {}
    for check in checks:
        name, number = check.id, 1
        while name in taken:
            number += 1
            name = f"{check.id}_{number}"
        taken[name] = replace(check, id=name)
    return tuple(taken.values())
