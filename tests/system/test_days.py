"""CellCounts by day last: a night reads its new day, late data voids its day, and grids outlive everything."""

import zlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from sparkguard.core.columns import Column
from sparkguard.core.measure import Daily
from sparkguard.core.source import Dataset, Source
from sparkguard.core.window import Window
from sparkguard.engine.reader import Reader
from sparkguard.engine.spark_engine import SparkEngine
from sparkguard.measures.grids import Grid
from sparkguard.measures.hashes import hash_of_text
from sparkguard.measures.histograms import Histogram, Slicing
from sparkguard.measures.sampled_grids import Grids, GridsAnswer
from sparkguard.sinks.states import DeltaStates
from tests.conftest import Work
from tests.system.nights import DAY, Nights, S, X, rows

GRID = Grid("number", tuple(float(edge) for edge in range(0, 1_000, 25)))
BY = Slicing(S, tuple(hash_of_text(f"v{i}") for i in range(3)))


@pytest.fixture
def nights(spark: SparkSession, tmp_path: Path, work: Work) -> Nights:
    return Nights(spark, tmp_path, work)


def days(first: int, last: int) -> Window:
    return Window(datetime(2026, 1, first), datetime(2026, 1, last))


def daily(source: Source) -> list[Any]:
    return [Daily(Histogram(source, X, GRID)), Daily(Histogram(source, X, GRID, BY))]


def grids(nights: Nights, source: Source, asked: Any = None) -> GridsAnswer:
    """Ask for grids in a run of its own, and keep what is new."""
    dataset = Dataset("t", path=nights.path, time_column="ts")
    store = DeltaStates(nights.sink.read, "s")
    engine = SparkEngine(
        Reader(nights.spark, {"t": dataset, "other": dataset}), store, lambda _d, c: nights.hidden and c == "s"
    )
    engine.pin([source])
    question = asked or Grids(source, (X, S), "t", (S,))
    with nights.work:
        [(_, answer)] = engine.compute([question])
    nights.read, nights.work.rows_read = nights.work.rows_read, 0
    nights.sink.replace_states(engine.updates(), "s", datetime(2026, 2, 1, tzinfo=UTC))
    assert isinstance(answer, GridsAnswer), answer
    return answer


def test_the_next_night_reads_only_the_next_day(spark: SparkSession, nights: Nights) -> None:
    nights.write(rows(spark, 1, 8))
    nights.run([days(1, 8)], daily)
    assert nights.days_read == 7
    nights.write(rows(spark, 8, 9))
    found = nights.run([days(2, 9)], daily)
    assert nights.days_read == 1
    [plain, _] = daily(Source("t", days(2, 9)))
    assert [state.rows for state in found[plain].states] == [DAY] * 7
    nights.run([days(1, 9)], daily)
    assert nights.days_read == 0


def test_a_late_row_refreshes_its_day_and_no_other(spark: SparkSession, nights: Nights) -> None:
    nights.write(rows(spark, 1, 8))
    nights.run([days(1, 8)], daily)
    nights.write(rows(spark, 3, 4).limit(5))
    found = nights.run([days(1, 8)], daily)
    assert nights.days_read == 1
    assert [s.rows for s in found[daily(Source("t", days(1, 8)))[0]].states] == [DAY, DAY, DAY + 5, DAY, DAY, DAY, DAY]


def test_days_that_were_counted_add_up_to_a_window(spark: SparkSession, nights: Nights) -> None:
    nights.write(rows(spark, 1, 8))
    nights.run([days(1, 8)], daily)
    nights.run([days(3, 6)], lambda source: [Histogram(source, X, GRID)])
    assert nights.days_read == 0


def test_a_window_without_time_is_counted_once(spark: SparkSession, nights: Nights) -> None:
    nights.write(rows(spark, 1, 4))
    nights.run([None], lambda source: [Histogram(source, X, GRID)])
    nights.write(rows(spark, 4, 5))
    nights.run([None], lambda source: [Histogram(source, X, GRID)])
    assert nights.days_read == 1


