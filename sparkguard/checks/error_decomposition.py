"""Where does the error come from: bias, variance, distribution shift, or overfitting of the validation set?"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import ClassVar, cast

from pydantic import Field, field_validator

from sparkguard.core.check import Run
from sparkguard.core.evidence import Evidence
from sparkguard.core.fields import Bounds, WindowField
from sparkguard.core.finding import Finding, Quantity, Status
from sparkguard.core.measure import Answer, Measure
from sparkguard.core.source import Source
from sparkguard.core.text import did_you_mean
from sparkguard.core.threshold import Bound
from sparkguard.measures.scored import Fate
from sparkguard.measures.splits import Splits, split_name
from sparkguard.shapes.decomposition import ROLES, TERMS, Role, decomposed
from sparkguard.shapes.scoring_fields import Finite, Name, ScoringCheck
from sparkguard.shapes.scoring_words import refused, rows
from sparkguard.stats.intervals import Interval, difference_interval

_LEAST = 2


class ErrorDecomposition(ScoringCheck):
    """Splits the test error into what is irreducible, avoidable bias, variance, shift and validation overfitting.

    The error of a set is its metric where lower is better, else what the metric lacks to 1. From set to set it
    grows: from the irreducible error to `train` by avoidable bias, to unseen rows of the same source
    (`train_validation`) by variance, to rows of the test's source (`test_validation`) by distribution shift, and to
    rows on which nothing was tuned (`test`) by validation overfitting. A set that is not given leaves its terms
    unknown; what they are together is told. The message names the largest term, the remedy the next steps in their
    order. It passes unless a bound on a term says otherwise.

    Cost: as a metric gate of the sets: one read, r2 two, roc_auc and average_precision three.

    Blind to: why a term is large (slice_errors); labels that are wrong, which look irreducible; sets that share
    rows or entities (split_overlap), whose variance looks small.

    Example:
        >>> from sparkguard.testing import judge
        >>> errors = {"train": 5, "val": 20, "new": 30}
        >>> table = [{"part": p, "y": 1, "told": int(i >= n)} for p, n in errors.items() for i in range(100)]
        >>> check = ErrorDecomposition(id="why", dataset="t", split="part", label="y", prediction="told",
        ...     metric="accuracy", irreducible=0.02,
        ...     sets={"train": "train", "train_validation": "val", "test_validation": "new"})
        >>> [finding] = judge(check, {"t": table})
        >>> finding.message.partition("; ")[0]
        'the error of test_validation is 0.3: 0.02 irreducible + 0.03 avoidable bias (0.0015 to 0.092) + 0.15 variance (0.061 to 0.24) + 0.1 distribution shift (-0.019 to 0.22)'
        >>> [round(finding.quantities[name].value, 2) for name in ("avoidable_bias", "variance", "distribution_shift")]
        [0.03, 0.15, 0.1]
    """  # noqa: E501 - a message is one line

    QUANTITIES: ClassVar[Mapping[str, str]] = {
        "irreducible_error": "the error that no model avoids, as given",
        "avoidable_bias": "the error of train beyond it",
        "variance": "how much larger the error of train_validation is than that of train",
        "distribution_shift": "how much larger that of test_validation is than that of train_validation",
        "validation_overfitting": "how much larger that of test is than that of test_validation",
        **{f"{term}_lower": f"the lower end of the interval of {term}" for term in TERMS},
        **{f"{term}_upper": f"the upper end of the interval of {term}" for term in TERMS},
        **{f"{role}_error": f"the error of {role}" for role in ROLES},
        "unlabelled_rows": "rows of the sets whose label is NULL, NaN or infinite",
        "unscored_rows": "rows of the sets with a label and without a prediction",
        "evaluated_rows": "rows of the sets that the metric is of",
    }
    COST: ClassVar[str] = "1 scan of the sets; r2 2; roc_auc and average_precision 3 and a shuffle of different scores"

    dataset: str | None = Field(default=None, examples=["path=data/scored,time_column=ts"])
    """The dataset with all sets; on the command line also the dataset itself."""
    split: Name | None = None
    """The column of dataset whose values tell the set."""
    sets: dict[str, str] = Field(examples=["train=train,train_validation=val_a,test_validation=val_b,test=later"])
    """Which set is what: train, train_validation, test_validation and test, with the value of split, or a dataset."""
    window: WindowField | None = Field(default=None, examples=["end=2026-01-31,length=30d"])
    """Half-open stretch of the dataset's time column: {end, length} or {start, end}."""
    irreducible: Finite | None = Field(default=None, ge=0)
    """The error that no model avoids, for instance that of people."""
    error_if: Bounds = {"unscored_rows": Bound(">", 0.0)}
    """Bounds on the quantities whose breach fails the check."""

    @field_validator("sets", mode="before")
    @classmethod
    def _texts(cls, raw: object) -> object:
        return {k: split_name(v) for k, v in raw.items()} if isinstance(raw, Mapping) else raw

    @property
    def datasets(self) -> tuple[Source, ...]:
        """The one dataset, or that of each set."""
        if self.dataset is not None:
            return (Source(self.dataset, self.window),)
        return tuple(Source(self.sets[role]) for role in self._roles)

    def ask(self, seen: Evidence) -> Iterable[Measure[Answer]]:
        """Ask for the metric of each set."""
        return self.scoring(seen, self._splits(seen)).ask(seen)

    def judge(self, seen: Evidence, run: Run) -> tuple[Finding, ...]:  # noqa: ARG002 - no date is needed
        """One finding on all sets."""
        scoring, roles = self.scoring(seen, self._splits(seen)), self._roles
        found = scoring.found(seen)
        scores = dict(zip(roles, found, strict=True))
        gaps = {}
        for (i, one), (j, other) in pairwise(enumerate(roles)):
            value = scores[other].estimate.value - scores[one].estimate.value
            interval = difference_interval(value, scoring.gap(seen, i, j), self.confidence)
            higher = self.higher_is_better
            gaps[one, other] = Interval(-interval.high, -interval.low) if higher else interval
        parts = decomposed(scores, gaps, math.nan if self.irreducible is None else self.irreducible)
        fates = {fate: sum(score.fates.get(fate, 0) for score in found) for fate in Fate}
        counts = {"unlabelled_rows": fates[Fate.UNLABELLED], "unscored_rows": fates[Fate.UNSCORED]}
        finding = Finding(
            Status.PASS,
            "",
            quantities={**parts.quantities, **{name: Quantity(n) for name, n in counts.items()}},
            evaluated_rows=fates[Fate.JUDGED],
            columns=self.about,
            source=self.datasets[0],
        )
        wrong = next((w for s in found if (w := refused(self, s.fates, s.name))), None)
        if wrong is not None:
            return (replace(finding, status=Status.ERROR, message=wrong.reason, remedy=wrong.remedy),)
        empty = [self._named(role) for role, score in scores.items() if not score.judged]
        if empty:
            nothing = f"no row of {' and '.join(empty)} has a label and a prediction"
            return (self.verdict(replace(finding, evaluated_rows=0), passed=nothing, failed="", nothing=nothing),)
        undefined = [self._named(role) for role, score in scores.items() if math.isnan(score.estimate.value)]
        if undefined:
            message = f"{self.metric} of {' and '.join(undefined)} is not defined"
            return (replace(finding, status=Status.ERROR, message=message),)
        quantities = {**finding.quantities, "evaluated_rows": Quantity(fates[Fate.JUDGED])}
        sentence = f"{parts.sentence}; {rows(fates)}"
        bare = replace(finding, evaluated_rows=None, quantities=quantities)
        verdict = self.verdict(bare, passed=sentence, failed="", remedy=parts.remedy)
        return (replace(verdict, evaluated_rows=fates[Fate.JUDGED], remedy=parts.remedy),)

    @property
    def _roles(self) -> tuple[Role, ...]:
        """The sets that are given, in their order."""
        return tuple(role for role in ROLES if role in self.sets)

    def _named(self, role: str) -> str:
        return f"{role} ('{self.sets[role]}')"

    def _splits(self, seen: Evidence) -> Splits:
        if self.dataset is None:
            return Splits(self._roles, self.datasets)
        column = seen.schema(self.datasets[0]).column(str(self.split))
        return Splits(tuple(self.sets[role] for role in self._roles), self.datasets, column)

    def _mistakes(self) -> Iterator[str]:
        """What contradicts what, in the words of the fields."""
        yield from super()._mistakes()
        for role in self.sets:
            if role not in ROLES:
                yield f"sets: '{role}' is no set{did_you_mean(role, cast('tuple[str, ...]', ROLES))}"
        if (self.dataset is None) != (self.split is None):
            yield "dataset and split go together: the values of split are the sets; else each set is a dataset"
        if self.dataset is None and self.window is not None:
            yield "a window is for one dataset; cut the datasets of sets by their where"
        if len(set(self.sets.values())) < len(self.sets):
            yield "two of sets are the same rows"
        if len(self.sets) < _LEAST and not ("train" in self.sets and self.irreducible is not None):
            yield "one set has no difference to another: give two sets, or train and irreducible"
        if self.average == "by_class":
            yield "average: by_class has another worst class in each set; write macro"
