"""The text of a suite means what was proposed, whatever the names and values hold."""

from decimal import Decimal
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from sparkguard.config.load import Parameters, load, load_all
from sparkguard.config.owners import read_owners
from sparkguard.config.schema import suite_schema
from sparkguard.errors import ConfigError
from sparkguard.proposal.families import Table, family_text
from sparkguard.proposal.proposed import Proposal, Proposed, written_name
from sparkguard.proposal.suite import suite_text
from sparkguard.proposal.text import comment, scalar
from tests.proposal.tables import HEADING, NOW, known, orders

ODD = [
    "a.b", "with space", "back`tick", "`", "ÄÖ", "no", "on", "null", "~", "12", "1e3", "*a", "&a", "#a", "@a", "!a",
    "%a", "-", "- a", "?", ": ", "a: b", "a #b", "{a}", "[a]", "'", '"', "\\", "\n", "\t", "\x85", "\u2028", "\ufeff",
    "${date}", "${x:-y}", " ", "a ", "日本", "😀", "true", "2026-01-31", "a,b", "|", ">", "=", "<<", "---", "...",
]  # fmt: skip
names = st.sampled_from(ODD) | st.text(min_size=1, max_size=12)
PARAMETERS = Parameters(now=NOW, variables={"date": "x", "x": "y"})


def written(*checks: Proposal, name: str = "t") -> Any:
    text = suite_text("s", name, {"path": "p"}, Proposed(checks), HEADING, rows=1, version=None)
    return load(text, "f.yaml", PARAMETERS)


@given(
    st.lists(names, min_size=1, max_size=4, unique=True), st.lists(names, min_size=1, max_size=4, unique=True), names
)
def test_names_and_values_mean_what_they_were(columns: list[str], values: list[str], dataset: str) -> None:
    kinds: Any = dict.fromkeys(columns, "decimal(15,2)")
    suite = written(
        Proposal("a", "allowed_values", {"columns": [written_name(c) for c in columns], "values": list(values)}),
        Proposal("s", "schema", {"columns": kinds}),
        name=dataset,
    )
    allowed, schema = suite.checks
    assert [v.raw for v in allowed.values] == values
    assert [c.strip("`").replace("``", "`") if c.startswith("`") else c for c in allowed.columns] == [
        c.strip("`").replace("``", "`") if c.startswith("`") else c for c in map(written_name, columns)
    ]
    assert list(schema.columns) == columns
    assert allowed.dataset == dataset


@given(
    st.integers() | st.decimals(allow_nan=False, allow_infinity=False, places=4),
    st.floats(allow_nan=False, allow_infinity=False),
)
def test_numbers_keep_every_digit(exact: Any, number: float) -> None:
    suite = written(Proposal("r", "value_range", {"columns": ["x"], "min": exact, "max": number}))
    assert Decimal(str(suite.checks[0].min.raw)) == exact
    assert float(suite.checks[0].max.raw) == number


@pytest.mark.parametrize("text", ["no", "on", "1", "1.5", "2026-01-31", "~", "", "a: b", "# a", "*a", "${x}"])
def test_what_other_readers_of_yaml_would_mistake_is_quoted(text: str) -> None:
    assert yaml.safe_load(scalar(text, key=True)) == text


def test_a_column_with_a_backtick_at_its_beginning_is_found_again() -> None:
    from sparkguard.core.columns import Field, Schema

    for name in ODD:
        assert Schema((Field(name, "int"), Field("a", "int"))).column(written_name(name)).path == (name,)


def test_comments_stay_comments() -> None:
    lines = comment("a\nb: c\u2028d " * 40, 4)
    assert all(line.startswith("    # ") and len(line) <= 118 for line in lines)


def test_the_file_says_when_it_was_made_of_what_and_how_to_run_it() -> None:
    text = known(orders()).text
    assert text.startswith("# Proposed by `sparkguard init` on 2026-01-31 from 60 rows of data/t, version 3.\n")
    for said in ("sparkguard run conf/t.yaml", 'window: {end: "${date}", length: 1d}', "which have not been run"):
        assert said in text
    Draft202012Validator(suite_schema()).validate(yaml.load(text, yaml.SafeLoader))


def table(name: str, proposed: Proposed | None = None, **more: Any) -> Table:
    return Table(name, name.rpartition(".")[2], {}, proposed=proposed, **more)


def family(*tables: Table) -> tuple[str, dict[str, list[str]]]:
    text = family_text("features", tables, HEADING)
    suites = load_all(text, "f.yaml", Parameters(now=NOW, variables={}))
    Draft202012Validator(suite_schema()).validate(yaml.load(text, yaml.SafeLoader))
    return text, {suite.name: [c.id for c in suite.checks] for suite in suites}


def test_tables_of_one_pattern_share_what_they_agree_in() -> None:
    daily = known(orders()).proposed
    other = known([{"id": i} for i in range(9)]).proposed
    text, suites = family(
        table("main.f.clicks_daily", daily, owner="ads"),
        table("main.f.views_daily", daily),
        table("main.f.users", other),
    )
    assert sorted(suites["features.clicks_daily"]) == sorted(c.id for c in daily.checks)
    assert sorted(suites["features.users"]) == sorted(c.id for c in other.checks)
    assert text.count("duplicate_keys") == 2
    assert 'match: "*_daily"' in text
    assert "owner: ads" in text


def test_tables_that_disagree_keep_their_own_checks() -> None:
    one, other = known(orders()).proposed, known([{"id": i} for i in range(9)]).proposed
    text, suites = family(table("f.a_daily", one), table("f.b_daily", other))
    assert text.count("match:") == 1
    assert suites["features.b_daily"] == ["rows", *(c.id for c in other.checks if c.id != "rows")]


def test_a_table_that_cannot_be_read_is_a_comment_and_an_empty_one_has_no_row_count() -> None:
    empty = Proposed((Proposal("columns", "schema", {"columns": {"a": "int"}}),))
    text, suites = family(table("f.gone", unread="a file of it\ncannot be read"), table("f.empty", empty))
    assert "  # f.gone could not be read: a file of it cannot be read" in text
    assert suites == {"features.empty": ["columns"]}


def test_every_check_that_was_taken_out_is_named() -> None:
    proposed = known(orders()).proposed.without({"key": "3 keys occur more than once"})
    text = suite_text("t", "t", {"path": "p"}, proposed, HEADING, rows=60, version=None)
    assert "duplicate_keys" not in text
    assert "# - key was taken out: 3 keys occur more than once" in text


def test_the_first_pattern_decides_who_owns_a_table() -> None:
    owners = read_owners('"clicks_*": ads\n"main.*": core\n', "owners.yaml", {})
    assert [owners.of("clicks_daily", "main.f.clicks_daily"), owners.of("users", "main.f.users")] == ["ads", "core"]
    assert owners.of("other") is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a", "owners.yaml:1: expected patterns of tables' names with their owners"),
        ("a: ads\nb: [x]", "owners.yaml:2: b: found ['x'], expected the name of an owner"),
        ("a:", "owners.yaml:1: a: found None"),
        ("a: b\na: c", "stands twice"),
        (
            "*_daily: ads",
            "owners.yaml:1: not valid YAML: found undefined alias '_daily'; what begins with * needs quotes",
        ),
        (
            "a: b\n*: ads",
            "owners.yaml:2: not valid YAML: expected alphabetic or numeric character, but found ':'; what",
        ),
    ],
)
def test_a_wrong_file_of_owners_is_refused_with_its_line(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        read_owners(text, "owners.yaml", {})
    assert message in str(error.value)
