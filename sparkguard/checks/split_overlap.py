"""Do train, validation and test share rows, keys or entities, and do they follow each other in time?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Annotated, ClassVar

from pydantic import Field

from sparkguard.core.check import Check, Run
from sparkguard.core.evidence import Evidence
from sparkguard.core.fields import Bounds, DurationField, WindowField, ZoneField
from sparkguard.core.finding import Finding, Quantity, Status
from sparkguard.core.measure import Answer, Measure
from sparkguard.core.source import Source
from sparkguard.core.text import count, few, hides
from sparkguard.core.threshold import Bound
from sparkguard.errors import DataError
from sparkguard.measures.splits import MOST_SPLITS, SplitKey, Splits, SplitValues
from sparkguard.shapes.split_field import FEWEST_SPLITS, SplitsField
from sparkguard.shapes.split_findings import NOUNS, NULL_TIMES, UNORDERED, Pair, SplitFindings
from sparkguard.shapes.split_questions import SplitQuestions, named_parts, one_sided, row_parts, time_columns

_VALUES_SHOWN = 5


def _by_side(name: str, what: str) -> dict[str, str]:
    sides = {f"{name}_{side}": f"of these the rows of the {side} split of a pair" for side in ("first", "second")}
    return {name: what, **sides}


class SplitOverlap(Check):
    r"""Counts rows, keys and entities that are in more than one split, and rows out of order in time; exactly.

    The splits are the values of a column of one dataset (`split`), or datasets of their own. A key or entity
    with NULL in it names nothing and is set apart; in whole rows a NULL equals a NULL. Equality is Spark's: -0.0
    equals 0.0, NaN equals NaN, text by its collation; maps compare by their entries, variants by their JSON.
    Types of the splits compare in a common type that loses nothing, else the check is an error. A split without
    rows has the status of `on_empty`, and one whose rows all have NULL warns: nothing was compared. One finding
    for every two splits, and one for all.

    Cost: for each of rows, key and entity one read of all splits and one shuffle of 8 bytes a row and a count for
    each split, to which a task sends a hash once; `ordered` one more read of the times. Only where hashes meet, a
    second read that shuffles the suspect rows by their true values; where rows are out of order, two of the
    times. Without `splits` one read of the column that tells them. The driver sees a total for each pair and the
    capped evidence, 1,000 keys a pair at most.

    Blind to: rows that are nearly equal; the same entity under another name; keys that differ in case, spaces or
    Unicode normal form; features that were computed from rows of another split; rows of no split, which are told.

    Example:
        >>> from sparkguard.testing import judge
        >>> check = SplitOverlap(id="apart", dataset="t", split="part", splits=["train", "test"], entity=["user"])
        >>> rows = [("train", 1), ("train", 2), ("train", 2), ("test", 2), ("test", None)]
        >>> pair, whole = judge(check, {"t": [{"part": p, "user": u} for p, u in rows]})
        >>> pair.subject, pair.status.value, pair.message
        ('train & test', 'fail', '1 entity (user) is in both, in 2 rows of train and 1 row of test: user=2; 1 row with NULL in the entity set apart')
        >>> int(whole.quantities["shared_entity_rows"].value)
        3
    """  # noqa: E501 - a message is one line

    QUANTITIES: ClassVar[Mapping[str, str]] = {
        "shared_contents": "different whole rows that are in more than one split",
        **_by_side("shared_rows", "rows whose content another split has too"),
        "shared_keys": "distinct keys that are in more than one split",
        **_by_side("shared_key_rows", "rows whose key another split has too"),
        "shared_entities": "distinct entities that are in more than one split",
        **_by_side("shared_entity_rows", "rows whose entity another split has too"),
        **_by_side("unordered_rows", "rows not earlier than a later split, or not later than an earlier one"),
        "null_key_rows": "rows with NULL in at least one column of the key",
        "null_entity_rows": "rows with NULL in at least one column of the entity",
        "null_time_rows": "rows without a readable time, which ordered does not see",
        "other_rows": "rows of no split: with another value in the column that tells it, or NULL; of the whole only",
        "evaluated_rows": "rows of the splits",
        "violation_rows": "rows that the question finds which finds the most: a row may be found by several",
        "violation_rate": "violation_rows / evaluated_rows",
    }
    COST: ClassVar[str] = (
        "for each of rows, key and entity 1 scan of all splits and 1 shuffle of 8 bytes a row, 1 more of each where "
        "some may be shared; ordered: 1 scan of the times, 2 more where rows are out of order; 1 scan of the split "
        "column where splits are not named"
    )

    dataset: str | None = Field(default=None, examples=["path=data/features,time_column=ts"])
    """The dataset that holds all splits; on the command line also the dataset itself."""
    split: str | None = Field(default=None, min_length=1)
    """The column of dataset whose values tell the split; with it, `splits` is a list of some of its values."""
    splits: SplitsField = Field(
        default=(), examples=["train,validation,test; or {train: {path: data/train}, test: {path: data/test}}"]
    )
    """The splits in their order in time: values of split (default: all), or names with a dataset each."""
    window: WindowField | None = Field(default=None, examples=["end=2026-01-31,length=30d"])
    """Half-open stretch of the dataset's time column: {end, length} or {start, end}."""
    key: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """The columns that name a row: no key may be in two splits."""
    entity: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """The columns that name what rows are about: no entity may be in two splits."""
    rows: bool | None = None
    """Whether to compare whole rows, by all columns that the splits have (default: if nothing else is asked)."""
    rows_except: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """Columns that whole rows are not compared by, for instance an id; the split column never is."""
    ordered: bool = False
    """Whether each split must end before the next begins, by the time column of the dataset or datasets."""
    gap: DurationField | None = Field(default=None, examples=["1d"])
    """How long after the end of a split the next may begin."""
    timezone: ZoneField = Field(default="", validate_default=True)
    """The zone of times that have none; by default the suite's."""
    error_if: Bounds = {"violation_rows": Bound(">", 0.0)}
    """Bounds on the quantities whose breach fails the check."""

    @property
    def timed(self) -> bool:
        """The order is one in time."""
        return self.ordered

    @property
    def about(self) -> tuple[str, ...]:
        """The key and the entity."""
        return tuple(dict.fromkeys((*self.key, *self.entity)))

    @property
    def datasets(self) -> tuple[Source, ...]:
        """The one dataset, or that of each split."""
        if isinstance(self.splits, dict):
            return tuple(Source(v.dataset, None, v.version) for v in self.splits.values())
        return (Source(str(self.dataset), self.window),)

    def ask(self, seen: Evidence) -> Iterable[Measure[Answer]]:
        """Ask which splits there are; for hashes and times; for what is shared and out of order, where some is."""
        splits = self._splits(seen)
        sizes = None
        if splits is not None and len(splits.names) >= FEWEST_SPLITS:
            questions = self._questions(seen, splits)
            yield from questions.ask(seen)
            sizes = questions.sizes(seen)
        if not self.splits or (sizes is not None and self._misnamed(*sizes)):
            yield self._values(seen)

    def judge(self, seen: Evidence, run: Run) -> tuple[Finding, ...]:  # noqa: ARG002 - no date is needed
        """One finding for every two splits, and one for all."""
        splits = self._splits(seen)
        if splits is None or len(splits.names) < FEWEST_SPLITS:
            return (self._single(seen),)
        found = self._questions(seen, splits).found(seen, self.text)
        pairs = {pair: self._pair(found, splits, pair) for pair in splits.pairs}
        wrong = [pair for pair, finding in pairs.items() if finding.violation_rows]
        return (*pairs.values(), self._whole(seen, found, splits, wrong))

    def _mistakes(self) -> Iterator[str]:
        """What contradicts what, in the words of the fields."""
        by_column, by_dataset = self.dataset is not None, isinstance(self.splits, dict)
        if by_column == by_dataset:
            yield "give dataset and split, a column, or splits: a name for each dataset, {train: a, test: b}"
        elif by_column != (self.split is not None):
            yield "split is the column of dataset that tells the splits; they go together"
        elif by_dataset and self.window is not None:
            yield "a window is for one dataset; cut the datasets of splits by their where"
        elif isinstance(self.splits, dict) and len(set(self.datasets)) < len(self.splits):
            yield "two of splits are the same dataset and version, so all of their rows are shared"
        for name in ("key", "entity", "rows_except"):
            columns = getattr(self, name)
            if len(set(columns)) < len(columns):
                yield f"{name} names a column twice: {', '.join(columns)}"
        yield from self._unasked()
        if self.ordered and not self.splits:
            yield "ordered needs splits: their names in their order in time"
        kept_out = self.violations == "none" or hides(self.redact, self.split or "")
        if self.split is not None and not self.splits and kept_out:
            yield f"list the splits: they would be named by values of '{self.split}', which the suite keeps out"

    def _unasked(self) -> Iterator[str]:
        """What is given for questions that are not asked."""
        asked = {"row": self._by_row, "key": bool(self.key), "entity": bool(self.entity)}
        if not (any(asked.values()) or self.ordered):
            yield "nothing is asked: give key, entity, ordered: true, or leave rows out"
        if self.rows_except and not self._by_row:
            yield "rows_except needs rows: true"
        if self.gap is not None and not self.ordered:
            yield "gap needs ordered: true"
        needs = {"row": "rows: true", "key": "key", "entity": "entity"}
        for kind, noun in NOUNS.items():
            names = {noun.distinct, noun.rows, f"{noun.rows}_first", f"{noun.rows}_second", noun.nulls}
            yield from (f"a bound on {q} needs {needs[kind]}" for q in self._bounded & names if not asked[kind])
        times = {UNORDERED, f"{UNORDERED}_first", f"{UNORDERED}_second", NULL_TIMES}
        yield from (f"a bound on {q} needs ordered: true" for q in self._bounded & times if not self.ordered)

    @property
    def _bounded(self) -> set[str]:
        return {*self.error_if, *self.warn_if}

    @property
    def _by_row(self) -> bool:
        return not (self.key or self.entity or self.ordered) if self.rows is None else self.rows

    def _values(self, seen: Evidence) -> SplitValues:
        return SplitValues(self.datasets[0], seen.schema(self.datasets[0]).column(str(self.split)))

    def _splits(self, seen: Evidence) -> Splits | None:
        """The splits; None while their names are unknown, or if there are none."""
        if isinstance(self.splits, dict):
            return Splits(tuple(self.splits), self.datasets)
        values = self._values(seen)
        names = self.splits
        if not names and values in seen:
            answer = seen.require(values)
            names = answer.names
            if answer.more or len(names) > MOST_SPLITS:
                message = f"'{self.split}' has more than {MOST_SPLITS} values, too many to compare every two"
                raise DataError(message, "name those that are splits in splits")
        return Splits(names, self.datasets, values.column) if names else None

    def _questions(self, seen: Evidence, splits: Splits) -> SplitQuestions:
        keys = {"row": SplitKey(row_parts(seen, splits, self.rows_except), nulls_equal=True)} if self._by_row else {}
        for what, names in (("key", self.key), ("entity", self.entity)):
            if names:
                keys[what] = SplitKey(named_parts(seen, splits, names, what))
        times = time_columns(seen, splits) if self.ordered else ()
        return SplitQuestions(splits, keys, times, self.timezone, self.gap, max(1, self.violation_limit))

    def _misnamed(self, rows: tuple[int, ...], others: int) -> bool:
        """Whether a split is named that has no rows, while there are rows of other values."""
        return isinstance(self.splits, tuple) and not all(rows) and others > 0

    def _single(self, seen: Evidence) -> Finding:
        """No two splits are there to be compared."""
        values, source = seen.require(self._values(seen)).values, self.datasets[0]
        rows = sum(n for name, n in values if name is not None)
        nothing = None
        if values:
            nothing = f"no row of '{source}' has a '{self.split}'"
        if rows:
            nothing = f"all {count(rows, 'row')} of '{source}' with a '{self.split}' are of one split"
        empty = Finding(Status.PASS, "", source=source, columns=self.about, evaluated_rows=0, violation_rows=0)
        return self.verdict(empty, passed="", failed="", nothing=nothing)

    def _pair(self, found: SplitFindings, splits: Splits, pair: Pair) -> Finding:
        quantities, empty = found.of_pair(pair), found.empty(pair)
        one, other = (splits.sources[min(at, len(splits.sources) - 1)] for at in pair)
        finding = Finding(
            Status.PASS,
            "",
            subject_kind="set",
            subject=found.subject(pair),
            quantities={name: Quantity(n) for name, n in quantities.items()},
            evaluated_rows=0 if empty else sum(found.rows[at] for at in pair),
            violation_rows=found.violations(quantities),
            columns=self.about,
            source=one,
            reference=other if len(splits.sources) > 1 else None,
            violations=tuple(found.evidence(pair)),
        )
        verdict = self._judged(quantities).verdict(
            finding,
            passed=found.passed(pair),
            failed=found.failed(pair),
            remedy=_remedy(quantities),
            nothing=empty,
        )
        return _unsure(verdict, found, pair)

    def _whole(self, seen: Evidence, found: SplitFindings, splits: Splits, wrong: list[Pair]) -> Finding:
        every = range(len(found.names))
        quantities, empty = {**found.of_all(), "other_rows": found.others}, found.empty(every)
        finding = Finding(
            Status.PASS,
            "",
            quantities={name: Quantity(n) for name, n in quantities.items()},
            evaluated_rows=sum(found.rows),
            violation_rows=found.violations(quantities),
            columns=self.about,
            source=splits.sources[0],
            reference=splits.sources[1] if len(splits.sources) == FEWEST_SPLITS else None,
            queries=tuple(found.queries()),
        )
        check, rest = self._judged(quantities), self._others(seen, found) + self._one_sided(seen, splits)
        verdict = check.verdict(
            finding,
            passed=found.all_passed() + rest,
            failed=found.all_failed(wrong) + rest,
            remedy=_remedy(quantities),
            nothing=empty,
        )
        if empty is None or not finding.evaluated_rows:
            return _unsure(verdict, found, every)
        lacking = check.verdict(replace(finding, evaluated_rows=0, violation_rows=0), passed="", failed="")
        if verdict.status is Status.FAIL or lacking.status not in (Status.ERROR, Status.FAIL):
            return replace(verdict, message=f"{verdict.message}; {empty}")
        message = f"{empty}, so not all was compared{rest}"
        return replace(verdict, status=lacking.status, message=message, remedy=lacking.remedy, decision=None)

    def _judged(self, quantities: Iterable[str]) -> SplitOverlap:
        """The check with the bounds on what a finding tells: rows on a side only of two splits, others only of all."""
        return self.bounded_by({*quantities, "evaluated_rows", "violation_rows", "violation_rate"})

    def _others(self, seen: Evidence, found: SplitFindings) -> str:
        """How many rows are of no split, and of which values where a split may be misspelt."""
        if not found.others:
            return ""
        named = ""
        if self._misnamed(found.rows, found.others):
            values = [(v, n) for v, n in seen.require(self._values(seen)).values if v not in found.names]
            shown = [f"{self.text(str(self.split), v)} ({count(n, 'row')})" for v, n in values]
            named = f": {few(shown, _VALUES_SHOWN)}"
        return f"; {count(found.others, 'row')} of no split by '{self.split}'{named}"

    def _one_sided(self, seen: Evidence, splits: Splits) -> str:
        names = one_sided(seen, splits, self.rows_except) if self._by_row else []
        return f"; only in some splits, so not compared: {few(names, _VALUES_SHOWN)}" if names else ""


def _unsure(verdict: Finding, found: SplitFindings, splits: Iterable[int]) -> Finding:
    """A pass of what was not compared is a warning."""
    blank = list(found.blank(splits))
    if verdict.status is not Status.PASS or not blank or not verdict.evaluated_rows:
        return verdict
    message = f"{few(blank, _VALUES_SHOWN, '; ')}, so nothing was compared"
    return replace(verdict, status=Status.WARN, message=message, remedy="find out where these columns become NULL")


def _remedy(quantities: Mapping[str, int]) -> str:
    shared = [kind for kind, noun in NOUNS.items() if quantities.get(noun.rows)]
    if not shared:
        return "cut the splits by time, at one moment each, and look for rows with a wrong time"
    return {
        "row": "remove duplicates before the data is split",
        "key": "look for rows that were delivered twice, and split after duplicates are removed",
        "entity": "split by a hash of the entity, so that all of its rows are in one split",
    }[shared[-1]]
