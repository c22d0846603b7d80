"""The views over the result tables: queries with `${results}` in them, see `conf/sql`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files
from typing import TYPE_CHECKING

from sparkguard.core.suite import Results

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_TABLE = re.compile(r"delta\.`\$\{results\}/(\w+)`")


def view_queries(results: Results) -> Mapping[str, str]:
    """Each view's name and its query over the tables of `results`."""
    queries = {}
    for file in sorted(files("sparkguard.sinks").joinpath("sql").iterdir(), key=lambda f: f.name):
        name, _, kind = file.name.partition(".")
        if kind == "sql":
            text = file.read_text(encoding="utf-8")
            queries[name] = _TABLE.sub(lambda match: _table(results, match[1]), text)
    return queries


def create_views(spark: SparkSession, results: Results) -> list[str]:
    """Create or replace the views beside the tables of a `catalog.schema`; their names."""
    names = []
    for name, query in view_queries(results).items():
        spark.sql(f"CREATE OR REPLACE VIEW {_quoted(results.table(name))} AS {query}")
        names.append(results.table(name))
    return names


def _table(results: Results, name: str) -> str:
    if results.path is not None:
        return "delta.`" + results.table(name).replace("`", "``") + "`"
    return _quoted(results.table(name))


def _quoted(name: str) -> str:
    return ".".join(f"`{part}`" for part in name.split("."))
