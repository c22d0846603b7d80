"""Does a feature stand in for the label?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from sparkguard.core.check import Run, SourceCheck
from sparkguard.core.columns import Column
from sparkguard.core.evidence import Evidence
from sparkguard.core.fields import Bounds, ColumnsField, Like
from sparkguard.core.finding import Finding, Status
from sparkguard.core.measure import Answer, Measure
from sparkguard.core.text import did_you_mean
from sparkguard.core.threshold import Bound
from sparkguard.core.types import is_time
from sparkguard.errors import DataError
from sparkguard.measures.conditions import LaterThan
from sparkguard.measures.grids import kind_of
from sparkguard.measures.row_sample import RowSample, SampledRows
from sparkguard.measures.tallies import Count

if TYPE_CHECKING:
    from sparkguard.measures.forest import Forest
    from sparkguard.shapes.leakage import Asking, Question
    from sparkguard.shapes.reasons import Study

Name = Annotated[str, Field(min_length=1)]
_FROZEN = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class MaxPower(BaseModel):
    """From which power on a feature warns, and fails."""

    model_config = _FROZEN

    warn: float = Field(default=0.95, gt=0.5, le=1)
    """The power of one feature alone from which on the check warns."""
    fail: float = Field(default=0.995, gt=0.5, le=1)
    """The power from which on it fails."""


class Waiver(BaseModel):
    """A feature that is accepted for a time."""

    model_config = _FROZEN

    column: Name
    """The feature."""
    reason: Name
    """Why it is no leak."""
    owner: Name
    """Who says so."""
    until: date
    """The last day on which it holds."""


class LabelLeakage(SourceCheck):
    """Looks for features that give the label away: alone, by a value, by trees, by pairs, or from the future.

    The power of a feature alone is the probability that it ranks a row of one class above a row of another (the
    area under the ROC curve; of several classes each against the rest, of a number the concordance of its
    deciles), counted on all rows, and its error counts groups of rows that belong together: by `entity`, else
    by stretches of the time column, else each row for itself. It fails from `max_power.fail` on, and warns from
    `max_power.warn` on. A feature also fails if all rows of one of its values carry one class, which chance would
    not do; if trees have more than `max_importance` from it and its copies, lose a third of their skill
    without, and know enough with nothing else; if a difference, sum or ratio with another column is the
    label; or if a value became available after its row's time. docs/leakage.md says how each is found.

    Cost: one count and one read of all columns for a bounded sample of rows, one more for the counts, or a few
    where cells times classes times groups are more than 8 million; trees and pairs are tried on the sample, with
    `engine: mllib` Spark ML grows trees on all rows, of which it keeps a binned copy while it does.

    Blind to: leaks that need three features, or two in another way than by difference, sum and ratio; a proxy
    that is no better than honest features; labels that leak into the values of arrays and structs, of which
    only NULLs are looked at; rows whose time column is NULL; formulas of columns beyond the 200th number.

    Example:
        >>> from sparkguard.testing import judge
        >>> table = [{"late": i % 3 == 0, "x": i * 7 % 11, "refund": 30 if i % 3 == 0 else 0} for i in range(600)]
        >>> check = LabelLeakage(id="no_proxy", dataset="t", label="late")
        >>> x, refund, whole = judge(check, {"t": table})
        >>> x.status.value, refund.status.value, refund.message.partition(";")[0]
        ('pass', 'fail', 'alone it tells the label: power 1.0000 ± 0.0000')
    """

    QUANTITIES: ClassVar[Mapping[str, str]] = {
        "leaking_features": "features that stand in for the label, and are not waived",
        "suspicious_features": "features that may do so, or cannot be told",
        "waived_features": "features that do or may, and are accepted for now",
        "examined_features": "features that were looked at",
        "strongest_power": "the power of the strongest feature alone",
        "model_power": "the power of trees on all features, on rows that they have not seen",
        "unlabelled_rows": "rows whose label is NULL or NaN",
        "evaluated_rows": "rows with a label",
    }
    COST: ClassVar[str] = (
        "1 count, 1 scan for a sample, and 1 scan, or 1 for each 8 million cells, for the counts; mllib: 2 more"
    )

    label: str = Field(min_length=1)
    """The column that is to be predicted."""
    task: Literal["auto", "binary", "multiclass", "regression"] = "auto"
    """What the label is; auto: a number of more than 20 different values is a regression, all else classes."""
    features: ColumnsField = Like(("*",))
    """The features (default: all other columns)."""
    exclude: tuple[Name, ...] = ()
    """Columns that are no features, though `features` names them by a pattern."""
    time_column: str | None = Field(default=None, min_length=1)
    """When a prediction is made (default: the dataset's time column); it is no feature."""
    entity: tuple[Name, ...] = ()
    """What rows belong to, whose label may be the same for all of them: user_id; it is no feature."""
    available_at: dict[Name, Name] = {}
    """Features with the column that says when their value became available."""
    max_importance: float = Field(default=0.5, gt=0, le=1)
    """The share of the trees' importance that one feature may have, together with those that say the same."""
    max_power: MaxPower = MaxPower()
    """The power of one feature alone that warns and fails: {warn: 0.95, fail: 0.995}."""
    engine: Literal["sklearn", "mllib"] = "sklearn"
    """What grows the trees whose importance is judged: scikit-learn on the sample, or Spark ML on all rows."""
    sample_rows: int = Field(default=200_000, ge=100, le=2_000_000)
    """Rows of the sample for trees and formulas, at most; of many columns fewer."""
    waive: tuple[Waiver, ...] = ()
    """Features that are accepted for a time: [{column, reason, owner, until}]."""
    seed: int = Field(default=0, ge=0)
    """Of the sample and the trees."""
    error_if: Bounds = {"leaking_features": Bound(">", 0.0)}
    """Bounds on the quantities whose breach fails the check."""

    @model_validator(mode="after")
    def _consistent(self) -> LabelLeakage:
        message, named = None, self.features if isinstance(self.features, tuple) else ()
        apart = {self.label, *self.entity, *([self.time_column] if self.time_column else [])}
        if self.max_power.warn > self.max_power.fail:
            message = "max_power warns from a greater power on than it fails"
        elif self.label in named or self.label in self.entity or self.label == self.time_column:
            message = f"'{self.label}' is the label; it cannot be a feature, an entity or the time too"
        elif apart & set(named):
            message = f"features names {', '.join(sorted(apart & set(named)))}, by which rows are told apart"
        elif self.violations_to is not None:
            message = "violations_to is not for this check; all features are in the results"
        elif len({w.column for w in self.waive}) < len(self.waive):
            message = "waive names a column twice"
        if message is not None:
            raise ValueError(message)
        return self

    @property
    def about(self) -> tuple[str, ...]:
        """The label, and the features that are named."""
        return (self.label, *(self.features if isinstance(self.features, tuple) else ()))

    def ask(self, seen: Evidence) -> Iterable[Measure[Answer]]:
        """Ask for a sample of rows and for values from the future, then for counts on grids from the sample."""
        yield self._sample(seen)
        yield from self._future(seen).values()
        sample = seen.get(self._sample(seen))
        if isinstance(sample, SampledRows) and sample.size:
            for histograms in self._asking(seen, sample).histograms:
                yield from histograms
            forest = self._forest(seen, sample)
            if forest is not None:
                yield forest

    def judge(self, seen: Evidence, run: Run) -> tuple[Finding, ...]:
        """One finding for each feature, and one for all, which the bounds judge."""
        from sparkguard.shapes.leakage_findings import Told, Waived, left_out
        from sparkguard.shapes.reasons import Bounds as Limits

        question, sample = self._question(seen), seen.require(self._sample(seen))
        whole = Finding(Status.PASS, "", columns=self.about, source=self.source)
        if not sample.size:
            return (self.verdict(replace(whole, evaluated_rows=0), passed="", failed=""),)
        limits = Limits(self.max_power.warn, self.max_power.fail)
        bare = [c.name for c in question.features if kind_of(c.type) is None]
        together = question.together + left_out(bare)
        waivers = {w.column: Waived(w.column, w.reason, w.owner, w.until) for w in self.waive}
        return Told(self, self._study(seen, sample), limits, whole, together, waivers, run.date).findings()

    def _study(self, seen: Evidence, sample: SampledRows) -> Study:
        from sparkguard.shapes.leakage import feature_of, rows_of
        from sparkguard.shapes.reasons import Study
        from sparkguard.shapes.trees import matrix_of
        from sparkguard.stats.formulas import formulas
        from sparkguard.stats.importance import importances

        question, asked = self._question(seen), self._asking(seen, sample)
        counts = [[seen.require(h) for h in histograms] for histograms in asked.histograms]
        rows, task = rows_of(question, asked, counts[0][0]), asked.label.task
        features = tuple(feature_of(question, asked, sample, i, c, rows) for i, c in enumerate(counts))
        future = {name: seen.require(asked_for) for name, asked_for in self._future(seen).items()}
        matrix = matrix_of(question, asked.label, sample)
        plain, forest = list(matrix.plain), self._forest(seen, sample)
        shares = () if forest is None else seen.require(forest).shares
        pairs = formulas(matrix.values[:, plain], matrix.classes, matrix.groups, task, matrix.numbers)
        return Study(
            asked.label,
            rows,
            features,
            importances(matrix.values, matrix.classes, matrix.held_out, task, self.max_importance, self.seed, shares),
            tuple(replace(f, one=plain[f.one], other=plain[f.other]) for f in pairs),
            {name: (tally.broke, tally.judged) for name, tally in future.items()},
            question.grouped,
        )

    def _forest(self, seen: Evidence, sample: SampledRows) -> Forest | None:
        from sparkguard.shapes.trees import forest_of

        if self.engine == "sklearn":
            return None
        return forest_of(self._question(seen), self._asking(seen, sample).label, sample, self.seed)

    def _asking(self, seen: Evidence, sample: SampledRows) -> Asking:
        from sparkguard.shapes.leakage import asking

        return asking(self._question(seen), sample)

    def _sample(self, seen: Evidence) -> RowSample:
        return RowSample(self.source, self._question(seen).columns, self.sample_rows, self.seed)

    def _question(self, seen: Evidence) -> Question:
        from sparkguard.shapes.leakage import Question

        schema = seen.schema(self.source)
        label, entity = schema.column(self.label), tuple(schema.column(name) for name in self.entity)
        time = self._time(seen)
        features = tuple(self._features(seen, {label.path, *(c.path for c in (*entity, *([time] if time else [])))}))
        if not features:
            message = f"no column of '{self.dataset}' is a feature of '{self.label}'"
            raise DataError(message, "correct features or exclude")
        known = {c.name for c in features}
        for name in (*self.available_at, *(w.column for w in self.waive)):
            if name not in known:
                message = f"'{name}' is no feature{did_you_mean(name, known)}"
                raise DataError(message, "correct available_at or waive")
        return Question(self.source, features, label, self.task, entity, time)

    def _features(self, seen: Evidence, apart: set[tuple[str, ...]]) -> Iterator[Column]:
        schema = seen.schema(self.source)
        but = {schema.column(name).path for name in (*self.exclude, *self.available_at.values())}
        if isinstance(self.features, tuple):
            yield from (schema.column(name) for name in self.features)
            return
        for column in self.features.matching(schema, lambda _: True):
            if column.path not in apart | but:
                yield column

    def _time(self, seen: Evidence) -> Column | None:
        name = self.time_column or seen.time_column(self.source)
        column = None if name is None else seen.schema(self.source).column(name)
        if column is None or is_time(column.type):
            return column
        if self.time_column is None:
            return None
        message = f"time_column '{name}' is {column.type}, which is no time"
        raise DataError(message, "cast it to a timestamp in a dataset's sql")

    def _future(self, seen: Evidence) -> Mapping[str, Count]:
        """By feature, how many of its values became available after the time of their row."""
        if not self.available_at:
            return {}
        schema, time = seen.schema(self.source), self._time(seen)
        if time is None:
            message = f"available_at compares with a time, and '{self.dataset}' has no time column"
            raise DataError(message, "give time_column, a timestamp or a date")
        found = {}
        for name, moment in self.available_at.items():
            at = schema.column(moment)
            if at.type != time.type:
                message = f"'{moment}' is {at.type} and '{time.name}' is {time.type}, so neither is surely later"
                raise DataError(message, "cast them to one type in a dataset's sql")
            found[name] = Count(self.source, LaterThan(schema.column(name), at, time))
        return found
