"""Great Expectations' own engine on the rows of a source: silent, complete, and no expectation stops another."""

import json
import logging
import os
import tempfile
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from sparkguard.checks.expectations import Expectations
from sparkguard.core.check import Run
from sparkguard.core.finding import Finding
from sparkguard.core.source import Dataset, Source
from sparkguard.engine.gather import Rounds
from sparkguard.engine.gx import _each, run_expectations
from sparkguard.engine.reader import Reader
from sparkguard.engine.spark_engine import SparkEngine
from sparkguard.measures.expectations import ExpectationsRun, Outcomes, Sample
from sparkguard.measures.tallies import LONGEST_TEXT
from sparkguard.shapes.gx import quiet
from tests.conftest import Work

ROOT = Path(__file__).parents[2]
NIGHT = datetime(2026, 1, 31, tzinfo=UTC)
FLIGHTS = """
  SELECT id, CAST(id % 30 AS INT) AS flight, IF(id % 100 = 0, NULL, CONCAT('N', id)) AS tailnum,
    element_at(array('EWR', 'JFK', 'LGA'), CAST(id % 3 AS INT) + 1) AS origin, CAST(id AS DOUBLE) AS dep_delay,
    CAST(id % 7 AS STRING) AS code, timestamp '2026-01-01 00:00:00' + make_interval(0, 0, 0, CAST(id AS INT)) AS ts
  FROM range(0, 200, 1, 2)
"""


