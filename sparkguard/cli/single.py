"""A job of one check, without YAML: its options are the fields of the check type."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, get_args, get_origin

import typer
import yaml
from pydantic import BaseModel

from sparkguard import app as application
from sparkguard.cli.options import (
    Attempt,
    Date,
    DryRun,
    LogFormat,
    LogFormatOption,
    Master,
    Quiet,
    Remote,
    Results,
    RunId,
    Set,
    exit_with,
    go,
    progress_of,
    read_date,
    read_run_id,
    read_variables,
)
from sparkguard.config.catalog import catalog
from sparkguard.config.yaml import resolve
from sparkguard.core.check import Check
from sparkguard.core.fields import Like
from sparkguard.errors import ConfigError, Problem
from sparkguard.explain import summary
from sparkguard.outcome import Choice

_PLACES = {"path", "table", "sql"}
_NEXT_PAIR = re.compile(r",(?=\s*\w+\s*=)")
_PATTERN = re.compile(r"\s*(?:like|except)\s*=")
_NEXT_FIELD = re.compile(r",(?=\s*(?:where|time_column|partition)\s*=)")
_NEXT_NAME = re.compile(r",(?=[^,<>()=]*=)")
"""A comma that no type holds: those of decimal(15,2) and map<string,int> have no equals sign after them."""
_BOUND = re.compile(r"\s*(\w*)\s*:?\s*(.*)", re.DOTALL)
_NOT_A_NAME = re.compile(r"[^\w.-]+")


def check_main(kind: str, arguments: list[str] | None = None) -> None:
    """A job of one check, without YAML: its options are the fields of the check type."""
    single = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    single.command(name=kind)(_check_command(kind))
    exit_with(lambda: single(arguments))


def _check_command(kind: str) -> Callable[..., None]:
    """Make a command whose options are the check's own fields, and the common ones."""
    model = catalog()[kind]
    fields = {n: f for n, f in model.model_fields.items() if n != "needs"}

    def command(**given: Any) -> None:
        suite = _one_check_suite(kind, {n: v for n, v in given.items() if n in fields and v is not None})
        options = application.Options(
            date=read_date(given["date"]),
            variables=read_variables(given["set_"] or []),
            results=given["results"],
            run_id=read_run_id(given["run_id"]),
            choice=Choice(attempt=given["attempt"]),
            master=given["master"],
            remote=given["remote"],
        )
        try:
            go(suite, options, progress_of(given["log_format"], quiet=given["quiet"]), dry_run=given["dry_run"])
        except ConfigError as error:
            raise ConfigError(*(_as_option(p) for p in error.problems)) from error

    parameters = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[str | None, typer.Option(help=_option_help(field), metavar="VALUE")],
        )
        for name, field in fields.items()
    ]
    common = {
        "date": (Date, None), "set_": (Set, None), "results": (Results, None), "run_id": (RunId, None),
        "attempt": (Attempt, None), "dry_run": (DryRun, False), "log_format": (LogFormatOption, LogFormat.TEXT),
        "quiet": (Quiet, False), "master": (Master, None), "remote": (Remote, None),
    }  # fmt: skip
    parameters += [
        inspect.Parameter(n, inspect.Parameter.KEYWORD_ONLY, default=d, annotation=a) for n, (a, d) in common.items()
    ]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {p.name: p.annotation for p in parameters}
    command.__doc__ = summary(model)
    return command


def _one_check_suite(kind: str, given: Mapping[str, str]) -> dict[str, Any]:
    """The suite of one check: `--dataset path=…,time_column=…` becomes a dataset of its own.

    The check is named after its data unless `--id` says otherwise, so that the same check of two
    tables are two in the results.
    """
    check: dict[str, Any] = {"id": kind, "type": kind}
    datasets: dict[str, Any] = {}
    for name, text in given.items():
        mapping = _is_mapping(catalog()[kind], name)
        blocks = _is_blocks(catalog()[kind].model_fields[name].annotation) or (mapping and text.lstrip()[:1] == "{")
        value = _blocks(text, name) if blocks else _option_value(catalog()[kind], name, text)
        if isinstance(value, dict) and _PLACES & set(value) and not mapping:
            datasets[name] = value
            value = name
        if isinstance(value, dict) and mapping:
            [value] = _placed([value], datasets)
        check[name] = _placed(value, datasets) if isinstance(value, list) else value
    if datasets:
        check["id"] = f"{kind}.{'-'.join(map(_short, datasets.values()))}"
    return {
        "suite": kind,
        "datasets": datasets,
        "checks": [{**check, **({"id": given["id"]} if "id" in given else {})}],
    }


