"""In which slices of the data does the model err more than elsewhere?"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import ClassVar

import numpy as np
from pydantic import Field

from sparkguard.core.check import Run
from sparkguard.core.evidence import Evidence
from sparkguard.core.fields import Bounds, ColumnsField, Like, WindowField
from sparkguard.core.finding import Finding, Quantity, Status, Violation
from sparkguard.core.measure import Answer, Measure
from sparkguard.core.source import Source
from sparkguard.core.text import count, few, hides, short
from sparkguard.core.threshold import Bound
from sparkguard.errors import DataError
from sparkguard.measures.scored import Fate
from sparkguard.measures.scored_cells import Mistake, Value
from sparkguard.measures.splits import MOST_SPLITS, Splits, SplitValues
from sparkguard.shapes.error_types import ErrorTypes
from sparkguard.shapes.metrics import Wanted
from sparkguard.shapes.scoring_fields import ClassField, Name, ScoringCheck
from sparkguard.shapes.scoring_words import refused
from sparkguard.shapes.slicing import Found, Slice, Slicing, sliceable
from sparkguard.stats.slices import discoveries

_METRICS = ("accuracy", "log_loss", "brier_score", "mae", "mape", "pinball_loss", "rmse")
_MOST_COLUMNS = 100
_SHOWN = 3
_RESULTS = 20
"""Slices with a result of their own."""
_SPLIT_REMEDY = "correct split or splits, or find out where these rows are"
_REMEDY = "look at rows of the worst slice: too few of them in training, a label or a feature that is wrong there"


class SliceErrors(ScoringCheck):
    """Looks for slices, by one column and by two, in which the loss of a row is larger than in all other rows.

    The loss is a wrong class (accuracy), or what the metric is the mean of; of rmse the squared error. A slice is a
    value of a text, a bin of a number, NULL, or a pair of such. It is worse if its mean loss is larger than that of
    the rest by `min_effect`, with at least `min_rows` rows, and by more than chance: of all slices that are called
    worse at most `false_discoveries` are so by chance, on average. Rows of a `cluster` count together. Pairs are
    looked at for the five columns that tell most, and named where they are as much worse than both of their parts.
    With `split` a table says which kind of mistake is made in which split: classes taken for others, false positives
    and negatives, numbers that are too low or too high. It has a result for each, which judges nothing.
    It warns by default: what a search finds is a question, not a verdict. Worse slices have a result of their own,
    with `slice_key` and `slice_value`, and the worst are evidence.

    Cost: a count and a read of the columns for a sample, one read for single columns, and one for pairs; a row
    counts once for each column, and once for each of at most ten pairs. With `split` one read more, and one of its
    column where splits are not named.

    Blind to: slices of three columns; columns that are not in the table; values that share the cell of others; that
    a slice is hard for every model (compare with a baseline: scenario_tests).

    Example:
        >>> from sparkguard.testing import judge
        >>> rows = [("ABC"[i % 3], i % 7, int(i % 3 > 0 or i % 4 > 0)) for i in range(1200)]
        >>> table = [{"dest": dest, "hour": hour, "y": 1, "p": p} for dest, hour, p in rows]
        >>> check = SliceErrors(id="where", dataset="t", label="y", prediction="p", metric="accuracy")
        >>> whole, worst = judge(check, {"t": table})
        >>> worst.status.value, worst.slice_key, worst.slice_value
        ('warn', 'dest', 'A')
        >>> worst.message
        'dest A errs in 0.25 of 400 rows, the rest in 0; it adds 100 % of all errors'
    """

    QUANTITIES: ClassVar[Mapping[str, str]] = {
        "worse_slices": "slices that are worse than the rest; of the whole only",
        "tested_slices": "slices with enough rows; of the whole only",
        "mean_loss": "the mean loss, of all rows or of the slice",
        "rest_loss": "the mean loss of all other rows; of a slice only",
        "excess": "by which part the mean loss is larger than the rest's; of the whole that of the worst slice",
        "contribution": "the part of all loss that the slice has beyond the rest's mean, or the kind of mistake has",
        "chance": "the chance of so large a difference without any; of a slice only",
        "error_rows": "rows with a kind of mistake; of a split and a kind only",
        "error_rate": "their share of the split's rows, by weight where there is one; of a split and a kind only",
        "unlabelled_rows": "rows whose label is NULL, NaN or infinite; of the whole only",
        "unscored_rows": "rows with a label without a prediction; of the whole only",
        "evaluated_rows": "rows with a label and a prediction",
    }
    COST: ClassVar[str] = "1 count, 1 scan for a sample, 1 scan for columns, 1 for pairs; with split 1 or 2"

    dataset: str = Field(min_length=1, examples=["path=data/scored,time_column=ts"])
    """The rows; on the command line also the dataset itself."""
    window: WindowField | None = Field(default=None, examples=["end=2026-01-31,length=30d"])
    """Half-open stretch of the dataset's time column: {end, length} or {start, end}."""
    split: Name | None = None
    """The column that tells the split, for a table of kinds of mistakes; it is no slice."""
    splits: tuple[ClassField, ...] = ()
    """The values of split that are splits (default: all)."""
    columns: ColumnsField = Like(("*",))
    """The columns whose values are slices (default: all others that are numbers, texts or truth values)."""
    exclude: tuple[Name, ...] = ()
    """Columns that are no slices."""
    pairs: bool = True
    """Whether pairs of columns are looked at too."""
    min_rows: int = Field(default=50, ge=2)
    """The least rows of a slice."""
    min_effect: float = Field(default=0.2, ge=0)
    """The least part by which the mean loss of a worse slice is larger than the rest's."""
    false_discoveries: float = Field(default=0.05, gt=0, lt=1)
    """The share of worse slices that may be so by chance, on average."""
    seed: int = Field(default=0, ge=0)
    """Of the sample that makes the cells."""
    error_if: Bounds = {"unscored_rows": Bound(">", 0.0)}
    """Bounds on the quantities of the whole whose breach fails the check."""
    warn_if: Bounds = {"worse_slices": Bound(">", 0.0)}
    """Bounds on the quantities of the whole whose breach warns."""

    @property
    def datasets(self) -> tuple[Source, ...]:
        """The one source."""
        return (self._source,)

    def ask(self, seen: Evidence) -> Iterable[Measure[Answer]]:
        """Ask for a sample, the loss by column, then by pairs; and for the loss of splits by kind of mistake."""
        yield from self._slicing(seen).ask(seen)
        if self.split is not None and not self.splits:
            yield self._values(seen)
        # What is wrong with the table is said of the table, not of slices.
        with suppress(DataError):
            types = self._types(seen)
            if types is not None:
                yield types.asked

    def judge(self, seen: Evidence, run: Run) -> tuple[Finding, ...]:  # noqa: ARG002 - no date is needed
        """One finding on the whole, and one for each of the worst slices."""
        slicing = self._slicing(seen)
        found, fates = slicing.found(seen), slicing.fates(seen)
        wrong = refused(self, fates, self.dataset)
        if wrong is not None:
            return (Finding(Status.ERROR, wrong.reason, wrong.remedy, columns=self.about, source=self._source),)
        tested = np.array([one.rows >= self.min_rows for one in found.slices], np.bool_)
        chance = np.array([one.chance for one in found.slices])
        large = np.array([one.excess >= self.min_effect for one in found.slices], np.bool_)
        worse = discoveries(chance, tested, self.false_discoveries) & large & tested if len(tested) else tested
        order = sorted((found.slices[i] for i in np.flatnonzero(worse)), key=lambda one: -found.contribution(one))
        whole = self._whole(found, order, int(tested.sum()), fates)
        if not found.rows or whole.status is Status.ERROR:
            return (whole,)
        slices = (self._slice(found, one, whole.status) for one in order[:_RESULTS])
        return (whole, *slices, *(self._table(seen) if self.split is not None else ()))

    @property
    def _source(self) -> Source:
        return Source(self.dataset, self.window)

    def _mistakes(self) -> Iterator[str]:
        yield from super()._mistakes()
        if self.metric not in _METRICS:
            yield f"{self.metric} is no mean over rows, so slices do not compare; write one of {', '.join(_METRICS)}"
        named = self.columns if isinstance(self.columns, tuple) else ()
        if self.splits and self.split is None:
            yield "splits are values of a column: give split"
        if len(set(self.splits)) < len(self.splits):
            yield "splits names a split twice"
        if len(self.splits) > MOST_SPLITS:
            yield f"splits names {count(len(self.splits), 'split')}; {MOST_SPLITS} is the most"
        if self.split is not None and self.probabilities:
            yield "kinds of mistakes are of one prediction or score, not of probabilities: leave split or them out"
        apart = {*self.about, *([self.split] if self.split else [])} & set(named)
        if apart:
            yield f"columns names {few(sorted(apart), _SHOWN)}, which is judged"

    def _slicing(self, seen: Evidence) -> Slicing:
        schema = seen.schema(self._source)
        given = (self.label, self.prediction, self.score, self.weight, self.split, *self.cluster, *self.exclude)
        given += tuple(self.probabilities.values())
        apart = {str(name) for name in (*given, seen.time_column(self._source)) if name is not None}
        if isinstance(self.columns, tuple):
            columns = tuple(schema.column(name) for name in self.columns)
        else:
            columns = tuple(c for c in self.columns.matching(schema, sliceable) if c.name not in apart)
        columns = tuple(c for c in columns if not hides(self.redact, c.name))
        odd = [c for c in columns if not sliceable(c)]
        message = None
        if odd:
            message = f"'{odd[0].name}' is {odd[0].type}, by which no slices are told"
        elif not columns:
            message = f"'{self._source}' has no column by which slices could be told"
        elif len(columns) > _MOST_COLUMNS:
            message = f"{len(columns)} columns are too many to slice by; {_MOST_COLUMNS} is the most"
        if message is not None:
            raise DataError(message, "name the columns that matter in columns")
        scoring = self.scoring(seen, Splits((self.dataset,), (self._source,)))
        loss = self._loss(scoring.wanted)
        return Slicing(scoring.rows, self._source, columns, loss, self.pairs, self.min_rows, self.min_effect, self.seed)

    def _values(self, seen: Evidence) -> SplitValues:
        return SplitValues(self._source, seen.schema(self._source).column(str(self.split)))

    def _types(self, seen: Evidence) -> ErrorTypes | None:
        """The question about kinds of mistakes; None if nobody asks, or while splits are unknown."""
        if self.split is None or not (self.splits or self._values(seen) in seen):
            return None
        names = self.splits
        if not names:
            answer = seen.require(self._values(seen))
            names = answer.names
            if answer.more or len(names) > MOST_SPLITS:
                message = f"'{self.split}' has more than {MOST_SPLITS} values, too many for splits"
                raise DataError(message, "name those that are splits in splits")
        if not names:
            return None
        column = seen.schema(self._source).column(self.split)
        scoring = self.scoring(seen, Splits(names, (self._source,), column))
        return ErrorTypes(scoring.rows, self._loss(scoring.wanted), scoring.wanted)

    def _table(self, seen: Evidence) -> Iterator[Finding]:
        """The table of kinds of mistakes by splits; what is wrong with it alone."""
        split = str(self.split)
        try:
            types = self._types(seen)
            missing = () if types is None else types.missing(seen)
        except DataError as error:
            yield self._odd(Status.ERROR, split, f"no table of mistakes: {error}", error.remedy)
            return
        if types is None:
            yield self._odd(Status.WARN, split, f"no table of mistakes: no row has a '{split}'", _SPLIT_REMEDY)
            return
        lost = 0 if self.splits else sum(n for v, n in seen.require(self._values(seen)).values if v is None)
        if lost:
            told = f"{count(lost, 'row')} without a '{split}' {'is' if lost == 1 else 'are'} in no split"
            yield self._odd(Status.WARN, split, told, f"{_SPLIT_REMEDY}, or name splits")
        for name in missing:
            told = f"no row of '{split}' {self.text(split, name)} has a label and a prediction"
            yield self._odd(Status.WARN, name, told, _SPLIT_REMEDY)
        hidden = any(hides(self.redact, name) for name in (*self.about, split))
        if not hidden and self.violations != "none":
            yield from self._mistaken(seen, types)

    def _odd(self, status: Status, subject: str, told: str, remedy: str | None) -> Finding:
        """What is wrong with a split, or with all of the table."""
        columns = (str(self.split), *self.about)
        return Finding(status, told, remedy, subject_kind="set", subject=subject, columns=columns, source=self._source)

    def _mistaken(self, seen: Evidence, types: ErrorTypes) -> Iterator[Finding]:
        """A result for each split and kind of mistake."""
        for one, elsewhere in types.found(seen):
            numbers = {"error_rows": one.rows, "error_rate": one.rate, "contribution": one.contribution}
            yield Finding(
                Status.PASS,
                one.told(elsewhere),
                quantities={name: Quantity(value) for name, value in numbers.items()},
                evaluated_rows=one.judged,
                subject_kind="set",
                subject=one.split,
                slice_key="error",
                slice_value=one.name,
                columns=self.about,
                source=self._source,
            )

    def _loss(self, wanted: Wanted) -> Value:
        values = wanted.values()
        return values[0] if values else Mistake(wanted.positive, wanted.threshold)

    def _whole(self, found: Found, worse: list[Slice], tested: int, fates: Mapping[Fate, int]) -> Finding:
        quantities = {
            "worse_slices": len(worse),
            "tested_slices": tested,
            "mean_loss": found.mean,
            "excess": max((one.excess for one in worse if math.isfinite(one.excess)), default=0.0),
            "unlabelled_rows": fates.get(Fate.UNLABELLED, 0),
            "unscored_rows": fates.get(Fate.UNSCORED, 0),
        }
        shown = self.violations != "none"
        names = few([str(one) if shown else one.key for one in worse], _SHOWN)
        looked = f"of {count(tested, 'slice')} with at least {self.min_rows} rows"
        finding = Finding(
            Status.PASS,
            "",
            quantities={name: Quantity(value) for name, value in quantities.items()},
            evaluated_rows=found.rows,
            columns=self.about,
            source=self._source,
            violations=tuple(self._evidence(one) for one in worse),
        )
        if not found.rows:
            return self.verdict(finding, passed="", failed="")
        told = f"{len(worse):,} {looked} {'is' if len(worse) == 1 else 'are'} worse than the rest: {names}"
        least = f"{self.min_effect:.0%}".replace("%", " %")
        passed = told if worse else f"none {looked} is worse than the rest by {least} and more than chance"
        known = {**finding.quantities, "evaluated_rows": Quantity(found.rows)}
        bare = replace(finding, evaluated_rows=None, quantities=known)
        verdict = self.verdict(
            bare, passed=passed, failed=told if worse else "", told=("worse_slices",), remedy=_REMEDY
        )
        return replace(verdict, evaluated_rows=found.rows)

    def _slice(self, found: Found, one: Slice, status: Status) -> Finding:
        mean, rest = (short(value) for value in (one.mean, one.rest))
        errs = "has a mean loss of {} in {}, the rest {}"
        if self.metric == "accuracy":
            errs = "errs in {} of {}, the rest in {}"
        share = short(100 * found.contribution(one), 2)
        value = self.text(one.key, one.value)
        parts = zip(one.columns, one.cells, strict=True)
        named = " and ".join(f"{column} {self.text(column, cell)}" for column, cell in parts)
        told = f"{named} {errs.format(mean, count(one.rows, 'row'), rest)}; it adds {share} % of all errors"
        numbers = {
            "mean_loss": one.mean,
            "rest_loss": one.rest,
            "excess": one.excess if math.isfinite(one.excess) else None,
            "contribution": found.contribution(one),
            "chance": one.chance,
        }
        return Finding(
            status,
            told,
            quantities={name: Quantity(value) for name, value in numbers.items()},
            evaluated_rows=one.rows,
            slice_key=one.key,
            slice_value=value,
            columns=one.columns,
            source=self._source,
        )

    def _evidence(self, one: Slice) -> Violation:
        key = dict(zip(one.columns, one.cells, strict=True))
        reason = f"mean loss {short(one.mean)}, of the rest {short(one.rest)}"
        return Violation("worse_slice", key, reason, count=one.rows)
