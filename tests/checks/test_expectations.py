"""Suites of Great Expectations: what is read of them, what is refused, and what a result says."""

import json
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sparkguard.checks.expectations import Expectations
from sparkguard.cli.single import _option_value
from sparkguard.config.load import Parameters, load
from sparkguard.core.finding import Finding
from sparkguard.core.settle import exit_code
from sparkguard.core.source import Source
from sparkguard.core.suite import Suite
from sparkguard.errors import ConfigError, DataError
from sparkguard.measures.expectations import ExpectationsRun, Outcome, Outcomes, Sample
from sparkguard.shapes.gx import quiet
from sparkguard.testing import judge

FILLED: dict[str, Any] = {"type": "expect_column_values_to_not_be_null", "kwargs": {"column": "x"}}
BETWEEN: dict[str, Any] = {
    "type": "expect_column_values_to_be_between",
    "kwargs": {"column": "x", "min_value": 0, "max_value": 9},
}
MEAN: dict[str, Any] = {"type": "expect_column_mean_to_be_between", "kwargs": {"column": "x", "max_value": 9}}
ROWS: Mapping[str, Any] = {"t": [{"x": 1}, {"x": 2}, {"x": None}]}


def check(*expectations: Mapping[str, Any], **fields: Any) -> Expectations:
    return Expectations.model_validate({"id": "gx", "dataset": "t", "expectations": expectations, **fields})


def judged(one: Expectations, *outcomes: Outcome, rows: Mapping[str, Any] | None = None) -> list[Finding]:
    samples = 0 if one.violations == "none" else one.violation_limit
    run = ExpectationsRun(Source("t"), tuple(e.text for e in one.entries), samples)
    return list(judge(one, rows or ROWS, recorded={run: Outcomes(outcomes)}))


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


def test_a_result_says_what_was_observed() -> None:
    held, broke, mean, exists = judged(
        check(FILLED, {**BETWEEN, "id": "b"}, MEAN, {"type": "expect_column_to_exist", "kwargs": {"column": "y"}}),
        Outcome(holds=True, rows=3, unexpected=0),
        Outcome(
            holds=False, rows=3, missing=1, unexpected=2, samples=(Sample((("x", "12"),), 1), Sample((("x", "-1"),), 1))
        ),
        Outcome(holds=False, number=12.5, shown="12.5"),
        Outcome(holds=True),
    )
    assert (held.status.value, held.message) == (
        "pass",
        "expect_column_values_to_not_be_null(x): all 3 rows are as expected",
    )
    assert (held.subject_kind, held.columns) == ("expectation", ("x",))
    assert (broke.subject, broke.status.value, broke.evaluated_rows, broke.violation_rows) == ("b", "fail", 2, 2)
    assert broke.message == (
        "expect_column_values_to_be_between(x, min_value=0, max_value=9): 2 of 2 rows are unexpected, "
        "for example 12; -1"
    )
    assert [(dict(v.key), v.kind, v.count) for v in broke.violations] == [
        ({"x": "12"}, "unexpected", 1),
        ({"x": "-1"}, "unexpected", 1),
    ]
    assert {n: q.value for n, q in broke.quantities.items()} == {
        "failed": 1.0, "observed": None, "missing_rows": 1.0,
        "evaluated_rows": 2.0, "violation_rows": 2.0, "violation_rate": 1.0,
    }  # fmt: skip
    assert (mean.status.value, mean.message) == (
        "fail",
        "expect_column_mean_to_be_between(x, max_value=9): observed 12.5",
    )
    assert (mean.quantities["observed"].value, mean.evaluated_rows) == (12.5, None)
    assert (exists.status.value, exists.message) == ("pass", "expect_column_to_exist(y): holds")


def test_mostly_lets_pass_what_it_counts() -> None:
    [finding] = judged(
        check({**FILLED, "kwargs": {"column": "x", "mostly": 0.5}}), Outcome(holds=True, rows=3, unexpected=1)
    )
    assert (finding.status.value, finding.violation_rows) == ("pass", 1)
    assert finding.message.endswith("mostly=0.5): 1 of 3 rows is unexpected (within the bounds)")


@pytest.mark.parametrize(("severity", "status"), [("critical", "fail"), ("warning", "warn"), ("info", "warn")])
def test_only_a_critical_expectation_fails(severity: str, status: str) -> None:
    one = check({**FILLED, "severity": severity})
    [broke] = judged(one, Outcome(holds=False, rows=3, unexpected=1))
    [stopped] = judged(one, Outcome(error="boom"))
    assert broke.status.value == status
    assert exit_code([(one, broke)]) == (5 if severity == "critical" else 0)
    assert stopped.status.value == "error"
    assert exit_code([(one, stopped)]) == (3 if severity == "critical" else 0)


def test_one_that_stops_is_an_error_beside_the_others() -> None:
    stopped, held = judged(check(BETWEEN, MEAN), Outcome(error="no such column"), Outcome(holds=True, number=1.5))
    assert (stopped.status.value, stopped.message.rpartition("): ")[2]) == ("error", "no such column")
    assert held.status.value == "pass"


def test_of_nothing_nothing_holds() -> None:
    empty: dict[str, Any] = {"t": []}
    [filled] = judged(check(FILLED), Outcome(holds=True, rows=0, unexpected=0), rows=empty)
    [mean] = judged(check(MEAN), Outcome(holds=True), rows=empty)
    assert {filled.status.value, mean.status.value} == {"error"}
    assert mean.message == "'t' has no rows, so nothing was checked"
    [allowed] = judged(check(MEAN, on_empty="pass"), Outcome(holds=True), rows=empty)
    assert allowed.status.value == "pass"


