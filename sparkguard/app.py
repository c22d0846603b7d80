"""The one place where configuration, engine and sinks meet.

pyspark is imported inside the functions that need it, so that `validate` stays under a second.
"""

from __future__ import annotations

import getpass
import os
import shutil
import threading
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import yaml

from sparkguard.config.load import Parameters, load
from sparkguard.config.load import load_all as load_members
from sparkguard.console import Progressing, Silent, TerminalProgress, Unbreakable
from sparkguard.core.plan import selected
from sparkguard.core.suite import Results, Suite
from sparkguard.core.text import is_secret, without_secrets
from sparkguard.errors import ConfigError, Problem
from sparkguard.outcome import Choice, Report
from sparkguard.runner import Runner
from sparkguard.sinks.location import require_safe
from sparkguard.version import VERSION

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

T = TypeVar("T")

SuiteLike = str | Path | Mapping[str, Any]
"""A suite: a file, or the same structure as a mapping."""

_SUITES = ("*.yaml", "*.yml")


@dataclass(frozen=True)
class Options:
    """How a suite is completed and run; the command line's options."""

    date: date | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    results: str | None = None
    run_id: str | None = None
    choice: Choice = field(default_factory=Choice)
    table: str | None = None
    master: str | None = None
    remote: str | None = None


def load_suite(suite: SuiteLike, options: Options | None = None, supplied: Sequence[str] = ()) -> Suite:
    """Read and validate a file of one suite; `ConfigError` holds all its problems."""
    return _loaded(load, suite, options or Options(), supplied)


def load_suites(suite: SuiteLike, options: Options | None = None) -> tuple[Suite, ...]:
    """Read and validate a file of one suite, or of one for each of its tables; `ConfigError` holds all problems."""
    return _loaded(load_members, suite, options or Options())


def _loaded(
    read: Callable[[str, str, Parameters], T], suite: SuiteLike, options: Options, supplied: Sequence[str] = ()
) -> T:
    text, name = _text(suite)
    parameters = Parameters(
        now=datetime.now(UTC),
        variables={**os.environ, **options.variables},
        date=options.date,
        results=options.results,
        run_id=options.run_id,
        supplied=supplied,
        scheduled_for=_scheduled_for(),
        selection=(*options.choice.only, "", *options.choice.tags),
        table=options.table,
        read=_read,
        find=_find,
    )
    try:
        return read(text, name, parameters)
    except ConfigError as error:
        hidden = secrets(options)
        raise ConfigError(*(replace(p, message=without_secrets(p.message, hidden)) for p in error.problems)) from None


def require_selection(suites: Sequence[Suite], choice: Choice) -> None:
    """Refuse a selection that names what is not there, or selects nothing: it would pass as green."""
    checks = [check for suite in suites for check in suite.checks]
    for option, wanted, known in (
        ("--only", choice.only, {c.id for c in checks}),
        ("--tags", choice.tags, {tag for c in checks for tag in c.tags}),
    ):
        unknown = sorted({*wanted} - known)
        if unknown:
            message = (
                f"{option}: nothing is called {', '.join(unknown)}; there are {', '.join(sorted(known)) or 'none'}"
            )
            raise ConfigError(message)
    if not any(selected(suite.checks, choice.only, choice.tags) for suite in suites):
        message = "--only and --tags together select no check"
        raise ConfigError(message)


def secrets(options: Options) -> tuple[str, ...]:
    """The values of all variables, given or of the environment, whose names say that they are secret."""
    return tuple(v for k, v in {**os.environ, **options.variables}.items() if is_secret(k))


def suite_files(path: str | Path) -> list[Path]:
    """The suites that a path means: the file itself, or the YAML files of a folder."""
    folder = Path(path)
    if not folder.is_dir():
        return [folder]
    files = sorted(f for pattern in _SUITES for f in folder.glob(pattern))
    if not files:
        raise ConfigError(Problem("the folder holds no suite (*.yaml)", str(folder)))
    return files


