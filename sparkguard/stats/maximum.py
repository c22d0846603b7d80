"""Which units drifted tonight, so that a table of many fails no more often than promised.

The largest score of the window over all units is ranked among the largest scores of the stretches
(Westfall and Young, Resampling-Based Multiple Testing, 1993): whatever the units' dependence, in a healthy
table each of S + 1 exchangeable maxima is as likely to be the largest. Between two ranks the limit is where
an exponential tail would keep the budget, so that the true rate is within that of the two, whatever the tail.
A budget finer than 1 / (S + 1) needs a tail: Gumbel's, the law of maxima, by L-moments (Hosking, Journal of the
Royal Statistical Society B, 1990). It is an extrapolation and is marked as one; a window that is not above all
stretches never fails by it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sparkguard.stats.drift import PARTS, Scores
from sparkguard.stats.homogeneity import Flags, Floats

TOO_SMALL = 0.4
"""A window whose number of rows could hide a larger change of values is too small to tell.

Two rows of five in other cells: a normal column whose level moved by a whole standard deviation. What is
hidden by how much healthy weeks differ is not counted here: no larger window would show it.
"""

_ODD, _USUAL = 2.0, 2.5
"""A stretch whose maximum is so many times the next, or the usual one of a table of few columns, is odd."""
_EULER = 0.5772156649015329


@dataclass(frozen=True, slots=True)
class Unit:
    """What was found of one unit.

    `score` is that of its `part` with the largest one (of `PARTS`), `effect` the size of that part's change.
    `drifted`: a part is beyond the limit, and its effect beyond the smallest that counts. `p_value` ranks the
    score among those of all units in all stretches; `q_value` is its Benjamini-Hochberg value; neither decides.
    `smallest_effect` is the total variation of values, at least `min_effect`, that would be found in 4 of 5
    windows; `underpowered` where it would be more than 0.4 even if healthy blocks did not differ. Numbers that
    are not known are None; units that are not `judged` have none. `partial`: its values could not be judged,
    only its shares.
    """

    judged: bool
    drifted: bool = False
    part: str | None = None
    score: float | None = None
    effect: float | None = None
    p_value: float | None = None
    q_value: float | None = None
    smallest_effect: float | None = None
    design_effect: float | None = None
    underpowered: bool = False
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found of all units, in the order of their scores' groups.

    `maximum` is the window's, `limit` what it may not exceed; scores below 0 count as 0. `p_value` is that of
    the maximum, `extrapolated` that the limit is beyond ranks. `odd` is the number of a stretch and that of a
    unit, if its score alone, far above those of all other stretches, makes the limit what it is.
    """

    units: tuple[Unit, ...]
    maximum: float
    limit: float
    p_value: float
    extrapolated: bool
    odd: tuple[int, int] | None = None


def decide(groups: Sequence[Scores], alpha: float, min_effect: float = 0.0) -> Verdict:
    """Judge all groups of units together, so that a healthy table fails with probability `alpha`.

    With a `min_effect` of 0 every change counts, also one that KS or total variation hardly see, such as a
    single value. All groups have the same S stretches; `ValueError` if there is no group, or `alpha` is not in (0, 1).
    """
    if not groups or not 0 < alpha < 1:
        message = f"{len(groups)} groups of units, and a budget of {alpha}"
        raise ValueError(message)
    judged = np.concatenate([g.judged for g in groups])
    window = np.concatenate([g.window for g in groups])
    stretches = np.concatenate([g.stretches for g in groups], axis=1)[:, judged]
    maxima = np.maximum(stretches.max(axis=1, initial=0.0), 0.0)
    best = np.where(judged, window.max(axis=1), -np.inf)
    maximum = max(float(best.max()), 0.0)
    limit, extrapolated = limit_of(maxima, alpha)
    alone = _odd(maxima, limit)
    odd = None if alone is None else (alone, int(np.flatnonzero(judged)[stretches[alone].argmax()]))
    smallest = np.concatenate([g.detectable.smallest(limit) for g in groups])
    effects = np.concatenate([g.effects for g in groups])
    # Shares have floors of their own.
    enough = (effects > min_effect) | (min_effect <= 0) | (np.array(PARTS) != "values")
    counted = (window > limit) & enough & judged[:, None]
    p = np.where(judged, _pooled(best, stretches), np.nan)
    numbers = zip(
        judged,
        counted.any(axis=1),
        np.where(counted.any(axis=1), np.where(counted, window, -np.inf).argmax(axis=1), window.argmax(axis=1)),
        window,
        effects,
        p,
        _step_up(p, judged),
        np.maximum(smallest, min_effect),
        np.concatenate([g.by_rows.smallest(limit) for g in groups]) > TOO_SMALL,
        np.concatenate([g.design_effect for g in groups]),
        np.concatenate([g.partial for g in groups]),
        strict=True,
    )
    units = tuple(_unit(*row) for row in numbers)
    return Verdict(units, maximum, limit, chance(maximum, maxima), extrapolated, odd)


