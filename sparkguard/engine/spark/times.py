"""Times in Spark: the reach of texts, the rows of a stretch, and the days that two sources share.

Days are counted in microseconds, so that no setting of the session changes them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from sparkguard.core.columns import Column
from sparkguard.core.instant import micros_of
from sparkguard.core.types import is_text
from sparkguard.core.window import Stretch
from sparkguard.engine.spark import Names, Read, WideRecipe
from sparkguard.engine.spark.profile import AS_ORDINAL
from sparkguard.engine.spark.sides import key_names, key_texts
from sparkguard.engine.spark.values import comparable, literal
from sparkguard.engine.spark.windows import ZONED, within
from sparkguard.measures.times import (
    ISO_DATE,
    Near,
    NearAnswer,
    Shared,
    SharedAnswer,
    SharedDays,
    SharedKey,
    TextTimes,
    Times,
)

_MICROS_PER_DAY = 86_400_000_000


def near(read: Read, measure: Near) -> NearAnswer:
    """Count the rows of the stretch; Delta prunes files by the filter. Then look for one row outside."""
    rows = read(measure.source, (measure.column,))
    inside = _inside(measure.column, measure.stretch, lasting=measure.lasting)
    found = rows.where(inside).count()
    if not measure.others:
        return NearAnswer(found, None)
    return NearAnswer(found, bool(rows.where(~inside & _readable(measure.column)).limit(1).collect()))


def shared_days(read: Read, measure: SharedDays) -> SharedAnswer:
    """Count days, or entities and days, of both sides in one aggregate; all answers read its one shuffle."""
    names, sides = key_names(measure.entity), []
    for at, (source, columns) in enumerate(zip(measure.sources, measure.columns, strict=True)):
        rows = read(source, columns).where(_inside(measure.times[at], measure.stretch, lasting=False))
        counts = ("1L AS n", "0L AS m") if at == 0 else ("0L AS n", "1L AS m")
        sides.append(rows.selectExpr(*_keys(measure, at, columns), *counts))
    groups = sides[0].unionByName(sides[1]).groupBy("day", *names).agg(*_sums())
    # The condition is on the counts: one on the keys would be pushed below the shuffle, which then is done twice.
    both = F.expr("n > 0 AND m > 0")
    days = groups.groupBy("day").agg(*_sums()).where(both)
    shown = F.date_from_unix_date("day").cast("string")
    found = _answers(days, "day", shown, [F.col("day")], measure.limit)
    if names:
        filled = F.expr(" AND ".join(f"{name} IS NOT NULL" for name in names))
        entities = groups.where(both).groupBy(*names).agg(*_sums()).where(filled)
        texts = F.to_json(F.array(*key_texts(measure.entity)))
        found = found.unionByName(_answers(entities, "entity", texts, [F.col("n").desc(), *names], measure.limit))
    answers = found.collect()
    return SharedAnswer(_shared(answers, "day"), _shared(answers, "entity") if names else None)


def _sums() -> list[SparkColumn]:
    return [F.sum(name).alias(name) for name in ("n", "m")]


def _answers(groups: DataFrame, kind: str, text: SparkColumn, order: Sequence[Any], limit: int) -> DataFrame:
    """The first groups with their text, and the total of all without."""
    kinds, nothing = F.lit(kind).alias("kind"), F.lit(None)
    top = groups.orderBy(*order).limit(limit)
    top = top.select(kinds, text.alias("text"), nothing.cast("bigint").alias("keys"), "n", "m")
    total = groups.agg(F.count(F.lit(1)).alias("keys"), *_sums())
    return top.unionByName(total.select(kinds, nothing.cast("string").alias("text"), "keys", "n", "m"))


def _shared(rows: Sequence[Row], kind: str) -> Shared:
    ours = [row for row in rows if row["kind"] == kind]
    [total] = [row for row in ours if row["text"] is None]
    top = [SharedKey(_texts(row["text"], kind), row["n"], row["m"]) for row in ours if row["text"] is not None]
    top.sort(key=lambda one: (0 if kind == "day" else -one.rows, tuple(map(str, one.values))))
    return Shared(total["keys"], total["n"] or 0, total["m"] or 0, tuple(top))


def _texts(text: str, kind: str) -> tuple[str | None, ...]:
    return (text,) if kind == "day" else tuple(json.loads(text))


def _keys(measure: SharedDays, side: int, columns: Sequence[Column]) -> Sequence[str]:
    values = [f"{_day('c0', measure.times[side], measure.stretch.timezone)} AS day"]
    for i, pair in enumerate(measure.entity, 1):
        name = f"c{i}" if columns[i].type == pair.type else f"CAST(c{i} AS {pair.type})"
        values.append(f"{comparable(name, pair.type)} AS k{i - 1}")
    return values


def _inside(column: Column, stretch: Stretch, *, lasting: bool) -> SparkColumn:
    """Whether a time begins in the stretch, or with `lasting` lasts into it."""
    if not lasting or stretch.start is None or not (column.type == "date" or is_text(column.type)):
        return within(F.col("c0"), column, stretch)
    midnight = replace(stretch, start=stretch.start.replace(hour=0, minute=0, second=0, microsecond=0))
    begun = within(F.col("c0"), column, midnight)
    if column.type == "date":
        return begun
    start = F.expr(f"timestamp_micros({micros_of(stretch.start_utc)}L)") if stretch.start_utc else F.lit(None)
    return begun & (F.expr(_last("c0", stretch.timezone)) >= start)


def _day(name: str, column: Column, timezone: str) -> str:
    """The day of a time in its zone, in days since 1970."""
    if column.type == "date":
        return f"unix_date({name})"
    if column.type == "timestamp_ntz":
        return f"datediff(CAST({name} AS DATE), DATE'1970-01-01')"
    instant = name if column.type == "timestamp" else _begin(name, timezone)
    micros = f"unix_micros(from_utc_timestamp({instant}, {_text(timezone)}))"
    return f"CAST(({micros} - pmod({micros}, {_MICROS_PER_DAY}L)) div {_MICROS_PER_DAY}L AS INT)"


def instants(name: str, kind: str, timezone: str) -> tuple[str, str]:
    """The first and the last microsecond of a time since 1970, NULL where it is none."""
    if is_text(kind):
        return f"unix_micros({_begin(name, timezone)})", f"unix_micros({_last(name, timezone)})"
    micros = AS_ORDINAL[kind].format(name)
    if kind == "timestamp":
        return micros, micros
    if kind == "timestamp_ntz":
        first = _of_wall(micros, timezone)
        return first, first
    first, after = (_of_wall(f"(CAST({micros} AS BIGINT) + {i}) * {_MICROS_PER_DAY}L", timezone) for i in (0, 1))
    return first, f"{after} - 1"


def _of_wall(micros: str, timezone: str) -> str:
    """The instant of a wall-clock time that is given in microseconds as if in UTC."""
    return f"unix_micros({_utc(f'timestamp_micros({micros})', timezone)})"


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
