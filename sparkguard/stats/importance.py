"""How much of what trees know of the label they have from one feature, or from several that say the same.

A forest with default settings shows each split a few of the features, so copies of a leak share its importance and
clean features that are offered alone get some. Here every split may use every feature, the trees are
shallow, and importances of features that depend on each other are summed. An importance alone proves
nothing: one of several strong features may take it all. So the trees are also grown without the features,
and with nothing else, and what is told of them is told of rows that they have not seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sparkguard.errors import DataError
from sparkguard.stats.homogeneity import Floats
from sparkguard.stats.power import Task, area
from sparkguard.stats.ranks import rank_correlations

Labels = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

DEPENDENT = 0.9
"""Features whose ranks correlate so, up or down, say the same."""
_TREES = 24
_DEPTH = 5
_ROWS_OF_A_TREE = 20_000
_LEAST_LEAF = 5
_LEAST_ROWS = 25
"""With fewer rows on a side nothing is grown."""
_LEAST_SHARE = 0.05
"""The values of clusters with less of the importance are not shuffled."""
_BROKEN = 0.05
"""A stick broken at random has a longest piece beyond the limit so often."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Features, by number, that depend on each other, and their share of the importance."""

    features: tuple[int, ...]
    share: float
    loss: float = 0.0
    """What the trees lose of their skill on other rows if the features' values are shuffled together."""


@dataclass(frozen=True, slots=True)
class Top:
    """The cluster with the greatest share: what is lost without it, and its power alone."""

    cluster: Cluster
    lost: float
    alone: float


@dataclass(frozen=True, slots=True)
class Importances:
    """Shares (P) of the importance, clusters by falling share, the power of all on other rows, and the limit.

    `top` is there if a cluster has more than the limit.
    """

    shares: tuple[float, ...]
    clusters: tuple[Cluster, ...]
    power: float
    limit: float
    top: Top | None = None


def unavoidable(clusters: int) -> float:
    """The share that the largest of so many has by chance, in one case of twenty at most.

    As the longest piece of a stick that is broken at random (Feller, volume 2, I.9), by Bonferroni.
    """
    return 1.0 if clusters < 2 else float(1 - (_BROKEN / clusters) ** (1 / (clusters - 1)))  # noqa: PLR2004 - one is all


def importances(
    values: Floats, labels: Labels, held_out: Flags, task: Task, most: float, seed: int, shares: Sequence[float] = ()
) -> Importances | None:
    """Grow trees on values (n, P), NaN where there is none, and classes (n,); try them on the rows held out.

    `most` is the share that is accepted; `shares` (P,) are those of trees on more rows, if there are any. None
    if there are too few rows, or one class only.
    """
    seen = ~held_out
    few = min(int(seen.sum()), int(held_out.sum())) < _LEAST_ROWS
    if few or min(len(np.unique(labels[side])) for side in (seen, held_out)) < 2:  # noqa: PLR2004 - a pair of classes
        return None
    ranks = _ranks(values)
    trial = _Trial(ranks, labels, held_out, task, seed)
    model = trial.grown(list(range(values.shape[1])))
    found = np.asarray(shares or model.feature_importances_, np.float64)
    power = trial.power(model, ranks[held_out])
    clusters = sorted(
        (Cluster(members, float(found[list(members)].sum())) for members in _clusters(ranks)), key=lambda c: -c.share
    )
    limit = max(most, unavoidable(len(clusters)))
    told = tuple(_with_loss(trial, model, power, cluster) for cluster in clusters if cluster.share > 0)
    return Importances(tuple(found.tolist()), told, power, limit, _top(trial, told, power, limit))


def _top(trial: _Trial, clusters: Sequence[Cluster], power: float, limit: float) -> Top | None:
    if not clusters or clusters[0].share <= limit:
        return None
    mine = list(clusters[0].features)
    others = [i for i in range(trial.ranks.shape[1]) if i not in clusters[0].features]
    without = trial.power_of(others) if others else 0.5
    skill = max(power - 0.5, 1e-9)
    return Top(clusters[0], float(np.clip((power - without) / skill, 0, 1)), trial.power_of(mine))


def _with_loss(trial: _Trial, model: Any, power: float, cluster: Cluster) -> Cluster:
    """Permutation importance, of all features of a cluster at once."""
    if cluster.share < _LEAST_SHARE:
        return cluster
    shuffled = trial.ranks[trial.held_out].copy()
    order = np.random.default_rng(trial.seed).permutation(len(shuffled))
    columns = list(cluster.features)
    shuffled[:, columns] = shuffled[order][:, columns]
    return Cluster(cluster.features, cluster.share, power - trial.power(model, shuffled))


@dataclass(frozen=True, slots=True, eq=False)
class _Trial:
    """Rows for growing trees and others for trying them."""

    ranks: Floats
    labels: Labels
    held_out: Flags
    task: Task
    seed: int

    def grown(self, features: Sequence[int]) -> Any:
        """Trees on some features."""
        try:
            from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
        except ImportError as error:
            message = f"scikit-learn, which grows the trees, cannot be imported ({error})"
            raise DataError(message, "pip install 'sparkguard[leakage]' for the Python of the driver") from error
        rows = ~self.held_out
        many = int(rows.sum())
        kind, weights = (
            (RandomForestRegressor, {})
            if self.task == "regression"
            else (RandomForestClassifier, {"class_weight": "balanced_subsample"})
        )
        model = kind(
            n_estimators=_TREES,
            max_depth=_DEPTH,
            max_features=None,
            min_samples_leaf=max(_LEAST_LEAF, many // 1_000),
            max_samples=min(1.0, _ROWS_OF_A_TREE / many),
            n_jobs=-1,
            random_state=self.seed,
            **weights,
        )
        return model.fit(self.ranks[rows][:, list(features)], self.labels[rows])

    def power(self, model: Any, values: Floats) -> float:
        """The power of a model's scores of the rows held out."""
        labels = self.labels[self.held_out]
        if self.task == "regression":
            return area(model.predict(values)[:, None], labels)
        scores = np.zeros((len(values), int(self.labels.max()) + 1))
        scores[:, model.classes_] = model.predict_proba(values)
        return area(scores if self.task == "multiclass" else scores[:, -1:], labels)

    def power_of(self, features: Sequence[int]) -> float:
        """The power of trees on some features."""
        return self.power(self.grown(features), self.ranks[self.held_out][:, list(features)])


def _ranks(values: Floats) -> Floats:
    """Ranks that trees can hold, whose numbers have 24 bits; equal values share one, NaN stays."""
    ranks = np.full(values.shape, np.nan, np.float32)
    for column in range(values.shape[1]):
        there = ~np.isnan(values[:, column])
        ranks[there, column] = np.unique(values[there, column], return_inverse=True)[1]
    return ranks.astype(np.float64)


def _clusters(ranks: Floats) -> Sequence[tuple[int, ...]]:
    """Features all of whose pairs depend on each other: complete linkage of Spearman's correlations."""
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    features = ranks.shape[1]
    if features == 1:
        return [(0,)]
    # A value that is missing is one more value.
    distance = 1 - np.abs(rank_correlations(np.where(np.isnan(ranks), -1.0, ranks)))
    np.fill_diagonal(distance, 0)
    found = fcluster(linkage(squareform(distance, checks=False), "complete"), 1 - DEPENDENT, "distance")
    return [tuple(np.flatnonzero(found == number).tolist()) for number in np.unique(found)]
