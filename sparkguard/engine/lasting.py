"""States that last: a window is answered from the days of earlier nights, and only the rest is read.

A day's states are kept with the version up to which the log says that they hold. At the next run the
commits since then tell which days changed; only these, and days that are new, are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import reduce
from typing import Any

from sparkguard.core.batches import Batch
from sparkguard.core.encoding import decode, unpack
from sparkguard.core.measure import Broken, Dense, State, Summary
from sparkguard.core.source import Source
from sparkguard.core.states import CHECKED, KEPT, StateStore, StateUpdate, StoredStates
from sparkguard.core.text import first_line
from sparkguard.engine.blocks import Block, days, divisible
from sparkguard.engine.delta_log import TimeColumn, changes
from sparkguard.engine.fused import ByBlock, Fused
from sparkguard.engine.kept_grids import Hidden
from sparkguard.engine.memory import Memory
from sparkguard.engine.packs import Kept, packs
from sparkguard.engine.reader import Reader
from sparkguard.measures.histograms import CellCounts
from sparkguard.measures.tallies import RowCount, Total

_Part = tuple[Batch, tuple[Block, ...], Sequence[dict[Block, State]]]
"""Measures that miss the same blocks, these blocks, and for each measure the states of the others."""

_AT = "@"
"""Between the name of a dataset and its version, where that is named."""
_MOST_DAYS = 100
"""Above 128 groups Spark sorts the rows before it fills sketches."""
_MOST_CELLS = 5_000
"""Sketches times days of one read: each holds kilobytes in every task."""


class Lasting:
    """Answers batches of wide summaries from states of blocks, and remembers the new ones."""

    def __init__(self, reader: Reader, fused: Fused, store: StateStore, hidden: Hidden, timezone: str) -> None:
        """Read what is missing through `fused`; take what is there from `store`; days are those of `timezone`."""
        self._reader, self._fused, self._store = reader, fused, store
        self._hidden, self._timezone = hidden, timezone
        self._memories: dict[tuple[str, bool], Memory] = {}
        self._reasons: dict[str, str] = {}

    def answer(self, batch: Batch) -> Iterator[tuple[Summary[State], State | Broken]]:
        """Answer every measure of a batch, reading only blocks whose states are missing or void."""
        known = self._known(batch)
        if known is None:
            yield from self._fused.answer(batch)
            return
        memory, blocks = known
        for part, missing, states in self._parts(memory, batch, blocks):
            if missing == blocks and not any(self._keeps(m) for m in part.measures):
                yield from self._fused.answer(part)
            else:
                yield from self._merged(memory, part, missing, states)
        memory.raw.clear()

    def days(self, batch: Batch, blocks: tuple[Block, ...]) -> Iterator[ByBlock]:
        """The states of every measure of a daily batch by block, reading only what is missing or void."""
        known = self._known(batch)
        if known is None:
            yield from self._fused.answer_blocks(batch, blocks)
            return
        memory, _ = known
        for part, missing, states in self._parts(memory, batch, blocks):
            broken = self._compute(memory, part, missing)
            for measure, by_block in zip(part.measures, states, strict=True):
                yield measure, broken.get(measure) or self._complete(memory, measure, by_block, missing)
        memory.raw.clear()

    def missing(self, batch: Batch) -> tuple[int, str]:
        """Reads of a batch, and what of it they would read in words, for the plan."""
        known = self._known(batch)
        if known is None:
            why = self._reasons.get(batch.source.dataset)
            return 1, f"reads all rows ({why})" if why else ""
        memory, blocks = known
        parts = [(part, missing) for part, missing, _ in self._parts(memory, batch, blocks)]
        reads = sum(len(_chunks(part, missing)) for part, missing in parts)
        unknown = {block for _, missing in parts for block in missing}
        part_known = batch.source.window is None and bool(memory.appended and memory.raw)
        if batch.source.window is None:
            part = "the files appended since the last run" if part_known else "all rows"
            told = part if unknown else "no row"
        else:
            told = f"{len(unknown)} of {len(blocks)} days"
        why = f" ({memory.reason})" if memory.reason and unknown else ""
        rest = ", the rest is known from earlier nights" if len(unknown) < len(blocks) or part_known else ""
        return reads, f"reads {told}{why}{rest}"

    def updates(self) -> Sequence[StateUpdate]:
        """What this run changes in the stored states."""
        return [self._update(memory) for memory in self._memories.values()]

    def _parts(self, memory: Memory, batch: Batch, blocks: tuple[Block, ...]) -> Iterator[_Part]:
        """The measures of a batch by the blocks whose states they miss, with the states that are there."""
        parts: dict[tuple[Block, ...], list[tuple[Summary[State], dict[Block, State]]]] = {}
        for measure, states in zip(batch.measures, self._states(memory, batch, blocks), strict=True):
            missing = tuple(block for block in blocks if block not in states)
            parts.setdefault(missing, []).append((measure, states))
        for missing, members in parts.items():
            yield replace(batch, measures=tuple(m for m, _ in members)), missing, [states for _, states in members]

    def _merged(
        self, memory: Memory, part: Batch, missing: tuple[Block, ...], known: Sequence[Mapping[Block, State]]
    ) -> Iterator[tuple[Summary[State], State | Broken]]:
        broken = self._compute(memory, part, missing)
        for measure, states in zip(part.measures, known, strict=True):
            if measure in broken:
                yield measure, broken[measure]
                continue
            try:
                found = self._complete(memory, measure, states, missing)
                yield measure, reduce(lambda one, other: one.merge(other), found.values())
            except Exception:  # noqa: BLE001 - a state that cannot be read any more costs a scan, never an answer
                yield from self._fused.answer(Batch(part.source, (measure,)))

    @staticmethod
    def _complete(
        memory: Memory, measure: Summary[State], states: Mapping[Block, State], missing: Iterable[Block]
    ) -> Mapping[Block, State]:
        """The states that were there, and those that were missing and are there now."""
        key = memory.key(measure)
        return {**states, **{block: memory.new[block][key][1] for block in missing}}

    def _compute(self, memory: Memory, part: Batch, missing: tuple[Block, ...]) -> Mapping[Summary[State], Broken]:
        """Read the missing blocks; what stops at the data is told."""
        broken: dict[Summary[State], Broken] = {}
        whole = _with_rows(part)
        base = self._base(memory, whole) if missing == (None,) else None
        if base is not None and self._append(memory, whole, base):
            return broken
        for chunk in _chunks(part, missing):
            able = Batch(part.source, tuple(m for m in whole.measures if m not in broken))
            for measure, found in self._fused.answer_blocks(able, chunk):
                if isinstance(found, Broken):
                    broken[measure] = found
                    continue
                for block, state in found.items():
                    memory.new.setdefault(block, {})[memory.key(measure)] = (measure, state)
        return broken

    def _append(self, memory: Memory, batch: Batch, base: Mapping[Summary[State], State]) -> bool:
        """Add the files that were appended; False if they cannot be read by themselves any more."""
        found = dict(self._fused.answer_blocks(batch, (None,), memory.appended or ()))
        merged: dict[str, Kept] = {}
        for measure, states in found.items():
            if isinstance(states, Broken):
                return False
            try:
                merged[memory.key(measure)] = (measure, base[measure].merge(states[None]))
            except Exception:  # noqa: BLE001 - a state that cannot be read any more costs a scan, never an answer
                return False
        memory.new.setdefault(None, {}).update(merged)
        return True

    def _base(self, memory: Memory, batch: Batch) -> Mapping[Summary[State], State] | None:
        """The states of the whole dataset before rows were appended, if there are all of them."""
        if not memory.appended:
            return None
        raw = memory.raw.get(None, {})
        found = {m: raw.get(memory.key(m)) for m in batch.measures if self._keeps(m)}
        states = {m: decode(m.STATE, r) for m, r in found.items() if r is not None}
        known = {m: s for m, s in states.items() if s is not None}
        return known if len(known) == len(batch.measures) else None

    def _states(self, memory: Memory, batch: Batch, blocks: Sequence[Block]) -> Sequence[dict[Block, State]]:
        """For each measure the states of blocks that were computed in this run or earlier."""
        keys = [(m.STATE, memory.key(m), self._keeps(m)) for m in batch.measures]
        found: list[dict[Block, State]] = [{} for _ in keys]
        for block in blocks:
            new, raw = memory.new.get(block, {}), memory.raw.get(block, {}) if memory.holds(block) else {}
            for states, (kind, key, keeps) in zip(found, keys, strict=True):
                if key in new:
                    states[block] = new[key][1]
                elif keeps and key in raw and (state := decode(kind, raw[key])) is not None:
                    states[block] = state
        return found

    def _keeps(self, measure: Summary[State]) -> bool:
        """Whether the measure's states are kept: other nights ask again, and nothing private is in them."""
        private = measure.STATE.HOLDS_VALUES and any(
            self._hidden(measure.source.dataset, column.name) for column in measure.columns
        )
        return measure.lasts and not private

    def _known(self, batch: Batch) -> tuple[Memory, tuple[Block, ...]] | None:
        """What is known of a source, and its blocks; None if nothing of it can last."""
        source = batch.source
        try:
            blocks = self._blocks(batch)
            memory = None if blocks is None else self._memory(source)
            if blocks is None or memory is None:
                return None
            self._load(memory, batch, blocks)
        except Exception as error:  # noqa: BLE001 - without states a night costs a scan, never an answer
            self._reasons[source.dataset] = f"the states of earlier nights cannot be read: {first_line(error)}"
            return None
        return memory, blocks

    def _blocks(self, batch: Batch) -> tuple[Block, ...] | None:
        source = batch.source
        if source.window is None:
            return (None,)
        column = self._reader.time_column(source)
        if column is None or not divisible(column):
            return None
        return source.window.days() if batch.daily else days(source.window)

    def _memory(self, source: Source) -> Memory | None:
        """What is known of a dataset, brought up to the version that is read; None if nothing can last."""
        table = self._reader.table(source)
        if table is None:
            return None
        fixed = self._reader.fixed(source)
        # The states of a version that is named are kept under a name of its own.
        name = f"{source.dataset}{_AT}{table.version}" if fixed else source.dataset
        memory = self._memories.get((name, fixed))
        if memory is not None and memory.table == table:
            return memory
        about = self._reader.definition(source, table, self._hidden)
        known = _checked(self._store.load(name, None, None), about)
        if memory is not None:
            known = memory.table.version
        if known is not None and known > table.version:
            return None
        if memory is None:
            first = () if known is not None else None
            instead = source.dataset + _AT if fixed and known is None else ""
            memory = Memory(table, about, name, instead, void=first, appended=first, whole=known is None, known=known)
        if known is not None:
            memory.learn(changes(self._reader.spark, table, known, self._time(source)))
        memory.table = table
        self._memories[name, fixed] = memory
        return memory

    def _time(self, source: Source) -> TimeColumn | None:
        column = self._reader.time_column(source)
        return None if column is None else TimeColumn(column, self._timezone)

    def _load(self, memory: Memory, batch: Batch, blocks: Sequence[Block]) -> None:
        """Take the states of blocks and of the batch's columns from the store."""
        if memory.void is None and memory.appended is None:
            return
        window = batch.source.window
        start, end = (window.start_utc, window.end_utc) if window else (None, None)
        by_bounds: dict[tuple[Any, Any], Block] = {(b.start_utc, b.end_utc) if b else (None, None): b for b in blocks}
        names = [column.name for column in batch.columns]
        stored = sorted(self._store.load(memory.name, start, end, names), key=lambda s: s.version)
        for one in stored:
            block = by_bounds.get((one.start, one.end), ...)
            # A state of the whole that is newer than the check would get appended files twice.
            newer = block is None and memory.known is not None and one.version > memory.known
            if one.fingerprint != CHECKED and not one.fingerprint.startswith(KEPT) and block is not ... and not newer:
                memory.raw.setdefault(block, {}).update(unpack(one.packed))

    def _update(self, memory: Memory) -> StateUpdate:
        states = [
            pack
            for block, found in memory.new.items()
            for pack in packs(
                StoredStates(memory.name, memory.table.version, *_bounds(block), (), "", b"", _rows(found)),
                {key: kept for key, kept in found.items() if self._keeps(kept[0])},
            )
        ]
        checked = StoredStates(memory.name, memory.table.version, None, None, (), CHECKED, memory.about.encode(), 0)
        return StateUpdate(memory.name, memory.void, memory.whole, tuple(states), checked, memory.instead)


def _with_rows(part: Batch) -> Batch:
    """The batch, and beside sketches the number of rows; what is dense counts them all by itself."""
    rows = RowCount(part.source)
    if rows in part.measures or isinstance(part.measures[0], Dense):
        return part
    return replace(part, measures=(*part.measures, rows))


def _chunks(part: Batch, missing: tuple[Block, ...]) -> list[tuple[Block, ...]]:
    """Blocks that one read answers."""
    if isinstance(part.measures[0], Dense):
        return [missing] if missing else []
    most = max(1, min(_MOST_DAYS, _MOST_CELLS // len(part.measures)))
    return [missing[at : at + most] for at in range(0, len(missing), most)]


def _bounds(block: Block) -> tuple[Any, Any]:
    return (None, None) if block is None else (block.start_utc, block.end_utc)


def _rows(found: Mapping[str, Kept]) -> int:
    return next((state.rows for _, state in found.values() if isinstance(state, Total | CellCounts)), 0)


def _checked(stored: Sequence[StoredStates], about: str) -> int | None:
    """The version up to which the stored states are known to hold, if they are of the same table."""
    return next((s.version for s in stored if s.fingerprint == CHECKED and s.packed == about.encode()), None)
