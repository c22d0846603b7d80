"""Columns in Spark: quoting, comparable values, their hashes, and their text for people.

Expressions are SQL text on simple column names: to build one of 2,000 columns object by object would
take minutes of calls into the JVM.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, StructType

from sparkguard.core.columns import Field, Schema
from sparkguard.core.instant import micros_of
from sparkguard.core.text import REDACTED, hides
from sparkguard.core.types import is_float, is_integer, is_text
from sparkguard.core.values import Typed

_MICROS_PER_DAY = 86_400_000_000
_JSON = ", ".join(
    f"'{name}', '{value}'"
    for name, value in (
        ("ignoreNullFields", "false"),
        ("timestampFormat", "yyyy-MM-dd HH:mm:ss.SSSSSSXXX"),
        ("timestampNTZFormat", "yyyy-MM-dd HH:mm:ss.SSSSSS"),
    )
)
_CLOCK = ((3_600_000_000, 24), (60_000_000, 60), (1_000_000, 60))
_MASK_BITS = 62
_BIGINT = 2**63


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


def comparable(value: str, kind: str, normalize: tuple[str, ...] = ()) -> str:
    """The value as keys compare it: one zero and one NaN, text normalised as asked."""
    if is_float(kind):
        return f"CASE WHEN isnan({value}) THEN CAST('NaN' AS {kind}) ELSE {value} + CAST(0 AS {kind}) END"
    if is_text(kind):
        for step in normalize:
            value = f"{step}({value})"
    return value


def in_type(value: str, kind: str, common: str) -> str:
    """A value in the type in which it is compared."""
    return value if kind == common else f"CAST({value} AS {common})"


def hashed(values: Sequence[str], masked: Sequence[str] = (), *, seed: int | None = None) -> SparkColumn:
    """`hash_of` as a column."""
    return F.expr(hash_of(values, masked, seed=seed))


def hash_of(values: Sequence[str], masked: Sequence[str] = (), *, seed: int | None = None) -> str:
    """A 64-bit hash of values, with a mask of those among them that are NULL: Spark's hash skips NULLs."""
    chunks = (masked[at : at + _MASK_BITS] for at in range(0, len(masked), _MASK_BITS))
    masks = [" | ".join(f"shiftleft(CAST(isnull({v}) AS BIGINT), {i})" for i, v in enumerate(c)) for c in chunks]
    inputs = [*([] if seed is None else [str(seed)]), *masks, *values]
    return f"xxhash64({', '.join(inputs or ['0'])})"


def whole_value(value: str, kind: str) -> list[str]:
    """What of a value goes into a hash so that different values are hashed apart.

    Spark's hash of an array skips NULLs and knows no lengths, and it refuses maps and variants. So an
    array of plain values brings its length, and the places of its NULLs; what is nested deeper is
    hashed as JSON, with the fields that are NULL, a map with its entries in order. Text under a
    collation is hashed by its bytes.
    """
    if hashes_apart(kind):
        return [f"CAST({value} AS BINARY)"]
    if not is_nested(kind):
        return [value]
    inner = kind.removeprefix("array<")
    if inner != kind and not is_nested(inner):
        nulls = f"to_json(transform({value}, v -> isnull(v)))"
        return [f"size({value})", value, f"if(exists({value}, v -> isnull(v)), {nulls}, '')"]
    ordered = f"array_sort(map_entries({value}))" if kind.startswith("map<") else value
    return [f"to_json(named_struct('v', {ordered}), map({_JSON}))"]


def literal(value: Typed, kind: str) -> str:
    """A value as SQL in the type of a column; no setting of the session changes what it means."""
    if isinstance(value, str):
        return f"CAST(X'{value.encode().hex()}' AS STRING)"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date):
        return _moment(value)
    if is_float(kind):
        return f"CAST('{value!r}' AS {kind})"
    if isinstance(value, Decimal) or not is_integer(kind) or abs(value) >= _BIGINT:
        return f"{Decimal(value):f}BD"
    return f"{value}L"


def _moment(moment: date) -> str:
    if not isinstance(moment, datetime):
        return f"DATE '{moment.isoformat()}'"
    if moment.tzinfo is None:
        return f"TIMESTAMP_NTZ '{moment.isoformat(sep=' ')}'"
    return f"timestamp_micros({micros_of(moment)}L)"


def one_of(text: SparkColumn, values: Sequence[str | None]) -> SparkColumn:
    """Whether a text is one of some texts, of which one may be NULL; never NULL itself."""
    known = F.coalesce(text.isin([v for v in values if v is not None]), F.lit(False))  # noqa: FBT003 - a column
    return known | text.isNull() if None in values else known


def is_nested(kind: str) -> bool:
    """Whether a type has parts: arrays, maps, structs and variants."""
    return kind.startswith(("array<", "map<", "struct<", "variant"))


def hashes_apart(kind: str) -> bool:
    """Whether equal values of a type may have different hashes, as texts under a collation have."""
    return is_text(kind) and "collate" in kind.lower()


def as_evidence(
    frame: DataFrame,
    kind: SparkColumn,
    values: Iterable[tuple[str, SparkColumn]],
    reason: SparkColumn,
    rows: SparkColumn,
    redact: Sequence[str],
) -> DataFrame:
    """Rows of a frame as evidence, by the names of columns and the texts of their values, hidden as the suite says."""
    named = ((F.lit(name), F.lit(REDACTED) if hides(redact, name) else value) for name, value in values)
    key = F.create_map(*(part for pair in named for part in pair))
    facts = {"kind": kind, "key": key, "reason": reason, "count": rows}
    return frame.select(*(fact.alias(name) for name, fact in facts.items()))


def text(value: str, kind: str) -> str:
    """The value for people, the same on every session: instants in UTC, bytes in hexadecimal."""
    if kind == "timestamp":
        return _instant(value)
    if kind == "binary":
        return f"hex({value})"
    return f"to_json({value})" if is_nested(kind) else f"CAST({value} AS STRING)"


def _instant(value: str) -> str:
    micros = f"unix_micros({value})"
    within = f"pmod({micros}, {_MICROS_PER_DAY}L)"
    day = f"date_from_unix_date(CAST(({micros} - {within}) div {_MICROS_PER_DAY}L AS INT))"
    parts = ", ".join(f"CAST({within} div {unit}L % {turn} AS INT)" for unit, turn in _CLOCK)
    fraction = f"CAST({within} % 1000000L AS INT)"
    decimals = f"if({fraction} = 0, '', format_string('.%06d', {fraction}))"
    return f"concat(CAST({day} AS STRING), format_string('T%02d:%02d:%02d', {parts}), {decimals}, 'Z')"
