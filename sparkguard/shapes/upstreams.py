"""One upstream as it is written in a suite, and the question that it asks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from math import prod
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, WithJsonSchema, model_validator

from sparkguard.core.source import Source
from sparkguard.core.window import Window
from sparkguard.measures.upstreams import (
    MOST_PARTS,
    Committed,
    Counted,
    Marked,
    Partitions,
    Recorded,
    SuitePassed,
)
from sparkguard.measures.upstreams import Upstream as Question

Kind = Literal["commit", "rows", "marker", "row", "suite"]

_KINDS: tuple[Kind, ...] = ("commit", "rows", "marker", "row", "suite")
_ALSO: Mapping[str, tuple[Kind, ...]] = {
    "partitions": ("commit", "rows"),
    "at_least": ("rows",),
    "where": ("row",),
    "date": ("suite",),
    "results": ("suite",),
    "environment": ("suite",),
}
"""The kinds with which a key goes."""
_TEXTS = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}
_VALUES = {"type": "array", "items": {"type": ["string", "number", "boolean", "null"]}, "minItems": 1}


def _as_list(raw: object) -> object:
    return [raw] if isinstance(raw, str) else raw


def _as_text(value: object) -> object:
    """A value of YAML as Spark casts it to text."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float | dt.date) else value


def _as_texts(raw: object) -> object:
    if not isinstance(raw, Mapping) or not raw:
        message = "expected columns with their values, for example {origin: [EWR, JFK, LGA]}"
        raise ValueError(message)
    for name, values in raw.items():
        if not isinstance(values, list | tuple) or not values:
            message = f"expected a list of values of '{name}', for example [EWR, JFK, LGA]"
            raise ValueError(message)
        if len({_as_text(value) for value in values}) < len(values):
            message = f"has a value of '{name}' twice"
            raise ValueError(message)
    return {name: [_as_text(value) for value in values] for name, values in raw.items()}


def _day(raw: object, info: ValidationInfo) -> object:
    day = (info.context or {}).get("date") if raw is None else raw
    if day is None or isinstance(day, dt.date):
        return day
    try:
        return dt.date.fromisoformat(str(day))
    except ValueError as error:
        message = f"'{raw}' is not a date; write for example 2026-01-31"
        raise ValueError(message) from error


def _environment(raw: object, info: ValidationInfo) -> object:
    return (info.context or {}).get("environment", "dev") if raw is None else raw


class Upstream(BaseModel):
    """One upstream: exactly one of commit, rows, marker, row and suite, and what goes with it."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        json_schema_extra={"oneOf": [{"required": [kind]} for kind in _KINDS]},
    )

    commit: str | None = None
    """A Delta dataset: by its log the newest version holds rows of the window."""
    rows: str | None = None
    """A dataset: at least `at_least` rows of the window are there, counted."""
    marker: Annotated[
        tuple[Annotated[str, Field(min_length=1)], ...] | None, BeforeValidator(_as_list), WithJsonSchema(_TEXTS)
    ] = Field(None, min_length=1)
    """A file or folder that exists, or several, all of which do."""
    row: str | None = None
    """A dataset that has a row for which `where` holds, in any window."""
    suite: str | None = None
    """A suite whose latest full run for the date passed."""
    name: str | None = Field(None, min_length=1)
    """The subject of its result; by default the dataset, the suite or the marker."""
    partitions: Annotated[
        dict[str, tuple[str | None, ...]],
        BeforeValidator(_as_texts),
        WithJsonSchema({"type": "object", "additionalProperties": _VALUES, "minProperties": 1}),
    ] = {}
    """Columns with the values that must be there, in all combinations; for commit partition columns."""
    at_least: int = Field(1, ge=1)
    """So many rows, of each of the partitions where some are named."""
    where: str | None = Field(None, min_length=1)
    """A condition in SQL that the row fulfils."""
    date: Annotated[dt.date | None, BeforeValidator(_day), WithJsonSchema({"type": "string"})] = Field(
        None, validate_default=True
    )
    """The date of the suite's run; by default this run's."""
    results: str | None = Field(None, min_length=1)
    """Where that suite writes its results; by default where this one does."""
    environment: Annotated[str | None, BeforeValidator(_environment), WithJsonSchema({"type": "string"})] = Field(
        None, validate_default=True
    )
    """The environment of that suite's run; by default this one's."""

    @model_validator(mode="before")
    @classmethod
    def _named(cls, raw: Any, info: ValidationInfo) -> Any:
        """Name a marker without tonight's date, so that its results of all nights are of one subject."""
        marker = raw.get("marker") if isinstance(raw, Mapping) else None
        places = [marker] if isinstance(marker, str) else marker
        if not places or "name" in raw or not isinstance(places, list | tuple):
            return raw
        more = f" and {len(places) - 1} more" if len(places) > 1 else ""
        tonight = (info.context or {}).get("date")
        first = str(places[0]).replace(str(tonight), "${date}") if tonight else str(places[0])
        return {**raw, "name": first + more}

    @model_validator(mode="after")
    def _one_kind(self) -> Upstream:
        message = self._mistake()
        if message is not None:
            raise ValueError(message)
        return self

    @property
    def kind(self) -> Kind:
        """Which of the keys is given."""
        return next(kind for kind in _KINDS if getattr(self, kind) is not None)

    @property
    def subject(self) -> str:
        """Its name in results."""
        return self.name or str(getattr(self, self.kind))

    @property
    def dataset(self) -> str | None:
        """The dataset that is looked at, if it is one."""
        return self.commit or self.rows or self.row

    @property
    def windowed(self) -> bool:
        """Whether it is about the window."""
        return self.kind in ("commit", "rows")

    def source(self, window: Window | None) -> Source | None:
        """What is looked at, if it is a dataset."""
        return None if self.dataset is None else Source(self.dataset, window if self.windowed else None)

    def question(self, window: Window | None, timeout: float, poll: float) -> Question:
        """What is asked, and for how many seconds."""
        parts = Partitions(tuple(self.partitions), tuple(self.partitions.values()))
        if self.commit is not None:
            return Committed(Source(self.commit, window), parts, timeout=timeout, poll=poll)
        if self.rows is not None:
            return Counted(Source(self.rows, window), parts, self.at_least, timeout=timeout, poll=poll)
        if self.marker is not None:
            return Marked(self.marker, timeout=timeout, poll=poll)
        if self.row is not None:
            return Recorded(self.row, str(self.where), timeout=timeout, poll=poll)
        # A suite without a date was refused.
        day, place = self.date or dt.date.min, str(self.environment)
        return SuitePassed(str(self.suite), day, self.results, place, timeout=timeout, poll=poll)

    def _mistake(self) -> str | None:
        given = [kind for kind in _KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            return f"has {' and '.join(given) or 'no kind'}; give exactly one of {', '.join(_KINDS)}"
        wrong = [key for key, kinds in _ALSO.items() if key in self.model_fields_set and given[0] not in kinds]
        combinations = prod(map(len, self.partitions.values()))
        mistakes = {
            f"'{''.join(wrong[:1])}' does not go with {given[0]}": wrong,
            "row needs where, the condition that the row fulfils": self.row is not None and self.where is None,
            "suite needs date, for example 2026-01-31": self.suite is not None and self.date is None,
            "names a marker twice": len(set(self.marker or ())) < len(self.marker or ()),
            f"partitions has {combinations:,} combinations, {MOST_PARTS:,} is the most": combinations > MOST_PARTS,
        }
        return next((message for message, holds in mistakes.items() if holds), None)
