"""How often the interval of a metric holds the truth, on simulated predictions: 95 % is what it says.

Rows are independent, or come in clusters that share a part of the noise. The truth is the metric of two million
rows. Cells are summed with numpy and judged by what the checks use.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sparkguard.measures.scored import SetCell
from sparkguard.measures.scored_cells import ScoreBins
from sparkguard.shapes.estimates import Estimate, estimate
from sparkguard.shapes.metrics import Wanted

Floats = npt.NDArray[np.float64]
TRUTH_ROWS = 2_000_000
USUAL, THRESHOLD = 0.3, 0.5


@dataclass(frozen=True)
class Kind:
    """Rows, in clusters of a size that varies (0: rows are independent), which share a part of the noise."""

    rows: int
    clusters: int = 0
    shared: float = 0.0
    skew: float = 0.0
    positives: float = USUAL
    skill: float = 1.0

    def __str__(self) -> str:
        """In words: what is not as usual."""
        parts = [f"{self.rows:,} rows"]
        if self.clusters:
            parts.append(f"{self.clusters} {'unequal ' if self.skew else ''}clusters sharing {self.shared:g}")
        if self.positives != USUAL:
            parts.append(f"{self.positives:.0%} positive")
        if self.skill != 1:
            parts.append(f"skill {self.skill:g}")
        return ", ".join(parts)


KINDS = (
    Kind(30),
    Kind(100),
    Kind(1_000),
    Kind(1_000, positives=0.01, skill=2),
    Kind(100, skill=3),
    Kind(400, clusters=20, shared=0.3),
    Kind(2_000, clusters=40, shared=0.3),
    Kind(10_000, clusters=200, shared=0.3),
    Kind(10_000, clusters=2_000, shared=0.5),
    Kind(2_000, clusters=40, shared=0.3, skew=1.0),
)


def draw(kind: Kind, rng: np.random.Generator) -> tuple[Floats, Floats, Floats, Floats, npt.NDArray[np.int64]]:
    """Labels 0 and 1, probabilities, a number to predict, its prediction, and the cluster of each row."""
    n, many = kind.rows, kind.clusters or kind.rows
    share = rng.lognormal(0, kind.skew, many) if kind.clusters else np.ones(many)
    cluster = rng.choice(many, n, p=share / share.sum()) if kind.clusters else np.arange(n)
    common = rng.normal(size=many)[cluster] * np.sqrt(kind.shared)
    noise = common + rng.normal(size=n) * np.sqrt(1 - kind.shared)
    base = np.log(kind.positives / (1 - kind.positives))
    signal = rng.normal(size=n) * kind.skill
    label = (base + signal + noise > 0).astype(float)
    score = 1 / (1 + np.exp(-(base + signal)))
    number = signal + noise * np.exp(rng.normal(size=n) * 0.5)
    return label, score, number, signal, cluster


def cells_of(
    wanted: Wanted, kind: Kind, rng: np.random.Generator, *, clustered: bool
) -> tuple[ScoreBins | None, list[SetCell]]:
    """One table as the cells of a metric."""
    label, score, number, told, cluster = draw(kind, rng)
    family = wanted.metric.family
    truth = label.astype(np.int64)
    bins: ScoreBins | None = None
    keys: list[tuple[int, ...]]
    if family == "areas" or wanted.name == "calibration_error":
        edges = wanted.cell().edges if family != "areas" else edges_of(truth, score)  # type: ignore[attr-defined]
        bins = ScoreBins("1", edges, right=family != "areas")
        code = truth * bins.bins + np.searchsorted(edges, score, side="left" if bins.right else "right")
        keys = [(c, b) for c in (0, 1) for b in range(bins.bins)]
    elif family == "classes":
        said = (score >= THRESHOLD).astype(np.int64)
        keys = [(i, j) for i in (0, 1) for j in (0, 1)]
        code = truth * 2 + said if wanted.name != "accuracy" else 2 + (truth == said)
    elif family == "probabilities":
        keys, code = [(0,), (1,)], truth
    else:
        keys, code = [()], np.zeros(len(truth), np.int64)
    values = values_of(wanted, label, score, number, told)
    folds = 64 if family == "areas" else 1_024
    # As a hash would: clusters meet in a group by chance.
    fold = rng.permutation(max(folds, kind.clusters))[cluster] % folds if clustered else np.zeros(len(truth), np.int64)
    return bins, list(summed(keys, code, fold, values, cluster, clustered=clustered))


def edges_of(truth: npt.NDArray[np.int64], score: Floats) -> tuple[float, ...]:
    """As `ScoreEdges`."""
    shares = np.arange(1, 32) / 32
    found = [np.quantile(score[truth == k], shares, method="inverted_cdf") for k in (0, 1) if (truth == k).any()]
    return tuple(float(edge) for edge in np.unique(np.concatenate(found)))


def values_of(wanted: Wanted, label: Floats, score: Floats, number: Floats, told: Floats) -> list[Floats]:
    """The terms of a row beside 1."""
    error = number - told
    middle = number - number.mean()
    return {
        "log_loss": [-np.log(np.where(label == 1, score, 1 - score))],
        "brier_score": [(label - score) ** 2],
        "calibration_error": [label - score],
        "rmse": [error**2],
        "mae": [np.abs(error)],
        "r2": [error**2, middle, middle**2],
    }.get(wanted.name, [])


def summed(
    keys: Sequence[tuple[int, ...]],
    code: npt.NDArray[np.int64],
    fold: npt.NDArray[np.int64],
    values: list[Floats],
    cluster: npt.NDArray[np.int64],
    *,
    clustered: bool,
) -> Iterator[SetCell]:
    """As `Scored`."""
    terms = np.stack([np.ones(len(code)), *values])
    both = fold * len(keys) + code
    found, at, rows = np.unique(both, return_inverse=True, return_counts=True)
    sums = np.stack([np.bincount(at, weights=term) for term in terms])
    upper = [(i, j) for i in range(len(terms)) for j in range(i, len(terms))]
    moments = np.stack([np.bincount(at, weights=terms[i] * terms[j]) for i, j in upper])
    first, last = np.full(len(found), np.iinfo(np.int64).max), np.full(len(found), -1)
    np.minimum.at(first, at, cluster)
    np.maximum.at(last, at, cluster)
    for i, one in enumerate(found.tolist()):
        yield SetCell(
            0,
            one // len(keys),
            keys[one % len(keys)],
            int(rows[i]),
            tuple(sums[:, i].tolist()),
            () if clustered else tuple(moments[:, i].tolist()),
            frozenset((int(first[i]), int(last[i]))) if clustered else frozenset(),
        )


def judged(wanted: Wanted, kind: Kind, rng: np.random.Generator, *, clustered: bool) -> Estimate:
    """The metric of one table."""
    bins, cells = cells_of(wanted, kind, rng, clustered=clustered)
    return estimate(wanted, bins or wanted.cell(), cells, clustered=clustered)


def main() -> None:
    """Print, for each kind of data and metric, how many intervals hold the truth."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--metrics",
        nargs="*",
        default=[
            *("accuracy", "balanced_accuracy", "precision", "recall", "f1", "roc_auc", "average_precision"),
            *("log_loss", "brier_score", "calibration_error", "rmse", "mae", "r2"),
        ],
    )
    given = parser.parse_args()
    for kind in KINDS:
        large = Kind(TRUTH_ROWS, TRUTH_ROWS // 10 if kind.clusters else 0, kind.shared, 0, kind.positives, kind.skill)
        line = []
        for name in given.metrics:
            rng = np.random.default_rng(given.seed)
            wanted = Wanted(name)
            truth = judged(wanted, large, rng, clustered=False).value
            found = [judged(wanted, kind, rng, clustered=bool(kind.clusters)) for _ in range(given.tables)]
            known = [one.interval for one in found if not np.isnan(one.interval.low)]
            inside = np.mean([one.low <= truth <= one.high for one in known]) if known else np.nan
            below = np.mean([truth < one.low for one in known]) if known else np.nan
            line.append(f"{name} {inside:.1%} (below {below:.1%}, of {len(known)})")
        print(f"{kind}: " + "; ".join(line), flush=True)


if __name__ == "__main__":
    main()
