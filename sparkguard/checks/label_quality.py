"""Are the labels fit to learn from?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import ClassVar

from pydantic import Field

from sparkguard.core.check import Run, SourceCheck
from sparkguard.core.columns import Column
from sparkguard.core.evidence import Evidence
from sparkguard.core.fields import Bounds, ColumnsField, Like, VersionedField
from sparkguard.core.finding import EvidenceQuery, Finding, Quantity, Status
from sparkguard.core.measure import Answer, Measure
from sparkguard.core.source import Source
from sparkguard.core.text import count, hides
from sparkguard.core.threshold import Bound, decide
from sparkguard.core.types import can_be_grouped, is_number
from sparkguard.errors import DataError
from sparkguard.measures.labels import Chances
from sparkguard.measures.splits import MOST_SHOWN, Part, Splits
from sparkguard.shapes.balance import ClassShare
from sparkguard.shapes.label_findings import CONFLICTING, DOUBTED, REMEDIES, UNDECIDED, LabelFindings
from sparkguard.shapes.label_questions import LabelQuestions
from sparkguard.shapes.scoring_fields import (
    ClassField,
    Name,
    class_part,
    mistaken_chances,
    named_classes,
    positive_class,
)
from sparkguard.shapes.split_questions import named_parts

_MOST_FEATURES = 2_000
"""Features of which conflicts are looked for: of 3,000 columns of a key Spark's planner has its stack overflow."""
_MOST_RESULTS = 100
"""Classes with a result of their own."""
_OF_TRAINING = ("new_classes", "missing_classes", "l_infinity_distance")
_OF_CONFLICTS = ("repeated_rows", "conflicting_rows", "least_error")
_OF_CHANCES = ("doubted_labels", "doubted_rate", "estimated_error_rate", "unscored_rows")
_OF_A_CLASS = ("share", "training_share")