@pytest.fixture(scope="module")
def flights(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> DataFrame:
    place = str(tmp_path_factory.mktemp("gx") / "flights")
    spark.sql(FLIGHTS).write.parquet(place)
    return spark.read.parquet(place)


def text(kind: str, **arguments: object) -> str:
    return json.dumps({"type": kind, "kwargs": arguments})


def between(column: str, low: object, high: object, **others: object) -> str:
    return text("expect_column_values_to_be_between", column=column, min_value=low, max_value=high, **others)


def found(frame: DataFrame, check: Expectations, **dataset: Any) -> dict[str, Finding]:
    engine = SparkEngine(Reader(frame.sparkSession, {"t": Dataset("t", **dataset)}, {"t": frame}))
    [gathered] = Rounds(engine).gather([check], {}, NIGHT)
    assert gathered.error is None, gathered.error
    return {finding.subject: finding for finding in check.judge(gathered.seen, Run(NIGHT.date(), NIGHT))}


def check_of(*expectations: Mapping[str, object], **fields: Any) -> Expectations:
    return Expectations.model_validate({"id": "gx", "dataset": "t", "expectations": expectations, **fields})


def test_every_outcome_stands_at_the_place_of_its_expectation(flights: DataFrame) -> None:
    outcomes = run_expectations(
        flights,
        [
            between("dep_delay", 0, 196),
            text("expect_column_values_to_not_be_null", column="tailnum", mostly=0.9),
            text("expect_column_mean_to_be_between", column="dep_delay", max_value=1),
            between("dep_delay", 0, 200),
            between("nothing", 0, 1),
            text("expect_column_pair_values_a_to_be_greater_than_b", column_A="flight", column_B="id"),
            between("dep_delay", 0, 200, row_condition="id < 50", condition_parser="spark"),
            text("expect_compound_columns_to_be_unique", column_list=["origin", "flight"]),
            text("expect_column_to_exist", column="nothing"),
            between("dep_delay", 0, 196),
            text("expect_column_distinct_values_to_be_in_set", column="origin", value_set=["EWR", "JFK"]),
            text("expect_column_values_to_be_unique", column="flight"),
        ],
        3,
    )
    outside, filled, mean, inside, missing, pair, some, compound, exists, again, distinct, unique = outcomes
    assert (outside.holds, outside.rows, outside.missing, outside.unexpected) == (False, 200, 0, 3)
    assert {s.values for s in outside.samples} == {(("dep_delay", f"{n}.0"),) for n in (197, 198, 199)}
    assert again == outside
    assert (filled.holds, filled.rows, filled.unexpected, filled.samples) == (True, 200, 2, ())
    assert (mean.holds, mean.number, mean.shown, mean.rows) == (False, 99.5, "99.5", None)
    assert (inside.holds, inside.unexpected) == (True, 0)
    assert (missing.holds, missing.error) == (None, 'Error: The column "nothing" in BatchData does not exist.')
    assert (pair.holds, pair.unexpected, len(pair.samples)) == (False, 200, 3)
    assert [name for name, _ in pair.samples[0].values] == ["flight", "id"]
    assert (some.holds, some.rows) == (True, 50)
    assert (compound.holds, compound.unexpected) == (False, 200)
    assert [name for name, _ in compound.samples[0].values] == ["origin", "flight"]
    assert (exists.holds, exists.error) == (False, None)
    assert (distinct.holds, distinct.rows, distinct.samples) == (False, None, (Sample((("origin", "LGA"),), 1),))
    assert (unique.holds, unique.unexpected) == (False, 200)


def test_one_that_stops_spark_stops_no_other(flights: DataFrame) -> None:
    good = [between("dep_delay", 0, n) for n in range(200, 204)]
    sick = between("origin", 3, 5, row_condition="CAST(code AS INT) > 2 AND CAST(origin AS INT) > 1")
    worse = text("expect_column_values_to_be_in_set", column="origin", value_set=[1, 2])
    query = text(
        "unexpected_rows_expectation", unexpected_rows_query="SELECT * FROM {batch} WHERE CAST(origin AS INT) > 1"
    )
    *held, stopped, value, asked = run_expectations(flights, [*good, sick, worse, query], 3)
    assert [(o.holds, o.unexpected) for o in held] == [(True, 0)] * 4
    for outcome in (stopped, value, asked):
        assert outcome.holds is None
        assert outcome.error is not None
        assert "\n" not in outcome.error
        assert "Traceback" not in outcome.error
    assert "CAST_INVALID_INPUT" in str(value.error)


def test_nothing_is_printed_sent_logged_or_left_behind(
    flights: DataFrame, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with quiet():
        from great_expectations import get_context
        from great_expectations.data_context.data_context.context_factory import project_manager

        before = get_context(mode="ephemeral")
    environment, logger = dict(os.environ), logging.getLogger("great_expectations")
    kept, temporary = (logger.handlers, logger.propagate), set(Path(tempfile.gettempdir()).iterdir())
    capfd.readouterr()
    with warnings.catch_warnings(record=True) as warned, caplog.at_level(logging.DEBUG, logger="great_expectations.x"):
        run_expectations(flights, [between("dep_delay", 0, 9), between("nothing", 0, 9)], 3)
    shown = capfd.readouterr()
    assert (shown.out, shown.err, warned) == ("", "", [])
    assert [r for r in caplog.records if r.name.startswith("great_expectations")] == []
    assert dict(os.environ) == environment
    assert (logger.handlers, logger.propagate) == kept
    left = {p for p in Path(tempfile.gettempdir()).iterdir() if p.is_dir() and p not in temporary}
    assert not [p for p in left if p.name.startswith("tmp")]
    assert project_manager.get_current_project() is before
    assert not flights.is_cached


def test_a_query_of_its_own_takes_no_view_of_the_session(flights: DataFrame) -> None:
    spark = flights.sparkSession
    query = text("unexpected_rows_expectation", unexpected_rows_query="SELECT * FROM {batch} WHERE id < 3")
    [outcome] = run_expectations(flights, [query], 3)
    assert (outcome.holds, outcome.number) == (False, 3.0)
    assert not spark.catalog.tableExists("tmp_view")
    spark.range(5).createOrReplaceTempView("tmp_view")
    run_expectations(flights, [query], 3)
    assert spark.table("tmp_view").count() == 5
    spark.catalog.dropTempView("tmp_view")


def test_a_query_of_its_own_reads_the_rows_of_the_frames_session(spark: SparkSession) -> None:
    spark.range(0).createOrReplaceTempView("tmp_view")
    query = text("unexpected_rows_expectation", unexpected_rows_query="SELECT * FROM {batch} WHERE id >= 0")
    [outcome] = run_expectations(spark.newSession().range(5), [query], 3)
    spark.catalog.dropTempView("tmp_view")
    assert (outcome.holds, outcome.number) == (False, 5.0)


def test_two_runs_at_once_wait_for_each_other_and_leave_everything_as_it_was(flights: DataFrame) -> None:
    query = text("unexpected_rows_expectation", unexpected_rows_query="SELECT * FROM {batch} WHERE id >= 0")
    logger, frames = logging.getLogger("great_expectations"), [flights.filter(f"id < {n}") for n in (3, 5)]
    before = (logger.handlers, logger.propagate, os.environ.get("GX_ANALYTICS_ENABLED"))
    with ThreadPoolExecutor(2) as pool:
        answers = [pool.submit(run_expectations, frame, [query], 3) for frame in frames]
        assert [answer.result()[0].number for answer in answers] == [3.0, 5.0]
    assert (logger.handlers, logger.propagate, os.environ.get("GX_ANALYTICS_ENABLED")) == before


def test_a_permanent_table_of_the_views_name_is_not_hidden_by_one(spark: SparkSession) -> None:
    spark.sql("CREATE TABLE tmp_view USING parquet AS SELECT 1 AS q")
    try:
        run_expectations(spark.range(5), [text("expect_table_row_count_to_be_between", min_value=1)], 3)
        assert not spark.catalog.getTable("tmp_view").isTemporary
    finally:
        spark.sql("DROP TABLE tmp_view")


COLUMN = {"column": "s", "row_condition": "id > 100"}
SET = {"value_set": ["a"]}


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("expect_column_distinct_values_to_be_in_set", {"column": "nothing", **SET}),
        ("expect_column_unique_value_count_to_be_between", {"column": "nothing", "max_value": 5}),
        ("expect_column_proportion_of_unique_values_to_be_between", {"column": "nothing", "max_value": 0.5}),
        ("expect_column_distinct_values_to_be_in_set", {**COLUMN, **SET}),
        ("expect_column_unique_value_count_to_be_between", {**COLUMN, "max_value": 5}),
        ("expect_column_pair_values_a_to_be_greater_than_b", {"column_A": "id", "column_B": "nothing"}),
        ("expect_column_pair_values_to_be_equal", {"column_A": "nothing", "column_B": "nothing2"}),
        (
            "expect_compound_columns_to_be_unique",
            {"column_list": ["id", "nothing"], "ignore_row_if": "any_value_is_missing"},
        ),
    ],
)
def test_where_there_is_nothing_to_judge_nothing_holds(
    spark: SparkSession, kind: str, arguments: dict[str, object]
) -> None:
    frame = spark.sql(
        "SELECT id, CONCAT('v', id) AS s, CAST(NULL AS STRING) nothing, CAST(NULL AS STRING) nothing2 FROM range(10)"
    )
    [finding] = found(frame, check_of({"type": kind, "kwargs": arguments})).values()
    assert (finding.status.value, finding.evaluated_rows) == ("error", 0)
    why = "no row meets its row_condition" if "row_condition" in arguments else "a value is NULL in all 10 rows"
    assert finding.message.endswith(f"{why}, so nothing was checked")


