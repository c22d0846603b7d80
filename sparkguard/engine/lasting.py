"""States that last: a window is answered from the days of earlier nights, and only the rest is read.

A day's states are kept with the version up to which the log says that they hold. At the next run the
commits since then tell which days changed; only these, and days that are new, are read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

from sparkguard.core.batches import Batch
from sparkguard.core.encoding import decode, fingerprint, unpack
from sparkguard.core.measure import Broken, State, Summary
from sparkguard.core.source import Source
from sparkguard.core.states import CHECKED, Span, StateStore, StateUpdate, StoredStates
from sparkguard.engine.blocks import Block, days, divisible, meets
from sparkguard.engine.delta_log import Changes, Table, TimeColumn, changes
from sparkguard.engine.fused import Fused
from sparkguard.engine.packs import packs
from sparkguard.engine.reader import Reader
from sparkguard.measures.tallies import RowCount, Total

Hidden = Callable[[str, str], bool]
"""Whether the suite keeps the values of a dataset's column out of its tables."""

_MOST_CELLS = 5_000
"""Sketches times days of one read: each holds kilobytes in every task."""


Kept = tuple[Summary[State], State]


@dataclass
class _Memory:
    """What is known of the states of one dataset, of earlier nights and of this one."""

    table: Table
    about: str
    void: tuple[Span, ...] | None = None
    appended: tuple[str, ...] | None = None
    reason: str | None = None
    raw: dict[Block, dict[str, Any]] = field(default_factory=dict)
    loaded: set[Block] = field(default_factory=set)
    new: dict[Block, dict[str, Kept]] = field(default_factory=dict)

    def holds(self, block: Block) -> bool:
        """Whether the states of a block that earlier nights stored are still those of its rows."""
        if block is None:
            return self.appended == ()
        return self.void is not None and not any(meets(block, span) for span in self.void)

    def learn(self, changed: Changes) -> None:
        """Drop what commits made void."""
        self.reason = changed.reason or self.reason
        both = None if self.appended is None or changed.appended is None else (*self.appended, *changed.appended)
        self.appended = both
        self.void = None if self.void is None or changed.spans is None else (*self.void, *changed.spans)
        self.new = {block: kept for block, kept in self.new.items() if self.holds(block)}
        self.loaded.clear()
        self.raw.clear()