def run(
    suite: SuiteLike,
    *,
    spark: SparkSession,
    dataframes: Mapping[str, DataFrame] | None = None,
    options: Options | None = None,
    progress: Progressing | None = None,
) -> Report:
    """Run a suite in a session of the caller's, with data frames in the place of datasets.

    Args:
        suite: a file, or the same structure as a mapping.
        spark: classic or Connect; Delta's jars must be loaded.
        dataframes: by dataset name; a dataset of the suite keeps its `time_column` and `where`.
        options: date, variables, results, what to run.
        progress: what is told meanwhile; nothing by default.

    Returns:
        The report; it never exits the process.

    Raises:
        ConfigError: nothing was checked. SinkError: results could not be written.

    """
    options = options or Options()
    frames = dataframes or {}
    loaded = load_suite(suite, options, tuple(frames))
    require_selection([loaded], options.choice)
    return execute(loaded, spark, frames, options.choice, progress or Silent(), threading.Event())


@contextmanager
def session(name: str, options: Options | None = None) -> Iterator[SparkSession]:
    """A Spark session with Delta, as `sparkguard run` makes it; `ConfigError` without Java or jars."""
    from sparkguard.engine.session import require_delta, spark_session

    options = options or Options()
    _require_java(options)
    with spark_session(name, options.master, options.remote) as spark:
        require_delta(spark)
        yield spark


def run_shown(suite: SuiteLike, spark: SparkSession, options: Options) -> Report:
    """Run a suite as `run` does, with the lines that the command line prints."""
    progress = TerminalProgress()
    report = run(suite, spark=spark, options=options, progress=progress)
    progress.finished(summary(report))
    return report


def plan(path: SuiteLike, options: Options) -> list[str]:
    """What a run would read, as lines: the first round exactly, later rounds as "at most"."""
    from sparkguard.dry_run import plan_lines
    from sparkguard.engine.reader import Reader
    from sparkguard.engine.spark_engine import SparkEngine
    from sparkguard.sinks.delta import DeltaSink
    from sparkguard.sinks.states import DeltaStates

    suites = load_all(path, options)
    with session("sparkguard plan", options) as spark:
        lines = []
        for suite in suites:
            store = DeltaStates(DeltaSink(spark, suite.results).read, suite.name)
            engine = SparkEngine(Reader(spark, suite.datasets), store, suite.hides, timezone=suite.timezone)
            lines += plan_lines(suite, engine, options.choice, datetime.now(UTC))
        return [without_secrets(line, secrets(options)) for line in lines]


def init_results(results: str, options: Options) -> list[str]:
    """Make the result tables, and the views where `results` is a `catalog.schema`; their names."""
    from sparkguard.engine.session import log_store
    from sparkguard.sinks.delta import DeltaSink
    from sparkguard.sinks.rows import TABLES
    from sparkguard.sinks.views import create_views

    location = Results.parse(results)
    with session("sparkguard init-results", options) as spark:
        require_safe(location, log_store(spark, location.path))
        DeltaSink(spark, location).prepare()
        made = [location.table(name) for name in TABLES]
        return made if location.schema is None else made + create_views(spark, location)


def load_all(path: SuiteLike, options: Options) -> list[Suite]:
    """Every suite of a file or folder; `ConfigError` with the problems of the first that is wrong."""
    files = [path] if isinstance(path, Mapping) else suite_files(path)
    found = [(suite, file) for file in files for suite in load_suites(file, options)]
    require_own_names(found, options)
    suites = [suite for suite, _ in found]
    require_selection(suites, options.choice)
    return suites


def require_own_names(found: Sequence[tuple[Suite, SuiteLike]], options: Options) -> None:
    """Refuse suites of one name, with the files that they stand in, and a table that none is of: `ConfigError`."""
    if options.table is not None and not found:
        raise ConfigError(Problem(f"no suite is of a table '{options.table}'", path="--table"))
    doubled = {name for name, n in Counter(suite.name for suite, _ in found).items() if n > 1}
    if doubled:
        where = ", ".join(dict.fromkeys(str(file) for suite, file in found if suite.name in doubled))
        message = f"two suites are called {', '.join(sorted(doubled))}, so they would replace each other: {where}"
        raise ConfigError(message)


def notes(suites: Sequence[Suite]) -> list[str]:
    """What is right in suites, but may not be meant, each once."""
    return list(dict.fromkeys(f"note: {note}" for suite in suites for note in suite.notes))


