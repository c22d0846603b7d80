"""Opens datasets: Delta tables pinned to one version, windows and filters pushed down."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import reduce
from operator import or_

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sparkguard.core.columns import Column, split_path
from sparkguard.core.evidence import Pin
from sparkguard.core.instant import micros_of, moment_of
from sparkguard.core.measure import Broken
from sparkguard.core.source import Dataset, Source
from sparkguard.core.window import Window
from sparkguard.engine.blocks import Block, number_of, runs
from sparkguard.engine.delta_log import Table
from sparkguard.engine.faults import broken
from sparkguard.engine.places import absolute
from sparkguard.engine.spark.values import quoted, schema
from sparkguard.engine.spark.windows import partition_within, within
from sparkguard.errors import DataError
from sparkguard.measures.conditions import is_lasting

_CSV_OPTIONS = {"header": "true", "inferSchema": "true"}

_MEANING = ("spark.sql.session.timeZone", "spark.sql.ansi.enabled", "spark.sql.parser.escapedStringLiterals")
"""Settings on which the value of an expression may depend."""

PinKey = tuple[str, int | None]


class Reader:
    """Reads the datasets of a suite; what it opened stays pinned until it is opened again."""

    def __init__(
        self,
        spark: SparkSession,
        datasets: Mapping[str, Dataset],
        frames: Mapping[str, DataFrame] | None = None,
    ) -> None:
        """Take the datasets by name, and data frames that stand in for some of them."""
        self._spark = spark
        self._datasets = datasets
        self._frames = frames or {}
        self._opened: dict[PinKey, tuple[DataFrame, Pin]] = {}

    def pin(self, sources: Iterable[Source]) -> dict[PinKey, Pin | Broken]:
        """Open each dataset once, at one version from now on; what cannot be opened is `Broken`."""
        keys = dict.fromkeys((source.dataset, source.version) for source in sources)
        return {key: self._pin(key) for key in keys}

    def frame(
        self,
        source: Source,
        columns: tuple[Column, ...],
        expressions: Sequence[str] = (),
        blocks: Sequence[Block] = (None,),
        files: Sequence[str] = (),
    ) -> DataFrame:
        """Read a source: the dataset's filter, the window, and the columns renamed to c0, c1 and on.

        `expressions` are SQL over the dataset's own columns; they become e0, e1 and on. Of `blocks` only
        the rows are read, and their number is `b`; of `files` only the rows of these.
        """
        opened, pin = self._opened[source.dataset, source.version]
        dataset = self._datasets[source.dataset]
        if files:
            opened = self._spark.read.schema(opened.schema).parquet(*files)
        rows = opened.where(dataset.where) if dataset.where else opened
        days = [block for block in blocks if block is not None]
        if source.window is not None:
            time = self._time(dataset, pin)
            # What a partition column prunes depends on the window, so each day is cut by itself.
            windows = (days if dataset.partition else runs(days)) or [source.window]
            rows = rows.where(reduce(or_, (self._inside(dataset, pin, time, window) for window in windows)))
        # As text, since thousands of column objects take seconds of calls into the JVM.
        number = [f"{number_of(quoted(*time.path), time.type, days)} AS b"] if days else []
        return rows.selectExpr(
            *number,
            *(f"{quoted(*c.path)} AS c{i}" for i, c in enumerate(columns)),
            *(f"({sql}) AS e{i}" for i, sql in enumerate(expressions)),
            # Beside a column an aggregate is an error; alone it would make one row of all.
            *([f"{quoted(pin.schema.fields[0].name)} AS guard"] if expressions else []),
        )

    def afresh(self) -> Reader:
        """A reader of the same datasets that looks at their newest versions, and pins nothing of this one."""
        return Reader(self._spark, self._datasets, self._frames)

    def dataset(self, name: str) -> Dataset:
        """A dataset by its name."""
        return self._datasets[name]

    def is_delta(self, name: str) -> bool:
        """Whether a dataset is a Delta table, and no data frame stands in for it."""
        return name not in self._frames and self._is_delta(self._datasets[name])

    def rows(self, source: Source) -> DataFrame:
        """Read a source under its own names: the dataset's filter, the window, and every column."""
        opened, pin = self._opened[source.dataset, source.version]
        dataset = self._datasets[source.dataset]
        rows = opened.where(dataset.where) if dataset.where else opened
        window = source.window
        return rows if window is None else rows.where(self._inside(dataset, pin, self._time(dataset, pin), window))

    @property
    def spark(self) -> SparkSession:
        """The session that reads."""
        return self._spark

    def table(self, source: Source) -> Table | None:
        """The Delta table that is read, at the version that is read; None for anything else."""
        dataset, (_, pin) = self._datasets[source.dataset], self._opened[source.dataset, source.version]
        if pin.version is None or not is_lasting(dataset.where or ""):
            return None
        detail = self._spark.sql(f"DESCRIBE DETAIL {reference(dataset)}").select(
            "id", "location", "properties", "partitionColumns"
        )
        found = detail.collect()[0]
        named = found["properties"].get("delta.columnMapping.mode", "none") == "none"
        return Table(found["id"], found["location"], pin.version, named, named and not found["partitionColumns"])

    def fixed(self, source: Source) -> bool:
        """Whether one version is named, so that the rows never change."""
        dataset = self._datasets[source.dataset]
        return any(named is not None for named in (source.version, dataset.version, dataset.timestamp))

    def unfiltered(self, source: Source) -> str | None:
        """The Delta table at the version that is read as SQL; None for anything else, or with a filter."""
        dataset, (_, pin) = self._datasets[source.dataset], self._opened[source.dataset, source.version]
        if pin.version is None or dataset.where is not None:
            return None
        return f"{reference(dataset)} VERSION AS OF {pin.version:d}"

    def time_column(self, source: Source) -> Column | None:
        """The column by which the dataset is cut into windows."""
        dataset, (_, pin) = self._datasets[source.dataset], self._opened[source.dataset, source.version]
        return None if dataset.time_column is None else pin.schema.column(dataset.time_column)

    def definition(self, source: Source, table: Table, hidden: Callable[[str, str], bool]) -> str:
        """What the rows of a dataset are and how the session reads them, its name and version apart, as a hash."""
        dataset, (_, pin) = self._datasets[source.dataset], self._opened[source.dataset, source.version]
        secret = tuple(name for name in pin.schema.names() if hidden(dataset.name, name))
        session = tuple(self._spark.conf.get(name, None) for name in _MEANING)
        parts = (table.id, table.location, dataset.where, dataset.time_column, dataset.partition, secret, session)
        return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]

    def can(self, function: str) -> bool:
        """Whether this Spark has a function."""
        return self._spark.catalog.functionExists(function)

    def committed(self, source: Source) -> datetime | None:
        """When the version that is read was committed; None where the dataset has no versions."""
        dataset, (_, pin) = self._datasets[source.dataset], self._opened[source.dataset, source.version]
        if pin.version is None:
            return None
        history = self._spark.sql(f"DESCRIBE HISTORY {reference(dataset)}").where(F.col("version") == pin.version)
        micros = [row[0] for row in history.select(F.expr("unix_micros(timestamp)")).collect()]
        return moment_of(micros[0]) if micros else None

    def size(self, source: Source) -> int | None:
        """Bytes of the whole table by Delta's log, None where nobody wrote them down."""
        dataset = self._datasets[source.dataset]
        if not self._is_delta(dataset) or dataset.name in self._frames:
            return None
        try:
            rows = self._spark.sql(f"DESCRIBE DETAIL {reference(dataset)}").select("sizeInBytes").collect()
        except Exception:  # noqa: BLE001 - a plan without a size is still a plan
            return None
        return int(rows[0][0]) if rows and rows[0][0] is not None else None

    def _inside(self, dataset: Dataset, pin: Pin, time: Column, window: Window) -> SparkColumn:
        inside = within(F.col(quoted(*time.path)), time, window)
        if dataset.partition is None:
            return inside
        found = pin.schema.column(dataset.partition.column)
        return inside & partition_within(F.col(quoted(*found.path)), found, dataset.partition, window)

    def _time(self, dataset: Dataset, pin: Pin) -> Column:
        if dataset.time_column is None:
            message = f"dataset '{dataset.name}' has no time_column, so it cannot be cut into windows"
            raise DataError(message, "add time_column to the dataset in the suite")
        return pin.schema.column(dataset.time_column)

    def _pin(self, key: PinKey) -> Pin | Broken:
        dataset = self._datasets[key[0]]
        try:
            return self.open(*key)
        except Exception as error:  # noqa: BLE001 - whatever the reader raises, the check says so
            return broken(error, f"dataset '{dataset.name}' ({dataset.location})")

    def open(self, name: str, version: int | None = None) -> Pin:
        """Open a dataset at one version from now on; whatever Spark raises."""
        dataset = self._datasets[name]
        frame, found = self._open(dataset, version)
        pin = Pin(schema(frame.schema), found, dataset.time_column)
        self._opened[name, version] = (frame, pin)
        return pin

    def _open(self, dataset: Dataset, version: int | None) -> tuple[DataFrame, int | None]:
        supplied = self._frames.get(dataset.name)
        if version is not None and (supplied is not None or dataset.sql is not None):
            message = "it is a query or a data frame, so it has no versions"
            raise DataError(message, "name a dataset with a path or a table")
        if supplied is not None:
            return supplied, None
        if dataset.sql is not None:
            return self._spark.sql(dataset.sql), None
        if self._is_delta(dataset):
            return self._open_delta(dataset, dataset.version if version is None else version)
        if dataset.version is not None or dataset.timestamp is not None or version is not None:
            message = "it is not a Delta table, so it has no versions"
            raise DataError(message, "leave version and timestamp out")
        if dataset.table is not None:
            return self._spark.table(reference(dataset)), None
        reader = self._spark.read.format(str(dataset.format))
        options = _CSV_OPTIONS | dict(dataset.options) if dataset.format == "csv" else dict(dataset.options)
        return reader.options(**options).load(dataset.path), None

    def _open_delta(self, dataset: Dataset, version: int | None) -> tuple[DataFrame, int | None]:
        name = reference(dataset)
        if dataset.timestamp is not None and version is None:
            version = self._version_at(name, dataset.timestamp)
        if version is None:
            version = int(self._spark.sql(f"DESCRIBE HISTORY {name} LIMIT 1").select("version").collect()[0][0])
        query = f"SELECT * FROM {name} VERSION AS OF {version:d}"  # noqa: S608 - quoted
        return self._spark.sql(query), version

    def _version_at(self, reference: str, timestamp: datetime) -> int:
        history = self._spark.sql(f"DESCRIBE HISTORY {reference}")
        moment = F.expr(f"timestamp_micros({micros_of(timestamp)}L)")
        row = history.where(F.col("timestamp") <= moment).agg(F.max("version")).collect()[0]
        if row[0] is None:
            message = f"the table has no version as old as {timestamp.isoformat()}"
            raise DataError(message, "name a later timestamp")
        return int(row[0])

    def _is_delta(self, dataset: Dataset) -> bool:
        if dataset.sql is not None:
            return False
        if dataset.path is not None or dataset.format is not None:
            return dataset.format in (None, "delta")
        if dataset.table is None:
            return False
        rows = self._spark.sql(f"DESCRIBE TABLE EXTENDED {reference(dataset)}")
        provider = rows.where(F.col("col_name") == "Provider").select("data_type").collect()
        return any(str(row[0]).lower() == "delta" for row in provider)


def reference(dataset: Dataset) -> str:
    """How Spark SQL names a dataset: its quoted path or table."""
    if dataset.path is not None:
        return f"delta.{quoted(absolute(dataset.path))}"
    return quoted(*table_parts(str(dataset.table)))


def table_parts(name: str) -> tuple[str, ...]:
    """The parts of a table's name, in which backticks protect dots."""
    parts = split_path(name)
    if parts is None:
        message = f"'{name}' is not a table name"
        raise DataError(message, "write catalog.schema.table, with backticks around parts that hold dots")
    return parts
