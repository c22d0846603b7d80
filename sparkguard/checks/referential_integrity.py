"""Does every row's foreign key exist in another dataset?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from sparkguard.core.check import Run, SourceCheck
from sparkguard.core.evidence import Evidence
from sparkguard.core.fields import Bounds, VersionedField, WindowField
from sparkguard.core.finding import EvidenceQuery, Finding, Quantity, Status, Violation
from sparkguard.core.measure import Answer, Measure
from sparkguard.core.source import Source
from sparkguard.core.text import count
from sparkguard.core.threshold import Bound
from sparkguard.measures.duplicates import Key, KeyCount, KeyCountsAnswer, NullKeys
from sparkguard.measures.pairing import pair_key
from sparkguard.measures.references import Orphans, OrphansAnswer

_NOTHING = KeyCountsAnswer(0, 0, 0, ())


class ReferentialIntegrity(SourceCheck):
    """Counts rows whose key does not exist in another dataset, and the distinct keys; exactly.

    A row with NULL in any column of its key refers to nothing (SQL's MATCH SIMPLE): it is set apart,
    or a violation under `nulls: violation`. Such rows are counted in `evaluated_rows` all the same. If
    no row at all has a key, nothing was compared, and the check warns. A key may occur any number of
    times in the referenced dataset. The two sides compare in a common type that loses nothing, else
    the check is an error. Equality is Spark's: -0.0 equals 0.0, NaN equals NaN, text by its collation.

    Cost: one read of the key's columns on each side and one shuffle, to which each task sends a key
    once, however many rows have it; keys with NULL are one row of it. Under `nulls: violation` one more
    read of the rows, if some have NULL. The driver sees counts and the capped evidence.

    Blind to: rows whose time column is NULL or unreadable (no window holds them); keys that exist and
    name the wrong row; keys that differ in case, spaces or Unicode normal form count as missing, unless
    normalised; rows of the referenced dataset that are right by key and wrong by time.

    Example:
        >>> from sparkguard.testing import judge
        >>> check = ReferentialIntegrity(id="fk", dataset="orders", key=["item"], references="items")
        >>> tables = {"orders": [{"item": 1}, {"item": 7}, {"item": 7}, {"item": None}], "items": [{"item": 1}]}
        >>> [finding] = judge(check, tables)
        >>> finding.status.value, finding.message
        ('fail', "2 of 4 rows refer to 1 key that is not in 'items': item=7 (2 rows); 1 row with NULL set apart")
    """

    QUANTITIES: ClassVar[Mapping[str, str]] = {
        "orphan_rows": "rows whose key does not exist in the referenced dataset",
        "orphan_keys": "distinct keys that do not exist in the referenced dataset",
        "null_key_rows": "rows with NULL in at least one column of the key",
        "evaluated_rows": "rows of the window, those with NULL in the key too",
        "violation_rows": "orphan_rows, and null_key_rows under nulls: violation",
        "violation_rate": "violation_rows / evaluated_rows",
    }
    COST: ClassVar[str] = (
        "1 scan of each side and 1 shuffle of the distinct keys of each task; "
        "nulls: violation: 1 more scan and shuffle where keys have NULL"
    )

    key: tuple[Annotated[str, Field(min_length=1)], ...] = Field(min_length=1)
    """The columns that refer to a row of the other dataset."""
    references: VersionedField = Field(examples=["path=data/planes"])
    """The dataset that must have the keys, or {dataset, version}; on the command line also the dataset itself."""
    references_key: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """The columns of references that the key refers to, in its order (default: the same names)."""
    references_window: WindowField | None = Field(default=None, examples=["end=2026-01-31,length=90d"])
    """Half-open stretch of the time column of references: {end, length} or {start, end}."""
    nulls: Literal["ignored", "violation"] = "ignored"
    """NULL in a key: refers to nothing and is set apart, as in SQL, or is a violation."""
    normalize: tuple[Literal["trim", "lower"], ...] = ()
    """Applied to text columns of the key, on both sides, before they are compared."""
    error_if: Bounds = {"violation_rows": Bound(">", 0.0)}
    """Bounds on the quantities whose breach fails the check."""

    @model_validator(mode="after")
    def _consistent(self) -> ReferentialIntegrity:
        message = None
        if len(set(self.key)) < len(self.key):
            message = f"key names a column twice: {', '.join(self.key)}"
        elif self.references_key and len(self.references_key) != len(self.key):
            message = "references_key names as many columns of references as key has"
        elif (
            (self.references.dataset, self.references.version) == (self.dataset, None)
            and self._parent_key == self.key
            and self.references_window in (None, self.window)
        ):
            message = "the key refers to itself, so every key exists; give references_key, or another window or version"
        if message is not None:
            raise ValueError(message)
        return self

    @property
    def about(self) -> tuple[str, ...]:
        """The key."""
        return self.key

    @property
    def datasets(self) -> tuple[Source, ...]:
        """The rows that refer, and those that they refer to."""
        return (self.source, self._parent)

    def ask(self, seen: Evidence) -> Iterable[Measure[Answer]]:
        """Ask for orphans, then for keys with NULL where they are violations and exist."""
        orphans = self._orphans(seen)
        yield orphans
        null = self._null(seen) if orphans in seen else None
        if null is not None:
            yield null

    def judge(self, seen: Evidence, run: Run) -> tuple[Finding, ...]:  # noqa: ARG002 - no date is needed
        """Judge one finding for the table or window."""
        orphans, null = self._orphans(seen), self._null(seen)
        answer = seen.require(orphans)
        nulls = seen.require(null) if null is not None else _NOTHING
        quantities = {
            "orphan_rows": answer.orphan_rows,
            "orphan_keys": answer.orphan_keys,
            "null_key_rows": answer.null_rows,
        }
        finding = Finding(
            Status.PASS,
            "",
            quantities={name: Quantity(n) for name, n in quantities.items()},
            evaluated_rows=answer.rows,
            violation_rows=answer.orphan_rows + nulls.rows,
            columns=self.about,
            source=self.source,
            reference=self._parent,
            violations=(
                *self._evidence("orphan", Orphans.reason, answer.top),
                *self._evidence("null_key", NullKeys.reason, nulls.top),
            ),
            queries=(
                *((EvidenceQuery(orphans, "orphan"),) if answer.orphan_rows else ()),
                *((EvidenceQuery(null, "null_key"),) if null is not None else ()),
            ),
        )
        keyed, apart = answer.rows - answer.null_rows, self._apart(answer)
        passed = f"every key ({', '.join(self.key)}) of {count(keyed, 'row')} is in '{self._parent}'{apart}"
        failed = "; ".join(self._failures(answer)) + apart
        verdict = self.verdict(finding, passed=passed, failed=failed, remedy=self._remedy(answer))
        compared_nothing = not keyed and answer.rows and verdict.status is Status.PASS
        return (self._unsure(verdict, answer) if compared_nothing else verdict,)

    @property
    def _parent(self) -> Source:
        return Source(self.references.dataset, self.references_window, self.references.version)

    @property
    def _parent_key(self) -> tuple[str, ...]:
        return self.references_key or self.key

    @property
    def _limit(self) -> int:
        return max(1, self.violation_limit)

    def _orphans(self, seen: Evidence) -> Orphans:
        mine, theirs = seen.schema(self.source), seen.schema(self._parent)
        pairs = pair_key(mine, self.key, theirs, self._parent_key)
        return Orphans(self.source, self._parent, pairs, self.normalize, self._limit)

    def _null(self, seen: Evidence) -> NullKeys | None:
        orphans = self._orphans(seen)
        if self.nulls == "ignored" or not seen.require(orphans).null_rows:
            return None
        return NullKeys(self.source, Key(orphans.columns[0], self.normalize), self._limit)

    def _evidence(self, kind: str, reason: str, top: tuple[KeyCount, ...]) -> Iterable[Violation]:
        for one in top:
            yield Violation(kind, dict(zip(self.key, one.values, strict=True)), reason, count=one.count)

    def _failures(self, answer: OrphansAnswer) -> Iterable[str]:
        if answer.orphan_rows:
            worst = answer.top[0]
            named = ", ".join(f"{c}={self.text(c, v)}" for c, v in zip(self.key, worst.values, strict=True))
            yield (
                f"{answer.orphan_rows:,} of {count(answer.rows, 'row')} "
                f"{'refers' if answer.orphan_rows == 1 else 'refer'} to {count(answer.orphan_keys, 'key')} "
                f"that {'is' if answer.orphan_keys == 1 else 'are'} not in '{self._parent}': "
                f"{named} ({count(worst.count, 'row')})"
            )
        if not answer.parent_keys:
            yield f"'{self._parent}' has no {'row without NULL in its key' if answer.parent_rows else 'rows'}"
        if answer.null_rows and self.nulls == "violation":
            one = answer.null_rows == 1
            yield f"{count(answer.null_rows, 'row')} {'has NULL in its key' if one else 'have NULL in their key'}"

    def _apart(self, answer: OrphansAnswer) -> str:
        apart = answer.null_rows if self.nulls == "ignored" else 0
        return f"; {count(apart, 'row')} with NULL set apart" if apart else ""

    def _unsure(self, verdict: Finding, answer: OrphansAnswer) -> Finding:
        """No row had a key: nothing is wrong, and nothing was compared."""
        return replace(
            verdict,
            status=Status.WARN,
            message=f"{'all ' if answer.rows > 1 else ''}{count(answer.rows, 'row')} "
            f"{'have NULL in their key' if answer.rows > 1 else 'has NULL in its key'}, so nothing was compared",
            remedy="find out where the key's columns become NULL, often an outer join",
        )

    def _remedy(self, answer: OrphansAnswer) -> str:
        if not answer.parent_keys:
            return f"find out whether '{self._parent}' has landed"
        if not answer.orphan_rows:
            return "find out where the key's columns become NULL, often an outer join, or set nulls: ignored"
        return (
            "look for keys that arrive before the rows that they refer to, for rows deleted there, "
            "and for spaces or upper case (normalize)"
        )
