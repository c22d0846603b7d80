"""Whether columns that each look as usual still go together as usual.

A classifier learns to tell the rows of an item, the window or a snapshot, from those of its base, and is
tried on rows that it has not seen. It must not see what the columns show by themselves, which is judged
apart: so each value is replaced by its quarter among the values of its own side, equal ones in random order,
and what is left is the dependence of the columns alone (their copula; Nelsen, An Introduction to Copulas,
2006). On it a naive Bayes classifier adds up, over the few pairs of columns whose quarters changed
most, how much likelier a row's pair of quarters is in the item than in the base.

Its area under the ROC curve is ranked among those of the same classifier fitted anew for each snapshot: days
differ, so even healthy snapshots can be told apart (Lopez-Paz and Oquab, Revisiting Classifier Two-Sample Tests,
ICLR 2017, rank it in a normal null, which holds for independent rows only).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sparkguard.stats.homogeneity import Floats
from sparkguard.stats.maximum import chance, limit_of
from sparkguard.stats.power import area
from sparkguard.stats.ranks import rank_correlations

Codes = npt.NDArray[np.int32]
Quarters = npt.NDArray[np.uint8]

BINS = 4
"""Into quarters, as many as hundreds of rows can fill by pairs."""
_FOLDS = 5
_PAIRS = 4
"""The classifier looks at so many pairs of columns."""
_PRIOR = 20.0
"""Rows by which the shares of an item are drawn to those of its base."""
_LEAST_SHARE = 0.05
"""Of what tells rows apart; pairs with less are not named."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two columns, by number, that go together in another way, and their share of what was told apart.

    `measure` is `rank correlation` (Spearman's), or `association` (Cramér's V of quarters) where one of
    them has no order or that changed more; `before` is its value in the base, `now` that in the item.
    """

    one: int
    other: int
    share: float
    measure: str
    before: float
    now: float


@dataclass(frozen=True, slots=True)
class Apart:
    """How well rows of an item are told from its base: the area under the ROC curve, and its score.

    The score is the distance from 1/2 in standard errors of independent rows (Mann and Whitney). `weights`
    (P, P) say which pairs of columns it was told by.
    """

    area: float
    score: float
    weights: Floats


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found of all columns together.

    `effect` is how much more the area is than the median of the snapshots, times two: total variation that
    is shown at least. `limit` is the area that a healthy window exceeds as often as the budget says.
    """

    drifted: bool
    area: float
    limit: float
    p_value: float
    effect: float
    extrapolated: bool


def told_apart(item: Codes, base: Codes, seed: Sequence[int]) -> Apart:
    """Tell (n, P) codes of an item from (m, P) codes of its base; codes rise with the values, -1 for none.

    The classifier is tried on each of five folds of the rows, and learns on the others. `ValueError` if there are
    less than 2 columns, or less than 2 rows on a side.
    """
    if item.shape[1] < 2 or min(len(item), len(base)) < 2:  # noqa: PLR2004 - two to go together, two folds
        message = f"{len(item)} and {len(base)} rows of {item.shape[1]} columns"
        raise ValueError(message)
    rng = np.random.default_rng(seed)
    many = min(_FOLDS, len(item), len(base))
    # Each fold by itself: what the others have too many of, a fold of the same quarters would have too few of.
    folds = [[_quarters(side[fold::many], rng) for side in (item, base)] for fold in range(many)]
    counts = [[_together(side) for side in fold] for fold in folds]
    total = [np.sum(side, axis=0) for side in zip(*counts, strict=True)]
    areas, weights = [], np.zeros((item.shape[1], item.shape[1]))
    for fold, own in zip(folds, counts, strict=True):
        rows = [len(side) - len(part) for side, part in zip((item, base), fold, strict=True)]
        pairs, ratios, weight = _learnt(total[0] - own[0], total[1] - own[1], *rows)
        areas.append(_area(*(_scored(side, pairs, ratios) for side in fold)))
        weights += weight / many
    found, (n, m) = float(np.mean(areas)), (len(item), len(base))
    return Apart(found, (found - 0.5) / math.sqrt((n + m + 1) / (12 * n * m)), weights)


def decide(window: Apart, snapshots: Sequence[Apart], alpha: float, min_effect: float) -> Verdict:
    """Rank the window among at least two snapshots, so that a healthy one drifts with probability `alpha`."""
    scores = np.maximum(np.array([s.score for s in snapshots]), 0.0)
    limit, extrapolated = limit_of(scores, alpha)
    score = max(window.score, 0.0)
    effect = 2 * (window.area - float(np.median([s.area for s in snapshots])))
    error = (window.area - 0.5) / window.score if window.score else 0.0
    return Verdict(
        drifted=score > limit and effect > min_effect,
        area=window.area,
        limit=min(1.0, 0.5 + limit * error),
        p_value=chance(score, scores),
        effect=effect,
        extrapolated=extrapolated,
    )


