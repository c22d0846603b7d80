"""From a table, or all tables of a schema, to the text of a suite that was proven on them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlparse

from sparkguard import app
from sparkguard.config.load import Parameters
from sparkguard.config.load import load_all as load_members
from sparkguard.config.owners import Owners
from sparkguard.console import Silent
from sparkguard.core.columns import Schema
from sparkguard.core.finding import Status
from sparkguard.core.measure import Broken
from sparkguard.core.source import Source
from sparkguard.core.suite import Suite
from sparkguard.core.text import count, first_line, without_secrets
from sparkguard.core.types import is_text, is_time
from sparkguard.errors import ConfigError, DataError, Problem
from sparkguard.proposal.families import DATASET, Table, family_text
from sparkguard.proposal.place import Place, names_in_family
from sparkguard.proposal.profiling import profile
from sparkguard.proposal.proposals import propose
from sparkguard.proposal.proposed import Proposed
from sparkguard.proposal.suite import Heading, suite_text
from sparkguard.runner import Runner

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_PLAIN_PART = re.compile(r"\w+", re.ASCII)
_AT_CHECK = re.compile(r"checks\[(\d+)\]")
_LOOKED_AT = 1_000
"""Files of a folder that tell its format."""
_TOLD = 3
_FORMATS = ("parquet", "csv", "json", "orc")

Say = Callable[[str], None]


@dataclass(frozen=True)
class Wish:
    """How to propose: the header, the column that cuts windows, whether values may be written, whether to prove it."""

    heading: Heading
    time_column: str | None = None
    values: bool = True
    verify: bool = True
    suite: str | None = None


@dataclass(frozen=True)
class Written:
    """A text, how many checks it has, and those that were taken out again, with the reason."""

    text: str
    checks: int
    taken_out: Mapping[str, str]
    tables: int = 1
    unread: Mapping[str, str] = field(default_factory=dict)
    """The tables that could not be read, and why."""


@dataclass(frozen=True)
class _Found:
    """What one table became."""

    proposed: Proposed
    rows: int
    version: int | None


def placed(path: str | None, table: str | None, file_format: str | None) -> Place:
    """The one place that the options name; without a format a local path tells by its files what it is."""
    if (path is None) == (table is None):
        raise ConfigError(Problem("give one of --path, --table, --schema and --folder"))
    if table is not None and file_format is not None:
        raise ConfigError(Problem("goes with --path; the catalog knows the format of a table", path="--format"))
    if path is not None and file_format is None and not urlparse(path).scheme:
        file_format = _format_of(Path(path))
    return Place(path, table, None if file_format == "delta" else file_format)


def init_table(place: Place, wish: Wish, options: app.Options, say: Say) -> Written:
    """Profile one table and propose a suite, proven on the same version unless the wish says otherwise."""
    with app.session("sparkguard init", options) as spark:
        found = _found(spark, place, place.short, wish, say)
    heading = replace(wish.heading, proven=wish.verify)
    name = wish.suite or place.short
    text = suite_text(name, place.short, place.entry(), found.proposed, heading, rows=found.rows, version=found.version)
    _loaded(text, heading)
    return Written(text, len(found.proposed.checks), found.proposed.taken_out)


def init_tables(
    places: Callable[[SparkSession], Sequence[Place]], owners: Owners, wish: Wish, options: app.Options, say: Say
) -> Written:
    """Profile the tables of a schema or folder, one after the other, into one file; what cannot be read is told."""
    tables: list[Table] = []
    with app.session("sparkguard init", options) as spark:
        found = places(spark)
        _require_somewhere(spark, found, wish.time_column)
        for number, (place, name) in enumerate(zip(found, names_in_family(found), strict=True), 1):
            say(f"{number:,} of {len(found):,}: {place.short}")
            tables.append(_table(spark, place, name, owners, wish, options))
            if tables[-1].unread is not None:
                _require_session(spark, number, len(found))
    read = [t.proposed for t in tables if t.proposed is not None]
    unread = {t.name: t.unread for t in tables if t.unread is not None}
    if not read:
        message = f"no table could be read: {_listed(unread) or 'there is none'}"
        raise DataError(message, "name another --schema or --folder, or find out why they cannot be read")
    heading = replace(wish.heading, proven=wish.verify)
    text = family_text(wish.suite or "tables", tables, heading)
    _loaded(text, heading)
    taken_out = {f"{t.short}.{i}": why for t in tables if t.proposed for i, why in t.proposed.taken_out.items()}
    return Written(text, sum(len(p.checks) for p in read), taken_out, len(read), unread)


def _require_session(spark: SparkSession, number: int, tables: int) -> None:
    """Refuse to go on without Spark, which would tell of every other table that it cannot be read."""
    try:
        spark.sql("SELECT 1").collect()
    except Exception as error:
        message = f"Spark ended at table {number:,} of {tables:,}, and nothing is written: {first_line(error)}"
        raise DataError(message) from error


def _require_somewhere(spark: SparkSession, places: Sequence[Place], time_column: str | None) -> None:
    """Refuse a time column that none of many tables has."""
    from sparkguard.engine.reader import Reader

    if time_column is None:
        return
    pins = (Reader(spark, {DATASET: place.dataset(DATASET)}).pin([Source(DATASET)])[DATASET, None] for place in places)
    lacking = 0
    for pin in pins:
        if isinstance(pin, Broken):
            continue
        if _time_column(pin.schema, time_column, required=False):
            return
        lacking += 1
    if lacking:
        message = f"none of {count(lacking, 'table')} has a column '{time_column}' that windows can cut by"
        raise ConfigError(Problem(message, path="--time-column"))


def tables_of(schema: str, limit: int | None) -> Callable[[SparkSession], Sequence[Place]]:
    """The tables and views of a catalog schema, temporary views left out."""

    def listed(spark: SparkSession) -> Sequence[Place]:
        from sparkguard.engine.reader import table_parts
        from sparkguard.engine.spark.values import quoted

        parts = table_parts(schema)
        try:
            rows = spark.sql(f"SHOW TABLES IN {quoted(*parts)}").collect()
        except Exception as error:
            raise DataError(f"the tables of {schema} cannot be listed: {first_line(error)}") from error  # noqa: EM102, TRY003 - one sentence
        names = sorted(row["tableName"] for row in rows if not row["isTemporary"])
        return [Place(table=".".join(map(_written_part, (*parts, name)))) for name in names][:limit]

    return listed


def folders_of(folder: str, limit: int | None) -> Callable[[SparkSession], Sequence[Place]]:
    """The Delta tables in the sub-folders of a local folder."""
    root = Path(folder)
    if urlparse(folder).scheme or not root.is_dir():
        raise ConfigError(Problem(f"'{folder}' is not a local folder", path="--folder"))
    found = sorted(inner for inner in root.iterdir() if (inner / "_delta_log").is_dir())
    return lambda _spark: [Place(path=str(inner)) for inner in found][:limit]


def _table(spark: SparkSession, place: Place, name: str, owners: Owners, wish: Wish, options: app.Options) -> Table:
    short = place.short if place.table else name
    known = Table(name, short, place.entry() if place.path else {}, owners.of(place.short, name))
    if not place.can_name_a_suite:
        return replace(known, unread="its name cannot be that of a suite; write one for it alone: init --table")
    try:
        found = _found(spark, place, DATASET, wish, lambda _step: None)
    except Exception as error:  # noqa: BLE001 - the other tables go on
        return replace(known, unread=without_secrets(first_line(error), app.secrets(options)))
    return replace(known, proposed=found.proposed)


def _found(spark: SparkSession, place: Place, name: str, wish: Wish, say: Say) -> _Found:
    """Profile, propose and prove one table; `DataError` if it cannot be read."""
    from sparkguard.engine.reader import Reader
    from sparkguard.engine.spark_engine import SparkEngine

    source, now = Source(name), datetime.now(UTC)
    engine = SparkEngine(Reader(spark, {name: place.dataset(name)}))
    say(f"opening {place.path or place.table}")
    pin = engine.pin([source])[name, None]
    if isinstance(pin, Broken):
        raise DataError(pin.reason, pin.remedy)
    time = _time_column(pin.schema, wish.time_column, required=name != DATASET)
    found = profile(source, pin.schema, lambda ms: dict(engine.compute(ms)), now, values=wish.values, say=say)
    proposed = propose(found, time)
    if not proposed.checks:
        message = f"{place.path or place.table} has no column that could be checked"
        raise DataError(message)
    if wish.verify:
        say(f"running the {len(proposed.checks)} proposed checks")
        proposed = _proven(spark, place, name, proposed, wish, pin.version)
        if not proposed.checks:
            message = f"no check of {place.path or place.table} passes on it: " + _listed(proposed.taken_out)
            raise DataError(message)
    return _Found(proposed, found.rows, pin.version)


def _time_column(schema: Schema, wanted: str | None, *, required: bool) -> str | None:
    """The column that was asked for; of many tables those that do not have it choose another."""
    if wanted is None:
        return None
    try:
        kind = schema.column(wanted).type
    except DataError as error:
        wrong = str(error)
    else:
        if is_time(kind) or is_text(kind):
            return wanted
        wrong = f"column '{wanted}' is {kind}; windows cut by TIMESTAMP, TIMESTAMP_NTZ, DATE and ISO text"
    if required:
        raise ConfigError(Problem(wrong, path="--time-column"))
    return None


def _listed(taken_out: Mapping[str, str]) -> str:
    return "; ".join(f"{name}: {why}" for name, why in islice(taken_out.items(), _TOLD))


def _proven(
    spark: SparkSession, place: Place, name: str, proposed: Proposed, wish: Wish, version: int | None
) -> Proposed:
    """The checks that can be read back and pass on the rows that they were made from."""
    heading = Heading(datetime.now(UTC))
    while proposed.checks:
        text = suite_text("proposed", name, place.entry(), proposed, heading, rows=0, version=version)
        try:
            [suite] = _loaded(text, heading)
        except ConfigError as error:
            failed = dict(_unreadable(error, proposed))
            if not failed:
                raise
        else:
            pinned = place.dataset(name, version)
            datasets = {name: replace(pinned, time_column=suite.datasets[name].time_column)}
            failed = _not_passed(spark, replace(suite, datasets=datasets), values=wish.values)
        if not failed:
            break
        proposed = proposed.without(failed)
    return proposed


def _unreadable(error: ConfigError, proposed: Proposed) -> Iterator[tuple[str, str]]:
    for problem in error.problems:
        at = _AT_CHECK.match(problem.path)
        if at:
            yield proposed.checks[int(at[1])].id, problem.message


def _not_passed(spark: SparkSession, suite: Suite, *, values: bool) -> dict[str, str]:
    """The checks that do not pass, and why: without values of rows if none may be written."""
    from sparkguard.engine.reader import Reader
    from sparkguard.engine.spark_engine import SparkEngine
    from sparkguard.sinks.memory import MemorySink

    if not values:
        suite = replace(suite, checks=tuple(c.model_copy(update={"violations": "none"}) for c in suite.checks))
    engine = SparkEngine(Reader(spark, suite.datasets), hidden=suite.hides, timezone=suite.timezone)
    report = Runner(suite, engine, MemorySink(), Silent()).run()
    return {check.id: f.message for check, f in report.findings if f.status is not Status.PASS}


def _loaded(text: str, heading: Heading) -> Sequence[Suite]:
    return load_members(text, heading.named, Parameters(now=datetime.now(UTC), variables={}))


def _format_of(path: Path) -> str | None:
    """The format of local files by their names; None for Delta tables, and where it cannot be told."""
    if (path / "_delta_log").exists():
        return None
    files = [path] if path.is_file() else islice(path.rglob("*"), _LOOKED_AT) if path.is_dir() else []
    names = [f.name for f in files]
    endings = {ending for n in names if not n.startswith(("_", ".")) for ending in _FORMATS if f".{ending}" in n}
    return endings.pop() if len(endings) == 1 else None


def _written_part(name: str) -> str:
    """A part of a table's name, in backticks where it needs them."""
    return name if _PLAIN_PART.fullmatch(name) else "`" + name.replace("`", "``") + "`"
