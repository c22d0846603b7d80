"""What commits changed in a Delta table, read from its log as far as that tells.

The log is read as JSON, which is the same on classic Spark and on Spark Connect. What reaches the
driver is a line for each changed file, up to a limit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from urllib.parse import unquote, urlparse
from zoneinfo import ZoneInfo

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from sparkguard.core.columns import Column
from sparkguard.core.states import Span
from sparkguard.engine.places import literal

MOST_COMMITS = 2_000
MOST_FILES = 10_000
_FILE = (
    "STRUCT<path: STRING, partitionValues: MAP<STRING, STRING>, dataChange: BOOLEAN, stats: STRING, "
    "deletionVector: STRUCT<storageType: STRING>>"
)
_ACTIONS = f"add {_FILE}, remove {_FILE}, metaData STRUCT<id: STRING>"
_PRECISION = timedelta(milliseconds=1)
"""Times in statistics are cut after the millisecond."""
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Table:
    """A Delta table at the version that is read.

    `named` is false where the log has other names for columns; `whole` is false where a file does not
    hold all columns under their names, so that it cannot be read by itself.
    """

    id: str
    location: str
    version: int
    named: bool
    whole: bool


@dataclass(frozen=True, slots=True)
class Changes:
    """What commits changed: `spans` of time (None: cannot be told, for `reason`), and the files they only added."""

    spans: tuple[Span, ...] | None
    appended: tuple[str, ...] | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class TimeColumn:
    """The column that tells when a row is, and the zone in which it is read if it has none."""

    column: Column
    timezone: str


def changes(spark: SparkSession, table: Table, after: int, time: TimeColumn | None) -> Changes:
    """What the commits after a version changed, up to the version that is read."""
    if after == table.version:
        return Changes((), ())
    if table.version - after > MOST_COMMITS:
        return Changes(None, reason=f"more than {MOST_COMMITS:,} commits since the last run")
    log = literal(f"{table.location}/_delta_log")
    try:
        found = _changes(spark, log, range(after + 1, table.version + 1), time, named=table.named)
        if not table.whole or found.appended is None:
            return replace(found, appended=() if found.appended == () else None)
        files = (f"{table.location}/{unquote(p)}" if not urlparse(p).scheme else p for p in found.appended)
        return replace(found, appended=tuple(files))
    except Exception as error:  # noqa: BLE001 - a log that cannot be read costs a scan, never an answer
        return Changes(None, reason=f"the log since version {after} cannot be read ({type(error).__name__})")


def _changes(
    spark: SparkSession, log: str, versions: Iterable[int], time: TimeColumn | None, *, named: bool
) -> Changes:
    actions = spark.read.schema(_ACTIONS).json([f"{log}/{version:020}.json" for version in versions])
    changed = actions.where("add.dataChange OR remove.dataChange OR metaData IS NOT NULL")
    time = time if named else None
    facts = (F.col("remove.path").alias("gone"), F.col("add.deletionVector").isNotNull().alias("vector"))
    rows = changed.select("add.path", *facts, *_bounds("add", time)).limit(MOST_FILES + 1).collect()
    if len(rows) > MOST_FILES:
        return Changes(None, reason=f"more than {MOST_FILES:,} files changed")
    declared = [r for r in rows if r["path"] is None and r["gone"] is None]
    if declared and not named:
        return Changes(None, reason="columns may have been renamed")
    rows = [r for r in rows if r["path"] is not None or r["gone"] is not None]
    removed = {r["gone"] for r in rows if r["gone"] is not None}
    appended = None if removed or any(r["vector"] for r in rows) else tuple(r["path"] for r in rows)
    if time is None:
        return Changes(() if not rows else None, appended, "files were removed" if removed else None)
    files = [r for r in rows if r["path"] is not None]
    if removed:
        gone = changed.where("remove IS NOT NULL").selectExpr("remove.path AS path").distinct()
        before = _known(spark, log).join(gone, "path", "left_semi")
        files += before.select("path", *_bounds(None, time)).limit(2 * MOST_FILES).collect()
    told = removed <= {r["path"] for r in files} and all(r["never"] or (r["low"] and r["high"]) for r in files)
    if not told:
        return Changes(None, appended, "the log does not say which times changed files hold")
    return Changes(_spans(files, time.timezone), appended)


def _known(spark: SparkSession, log: str) -> DataFrame:
    """The files that commits and checkpoints, as far as they are kept, say were added."""
    commits = spark.read.schema(_ACTIONS).json(f"{log}/[0-9]*[0-9].json").where("add IS NOT NULL").select("add.*")
    try:
        saved = spark.read.parquet(f"{log}/*.checkpoint*.parquet").where("add IS NOT NULL")
        names = ("path", "partitionValues", "dataChange", "stats")
        return commits.select(*names).unionByName(saved.selectExpr(*(f"add.{name} AS {name}" for name in names)))
    except Exception:  # noqa: BLE001 - young tables have no checkpoint; the commits tell enough
        return commits


def _bounds(prefix: str | None, time: TimeColumn | None) -> Sequence[SparkColumn]:
    """The least and the greatest time of a file, and whether it has none at all."""
    if time is None:
        return [F.lit(None).cast("string").alias(name) for name in ("low", "high", "never")]
    shape = "STRING"
    for part in reversed(time.column.path):
        shape = f"STRUCT<`{part.replace('`', '``')}`: {shape}>"
    ddl = f"numRecords BIGINT, minValues {shape}, maxValues {shape}, nullCount {shape}"
    of = (lambda name: F.col(f"{prefix}.{name}")) if prefix else F.col
    stats = F.from_json(of("stats"), ddl)
    # Only dates are written alike in partitions by every session.
    day = of("partitionValues")[time.column.path[0]] if time.column.type == "date" else F.lit(None)

    def inside(side: str) -> SparkColumn:
        found = stats[side]
        for part in time.column.path:
            found = found.getField(part)
        return found

    return [
        F.coalesce(inside("minValues"), day).alias("low"),
        F.coalesce(inside("maxValues"), day).alias("high"),
        (F.coalesce(inside("nullCount").cast("bigint"), F.lit(-1)) == stats["numRecords"]).alias("never"),
    ]


def _spans(files: Sequence[Row], timezone: str) -> tuple[Span, ...]:
    """The days that files cover, neighbouring ones as one."""
    zone, merged = ZoneInfo(timezone), list[Span]()
    found = [(_first(r["low"], zone), _last(r["high"], zone)) for r in files if not r["never"]]
    for low, high in sorted((_midnight(low, zone, 0), _midnight(high, zone, 1) - _INSTANT) for low, high in found):
        if merged and low <= merged[-1][1] + _INSTANT:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return tuple(merged)


def _midnight(moment: datetime, zone: ZoneInfo, days: int) -> datetime:
    """The midnight that begins the day of a moment in its zone, or the one after."""
    day = moment.astimezone(zone).replace(tzinfo=None, hour=0, minute=0, second=0, microsecond=0)
    return (day + timedelta(days=days)).replace(tzinfo=zone).astimezone(UTC)


def _first(text: str, zone: ZoneInfo) -> datetime:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def _last(text: str, zone: ZoneInfo) -> datetime:
    """The last instant of a bound, as far as its day matters."""
    if len(text) == len(date.min.isoformat()):
        return _first(text, zone)
    return _first(text, zone) + _PRECISION