def _unit(  # noqa: PLR0913, PLR0917 - the numbers of one row
    judged: bool,  # noqa: FBT001
    drifted: bool,  # noqa: FBT001
    part: int,
    window: Floats,
    effects: Floats,
    p: float,
    q: float,
    smallest: float,
    underpowered: bool,  # noqa: FBT001
    design_effect: float,
    partial: bool,  # noqa: FBT001
) -> Unit:
    if not judged:
        return Unit(judged=False)
    return Unit(
        judged=True,
        drifted=bool(drifted),
        part=PARTS[part],
        score=_known(window[part]),
        effect=_known(effects[part]),
        p_value=float(p),
        q_value=float(q),
        smallest_effect=None if math.isnan(smallest) else float(smallest),
        design_effect=_known(design_effect),
        underpowered=bool(underpowered),
        partial=bool(partial),
    )


def _known(number: float) -> float | None:
    return float(number) if math.isfinite(number) else None


def limit_of(maxima: Floats, alpha: float) -> tuple[float, bool]:
    """What a maximum may not exceed; the second is whether it is an extrapolation."""
    ranks = alpha * (len(maxima) + 1)
    rank = math.floor(ranks + 1e-9)
    if rank >= len(maxima):
        return float(maxima.min()), False
    if rank >= 1:
        above, below = np.sort(maxima)[[-rank, -rank - 1]]
        return float(above - (above - below) * max(rank + 1 - rank * (rank + 1) / ranks, 0.0)), False
    from scipy.special import ndtri

    place, scale = _gumbel(maxima)
    # One score alone exceeds the last of these with probability alpha: maxima that never differ give no tail.
    return max(float(maxima.max()), place - scale * math.log(-math.log1p(-alpha)), float(-ndtri(alpha))), True


def _odd(maxima: Floats, limit: float) -> int | None:
    """The stretch that alone makes the limit what it is."""
    if len(maxima) < 2:  # noqa: PLR2004 - there is no other
        return None
    second, first = np.sort(maxima)[-2:]
    return int(maxima.argmax()) if limit >= first > _ODD * max(second, _USUAL) else None


def chance(maximum: float, maxima: Floats) -> float:
    """How probable so large a maximum is: by the ranks it lies between, or beyond all stretches by the tail."""
    many = len(maxima) + 1
    beyond = int((maxima >= maximum).sum())
    if beyond == len(maxima):
        return 1.0
    if beyond:
        above, below = np.sort(maxima)[[-beyond, -beyond - 1]]
        part = float((above - maximum) / (above - below))
        return beyond * (beyond + 1) / ((beyond + 1 - part) * many)
    place, scale = _gumbel(maxima)
    return min(1 / many, -math.expm1(-math.exp(-(maximum - place) / scale))) if scale else 1 / many


def _gumbel(maxima: Floats) -> tuple[float, float]:
    """Location and scale of Gumbel's law by L-moments."""
    n = len(maxima)
    weights = (2 * np.arange(n) - (n - 1)) / (n * max(n - 1, 1))
    scale = float(weights @ np.sort(maxima)) / math.log(2)
    return float(maxima.mean()) - _EULER * scale, scale


def _pooled(best: Floats, stretches: Floats) -> Floats:
    """The rank of each unit's score among those of all judged units in all stretches."""
    pool = np.sort(stretches, axis=None)
    above = pool.size - np.searchsorted(pool, best, side="left")
    return np.asarray((1 + above) / (1 + pool.size))


def _step_up(p: Floats, judged: Flags) -> Floats:
    """Benjamini-Hochberg q-values of those judged (Journal of the Royal Statistical Society B, 1995)."""
    q = np.full_like(p, np.nan)
    order = np.argsort(p[judged], kind="stable")
    many = len(order)
    raised = p[judged][order] * many / np.arange(1, many + 1)
    least = np.minimum.accumulate(raised[::-1])[::-1]
    found = np.empty(many)
    found[order] = np.minimum(least, 1.0)
    q[judged] = found
    return q
