"""What recorded runs say, read back from the result tables: the verdict and the report."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sparkguard import app
from sparkguard.core.suite import Results
from sparkguard.core.text import without_secrets
from sparkguard.errors import ConfigError, Problem
from sparkguard.sinks.tables import Query, by_deltalake, by_spark
from sparkguard.sinks.verdict import last_exit_code


def verdict(results: str, run_id: str, options: app.Options) -> int:
    """The exit code of a recorded run, without Spark where `results` is a path or URI."""
    location = Results.parse(results)
    with _opened(location, "sparkguard verdict", options) as query:
        return last_exit_code(query, run_id, location)


def report(results: str, suite: str | None, options: app.Options) -> str:
    """A recorded run as one HTML page, the last one unless `options.run_id` names another."""
    from sparkguard.report import page, recorded_runs, render

    location = Results.parse(results)
    with _opened(location, "sparkguard report", options) as query:
        runs = recorded_runs(query, location, options.run_id, suite)
    return render(page(runs, without_secrets(results, app.secrets(options))))


def write_whole(text: str, target: Path) -> None:
    """Write a file so that a reader sees the old one or the new one, never a part."""
    place = target.resolve()
    content = text.encode("utf-8", errors="replace")
    try:
        if place.exists() and not place.is_file() and not place.is_dir():
            place.write_bytes(content)  # a pipe or a device must stay what it is
            return
        place.parent.mkdir(parents=True, exist_ok=True)
        part = place.with_name(f".{place.name}.{os.getpid()}.part")
        try:
            part.write_bytes(content)
            part.replace(place)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise ConfigError(Problem(f"'{target}' cannot be written: {error.strerror}", path="--output")) from error


@contextmanager
def _opened(location: Results, name: str, options: app.Options) -> Iterator[Query]:
    if location.path is not None:
        yield by_deltalake(location)
        return
    with app.session(name, options) as spark:
        yield by_spark(spark, location)
