"""Between which limits the next value of a series lies, if it goes on as before.

The limits are those of the normal linear model: ordinary least squares, and Student's t for the
error of one further observation (Montgomery, Peck and Vining, Introduction to Linear Regression
Analysis, 5th edition, section 3.5). They know that the spread is itself an estimate, which a z-score
does not: `docs/anomalies.md` has the simulated rates of false alarms of both.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Direction = Literal["both", "low", "high"]

EXCEEDANCE = "exceedance"
WEEK = 7
"""Days."""

_SAME = 1e-12
"""Numbers that differ by less, relative to the largest, are equal: rates summed in another order."""
_LARGEST_LOG = 709.0
_LEAST_SPAN_DAYS = 20


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the next value should be: `expected`, and the standard error of one observation about it.

    `freedom` is the degrees of freedom of that error, `resolution` the difference below which values
    count as equal, `alike` how many values the next one is compared with: all, or those of its group.
    An `error` of 0 means that nothing ever varied.
    """

    expected: float
    error: float
    freedom: int
    alike: int
    resolution: float = 0.0

    def half_width(self, alpha: float, direction: Direction = "both") -> float:
        """How far from `expected` a limit is, so that a healthy value lies outside with probability `alpha`."""
        from scipy.stats import t

        tail = alpha / 2 if direction == "both" else alpha
        return float(t.isf(tail, self.freedom)) * self.error

    def deviation(self, value: float) -> float:
        """How many standard errors a value is from the expected one; infinitely many if nothing ever varied."""
        if self.error:
            return (value - self.expected) / self.error
        near = abs(value - self.expected) <= max(self.resolution, _SAME * abs(value))
        return 0.0 if near else math.copysign(math.inf, value - self.expected)

    def chance(self, value: float, direction: Direction = "both") -> float:
        """How probable it is that a healthy value is at least as far off, in this direction.

        Where nothing ever varied, at most 1 in n + 1, whatever the distribution: if one of n + 1
        exchangeable values differs from all others, each is as likely to be that one.
        """
        from scipy.stats import t

        deviation = self.deviation(value)
        off = {"both": abs(deviation), "low": -deviation, "high": deviation}[direction]
        if not self.error:
            return 1 / (self.alike + 1) if off > 0 else 1.0
        return min(1.0, (2 if direction == "both" else 1) * float(t.sf(off, self.freedom)))


@dataclass(frozen=True, slots=True)
class Outlook:
    """Limits for one value: half their distance is `half`, and they allow for a false alarm as often as `alpha`.

    With `log` the prediction is of logarithms; values and limits are in the units of the series.
    """

    prediction: Prediction
    alpha: float
    direction: Direction
    half: float
    log: bool

    @classmethod
    def of(cls, prediction: Prediction, alpha: float, direction: Direction, *, log: bool = False) -> Outlook:
        """Put the limits of a prediction where a healthy value lies outside with probability `alpha`."""
        return cls(prediction, alpha, direction, prediction.half_width(alpha, direction), log)

    def at(self, halves: float) -> float:
        """The value that is so many halves from the expected one: -1 and 1 are the limits."""
        place = self.prediction.expected + halves * self.half
        return math.exp(min(place, _LARGEST_LOG)) if self.log else place

    @property
    def lower(self) -> float | None:
        """The lower limit, None where a low value is no anomaly."""
        return None if self.direction == "high" else self.at(-1)

    @property
    def upper(self) -> float | None:
        """The upper limit, None where a high value is no anomaly."""
        return None if self.direction == "low" else self.at(1)

    def deviation(self, value: float) -> float:
        """How many standard errors a value is from the expected one."""
        return self.prediction.deviation(self._scaled(value))

    def chance(self, value: float) -> float:
        """How probable it is that a healthy value is at least as far off."""
        return self.prediction.chance(self._scaled(value), self.direction)

    def exceedance(self, value: float) -> float | None:
        """How far outside the limits, in halves of their distance: 0 at a limit, -1 at the expected value.

        If nothing ever varied: -1 or infinite, and None where a first difference is no rarer than `alpha`.
        """
        deviation = self.deviation(value)
        off = {"both": abs(deviation), "low": -deviation, "high": deviation}[self.direction]
        if self.prediction.error:
            return off * self.prediction.error / self.half - 1
        if off <= 0:
            return -1.0
        return off if self.chance(value) <= self.alpha else None

    def numbers(self, value: float) -> dict[str, float | None]:
        """All of these by name; the exceedance only where it is known."""
        exceedance = self.exceedance(value)
        return {
            "expected": self.at(0),
            "lower_limit": self.lower,
            "upper_limit": self.upper,
            "deviation": self.deviation(value),
            **({} if exceedance is None else {EXCEEDANCE: exceedance}),
        }

    def _scaled(self, value: float) -> float:
        return math.log(max(value, math.ulp(0.0))) if self.log else value


def predict(
    values: Sequence[float],
    groups: Sequence[int],
    group: int,
    times: Sequence[float] | None = None,
    time: float = 0.0,
) -> Prediction:
    """Predict the value that follows n others.

    Args:
        values: n finite values, in any order.
        groups: a whole number for each, such as its weekday; each group has a mean of its own.
        group: that of the value to come; `ValueError` if no value has it.
        times: when each was, in any unit, for a straight trend that all groups share; None: no trend.
        time: when the value to come is.

    """
    import numpy as np

    y, of = np.asarray(values, dtype=np.float64), np.asarray(groups)
    kinds = np.unique(of)
    alike = int(np.sum(of == group))
    if not alike:
        message = f"no value of group {group}"
        raise ValueError(message)
    design = (of[:, None] == kinds).astype(np.float64)
    target = (kinds == group).astype(np.float64)
    if times is not None:
        # Centred and scaled: seconds since 1970 would make the columns nearly dependent.
        moments = np.asarray(times, dtype=np.float64)
        scale = float(np.ptp(moments)) or 1.0
        design = np.column_stack([design, (moments - moments.mean()) / scale])
        target = np.append(target, (time - moments.mean()) / scale)
    freedom = len(y) - int(np.linalg.matrix_rank(design))
    if freedom < 1:
        message = f"{len(y)} values leave nothing to estimate their spread from"
        raise ValueError(message)
    # About the mean, so that a large level costs no digits of a small spread.
    centre = float(y.mean())
    coefficients, *_ = np.linalg.lstsq(design, y - centre, rcond=None)
    residuals = y - centre - design @ coefficients
    expected = centre + float(target @ coefficients)
    spread = math.sqrt(float(residuals @ residuals) / freedom)
    resolution = _SAME * float(np.max(np.abs(y)))
    if spread <= resolution:
        # Of values that are all equal every one is a witness, whatever its group.
        witnesses = len(y) if float(np.ptp(y)) <= resolution else alike
        return Prediction(expected, 0.0, freedom, witnesses, resolution)
    weights = np.linalg.pinv(design).T @ target
    error = spread * math.sqrt(1.0 + float(weights @ weights))
    return Prediction(expected, error, freedom, alike, resolution)


def tells_weekdays(days: Sequence[int]) -> bool:
    """Whether values of these days can show a weekly pattern: over three weeks, and mostly less than a week apart."""
    import numpy as np

    known = np.unique(np.asarray(days))
    if len(known) < 2:  # noqa: PLR2004 - one day has no distance to another
        return False
    return bool(np.ptp(known) >= _LEAST_SPAN_DAYS and np.median(np.diff(known)) < WEEK)
