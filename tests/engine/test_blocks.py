"""Days of a window, and their numbers in SQL, whatever the zone."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from pyspark.sql import SparkSession

from sparkguard.core.window import Window
from sparkguard.engine.blocks import MOST_BLOCKS, days, meets, number_of, runs

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]


def window(start: str, end: str, zone: str = "UTC") -> Window:
    return Window(datetime.fromisoformat(start), datetime.fromisoformat(end), zone)


def test_a_window_of_whole_days_is_divided_and_any_other_is_not() -> None:
    found = days(window("2026-03-28", "2026-03-31", "Europe/Berlin"))
    assert found is not None
    assert [str(d) for d in found] == [
        "[2026-03-28, 2026-03-29)",
        "[2026-03-29, 2026-03-30)",
        "[2026-03-30, 2026-03-31)",
    ]
    assert days(window("2026-03-28T01:00", "2026-03-31")) is None
    assert days(Window(None, datetime(2026, 1, 1))) is None
    assert days(Window(datetime(2026, 1, 1) - timedelta(days=MOST_BLOCKS + 1), datetime(2026, 1, 1))) is None


def test_neighbouring_days_are_read_as_one_stretch() -> None:
    found = days(window("2026-01-01", "2026-01-08"))
    assert found is not None
    picked = [found[i] for i in (0, 1, 3, 5, 6)]
    assert [str(w) for w in runs(picked)] == [
        "[2026-01-01, 2026-01-03)",
        "[2026-01-04, 2026-01-05)",
        "[2026-01-06, 2026-01-08)",
    ]


def test_a_span_meets_the_days_that_it_touches() -> None:
    found = days(window("2026-01-01", "2026-01-04"))
    assert found is not None
    touched = (datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
    assert [meets(d, touched) for d in found] == [False, True, False]
    assert meets(None, touched)


@pytest.mark.parametrize("zone", ZONES)
def test_every_instant_has_the_number_of_its_local_day(spark: SparkSession, zone: str) -> None:
    for first, last in (("2026-03-20", "2026-04-10"), ("2026-10-01", "2026-11-05")):
        blocks = days(window(first, last, zone))
        assert blocks is not None
        start, end = blocks[0].start_utc, blocks[-1].end_utc
        assert start is not None
        moments = [start + timedelta(minutes=15 * i) for i in range(int((end - start) / timedelta(minutes=15)))]
        moments += [end - timedelta(microseconds=1)]
        micros = [round(m.timestamp() * 1_000_000) for m in moments[:-1]] + [round(end.timestamp() * 1_000_000) - 1]
        frame = spark.range(len(micros)).selectExpr(
            f"timestamp_micros(array({', '.join(f'{m}L' for m in micros)})[int(id)]) AS t"
        )
        rows = frame.selectExpr("unix_micros(t) AS m", f"{number_of('t', 'timestamp', list(blocks))} AS n").collect()
        for row in rows:
            local = datetime.fromtimestamp(row["m"] // 1_000_000, ZoneInfo(zone))
            assert row["n"] == (local.date() - datetime.fromisoformat(first).date()).days


def test_days_without_a_zone_are_counted_by_the_calendar(spark: SparkSession) -> None:
    blocks = days(window("2026-03-28", "2026-03-31", "America/New_York"))
    assert blocks is not None
    frame = spark.sql("SELECT TIMESTAMP_NTZ'2026-03-30 23:59:59.999999' AS n, DATE'2026-03-29' AS d")
    numbers = frame.selectExpr(number_of("n", "timestamp_ntz", blocks), number_of("d", "date", blocks)).collect()[0]
    assert tuple(numbers) == (2, 1)
