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
        (
            ("id: rows, remove", "id: rosw, remove"),
            "there is no check 'rosw' to remove (of table 'main.features.clicks_daily' and 2 more)",
        ),
        (("path: data/staged", "paht: data/staged"), "unknown key, did you mean 'path'?"),
        (('templates:\n  - match: "*_daily"\n', 'templates:\n    match: "*_daily"\n'), "not valid YAML"),
    ],
)
def test_a_family_that_cannot_be_says_why(change: tuple[str, str], said: str) -> None:
    assert change[0] in FAMILY
    assert any(said in problem for problem in wrong(FAMILY.replace(*change), {"ENV": "prod"}))


def test_templates_without_tables_are_a_mistake() -> None:
    text = "suite: a\ntemplates: [{match: x}]\nchecks: [{id: a, type: row_count, dataset: t}]\n"
    assert wrong(text) == [
        "f.yaml:2: templates: templates are for tables; list them: tables",
        "f.yaml:3: checks[0].dataset: there is no dataset 't'",
    ]


ENTRY = "  staged:\n    path: data/staged\n"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("id: rows, type", "Id: rows, type"), "f.yaml:14: checks[0].Id: unknown key, did you mean 'id'?"),
        (("{id: key, type", "{type"), "f.yaml:12: checks[0].id: is required but missing"),
        (("{id: filled,", "{id: rows, type: row_count, dataset: table}\n      - {"), "id: is required but missing"),
    ],
)
def test_a_check_without_an_id_is_refused_wherever_layers_meet(change: tuple[str, str], said: str) -> None:
    assert any(said in problem for problem in wrong(FAMILY.replace(*change), {"ENV": "prod"}))


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


@pytest.mark.parametrize(
    "overlay",
    [
        "{checks: [{id: a, type: row_count, dataset: t}, {id: a, type: freshness, dataset: t}]}",
        "{checks: [{id: rows, severity: warn}, {id: rows, type: freshness, dataset: t}]}",
    ],
)
def test_an_id_that_one_layer_has_twice_is_refused(overlay: str) -> None:
    told = wrong(ONE.replace("PROD", overlay), {"ENV": "prod"})
    assert any("is taken by checks[" in problem for problem in told)
    doubled = FAMILY.replace("{id: key, type", "{id: rows, type")
    assert any("the id 'rows' is taken by checks[0]" in problem for problem in wrong(doubled))


@pytest.mark.parametrize(
    "overlay",
    [
        "{checks: [{id: rows, severity: warn, severity: error}]}",
        "{timezone: UTC, timezone: CET}",
        "{datasets: {t: {path: q, path: r}}}",
    ],
)
def test_a_key_that_stands_twice_in_a_layer_is_refused(overlay: str) -> None:
    assert any("stands twice" in problem for problem in wrong(ONE.replace("PROD", overlay), {"ENV": "prod"}))


def test_the_templates_of_an_overlay_come_after_those_of_the_file() -> None:
    text = FAMILY.replace(
        "  prod:\n",
        "  prod:\n    templates: [{match: users, checks: [{id: fresh, type: freshness, dataset: table}]}]\n",
    )
    found = suites(text, {"ENV": "prod"})
    assert [c.id for c in found["features.clicks_daily"].checks] == ["fresh", "filled"]
    assert [c.id for c in found["features.users"].checks] == ["fresh", "filled"]


def test_an_overlay_changes_tables_and_adds_some() -> None:
    tables = "{staged: {table: main.staged, checks: [{id: key, key: [a, b]}]}, new: {path: n}}"
    found = suites(FAMILY.replace("  prod:\n", f"  prod:\n    tables: {tables}\n"), {"ENV": "prod"})
    staged = found["features.staged"]
    assert (staged.datasets["table"].table, staged.datasets["table"].path) == ("main.staged", None)
    assert [c.id for c in staged.checks] == ["key", "filled"]
    assert found["features.new"].datasets["table"].path == "n"


