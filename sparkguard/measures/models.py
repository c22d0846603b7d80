"""Which model made the predictions, and what its card or its registry says of it?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation

from sparkguard.core.columns import Column
from sparkguard.core.measure import Answer, Cost, Keyed, Probe, Rows
from sparkguard.core.source import Source
from sparkguard.core.types import is_integer, is_number, is_text
from sparkguard.measures.profile import ordinal

RUN_ENDED = "run.end_time"
"""What the end of the registered version's run is called among a registry's keys."""

_MOST_DIGITS = 40


@dataclass(frozen=True)
class ModelMetadata(Answer):
    """What is written of a model under the keys that were asked for; nothing else leaves the card or registry.

    `values` holds the text of each key that is there (None for null), `keys` a few of all that are there, `more`
    how many others; `note` says why a value may be missing.
    """

    values: tuple[tuple[str, str | None], ...]
    keys: tuple[str, ...] = ()
    more: int = 0
    note: str = ""

    def first(self, names: Sequence[str]) -> tuple[str, str] | None:
        """The first of the keys that has a value, with its text."""
        found = dict(self.values)
        return next(((name, text) for name in names if (text := found.get(name)) is not None), None)


@dataclass(frozen=True)
class ModelCard(Probe[ModelMetadata]):
    """What does a card, a small JSON or YAML file, say under these keys?"""

    place: str
    keys: tuple[str, ...]

    def __str__(self) -> str:
        """For the plan."""
        return f"model card {self.place}"


@dataclass(frozen=True)
class RegisteredModel(Probe[ModelMetadata]):
    """What does an MLflow registry say of one version of a model, named by alias, stage or number?

    `uri` of None is the registry that MLflow's environment names. The plan does not show it: it may hold a password.
    """

    model: str
    keys: tuple[str, ...]
    alias: str | None = None
    stage: str | None = None
    version: str | None = None
    uri: str | None = None

    @property
    def called(self) -> str:
        """How the version was asked for."""
        named = (("alias", self.alias), ("stage", self.stage), ("version", self.version))
        return next(f"{word} '{name}'" for word, name in named if name is not None)

    def __str__(self) -> str:
        """For the plan."""
        return f"registered model '{self.model}', {self.called}"


@dataclass(frozen=True)
class VersionRows:
    """A version (None for NULL), its rows, and the least and the greatest ordinal of when it was trained."""

    version: str | None
    rows: int
    oldest: int | None = None
    newest: int | None = None


@dataclass(frozen=True)
class VersionsAnswer(Answer):
    """All rows, those without a version, those of the expected version, and the distinct versions.

    `top` are the versions with the most rows, without NULL. `oldest` and `newest` are ordinals over all rows;
    `untimed` rows do not say when their model was trained.
    """

    rows: int
    null_rows: int
    expected_rows: int
    versions: int
    oldest: int | None
    newest: int | None
    untimed: int
    top: tuple[VersionRows, ...]


@dataclass(frozen=True)
class ModelVersions(Keyed[VersionsAnswer]):
    """Which versions made how many of the rows, and when were they trained?

    A version is compared as text: without the blanks around it, a number without needless zeros. Blank text is
    no version, as NULL is.
    """

    source: Source
    version: Column | None
    trained: Column | None
    expected: str | None
    limit: int

    cost = Cost(scans=1, shuffles=1)

    @property
    def sources(self) -> tuple[Source, ...]:
        """The predictions."""
        return (self.source,)

    @property
    def reads(self) -> Mapping[Source, tuple[Column, ...]]:
        """The columns that are there, the version first."""
        return {self.source: tuple(column for column in (self.version, self.trained) if column is not None)}

    def twin(self, tables: Mapping[Source, Rows]) -> VersionsAnswer:
        """Count row by row."""
        groups: dict[str | None, list[int | None]] = {}
        for row in tables[self.source]:
            version = None if self.version is None else version_text(row[0], self.version.type)
            trained = None if self.trained is None or row[-1] is None else int(ordinal(row[-1]))
            groups.setdefault(version, []).append(trained)
        found = [_group(version, times) for version, times in groups.items()]
        named = sorted((g for g in found if g.version is not None), key=lambda g: (-g.rows, str(g.version)))
        rows = sum(g.rows for g in found)
        return VersionsAnswer(
            rows=rows,
            null_rows=sum(g.rows for g in found if g.version is None),
            expected_rows=sum(g.rows for g in named if g.version == self.expected),
            versions=len(named),
            oldest=min((g.oldest for g in found if g.oldest is not None), default=None),
            newest=max((g.newest for g in found if g.newest is not None), default=None),
            untimed=sum(time is None for times in groups.values() for time in times),
            top=tuple(named[: self.limit]),
        )

    def __str__(self) -> str:
        """For the plan."""
        names = ", ".join(column.name for column in self.reads[self.source])
        return f"models of {self.source} ({names})"


def _group(version: str | None, times: Sequence[int | None]) -> VersionRows:
    known = [time for time in times if time is not None]
    return VersionRows(version, len(times), min(known, default=None), max(known, default=None))


def version_text(value: object, kind: str) -> str | None:
    """A version as text: without the blanks around it, a number without needless zeros; None where it says nothing."""
    if value is None:
        return None
    if is_text(kind):
        return str(value).strip(" ") or None
    if isinstance(value, date):
        return value.isoformat()
    return written_version("NaN" if isinstance(value, float) and math.isnan(value) else str(value), kind)


def written_version(text: str, kind: str) -> str:
    """A version that was written down, as a column of that type would have it."""
    text = text.strip()
    if not is_number(kind):
        return text
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    if not number.is_finite() or abs(number.adjusted()) > _MOST_DIGITS:
        return text
    whole = number == number.to_integral_value()
    return str(int(number)) if whole else text if is_integer(kind) else f"{number.normalize():f}"
