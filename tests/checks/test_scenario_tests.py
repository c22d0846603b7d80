"""`scenario_tests` judged on small tables in plain Python; Spark's answers are compared elsewhere."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from sklearn import metrics

from sparkguard.checks.scenario_tests import ScenarioTests
from sparkguard.config.load import Parameters, load
from sparkguard.core.finding import Finding, Status
from sparkguard.errors import ConfigError, DataError
from sparkguard.testing import judge

Rows = list[dict[str, Any]]
SFO = {"name": "sfo", "equals": {"dest": "SFO"}}


def check(*scenarios: dict[str, Any], **fields: Any) -> ScenarioTests:
    of = {"id": "cases", "dataset": "t", "label": "y", "metric": "accuracy", "prediction": "p", "minimum": 0.5}
    return ScenarioTests(**{**of, "scenarios": list(scenarios), **fields})


def found(
    rows: Rows, *scenarios: dict[str, Any], more: dict[str, Rows] | None = None, **fields: Any
) -> dict[str, Finding]:
    return {f.subject: f for f in judge(check(*scenarios, **fields), {"t": rows, **(more or {})})}


def only(rows: Rows, *scenarios: dict[str, Any], **fields: Any) -> Finding:
    [finding] = found(rows, *scenarios, **fields).values()
    return finding


def value(finding: Finding, name: str) -> float | None:
    return finding.quantities[name].value


ROWS: Rows = [
    {"id": 1, "dest": "SFO", "hour": 5, "y": 1, "p": 1, "old": 1},
    {"id": 2, "dest": "SFO", "hour": 22, "y": 0, "p": 1, "old": 0},
    {"id": 3, "dest": "BOS", "hour": 23, "y": 1, "p": 1, "old": 0},
    {"id": 4, "dest": "BOS", "hour": 7, "y": 0, "p": 0, "old": 1},
    {"id": 5, "dest": None, "hour": 7, "y": 0, "p": 0, "old": 1},
]


@pytest.mark.parametrize(
    ("scenario", "rows", "accuracy"),
    [
        ({"equals": {"dest": "SFO"}}, 2, 0.5),
        ({"equals": {"dest": ["SFO", "BOS"], "hour": [22, 23]}}, 2, 0.5),
        ({"equals": {"dest": None}}, 1, 1),
        ({"where": "hour > 20 AND y = 1"}, 1, 1),
        ({"where": "dest = 'SFO'"}, 2, 0.5),
        ({"keys": [{"id": 2}, {"id": 3}, {"id": 99}]}, 2, 0.5),
        ({"keys": {"dataset": "critical", "key": ["id"]}}, 2, 0.5),
        ({"dataset": "own"}, 1, 0),
    ],
)
def test_a_scenario_is_told_in_one_of_four_ways(scenario: dict[str, Any], rows: int, accuracy: float) -> None:
    more = {"critical": [{"id": 2}, {"id": 3}, {"id": 3}, {"id": None}], "own": [{"y": 1, "p": 0, "dest": "X"}]}
    finding = only(ROWS, {"name": "one", **scenario}, more=more)
    assert (finding.evaluated_rows, value(finding, "accuracy")) == (rows, accuracy)
    assert (finding.subject_kind, finding.subject) == ("scenario", "one")


def test_scenarios_may_overlap_and_each_has_its_own_limit_metric_and_verdict() -> None:
    sets = found(
        ROWS,
        {"name": "sfo", "equals": {"dest": "SFO"}, "minimum": 0.9},
        {"name": "late", "where": "hour > 20"},
        {"name": "recall", "where": "hour > 0", "metric": "recall", "minimum": 1},
    )
    assert {name: (f.status, f.evaluated_rows) for name, f in sets.items()} == {
        "sfo": (Status.FAIL, 2),
        "late": (Status.PASS, 2),
        "recall": (Status.PASS, 5),
    }
    assert value(sets["recall"], "recall") == 1


def test_a_scenario_that_became_empty_or_small_is_no_pass() -> None:
    gone = only(ROWS, {"name": "gone", "equals": {"dest": "XYZ"}, "owner": "ops", "bug": "JIRA-1"})
    assert (gone.status, gone.message) == (
        Status.FAIL,
        "scenario 'gone' has no row to judge: no row is in it; owner ops; from JIRA-1, so nothing was checked",
    )
    small = only(ROWS, SFO, min_rows=3)
    assert small.status is Status.FAIL
    assert "; 2 rows, fewer than 3" in small.message
    assert only(ROWS, {**SFO, "min_rows": 2}, min_rows=3).status is Status.PASS


def test_a_failed_scenario_is_evidence_with_its_bug() -> None:
    [violation] = only(ROWS, {**SFO, "bug": "JIRA-7", "owner": "ops"}, minimum=0.9).violations
    assert (violation.kind, violation.key, violation.reason) == ("failed_scenario", {"scenario": "sfo"}, "JIRA-7")
    assert (violation.expected, violation.actual, violation.count) == ("at least 0.9", "0.5", 2)
    assert only(ROWS, SFO, minimum=0.9, violations="none").violations == ()


def test_the_point_regression_decides_and_the_aggregate_that_went_up_is_told() -> None:
    finding = only(ROWS, SFO, baseline_prediction="old", max_regression=0.1, minimum=None)
    assert finding.status is Status.FAIL
    assert [value(finding, name) for name in ("accuracy", "baseline", "regression")] == [0.5, 1, 0.5]
    assert "0.5 worse than the 1 of the baseline (give cluster or key to know whether by chance), more than 0.1" in (
        finding.message
    )
    assert "the aggregate went up: 0.4 → 0.8" in finding.message
    assert only(ROWS, SFO, baseline_prediction="old", max_regression=0.5, minimum=None).status is Status.PASS


def many(seed: int = 1, worse: float = 0.1, rows: int = 2_000) -> Rows:
    """The old model is right in 8 of 10 rows, the new one less often, mostly in the same rows."""
    rng = np.random.default_rng(seed)
    old = rng.random(rows) < 0.8
    new = old & (rng.random(rows) >= worse)
    return [
        {"id": i, "user": i % 100, "y": 1, "p": int(n), "old": int(o)}
        for i, (n, o) in enumerate(zip(new, old, strict=True))
    ]


@pytest.mark.parametrize("by", [{"key": ["id"]}, {"cluster": ["user"]}])
def test_by_keys_or_clusters_a_regression_is_told_from_chance(by: dict[str, Any]) -> None:
    everything = {"name": "all", "where": "id >= 0"}
    fields = {"baseline_prediction": "old", "max_regression": 0.5, "minimum": None, **by}
    finding = only(many(), everything, **fields)
    low, high = value(finding, "regression_lower"), value(finding, "regression_upper")
    assert low is not None
    assert high is not None
    assert 0 < low < 0.08 < high < 0.12
    assert "significant)" in finding.message
    assert "not significant" not in finding.message
    # McNemar's test of the same rows, whose standard error is that of paired differences.
    lost = np.array([row["old"] - row["p"] for row in many()])
    assert (high - low) / (2 * 1.96) == pytest.approx(lost.std() / np.sqrt(len(lost)), rel=0.2)
    assert "not significant" in only(many(worse=0.0005), everything, **fields).message


def test_non_inferiority_asks_the_worse_end_to_clear_the_margin() -> None:
    everything = {"name": "all", "where": "id >= 0"}
    fields = {"baseline_prediction": "old", "max_regression": 0.085, "minimum": None, "key": ["id"]}
    assert only(many(), everything, **fields).status is Status.PASS
    finding = only(many(), everything, **fields, non_inferiority=True)
    assert finding.status is Status.FAIL
    assert finding.decision is not None
    assert finding.decision.metric_name == "regression_upper"


def test_areas_and_losses_compare_on_the_rows_that_both_models_scored() -> None:
    rng = np.random.default_rng(2)
    label = rng.random(500) < 0.4
    rows = [
        {"id": i, "y": int(y), "s": float(y * 0.5 + a), "o": None if i == 0 else float(y + b)}
        for i, (y, a, b) in enumerate(zip(label, rng.random(500), rng.random(500), strict=True))
    ]
    finding = only(
        rows,
        {"name": "all", "where": "id >= 0"},
        metric="roc_auc",
        prediction=None,
        score="s",
        baseline_score="o",
        max_regression=0.01,
        key=["id"],
        minimum=None,
        error_if={},
    )
    both = rows[1:]
    new, old = (metrics.roc_auc_score([r["y"] for r in both], [r[name] for r in both]) for name in ("s", "o"))
    assert value(finding, "regression") == pytest.approx(old - new, abs=1e-9)
    assert value(finding, "unscored_rows") == 1
    assert finding.status is Status.FAIL


def test_a_baseline_that_is_no_probability_is_an_error_and_not_left_out() -> None:
    rows = [{"y": i % 2, "s": 0.5 + (i % 2) / 100, "o": 0.5 if i < 10 else 4.0} for i in range(100)]
    fields: dict[str, Any] = {"metric": "log_loss", "prediction": None, "score": "s", "baseline_score": "o"}
    finding = only(rows, {"name": "all", "where": "1 = 1"}, **fields, max_regression=0, minimum=None)
    assert finding.status is Status.ERROR


def test_a_regression_of_exactly_the_margin_is_allowed() -> None:
    rows = [{"y": 1, "p": int(i < 83), "old": int(i < 85)} for i in range(100)]
    fields: dict[str, Any] = {"baseline_prediction": "old", "max_regression": 0.02, "minimum": None}
    finding = only(rows, {"name": "all", "where": "1 = 1"}, **fields)
    assert (finding.status, value(finding, "regression")) == (Status.PASS, 0.02)


def test_equal_models_are_the_same_and_whether_they_always_are_nobody_knows() -> None:
    rows = [{"id": i, "y": 1, "p": 1, "old": 1} for i in range(50)]
    fields: dict[str, Any] = {"baseline_prediction": "old", "max_regression": 0.001, "minimum": None, "key": ["id"]}
    assert only(rows, {"name": "all", "where": "id >= 0"}, **fields).status is Status.PASS
    unsure = only(rows, {"name": "all", "where": "id >= 0"}, **fields, non_inferiority=True)
    assert unsure.status is Status.ERROR


def test_a_scenario_with_another_metric_has_its_own_limits_columns_and_options() -> None:
    rows = [{**row, "s": 5.0} for row in ROWS]
    other = {**SFO, "metric": "brier_score", "maximum": 1}
    finding = only(rows, other, score="s")
    assert finding.message == "2 rows of sfo with a score that is no probability ('s')"
    assert finding.columns == ("y", "s")
    with pytest.raises(ValidationError, match="it has no limit: give minimum"):
        check({**SFO, "metric": "recall"})
    assert check({**SFO, "metric": "f1", "minimum": 0}, SFO | {"name": "b"}, average="macro").average == "macro"


def test_a_metric_that_is_not_defined_in_a_scenario_is_an_error() -> None:
    finding = only(ROWS, {"name": "one", "equals": {"dest": None}}, metric="roc_auc", prediction=None, score="p")
    assert finding.status is Status.ERROR


def test_a_column_that_does_not_exist_is_named() -> None:
    with pytest.raises(DataError, match="column 'dset' does not exist; the nearest columns are 'dest'"):
        only(ROWS, {"name": "one", "equals": {"dset": "SFO"}})


@pytest.mark.parametrize(
    ("scenarios", "fields", "message"),
    [
        ([], {}, "there is no scenario"),
        ([SFO, SFO], {}, "a scenario is named twice: sfo"),
        ([{"name": "x"}], {}, "has no rows; give exactly one of where, equals, keys, dataset"),
        ([{**SFO, "where": "a"}], {}, "has where and equals; give exactly one"),
        ([SFO], {"minimum": None}, "scenario 'sfo': it has no limit: give minimum, or max_regression and a baseline"),
        ([{**SFO, "maximum": 1}], {}, "accuracy is better the higher it is: give minimum"),
        ([SFO], {"baseline_prediction": "p", "max_regression": 0}, "the baseline is the model itself"),
        ([SFO], {"key": ["id"]}, "key is for a baseline"),
        ([SFO], {"error_if": {"evaluated_rows": "< 2"}}, "the bounds on evaluated_rows are minimum"),
        ([{**SFO, "minimum": float("nan")}], {}, "finite number"),
        ([SFO], {"max_regression": 0.1}, "max_regression needs baseline_prediction or baseline_score"),
        ([{**SFO, "metric": "log_loss", "maximum": 1}], {}, "log_loss is of a score: give score"),
        ([SFO], {"baseline_score": "s"}, "of the baseline: accuracy"),
        ([{**SFO, "equals": {"a": []}}], {}, "expected columns with a value"),
        ([{"name": "x", "keys": [{"a": 1}, {"b": 1}]}], {}, "expected keys with the same columns each"),
        ([SFO], {"non_inferiority": True}, "non_inferiority needs max_regression"),
    ],
)
def test_mistakes_are_told(scenarios: list[dict[str, Any]], fields: dict[str, Any], message: str) -> None:
    if message == "of the baseline: accuracy":
        fields = {"baseline_prediction": None, "baseline_score": "s", "metric": "rmse", "minimum": None, "maximum": 1}
        message = "of the baseline: rmse is of a predicted number: give baseline_prediction"
    with pytest.raises(ValidationError, match=message):
        check(*scenarios, **fields)


SUITE = """
suite: s
results: r
datasets: {t: {path: t}}
checks:
  - {id: cases, type: scenario_tests, dataset: t, label: y, prediction: p, metric: accuracy, files: FILES}
