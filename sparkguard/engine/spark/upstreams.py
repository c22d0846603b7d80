"""Whether upstreams have arrived, asked of Delta's log, of rows, of the file system, and of the result tables.

Each question may be asked every minute for hours, so what was answered at a version is not asked again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import reduce
from operator import and_

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sparkguard.core.columns import Column
from sparkguard.core.evidence import Pin
from sparkguard.core.instant import moment_of
from sparkguard.core.source import Source
from sparkguard.engine.faults import is_missing, is_not_there_yet
from sparkguard.engine.file_times import CERTAIN, MAYBE, NONE
from sparkguard.engine.places import literal
from sparkguard.engine.spark import Logs
from sparkguard.engine.spark.values import one_of, text
from sparkguard.engine.touched import head, touched, untold
from sparkguard.errors import DataError
from sparkguard.measures.upstreams import (
    Arrival,
    Committed,
    Counted,
    LastRun,
    Marked,
    Missing,
    Part,
    Recorded,
    SuitePassed,
    Touch,
    Upstream,
)


def committed(logs: Logs, measure: Committed) -> Arrival:
    """Ask the log of the newest version; no row is read."""
    reader, source = logs.afresh(), measure.source
    dataset, window = reader.dataset(source.dataset), source.window

    def ask() -> Arrival:
        if not reader.is_delta(dataset.name) or window is None:
            raise untold(dataset, "it is no Delta table, or a data frame stands in for it")
        schema = reader.open(dataset.name).schema
        found = touched(reader.spark, dataset, schema, window, measure.partitions)
        verdicts = {part: found.verdicts.get(part, NONE) for part in measure.parts}
        return Arrival(
            missing=tuple(Missing(part) for part, verdict in verdicts.items() if verdict == NONE),
            unsure=tuple(part for part, verdict in verdicts.items() if verdict == MAYBE),
            newest=found.newest,
            touch=found.touch if set(verdicts.values()) == {CERTAIN} else None,
            latest=found.latest,
            time=dataset.time_column,
        )

    return _there(logs, measure, source, ask)


def counted(logs: Logs, measure: Counted) -> Arrival:
    """Count rows of the window, by group where groups are asked for."""
    reader, wanted = logs.afresh(), measure.partitions

    def ask() -> Arrival:
        pin = reader.open(measure.source.dataset)
        columns = tuple(pin.schema.column(name) for name in wanted.columns)
        rows = _by_part(reader.frame(measure.source, columns), columns, measure)
        missing = (Missing(part, rows.get(part, 0)) for part in measure.parts)
        short = tuple(m for m in missing if (m.rows or 0) < measure.at_least)
        return Arrival(missing=short, rows=sum(rows.values()), newest=_at(pin))

    return _there(logs, measure, measure.source, ask)


def recorded(logs: Logs, measure: Recorded) -> Arrival:
    """Look for one row; the read stops at the first that is found."""
    reader, source = logs.afresh(), Source(measure.dataset)

    def ask() -> Arrival:
        pin = reader.open(measure.dataset)
        found = reader.frame(source, (), (measure.where,)).where("e0").limit(1).count()
        return replace(Arrival() if found else measure.nothing(), newest=_at(pin))

    return _there(logs, measure, source, ask)


def marked(logs: Logs, measure: Marked) -> Arrival:
    """Resolve each place, which reads nothing of it."""
    spark = logs.afresh().spark
    return Arrival(missing=tuple(Missing((place,)) for place in measure.places if not _exists(spark, place)))


def suite_passed(logs: Logs, measure: SuitePassed) -> Arrival:
    """Look for the latest full run in `runs`."""
    runs = logs.recorded_of_all("runs", measure.results)
    if runs is None:
        return measure.nothing()
    ours = (F.col("suite") == measure.suite) & (F.col("run_date") == F.lit(measure.date)) & F.col("selection").isNull()
    ours &= F.col("environment") == measure.environment
    fields = ("run_id", "status", "exit_code", F.unix_micros("ended_at").alias("ended"))
    latest = F.max_by(F.struct(*fields), F.struct("started_at", "attempt")).alias("latest")
    row = runs.where(ours).agg(latest).collect()[0]["latest"]
    if row is None:
        return measure.nothing()
    run = LastRun(row["run_id"], row["status"], row["exit_code"], moment_of(row["ended"]))
    return Arrival(run=run) if (run.status, run.exit_code) == ("passed", 0) else measure.nothing(run=run)


def _there(logs: Logs, measure: Upstream, source: Source, ask: Callable[[], Arrival]) -> Arrival:
    """The answer at the newest version, asked once for each; nothing where the data does not exist yet."""
    reader = logs.afresh()
    dataset = reader.dataset(source.dataset)
    try:
        # With its time: a table that was made anew begins with version 0 again.
        newest = head(reader.spark, dataset) if reader.is_delta(dataset.name) else None
        before = logs.remembered.get(measure)
        if newest is not None and before is not None and before[0] == newest and isinstance(before[1], Arrival):
            return before[1]
        answer = ask()
    except DataError:
        raise
    except Exception as error:
        if is_not_there_yet(error):
            return measure.nothing(dataset.location)
        raise
    logs.remembered[measure] = (newest, answer)
    return answer


def _at(pin: Pin) -> Touch | None:
    return None if pin.version is None else Touch(pin.version)


def _by_part(frame: DataFrame, columns: tuple[Column, ...], measure: Counted) -> dict[Part, int]:
    texts = [F.expr(text(f"c{i}", column.type)) for i, column in enumerate(columns)]
    asked = [one_of(t, values) for t, values in zip(texts, measure.partitions.values, strict=True)]
    rows = frame.where(reduce(and_, asked)) if asked else frame
    names = [f"p{i}" for i in range(len(texts))]
    named = rows.select(*(t.alias(name) for name, t in zip(names, texts, strict=True)), F.lit(1).alias("one"))
    counts = named.groupBy(*names).agg(F.count("one").alias("rows")).collect()
    return {tuple(row[name] for name in names): row["rows"] for row in counts}


def _exists(spark: SparkSession, place: str) -> bool:
    try:
        # The data source looks for the path, also for a hidden name, when its schema is asked for.
        spark.read.schema("value STRING").text(literal(place)).schema  # noqa: B018 - resolving it is the question
    except Exception as error:
        if is_missing(error):
            return False
        raise
    return True


PROBE = {
    Committed: committed,
    Counted: counted,
    Marked: marked,
    Recorded: recorded,
    SuitePassed: suite_passed,
}
