"""A file for many tables, and one with an overlay, and what becomes of them."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from sparkguard.config.load import Parameters, load_all
from sparkguard.core.suite import Suite
from sparkguard.errors import ConfigError

FAMILY = """
suite: features.${table}
environment: ${ENV:-dev}
defaults: {severity: warn}
tables:
  main.features.clicks_daily: {owner: ads, time_column: ts}
  main.features.users:
  staged:
    path: data/staged
    checks:
      - {id: rows, error_if: {rows: "< 7"}}
      - {id: key, type: duplicate_keys, dataset: table, key: [id]}
checks:
  - {id: rows, type: row_count, dataset: table, description: "rows of ${table_name}"}
templates:
  - match: "*_daily"
    checks:
      - {id: fresh, type: freshness, dataset: table}
  - match: [users, "main.*.clicks_*"]
    defaults: {tags: [people]}
overlays:
  prod:
    defaults: {severity: error}
    results: {schema: main.quality}
    checks:
      - {id: rows, remove: true}
      - {id: filled, type: completeness, dataset: table, columns: id}
"""


def suites(text: str, variables: Mapping[str, str] | None = None) -> dict[str, Suite]:
    found = load_all(text, "f.yaml", Parameters(datetime(2026, 1, 31, tzinfo=UTC), variables or {}))
    return {suite.name: suite for suite in found}


def wrong(text: str, variables: Mapping[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        suites(text, variables)
    return [str(problem) for problem in caught.value.problems]


ONE = """
suite: one
environment: ${ENV:-dev}
results: {path: out}
datasets: {t: {path: p, format: csv, options: {sep: ";"}, time_column: ts}}
checks:
  - {id: rows, type: row_count, dataset: t, error_if: {rows: "< 7"}, window: {end: 2026-01-31, length: 1d}}
overlays:
  prod: PROD
"""


def prod(overlay: str, text: str = ONE) -> Suite:
    [found] = suites(text.replace("PROD", overlay), {"ENV": "prod"}).values()
    return found