def test_what_an_entry_says_of_its_data_wins_over_its_templates() -> None:
    datasets = '    datasets: {table: {time_column: at, where: "x > 1"}}\n'
    table = suites(FAMILY.replace("    checks:\n      - {id: fresh", datasets + "    checks:\n      - {id: fresh"))
    clicks = table["features.clicks_daily"].datasets["table"]
    assert (clicks.time_column, clicks.where) == ("ts", "x > 1")


def test_a_template_may_say_where_its_tables_are() -> None:
    text = FAMILY.replace("[users, ", "[users, staged, ").replace(
        "    defaults: {tags", '    datasets: {table: {path: "lake/${table}"}}\n    defaults: {tags'
    )
    paths = {name: s.datasets["table"].path for name, s in suites(text).items()}
    assert paths == {
        "features.clicks_daily": "lake/clicks_daily",
        "features.users": "lake/users",
        "features.staged": "data/staged",
    }


def test_a_layer_takes_a_bound_away_and_changes_a_window_a_place_and_the_results() -> None:
    check = prod("{checks: [{id: rows, error_if: {}, window: {start: 2026-01-01, end: 2026-01-02}}]}").checks[0]
    assert isinstance(check, RowCount)
    assert check.error_if == {}
    found = prod("{results: {schema: main.q}, datasets: {t: {table: main.t}}}")
    assert (str(found.results), found.datasets["t"].table, found.datasets["t"].time_column) == (
        "main.q",
        "main.t",
        "ts",
    )
    assert prod("{datasets: {t: {path: q}}}").datasets["t"].format == "csv"


@pytest.mark.parametrize(
    ("match", "said"),
    [
        ('"*_dayly"', "f.yaml:16: templates[0].match: '*_dayly' is the name of no table"),
        ('["*_daily", user]', "'user' is the name of no table"),
        ("{x: y}", "templates[0].match: expected a pattern of tables' names, or a list of them"),
        ("[[a]]", "templates[0].match: expected a pattern"),
        ("", "templates[0].match: expected a pattern"),
    ],
)
def test_a_pattern_that_no_table_has_is_refused(match: str, said: str) -> None:
    assert any(said in problem for problem in wrong(FAMILY.replace('match: "*_daily"', f"match: {match}")))


def test_variables_are_filled_in_patterns() -> None:
    found = suites(FAMILY.replace('"*_daily"', '"*_${PERIOD:-daily}"'))
    assert [c.id for c in found["features.clicks_daily"].checks] == ["rows", "fresh"]


def test_an_environment_without_an_overlay_is_told() -> None:
    note = "environment 'prdo' has no overlay; there is one for prod"
    assert {s.notes for s in suites(FAMILY, {"ENV": "prdo"}).values()} == {(note,)}
    assert {s.notes for s in suites(FAMILY, {"ENV": "prod"}).values()} == {()}


def test_a_change_of_one_table_is_no_other_run_of_another() -> None:
    before, after = suites(FAMILY), suites(FAMILY.replace("< 7", "< 8") + "# a comment\n")
    same = {name: before[name].run_id == after[name].run_id for name in before}
    assert same == {"features.clicks_daily": True, "features.users": True, "features.staged": False}
    assert before["features.users"].config_sha256 == after["features.users"].config_sha256


def test_all_mistakes_of_a_family_are_told_at_once_each_with_its_line() -> None:
    text = FAMILY.replace('match: "*_daily"', "math: x").replace("owner: core", "owner: [x]").replace("< 7", "<< 7")
    told = wrong(text.replace("main.features.users:", "main.features.users: {owner: [x]}"))
    assert [problem.split(": ")[0] for problem in told] == ["f.yaml:7", "f.yaml:11", "f.yaml:16", "f.yaml:16"]


def test_a_mistake_of_many_tables_is_told_once() -> None:
    text = FAMILY.replace("    defaults: {tags: [people]}", "    checks: [{id: a, tpye: row_count, dataset: table}]")
    text = text.replace("[users, ", "['*', ")
    assert wrong(text) == ["f.yaml:20: checks[2].tpye: unknown key, did you mean 'type'?"]