def test_a_version_that_is_named_is_read_once_and_the_next_takes_its_place(spark: SparkSession, nights: Nights) -> None:
    def version(number: int) -> Any:
        return lambda source: daily(Source("t", source.window, version=number))

    nights.write(rows(spark, 1, 8))
    nights.write(rows(spark, 8, 9))
    for read in (7, 0):
        found = nights.run([days(1, 9)], version(0))
        assert nights.days_read == read
        nights.write(rows(spark, 3, 4))
    [plain, _] = daily(Source("t", days(1, 9), version=0))
    assert [state.rows for state in found[plain].states] == [DAY] * 7 + [0]
    nights.run([days(1, 9)], daily)
    assert nights.days_read == 10, "what is known of a version is not known of the table"
    nights.run([days(1, 9)], version(0))
    assert nights.days_read == 0
    nights.run([days(1, 9)], version(1))
    assert {row["dataset"] for row in nights.stored()} == {"t", "t@1"}


def test_another_grid_is_another_question(spark: SparkSession, nights: Nights) -> None:
    nights.write(rows(spark, 1, 4))
    nights.run([days(1, 4)], daily)
    nights.run([days(1, 4)], lambda source: [Daily(Histogram(source, X, Grid("number", (5.0,))))])
    assert nights.days_read == 3


def test_counts_of_hidden_columns_are_not_kept(spark: SparkSession, nights: Nights) -> None:
    nights.hidden = True
    nights.write(rows(spark, 1, 4))
    texts = lambda source: [Daily(Histogram(source, S, Grid("text", hashes=BY.hashes, buckets=4)))]  # noqa: E731
    nights.run([days(1, 4)], texts)
    nights.run([days(1, 4)], texts)
    assert nights.days_read == 3


def test_grids_are_made_once_whatever_becomes_of_the_data(spark: SparkSession, nights: Nights) -> None:
    nights.write(rows(spark, 1, 4))
    nights.run([days(1, 4)], daily)
    first = grids(nights, Source("t", days(1, 3)))
    assert nights.days_read == 4, "two days to count them, and two for the sample"
    nights.write(rows(spark, 4, 6).selectExpr("ts", "x * 1000 AS x", "concat('new', s) AS s"), "overwrite")
    nights.run([days(1, 6)], daily)
    assert grids(nights, Source("t", days(4, 6))) == first
    assert nights.days_read == 0
    assert grids(nights, Source("other")) == first, "another reference finds those of the dataset"
    assert grids(nights, Source("t"), Grids(Source("t"), (X,), "t", version=2)).grids != first.grids


def test_only_columns_without_a_grid_are_sampled(spark: SparkSession, nights: Nights) -> None:
    nights.write(rows(spark, 1, 2))
    first = grids(nights, Source("t"), Grids(Source("t"), (X,), "t"))
    both = grids(nights, Source("t"))
    assert both.grids["x"] == first.grids["x"]
    assert len([r for r in nights.stored() if r["measure_fingerprint"].startswith("kept:")]) == 2
    text = Column("x", ("x",), "string")
    assert grids(nights, Source("t"), Grids(Source("t"), (text,), "t")).grids["x"].kind == "text"


def test_a_column_without_values_gets_its_grid_when_it_has_some(spark: SparkSession, nights: Nights) -> None:
    asked = Grids(Source("t"), (X,), "t")
    nights.write(rows(spark, 1, 2).selectExpr("ts", "CAST(NULL AS DOUBLE) AS x", "s"))
    assert grids(nights, Source("t"), asked).blank == {"x"}
    nights.write(rows(spark, 2, 3))
    assert grids(nights, Source("t"), asked).grids["x"].edges


def test_of_hidden_columns_no_value_is_told_and_no_grid_is_kept(spark: SparkSession, nights: Nights) -> None:
    nights.write(rows(spark, 1, 2))
    shown = grids(nights, Source("t"))
    assert shown.grids["s"].names
    nights.hidden = True
    hidden = grids(nights, Source("t"))
    assert (hidden.grids["s"], hidden.texts["s"]) == (shown.grids["s"].hidden(), shown.texts["s"].hidden())
    kept = b"".join(zlib.decompress(row["state"]) for row in nights.stored())
    assert not any(value in kept for value in (b"v0", str(shown.grids["s"].hashes[0]).encode()))
    assert b"number" in kept, "that of x is there"
    nights.hidden = False
    assert grids(nights, Source("t")).grids["s"] == shown.grids["s"], "made anew"
    nights.hidden = True
    grids(nights, Source("t"), Grids(Source("t"), (X, S), "t", (S,), version=2))
    kept = b"".join(zlib.decompress(row["state"]) for row in nights.stored())
    assert b"v0" not in kept, "nor in grids of another number"
