"""A linear model on samples as a baseline: what is asked, and how it and the model do on the same sampled rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from zlib import crc32

import numpy as np
import numpy.typing as npt

from sparkguard.core.columns import Column
from sparkguard.core.evidence import Evidence
from sparkguard.core.measure import Answer, Measure
from sparkguard.core.source import Source
from sparkguard.errors import DataError
from sparkguard.measures.classes import class_name
from sparkguard.measures.grids import TEXT, kind_of
from sparkguard.measures.hashes import hash_of_text
from sparkguard.measures.row_sample import RowSample, SampledColumn
from sparkguard.measures.scored import Fate, Scored, ScoredRow
from sparkguard.measures.scored_cells import ScoreBins
from sparkguard.shapes.estimates import Estimate, difference, estimate
from sparkguard.shapes.metrics import Wanted
from sparkguard.shapes.scoring import Scoring, SetScore
from sparkguard.stats.intervals import Error
from sparkguard.stats.linear import Feature, tell

_FOLDS = 64
Class = str | float


@dataclass(frozen=True)
class Linear:
    """The questions: samples of `train` and of the judged rows, by columns of the same names."""

    scoring: Scoring
    train: Source
    features: tuple[tuple[Column, Column], ...]
    label: Column
    rows: int
    seed: int

    @property
    def _judged(self) -> RowSample:
        columns = [part.columns[0] for part in self.scoring.rows.parts]
        wanted = dict.fromkeys((*columns, *(one for _, one in self.features)))
        return RowSample(self.scoring.rows.sets.sources[0], tuple(wanted), self.rows, self.seed)

    @property
    def _trained(self) -> RowSample:
        wanted = dict.fromkeys((self.label, *(one for one, _ in self.features)))
        return RowSample(self.train, tuple(wanted), self.rows, self.seed)

    def ask(self) -> Iterator[Measure[Answer]]:
        """Both samples."""
        yield self._trained
        yield self._judged

    def found(self, seen: Evidence) -> tuple[SetScore, Estimate, Error]:
        """The model on the sample, the linear model on it, and how sure their difference is."""
        learnt, judged = self._columns(seen, self._trained), self._columns(seen, self._judged)
        known = ~_missing(learnt[self.label])
        rows = self._rows(judged)
        numeric = self.scoring.rows.numeric
        features = [
            Feature(_values(learnt[one])[known], _values(judged[other])[[at for at, _ in rows]], learnt[one].text)
            for one, other in self.features
        ]
        label = _values(learnt[self.label])[known]
        classes, told = tell(features, label, numeric=numeric)
        wanted = replace(self.scoring.wanted, positive=self._positive(learnt[self.label].text))
        threshold = replace(wanted, threshold=None)
        linear = [
            replace(row, told=one)
            for (_, row), one in zip(rows, self._told(classes, told, wanted.positive), strict=True)
        ]
        mine, theirs = [row for _, row in rows], linear
        asked = [self._asked(wanted, mine), self._asked(threshold, theirs)]
        cells = [one.summed(side).cells for one, side in zip(asked, (mine, theirs), strict=True)]
        estimates = [
            estimate(which, one.cell, of, clustered=True)
            for which, one, of in zip((wanted, threshold), asked, cells, strict=True)
        ]
        grouped = bool(self.scoring.rows.cluster)
        estimates = [replace(one, margin=0.0, clusters=one.clusters if grouped else None) for one in estimates]
        error = difference(wanted, (asked[0].cell, asked[1].cell), *cells)
        fates = {Fate.JUDGED: len(rows)}
        return SetScore("a sample", fates, estimates[0]), estimates[1], error

    def _columns(self, seen: Evidence, sample: RowSample) -> dict[Column, SampledColumn]:
        return dict(zip(sample.columns, seen.require(sample).columns, strict=True))

    def _rows(self, judged: dict[Column, SampledColumn]) -> list[tuple[int, ScoredRow]]:
        """The sampled rows that are judged, with their places in the sample."""
        asked = self.scoring.rows
        label, told = (judged[part.columns[0]] for part in (asked.label, asked.told))
        if asked.told_class and label.text != told.text:
            message = f"'{asked.label.name}' and '{asked.told.name}' are of types that samples do not compare"
            raise DataError(message, "cast them to one type in the dataset's sql, or leave out linear")
        weight = None if asked.weight is None else judged[asked.weight.columns[0]].numbers
        clusters = [_values(judged[part.columns[0]]) for part in asked.cluster]
        kept = np.flatnonzero(~_missing(label) & ~_missing(told))
        if not len(kept):
            message = f"no sampled row of '{self._judged.source}' has a label and a prediction"
            raise DataError(message, "find out whether predictions have landed")
        found = []
        for at in kept.tolist():
            of = str(at) if not clusters else "\0".join(str(one[at]) for one in clusters)
            found.append(
                (
                    at,
                    ScoredRow(
                        0,
                        Fate.JUDGED,
                        _class(label, at, number=asked.numeric),
                        _class(told, at, number=not asked.told_class),
                        1.0 if weight is None else float(weight[at]),
                        crc32(of.encode()),
                    ),
                )
            )
        return found

    def _positive(self, text: bool) -> str:  # noqa: FBT001 - whether classes are hashes
        positive = self.scoring.wanted.positive
        return str(hash_of_text(positive)) if text else positive

    def _told(
        self, classes: npt.NDArray[np.float64] | None, told: npt.NDArray[np.float64], positive: str
    ) -> list[Class]:
        """What the linear model says of each row: a number, a class, or how likely the positive class is."""
        if classes is None:
            return [float(one) for one in told]
        names = [str(one) if isinstance(one, int) else class_name(float(one)) for one in classes.tolist()]
        if self.scoring.wanted.metric.family == "classes":
            return [names[int(at)] for at in np.argmax(told, axis=1)]
        return [float(one) for one in told[:, names.index(positive)]] if positive in names else [0.0] * len(told)

    def _asked(self, wanted: Wanted, rows: list[ScoredRow]) -> Scored:
        """The sums of the metric; an area by each different score."""
        cell = wanted.cell()
        if isinstance(cell, ScoreBins) and not cell.right:
            cell = ScoreBins(cell.positive, tuple(sorted({float(row.told) for row in rows})[1:]))
        anchor = float(np.mean([float(row.label) for row in rows])) if self.scoring.rows.numeric else 0.0
        return Scored(self.scoring.rows, cell, wanted.values((anchor,)), _FOLDS)


def features_of(
    train: tuple[Column, ...], judged: tuple[Column, ...], apart: set[str]
) -> tuple[tuple[Column, Column], ...]:
    """The columns that both have, of kinds that a linear model can use."""
    mine = {column.name: column for column in judged}
    pairs = [(one, mine[one.name]) for one in train if one.name in mine and one.name not in apart]
    kinds = [(pair, kind_of(pair[0].type), kind_of(pair[1].type)) for pair in pairs]
    return tuple(pair for pair, one, other in kinds if one is not None and (one == TEXT) == (other == TEXT) and other)


def _missing(column: SampledColumn) -> npt.NDArray[np.bool_]:
    return column.missing if column.text else ~np.isfinite(column.numbers)


def _values(column: SampledColumn) -> npt.NDArray[np.float64] | npt.NDArray[np.int64]:
    """Numbers, or hashes of texts, 0 where there is none."""
    return np.where(column.missing, 0, column.hashes) if column.text else column.numbers


def _class(column: SampledColumn, at: int, *, number: bool) -> Class:
    if number:
        return float(column.numbers[at])
    return str(int(column.hashes[at])) if column.text else class_name(float(column.numbers[at]))
