"""What a run knows of the states of one dataset, and what the log made void."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sparkguard.core.encoding import fingerprint
from sparkguard.core.measure import State, Summary
from sparkguard.core.states import Span
from sparkguard.engine.blocks import Block, meets
from sparkguard.engine.delta_log import Changes, Table
from sparkguard.engine.packs import Kept


@dataclass
class Memory:
    """The states of earlier nights and of this one.

    `known` is the version up to which the stored ones were known to hold (None: there are none),
    `void` the time that changed since (None: all of it), `appended` the files that were only added
    (None: not only), `whole` whether states of the whole dataset changed. `raw` are stored states that
    are not decoded yet, `new` those of this run, both by block and fingerprint. `name` is that under which the
    states are kept, `instead` what the names begin with of which this one takes the place.
    """

    table: Table
    about: str
    name: str
    instead: str = ""
    void: tuple[Span, ...] | None = None
    appended: tuple[str, ...] | None = None
    reason: str | None = None
    whole: bool = True
    known: int | None = None
    raw: dict[Block, dict[str, Any]] = field(default_factory=dict)
    held: dict[Block, bool] = field(default_factory=dict)
    prints: dict[Summary[State], str] = field(default_factory=dict)
    new: dict[Block, dict[str, Kept]] = field(default_factory=dict)

    def holds(self, block: Block) -> bool:
        """Whether the states of a block that earlier nights stored are still those of its rows."""
        if block is None:
            return self.appended == ()
        if block not in self.held:
            self.held[block] = self.void is not None and not any(meets(block, span) for span in self.void)
        return self.held[block]

    def key(self, measure: Summary[State]) -> str:
        """The fingerprint under which a measure's states are kept."""
        if measure not in self.prints:
            self.prints[measure] = fingerprint(measure, self.about)
        return self.prints[measure]

    def learn(self, changed: Changes) -> None:
        """Drop what commits made void."""
        self.reason = changed.reason or self.reason
        both = None if self.appended is None or changed.appended is None else (*self.appended, *changed.appended)
        self.appended = both
        self.void = None if self.void is None or changed.spans is None else (*self.void, *changed.spans)
        self.whole = self.whole or changed.appended != ()
        self.held.clear()
        self.new = {block: kept for block, kept in self.new.items() if self.holds(block)}
        self.raw.clear()
