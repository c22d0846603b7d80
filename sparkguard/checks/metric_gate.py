"""Does a metric reach its minimum on every train and validation set?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import ClassVar, Literal

from pydantic import Field

from sparkguard.core.check import Run
from sparkguard.core.evidence import Evidence
from sparkguard.core.fields import Bounds, WindowField
from sparkguard.core.finding import Finding, Quantity, Status
from sparkguard.core.measure import Answer, Measure
from sparkguard.core.source import Source
from sparkguard.core.text import count, few, hides
from sparkguard.core.threshold import Bound
from sparkguard.errors import DataError
from sparkguard.measures.scored import Fate
from sparkguard.measures.splits import Splits, SplitValues
from sparkguard.shapes.scoring import SetScore
from sparkguard.shapes.scoring_fields import Finite, Name, ScoringCheck
from sparkguard.shapes.scoring_verdict import quantities_of, settled, shows_labels
from sparkguard.shapes.scoring_words import limited, rows, told
from sparkguard.shapes.split_field import MOST_SETS, SetsField

_VALUES_SHOWN = 5
_REMEDY = "do not train the production model yet: find out which rows of the set err, and what is different in this set"


class MetricGate(ScoringCheck):
    """Asks of every train and validation set that a metric reaches a minimum, or stays below a maximum.

    Only where each set passes may the production model be trained on. A set is a value of a column, or a dataset
    of its own; without either the dataset is one set. A set that is missing or empty fails, and one whose metric
    is not defined is an error. A row without a label is set apart and told; a row with a label and without a
    prediction fails the set, since the metric would be of the others. Metrics are those of scikit-learn, of all
    rows, with an interval around them: by `cluster` where rows depend on each other. One finding a set;
    docs/metrics.md says how each metric and its interval is computed.

    Cost: one read of the sets; r2 two; roc_auc and average_precision three and a shuffle of different scores, or
    two with `area: binned`. Without `sets` one read of the column that tells them. The driver sees sums by set, by
    class or bin, and by group of clusters, 250,000 cells at most.

    Blind to: a metric that is good on the whole and bad for some rows (scenario_tests, slice_errors); a test set
    that was trained on (split_overlap); labels that are wrong; sets that nobody listed, if others are.

    Example:
        >>> from sparkguard.testing import judge
        >>> rows = [("train", 1, 1), ("train", 0, 0), ("val", 1, 0), ("val", 1, 1), ("val", 0, 0)]
        >>> table = [{"part": p, "late": y, "told": t} for p, y, t in rows]
        >>> check = MetricGate(id="may_train", dataset="t", split="part", sets=["train", "val"], label="late",
        ...                    prediction="told", metric="recall", minimum=0.8)
        >>> train, val = judge(check, {"t": table})
        >>> train.status.value, val.status.value, val.message
        ('pass', 'fail', 'recall of val is 0.5 (0.0945 to 0.906, rows taken as independent), below the minimum 0.8; 3 rows')
    """  # noqa: E501 - a message is one line

    QUANTITIES: ClassVar[Mapping[str, str]] = {
        "value": "the metric; kept under its own name, for instance roc_auc, with average: by_class that of the worst",
        "lower": "the lower end of its interval; kept as for instance roc_auc_lower",
        "upper": "the upper end; kept as for instance roc_auc_upper",
        "clusters": "different clusters of judged rows, at least so many; without cluster there is none",
        "unlabelled_rows": "rows whose label is NULL, NaN or infinite",
        "unscored_rows": "rows with a label whose prediction or score is NULL, NaN or infinite",
        "evaluated_rows": "rows that the metric is of",
    }
    COST: ClassVar[str] = (
        "1 scan of the sets; r2 2; roc_auc and average_precision 3 and a shuffle of different scores (area: binned: "
        "2 and none); 1 scan of the set column where sets are not named"
    )

    dataset: str | None = Field(default=None, examples=["path=data/scored,time_column=ts"])
    """The dataset with all sets; on the command line also the dataset itself."""
    split: Name | None = None
    """The column of dataset whose values tell the set; with it, `sets` is a list of some of its values."""
    sets: SetsField = Field(default=(), examples=["train,val_a,val_b; or {train: trained, val_a: scored_a}"])
    """The sets: values of split (default: all), or names with a dataset each."""
    window: WindowField | None = Field(default=None, examples=["end=2026-01-31,length=30d"])
    """Half-open stretch of the dataset's time column: {end, length} or {start, end}."""
    minimum: Finite | None = None
    """What the metric must reach, if higher is better."""
    maximum: Finite | None = None
    """What the metric must not exceed, if lower is better."""
    by_set: dict[Name, Finite] = {}
    """Sets with another minimum or maximum."""
    require: Literal["point", "lower_bound"] = "point"
    """Whether the metric itself must reach the limit, or the worse end of its interval."""
    on_empty: Literal["error", "fail", "pass", "skip"] = "fail"
    """The status of a set without rows to judge."""
    error_if: Bounds = {"unscored_rows": Bound(">", 0.0)}
    """Bounds on the quantities whose breach fails a set, beside the limit of the metric."""

    @property
    def datasets(self) -> tuple[Source, ...]:
        """The one dataset, or that of each set."""
        if isinstance(self.sets, dict):
            return tuple(Source(v.dataset, None, v.version) for v in self.sets.values())
        return (Source(str(self.dataset), self.window),)

    def ask(self, seen: Evidence) -> Iterable[Measure[Answer]]:
        """Ask which sets there are, and for the metric of each."""
        sets = self._sets(seen)
        missing = False
        if sets is not None:
            scoring = self.scoring(seen, sets)
            yield from scoring.ask(seen)
            missing = scoring.missing(seen)
        if self.split is not None and (missing or not self.sets):
            yield self._values(seen)

    def judge(self, seen: Evidence, run: Run) -> tuple[Finding, ...]:  # noqa: ARG002 - no date is needed
        """One finding for each set."""
        sets = self._sets(seen)
        if sets is None:
            return (self._none(seen),)
        scoring = self.scoring(seen, sets)
        found = scoring.found(seen)
        scoring.require_positives(seen)
        sources = sets.sources if len(sets.sources) > 1 else sets.sources * len(found)
        findings = [self._finding(seen, score, source) for score, source in zip(found, sources, strict=True)]
        apart = 0 if self.sets or self.split is None else dict(seen.require(self._values(seen)).values).get(None, 0)
        if apart:
            message = f"{count(apart, 'row')} of '{self.datasets[0]}' without a '{self.split}' in no set, so not judged"
            remedy = "find out which set they belong to, or list the sets"
            findings.append(Finding(Status.WARN, message, remedy, columns=self.about, source=self.datasets[0]))
        return tuple(findings)

    def _mistakes(self) -> Iterator[str]:
        """What contradicts what, in the words of the fields."""
        yield from super()._mistakes()
        by_dataset = isinstance(self.sets, dict)
        if (self.dataset is not None) == by_dataset:
            yield "give dataset, with split where it holds several sets; or sets, each with its dataset: {val: scored}"
        elif self.split is None and isinstance(self.sets, tuple) and self.sets:
            yield "sets are values of a column: name it in split; or give each set its dataset, {val: scored}"
        elif self.split is not None and by_dataset:
            yield "split is a column of dataset; sets with a dataset each have none"
        elif by_dataset and self.window is not None:
            yield "a window is for one dataset; cut the datasets of sets by their where"
        yield from self._misbounded()
        kept_out = self.violations == "none" or hides(self.redact, self.split or "")
        if self.split is not None and not self.sets and kept_out:
            yield f"list the sets: they would be named by values of '{self.split}', which the suite keeps out"

    def _misbounded(self) -> Iterator[str]:
        """What is wrong with the limits."""
        by_dataset = isinstance(self.sets, dict)
        wanted, other = ("minimum", "maximum") if self._metric.higher_is_better else ("maximum", "minimum")
        if getattr(self, other) is not None:
            yield f"{self.metric} is better the {'higher' if wanted == 'minimum' else 'lower'} it is: give {wanted}"
        if getattr(self, wanted) is None and not (self.sets and set(self.by_set) >= set(self.sets)):
            yield f"give {wanted}: the {'least' if wanted == 'minimum' else 'most'} that {self.metric} may be on a set"
        worse = f"{self.metric}_{'lower' if wanted == 'minimum' else 'upper'}"
        if {self.metric, worse} & set(self.error_if):
            yield f"the bound on {self.metric} is {wanted}; leave it out of error_if"
        if by_dataset and len(set(self.datasets)) < len(self.sets):
            yield "two of sets are the same dataset and version"
        unknown = [name for name in self.by_set if self.sets and name not in self.sets]
        if unknown:
            yield f"by_set names {few(unknown, _VALUES_SHOWN)}, not among sets: {few(list(self.sets), _VALUES_SHOWN)}"

    def _values(self, seen: Evidence) -> SplitValues:
        return SplitValues(self.datasets[0], seen.schema(self.datasets[0]).column(str(self.split)), MOST_SETS)

    def _sets(self, seen: Evidence) -> Splits | None:
        """The sets; None while their names are unknown, or if there are none."""
        if isinstance(self.sets, dict):
            return Splits(tuple(self.sets), self.datasets)
        if self.split is None:
            return Splits((str(self.dataset),), self.datasets)
        values, names = self._values(seen), self.sets
        if not names and values in seen:
            answer = seen.require(values)
            if answer.more:
                message = f"'{self.split}' has more than {MOST_SETS:,} values, too many to be sets"
                raise DataError(message, "name those that are sets in sets")
            names = tuple(sorted({*answer.names, *self.by_set}))
        return Splits(names, self.datasets, values.column) if names else None

    def _none(self, seen: Evidence) -> Finding:
        """There is no set at all."""
        rows = sum(n for _, n in seen.require(self._values(seen)).values)
        nothing = f"no row of '{self.datasets[0]}' has a '{self.split}'" if rows else None
        finding = Finding(Status.PASS, "", source=self.datasets[0], columns=self.about, evaluated_rows=0)
        return self.verdict(finding, passed="", failed="", nothing=nothing)

    def _finding(self, seen: Evidence, score: SetScore, source: Source) -> Finding:
        name, bound = self._limit(score.name)
        numbers = quantities_of(score)
        if shows_labels(self):
            numbers |= {f"{self.metric}[{one}]": Quantity(value) for one, value in score.estimate.classes.items()}
        finding = Finding(
            Status.PASS,
            "",
            subject_kind="set",
            subject=score.name,
            quantities=numbers,
            columns=self.about,
            source=source,
        )

        def sentence(broken: Sequence[str]) -> str:
            unsure = bound.broken_by(numbers[name]) is None
            end = "" if self.require == "point" else f"its {'lower' if bound.comparison == '<' else 'upper'} end "
            against = f", {end}{limited(bound, broken=bool(broken), unsure=unsure)}"
            known = numbers[name].value is not None
            return f"{told(score, classes=shows_labels(self))}{against if known else ''}; {rows(score.fates)}"

        nothing = None if score.judged else self._nothing(seen, score, source)
        return settled(self, finding, score, {name: bound}, sentence, nothing=nothing, remedy=_REMEDY)

    def _limit(self, name: str) -> tuple[str, Bound]:
        """The quantity of a set that is bounded, and its bound."""
        default = self.minimum if self._metric.higher_is_better else self.maximum
        limit = self.by_set.get(name, default)
        if limit is None:
            message = f"there is no limit for set '{name}'"
            other = "minimum" if self._metric.higher_is_better else "maximum"
            raise DataError(message, f"give {other} for all sets, or one for it in by_set")
        worse = "lower" if self._metric.higher_is_better else "upper"
        quantity = self.metric if self.require == "point" else f"{self.metric}_{worse}"
        return quantity, Bound("<" if self._metric.higher_is_better else ">", limit)

    def _nothing(self, seen: Evidence, score: SetScore, source: Source) -> str | None:
        """Why a set has no rows to judge, and which values there are where its name may be misspelt."""
        if score.rows:
            without = "a label" if not score.fates.get(Fate.UNSCORED) else "a label and a prediction"
            return f"none of {count(score.rows, 'row')} of {score.name} has {without}"
        if self.split is None:
            return None
        others = [(v, n) for v, n in seen.require(self._values(seen)).values if v not in self.sets]
        shown = [f"{self.text(self.split, v)} ({count(n, 'row')})" for v, n in others]
        other = f"; other values: {few(shown, _VALUES_SHOWN)}" if shown else ""
        return f"no row of '{source}' has '{score.name}' as '{self.split}'{other}"
