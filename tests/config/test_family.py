"""One file for many suites: templates over the names of tables, and overlays for environments."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
import yaml
from jsonschema import Draft202012Validator

from sparkguard.checks.row_count import RowCount
from sparkguard.config.load import Parameters, load, load_all
from sparkguard.config.schema import suite_schema
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


def test_every_table_gets_a_suite_of_its_own_with_the_templates_that_match() -> None:
    found = suites(FAMILY)
    checks = {name: [(c.id, c.kind()) for c in suite.checks] for name, suite in found.items()}
    assert checks == {
        "features.clicks_daily": [("rows", "row_count"), ("fresh", "freshness")],
        "features.users": [("rows", "row_count")],
        "features.staged": [("rows", "row_count"), ("key", "duplicate_keys")],
    }
    clicks = found["features.clicks_daily"]
    assert (clicks.datasets["table"].table, clicks.datasets["table"].time_column) == (
        "main.features.clicks_daily",
        "ts",
    )
    assert (clicks.checks[0].owner, clicks.checks[0].tags) == ("ads", ("people",))
    assert clicks.checks[0].description == "rows of main.features.clicks_daily"
    assert found["features.users"].checks[0].owner is None


def test_a_table_changes_what_its_templates_say_check_by_check() -> None:
    rows = suites(FAMILY)["features.staged"].checks[0]
    assert isinstance(rows, RowCount)
    assert (str(rows.error_if["rows"]), rows.description) == ("< 7", "rows of staged")
    assert suites(FAMILY)["features.staged"].datasets["table"].path == "data/staged"


def test_an_overlay_changes_what_its_environment_runs() -> None:
    found = suites(FAMILY, {"ENV": "prod"})
    users = found["features.users"]
    assert [(c.id, c.severity) for c in users.checks] == [("filled", "error")]
    assert str(users.results) == "main.quality"
    assert {s.checks[0].severity for s in suites(FAMILY, {"ENV": "stage"}).values()} == {"warn"}


def test_an_overlay_serves_a_single_suite_too() -> None:
    text = """
suite: one
environment: ${ENV:-dev}
datasets: {t: {path: p}}
checks: [{id: rows, type: row_count, dataset: t}]
overlays:
  prod: {datasets: {t: {path: q, version: 3}}, checks: [{id: rows, type: duplicate_keys, dataset: t, key: [a]}]}
"""
    [dev], [prod] = suites(text).values(), suites(text, {"ENV": "prod"}).values()
    assert (dev.datasets["t"].path, prod.datasets["t"].path, prod.datasets["t"].version) == ("p", "q", 3)
    assert [c.kind() for c in prod.checks] == ["duplicate_keys"]
    assert dev.run_id != prod.run_id


def test_each_member_is_a_run_of_its_own() -> None:
    assert len({suite.run_id for suite in suites(FAMILY).values()}) == 3


def test_a_mistake_in_a_template_is_told_once_with_its_line() -> None:
    assert wrong(FAMILY.replace("id: fresh, type", "id: fresh, tpye")) == [
        "f.yaml:18: checks[1].tpye: unknown key, did you mean 'type'?"
    ]
    assert wrong(FAMILY.replace("{id: rows, type: row_count", "{id: rows, type: row_cuont")) == [
        "f.yaml:14: checks[0].type: unknown check type 'row_cuont', did you mean 'row_count'?"
    ]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("features.${table}", "features"), "f.yaml:2: suite: every table gets a suite of its own"),
        (("main.features.users:", "main.other.staged:"), "are both called staged; name the suite by ${table_name}"),
        (('match: "*_daily"', "math: x"), "templates[0].math: unknown key; allowed: match"),
        (('match: "*_daily"', "defaults: {}"), "templates[0].match: is required but missing"),
        (("id: rows, remove", "id: rosw, remove"), "there is no check 'rosw' to remove"),
        (("path: data/staged", "paht: data/staged"), "unknown key, did you mean 'path'?"),
        (('templates:\n  - match: "*_daily"\n', 'templates:\n    match: "*_daily"\n'), "not valid YAML"),
    ],
)
def test_a_family_that_cannot_be_says_why(change: tuple[str, str], said: str) -> None:
    assert change[0] in FAMILY
    assert any(said in problem for problem in wrong(FAMILY.replace(*change), {"ENV": "prod"}))


def test_templates_without_tables_are_a_mistake() -> None:
    text = "suite: a\ntemplates: [{match: x}]\nchecks: [{id: a, type: row_count, dataset: t}]\n"
    assert wrong(text) == ["f.yaml:2: templates: templates are for tables; list them: tables"]


def test_what_takes_one_suite_refuses_a_family() -> None:
    with pytest.raises(ConfigError, match="holds 3 suites, one for each of its tables"):
        load(FAMILY, "f.yaml", Parameters(datetime(2026, 1, 31, tzinfo=UTC), {}))


def test_five_hundred_tables_are_one_file_that_loads_in_seconds() -> None:
    tables = "".join(f"  main.features.t{i}_daily: {{owner: o{i % 7}, time_column: ts}}\n" for i in range(500))
    start = FAMILY.index("  main.features.clicks_daily")
    text = FAMILY[:start] + tables + FAMILY[FAMILY.index("checks:\n  - {id: rows, type: row_count") :]
    began = time.monotonic()
    assert len(suites(text)) == 500
    assert time.monotonic() - began < 20


def test_the_schema_knows_families() -> None:
    validator = Draft202012Validator(suite_schema())
    validator.validate(yaml.safe_load(FAMILY))
    assert not validator.is_valid({"suite": "a", "tables": {}, "templates": [{"checks": []}]})
    assert not validator.is_valid({"suite": "a"})