"""


def loaded(tmp_path: Path, files: str, **texts: str) -> ScenarioTests:
    for name, text in texts.items():
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")

    def read(path: str) -> str:
        return (tmp_path / path).read_text(encoding="utf-8")

    def find(pattern: str) -> list[str]:
        return sorted(path.name for path in tmp_path.glob(pattern)) if "*" in pattern else [pattern]

    parameters = Parameters(now=datetime(2026, 1, 31, tzinfo=UTC), variables={}, read=read, find=find)
    [one] = load(SUITE.replace("FILES", files), "s.yaml", parameters).checks
    assert isinstance(one, ScenarioTests)
    return one


def test_scenarios_live_in_files_of_their_own(tmp_path: Path) -> None:
    one = loaded(
        tmp_path,
        "'*.yaml'",
        a="- {name: sfo, equals: {dest: SFO}, minimum: 0.9}\n",
        b="- {name: late, where: hour > 20, minimum: 0.5}\n- {name: old, keys: [{id: 1}], minimum: 1}\n",
    )
    assert [scenario.name for scenario in one.listed] == ["sfo", "late", "old"]
    assert "hour > 20" in one.content


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: x", "a.yaml: expected a list of scenarios"),
        ("- {name: x, wher: a}", r"a.yaml: scenarios\[0\].wher: Extra inputs"),
        ("- [", "a.yaml: not valid YAML"),
        ("- {name: x}", r"a.yaml: scenarios\[0\]: has no rows"),
    ],
)
def test_mistakes_in_a_file_name_the_file_and_the_place(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        loaded(tmp_path, "a.yaml", a=text)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none.yaml: cannot be read: No such file or directory"):
        loaded(tmp_path, "none.yaml")


def test_a_pattern_that_no_file_has_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nothing_\*.yaml: there is no such file"):
        loaded(tmp_path, "nothing_*.yaml")
