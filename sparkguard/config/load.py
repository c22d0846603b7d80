"""From a suite's text to a validated `Suite`; every mistake is reported, none is fatal to the search.

Pure: the text, the variables, the date and the time of the run are arguments.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from sparkguard.config.catalog import catalog
from sparkguard.config.family import Member, members
from sparkguard.config.model import SuiteBlock
from sparkguard.config.problems import did_you_mean, problems
from sparkguard.config.yaml import Document, Path, build, compose, show_path
from sparkguard.core.check import Check, Mention
from sparkguard.core.plan import cycle
from sparkguard.core.source import Dataset, Source, Versioned
from sparkguard.core.suite import Results, Suite
from sparkguard.core.text import is_secret
from sparkguard.errors import ConfigError, Problem

_DATE = "date"
_SOURCE_FIELDS = ("dataset", "before", "after", "other", "references", "reference", "training")
_WINDOW_FIELDS = {"references": "references_window", "training": "training_window"}
"""The window of a field that names a dataset, where it is not `window`."""
_NOT_THE_RULE = ("id", "needs", "severity", "owner", "tags", "description", "violations_to", "violation_limit", "wait")


@dataclass(frozen=True)
class Parameters:
    """What a suite's text is completed with.

    `variables` fills `${NAME}`; `date` is the run's date (None: the day of `now` in the suite's
    timezone); `results` and `run_id` win over the suite's own; `supplied` names datasets that the
    caller brings as data frames; `selection` is what part of the suite runs, so that a part is a
    run of its own.
    """

    now: datetime
    variables: Mapping[str, str]
    date: date | None = None
    results: str | None = None
    run_id: str | None = None
    supplied: Collection[str] = ()
    scheduled_for: datetime | None = None
    selection: tuple[str, ...] = ()


def load(text: str, file: str, parameters: Parameters) -> Suite:
    """Validate a file of one suite; `ConfigError` holds all its problems."""
    suites = load_all(text, file, parameters)
    if len(suites) > 1:
        raise ConfigError(Problem(f"holds {len(suites)} suites, one for each of its tables; this takes one", file))
    return suites[0]


def load_all(text: str, file: str, parameters: Parameters) -> tuple[Suite, ...]:
    """Validate a file of one suite, or of one for each of its tables; `ConfigError` holds all problems."""
    suites: list[Suite] = []
    found: dict[Problem, None] = {}
    for member in members(compose(text, file), file, parameters.variables):
        try:
            suites.append(_load(member, text, file, parameters))
        except ConfigError as error:
            found |= dict.fromkeys(error.problems)
    if found:
        raise ConfigError(*found)
    return tuple(suites)


def _load(member: Member, text: str, file: str, parameters: Parameters) -> Suite:
    known = {**parameters.variables, **member.variables}
    template = build(member.root, file, {**known, _DATE: f"${{{_DATE}}}"})
    run_date = parameters.date or parameters.now.astimezone(_timezone(template)).date()
    document = build(member.root, file, {**known, _DATE: run_date.isoformat()})
    block, found = _suite_block(document)
    datasets = _datasets(document, block, parameters)
    checks, check_problems = _checks(document, block, datasets, run_date)
    found += [*check_problems, *_unplaced(document, block, parameters)]
    if block is None or found:
        raise ConfigError(*sorted(found, key=_line))
    variables = {k: v for k, v in document.variables.items() if k != _DATE}
    digest = hashlib.sha256(text.encode()).hexdigest()
    identity = [block.suite, run_date.isoformat(), sorted(variables.items()), parameters.selection, digest]
    run_id = parameters.run_id or hashlib.sha256(json.dumps(identity).encode()).hexdigest()[:32]
    return Suite(
        name=block.suite,
        date=run_date,
        timezone=block.timezone,
        environment=block.environment,
        results=_results(block, parameters),
        datasets=datasets,
        checks=checks,
        rule_fingerprints=_fingerprints(template, checks),
        config_sha256=digest,
        run_id=run_id,
        tags=block.tags,
        scheduled_for=parameters.scheduled_for,
        secrets=tuple(v for k, v in variables.items() if is_secret(k)),
    )


def _results(block: SuiteBlock, parameters: Parameters) -> Results:
    own = block.results.results()
    if parameters.results is None:
        return own
    return Results.parse(parameters.results, single_writer=own.single_writer)


def _timezone(template: Document) -> ZoneInfo:
    data = template.data
    name = data.get("timezone", "UTC") if isinstance(data, Mapping) else "UTC"
    try:
        return ZoneInfo(str(name))
    except Exception:  # noqa: BLE001 - reported with its line when the block is validated
        return ZoneInfo("UTC")


def _suite_block(document: Document) -> tuple[SuiteBlock | None, list[Problem]]:
    if not isinstance(document.data, Mapping):
        message = "a suite is a block of keys: suite, datasets, checks"
        return None, [Problem(message, document.where(()))]
    try:
        return SuiteBlock.model_validate(document.data), []
    except ValidationError as error:
        return None, list(problems(error, SuiteBlock, document, (), document.data))


def _datasets(document: Document, block: SuiteBlock | None, parameters: Parameters) -> dict[str, Dataset]:
    """The datasets by name; of an invalid suite only what the checks' own problems depend on."""
    if block is not None:
        datasets = {name: d.dataset(name, block.timezone) for name, d in block.datasets.items()}
    else:
        raw = document.data.get("datasets") if isinstance(document.data, Mapping) else None
        blocks = raw.items() if isinstance(raw, Mapping) else ()
        datasets = {n: Dataset(n, time_column=d.get("time_column")) for n, d in blocks if isinstance(d, Mapping)}
    for name in parameters.supplied:
        datasets.setdefault(name, Dataset(name))
    return datasets


