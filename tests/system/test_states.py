"""States of earlier nights spare reading: what is new is read, what changed is read again, nothing else."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from sparkguard.core.columns import Column
from sparkguard.core.measure import State, Summary
from sparkguard.core.source import Partition, Source
from sparkguard.core.window import Duration, Window
from sparkguard.measures.conditions import Missing, Untrue
from sparkguard.measures.profile import Extremes, Moments
from sparkguard.measures.sketches import FrequentValues, Quantiles
from sparkguard.measures.tallies import Count, RowCount
from tests.conftest import Work
from tests.system.nights import DAY, Nights, S, X, asked, rows


@pytest.fixture
def nights(spark: SparkSession, tmp_path: Path, work: Work) -> Nights:
    return Nights(spark, tmp_path, work)


def week(end: int, length: int = 7, zone: str = "UTC") -> Window:
    last = datetime(2026, 1, end)
    return Window(last - timedelta(days=length), last, zone)


def test_the_next_night_reads_only_the_next_day(spark: SparkSession, nights: Nights) -> None:
    nights.write(rows(spark, 1, 8))
    nights.run([week(8)])
    assert nights.days_read == 7
    nights.write(rows(spark, 8, 9))
    found = nights.run([week(9)])
    assert nights.days_read == 1
    assert found[RowCount(Source("t", week(9)))].rows == 7 * DAY
    nights.run([week(9)])
    assert nights.days_read == 0


def test_every_kind_of_state_lasts(spark: SparkSession, nights: Nights) -> None:
    def all_kinds(source: Source) -> list[Summary[State]]:
        return [*asked(source), Quantiles(source, X), FrequentValues(source, S), Count(source, Missing(S, blank=True))]

    nights.write(rows(spark, 1, 4))
    nights.run([week(4, 3)], all_kinds)
    nights.run([week(4, 3)], all_kinds)
    assert nights.days_read == 0


def test_a_late_row_refreshes_its_day_and_no_other(spark: SparkSession, nights: Nights) -> None:
    nights.write(rows(spark, 1, 8))
    nights.run([week(8)])
    nights.write(rows(spark, 3, 4).limit(5))
    found = nights.run([week(8)])
    assert nights.days_read == 1
    assert found[RowCount(Source("t", week(8)))].rows == 7 * DAY + 5
    nights.run([week(8)])
    assert nights.days_read == 0


def test_a_day_that_changed_outside_the_window_is_not_believed_later(spark: SparkSession, nights: Nights) -> None:
    nights.write(rows(spark, 1, 8))
    nights.run([week(8)])
    nights.write(rows(spark, 1, 2).limit(5))
    nights.run([week(8, 2)])
    assert nights.days_read == 0
    nights.run([week(8)])
    assert nights.days_read == 1


@pytest.mark.parametrize("vectors", ["false", "true"])
def test_a_deletion_reads_the_days_of_its_files_again(spark: SparkSession, nights: Nights, vectors: str) -> None:
    nights.write(rows(spark, 1, 8))
    nights.sql("ALTER TABLE {t} SET TBLPROPERTIES ('delta.enableDeletionVectors' = '" + vectors + "')")
    nights.run([week(8)])
    nights.sql("DELETE FROM {t} WHERE ts = TIMESTAMP'2026-01-03 00:05:00Z'")
    found = nights.run([week(8)])
    assert nights.days_read == 1
    assert found[RowCount(Source("t", week(8)))].rows == 7 * DAY - 1
    nights.sql("DELETE FROM {t} WHERE ts >= TIMESTAMP'2026-01-05 00:00:00Z' AND ts < TIMESTAMP'2026-01-06 00:00:00Z'")
    assert nights.run([week(8)])[RowCount(Source("t", week(8)))].rows == 6 * DAY - 1


def test_a_compaction_changes_nothing(spark: SparkSession, nights: Nights) -> None:
    nights.write(rows(spark, 1, 8))
    nights.run([week(8)])
    nights.sql("OPTIMIZE {t}")
    nights.run([week(8)])
    assert nights.days_read == 0


def test_an_overwrite_reads_everything_again(spark: SparkSession, nights: Nights) -> None:
    nights.write(rows(spark, 1, 8))
    nights.run([week(8)])
    nights.write(rows(spark, 1, 8).limit(3000), "overwrite")
    nights.run([week(8)])
    assert nights.days_read == 3
    nights.run([week(8)])
    assert nights.days_read == 0


def test_a_table_that_was_made_anew_is_another_one(spark: SparkSession, nights: Nights) -> None:
    import shutil

    nights.write(rows(spark, 1, 4))
    nights.run([week(4, 3)])
    shutil.rmtree(nights.path)
    nights.write(rows(spark, 1, 3))
    spark.catalog.clearCache()
    assert nights.run([week(4, 3)])[RowCount(Source("t", week(4, 3)))].rows == 2 * DAY


def test_without_a_window_only_appended_files_are_read(spark: SparkSession, nights: Nights) -> None:
    nights.write(rows(spark, 1, 6))
    nights.run([None])
    nights.write(rows(spark, 6, 7))
    found = nights.run([None])
    assert nights.days_read == 1
    assert found[Count(Source("t"), Missing(X))].rows == 6 * DAY
    nights.sql("DELETE FROM {t} WHERE x = 5.0")
    nights.run([None])
    assert nights.days_read >= 5


def test_a_log_that_was_cleaned_up_costs_a_scan_and_no_answer(spark: SparkSession, nights: Nights) -> None:
    nights.write(rows(spark, 1, 4))
    nights.sql("ALTER TABLE {t} SET TBLPROPERTIES ('delta.checkpointInterval' = '3')")
    nights.run([week(4, 3)])
    nights.write(rows(spark, 4, 5))
    nights.write(rows(spark, 5, 6))
    for version in range(3):
        (Path(nights.path) / "_delta_log" / f"{version:020}.json").unlink()
    nights.run([week(4, 3)])
    assert nights.days_read == 3
    nights.run([week(4, 3)])
    assert nights.days_read == 0


def test_other_questions_read_what_they_miss_and_share_what_is_known(spark: SparkSession, nights: Nights) -> None:
    nights.write(rows(spark, 1, 8))
    nights.run([week(8)])
    nights.run([week(8), week(8, 3)])
    assert nights.days_read == 0
    nights.run([week(8, 2)], lambda source: [*asked(source), Extremes(source, Column("ts", ("ts",), "timestamp"))])
    assert nights.days_read == 2


@pytest.mark.parametrize("kind", ["DATE", "TIMESTAMP_NTZ"])
def test_days_without_a_zone_last_too(spark: SparkSession, nights: Nights, kind: str) -> None:
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    try:
        frame = rows(spark, 1, 4, kind)
        frame.write.format("delta").partitionBy(*(["ts"] if kind == "DATE" else [])).save(nights.path)
    finally:
        spark.conf.set("spark.sql.session.timeZone", "America/New_York")
    nights.run([week(4, 3, "Europe/Berlin")])
    nights.run([week(4, 3, "Europe/Berlin")])
    assert nights.days_read == 0
    nights.sql("DELETE FROM {t} WHERE ts >= '2026-01-02' AND ts < '2026-01-03'")
    found = nights.run([week(4, 3, "Europe/Berlin")])
    assert found[RowCount(Source("t", week(4, 3, "Europe/Berlin")))].rows == 2 * DAY


def test_a_window_that_is_no_whole_days_is_read_as_it_is(spark: SparkSession, nights: Nights) -> None:
    nights.write(rows(spark, 1, 3))
    odd = Window(datetime(2026, 1, 1, 6), datetime(2026, 1, 2, 6))
    nights.run([odd])
    nights.run([odd])
    assert nights.days_read >= 1
    assert nights.stored() == []


def test_states_are_packed_and_hold_no_hidden_values(spark: SparkSession, nights: Nights) -> None:
    wide = rows(spark, 1, 3).selectExpr("ts", "s", *(f"x + {i} AS x{i}" for i in range(100)))
    nights.write(wide)
    columns = [Column(f"x{i}", (f"x{i}",), "double") for i in range(100)]
    nights.hidden = True
    text = Column("s", ("s",), "string")

    def many(source: Source) -> list[Summary[State]]:
        found: list[Summary[State]] = [RowCount(source)]
        for column in columns:
            found += [Moments(source, column), Extremes(source, column)]
        return [*found, Count(source, Missing(text)), Extremes(source, text)][:-1]

    nights.run([week(3, 2)], many)
    stored = nights.stored()
    # Two days of one row count, one tally, and two kinds of 100 columns in groups of 64.
    assert len(stored) == 2 * (1 + 1 + 2 + 2)
    assert max(len(r["columns"]) for r in stored) == 64
    assert {r["rows"] for r in stored} == {DAY}
    nights.run([week(3, 2)], many)
    assert nights.days_read == 0


def test_hidden_columns_leave_no_extremes_behind(spark: SparkSession, nights: Nights) -> None:
    nights.write(rows(spark, 1, 3).withColumnRenamed("x", "hidden_x").withColumnRenamed("s", "x2"))
    nights.hidden = True
    frame = rows(spark, 1, 3).selectExpr("ts", "x AS s")
    frame.write.format("delta").mode("overwrite").option("overwriteSchema", "true").save(nights.path)
    secret = Column("s", ("s",), "double")
    questions = lambda source: [Moments(source, secret), Extremes(source, secret)]  # noqa: E731
    nights.run([week(3, 2)], questions)
    nights.run([week(3, 2)], questions)
    assert nights.days_read == 2
    assert len(nights.stored()) == 4


def test_a_restored_file_keeps_its_deleted_rows_deleted(spark: SparkSession, nights: Nights) -> None:
    nights.write(rows(spark, 1, 3))
    nights.sql("ALTER TABLE {t} SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')")
    nights.sql("DELETE FROM {t} WHERE x = 5.0")
    nights.sql("DELETE FROM {t} WHERE ts < TIMESTAMP'2026-01-02 00:00:00Z'")
    nights.run([None])
    nights.sql("RESTORE TABLE {t} TO VERSION AS OF 2")
    nights.run([None])


def test_a_rule_of_tonight_is_asked_again_tomorrow(spark: SparkSession, nights: Nights) -> None:
    nights.write(rows(spark, 1, 3))
    rule = Untrue("x < 0 OR current_date() > DATE'2000-01-01'", (X,))
    for _ in range(2):
        nights.run([week(3, 2)], lambda source: [Count(source, rule)])
    assert nights.days_read == 2


def test_rows_without_a_time_are_in_no_day_and_in_the_whole(spark: SparkSession, nights: Nights) -> None:
    nights.write(rows(spark, 1, 3))
    nights.run([None, week(3, 2)])
    nights.write(rows(spark, 1, 2).limit(7).selectExpr("CAST(NULL AS TIMESTAMP) AS ts", "x", "s"))
    nights.run([week(3, 2)])
    assert nights.days_read == 0
    assert nights.run([None])[RowCount(Source("t"))].rows == 2 * DAY + 7


def test_states_fail_softly_where_they_cannot_be_read(spark: SparkSession, nights: Nights) -> None:
    nights.write(rows(spark, 1, 3))
    nights.run([week(3, 2)])
    spark.sql(f"UPDATE delta.`{nights.folder}/results/states` SET state = X'00' WHERE measure_fingerprint <> 'checked'")
    nights.run([week(3, 2)])
    assert nights.days_read == 2


def test_days_are_pruned_by_a_partition_column_too(spark: SparkSession, nights: Nights) -> None:
    nights.dataset = {"partition": Partition("ds", "yyyyMMdd", Duration.parse("1d"))}
    spark.conf.set("spark.sql.session.timeZone", "UTC")
    try:
        frame = rows(spark, 1, 6).selectExpr("*", "date_format(ts, 'yyyyMMdd') AS ds")
        frame.write.format("delta").partitionBy("ds").save(nights.path)
    finally:
        spark.conf.set("spark.sql.session.timeZone", "America/New_York")
    nights.run([week(5, 3)])
    assert nights.days_read == 3
    nights.run([week(6, 3)])
    assert nights.days_read == 1
    nights.run([week(6, 4)])
    assert nights.days_read == 0