class LabelQuality(SourceCheck):
    """Looks at labels before a model learns from them: their balance, conflicts, probable errors, and enough rows.

    Classes: one alone fails, and so does one that the `training` set has not; one with few rows to learn from, one
    that is missing, and a share that is by 0.1 and more another than in training warn. Conflicts: rows with equal
    features and different labels, and the error that no model of these features can go below. Doubts: with
    probabilities of a model that has not learnt from these rows, labels that it contradicts with confidence
    (confident learning). Rows for each feature: fewer than ten warn. The worst rows are evidence; each class has a
    result.

    Cost: one scan for the classes, one of `training`, one and a shuffle of 24 bytes a row for conflicts; one more of
    each where there are some; two for doubts.

    Blind to: wrong labels that a model has learnt; a difference between a wrong label and features that do not tell
    the label, of which a weak model's doubts consist (docs/metrics.md); rows that are nearly equal; numbers as labels.

    Example:
        >>> from sparkguard.testing import judge
        >>> table = [{"x": i % 40, "late": i % 4 == 0 or i == 41} for i in range(400)]
        >>> whole, *classes = judge(LabelQuality(id="labels", dataset="t", label="late"), {"t": table})
        >>> whole.status.value, whole.quantities["conflicting_rows"].value, whole.quantities["least_error"].value
        ('pass', 10.0, 0.0025)
        >>> [(one.slice_value, one.evaluated_rows) for one in classes]
        [('false', 299), ('true', 101)]
    """

    QUANTITIES: ClassVar[Mapping[str, str]] = {
        "classes": "different labels; of the whole only",
        "rare_classes": "classes with fewer rows than min_class_rows, in training where it is given; of the whole only",
        "new_classes": "classes that the training set has none of; of the whole only",
        "missing_classes": "classes of the training set that are missing by more than chance; of the whole only",
        "l_infinity_distance": "the largest difference of a class's share from the training set's; of the whole only",
        "share": "the share of the rows with a label; of a class only",
        "training_share": "the share in the training set; of a class only",
        "unlabelled_rows": "rows whose label is NULL, NaN or infinite; of the whole only",
        "repeated_rows": "rows whose features another row has too (none of collated or nested ones); of the whole only",
        "conflicting_rows": "rows whose features another row has with another label; of the whole only",
        "least_error": "the share of rows that no function of the features gets right; of the whole only",
        "doubted_labels": "labels that a model contradicts with confidence",
        "doubted_rate": "doubted_labels / rows with probabilities; of the whole only",
        "estimated_error_rate": "the share of wrong labels, by confident learning; of the whole only",
        "unscored_rows": "rows with a label without probabilities; of the whole only",
        "features": "the number of features; of the whole only",
        "rows_per_feature": "rows with a label for each feature, of training where it is given; of the whole only",
        "evaluated_rows": "rows with a label",
    }
    COST: ClassVar[str] = (
        "1 scan for classes, 1 of training, 1 scan and 1 shuffle of 24 bytes a row for conflicts, 1 scan and "
        "2 shuffles more where there are some, 2 scans for doubts"
    )

    label: Name
    """The column that is to be predicted: classes."""
    training: VersionedField | None = Field(default=None, examples=["path=data/trained"])
    """The dataset whose balance of classes is the standard; its label has the same name."""
    features: ColumnsField = Like(("*",))
    """The features (default: all columns that are nothing else)."""
    exclude: tuple[Name, ...] = ()
    """Columns that are no features: what names rows, sets, or comes from a model."""
    conflicts: bool = True
    """Whether to look for equal features with different labels."""
    score: Name | None = None
    """The column with the probability of the positive class, by a model that has not learnt from the row."""
    positive: ClassField | None = None
    """The positive class of score; by default 1 or true."""
    probabilities: dict[Name, Name] = {}
    """For more than two classes: the column with the probability of each, by a model that has not seen the row."""
    min_probability: float = Field(default=0.8, ge=0, le=1)
    """The least probability of another class that puts a label in doubt; 0: what confident learning by itself says."""
    key: tuple[Name, ...] = ()
    """The columns that name a row in the evidence (default: the features)."""
    cluster: tuple[Name, ...] = ()
    """What rows belong to that depend on each other (user_id, day): balance is as sure as these are many."""
    min_class_rows: int = Field(default=50, ge=1)
    """A class with fewer rows is rare."""
    confidence: float = Field(default=0.95, gt=0.5, lt=1)
    """How sure the largest difference of shares must be on one side of a bound to be judged."""
    error_if: Bounds = {"classes": Bound("<", 2.0), "new_classes": Bound(">", 0.0), "unscored_rows": Bound(">", 0.0)}
    """Bounds on the quantities of the whole whose breach fails the check; defaults hold for what is asked."""
    warn_if: Bounds = {
        "rare_classes": Bound(">", 0.0),
        "missing_classes": Bound(">", 0.0),
        "l_infinity_distance": Bound(">", 0.1),
        "least_error": Bound(">", 0.05),
        "rows_per_feature": Bound("<", 10.0),
        "doubted_rate": Bound(">", 0.5),
    }
    """Bounds on the quantities of the whole whose breach warns; defaults hold for what is asked."""

    @property
    def about(self) -> tuple[str, ...]:
        """The label."""
        return (self.label,)

    @property
    def datasets(self) -> tuple[Source, ...]:
        """The rows, and the training set."""
        return (self.source, *([self._training] if self._training else []))

    def ask(self, seen: Evidence) -> Iterable[Measure[Answer]]:
        """Ask for classes and hashes of features; then for the rows of equal features, and for doubts."""
        return self._questions(seen).ask(seen)

    def judge(self, seen: Evidence, run: Run) -> tuple[Finding, ...]:  # noqa: ARG002 - no date is needed
        """One finding for all, which the bounds judge, and one for each class."""
        asked = self._questions(seen)
        found = asked.found(seen, self.confidence, self.min_class_rows)
        whole = self._whole(seen, asked, found)
        if not found.balance.rows or self._hides_classes:
            return (whole,)
        classes = [self._class(found, one) for one in found.balance.classes]
        # Of many classes those that are wrong have a result first.
        return (whole, *sorted(classes, key=lambda one: one.status is Status.PASS)[:_MOST_RESULTS])

    @cached_property
    def _training(self) -> Source | None:
        return None if self.training is None else Source(self.training.dataset, None, self.training.version)

    @property
    def _asks_chances(self) -> bool:
        return self.score is not None or bool(self.probabilities)

    def _mistakes(self) -> Iterator[str]:
        """What contradicts what, in the words of the fields."""
        yield from mistaken_chances(self.score, self.probabilities)
        if self.positive is not None and self.score is None:
            yield "positive is the class of score; give score too"
        told = [*([self.score] if self.score else []), *self.probabilities.values()]
        if self.label in (*told, *self.cluster):
            yield f"'{self.label}' is the label; a probability or a cluster is another column"
        if isinstance(self.features, tuple) and {self.label, *told} & set(self.features):
            yield f"features names {', '.join(sorted({self.label, *told} & set(self.features)))}, which is judged"
        yield from self._unbounded()

    def _unbounded(self) -> Iterator[str]:
        """Which bounds are on what is not told of the whole."""
        single = {*_OF_A_CLASS} & {*self.error_if, *self.warn_if}
        if single:
            yield f"{min(single)} is of a class, and bounds are on the whole: l_infinity_distance, rare_classes"
        asked = {_OF_TRAINING: ("training", self.training), _OF_CHANCES: ("score or probabilities", self._asks_chances)}
        asked[_OF_CONFLICTS] = ("conflicts: true", self.conflicts)
        for names, (field, there) in asked.items():
            for block in {"error_if", "warn_if"} & self.model_fields_set:
                lacking = [name for name in getattr(self, block) if name in names and not there]
                if lacking:
                    yield f"a bound on {lacking[0]} needs {field}"

    def _questions(self, seen: Evidence) -> LabelQuestions:
        columns = [seen.schema(source).column(self.label) for source in self.datasets]
        kind = class_part(f"'{self.dataset}'", columns, tuple(columns)).type
        labels = tuple(Part((column,), kind) for column in columns)
        clusters = tuple(
            named_parts(seen, Splits((source.dataset,), (source,)), self.cluster, "cluster") for source in self.datasets
        )
        features = self._features(seen)
        shown = tuple(seen.schema(self.source).column(name) for name in self.key) or features[:MOST_SHOWN]
        return LabelQuestions(
            self.datasets,
            labels,
            clusters,
            features,
            self.conflicts,
            self._chances(seen, labels[0]) if self._asks_chances else None,
            self.min_probability,
            shown,
            max(1, self.violation_limit),
            named=self.positive is not None,
        )

    def _chances(self, seen: Evidence, label: Part) -> Chances:
        names = named_classes(label, tuple(self.probabilities)) or (positive_class(label, self.positive),)
        told = tuple(self.probabilities.values()) or (str(self.score),)
        columns = tuple(seen.schema(self.source).column(name) for name in told)
        for column in columns:
            if not is_number(column.type):
                message = f"'{column.name}' is {column.type}, and a probability is a number"
                raise DataError(message, "name another column, or cast it in the dataset's sql")
        return Chances(columns, names)

    def _features(self, seen: Evidence) -> tuple[Column, ...]:
        schema = seen.schema(self.source)
        if isinstance(self.features, tuple):
            found = tuple(schema.column(name) for name in self.features)
        else:
            time = seen.time_column(self.source)
            given = (
                self.label,
                self.score,
                *self.probabilities.values(),
                *self.exclude,
                *self.key,
                *self.cluster,
                time,
            )
            apart = {schema.column(name).path for name in given if name is not None}
            found = tuple(c for c in self.features.matching(schema, lambda _: True) if c.path not in apart)
        told = [schema.column(name) for name in (self.label, self.score, *self.probabilities.values()) if name]
        mixed = [(one, c) for one in told for c in found if one.path[: len(c.path)] == c.path]
        if mixed:
            judged, feature = mixed[0]
            message = f"the feature '{feature.name}' has '{judged.name}' in it, which is judged"
            raise DataError(message, "name the features that matter in features")
        odd = [column for column in found if not can_be_grouped(column.type)]
        if self.conflicts and (odd or not found or len(found) > _MOST_FEATURES):
            message = f"'{self.source}' has no column that is a feature"
            if found:
                message = f"conflicts of {len(found):,} features are looked for; {_MOST_FEATURES:,} is the most"
            if odd:
                message = f"'{odd[0].name}' is {odd[0].type}, whose values cannot be compared"
            raise DataError(message, "name the features that matter in features, or write conflicts: false")
        return found

    @property
    def _hides_classes(self) -> bool:
        return self.violations == "none" or hides(self.redact, self.label)

    def _whole(self, seen: Evidence, asked: LabelQuestions, found: LabelFindings) -> Finding:
        numbers, balance = {name: Quantity(*value) for name, value in found.numbers.items()}, found.balance
        finding = Finding(
            Status.PASS,
            "",
            quantities=numbers,
            evaluated_rows=balance.rows,
            columns=self.about,
            source=self.source,
            reference=self._training,
            violations=tuple(found.violations(self.redact, named=not self._hides_classes)),
            queries=tuple(EvidenceQuery(measure, kind) for kind, measure in asked.evidence(seen)),
        )
        nothing = f"none of {count(balance.unlabelled, 'row')} has a '{self.label}'" if balance.unlabelled else None
        told = found.told(named=not self._hides_classes)
        # No rows are no class, of which on_empty decides.
        judged = self.bounded_by(numbers.keys() - (set() if balance.rows else {"classes"}), written=False)
        if "unscored_rows" in numbers and "unscored_rows" not in {*judged.error_if, *judged.warn_if}:
            # Of what was not looked at nobody may think that it is right.
            warn = {**judged.warn_if, "unscored_rows": Bound(">", 0.0)}
            judged = judged.model_copy(update={"warn_if": warn})
        verdict = judged.verdict(finding, passed=told, failed="", nothing=nothing)
        decision = verdict.decision
        if decision is None or verdict.status not in (Status.FAIL, Status.WARN):
            return verdict
        # What decided stands first.
        first = DOUBTED if decision.metric_name in _OF_CHANCES else CONFLICTING
        worst = tuple(sorted(verdict.violations, key=lambda one: one.kind != first))
        unsure = verdict.status is Status.WARN and bool(decision.margin)
        remedy = UNDECIDED if unsure else REMEDIES.get(str(decision.metric_name))
        return replace(verdict, remedy=remedy, violations=worst)

    def _class(self, found: LabelFindings, one: ClassShare) -> Finding:
        """A class: what of it the bounds on the whole would say, if it were the only one."""
        numbers = {name: Quantity(*value) for name, value in one.numbers(self.min_class_rows).items()}
        judged = self.bounded_by(numbers)
        decision = decide(numbers, judged.error_if, judged.warn_if)
        doubted = found.doubted_of(one.name)
        return Finding(
            decision.status,
            one.told(self.min_class_rows, doubted),
            quantities={
                "share": Quantity(one.share),
                **({} if one.trained is None else {"training_share": Quantity(one.trained)}),
                **({} if doubted is None else {"doubted_labels": Quantity(doubted)}),
            },
            evaluated_rows=one.rows,
            slice_key=self.label,
            slice_value=one.name,
            columns=self.about,
            source=self.source,
            reference=self._training,
        )
