"""Rows of the driver as a data frame, without Python workers on the executors.

`createDataFrame` of a list starts Python on the executors, and on Spark Connect it needs pandas.
One JSON text that Spark parses needs neither.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sparkguard.core.instant import micros_of
from sparkguard.sinks.rows import Row, columns

# Instants travel as microseconds: no session's timezone or format can touch them.
_TRAVELS_AS = {"TIMESTAMP": "BIGINT"}


def frame_of(spark: SparkSession, table: str, rows: Sequence[Row]) -> DataFrame:
    """The rows as a frame with the columns and types of their table, in one partition."""
    kinds = columns(table)
    text = json.dumps([{name: _plain(getattr(row, name)) for name in kinds} for row in rows])
    shape = ", ".join(f"`{name}`: {_TRAVELS_AS.get(kind, kind)}" for name, kind in kinds.items())
    parsed = F.from_json(F.lit(text), f"ARRAY<STRUCT<{shape}>>", {"mode": "FAILFAST"})
    one = spark.range(0, 1, 1, 1).select(F.explode(parsed).alias("row"))
    return one.select(
        *(
            (F.timestamp_micros(f"row.{name}") if kind == "TIMESTAMP" else F.col(f"row.{name}")).alias(name)
            for name, kind in kinds.items()
        )
    )


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return micros_of(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, Mapping):
        return dict(value)
    return value
