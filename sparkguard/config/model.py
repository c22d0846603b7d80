"""The blocks of a suite around its checks: results, defaults, datasets."""

from __future__ import annotations

import re
from datetime import UTC
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from sparkguard.core.fields import DurationField, parse_moment, timezone_name
from sparkguard.core.source import Dataset, Partition
from sparkguard.core.suite import Results
from sparkguard.core.window import Duration

_PATTERN_LETTERS = re.compile(r"(yyyy|MM|dd|HH|mm|[^A-Za-z])+")
_ORDER = ("yyyy", "MM", "dd", "HH", "mm")


def _moment(text: str | None) -> str | None:
    if text is not None:
        parse_moment(text, ZoneInfo("UTC"))
    return text


def _pattern(text: str) -> str:
    units = re.findall(r"yyyy|MM|dd|HH|mm", text)
    if not _PATTERN_LETTERS.fullmatch(text) or not units or units != list(_ORDER[: len(units)]):
        message = f"'{text}' must go from large to small units (yyyy MM dd HH mm), so that its texts sort as times do"
        raise ValueError(message)
    return text


Zone = Annotated[str, AfterValidator(timezone_name)]


class _Block(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, use_attribute_docstrings=True)


class PartitionBlock(_Block):
    """A partition column that follows the time column."""

    column: str
    """The partition column."""
    format: Annotated[str, AfterValidator(_pattern)] = "yyyy-MM-dd"
    """Its date pattern, from large to small units."""
    slack: DurationField = Duration(days=1)
    """How far a row's partition may be from its time."""


class DatasetBlock(_Block):
    """A named input: exactly one of path, table and sql."""

    path: str | None = None
    """Folder or URI of the data."""
    table: str | None = None
    """Name of a table: catalog.schema.table."""
    sql: str | None = None
    """A query; its inputs are not pinned."""
    format: Literal["delta", "parquet", "csv", "json", "orc"] | None = None
    """Format of the path; delta unless said otherwise."""
    options: dict[str, str | int | float | bool] = {}
    """Options of Spark's reader."""
    version: int | None = Field(None, ge=0)
    """Delta version to read instead of the newest."""
    timestamp: Annotated[str | None, AfterValidator(_moment)] = None
    """Read the Delta version of this moment instead of the newest."""
    where: str | None = None
    """SQL filter that always applies."""
    time_column: str | None = None
    """The column that windows cut by: TIMESTAMP, TIMESTAMP_NTZ, DATE or ISO text."""
    partition: PartitionBlock | None = None
    """A partition column that windows prune by."""

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        given = [name for name in ("path", "table", "sql") if getattr(self, name) is not None]
        if len(given) > 1:
            message = f"has {' and '.join(given)}; give exactly one of path, table and sql"
            raise ValueError(message)
        if self.version is not None and self.timestamp is not None:
            message = "has version and timestamp; give one of them"
            raise ValueError(message)
        pinned = self.version is not None or self.timestamp is not None
        if pinned and (self.sql is not None or self.format not in (None, "delta")):
            message = "version and timestamp are for Delta tables only"
            raise ValueError(message)
        if self.format is not None and self.path is None:
            message = "format goes with path"
            raise ValueError(message)
        return self

    def dataset(self, name: str, timezone: str) -> Dataset:
        """The dataset as the engine knows it."""
        partition = self.partition
        fields = self.model_dump(exclude={"partition", "options", "timestamp"})
        zone = ZoneInfo(timezone)
        moment = None if self.timestamp is None else parse_moment(self.timestamp, zone).replace(tzinfo=zone)
        return Dataset(
            name=name,
            **fields,
            options=tuple((k, str(v).lower() if isinstance(v, bool) else str(v)) for k, v in self.options.items()),
            partition=None if partition is None else Partition(partition.column, partition.format, partition.slack),
            timestamp=moment and moment.astimezone(UTC),
        )


class ResultsBlock(_Block):
    """Where results go, in the long form."""

    path: str | None = None
    """Folder or URI of path-based Delta tables."""
    catalog_schema: str | None = Field(None, alias="schema")
    """catalog.schema of catalog tables."""
    single_writer: bool = False
    """Says that only one job at a time writes to plain S3."""

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.path is None) == (self.catalog_schema is None):
            message = "give exactly one of path and schema"
            raise ValueError(message)
        return self

    def results(self) -> Results:
        """The location as sinks know it."""
        return Results(self.path, self.catalog_schema, self.single_writer)


class DefaultsBlock(_Block):
    """Fields that every check takes over unless it has its own."""

    severity: Literal["error", "warn"] | None = None
    owner: str | None = None
    tags: tuple[str, ...] | None = None
    on_empty: Literal["error", "fail", "pass", "skip"] | None = None
    violations: Literal["capped", "none"] | None = None
    violation_limit: int | None = Field(None, ge=0, le=10_000)
    redact: tuple[str, ...] | None = None


def _short_results(raw: object) -> object:
    if isinstance(raw, str):
        short = Results.parse(raw)
        return {"path": short.path} if short.path is not None else {"schema": short.schema}
    return raw


class SuiteBlock(_Block):
    """A whole suite but for its checks, which their types validate."""

    suite: str = Field(pattern=r"^[\w.-]+$")
    """The suite's name; result tables are partitioned by it."""
    results: Annotated[ResultsBlock, BeforeValidator(_short_results)] = ResultsBlock.model_validate({"path": "results"})
    """Folder or URI of the result tables, {path, single_writer} or {schema: catalog.schema}."""
    environment: str = "dev"
    """Where this runs, for dashboards."""
    timezone: Zone = "UTC"
    """Of ${date}, of windows, and of time columns without a zone."""
    tags: dict[str, str] = {}
    """Tags of every run of the suite."""
    defaults: DefaultsBlock = DefaultsBlock.model_validate({})
    """Fields that every check takes over unless it has its own."""
    datasets: dict[str, DatasetBlock] = {}
    """Named inputs; nothing is read until a check needs it."""
    checks: list[dict[str, object]] = Field(min_length=1)
    """The checks, in the order in which they report."""
