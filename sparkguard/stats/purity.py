"""Values all of whose rows carry one class of the label, though chance alone would hardly make them so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sparkguard.stats.homogeneity import Counts, Floats

FIRST = 2
"""The first cell of values, after NULL and NaN."""
LEAST_ROWS = 20
LEAST_SHARE = 0.01
"""A value counts if it has so many of all rows …"""
LEAST_OF_CLASS = 0.05
"""… or so many of those of its class."""
_MOST_OF_ALL = 0.5
"""Of a class that more rows carry, a value of nothing else is no surprise."""


@dataclass(frozen=True, slots=True)
class Pure:
    """A cell of so many `rows`, all of `label_class`: their shares of all rows and of the class's.

    `units` are the groups of rows that it holds, or its rows where each is for itself; `chance` is the
    probability that all of them carry the class, if the value had nothing to do with it.
    """

    cell: int
    label_class: int
    rows: int
    share: float
    share_of_class: float
    units: int
    chance: float


def pure_cells(counts: Counts, single: npt.NDArray[np.bool_], *, ordered: bool, grouped: bool) -> Sequence[Pure]:
    """The pure cells of a feature from its rows (G, K, C), among those (C,) that hold a single value.

    On an ordered scale a value counts only between others that carry more than its class: an end of the scale
    that is pure is a threshold, which its power tells. `grouped`: rows of a group may belong together.
    """
    rows = counts.sum(axis=0)
    of_cell, of_class = rows.sum(axis=0), rows.sum(axis=1)
    total = int(of_cell.sum())
    found = []
    for cell in np.flatnonzero(single & (of_cell >= LEAST_ROWS) & ((rows > 0).sum(axis=0) == 1)).tolist():
        label_class = int(rows[:, cell].argmax())
        usual = of_class[label_class] / total
        if ordered and cell >= FIRST:
            beside = _beside(rows, cell, label_class)
            if beside is None:
                continue
            usual = max(usual, beside)
        share, share_of_class = of_cell[cell] / total, of_cell[cell] / of_class[label_class]
        if usual > _MOST_OF_ALL or (share < LEAST_SHARE and share_of_class < LEAST_OF_CLASS):
            continue
        units = int((counts[:, :, cell].sum(axis=1) > 0).sum()) if grouped else int(of_cell[cell])
        chance = float(usual**units)
        found.append(Pure(cell, label_class, int(of_cell[cell]), float(share), float(share_of_class), units, chance))
    return found


def _beside(rows: Counts, cell: int, label_class: int) -> float | None:
    """The share of the class in the two cells beside that hold rows; None at an end, or if one is pure too."""
    filled = np.flatnonzero(rows[:, FIRST:].sum(axis=0)) + FIRST
    at = int(np.searchsorted(filled, cell))
    if at in (0, len(filled) - 1):
        return None
    near: Floats = rows[:, filled[[at - 1, at + 1]]].astype(np.float64)
    shares = near[label_class] / near.sum(axis=0)
    return None if shares.max() == 1 else float(shares.max())