def _placed(entries: list[Any], datasets: dict[str, Any]) -> list[Any]:
    """Entries of which each `{path: …}` becomes a dataset of its own, named after its place."""
    placed = []
    for entry in entries:
        block = dict(entry) if isinstance(entry, dict) else {}
        for key, value in block.items():
            if isinstance(value, dict) and _PLACES & set(value):
                name = next((n for n, d in datasets.items() if d == value), None)
                name = name or _unused(_short(value), datasets)
                datasets[name] = value
                block[key] = name
        placed.append(block or entry)
    return placed


def _unused(name: str, taken: Mapping[str, Any]) -> str:
    number = 1
    while (numbered := name if number == 1 else f"{name}-{number}") in taken:
        number += 1
    return numbered


def _short(dataset: Mapping[str, Any]) -> str:
    """A dataset's place as part of an id: the last part of its path."""
    place = next("query" if k == "sql" else str(v) for k, v in dataset.items() if k in _PLACES)
    return _NOT_A_NAME.sub("_", place.rstrip("/").rpartition("/")[2])[:60]


def _option_value(model: type[Check], name: str, text: str) -> Any:
    """Read an option as the field's YAML: `a,b` for lists, `k=v,k=v` for blocks."""
    annotation = model.model_fields[name].annotation
    parts = (annotation, *get_args(annotation))
    is_text = str in parts
    words = [word for part in parts if get_origin(part) is Literal for word in get_args(part)]
    if Like in parts and _PATTERN.match(text):
        pairs = [part.partition("=") for part in _NEXT_PAIR.split(text)]
        return {key.strip(): value.split("+") for key, _, value in pairs}
    if text not in words and any(get_origin(part) is tuple for part in parts):
        return [part.strip() for part in text.split(",")]
    if name in ("error_if", "warn_if"):
        return dict(_bound(part) for part in text.split(","))
    if _is_mapping(model, name):
        named = [part.partition("=") for part in _NEXT_NAME.split(text)]
        free = Any in get_args(annotation)
        return {key.strip(): resolve(value.strip()) if free else value.strip() for key, _, value in named}
    if text.lstrip().startswith("sql="):
        # A query may hold commas and equals signs; only the other fields of a dataset end it.
        pairs = [part.partition("=") for part in _NEXT_FIELD.split(text)]
    else:
        pairs = [part.partition("=") for part in _NEXT_PAIR.split(text)]
    block = all(middle and key.strip().isidentifier() for key, middle, _ in pairs)
    if block and (not is_text or pairs[0][0].strip() in _PLACES):
        return {key.strip(): resolve(value.strip()) for key, _, value in pairs}
    return text if is_text else resolve(text)


def _is_blocks(annotation: Any) -> bool:
    """Whether a field is a list of blocks of keys."""
    inner = get_args(annotation) if get_origin(annotation) is tuple else ()
    return any(isinstance(kind, type) and issubclass(kind, BaseModel) for kind in inner)


def _blocks(text: str, name: str) -> Any:
    """Read YAML in one line; variables are filled later, with those of a suite."""
    try:
        return _plain(yaml.compose(text, yaml.SafeLoader))
    except yaml.YAMLError as error:
        message = f"not valid YAML: {getattr(error, 'problem', None) or error}; quote what holds a brace or a comma"
        raise ConfigError(Problem(message, path=f"--{name}")) from error


def _plain(node: yaml.Node | None) -> Any:
    """What nodes hold; what is quoted stays text."""
    if isinstance(node, yaml.MappingNode):
        return {str(key.value): _plain(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_plain(child) for child in node.value]
    if node is None:
        return None
    return node.value if getattr(node, "style", None) else resolve(str(node.value))


def _is_mapping(model: type[Check], name: str) -> bool:
    """Whether a field holds names of the user's own, so that none of them is a keyword."""
    annotation = model.model_fields[name].annotation
    return dict in {get_origin(part) for part in (annotation, *get_args(annotation))}


def _bound(text: str) -> tuple[str, str]:
    name, bound = _BOUND.fullmatch(text).groups()  # type: ignore[union-attr] # it matches any text
    return name, bound


def _option_help(field: Any) -> str:
    text = (field.description or "").replace("\n", " ")
    return f"{text} For example {field.examples[0]}." if field.examples else text


def _as_option(problem: Problem) -> Problem:
    path = problem.path.removeprefix("checks[0]").removeprefix(".").removeprefix("datasets.")
    return Problem(problem.message, path="--" + path.replace("_", "-") if path else "")
