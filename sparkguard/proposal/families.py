"""One file for the tables of a schema: what they share as templates over their names, the rest with each table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from sparkguard.core.text import count
from sparkguard.proposal.margins import day_of
from sparkguard.proposal.proposed import Node, Proposal, Proposed
from sparkguard.proposal.suite import COMMON, Heading, dataset_entry, left_out
from sparkguard.proposal.text import block, check_lines, comment, flow, scalar

DATASET = "table"
_LEAST_TABLES = 2
_ROWS = Proposal("rows", "row_count", {}, ("No table may be empty; what a table says of itself comes on top.",))


@dataclass(frozen=True)
class Table:
    """A table of the family: how it is named and read, who owns it, what was proposed, or why nothing was.

    `place` is empty for a catalog table, which its name says how to read.
    """

    name: str
    short: str
    place: Mapping[str, str]
    owner: str | None = None
    proposed: Proposed | None = None
    unread: str | None = None


@dataclass(frozen=True)
class Template:
    """Checks that all tables have whose names match."""

    match: str
    checks: tuple[Proposal, ...]
    tables: int


def family_text(suite: str, tables: Sequence[Table], heading: Heading) -> str:
    """The file of many tables; those that could not be read are comments in it."""
    read = [t for t in tables if t.proposed is not None]
    shared = templates(read)
    lines = [*heading.first_lines()]
    lines += comment(f"Proposed by `sparkguard init` on {day_of(heading.at)} from {count(len(read), 'table')}.")
    fact = "All checks passed on them." if heading.proven else "The checks have not been run on them yet."
    lines += comment(f"{fact} They say what the tables are, not what they should be: change what you know better.")
    lines += ["#", f"#   sparkguard validate {heading.named}", f"#   sparkguard run {heading.named}", "#"]
    lines += comment(
        "Every table is a suite of its own, of the checks of the templates that match its name and its own."
    )
    lines += comment(
        "A check of a table changes the one of the same id in a template; {id: rows, remove: true} takes it out."
    )
    lines += [f"suite: {suite}.${{table}}", *COMMON, "", "templates:", *_template_lines(shared), "", "tables:"]
    for table in tables:
        lines += _unread(table) if table.proposed is None else _entry(table, table.proposed, shared)
    return "\n".join([*lines, "", *_overlays()]) + "\n"


def templates(tables: Sequence[Table]) -> list[Template]:
    """One for all tables, and one for each common first or last word of their names whose checks agree."""
    found = [Template("*", (_ROWS,), len(tables))]
    taken: set[str] = set()
    for match, members in sorted(_patterns(tables).items(), key=lambda g: (-len(g[1]), g[0])):
        if taken & {t.name for t in members}:
            continue
        agreed = _agreed(members)
        if agreed:
            taken |= {t.name for t in members}
            found.append(Template(match, agreed, len(members)))
    return found


def own_checks(table: Table, shared: Sequence[Template]) -> list[Proposal]:
    """What a table has beyond its templates; of `rows` only the bound, since the template has the rest."""
    inherited = {check.rule for t in shared for check in t.checks if _matches(table, t.match)}
    checks = table.proposed.checks if table.proposed else ()
    return [check for check in checks if check.rule not in inherited]


def _patterns(tables: Sequence[Table]) -> dict[str, list[Table]]:
    words = {f"{t.short.partition('_')[0]}_*" for t in tables if "_" in t.short}
    words |= {f"*_{t.short.rpartition('_')[2]}" for t in tables if "_" in t.short}
    plain = [w for w in words if not set("?[]") & set(w)]
    groups = {w: [t for t in tables if _matches(t, w)] for w in plain}
    return {w: members for w, members in groups.items() if len(members) >= _LEAST_TABLES}


def _agreed(tables: Sequence[Table]) -> tuple[Proposal, ...]:
    """The checks that all of some tables have, word by word."""
    first, *others = (t.proposed.checks if t.proposed else () for t in tables)
    rules = [{check.rule for check in checks} for checks in others]
    return tuple(c for c in first if c.type != "row_count" and all(c.rule in known for known in rules))


def _matches(table: Table, match: str) -> bool:
    return fnmatchcase(table.short, match) or fnmatchcase(table.name, match)


def _template_lines(shared: Sequence[Template]) -> Iterator[str]:
    for template in shared:
        if template.match != "*":
            yield ""
            yield from comment(f"What the {template.tables} tables of this name agree in.", 2)
        yield f"  - match: {scalar(template.match)}"
        yield "    checks:"
        for check in template.checks:
            told = template.match == "*" or check.type in ("schema", "array_length")
            yield from check_lines(check, DATASET, 6, told=told)


def _entry(table: Table, proposed: Proposed, shared: Sequence[Template]) -> Iterator[str]:
    entry: dict[str, Node] = {} if table.owner is None else {"owner": table.owner}
    entry |= dataset_entry(table.place, proposed.time_column)
    yield ""
    yield f"  {scalar(table.name, key=True)}:"
    for name, value in entry.items():
        if name == "time_column" and proposed.time_note:
            yield from comment(f"time_column: {proposed.time_note}.", 4)
        yield f"    {name}: {flow(value)}"
    own = own_checks(table, shared)
    has_rows = any(check.type == "row_count" for check in proposed.checks)
    if own or not has_rows:
        yield "    checks:"
    if not has_rows:
        why = "taken out, see below" if "rows" in proposed.taken_out else "it is empty today"
        yield f"      - {{id: rows, remove: true}}   # {why}"
    for i, check in enumerate(own):
        yield from [""] if i or not has_rows else []
        yield from _rows(check) if check.type == "row_count" else check_lines(check, DATASET, 6)
    yield from left_out(proposed, 4)


def _rows(check: Proposal) -> Iterator[str]:
    """Only what differs from the template's check of rows."""
    yield from (line for reason in check.reasons for line in comment(reason, 6))
    yield f"      - id: {check.id}"
    for name, value in check.fields.items():
        yield from block(name, value, 8)


def _unread(table: Table) -> Iterator[str]:
    yield ""
    yield from comment(f"{table.name} could not be read: {table.unread}", 2)


def _overlays() -> Iterator[str]:
    """What changes from environment to environment, as an example."""
    yield from comment("What is different in an environment, chosen by ENV=prod or --set ENV=prod:")
    yield "# overlays:"
    yield "#   prod:"
    yield "#     results: {schema: main.quality}"
    yield "#     defaults: {owner: data-platform}"
