"""The options that commands share, how they are read, and how a command exits."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from sparkguard import app as application
from sparkguard.console import JsonProgress, Progressing, TerminalProgress
from sparkguard.core.text import without_secrets
from sparkguard.errors import ConfigError, Problem, SparkguardError
from sparkguard.process import print_traceback, run_command


class LogFormat(StrEnum):
    """What is printed while a suite runs."""

    TEXT = "text"
    JSON = "json"


Date = Annotated[
    str | None, typer.Option("--date", help="The date the run is for (default: today).", metavar="YYYY-MM-DD")
]
Set = Annotated[list[str] | None, typer.Option("--set", help="Fills ${NAME}; may be repeated.", metavar="NAME=VALUE")]
Results = Annotated[str | None, typer.Option(help="Folder, URI or catalog.schema of the result tables.")]
ResultsRead = Annotated[str, typer.Option("--results", help="Folder, URI or catalog.schema of the result tables.")]
TableName = Annotated[
    str | None,
    typer.Option("--table", help="Only the suites of these tables of a file with tables.", metavar="PATTERN"),
]
RunId = Annotated[str | None, typer.Option(help="Identifies the run across its attempts.")]
Attempt = Annotated[int | None, typer.Option(min=1, help="Number of this try (default: one more than seen).")]
LogFormatOption = Annotated[LogFormat, typer.Option(help="Lines for people or for log collectors.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print only what did not pass, and the summary.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Print the plan from metadata; read no data, write nothing.")]
Master = Annotated[str | None, typer.Option(help="Spark master of an embedded session (default: local[*]).")]
Remote = Annotated[str | None, typer.Option(help="Spark Connect server, sc://host:port.")]


def go(target: Path | dict[str, Any], options: application.Options, progress: Progressing, *, dry_run: bool) -> None:
    """Run, or print the plan; leaves by `typer.Exit` with the exit code."""
    if dry_run:
        typer.echo("\n".join(application.plan(target, options)))
        return
    raise typer.Exit(run_command(target, options, progress))


def progress_of(log_format: LogFormat, *, quiet: bool) -> Progressing:
    """What is printed while a suite runs."""
    return JsonProgress() if log_format is LogFormat.JSON else TerminalProgress(quiet=quiet)


def exit_with(command: Callable[[], Any]) -> None:
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


def read_date(text: str | None) -> date | None:
    """Read `--date`."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(Problem(f"'{text}' is not a date; write for example 2026-01-31", path="--date")) from error


def read_run_id(text: str | None) -> str | None:
    """Read `--run-id`, which stands in file names and predicates."""
    return _name(text, "_.:+-", "--run-id")


def read_suite(text: str | None) -> str | None:
    """Read `--suite`, which stands in predicates."""
    return _name(text, "_.-", "--suite")


def read_variables(pairs: list[str]) -> dict[str, str]:
    """Read `--set NAME=VALUE`."""
    split = [pair.partition("=") for pair in pairs]
    wrong = [name for name, middle, _ in split if not middle]
    if wrong:
        raise ConfigError(*(Problem(f"'{name}' has no value; write --set NAME=VALUE", path="--set") for name in wrong))
    return {name: value for name, _, value in split}


def listed(text: str | None) -> tuple[str, ...]:
    """Read `a,b`."""
    return tuple(part.strip() for part in text.split(",") if part.strip()) if text else ()


def _name(text: str | None, allowed: str, option: str) -> str | None:
    if text is not None and not all(c.isalnum() or c in allowed for c in text):
        raise ConfigError(Problem(f"'{text}' may hold letters, digits and {' '.join(allowed)} only", path=option))
    return text