def test_a_table_without_checks_is_named() -> None:
    told = wrong(
        FAMILY.replace("      - {id: filled, type: completeness, dataset: table, columns: id}\n", ""), {"ENV": "prod"}
    )
    assert "f.yaml:7: tables.main.features.users: no check is left for this table" in told


def test_a_change_of_a_check_that_a_table_lacks_names_the_table() -> None:
    told = wrong(
        FAMILY.replace("id: filled, type: completeness, dataset: table, columns: id", "id: fresh, severity: warn"),
        {"ENV": "prod"},
    )
    message = (
        "there is no check 'fresh' to change, and a new one needs a type (of table 'main.features.users' and 1 more)"
    )
    assert told == [f"f.yaml:27: checks: {message}"]


def test_a_table_that_is_listed_twice_is_refused_as_such() -> None:
    told = wrong(FAMILY.replace("  main.features.users:\n", "  main.features.users:\n  main.features.users:\n"))
    assert told == ["f.yaml:8: tables.main.features.users: stands twice in the same block"]


def test_an_owner_may_be_a_variable_or_nobody() -> None:
    text = FAMILY.replace("owner: ads", 'owner: "${TEAM:-core}"').replace(
        "row_count, dataset", 'row_count, tags: ["${owner:-none}"], dataset'
    )
    clicks, users = (
        suites(text.replace("users:", "users: {owner: null}", 1))[f"features.{t}"] for t in ("clicks_daily", "users")
    )
    assert (clicks.checks[0].owner, clicks.checks[0].tags) == ("core", ("core",))
    assert (users.checks[0].owner, users.checks[0].tags) == (None, ("none",))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("defaults: {severity: warn}", "defaults: [warn]"), "f.yaml:4: defaults: found"),
        (
            ("    checks:\n      - {id: rows, error_if", "    checks: {a: b}\n    x:\n      - {id: rows, error_if"),
            "checks: found",
        ),
    ],
)
def test_what_cannot_be_joined_is_refused_in_whichever_layer_it_stands(change: tuple[str, str], said: str) -> None:
    assert any(said in problem for problem in wrong(FAMILY.replace(*change)))


def test_an_empty_layer_changes_nothing() -> None:
    assert len(prod("{checks: , datasets: {t: }}").checks) == 1


def test_blocks_that_hold_themselves_are_refused() -> None:
    text = ONE.replace("PROD", "{defaults: &b {tags: *b}}").replace("results:", "defaults: &a {tags: *a}\nresults:")
    assert wrong(text, {"ENV": "prod"}) == ["f.yaml: not valid YAML: a block holds itself"]


def test_what_takes_one_suite_refuses_a_family() -> None:
    with pytest.raises(ConfigError, match="holds 3 suites, one for each of its tables"):
        load(FAMILY, "f.yaml", Parameters(datetime(2026, 1, 31, tzinfo=UTC), {}))


def test_five_hundred_tables_are_one_file_that_loads_in_seconds() -> None:
    tables = "".join(f"  main.features.clicks_t{i}_daily: {{owner: o{i % 7}, time_column: ts}}\n" for i in range(500))
    start = FAMILY.index("  main.features.clicks_daily")
    text = FAMILY[:start] + tables + FAMILY[FAMILY.index("checks:\n  - {id: rows, type: row_count") :]
    text = text.replace("[users, ", "[")
    began = time.monotonic()
    assert len(suites(text)) == 500
    assert time.monotonic() - began < 20


def test_the_schema_knows_families() -> None:
    validator = Draft202012Validator(suite_schema())
    validator.validate(yaml.safe_load(FAMILY))
    assert not validator.is_valid({"suite": "a", "tables": {}, "templates": [{"checks": []}]})
    assert not validator.is_valid({"suite": "a"})
