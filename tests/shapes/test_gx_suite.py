"""Suites of Great Expectations: what is read of them, and what is refused."""

import json
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sparkguard.checks.expectations import Expectations
from sparkguard.config.load import Parameters, load
from sparkguard.core.suite import Suite
from sparkguard.errors import ConfigError
from sparkguard.shapes.gx import quiet

FILLED: dict[str, Any] = {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "x"}}
BETWEEN: dict[str, Any] = {
    "type": "expect_column_values_to_be_between",
    "kwargs": {"column": "x", "min_value": 0, "max_value": 9},
}
MEAN: dict[str, Any] = {"type": "expect_column_mean_to_be_between", "kwargs": {"column": "x", "max_value": 9}}


def check(*expectations: Mapping[str, Any], **fields: Any) -> Expectations:
    return Expectations.model_validate({"id": "gx", "dataset": "t", "expectations": expectations, **fields})


def loaded(content: object, yaml: str = "suite: gx.json", **fields: Any) -> Suite:
    """A suite with one check, which reads `content` from its file."""
    text = f"suite: s\ndatasets: {{t: {{path: d}}}}\nchecks:\n  - {{id: gx, type: expectations, dataset: t, {yaml}}}\n"

    def file(_: str) -> str:
        return content if isinstance(content, str) else json.dumps(content)

    return load(text, "s.yaml", Parameters(datetime(2026, 1, 31, tzinfo=UTC), {}, **{"read": file, **fields}))


def mistakes(content: object, yaml: str = "suite: gx.json", **fields: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        loaded(content, yaml, **fields)
    return [str(problem) for problem in caught.value.problems]


def in_file(*expectations: object) -> list[str]:
    at = "s.yaml:4: checks[0].suite: gx.json: "
    found = mistakes({"name": "s", "expectations": expectations})
    assert all(message.startswith(at) for message in found), found
    return [message.removeprefix(at) for message in found]


def test_an_unknown_expectation_is_a_configuration_error_with_its_line() -> None:
    text = """
suite: s
datasets: {t: {path: d}}
checks:
  - id: gx
    type: expectations
    dataset: t
    expectations:
      - {type: expect_column_values_to_not_be_null, kwargs: {column: x}}
      - type: expect_column_values_to_not_be_nul
        kwargs: {column: x}
      - type: expect_column_values_to_be_between
        severity: fatal
        kwargs:
          colum: x
          min_value: 0
"""
    with pytest.raises(ConfigError) as caught:
        load(text, "s.yaml", Parameters(datetime(2026, 1, 31, tzinfo=UTC), {}))
    assert [str(p) for p in caught.value.problems] == [
        (
            "s.yaml:10: checks[0].expectations[1].type: unknown expectation 'expect_column_values_to_not_be_nul', "
            "did you mean 'expect_column_values_to_not_be_null'?"
        ),
        "s.yaml:13: checks[0].expectations[2].severity: unknown severity 'fatal'; allowed: critical, info, warning",
        "s.yaml:14: checks[0].expectations[2].kwargs: argument 'column' is required but missing",
        "s.yaml:15: checks[0].expectations[2].kwargs.colum: unknown argument 'colum', did you mean 'column'?",
    ]


def test_all_mistakes_of_a_file_are_told_at_once() -> None:
    wrong = {**BETWEEN, "kwargs": {"column": "x"}}
    assert in_file(
        FILLED, {**FILLED, "type": "expect_columns"}, wrong, 5, {**MEAN, "kwargs": {**MEAN["kwargs"], "mostly": 2}}
    ) == [
        "expectations[1].type: unknown expectation 'expect_columns', did you mean 'expect_column_to_exist'?",
        "expectations[2].kwargs: min_value and max_value cannot both be None",
        "expectations[3]: is no block of keys: type, kwargs, severity",
        (
            "expectations[4].kwargs.mostly: unknown argument 'mostly'; allowed: "
            "column, condition_parser, max_value, min_value, row_condition, strict_max, strict_min"
        ),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "line 1: not valid JSON: Expecting property name enclosed in double quotes"),
        ([FILLED], "is no suite of Great Expectations: a block with the key expectations"),
        ({"name": "s"}, "has no list under the key expectations"),
        ({"name": "s", "expectations": []}, "has no expectations"),
        (
            {"expectation_suite_name": "s", "data_asset_type": None, "expectations": [FILLED]},
            (
                "expectation_suite_name, data_asset_type: is of Great Expectations 0.x; "
                "rename expectation_type to type, or write the suite with 1.x"
            ),
        ),
        (
            {"expectations": [{"expectation_type": "expect_column_to_exist", "kwargs": {"column": "x"}}]},
            (
                "expectations[0].expectation_type: is of Great Expectations 0.x; rename expectation_type to type, "
                "or write the suite with 1.x"
            ),
        ),
        ({"expectations": [FILLED], "suite_parameters": ["a"]}, "suite_parameters is no block of values"),
        (f"{'[' * 100_000}", "is no suite of Great Expectations: blocks in blocks without end"),
        (
            '{"expectations": [{"type": "expect_column_to_exist", "kwargs": {"column": "x"}}], "expectations": []}',
            "expectations stands twice in the same block",
        ),
        (
            {"expectations": [{**FILLED, "id": "a"}, {**MEAN, "id": "a"}]},
            "expectations[1]: is 'a' as expectations[0] is; give each an id of its own",
        ),
    ],
)
def test_what_is_no_suite_is_a_configuration_error(content: object, message: str) -> None:
    assert mistakes(content) == [f"s.yaml:4: checks[0].suite: gx.json: {message}"]


