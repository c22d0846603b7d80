"""Where the error of a model comes from: the differences between the errors of four sets, and what to do next.

As in Deep Learning course notes of Full Stack Deep Learning (Troubleshooting, 2021), after A. Ng, Machine Learning
Yearning (2018): test error = irreducible error + bias + variance + distribution shift + validation overfitting.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from sparkguard.core.finding import Quantity
from sparkguard.core.text import number, short
from sparkguard.shapes.scoring import SetScore
from sparkguard.shapes.scoring_words import with_ends
from sparkguard.stats.intervals import UNKNOWN, Interval

Role = Literal["train", "train_validation", "test_validation", "test"]
ROLES: tuple[Role, ...] = ("train", "train_validation", "test_validation", "test")
"""Trained on; of the same source, unseen; of the test's source, tuned on; of the test's source, unseen."""
TERMS = ("avoidable_bias", "variance", "distribution_shift", "validation_overfitting")
"""What the error grows by, from the irreducible one to that of train, and on from role to role."""
STEPS: Mapping[str, str] = {
    "avoidable_bias": "underfitting: a larger model, less regularisation, better features, another architecture",
    "variance": "overfitting: more training data, more regularisation, augmentation, a smaller model",
    "distribution_shift": "distribution shift: look at the errors of test_validation, collect such training data",
    "validation_overfitting": "rebalancing: a new or larger validation set, since this one was tuned on",
}
"""The next step by term, in the order in which they are taken."""
_WORDS = {name: name.replace("_", " ") for name in TERMS}


@dataclass(frozen=True)
class Term:
    """What one step adds to the error; NaN where a set is missing."""

    name: str
    value: float
    interval: Interval = UNKNOWN

    @property
    def sure(self) -> bool:
        """Whether it is more than chance; without an interval whether it is there at all."""
        return self.value > 0 and not self.interval.low <= 0

    def __str__(self) -> str:
        """`0.03 variance (0.01 to 0.05)`."""
        if math.isnan(self.value):
            return f"unknown {_WORDS[self.name]}"
        low, high = (short(end, 2) for end in (self.interval.low, self.interval.high))
        known = "" if math.isnan(self.interval.low) else f" ({low} to {high})"
        return f"{short(self.value)} {_WORDS[self.name]}{known}"


@dataclass(frozen=True)
class Decomposition:
    """The errors by role, the terms between them, and the irreducible error (NaN: unknown)."""

    errors: Mapping[Role, float]
    terms: tuple[Term, ...]
    irreducible: float

    @property
    def quantities(self) -> Mapping[str, Quantity]:
        """The terms, which add up to the test error, with their intervals, and the errors."""
        found = {"irreducible_error": Quantity(self.irreducible)}
        for term in self.terms:
            found |= with_ends(term.name, term.value, term.interval)
        return found | {f"{role}_error": Quantity(self.errors.get(role, math.nan)) for role in ROLES}

    @property
    def sentence(self) -> str:
        """The sum in words, the largest term, and the next steps in order."""
        last = [role for role in ROLES if not math.isnan(self.errors.get(role, math.nan))][-1]
        known = [] if math.isnan(self.irreducible) else [f"{number(self.irreducible)} irreducible"]
        upto = self.terms[: ROLES.index(last) + 1]
        parts = " + ".join([*known, *map(str, upto)])
        told = f"the error of {last} is {short(self.errors[last], 4)}: {parts}"
        told += "".join(f"; {gap}" for gap in self._together())
        there = [term for term in self.terms if term.value > 0]
        if not there:
            return told if any(math.isnan(term.value) for term in self.terms) else f"{told}; no part is above 0"
        largest = max(there, key=lambda term: term.value)
        steps = [term for term in self.terms if term.sure]
        next_steps = "" if steps else "; none is more than chance"
        return f"{told}; the largest is {_WORDS[largest.name]}{next_steps}"

    @property
    def remedy(self) -> str | None:
        """What to do, in the order in which it is done."""
        steps = [STEPS[term.name] for term in self.terms if term.sure]
        return "; then ".join(steps) or None

    def _together(self) -> Iterator[str]:
        """Terms that are unknown by themselves, and known together."""
        errors = (self.irreducible, *(self.errors.get(role, math.nan) for role in ROLES))
        at = [i for i, error in enumerate(errors) if not math.isnan(error)]
        for one, other in pairwise(at):
            if other - one > 1:
                names = " and ".join(_WORDS[name] for name in TERMS[one:other])
                yield f"{names} together {short(errors[other] - errors[one])}, since there is no {ROLES[one]}"


def decomposed(
    scores: Mapping[Role, SetScore], gaps: Mapping[tuple[Role, Role], Interval], irreducible: float
) -> Decomposition:
    """The terms from the metrics of the sets that there are."""
    errors = {role: error_of(score) for role, score in scores.items()}
    before: Sequence[float] = (irreducible, *(errors.get(role, math.nan) for role in ROLES))
    terms = [Term(TERMS[0], before[1] - before[0], _shifted(scores.get("train"), irreducible))]
    for name, (one, other) in zip(TERMS[1:], pairwise(ROLES), strict=True):
        value = errors.get(other, math.nan) - errors.get(one, math.nan)
        terms.append(Term(name, value, UNKNOWN if math.isnan(value) else gaps.get((one, other), UNKNOWN)))
    return Decomposition(errors, tuple(terms), irreducible)


def error_of(score: SetScore) -> float:
    """What is lacking to 1 where higher is better, else the metric itself."""
    value = score.estimate.value
    return 1 - value if score.estimate.wanted.metric.higher_is_better else value


def _shifted(score: SetScore | None, irreducible: float) -> Interval:
    """The interval of a set's error, from the irreducible one."""
    if score is None:
        return UNKNOWN
    found = score.estimate.interval
    if score.estimate.wanted.metric.higher_is_better:
        found = Interval(1 - found.high, 1 - found.low)
    return Interval(found.low - irreducible, found.high - irreducible)
