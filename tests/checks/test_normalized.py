"""`normalized` judged on small tables in plain Python."""

import math
from typing import Any

import numpy as np
import pytest

from sparkguard.checks.normalized import Normalized
from sparkguard.core.finding import Finding, Status
from sparkguard.testing import judge


def found(values: list[Any], **fields: Any) -> Finding:
    check = Normalized(**{"id": "c", "dataset": "t", "columns": "x", **fields})
    [finding] = judge(check, {"t": [{"x": v} for v in values]})
    return finding


def test_a_standardised_column_passes_and_a_raw_one_fails() -> None:
    raw = np.random.default_rng(1).normal(50, 20, 500)
    scaled = (raw - raw.mean()) / raw.std()
    assert found(scaled.tolist()).status is Status.PASS
    finding = found(raw.tolist())
    assert finding.status is Status.FAIL
    assert finding.quantities["mean"].value == pytest.approx(raw.mean())
    assert finding.quantities["deviation"].value == pytest.approx(raw.std())
    assert finding.quantities["scale_error"].value == pytest.approx(max(abs(raw.mean()), abs(raw.std() - 1)))


def test_a_column_shrunk_to_its_mean_is_not_normalised() -> None:
    assert found([0.0, 0.0, 0.001]).status is Status.FAIL


def test_what_is_not_finite_breaks_the_rule_and_stays_out_of_the_moments() -> None:
    finding = found([1.0, -1.0, math.nan, math.inf, None])
    assert (finding.violation_rows, finding.evaluated_rows, finding.status) == (2, 4, Status.FAIL)
    assert finding.quantities["scale_error"].value == 0


@pytest.mark.parametrize(("scale", "values", "broke"), [
    ("unit", [0.0, 1.0, 0.5], 0),
    ("unit", [0.0, 1.5, -0.1, math.nan], 3),
    ("centered", [-0.5, 0.5], 0),
    ("centered", [0.0, 0.6], 1),
    ("unit", [0, 1, 1], 0),
    ("unit", [0, 255], 1),
])  # fmt: skip
def test_ranges_include_their_ends(scale: str, values: list[Any], broke: int) -> None:
    finding = found(values, scale=scale)
    assert (finding.violation_rows, finding.status) == (broke, Status.FAIL if broke else Status.PASS)


def test_how_far_outside_is_told_for_bounds_that_are_milder() -> None:
    finding = found([0.0, 1.05], scale="unit", error_if={"scale_error": "> 0.1"}, warn_if={"violation_rows": "> 0"})
    assert finding.status is Status.WARN
    assert finding.quantities["scale_error"].value == pytest.approx(0.05)


def test_the_ends_of_a_hidden_column_stay_out_of_the_message() -> None:
    for hidden in ({"violations": "none"}, {"redact": ["x"]}):
        assert "0.123" not in found([0.123, 0.5], scale="unit", **hidden).message
    assert "0.123" in found([0.123, 0.5], scale="unit").message


def test_texts_have_no_scale() -> None:
    assert "needs a number" in found(["1"]).message