class Lasting:
    """Answers batches of wide summaries from states of blocks, and remembers the new ones."""

    def __init__(self, reader: Reader, fused: Fused, store: StateStore, hidden: Hidden) -> None:
        """Read what is missing through `fused`; take what is there from `store`."""
        self._reader, self._fused, self._store, self._hidden = reader, fused, store, hidden
        self._memories: dict[str, _Memory] = {}

    def answer(self, batch: Batch) -> Iterator[tuple[Summary[State], State | Broken]]:
        """Answer every measure of a batch, reading only blocks whose states are missing or void."""
        known = self._known(batch.source)
        if known is None:
            yield from self._fused.answer(batch)
            return
        memory, blocks = known
        parts: dict[tuple[Block, ...], list[Summary[State]]] = {}
        for measure in batch.measures:
            missing = tuple(b for b in blocks if self._state(memory, b, measure) is None)
            parts.setdefault(missing, []).append(measure)
        for missing, measures in parts.items():
            part = Batch(batch.source, tuple(measures))
            if missing == blocks and not any(self._keeps(m) for m in measures):
                yield from self._fused.answer(part)
            else:
                yield from self._merged(memory, part, blocks, missing)

    def missing(self, batch: Batch) -> str:
        """What of a batch would be read, in words, for the plan."""
        known = self._known(batch.source)
        if known is None:
            return ""
        memory, blocks = known
        unknown = {b for b in blocks for m in batch.measures if self._state(memory, b, m) is None}
        if batch.source.window is None:
            part = "the files appended since" if memory.appended and memory.raw else "all rows"
            told = part if unknown else "no row"
        else:
            told = f"{len(unknown)} of {len(blocks)} days"
        why = f" ({memory.reason})" if memory.reason and unknown else ""
        return f"reads {told}{why}, the rest is known from earlier nights"

    def updates(self) -> Sequence[StateUpdate]:
        """What this run changes in the stored states."""
        return [self._update(name, memory) for name, memory in self._memories.items()]

    def _merged(
        self, memory: _Memory, part: Batch, blocks: Sequence[Block], missing: tuple[Block, ...]
    ) -> Iterator[tuple[Summary[State], State | Broken]]:
        broken = self._compute(memory, part, missing)
        for measure in part.measures:
            if measure in broken:
                yield measure, broken[measure]
                continue
            found = (self._state(memory, block, measure) for block in blocks)
            yield measure, reduce(lambda a, b: a.merge(b), (s for s in found if s is not None))

    def _compute(self, memory: _Memory, part: Batch, missing: tuple[Block, ...]) -> Mapping[Summary[State], Broken]:
        """Read the missing blocks; what stops at the data is told."""
        broken: dict[Summary[State], Broken] = {}
        rows = RowCount(part.source)
        whole = Batch(part.source, part.measures if rows in part.measures else (*part.measures, rows))
        base = self._base(memory, whole) if missing == (None,) else None
        most = max(1, _MOST_CELLS // len(whole.measures))
        for at in range(0, len(missing), most):
            files = () if base is None else memory.appended or ()
            for measure, found in self._fused.answer_blocks(whole, missing[at : at + most], files):
                if isinstance(found, Broken):
                    broken[measure] = found
                    continue
                for block, state in found.items():
                    merged = state if base is None else base[measure].merge(state)
                    memory.new.setdefault(block, {})[fingerprint(measure, memory.about)] = (measure, merged)
        return broken

    def _base(self, memory: _Memory, batch: Batch) -> Mapping[Summary[State], State] | None:
        """The states of the whole dataset before rows were appended, if there are all of them."""
        if not memory.appended:
            return None
        raw = memory.raw.get(None, {})
        found = {m: raw.get(fingerprint(m, memory.about)) for m in batch.measures if self._keeps(m)}
        states = {m: decode(m.STATE, r) for m, r in found.items() if r is not None}
        known = {m: s for m, s in states.items() if s is not None}
        return known if len(known) == len(batch.measures) else None

    def _state(self, memory: _Memory, block: Block, measure: Summary[State]) -> State | None:
        """The state of a block, computed in this run or earlier."""
        key = fingerprint(measure, memory.about)
        kept = memory.new.get(block, {}).get(key)
        if kept is not None:
            return kept[1]
        raw = memory.raw.get(block, {}).get(key) if self._keeps(measure) and memory.holds(block) else None
        return None if raw is None else decode(measure.STATE, raw)

    def _keeps(self, measure: Summary[State]) -> bool:
        """Whether the measure's states are kept: other nights ask again, and nothing private is in them."""
        private = measure.STATE.HOLDS_VALUES and any(
            self._hidden(measure.source.dataset, column.name) for column in measure.columns
        )
        return measure.lasts and not private

    def _known(self, source: Source) -> tuple[_Memory, tuple[Block, ...]] | None:
        """What is known of a source, and its blocks; None if nothing of it can last."""
        try:
            blocks = self._blocks(source)
            memory = None if blocks is None else self._memory(source)
            if blocks is None or memory is None:
                return None
            self._load(memory, source, blocks)
        except Exception:  # noqa: BLE001 - without states a night costs a scan, never an answer
            return None
        return memory, blocks

    def _blocks(self, source: Source) -> tuple[Block, ...] | None:
        if source.version is not None:
            return None
        if source.window is None:
            return (None,)
        column = self._reader.time_column(source)
        return days(source.window) if column is not None and divisible(column) else None

    def _memory(self, source: Source) -> _Memory | None:
        """What is known of a dataset, brought up to the version that is read; None if nothing can last."""
        table = self._reader.table(source)
        if table is None:
            return None
        memory = self._memories.get(source.dataset)
        if memory is not None and memory.table == table:
            return memory
        about = self._reader.definition(source, table)
        known = _checked(self._store.load(source.dataset, None, None), about)
        if memory is not None:
            known = memory.table.version
        if known is not None and known > table.version:
            return None
        if memory is None:
            memory = _Memory(table, about, *(((), ()) if known is not None else (None, None)))
        if known is not None:
            memory.learn(changes(self._reader.spark, table, known, self._time(source)))
        memory.table = table
        self._memories[source.dataset] = memory
        return memory

    def _time(self, source: Source) -> TimeColumn | None:
        column = self._reader.time_column(source)
        return None if column is None else TimeColumn(column, source.window.timezone if source.window else "UTC")

    def _load(self, memory: _Memory, source: Source, blocks: Sequence[Block]) -> None:
        """Take the states of blocks from the store, those that still hold."""
        if set(blocks) <= memory.loaded:
            return
        memory.loaded.update(blocks)
        if memory.void is None and memory.appended is None:
            return
        window = source.window
        start, end = (window.start_utc, window.end_utc) if window else (None, None)
        by_bounds: dict[tuple[Any, Any], Block] = {(b.start_utc, b.end_utc) if b else (None, None): b for b in blocks}
        stored = sorted(self._store.load(source.dataset, start, end), key=lambda s: s.version)
        for one in stored:
            block = by_bounds.get((one.start, one.end), ...)
            if one.fingerprint != CHECKED and block is not ...:
                memory.raw.setdefault(block, {}).update(unpack(one.packed))

    def _update(self, dataset: str, memory: _Memory) -> StateUpdate:
        states = [
            pack
            for block, found in memory.new.items()
            for pack in packs(
                StoredStates(dataset, memory.table.version, *_bounds(block), (), "", b"", _rows(found)),
                {key: kept for key, kept in found.items() if self._keeps(kept[0])},
            )
        ]
        checked = StoredStates(dataset, memory.table.version, None, None, (), CHECKED, memory.about.encode(), 0)
        return StateUpdate(dataset, memory.void, tuple(states), checked)


def _bounds(block: Block) -> tuple[Any, Any]:
    return (None, None) if block is None else (block.start_utc, block.end_utc)


def _rows(found: Mapping[str, Kept]) -> int:
    return next((state.rows for _, state in found.values() if isinstance(state, Total)), 0)


def _checked(stored: Sequence[StoredStates], about: str) -> int | None:
    """The version up to which the stored states are known to hold, if they are of the same table."""
    return next((s.version for s in stored if s.fingerprint == CHECKED and s.packed == about.encode()), None)
