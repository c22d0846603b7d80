"""Differences of shares are as sure as they say, also of rows that depend on each other."""

import numpy as np
import pytest

from sparkguard.stats.balance import Shares, margins, shares_by_groups, shares_by_rows


def largest(one: Shares, other: Shares) -> tuple[float, float]:
    return float(np.abs(one.share - other.share).max()), float(margins(one, other, 0.95).max())


def test_shares_of_rows_are_those_of_the_rows() -> None:
    assert shares_by_rows(np.array([3.0, 1.0, 0.0])).share.tolist() == [0.75, 0.25, 0.0]
    assert (shares_by_rows(np.array([3.0, 1.0, 0.0])).variance > 0).all()


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
        value, margin = largest(*(shares_by_groups(rows) for rows in sides))
        off += value > margin
        value, margin = largest(*(shares_by_rows(rows.sum(axis=0)) for rows in sides))
        by_rows += value > margin
    assert off / 400 < 0.085
    assert by_rows / 400 > 0.3


def test_one_group_says_nothing() -> None:
    assert np.isinf(shares_by_groups(np.array([[3.0, 1.0], [0.0, 0.0]])).variance).all()