def _unplaced(document: Document, block: SuiteBlock | None, parameters: Parameters) -> Iterator[Problem]:
    for name, dataset in block.datasets.items() if block else ():
        if name not in parameters.supplied and not (dataset.path or dataset.table or dataset.sql):
            path = ("datasets", name)
            yield Problem("give exactly one of path, table and sql", document.where(path), show_path(path))


def _checks(
    document: Document, block: SuiteBlock | None, datasets: Mapping[str, Dataset], run_date: date
) -> tuple[tuple[Check, ...], list[Problem]]:
    raw = document.data.get("checks") if isinstance(document.data, Mapping) else None
    if not isinstance(raw, list):
        return (), []
    found = list(_doubled_ids(document, raw))
    checks: dict[int, Check] = {}
    defaults = block.defaults.model_dump(exclude_none=True) if block else {}
    context = {"timezone": block.timezone if block else "UTC", "date": run_date}
    for i, one in enumerate(raw):
        check = _check(document, ("checks", i), one, defaults, context, found)
        if check is not None:
            checks[i] = check
    for i, check in checks.items():
        messages = [*_across(check, i, _ids(raw), datasets), *_watching(check, i, _ids(raw), checks.values())]
        found += (Problem(m, document.where(p), show_path(p)) for p, m in messages)
    circle = cycle({c.id: [*c.needs, *sorted(c.follows)] for c in checks.values()})
    if circle:
        found.append(Problem(f"checks need each other in a circle: {' → '.join(circle)}", document.where(("checks",))))
    return tuple(checks.values()), found


def _check(
    document: Document,
    at: Path,
    raw: object,
    defaults: Mapping[str, object],
    context: Mapping[str, object],
    found: list[Problem],
) -> Check | None:
    if not isinstance(raw, Mapping):
        found.append(Problem("a check is a block of keys: id, type, dataset, …", document.where(at), show_path(at)))
        return None
    kind = raw.get("type")
    if not isinstance(kind, str) or kind not in catalog():
        _unknown_type(document, at, raw, kind, found)
        return None
    model = catalog()[kind]
    fields = {k: v for k, v in raw.items() if k != "type"}
    inherited = {k: v for k, v in defaults.items() if k in model.model_fields and k not in fields}
    try:
        return model.model_validate({**inherited, **fields}, context=dict(context))
    except ValidationError as error:
        found += problems(error, model, document, at, raw)
        return None


def _unknown_type(document: Document, at: Path, raw: Mapping[str, object], kind: object, found: list[Problem]) -> None:
    known = sorted({*Check.model_fields, "type", "dataset", "window"})
    for key in raw if kind is None else ():
        near = did_you_mean(key, ["type"])
        if key not in known and near.startswith(", did"):
            path = (*at, key)
            found.append(Problem(f"unknown key{near}", document.where(path), show_path(path)))
            return
    path = (*at, "type")
    message = "is required but missing" if kind is None else f"unknown check type '{kind}'"
    allowed = catalog()
    hint = f"; allowed: {', '.join(sorted(allowed))}" if kind is None else did_you_mean(str(kind), allowed)
    found.append(Problem(message + hint, document.where(path), show_path(path)))


def _ids(raw: list[object]) -> list[str]:
    return [str(one.get("id")) for one in raw if isinstance(one, Mapping)]


