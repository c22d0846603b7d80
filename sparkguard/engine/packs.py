"""States of one block, packed: a row for each kind of question and group of up to 64 columns."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice

from sparkguard.core.encoding import pack
from sparkguard.core.measure import State, Summary
from sparkguard.core.states import StoredStates

MOST_COLUMNS = 64


def packs(block: StoredStates, kept: Mapping[str, tuple[Summary[State], State]]) -> Iterator[StoredStates]:
    """Rows for the states of a block, which are given by their measures' fingerprints."""
    kinds: dict[str, dict[str, tuple[Summary[State], State]]] = {}
    for key, (measure, state) in kept.items():
        kinds.setdefault(type(state).__name__, {})[key] = (measure, state)
    for _, members in sorted(kinds.items()):
        waiting = iter(sorted(members.items(), key=lambda item: (_names(item[1][0]), item[0])))
        while group := dict(islice(waiting, MOST_COLUMNS)):
            columns = dict.fromkeys(name for measure, _ in group.values() for name in _names(measure))
            fingerprint = hashlib.sha256("".join(group).encode()).hexdigest()[:32]
            packed = pack({key: state for key, (_, state) in group.items()})
            yield replace(block, columns=tuple(columns), fingerprint=fingerprint, packed=packed)


def _names(measure: Summary[State]) -> tuple[str, ...]:
    return tuple(column.name for column in measure.columns)
