"""Columns in Spark: quoting, comparable values, and their text for people."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from pyspark.sql import Column as SparkColumn
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, StructType

from sparkguard.core.columns import Field, Schema

_FLOATS = ("float", "double")
_MICROS_PER_DAY = 86_400_000_000
_MASK_BITS = 62


def quoted(*path: str) -> str:
    """A name or a path for Spark SQL, whatever characters are in it."""
    return ".".join("`" + part.replace("`", "``") + "`" for part in path)


def schema(struct: StructType) -> Schema:
    """Take over Spark's schema, structs with their fields."""
    return Schema(_fields(struct))


def _fields(kind: DataType) -> tuple[Field, ...]:
    if not isinstance(kind, StructType):
        return ()
    return tuple(Field(f.name, _type_name(f.dataType), f.nullable, _fields(f.dataType)) for f in kind.fields)


def _type_name(kind: DataType) -> str:
    return kind.simpleString()


def comparable(value: SparkColumn, kind: str, normalize: tuple[str, ...] = ()) -> SparkColumn:
    """The value as keys compare it: one zero and one NaN, text normalised as asked."""
    if kind in _FLOATS:
        return F.when(F.isnan(value), F.lit(float("nan")).cast(kind)).otherwise(value + F.lit(0).cast(kind))
    if is_text(kind):
        for step in normalize:
            value = F.trim(value) if step == "trim" else F.lower(value)
    return value


def null_masks(values: Sequence[SparkColumn]) -> list[SparkColumn]:
    """Numbers whose bits tell which values are NULL: Spark's hash skips NULLs, so they go in beside."""
    return [
        reduce(
            lambda word, bit: word.bitwiseOR(bit),
            (F.when(v.isNull(), F.lit(1 << i)).otherwise(F.lit(0)).cast("bigint") for i, v in enumerate(chunk)),
        )
        for chunk in (values[at : at + _MASK_BITS] for at in range(0, len(values), _MASK_BITS))
    ]


def whole_value(value: SparkColumn, kind: str) -> list[SparkColumn]:
    """What of a value goes into a hash so that different values are hashed apart.

    Spark's hash of an array skips NULLs and knows no lengths, and it refuses maps and variants. So an
    array of plain values brings its length, and its text if it has NULLs; what is nested deeper is
    hashed as JSON, a map with its entries in order.
    """
    if not is_nested(kind):
        return [value]
    inner = kind.removeprefix("array<")
    if inner != kind and not is_nested(inner):
        text_if_null = F.when(F.exists(value, lambda v: v.isNull()), F.to_json(value))
        return [F.size(value), value, F.coalesce(text_if_null, F.lit(""))]
    return [F.coalesce(json(value, kind), F.lit(""))]


def json(value: SparkColumn, kind: str) -> SparkColumn:
    """A nested value as JSON, the same for equal values: fields that are NULL are written, maps sorted."""
    if kind.startswith("map<"):
        value = F.array_sort(F.map_entries(value))
    return F.to_json(F.struct(value.alias("v")), {"ignoreNullFields": "false"})


def is_nested(kind: str) -> bool:
    """Whether a type has parts: arrays, maps, structs and variants."""
    return kind.startswith(("array<", "map<", "struct<", "variant"))


def hashes_apart(kind: str) -> bool:
    """Whether equal values of a type may have different hashes, as texts under a collation have."""
    return is_text(kind) and "collate" in kind.lower()


def is_text(kind: str) -> bool:
    """Whether a type is text, of whatever collation or length."""
    return kind.lower().startswith(("string", "varchar", "char"))


def text(value: SparkColumn, kind: str) -> SparkColumn:
    """The value for people, the same on every session: instants in UTC, bytes in hexadecimal."""
    if kind == "timestamp":
        return _instant(value)
    if kind == "binary":
        return F.hex(value)
    if is_nested(kind):
        return F.to_json(value)
    return value.cast("string")


def _instant(value: SparkColumn) -> SparkColumn:
    micros = F.unix_micros(value)
    within = F.pmod(micros, F.lit(_MICROS_PER_DAY))
    day = F.date_from_unix_date(((micros - within) / _MICROS_PER_DAY).cast("int"))
    seconds = F.floor(within / 1_000_000).cast("int")
    clock = F.format_string(
        "T%02d:%02d:%02d",
        F.floor(seconds / 3600).cast("int"),
        F.floor(seconds % 3600 / 60).cast("int"),
        (seconds % 60).cast("int"),
    )
    fraction = (within % 1_000_000).cast("int")
    decimals = F.when(fraction == 0, "").otherwise(F.format_string(".%06d", fraction))
    return F.when(value.isNotNull(), F.concat(day.cast("string"), clock, decimals, F.lit("Z")))
