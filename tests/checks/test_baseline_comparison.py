"""`baseline_comparison`: constants and published numbers on the same rows, with how sure the difference is."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from sklearn import metrics
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import LogisticRegression

from sparkguard.checks.baseline_comparison import BaselineComparison
from sparkguard.core.finding import Finding, Status
from sparkguard.errors import DataError
from sparkguard.testing import judge

Rows = list[dict[str, Any]]
RNG = np.random.default_rng(6)
LABEL = RNG.choice([0, 1, 2], 600, p=[0.6, 0.3, 0.1])
TOLD = np.where(RNG.random(600) < 0.8, LABEL, 0)
CLASSES: Rows = [{"y": int(y), "p": int(p), "user": i % 60} for i, (y, p) in enumerate(zip(LABEL, TOLD, strict=True))]
NUMBER = RNG.exponential(size=600)
NUMBERS: Rows = [{"y": float(y), "p": float(y + e)} for y, e in zip(NUMBER, RNG.normal(size=600) / 2, strict=True)]
BINARY: Rows = [
    {"y": int(y > 0), "s": float(min(1, 0.3 * y + 0.4 * e))} for y, e in zip(LABEL, RNG.random(600), strict=True)
]


def check(**fields: Any) -> BaselineComparison:
    of = {"id": "better", "dataset": "t", "label": "y", "metric": "accuracy", "prediction": "p"}
    return BaselineComparison(**{**of, **fields})


def found(rows: Rows, train: Rows | None = None, **fields: Any) -> dict[str, Finding]:
    tables = {"t": rows} if train is None else {"t": rows, "train": train}
    more = {} if train is None else {"train": "train"}
    return {f.subject: f for f in judge(check(**fields, **more), tables)}


def value(finding: Finding, name: str) -> float | None:
    return finding.quantities[name].value


@pytest.mark.parametrize(
    ("fields", "oracle"),
    [
        ({}, metrics.accuracy_score),
        ({"metric": "balanced_accuracy"}, metrics.balanced_accuracy_score),
        ({"metric": "f1", "average": "macro"}, lambda y, p: metrics.f1_score(y, p, average="macro")),
    ],
)
def test_the_majority_class_is_that_of_a_dummy_classifier(fields: dict[str, Any], oracle: Any) -> None:
    dummy = DummyClassifier(strategy="most_frequent").fit(LABEL[:, None], LABEL).predict(LABEL[:, None])
    majority = found(CLASSES, **fields)["majority"]
    assert value(majority, "baseline") == pytest.approx(oracle(LABEL, dummy))
    assert value(majority, "advantage") == pytest.approx(oracle(LABEL, TOLD) - oracle(LABEL, dummy))
    assert majority.status is Status.PASS
    low = value(majority, "advantage_lower")
    assert low is not None
    assert 0 < low < value(majority, "advantage")  # type: ignore[operator]


def test_mean_and_median_are_those_of_dummy_regressors_and_learn_from_train() -> None:
    train = RNG.exponential(size=301) + 1
    baselines = found(NUMBERS, [{"y": float(y)} for y in train], metric="mae")
    for name in ("mean", "median"):
        dummy = DummyRegressor(strategy=name).fit(train[:, None], train).predict(NUMBER[:, None])
        expected = metrics.mean_absolute_error(NUMBER, dummy)
        assert value(baselines[name], "baseline") == pytest.approx(expected, rel=1e-9)
    told = [row["p"] for row in NUMBERS]
    model, mean = metrics.mean_absolute_error(NUMBER, told), value(baselines["mean"], "baseline")
    assert value(baselines["mean"], "advantage") == pytest.approx(mean - model)


def test_the_difference_is_that_of_the_same_rows() -> None:
    loss = np.abs(NUMBER - [row["p"] for row in NUMBERS])
    other = np.abs(NUMBER - np.mean(NUMBER))
    mean = found(NUMBERS, metric="mae", baselines=["mean"])["mean"]
    low, high = value(mean, "advantage_lower"), value(mean, "advantage_upper")
    assert low is not None
    assert high is not None
    assert (high - low) / (2 * 1.9639) == pytest.approx((other - loss).std(ddof=1) / np.sqrt(600), rel=0.01)


def test_probabilities_compare_with_the_share_and_areas_with_a_constant() -> None:
    label, score = (np.array([row[name] for row in BINARY]) for name in ("y", "s"))
    scored: dict[str, Any] = {"prediction": None, "score": "s"}
    loss = found(BINARY, metric="log_loss", **scored)["majority"]
    assert value(loss, "baseline") == pytest.approx(metrics.log_loss(label, np.full(600, label.mean())))
    area = found(BINARY, metric="roc_auc", **scored)["majority"]
    assert value(area, "baseline") == 0.5
    assert value(area, "advantage") == pytest.approx(metrics.roc_auc_score(label, score) - 0.5)
    precision = found(BINARY, metric="average_precision", **scored)["majority"]
    assert value(precision, "baseline") == pytest.approx(label.mean())


def test_r2_compares_with_the_mean_of_the_training_label() -> None:
    train = [{"y": float(y)} for y in (1.0, 2.0, 6.0)]
    mean = found(NUMBERS, train, metric="r2", baselines=["mean"])["mean"]
    assert value(mean, "baseline") == pytest.approx(metrics.r2_score(NUMBER, np.full(600, 3.0)))


def test_a_model_that_tells_the_majority_is_no_better_and_fails() -> None:
    finding = found([{**row, "p": 0} for row in CLASSES])["majority"]
    assert finding.status is Status.FAIL
    assert "the same as the 0." in finding.message
    assert "of always 0" in finding.message
    hidden = found([{**row, "p": 0} for row in CLASSES], redact=["y"])["majority"]
    assert "of majority" in hidden.message


def test_a_margin_and_a_lower_bound_may_be_wanted() -> None:
    majority = found(CLASSES)["majority"]
    advantage = float(value(majority, "advantage") or 0)
    assert found(CLASSES, margin=advantage + 0.01)["majority"].status is Status.FAIL
    assert found(CLASSES, margin=advantage - 0.001)["majority"].status is Status.PASS
    assert found(CLASSES, margin=advantage - 0.001, require="lower_bound")["majority"].status is Status.FAIL
    assert found(CLASSES, cluster=["user"], require="lower_bound")["majority"].status is Status.PASS


def walks(users: int = 60, nights: int = 20) -> Rows:
    """What changes little from night to night, and a model that knows each night a little better than the last one."""
    rng = np.random.default_rng(8)
    level = np.cumsum(rng.normal(size=(users, nights)), axis=1)
    told = level + rng.normal(size=level.shape) * 0.5
    return [
        {"y": float(level[u, n]), "p": float(told[u, n]), "user": u, "ts": datetime(2026, 1, 1 + n, tzinfo=UTC)}
        for u in range(users)
        for n in range(nights)
    ]


def test_the_last_value_of_an_entity_is_compared_on_the_rows_that_have_one() -> None:
    rows = walks()
    wanted = check(metric="mae", baselines=["last_value"], entity=["user"])
    [last] = judge(wanted, {"t": rows}, time_columns={"t": "ts"})
    pairs = [(b, a["y"]) for a, b in pairwise(rows) if a["user"] == b["user"]]
    truth, before = [b["y"] for b, _ in pairs], [y for _, y in pairs]
    expected = metrics.mean_absolute_error(truth, before)
    assert last.evaluated_rows == 60 * 19
    assert value(last, "baseline") == pytest.approx(expected)
    model = metrics.mean_absolute_error(truth, [b["p"] for b, _ in pairs])
    assert value(last, "advantage") == pytest.approx(expected - model)
    low = value(last, "advantage_lower")
    assert low is not None
    assert 0 < low < expected - model
    assert "of the last y of the same user" in last.message


def test_the_last_value_may_be_in_train_and_times_that_are_equal_tell_nothing() -> None:
    noon = datetime(2026, 1, 2, tzinfo=UTC)
    rows = [{"y": 1.0, "p": 2.0, "user": u, "ts": noon} for u in ("a", "a", "b", None)]
    train = [{"y": v, "user": "a", "ts": noon - timedelta(days=d)} for v, d in ((4.0, 1), (9.0, 2), (None, 0))]
    wanted = check(metric="mae", baselines=["last_value"], entity=["user"], train="train")
    [last] = judge(wanted, {"t": rows, "train": train}, time_columns={"t": "ts", "train": "ts"})
    assert (last.evaluated_rows, value(last, "baseline"), value(last, "mae")) == (2, 3.0, 1.0)


def test_classes_have_a_last_value_too() -> None:
    rows = [{"y": y, "p": "a", "user": 1, "ts": datetime(2026, 1, day, tzinfo=UTC)} for day, y in enumerate("aabb", 1)]
    wanted = check(baselines=["last_value"], entity=["user"])
    [last] = judge(wanted, {"t": rows}, time_columns={"t": "ts"})
    assert [value(last, name) for name in ("accuracy", "baseline")] == pytest.approx([1 / 3, 2 / 3])


def test_a_linear_model_is_fitted_on_train_and_judged_on_the_same_rows() -> None:
    rng = np.random.default_rng(12)
    size = 2_000
    x, where = rng.normal(size=size), rng.choice(["a", "b", "c"], size)
    label = rng.random(size) < 1 / (1 + np.exp(-2 * x - 2 * (where == "c")))
    score = np.clip(label * 0.2 + rng.random(size) * 0.8, 0, 1)
    names = ("y", "x", "where", "s")
    rows = [
        dict(zip(names, row, strict=True))
        for row in zip(label.tolist(), x.tolist(), where.tolist(), score.tolist(), strict=True)
    ]
    wanted = check(metric="roc_auc", prediction=None, score="s", train="train", baselines=["linear"])
    [finding] = judge(wanted, {"t": rows[1_000:], "train": rows[:1_000]})
    features = np.stack([x, where == "a", where == "b", where == "c"], axis=1).astype(float)
    model = LogisticRegression(max_iter=500).fit(features[:1_000], label[:1_000])
    expected = metrics.roc_auc_score(label[1_000:], model.predict_proba(features[1_000:])[:, 1])
    assert value(finding, "baseline") == pytest.approx(expected, abs=0.002)
    assert value(finding, "roc_auc") == pytest.approx(metrics.roc_auc_score(label[1_000:], score[1_000:]))
    assert (finding.status, finding.quantities["baseline"].exactness) == (Status.FAIL, "sample")
    assert "worse than the" in finding.message
    assert value(finding, "advantage_upper") < 0  # type: ignore[operator]


def test_numbers_and_classes_have_linear_models_and_texts_are_classes() -> None:
    rng = np.random.default_rng(13)
    x = rng.normal(size=400)
    rows = [{"y": float(2 * v + 1), "p": float(v), "x": float(v) if i % 9 else None} for i, v in enumerate(x)]
    [number] = judge(check(metric="rmse", train="t2", baselines=["linear"]), {"t": rows, "t2": rows})
    assert number.status is Status.FAIL
    assert value(number, "baseline") < value(number, "rmse")  # type: ignore[operator]
    words = [{"y": "late" if v > 0 else "fine", "p": "late", "x": float(v)} for v in x]
    [text] = judge(check(train="t2", baselines=["linear"]), {"t": words, "t2": words})
    assert value(text, "baseline") > 0.95  # type: ignore[operator]
    assert value(text, "accuracy") == pytest.approx(np.mean(x > 0))


@pytest.mark.parametrize(
    ("labels", "train", "told"),
    [
        ([True] * 10 + [False] * 90, None, 0),
        ([True] * 10 + [False] * 90, [1] * 10 + [0] * 90, 0),
        ([1] * 40 + [0] * 60, [True] * 10 + [False] * 90, 0),
        ([1.0] * 40 + [0.0] * 35 + [-0.0] * 25 + [float("inf")] * 200, None, 0),
    ],
)
def test_the_majority_is_a_class_as_the_metric_has_it(labels: list[Any], train: list[Any] | None, told: int) -> None:
    rows = [{"y": y, "p": told} for y in labels]
    [majority] = found(rows, None if train is None else [{"y": y} for y in train]).values()
    assert majority.status is Status.FAIL
    assert "the same as" in majority.message
    assert "of always 0" in majority.message


def test_large_whole_numbers_are_classes_of_their_own() -> None:
    rows = [{"y": 9_007_199_254_740_993, "p": 9_007_199_254_740_993} for _ in range(9)] + [{"y": 5, "p": 5}]
    [majority] = found(rows).values()
    assert value(majority, "baseline") == 0.9


def test_the_last_value_is_judged_on_rows_that_the_model_scored_too() -> None:
    rows = [{**row, "p": row["p"] if i % 10 else float("nan")} for i, row in enumerate(walks(10))]
    wanted = check(metric="mae", baselines=["last_value"], entity=["user"], error_if={})
    [last] = judge(wanted, {"t": rows}, time_columns={"t": "ts"})
    pairs = [(b, a["y"]) for a, b in pairwise(rows) if a["user"] == b["user"] and b["p"] == b["p"]]
    expected = metrics.mean_absolute_error([b["y"] for b, _ in pairs], [y for _, y in pairs])
    assert value(last, "baseline") == pytest.approx(expected)


def test_a_linear_model_does_not_hide_rows_without_a_prediction() -> None:
    rows = [{**row, "s": row["s"] if i % 3 else float("nan"), "x": i} for i, row in enumerate(BINARY)]
    wanted = check(metric="roc_auc", prediction=None, score="s", train="train", baselines=["linear"])
    [linear] = judge(wanted, {"t": rows, "train": rows})
    assert (linear.status, value(linear, "unscored_rows")) == (Status.FAIL, 200)


def test_a_margin_that_is_met_to_the_digit_is_met() -> None:
    rows = [{"y": int(i < 80), "p": int(i < 70)} for i in range(100)]
    [majority] = found(rows, margin=0.1).values()
    assert majority.status is Status.PASS
    [known] = found(rows, known_result=0.7, margin=0.2).values()
    assert (known.status, value(known, "advantage")) == (Status.PASS, 0.2)


def test_a_published_number_is_a_baseline_too() -> None:
    [only] = found(CLASSES, known_result=0.99).values()
    assert (only.subject, only.subject_kind, only.status) == ("known_result", "baseline", Status.FAIL)
    assert "worse than the 0.99 of the known result" in only.message
    both = found(CLASSES, known_result=0.5, baselines=["majority"])
    assert [f.status for f in both.values()] == [Status.PASS, Status.PASS]


def test_nothing_to_learn_from_is_an_error_and_nothing_to_judge_no_pass() -> None:
    with pytest.raises(DataError, match="no row of 'train' has a finite 'y'"):
        found(CLASSES, [{"y": None}])
    [nothing] = found([{"y": 1.0, "p": float("nan")}], [{"y": 1.0}], metric="mae", baselines=["mean"]).values()
    assert (nothing.status, nothing.message) == (
        Status.FAIL,
        "none of 1 row of 't' has a label and a prediction; unscored_rows is 1, and '> 0' fails",
    )


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"baselines": ["mean"]},
            "accuracy has no baseline mean; it has majority, last_value, linear, known_result",
        ),
        (
            {"metric": "mae", "baselines": ["majority"]},
            "mae has no baseline majority; it has mean, median, last_value",
        ),
        ({"metric": "calibration_error", "prediction": None, "score": "s"}, "a constant is well calibrated"),
        ({"weight": "w"}, "majority, mean and median learn without weight"),
        ({"known_result": float("nan")}, "finite number"),
        ({"error_if": {"advantage": "< 0"}}, "the bound on advantage is margin"),
        (
            {
                "metric": "calibration_error",
                "prediction": None,
                "score": "s",
                "known_result": 0.1,
                "baselines": ["majority"],
            },
            "calibration_error has no baseline majority",
        ),
        ({"baselines": ["last_value"]}, "last_value needs entity"),
        ({"baselines": ["linear"]}, "linear needs train"),
        ({"entity": ["user"], "baselines": ["majority"]}, "entity is for last_value"),
        ({"baselines": ["majority"], "exclude": ["x"]}, "exclude is for linear, which is not among baselines"),
        ({"baselines": ["majority"], "seed": 1}, "seed is for linear"),
        ({"known_result": 0.5, "train": "old"}, "train is for baselines that learn"),
        ({"probabilities": {"a": "p", "b": "q"}, "metric": "log_loss"}, "give score, not probabilities"),
        ({"metric": "f1", "average": "by_class"}, "another worst class than the baseline"),
    ],
)
def test_mistakes_are_told(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        check(**fields)
