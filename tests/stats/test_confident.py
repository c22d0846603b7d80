"""Confident learning by sums is that of cleanlab, and of the definition row by row."""

import numpy as np
import pytest
from cleanlab.count import compute_confident_joint, estimate_joint, get_confident_thresholds
from hypothesis import given
from hypothesis import strategies as st

from sparkguard.core.columns import Column
from sparkguard.core.source import Source
from sparkguard.measures.labels import Chances, ConfidentClasses, LabelCounts
from sparkguard.measures.splits import Part
from sparkguard.stats import confident

SOURCE = Source("t")
LABEL = Part((Column("y", ("y",), "string"),), "string")


def noisy(seed: int, classes: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Labels of which a tenth is wrong, and probabilities of a model that knows the right ones quite well."""
    rng = np.random.default_rng(seed)
    true = rng.choice(classes, rows, p=np.arange(1, classes + 1) / np.arange(1, classes + 1).sum())
    chances = rng.dirichlet(np.ones(classes) * 0.6, rows) * 0.6 + np.eye(classes)[true] * 0.4
    wrong = rng.random(rows) < 0.1
    return np.where(wrong, rng.choice(classes, rows), true), chances


def counted(labels: np.ndarray, chances: np.ndarray, floor: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The thresholds, the confident counts, and those in doubt, by the measures' twins."""
    classes = chances.shape[1]
    rows = [[str(label), *map(float, row)] for label, row in zip(labels, chances, strict=True)]
    columns = tuple(Column(f"p{k}", (f"p{k}",), "double") for k in range(classes))
    asked = Chances(columns, tuple(map(str, range(classes))))
    cells = LabelCounts(SOURCE, LABEL, asked).twin({SOURCE: rows}).cells
    sums, many = np.zeros((classes, classes)), np.zeros(classes)
    for cell in cells:
        sums[int(cell.label or 0)], many[int(cell.label or 0)] = cell.chances, cell.scored
    limits = confident.thresholds(sums, many)
    answer = ConfidentClasses(SOURCE, LABEL, asked, tuple(limits.tolist()), floor).twin({SOURCE: rows})
    found, doubted = np.zeros((classes, classes)), np.zeros((classes, classes))
    for pair, n in answer.rows.items():
        found[pair] = n
    for pair, n in answer.doubted.items():
        doubted[pair] = n
    return limits, found, doubted


@pytest.mark.parametrize("seed", range(5))
def test_two_classes_are_counted_as_by_cleanlab(seed: int) -> None:
    labels, chances = noisy(seed, 2, 500)
    limits, found, _ = counted(labels, chances)
    assert limits == pytest.approx(get_confident_thresholds(labels, chances))
    assert (found == compute_confident_joint(labels, chances, calibrate=False)).all()
    many = np.bincount(labels, minlength=2).astype(float)
    # They round the calibrated counts to whole rows.
    assert confident.joint(found, many) == pytest.approx(estimate_joint(labels, chances), abs=1 / len(labels))


@pytest.mark.parametrize("seed", range(5))
def test_more_classes_are_counted_as_by_the_paper_which_is_nearly_cleanlab(seed: int) -> None:
    labels, chances = noisy(seed, 4, 800)
    limits, found, _ = counted(labels, chances)
    expected = np.zeros((4, 4))
    for label, row in zip(labels, chances, strict=True):
        sure = [k for k in range(4) if row[k] >= limits[k]]
        if sure:
            expected[label, max(sure, key=lambda k: row[k])] += 1
    assert (found == expected).all()
    # Where several classes are confident cleanlab takes the most probable of all, also if it is not among them.
    theirs = compute_confident_joint(labels, chances, calibrate=False)
    assert np.abs(found - theirs).sum() <= 0.02 * len(labels)


def test_labels_in_doubt_are_those_of_which_another_class_is_more_probable() -> None:
    labels, chances = noisy(9, 3, 1_000)
    _, found, doubted = counted(labels, chances)
    off = ~np.eye(3, dtype=bool)
    assert doubted[~off].sum() == 0
    assert 0 < doubted[off].sum() <= found[off].sum()
    _, same, fewer = counted(labels, chances, floor=0.8)
    assert (same == found).all()
    assert (fewer <= doubted).all()
    assert fewer.sum() < doubted.sum()


@given(st.integers(2, 5), st.integers(0, 50), st.integers(0, 1_000))
def test_a_joint_is_a_distribution_with_the_labels_as_they_are(classes: int, rows: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    found = rng.integers(0, 4, (classes, classes)).astype(float)
    labels = rng.multinomial(rows, np.ones(classes) / classes).astype(float)
    joint = confident.joint(found, labels)
    assert joint.sum() == pytest.approx(1 if rows else 0)
    assert joint.sum(axis=1) * rows == pytest.approx(labels)
    if rows:
        assert 0 <= confident.error_rate(found, labels) + 1e-12 <= 1 + 2e-12


def test_a_constant_probability_doubts_nothing() -> None:
    labels = np.array([0, 1] * 50)
    _, _, doubted = counted(labels, np.full((100, 2), 0.5))
    assert doubted.sum() == 0


def test_a_class_without_rows_is_never_confident() -> None:
    limits, found, _ = counted(np.zeros(10, int), np.full((10, 2), 0.5))
    assert np.isnan(limits[1])
    assert found[0, 0] == 10
    assert confident.error_rate(found, np.array([10.0, 0.0])) == 0
