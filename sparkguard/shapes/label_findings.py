"""What is wrong with labels, and in words: labels that equal rows dispute, and labels that a model doubts."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sparkguard.core.finding import Violation
from sparkguard.core.text import count, few, hides, percent, short
from sparkguard.measures.conflicts import ConflictHashesAnswer, Conflicts, ConflictsAnswer
from sparkguard.measures.labels import Chances, ConfidentAnswer, Doubt, Doubts
from sparkguard.shapes.balance import Balance, Number
from sparkguard.stats import confident

CONFLICTING, DOUBTED = "conflicting_label", "doubted_label"
"""Kinds of evidence."""
_SHOWN = 3
REMEDIES = {
    "classes": "find out whether the labels have landed, and whether the join that brought them kept all",
    "new_classes": "look for another spelling of a known class; else train a model that knows it",
    "missing_classes": "find out whether labels of this class have landed",
    "rare_classes": "collect more rows of these classes, or put them together",
    "l_infinity_distance": "find out whether the world changed or only the labels; if it did, weight or train anew",
    "least_error": "correct the labels in the evidence, or add the feature that tells these rows apart",
    "rows_per_feature": "collect more rows, or leave out features that tell little",
    **dict.fromkeys(
        ("doubted_labels", "doubted_rate", "estimated_error_rate"),
        "look at the rows in doubt: where and when do they come from, and who labelled them; if most are in doubt, "
        "whether score is the probability of the class that is meant",
    ),
    "unscored_rows": "score all rows, by a model that has not learnt from them: each probability from 0 to 1, "
    "of all classes 1 together",
}
UNDECIDED = "compare more rows, of a longer window or of more clusters, or choose a bound that is farther away"


@dataclass(frozen=True)
class Doubted:
    """Labels against the classes that a model is confident of; some of those in doubt, the surest first.

    `rest` is what the class is called that a single probability leaves; `rows` are those with a label and
    probabilities, by class; `others` the classes that no probability names; `shown` are the columns that name a row.
    """

    chances: Chances
    rest: str
    confident: ConfidentAnswer
    worst: tuple[Doubt, ...]
    rows: tuple[int, ...]
    unscored: int
    others: Sequence[str]
    shown: tuple[str, ...]

    def name(self, place: int) -> str:
        """A class by its number."""
        if self.chances.single:
            return (self.rest, self.chances.names[0])[place]
        return self.chances.names[place]

    @property
    def total(self) -> int:
        """Labels in doubt."""
        return sum(self.confident.doubted.values())

    @property
    def estimated(self) -> float:
        """The share of wrong labels by confident learning."""
        counts = np.zeros((self.chances.many,) * 2)
        for (label, told), rows in self.confident.rows.items():
            counts[label, told] = rows
        return confident.error_rate(counts, np.array(self.rows, np.float64))

    def of_class(self, name: str) -> int | None:
        """Labels of a class that are in doubt; None if the class has no probability of its own."""
        places = [i for i in range(self.chances.many) if self.name(i) == name]
        return sum(n for (i, _), n in self.confident.doubted.items() if i == places[0]) if places else None

    @property
    def numbers(self) -> Mapping[str, Number]:
        """The quantities."""
        rows = sum(self.rows)
        return {
            "doubted_labels": (self.total if rows else math.nan,),
            "doubted_rate": (self.total / rows if rows else math.nan,),
            "estimated_error_rate": (self.estimated,),
            "unscored_rows": (self.unscored,),
        }

    def told(self, *, named: bool) -> str:
        """`12 labels in doubt (0.4 %): 9 of a that may be b, 3 of b that may be a`."""
        apart = "" if self.chances.single or not self.others or not named else f", also of {few(self.others, _SHOWN)}"
        rest = f"; {count(self.unscored, 'row')} without probabilities{apart}" if self.unscored else ""
        if not sum(self.rows):
            return f"no label can be doubted{rest}"
        if not self.total:
            return f"no label of {count(sum(self.rows), 'row')} in doubt{rest}"
        kinds = sorted(self.confident.doubted.items(), key=lambda one: -one[1])
        which = few([f"{n:,} of {self.name(i)} that may be {self.name(j)}" for (i, j), n in kinds], _SHOWN)
        share = percent(self.total / sum(self.rows))
        return f"{count(self.total, 'label')} in doubt ({share}){f': {which}' if named else ''}{rest}"

    def violations(self, redact: Sequence[str]) -> Iterator[Violation]:
        """Rows whose label is in doubt; a probability that is kept out is not told."""
        hidden = any(hides(redact, column.name) for column in self.chances.columns)
        for doubt in self.worst:
            sure = self.name(doubt.told) + ("" if hidden else f", probability {short(doubt.chance)}")
            key = dict(zip(self.shown, doubt.shown, strict=True))
            yield Violation(DOUBTED, key, Doubts.reason, expected=sure, actual=doubt.label, count=1)


@dataclass(frozen=True)
class Disputed:
    """Rows of equal features whose labels differ."""

    features: tuple[str, ...]
    hashes: ConflictHashesAnswer
    found: ConflictsAnswer | None

    @property
    def numbers(self) -> Mapping[str, Number]:
        """The quantities."""
        rows, found = self.hashes.rows, self.found
        mistakes = 0 if found is None else found.mistakes
        return {
            "repeated_rows": (math.nan if self.hashes.repeated is None else self.hashes.repeated,),
            "conflicting_rows": (0 if found is None else found.rows,),
            "least_error": (mistakes / rows if rows else math.nan,),
        }

    @property
    def told(self) -> str:
        """What equal rows say of the labels."""
        rows, repeated = self.hashes.rows, self.hashes.repeated
        if repeated == 0:
            return f"no two of {count(rows, 'row')} have equal features, so no labels could conflict"
        if self.found is None or not self.found.rows:
            if repeated is None:
                return "no equal features have different labels"
            return f"equal features have equal labels in all of {count(repeated, 'row')} that repeat"
        error = percent(self.found.mistakes / rows)
        return (
            f"{count(self.found.rows, 'row')} have features that other rows have with another label, "
            f"so that no model of these features errs in less than {error}"
        )

    def violations(self, redact: Sequence[str]) -> Iterator[Violation]:  # noqa: ARG002 - doubts need it
        """Features with several labels, the worst first."""
        for one in () if self.found is None else self.found.top:
            key = dict(zip(self.features, one.values, strict=False))
            labels = ", ".join(f"{count(n, 'row')} of {label}" for label, n in one.labels)
            yield Violation(CONFLICTING, key, Conflicts.reason, actual=labels, count=one.rows)


@dataclass(frozen=True)
class LabelFindings:
    """All that was found; classes with `fewest` rows or more are not rare, and so many `features` there are."""

    balance: Balance
    disputed: Disputed | None
    doubted: Doubted | None
    fewest: int
    features: int

    @property
    def numbers(self) -> Mapping[str, Number]:
        """The quantities of the whole."""
        found = dict(self.balance.numbers(self.fewest))
        for part in (self.disputed, self.doubted):
            found |= {} if part is None else part.numbers
        if self.features:
            found["features"], found["rows_per_feature"] = (self.features,), (self.balance.learnt / self.features,)
        return found

    def told(self, *, named: bool) -> str:
        """The whole in words."""
        words = [*self.balance.told(self.fewest, named=named)]
        words += [] if self.disputed is None else [self.disputed.told]
        words += [] if self.doubted is None else [self.doubted.told(named=named)]
        if self.features:
            each = self.balance.learnt / self.features
            rows = f"{each:,.0f}" if each >= 10 else short(each)  # noqa: PLR2004 - digits
            whose = "training rows" if self.balance.trained else "rows"
            words.append(f"{rows} {whose} for each of {count(self.features, 'feature')}")
        return "; ".join(words)

    def doubted_of(self, name: str) -> int | None:
        """Labels of a class that are in doubt."""
        return None if self.doubted is None else self.doubted.of_class(name)

    def violations(self, redact: Sequence[str], *, named: bool) -> Iterator[Violation]:
        """The worst rows; without the names of classes if they are kept out."""
        for part in (self.disputed, self.doubted):
            for one in () if part is None else part.violations(redact):
                yield one if named else replace(one, expected=None, actual=None)
