"""The command line: `sparkguard …`, and the mains under `jobs/`."""

from __future__ import annotations

import inspect
import json
import re
import sys
from collections.abc import Callable, Mapping
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin

import typer

from sparkguard import app as application
from sparkguard.config.catalog import catalog
from sparkguard.config.schema import suite_schema
from sparkguard.config.yaml import resolve
from sparkguard.console import JsonProgress, Progressing, TerminalProgress
from sparkguard.core.check import Check
from sparkguard.core.text import without_secrets
from sparkguard.errors import ConfigError, Problem, SparkguardError
from sparkguard.explain import explain_lines, summary
from sparkguard.process import print_traceback, run_command
from sparkguard.runner import Choice


class LogFormat(StrEnum):
    """What is printed while a suite runs."""

    TEXT = "text"
    JSON = "json"


_PLACES = {"path", "table", "sql"}
_NEXT_PAIR = re.compile(r",(?=\s*\w+\s*=)")
_NOT_A_NAME = re.compile(r"[^\w.-]+")

Date = Annotated[
    str | None, typer.Option("--date", help="The date the run is for (default: today).", metavar="YYYY-MM-DD")
]
Set = Annotated[list[str] | None, typer.Option("--set", help="Fills ${NAME}; may be repeated.", metavar="NAME=VALUE")]
Results = Annotated[str | None, typer.Option(help="Folder, URI or catalog.schema of the result tables.")]
RunId = Annotated[str | None, typer.Option(help="Identifies the run across its attempts.")]
Attempt = Annotated[int | None, typer.Option(min=1, help="Number of this try (default: one more than seen).")]
LogFormatOption = Annotated[LogFormat, typer.Option(help="Lines for people or for log collectors.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print only what did not pass, and the summary.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the plan from metadata; read no data, write nothing.")]
Master = Annotated[str | None, typer.Option(help="Spark master of an embedded session (default: local[*]).")]
Remote = Annotated[str | None, typer.Option(help="Spark Connect server, sc://host:port.")]

cli = typer.Typer(
    name="sparkguard",
    help="Checks feature and prediction tables with Spark and writes what it finds to Delta tables.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@cli.command()
def run(
    path: Annotated[Path | None, typer.Argument(help="A suite, or a folder of suites.")] = None,
    config: Annotated[Path | None, typer.Option(help="The same as the argument.")] = None,
    date: Date = None,
    set_: Set = None,
    only: Annotated[str | None, typer.Option(help="Run only these checks and what they need.", metavar="ID,…")] = None,
    tags: Annotated[str | None, typer.Option(help="Run only checks with one of these tags.", metavar="TAG,…")] = None,
    results: Results = None,
    run_id: RunId = None,
    attempt: Attempt = None,
    fail_fast: Annotated[bool, typer.Option("--fail-fast", help="No further scan after the first failure.")] = False,
    dry_run: DryRun = False,
    log_format: LogFormatOption = LogFormat.TEXT,
    quiet: Quiet = False,
    master: Master = None,
    remote: Remote = None,
) -> None:
    """Run a suite and exit with its verdict: 0 passed, 5 failed, 3 not evaluated, 4 not written, 2 wrong usage."""
    target = path or config
    if target is None:
        raise ConfigError(Problem("name a suite: sparkguard run conf/flights.yaml, or --config conf/flights.yaml"))
    options = application.Options(
        date=_date(date),
        variables=_variables(set_ or []),
        results=results,
        run_id=_run_id(run_id),
        choice=Choice(_listed(only), _listed(tags), fail_fast, attempt),
        master=master,
        remote=remote,
    )
    _go(target, options, _progress(log_format, quiet=quiet), dry_run=dry_run)


@cli.command()
def validate(
    path: Annotated[Path, typer.Argument(help="A suite, or a folder of suites.")], date: Date = None, set_: Set = None
) -> None:
    """Check only the configuration, without Spark."""
    options = application.Options(date=_date(date), variables=_variables(set_ or []))
    problems: list[Problem] = []
    for file in application.suite_files(path):
        try:
            suite = application.load_suite(file, options)
            typer.echo(
                f"{file}: suite {suite.name} is valid: {len(suite.checks)} checks on {len(suite.datasets)} datasets"
            )
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(*problems)


@cli.command()
def verdict(
    run_id: RunId,
    results: Annotated[str, typer.Option(help="Folder, URI or catalog.schema of the result tables.")] = "results",
    master: Master = None,
    remote: Remote = None,
) -> None:
    """Exit with the code of a recorded run: cluster mode hides the code of the job itself."""
    wanted = _run_id(run_id)
    if wanted is None:
        raise ConfigError(Problem("--run-id is required"))
    code = application.verdict(results, wanted, application.Options(master=master, remote=remote))
    typer.echo(f"run {run_id}: exit code {code}")
    raise typer.Exit(code)


@cli.command("list")
def list_types() -> None:
    """List the check types."""
    width = max(map(len, catalog()))
    for kind, check in sorted(catalog().items()):
        typer.echo(f"{kind:{width}}  {summary(check)}")


@cli.command()
def explain(kind: Annotated[str, typer.Argument(metavar="TYPE", help="A check type; see `sparkguard list`.")]) -> None:
    """Explain a check type: its fields, quantities, defaults and cost."""
    typer.echo("\n".join(explain_lines(kind)))


@cli.command()
def schema(
    output: Annotated[Path | None, typer.Option(help="Write to this file instead of standard output.")] = None,
) -> None:
    """Print the JSON schema of a suite, for editors."""
    text = json.dumps(suite_schema(), indent=2, ensure_ascii=False) + "\n"
    if output is None:
        typer.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")


@cli.command("init-results")
def init_results(
    results: Annotated[str, typer.Argument(help="catalog.schema, folder or URI.")],
    master: Master = None,
    remote: Remote = None,
) -> None:
    """Make the result tables, and the views in a catalog.schema."""
    for name in application.init_results(results, application.Options(master=master, remote=remote)):
        typer.echo(name)


def main(arguments: list[str] | None = None) -> None:
    """The command `sparkguard`."""
    _exit_with(lambda: cli(arguments))


def run_main() -> None:
    """`jobs/run_suite.py`: the same as `sparkguard run`."""
    main(["run", *sys.argv[1:]])


def check_main(kind: str, arguments: list[str] | None = None) -> None:
    """A job of one check, without YAML: its options are the fields of the check type."""
    single = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)
    single.command(name=kind)(_check_command(kind))
    _exit_with(lambda: single(arguments))


