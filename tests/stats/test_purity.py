"""A value is pure if its rows carry one class, and chance would hardly do so."""

import numpy as np
import numpy.typing as npt
import pytest

from sparkguard.stats.purity import pure_cells

Counts = npt.NDArray[np.int64]


def table(cells: dict[int, tuple[int, int]], groups: int = 40) -> Counts:
    """Rows of class 0 and of class 1 in cells, spread over groups."""
    found = np.zeros((groups, 2, 10), np.int64)
    for cell, rows in cells.items():
        for label, many in enumerate(rows):
            np.add.at(found[:, label, cell], np.arange(many) % groups, 1)
    return found


SINGLE = np.ones(10, np.bool_)


@pytest.mark.parametrize("cell", [0, 1])
def test_missing_values_of_one_class_are_found(cell: int) -> None:
    [pure] = pure_cells(table({cell: (0, 100), 4: (900, 100), 5: (900, 100)}), SINGLE, ordered=True, grouped=True)
    assert (pure.cell, pure.label_class, pure.rows) == (cell, 1, 100)
    assert pure.share_of_class == pytest.approx(1 / 3)
    assert pure.units == 40
    assert pure.chance == pytest.approx((300 / 2100) ** 40)


def test_rows_that_are_independent_count_each_for_itself() -> None:
    [pure] = pure_cells(table({3: (0, 90), 4: (900, 100)}, 3), SINGLE, ordered=False, grouped=False)
    assert pure.units == 90
    [grouped] = pure_cells(table({3: (0, 90), 4: (900, 100)}, 3), SINGLE, ordered=False, grouped=True)
    assert grouped.units == 3
    assert grouped.chance > 0.003


def test_a_value_in_the_middle_of_a_scale_counts_and_its_ends_do_not() -> None:
    middle = table({2: (400, 100), 3: (0, 100), 4: (400, 100)})
    assert [p.cell for p in pure_cells(middle, SINGLE, ordered=True, grouped=False)] == [3]
    for end in (2, 4):
        rows = {2: (400, 100), 3: (400, 100), 4: (400, 100), end: (0, 100)}
        assert not pure_cells(table(rows), SINGLE, ordered=True, grouped=False)


def test_a_stretch_of_a_scale_that_is_pure_is_a_threshold() -> None:
    rows = {2: (400, 10), 3: (400, 10), 4: (0, 100), 5: (0, 100)}
    assert not pure_cells(table(rows), SINGLE, ordered=True, grouped=False)


def test_a_class_that_most_rows_carry_surprises_nobody() -> None:
    assert not pure_cells(table({3: (300, 0), 4: (900, 100)}), SINGLE, ordered=False, grouped=False)


def test_bins_of_many_values_and_few_rows_do_not_count() -> None:
    rows = table({3: (0, 100), 4: (900, 100)})
    assert not pure_cells(rows, np.zeros(10, np.bool_), ordered=False, grouped=False)
    assert not pure_cells(table({3: (0, 19), 4: (900, 100)}), SINGLE, ordered=False, grouped=False)
    assert not pure_cells(table({3: (0, 20), 4: (9_000, 1_000)}), SINGLE, ordered=False, grouped=False)


def test_no_rows_have_no_pure_cells() -> None:
    assert not pure_cells(table({}), SINGLE, ordered=True, grouped=True)
