"""Bounds on quantities (`"> 0.001"`) and the one way in which they decide."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from sparkguard.core.finding import Decision, Quantity, Status
from sparkguard.core.text import number

_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}
_BOUND = re.compile(r"\s*(>=|<=|==|!=|>|<)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(%?)\s*")


@dataclass(frozen=True, slots=True)
class Bound:
    """A comparison that is broken when it holds: `violation_rows "> 0"`."""

    comparison: str
    limit: float

    @classmethod
    def parse(cls, text: str) -> Bound:
        """Read `> 0`, `>= 0.1 %`, `!= 24`; `ValueError` says what is allowed."""
        match = _BOUND.fullmatch(text)
        if match is None:
            allowed = " ".join(_COMPARISONS)
            message = f"'{text}' is not a bound; write a comparison ({allowed}) and a number, for example \"> 0.001\""
            raise ValueError(message)
        if not math.isfinite(float(match[2])):
            message = f"'{text}' is not a bound; {match[2]} is no finite number"
            raise ValueError(message)
        # As decimals, since 0.7 / 100 is less than 0.007.
        return cls(match[1], float(Decimal(match[2]) / (100 if match[3] else 1)))

    def broken_by(self, quantity: Quantity) -> bool | None:
        """Whether the bound is broken; None where the quantity's margin leaves it open."""
        if quantity.value is None:
            return None
        compare = _COMPARISONS[self.comparison]
        low, high = quantity.value - quantity.margin, quantity.value + quantity.margin
        answers = {compare(low, self.limit), compare(high, self.limit)}
        if quantity.margin and low <= self.limit <= high:
            return None
        return answers.pop() if len(answers) == 1 else None

    def __str__(self) -> str:
        """Render as in the configuration: `> 0.001`."""
        return f"{self.comparison} {number(self.limit)}"


def decide(
    quantities: Mapping[str, Quantity],
    error_if: Mapping[str, Bound],
    warn_if: Mapping[str, Bound],
) -> Decision:
    """Judge quantities by their bounds; the worst status decides, then the order of the bounds.

    A quantity without a value under a bound is `error` (not computed); one whose margin covers
    the bound is `warn` (cannot decide). Without any bound the status is `pass`.
    """
    verdicts = [
        _verdict(name, quantities.get(name, Quantity(None)), error_if.get(name), warn_if.get(name))
        for name in dict.fromkeys([*error_if, *warn_if])
    ]
    return min(verdicts, key=lambda d: d.status.rank, default=Decision(Status.PASS))


def _verdict(name: str, quantity: Quantity, error: Bound | None, warn: Bound | None) -> Decision:
    status, by, reason = Status.PASS, error or warn, ""
    for bound, broken_status in ((error, Status.FAIL), (warn, Status.WARN)):
        if bound is None:
            continue
        broken = bound.broken_by(quantity)
        if broken or broken is None:
            status, by, reason = _why(name, quantity, bound, broken_status if broken else None)
            break
    return Decision(
        status,
        metric_name=name,
        observed=quantity.value,
        comparison=by.comparison if by else None,
        warn_bound=warn.limit if warn else None,
        error_bound=error.limit if error else None,
        exactness=quantity.exactness,
        margin=quantity.margin or None,
        reason=reason,
    )


def _why(name: str, quantity: Quantity, bound: Bound, broken: Status | None) -> tuple[Status, Bound, str]:
    if quantity.value is None:
        return Status.ERROR, bound, f"{name} has no value, so '{bound}' cannot be judged"
    if broken is not None:
        return (
            broken,
            bound,
            f"{name} is {number(quantity.value)}, and '{bound}' {'fails' if broken is Status.FAIL else 'warns'}",
        )
    text = f"{name} is {number(quantity.value)} ± {number(quantity.margin)}, too close to '{bound}' to decide"
    return Status.WARN, bound, text