def _check_command(kind: str) -> Callable[..., None]:
    """Make a command whose options are the check's own fields, and the common ones."""
    model = catalog()[kind]
    fields = {n: f for n, f in model.model_fields.items() if n != "needs"}

    def command(**given: Any) -> None:
        suite = _one_check_suite(kind, {n: v for n, v in given.items() if n in fields and v is not None})
        options = application.Options(
            date=_date(given["date"]),
            variables=_variables(given["set_"] or []),
            results=given["results"],
            run_id=_run_id(given["run_id"]),
            choice=Choice(attempt=given["attempt"]),
            master=given["master"],
            remote=given["remote"],
        )
        try:
            _go(suite, options, _progress(given["log_format"], quiet=given["quiet"]), dry_run=given["dry_run"])
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
        value = _option_value(catalog()[kind], name, text)
        if isinstance(value, dict) and _PLACES & set(value):
            place = str(next(v for k, v in value.items() if k in _PLACES))
            check["id"] = f"{kind}.{_NOT_A_NAME.sub('_', place.rstrip('/').rpartition('/')[2])[:60]}"
            datasets[name] = value
            value = name
        check[name] = value
    return {
        "suite": kind,
        "datasets": datasets,
        "checks": [{**check, **({"id": given["id"]} if "id" in given else {})}],
    }


def _option_value(model: type[Check], name: str, text: str) -> Any:
    """Read an option as the field's YAML: `a,b` for lists, `k=v,k=v` for blocks."""
    annotation = model.model_fields[name].annotation
    is_text = annotation is str or str in get_args(annotation)
    if get_origin(annotation) is tuple:
        return [part.strip() for part in text.split(",")]
    if name in ("error_if", "warn_if"):
        return dict(_bound(part) for part in text.split(","))
    pairs = [part.partition("=") for part in _NEXT_PAIR.split(text)]
    block = all(middle and key.strip().isidentifier() for key, middle, _ in pairs)
    if block and (not is_text or pairs[0][0].strip() in _PLACES):
        return {key.strip(): resolve(value.strip()) for key, _, value in pairs}
    return text if is_text else resolve(text)


def _bound(text: str) -> tuple[str, str]:
    name = text.strip().split(" ")[0].rstrip("<>=!:")
    return name, text.strip()[len(name) :].lstrip(": ")


def _option_help(field: Any) -> str:
    text = (field.description or "").replace("\n", " ")
    return f"{text} For example {field.examples[0]}." if field.examples else text


def _as_option(problem: Problem) -> Problem:
    path = problem.path.removeprefix("checks[0].").removeprefix("datasets.")
    return Problem(problem.message, path="--" + path.replace("_", "-") if path else "")


def _go(target: Path | dict[str, Any], options: application.Options, progress: Progressing, *, dry_run: bool) -> None:
    if dry_run:
        typer.echo("\n".join(application.plan(target, options)))
        return
    raise typer.Exit(run_command(target, options, progress))


def _progress(log_format: LogFormat, *, quiet: bool) -> Progressing:
    return JsonProgress() if log_format is LogFormat.JSON else TerminalProgress(quiet=quiet)


def _exit_with(command: Callable[[], Any]) -> None:
    """Run a command and exit by the contract: 2 for wrong usage, never a stack trace for it."""
    try:
        command()
    except SparkguardError as error:
        hidden = application.secrets(application.Options())
        typer.echo(without_secrets(str(error), hidden), err=True)
        remedy = getattr(error, "remedy", None)
        if remedy:
            typer.echo(f"→ {remedy}", err=True)
        sys.exit(error.exit_code)
    except Exception:  # noqa: BLE001 - Python's own exit code 1 would say that the job never started
        print_traceback(application.secrets(application.Options()))
        sys.exit(SparkguardError.exit_code)


def _date(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(Problem(f"'{text}' is not a date; write for example 2026-01-31", path="--date")) from error


def _run_id(text: str | None) -> str | None:
    if text is not None and not all(c.isalnum() or c in "_.:+-" for c in text):
        raise ConfigError(Problem(f"'{text}' may hold letters, digits and _ . : + - only", path="--run-id"))
    return text


def _variables(pairs: list[str]) -> dict[str, str]:
    split = [pair.partition("=") for pair in pairs]
    wrong = [name for name, middle, _ in split if not middle]
    if wrong:
        raise ConfigError(*(Problem(f"'{name}' has no value; write --set NAME=VALUE", path="--set") for name in wrong))
    return {name: value for name, _, value in split}


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip()) if text else ()
