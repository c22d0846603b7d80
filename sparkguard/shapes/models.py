"""What is known of a model, in numbers and in words: where it stands, when it was, and what is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from sparkguard.core.fields import parse_moment
from sparkguard.core.finding import Quantity, Violation
from sparkguard.core.instant import EPOCH, moment_of
from sparkguard.core.text import count
from sparkguard.core.window import Duration, Window
from sparkguard.measures.models import RUN_ENDED, ModelMetadata, VersionsAnswer

Fact = Literal["version", "trained_at", "training_end", "data_version"]

KEYS: Mapping[Fact, tuple[str, ...]] = {
    "version": ("version", "model_version"),
    "trained_at": ("trained_at", RUN_ENDED),
    "training_end": ("training_end",),
    "data_version": ("data_version",),
}
"""Under which keys a fact is looked for unless the check says otherwise."""

_SHOWN = 3
_DAY = timedelta(days=1)
_DATE_LENGTHS = (len("20260131"), len("2026-01-31"))


def _as_text(raw: object) -> object:
    """A version as text; a number with a point would lose its last zeros."""
    if isinstance(raw, int) and not isinstance(raw, bool):
        return str(raw)
    if isinstance(raw, float):
        message = f"found {raw}, which may have lost a zero; put the version in quotes"
        raise ValueError(message)  # noqa: TRY004 - pydantic collects ValueErrors
    return raw


_VERSION_SCHEMA: dict[str, Any] = {"type": ["string", "integer"]}
VersionField = Annotated[str | None, Field(min_length=1), BeforeValidator(_as_text), WithJsonSchema(_VERSION_SCHEMA)]
"""A version as text; in YAML also a whole number."""


class RegistryBlock(BaseModel):
    """One version of a model in an MLflow registry: exactly one of alias, stage and version."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    model: str = Field(min_length=1)
    """Name of the registered model."""
    alias: str | None = Field(default=None, min_length=1)
    """The version that has this alias."""
    stage: str | None = Field(default=None, min_length=1)
    """The newest version in this stage."""
    version: VersionField = None
    """The version of this number."""
    uri: str | None = None
    """Address of the registry; by default the one that MLFLOW_TRACKING_URI names."""

    @model_validator(mode="after")
    def _one_version(self) -> Self:
        if sum(name is not None for name in (self.alias, self.stage, self.version)) != 1:
            message = "give exactly one of alias, stage and version"
            raise ValueError(message)
        return self


