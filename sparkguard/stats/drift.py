"""Scores of the window and of each stretch, for groups of units; `maximum.decide` judges all groups together.

A unit is a column, or a column within a slice. Its score is the largest of its parts: the values that are
neither NULL nor NaN, and the shares of NULL, of NaN, and of values beyond what the base has seen. Values
beyond the base count as its nearest cells among the values, since cells that are empty by construction
would be drift in every stretch. What is beyond is tested on its own, against the other stretches.

Whichever of window and stretch has more rows is thinned to the other's number before it is scored, so
that a stretch is a snapshot of the window's size; what blocks differ by is estimated from all rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from sparkguard.stats.cells import FIRST, NAN, NULL, CellKinds, Share, beyond, folded, usual_beyond
from sparkguard.stats.distances import ks_statistic, tv_distance
from sparkguard.stats.homogeneity import Counts, Divergence, Flags, Floats, divergence, thinned
from sparkguard.stats.standardised import Law, between, law, nothing, usable
from sparkguard.stats.stretches import Snapshots, Span

PARTS = ("values", "null", "nan", "beyond")

_SEED = 20130101
_KOLMOGOROV_MEDIAN = 0.8276
"""The median of Kolmogorov's distribution."""
_NORMAL_MEDIAN = 0.6745
"""The median of the absolute value of a standard normal variable."""
_NORMAL_MEAN = 0.7979
"""Its mean."""
_POWER = 0.8416
"""The standard normal quantile of 80 %."""


@dataclass(frozen=True, slots=True, eq=False)
class Detectable:
    """What the size of a change that would be found follows from: the law of healthy values, and their noise."""

    law: Law
    noise: Floats
    known: Flags

    def smallest(self, limit: float) -> Floats:
        """The total variation of values that 4 of 5 windows would show; a KS statistic is never larger.

        A total variation t is a squared distance of at least 4 t^2 (Cauchy and Schwarz), so that this is
        enough for every kind of change; 1 where none is sure to be seen. NaN where nothing is known.
        """
        half = _POWER * np.sqrt(self.noise)
        needed = np.maximum(self.law.observed(max(limit, 0.0)) - self.law.mean, 0)
        found = np.minimum((half + np.sqrt(half**2 + needed)) / 2, 1.0)
        return np.where(self.known, found, np.nan)


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """The scores of C units: `window` (C, 4) by part, `stretches` (S, C) the largest part; -inf where unknown.

    `effects` (C, 4) is the total variation (ordered: or KS statistic) of the values, and the change of each
    share, less what is usual in stretches. `judged` (C,): window and enough stretches have rows of the unit.
    `design_effect` (C,): how many times the variance of independent rows the shares of stretches have.
    `by_rows` is what would be detectable if nothing but the number of rows stood in the way. `partial`: the
    window has values, but its base or too many stretches have none, so that only shares were scored; or values
    are beyond a base that has too few rows to say what is new.
    """

    window: Floats
    stretches: Floats
    effects: Floats
    judged: Flags
    design_effect: Floats
    detectable: Detectable
    by_rows: Detectable
    partial: Flags


def gathered(blocks: Counts, window: Counts, snapshots: Snapshots) -> tuple[Counts, Counts]:
    """Add up (B, C, K) blocks for stretches and bases, and put the (C, K) window last, as `scores` takes them."""
    total = np.concatenate([np.zeros_like(blocks[:1]), np.cumsum(blocks, axis=0)])

    def within(spans: Sequence[Span]) -> Counts:
        return np.asarray(sum(total[b] - total[a] for a, b in spans))

    stretches = snapshots.stretches
    items = [*(within([(s.start, s.stop)]) for s in stretches), window]
    bases = [*(within(s.base) for s in stretches), within(snapshots.base)]
    return np.stack(items), np.stack(bases)


