"""What statistics and partition values of a Delta file say of the times of its rows.

A file certainly holds rows of a window if its least or its greatest time lies in it: statistics are
times of real rows, unless some were deleted since. It holds none if it ends before or begins after.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sparkguard.core.columns import Column, Schema
from sparkguard.core.instant import moment_of
from sparkguard.core.source import Dataset, Partition
from sparkguard.core.types import is_text, is_time
from sparkguard.core.window import Window
from sparkguard.engine.spark.values import quoted
from sparkguard.engine.spark.windows import partition_within, render, within
from sparkguard.errors import DataError
from sparkguard.measures.upstreams import count_instead

NONE, MAYBE, CERTAIN = 0, 1, 2
"""Whether a file holds rows of the window."""

_MOST_DAYS = 1_000
_CUT = 999
"""Microseconds: the greatest time in statistics is cut to milliseconds, down or, by some writers, up."""
_OLD_CUT = 61_000_000
"""Before 1973 some zones were off by seconds, which the offset in a statistic does not show."""
_OLD = 1973
_ZONED = "(Z|[+-][0-9]{2}:[0-9]{2}(:[0-9]{2})?)$"
_BOUNDS = {
    "timestamp": ("timestamp_micros(-62135596800000000L)", "timestamp_micros(253402300799000000L)"),
    "timestamp_ntz": ("TIMESTAMP_NTZ '0001-01-01 00:00:00'", "TIMESTAMP_NTZ '9999-12-31 23:59:59'"),
}
"""Nothing outside these is in a window; clamped to them, no arithmetic overflows."""


@dataclass(frozen=True)
class Times:
    """How the files of one table are judged for one window.

    `partitioned`: the time column is itself a partition column. `follows`: a partition column that follows
    it, as the dataset declares.
    """

    time: Column
    window: Window
    partitioned: bool
    follows: tuple[Column, Partition] | None

    @classmethod
    def of(cls, dataset: Dataset, schema: Schema, window: Window, partitions: Sequence[str]) -> Times:
        """Find the columns; `DataError` if files say nothing of such a time column."""
        time = schema.column(str(dataset.time_column))
        partitioned = time.path[0] in partitions
        if not is_time(time.type) and not (partitioned and is_text(time.type)):
            message = f"the log says nothing of the times in '{time.name}', which is {time.type}"
            raise DataError(message, count_instead(dataset.name))
        follows = None
        if dataset.partition is not None and not partitioned:
            column = schema.column(dataset.partition.column)
            follows = (column, dataset.partition) if column.path[0] in partitions else None
        return cls(time, window, partitioned, follows)

    def of_files(self, actions: DataFrame) -> DataFrame:
        """For each file that the last action on its path added: its `verdict` and its `latest` time.

        `keys` are its partition values, `changed` whether it brought data, `foreign` that it stands for others.
        """
        last = self._facts(actions).groupBy("path").agg(F.max_by("fact", "turn").alias("fact"))
        files = last.select("fact.*").where("added")
        low, high = ("raw", "raw") if self.partitioned else ("low", "high")
        typed = files.select("*", *(F.expr(self._typed(c)).alias(f"{c}_time") for c in dict.fromkeys((low, high))))
        latest = F.col(f"{high}_time")
        latest = F.unix_micros(latest) if self.time.type == "timestamp" else latest.cast("string")
        verdict = self._by_partition() if self.partitioned else self._by_statistics()
        return typed.select("foreign", "keys", "changed", "version", verdict.alias("verdict"), latest.alias("latest"))

    def text(self, latest: object) -> str:
        """A latest time for people, in the window's timezone."""
        if not isinstance(latest, int):
            return str(latest)
        moment = moment_of(latest).replace(microsecond=0)
        with suppress(OverflowError):
            moment = moment.astimezone(ZoneInfo(self.window.timezone))
        return str(moment.replace(tzinfo=None))

    def _facts(self, actions: DataFrame) -> DataFrame:
        shape = "STRING"
        for part in reversed(self.time.path):
            shape = f"STRUCT<{quoted(part)}: {shape}>"
        # The count of NULLs is read as a text too, so that the shapes are one.
        ddl = f"numRecords BIGINT, tightBounds BOOLEAN, minValues {shape}, maxValues {shape}, nullCount {shape}"
        path, yes, no = quoted(*self.time.path), F.lit(True), F.lit(False)  # noqa: FBT003 - columns
        fact = F.struct(
            F.col("remove").isNull().alias("added"),
            F.expr(f"stats.minValues.{path}").alias("low"),
            F.expr(f"stats.maxValues.{path}").alias("high"),
            F.expr(f"CAST(stats.nullCount.{path} AS BIGINT)").alias("nulls"),
            F.col("stats.numRecords").alias("records"),
            (F.col("add.deletionVector").isNotNull() | ~F.coalesce("stats.tightBounds", yes)).alias("loose"),
            (F.col("stats.numRecords") - F.coalesce("add.deletionVector.cardinality", F.lit(0))).alias("left"),
            _key(self.time).alias("raw"),
            (_key(self.follows[0]) if self.follows else F.lit(None).cast("string")).alias("follows"),
            F.col("sidecar").isNotNull().alias("foreign"),
            F.col("add.partitionValues").alias("keys"),
            F.coalesce("add.dataChange", no).alias("changed"),
            "version",
        )
        return actions.select("*", F.from_json("add.stats", ddl).alias("stats")).select(
            F.coalesce("add.path", "remove.path", "sidecar.path").alias("path"),
            # A new deletion vector removes and adds a path in one commit: the file is still there.
            F.struct("version", F.col("add").isNotNull()).alias("turn"),
            fact.alias("fact"),
        )

    def _by_partition(self) -> SparkColumn:
        """All rows of a file have the one time of its partition."""
        here = self._in(F.col("raw_time"))
        # Without statistics a file has rows all the same: nobody writes a partition without one.
        filled = F.coalesce(F.col("left") > 0, ~F.col("loose"))
        # Not every text of a partition says of which zone its instant is.
        elsewhere = ~here if self.time.type != "timestamp" else F.col("raw_time").isNotNull() & ~here
        return _rank(F.col("raw").isNull() | (F.col("left") <= 0) | elsewhere, here & filled)

    def _by_statistics(self) -> SparkColumn:
        low, high, old = F.col("low_time"), F.col("high_time"), self._is_old
        cut = 0 if self.time.type == "date" else _OLD_CUT if old else _CUT
        least, most = self._in(low), self._in(_moved(high, -cut)) & self._in(_moved(high, cut))
        if old:
            least = self._in(_moved(low, -cut)) & self._in(_moved(low, cut))
        any_inside = F.coalesce(least, F.lit(False)) | F.coalesce(most, F.lit(False))  # noqa: FBT003 - columns
        inside = F.when(F.col("loose"), least & most & (F.col("nulls") == 0)).otherwise(any_inside)
        none = (F.col("left") <= 0) | (F.col("nulls") == F.col("records")) | ~self._before_end(low, cut if old else 0)
        if self.window.start is not None:
            before = Window(None, self.window.start, self.window.timezone)
            none |= within(_moved(high, cut), self.time, before)
        certain = inside & (F.col("left") > 0)
        if self.follows is not None:
            column, declared = self.follows
            value = F.expr(f"try_cast(follows AS {column.type})")
            none |= ~partition_within(value, column, declared, self.window)
            certain |= F.col("follows").isin(_days(self.window, column, declared)) & F.coalesce(
                F.col("left") > 0, ~F.col("loose")
            )
        return _rank(none, certain)

    @property
    def _is_old(self) -> bool:
        return self.time.type != "date" and (self.window.start is None or self.window.start.year < _OLD)

    def _in(self, value: SparkColumn) -> SparkColumn:
        return within(value, self.time, self.window)

    def _before_end(self, low: SparkColumn, cut: int) -> SparkColumn:
        return within(_moved(low, -cut), self.time, Window(None, self.window.end, self.window.timezone))

    def _typed(self, text: str) -> str:
        """A bound as a value of the time column; NULL where it cannot be told."""
        kind = self.time.type
        if is_text(kind):
            return text
        value = f"try_cast({text} AS {kind})"
        if kind == "date":
            return value
        first, last = _BOUNDS[kind]
        told = f"{text} RLIKE '{_ZONED}'" if kind == "timestamp" else f"{text} IS NOT NULL"
        return f"CASE WHEN {told} AND {value} IS NOT NULL THEN greatest(least({value}, {last}), {first}) END"


