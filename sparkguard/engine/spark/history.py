"""The history of a metric, from the result tables: one query for all its subjects."""

from __future__ import annotations

from datetime import datetime

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from sparkguard.core.instant import micros_of, moment_of
from sparkguard.engine.spark import Logs
from sparkguard.measures.history import MOST_POINTS, History, MetricHistory, Point, Subject

_SUBJECT = ("column_name", "slice_key", "slice_value")
# Instants are compared as microseconds, which no session's timezone touches.
_DAY_US = 86_400_000_000


def metric_history(logs: Logs, measure: MetricHistory) -> History:
    """Read `metrics` and `runs` once; before the first run there is nothing."""
    metrics, runs = logs.recorded("metrics"), logs.recorded("runs")
    if metrics is None or runs is None:
        return History({})
    points = _newest(_latest(_by_run(metrics, runs, measure), measure))
    return History(
        {
            Subject(*(row[name] for name in _SUBJECT)): tuple(
                Point(p["value"], _moment(p["start"]), moment_of(p["end"])) for p in reversed(row["points"])
            )
            for row in points.collect()
        }
    )


def _by_run(metrics: DataFrame, runs: DataFrame, measure: MetricHistory) -> DataFrame:
    """One row for each subject and committed run: the number, and whether both checks let it stand."""
    watched = (F.col("check_id") == measure.check) & (F.col("metric_name") == measure.metric)
    refused = (F.col("check_id") == measure.judge) & ~F.col("baseline_eligible")
    # Only committed attempts: `runs` is written last.
    commits = runs.select("run_id", "attempt", F.unix_micros("started_at").alias("started"))
    rows = metrics.where(F.col("column_name").isin(*measure.columns) & (watched | refused))
    return (
        rows.join(commits, ["run_id", "attempt"])
        .withColumn("watched", watched)
        .groupBy(*_SUBJECT, "run_id")
        .agg(
            *(F.max(F.when(F.col("watched"), number)).alias(name) for name, number in _numbers(measure).items()),
            F.count_if("watched").alias("rows"),
            F.bool_and("baseline_eligible").alias("eligible"),
            F.max("started").alias("started"),
        )
        # Of two numbers of one name nobody knows which is tonight's like.
        .where((F.col("rows") == 1) & F.col("end").isNotNull())
    )


def _numbers(measure: MetricHistory) -> dict[str, Column]:
    end = F.unix_micros("window_end")
    if measure.until is None:
        end = F.when(F.col("window_end").isNull(), (F.unix_date("run_date").cast("bigint") + 1) * _DAY_US)
    return {"value": F.col("value"), "start": F.unix_micros("window_start"), "end": end}


def _latest(runs: DataFrame, measure: MetricHistory) -> DataFrame:
    """Of each window the run that started last, if its number may serve as a baseline."""
    if measure.until is not None:
        runs = runs.where(F.col("end") < F.lit(micros_of(measure.until)))
    last = F.max_by(F.struct("value", "start", "eligible"), F.struct("started", "run_id")).alias("last")
    return (
        runs.groupBy(*_SUBJECT, "end")
        .agg(last)
        .select(*_SUBJECT, "end", "last.*")
        .where("eligible AND value IS NOT NULL AND NOT isnan(value) AND abs(value) < double('infinity')")
    )


def _newest(points: DataFrame) -> DataFrame:
    listed = F.sort_array(F.collect_list(F.struct("end", "start", "value")), asc=False)
    return points.groupBy(*_SUBJECT).agg(F.slice(listed, 1, MOST_POINTS).alias("points"))


def _moment(micros: int | None) -> datetime | None:
    return None if micros is None else moment_of(micros)


PROBE = {MetricHistory: metric_history}
