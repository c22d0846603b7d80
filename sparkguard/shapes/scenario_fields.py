"""One scenario as it is written in a suite or in a file of its own, and the rows that it is about."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import product
from typing import Annotated, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)

from sparkguard.core.evidence import Evidence
from sparkguard.core.fields import VersionedField
from sparkguard.core.source import Source
from sparkguard.errors import DataError
from sparkguard.measures.conditions import mentioned
from sparkguard.measures.pairing import pair_key
from sparkguard.measures.scenarios import ByEquality, ByPredicate, ByTable, Scenarios, Texts
from sparkguard.shapes.named_files import read_named
from sparkguard.shapes.scoring_fields import Finite, MetricField, Name

Kind = Literal["where", "equals", "keys", "dataset"]
_KINDS: tuple[Kind, ...] = ("where", "equals", "keys", "dataset")
MOST_SCENARIOS = 10_000
_MOST_KEYS = 100_000
_VALUE = {"type": ["string", "number", "boolean", "null"]}
_EQUALS = {"type": "object", "additionalProperties": {"anyOf": [_VALUE, {"type": "array", "items": _VALUE}]}}


def _text(value: object) -> str | None:
    """A value of YAML as Spark casts it to text."""
    if isinstance(value, bool):
        return str(value).lower()
    if value is None or isinstance(value, str | int | float | dt.date):
        return None if value is None else str(value)
    message = f"'{value}' is no value that a column can have"
    raise ValueError(message)


def _parse_equals(raw: object) -> object:
    if raw is None or (isinstance(raw, Mapping) and raw and all(isinstance(v, tuple) for v in raw.values())):
        return raw
    if not isinstance(raw, Mapping) or not raw or any(value == [] for value in raw.values()):
        message = "expected columns with a value, or with a list of some, for example {dest: [SFO, OAK], carrier: UA}"
        raise ValueError(message)
    lists = {name: value if isinstance(value, list | tuple) else [value] for name, value in raw.items()}
    return {str(name): tuple(map(_text, values)) for name, values in lists.items()}


def _parse_keys(raw: object) -> object:
    if not isinstance(raw, list | tuple):
        return raw
    rows = [row if isinstance(row, Mapping) else {} for row in raw]
    if not rows or not rows[0] or any(set(row) != set(rows[0]) for row in rows):
        message = (
            "expected keys with the same columns each, for example [{origin: JFK, flight: 1}, …], or a table of them"
        )
        raise ValueError(message)
    return tuple({str(name): _text(row[name]) for name in rows[0]} for row in rows)


class KeyTable(BaseModel):
    """A table of keys: a row whose key is in it belongs to the scenario."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    dataset: VersionedField
    """The dataset that has the keys."""
    key: Annotated[tuple[Name, ...], Field(min_length=1)]
    """The columns of the key, of the same names in both."""


class Scenario(BaseModel):
    """A curated set of rows, what is wanted there, and why: exactly one of where, equals, keys and dataset."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        json_schema_extra={"oneOf": [{"required": [kind]} for kind in _KINDS]},
    )

    name: Name
    """Unique in the check; the subject of its result."""
    where: Name | None = None
    """A condition in SQL on a row."""
    equals: Annotated[
        dict[str, tuple[str | None, ...]] | None, BeforeValidator(_parse_equals), WithJsonSchema(_EQUALS)
    ] = None
    """Columns with the value, or the values, that a row has: {dest: [SFO, OAK], carrier: UA}."""
    keys: Annotated[
        KeyTable | tuple[dict[str, str | None], ...] | None,
        BeforeValidator(_parse_keys),
        WithJsonSchema({"anyOf": [{"type": "array", "items": {"type": "object"}}, {"type": "object"}]}),
    ] = None
    """Keys of rows, [{origin: JFK, flight: 1}], or a table of them, {dataset: critical, key: [order_id]}."""
    dataset: VersionedField | None = None
    """A dataset of its own, with a label and predictions by the same names."""
    metric: MetricField | None = None
    """Another metric than the check's."""
    minimum: Finite | None = None
    """What the metric must reach here, if higher is better."""
    maximum: Finite | None = None
    """What it must not exceed, if lower is better."""
    max_regression: Finite | None = None
    """By how much the metric may be worse than that of the baseline on the same rows."""
    non_inferiority: bool | None = None
    """Whether the worse end of the regression's interval must stay below max_regression, not only the regression."""
    min_rows: int | None = Field(None, ge=1)
    """With fewer rows to judge the scenario fails."""
    owner: str | None = None
    """Who is asked."""
    bug: str | None = None
    """What it came from: an issue, a complaint, an incident."""

    @model_validator(mode="after")
    def _one_kind(self) -> Scenario:
        given = [kind for kind in _KINDS if getattr(self, kind) is not None]
        if len(given) != 1:
            message = f"has {' and '.join(given) or 'no rows'}; give exactly one of {', '.join(_KINDS)}"
            raise ValueError(message)
        return self

    @cached_property
    def tuples(self) -> tuple[tuple[tuple[str, ...], Texts], ...]:
        """The columns that tell it by equality, with their values; nothing if it is told otherwise."""
        if self.equals is not None:
            names = tuple(sorted(self.equals))
            return tuple((names, values) for values in product(*(self.equals[name] for name in names)))
        rows = self.keys if isinstance(self.keys, tuple) else ()
        keys = ((row, tuple(sorted(row))) for row in rows)
        return tuple((names, tuple(row[name] for name in names)) for row, names in keys)