@dataclass(frozen=True, slots=True)
class Told:
    """Numbers, and what a person reads of them."""

    quantities: Mapping[str, Quantity]
    clause: str = ""


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment, aware, and as a person reads it in the zone of the check."""

    at: datetime
    shown: str
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Facts:
    """What a card or a registry, `where`, says of a model; `show` keeps values out that the suite hides."""

    metadata: ModelMetadata
    where: str
    registered: bool
    keys: Mapping[Fact, str]
    zone: ZoneInfo
    show: Callable[[Fact, str, str], str]

    def text(self, fact: Fact) -> str | None:
        """The text of a fact; None where it is missing."""
        found = self.metadata.first(self._names(fact))
        return None if found is None else found[1]

    def shown(self, fact: Fact) -> str:
        """The text of a fact for a message."""
        found = self.metadata.first(self._names(fact))
        return "nothing" if found is None else self.show(fact, *found)

    def moment(self, fact: Fact) -> Moment | str:
        """A fact that is a time, or why there is none."""
        found = self.metadata.first(self._names(fact))
        if found is None:
            return self.absent(fact)
        name, text = found
        try:
            at = parse_moment(text, self.zone).replace(tzinfo=self.zone).astimezone(UTC)
        except (ValueError, OverflowError):
            shown = self.show(fact, name, text)
            return f"{self.where} says {name} '{shown}', which is no date or time such as 2026-01-31T06:00Z"
        shown = text if len(text) in _DATE_LENGTHS else shown_time(at, self.zone)
        return Moment(
            at, self.show(fact, name, shown) + (" (the end of its run)" if name == RUN_ENDED else ""), self.zone
        )

    @property
    def named(self) -> str:
        """The model by its version."""
        return f"model {self.shown('version')}"

    def training(self, window: Window, gap: Duration | None) -> Told:
        """How long before the window the training data and the gap end."""
        end = self.moment("training_end")
        if isinstance(end, str) or window.start is None:
            return Told({"training_gap_days": Quantity(None)}, f"{end}, so the training window was not compared")
        zone = ZoneInfo(window.timezone)
        start = gap.before(window.start, zone) if gap else window.start
        days = (start.replace(tzinfo=zone) - end.at) / _DAY
        side = "before" if days >= 0 else "after"
        far = f"{f'with the gap of {gap} ' if gap else ''}{shown_days(days)} {side} the start of {window}"
        return Told(
            {"training_gap_days": Quantity(days, exactness="metadata")}, f"its training data ends {end.shown}, {far}"
        )

    def version(self, wanted: str) -> Told:
        """Whether it is the version that is wanted."""
        return self._is("wrong_version", "version", wanted, f"but {self.where} has {self.shown('version')}")

    def data(self, wanted: str) -> Told:
        """Whether the training used the version of the data that is wanted."""
        shown = self.shown("data_version")
        return self._is("wrong_data_version", "data_version", wanted, f"but the model was trained on {shown}")

    def _is(self, quantity: str, fact: Fact, wanted: str, told: str) -> Told:
        text = self.text(fact)
        if text is None:
            return Told({quantity: Quantity(None)}, self.absent(fact))
        wrong = text != wanted.strip()
        clause = f"{fact.replace('_', ' ')} {self.show(fact, fact, wanted)} is expected, {told}" if wrong else ""
        return Told({quantity: Quantity(wrong, exactness="metadata")}, clause)

    def absent(self, fact: Fact) -> str:
        """Which keys were looked for, and which there are."""
        names = [name for name in self._names(fact) if name != RUN_ENDED or self.registered]
        sought = " or ".join(f"'{name}'" for name in names)
        there = ", ".join(f"'{key}'" for key in self.metadata.keys) or "none"
        more = f" and {self.metadata.more} more" if self.metadata.more else ""
        note = f" ({self.metadata.note})" if self.metadata.note and fact == "trained_at" else ""
        return f"{self.where} has no {sought}{note}; its keys are {there}{more}"

    def _names(self, fact: Fact) -> tuple[str, ...]:
        return (self.keys[fact],) if fact in self.keys else KEYS[fact]


def asked_keys(keys: Mapping[Fact, str]) -> tuple[str, ...]:
    """All keys under which facts are looked for."""
    return tuple(name for fact, names in KEYS.items() for name in ((keys[fact],) if fact in keys else names))


def moment_in(ordinal: int, kind: str, zone: ZoneInfo) -> Moment:
    """The moment of a column's value by its ordinal, of a date its first midnight.

    `OverflowError` outside the years 1 to 9999.
    """
    if kind == "timestamp":
        at = moment_of(ordinal)
        return Moment(at, shown_time(at, zone), zone)
    since = timedelta(days=ordinal) if kind == "date" else timedelta(microseconds=ordinal)
    local = (EPOCH + since).replace(tzinfo=zone)
    at = local.astimezone(UTC)
    return Moment(at, local.date().isoformat() if kind == "date" else shown_time(at, zone), zone)


def age(
    when: Moment | str,
    model: str,
    until: datetime,
    limit: Callable[[str, float], str],
    rows: Mapping[str, Quantity] = MappingProxyType({}),
    null: str = "",
) -> Told:
    """How long before a moment a model was trained; `when` may be the reason why that is unknown."""
    if isinstance(when, str):
        return Told({**rows, "age_days": Quantity(None)}, when)
    days = (until - when.at) / _DAY
    side = "before" if days >= 0 else "after"
    clause = f"{model} was trained {when.shown}, {shown_days(days)} {side} {shown_time(until, when.zone)}"
    exactness = "exact" if rows else "metadata"
    return Told({**rows, "age_days": Quantity(days, exactness=exactness)}, clause + limit("age_days", days) + null)


def shown_time(at: datetime, zone: ZoneInfo) -> str:
    """`2013-07-04 09:00 UTC`."""
    return f"{at.astimezone(zone).replace(tzinfo=None).isoformat(sep=' ', timespec='minutes')} {zone.key}"


def shown_days(days: float) -> str:
    """`122.6 days`, whatever the sign."""
    text = f"{abs(days):,.1f}".removesuffix(".0")
    return f"{text} {'day' if text == '1' else 'days'}"


@dataclass(frozen=True, slots=True)
class Mixture:
    """Which models made the rows of `where`; without an `expected` one the most frequent is taken for it.

    `said` tells who expects it, `missing` why it is unknown though somebody should; then no row is judged.
    """

    found: VersionsAnswer
    expected: str | None
    where: str
    said: str
    missing: str
    show: Callable[[str | None], str]

    @property
    def violating(self) -> int | None:
        """Rows of another version, and those without one; None where the expected version should be known."""
        if self.missing:
            return None
        usual = self.found.top[0].rows if self.found.top else 0
        return self.found.rows - (usual if self.expected is None else self.found.expected_rows)

    def others(self, column: str) -> Iterator[Violation]:
        """The versions that should not be there, as evidence."""
        if self.missing:
            return
        usual = self.expected or (self.found.top[0].version if self.found.top else None)
        said = None if self.expected is None else self.show(self.expected)
        if self.found.null_rows:
            yield Violation("other_version", {column: None}, "no version", said, count=self.found.null_rows)
        for one in self.found.top:
            if one.version != usual:
                yield Violation("other_version", {column: one.version}, "another version", said, count=one.rows)

    def told(self) -> Told:
        """How many models there are, and which."""
        found = self.found
        usual = bool(found.expected_rows) if self.expected is not None else bool(found.top)
        counts = {"model_versions": found.versions, "null_version_rows": found.null_rows}
        counts |= {} if self.missing else {"unexpected_versions": found.versions - usual}
        clauses = [self._rows(), *((self.said or self.missing,) if self.said or self.missing else ())]
        return Told({name: Quantity(n) for name, n in counts.items()}, "; ".join(clauses))

    def _rows(self) -> str:
        found = self.found
        named = [f"{self.show(one.version)} ({count(one.rows, 'row')})" for one in found.top[:_SHOWN]]
        more = [f"{found.versions - _SHOWN} more"] if found.versions > _SHOWN else []
        null = [f"no version ({count(found.null_rows, 'row')})"] if found.null_rows else []
        if not found.rows:
            return f"there are no rows in {self.where}"
        if not found.versions:
            return f"none of the {count(found.rows, 'row')} of {self.where} names its model"
        if found.versions == 1 and not null:
            every = "the only row" if found.rows == 1 else f"all {found.rows:,} rows"
            return f"model {self.show(found.top[0].version)} made {every} of {self.where}"
        return f"{count(found.versions, 'model')} in {self.where}: {', '.join([*named, *more, *null])}"