def test_what_holds_without_a_value_holds_where_all_are_null(spark: SparkSession) -> None:
    frame = spark.sql("SELECT id, CAST(NULL AS STRING) AS nothing FROM range(10)")
    check = check_of(
        {"type": "expect_column_to_exist", "kwargs": {"column": "nothing"}},
        {"type": "expect_column_values_to_be_of_type", "kwargs": {"column": "nothing", "type_": "StringType"}},
        {
            "type": "expect_column_proportion_of_non_null_values_to_be_between",
            "kwargs": {"column": "nothing", "max_value": 0.1},
        },
        {"type": "expect_table_columns_to_match_set", "kwargs": {"column_set": ["id", "nothing"]}},
        {"type": "expect_column_values_to_be_null", "kwargs": {"column": "nothing"}},
        {"type": "expect_compound_columns_to_be_unique", "kwargs": {"column_list": ["id", "nothing"]}},
    )
    assert {f.status.value for f in found(frame, check).values()} == {"pass"}


def test_rows_of_a_pair_without_a_value_are_not_judged(spark: SparkSession) -> None:
    frame = spark.sql("SELECT id AS a, IF(id < 6, NULL, id + IF(id = 9, 1, -1)) AS b FROM range(10)")
    kwargs = {"column_A": "a", "column_B": "b"}
    check = check_of({"type": "expect_column_pair_values_a_to_be_greater_than_b", "kwargs": kwargs})
    [finding] = found(frame, check).values()
    assert (finding.evaluated_rows, finding.violation_rows, finding.quantities["missing_rows"].value) == (4, 1, 6.0)


