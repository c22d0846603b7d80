"""One file for many suites: templates over the names of tables, and overlays for environments."""

import time
from datetime import UTC, datetime

import pytest
import yaml
from jsonschema import Draft202012Validator

from sparkguard.config.load import Parameters, load
from sparkguard.config.schema import suite_schema
from sparkguard.errors import ConfigError
from tests.config.families import FAMILY, suites, wrong


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
