"""Result tables read back: one SQL for two readers, with and without Spark."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from string import Formatter
from typing import TYPE_CHECKING, Any

from sparkguard.core.instant import moment_of
from sparkguard.core.suite import Results
from sparkguard.errors import ConfigError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

Query = Callable[[str], list[dict[str, Any]]]
"""Answers SQL that writes result tables as `{runs}`; maps are dicts, instants are aware and in UTC."""


def by_deltalake(results: Results) -> Query:
    """Read without Spark; needs the extra `tables`, and `results` must be a path or URI."""
    try:
        from arro3.core import DataType
        from deltalake import DeltaTable, QueryBuilder
        from deltalake.exceptions import TableNotFoundError
    except ImportError as error:
        message = "reading result tables without Spark needs the extra: pip install 'sparkguard[tables]'"
        raise ConfigError(message) from error

    opened: dict[str, DeltaTable] = {}

    def query(sql: str) -> list[dict[str, Any]]:
        names = _tables(sql)
        session = QueryBuilder()
        try:
            for name in names:
                opened[name] = opened.get(name) or DeltaTable(results.table(name))
                session = session.register(name, opened[name])
        except TableNotFoundError as error:
            raise _missing(results) from error
        # Not by pyarrow: loaded beside deltalake, it aborted every second process at its exit.
        found = session.execute(sql.format(**{name: name for name in names})).read_all()
        maps = {name for name in found.schema.names if DataType.is_map(found.schema.field(name).type)}
        columns = {
            name: [_read(value, is_map=name in maps) for value in found.column(name).to_pylist()]
            for name in found.schema.names
        }
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    return query


def by_spark(spark: SparkSession, results: Results) -> Query:
    """Read through Spark, which knows what a `catalog.schema` is."""
    from pyspark.sql import functions as F

    def query(sql: str) -> list[dict[str, Any]]:
        names = _tables(sql)
        places = {name: ".".join(f"`{part}`" for part in results.table(name).split(".")) for name in names}
        if not all(spark.catalog.tableExists(place) for place in places.values()):
            raise _missing(results)
        found = spark.sql(sql.format(**places))
        instants = [name for name, kind in found.dtypes if kind == "timestamp"]
        # As microseconds: collected as they are, they come in the zone of whichever process asks.
        rows = found.withColumns({name: F.unix_micros(name) for name in instants}).collect()
        return [_with_instants(row.asDict(), instants) for row in rows]

    return query


def _tables(sql: str) -> list[str]:
    return sorted({name for _, name, _, _ in Formatter().parse(sql) if name})


def _missing(results: Results) -> ConfigError:
    message = f"there are no result tables in '{results}'"
    return ConfigError(message)


def _read(value: Any, *, is_map: bool) -> Any:
    if is_map and value is not None:
        return dict(value)
    return value.astimezone(UTC) if isinstance(value, datetime) else value


def _with_instants(row: Mapping[str, Any], instants: list[str]) -> dict[str, Any]:
    read = {name: None if row[name] is None else moment_of(row[name]) for name in instants}
    return {**row, **read}
