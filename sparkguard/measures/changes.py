"""What happened to the keys of a table on their way into another: kinds, causes, and their words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sparkguard.core.measure import Answer
from sparkguard.core.text import count
from sparkguard.measures.pairing import Values


class Kind(StrEnum):
    """What happened to a key; the last two need a closer look before they count as changed."""

    LOST = "lost"
    GAINED = "gained"
    MULTIPLIED = "multiplied"
    CHANGED = "changed"
    MANY = "many"
    FLOATS = "floats"


UNMATCHED = "unmatched"
"""The kind of evidence for rows that are there, without a match in other."""


class Cause(StrEnum):
    """Why rows were lost, gained or multiplied, as people read it."""

    NULL_KEY = "NULL key"
    NO_MATCH = "no match in other"
    MATCHED = "has a match in other, and is lost all the same"
    DUPLICATE_IN_OTHER = "duplicate key in other"
    DUPLICATE_IN_BEFORE = "duplicate key in before"
    ONLY_IN_OTHER = "a key of other that before does not have"
    NOWHERE = "neither in before nor in other"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class KeyChange:
    """A key with its rows before, after and in the other table (None if that was not looked at).

    `rows` are those that its kind counts; `hash` finds the key again; `values` are texts, None for NULL.
    """

    values: tuple[str | None, ...]
    before: int
    after: int
    rows: int
    other: int | None = None
    hash: int = 0


@dataclass(frozen=True)
class Group:
    """How many `keys` and `rows` share a kind and a cause, and the keys with the most rows."""

    kind: Kind
    cause: Cause
    keys: int
    rows: int
    top: tuple[KeyChange, ...] = ()


@dataclass(frozen=True)
class ChangesAnswer(Answer):
    """What differs, by kind and cause; `before` counts the rows that were looked at."""

    groups: tuple[Group, ...]
    before: int = 0

    def rows(self, *kinds: Kind) -> int:
        """The rows of some kinds."""
        return sum(g.rows for g in self.groups if g.kind in kinds)

    def of(self, *kinds: Kind) -> tuple[Group, ...]:
        """The groups of some kinds, most rows first."""
        return tuple(sorted((g for g in self.groups if g.kind in kinds), key=lambda g: (-g.rows, g.cause)))


def counted(before: int, after: int) -> tuple[Kind | None, int]:
    """The kind of a key by its numbers of rows alone, and how many rows it concerns."""
    if before > after:
        return Kind.LOST, before - after
    if after > before:
        return (Kind.MULTIPLIED if before else Kind.GAINED), after - before
    return None, 0


def cause_without_other(kind: Kind, before: int, after: int, *, null: bool) -> Cause:
    """What the two sides alone tell."""
    if kind not in (Kind.LOST, Kind.MULTIPLIED, Kind.GAINED):
        return Cause.UNKNOWN
    if null:
        return Cause.NULL_KEY
    collapsed = kind is Kind.LOST and after > 0
    return Cause.DUPLICATE_IN_BEFORE if before > 1 and (collapsed or kind is Kind.MULTIPLIED) else Cause.UNKNOWN


def cause_with_other(kind: Kind, before: int, after: int, other: int, *, null: bool) -> Cause:
    """What the other table tells."""
    if null:
        return Cause.NULL_KEY
    if kind is Kind.GAINED:
        return Cause.ONLY_IN_OTHER if other else Cause.NOWHERE
    if kind is Kind.LOST and not other:
        return Cause.NO_MATCH
    if kind is Kind.MULTIPLIED and other > 1:
        return Cause.DUPLICATE_IN_OTHER
    if before > 1 and (kind is Kind.MULTIPLIED or after):
        return Cause.DUPLICATE_IN_BEFORE
    return Cause.MATCHED if kind is Kind.LOST else Cause.UNKNOWN


def text(value: object) -> str | None:
    """A value of plain Python for people; None for NULL."""
    return None if value is None else str(value)


def texts(values: Values) -> tuple[str | None, ...]:
    """The values of a key for people."""
    return tuple(text(v) for v in values)


def key_change(key: Values, before: int, after: int, rows: int, other: int | None = None) -> KeyChange:
    """A change of a key in plain Python."""
    return KeyChange(texts(key), before, after, rows, other, hash(key))


def grouped(found: Iterable[tuple[Kind, Cause, KeyChange]], limit: int) -> tuple[Group, ...]:
    """Total changed keys by kind and cause, and keep the `limit` worst of each."""
    by: dict[tuple[Kind, Cause], list[KeyChange]] = {}
    for kind, cause, change in found:
        by.setdefault((kind, cause), []).append(change)
    groups = []
    for (kind, cause), members in by.items():
        members.sort(key=lambda m: (-m.rows, [(v is not None, v or "") for v in m.values]))
        groups.append(Group(kind, cause, len(members), sum(m.rows for m in members), tuple(members[:limit])))
    return tuple(groups)


_REMEDIES: Mapping[tuple[Kind, Cause | None], str] = {
    (Kind.MULTIPLIED, Cause.DUPLICATE_IN_OTHER): "make the key of other unique before it is joined",
    (Kind.MULTIPLIED, None): "look at the condition of the join: rows meet more than one partner",
    (Kind.LOST, Cause.NO_MATCH): "complete other, or use a left join if these rows must survive",
    (Kind.LOST, Cause.NULL_KEY): "an inner join drops rows with NULL in the key: fill the key, or use a left join",
    (Kind.LOST, Cause.MATCHED): "other has these keys, so look for a filter, or a cast of the key, after the join",
    (Kind.LOST, Cause.DUPLICATE_IN_BEFORE): "something between before and after removes duplicates of the key",
    (Kind.LOST, None): "name the table that was joined in as other to learn why",
    (Kind.GAINED, None): "look for a right or full join, or a union: before does not have these keys",
    (Kind.CHANGED, None): "find out what rewrites the columns that changed",
}


def reason(cause: Cause, change: KeyChange) -> str | None:
    """The cause of one key, with the multiplicity of its key in other."""
    if cause is Cause.UNKNOWN:
        return None
    doubled = cause is Cause.DUPLICATE_IN_OTHER and change.other is not None
    return f"{cause} ({count(change.other or 0, 'row')})" if doubled else cause.value


def told(
    kind: Kind,
    groups: Sequence[Group],
    before: int,
    named: Callable[[tuple[str | None, ...]], str],
    *,
    foretold: bool,
) -> str:
    """`3 of 10 rows are lost (2 NULL key: id=NULL; 1 no match in other: id=7)`."""
    mine = [g for g in groups if g.kind is kind]
    rows = sum(g.rows for g in mine)
    part = kind in (Kind.LOST, Kind.CHANGED)
    whole = f"{rows:,} of {count(before, 'row')}" if part else count(rows, "row")
    causes = "; ".join(
        ("" if g.cause is Cause.UNKNOWN else f"{g.rows:,} {g.cause}: ")
        + ("" if g.keys == 1 else "for example ")
        + named(g.top[0].values)
        for g in mine
    )
    if foretold:
        return f"{whole} would be {kind} by {'an inner' if kind is Kind.LOST else 'a'} join ({causes})"
    return f"{whole} {'is' if rows == 1 else 'are'} {kind} ({causes})"


_OTHER_REMEDIES: Mapping[str, str] = {
    "unmatched_rows": "complete other: a left join fills what is missing with NULL",
    "missing_columns": "find out what dropped the columns between before and after",
    "added_columns": "find out what added the columns between before and after",
    "incomparable_columns": "cast the columns to one type, in a dataset's sql",
}


def remedy(groups: Sequence[Group], metric: str | None) -> str | None:
    """What to look at first, by the quantity that decided; its group with the most rows tells."""
    if metric is not None and metric in _OTHER_REMEDIES:
        return _OTHER_REMEDIES[metric]
    mine = [g for g in groups if metric == f"{g.kind}_rows"] or groups
    if not mine:
        return None
    worst = max(mine, key=lambda g: g.rows)
    return _REMEDIES.get((worst.kind, worst.cause)) or _REMEDIES[worst.kind, None]