def scores(items: Counts, bases: Counts, kinds: CellKinds) -> Scores:
    """Score (S + 1, C, K) counts, those of the stretches and at last the window's, each against its base."""
    # The same counts are always thinned alike, other nights otherwise: a lucky seed would be lucky every night.
    rng = np.random.default_rng([_SEED, crc32(items[-1].tobytes())])
    snapshots = thinned(items, _fewest(items), rng)
    whole, part = folded(items, bases, kinds), folded(snapshots, bases, kinds)
    values = _Judged.of(divergence(whole.values, whole.base, whole.used), divergence(part.values, part.base, part.used))
    pairs = [(Share.of(c, items, bases), Share.of(c, snapshots, bases)) for c in (NULL, NAN)]
    rows, thin_rows = (side[..., FIRST:].sum(axis=-1, dtype=np.float64) for side in (items, snapshots))
    usual = usual_beyond(whole.beyond, rows)
    pairs.append((beyond(whole.beyond, rows, usual, rows), beyond(part.beyond, thin_rows, usual, rows)))
    counted = [thin.moved for _, thin in pairs]
    deep = _as_deep(whole.base)
    unsure = counted[-1][-1] & ~deep[-1]
    counted[-1] &= deep
    judged = [_Judged.of(full.divergence(), thin.divergence()) for full, thin in pairs]
    shares = [one.scores(counts) for one, counts in zip(judged, counted, strict=True)]
    scored = np.stack([values.scores(), *shares], axis=-1)
    effects = [value_effect(items, bases, kinds), *(share_effect(full) for full, _ in pairs)]
    return Scores(
        window=scored[-1],
        stretches=scored[:-1].max(axis=-1),
        effects=np.stack(effects, axis=-1),
        judged=usable(items[:-1].sum(axis=-1) > 0) & (items[-1].sum(axis=-1) > 0),
        design_effect=values.design_effect(),
        detectable=values.detectable(),
        by_rows=values.detectable_by_rows(),
        partial=((items[-1, :, FIRST:].sum(axis=-1) > 0) & ~(values.thin.known[-1] & values.told)) | unsure,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Judged:
    """One statistic of S stretches and the window: of all rows, of thinned ones, and the law of the latter."""

    full: Divergence
    thin: Divergence
    law: Law
    noise: Floats

    @classmethod
    def of(cls, full: Divergence, thin: Divergence) -> _Judged:
        healthy = between(full.at(slice(-1)))
        return cls(full, thin, law(thin, healthy), healthy.mean[-1] + (thin.sampling / thin.freedom)[-1])

    @property
    def told(self) -> Flags:
        """Whether enough stretches are known."""
        return usable(self.thin.known[:-1])

    def scores(self, counted: Flags | bool = True) -> Floats:  # noqa: FBT001, FBT002 - an array or all of it
        """The scores; -inf where they do not count, or where too few stretches are known."""
        counts = self.thin.known & counted & self.told
        return np.where(counts, self.law.score(self.thin.observed), -np.inf)

    def detectable(self) -> Detectable:
        """What would be found in the window."""
        return Detectable(self.law.at(-1), self.noise, self.thin.known[-1] & self.told)

    def detectable_by_rows(self) -> Detectable:
        """What would be found in the window if blocks did not differ."""
        seen = self.thin.at(slice(-1, None))
        return Detectable(law(seen, nothing(seen)).at(0), (seen.sampling / seen.freedom)[0], seen.known[0] & self.told)

    def design_effect(self) -> Floats:
        """The mean squared distance of the stretches by that of samples of rows; NaN where no stretch is known."""
        of = self.full.at(slice(-1))
        observed, sampling = (np.where(of.known, a, 0.0).sum(axis=0) for a in (of.observed, of.sampling))
        return np.asarray(np.divide(observed, sampling, out=np.full_like(sampling, np.nan), where=sampling > 0))


def _as_deep(bases: Counts) -> Flags:
    """Whether a base has at least half of the usual rows: a smaller one has seen less, so more is beyond it."""
    rows = bases.sum(axis=-1, dtype=np.float64)
    return np.asarray(2 * rows >= np.median(rows[:-1], axis=0))


def _fewest(items: Counts) -> Floats:
    """The rows that every item of a unit is thinned to: the window's, or the stretches' median where that is less."""
    rows = items.sum(axis=-1, dtype=np.float64)
    stretches = np.where((rows[:-1] > 0) | (rows[:-1] == 0).all(axis=0), rows[:-1], np.nan)
    return np.asarray(np.minimum(rows[-1], np.nanmedian(stretches, axis=0)))


def share_effect(share: Share) -> Floats:
    """How far the share of the last item moved, less what is usual in the others."""
    noise = _NORMAL_MEDIAN * np.sqrt(share.base * (1 - share.base))
    return _above_usual(np.abs(share.change), 1 / np.maximum(share.rows, 1) + 1 / np.maximum(share.base_rows, 1), noise)


def value_effect(items: Counts, bases: Counts, kinds: CellKinds) -> Floats:
    """How far the values of the last item moved, less what is usual in the others.

    By total variation, for ordered units also by KS if that says more: it has less noise, but does not see
    values that moved to a neighbour and back, as by rounding.
    """
    values, base = items[..., FIRST:], bases[..., FIRST:]
    rows, base_rows = (np.maximum(side.sum(axis=-1, dtype=np.float64), 1) for side in (values, base))
    share, fineness = base / base_rows[..., None], 1 / rows + 1 / base_rows
    noise = _NORMAL_MEAN / 2 * np.sqrt(share * (1 - share)).sum(axis=-1)
    varied = _above_usual(tv_distance(values, base), fineness, noise)
    moved = _above_usual(ks_statistic(values, base), fineness, np.minimum(noise, _KOLMOGOROV_MEDIAN))
    return np.where(kinds.ordered, np.fmax(varied, moved), varied)


def _above_usual(apart: Floats, fineness: Floats, noise: Floats) -> Floats:
    """The window's distance less the median of the stretches', as it would be with the window's rows.

    Sampling adds about `noise` × sqrt(`fineness`) to a distance, as to its square the square.
    """
    known = ~np.isnan(apart)
    stretches = np.where(known[:-1] | ~known[:-1].any(axis=0), apart[:-1], np.nan)
    blank = ~known[:-1].any(axis=0)
    stretches = np.where(blank, 0.0, stretches)
    usual = np.nanmedian(np.maximum(stretches**2 - noise[:-1] ** 2 * fineness[:-1], 0), axis=0)
    return np.asarray(apart[-1] - np.sqrt(usual + noise[-1] ** 2 * fineness[-1]))
