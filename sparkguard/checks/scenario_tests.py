"""Is the model good enough on each of many curated sets of rows, and no worse there than the one before?"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import ClassVar, Literal

from pydantic import Field

from sparkguard.core.check import Run
from sparkguard.core.evidence import Evidence
from sparkguard.core.fields import Bounds, WindowField
from sparkguard.core.finding import Finding, Status, Violation
from sparkguard.core.measure import Answer, Measure
from sparkguard.core.source import Source
from sparkguard.core.text import count, few, number
from sparkguard.core.threshold import Bound
from sparkguard.shapes.metrics import METRICS
from sparkguard.shapes.scenario_fields import (
    MOST_SCENARIOS,
    FilesField,
    KeyTable,
    Scenario,
    ScenariosField,
    scenarios_of,
)
from sparkguard.shapes.scoring import Scoring, SetScore
from sparkguard.shapes.scoring_fields import Finite, Name, ScoringCheck
from sparkguard.shapes.scoring_verdict import quantities_of, settled, shows_labels
from sparkguard.shapes.scoring_words import Regression, limited, rows, told

_REMEDY = "look at the rows of the scenario: a case that was right, or should be, is not; do not promote this model"
_SHOWN = 5


class ScenarioTests(ScoringCheck):
    """Asks of many small curated sets of rows that a metric is good enough on each, and no worse than it was.

    A scenario is told by a condition in SQL, by equal columns, by keys, or has a dataset of its own; it has a
    limit, or says by how much its metric may be worse than that of a baseline model on the same rows. What
    decides is the regression itself: a correction for 1,000 scenarios would hide nearly every real one. Whether it
    is more than chance is told beside it, by clusters or by keys of rows. A scenario that became empty, or has
    fewer than `min_rows`, fails. Scenarios may stand in files of their own (docs/metrics.md).

    Cost: as a metric gate, once for each metric that scenarios have, twice with a baseline. All scenarios by equal
    columns and keys are one broadcast lookup; each condition is evaluated on every row; a table of keys is one join.

    Blind to: rows of no scenario (slice_errors); labels that are wrong; a baseline whose predictions are of other
    rows or of another day.

    Example:
        >>> from sparkguard.testing import judge
        >>> rows = [("SFO", 1, 1, 1), ("SFO", 0, 1, 0), ("BOS", 1, 1, 1), ("BOS", 0, 0, 1), ("BOS", 1, 1, 0)]
        >>> table = [{"dest": d, "late": y, "new": n, "old": o} for d, y, n, o in rows]
        >>> check = ScenarioTests(id="cases", dataset="t", label="late", prediction="new", metric="accuracy",
        ...     baseline_prediction="old", max_regression=0, scenarios=[{"name": "sfo", "equals": {"dest": "SFO"}}])
        >>> [sfo] = judge(check, {"t": table})
        >>> sfo.status.value, sfo.message
        ('fail', 'accuracy of sfo is 0.5 (0.0945 to 0.906, rows taken as independent), 0.5 worse than the 1 of the baseline (give cluster or key to know whether by chance), more than 0; the aggregate went up: 0.6 → 0.8; 2 rows')
    """  # noqa: E501 - a message is one line

    QUANTITIES: ClassVar[Mapping[str, str]] = {
        "value": "the metric; kept under its own name, for instance roc_auc",
        "lower": "the lower end of its interval; kept as for instance roc_auc_lower",
        "upper": "the upper end; kept as for instance roc_auc_upper",
        "baseline": "the metric of the baseline on the same rows",
        "regression": "by how much the metric is worse than the baseline's; below 0 it is better",
        "regression_lower": "the lower end of its interval",
        "regression_upper": "the upper end of its interval",
        "clusters": "different clusters of judged rows, at least so many; without cluster there is none",
        "unlabelled_rows": "rows whose label is NULL, NaN or infinite",
        "unscored_rows": "rows with a label without a prediction, of this model or of the baseline",
        "evaluated_rows": "rows that the metric is of",
    }
    COST: ClassVar[str] = (
        "for each metric 1 scan (r2 2, roc_auc and average_precision 3), twice with a baseline; "
        "1 scan and 1 shuffle of each table of keys"
    )

    dataset: str = Field(min_length=1, examples=["path=data/scored,time_column=ts"])
    """The dataset with labels and predictions; on the command line also the dataset itself."""
    window: WindowField | None = Field(default=None, examples=["end=2026-01-31,length=30d"])
    """Half-open stretch of the dataset's time column: {end, length} or {start, end}."""
    scenarios: ScenariosField = ()
    """The scenarios: [{name, where | equals | keys | dataset, minimum, max_regression, min_rows, owner, bug}]."""
    files: FilesField = ()
    """Files of scenarios, lists as in `scenarios`; * in a path stands for any name."""
    baseline_prediction: Name | None = None
    """The column with what the baseline model predicted."""
    baseline_score: Name | None = None
    """The column with the baseline model's score."""
    key: tuple[Name, ...] = ()
    """What names a row, by which the chance of a regression is told where there is no cluster."""
    minimum: Finite | None = None
    """What the metric must reach in each scenario that does not say otherwise, if higher is better."""
    maximum: Finite | None = None
    """What it must not exceed, if lower is better."""
    max_regression: Finite | None = None
    """By how much the metric may be worse than the baseline's, in each scenario that does not say otherwise."""
    non_inferiority: bool = False
    """Whether the worse end of the regression's interval must stay below max_regression, not only the regression."""
    min_rows: int = Field(default=1, ge=1)
    """With fewer rows to judge a scenario fails."""
    on_empty: Literal["error", "fail", "pass", "skip"] = "fail"
    """The status of a scenario without rows to judge."""
    error_if: Bounds = {"unscored_rows": Bound(">", 0.0)}
    """Bounds on the quantities whose breach fails a scenario, beside its limits."""

    @property
    def content(self) -> str:
        """The texts of the files."""
        return "\0".join(file.text for file in self.files)

    @property
    def listed(self) -> tuple[Scenario, ...]:
        """All scenarios, those of files last."""
        return (*self.scenarios, *(one for file in self.files for one in file.scenarios))

    @property
    def datasets(self) -> tuple[Source, ...]:
        """The dataset, those of scenarios, and tables of keys."""
        found = [Source(self.dataset, self.window)]
        for one in self.listed:
            given = one.keys.dataset if isinstance(one.keys, KeyTable) else one.dataset
            found += [] if given is None else [Source(given.dataset, None, given.version)]
        return tuple(dict.fromkeys(found))

    def ask(self, seen: Evidence) -> Iterable[Measure[Answer]]:
        """Ask for each metric, of this model and of the baseline."""
        for metric in self.metrics:
            for scoring in self._scorings(seen, metric):
                yield from scoring.ask(seen)

    def judge(self, seen: Evidence, run: Run) -> tuple[Finding, ...]:  # noqa: ARG002 - no date is needed
        """One finding for each scenario, in their order."""
        found = {}
        for metric in self.metrics:
            scoring, *baselines = self._scorings(seen, metric)
            scores = scoring.found(seen)
            regressions: Sequence[Regression | None] = [None] * len(scores)
            for baseline in baselines:
                pairs = zip(scores, baseline.found(seen), scoring.differences(seen, baseline), strict=True)
                regressions = [Regression(mine, theirs, error) for mine, theirs, error in pairs]
            whole, variant = regressions[-1], self._variant(metric)
            for one, score, regression in zip(self._of(metric), scores, regressions, strict=False):
                found[one.name] = self._finding(variant, one, score, regression, whole)
        return tuple(found[one.name] for one in self.listed)

    @property
    def metrics(self) -> tuple[str, ...]:
        """Those of the scenarios."""
        return tuple(dict.fromkeys(one.metric or self.metric for one in self.listed))

    @property
    def _compares(self) -> bool:
        return self.baseline_prediction is not None or self.baseline_score is not None

    def _of(self, metric: str) -> tuple[Scenario, ...]:
        return tuple(one for one in self.listed if (one.metric or self.metric) == metric)

    def _variant(self, metric: str) -> ScenarioTests:
        return self.model_copy(update={"metric": metric})

    def _scorings(self, seen: Evidence, metric: str) -> tuple[Scoring, ...]:
        """The questions about this model, and about the baseline on the same rows."""
        sets = scenarios_of(seen, Source(self.dataset, self.window), self._of(metric), whole=self._compares)
        mine = self._variant(metric)
        if not self._compares:
            return (mine.scoring(seen, sets),)
        other = mine.model_copy(update={"prediction": self.baseline_prediction, "score": self.baseline_score})
        folds = self.cluster or self.key
        return (
            mine.scoring(seen, sets, rival=other.told, folds=folds),
            other.scoring(seen, sets, rival=mine.told, folds=folds),
        )

    def _mistakes(self) -> Iterator[str]:
        """What contradicts what, in the words of the fields."""
        yield from super()._mistakes()
        names = [one.name for one in self.listed]
        doubled = sorted(name for name, times in Counter(names).items() if times > 1)
        if not names:
            yield "there is no scenario: give scenarios, or files"
        if len(names) > MOST_SCENARIOS:
            yield f"there are {len(names):,} scenarios, {MOST_SCENARIOS:,} is the most"
        if doubled:
            yield f"a scenario is named twice: {few(doubled, _SHOWN)}"
        for metric in self.metrics:
            variant = self._variant(metric)
            yield from variant.lacks()
            if self._compares:
                other = {"prediction": self.baseline_prediction, "score": self.baseline_score}
                lacks = variant.model_copy(update=other).lacks()
                yield from (f"of the baseline: {message.replace('give ', 'give baseline_')}" for message in lacks)
        yield from self._of_the_baseline()
        if self.average == "by_class" and self._compares:
            yield "average: by_class cannot be compared with a baseline, whose worst class may be another"
        for one in self.listed:
            yield from (f"scenario '{one.name}': {message}" for message in self._wrong(one))

    def _of_the_baseline(self) -> Iterator[str]:
        """What is wrong with the bounds, and with what the model is compared with."""
        bounded = {*self.metrics, "regression", "regression_upper", "evaluated_rows"} & set(self.error_if)
        if bounded:
            yield f"the bounds on {few(sorted(bounded), _SHOWN)} are minimum, max_regression and min_rows, not error_if"
        if self._compares and {self.baseline_prediction, self.baseline_score} & {self.prediction, self.score} - {None}:
            yield "the baseline is the model itself; name the columns of another model"
        if self._compares and self.probabilities:
            yield "probabilities are of one model and have no baseline to compare with; give score and baseline_score"
        if self.key and not self._compares:
            yield "key is for a baseline, by which the chance of a regression is told"

    def _wrong(self, one: Scenario) -> Iterator[str]:
        metric = one.metric or self.metric
        higher = METRICS[metric].higher_is_better
        limit, other = ("minimum", "maximum") if higher else ("maximum", "minimum")
        if getattr(one, other) is not None or (getattr(self, other) is not None and one.metric in (None, self.metric)):
            yield f"{metric} is better the {'higher' if higher else 'lower'} it is: give {limit}"
        if self._limit(one) is None and self._margin(one) is None:
            yield f"it has no limit: give {limit}, or max_regression and a baseline"
        if self._margin(one) is not None and not self._compares:
            yield "max_regression needs baseline_prediction or baseline_score"
        if self._inferior(one) and not (self._margin(one) is not None and (self.cluster or self.key)):
            yield "non_inferiority needs max_regression, and cluster or key by which chance is told"

    def _limit(self, one: Scenario) -> Bound | None:
        """The bound on the metric itself."""
        higher = METRICS[one.metric or self.metric].higher_is_better
        own = one.minimum if higher else one.maximum
        # A limit of the check is one of its own metric.
        inherited = None if one.metric not in (None, self.metric) else self.minimum if higher else self.maximum
        given = inherited if own is None else own
        return None if given is None else Bound("<" if higher else ">", given)

    def _margin(self, one: Scenario) -> float | None:
        inherited = self.max_regression if one.metric in (None, self.metric) else None
        return inherited if one.max_regression is None else one.max_regression

    def _inferior(self, one: Scenario) -> bool:
        return self.non_inferiority if one.non_inferiority is None else one.non_inferiority

    def _bounds(self, one: Scenario) -> dict[str, Bound]:
        """What breaks a scenario, the metric itself first."""
        found = {} if self._limit(one) is None else {one.metric or self.metric: self._limit(one)}
        margin = self._margin(one)
        if margin is not None:
            found["regression_upper" if self._inferior(one) else "regression"] = Bound(">", margin)
        least = one.min_rows or self.min_rows
        return {name: bound for name, bound in found.items() if bound} | {"evaluated_rows": Bound("<", float(least))}

    def _finding(
        self,
        variant: ScenarioTests,
        one: Scenario,
        score: SetScore,
        regression: Regression | None,
        whole: Regression | None,
    ) -> Finding:
        bounds = self._bounds(one)
        finding = Finding(
            Status.PASS,
            "",
            subject_kind="scenario",
            subject=one.name,
            quantities={**quantities_of(score), **({} if regression is None else regression.numbers)},
            columns=variant.about,
            source=self._own(one) or Source(self.dataset, self.window),
        )

        def sentence(broken: Sequence[str]) -> str:
            return self._sentence(one, score, regression, whole, broken)

        empty = f"scenario '{one.name}' has no row to judge: {self._why_empty(score)}{_asked(one)}"
        verdict = settled(variant, finding, score, bounds, sentence, nothing=empty, remedy=_REMEDY)
        if verdict.status is not Status.FAIL or self.violations == "none" or not score.judged:
            return verdict
        return replace(verdict, violations=(self._evidence(one, score, verdict.message),))

    def _own(self, one: Scenario) -> Source | None:
        return None if one.dataset is None else Source(one.dataset.dataset, None, one.dataset.version)

    def _why_empty(self, score: SetScore) -> str:
        if not score.rows:
            return "no row is in it"
        return f"none of {count(score.rows, 'row')} has a label and a prediction"

    def _sentence(
        self,
        one: Scenario,
        score: SetScore,
        regression: Regression | None,
        whole: Regression | None,
        broken: Sequence[str],
    ) -> str:
        parts = [told(score, classes=shows_labels(self))]
        limit = self._limit(one)
        if limit is not None and not math.isnan(score.estimate.value):
            parts.append(limited(limit, broken=(one.metric or self.metric) in broken))
        sentence = ", ".join(parts)
        margin = self._margin(one)
        if regression is not None:
            too_much = bool({"regression", "regression_upper"} & set(broken))
            end = "its worse end " if self._inferior(one) else ""
            against = "" if margin is None else f", {end}{'more than' if too_much else 'at most'} {number(margin)}"
            against = "" if regression.improved and not too_much else against
            sentence += f", {regression.told}{against}"
            if too_much and whole is not None and whole.improved:
                sentence += f"; the aggregate went {whole.way}"
        least = one.min_rows or self.min_rows
        fewer = f", fewer than {least:,}" if "evaluated_rows" in broken else ""
        return f"{sentence}; {rows(score.fates)}{fewer}{_asked(one) if broken else ''}"

    def _evidence(self, one: Scenario, score: SetScore, sentence: str) -> Violation:
        limit = self._limit(one)
        wanted = None if limit is None else limited(limit, broken=False)
        return Violation(
            "failed_scenario",
            {"scenario": one.name},
            reason=one.bug or sentence,
            expected=wanted,
            actual=None if math.isnan(score.estimate.value) else number(score.estimate.value),
            count=score.judged,
        )


def _asked(one: Scenario) -> str:
    """Who is asked, and what the scenario came from."""
    known = {"owner": one.owner, "from": one.bug}
    return "".join(f"; {name} {value}" for name, value in known.items() if value)
