"""Grids: every value has one cell, edges follow a sample, labels show values as the column does."""

import math
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkguard.core.columns import Column
from sparkguard.core.source import Source
from sparkguard.measures.grids import DATE, FIRST, INTEGER, MOMENT, NAN, NULL, NUMBER, TEXT, Grid, fits, kind_of
from sparkguard.measures.hashes import hash_of_text
from sparkguard.measures.sampled_grids import BUCKETS, FEW, Grids, ordered_grid, text_grid

T = Source("t")
floats = st.floats(allow_nan=False, allow_infinity=False, width=64)


def named(*texts: str, least: int = 2) -> Grid:
    hashes = [hash_of_text(text) for text in texts for _ in range(least)]
    return text_grid(np.array(hashes, np.int64), {hash_of_text(text): text for text in texts})


@pytest.mark.parametrize(
    ("text", "hashed"),
    [
        ("", -7444071767201028348),
        ("a", -8582455328737087284),
        ("abc", 1423657621850124518),
    ],
)
def test_texts_are_hashed_as_spark_does(text: str, hashed: int) -> None:
    assert hash_of_text(text) == hashed


@given(st.lists(floats, max_size=300))
def test_edges_ascend_and_are_finite(values: list[float]) -> None:
    grid = ordered_grid(NUMBER, np.array(values, np.float64))
    assert all(map(math.isfinite, grid.edges))
    assert list(grid.edges) == sorted(set(grid.edges))
    assert grid.cells == len(grid.edges) + 3 <= 140


@given(st.lists(floats, min_size=1, max_size=FEW, unique=True), floats)
def test_few_distinct_values_have_a_cell_each_in_which_nothing_else_is(values: list[float], other: float) -> None:
    grid = ordered_grid(NUMBER, np.array(values * 3, np.float64))
    cells = {grid.cell_of(v) for v in values}
    assert len(cells) == len(set(values))
    assert other in values or grid.cell_of(other) not in cells


@given(st.lists(st.integers(-(2**62), 2**62), min_size=1, max_size=FEW, unique=True))
def test_few_distinct_whole_numbers_and_days_have_a_cell_each_that_is_named_by_them(values: list[int]) -> None:
    grid = ordered_grid(INTEGER, np.array(values * 3, np.float64))
    assert len({grid.cell_of(v) for v in values}) == len({float(v) for v in values})
    assert all(grid.label(grid.cell_of(v)) == str(v) for v in values if abs(v) < 2**52)


def test_infinities_that_are_usual_have_bins_of_their_own_and_do_not_outgrow_the_grid() -> None:
    sample = np.array([-math.inf, 1.0, 2.0, math.inf])
    grid = ordered_grid(NUMBER, sample)
    assert len({grid.cell_of(v) for v in (-math.inf, -1e308, 1.0, 2.0, 1e308, math.inf)}) == 6
    assert not grid.outgrown(counts_of(grid, sample))
    assert ordered_grid(NUMBER, sample[1:3]).outgrown(counts_of(ordered_grid(NUMBER, sample[1:3]), sample))


def counts_of(grid: Grid, values: np.ndarray) -> list[int]:
    return list(map(int, np.bincount([grid.cell_of(v) for v in values], minlength=grid.cells)))


def test_values_beyond_the_sample_have_cells_of_their_own() -> None:
    sample = np.arange(1_000, dtype=np.float64)
    grid = ordered_grid(INTEGER, sample)
    inside = {grid.cell_of(int(v)) for v in sample}
    beyond = [grid.cell_of(v) for v in (-1e6, -3_000, -900, -200, 1_200, 1_900, 4_000, 1e6)]
    assert len(set(beyond)) == 8
    assert not inside & set(beyond)
    assert grid.cell_of(1_050) not in {*inside, *beyond}
    assert 30 <= len(inside) <= 50


def test_a_constant_column_tells_what_is_another_value() -> None:
    for value in (0.0, 7.0, -1e6):
        grid = ordered_grid(NUMBER, np.full(50, value))
        step = max(abs(value), 1.0)
        far = (-20, -3, -1, -0.2, -0.01, 0, 0.01, 0.2, 1, 3, 20)
        assert len({grid.cell_of(value + by * step) for by in far}) == len(far)


def test_a_grid_is_outgrown_by_values_that_its_sample_did_not_have() -> None:
    drawn = np.random.default_rng(3).normal(size=5_000)
    grid = ordered_grid(NUMBER, drawn)
    assert not grid.outgrown(counts_of(grid, drawn[:500]))
    assert not grid.outgrown(counts_of(grid, np.append(drawn[:500], [99.0] * 20)))
    assert grid.outgrown(counts_of(grid, np.append(drawn[:500], [99.0] * 60))), "no change among them would be seen"
    assert grid.outgrown(counts_of(grid, 1e6 * drawn[:500]))
    assert Grid(NUMBER).outgrown([0, 0, 5])


@pytest.mark.parametrize(
    "values", [(0.0, 1.0), (2.0**60, 2.0**60 + 256), (1e9, math.nextafter(1e9, 2e9)), (1.7e308, 0.0)]
)
def test_a_frequent_end_does_not_outgrow_its_grid(values: tuple[float, float]) -> None:
    sample = np.array([values[0]] * 70 + [values[1]] * 30)
    grid = ordered_grid(NUMBER, sample)
    assert not grid.outgrown(counts_of(grid, sample))


