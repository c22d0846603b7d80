"""Tables without leaks and leaks to plant in them, for `label_leakage.py`; rows are judged without Spark."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from drift_flights import all_flights
from sklearn import datasets
from sklearn.metrics import roc_auc_score

from sparkguard.core.measure import Answer, Broken, Measure
from sparkguard.measures.histograms import CellCounts
from sparkguard.measures.labelled import Apart, LabelledHistogram
from sparkguard.measures.row_sample import RowSample, SampledRows
from sparkguard.testing import TwinEngine

Values = npt.NDArray[Any]
BUNDLED = ("iris", "wine", "breast_cancer", "digits", "diabetes")
LATE_AFTER, FLIGHTS = 15, 5_000
HONEST = ("month", "day", "sched_dep_time", "dep_time", "dep_delay", "sched_arr_time", "carrier", "flight", "tailnum")
PLACES = ("origin", "dest", "distance", "hour", "minute")


@dataclass(frozen=True, slots=True)
class Table:
    """A label, honest features by name, and what is known of both."""

    name: str
    label: Values
    features: Mapping[str, Values]
    number: bool = False

    def rows(self, leak: Mapping[str, Values]) -> list[dict[str, object]]:
        """The rows with some more columns."""
        columns = {"label": self.label, **self.features, **leak}
        # NaN, by which numpy has no value, is the only one that is not itself.
        plain = [[None if v is None or v != v else v for v in values.tolist()] for values in columns.values()]  # noqa: PLR0124
        return [dict(zip(columns, row, strict=True)) for row in zip(*plain, strict=True)]


def tables(name: str) -> Iterator[Table]:
    """The honest tables by the name of their data set."""
    if name == "flights":
        yield from _flights()
        return
    data = getattr(datasets, f"load_{name}")()
    features = {f"f{i}": column for i, column in enumerate(data.data.T)}
    number = name == "diabetes"
    yield Table(name, data.target.astype(float) if number else data.target, features, number)


@cache
def _flights() -> Sequence[Table]:
    """Late arrival, and the delay itself, with what is known at departure."""
    flights = all_flights()
    arrived = flights[flights["arr_delay"].notna()].sample(FLIGHTS, random_state=13).sort_index()
    features = {}
    for name in (*HONEST, *PLACES):
        column = arrived[name]
        features[name] = column.astype(object).to_numpy() if column.dtype == object else column.astype(int).to_numpy()
    delay = arrived["arr_delay"].to_numpy(dtype=float)
    return (
        Table("flights, late", delay > LATE_AFTER, features),
        Table("flights, delay", delay, features, number=True),
    )


Leak = Callable[[Table, np.random.Generator], Mapping[str, Values]]
"""The columns that give a table's label away."""


def high(table: Table) -> Values:
    """Two classes: the first against the rest, or the upper fifth of a number."""
    if table.number:
        return np.asarray(table.label > np.quantile(table.label, 0.8))
    return np.asarray(table.label == np.unique(table.label)[-1])


def ranked(table: Table) -> Values:
    """The label as a number."""
    return np.unique(table.label, return_inverse=True)[1].astype(float) if not table.number else table.label


def copies(many: int) -> Leak:
    """The label itself, so many times."""
    return lambda table, _: {f"leak{i}": table.label for i in range(many)}


def noisy(many: int, wrong: float) -> Leak:
    """The label where a share of the rows has that of another row, or of a number as much scatter."""

    def leak(table: Table, rng: np.random.Generator) -> Mapping[str, Values]:
        found = {}
        for i in range(many):
            if table.number:
                found[f"leak{i}"] = table.label + wrong * table.label.std() * rng.normal(size=len(table.label))
            else:
                changed = rng.random(len(table.label)) < wrong
                found[f"leak{i}"] = np.where(changed, rng.permutation(table.label), table.label)
        return found

    return leak


def blurred(many: int, scatter: float) -> Leak:
    """The label as a number, with scatter."""

    def leak(table: Table, rng: np.random.Generator) -> Mapping[str, Values]:
        level = ranked(table)
        return {f"leak{i}": level + scatter * rng.normal(size=len(level)) for i in range(many)}

    return leak


def missing(table: Table, rng: np.random.Generator) -> Mapping[str, Values]:
    """NULL for one class, or for the upper fifth."""
    return {"leak0": np.where(high(table), np.nan, rng.normal(size=len(table.label)))}


def pure_category(table: Table, rng: np.random.Generator) -> Mapping[str, Values]:
    """A text that half of the rows of one class have, and no others; it is no better than that."""
    honest = rng.choice(np.array(["a", "b", "c"], object), len(table.label))
    return {"leak0": np.where(high(table) & (rng.integers(2, size=len(table.label)).astype(bool)), "refunded", honest)}


def identifier(table: Table, rng: np.random.Generator) -> Mapping[str, Values]:
    """A number for each row, drawn from a range for each class: as one writes out one query after another."""
    order = np.lexsort((rng.random(len(table.label)), table.label))
    found = np.empty(len(order), np.int64)
    found[order] = 1_000 + np.arange(len(order))
    return {"leak0": found}


