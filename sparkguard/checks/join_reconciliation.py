"""Did a join lose, gain, multiply or change rows, and why?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from sparkguard.core.check import Check, Run
from sparkguard.core.evidence import Evidence
from sparkguard.core.fields import Bounds, VersionedField, WindowField
from sparkguard.core.finding import EvidenceQuery, Finding, Quantity, Status, Violation
from sparkguard.core.measure import Answer, Broken, Measure
from sparkguard.core.source import Source
from sparkguard.core.text import REDACTED, count
from sparkguard.core.threshold import Bound
from sparkguard.measures.changes import UNMATCHED, Group, Kind, reason, remedy, told
from sparkguard.measures.joins import Cell
from sparkguard.measures.pairing import Columns
from sparkguard.measures.reconciliation import KINDS, Reconciliation

Texts = tuple[str | None, ...]


class JoinReconciliation(Check):
    """Compares the rows before a join with those after it: lost, gained, multiplied, changed; and why.

    Keys are compared null-safely, as Spark groups them; the other columns by value, texts by their
    bytes. For each key with `nb` rows before and `na` after, `nb - na` rows are lost, `na` are gained
    if `nb` is 0, `na - nb` are multiplied if `nb` is not, and if `na = nb`, the rows without an equal
    partner are changed. Rows after = rows before - lost + gained + multiplied; where that does not
    hold, the input changed while it was read, and the check is an error.

    Without `after` the check foretells what a join of `before` and `other` would do.

    Cost: one read of both sides and no shuffle of rows while they are equal: 4,096 buckets are compared
    by their rows and two sums of 64-bit row hashes. Differing buckets are read again and grouped by
    the true key, one shuffle; where rows were lost, gained or multiplied and `other` is given, the keys
    of all three are read once more; changed rows are looked up for the evidence. Changed rows of keys
    with several, and floats that differ under `float_tolerance`, cost 4 more reads each. `other` costs a
    read of it and one of the key before, with a shuffle of each. The driver sees 8,192 sums, up to
    20,000 keys that differ, and capped evidence.

    Blind to: a bucket that differs and has equal sums all the same (2^-128), a changed row whose hash
    stays the same (2^-52); floats of keys with several rows under `float_tolerance`; columns whose types
    differ beyond a safe cast, which are reported and not compared; an `after` that lost rows before it
    reached the window.

    Example:
        >>> from sparkguard.testing import judge
        >>> check = JoinReconciliation(id="j", before="b", after="a", other="o", key=["id"])
        >>> tables = {"b": [{"id": 1}, {"id": 2}], "a": [{"id": 1}, {"id": 1}], "o": [{"id": 1}, {"id": 1}]}
        >>> [finding] = judge(check, tables)
        >>> finding.message
        '1 of 2 rows is lost (1 no match in other: id=2); 1 row is multiplied (1 duplicate key in other: id=1)'
    """

    QUANTITIES: ClassVar[Mapping[str, str]] = {
        "lost_rows": "rows before that are not after; without after: that an inner join would lose",
        "gained_rows": "rows after whose key before does not have",
        "multiplied_rows": "rows after beyond those before, of keys that before has; without after: by a join",
        "changed_rows": "rows without an equal partner, of keys with as many rows after as before",
        "unmatched_rows": "rows before without a match in other, which a left join fills with NULL (with other)",
        "incomparable_columns": "columns whose types differ beyond a safe cast (with after)",
        "missing_columns": "columns that only before has (with compare: all)",
        "added_columns": "columns that only after has (with compare: all)",
        "evaluated_rows": "rows before",
        "violation_rows": "lost, gained, multiplied and changed rows",
        "violation_rate": "violation_rows / evaluated_rows",
    }
    COST: ClassVar[str] = (
        "2 scans without a shuffle while both sides are equal; else 2 more with 1 shuffle of the differing "
        "buckets, 3 for the causes, 2 for changed columns, 4 for changed rows of keys with several, 4 for floats "
        "within the tolerance; other: 1 scan of each key, 2 shuffles"
    )

    before: VersionedField = Field(examples=["path=data/predictions"])
    """The rows that must survive: a dataset, or {dataset, version}; on the command line also the dataset itself."""
    after: VersionedField | None = Field(default=None, examples=["path=data/joined"])
    """The joined table: a dataset, or {dataset, version}; without it, what a join would do is foretold."""
    key: tuple[Annotated[str, Field(min_length=1)], ...] = Field(min_length=1)
    """The columns by which rows before and after belong together."""
    other: str | None = Field(default=None, examples=["path=data/metadata"])
    """The dataset that was joined in; it tells the causes."""
    other_key: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """The columns of other that were joined to the key, in its order (default: the same names)."""
    compare: Literal["all", "none"] | tuple[str, ...] = "all"
    """The columns whose values must not change: all that both sides have, none, or a list."""
    float_tolerance: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """How far floats may be apart, times the larger absolute value or 1; one row a key on each side."""
    window: WindowField | None = Field(default=None, examples=["end=2026-01-31,length=30d"])
    """Half-open stretch of the time columns of before and after: {end, length} or {start, end}."""
    error_if: Bounds = {
        "lost_rows": Bound(">", 0.0),
        "gained_rows": Bound(">", 0.0),
        "multiplied_rows": Bound(">", 0.0),
        "changed_rows": Bound(">", 0.0),
    }
    """Bounds on the quantities whose breach fails the check."""

    @model_validator(mode="after")
    def _consistent(self) -> JoinReconciliation:
        message = None
        if self.after is None and self.other is None:
            message = "give after, to compare with, or other, to foretell a join"
        elif self.after == self.before:
            message = "before and after are the same rows"
        elif self.after is None and (self.compare != "all" or self.float_tolerance is not None):
            message = "compare and float_tolerance need after"
        elif self.other_key and (self.other is None or len(self.other_key) != len(self.key)):
            message = "other_key names as many columns of other as key has"
        elif len(set(self.key)) < len(self.key):
            message = f"key names a column twice: {', '.join(self.key)}"
        else:
            message = self._unknowable()
        if message is not None:
            raise ValueError(message)
        return self

    def _unknowable(self) -> str | None:
        """Why a bound can never be judged; None if all can."""
        needs = {
            "unmatched_rows": (self.other is not None, "other"),
            "incomparable_columns": (self.after is not None, "after"),
            "missing_columns": (self.after is not None and self.compare == "all", "after and compare: all"),
            "added_columns": (self.after is not None and self.compare == "all", "after and compare: all"),
        }
        bounds = (name for name in (*self.error_if, *self.warn_if) if name in needs and not needs[name][0])
        return next((f"a bound on {name} needs {needs[name][1]}" for name in bounds), None)

    @property
    def about(self) -> tuple[str, ...]:
        """The key."""
        return self.key

    @property
    def datasets(self) -> tuple[Source, ...]:
        """What is judged, what it is compared with, and what was joined in."""
        return tuple(s for s in (self._after, self._before, self._other) if s is not None)

    @property
    def _before(self) -> Source:
        return Source(self.before.dataset, self.window, self.before.version)

    @property
    def _after(self) -> Source | None:
        return None if self.after is None else Source(self.after.dataset, self.window, self.after.version)

    @property
    def _other(self) -> Source | None:
        return None if self.other is None else Source(self.other)

    def ask(self, seen: Evidence) -> Iterable[Measure[Answer]]:
        """Ask for fingerprints, then for what differs, then for causes and changed columns."""
        yield from self._reconciliation(seen).questions()

    def judge(self, seen: Evidence, run: Run) -> tuple[Finding, ...]:  # noqa: ARG002 - no date is needed
        """Judge the rows; columns that could not be compared are a finding of their own."""
        asked = self._reconciliation(seen)
        groups, columns, preview = asked.groups(), asked.columns, asked.preview
        rows = {kind: sum(g.rows for g in groups if g.kind is kind) for kind in KINDS}
        before = asked.rows_before(groups)
        quantities = {f"{kind.value}_rows": n for kind, n in rows.items()}
        if preview is not None:
            quantities["unmatched_rows"] = seen.require(preview).rows(Kind.LOST)
        if columns is not None:
            quantities["incomparable_columns"] = len(columns.incomparable)
            if self.compare == "all":
                quantities |= {"missing_columns": len(columns.missing), "added_columns": len(columns.added)}
        cells, unread = _cells(asked)
        finding = Finding(
            Status.PASS,
            "",
            quantities={name: Quantity(n) for name, n in quantities.items()},
            evaluated_rows=before,
            violation_rows=sum(rows.values()),
            columns=self.key,
            source=self._after or self._before,
            reference=self._before if self._after else self._other,
            violations=(*(v for g in groups for v in self._evidence(g, cells)), *self._unmatched(asked)),
            queries=tuple(self._queries(asked)),
        )
        parts = (told(k, groups, before, self._named, foretold=self._after is None) for k in KINDS if rows[k])
        failed = "; ".join(parts)
        unmatched = 0 if rows[Kind.LOST] else quantities.get("unmatched_rows", 0)
        rest = f"; {count(unmatched, 'row')} without a match in other" if unmatched else ""
        rest += (columns.one_sided() if columns else "") + unread
        passed = f"{'all ' if before != 1 else ''}{count(before, 'row')} "
        passed += f"{'is' if before == 1 else 'are'} there" if self._after else "would survive a join"
        told_of = {"violation_rows", "violation_rate", *(f"{kind}_rows" for kind in KINDS if rows[kind])}
        whole = self.verdict(finding, passed=passed + rest, failed=failed + rest, told=told_of)
        if whole.decision is not None and whole.status in (Status.FAIL, Status.WARN):
            whole = replace(whole, remedy=remedy(groups, whole.decision.metric_name))
        return (whole, *self._incomparable(columns))

    def _reconciliation(self, seen: Evidence) -> Reconciliation:
        return Reconciliation(
            seen,
            self._before,
            self._after,
            self._other,
            self.key,
            self.other_key,
            self.compare,
            self.float_tolerance,
            limit=max(1, self.violation_limit),
            cells=self.violation_limit > 0 and self.violations != "none",
        )

    def _queries(self, asked: Reconciliation) -> Iterable[EvidenceQuery]:
        if asked.preview is not None and (self._after is None or self._bounds_unmatched):
            yield EvidenceQuery(asked.preview, UNMATCHED if self._after else "")
        if asked.causes is not None:
            yield EvidenceQuery(asked.causes, "")
        if asked.difference is not None:
            yield EvidenceQuery(asked.difference, "changed" if asked.causes else "")
        yield from (EvidenceQuery(m, "") for m in (asked.among_many, asked.floats) if m)

    def _unmatched(self, asked: Reconciliation) -> Iterable[Violation]:
        if self._after is not None and asked.preview is not None and self._bounds_unmatched:
            for group in asked.seen.require(asked.preview).of(Kind.LOST):
                for top in group.top:
                    key = dict(zip(self.key, top.values, strict=True))
                    yield Violation(UNMATCHED, key, reason(group.cause, top), count=top.rows)

    @property
    def _bounds_unmatched(self) -> bool:
        return "unmatched_rows" in {*self.error_if, *self.warn_if}

    def _cell(self, column: str, value: str | None) -> str:
        """A changed value for people, unless it is hidden or holds a field that is."""
        hidden = any(name.replace("`", "").startswith(f"{column}.") for name in self.redact)
        return REDACTED if hidden else self.text(column, value)

    def _evidence(self, group: Group, cells: Mapping[Texts, tuple[Cell, ...]]) -> Iterable[Violation]:
        for top in group.top:
            key = dict(zip(self.key, top.values, strict=True))
            alone = group.kind is Kind.CHANGED and top.before == 1
            changed = cells.get(top.values, ()) if alone else ()
            if changed:
                names = ", ".join(c.column for c in changed)
                expected, actual = (
                    ", ".join(f"{c.column}={self._cell(c.column, v)}" for c, v in zip(changed, side, strict=True))
                    for side in ([c.before for c in changed], [c.after for c in changed])
                )
                yield Violation(group.kind.value, key, f"changed: {names}", expected, actual, 1)
            else:
                expected, actual = count(top.before, "row"), count(top.after, "row")
                yield Violation(group.kind.value, key, reason(group.cause, top), expected, actual, top.rows)

    def _named(self, texts: Texts) -> str:
        return ", ".join(f"{c}={self.text(c, v)}" for c, v in zip(self.key, texts, strict=True))

    def _incomparable(self, columns: Columns | None) -> Iterable[Finding]:
        """One finding for all columns that no safe cast brings together, not a million changed rows."""
        if columns is not None and columns.incomparable:
            yield Finding(
                Status.WARN,
                f"{count(len(columns.incomparable), 'column')} could not be compared by value: {columns.types()}",
                "cast the columns to one type in a dataset's sql, or leave them out of compare",
                subject=":schema",
                columns=tuple(p.one.name for p in columns.incomparable),
                source=self._after,
                reference=self._before,
            )


def _cells(asked: Reconciliation) -> tuple[Mapping[Texts, tuple[Cell, ...]], str]:
    """The changed columns by key; where they could not be read, the verdict stands, and it is said."""
    answer = asked.seen.get(asked.changed_cells) if asked.changed_cells else None
    if isinstance(answer, Broken):
        return {}, f"; the changed columns could not be read ({answer.reason})"
    return (answer.cells if answer else {}), ""
