"""`sparkguard init`: from a table, or a schema of them, to a file with checks."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from sparkguard import app as application
from sparkguard import propose
from sparkguard.cli.options import Master, Remote, read_suite
from sparkguard.config.owners import Owners, read_owners
from sparkguard.core.settle import NOT_EVALUATED
from sparkguard.core.text import count
from sparkguard.errors import ConfigError, Problem
from sparkguard.files import require_writable, write_whole
from sparkguard.proposal.place import Place
from sparkguard.proposal.suite import Heading

_SCHEMA_FILE = "suite.schema.json"


def init(
    path: Annotated[str | None, typer.Option(help="Folder, file or URI of a table.")] = None,
    table: Annotated[str | None, typer.Option(help="A table: catalog.schema.table.")] = None,
    schema: Annotated[str | None, typer.Option(help="All tables of catalog.schema, in one file.")] = None,
    folder: Annotated[str | None, typer.Option(help="All Delta tables in a local folder, in one file.")] = None,
    file_format: Annotated[
        Literal["delta", "parquet", "csv", "json", "orc"] | None,
        typer.Option("--format", help="Format of the path (default: by its files, else delta)."),
    ] = None,
    time_column: Annotated[
        str | None, typer.Option(help="The column that windows cut by (default: by its name).")
    ] = None,
    owners: Annotated[Path | None, typer.Option(help='A file of lines such as "clicks_*": ads; for --schema.')] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first tables of --schema or --folder.")] = None,
    suite: Annotated[str | None, typer.Option(help="The suite's name (default: the table's, or the schema's).")] = None,
    output: Annotated[Path | None, typer.Option(help="The file to write (default, and -: standard output).")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    no_values: Annotated[
        bool, typer.Option("--no-values", help="Propose no allowed values: they come from the data.")
    ] = False,
    no_verify: Annotated[bool, typer.Option("--no-verify", help="Do not run the proposed checks.")] = False,
    master: Master = None,
    remote: Remote = None,
) -> None:
    """Profile a table, or all tables of a schema, and write a commented suite that passes on it."""
    output = None if str(output) == "-" else output
    _require_free(output, force=force)
    heading = Heading(datetime.now(UTC), None if output is None else str(output), _modeline(output))
    wish = propose.Wish(heading, time_column, not no_values, not no_verify, read_suite(suite))
    options = application.Options(master=master, remote=remote)
    if schema is None and folder is None:
        _require_none({"--owners": owners, "--limit": limit})
        written = propose.init_table(propose.placed(path, table, file_format), wish, options, _say)
    elif path is None and table is None and file_format is None and (schema is None) != (folder is None):
        written = _many(schema, folder, owners, limit, wish, options)
    else:
        raise ConfigError(Problem("give one of --path, --table, --schema and --folder; --format goes with --path"))
    if output is None:
        typer.echo(written.text.encode("utf-8"), nl=False)
    else:
        write_whole(written.text, output)
    _summary(written, output, verified=not no_verify)
    if written.unread:
        raise typer.Exit(NOT_EVALUATED)


def _require_none(options: Mapping[str, object]) -> None:
    """Refuse what is for many tables only."""
    given = [name for name, value in options.items() if value is not None]
    if given:
        raise ConfigError(Problem("goes with --schema and --folder", path=" and ".join(given)))


def _many(
    schema: str | None,
    folder: str | None,
    owners: Path | None,
    limit: int | None,
    wish: propose.Wish,
    options: application.Options,
) -> propose.Written:
    name = (schema or str(Path(folder or "").resolve())).replace("`", "")
    last = name.rpartition("." if schema else "/")[2]
    wish = replace(wish, suite=wish.suite or Place(last).short)
    places = propose.tables_of(schema, limit) if schema else propose.folders_of(str(folder), limit)
    return propose.init_tables(places, _owners(owners), wish, options, _say)


def _owners(file: Path | None) -> Owners:
    if file is None:
        return Owners()
    try:
        return read_owners(file.read_text(encoding="utf-8"), str(file), os.environ)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(Problem(f"cannot be read: {error}", str(file), "--owners")) from error


def _require_free(output: Path | None, *, force: bool) -> None:
    if output is not None and output.exists() and not force:
        raise ConfigError(
            Problem(f"'{output}' exists; name another file, or overwrite it with --force", path="--output")
        )
    if output is not None:
        require_writable(output)


def _modeline(output: Path | None) -> str | None:
    """The schema of suites as seen from the file, where there is one beside it or in `conf`."""
    if output is None:
        return None
    for known in (output.parent / _SCHEMA_FILE, Path("conf") / _SCHEMA_FILE):
        if known.is_file():
            relative = os.path.relpath(known, output.parent)
            return relative if relative.startswith(".") else f"./{relative}"
    return None


def _say(step: str) -> None:
    typer.echo(step, err=True)


def _summary(written: propose.Written, output: Path | None, *, verified: bool) -> None:
    """What was proposed, and what to type next; beside the suite itself on standard output it goes to the other."""
    lines = [f"taken out: {name}: {why}" for name, why in written.taken_out.items()]
    lines += [f"not read: {name}: {why}" for name, why in written.unread.items()]
    proven = (
        "all of them pass on the table as it is"
        if written.tables == 1
        else "all of them pass on the tables as they are"
    )
    tables = "" if written.tables == 1 else f" for {count(written.tables, 'table')}"
    lines.append(f"{count(written.checks, 'check')} proposed{tables}; {proven if verified else 'they were not run'}")
    if written.unread:
        lines.append(f"{count(len(written.unread), 'table')} could not be read; the file names them as comments")
    if output is not None:
        lines += [f"next: read {output}, then", f"  sparkguard validate {output}", f"  sparkguard run {output}"]
    typer.echo("\n".join(lines), err=output is None)
