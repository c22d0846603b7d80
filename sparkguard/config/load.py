"""From a suite's text to a validated `Suite`; every mistake is reported, none is fatal to the search.

Pure: the text, the variables, the date and the time of the run are arguments.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from sparkguard.config.across import across, watching
from sparkguard.config.catalog import catalog
from sparkguard.config.family import Member, family_of
from sparkguard.config.model import SuiteBlock
from sparkguard.config.problems import problems
from sparkguard.config.yaml import HOLDS_ITSELF, Document, Path, build, compose, show_path
from sparkguard.core.check import Check
from sparkguard.core.plan import cycle
from sparkguard.core.source import Dataset
from sparkguard.core.suite import Results, Suite
from sparkguard.core.text import did_you_mean, is_secret
from sparkguard.errors import ConfigError, Problem

_DATE = "date"
_NOT_THE_RULE = ("id", "needs", "severity", "owner", "tags", "description", "violations_to", "violation_limit", "wait")


def _no_file(path: str) -> str:
    message = "files cannot be read here"
    raise OSError(0, message, path)


def _itself(path: str) -> Sequence[str]:
    return (path,)


@dataclass(frozen=True)
class Parameters:
    """What a suite's text is completed with.

    `variables` fills `${NAME}`; `date` is the run's date (None: the day of `now` in the suite's
    timezone); `results` and `run_id` win over the suite's own; `supplied` names datasets that the
    caller brings as data frames; `selection` is what part of the suite runs, so that a part is a
    run of its own; `table` is a pattern of the tables whose suites are meant; `read` gives the text
    of a file that a check names, or raises as `open` does; `find` gives the paths that a pattern stands for.
    """

    now: datetime
    variables: Mapping[str, str]
    date: date | None = None
    results: str | None = None
    run_id: str | None = None
    supplied: Collection[str] = ()
    scheduled_for: datetime | None = None
    selection: tuple[str, ...] = ()
    table: str | None = None
    read: Callable[[str], str] = _no_file
    find: Callable[[str], Sequence[str]] = _itself


def load(text: str, file: str, parameters: Parameters) -> Suite:
    """Validate a file of one suite; `ConfigError` holds all its problems."""
    suites = load_all(text, file, parameters)
    if len(suites) > 1:
        raise ConfigError(Problem(f"holds {len(suites)} suites, one for each of its tables; this takes one", file))
    return suites[0]


def load_all(text: str, file: str, parameters: Parameters) -> tuple[Suite, ...]:
    """Validate a file of one suite, or of one for each of its tables; `ConfigError` holds all problems."""
    try:
        family = family_of(compose(text, file), file, parameters.variables)
    except RecursionError as error:
        raise ConfigError(Problem(HOLDS_ITSELF, file)) from error
    suites: list[Suite] = []
    found = list(family.problems)
    for member in family.members:
        if parameters.table is not None and not member.is_of(parameters.table):
            continue
        told = {(problem.where, problem.message) for problem in found}
        try:
            suites.append(_load(member, text, file, parameters))
        except ConfigError as error:
            found += [p for p in error.problems if (p.where, p.message) not in told]
    if found:
        raise ConfigError(*sorted(found, key=_line))
    return tuple(suites)


def _load(member: Member, text: str, file: str, parameters: Parameters) -> Suite:
    known = {**parameters.variables, **member.variables}
    template = build(member.root, file, {**known, _DATE: f"${{{_DATE}}}"})
    run_date = parameters.date or parameters.now.astimezone(_timezone(template)).date()
    document = build(member.root, file, {**known, _DATE: run_date.isoformat()})
    block, found = _suite_block(document)
    datasets = _datasets(document, block, parameters)
    checks, check_problems = _checks(document, block, datasets, run_date, parameters)
    found += [*check_problems, *_unplaced(document, block, parameters)]
    if block is None or found:
        raise ConfigError(*sorted(found, key=_line))
    variables = {k: v for k, v in document.variables.items() if k != _DATE}
    # What a check takes from a file is configuration too.
    contents = [text if member.content is None else member.content, *(c.content for c in checks if c.content)]
    digest = hashlib.sha256("\0".join(contents).encode()).hexdigest()
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
        notes=member.notes,
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
    document: Document,
    block: SuiteBlock | None,
    datasets: Mapping[str, Dataset],
    run_date: date,
    parameters: Parameters,
) -> tuple[tuple[Check, ...], list[Problem]]:
    raw = document.data.get("checks") if isinstance(document.data, Mapping) else None
    if not isinstance(raw, list):
        return (), []
    found = list(_doubled_ids(document, raw))
    checks: dict[int, Check] = {}
    defaults = block.defaults.model_dump(exclude_none=True) if block else {}
    known = {} if block is None else {"timezone": block.timezone, "environment": block.environment}
    context = {"timezone": "UTC", "date": run_date, "read": parameters.read, "find": parameters.find, **known}
    for i, one in enumerate(raw):
        check = _check(document, ("checks", i), one, defaults, context, found)
        if check is not None:
            checks[i] = check
    for i, check in checks.items():
        messages = [*across(check, i, _ids(raw), datasets), *watching(check, i, _ids(raw), checks.values())]
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


def _fingerprints(template: Document, checks: tuple[Check, ...]) -> dict[str, str]:
    data = template.data
    raw = data["checks"] if isinstance(data, Mapping) else []
    fingerprints = {}
    for check, one in zip(checks, raw, strict=True):
        rule = {k: v for k, v in one.items() if k not in _NOT_THE_RULE}
        rule |= {"": check.content} if check.content else {}
        # Inside a field the order may matter: of columns, of bounds.
        text = json.dumps(dict(sorted(rule.items())), default=str)
        fingerprints[check.id] = hashlib.sha256(text.encode()).hexdigest()[:16]
    return fingerprints


def _line(problem: Problem) -> tuple[int, str]:
    number = problem.where.rpartition(":")[2]
    return (int(number) if number.isdigit() else 0, problem.path)
