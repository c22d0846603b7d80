"""Grids that last: made once for a dataset's columns, then found again whatever becomes of the data."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from sparkguard.core.columns import Column
from sparkguard.core.encoding import decode, pack, unpack
from sparkguard.core.states import KEPT, StateStore, StateUpdate, StoredStates
from sparkguard.engine.packs import MOST_COLUMNS
from sparkguard.measures.grids import TEXT, Grid, fits, kind_of
from sparkguard.measures.sampled_grids import Grids, GridsAnswer

_MADE = 2
"""Raised when grids are made otherwise, so that those of before are not found."""

Hidden = Callable[[str, str], bool]
"""Whether the suite keeps the values of a dataset's column out of its tables."""


class KeptGrids:
    """Answers questions for grids from those that earlier runs made, and remembers the new ones."""

    def __init__(self, store: StateStore | None, hidden: Hidden) -> None:
        """Take what is there from `store`; of `hidden` columns no name is told, and no grid is kept."""
        self._store, self._hidden = store, hidden
        self._found: dict[tuple[str, int], dict[str, Grid]] = {}
        self._new: dict[tuple[str, int], dict[str, tuple[str, Grid]]] = {}
        self._rewritten: dict[tuple[str, str], StoredStates] = {}
        self._made: dict[tuple[str, int], int] = {}

    def knows(self, asked: Grids) -> bool:
        """Whether earlier runs made all grids that are asked for."""
        known = self._known(asked)
        return not any(next(_lacking(part, known), None) for part in _halves(asked))

    def answer(self, asked: Grids, compute: Callable[[Grids], GridsAnswer]) -> GridsAnswer:
        """The grids of all columns; a sample is read for those that have none yet, or are of another kind now."""
        known = self._known(asked)
        columns, texts = (tuple(c for c, _ in _lacking(part, known)) for part in _halves(asked))
        fresh = GridsAnswer({}, {})
        if columns or texts:
            fresh = compute(replace(asked, columns=columns, texts=texts))
        for part, found in zip(_halves(asked), (fresh.grids, fresh.texts), strict=True):
            for key, (column, _) in part.items():
                if column.name in found:
                    self._take(asked, key, column, found[column.name], lasts=column.name not in fresh.blank)
        grids, texts_found = ({c.name: known[key] for key, (c, _) in part.items()} for part in _halves(asked))
        return GridsAnswer(grids, texts_found, fresh.blank)

    def updates(self) -> Iterator[StateUpdate]:
        """What this run made, to be kept."""
        for one in self._rewritten.values():
            yield StateUpdate(one.dataset, (), whole=False, states=(one,), checked=None)
        for (owner, number), new in self._new.items():
            entries = sorted(new.items())
            groups = [dict(entries[at : at + MOST_COLUMNS]) for at in range(0, len(entries), MOST_COLUMNS)]
            rows = [self._row(owner, number, group) for group in groups]
            yield StateUpdate(owner, (), whole=False, states=tuple(rows), checked=None)

    def _take(self, asked: Grids, key: str, column: Column, grid: Grid, *, lasts: bool) -> None:
        about = asked.owner, asked.version
        hides = self._hides(asked, column.name)
        self._found[about][key] = grid.hidden() if hides else grid
        if lasts and not hides:
            self._new.setdefault(about, {})[key] = (column.name, grid)

    def _hides(self, asked: Grids, name: str) -> bool:
        """Whether the suite keeps the column's values out of its tables."""
        return any(self._hidden(dataset, name) for dataset in (asked.owner, asked.source.dataset))

    def _known(self, asked: Grids) -> dict[str, Grid]:
        """The grids of a dataset by key, read from the store at the first question."""
        about = asked.owner, asked.version
        known = self._found.setdefault(about, {})
        lacking = {key: c for part in _halves(asked) for key, (c, _) in part.items() if key not in known}
        if not lacking or self._store is None:
            return known
        prefix = _prefix(asked.version)
        names = sorted({column.name for column in lacking.values()})
        stored = [s for s in self._store.load(asked.owner, None, None, names) if s.fingerprint.startswith(KEPT)]
        for one in sorted(stored, key=lambda s: s.version):
            found = {key: grid for key, raw in unpack(one.packed).items() if (grid := decode(Grid, raw)) is not None}
            shown = {k: grid for k, grid in found.items() if not self._hides(asked, ".".join(json.loads(k)[1:]))}
            if shown != found:
                self._rewritten[one.dataset, one.fingerprint] = replace(one, packed=pack(shown))
            if one.fingerprint.startswith(prefix):
                self._made[about] = max(self._made.get(about, 0), one.version)
                known.update((key, grid) for key, grid in shown.items() if key in lacking)
        return known

    def _row(self, owner: str, number: int, group: Mapping[str, tuple[str, Grid]]) -> StoredStates:
        made = self._made.get((owner, number), 0) + 1
        fingerprint = _prefix(number) + hashlib.sha256("".join(group).encode()).hexdigest()[:24]
        packed = pack({key: grid for key, (_, grid) in group.items()})
        columns = tuple(dict.fromkeys(name for name, _ in group.values()))
        return StoredStates(owner, made, None, None, columns, fingerprint, packed, 0)


def _prefix(number: int) -> str:
    """How the fingerprints of grids of a number begin, as they are made today."""
    return f"{KEPT}{_MADE}.{number}:"


def _halves(asked: Grids) -> Sequence[Mapping[str, tuple[Column, str]]]:
    """The columns, and those whose texts count, each by the key of its grid and with the kind of its values."""
    return (
        {json.dumps(["column", *c.path]): (c, kind_of(c.type) or TEXT) for c in asked.columns},
        {json.dumps(["text", *c.path]): (c, TEXT) for c in asked.texts},
    )


def _lacking(part: Mapping[str, tuple[Column, str]], known: Mapping[str, Grid]) -> Iterator[tuple[Column, str]]:
    yield from (entry for key, entry in part.items() if key not in known or not fits(known[key], entry[1]))