def test_values_that_are_all_null_are_no_pass() -> None:
    [finding] = judged(check(BETWEEN), Outcome(holds=True, rows=3, missing=3, unexpected=0))
    assert (finding.status.value, finding.evaluated_rows) == ("error", 0)
    assert finding.message.endswith("a value is NULL in all 3 rows, so nothing was checked")


def test_a_row_condition_that_no_row_meets_is_no_pass() -> None:
    conditional = {**BETWEEN, "kwargs": {**BETWEEN["kwargs"], "row_condition": "y > 3", "condition_parser": "spark"}}
    [finding] = judged(check(conditional), Outcome(holds=True, rows=0, missing=0, unexpected=0))
    assert finding.status.value == "error"
    assert "no row meets its row_condition" in finding.message


def test_own_bounds_replace_the_verdict_where_there_are_rows() -> None:
    one = check(BETWEEN, MEAN, error_if={"violation_rows": "> 5"}, warn_if={"violation_rows": "> 0"})
    rows, mean = judged(
        one, Outcome(holds=False, rows=9, missing=0, unexpected=2), Outcome(holds=False, number=10.0, shown="10.0")
    )
    assert (rows.status.value, mean.status.value) == ("warn", "fail")


@pytest.mark.parametrize("severity", ["warning", "info"])
@pytest.mark.parametrize(("unexpected", "status"), [(0, "pass"), (50, "warn"), (95, "warn")])
def test_one_that_only_warns_does_so_where_either_bound_is_broken(severity: str, unexpected: int, status: str) -> None:
    one = check(
        {**BETWEEN, "severity": severity}, error_if={"violation_rows": "> 90"}, warn_if={"violation_rows": "> 0"}
    )
    [finding] = judged(one, Outcome(holds=not unexpected, rows=100, missing=0, unexpected=unexpected))
    assert finding.status.value == status


def test_a_value_of_a_set_that_no_row_has_is_named_and_is_no_row_without_a_value() -> None:
    contains = {"type": "expect_column_distinct_values_to_contain_set", "kwargs": {"column": "x", "value_set": [1, 7]}}
    equals = {"type": "expect_column_distinct_values_to_equal_set", "kwargs": {"column": "x", "value_set": [1, 7]}}
    lacks = Sample((("x", "7"),), 0)
    contained, equal = judged(
        check(contains, equals, error_if={"missing_rows": "> 100"}),
        Outcome(holds=False, lacking=1, samples=(lacks,)),
        Outcome(holds=False, unexpected=2, lacking=1, samples=(Sample((("x", "5"),), 1), lacks)),
    )
    assert (contained.status.value, contained.quantities["missing_rows"].value) == ("fail", None)
    assert contained.message.endswith("value_set=[1, 7]): 1 value of its set is missing, for example 7")
    assert equal.message.endswith(
        "2 values are unexpected, for example 5, and 1 value of its set is missing, for example 7"
    )
    assert [(v.kind, dict(v.key)) for v in equal.violations] == [("unexpected", {"x": "5"}), ("missing", {"x": "7"})]


@pytest.mark.parametrize(("bound", "status"), [("> 5", "fail"), ("> 500", "pass"), (">= 500", "fail")])
def test_what_is_observed_is_judged_before_it_is_hidden(bound: str, status: str) -> None:
    greatest = {"type": "expect_column_max_to_be_between", "kwargs": {"column": "x", "max_value": 999}}
    outcome = Outcome(holds=True, number=500.0, shown="500")
    [open_], [hidden] = (
        judged(check(greatest, error_if={"observed": bound}, **fields), outcome) for fields in ({}, {"redact": ["X"]})
    )
    assert open_.status.value == hidden.status.value == status
    assert hidden.quantities["observed"].value is None
    assert hidden.decision is not None
    assert hidden.decision.observed is None
    assert "500" not in hidden.message.replace(bound, "")
    assert "500" not in hidden.decision.reason.replace(bound, "")


@pytest.mark.parametrize("hidden", [{"violations": "none"}, {"redact": ["x"]}])
def test_values_that_the_suite_keeps_out_reach_no_message(hidden: dict[str, Any]) -> None:
    greatest = {"type": "expect_column_max_to_be_between", "kwargs": {"column": "x", "max_value": 9}}
    found = judged(
        check(BETWEEN, greatest, FILLED, **hidden),
        Outcome(holds=False, rows=3, missing=0, unexpected=1, samples=(Sample((("x", "4711"),), 1),)),
        Outcome(holds=False, number=4711.0, shown="4711"),
        Outcome(error="[CAST_INVALID_INPUT] The value '4711' is none"),
    )
    assert "4711" not in str(found)
    assert found[1].status.value == "fail"


def test_a_suite_is_exported_as_it_is() -> None:
    written = {**BETWEEN, "kwargs": {"column": "x", "max_value": {"$PARAMETER": "most"}}, "severity": "info"}
    named = {**MEAN, "id": "3f2a"}
    between, mean = check(written, named, parameters={"most": 9}, severity="warn").as_expectations()
    assert (between.id, mean.id) == (None, "3f2a")
    assert (between.type, between.severity) == (BETWEEN["type"], "info")
    assert between.kwargs == {"column": "x", "max_value": 9}
    assert (mean.type, mean.severity) == (MEAN["type"], "warning")
    with pytest.raises(DataError, match="cannot say window of expectations"):
        check(MEAN, window={"start": "2026-01-01", "end": "2026-01-02"}).as_expectations()


def test_on_the_command_line_a_parameter_is_a_number_where_it_looks_like_one() -> None:
    assert _option_value(Expectations, "parameters", "low=3, name=a b") == {"low": 3, "name": "a b"}
    assert _option_value(Expectations, "suite", "conf/gx/flights.json") == "conf/gx/flights.json"
