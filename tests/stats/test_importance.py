"""A leak has most of the importance however often it is copied, and an honest table does not lose its own."""

import sys

import numpy as np
import numpy.typing as npt
import pytest
from sklearn import datasets

from sparkguard.errors import DataError
from sparkguard.stats.importance import Importances, importances, unavoidable
from sparkguard.stats.power import Task

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]


def judged(values: Floats, labels: Labels, task: Task = "binary", seed: int = 0) -> Importances:
    held_out = np.random.default_rng(9).permutation(len(labels)) % 4 == 0
    found = importances(values, labels, held_out, task, 0.5, seed)
    assert found is not None
    return found


def clean(n: int, features: int, seed: int = 0) -> tuple[Floats, Labels]:
    """Features of which three tell a little of the label."""
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(n, features))
    labels = (values[:, :3].sum(axis=1) + 2 * rng.normal(size=n) > 0).astype(np.int64)
    return values, labels


@pytest.mark.parametrize("copies", [1, 2, 4, 8])
def test_copies_do_not_dilute_a_leak(copies: int) -> None:
    values, labels = clean(3_000, 12)
    rng = np.random.default_rng(1)
    leaks = labels[:, None] + 0.35 * rng.normal(size=(3_000, 1)) + 0.02 * rng.normal(size=(3_000, copies))
    found = judged(np.hstack([values, leaks]), labels)
    assert found.top is not None
    assert found.top.cluster.features == tuple(range(12, 12 + copies))
    assert found.top.cluster.share > 0.8
    assert found.top.alone > 0.95
    assert found.top.lost > 0.35
    assert found.clusters[0].loss > 0.2


def test_a_clean_table_has_no_top() -> None:
    found = judged(*clean(3_000, 12))
    assert found.top is None
    assert sum(found.shares) == pytest.approx(1)
    assert {found.clusters[i].features[0] for i in range(3)} == {0, 1, 2}


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "digits"])
def test_strong_features_of_honest_tables_are_not_all_that_is_known(name: str) -> None:
    table = getattr(datasets, f"load_{name}")()
    task: Task = "binary" if table.target.max() == 1 else "multiclass"
    found = judged(table.data, table.target.astype(np.int64), task)
    assert found.top is None or found.top.lost < 0.3


def test_what_is_missing_infinite_or_constant_is_no_trouble() -> None:
    values, labels = clean(500, 6)
    values[::3, 0], values[1, 1], values[2, 1], values[:, 4], values[:, 5] = np.nan, np.inf, -np.inf, 7.0, np.nan
    values[:, 3] *= 1e300
    assert judged(values, labels).power > 0.6


def test_it_is_the_same_for_a_seed() -> None:
    assert judged(*clean(400, 5), seed=3) == judged(*clean(400, 5), seed=3)


def test_a_number_as_label_is_told_by_its_ranks() -> None:
    rng = np.random.default_rng(2)
    values = rng.normal(size=(2_000, 5))
    labels = np.digitize(values[:, 2] + 0.1 * rng.normal(size=2_000), np.linspace(-1.2, 1.2, 9)).astype(np.int64)
    found = judged(values, labels, "regression")
    assert found.top is not None
    assert found.top.cluster.features == (2,)


@pytest.mark.parametrize("rows", [0, 1, 40])
def test_too_few_rows_grow_nothing(rows: int) -> None:
    values, labels = clean(max(rows, 1), 3)
    held_out = np.arange(rows) % 2 == 0
    assert importances(values[:rows], labels[:rows], held_out, "binary", 0.5, 0) is None


def test_the_unavoidable_share_is_that_of_a_broken_stick() -> None:
    rng = np.random.default_rng(0)
    for pieces in (2, 3, 5, 10, 30):
        longest = rng.dirichlet(np.ones(pieces), 20_000).max(axis=1)
        assert (longest > unavoidable(pieces)).mean() == pytest.approx(0.05, abs=0.01)


def test_without_scikit_learn_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.ensemble", None)
    rng = np.random.default_rng(0)
    values, labels = rng.normal(size=(400, 2)), rng.integers(0, 2, 400)
    with pytest.raises(DataError, match="scikit-learn, which grows the trees, cannot be imported") as caught:
        importances(values, labels, np.arange(400) % 4 == 0, "binary", 0.5, 0)
    assert "sparkguard[leakage]" in str(caught.value.remedy)


def test_shares_of_trees_on_more_rows_take_the_place_of_the_samples() -> None:
    rng = np.random.default_rng(1)
    values, labels = rng.normal(size=(400, 3)), rng.integers(0, 2, 400)
    found = importances(values, labels, np.arange(400) % 4 == 0, "binary", 0.5, 0, (0.1, 0.7, 0.2))
    assert found is not None
    assert found.shares == (0.1, 0.7, 0.2)
    assert [cluster.features for cluster in found.clusters] == [(1,), (2,), (0,)]
