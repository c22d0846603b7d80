import pytest

from sparkguard.core.finding import Quantity, Status
from sparkguard.core.threshold import Bound, decide

FAIL_ABOVE_0 = {"rows": Bound(">", 0)}


@pytest.mark.parametrize(
    ("text", "value", "broken"),
    [
        ("> 0", 0, False),
        ("> 0", 1, True),
        (">= 1", 1, True),
        ("< 5", 5, False),
        ("<= 5", 5, True),
        ("== 3", 3, True),
        ("!= 24", 24, False),
        ("> 0.1 %", 0.002, True),
        (">-1e-3", 0, True),
    ],
)
def test_a_bound_is_broken_where_its_comparison_holds(text: str, value: float, *, broken: bool) -> None:
    assert Bound.parse(text).broken_by(Quantity(value)) is broken


@pytest.mark.parametrize("wrong", ["0", "> ", "=> 3", "> three", ">> 3", "> 1 2"])
def test_what_is_no_bound_says_what_is_allowed(wrong: str) -> None:
    with pytest.raises(ValueError, match=r"write a comparison \(> >= < <= == !=\)"):
        Bound.parse(wrong)


@pytest.mark.parametrize(("percent", "share"), [("0.7 %", 7 / 1000), ("5.7 %", 57 / 1000), ("70 %", 7 / 10)])
def test_a_percentage_is_the_number_that_a_share_of_so_many_rows_is(percent: str, share: float) -> None:
    assert Bound.parse(f"> {percent}").broken_by(Quantity(share)) is False
    assert Bound.parse(f">= {percent}").broken_by(Quantity(share)) is True


@pytest.mark.parametrize("wrong", ["> 1e400", "< -1e400", "> 1e999999999 %"])
def test_a_bound_is_a_finite_number(wrong: str) -> None:
    with pytest.raises(ValueError, match="is no finite number"):
        Bound.parse(wrong)


def test_one_computation_serves_two_bounds_and_the_worst_decides() -> None:
    decision = decide({"rows": Quantity(5), "rate": Quantity(0.5)}, {"rate": Bound(">", 0.9)}, {"rows": Bound(">", 0)})
    assert (decision.status, decision.metric_name, decision.warn_bound) == (Status.WARN, "rows", 0)


def test_the_order_of_the_bounds_decides_between_equals() -> None:
    bounds = {"b": Bound(">", 0), "a": Bound(">", 0)}
    assert decide({"a": Quantity(1), "b": Quantity(1)}, bounds, {}).metric_name == "b"


def test_a_quantity_without_value_is_an_error_and_no_pass() -> None:
    assert decide({"rows": Quantity(None)}, FAIL_ABOVE_0, {}).status is Status.ERROR
    assert decide({}, FAIL_ABOVE_0, {}).status is Status.ERROR
    assert decide({"rows": Quantity(float("nan"))}, FAIL_ABOVE_0, {}).status is Status.ERROR


@pytest.mark.parametrize(
    ("value", "status"), [(9, Status.PASS), (9.5, Status.WARN), (10.5, Status.WARN), (12, Status.FAIL)]
)
def test_a_bound_within_the_margin_cannot_be_decided(value: float, status: Status) -> None:
    decision = decide({"x": Quantity(value, margin=0.75, exactness="sketch")}, {"x": Bound(">", 10)}, {})
    assert (decision.status, decision.margin) == (status, 0.75)


def test_equality_with_an_approximate_number_is_not_claimed() -> None:
    assert Bound("==", 10).broken_by(Quantity(10.2, margin=0.5)) is None
    assert Bound("==", 10).broken_by(Quantity(12, margin=0.5)) is False
    assert Bound("!=", 10).broken_by(Quantity(12, margin=0.5)) is True


def test_without_bounds_nothing_fails() -> None:
    assert decide({"rows": Quantity(7)}, {}, {}).status is Status.PASS
