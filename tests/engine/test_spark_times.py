"""Spark reads times as the oracle does, in every type and zone, and reads nothing where Delta's log knows enough."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from sparkguard.checks.window_overlap import WindowOverlap
from sparkguard.core.check import Run
from sparkguard.core.finding import Finding, Status
from sparkguard.core.source import Dataset, Partition, Versioned
from sparkguard.core.window import Duration, Stretch
from sparkguard.engine.gather import Rounds
from sparkguard.engine.reader import Reader
from sparkguard.engine.spark_engine import SparkEngine
from sparkguard.measures.pairing import Pair
from sparkguard.measures.times import Near, SharedDays, extremes
from sparkguard.testing import judge
from tests.conftest import Work

NOW = datetime(2026, 3, 1, 6, tzinfo=UTC)
RUN = Run(NOW.date(), NOW)
ZONES = ("Europe/Berlin", "Pacific/Auckland")
EAST = timezone(timedelta(hours=5, minutes=30))
_OF_THE_LOG = 50
# Around both changes of the clocks in Berlin, midnights, the Gregorian reform and a time before 1970.
INSTANTS = [
    datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 3, 29, 0, 30, tzinfo=UTC),
    datetime(2025, 10, 26, 0, 30, tzinfo=UTC),
    datetime(2026, 1, 27, 22, 59, 59, 999_999, tzinfo=UTC), datetime(2026, 1, 27, 23, tzinfo=EAST),
    datetime(1969, 12, 31, 23, 59, 59, 1, tzinfo=UTC), datetime(1582, 10, 10, 5, tzinfo=UTC), None,
]  # fmt: skip
VALUES: dict[str, list[Any]] = {
    "TIMESTAMP": INSTANTS,
    "TIMESTAMP_NTZ": [m and m.replace(tzinfo=None) for m in INSTANTS],
    "DATE": [m and m.date() for m in INSTANTS] + [date(2026, 1, 28)],
    "STRING": [
        "2026-01-27", "2026-01-27T23:00:00+05:30", "2026-03-29T01:30:00", "2026-01-28 04:00:00", "1582-10-10",
        "2026-01-27T22:59:59.999999Z", None, "", "soon", "2026-13-01", "05:00", "05:00Z", " 2026-01-27",
    ],
}  # fmt: skip


def frame(spark: SparkSession, rows: Sequence[tuple[Any, ...]], schema: str) -> DataFrame:
    return spark.createDataFrame(list(rows), schema).repartition(2)


def engine_of(spark: SparkSession, datasets: dict[str, Dataset] | None = None, **frames: DataFrame) -> SparkEngine:
    known = {name: Dataset(name, time_column=frames[name].columns[0]) for name in frames}
    return SparkEngine(Reader(spark, known | (datasets or {}), frames))


@pytest.mark.parametrize("kind", VALUES)
def test_times_mean_what_the_oracle_says_in_every_zone(spark: SparkSession, kind: str) -> None:
    names = "`t.s` " + kind + ", who INT"
    one = frame(spark, [(v, i % 3) for i, v in enumerate(VALUES[kind])], names)
    two = frame(spark, [(v, i % 2) for i, v in enumerate(INSTANTS)], "at TIMESTAMP, who BIGINT")
    engine = engine_of(spark, one=one, two=two)
    checks = [WindowOverlap(id="c", dataset="one", training=Versioned("two"))]
    pins = engine.pin(checks[0].datasets)
    mine, theirs = (pins[name, None].schema for name in ("one", "two"))  # type: ignore[union-attr]
    left, right = mine.column("t.s"), theirs.column("at")
    source, other = checks[0].datasets
    who = (Pair(mine.column("who"), theirs.column("who"), "bigint"),)
    measures: list[Any] = []
    for zone in ZONES:
        stretch = Stretch(datetime(2025, 1, 1), datetime(2026, 3, 29), zone)
        measures += [SharedDays(source, other, (left, right), stretch, who, 50)]
        measures += [extremes(source, left, zone)]
        measures += [Near(source, left, Stretch(datetime(2026, 1, 27, 12), None, zone), lasting=True, others=True)]
    rows = {
        "one": [(v, i % 3) for i, v in enumerate(VALUES[kind])],
        "two": [(v, i % 2) for i, v in enumerate(INSTANTS)],
    }
    answers = dict(engine.compute(list(dict.fromkeys(measures))))
    for measure in measures:
        tables = {s: [r[: len(c)] for r in rows[s.dataset]] for s, c in measure.reads.items()}
        assert answers[measure] == measure.twin(tables), str(measure)


def found(check: WindowOverlap, engine: SparkEngine) -> Finding:
    [one] = Rounds(engine).gather([check], now=NOW)
    if one.error is not None:
        raise one.error
    [finding] = check.judge(one.seen, RUN)
    return finding


def days(*on: int) -> list[tuple[datetime, str]]:
    return [(datetime(2026, 1, day, 12, tzinfo=UTC), f"u{day}") for day in on]


def write(spark: SparkSession, path: Path, rows: Sequence[tuple[Any, ...]]) -> Dataset:
    spark.createDataFrame(list(rows), "ts TIMESTAMP, who STRING").coalesce(1).write.format("delta").mode("append").save(
        str(path)
    )
    return Dataset(path.name, path=str(path), time_column="ts")


def test_where_training_ends_before_the_window_its_rows_are_not_read(
    spark: SparkSession, tmp_path: Path, work: Work
) -> None:
    training = write(spark, tmp_path / "training", days(*range(1, 20)) * 50)
    scored = write(spark, tmp_path / "scored", days(26, 27))
    window = {"end": "2026-01-28", "length": "7d"}
    check = WindowOverlap.model_validate({"id": "c", "dataset": "scored", "training": "training", "window": window})
    engine = SparkEngine(Reader(spark, {d.name: d for d in (training, scored)}))
    with work:
        finding = found(check, engine)
    assert (finding.status, finding.evaluated_rows) == (Status.PASS, 2)
    # The rows of the window, and the batch of training in which the first row was found.
    assert work.rows_read < 2 + len(days(*range(1, 20)) * 50) + _OF_THE_LOG
    assert work.shuffled_rows <= 3


def test_spark_and_the_oracle_find_the_same_overlap(spark: SparkSession, tmp_path: Path) -> None:
    rows = {
        "scored": days(18, 19, 19, 20),
        "training": [*days(1, 18, 19), (datetime(2026, 1, 19, 12, tzinfo=UTC), "u18")],
    }
    known = {name: write(spark, tmp_path / name, rows[name]) for name in rows}
    check = WindowOverlap(
        id="c", dataset="scored", training=Versioned("training"), entity=("who",), timezone="Europe/Berlin"
    )
    by_spark = found(check, SparkEngine(Reader(spark, known)))
    tables = {name: [{"ts": t, "who": w} for t, w in rows[name]] for name in rows}
    [by_twin] = judge(check, tables, time_columns={"scored": "ts", "training": "ts"}, run=RUN)
    assert by_spark == by_twin
    assert by_spark.violation_rows == 3
    assert {q: v.value for q, v in by_spark.quantities.items() if q.startswith("overlap")} == {
        "overlap_days": 2, "overlap_rows": 3, "overlap_entities": 2
    }  # fmt: skip


def test_a_partition_in_the_suites_zone_hides_no_row(spark: SparkSession, tmp_path: Path) -> None:
    late = [(datetime(2026, 1, 31, 3, minute, tzinfo=UTC), "20260130") for minute in (0, 30)]
    rows = {"scored": late, "training": [(datetime(2026, 1, 31, 4, tzinfo=UTC), "20260130")]}
    known = {}
    for name, written in rows.items():
        place = str(tmp_path / name)
        frame(spark, written, "ts TIMESTAMP, ds STRING").write.format("delta").partitionBy("ds").save(place)
        partition = Partition("ds", "yyyyMMdd", Duration(seconds=3600))
        known[name] = Dataset(name, path=place, time_column="ts", partition=partition)
    fields = {"id": "c", "dataset": "scored", "training": "training", "window": {"end": "2026-01-31", "length": "1d"}}
    check = WindowOverlap.model_validate(fields, context={"timezone": "America/New_York"})
    assert found(check, SparkEngine(Reader(spark, known))).violation_rows == 2