def named(apart: Apart, item: Codes, base: Codes, ordered: Sequence[bool]) -> tuple[Pair, ...]:
    """The pairs that told an item from its base, the most telling first."""
    total = apart.weights.sum()
    found = []
    for flat in np.argsort(-apart.weights, axis=None, kind="stable")[: 2 * _PAIRS]:
        one, other = (int(i) for i in np.unravel_index(flat, apart.weights.shape))
        share = float(apart.weights[one, other] / total) if total > 0 else 0.0
        if share >= _LEAST_SHARE:
            sides = (side[:, [one, other]] for side in (item, base))
            found.append(Pair(one, other, share, *_change(*sides, ordered=ordered[one] and ordered[other])))
    return tuple(found)


def _quarters(codes: Codes, rng: np.random.Generator) -> Quarters:
    """The quarter of each value among the others of its column; equal values in random order."""
    rows = len(codes)
    found = np.empty(codes.shape, np.uint8)
    quarter = (np.arange(rows) * BINS // rows).astype(np.uint8)
    for column in range(codes.shape[1]):
        shuffled = rng.permutation(rows)
        found[shuffled[np.argsort(codes[shuffled, column], kind="stable")], column] = quarter
    return found


def _learnt(counts: Floats, usual: Floats, n: int, m: int) -> tuple[list[tuple[int, int]], list[Floats], Floats]:
    """The pairs of columns whose quarters differ most in n and m rows, the logarithms of their ratios, their weights.

    A weight is a chi-square less what the largest of so many pairs shows by chance; the ratios are shrunk alike.
    """
    from scipy.stats import chi2

    columns = counts.shape[0]
    several = columns * (columns - 1) // 2
    expected = (usual + _PRIOR / BINS**2) / (m + _PRIOR)
    distance = ((counts / n - usual / m) ** 2 / expected).sum(axis=(1, 3)) * (n * m / (n + m))
    distance[np.tril_indices(columns)] = 0.0
    weights = np.maximum(distance - chi2.isf(1 / (several + 1), (BINS - 1) ** 2), 0.0)
    best = np.argsort(-weights, axis=None, kind="stable")[:_PAIRS]
    pairs = [(int(flat // columns), int(flat % columns)) for flat in best if weights.flat[flat] > 0]
    kept = np.zeros_like(weights)
    ratios = []
    for pair in pairs:
        one, other = pair
        kept[pair] = weights[pair]
        share = expected[one, :, other, :]
        likelier = np.log((counts[one, :, other, :] + _PRIOR * share) / (n + _PRIOR) / share)
        ratios.append(likelier * weights[pair] / distance[pair])
    return pairs, ratios, kept


def _together(quarters: Quarters) -> Floats:
    """How many rows have each pair of quarters in each pair of columns: (P, BINS, P, BINS)."""
    rows, columns = quarters.shape
    flags = np.zeros((rows, columns, BINS), np.float32)
    np.put_along_axis(flags, quarters[..., None].astype(np.int64), 1.0, axis=2)
    flat = flags.reshape(rows, columns * BINS)
    return np.asarray((flat.T @ flat).reshape(columns, BINS, columns, BINS), np.float64)


def _scored(rows: Quarters, pairs: Sequence[tuple[int, int]], ratios: Sequence[Floats]) -> Floats:
    found = np.zeros(len(rows))
    for (one, other), ratio in zip(pairs, ratios, strict=True):
        found += ratio[rows[:, one], rows[:, other]]
    return found


def _area(item: Floats, base: Floats) -> float:
    """The probability that a row of the item has a greater score than one of the base; equal ones count half."""
    labels = np.repeat([1, 0], [len(item), len(base)])
    return area(np.concatenate([item, base])[:, None], labels)


def _change(item: Codes, base: Codes, *, ordered: bool) -> tuple[str, float, float]:
    """How a pair of columns went together and does, by the measure that changed more."""
    ranks = [float(rank_correlations(side.astype(np.float64))[0, 1]) for side in (base, item)]
    rng = np.random.default_rng(0)
    cramer = [_cramer(_quarters(side, rng)) for side in (base, item)]
    if ordered and abs(ranks[1] - ranks[0]) >= abs(cramer[1] - cramer[0]):
        return "rank correlation", ranks[0], ranks[1]
    return "association", cramer[0], cramer[1]


def _cramer(quarters: Quarters) -> float:
    """Cramér's V of two columns of quarters, less what chance adds to it (Bergsma, 2013)."""
    rows = len(quarters)
    share = np.bincount(quarters[:, 0].astype(np.int64) * BINS + quarters[:, 1], minlength=BINS**2) / rows
    share = share.reshape(BINS, BINS)
    expected = share.sum(axis=1, keepdims=True) * share.sum(axis=0, keepdims=True)
    phi = float(np.divide((share - expected) ** 2, expected, out=np.zeros_like(share), where=expected > 0).sum())
    return math.sqrt(max(0.0, phi - (BINS - 1) ** 2 / max(rows - 1, 1)) / (BINS - 1))