def _doubled_ids(document: Document, raw: list[object]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for i, one in enumerate(raw):
        name = one.get("id") if isinstance(one, Mapping) else None
        if isinstance(name, str) and first.setdefault(name, i) != i:
            path = ("checks", i, "id")
            message = f"the id '{name}' is taken by checks[{first[name]}]; ids are unique in a suite"
            yield Problem(message, document.where(path), show_path(path))


def _across(check: Check, index: int, ids: list[str], datasets: Mapping[str, Dataset]) -> Iterator[tuple[Path, str]]:
    """What one check cannot know by itself: other checks, the datasets, its type's quantities."""
    at: Path = ("checks", index)
    for need in check.needs:
        if need not in ids:
            yield (*at, "needs"), f"there is no check '{need}'{did_you_mean(need, ids)}"
    for name in ("error_if", "warn_if"):
        for quantity in getattr(check, name):
            if quantity not in check.quantities:
                near = did_you_mean(quantity, sorted(check.quantities))
                yield (*at, name, quantity), f"'{check.kind()}' has no such quantity{near}"
    for source in dict.fromkeys(check.datasets):
        dataset = datasets.get(source.dataset)
        if dataset is None:
            near = did_you_mean(source.dataset, datasets)
            yield (*at, _field_of(check, source)), f"there is no dataset '{source.dataset}'{near}"
        elif source.version is not None and dataset.sql is not None:
            yield (*at, _field_of(check, source)), f"dataset '{dataset.name}' is a query, so it has no versions"
        elif (source.window is not None or check.TIMED) and dataset.time_column is None:
            field = _field_of(check, source)
            field = _WINDOW_FIELDS.get(field, "window") if source.window else field
            yield (*at, field), f"dataset '{dataset.name}' has no time_column, so it cannot be cut into windows"
    yield from (((*at, *m.path), problem) for m in check.mentions for problem in _mentioned(m, datasets))


def _mentioned(mention: Mention, datasets: Mapping[str, Dataset]) -> Iterator[str]:
    """What is wrong with a dataset that is looked at without being pinned."""
    name = mention.source.dataset
    dataset = datasets.get(name)
    if dataset is None:
        yield f"there is no dataset '{name}'{did_you_mean(name, datasets)}"
        return
    if mention.source.window is not None and dataset.time_column is None:
        yield f"dataset '{name}' has no time_column, so it cannot be cut into windows"
    if mention.logged:
        facts = {
            "is a query": dataset.sql,
            f"is {dataset.format}": dataset.format not in (None, "delta"),
            "has a fixed version": dataset.version is not None or dataset.timestamp is not None,
            "has a where, of which a log knows nothing": dataset.where,
        }
        for fact, holds in facts.items():
            if holds:
                yield f"dataset '{name}' {fact}, and only the log of a whole Delta table is read; write rows: {name}"


def _watching(check: Check, index: int, ids: list[str], checks: Iterable[Check]) -> Iterator[tuple[Path, str]]:
    """What a check watches of others: that they are there, and have such a quantity."""
    by_id = {other.id: other for other in checks}
    for watched in check.watches:
        names = type(check).model_fields
        by, what = (next((n for n in names if n != "id" and getattr(check, n) == word), "type") for word in watched)
        other = by_id.get(watched.check)
        if watched.check not in ids:
            yield ("checks", index, by), f"there is no check '{watched.check}'{did_you_mean(watched.check, ids)}"
        elif other is not None and watched.quantity not in other.quantities:
            near = did_you_mean(watched.quantity, sorted(other.quantities))
            yield ("checks", index, what), f"'{other.kind()}' has no quantity '{watched.quantity}'{near}"


def _field_of(check: Check, source: Source) -> str:
    """The field that names a source's dataset, at its version."""
    for name in _SOURCE_FIELDS:
        value = getattr(check, name, None)
        if value == Versioned(source.dataset, source.version) or (value == source.dataset and source.version is None):
            return name
    return _SOURCE_FIELDS[0]


def _fingerprints(template: Document, checks: tuple[Check, ...]) -> dict[str, str]:
    data = template.data
    raw = data["checks"] if isinstance(data, Mapping) else []
    fingerprints = {}
    for check, one in zip(checks, raw, strict=True):
        rule = {k: v for k, v in one.items() if k not in _NOT_THE_RULE}
        # Inside a field the order may matter: of columns, of bounds.
        text = json.dumps(dict(sorted(rule.items())), default=str)
        fingerprints[check.id] = hashlib.sha256(text.encode()).hexdigest()[:16]
    return fingerprints


def _line(problem: Problem) -> tuple[int, str]:
    number = problem.where.rpartition(":")[2]
    return (int(number) if number.isdigit() else 0, problem.path)
