"""What recorded runs say, read back from the result tables: the verdict and the report."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sparkguard import app
from sparkguard.core.suite import Results
from sparkguard.core.text import without_secrets
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


@contextmanager
def _opened(location: Results, name: str, options: app.Options) -> Iterator[Query]:
    if location.path is not None:
        yield by_deltalake(location)
        return
    with app.session(name, options) as spark:
        yield by_spark(spark, location)
