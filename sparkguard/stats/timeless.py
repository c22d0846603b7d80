"""Scores for tables without time: nothing tells how healthy windows differ, only how clusters or rows do.

Both give the `Scores` that `maximum.decide` takes, with replicates in the place of stretches. Values
beyond the reference have no part of their own: without time nobody knows how many new ones are usual.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sparkguard.stats.cells import FIRST, NAN, NULL, CellKinds, Share
from sparkguard.stats.distances import ks_statistic, tv_distance
from sparkguard.stats.drift import Detectable, Scores, share_effect, value_effect
from sparkguard.stats.homogeneity import Counts, Divergence, Flags, Floats, divergence, weights
from sparkguard.stats.standardised import Law, law, nothing
from sparkguard.stats.stretches import LEAST

REPLICATES = 999

_SEED = 20130101


def cluster_scores(window: Counts, reference: Counts, kinds: CellKinds, replicates: int = REPLICATES) -> Scores:
    """Score (G, C, K) counts of the window, by group of clusters, against those of the reference.

    Clusters are entities whose rows belong together; they are hashed into G groups, 26 or more, the same
    on both sides. Assumed: groups are independent of each other. A group may have the same entities on both
    sides or others: what it adds to the difference of the shares is taken as one number, so that what stays
    with an entity cancels. Each side needs 26 groups with rows, counted by Kish's effective number (Survey
    Sampling, 1965): the variance that few or very unequal groups show is too small.
    The replicates are a wild bootstrap with Rademacher's signs (Liu, Annals of
    Statistics 1988): one sign a group, the same for all units, so that the maximum keeps their dependence.
    Not covered: what all clusters share tonight. A day effect is drift here.
    """
    signs = np.random.default_rng(_SEED).choice(np.array([-1.0, 1.0]), size=(replicates, window.shape[0]))
    units = [_by_groups(window[:, c], reference[:, c], signs, _one(kinds, c)) for c in range(window.shape[1])]
    return _together(units)


def row_scores(
    window: Counts,
    reference: Counts,
    kinds: CellKinds,
    replicates: int = REPLICATES,
    rng: np.random.Generator | None = None,
) -> Scores:
    """Score (C, K) counts of the window against those of the reference, if all rows are independent.

    The replicates are samples of both sizes from the shares of both sides together (parametric bootstrap);
    the reference is a sample too, not the truth. Units are taken as independent, as Sidak does: for units
    that go together the limit is higher than it had to be. Groups of units that are judged together need
    one `rng` (see `random`): replicates that start alike would not be independent.
    """
    rng = rng or random()
    units = []
    for c in range(window.shape[0]):
        n, m = int(window[c].sum()), int(reference[c].sum())
        both = (window[c] + reference[c]).astype(np.float64)
        likely = both / max(n + m, 1) if n + m else np.full(both.shape, 1 / both.size)
        items = np.concatenate([rng.multinomial(n, likely, size=replicates), window[None, c]])[:, None]
        bases = np.concatenate([rng.multinomial(m, likely, size=replicates), reference[None, c]])[:, None]
        units.append(_by_rows(items, bases, _one(kinds, c)))
    return _together(units)


def random() -> np.random.Generator:
    """The generator of replicates, with its own seed."""
    return np.random.default_rng(_SEED)


def _one(kinds: CellKinds, unit: int) -> CellKinds:
    at = slice(unit, unit + 1)
    return CellKinds(kinds.ordered[at], kinds.cells[at])


def _used(kinds: CellKinds, cells: int) -> Flags:
    return np.arange(cells - FIRST) < (kinds.cells - FIRST)[:, None]


def _together(units: list[Scores]) -> Scores:
    def joined(name: str, axis: int = 0) -> Floats:
        return np.concatenate([getattr(u, name) for u in units], axis=axis)

    of = [u.detectable for u in units]
    fields = (np.concatenate([getattr(one.law, f) for one in of]) for f in Law.__slots__)
    noise, known = np.concatenate([one.noise for one in of]), np.concatenate([one.known for one in of])
    detectable = Detectable(Law(*fields), noise, known)
    return Scores(
        window=joined("window"),
        stretches=joined("stretches", axis=1),
        effects=joined("effects"),
        judged=np.concatenate([u.judged for u in units]),
        design_effect=joined("design_effect"),
        detectable=detectable,
        by_rows=detectable,
        partial=np.concatenate([u.partial for u in units]),
    )


def _by_rows(items: Counts, bases: Counts, kinds: CellKinds) -> Scores:
    """Score (R + 1, 1, K) replicates and the window of one unit."""
    seen = divergence(items[..., FIRST:], bases[..., FIRST:], _used(kinds, items.shape[-1]))
    expected = law(seen, nothing(seen))
    shares = [Share.of(cell, items, bases) for cell in (NULL, NAN)]
    columns = [np.where(seen.known, expected.score(seen.observed), -np.inf)]
    for share in shares:
        of = share.divergence()
        columns.append(np.where(of.known & share.moved, law(of, nothing(of)).score(of.observed), -np.inf))
    columns.append(np.full_like(columns[0], -np.inf))
    scored = np.stack(columns, axis=-1)
    effects = [value_effect(items, bases, kinds), *(share_effect(s) for s in shares), np.full(1, np.nan)]
    detectable = Detectable(expected.at(-1), (seen.sampling / seen.freedom)[-1], seen.known[-1])
    return Scores(
        window=scored[-1],
        stretches=scored[:-1].max(axis=-1),
        effects=np.stack(effects, axis=-1),
        judged=(items[-1].sum(axis=-1) > 0) & (bases[-1].sum(axis=-1) > 0),
        design_effect=np.ones(1),
        detectable=detectable,
        by_rows=detectable,
        partial=(items[-1, :, FIRST:].sum(axis=-1) > 0) & ~seen.known[-1],
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Groups:
    """Two samples in k cells by group, (G, k) each: their squared distance, and its wild bootstrap."""

    seen: Divergence
    law: Law
    observed: Floats
    """(R,) squared distances of the replicates."""
    changes: Floats
    """(R, k) differences of the shares in the replicates."""

    @classmethod
    def of(cls, counts: Counts, base: Counts, used: Flags, signs: Floats) -> _Groups:
        total, whole = counts.sum(axis=0), base.sum(axis=0)
        seen = divergence(total, whole, used)
        seen = replace(seen, known=seen.known & enough(counts) & enough(base))
        # What a group adds to the difference, beyond what it would add with the shares of its side.
        added = np.sqrt(len(counts) / (len(counts) - 1)) * (_residuals(counts) - _residuals(base))
        scaled = added / np.sqrt(weights(whole, used))
        moments = np.linalg.eigvalsh(scaled @ scaled.T)
        first, second, third = (float((moments**power).sum()) for power in (1, 2, 3))
        # Clusters are not taken to be less different than single rows: a column that never varied says little.
        if first < seen.sampling:
            row = seen.sampling / seen.freedom
            first, second, third = (float(seen.freedom * row**power) for power in (1, 2, 3))
        freedom, scale = second**3 / third**2, third / second
        mean, error = np.full(1, first), np.full(1, len(counts) - 1.0)
        found = Law(mean, mean - scale * freedom, np.full(1, scale * freedom), np.full(1, freedom), error)
        changes = signs @ added
        return cls(seen, found, ((signs @ scaled) ** 2).sum(axis=-1), changes)

    def scored(self) -> Floats:
        """(R + 1,) scores: the replicates', at last the window's."""
        observed = np.append(self.observed, self.seen.observed)
        return self.law.score(observed) if self.seen.known else np.full(len(observed), -np.inf)


def enough(counts: Counts) -> Flags:
    """Whether (G, ...) counts are of 26 groups at least, of which unequal ones count less (Kish's effective number)."""
    rows = counts.reshape(len(counts), -1).sum(axis=1, dtype=np.float64)
    return np.asarray(rows.sum() ** 2 >= LEAST * (rows**2).sum())


def _residuals(counts: Counts) -> Floats:
    """What each of (G, k) groups adds to the shares beyond its part of the rows; adds up to 0."""
    rows = max(int(counts.sum()), 1)
    return np.asarray((counts - counts.sum(axis=1, keepdims=True) * (counts.sum(axis=0) / rows)) / rows)


def _by_groups(window: Counts, reference: Counts, signs: Floats, kinds: CellKinds) -> Scores:
    """Score one unit by its (G, K) counts."""
    used = _used(kinds, window.shape[-1])[0]
    values = _Groups.of(window[:, FIRST:], reference[:, FIRST:], used, signs)
    sides = window[:, FIRST:].sum(axis=0), reference[:, FIRST:].sum(axis=0)
    effect = float(tv_distance(*sides) - np.median(np.abs(values.changes).sum(axis=-1) / 2))
    if kinds.ordered[0]:
        usual = np.median(np.abs(values.changes.cumsum(axis=-1)).max(axis=-1))
        effect = max(effect, float(ks_statistic(*sides) - usual))
    scored, effects = [values.scored()], [effect]
    for cell in (NULL, NAN):
        found, effect = _share_by_groups(window, reference, cell, signs)
        scored.append(found)
        effects.append(effect)
    scored.append(np.full_like(scored[0], -np.inf))
    effects.append(np.nan)
    stacked = np.stack(scored, axis=-1)
    detectable = Detectable(values.law, values.law.scale, np.atleast_1d(values.seen.known))
    return Scores(
        window=stacked[-1:],
        stretches=stacked[:-1].max(axis=-1)[:, None],
        effects=np.array([effects]),
        judged=np.array([window.sum() > 0 and reference.sum() > 0 and enough(window) and enough(reference)]),
        design_effect=values.law.mean / values.seen.sampling,
        detectable=detectable,
        by_rows=detectable,
        partial=np.atleast_1d((window[:, FIRST:].sum() > 0) & ~values.seen.known),
    )


def _share_by_groups(window: Counts, reference: Counts, cell: int, signs: Floats) -> tuple[Floats, float]:
    """Score the share of one cell: (R + 1,) scores, and its effect."""
    counts, base = (np.stack([s[:, cell], s.sum(axis=1) - s[:, cell]], axis=1) for s in (window, reference))
    found = _Groups.of(counts, base, np.ones(2, dtype=np.bool_), signs)
    rows, base_rows = float(counts.sum()), float(base.sum())
    share = base[:, 0].sum() / max(base_rows, 1)
    changes = np.append(found.changes[:, 0], counts[:, 0].sum() / max(rows, 1) - share)
    one = np.ones_like(changes)
    moved = Share(np.clip(share + changes, 0, 1), one, share * one, one).moved
    effect = float(abs(changes[-1]) - np.median(np.abs(changes[:-1])))
    return np.where(moved, found.scored(), -np.inf), effect
