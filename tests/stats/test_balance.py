"""Differences of shares are as sure as they say, also of rows that depend on each other."""

import numpy as np
import pytest

from sparkguard.stats.balance import Shares, margins, missing, shares_by_groups, shares_by_rows


def largest(one: Shares, other: Shares) -> tuple[float, float]:
    return float(np.abs(one.share - other.share).max()), float(margins(one, other, 0.95).max())


def test_shares_of_rows_are_those_of_the_rows() -> None:
    assert shares_by_rows(np.array([3.0, 1.0, 0.0])).share.tolist() == [0.75, 0.25, 0.0]
    one, other = (shares_by_rows(np.array(rows)) for rows in ([3.0, 1.0, 0.0], [30.0, 10.0, 0.0]))
    assert (margins(one, other, 0.95) > 0).all()


@pytest.mark.parametrize(("one", "other"), [(200, 5_000), (2_000, 2_000), (30, 300)])
def test_the_largest_difference_is_within_its_margin(one: int, other: int) -> None:
    rng = np.random.default_rng(one)
    mine, theirs = np.array([0.7, 0.25, 0.05]), np.array([0.6, 0.3, 0.1])
    truth = float(np.abs(mine - theirs).max())
    off = 0
    for _ in range(2_000):
        value, margin = largest(
            *(shares_by_rows(rng.multinomial(n, p).astype(float)) for n, p in ((one, mine), (other, theirs)))
        )
        off += abs(value - truth) > margin
    assert off / 2_000 < 0.055


@pytest.mark.parametrize("clusters", [15, 60, 400])
def test_clusters_count_and_rows_do_not(clusters: int) -> None:
    rng = np.random.default_rng(clusters)
    off = by_rows = 0
    for _ in range(400):
        # Each cluster has 30 rows of nearly one class.
        sides = []
        for _ in range(2):
            share = rng.beta(0.3, 0.7, clusters)
            yes = rng.binomial(30, share)
            fold = rng.integers(0, 64, clusters)
            rows = np.zeros((64, 2))
            np.add.at(rows, fold, np.stack([yes, 30 - yes], axis=1))
            sides.append(rows)
        value, margin = largest(*(shares_by_groups(rows, clusters) for rows in sides))
        off += value > margin
        value, margin = largest(*(shares_by_rows(rows.sum(axis=0)) for rows in sides))
        by_rows += value > margin
    assert off / 400 < 0.085
    assert by_rows / 400 > 0.3


def test_one_group_says_nothing() -> None:
    one, other = shares_by_groups(np.array([[3.0, 1.0], [0.0, 0.0]]), 1), shares_by_rows(np.array([3.0, 1.0]))
    assert np.isinf(margins(one, other, 0.95)).all()


@pytest.mark.parametrize(
    ("few", "many", "size", "alpha"), [(7, 1_000, 1_000, 0.3), (7, 90, 300, 1.0), (30, 90, 300, 30.0)]
)
def test_few_clusters_against_many_are_no_surer_than_they_are(few: int, many: int, size: int, alpha: float) -> None:
    rng = np.random.default_rng(few)
    shares, off = np.array([0.12, 0.6, 0.28]), 0
    for _ in range(300):
        sides = []
        for clusters in (few, many):
            rows = np.zeros((64, 3))
            each = rng.multinomial(size, rng.dirichlet(alpha * shares, clusters))
            np.add.at(rows, rng.integers(0, 64, clusters), each)
            sides.append(shares_by_groups(rows, clusters))
        one, other = sides
        off += bool((np.abs(one.share - other.share) > margins(one, other, 0.95)).any())
    assert off / 300 < 0.07


def test_a_day_of_strike_in_training_does_not_decide_of_a_week_without() -> None:
    training, week = np.zeros((64, 2)), np.zeros((64, 2))
    training[:8] = [0.0, 1_000.0]
    training[0] = [1_000.0, 0.0]
    week[:7] = [0.0, 1_000.0]
    value, margin = largest(shares_by_groups(training, 8), shares_by_groups(week, 7))
    assert value == 0.125
    assert value - margin < 0


def test_all_of_many_rare_classes_are_within_their_margins_at_once() -> None:
    rng = np.random.default_rng(3)
    shares = 1 / np.arange(1, 101)
    shares /= shares.sum()
    off = 0
    for _ in range(300):
        one, other = (shares_by_rows(rng.multinomial(n, shares).astype(float)) for n in (2_000, 20_000))
        off += bool((np.abs(one.share - other.share) > margins(one, other, 0.95)).any())
    assert off / 300 < 0.07


@pytest.mark.parametrize(
    ("one", "other", "rare"), [(1_500, 200, [0.0005] * 5), (1_200, 150, [0.001] * 10), (2_000, 2_000, [0.003] * 100)]
)
def test_a_class_is_missed_by_chance_less_often_than_is_said(one: int, other: int, rare: list[float]) -> None:
    rng = np.random.default_rng(one)
    shares = np.array([*rare, 1 - sum(rare)])
    wrong = 0
    for _ in range(2_000):
        mine, theirs = rng.multinomial(one, shares), rng.multinomial(other, shares)
        wrong += bool(((mine == 0) & (missing(one, other, theirs.astype(float)) < 0.05 / len(shares))).any())
    assert wrong / 2_000 < 0.06