@pytest.mark.parametrize(
    ("kind", "kwargs", "message"),
    [
        (BETWEEN["type"], '{"column": "x", "max_value": NaN}', ".max_value: nan is no finite number"),
        (BETWEEN["type"], '{"column": "x", "min_value": -Infinity}', ".min_value: -inf is no finite number"),
        (
            "expect_column_values_to_be_in_type_list",
            '{"column": "x", "type_list": null}',
            ".type_list: type_list is null, so everything would hold",
        ),
        (
            "expect_column_values_to_be_in_set",
            '{"column": "x", "value_set": null}',
            ".value_set: value_set is null, so everything would hold",
        ),
        (
            "unexpected_rows_expectation",
            '{"unexpected_rows_query": "SELECT * FROM t WHERE x > 1"}',
            ": reads no {batch}, so it would not be about the dataset, its window and its version",
        ),
        ("expect_column_to_exist", '{"column": "x", "column": "y"}', "column stands twice in the same block"),
        (
            "expect_column_to_exist",
            '{"column": "x", "meta": {"a": 1}}',
            ".meta: 'meta' is no argument; it stands beside kwargs",
        ),
        (
            "expect_column_to_exist",
            '{"column": "x", "severity": "info"}',
            ".severity: 'severity' is no argument; it stands beside kwargs",
        ),
    ],
)
def test_what_would_hold_for_everything_or_be_lost_is_refused_without_a_word_of_great_expectations(
    capfd: pytest.CaptureFixture[str], kind: str, kwargs: str, message: str
) -> None:
    [found] = mistakes(f'{{"expectations": [{{"type": "{kind}", "kwargs": {kwargs}}}]}}')
    assert found.endswith(message)
    assert capfd.readouterr() == ("", "")


def test_a_query_of_the_batch_is_read() -> None:
    query = "SELECT * FROM {batch} WHERE x RLIKE 'a{{2}}'"
    one = check({"type": "unexpected_rows_expectation", "kwargs": {"unexpected_rows_query": query}})
    assert one.entries[0].arguments == {"unexpected_rows_query": query}


@pytest.mark.parametrize("named", [["a"], " ", "", 5])
def test_an_id_that_is_no_text_is_refused(named: object) -> None:
    assert in_file({**FILLED, "id": named}) == ["expectations[0].id: is no name; write a text, or leave it out"]


def test_numbers_are_run_as_they_are_written() -> None:
    """A set of doubles compares texts as doubles, one of whole numbers casts them."""
    kwargs = {"column": "x", "value_set": [1.0, 2.0]}
    [entry] = check({"type": "expect_column_values_to_be_in_set", "kwargs": kwargs}).entries
    [whole] = check({"type": "expect_column_values_to_be_in_set", "kwargs": {**kwargs, "value_set": [1, 2]}}).entries
    assert "[1.0, 2.0]" in entry.text
    assert entry.subject == whole.subject


def test_a_file_that_is_not_there_is_a_configuration_error() -> None:
    def gone(path: str) -> str:
        return Path(f"/nowhere/{path}").read_text(encoding="utf-8")

    assert mistakes("", read=gone) == ["s.yaml:4: checks[0].suite: gx.json: cannot be read: No such file or directory"]


@pytest.mark.parametrize(
    ("yaml", "message"),
    [
        ("tags: [a]", "give exactly one of suite and expectations"),
        ("suite: a, expectations: [{type: expect_column_to_exist, kwargs: {column: x}}]", "give exactly one of"),
        ("expectations: []", "expected at least one entry"),
        ("suite: gx.json, parameters: {low: 1}", "parameters: no expectation uses low"),
        ("suite: gx.json, violations_to: t2", "violations_to is for all rows"),
        ("suite: gx.json, error_if: {fails: '> 0'}", "has no such quantity, did you mean 'failed'?"),
        (
            (
                "expectations: [{type: expect_column_to_exist, kwargs: {column: x}}, "
                "{type: expect_column_to_exist, kwargs: {column: x}}]"
            ),
            "as expectations[0] is",
        ),
    ],
)
def test_fields_that_contradict_each_other_are_configuration_errors(yaml: str, message: str) -> None:
    [found] = mistakes({"expectations": [FILLED]}, yaml)
    assert message in found


