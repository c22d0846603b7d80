"""The Delta tables of results: created once, replaced by run, committed by the row in `runs`."""

from __future__ import annotations

import random
import re
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import TypeVar

from pyspark.sql import DataFrame, DataFrameWriter, SparkSession
from pyspark.sql import functions as F

from sparkguard.core.finding import Status
from sparkguard.core.states import StateUpdate
from sparkguard.core.suite import Results
from sparkguard.core.text import first_line
from sparkguard.errors import SinkError, SparkguardError
from sparkguard.sinks.frames import frame_of
from sparkguard.sinks.location import absolute, exclusive
from sparkguard.sinks.render import PreviousKey
from sparkguard.sinks.rows import SCHEMA_VERSION, Row, RunRow, StateRow, ViolationRow, columns, ddl
from sparkguard.sinks.states import chunks, replaced, state_rows

T = TypeVar("T")

_VERSION_PROPERTY = "sparkguard.schema_version"
_PROPERTIES = (
    f"'{_VERSION_PROPERTY}' = '{SCHEMA_VERSION}', "
    # Each run leaves one transaction id in the log; after a month no retry of it can come.
    "'delta.setTransactionRetentionDuration' = 'interval 30 days'"
)
_CREATION_ORDER = ("check_results", "metrics", "violations", "states", "runs")
_CONCURRENT = re.compile(
    r"DELTA_CONCURRENT|Concurrent\w*Exception|ProtocolChanged|MetadataChanged|DELTA_METADATA_CHANGED|"
    r"DELTA_PROTOCOL_CHANGED|NON_EMPTY_LOCATION|DELTA_TABLE_ALREADY_EXISTS|TABLE_OR_VIEW_ALREADY_EXISTS|"
    r"DELTA_CREATE_TABLE|FileAlreadyExists"
)
_TRIES = 10
_FIRST_PAUSE = 0.2
_LONGEST_PAUSE = 8.0


