"""In which slices errors are larger than in the rest, by more than chance and by enough to matter.

Each slice is compared with all other rows; of hundreds of slices some are worse by chance, so the false discovery
rate is controlled (Benjamini and Hochberg, Journal of the Royal Statistical Society B 1995).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sparkguard.stats.homogeneity import Flags, Floats
from sparkguard.stats.ratios import ratio


@dataclass(frozen=True, eq=False)
class Compared:
    """Of slices (P,): the mean loss, that of all other rows, and the chance that it is so much larger (one-sided)."""

    mean: Floats
    rest: Floats
    chance: Floats


def by_rows(
    weight: Floats, loss: Floats, moments: Floats, rows: Floats, whole: Floats, all_moments: Floats
) -> Compared:
    """Slices (P,) of independent rows; `whole` (2,) and `all_moments` (3,) are those of all rows.

    `moments` (P, 3) are the sums of weight² × (1, loss, loss²).
    """
    mean, rest = _means(weight, loss, whole)
    others, left = all_moments - moments, whole[0] - weight
    apart = _variance(moments, mean, weight) + _variance(others, rest, left)
    # That of all rows where those of a slice are all alike, as when all are wrong.
    spread = _variance(all_moments, whole[1] / whole[0], np.sqrt(all_moments[0]))
    pooled = spread * (ratio(moments[..., 0], weight**2) + ratio(others[..., 0], left**2))
    error = np.sqrt(np.fmax(apart, pooled))
    return Compared(mean, rest, _chance(mean - rest, error, np.maximum(rows - 1, 1)))


def by_groups(weight: Floats, loss: Floats, whole: Floats) -> Compared:
    """Slices (G, P) by group of clusters, and all rows (G, 2), by the jackknife over groups."""
    total_weight, total_loss, total = weight.sum(axis=0), loss.sum(axis=0), whole.sum(axis=0)
    mean, rest = _means(total_weight, total_loss, total)
    left = _means(total_weight - weight, total_loss - loss, (total - whole)[:, :, None].swapaxes(0, 1))
    apart = left[0] - left[1]
    many = (weight > 0).sum(axis=0)
    groups = len(weight)
    variance = ((apart - (mean - rest)) ** 2).sum(axis=0) * (groups - 1) / groups
    # As many degrees of freedom as groups of the same weight would have.
    alike = total_weight**2 / np.maximum((weight**2).sum(axis=0), 1e-300)
    chance = _chance(mean - rest, np.sqrt(variance), np.maximum(np.minimum(alike, many) - 1, 1))
    return Compared(mean, rest, chance)


def discoveries(chance: Floats, tested: Flags, rate: float) -> Flags:
    """Which of the tested are found, so that at most `rate` of them are false on average."""
    order = np.argsort(np.where(tested, chance, np.inf), kind="stable")
    many = int(tested.sum())
    below = np.flatnonzero(chance[order[:many]] <= rate * np.arange(1, many + 1) / max(many, 1))
    found = np.zeros(len(chance), np.bool_)
    if len(below):
        found[order[: below[-1] + 1]] = True
    return found


def _means(weight: Floats, loss: Floats, whole: Floats | npt.NDArray[np.float64]) -> tuple[Floats, Floats]:
    return ratio(loss, weight), ratio(whole[1] - loss, whole[0] - weight)


def _variance(moments: Floats, mean: Floats | float, weight: Floats) -> Floats:
    squares = moments[..., 2] - 2 * mean * moments[..., 1] + mean**2 * moments[..., 0]
    return ratio(np.maximum(squares, 0), weight**2)


def _chance(difference: Floats, error: Floats, freedom: Floats) -> Floats:
    from scipy.special import stdtr

    score = np.divide(difference, error, out=np.full_like(difference, np.nan), where=error > 0)
    return np.asarray(np.where(np.isnan(score), 1.0, stdtr(freedom, -score)))