def require_writable(suite: Suite, spark: SparkSession) -> None:
    """Refuse places where two writers would lose each other's commits; `ConfigError`."""
    from sparkguard.engine.session import log_store

    own = {check.violations_to for check in suite.checks if check.violations_to}
    for place in (suite.results, *(Results.parse(t, single_writer=suite.results.single_writer) for t in own)):
        require_safe(place, log_store(spark, place.path))


def execute(
    suite: Suite,
    spark: SparkSession,
    frames: Mapping[str, DataFrame],
    choice: Choice,
    progress: Progressing,
    stop: threading.Event,
) -> Report:
    """Run a loaded suite; `stop`, set from another thread, ends it early."""
    from sparkguard.engine.past import Past
    from sparkguard.engine.reader import Reader
    from sparkguard.engine.session import Jobs, facts
    from sparkguard.engine.settings import INFERENCE, setting
    from sparkguard.engine.spark_engine import SparkEngine
    from sparkguard.engine.waits import Patience
    from sparkguard.sinks.delta import DeltaSink
    from sparkguard.sinks.states import DeltaStates

    require_writable(suite, spark)
    sink = DeltaSink(spark, suite.results)
    runner = Runner(
        suite,
        SparkEngine(
            Reader(spark, suite.datasets, frames),
            DeltaStates(sink.read, suite.name),
            suite.hides,
            Past(spark, suite),
            suite.timezone,
            Patience(stop.wait, Unbreakable(progress).working),
        ),
        sink,
        progress,
        choice,
        facts={**facts(spark), **_own_facts()},
        stop=stop,
        jobs=Jobs(spark, f"sparkguard-{uuid.uuid4().hex[:12]}", stop),
    )
    with setting(spark, *INFERENCE):
        return runner.run()


def summary(report: Report) -> str:
    """The verdict of a run in two lines."""
    statuses = [f.status.value for _, f in report.findings]
    counts = ", ".join(
        f"{statuses.count(s)} {s}" for s in ("pass", "warn", "fail", "error", "skipped") if s in statuses
    )
    return (
        f"suite {report.suite} {report.status}: {counts}; exit code {report.exit_code}\n"
        f"run {report.run_id} attempt {report.attempt}, results in {report.results}"
    )


def _text(suite: SuiteLike) -> tuple[str, str]:
    if isinstance(suite, Mapping):
        try:
            return yaml.safe_dump(dict(suite), allow_unicode=True, sort_keys=False), "suite"
        except yaml.YAMLError as error:
            message = f"the suite holds what YAML cannot: {error}"
            raise ConfigError(message) from error
    try:
        return Path(suite).read_text(encoding="utf-8"), str(suite)
    except OSError as error:
        raise ConfigError(Problem(f"cannot be read: {error.strerror}", str(suite))) from error
    except UnicodeDecodeError as error:
        raise ConfigError(Problem("is not text in UTF-8", str(suite))) from error


def _read(path: str) -> str:
    return Path(path).read_text(encoding="utf-8")


def _find(pattern: str) -> Sequence[str]:
    if "*" not in pattern:
        return (pattern,)
    path = Path(pattern)
    return sorted(str(one) for one in Path(path.anchor).glob(str(path.relative_to(path.anchor))))


def _scheduled_for() -> datetime | None:
    raw = os.environ.get("SPARKGUARD_SCHEDULED_FOR")
    if not raw:
        return None
    try:
        moment = datetime.fromisoformat(raw)
    except ValueError as error:
        message = f"SPARKGUARD_SCHEDULED_FOR is '{raw}', expected an ISO time such as 2026-01-31T02:00:00Z"
        raise ConfigError(message) from error
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _own_facts() -> dict[str, str | None]:
    return {"sparkguard_version": VERSION, "delta_version": _version("delta-spark"), "user": _user()}


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _user() -> str | None:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return None


def _require_java(options: Options) -> None:
    remote = options.remote or os.environ.get("SPARK_REMOTE")
    if not remote and not os.environ.get("JAVA_HOME") and shutil.which("java") is None:
        message = (
            "Java was not found; install Java 17 or 21, "
            "for example the package openjdk-17-jre-headless, or set JAVA_HOME"
        )
        raise ConfigError(message)
