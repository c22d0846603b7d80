"""The fields by which a check names a metric and the columns that it is of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from sparkguard.core.check import Check
from sparkguard.core.columns import Column
from sparkguard.core.evidence import Evidence
from sparkguard.core.text import count, did_you_mean
from sparkguard.core.types import can_be_key, common_type, is_float, is_number, is_text
from sparkguard.errors import DataError
from sparkguard.measures.classes import class_name
from sparkguard.measures.labels import MOST_CHANCES
from sparkguard.measures.scenarios import Scenarios
from sparkguard.measures.scored import AllChances, ScoredRows
from sparkguard.measures.scored_cells import EPSILON, FLOAT_EPSILON
from sparkguard.measures.splits import Part, Splits
from sparkguard.shapes.metrics import METRICS, Averaging, Metric, Wanted
from sparkguard.shapes.scoring import Scoring
from sparkguard.shapes.split_questions import named_parts

Name = Annotated[str, Field(min_length=1)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
"""A number that is neither NaN nor infinite: such a limit would never be broken."""
_DEFAULT_THRESHOLD = 0.5
_OF_ALL = ("log_loss", "brier_score")
"""Metrics of the probabilities of all classes, if these are given."""


def _metric(raw: object) -> str:
    if raw not in METRICS:
        message = f"'{raw}' is not a metric{did_you_mean(str(raw), METRICS)}"
        raise ValueError(message)
    return str(raw)


def _class(raw: object) -> object:
    return class_name(raw) if isinstance(raw, bool | int | float) else raw


MetricField = Annotated[str, BeforeValidator(_metric), WithJsonSchema({"enum": list(METRICS)})]
"""The name of a metric."""
ClassField = Annotated[
    str, BeforeValidator(_class), WithJsonSchema({"type": ["string", "number", "boolean"]}), Field(min_length=1)
]
"""The name of a class: a text, a number, true or false."""


class ScoringCheck(Check):
    """A check of predictions by one metric."""

    label: Name
    """The column that holds the truth."""
    prediction: Name | None = None
    """The column with the predicted class, or the predicted number."""
    score: Name | None = None
    """The column with the probability of the positive class, or another number that is higher the likelier it is."""
    probabilities: dict[Name, Name] = {}
    """For log_loss and brier_score of all classes: the column with the probability of each."""
    metric: MetricField
    """The metric: accuracy, balanced_accuracy, precision, recall, f1, roc_auc, average_precision, log_loss,
    brier_score, calibration_error, rmse, mae, mape, r2 or pinball_loss."""
    average: Averaging = "binary"
    """How precision, recall and f1 treat classes: `binary` (of the positive one), `macro` (their mean), `weighted`
    (by their rows), `micro` (all rows as one), or `by_class`: the worst class is judged."""
    positive: ClassField | None = None
    """The positive class; by default 1 or true."""
    threshold: Finite | None = None
    """From which score on a row is predicted positive, for metrics of classes without a prediction (default: 0.5)."""
    alpha: float = Field(default=0.5, gt=0, lt=1)
    """The quantile that pinball_loss is of."""
    bins: int = Field(default=10, ge=1, le=1_000)
    """Bins of equal width for calibration_error."""
    area: Literal["exact", "binned"] = "exact"
    """Whether roc_auc and average_precision order all scores, or tell equal shares of them apart, with a margin."""
    weight: Name | None = None
    """The column with the weight of a row; it is not negative."""
    cluster: tuple[Name, ...] = ()
    """What rows belong to that depend on each other (user_id, day, destination): intervals count these, not rows."""
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    """The confidence of the intervals."""

    @property
    def metrics(self) -> tuple[str, ...]:
        """All metrics that it asks for."""
        return (self.metric,)

    @property
    def quantities(self) -> frozenset[str]:
        """Those of its type; `value`, `lower` and `upper` stand for each metric and the ends of its interval."""
        ends = {"value": "", "lower": "_lower", "upper": "_upper"}
        named = {f"{metric}{end}" for metric in self.metrics for name, end in ends.items() if name in self.QUANTITIES}
        return frozenset({*self.QUANTITIES, *named} - {*ends})

    @property
    def about(self) -> tuple[str, ...]:
        """The label, and what was told of it."""
        return (self.label, *(self._chances if self.of_all else (self.told,)))

    @property
    def _metric(self) -> Metric:
        return METRICS[self.metric]

    @property
    def told(self) -> str:
        """The column that the metric is of, besides the label; of many the first."""
        if self.of_all:
            return self._chances[0]
        by_score = self._metric.family in ("areas", "probabilities") or self.prediction is None
        return str(self.score if by_score else self.prediction)

    @property
    def _chances(self) -> tuple[str, ...]:
        return tuple(self.probabilities.values())

    @property
    def of_all(self) -> bool:
        """Whether the metric is of the probabilities of all classes."""
        return bool(self.probabilities) and self.metric in _OF_ALL

    @property
    def _thresholded(self) -> bool:
        return self._metric.family == "classes" and self.prediction is None

    @property
    def higher_is_better(self) -> bool:
        """Which way the metric is better."""
        return self._metric.higher_is_better

    def lacks(self) -> Iterator[str]:
        """What the metric needs and is not given."""
        family = self._metric.family
        if self.of_all:
            return
        if family in ("areas", "probabilities") and self.score is None:
            yield f"{self.metric} is of a score: give score, the column of the probability of the positive class"
        if family == "errors" and self.prediction is None:
            yield f"{self.metric} is of a predicted number: give prediction"
        if family == "classes" and self.prediction is None and self.score is None:
            yield f"{self.metric} is of a predicted class: give prediction, or score with a threshold"

    def _mistakes(self) -> Iterator[str]:
        """What contradicts what, in the words of the fields; a type adds its own."""
        yield from self.lacks()
        kinds = [METRICS[name] for name in self.metrics]
        families = {kind.family for kind in kinds}
        thresholded = "classes" in families and self.prediction is None
        one_class = any(kind.averaged for kind in kinds) and self.average == "binary"
        used = {
            "average": any(kind.averaged for kind in kinds),
            "positive": (bool(families & {"areas", "probabilities"}) and not self.of_all) or thresholded or one_class,
            "probabilities": bool({*_OF_ALL} & {*self.metrics}),
            "threshold": thresholded,
            "alpha": "pinball_loss" in self.metrics,
            "bins": "calibration_error" in self.metrics,
            "area": "areas" in families,
        }
        for name, uses in used.items():
            if name in self.model_fields_set and not uses:
                other = " with prediction" if name == "threshold" and self._metric.family == "classes" else ""
                yield f"{self.metric}{other} does not use {name}; leave it out"
        if self._thresholded and self.average != "binary":
            yield f"average: {self.average} is of predicted classes: give prediction"
        yield from mistaken_chances(self.score if self.of_all else None, self.probabilities)
        if self.label in self.about[1:]:
            yield f"'{self.label}' is the label; what was told of it is another column"
        if len(set(self.cluster)) < len(self.cluster):
            yield f"cluster names a column twice: {', '.join(self.cluster)}"

    def scoring(
        self, seen: Evidence, sets: Splits | Scenarios, rival: str | None = None, folds: Sequence[str] = ()
    ) -> Scoring:
        """The questions about the metric of these sets; `DataError` if the columns do not suit it.

        With `rival`, a column of what another model told, of the rows that both models told something of. `folds`
        are the columns by whose values rows are left out together where there is no cluster.
        """
        family, of = self._metric.family, sets.scored
        labels, told = self._columns(seen, of, self.label), self._columns(seen, of, self.told)
        told_class = family == "classes" and not self._thresholded
        if family == "errors":
            label = _numbers(of, labels, "label")
        else:
            label = class_part(str(of), (*labels, *told) if told_class else labels, labels)
        threshold = (_DEFAULT_THRESHOLD if self.threshold is None else self.threshold) if self._thresholded else None
        chances = self._chances_of(seen, of, label) if self.of_all else None
        scores = (*told, *(column for part in (chances.others if chances else ()) for column in part.columns))
        epsilon = FLOAT_EPSILON if all(column.type == "float" for column in scores) else EPSILON
        options = (threshold, self.alpha, self.bins, epsilon, self.confidence)
        wanted = Wanted(self.metric, self.average, "1", *options, of_all=self.of_all)
        if wanted.binary:
            wanted = replace(wanted, positive=positive_class(label, self.positive, averaged=self._metric.averaged))
        rows = ScoredRows(
            sets,
            label,
            Part(told, label.type) if told_class else _numbers(of, told, "score" if self.score else "prediction"),
            weight=None if self.weight is None else _numbers(of, self._columns(seen, of, self.weight), "weight"),
            rival=None if rival is None else Part(self._columns(seen, of, rival), "string"),
            cluster=named_parts(seen, of, self.cluster or folds, "cluster"),
            numeric=family == "errors",
            told_class=told_class,
            probability=family == "probabilities",
            binary=wanted.binary and self.positive is None and is_number(label.type),
            chances=chances,
        )
        return Scoring(wanted, rows, self.area == "exact", by_key=bool(folds) and not self.cluster)

    def _chances_of(self, seen: Evidence, sets: Splits, label: Part) -> AllChances:
        classes = named_classes(label, tuple(self.probabilities))
        others = (_numbers(sets, self._columns(seen, sets, name), "probability") for name in self._chances[1:])
        return AllChances(classes, tuple(others), self.metric == "brier_score")

    def _columns(self, seen: Evidence, sets: Splits, name: str) -> tuple[Column, ...]:
        return tuple(seen.schema(source).column(name) for source in sets.sources)


def mistaken_chances(score: str | None, probabilities: Mapping[str, str]) -> Iterator[str]:
    """What is wrong with the columns of the probabilities of all classes, in the words of the fields."""
    if not probabilities:
        return
    if score is not None:
        yield "give score, for one class against the rest, or probabilities, a column for each class"
    if not 2 <= len(probabilities) <= MOST_CHANCES:  # noqa: PLR2004 - a choice
        named = count(len(probabilities), "class", "classes")
        yield f"probabilities names {named}; from 2 to {MOST_CHANCES} are possible"
    doubled = sorted(name for name, times in Counter(probabilities.values()).items() if times > 1)
    if doubled:
        yield f"probabilities names a column for two classes: {', '.join(doubled)}"


def named_classes(label: Part, names: Sequence[str]) -> tuple[str, ...]:
    """Classes as those of the label's type are named; `DataError` if two of them are one."""
    classes = tuple(positive_class(label, name) for name in names)
    if len(set(classes)) < len(classes):
        message = f"probabilities names a class twice: {', '.join(names)}"
        raise DataError(message, "name each class once")
    return classes


