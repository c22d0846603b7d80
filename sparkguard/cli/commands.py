"""The commands of `sparkguard`."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from sparkguard import app as application
from sparkguard import recorded
from sparkguard.cli.init import init
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
    ResultsRead,
    RunId,
    Set,
    TableName,
    exit_with,
    go,
    listed,
    progress_of,
    read_date,
    read_run_id,
    read_suite,
    read_variables,
)
from sparkguard.config.catalog import catalog
from sparkguard.config.schema import suite_schema
from sparkguard.core.suite import Suite
from sparkguard.errors import ConfigError, Problem
from sparkguard.explain import explain_lines, summary
from sparkguard.export import expectation_suites
from sparkguard.files import write_whole
from sparkguard.outcome import Choice

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
    table: TableName = None,
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
        date=read_date(date),
        variables=read_variables(set_ or []),
        results=results,
        run_id=read_run_id(run_id),
        choice=Choice(listed(only), listed(tags), fail_fast, attempt),
        table=table,
        master=master,
        remote=remote,
    )
    go(target, options, progress_of(log_format, quiet=quiet), dry_run=dry_run)


cli.command()(init)


@cli.command()
def validate(
    path: Annotated[Path, typer.Argument(help="A suite, or a folder of suites.")],
    date: Date = None,
    set_: Set = None,
    table: TableName = None,
) -> None:
    """Check only the configuration, without Spark."""
    options = application.Options(date=read_date(date), variables=read_variables(set_ or []), table=table)
    problems: list[Problem] = []
    found: list[tuple[Suite, application.SuiteLike]] = []
    for file in application.suite_files(path):
        try:
            suites = application.load_suites(file, options)
        except ConfigError as error:
            problems += error.problems
            continue
        found += [(suite, file) for suite in suites]
        for suite in suites:
            checks, datasets = len(suite.checks), len(suite.datasets)
            typer.echo(f"{file}: suite {suite.name} is valid: {checks} checks on {datasets} datasets")
        for note in application.notes(suites):
            typer.echo(f"{file}: {note}")
    if problems:
        raise ConfigError(*problems)
    application.require_own_names(found, options)


@cli.command()
def verdict(
    run_id: RunId,
    results: ResultsRead = "results",
    master: Master = None,
    remote: Remote = None,
) -> None:
    """Exit with the code of a recorded run: cluster mode hides the code of the job itself."""
    wanted = read_run_id(run_id)
    if wanted is None:
        raise ConfigError(Problem("--run-id is required"))
    code = recorded.verdict(results, wanted, application.Options(master=master, remote=remote))
    typer.echo(f"run {run_id}: exit code {code}")
    raise typer.Exit(code)


@cli.command()
def report(
    run_id: Annotated[str | None, typer.Option(help="The run (default: the last one that finished).")] = None,
    suite: Annotated[str | None, typer.Option(help="Only this suite, or its last run.")] = None,
    results: ResultsRead = "results",
    output: Annotated[Path, typer.Option(help="The file to write; - for standard output.")] = Path("report.html"),
    master: Master = None,
    remote: Remote = None,
) -> None:
    """Write a recorded run as one HTML file: its verdict, what failed and why, the evidence, the rest."""
    options = application.Options(run_id=read_run_id(run_id), master=master, remote=remote)
    text = recorded.report(results, read_suite(suite), options)
    if str(output) == "-":
        typer.echo(text.encode("utf-8", errors="replace"), nl=False)
        return
    write_whole(text, output)
    typer.echo(output)


@cli.command()
def scenarios(
    check: Annotated[str, typer.Option(help="The check whose evidence becomes scenarios.")],
    run_id: Annotated[str | None, typer.Option(help="The run (default: the last one with evidence).")] = None,
    key: Annotated[str, typer.Option(help="The columns of the evidence that name a row (default: all).")] = "",
    minimum: Annotated[float | None, typer.Option(help="What the metric must reach.")] = None,
    maximum: Annotated[float | None, typer.Option(help="What the metric must not exceed.")] = None,
    max_regression: Annotated[float | None, typer.Option(help="By how much it may be worse than the baseline.")] = None,
    results: ResultsRead = "results",
    output: Annotated[Path, typer.Option(help="The file to write; - for standard output.")] = Path("-"),
    master: Master = None,
    remote: Remote = None,
) -> None:
    """Write what a check found in a recorded run as scenarios: yesterday's failures are tomorrow's tests."""
    given = {"minimum": minimum, "maximum": maximum, "max_regression": max_regression}
    limits = {name: value for name, value in given.items() if value is not None}
    columns = [name.strip() for name in key.split(",") if name.strip()]
    options = application.Options(run_id=read_run_id(run_id), master=master, remote=remote)
    text = recorded.scenarios(results, check, columns, limits, options)
    if str(output) == "-":
        typer.echo(text, nl=False)
        return
    write_whole(text, output)
    typer.echo(output)


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


@cli.command()
def export(
    path: Annotated[Path, typer.Argument(help="A suite.")],
    to: Annotated[Literal["gx"], typer.Option(help="gx: suites of Great Expectations, one for each dataset.")],
    output: Annotated[Path, typer.Option(help="The folder to write into.")] = Path(),
    date: Date = None,
    set_: Set = None,
) -> None:
    """Write a suite's simple checks for another tool, and say which are left out and why."""
    suite = application.load_suite(
        path, application.Options(date=read_date(date), variables=read_variables(set_ or []))
    )
    suites, left_out = expectation_suites(suite)
    for check, why in left_out.items():
        typer.echo(f"left out: {check}: {why}", err=True)
    if not suites:
        raise ConfigError(Problem(f"no check of suite {suite.name} can be exported to {to}", str(path)))
    output.mkdir(parents=True, exist_ok=True)
    for content in suites.values():
        file = output / f"{content['name']}.json"
        file.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        typer.echo(f"{file}: {len(content['expectations'])} expectations")


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
    exit_with(lambda: cli(arguments))


def run_main() -> None:
    """`jobs/run_suite.py`: the same as `sparkguard run`."""
    main(["run", *sys.argv[1:]])
