"""`error_decomposition`: terms that add up, unknown where a set is missing, and next steps in their order."""

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from sparkguard.checks.error_decomposition import ErrorDecomposition
from sparkguard.core.finding import Finding, Status
from sparkguard.core.threshold import Bound
from sparkguard.shapes.decomposition import ROLES, TERMS
from sparkguard.testing import judge

Rows = list[dict[str, Any]]
ALL = {"train": "a", "train_validation": "b", "test_validation": "c", "test": "d"}


def check(**fields: Any) -> ErrorDecomposition:
    of = {"id": "why", "dataset": "t", "split": "part", "label": "y", "prediction": "p", "metric": "accuracy"}
    return ErrorDecomposition(**{**of, "sets": ALL, **fields})


def wrong_of(rows: int = 400, **errors: float) -> Rows:
    """Rows of sets with so large a share of wrong predictions."""
    shares = [(part, i, i < share * rows) for part, share in errors.items() for i in range(rows)]
    return [{"part": part, "y": 1, "p": int(not wrong), "user": i % 80} for part, i, wrong in shares]


def found(rows: Rows, **fields: Any) -> Finding:
    [finding] = judge(check(**fields), {"t": rows})
    return finding


def values(finding: Finding, *names: str) -> list[float | None]:
    return [finding.quantities[name].value for name in names]


def test_the_terms_add_up_to_the_error_of_the_test() -> None:
    finding = found(wrong_of(a=0.05, b=0.15, c=0.2, d=0.3), irreducible=0.02)
    assert values(finding, *TERMS) == pytest.approx([0.03, 0.1, 0.05, 0.1])
    assert sum(filter(None, values(finding, "irreducible_error", *TERMS))) == pytest.approx(0.3)
    assert values(finding, *(f"{role}_error" for role in ROLES)) == pytest.approx([0.05, 0.15, 0.2, 0.3])
    assert (finding.status, finding.evaluated_rows) == (Status.PASS, 1600)


def test_the_largest_is_named_and_the_next_steps_stand_in_their_order() -> None:
    finding = found(wrong_of(a=0.05, b=0.1, c=0.4, d=0.41), irreducible=0.0)
    assert "the largest is distribution shift" in finding.message
    steps = str(finding.remedy).split("; then ")
    assert [step.partition(":")[0] for step in steps] == ["underfitting", "overfitting", "distribution shift"]


def test_a_set_that_is_not_given_leaves_its_terms_unknown_and_not_zero() -> None:
    sets = {"train": "a", "test_validation": "c", "test": "d"}
    finding = found(wrong_of(a=0.05, c=0.2, d=0.3), sets=sets)
    assert values(finding, *TERMS) == [None, None, None, pytest.approx(0.1)]
    assert "unknown avoidable bias + unknown variance + unknown distribution shift + 0.1 validation overfitting" in (
        finding.message
    )
    assert "variance and distribution shift together 0.15, since there is no train_validation" in finding.message
    assert found(wrong_of(a=0.05), sets={"train": "a"}, irreducible=0.01).quantities["avoidable_bias"].value == (
        pytest.approx(0.04)
    )


def test_terms_that_are_known_only_together_are_told_from_the_irreducible_error_on() -> None:
    sets = {"train_validation": "b", "test": "d"}
    finding = found(wrong_of(b=0.1, d=0.3), sets=sets, irreducible=0.02)
    assert "avoidable bias and variance together 0.08, since there is no train" in finding.message
    assert "above 0" not in finding.message


def test_a_set_without_rows_is_an_error_that_keeps_what_is_known() -> None:
    finding = found(wrong_of(a=0.05, b=0.15, c=0.2), irreducible=0.02)
    assert (finding.status, finding.message) == (
        Status.ERROR,
        "no row of test ('d') has a label and a prediction, so nothing was checked",
    )
    assert values(finding, "variance", "validation_overfitting") == [pytest.approx(0.1), None]


def test_losses_are_errors_as_they_are() -> None:
    rng = np.random.default_rng(4)
    rows = [
        {"part": part, "y": float(v), "p": float(v + e)}
        for part, spread in zip("abcd", (1, 2, 2.5, 2.5), strict=True)
        for v, e in zip(rng.normal(size=300), spread * rng.normal(size=300), strict=True)
    ]
    finding = found(rows, metric="rmse", irreducible=0.5)
    [bias, variance] = values(finding, "avoidable_bias", "variance")
    assert bias == pytest.approx(0.5, abs=0.15)
    assert variance == pytest.approx(1, abs=0.2)
    assert finding.quantities["variance_lower"].value > 0  # type: ignore[operator]


def test_intervals_of_sets_that_share_clusters_hold_their_difference_alone() -> None:
    rng = np.random.default_rng(5)
    hard = rng.random(200) * 0.6
    rows = [
        {"part": part, "y": 1, "p": int(rng.random() > hard[user]), "user": user}
        for part in "ab"
        for user in range(200)
        for _ in range(20)
    ]
    sets = {"train": "a", "train_validation": "b"}
    grouped = found(rows, sets=sets, cluster=["user"])
    low, high = values(grouped, "variance_lower", "variance_upper")
    assert low is not None
    assert high is not None
    # The users are as hard in both sets, so what is left is the chance of rows, of both sets.
    assert high - low == pytest.approx(2 * 1.96 * np.sqrt(2 * (hard * (1 - hard)).mean() / 4_000), rel=0.2)


def test_bounds_may_be_set_on_terms_and_on_those_that_are_unknown_too() -> None:
    rows = wrong_of(a=0.05, b=0.15, c=0.2, d=0.3)
    assert found(rows, error_if={"variance": Bound(">", 0.05)}).status is Status.FAIL
    assert found(rows, error_if={"avoidable_bias": Bound(">", 0.05)}).status is Status.ERROR


def test_sets_may_be_datasets() -> None:
    rows = wrong_of(a=0.1, b=0.3)
    wanted = check(dataset=None, split=None, sets={"train": "x", "test": "z"})
    [finding] = judge(wanted, {"x": rows[:400], "z": rows[400:]})
    assert values(finding, "train_error", "test_error") == pytest.approx([0.1, 0.3])
    assert "variance, distribution shift" not in finding.message
    assert "variance and distribution shift and validation overfitting together 0.2" in finding.message


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"sets": {"tset": "a", "train": "b"}}, "'tset' is no set, did you mean 'test'"),
        ({"sets": {"train": "a"}}, "one set has no difference to another"),
        ({"sets": {"train": "a", "test": "a"}}, "two of sets are the same rows"),
        ({"split": None}, "dataset and split go together"),
        ({"metric": "f1", "average": "by_class"}, "by_class has another worst class in each set"),
    ],
)
def test_mistakes_are_told(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        check(**fields)
