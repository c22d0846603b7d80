"""States of one block, packed: a row for each kind of question and group of up to 64 columns."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from sparkguard.core.encoding import pack
from sparkguard.core.measure import State, Summary
from sparkguard.core.states import StoredStates

MOST_COLUMNS = 64

Kept = tuple[Summary[State], State]


def packs(block: StoredStates, kept: Mapping[str, Kept]) -> Iterator[StoredStates]:
    """Rows for the states of a block, which are given by their measures' fingerprints."""
    kinds: dict[str, dict[str, Kept]] = {}
    for key, (measure, state) in kept.items():
        kinds.setdefault(type(state).__name__, {})[key] = (measure, state)
    for _, members in sorted(kinds.items()):
        for group in _groups(sorted(members.items(), key=lambda item: (_names(item[1][0]), item[0]))):
            columns = dict.fromkeys(name for measure, _ in group.values() for name in _names(measure))
            fingerprint = hashlib.sha256("".join(group).encode()).hexdigest()[:32]
            packed = pack({key: state for key, (_, state) in group.items()})
            yield replace(block, columns=tuple(columns), fingerprint=fingerprint, packed=packed)


def _groups(members: Sequence[tuple[str, Kept]]) -> Iterator[dict[str, Kept]]:
    """Neighbours of at most so many columns together."""
    group: dict[str, Kept] = {}
    columns: set[str] = set()
    for key, kept in members:
        if len(columns.union(_names(kept[0]))) > MOST_COLUMNS and group:
            yield group
            group, columns = {}, set()
        group[key] = kept
        columns.update(_names(kept[0]))
    if group:
        yield group


def _names(measure: Summary[State]) -> tuple[str, ...]:
    return tuple(column.name for column in measure.columns)
