"""What recorded runs say, read back from the result tables: the verdict, the report, and scenarios of what failed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import yaml

from sparkguard import app
from sparkguard.core.suite import Results
from sparkguard.core.text import without_secrets
from sparkguard.sinks.failures import failures_of
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


def scenarios(results: str, check: str, key: Sequence[str], limits: Mapping[str, float], options: app.Options) -> str:
    """What a check found, as YAML of scenarios: a file that `scenario_tests` reads."""
    location = Results.parse(results)
    with _opened(location, "sparkguard scenarios", options) as query:
        found = failures_of(query, location, check, options.run_id, key)
    blocks = [
        {
            "name": f"{one.check} {one.run_date} {one.kind}",
            "keys": list(one.keys),
            **limits,
            **({"owner": one.owner} if one.owner else {}),
            "bug": f"run {one.run_id} of suite {one.suite}: {one.message}",
        }
        for one in found
    ]
    return yaml.safe_dump(blocks, sort_keys=False, allow_unicode=True, width=120, default_flow_style=None)


@contextmanager
def _opened(location: Results, name: str, options: app.Options) -> Iterator[Query]:
    if location.path is not None:
        yield by_deltalake(location)
        return
    with app.session(name, options) as spark:
        yield by_spark(spark, location)
