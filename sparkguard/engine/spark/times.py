"""Times in Spark: the reach of texts, the rows of a stretch, and the days that two sources share.

Days are counted in microseconds, so that no setting of the session changes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sparkguard.core.columns import Column
from sparkguard.core.types import is_text
from sparkguard.engine.spark import Names, Read, WideRecipe
from sparkguard.engine.spark.sides import key_names, key_texts
from sparkguard.engine.spark.values import comparable, literal
from sparkguard.engine.spark.windows import ZONED, within
from sparkguard.measures.times import (
    ISO_DATE,
    Near,
    NearAnswer,
    SharedAnswer,
    SharedDays,
    SharedKey,
    TextTimes,
    Times,
    day_text,
)

_MICROS_PER_DAY = 86_400_000_000


def near(read: Read, measure: Near) -> NearAnswer:
    """Count the rows of the stretch; Delta prunes files by the filter. Then look for one row outside."""
    rows = read(measure.source, (measure.column,))
    inside = within(F.col("c0"), measure.column, measure.stretch)
    found = rows.where(inside).count()
    if not measure.others:
        return NearAnswer(found, None)
    return NearAnswer(found, bool(rows.where(~inside & _readable(measure.column)).limit(1).collect()))


def shared_days(read: Read, measure: SharedDays) -> SharedAnswer:
    """Count the days of both sides in one aggregate, so that each task counts before the shuffle."""
    names, sides = key_names(measure.entity), []
    for at, (source, columns) in enumerate(zip(measure.sources, measure.columns, strict=True)):
        days = _days(read(source, columns), measure, at, columns)
        counts = ("1L AS n", "0L AS m") if at == 0 else ("0L AS n", "1L AS m")
        sides.append(days.selectExpr("day", *names, *counts))
    keys = ["day", *names]
    whole = sides[0].unionByName(sides[1]).dropna(subset=keys).groupBy(*keys)
    both = whole.agg(F.sum("n").alias("n"), F.sum("m").alias("m")).where("n > 0 AND m > 0")
    if names:
        both = both.groupBy(*names).agg(F.sum("n").alias("n"), F.sum("m").alias("m"))
    texts = key_texts(measure.entity) if names else [F.col("day")]
    order = [F.col("n").desc(), *names] if names else ["day"]
    top = both.orderBy(*order).limit(measure.limit).select(*texts, "n", "m").collect()
    total = both.agg(F.count(F.lit(1)), F.sum("n"), F.sum("m")).collect()[0]
    shown = tuple(SharedKey(_texts(row[:-2], names), row[-2], row[-1]) for row in top)
    return SharedAnswer(total[0], total[1] or 0, total[2] or 0, shown)


def _texts(values: Sequence[Any], names: Sequence[str]) -> tuple[str | None, ...]:
    return tuple(values) if names else (day_text(values[0]),)


def _days(rows: DataFrame, measure: SharedDays, side: int, columns: Sequence[Column]) -> DataFrame:
    values = []
    for i, pair in enumerate(measure.entity, 1):
        name = f"c{i}" if columns[i].type == pair.type else f"CAST(c{i} AS {pair.type})"
        values.append(f"{comparable(name, pair.type)} AS k{i - 1}")
    return rows.selectExpr(f"{_day('c0', measure.times[side], measure.timezone)} AS day", *values)


def _day(name: str, column: Column, timezone: str) -> str:
    """The day of a time in its zone, in days since 1970."""
    if column.type == "date":
        return f"unix_date({name})"
    if column.type == "timestamp_ntz":
        return f"datediff(CAST({name} AS DATE), DATE'1970-01-01')"
    instant = name if column.type == "timestamp" else _begin(name, timezone)
    micros = f"unix_micros(from_utc_timestamp({instant}, {_text(timezone)}))"
    return f"CAST(({micros} - pmod({micros}, {_MICROS_PER_DAY}L)) div {_MICROS_PER_DAY}L AS INT)"


def _readable(column: Column) -> Any:
    return F.expr(f"{_begin('c0', 'UTC')} IS NOT NULL") if is_text(column.type) else F.col("c0").isNotNull()


def _begin(name: str, timezone: str) -> str:
    """The first instant that an ISO text means, NULL where it is none."""
    local = f"WHEN {name} RLIKE {_text(ISO_DATE)} THEN {_utc(_wall(name), timezone)}"
    return f"CASE WHEN {_zoned(name)} THEN try_to_timestamp({name}) {local} END"


def _last(name: str, timezone: str) -> str:
    """The last instant that an ISO text means: a day lasts until the next."""
    tomorrow = f"timestamp_micros(unix_micros({_wall(name)}) + {_MICROS_PER_DAY}L)"
    day = f"timestamp_micros(unix_micros({_utc(tomorrow, timezone)}) - 1L)"
    dated = f"WHEN {name} RLIKE {_text(ISO_DATE)} THEN {day}"
    return f"CASE WHEN contains({name}, ':') THEN {_begin(name, timezone)} {dated} END"


def _zoned(name: str) -> str:
    return f"{name} RLIKE {_text(ISO_DATE)} AND contains({name}, ':') AND {name} RLIKE {_text(ZONED)}"


def _wall(name: str) -> str:
    """A text without a zone, read as if in UTC."""
    return f"try_to_timestamp(IF(contains({name}, ':'), concat({name}, 'Z'), concat({name}, 'T00:00:00Z')))"


def _utc(wall: str, timezone: str) -> str:
    return f"to_utc_timestamp({wall}, {_text(timezone)})"


def _text(value: str) -> str:
    return literal(value, "string")


def _aggregates(measure: TextTimes, names: Names) -> Sequence[str]:
    name = names[measure.column]
    begin = _begin(name, measure.timezone)
    return (
        f"min(unix_micros({begin}))",
        f"max(unix_micros({_last(name, measure.timezone)}))",
        f"count_if({_zoned(name)} AND {begin} IS NOT NULL)",
        f"count({begin})",
    )


def _times(measure: TextTimes, values: Sequence[Any]) -> Times:
    del measure
    return Times(*values)


COMPUTE = {Near: near, SharedDays: shared_days}
WIDE = {TextTimes: WideRecipe(_aggregates, _times)}
