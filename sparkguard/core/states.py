"""What is kept of past nights: packed states of a block of time, and up to where the log was read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

CHECKED = "checked"
"""The fingerprint of the row that says up to which version the states of a dataset are known to hold."""

KEPT = "kept:"
"""How the fingerprints of rows begin that hold whatever becomes of the data."""

Span = tuple[datetime, datetime]
"""The first and the last instant of something, aware and in UTC; both belong to it."""


@dataclass(frozen=True, slots=True)
class StoredStates:
    """The states of one block of a dataset (no bounds: the whole of it) and a group of its columns.

    `packed` holds a state for each measure, see `core.encoding.pack`. `rows` are the rows of the block.
    """

    dataset: str
    version: int
    start: datetime | None
    end: datetime | None
    columns: tuple[str, ...]
    fingerprint: str
    packed: bytes
    rows: int


@dataclass(frozen=True, slots=True)
class StateUpdate:
    """What a run changes in the states of a dataset.

    `void` are the spans of time in which data changed (None: all of it): states of blocks that meet
    one are dropped, and with `whole` those of the whole dataset, unless `states` brings new ones.
    `checked` says up to where the log was read; None where it was not. `instead`: states of datasets whose
    names are this and a number are dropped, but for those that the same run used (versions of before).
    """

    dataset: str
    void: tuple[Span, ...] | None
    whole: bool
    states: tuple[StoredStates, ...]
    checked: StoredStates | None
    instead: str = ""


class StateStore(Protocol):
    """Where states last."""

    def load(
        self, dataset: str, start: datetime | None, end: datetime | None, columns: Sequence[str] = ()
    ) -> Sequence[StoredStates]:
        """The states of blocks inside [start, end), of the whole dataset without bounds; and `CHECKED`.

        Only rows that are about one of the columns, or about none.
        """