def test_without_great_expectations_the_suite_is_refused_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "great_expectations"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "great_expectations", None)
    assert in_file(FILLED) == [
        "expectations[0]: needs Great Expectations, which is not installed: pip install 'sparkguard[expectations]'"
    ]


def test_only_suites_with_expectations_import_great_expectations(tmp_path: Path) -> None:
    program = (
        "import sys; from sparkguard.app import load_suite; load_suite(sys.argv[1]); "
        "print('great_expectations' in sys.modules)"
    )
    for kind, imports in (("row_count", False), ("expectations, suite: conf/gx/flights.json", True)):
        suite = tmp_path / "s.yaml"
        suite.write_text(
            f"suite: s\ndatasets: {{t: {{path: d}}}}\nchecks: [{{id: a, dataset: t, type: {kind}}}]", encoding="utf-8"
        )
        done = subprocess.run([sys.executable, "-c", program, str(suite)], capture_output=True, text=True, check=False)
        assert (done.stdout, done.stderr) == (f"{imports}\n", "")


def test_what_great_expectations_wrote_is_read_whole(tmp_path: Path) -> None:
    """By the library itself, with all that it writes beside type and arguments."""
    with quiet():
        import great_expectations as gx
        import great_expectations.expectations as gxe
        from great_expectations.expectations.row_conditions import Column

        context = gx.get_context(mode="file", project_root_dir=tmp_path)
        suite = context.suites.add(gx.ExpectationSuite("s", suite_parameters={"high": 9}, notes="all"))
        for expectation in (
            gxe.ExpectColumnValuesToNotBeNull(
                column="x", mostly=0.9, severity="warning", notes=["a", "b"], meta={"k": 1}, description="d"
            ),
            gxe.ExpectColumnValuesToBeBetween(
                column="x",
                min_value=datetime(2026, 1, 1, tzinfo=UTC),
                max_value={"$PARAMETER": "high"},
                row_condition=Column("y") > 3,
            ),
            gxe.ExpectColumnPairValuesToBeEqual(column_A="x", column_B="y"),
            gxe.ExpectCompoundColumnsToBeUnique(column_list=["x", "y"]),
            gxe.ExpectTableRowCountToBeBetween(min_value=1),
        ):
            suite.add_expectation(expectation)
    [file] = (tmp_path / "gx/expectations").glob("s.json")
    [one] = loaded(file.read_text(encoding="utf-8")).checks
    assert isinstance(one, Expectations)
    written = json.loads(file.read_text(encoding="utf-8"))["expectations"]
    assert [e.subject for e in one.entries] == [e["id"] for e in written]
    assert [e.columns for e in one.entries] == [("x",), ("x",), ("x", "y"), ("x", "y"), ()]
    assert [e.severity for e in one.entries] == ["warning", *["critical"] * 4]
    between = json.loads(one.entries[1].text)["kwargs"]
    assert (between["min_value"], between["max_value"]) == ("2026-01-01T00:00:00+00:00", 9)
    assert between["row_condition"]["parameter"] == 3


def test_an_expectation_without_an_id_is_named_by_its_type_and_arguments() -> None:
    first, again, other = (
        check(e).entries[0].subject
        for e in (
            BETWEEN,
            {"kwargs": {"max_value": 9.0, "min_value": 0, "column": "x"}, "type": BETWEEN["type"], "notes": "x"},
            {**BETWEEN, "kwargs": {**BETWEEN["kwargs"], "max_value": 8}},
        )
    )
    assert first == again != other
    assert len(first) == 12


def test_a_parameter_is_filled_in_and_leaves_the_name_as_it_was() -> None:
    written = {**BETWEEN, "kwargs": {"column": "x", "min_value": {"$PARAMETER": "low"}}}
    two, three = (check(written, parameters={"low": n}).entries[0] for n in (2, 3))
    assert json.loads(two.text)["kwargs"]["min_value"] == 2
    assert two.subject == three.subject
    assert two.text != three.text


def test_a_parameter_without_a_value_is_a_configuration_error() -> None:
    low, computed = (
        {**BETWEEN, "kwargs": {"column": "x", "min_value": {"$PARAMETER": p}}} for p in ("low", "now() - 1")
    )
    assert in_file(low, computed) == [
        "expectations[0].kwargs.min_value: $PARAMETER 'low' has no value in parameters",
        (
            "expectations[1].kwargs.min_value: $PARAMETER 'now() - 1' has no value in parameters; "
            "an expression is not computed here, write its value"
        ),
    ]


def test_another_file_is_another_run_and_another_rule() -> None:
    one, same, other = (loaded({"expectations": [{**FILLED, "notes": note}]}) for note in ("a", "a", "b"))
    assert (one.run_id, one.config_sha256, one.rule_fingerprints) == (
        same.run_id,
        same.config_sha256,
        same.rule_fingerprints,
    )
    assert one.run_id != other.run_id
    assert one.config_sha256 != other.config_sha256
    assert one.rule_fingerprints != other.rule_fingerprints
