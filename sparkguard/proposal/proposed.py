"""A proposed check: its fields as they are written, and the reasons that stand above it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from sparkguard.proposal.profile import ColumnProfile

Node = str | int | float | Decimal | list["Node"] | dict[str, "Node"]
"""What a field of a check is written as."""

_NAMED = 6
_NO_ID = re.compile(r"[^\w.-]+")


@dataclass(frozen=True)
class Proposal:
    """One check as it is written, without its dataset; `reasons` stand above it as comments."""

    id: str
    type: str
    fields: dict[str, Node]
    reasons: tuple[str, ...] = ()

    @property
    def rule(self) -> tuple[str, str, str]:
        """What makes two proposals of different tables the same."""
        return self.id, self.type, repr(self.fields)


@dataclass(frozen=True)
class Proposed:
    """All checks of a table, what is said of what was left out, and the column by which windows cut."""

    checks: tuple[Proposal, ...]
    notes: tuple[str, ...] = ()
    time_column: str | None = None
    time_note: str | None = None
    taken_out: dict[str, str] = field(default_factory=dict)

    def without(self, failed: dict[str, str]) -> Proposed:
        """The same without some checks, by their ids, and why."""
        kept = tuple(check for check in self.checks if check.id not in failed)
        return replace(self, checks=kept, taken_out={**self.taken_out, **failed})


def written_name(name: str) -> str:
    """A top-level column as a suite names it: only one that begins with a backtick needs more of them."""
    return "`" + name.replace("`", "``") + "`" if name.startswith("`") else name


def some(names: Sequence[str]) -> str:
    """A few names, and how many more."""
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def names_of(columns: Iterable[ColumnProfile]) -> list[Node]:
    """Columns as a check lists them."""
    return [written_name(p.name) for p in columns]


def id_of(rule: str, name: str = "") -> str:
    """The id of a check: its rule, and the column that it is about."""
    return "_".join(part for part in (rule, _NO_ID.sub("_", name).strip("_")[:60]) if part)


def shown(name: str) -> str:
    """A column's name inside a comment, in one line whatever it holds."""
    return name if name.isprintable() else name.encode("unicode_escape").decode("ascii")