def test_a_set_is_not_met_by_name(spark: SparkSession) -> None:
    frame = spark.sql("SELECT CONCAT('v', id) AS s FROM range(3)")
    arguments = {"column": "s", "value_set": ["v0", "r", "q"]}
    kinds = ("expect_column_distinct_values_to_contain_set", "expect_column_distinct_values_to_equal_set")
    contained, equal = found(frame, check_of(*({"type": kind, "kwargs": arguments} for kind in kinds))).values()
    assert contained.message.endswith(": 2 values of its set are missing, for example q; r")
    assert equal.message.endswith(
        ": 2 values are unexpected, for example v1; v2, and 2 values of its set are missing, for example q; r"
    )


def test_what_is_redacted_is_shown_in_no_spelling_and_out_of_no_map(spark: SparkSession) -> None:
    frame = spark.sql("SELECT CONCAT('4711-', id) AS s, map('ssn', CONCAT('4711-', id)) AS attrs FROM range(3)")
    check = check_of(
        {"type": "expect_column_values_to_be_in_set", "kwargs": {"column": "S", "value_set": ["a"]}},
        {"type": "expect_column_distinct_values_to_be_in_set", "kwargs": {"column": "S", "value_set": ["a"]}},
        {"type": "expect_column_values_to_be_null", "kwargs": {"column": "attrs"}},
        redact=["s", "attrs"],
    )
    findings = found(frame, check).values()
    assert [f.status.value for f in findings] == ["fail"] * 3
    assert all(f.violations for f in findings)
    assert "4711" not in str(findings)


def test_a_long_value_is_cut(spark: SparkSession) -> None:
    frame = spark.sql("SELECT repeat('z', 2000) AS big")
    check = check_of({"type": "expect_column_values_to_be_in_set", "kwargs": {"column": "big", "value_set": ["a"]}})
    [finding] = found(frame, check).values()
    assert (len(finding.violations[0].key["big"] or ""), len(finding.message) < 1000) == (LONGEST_TEXT, True)


def test_only_the_rows_of_the_window_and_the_filter_are_validated(flights: DataFrame) -> None:
    check = check_of(
        {"type": "expect_column_max_to_be_between", "kwargs": {"column": "id", "max_value": 9}},
        {"type": "expect_table_row_count_to_be_between", "kwargs": {"min_value": 2, "max_value": 2}},
        window={"start": "2026-01-05", "end": "2026-01-08"},
    )
    [greatest, rows] = found(flights, check, time_column="ts", where="id <> 5").values()
    assert (greatest.status.value, greatest.quantities["observed"].value) == ("pass", 6.0)
    assert rows.status.value == "pass"


