"""Layers of a suite change each other, and none of them loses what another says."""

import pytest

from sparkguard.checks.row_count import RowCount
from tests.config.families import FAMILY, ONE, prod, suites, wrong


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


def test_a_change_of_a_check_that_a_table_lacks_names_the_table() -> None:
    told = wrong(
        FAMILY.replace("id: filled, type: completeness, dataset: table, columns: id", "id: fresh, severity: warn"),
        {"ENV": "prod"},
    )
    message = (
        "there is no check 'fresh' to change, and a new one needs a type (of table 'main.features.users' and 1 more)"
    )
    assert told == [f"f.yaml:27: checks: {message}"]


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
