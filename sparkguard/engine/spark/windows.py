"""Windows as filters on the raw time column, so that Spark and Delta can push them down."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import and_

from pyspark.sql import Column as SparkColumn
from pyspark.sql import functions as F

from sparkguard.core.columns import Column
from sparkguard.core.instant import micros_of
from sparkguard.core.source import Partition
from sparkguard.core.types import is_text
from sparkguard.core.window import Stretch, Window
from sparkguard.errors import DataError
from sparkguard.measures.times import ISO_DATE

_ZONE_SLACK = timedelta(days=1)
"""No zone is further from another than 26 hours; texts are cut coarsely first, then exactly."""
ZONED = r"(?i)(z|utc|gmt|[a-z]+/[a-z_/]+|[+-]\d{1,2}(:?\d{2})?)\s*$"
"""An ISO text with a clock that ends in a zone."""
_PATTERN = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M"}


def within(column: SparkColumn, found: Column, window: Stretch) -> SparkColumn:
    """The rows whose time is in the window; bounds are literals that no session setting changes."""
    kind = found.type
    if kind == "timestamp":
        bounds = [_instant(window.start_utc), _instant(window.end_utc)]
    elif kind == "timestamp_ntz":
        bounds = [_local(window.start), _local(window.end)]
    elif kind == "date":
        bounds = [_day(window.start), _day(window.end)]
    elif is_text(kind):
        return _text_within(column, window)
    else:
        message = f"time column '{found.name}' is {kind}; a window needs a timestamp, a date or an ISO text"
        raise DataError(message, "name another time_column, or convert it in a dataset's sql")
    return _between(column, *bounds)


def partition_within(column: SparkColumn, found: Column, partition: Partition, window: Window) -> SparkColumn:
    """A coarse filter on the partition column, widened by its slack."""
    slack = timedelta(days=partition.slack.days, seconds=partition.slack.seconds)
    start = None if window.start is None else window.start - slack
    end = window.end + slack
    if found.type == "date":
        last = F.expr(f"DATE '{end.date().isoformat()}'")
        after = column <= last
        return after if start is None else (column >= F.expr(f"DATE '{start.date().isoformat()}'")) & after
    high = column <= F.lit(render(end, partition.format)).cast(found.type)
    return high if start is None else (column >= F.lit(render(start, partition.format)).cast(found.type)) & high


def render(moment: datetime, pattern: str) -> str:
    """Write a time by a Java date pattern of digits and separators (yyyy MM dd HH mm)."""
    for java, python in _PATTERN.items():
        pattern = pattern.replace(java, moment.strftime(python))
    return pattern.replace("'", "")


def _between(column: SparkColumn, start: SparkColumn | None, end: SparkColumn | None) -> SparkColumn:
    bounds = [] if start is None else [column >= start]
    bounds += [] if end is None else [column < end]
    return reduce(and_, bounds or [column.isNotNull()])


def _instant(moment: datetime | None) -> SparkColumn | None:
    return None if moment is None else F.expr(f"timestamp_micros({micros_of(moment)}L)")


def _local(moment: datetime | None) -> SparkColumn | None:
    return None if moment is None else F.expr(f"TIMESTAMP_NTZ '{moment.isoformat(sep=' ')}'")


def _day(moment: datetime | None) -> SparkColumn | None:
    """The first date whose midnight is not before the moment."""
    if moment is None:
        return None
    day = moment.date()
    midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - wall-clock time by design
    return F.expr(f"DATE '{(day if moment == midnight else day + timedelta(days=1)).isoformat()}'")


def _text_within(column: SparkColumn, window: Stretch) -> SparkColumn:
    """Texts sort as their times do, up to the zone: cut coarsely on the raw text, then exactly.

    What has no zone is read as UTC and compared with the wall-clock bounds as if they were UTC, so
    that neither the session's timezone nor a change to summer time matters.
    """
    clock = column.contains(":")
    zoned = clock & column.rlike(ZONED)
    local = F.when(clock, F.concat(column, F.lit("Z"))).otherwise(F.concat(column, F.lit("T00:00:00Z")))
    start, end = (None if m is None else m.replace(tzinfo=UTC) for m in (window.start, window.end))
    exact = F.when(
        zoned, _between(F.try_to_timestamp(column), _instant(window.start_utc), _instant(window.end_utc))
    ).otherwise(_between(F.try_to_timestamp(local), _instant(start), _instant(end)))
    coarse = _between(
        column,
        None if start is None else F.lit((start - _ZONE_SLACK).date().isoformat()),
        None if end is None else F.lit((end + 2 * _ZONE_SLACK).date().isoformat()),
    )
    return coarse & column.rlike(ISO_DATE) & exact
