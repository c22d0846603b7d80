"""How far the shares of two samples are apart, and how much of that their sampling explains.

Two samples of n and N rows, whose true shares differ by d, differ in the observed ones by d and by
sampling. With weights 1/w the squared distance is D = sum((p - q)^2 / w), whose expectation is
sum(d^2 / w) + h, and h = (1/n + 1/N) sum(q (1 - q) / w) depends on nothing but the rows and the shares:
what is left after subtracting it can be compared between samples of any size. If rows were independent
and d = 0, D would be a sum of weighted chi-squares with the mean h and, by Satterthwaite (An Approximate
Distribution of Estimates of Variance Components, Biometrics 1946), `freedom` degrees of freedom.

The weights are the base's shares, mixed with equal ones: a chi-square's weights would let a handful of
rows in a cell that had none decide.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

EQUAL = 0.5
"""The weight of equal shares, where the base's weigh 1."""


@dataclass(frozen=True, slots=True, eq=False)
class Divergence:
    """Squared distances of any shape: `observed`, of which sampling explains `sampling` with `freedom`.

    `known` is false where one side has no rows; the other numbers are finite there, and mean nothing.
    """

    observed: Floats
    sampling: Floats
    freedom: Floats
    known: Flags

    def at(self, index: slice) -> Divergence:
        """Take a part, as of an array."""
        return Divergence(self.observed[index], self.sampling[index], self.freedom[index], self.known[index])


def divergence(counts: Counts, base: Counts, used: Flags) -> Divergence:
    """How far values are from their base: (..., K) counts in the cells that are `used`, to shape (...)."""
    n, m = counts.sum(axis=-1, dtype=np.float64), base.sum(axis=-1, dtype=np.float64)
    q, equal, weight = base / np.maximum(m, 1)[..., None], _equal(used), weights(base, used)
    observed = ((counts / np.maximum(n, 1)[..., None] - q) ** 2 / weight).sum(axis=-1)
    # One more row, spread over all cells: a base that knows a single value does not know that there is no other.
    likely = (base + equal) / (m + 1)[..., None]
    ratio = likely / weight
    mean = ((1 - likely) * ratio).sum(axis=-1)
    square = (ratio**2 * (1 - 2 * likely)).sum(axis=-1) + (ratio * likely).sum(axis=-1) ** 2
    known = (n > 0) & (m > 0) & (mean > 0)
    freedom = np.divide(mean**2, square, out=np.ones_like(mean), where=known)
    sampling = np.where(known, mean * (1 / np.maximum(n, 1) + 1 / np.maximum(m, 1)), 1.0)
    return Divergence(observed, sampling, freedom, known)


def weights(base: Counts, used: Flags) -> Floats:
    """By what the squared differences of shares are divided: the base's shares mixed with equal ones; 1 if not used."""
    q = base / np.maximum(base.sum(axis=-1, keepdims=True), 1)
    return np.where(used, (q + EQUAL * _equal(used)) / (1 + EQUAL), 1.0)


def _equal(used: Flags) -> Floats:
    return np.asarray(used / np.maximum(used.sum(axis=-1, keepdims=True), 1))


def share_divergence(part: Floats, rows: Floats, base_part: Floats, base_rows: Floats) -> Divergence:
    """How far a share of rows is from that of its base, on the scale on which its sampling does not depend on it.

    The scale is 2 arcsin(sqrt(share)), with the variance 1/n (Anscombe, Biometrika 1948); all shapes alike.
    """
    n, m = np.maximum(rows, 1), np.maximum(base_rows, 1)
    one, other = (2 * np.arcsin(np.sqrt(np.clip(a / b, 0, 1))) for a, b in ((part, n), (base_part, m)))
    known = (rows > 0) & (base_rows > 0)
    return Divergence((one - other) ** 2, 1 / n + 1 / m, np.ones_like(n), known)


def thinned(counts: Counts, rows: Floats, rng: np.random.Generator) -> Counts:
    """Keep each of (..., K) counted rows with the probability that leaves `rows` on average; where there are more."""
    n = counts.sum(axis=-1, dtype=np.float64)
    keep = np.minimum(1.0, rows / np.maximum(n, 1))
    return np.asarray(rng.binomial(counts, np.broadcast_to(keep[..., None], counts.shape)), dtype=np.int64)
