"""Is the table's schema what is expected?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from sparkguard.core.check import Check, Run
from sparkguard.core.evidence import Evidence
from sparkguard.core.evolution import Change, Difference, Part, differences, part_of_field, part_of_type
from sparkguard.core.expectation import Expectation
from sparkguard.core.fields import Bounds, VersionedField
from sparkguard.core.finding import Finding, Quantity, Status, Violation
from sparkguard.core.measure import Answer, Measure
from sparkguard.core.source import Source
from sparkguard.core.sqltypes import parse_type
from sparkguard.core.text import count, few
from sparkguard.core.threshold import Bound
from sparkguard.shapes.wording import refuse, require_plain, severity_of

_QUANTITIES = {
    Change.ADDED: "added_columns",
    Change.REMOVED: "removed_columns",
    Change.TYPE: "changed_types",
    Change.NULLABILITY: "changed_nullability",
    Change.MOVED: "moved_columns",
}
_NOT_NULL = " not null"
_SHOWN = 3
_GX_TYPES = {
    "boolean": "BooleanType",
    "tinyint": "ByteType",
    "smallint": "ShortType",
    "int": "IntegerType",
    "bigint": "LongType",
    "float": "FloatType",
    "double": "DoubleType",
    "string": "StringType",
    "binary": "BinaryType",
    "date": "DateType",
    "timestamp": "TimestampType",
    "timestamp_ntz": "TimestampNTZType",
}
"""Classes of pyspark that say all of a type; of a decimal they would not say its digits."""


def _parse_column(raw: object) -> Part:
    """Read `bigint`, `bigint not null` or `{type: bigint, nullable: false}`; the name comes later."""
    if isinstance(raw, Part):
        return raw
    nullable: object = None
    if isinstance(raw, Mapping) and "type" in raw and set(raw) <= {"type", "nullable"}:
        nullable = raw.get("nullable")
        raw = raw["type"]
    elif isinstance(raw, str) and " ".join(raw.lower().split()).endswith(_NOT_NULL):
        raw, nullable = raw.strip()[: -len("null")].rstrip()[: -len("not")], False
    if not isinstance(raw, str) or not isinstance(nullable, bool | None):
        message = "expected a type, or {type: bigint, nullable: false}"
        raise ValueError(message)  # noqa: TRY004 - pydantic collects ValueErrors
    return part_of_type("", parse_type(raw), nullable=nullable)


_COLUMN_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "string"},
        {
            "type": "object",
            "properties": {"type": {"type": "string"}, "nullable": {"type": "boolean"}},
            "required": ["type"],
            "additionalProperties": False,
        },
    ]
}

ColumnField = Annotated[Part, BeforeValidator(_parse_column), WithJsonSchema(_COLUMN_SCHEMA)]


class TableSchema(Check):
    """Compares the names, types, nullability and order of a table's columns with what is expected.

    Expected is what `columns` says, or the schema of `reference`. `mode: additive` (default) forbids
    what breaks a reader that names its columns: a column removed, a type changed. `strict` also forbids
    columns added and moved, and another nullability. Nullability that `columns` spells out is demanded
    in either mode. `differences` counts what the mode forbids; bounds on the other quantities are free.

    Fields of structs, also in arrays and maps, are compared by their paths (`payload.user.id`,
    `items.element.id`); one that is added there is an added column. Names compare with their case: a
    column that changed it is removed and added, and the finding says so. Nullability is what the table
    declares: Delta keeps NOT NULL, files read as Parquet or CSV and most queries allow NULL everywhere.

    Cost: no scan and no shuffle: the schema is known from pinning the table's version.

    Blind to: values, so also NULLs in a column that may hold them; the length of VARCHAR and CHAR, which
    Spark reads as string; defaults, comments, generated columns and partitioning; nullability inside
    arrays and maps; a rename, which is a column removed and another added.

    Example:
        >>> from sparkguard.testing import judge
        >>> check = TableSchema(id="s", dataset="t", columns={"id": "long", "name": "string"})
        >>> [finding] = judge(check, {"t": [{"id": 1.5, "Name": "x", "note": "new"}]})
        >>> finding.status.value, finding.message
        ('fail', "2 differences: 'name' is missing ('Name' is there, which only differs in case); 'id' is double instead of bigint; allowed: 'Name' is new, 'note' is new")
    """  # noqa: E501 - a message is one line

    QUANTITIES: ClassVar[Mapping[str, str]] = {
        "differences": "changes that the mode forbids",
        "added_columns": "columns and fields that are not expected",
        "removed_columns": "columns and fields that are expected and missing",
        "changed_types": "columns and fields of another type",
        "changed_nullability": "columns and fields that are NOT NULL on one side only",
        "moved_columns": "the fewest columns and fields that, put elsewhere, would restore the order",
    }
    COST: ClassVar[str] = "no scan: metadata only"

    dataset: str = Field(examples=["path=data/weather"])
    """The name of a dataset of the suite; on the command line also the dataset itself."""
    columns: dict[str, ColumnField] | None = Field(default=None, min_length=1, examples=["id=bigint,name=string"])
    """The expected columns in order, each with its type, or {type: bigint, nullable: false}."""
    reference: VersionedField | None = Field(default=None, examples=["path=data/weather_yesterday"])
    """The dataset, or {dataset, version}, whose schema is expected; on the command line also the dataset itself."""
    mode: Literal["strict", "additive"] = "additive"
    """Whether columns may be added and moved, or nothing may change."""
    error_if: Bounds = {"differences": Bound(">", 0.0)}
    """Bounds on the quantities whose breach fails the check."""

    @model_validator(mode="after")
    def _consistent(self) -> TableSchema:
        message = None
        if (self.columns is None) == (self.reference is None):
            message = "give exactly one of columns and reference"
        elif self.reference is not None and self._reference == self._source:
            message = "reference is the dataset itself; name another, or {dataset, version}"
        elif self.violations_to is not None:
            message = "violations_to is for rows; every difference is in the results, up to violation_limit"
        if message is not None:
            raise ValueError(message)
        return self

    @property
    def about(self) -> tuple[str, ...]:
        """The expected columns, where they are written."""
        return tuple(self.columns or ())

    @property
    def datasets(self) -> tuple[Source, ...]:
        """The table, and the one that it is compared with."""
        return (self._source,) if self._reference is None else (self._source, self._reference)

    @property
    def _source(self) -> Source:
        return Source(self.dataset)

    @property
    def _reference(self) -> Source | None:
        return None if self.reference is None else Source(self.reference.dataset, None, self.reference.version)

    def ask(self, seen: Evidence) -> Iterable[Measure[Answer]]:  # noqa: ARG002 - schemas are known from pinning
        """Ask for nothing."""
        return ()

    def judge(self, seen: Evidence, run: Run) -> tuple[Finding, ...]:  # noqa: ARG002 - no date is needed
        """Judge one finding for the table."""
        actual = [part_of_field(f) for f in seen.schema(self._source).fields]
        found = differences(self._expected(seen), actual)
        forbidden = [d for d in found if self._forbids(d)]
        allowed = [d for d in found if not self._forbids(d)]
        counts = {"differences": len(forbidden)}
        counts |= {name: sum(d.change is change for d in found) for change, name in _QUANTITIES.items()}
        finding = Finding(
            Status.PASS,
            "",
            quantities={name: Quantity(n, exactness="metadata") for name, n in counts.items()},
            columns=self.about,
            source=self._source,
            reference=self._reference,
            violations=tuple(_violation(d) for d in (*forbidden, *allowed)),
        )
        rest = f"; allowed: {_few(allowed, ', ')}" if allowed else ""
        passed = f"the schema is as expected: {count(len(actual), 'column')}{rest}"
        failed = f"{count(len(forbidden), 'difference')}: {_few(forbidden, '; ')}{rest}" if forbidden else ""
        told = {"differences", *(_QUANTITIES[d.change] for d in forbidden)}
        return (self.verdict(finding, passed=passed, failed=failed, remedy=self._remedy(found), told=told),)

    def as_expectations(self) -> tuple[Expectation, ...]:
        """The names, and the types that a class of pyspark says in full; `DataError` for all else."""
        parts = self._written()
        other = [
            name for name in ("error_if", "warn_if") if getattr(self, name) != type(self).model_fields[name].default
        ]
        other += ["reference"] if self.columns is None else []
        other += [p.type for p in parts if p.type not in _GX_TYPES]
        other += ["nullable"] if any(p.nullable is not None for p in parts) else []
        if other:
            refuse(", ".join(dict.fromkeys(other)), self)
        names, severity = [p.name for p in parts], severity_of(self)
        require_plain(names, self)
        if self.mode == "strict":
            table = Expectation("expect_table_columns_to_match_ordered_list", {"column_list": names}, severity)
        else:
            table = Expectation(
                "expect_table_columns_to_match_set", {"column_set": names, "exact_match": False}, severity
            )
        kinds = ({"column": p.name, "type_": _GX_TYPES[p.type]} for p in parts)
        return (table, *(Expectation("expect_column_values_to_be_of_type", kwargs, severity) for kwargs in kinds))

    def _expected(self, seen: Evidence) -> Sequence[Part]:
        if self._reference is None:
            return self._written()
        return [part_of_field(f) for f in seen.schema(self._reference).fields]

    def _written(self) -> Sequence[Part]:
        return [Part(name, p.type, p.nullable, p.parts) for name, p in (self.columns or {}).items()]

    def _forbids(self, difference: Difference) -> bool:
        if self.mode == "strict" or difference.change in (Change.REMOVED, Change.TYPE):
            return True
        return difference.change is Change.NULLABILITY and self.columns is not None

    def _remedy(self, found: Sequence[Difference]) -> str:
        kinds = {d.change for d in found}
        if kinds & {Change.REMOVED, Change.TYPE}:
            return "ask who writes the table; if the change is meant, change those who read it, then the expectation"
        return "if the change is meant, change the expectation" + (
            ", or set mode: additive" if self.mode == "strict" else ""
        )


def _violation(difference: Difference) -> Violation:
    return Violation(
        difference.change.value,
        {"column": difference.column},
        difference.hint,
        difference.expected,
        difference.actual,
    )


def _few(found: Sequence[Difference], separator: str) -> str:
    return few([_told(d) for d in found], _SHOWN, separator)


def _told(difference: Difference) -> str:
    name = f"'{difference.column}'"
    told = {
        Change.REMOVED: f"{name} is missing",
        Change.TYPE: f"{name} is {difference.actual} instead of {difference.expected}",
        Change.NULLABILITY: f"{name} is {_declared(difference.actual)} instead of {_declared(difference.expected)}",
        Change.MOVED: f"{name} is {difference.actual} instead of {difference.expected}",
        Change.ADDED: f"{name} is new",
    }[difference.change]
    hinted = difference.hint and difference.change is Change.REMOVED
    return f"{told} ({difference.hint})" if hinted else told


def _declared(nullable: str | None) -> str:
    return "nullable" if nullable == "NULL" else "NOT NULL"
