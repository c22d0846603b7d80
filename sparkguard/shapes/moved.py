"""What moved in a column, from where to where: counts on a grid in words."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from sparkguard.measures.grids import FIRST, NAN, NULL, Grid

_SHOWN_CHANGE = 0.005
"""A share of values that changed by less is not named beside the largest change."""
_CLOSE = 0.1
"""From this share on a percentage has no decimals."""


@dataclass(frozen=True, slots=True)
class Binned:
    """The rows of one side in the cells of a grid."""

    grid: Grid
    counts: Sequence[int]

    @property
    def rows(self) -> int:
        """All rows."""
        return sum(self.counts)

    @property
    def values(self) -> Sequence[int]:
        """The rows that are neither NULL nor NaN, by cell."""
        return self.counts[FIRST:]

    def share(self, cell: int) -> float:
        """The share of all rows in a cell."""
        return self.counts[cell] / max(1, self.rows)

    def shares(self) -> list[float]:
        """The shares of values in the cells of values."""
        total = max(1, sum(self.values))
        return [n / total for n in self.values]

    def middle(self) -> int | None:
        """The cell among those of values in which the median is; None where there is no line or no value."""
        total = sum(self.values)
        if not total or not self.grid.edges:
            return None
        below = accumulate(self.values)
        return next(i for i, reached in enumerate(below) if 2 * reached >= total)

    def median(self, at: int) -> str:
        """Where half of the values lie below, which is in cell `at`; about, where other values are in it too."""
        edges = self.grid.edges
        if at in (0, len(edges)) or self.grid.lone(FIRST + at):
            return self.grid.label(FIRST + at)
        low, high = edges[at - 1], edges[at]
        missing = sum(self.values) / 2 - sum(self.values[:at])
        inside = low + (high / 2 - low / 2) * (2 * missing / self.values[at])
        # No more digits than the bin's width bears.
        bears = 0 < high - low < math.inf
        rounded = round(inside, 1 - math.floor(math.log10(high - low))) if bears else inside
        return f"about {self.grid.shown(rounded)}"


@dataclass(frozen=True, slots=True)
class Moved:
    """A change in words, and what was expected and found."""

    reason: str
    expected: str
    actual: str


def moved(part: str, base: Binned, window: Binned) -> Moved:
    """What changed from the base to the window, if this part moved: `values`, `null`, `nan` or `beyond`."""
    if part in ("null", "nan"):
        cell, name = (NULL, "NULL") if part == "null" else (NAN, "NaN")
        return _change(name, base.share(cell), window.share(cell))
    if part == "beyond":
        return _beyond(base, window)
    return (_along if base.grid.ordered else _among)(base, window)


def percent(share: float) -> str:
    """A share for people: 0.24 %, 3.1 %, 41 %."""
    value = 100 * share
    if value and share < _SHOWN_CHANGE:
        return f"{value:.2g} %"
    return f"{value:.1f} %" if share < _CLOSE else f"{value:.0f} %"


def _change(name: str, before: float, now: float) -> Moved:
    expected, actual = percent(before), percent(now)
    if expected == actual:
        expected, actual = f"{100 * before:.3g} %", f"{100 * now:.3g} %"
    return Moved(f"{name} {expected} → {actual}", f"{name} {expected}", f"{name} {actual}")


def _joined(changes: Iterable[Moved]) -> Moved:
    parts = list(changes) or [Moved("as before", "as before", "as before")]
    return Moved(*(", ".join(texts) for texts in zip(*((m.reason, m.expected, m.actual) for m in parts), strict=True)))


def _along(base: Binned, window: Binned) -> Moved:
    """Values on a line: the median, and the edge at which most rows have crossed."""
    before, now = ([*accumulate(side.shares())] for side in (base, window))
    edges = base.grid.edges

    def changes() -> Iterator[Moved]:
        middles = base.middle(), window.middle()
        if None not in middles and middles[0] != middles[1]:
            old, new = base.median(middles[0] or 0), window.median(middles[1] or 0)
            told = new.removeprefix("about ") if old.startswith("about ") else new
            yield Moved(f"median {old} → {told}", f"median {old}", f"median {new}")
        if edges:
            at = max(range(len(edges)), key=lambda i: abs(before[i] - now[i]))
            yield _change(f"{base.grid.until(at)}:", before[at], now[at])

    return _joined(changes())


def _among(base: Binned, window: Binned) -> Moved:
    """Named values: what gained most and what lost most; the others among themselves, if no more than that changed."""
    before, now = (_groups(side.shares(), base) for side in (base, window))
    order = sorted((n for n in before if before[n] or now[n]), key=lambda name: now[name] - before[name])
    ends = list(dict.fromkeys((*order[-1:], *order[:1])))
    shown = [name for name in ends if abs(now[name] - before[name]) >= _SHOWN_CHANGE]
    named = len(base.grid.hashes)
    others = sum(abs(a - b) for a, b in zip(base.shares()[named:], window.shares()[named:], strict=True)) / 2
    if not shown and others >= _SHOWN_CHANGE:
        told = f"{percent(others)} of the values moved among those that have no name"
        return Moved(told, "other values as before", told)
    return _joined(_change(name, before[name], now[name]) for name in shown or ends[:1])


def _groups(shares: Sequence[float], base: Binned) -> dict[str, float]:
    """Shares of the named values, of all others, and of those that the base never had."""
    named = len(base.grid.hashes)
    found = {base.grid.label(FIRST + i): share for i, share in enumerate(shares[:named])}
    rest = list(zip(shares[named:], base.values[named:], strict=True))
    found["other values"] = sum(share for share, seen in rest if seen)
    found["values never seen before"] = sum(share for share, seen in rest if not seen)
    return found


def _beyond(base: Binned, window: Binned) -> Moved:
    """Values outside of those that the base has."""
    if not base.grid.ordered:
        unseen = [n for n, known in zip(window.values, base.values, strict=True) if not known]
        return _change("values never seen before", 0.0, sum(unseen) / max(1, sum(window.values)))
    filled = [i for i, n in enumerate(base.values) if n]
    low, high = (filled[0], filled[-1]) if filled else (0, len(base.values) - 1)

    def changes() -> Iterator[Moved]:
        sides = (
            (window.values[:low], base.grid.label(FIRST + low), "before"),
            (window.values[high + 1 :], base.grid.label(FIRST + high), "after"),
        )
        for counts, label, word in sides:
            if sum(counts):
                yield _change(f"{word} all that was seen ({label}):", 0.0, sum(counts) / max(1, sum(window.values)))

    return _joined(changes())
