"""Which parts of a window a Delta table holds at its newest version, by its log and file statistics alone.

The log is replayed inside Spark, from its last classic checkpoint and the commits since; the driver gets
a line for each part that is asked for. As many files must be left as Delta itself counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import and_

from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from sparkguard.core.columns import Schema
from sparkguard.core.instant import moment_of
from sparkguard.core.source import Dataset
from sparkguard.core.window import Window
from sparkguard.engine.delta_log import MOST_COMMITS
from sparkguard.engine.faults import is_missing
from sparkguard.engine.file_times import CERTAIN, Times
from sparkguard.engine.places import literal
from sparkguard.engine.reader import reference
from sparkguard.engine.spark.values import one_of
from sparkguard.errors import DataError
from sparkguard.measures.upstreams import Part, Partitions, Touch, count_instead

_ACTIONS = (
    "add STRUCT<path: STRING, partitionValues: MAP<STRING, STRING>, dataChange: BOOLEAN, stats: STRING, "
    "deletionVector: STRUCT<cardinality: BIGINT>>, remove STRUCT<path: STRING>, sidecar STRUCT<path: STRING>"
)
_MOST_NAMES = 5_000
_TRIES = 3
_CHECKPOINT = re.compile(r"(\d{20})\.checkpoint(?:\.(\d{10})\.(\d{10}))?\.parquet")


@dataclass(frozen=True, slots=True)
class Touched:
    """By part the verdict on its files; the last commit that brought rows of the window, and the greatest time."""

    verdicts: Mapping[Part, int]
    newest: Touch
    touch: Touch | None
    latest: str | None


def head(spark: SparkSession, dataset: Dataset) -> Touch:
    """The newest version of a Delta table."""
    return _history(spark, dataset, 1)[0]


def touched(spark: SparkSession, dataset: Dataset, schema: Schema, window: Window, wanted: Partitions) -> Touched:
    """Look at the newest version; `DataError` where its log cannot tell."""
    seen: set[Touch] = set()
    for _ in range(_TRIES):
        newest = head(spark, dataset)
        seen.add(newest)
        table = _detail(spark, dataset)
        times = Times.of(dataset, schema, window, table["partitionColumns"])
        _require_partitions(dataset, schema, wanted, table["partitionColumns"])
        rows = _parts(_replayed(spark, table, newest.version, times, dataset), wanted).collect()
        if sum(r["foreign"] or 0 for r in rows):
            raise untold(dataset, "its checkpoints keep files apart")
        if table["numFiles"] in (None, sum(r["files"] for r in rows)):
            return _told(spark, dataset, newest, rows, wanted, times)
    if len(seen) > 1:
        # It may be quiet at the next question, so this is no lasting error.
        message = f"'{dataset.name}' changes while its log is read"
        raise RuntimeError(message)
    raise untold(dataset, "its files are not those that Delta counts")


def untold(dataset: Dataset, why: str) -> DataError:
    """The log does not tell: an error, neither a pass nor a failure."""
    message = f"the log of '{dataset.name}' cannot tell: {why}"
    return DataError(message, count_instead(dataset.name))


def newest_checkpoint(names: Iterable[str], version: int) -> tuple[int, tuple[str, ...]] | None:
    """The files of the last complete classic checkpoint up to a version."""
    found: dict[tuple[int, int], list[str]] = {}
    for name in names:
        match = _CHECKPOINT.fullmatch(name)
        if match and int(match[1]) <= version:
            found.setdefault((int(match[1]), int(match[3] or 1)), []).append(name)
    complete = [(at, tuple(sorted(files))) for (at, parts), files in found.items() if len(files) == parts]
    return max(complete, default=None)


def _detail(spark: SparkSession, dataset: Dataset) -> Row:
    detail = spark.sql(f"DESCRIBE DETAIL {reference(dataset)}")
    row = detail.select("location", "numFiles", "properties", "partitionColumns").collect()[0]
    if row["properties"].get("delta.columnMapping.mode", "none") != "none":
        raise untold(dataset, "it has other names for columns (column mapping)")
    return row


def _require_partitions(dataset: Dataset, schema: Schema, wanted: Partitions, partitions: Sequence[str]) -> None:
    for name in wanted.columns:
        column = schema.column(name)
        if name not in partitions:
            by = f"partitioned by {', '.join(partitions)}" if partitions else "not partitioned"
            raise untold(dataset, f"'{name}' is no partition column, the table is {by}")
        if column.type.startswith("timestamp"):
            raise untold(dataset, f"partitions by a {column.type} are written differently by each session")


def _replayed(spark: SparkSession, table: Row, version: int, times: Times, dataset: Dataset) -> DataFrame:
    """The files of a version: of each path its last action, if that added it."""
    log = literal(f"{table['location']}/_delta_log")
    saved = newest_checkpoint(_checkpoint_names(spark, log), version)
    since = 0 if saved is None else saved[0] + 1
    if version - since >= MOST_COMMITS:
        raise untold(dataset, f"there are more than {MOST_COMMITS:,} commits since its last checkpoint")
    frames = []
    if saved is not None:
        checkpoint = spark.read.schema(_ACTIONS).parquet(*(f"{log}/{name}" for name in saved[1]))
        frames.append(checkpoint.where("remove IS NULL").withColumn("version", F.lit(saved[0])))
    if since <= version:
        frames.append(_commits(spark, log, range(since, version + 1), dataset))
    actions = frames[0] if len(frames) == 1 else frames[0].unionByName(frames[1])
    return times.of_files(actions.where("coalesce(add.path, remove.path, sidecar.path) IS NOT NULL"))


def _commits(spark: SparkSession, log: str, versions: range, dataset: Dataset) -> DataFrame:
    try:
        commits = spark.read.schema(_ACTIONS).json([f"{log}/{version:020}.json" for version in versions])
        commits.schema  # noqa: B018 - Spark Connect looks for the files only now
    except Exception as error:
        if is_missing(error):
            raise untold(dataset, "commits since its last classic checkpoint are not there as files") from error
        raise
    number = F.expr("CAST(substr(_metadata.file_name, 1, 20) AS INT)").alias("version")
    return commits.select("add", "remove", "sidecar", number)


def _checkpoint_names(spark: SparkSession, log: str) -> list[str]:
    """The newest names among the checkpoints; their content is not read."""
    try:
        files = spark.read.format("binaryFile").load(f"{log}/[0-9]*.checkpoint*")
        names = files.select(F.element_at(F.split("path", "/"), -1).alias("name"))
        return [row["name"] for row in names.orderBy(F.desc("name")).limit(_MOST_NAMES).collect()]
    except Exception as error:
        if is_missing(error):
            return []
        raise


def _parts(files: DataFrame, wanted: Partitions) -> DataFrame:
    """A row for each part that is wanted and has files, and one for all others."""
    texts = [F.when(F.col("keys")[name] != "", F.col("keys")[name]) for name in wanted.columns]
    asked = [one_of(text, values) for text, values in zip(texts, wanted.values, strict=True)]
    inside = reduce(and_, asked, F.lit(True))  # noqa: FBT003 - a column
    return (
        files.select("*", inside.alias("wanted"))
        .select("*", *(F.when(F.col("wanted"), text).alias(f"p{i}") for i, text in enumerate(texts)))
        .groupBy("wanted", *(f"p{i}" for i in range(len(texts))))
        .agg(
            F.count(F.lit(1)).alias("files"),
            F.sum(F.col("foreign").cast("int")).alias("foreign"),
            F.max("verdict").alias("verdict"),
            F.max(F.when((F.col("verdict") == CERTAIN) & F.col("changed"), F.col("version"))).alias("touched"),
            F.max("latest").alias("latest"),
        )
    )


def _told(
    spark: SparkSession, dataset: Dataset, newest: Touch, rows: Sequence[Row], wanted: Partitions, times: Times
) -> Touched:
    ours = [r for r in rows if r["wanted"]]
    verdicts = {tuple(r[f"p{i}"] for i in range(len(wanted.columns))): r["verdict"] for r in ours}
    whole = set(verdicts.values()) == {CERTAIN} and len(verdicts) == len(wanted.parts)
    version = max((r["touched"] for r in ours if r["touched"] is not None), default=None)
    touch = newest if whole and version == newest.version else None
    if whole and version is not None and touch is None:
        # Commits may have come since; so many more are looked at.
        recent = _history(spark, dataset, newest.version - version + 1 + _TRIES)
        touch = next((t for t in recent if t.version == version), Touch(version))
    latest = max((r["latest"] for r in rows if r["latest"] is not None), default=None)
    return Touched(verdicts, newest, touch, None if latest is None else times.text(latest))


def _history(spark: SparkSession, dataset: Dataset, limit: int) -> list[Touch]:
    history = spark.sql(f"DESCRIBE HISTORY {reference(dataset)} LIMIT {limit:d}")
    rows = history.select("version", "operation", F.expr("unix_micros(timestamp)").alias("at")).collect()
    return [Touch(r["version"], r["operation"], None if r["at"] is None else moment_of(r["at"])) for r in rows]
