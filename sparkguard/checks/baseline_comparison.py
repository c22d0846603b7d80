"""Does the model beat what needs no model: the majority class, the mean, the median, a published number?"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, Literal, get_args

from pydantic import Field

from sparkguard.core.check import Run
from sparkguard.core.evidence import Evidence
from sparkguard.core.fields import Bounds, ColumnsField, Like, VersionedField, WindowField, ZoneField
from sparkguard.core.finding import Finding, Status
from sparkguard.core.measure import Answer, Measure
from sparkguard.core.source import Source
from sparkguard.core.text import count, short
from sparkguard.core.threshold import Bound
from sparkguard.core.types import common_type, is_number
from sparkguard.errors import DataError
from sparkguard.measures.pairing import pair_key
from sparkguard.measures.scored import LastLabel
from sparkguard.measures.splits import Part, Splits
from sparkguard.shapes.baselines import Rival
from sparkguard.shapes.constants import Constant, Constants
from sparkguard.shapes.linear import Linear, features_of
from sparkguard.shapes.scoring import Scoring, SetScore
from sparkguard.shapes.scoring_fields import Finite, Name, ScoringCheck
from sparkguard.shapes.scoring_verdict import quantities_of, settled, shows_labels
from sparkguard.shapes.scoring_words import rows, told
from sparkguard.stats.intervals import UNTOLD

Baseline = Literal[Constant, "last_value", "linear"]
_FITTING: Mapping[str, tuple[Baseline, ...]] = {
    "classes": ("majority", "last_value", "linear"),
    "areas": ("majority", "linear"),
    "probabilities": ("majority", "linear"),
    "errors": ("mean", "median", "last_value", "linear"),
}
"""The baselines of each family of metrics; what a majority says of a probability is the share of positives."""
_ASKED = ("linear",)
"""Baselines that are not among those by default."""
_REMEDY = "find out what the model adds: its features, its labels, or whether it was trained at all; do not promote it"


class BaselineComparison(ScoringCheck):
    """Asks that the metric beats each of some baselines by a margin, with an interval around the difference.

    Baselines learn from `train`, if it is given, else from the rows themselves, which makes them harder to beat:
    `majority` tells the most frequent class, of probabilities the share of the positive one, of areas always the
    same score; `mean` and `median` tell that of the label; `last_value` tells the last label that the same `entity`
    had before the row's time, in `train` or among the rows, and compares on rows that have one; `linear` is a ridge
    or logistic regression of scikit-learn on a sample of `train`, compared on a sample of the rows. `known_result` is
    a number that somebody published. Model and baseline are compared on the same rows. One finding a baseline.

    Cost: one read of the label of `train`, and one of the judged rows (r2 two, areas three); last_value two reads of
    both, and a shuffle of their labels by entity in each; linear a count and a read of both.

    Blind to: labels that were not known yet at the row's time; a published number of other rows.

    Example:
        >>> from sparkguard.testing import judge
        >>> table = [{"y": int(i % 10 == 0), "told": 0} for i in range(100)]
        >>> check = BaselineComparison(id="better", dataset="t", label="y", prediction="told", metric="accuracy")
        >>> [majority] = judge(check, {"t": table})
        >>> majority.status.value, majority.message.partition(";")[0]
        ('fail', 'accuracy of t is 0.9 (0.826 to 0.945, rows taken as independent), the same as the 0.9 of always 0')
    """

    QUANTITIES: ClassVar[Mapping[str, str]] = {
        "value": "the metric; kept under its own name, for instance roc_auc",
        "lower": "the lower end of its interval; kept as for instance roc_auc_lower",
        "upper": "the upper end; kept as for instance roc_auc_upper",
        "baseline": "the metric of the baseline on the same rows",
        "advantage": "by how much the metric is better than the baseline's",
        "advantage_lower": "the lower end of its interval",
        "advantage_upper": "the upper end of its interval",
        "clusters": "different clusters of judged rows, at least so many; without cluster there is none",
        "unlabelled_rows": "rows whose label is NULL, NaN or infinite",
        "unscored_rows": "rows with a label whose prediction or score is NULL, NaN or infinite",
        "evaluated_rows": "rows that the metric is of",
    }
    COST: ClassVar[str] = (
        "1 scan of the label of train, 1 of the judged rows; r2 2; roc_auc and average_precision 3; "
        "last_value 2 scans and shuffles of both; linear 1 count and 1 scan of both"
    )

    dataset: str = Field(min_length=1, examples=["path=data/scored,time_column=ts"])
    """The rows on which model and baselines are judged; on the command line also the dataset itself."""
    window: WindowField | None = Field(default=None, examples=["end=2026-01-31,length=30d"])
    """Half-open stretch of the dataset's time column: {end, length} or {start, end}."""
    train: VersionedField | None = Field(default=None, examples=["path=data/training"])
    """The dataset that baselines learn from, with the label by the same name (default: the judged rows)."""
    baselines: tuple[Baseline, ...] = ()
    """majority for classes, probabilities and areas, mean and median for numbers, with `entity` last_value (default:
    these); linear, with `train`."""
    entity: tuple[Name, ...] = ()
    """What rows are about, for last_value: user_id; the time is the time column of the dataset, and of train."""
    features: ColumnsField = Like(("*",))
    """The features of linear (default: all that train and the judged rows have)."""
    exclude: tuple[Name, ...] = ()
    """Columns that are no features; label, prediction, score, weight, cluster and entity never are."""
    sample_rows: int = Field(default=20_000, ge=100, le=200_000)
    """Rows of each sample, for linear."""
    seed: int = Field(default=0, ge=0)
    """Of the samples."""
    timezone: ZoneField = Field(default="", validate_default=True)
    """The zone of times that have none; by default the suite's."""
    known_result: Finite | None = None
    """A number that somebody published for the same task, by the same metric."""
    margin: Finite = Field(default=0.0, ge=0)
    """By how much the metric must be better than each baseline; with 0, at all."""
    require: Literal["point", "lower_bound"] = "point"
    """Whether the difference itself must be larger than the margin, or the lower end of its interval."""
    error_if: Bounds = {"unscored_rows": Bound(">", 0.0)}
    """Bounds on the quantities whose breach fails a comparison, beside the margin."""

    @property
    def datasets(self) -> tuple[Source, ...]:
        """The judged rows, and those that baselines learn from."""
        return tuple(dict.fromkeys((Source(self.dataset, self.window), self._train)))

    def ask(self, seen: Evidence) -> Iterable[Measure[Answer]]:
        """Ask for what baselines learn, then for the metric beside what they lose."""
        to_learn = tuple(self._constants(seen).ask())
        yield from to_learn
        if all(question in seen for question in to_learn):
            yield from self._scoring(seen).ask(seen)
        if "last_value" in self._wanted:
            for scoring in self._of_last(seen):
                yield from scoring.ask(seen)
        if "linear" in self._wanted:
            yield from self._linear(seen).ask()

    def judge(self, seen: Evidence, run: Run) -> tuple[Finding, ...]:  # noqa: ARG002 - no date is needed
        """One finding for each baseline."""
        scoring = self._scoring(seen)
        [score] = scoring.found(seen)
        scoring.require_positives(seen)
        found = [self._finding(rival) for rival in self._rivals(seen, scoring, score)]
        if "last_value" in self._wanted:
            mine, last = self._of_last(seen)
            [known], [baseline], [error] = mine.found(seen), last.found(seen), mine.differences(seen, last)
            words = f"the last {self.label} of the same {', '.join(self.entity)}"
            found.append(self._finding(Rival("last_value", words, known, baseline.estimate.value, error)))
        if "linear" in self._wanted:
            sampled, linear, error = self._linear(seen).found(seen)
            # What is not judged is that of all rows.
            score = replace(sampled, fates={**score.fates, **sampled.fates})
            found.append(self._finding(Rival("linear", "a linear model", score, linear.value, error, sampled=True)))
        return tuple(found)

    @property
    def _train(self) -> Source:
        return (
            Source(self.dataset, self.window)
            if self.train is None
            else Source(self.train.dataset, None, self.train.version)
        )

    @property
    def _wanted(self) -> tuple[Baseline, ...]:
        if self.baselines or self.known_result is not None:
            return self.baselines
        return tuple(
            name
            for name in _FITTING[self._metric.family]
            if name not in _ASKED and (name != "last_value" or self.entity)
        )

    @property
    def timed(self) -> bool:
        """A last value is one in time."""
        return "last_value" in self._wanted

    def _mistakes(self) -> Iterator[str]:
        """What contradicts what, in the words of the fields."""
        yield from super()._mistakes()
        if self.probabilities:
            yield "baselines are of one class against the rest: give score, not probabilities"
        # A constant is well calibrated.
        fitting = _FITTING[self._metric.family] if self.metric != "calibration_error" else ()
        for name in self.baselines:
            if name not in fitting:
                yield f"{self.metric} has no baseline {name}; it has {', '.join((*fitting, 'known_result'))}"
        yield from self._unlearnt()
        yield from self._unused()

    def _unused(self) -> Iterator[str]:
        """What is given for baselines that are not there."""
        for name in ("features", "exclude", "sample_rows", "seed"):
            if name in self.model_fields_set and "linear" not in self._wanted:
                yield f"{name} is for linear, which is not among baselines"
        # Of areas every constant is worth the same.
        learnt = set(self._wanted) - ({"majority"} if self._metric.family == "areas" else set())
        if self.train is not None and not learnt:
            yield "train is for baselines that learn, and none of these does"
        if self.entity and "last_value" not in self._wanted:
            yield "entity is for last_value, which is not among baselines"

    def _unlearnt(self) -> Iterator[str]:
        """What a baseline lacks to learn, or is given that none uses."""
        if self.weight is not None and {"majority", "mean", "median"} & set(self._wanted):
            yield "majority, mean and median learn without weight; leave it out, or name other baselines"
        if "last_value" in self.baselines and not self.entity:
            yield "last_value needs entity: what rows are about"
        if "linear" in self.baselines and self.train is None:
            yield "linear needs train: rows that it may learn from"
        if {"advantage", "advantage_lower"} & set(self.error_if):
            yield "the bound on advantage is margin; leave it out of error_if"
        if len(set(self.baselines)) < len(self.baselines):
            yield "baselines names one twice"
        if self.average == "by_class":
            yield "average: by_class has another worst class than the baseline; write macro"
        if self.metric == "calibration_error" and self.known_result is None:
            yield "a constant is well calibrated, so it is no baseline for calibration_error; give known_result"

    def _constants(self, seen: Evidence) -> Constants:
        """The questions about what always tells the same; of areas any score does, so nothing is learnt."""
        family, label = self._metric.family, seen.schema(self._train).column(self.label)
        if self._wanted and family == "errors" and not is_number(label.type):
            message = f"the label '{label.name}' of '{self._train}' is {label.type}, and a number is needed"
            raise DataError(message, "name another column, or cast it in the dataset's sql")
        names = () if family == "areas" else tuple(name for name in get_args(Constant) if name in self._wanted)
        return Constants(self.scoring(seen, self._rows), self._train, label, names)

    @property
    def _rows(self) -> Splits:
        return Splits((self.dataset,), (Source(self.dataset, self.window),))

    def _scoring(self, seen: Evidence) -> Scoring:
        """The questions about the model, beside what constants lose on the same rows."""
        asked = self._constants(seen)
        scoring, learnt = asked.scoring, asked.learnt(seen).values()
        constants = tuple(dict.fromkeys(value for value in learnt if not isinstance(value, str)))
        return replace(scoring, wanted=replace(scoring.wanted, constants=constants, by_pairs=True))

    def _of_last(self, seen: Evidence) -> tuple[Scoring, Scoring]:
        """The questions about the model and about the last value, of the rows that have one."""
        scoring = self.scoring(seen, self._rows, folds=self.entity)
        rows, schemas = scoring.rows, [seen.schema(source) for source in (self._rows.sources[0], self._train)]
        pairs = pair_key(schemas[0], self.entity, schemas[1], self.entity)
        times = (seen.time_column(source) for source in (self._rows.sources[0], self._train))
        time = Part(tuple(schema.column(str(name)) for schema, name in zip(schemas, times, strict=True)), "")
        past = schemas[1].column(self.label)
        kind = rows.label.type
        if not rows.numeric and kind not in (past.type, common_type(past.type, kind)):
            message = f"'{self.label}' is {past.type} in '{self._train}' and {kind} where it is judged"
            raise DataError(message, "cast it to one type in a dataset's sql")
        label = Part((*rows.label.columns, past), kind)
        entity = tuple(Part((pair.one, pair.other), pair.type) for pair in pairs)
        last = LastLabel(entity, label, time, self._train, self.timezone, told=False)
        mine = replace(scoring, rows=replace(rows, last=last), wanted=replace(scoring.wanted, by_pairs=True))
        theirs = replace(
            rows, told=rows.label, told_class=not rows.numeric, last=replace(last, told=True), rival=rows.told
        )
        return mine, replace(mine, rows=theirs, wanted=replace(mine.wanted, threshold=None))

    def _linear(self, seen: Evidence) -> Linear:
        """The questions about a linear model."""
        rows = self._rows.sources[0]
        schemas = [seen.schema(source).columns for source in (self._train, rows)]
        times = {seen.time_column(source) for source in (self._train, rows)}
        given = (
            self.label,
            self.prediction,
            self.score,
            self.weight,
            *self.cluster,
            *self.entity,
            *self.exclude,
            *times,
        )
        apart = {str(name) for name in given if name is not None}
        features = self.features
        if isinstance(features, tuple):
            train = tuple(seen.schema(self._train).column(name) for name in features)
        else:
            train = tuple(features.matching(seen.schema(self._train), lambda _: True))
        found = features_of(train, schemas[1], apart)
        if not found:
            message = f"'{self._train}' and '{rows}' have no feature in common that a linear model can use"
            raise DataError(message, "name columns in features, or leave out linear")
        label = seen.schema(self._train).column(self.label)
        return Linear(self.scoring(seen, self._rows), self._train, found, label, self.sample_rows, self.seed)

    def _rivals(self, seen: Evidence, scoring: Scoring, score: SetScore) -> Iterator[Rival]:
        learnt = self._constants(seen).learnt(seen)
        shown = shows_labels(self)
        for name in (name for name in self._wanted if name not in ("last_value", "linear")):
            constant = learnt.get(name, 0.0)
            value, error = scoring.against(seen, constant)
            words: str = name
            if self._metric.family == "areas":
                words = "a constant score"
            elif shown:
                words = f"always {constant if isinstance(constant, str) else short(constant, 4)}"
            yield Rival(name, words, score, value, error)
        if self.known_result is not None:
            error = UNTOLD if math.isnan(score.estimate.value) else score.estimate.error
            yield Rival("known_result", "the known result", score, self.known_result, error)

    def _finding(self, rival: Rival) -> Finding:
        score, source = rival.score, self._rows.sources[0]
        finding = Finding(
            Status.PASS,
            "",
            subject_kind="baseline",
            subject=rival.name,
            quantities={**quantities_of(score, sampled=rival.sampled), **rival.numbers},
            columns=self.about,
            source=source,
        )
        bounded = "advantage" if self.require == "point" else "advantage_lower"

        def sentence(broken: Sequence[str]) -> str:
            against = rival.told(self.margin, broken=bool(broken))
            return f"{told(score, classes=False)}{against}; {rows(score.fates)}"

        nothing = f"none of {count(score.rows, 'row')} of '{source}' has a label and a prediction"
        return settled(
            self,
            finding,
            score,
            {bounded: Bound("<" if self.margin else "<=", self.margin)},
            sentence,
            nothing=nothing if score.rows else None,
            remedy=_REMEDY,
        )
