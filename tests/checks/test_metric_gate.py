"""`metric_gate` judged on small tables in plain Python; Spark's answers are compared elsewhere."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from sklearn import metrics
from sklearn.calibration import calibration_curve

from sparkguard.checks.metric_gate import MetricGate
from sparkguard.core.finding import Finding, Status
from sparkguard.core.threshold import Bound
from sparkguard.engine.gather import Rounds
from sparkguard.errors import DataError
from sparkguard.shapes.metrics import METRICS
from sparkguard.testing import TwinEngine, judge

Rows = list[dict[str, Any]]
NAN, INF = float("nan"), float("inf")


def check(**fields: Any) -> MetricGate:
    of = {"id": "gate", "dataset": "t", "label": "y", "metric": "accuracy", "prediction": "p"}
    metric = METRICS.get({**of, **fields}["metric"])
    limit = "minimum" if metric is None or metric.higher_is_better else "maximum"
    return MetricGate(**{**of, limit: 0.5, **fields})


def found(rows: Rows, **fields: Any) -> dict[str, Finding]:
    return {finding.subject: finding for finding in judge(check(**fields), {"t": rows})}


def only(rows: Rows, **fields: Any) -> Finding:
    [finding] = found(rows, **fields).values()
    return finding


def table(labels: Any, told: Any, **more: Any) -> Rows:
    columns = {name: np.asarray(side, object).tolist() for name, side in {"y": labels, "p": told, **more}.items()}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def value(finding: Finding, name: str) -> float | None:
    return finding.quantities[name].value


def calibration(label: np.ndarray, score: np.ndarray, **_: Any) -> float:
    truth, told = calibration_curve(label, score, n_bins=10)
    bins = np.bincount(np.searchsorted(np.linspace(0, 1, 11)[1:-1], score), minlength=10)
    return float((np.abs(truth - told) * bins[bins > 0]).sum() / len(score))


def rate(metric: Callable[..., Any]) -> Callable[..., Any]:
    return lambda label, score, **kwargs: metric(label, score >= 0.5, **kwargs)


ORACLES: dict[str, Callable[..., Any]] = {
    "accuracy": rate(metrics.accuracy_score),
    "balanced_accuracy": rate(metrics.balanced_accuracy_score),
    "precision": rate(metrics.precision_score),
    "recall": rate(metrics.recall_score),
    "f1": rate(metrics.f1_score),
    "roc_auc": metrics.roc_auc_score,
    "average_precision": metrics.average_precision_score,
    "log_loss": metrics.log_loss,
    "brier_score": metrics.brier_score_loss,
    "calibration_error": calibration,
    "rmse": metrics.root_mean_squared_error,
    "mae": metrics.mean_absolute_error,
    "mape": metrics.mean_absolute_percentage_error,
    "r2": metrics.r2_score,
    "pinball_loss": lambda label, told, **kwargs: metrics.mean_pinball_loss(label, told, alpha=0.5, **kwargs),
}
SCORES = st.one_of(st.sampled_from([0.0, 0.1, 0.5, 0.7, 1.0]), st.floats(0, 1, width=16))


@pytest.mark.parametrize("metric", METRICS)
@given(rows=st.lists(st.tuples(st.booleans(), SCORES, st.sampled_from([0.5, 1.0, 2.0])), min_size=0, max_size=40))
@settings(max_examples=25)
def test_every_metric_is_that_of_scikit_learn(metric: str, rows: list[tuple[bool, float, float]]) -> None:
    rows = [(True, 0.9, 1.0), (False, 0.9, 1.0), *rows]
    label, told, weight = (np.array(side, float) for side in zip(*rows, strict=True))
    weighted = metric != "calibration_error"
    column = {"prediction": "p"} if METRICS[metric].family == "errors" else {"prediction": None, "score": "p"}
    fields = {"metric": metric, **column, **({"weight": "w"} if weighted else {})}
    finding = only(table(label, told, w=weight), **fields)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = ORACLES[metric](label, told, **({"sample_weight": weight} if weighted else {}))
    assert value(finding, metric) == pytest.approx(expected, rel=1e-9, abs=1e-9)
    low, high = value(finding, f"{metric}_lower"), value(finding, f"{metric}_upper")
    assert low is None or high is None or low - 1e-9 <= expected <= high + 1e-9


@pytest.mark.parametrize("average", ["macro", "micro", "weighted"])
@pytest.mark.parametrize("metric", ["precision", "recall", "f1"])
@given(rows=st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("abcd")), min_size=1, max_size=30))
@settings(max_examples=25)
def test_averages_over_classes_are_those_of_scikit_learn(
    metric: str, average: str, rows: list[tuple[str, str]]
) -> None:
    label, told = zip(*rows, strict=True)
    truth = {"precision": metrics.precision_score, "recall": metrics.recall_score, "f1": metrics.f1_score}[metric]
    expected = truth(label, told, average=average, zero_division=0)
    assert value(only(table(label, told), metric=metric, average=average), metric) == pytest.approx(expected, abs=1e-9)


PROBABILITIES = {"a": "pa", "b": "pb", "c": "pc"}


@pytest.mark.parametrize("metric", ["log_loss", "brier_score"])
@pytest.mark.parametrize("classes", ["ab", "abc"])
@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.tuples(*[st.sampled_from([0.0, 1e-20, 0.1, 1.0, 3.0])] * 3), st.integers(1, 3)),
        min_size=1,
        max_size=12,
    )
)
def test_losses_of_all_classes_are_those_of_scikit_learn(
    metric: str, classes: str, rows: list[tuple[int, tuple[float, float, float], int]]
) -> None:
    labels = [classes[i % len(classes)] for i, *_ in rows]
    told = np.array([one[: len(classes)] for _, one, _ in rows]) + 1e-30
    told /= told.sum(axis=1, keepdims=True)
    weights = [float(w) for *_, w in rows]
    columns = {f"p{name}": told[:, i] for i, name in enumerate(classes)}
    given = {name: f"p{name}" for name in classes}
    finding = only(
        table(labels, weights, **columns), metric=metric, prediction=None, probabilities=given, weight="p", maximum=99
    )
    function = metrics.log_loss if metric == "log_loss" else metrics.brier_score_loss
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        names = {"pos_label": "b"} if metric == "brier_score" and len(classes) == 2 else {"labels": list(classes)}
        expected = function(labels, told[:, 1] if "pos_label" in names else told, sample_weight=weights, **names)
    assert value(finding, metric) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("d", 0.5, 0.25, 0.25), "1 row of t with a 'y' that probabilities does not name"),
        (("a", 0.5, 0.5, 0.5), "do not add up to 1 within 0.05"),
        (("a", 1.5, -0.25, -0.25), "not from 0 to 1"),
    ],
)
def test_probabilities_that_mean_nothing_are_an_error(row: tuple[Any, ...], message: str) -> None:
    rows = [dict(zip(("y", "pa", "pb", "pc"), one, strict=True)) for one in [("a", 1.0, 0.0, 0.0)] * 9 + [row]]
    finding = only(rows, metric="log_loss", prediction=None, probabilities=PROBABILITIES)
    assert finding.status is Status.ERROR
    assert message in finding.message


def test_a_row_that_lacks_one_probability_is_not_scored() -> None:
    rows = [{"y": "abc"[i % 3], "pa": 0.4, "pb": 0.3, "pc": None if i == 4 else 0.3} for i in range(90)]
    finding = only(rows, metric="brier_score", prediction=None, probabilities=PROBABILITIES, maximum=1)
    assert (finding.status, value(finding, "unscored_rows")) == (Status.FAIL, 1)


def test_each_set_has_a_finding_and_one_bad_set_closes_the_gate() -> None:
    rows = table([1, 0, 1, 0], [1, 0, 0, 0], part=["train", "train", "val", "val"])
    sets = found(rows, split="part", sets=["train", "val"], minimum=0.7)
    assert {name: (f.status, value(f, "accuracy")) for name, f in sets.items()} == {
        "train": (Status.PASS, 1.0),
        "val": (Status.FAIL, 0.5),
    }
    decision = sets["val"].decision
    assert decision is not None
    assert (decision.metric_name, decision.observed, decision.comparison, decision.error_bound) == (
        "accuracy",
        0.5,
        "<",
        0.7,
    )
    assert (sets["val"].subject_kind, sets["val"].slice_key, sets["val"].evaluated_rows) == ("set", None, 2)


def test_all_values_of_the_split_are_sets_unless_some_are_named() -> None:
    rows = table([1, 0, 1], [1, 0, 1], part=["b", "a", None])
    every = found(rows, split="part")
    assert list(every) == ["a", "b", ":all"]
    assert (every[":all"].status, every[":all"].message) == (
        Status.WARN,
        "1 row of 't' without a 'part' in no set, so not judged",
    )
    assert list(found(rows, split="part", sets=["b"])) == ["b"]


def test_a_missing_set_fails_and_the_values_that_exist_are_told() -> None:
    finding = found(table([1, 1], [1, 1], part=["train", "val"]), split="part", sets=["train", "vall"])["vall"]
    assert (finding.status, finding.message) == (
        Status.FAIL,
        "no row of 't' has 'vall' as 'part'; other values: val (1 row), so nothing was checked",
    )


def test_an_empty_table_fails_unless_on_empty_says_otherwise() -> None:
    nothing = [{"y": None, "p": None}]
    assert only(nothing).status is Status.FAIL
    assert only(nothing, on_empty="skip").status is Status.SKIPPED
    assert only(nothing).message == "none of 1 row of t has a label, so nothing was checked"


def test_a_set_of_which_nothing_was_predicted_says_so() -> None:
    finding = only([{"y": 1, "p": NAN}])
    assert (finding.status, finding.message) == (
        Status.FAIL,
        "none of 1 row of t has a label and a prediction; unscored_rows is 1, and '> 0' fails",
    )


def test_a_set_with_another_limit_is_judged_by_that() -> None:
    rows = table([1, 0], [1, 1], part=["a", "b"])
    fields = {"split": "part", "sets": ["a", "b"]}
    assert found(rows, **fields, minimum=0.9, by_set={"b": 0})["b"].status is Status.PASS
    assert found(rows, **fields, minimum=None, by_set={"a": 1, "b": 0})["a"].status is Status.PASS


def test_sets_may_be_datasets() -> None:
    gate = check(dataset=None, sets={"train": "a", "val": "b"})
    good, bad = table([1], [1]), table([1], [0])
    findings = judge(gate, {"a": good, "b": bad})
    assert [(f.subject, f.source.dataset if f.source else None, f.status) for f in findings] == [
        ("train", "a", Status.PASS),
        ("val", "b", Status.FAIL),
    ]


def test_a_row_without_a_prediction_fails_the_set_and_one_without_a_label_is_set_apart() -> None:
    finding = only(table([1, 1, None, NAN], [1, None, 1, 1]))
    assert finding.status is Status.FAIL
    assert [value(finding, f"{what}_rows") for what in ("evaluated", "unscored", "unlabelled")] == [1, 1, 2]
    assert finding.message == (
        "accuracy of t is 1 (0.207 to 1, rows taken as independent), at least 0.5; 1 row; "
        "2 rows without a label set apart; unscored_rows is 1, and '> 0' fails"
    )
    assert only(table([1, 1], [1, None]), error_if={}).status is Status.PASS


@pytest.mark.parametrize(("told", "unscored"), [([0.2, NAN], 1), ([0.2, INF], 1), ([0.2, -INF], 1), ([0.2, 0.3], 0)])
def test_a_score_that_is_no_finite_number_is_none(told: list[float], unscored: int) -> None:
    finding = only(table([1, 0], told), metric="brier_score", prediction=None, score="p", maximum=1)
    assert value(finding, "unscored_rows") == unscored


def test_one_class_only_has_no_area_and_is_an_error_not_a_pass() -> None:
    finding = only(table([1, 1], [0.5, 0.7]), metric="roc_auc", prediction=None, score="p")
    assert (finding.status, value(finding, "roc_auc")) == (Status.ERROR, None)
    assert finding.message.startswith("roc_auc of t is not defined: no label is 1, or all are; 2 rows; roc_auc has no")


@pytest.mark.parametrize(
    ("rows", "fields", "message"),
    [
        (table([1, 2], [0.1, 0.2]), {"metric": "roc_auc"}, "1 row of t with a 'y' that is none of 1, 0 and -1"),
        (table([1, 0], [0.1, 1.5]), {"metric": "log_loss"}, "1 row of t with a score that is no probability ('p')"),
        (
            table([1, 0], [0.1, 0.5], w=[1.0, -1.0]),
            {"metric": "roc_auc", "weight": "w"},
            "1 row of t with a 'w' that is NULL, negative or infinite",
        ),
    ],
)
def test_rows_for_which_the_metric_would_mean_nothing_are_an_error(
    rows: Rows, fields: dict[str, Any], message: str
) -> None:
    finding = only(rows, prediction=None, score="p", **fields)
    assert (finding.status, finding.message) == (Status.ERROR, message)


def test_the_positive_class_may_be_any_and_is_needed_for_texts() -> None:
    rows = table(["late", "on time"], [0.9, 0.1])
    area = {"metric": "roc_auc", "prediction": None, "score": "p"}
    assert value(only(rows, **area, positive="late"), "roc_auc") == 1
    assert value(only(rows, **area, positive="on time"), "roc_auc") == 0
    with pytest.raises(DataError, match="nobody said which of its classes is positive"):
        only(rows, **area)
    assert value(only(table([2, 1, 0], [0.1, 0.9, 0.1]), **area, positive=1), "roc_auc") == 1
    assert value(only(table([True, False], [0.1, 0.9]), **area, positive=False), "roc_auc") == 1
    with pytest.raises(DataError, match="'yes' is no boolean"):
        only(table([True, False], [0.1, 0.9]), **area, positive="yes")


@pytest.mark.parametrize("metric", ["log_loss", "accuracy", "roc_auc", "recall"])
def test_a_positive_class_that_no_label_has_is_an_error(metric: str) -> None:
    rows = table(["yes", "no", "no"], [0.9, 0.1, 0.2])
    with pytest.raises(DataError, match="in none of 3 rows the label 'y' is Yes, the positive class"):
        only(rows, metric=metric, prediction=None, score="p", positive="Yes")


def test_equal_numbers_of_different_types_are_one_class() -> None:
    assert value(only(table([1, 0, 1], [1.0, -0.0, 0.0])), "accuracy") == pytest.approx(2 / 3)
    assert value(only(table([True, False], [1, 1])), "accuracy") == 0.5


def test_classes_that_cannot_be_compared_are_an_error() -> None:
    with pytest.raises(DataError, match="'y' is bigint and 'p' is string"):
        only(table([1, 0], ["1", "0"]))


def test_the_worst_class_decides_where_each_is_judged() -> None:
    finding = only(table(list("aaabb"), list("aaabc")), metric="f1", average="by_class", minimum=0.7)
    assert finding.status is Status.FAIL
    assert [value(finding, f"f1[{name}]") for name in "abc"] == pytest.approx([1, 2 / 3, 0])
    assert "0 for the worst class, c 0, b 0.666667, a 1" in finding.message
    hidden = only(table(list("aaabb"), list("aaabc")), metric="f1", average="by_class", redact=["y"])
    assert "f1[a]" not in hidden.quantities
    assert "is 0 for the worst class (" in hidden.message


def test_the_interval_counts_clusters_and_needs_twenty_of_them() -> None:
    rng = np.random.default_rng(1)
    users = np.repeat(np.arange(40), 50)
    right = rng.random(40)[users] > 0.4
    rows = table(np.ones(2000, int), right.astype(int), user=users.tolist())
    alone, grouped = only(rows), only(rows, cluster=["user"])
    widths = [value(f, "accuracy_upper") - value(f, "accuracy_lower") for f in (alone, grouped)]  # type: ignore[operator]
    assert widths[1] > 5 * widths[0]
    assert value(grouped, "clusters") == 40
    few = only([row for row in rows if row["user"] < 19], cluster=["user"])
    assert few.status is Status.PASS
    assert value(few, "accuracy_lower") is None
    assert "(no interval, 19 clusters; 20 are needed)" in few.message


def test_a_lower_bound_may_be_required_and_one_that_nobody_knows_is_an_error() -> None:
    rows = table([1] * 10, [1] * 9 + [0], user=range(10))
    assert only(rows, minimum=0.8).status is Status.PASS
    finding = only(rows, minimum=0.8, require="lower_bound")
    assert (finding.status, finding.decision.metric_name if finding.decision else "") == (Status.FAIL, "accuracy_lower")
    assert "its lower end below the minimum 0.8" in finding.message
    unknown = only(rows, minimum=0.1, require="lower_bound", cluster=["user"])
    assert unknown.status is Status.ERROR
    lower_is_better = only(table([1.0, 2.0, 3.0], [1.1, 2.1, 3.4]), metric="mae", maximum=0.25, require="lower_bound")
    assert lower_is_better.status is Status.FAIL
    assert value(lower_is_better, "mae") == pytest.approx(0.2)


def test_an_interval_at_one_counts_the_rows_that_weigh_and_the_clusters_that_can_be_wrong() -> None:
    light = table([1] * 103, [1] * 103, w=[0.0] * 100 + [1.0] * 3)
    assert value(only(light, weight="w"), "accuracy_lower") == pytest.approx(0.4385, abs=1e-3)
    heavy = table([1] * 101, [1] * 101, w=[1.0] * 100 + [1e9])
    assert value(only(heavy, weight="w"), "accuracy_lower") < 0.3  # type: ignore[operator]
    positives = table(
        [int(i < 20) for i in range(2_000)], [int(i < 20) for i in range(2_000)], user=[i // 10 for i in range(2_000)]
    )
    recall = only(positives, metric="recall", cluster=["user"])
    assert (value(recall, "recall"), value(recall, "recall_lower")) == (1, None)


def test_clusters_of_very_unequal_size_have_no_interval_and_no_exception() -> None:
    users = [0] * 10_000 + list(range(1, 25))
    rows = table([1.0] * len(users), [1.5 + (u % 3) / 10 for u in users], user=users)
    finding = only(rows, metric="mae", maximum=1, cluster=["user"])
    assert (finding.status, value(finding, "mae_lower")) == (Status.PASS, None)


def test_classes_of_a_hidden_prediction_are_not_told() -> None:
    finding = only(table(list("ab"), ["a", "SECRET"]), metric="f1", average="by_class", redact=["p"])
    assert "SECRET" not in finding.message
    assert "f1[SECRET]" not in finding.quantities


def test_one_row_has_no_r2() -> None:
    assert only(table([1.0], [1.0]), metric="r2").status is Status.ERROR


def test_binned_areas_state_a_margin_and_warn_where_it_covers_the_limit() -> None:
    rng = np.random.default_rng(3)
    label = rng.random(3000) < 0.3
    score = rng.normal(size=3000) + label
    rows, truth = table(label.astype(int), score), metrics.roc_auc_score(label, score)
    area = {"metric": "roc_auc", "prediction": None, "score": "p", "area": "binned"}
    finding = only(rows, **area, minimum=0.5)
    quantity = finding.quantities["roc_auc"]
    assert quantity.exactness == "sketch"
    assert 0 < quantity.margin < 0.01
    assert quantity.value == pytest.approx(truth, abs=quantity.margin)
    assert only(rows, **area, minimum=truth).status is Status.WARN
    assert only(rows, **{**area, "area": "exact"}, minimum=truth - 1e-9).status is Status.PASS


def test_a_threshold_makes_classes_of_scores() -> None:
    rows = table([1, 0, 1], [0.5, 0.4, 0.2])
    scored = {"metric": "recall", "prediction": None, "score": "p"}
    assert value(only(rows, **scored), "recall") == 0.5
    assert value(only(rows, **scored, threshold=0.1), "recall") == 1


def test_labels_far_from_zero_lose_no_digits_of_r2() -> None:
    rng = np.random.default_rng(5)
    label = 1e9 + rng.normal(size=200)
    told = label + rng.normal(size=200) / 3
    finding = only(table(label.tolist(), told.tolist()), metric="r2")
    assert value(finding, "r2") == pytest.approx(metrics.r2_score(label - 1e9, told - 1e9), abs=1e-6)


def test_areas_ask_three_times_and_all_else_once() -> None:
    for fields, rounds in (
        ({}, 1),
        ({"metric": "roc_auc", "prediction": None, "score": "p"}, 3),
        ({"metric": "r2"}, 2),
    ):
        engine = TwinEngine({"t": table([1, 0], [0.5, 0.25])})
        [gathered] = Rounds(engine).gather([check(**fields)])
        assert gathered.error is None
        assert len(engine.computed) == rounds


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"metric": "auc"}, "'auc' is not a metric, did you mean 'roc_auc'"),
        ({"metric": "roc_auc"}, "roc_auc is of a score: give score"),
        ({"metric": "rmse", "prediction": None, "score": "p"}, "rmse is of a predicted number: give prediction"),
        ({"prediction": None}, "accuracy is of a predicted class: give prediction, or score with a threshold"),
        ({"maximum": 1, "minimum": None}, "accuracy is better the higher it is: give minimum"),
        ({"metric": "mae", "minimum": 1, "maximum": None}, "mae is better the lower it is: give maximum"),
        ({"minimum": None}, "give minimum: the least that accuracy may be on a set"),
        ({"sets": ["a"]}, "sets are values of a column: name it in split"),
        ({"split": "s", "sets": ["a"], "by_set": {"b": 1}}, "by_set names b, not among sets: a"),
        ({"sets": {"a": "t"}}, "give dataset, with split"),
        ({"dataset": None}, "give dataset, with split"),
        ({"average": "macro"}, "accuracy does not use average; leave it out"),
        ({"threshold": 0.3}, "accuracy with prediction does not use threshold"),
        ({"metric": "f1", "prediction": None, "score": "p", "average": "macro"}, "average: macro is of predicted"),
        ({"alpha": 0.3}, "accuracy does not use alpha"),
        ({"minimum": NAN}, "finite number"),
        ({"error_if": {"accuracy": "< 0.3"}}, "the bound on accuracy is minimum; leave it out of error_if"),
        ({"prediction": "y"}, "'y' is the label; what was told of it is another column"),
        ({"dataset": None, "sets": {"a": "t", "b": "t"}}, "two of sets are the same dataset"),
        ({"cluster": ["a", "a"]}, "cluster names a column twice"),
        ({"probabilities": {"a": "p", "b": "q"}}, "accuracy does not use probabilities"),
        ({"metric": "log_loss", "probabilities": {"a": "p"}}, "from 2 to 50 are possible"),
        ({"metric": "log_loss", "probabilities": {"a": "p", "b": "p"}}, "a column for two classes"),
        ({"metric": "log_loss", "probabilities": {"a": "p", "b": "y"}}, "'y' is the label"),
        ({"metric": "log_loss", "score": "p", "probabilities": {"a": "p", "b": "q"}}, "give score, for one class"),
        ({"metric": "log_loss", "positive": "a", "probabilities": {"a": "p", "b": "q"}}, "does not use positive"),
        ({"split": "s", "violations": "none"}, "list the sets"),
    ],
)
def test_mistakes_are_told_in_the_words_of_the_fields(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message.replace("(", r"\(")):
        check(**fields)


def test_a_limit_of_a_set_that_nobody_gave_is_an_error() -> None:
    with pytest.raises(ValidationError, match="give minimum"):
        check(split="s", sets=["a", "b"], minimum=None, by_set={"a": 1})


def test_own_bounds_stand_beside_the_limit() -> None:
    finding = only(table([1], [1]), error_if={"evaluated_rows": Bound("<", 100.0)})
    assert finding.status is Status.FAIL
    assert finding.message.endswith("evaluated_rows is 1, and '< 100' fails")


def test_no_weight_at_all_has_no_metric() -> None:
    finding = only(table([1, 0], [1, 0], w=[0.0, 0.0]), weight="w")
    assert (finding.status, value(finding, "accuracy")) == (Status.ERROR, None)
    assert "all rows weigh 0" in finding.message