def test_in_an_empty_window_nothing_holds(flights: DataFrame) -> None:
    check = check_of(
        {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "id"}},
        {"type": "expect_column_to_exist", "kwargs": {"column": "id"}},
        {"type": "expect_table_row_count_to_be_between", "kwargs": {"min_value": 1}},
        window={"start": "2025-01-05", "end": "2025-01-08"},
    )
    filled, exists, rows = found(flights, check, time_column="ts").values()
    assert {filled.status.value, exists.status.value} == {"error"}
    assert filled.message == "the window [2025-01-05, 2025-01-08) of 't' is empty, so nothing was checked"
    assert rows.status.value == "fail"


class Stopping:
    """A batch in which each of some expectations stops all that are validated with it."""

    def __init__(self, sick: set[int]) -> None:
        self.sick, self.tries = sick, 0

    def validate(self, numbers: Sequence[int]) -> Mapping[int, Any]:
        self.tries += 1
        if self.sick.intersection(numbers):
            message = "no such thing"
            raise ValueError(message)
        return {i: SimpleNamespace(exception_info={}) for i in numbers}


@pytest.mark.parametrize(("sick", "tries"), [(set(), 1), ({5}, 13), ({5, 40}, 23), (set(range(64)), 28)])
def test_who_stops_the_others_is_looked_for_in_halves_with_an_end(sick: set[int], tries: int) -> None:
    batch = Stopping(sick)
    results = _each(batch, range(64))  # type: ignore[arg-type]
    assert batch.tries == tries
    stopped = {i: str(result) for i, result in results.items() if isinstance(result, Exception)}
    assert set(stopped) == sick
    untold = {message for message in stopped.values() if message != "no such thing"}
    expected = "stops together with others, of which one may be to blame: no such thing"
    assert untold == ({expected} if len(sick) > 2 else set())


def test_a_lost_connection_is_not_asked_for_again() -> None:
    class Lost(Stopping):
        def validate(self, numbers: Sequence[int]) -> Mapping[int, Any]:
            self.tries += 1
            raise ConnectionResetError

    batch = Lost(set())
    assert len(_each(batch, range(64))) == 64  # type: ignore[arg-type]
    assert batch.tries == 1


@pytest.mark.parametrize(("faults", "fail", "jobs"), [(0, 0, 25), (1, 5, 46)])
def test_the_shipped_suite_costs_no_more_jobs_than_before(
    spark: SparkSession, work: Work, tmp_path: Path, faults: int, fail: int, jobs: int
) -> None:
    """On a table like the demo's flights, on which all hold, and with faults, of which samples are shown."""
    spark.sql(
        f"SELECT timestamp '2013-11-25' + make_interval(0, 0, 0, 0, CAST(id / 100 AS INT)) AS time_hour,"
        f" IF(id < {faults}, 'ZZ', 'UA') AS carrier, CAST(id AS INT) AS flight, 1400.0D AS distance,"
        f" IF(id < {faults}, 'x', CONCAT('N', id)) AS tailnum, IF(id < {faults}, 'x', 'EWR') AS origin,"
        f" IF(id < {faults}, 1500, CAST(id % 60 AS DOUBLE)) AS dep_delay, IF(id < {faults}, 1.0D, 200.0D) AS air_time"
        " FROM range(0, 6000, 1, 2)"
    ).write.parquet(str(tmp_path / "flights"))
    suite = json.loads((ROOT / "conf/gx/flights.json").read_text(encoding="utf-8"))["expectations"]
    check = check_of(*suite)
    run = ExpectationsRun(Source("t"), tuple(entry.text for entry in check.entries), 100)
    engine = SparkEngine(Reader(spark, {"t": Dataset("t", path=str(tmp_path / "flights"), format="parquet")}))
    engine.pin([Source("t")])
    with work:
        [(_, answer)] = engine.compute([run])
    assert isinstance(answer, Outcomes), answer
    assert sum(outcome.holds is False for outcome in answer.outcomes) == fail, answer
    assert sum(bool(outcome.samples) for outcome in answer.outcomes) == fail
    # Two for each aggregate: pairs, unique keys, a row_condition and distinct values share none, nor does the count
    # of rows that have the values of the pair and of the aggregates.
    assert work.jobs <= jobs
