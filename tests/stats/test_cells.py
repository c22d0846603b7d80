"""How values are folded onto what their base has seen, and what is beyond it."""

import numpy as np

from sparkguard.stats.cells import FIRST, NULL, CellKinds, folded
from sparkguard.stats.drift import scores
from sparkguard.stats.maximum import decide
from tests.stats.test_drift import drifted, judge, named, ordered, weeks


def test_folding_moves_ranges_to_the_ends_leaves_new_names_out_and_counts_both() -> None:
    base = np.array([[9, 9, 0, 5, 0, 6, 0, 0], [0, 0, 4, 0, 3, 0, 2, 0]])
    counts = np.array([[1, 1, 1, 1, 1, 1, 1, 1], [0, 0, 1, 7, 1, 2, 1, 1]])
    kinds = CellKinds(np.array([True, False]), np.array([8, 8]))
    found = folded(counts, base, kinds)
    assert found.values.tolist() == [[0, 2, 1, 3, 0, 0], [1, 0, 1, 0, 1, 0]]
    assert found.base.tolist() == [[0, 5, 0, 6, 0, 0], [4, 0, 3, 0, 2, 0]]
    assert found.beyond.tolist() == [3, 10]
    assert found.used.sum(axis=1).tolist() == [6, 6]


def test_a_text_that_takes_the_place_of_all_in_the_buckets_is_found_and_new_rare_ones_are_quiet() -> None:
    rng = np.random.default_rng(31)
    shares = np.concatenate([[0.0, 0.0], np.full(4, 0.15), np.full(16, 0.4 / 16)])
    moved = shares.copy()
    moved[-16:] = 0
    moved[-1] = 0.4
    healthy, found = 0, 0
    for _ in range(40):
        counts = rng.poisson(2_000 * shares * np.exp(0.1 * rng.normal(size=(27, 3, len(shares)))))
        healthy += bool(drifted(judge(counts, named(3, 4))))
        counts[-1, 1] = rng.poisson(2_000 * moved)
        found += 1 in drifted(judge(counts, named(3, 4)))
    assert healthy <= 5, "one of 27 is expected"
    assert found == 40


def test_more_is_beyond_a_base_of_few_rows_and_that_is_no_drift() -> None:
    rng = np.random.default_rng(32)
    tails = np.concatenate([[0, 0], np.full(5, 0.004), np.full(8, 0.12), np.full(5, 0.004)])
    kinds = CellKinds(np.ones(1, dtype=np.bool_), np.full(1, len(tails)))
    items = rng.poisson(2_000 * tails, size=(31, 1, len(tails)))
    bases = rng.poisson(20_000 * tails, size=(31, 1, len(tails)))
    bases[-1] = rng.poisson(60 * tails)
    assert drifted(decide([scores(items, bases, kinds)], 1 / 31)) == []


def test_values_whose_base_has_none_are_not_called_judged() -> None:
    rng = np.random.default_rng(33)
    counts = weeks(rng, np.zeros((40, 2)))
    counts[15:-1, 0, FIRST:] = 0
    counts[15:-1, 0, NULL] = 2_000
    found = judge(counts, ordered(2), "forward").units
    assert (found[0].partial or found[0].drifted, found[1].partial) == (True, False)
