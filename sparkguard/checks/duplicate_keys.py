"""Is the key unique, in a window and against the history before it?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from sparkguard.core.check import Run, SourceCheck
from sparkguard.core.evidence import Evidence
from sparkguard.core.expectation import Expectation
from sparkguard.core.fields import Bounds
from sparkguard.core.finding import EvidenceQuery, Finding, Quantity, Status, Violation
from sparkguard.core.measure import Answer, Measure
from sparkguard.core.source import Source
from sparkguard.core.text import count
from sparkguard.core.threshold import Bound
from sparkguard.core.types import can_be_key
from sparkguard.core.window import Duration
from sparkguard.errors import DataError
from sparkguard.measures.duplicates import (
    Key,
    KeyCount,
    KeyCountsAnswer,
    KeyHashes,
    NullKeys,
    RepeatedKeys,
    SeenBefore,
)
from sparkguard.shapes.wording import FILLED, refuse, require_open, require_plain, severity_of

_NOTHING = KeyCountsAnswer(0, 0, 0, ())


def _parse_history(raw: object) -> object:
    if isinstance(raw, Mapping):
        if set(raw) == {"length"}:
            return Duration.parse(str(raw["length"]))
    elif raw in ("none", "all") or isinstance(raw, Duration):
        return raw
    message = "expected none, all, or {length: 90d}"
    raise ValueError(message)


_HISTORY_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"enum": ["none", "all"]},
        {
            "type": "object",
            "properties": {"length": {"type": "string"}},
            "required": ["length"],
            "additionalProperties": False,
        },
    ]
}


class DuplicateKeys(SourceCheck):
    """Counts keys that occur more than once, NULL keys, and keys seen before the window; exactly.

    Equality is Spark's: -0.0 equals 0.0, NaN equals NaN, text by its collation. Keys of arrays,
    maps, structs and variants are refused.

    Cost: one read of the key's columns and one shuffle of 8 bytes a row while keys are unique;
    where hashes repeat, a second read that shuffles only the suspect rows by their true key.
    `history` adds a read of the window and one of history's key columns, filtered by the window's
    hashes before anything is shuffled; where hashes meet, both again and the window a third time.
    The driver sees counts, at most 8 bytes a key of the window (16 MiB) and the capped evidence.

    Blind to: rows whose time column is NULL or unreadable (no window holds them); keys that differ
    in case, spaces or Unicode normal form, unless normalised; with a `history` length, repetitions
    from further back; an upstream that drops one of two rows before this table is written.

    Example:
        >>> from datetime import date, datetime, timezone
        >>> from sparkguard.testing import judge
        >>> check = DuplicateKeys(id="pk", dataset="t", key=["id"])
        >>> [finding] = judge(check, {"t": [{"id": 1}, {"id": 2}, {"id": 2}, {"id": None}]})
        >>> finding.status.value, finding.message
        ('fail', '1 key occurs more than once (1 excess row, up to 2 rows a key): id=2; 1 row has NULL in its key')
        >>> int(finding.quantities["violation_rows"].value)
        2
    """

    QUANTITIES: ClassVar[Mapping[str, str]] = {
        "duplicate_keys": "keys that occur more than once",
        "excess_rows": "rows minus distinct keys, over rows without NULL in the key (all rows under nulls: equal)",
        "null_key_rows": "rows with NULL in at least one column of the key",
        "max_multiplicity": "the most rows that one key has",
        "history_rows": "rows of the window whose key occurs in the history before it (with history)",
        "evaluated_rows": "rows of the window",
        "violation_rows": "excess_rows, one row of each key seen in history, and null_key_rows under nulls: violation",
        "violation_rate": "violation_rows / evaluated_rows",
    }
    COST: ClassVar[str] = (
        "1 scan and 1 shuffle of 8 bytes a row; 1 more of each where keys may repeat; "
        "history: 2 scans, 3 more where hashes meet"
    )

    key: tuple[Annotated[str, Field(min_length=1)], ...] = Field(min_length=1)
    """The columns that together name a row."""
    history: Annotated[
        Literal["none", "all"] | Duration,
        BeforeValidator(_parse_history),
        WithJsonSchema(_HISTORY_SCHEMA),
    ] = Field(default="none", examples=["length=90d"])
    """Also look for the window's keys before the window: none, all, or {length: 90d}."""
    nulls: Literal["violation", "equal", "distinct"] = "violation"
    """NULL in a key: a violation, equal to another NULL, or distinct from everything as in SQL."""
    normalize: tuple[Literal["trim", "lower"], ...] = ()
    """Applied to text columns of the key before they are compared."""
    error_if: Bounds = {"violation_rows": Bound(">", 0.0)}
    """Bounds on the quantities whose breach fails the check."""

    @model_validator(mode="after")
    def _consistent(self) -> DuplicateKeys:
        if len(set(self.key)) < len(self.key):
            message = f"key names a column twice: {', '.join(self.key)}"
            raise ValueError(message)
        if self.history != "none" and (self.window is None or self.window.start is None):
            message = "history needs a window: it is what lies before the window"
            raise ValueError(message)
        if self.history == "none" and "history_rows" in {*self.error_if, *self.warn_if}:
            message = "a bound on history_rows needs history"
            raise ValueError(message)
        try:
            _ = self._history
        except OverflowError as error:
            message = "the history starts before the year 1; write history: all"
            raise ValueError(message) from error
        return self

    @property
    def about(self) -> tuple[str, ...]:
        """The key."""
        return self.key

    @property
    def datasets(self) -> tuple[Source, ...]:
        """The window, and the history before it."""
        return (self.source,) if self._history is None else (self.source, self._history)

    def ask(self, seen: Evidence) -> Iterable[Measure[Answer]]:
        """Ask for hashes, then for repeated keys, NULL keys and history where they can exist."""
        hashes = self._hashes(seen)
        yield hashes
        if hashes not in seen:
            return
        yield from (m for m in (self._repeated(seen), self._null(seen), self._before(seen)) if m)

    def judge(self, seen: Evidence, run: Run) -> tuple[Finding, ...]:  # noqa: ARG002 - no date is needed
        """Judge one finding for the table or window."""
        answer = seen.require(self._hashes(seen))
        repeated, null, before = (
            seen.require(m) if m else _NOTHING for m in (self._repeated(seen), self._null(seen), self._before(seen))
        )
        excess = repeated.rows - repeated.keys
        null_rows = answer.null_rows if self.nulls != "equal" else 0
        violations = excess + before.keys + (null_rows if self.nulls == "violation" else 0)
        quantities = {
            "duplicate_keys": repeated.keys,
            "excess_rows": excess,
            "null_key_rows": answer.null_rows,
            "max_multiplicity": repeated.max_multiplicity or min(answer.hashed, 1),
        }
        if self.history != "none":
            quantities["history_rows"] = before.rows
        finding = Finding(
            Status.PASS,
            "",
            quantities={name: Quantity(n) for name, n in quantities.items()},
            evaluated_rows=answer.rows,
            violation_rows=violations,
            columns=self.about,
            source=self.source,
            reference=self._history,
            violations=tuple(
                v
                for kind, found in (("duplicate", repeated), ("seen_before", before), ("null_key", null))
                for v in self._evidence(kind, found)
            ),
            queries=tuple(
                EvidenceQuery(measure, kind)
                for kind, measure in (
                    ("duplicate", self._repeated(seen)),
                    ("seen_before", self._before(seen)),
                    ("null_key", self._null(seen)),
                )
                if measure
            ),
        )
        passed = f"({', '.join(self.key)}) is unique over {count(answer.hashed, 'row')}"
        if self.nulls == "distinct" and null_rows:
            passed += f"; {count(null_rows, 'row')} with NULL set apart"
        failed = "; ".join(self._failures(repeated, before, null_rows)) or passed
        return (self.verdict(finding, passed=passed, failed=failed, remedy=self._remedy(repeated, before)),)

    def as_expectations(self) -> tuple[Expectation, ...]:
        """Unique columns, and columns without NULL under `nulls: violation`; `DataError` for all else."""
        allowed = {"error_if": {"violation_rows": Bound(">", 0.0)}, "warn_if": {}, "window": None, "normalize": ()}
        other = [name for name, value in allowed.items() if getattr(self, name) != value]
        if other or self.nulls == "equal":
            refuse(", ".join(other) or "nulls: equal", self)
        require_plain(self.key, self)
        require_open(self.key, self)
        severity = severity_of(self)
        if len(self.key) == 1:
            unique = Expectation("expect_column_values_to_be_unique", {"column": self.key[0]}, severity)
        else:
            arguments = {"column_list": list(self.key), "ignore_row_if": "any_value_is_missing"}
            unique = Expectation("expect_compound_columns_to_be_unique", arguments, severity)
        filled = self.key if self.nulls == "violation" else ()
        return (unique, *(Expectation(FILLED, {"column": c}, severity) for c in filled))

    @property
    def _history(self) -> Source | None:
        if self.history == "none" or self.window is None:
            return None
        length = self.history if isinstance(self.history, Duration) else None
        return Source(self.dataset, self.window.preceding(length))

    def _hashes(self, seen: Evidence) -> KeyHashes:
        schema = seen.schema(self.source)
        columns = tuple(schema.column(name) for name in self.key)
        for column in columns:
            if not can_be_key(column.type):
                message = f"column '{column.name}' is {column.type}, which cannot be part of a key"
                raise DataError(message, "name a field inside it, or cast it to a string in a dataset's sql")
        return KeyHashes(self.source, Key(columns, self.normalize, self.nulls == "equal"))

    def _repeated(self, seen: Evidence) -> RepeatedKeys | None:
        hashes = self._hashes(seen)
        answer = seen.require(hashes)
        if answer.unique:
            return None
        return RepeatedKeys(self.source, hashes.key, answer.suspects, self._limit)

    def _null(self, seen: Evidence) -> NullKeys | None:
        hashes = self._hashes(seen)
        if self.nulls != "violation" or not seen.require(hashes).null_rows:
            return None
        return NullKeys(self.source, hashes.key, self._limit)

    def _before(self, seen: Evidence) -> SeenBefore | None:
        hashes = self._hashes(seen)
        history, rows = self._history, seen.require(hashes).hashed
        if history is None or not rows:
            return None
        return SeenBefore(self.source, hashes.key, history, rows, self._limit)

    @property
    def _limit(self) -> int:
        return max(1, self.violation_limit)

    def _evidence(self, kind: str, found: KeyCountsAnswer) -> Iterable[Violation]:
        reasons = {"duplicate": RepeatedKeys.reason, "seen_before": SeenBefore.reason, "null_key": NullKeys.reason}
        for top in found.top:
            yield Violation(kind, dict(zip(self.key, top.values, strict=True)), reasons[kind], count=top.count)

    def _failures(self, repeated: KeyCountsAnswer, before: KeyCountsAnswer, null_rows: int) -> Iterable[str]:
        if repeated.keys:
            yield (
                f"{count(repeated.keys, 'key')} {'occurs' if repeated.keys == 1 else 'occur'} more than once "
                f"({count(repeated.rows - repeated.keys, 'excess row')}, "
                f"up to {count(repeated.max_multiplicity, 'row')} a key): {self._named(repeated.top)}"
            )
        if before.keys:
            yield f"{count(before.rows, 'row')} carry a key seen before the window: {self._named(before.top)}"
        if null_rows and self.nulls == "violation":
            yield f"{count(null_rows, 'row')} {'has NULL in its key' if null_rows == 1 else 'have NULL in their key'}"

    def _named(self, top: tuple[KeyCount, ...]) -> str:
        shown = (
            ", ".join(f"{c}={self.text(c, v)}" for c, v in zip(self.key, key.values, strict=True)) for key in top[:1]
        )
        return "; ".join(shown)

    def _remedy(self, repeated: KeyCountsAnswer, before: KeyCountsAnswer) -> str:
        if before.keys and not repeated.keys:
            return "look for a window that was delivered twice, or rows that arrive again with a new time"
        if repeated.keys:
            return "look at the last join before this table: a key that occurs twice on its other side doubles rows"
        return "find out where the key's columns become NULL, often an outer join, or set nulls: distinct"
