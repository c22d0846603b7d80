"""The history of a metric, read by Spark from real result tables, equals its twin in plain Python."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

import sparkguard
from sparkguard import Options
from sparkguard.app import load_suite, plan
from sparkguard.core.measure import Broken
from sparkguard.core.suite import Results, Suite
from sparkguard.engine.past import Past
from sparkguard.engine.reader import Reader
from sparkguard.engine.spark_engine import SparkEngine
from sparkguard.measures.history import MOST_POINTS, MOST_SUBJECTS, History, MetricHistory, Subject
from sparkguard.sinks.delta import DeltaSink
from sparkguard.sinks.frames import frame_of
from sparkguard.sinks.rows import MetricRow, RunRow
from sparkguard.testing import history_of
from tests.conftest import Work

DAY = datetime(2026, 3, 1, tzinfo=UTC)
ODD = ["a.b", "with space", "back`tick", "it's", "ÄÖ", "back\\slash"]
X = Subject("x")
JOBS = 8


def metric(run: str, night: int, value: float | None, **fields: Any) -> MetricRow:
    """Of the window of one day that ends on the night."""
    end = DAY + timedelta(night)
    return replace(
        MetricRow(
            run_id=run, attempt=1, suite="s", run_date=end.date(), check_id="a", dataset="t", dataset_version=None,
            column_name="x", metric_name="rows", value=value, window_start=end - timedelta(1), window_end=end,
            reference_start=None, reference_end=None, slice_key=None, slice_value=None, baseline_eligible=True,
            created_at=end,
        ),
        **fields,
    )  # fmt: skip


def commit(run: str, started: datetime, **fields: Any) -> RunRow:
    return replace(
        RunRow(
            run_id=run, attempt=1, suite="s", environment="dev", run_date=started.date(), config_sha256="",
            sparkguard_version="", spark_version="", delta_version=None, application_id=None, master=None, user=None,
            scheduled_for=None, started_at=started, ended_at=started, duration_ms=0, status="passed", exit_code=0,
            checks_total=1, checks_passed=1, checks_warned=0, checks_failed=0, checks_errored=0, checks_skipped=0,
            rows_scanned=0, spark_jobs=None, tags={}, selection=None, error=None,
        ),
        **fields,
    )  # fmt: skip


def suite(results: Results, name: str) -> Suite:
    raw = {"suite": name, "datasets": {"t": {"path": "t"}}, "checks": [
        {"id": "a", "type": "row_count", "dataset": "t"},
        {"id": "usual", "type": "metric_anomaly", "check": "a", "metric": "rows"},
    ]}  # fmt: skip
    return replace(load_suite(raw, Options(date=DAY.date(), run_id="tonight")), results=results)


def append(spark: SparkSession, results: Results, metrics: Sequence[MetricRow], runs: Sequence[RunRow]) -> None:
    for name, rows in (("metrics", metrics), ("runs", runs)):
        writer = frame_of(spark, name, rows).write.format("delta").mode("append")
        if results.path is None:
            writer.saveAsTable(results.table(name))
        else:
            writer.save(results.table(name))


def written(spark: SparkSession, results: Results, metrics: Sequence[MetricRow], runs: Sequence[RunRow]) -> None:
    DeltaSink(spark, results).prepare()
    append(spark, results, metrics, runs)


def asked(spark: SparkSession, results: Results, measure: MetricHistory, name: str = "s") -> History | Broken:
    engine = SparkEngine(Reader(spark, {}), past=Past(spark, suite(results, name)))
    [(_, answer)] = engine.compute([measure])
    assert isinstance(answer, History | Broken)
    return answer


def question(*columns: str, until: datetime | None = DAY) -> MetricHistory:
    return MetricHistory("usual", "a", "rows", columns or ("x",), until)


def values(answer: History | Broken, subject: Subject = X) -> list[float]:
    assert isinstance(answer, History)
    return [p.value for p in answer.points.get(subject, ())]


NIGHTS = [metric(f"n{n}", n, float(-n)) for n in range(-5, 0)]
COMMITS = [commit(f"n{n}", DAY + timedelta(n, hours=6)) for n in range(-5, 0)]
LATE = DAY + timedelta(100)

CASES: dict[str, tuple[list[MetricRow], list[RunRow], list[float]]] = {
    "nights in their order": (NIGHTS, COMMITS, [5, 4, 3, 2, 1]),
    "rows in another order": (NIGHTS[::-1], COMMITS[::-1], [5, 4, 3, 2, 1]),
    "a backfill that ran last has its place by its window": (
        [*NIGHTS, metric("late", -9, 9)], [*COMMITS, commit("late", LATE)], [9, 5, 4, 3, 2, 1],
    ),
    "the same window again: the run that started last counts": (
        [metric("late", -3, 33), *NIGHTS], [commit("late", LATE), *COMMITS], [5, 4, 33, 2, 1],
    ),
    "a window that is not before tonight's": (
        [*NIGHTS, metric("same", 0, 7), metric("after", 1, 7)], [*COMMITS, commit("same", LATE), commit("after", LATE)],
        [5, 4, 3, 2, 1],
    ),
    "a check that failed is no baseline": (
        [replace(m, baseline_eligible=m.run_id != "n-2") for m in NIGHTS], COMMITS, [5, 4, 3, 1],
    ),
    "a failed run that was repaired counts by its repair": (
        [*[replace(m, baseline_eligible=m.run_id != "n-2") for m in NIGHTS], metric("again", -2, 22)],
        [*COMMITS, commit("again", LATE)], [5, 4, 3, 22, 1],
    ),
    "a good run that was found bad later is no baseline": (
        [*NIGHTS, metric("again", -2, 22, baseline_eligible=False)], [*COMMITS, commit("again", LATE)], [5, 4, 3, 1],
    ),
    "what this check failed is no baseline": (
        [*NIGHTS, metric("n-4", -4, 4, check_id="usual", metric_name="observed", baseline_eligible=False)], COMMITS,
        [5, 3, 2, 1],
    ),
    "what this check passed, or failed of another column, is": (
        [
            *NIGHTS,
            metric("n-4", -4, 4, check_id="usual", metric_name="observed"),
            metric("n-3", -3, 4, check_id="usual", column_name="y", baseline_eligible=False),
        ],
        COMMITS, [5, 4, 3, 2, 1],
    ),
    "a run that was not committed": ([*NIGHTS, metric("killed", -7, 7)], COMMITS, [5, 4, 3, 2, 1]),
    "an attempt that was not committed": (
        [replace(m, attempt=2 if m.run_id == "n-1" else 1) for m in NIGHTS], COMMITS, [5, 4, 3, 2],
    ),
    "a run with two attempts is one point": (
        [replace(m, attempt=2 if m.run_id == "n-1" else 1) for m in NIGHTS],
        [*COMMITS, commit("n-1", LATE, attempt=2)], [5, 4, 3, 2, 1],
    ),
    "this run's own earlier attempt": (
        [*NIGHTS, metric("tonight", -7, 7)], [*COMMITS, commit("tonight", DAY)], [5, 4, 3, 2, 1],
    ),
    "another suite, check, metric and column": (
        [
            *NIGHTS, metric("n-5", -8, 7, suite="other"), metric("n-5", -8, 7, check_id="b"),
            metric("n-5", -8, 7, metric_name="change"), metric("n-5", -8, 7, column_name="y"),
        ],
        [*COMMITS, commit("n-5", LATE, suite="other")], [5, 4, 3, 2, 1],
    ),
    "numbers that are none": (
        [
            *NIGHTS, metric("null", -6, None), metric("nan", -7, float("nan")),
            metric("inf", -8, float("inf")), metric("minus", -9, float("-inf")),
        ],
        [*COMMITS, *(commit(r, LATE) for r in ("null", "nan", "inf", "minus"))], [5, 4, 3, 2, 1],
    ),
    "two numbers of one name in a run": ([*NIGHTS, metric("n-3", -3, 33)], COMMITS, [5, 4, 2, 1]),
    "numbers without a window": (
        [*NIGHTS, metric("whole", -7, 7, window_start=None, window_end=None)], [*COMMITS, commit("whole", LATE)],
        [5, 4, 3, 2, 1],
    ),
    "nothing": ([], [], []),
}  # fmt: skip


ODD_ROWS = [replace(m, column_name=c, value=float(i), suite="odd") for i, c in enumerate(ODD) for m in NIGHTS]
ODD_ROWS += [replace(m, column_name=ODD[0], slice_key="k", slice_value=v, suite="odd") for v in "12" for m in NIGHTS]
WHOLE = [replace(m, window_start=None, window_end=None, suite="whole") for m in NIGHTS]
WHOLE += [metric("windowed", -7, 7, suite="whole")]
LONG = range(-MOST_POINTS - 7, 0)
METRICS = [*ODD_ROWS, *WHOLE, *(metric(f"n{n}", n, float(-n), suite="long") for n in LONG)]
RUNS = [*(commit(f"n{n}", DAY + timedelta(n, hours=6), suite=s) for n in range(-5, 0) for s in ("odd", "whole"))]
RUNS += [commit("windowed", LATE, suite="whole"), *(commit(f"n{n}", DAY, suite="long") for n in LONG)]
for number, (its_metrics, its_runs, _) in enumerate(CASES.values()):
    METRICS += [replace(m, suite=f"case{number}" if m.suite == "s" else m.suite) for m in its_metrics]
    RUNS += [replace(r, suite=f"case{number}" if r.suite == "s" else r.suite) for r in its_runs]
TABLES: Mapping[str, Sequence[Any]] = {"metrics": METRICS, "runs": RUNS}


@pytest.fixture(scope="module")
def results(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Results:
    """One place, in which every case is a suite of its own."""
    place = Results(path=str(tmp_path_factory.mktemp("past") / "r"))
    written(spark, place, METRICS, RUNS)
    return place


@pytest.mark.parametrize("case", CASES)
def test_points_are_those_that_may_serve_as_a_baseline(spark: SparkSession, results: Results, case: str) -> None:
    name = f"case{[*CASES].index(case)}"
    answer = asked(spark, results, question(), name)
    assert values(answer) == CASES[case][2]
    assert answer == history_of(TABLES, name, question(), "tonight")


def test_points_know_their_windows(spark: SparkSession, results: Results) -> None:
    answer = asked(spark, results, question(), "case0")
    assert isinstance(answer, History)
    last = answer.points[X][-1]
    assert (last.start, last.end) == (DAY - timedelta(2), DAY - timedelta(1))


def test_numbers_without_a_window_end_with_the_day_of_their_run(spark: SparkSession, results: Results) -> None:
    answer = asked(spark, results, question(until=None), "whole")
    assert (values(answer), answer) == ([5, 4, 3, 2, 1], history_of(TABLES, "whole", question(until=None)))
    assert isinstance(answer, History)
    assert (answer.points[X][-1].start, answer.points[X][-1].end) == (None, DAY)
    assert values(asked(spark, results, question(), "whole")) == [7]


def test_all_subjects_come_by_one_query_whatever_their_names(spark: SparkSession, results: Results, work: Work) -> None:
    with work:
        answer = asked(spark, results, question(*ODD), "odd")
    assert answer == history_of(TABLES, "odd", question(*ODD))
    assert isinstance(answer, History)
    assert len(answer.points) == len(ODD) + 2
    # Snapshots and file lists of two Delta logs, the broadcast of runs, the stages of the query.
    for_all = work.jobs
    assert for_all <= JOBS
    with work:
        asked(spark, results, question(ODD[1]), "odd")
    assert work.jobs == 2 * for_all


def test_the_newest_points_are_kept_and_the_rest_stays_with_the_executors(
    spark: SparkSession, results: Results
) -> None:
    answer = asked(spark, results, question(), "long")
    assert values(answer) == [float(n) for n in range(MOST_POINTS, 0, -1)]
    assert answer == history_of(TABLES, "long", question())
    assert MOST_POINTS * MOST_SUBJECTS * 24 < 10_000_000


def test_before_the_first_run_there_are_no_points(spark: SparkSession, tmp_path: Path) -> None:
    assert asked(spark, Results(path=str(tmp_path / "new")), question()) == History({})
    assert asked(spark, Results(schema="spark_catalog.nowhere"), question()) == History({})
    [(_, answer)] = SparkEngine(Reader(spark, {})).compute([question()])
    assert answer == History({})


def test_tables_that_cannot_be_read_are_no_empty_history(spark: SparkSession, tmp_path: Path) -> None:
    place = Results(path=str(tmp_path / "r"))
    written(spark, place, NIGHTS, COMMITS)
    for part in (tmp_path / "r" / "metrics").rglob("*.parquet"):
        if "_delta_log" not in part.parts:
            part.unlink()
    answer = asked(spark, place, question())
    assert isinstance(answer, Broken)
    assert answer.reason.startswith("history of rows of a: ")


def test_a_catalog_schema_is_read_too(spark: SparkSession) -> None:
    spark.sql("CREATE DATABASE IF NOT EXISTS past")
    place = Results(schema="spark_catalog.past")
    append(spark, place, NIGHTS, COMMITS)
    assert values(asked(spark, place, question())) == [5, 4, 3, 2, 1]


def test_a_night_is_judged_by_the_tables_that_earlier_nights_wrote(spark: SparkSession, tmp_path: Path) -> None:
    results = str(tmp_path / "r")
    raw = {
        "suite": "s",
        "results": results,
        "datasets": {"t": {"path": "unused", "time_column": "ts"}},
        "checks": [
            {"id": "a", "type": "row_count", "dataset": "t", "window": {"end": "${date}", "length": "1d"}},
            {"id": "usual", "type": "metric_anomaly", "check": "a", "metric": "rows"},
            {"id": "b", "type": "row_count", "dataset": "t"},
            {"id": "fixed", "type": "metric_anomaly", "check": "b", "metric": "rows", "false_alarms": "1 per 30d"},
        ],
    }
    nights = [metric(f"n{n}", n, float(100 + n % 5), column_name=":table") for n in range(-40, 0)]
    nights += [replace(m, check_id="b", value=5.0, window_start=None, window_end=None) for m in nights]
    written(spark, Results(path=results), nights, [commit(f"n{n}", DAY + timedelta(n)) for n in range(-40, 0)])
    frame = spark.sql("SELECT explode(sequence(1, 60)) AS id, timestamp'2026-02-28 12:00:00' AS ts")
    for _ in range(2):
        report = sparkguard.run(raw, spark=spark, dataframes={"t": frame}, options=Options(date=date(2026, 3, 1)))
        found = {c.id: f for c, f in report.findings}
        assert {name: f.status.value for name, f in found.items()} == {
            "a": "pass", "b": "pass", "usual": "fail", "fixed": "fail"
        }  # fmt: skip
        assert found["usual"].quantities["points"].value == 40
    rows = spark.read.format("delta").load(f"{results}/check_results").where("check_id = 'usual'").collect()
    assert [(r["metric_name"], r["comparison"], r["threshold_source"], r["attempt"]) for r in rows] == [
        ("rows", "<", "history", 2)
    ]
    assert rows[0]["error_bound"] > 60
    # The first change of a constant is infinitely far off, which the table can hold.
    stored = spark.read.format("delta").load(f"{results}/metrics").where("check_id = 'fixed'").collect()
    assert {r["metric_name"]: r["value"] for r in stored}["exceedance"] == float("inf")
    text = "\n".join(plan(raw, Options(date=date(2026, 3, 1))))
    assert "stage after a was judged:" in text
    assert "later, at most: usual: 1 query of the result tables" in text