def encoded(others: float) -> Leak:
    """The mean label of the rows of a category, the own one and so many others; the category is there too."""

    def leak(table: Table, rng: np.random.Generator) -> Mapping[str, Values]:
        level = high(table).astype(float)
        codes = rng.integers(max(2, int(len(level) / others)), size=len(level))
        n, total = np.bincount(codes), np.bincount(codes, level)
        means = total / np.maximum(1, n)
        return {"leak0": means[codes], "category": np.array([f"k{c}" for c in codes], object)}

    return leak


def difference(table: Table, rng: np.random.Generator) -> Mapping[str, Values]:
    """Two numbers, each of which says nothing; they differ by the label and some scatter."""
    level = ranked(table)
    start = rng.uniform(0, 50 * np.ptp(level), len(level))
    scatter = 0.0 if table.number else 0.1 * rng.normal(size=len(level))
    return {"leak0": start, "leak1": start + level + scatter}


DIFFERENCE = "a difference of two columns"
LEAKS: Mapping[str, Leak] = {
    **{f"exact copies: {n}": copies(n) for n in (1, 2, 4, 8)},
    **{f"labels of other rows, {p:.0%}: {n}": noisy(n, p) for p in (0.01, 0.04) for n in (1, 2, 4, 8)},
    **{f"scatter {s}: {n}": blurred(n, s) for s in (0.1, 0.3) for n in (1, 2, 4, 8)},
    "missing values": missing,
    "a pure category": pure_category,
    "an identifier in the label's order": identifier,
    "encoded in-fold, with 0.1 other rows": encoded(0.1),
    "encoded in-fold, with 1 other row": encoded(1),
    "encoded in-fold, with 5 other rows": encoded(5),
    DIFFERENCE: difference,
}


def alone(table: Table, column: Values) -> float:
    """The power of one column by its values, without bins.

    A class ranks by the order of the values, in either direction, by how near they are to its median, or by its
    share of the rows of a text.
    """
    if table.number:
        return concordance(table.label, _numbers(column, table.label))
    classes = np.unique(table.label)
    each = classes[-1:] if len(classes) == 2 else classes  # noqa: PLR2004 - one problem
    return float(np.mean([_against_the_rest(table.label == c, column) for c in each]))


def _against_the_rest(mine: Values, column: Values) -> float:
    numbers = _numbers(column, mine)
    order = float(roc_auc_score(mine, numbers))
    return max(order, 1 - order, float(roc_auc_score(mine, -np.abs(numbers - np.median(numbers[mine])))))


def _numbers(column: Values, target: Values) -> Values:
    """A column as numbers: a text as the mean target of its rows, a missing value below all others."""
    if column.dtype == object:
        codes = np.unique([str(v) for v in column], return_inverse=True)[1]
        return np.asarray((np.bincount(codes, target) / np.bincount(codes))[codes])
    return np.asarray(np.nan_to_num(column.astype(float), nan=-1e9))


def concordance(label: Values, column: Values) -> float:
    """Of all pairs of rows in different deciles of the label the share that the column ranks so."""
    classes = np.searchsorted(np.quantile(label, np.arange(1, 10) / 10), label)
    up = pairs = 0.0
    for c in range(1, 10):
        mine, lower = column[classes == c], np.sort(column[classes < c])
        below = np.searchsorted(lower, mine, "left") + np.searchsorted(lower, mine, "right")
        up, pairs = up + below.sum() / 2, pairs + len(mine) * len(lower)
    return max(up / pairs, 1 - up / pairs)


class SampledEngine(TwinEngine):
    """A twin that counts histograms from its sample, which has all rows, a hundred times as fast as row by row."""

    sample: tuple[RowSample, SampledRows] | None = None

    def compute(self, measures: Sequence[Measure[Answer]]) -> Iterator[tuple[Measure[Answer], Answer | Broken]]:
        """Answer what a sample of all rows can, and the rest as the twin does."""
        for measure in measures:
            if isinstance(measure, LabelledHistogram) and self.sample is not None:
                yield measure, self._counts(measure, *self.sample)
                continue
            for asked, answer in super().compute([measure]):
                if isinstance(asked, RowSample) and isinstance(answer, SampledRows):
                    self.sample = (asked, answer)
                yield asked, answer

    def _counts(self, asked: LabelledHistogram, question: RowSample, sample: SampledRows) -> CellCounts:
        at = dict(zip(question.columns, sample.columns, strict=True))
        counts = np.zeros(asked.shape, np.int64)
        cells, labels = at[asked.column].cells(asked.grid), at[asked.label].cells(asked.label_grid)
        np.add.at(counts, (self._groups(asked.apart, question, sample), labels, cells), 1)
        return CellCounts.of(counts.ravel())

    @staticmethod
    def _groups(apart: Apart, question: RowSample, sample: SampledRows) -> Values:
        at = dict(zip(question.columns, sample.columns, strict=True))
        if apart.bins is not None:
            return at[apart.columns[0]].cells(apart.bins)
        mixed = np.zeros(sample.size, np.uint64)
        for column in apart.columns:
            mixed = (mixed ^ np.frombuffer(at[column].values, "<u8")) * np.uint64(0x9E3779B97F4A7C15)
            mixed ^= mixed >> np.uint64(29)
        return (1 + mixed % np.uint64(apart.buckets)).astype(np.int64)