class DeltaSink:
    """Writes results as Delta tables; every write may be repeated and leaves the same rows."""

    def __init__(self, spark: SparkSession, results: Results) -> None:
        """Write below `results` with this session."""
        self._spark = spark
        self._results = results
        self._process = uuid.uuid4().hex[:12]
        self._writes = 0
        self._new = False

    def prepare(self) -> None:
        """Create the five tables where they are missing; `SinkError` if that cannot be."""
        self._guarded(self._create_missing)

    def highest_attempt(self, suite: str, run_id: str) -> int:
        """The highest attempt of the run that left a row, 0 without one.

        Every attempt writes `check_results` first, and `runs` keeps those that finished.
        """
        if self._new:
            return 0
        runs, results = (
            self.read(t).where((F.col("suite") == suite) & (F.col("run_id") == run_id)).select("attempt")
            for t in ("runs", "check_results")
        )
        rows = runs.unionAll(results).agg(F.max("attempt")).collect()
        return int(rows[0][0] or 0)

    def previous(self, suite: str, run_id: str, run_date: date) -> Mapping[PreviousKey, Status]:
        """The last status, not skipped, of each subject in committed runs up to this date."""
        if self._new:
            return {}
        runs = self.read("runs").where(F.col("suite") == suite).select("run_id", "attempt")
        results = self.read("check_results").where(
            (F.col("suite") == suite)
            & (F.col("run_id") != run_id)
            & (F.col("run_date") <= F.lit(run_date))
            & (F.col("status") != Status.SKIPPED.value)
        )
        names = ("check_id", "subject_kind", "subject", "slice_key", "slice_value")
        latest = (
            results.join(runs, ["run_id", "attempt"], "left_semi")
            .groupBy(*names)
            .agg(F.max_by("status", F.struct("run_date", "created_at")).alias("status"))
        )
        return {tuple(row[n] for n in names): Status(row["status"]) for row in latest.collect()}

    def replace(self, table: str, rows: Sequence[Row], suite: str, run_id: str) -> None:
        """Make `rows` the only ones of the run in a table; `runs` keeps its other attempts."""
        where = f"suite = '{suite}' AND run_id = '{run_id}'"
        if table == RunRow.TABLE:
            where += " AND attempt IN (" + ", ".join(str(r.attempt) for r in rows if isinstance(r, RunRow)) + ")"
        target, number = self._results.table(table), self._next_write()

        def write() -> None:
            frame = frame_of(self._spark, table, rows)
            _save_to(self._writer(frame, target, where, number), target)

        self._guarded(write)

    def write_evidence(self, frame: DataFrame | None, row: ViolationRow, target: str) -> None:
        """Replace all evidence of one check and run in a table or path of the suite's own.

        `frame` has kind, key, reason and count, None stands for nothing; the other columns are those of `row`.
        """
        fixed = ("result_id", "run_id", "attempt", "suite", "run_date", "check_id")
        where = f"suite = '{row.suite}' AND run_id = '{row.run_id}' AND check_id = '{row.check_id}' "
        where += f"AND result_id = '{row.result_id}'"
        if frame is None:
            whole = frame_of(self._spark, ViolationRow.TABLE, [])
        else:
            given = {n: F.lit(getattr(row, n)) for n in fixed} | {
                n: F.col(n) for n in ("kind", "key", "reason", "count")
            }
            whole = frame.select(
                *(given.get(n, F.lit(None)).cast(kind).alias(n) for n, kind in columns(ViolationRow.TABLE).items())
            )
        number = self._next_write()

        def write() -> None:
            self._spark.sql(
                f"CREATE TABLE IF NOT EXISTS {_reference(target)} ({ddl(ViolationRow.TABLE)}) "
                "USING delta PARTITIONED BY (suite)"
            )
            _save_to(self._writer(whole, target, where, number), target)

        self._guarded(write)

    def replace_states(self, updates: Sequence[StateUpdate], suite: str, now: datetime) -> None:
        """Bring new states of blocks and drop those that changed data made void."""
        target, where = self._results.table(StateRow.TABLE), replaced(updates, suite)
        for at, rows in enumerate(chunks(state_rows(updates, suite, now))):
            number = self._next_write()

            def write(at: int = at, rows: Sequence[Row] = rows, number: int = number) -> None:
                frame = frame_of(self._spark, StateRow.TABLE, rows)
                writer = self._writer(frame, target, where, number)
                _save_to(writer.mode("append") if at else writer, target)

            self._guarded(write)

    def read(self, table: str) -> DataFrame:
        """The rows of a result table."""
        target = self._results.table(table)
        if self._results.path is not None:
            return self._spark.read.format("delta").load(absolute(target))
        return self._spark.table(_reference(target))

    def _create_missing(self) -> None:
        if self._schema_version() == SCHEMA_VERSION:
            return
        self._new = True
        for table in _CREATION_ORDER:
            reference = _reference(self._results.table(table))
            self._spark.sql(
                f"CREATE TABLE IF NOT EXISTS {reference} ({ddl(table)}) USING delta "
                f"PARTITIONED BY (suite) TBLPROPERTIES ({_PROPERTIES})"
            )
        self._new = self.read("runs").isEmpty()

    def _schema_version(self) -> int | None:
        try:
            reference = _reference(self._results.table(RunRow.TABLE))
            rows = self._spark.sql(f"SHOW TBLPROPERTIES {reference}")
            found = rows.where(F.col("key") == _VERSION_PROPERTY).collect()
        except Exception:  # noqa: BLE001 - a table that does not exist yet, in Spark's many words for it
            return None
        return int(found[0]["value"]) if found else None

    def _next_write(self) -> int:
        """Number the writes of this process: a repeated one is a doubled commit, which Delta skips."""
        self._writes += 1
        return self._writes

    def _writer(self, frame: DataFrame, target: str, where: str, number: int) -> DataFrameWriter:
        return (
            frame.write.format("delta")
            .mode("overwrite")
            .option("replaceWhere", where)
            .option("txnAppId", f"sparkguard-{self._process}-{target}")
            .option("txnVersion", number)
            .partitionBy("suite")
        )

    def _guarded(self, act: Callable[[], T]) -> T:
        """Act under the folder's lock, again with growing pauses where another writer was faster."""
        pause = _FIRST_PAUSE
        for attempt in range(1, _TRIES + 1):
            try:
                with exclusive(self._results):
                    return act()
            except SparkguardError:
                raise
            except Exception as error:
                if attempt == _TRIES or not _CONCURRENT.search(f"{type(error).__name__} {error}"):
                    message = f"results cannot be written to '{self._results}': {first_line(error)}"
                    raise SinkError(message) from error
            time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, not secrecy
            pause = min(2 * pause, _LONGEST_PAUSE)
        raise AssertionError


def is_path(target: str) -> bool:
    """Whether a target is a folder or URI rather than a table's name."""
    return "/" in target


def _save_to(writer: DataFrameWriter, target: str) -> None:
    if is_path(target):
        writer.save(absolute(target))
    else:
        writer.saveAsTable(_reference(target))


def _reference(target: str) -> str:
    if is_path(target):
        return "delta.`" + absolute(target).replace("`", "``") + "`"
    return ".".join(f"`{part}`" for part in target.replace("`", "").split("."))