def _key(column: Column) -> SparkColumn:
    """A partition value; an empty text is NULL, as Delta has it."""
    text = F.col("add.partitionValues")[column.path[0]]
    return F.when(text != "", text)


def _rank(none: SparkColumn, certain: SparkColumn) -> SparkColumn:
    """What is not known is neither."""
    return F.when(none, F.lit(NONE)).when(certain, F.lit(CERTAIN)).otherwise(F.lit(MAYBE))


def _moved(value: SparkColumn, micros: int) -> SparkColumn:
    return value + F.expr(f"INTERVAL '{micros / 1_000_000:.6f}' SECOND") if micros else value


def _days(window: Window, column: Column, declared: Partition) -> list[str]:
    """The partitions of days whose rows, off by the slack at most, are all in the window.

    None of a window that is longer than anyone lists.
    """
    daily = column.type == "date" or ("dd" in declared.format and "HH" not in declared.format)
    if not daily or window.start is None or window.end - window.start > timedelta(days=_MOST_DAYS):
        return []
    start, end = window.start.replace(tzinfo=UTC), window.end.replace(tzinfo=UTC)
    first = datetime(start.year, start.month, start.day, tzinfo=UTC)
    days = [first + timedelta(days=n) for n in range((end - first).days + 1)]
    slack = timedelta(days=declared.slack.days, seconds=declared.slack.seconds)
    whole = [day for day in days if start <= day - slack and day + timedelta(days=1) + slack <= end]
    return [render(day, "yyyy-MM-dd" if column.type == "date" else declared.format) for day in whole]