def positive_class(label: Part, given: str | None, *, averaged: bool = False) -> str:
    """The positive class as classes of the label's type are named; `DataError` if it has none such."""
    if label.type == "boolean":
        found = {None: "true", "1": "true", "0": "false"}.get(given, str(given).lower())
        if found in ("true", "false"):
            return found
    elif is_number(label.type):
        try:
            return _number_class("1" if given is None else given, label.type)
        except (ValueError, ArithmeticError):
            pass
    elif given is not None:
        return given
    else:
        message = f"'{label.name}' is {label.type}, and nobody said which of its classes is positive"
        other = ", or how classes are averaged: average: macro" if averaged else ""
        raise DataError(message, f"write positive: and the class{other}")
    message = f"'{given}' is no {label.type}, as '{label.name}' is"
    raise DataError(message, "name a class as the label has it")


def _number_class(text: str, kind: str) -> str:
    """The name that a class of this number has in a type."""
    return class_name(float(text) if is_float(kind) else Decimal(text))


def _numbers(sets: Splits, columns: Sequence[Column], what: str) -> Part:
    """Columns that are numbers, read as doubles; truth values are 0 and 1."""
    for column, source in zip(columns, sets.sources, strict=True):
        if not (is_number(column.type) or column.type == "boolean"):
            message = f"the {what} '{column.name}' of '{source}' is {column.type}, and a number is needed"
            raise DataError(message, "name another column, or cast it in the dataset's sql")
    return Part(tuple(columns), "double")


def class_part(where: str, columns: Sequence[Column], labels: tuple[Column, ...]) -> Part:
    """Columns that are classes, in the type in which they compare: equal numbers of any type are one class."""
    kinds = list(dict.fromkeys(column.type for column in columns))
    if all(is_text(kind) for kind in kinds):
        return Part(labels, "string")
    if all(is_number(kind) or kind == "boolean" for kind in kinds):
        exact = kinds[0]
        for kind in kinds[1:]:
            exact = common_type(exact, kind) or "double"
        return Part(labels, "double" if exact == "float" else exact)
    if len(kinds) == 1 and can_be_key(kinds[0]):
        return Part(labels, kinds[0])
    listed = " and ".join(f"'{column.name}' is {column.type}" for column in dict.fromkeys(columns))
    message = f"classes of {where} cannot be compared: {listed}"
    raise DataError(message, "cast them to one type in a dataset's sql")