@pytest.mark.parametrize("many", [500, 2_500, 5_000, 10_000])
def test_a_wide_tables_small_sample_names_nothing_that_seems_gone_later(many: int) -> None:
    rng = np.random.default_rng(many)
    for _ in range(5):
        grid = text_grid(rng.integers(0, many, 4_194), {i: str(i) for i in range(many)})
        rows = rng.integers(0, many, 100_000)
        counts = [0, 0, *(int((rows == h).sum()) for h in grid.hashes), *([len(rows) // 16] * 16)]
        assert not grid.outgrown(counts)


def test_a_frequent_value_among_many_has_a_cell_of_its_own() -> None:
    grid = ordered_grid(NUMBER, np.concatenate([np.zeros(900), np.linspace(0.001, 50, 300), np.full(200, 20.0)]))
    for value in (0.0, 20.0):
        cell = grid.cell_of(value)
        assert grid.cell_of(value + 0.3) != cell
        assert value == 0 or grid.cell_of(value - 0.3) != cell


@pytest.mark.parametrize(
    ("kind", "value", "cell"),
    [
        (NUMBER, None, NULL),
        (NUMBER, math.nan, NAN),
        (NUMBER, -math.inf, FIRST),
        (NUMBER, math.inf, FIRST + 2),
        (NUMBER, -0.0, FIRST + 1),
        (NUMBER, Decimal("9.99"), FIRST + 1),
        (NUMBER, 10, FIRST + 2),
        (DATE, date(1500, 1, 1), FIRST),
        (DATE, date(1970, 1, 11), FIRST + 2),
        (MOMENT, datetime(1970, 1, 1, 0, 0, 0, 9), FIRST + 1),
    ],
)
def test_a_value_is_in_the_cell_whose_lower_edge_it_reaches(kind: str, value: Any, cell: int) -> None:
    assert Grid(kind, (0.0, 10.0)).cell_of(value) == cell


def test_texts_are_named_or_in_a_bucket_of_their_hash() -> None:
    grid = named("b", "a")
    assert sorted(grid.names) == ["a", "b"]
    assert [grid.cell_of(name) for name in grid.names] == [FIRST, FIRST + 1]
    assert grid.cell_of("c") == FIRST + 2 + hash_of_text("c") % BUCKETS
    assert grid.cell_of(None) == NULL
    assert named("true", "false").cell_of(value=True) == FIRST + named("true", "false").names.index("true")


def test_rare_texts_are_not_named_and_most_are_forty_eight() -> None:
    assert named("once", least=1).hashes == ()
    assert len(named(*map(str, range(100))).hashes) == 48


def test_a_hidden_grid_has_the_same_cells_and_no_values() -> None:
    grid = named("secret", "other")
    hidden = grid.hidden()
    assert [hidden.cell_of(v) for v in ("secret", "x", None)] == [grid.cell_of(v) for v in ("secret", "x", None)]
    assert hidden.names == ()
    assert "secret" not in " ".join(hidden.label(i) for i in range(hidden.cells))


def test_labels_show_values_as_the_column_does() -> None:
    day = date(2013, 10, 4).toordinal() - date(1970, 1, 1).toordinal()
    grid = Grid(DATE, (day - 0.5, day + 0.5, day + 7.0))
    assert [grid.label(i) for i in range(grid.cells)] == [
        "NULL",
        "NaN",
        "below 2013-10-04",
        "2013-10-04",
        "2013-10-05 to 2013-10-10",
        "2013-10-11 or more",
    ]
    assert [Grid(INTEGER, (0.5, 1.5, 9.0)).label(i) for i in (3, 4)] == ["1", "2 to 8"]
    assert Grid(NUMBER, (0.25, 1e9)).label(3) == "0.25 to below 1e+09"
    assert Grid(MOMENT, (1e15, 2e300)).label(3) == "2001-09-09 01:46:40Z to below the end of time"
    assert named("a b").label(FIRST) == "'a b'"
    assert named("a b").label(FIRST + 3) == "other values"


@pytest.mark.parametrize(
    ("column_type", "kind"),
    [
        ("int", INTEGER),
        ("decimal(10,0)", INTEGER),
        ("decimal(10,2)", NUMBER),
        ("float", NUMBER),
        ("date", DATE),
        ("timestamp_ntz", "timestamp_ntz"),
        ("string collate UTF8_LCASE", TEXT),
        ("boolean", TEXT),
        ("array<int>", None),
        ("binary", None),
        ("struct<a:int>", None),
        ("map<string,int>", None),
    ],
)
def test_only_plain_values_have_grids(column_type: str, kind: str | None) -> None:
    assert kind_of(column_type) == kind


def test_a_grid_of_numbers_fits_wider_numbers_and_no_texts() -> None:
    assert fits(Grid(INTEGER), NUMBER)
    assert not fits(Grid(INTEGER), TEXT)
    assert not fits(Grid(DATE), MOMENT)


def test_a_column_without_values_is_told() -> None:
    x, s = Column("x", ("x",), "double"), Column("s", ("s",), "string")
    found = Grids(T, (x, s), "t", (s,)).twin({T: [(None, "a"), (None, "a")]})
    assert found.blank == {"x"}
    assert (found.grids["x"], found.texts["s"]) == (Grid(NUMBER), found.grids["s"])
    assert found.grids["s"].names == ("a",)
