"""The file of one table: a header that says what to do with it, the dataset, the checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sparkguard.core.text import count
from sparkguard.proposal.margins import day_of
from sparkguard.proposal.proposed import Node, Proposed
from sparkguard.proposal.text import checks_text, comment, flow, scalar

COMMON = (
    "results: ${SPARKGUARD_RESULTS:-results}   # a folder, a URI, or {schema: catalog.schema}",
    "environment: ${ENV:-dev}",
    "timezone: UTC                             # of ${date}, of windows, of times without a zone",
)


@dataclass(frozen=True)
class Heading:
    """What the header of a file says: which schema editors read, where the file is, when it was made.

    `proven` is whether the checks have run on the rows that they were made from.
    """

    at: datetime
    file: str | None = None
    modeline: str | None = None
    proven: bool = False

    @property
    def named(self) -> str:
        """The file in commands."""
        return self.file or "suite.yaml"

    def first_lines(self) -> list[str]:
        """The line that editors read."""
        return [] if self.modeline is None else [f"# yaml-language-server: $schema={self.modeline}"]


def suite_text(
    name: str,
    dataset: str,
    place: Mapping[str, str],
    proposed: Proposed,
    heading: Heading,
    *,
    rows: int,
    version: int | None,
) -> str:
    """The suite of one table."""
    at_version = "" if version is None else f", version {version}"
    where = next(iter(place.values()))
    made = f"Proposed by `sparkguard init` on {day_of(heading.at)} from {count(rows, 'row')} of {where}{at_version}."
    lines = [*heading.first_lines(), *comment(made), *comment(_verdict(heading, proposed))]
    lines += _next_steps(heading, "")
    lines += ["#", *_windows(proposed.time_column)]
    lines += [f"suite: {scalar(name)}", *COMMON]
    lines += ["# defaults: {owner: my-team, tags: [nightly]}   # who is asked when a check fails", "", "datasets:"]
    if proposed.time_note and proposed.time_column:
        lines += comment(f"time_column: {proposed.time_note}.", 2)
    lines += [f"  {scalar(dataset, key=True)}: {flow(dataset_entry(place, proposed.time_column))}", "", "checks:"]
    lines += checks_text(proposed.checks, dataset)
    lines += left_out(proposed)
    return "\n".join(lines) + "\n"


def dataset_entry(place: Mapping[str, str], time_column: str | None) -> dict[str, Node]:
    """How a table is read, as an entry of a suite."""
    return {**place, **({} if time_column is None else {"time_column": time_column})}


def left_out(proposed: Proposed, indent: int = 2) -> list[str]:
    """What no check was made for, and why."""
    notes = [*proposed.notes, *(f"{name} was taken out: {why}" for name, why in proposed.taken_out.items())]
    if not notes:
        return []
    lines = ["", " " * indent + "# Left out:"]
    for note in notes:
        first, *rest = comment(f"- {note}", indent)
        lines += [first, *(line.replace("# ", "#   ", 1) for line in rest)]
    return lines


def _verdict(heading: Heading, proposed: Proposed) -> str:
    many = count(len(proposed.checks), "check")
    fact = f"{many}, which all passed on them." if heading.proven else f"{many}, which have not been run on them yet."
    return f"{fact} They say what the table is, not what it should be: change what you know better."


def _next_steps(heading: Heading, note: str) -> Iterator[str]:
    yield "#"
    yield f"#   sparkguard validate {heading.named}"
    yield f"#   sparkguard run {heading.named}" + note


def _windows(time_column: str | None) -> Iterator[str]:
    """Whole table or last night: what a newcomer has to decide."""
    yield from comment("Every check looks at the whole table, which suits a table that is replaced each night.")
    if time_column is None:
        text = (
            "Of a table that grows, look at the last night only: give the dataset a `time_column`, and the checks this"
            " line, with bounds on row counts for a night:"
        )
    else:
        text = (
            "Of a table that grows, look at the last night only: add this line to the checks but `key` and `columns`,"
            " and let `rows` count a night:"
        )
    yield from comment(text)
    yield '#     window: {end: "${date}", length: 1d}   # the day before the one of --date, which is today by default'