def scenarios_of(seen: Evidence, main: Source, listed: Sequence[Scenario], *, whole: bool) -> Scenarios:
    """Which rows the scenarios are about; with `whole` all rows are one more, the last. `DataError` on odd columns."""
    schema = seen.schema(main)
    equal: dict[tuple[str, ...], dict[Texts, dict[int, None]]] = {}
    tables, predicates, own = [], [], []
    for place, one in enumerate(listed):
        for names, values in one.tuples:
            # A key may stand twice in a scenario.
            equal.setdefault(names, {}).setdefault(values, {})[place] = None
        if one.where is not None:
            predicates.append(ByPredicate(one.where, mentioned(one.where, schema), place))
        elif one.dataset is not None:
            own.append((Source(one.dataset.dataset, None, one.dataset.version), place))
        elif isinstance(one.keys, KeyTable):
            source = Source(one.keys.dataset.dataset, None, one.keys.dataset.version)
            pairs = pair_key(schema, one.keys.key, seen.schema(source), one.keys.key)
            tables.append(ByTable(source, pairs, place))
    keyed = {one.source for one in tables}
    if keyed & {main, *(source for source, _ in own)} or len({main, *(s for s, _ in own)}) <= len(own):
        message = "a dataset of a scenario is judged or read twice: as the check's, as a scenario's own, or as keys"
        raise DataError(message, "give it another name among datasets")
    by_equality = tuple(
        ByEquality(tuple(schema.column(n) for n in names), tuple((v, tuple(places)) for v, places in values.items()))
        for names, values in equal.items()
    )
    names = tuple(one.name for one in listed)
    return Scenarios(
        (*names, ":all") if whole else names,
        main,
        by_equality,
        tuple(tables),
        tuple(predicates),
        tuple(own),
        len(names) if whole else None,
    )


def _parse_files(raw: object, info: ValidationInfo) -> tuple[ScenarioFile, ...]:
    """The scenarios of files, which are lists of them; a path may have * in it."""
    find = (info.context or {}).get("find")
    paths = [raw] if isinstance(raw, str) else list(raw) if isinstance(raw, list | tuple) else []
    found: list[ScenarioFile] = []
    for path in paths:
        if isinstance(path, ScenarioFile):
            found.append(path)
            continue
        matching = find(str(path)) if find else [str(path)]
        if not matching:
            message = f"{path}: there is no such file"
            raise ValueError(message)
        found += [_file(one, read_named(one, info)) for one in matching]
    return tuple(found)


class ScenarioFile(BaseModel):
    """A file of scenarios: where it stands, its text, and what it holds."""

    model_config = ConfigDict(frozen=True)

    path: str
    text: str
    scenarios: tuple[Scenario, ...]


def _file(path: str, text: str) -> ScenarioFile:
    try:
        blocks = yaml.safe_load(text) or []
    except yaml.YAMLError as error:
        message = f"{path}: not valid YAML: {' '.join(str(error).split())}"
        raise ValueError(message) from error
    if not isinstance(blocks, list):
        message = f"{path}: expected a list of scenarios: - {{name: …, where: …, minimum: …}}"
        raise ValueError(message)  # noqa: TRY004 - pydantic collects ValueErrors
    found = []
    for i, block in enumerate(blocks):
        try:
            found.append(Scenario.model_validate(block))
        except ValidationError as error:
            first = error.errors()[0]
            at = "".join(f".{step}" for step in first["loc"])
            message = f"{path}: scenarios[{i}]{at}: {first['msg'].removeprefix('Value error, ')}"
            raise ValueError(message) from error
    return ScenarioFile(path=path, text=text, scenarios=tuple(found))


def _distinct(scenarios: tuple[Scenario, ...]) -> tuple[Scenario, ...]:
    keys = sum(len(one.keys) for one in scenarios if isinstance(one.keys, tuple))
    if keys > _MOST_KEYS:
        message = f"lists {keys:,} keys, more than {_MOST_KEYS:,}; write them to a table: keys: {{dataset, key}}"
        raise ValueError(message)
    return scenarios


ScenariosField = Annotated[tuple[Scenario, ...], AfterValidator(_distinct)]
"""Scenarios in the YAML."""
FilesField = Annotated[
    tuple[ScenarioFile, ...],
    BeforeValidator(_parse_files),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]
"""Files of scenarios."""
