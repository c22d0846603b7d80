"""Whether the columns of a drift check still go together as usual: which rows are asked for, and what is told."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zlib import crc32
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from sparkguard.core.columns import Column
from sparkguard.core.finding import Quantity, Violation
from sparkguard.core.source import Source
from sparkguard.core.text import count, few
from sparkguard.core.types import is_text, is_time
from sparkguard.measures.profile import ordinal
from sparkguard.measures.row_sample import RowSample, SampledColumn, SampledRows
from sparkguard.shapes.drift import Comparison, Placed
from sparkguard.shapes.identifiers import IN_STEP, in_step, is_identifier
from sparkguard.stats import joint
from sparkguard.stats.joint import Codes, Pair, Verdict
from sparkguard.stats.stretches import LEAST

MOST_COLUMNS = 256
"""Columns of which all pairs are looked at."""
SAMPLE, WINDOW_SAMPLE = 200_000, 20_000
"""Rows of the reference and of the window, at most; of many columns fewer."""
_MOST_ROWS = 4_000
"""Rows of an item, at most …"""
_BASE = 4
"""… and of its base, so many times as many."""
_LEAST_ROWS = 100
_TOO_FEW = f"samples have less than {_LEAST_ROWS} rows of a side, or fewer than {LEAST} stretches have half as many"
_SPLITS = 99
"""Random splits, where rows or clusters are independent."""
_REMEDY = "look at how these columns are joined or computed upstream: each looks as usual, but not together"

Flags = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Question:
    """Columns of the window with those of the reference, and the column that places a row: its time or cluster."""

    window: Source
    reference: Source
    pairs: tuple[tuple[Column, Column], ...]
    placed_by: tuple[Column, Column] | None = None

    @property
    def looked_at(self) -> tuple[tuple[Column, Column], ...]:
        """The columns of the samples: no dates and moments, and no more than all of whose pairs fit."""
        return self._fitting[:MOST_COLUMNS]

    @property
    def beyond(self) -> int:
        """How many columns are more than that."""
        return max(0, len(self._fitting) - MOST_COLUMNS)

    @property
    def _fitting(self) -> tuple[tuple[Column, Column], ...]:
        return tuple(pair for pair in self.pairs if not is_time(pair[0].type))

    @property
    def samples(self) -> tuple[RowSample, RowSample]:
        """Of the window and of the reference."""
        mine, theirs = (
            tuple(pair[side] for pair in [*self.looked_at, *([self.placed_by] if self.placed_by else [])])
            for side in (0, 1)
        )
        return RowSample(self.window, mine, WINDOW_SAMPLE), RowSample(self.reference, theirs, SAMPLE)


@dataclass(frozen=True, slots=True)
class Together:
    """What was found of the columns together, but for those `beyond` the most; `why` says what kept it from it."""

    verdict: Verdict | None = None
    pairs: tuple[tuple[str, str, Pair], ...] = ()
    columns: int = 0
    snapshots: str = ""
    beyond: int = 0
    why: str = ""

    @property
    def drifted(self) -> bool:
        """Whether they go together in another way."""
        return self.verdict is not None and self.verdict.drifted

    @property
    def remedy(self) -> str | None:
        """What to do."""
        return _REMEDY if self.drifted else None

    @property
    def quantities(self) -> Mapping[str, Quantity]:
        """What the bounds may judge."""
        found: dict[str, float] = {"joint_drift": float(self.drifted), "joint_columns": self.columns}
        if self.verdict is not None:
            found |= {"joint_auc": self.verdict.area, "joint_limit": self.verdict.limit}
            found |= {"joint_p_value": self.verdict.p_value, "joint_effect": self.verdict.effect}
        return {name: Quantity(value) for name, value in found.items()}

    @property
    def said(self) -> str:
        """In words."""
        if self.verdict is None:
            return f"whether columns go together as usual cannot be told: {self.why}"
        limit = f"{self.verdict.limit:.3f}" + (" (extrapolated)" if self.verdict.extrapolated else "")
        by = f"AUC {self.verdict.area:.3f} of telling rows apart, and the limit by {self.snapshots} is {limit}"
        by += f"; {count(self.beyond, 'more column')} not looked at together" if self.beyond else ""
        columns = count(self.columns, "column")
        if self.drifted:
            return f"{columns} do not go together as usual: {'; '.join(map(self._told, self.pairs))}; {by}"
        return f"{columns} go together as usual: {by}"

    def violations(self) -> Iterator[Violation]:
        """The pairs by which they were told apart."""
        for one, other, pair in self.pairs if self.drifted else ():
            was, now = (f"{pair.measure} {value:.2f}" for value in (pair.before, pair.now))
            yield Violation("joint_drift", {"column": one, "with": other}, self._told((one, other, pair)), was, now)

    @staticmethod
    def _told(found: tuple[str, str, Pair]) -> str:
        one, other, pair = found
        return f"{one} with {other}: {pair.measure} {pair.before:.2f} → {pair.now:.2f}"


@dataclass(frozen=True, slots=True, eq=False)
class _Both:
    """The rows of both sides as codes (n, P) that rise with the values, -1 for none, and what places each row."""

    names: tuple[str, ...]
    ordered: tuple[bool, ...]
    window: Codes
    reference: Codes
    placed_window: SampledColumn | None
    placed_reference: SampledColumn | None


def together(
    question: Question,
    answers: tuple[SampledRows, SampledRows],
    comparison: Comparison,
    drifted: Collection[str],
    alpha: float,
    min_effect: float,
) -> Together:
    """Judge the columns that did not drift by themselves, together, within a budget of their own."""
    placed = question.placed_by
    texts = [column.name for column in placed or () if comparison.placed and is_text(column.type)]
    if texts:
        return Together(why=f"'{texts[0]}' is a text, so rows cannot be placed in time; cast it to a timestamp")
    both = _both(question, answers, drifted)
    if len(both.names) < 2:  # noqa: PLR2004 - two go together
        left = few(both.names, 1) or "no column"
        return Together(columns=len(both.names), why=f"of those that did not drift only {left} can be looked at")
    items = _in_time(both, comparison.placed, placed) if comparison.placed else _split(both)
    if items is None:
        return Together(columns=len(both.names), why=_TOO_FEW)
    window, snapshots, words = items
    seed = crc32(window[0].tobytes())
    apart = joint.told_apart(*window, [seed])
    others = [joint.told_apart(*sides, [seed, i]) for i, sides in enumerate(snapshots)]
    verdict = joint.decide(apart, others, alpha, min_effect)
    pairs = joint.named(apart, *window, both.ordered) if verdict.drifted else ()
    names = tuple((both.names[p.one], both.names[p.other], p) for p in pairs)
    return Together(verdict, names, len(both.names), f"{len(others)} {words}", question.beyond)


Sides = tuple[Codes, Codes]
Items = tuple[Sides, list[Sides], str]


def _in_time(both: _Both, placed: Placed, by: tuple[Column, Column] | None) -> Items | None:
    """The window and each stretch, beside rows of its base; None if there are too few."""
    if by is None or both.placed_window is None or both.placed_reference is None:
        raise TypeError
    span, chosen = timedelta(days=placed.block), placed.snapshots
    edges = [placed.first + i * span for i in range(placed.blocks + 1)]
    at = np.searchsorted(_numbers(edges, by[1], placed.timezone), both.placed_reference.numbers, side="right") - 1
    begin = _numbers([placed.end - chosen.length * span], by[0], placed.timezone)
    window = both.window[both.placed_window.numbers >= begin[0]]
    spans = [((s.start, s.stop), s.base) for s in chosen.stretches]
    inside = [np.flatnonzero(_within(at, [one])) for one, _ in spans]
    rows = min(len(window), int(np.median([len(i) for i in inside])), _MOST_ROWS)
    if rows < _LEAST_ROWS:
        return None

    def base(spans: Sequence[tuple[int, int]]) -> Codes:
        return both.reference[np.flatnonzero(_within(at, spans))[: _BASE * rows]]

    kept = [(i, b) for i, (_, b) in zip(inside, spans, strict=True) if len(i) >= _LEAST_ROWS // 2]
    snapshots = [(both.reference[i[:rows]], base(b)) for i, b in kept]
    own = (window[:rows], base(chosen.base))
    fewest = min(len(side[1]) for side in [own, *snapshots])
    if fewest < _LEAST_ROWS or len(snapshots) < LEAST:
        return None
    return own, snapshots, f"stretches of {count(placed.block * chosen.length, 'day')}"


def _within(at: Rows, spans: Sequence[tuple[int, int]]) -> Flags:
    return np.asarray(np.any([(at >= a) & (at < b) for a, b in spans], axis=0))


def _split(both: _Both) -> Items | None:
    """The window beside the reference, and random splits of both, by clusters where there are."""
    rows = min(len(both.window), _MOST_ROWS)
    base = min(len(both.reference), _BASE * rows)
    if min(rows, base) < _LEAST_ROWS:
        return None
    own = (both.window[:rows], both.reference[:base])
    whole, rng = np.concatenate(own), np.random.default_rng(crc32(own[0].tobytes()))
    order = _by_rows(rows + base, rng)
    if both.placed_window is not None and both.placed_reference is not None:
        bits = [side.values for side in (both.placed_window, both.placed_reference)]
        clusters = np.concatenate([np.frombuffer(b, "<i8")[:n] for b, n in zip(bits, (rows, base), strict=True)])
        order = _by_clusters(clusters, rng)
    splits = [(whole[mixed[:rows]], whole[mixed[rows:]]) for mixed in (order() for _ in range(_SPLITS))]
    return own, splits, "random splits"


def _by_rows(rows: int, rng: np.random.Generator) -> Callable[[], Rows]:
    return lambda: rng.permutation(rows)


def _by_clusters(clusters: Rows, rng: np.random.Generator) -> Callable[[], Rows]:
    """Rows of a cluster stay together."""
    _, numbers = np.unique(clusters, return_inverse=True)
    many = int(numbers.max()) + 1
    return lambda: np.argsort(rng.permutation(many)[numbers], kind="stable")


def _both(question: Question, answers: tuple[SampledRows, SampledRows], drifted: Collection[str]) -> _Both:
    pairs = question.looked_at
    placed = [found.columns[-1] if question.placed_by else None for found in answers]
    kept = [
        i
        for i, (mine, theirs) in enumerate(pairs)
        if mine.name not in drifted and not _tells_rows_apart(theirs, answers[1].columns[i], placed[1])
    ]
    coded = {i: _codes(answers[0].columns[i], answers[1].columns[i]) for i in kept}
    coded = {i: code for i, code in coded.items() if code.min() < code.max()}
    whole = (
        np.stack(list(coded.values()), axis=1) if coded else np.zeros((answers[0].size + answers[1].size, 0), np.int32)
    )
    return _Both(
        tuple(pairs[i][0].name for i in coded),
        tuple(not answers[1].columns[i].text for i in coded),
        whole[: answers[0].size],
        whole[answers[0].size :],
        *placed,
    )


def _codes(mine: SampledColumn, theirs: SampledColumn) -> Codes:
    """Ranks of the values of both sides, -1 for NULL and NaN; equal values share one."""
    sides = (mine, theirs)
    values = [s.hashes if s.text else s.numbers for s in sides]
    missing = np.concatenate([s.missing if s.text else np.isnan(v) for s, v in zip(sides, values, strict=True)])
    both = np.concatenate(values)
    found = np.full(len(both), -1, np.int32)
    found[~missing] = np.unique(both[~missing], return_inverse=True)[1]
    return found


def _tells_rows_apart(column: Column, sampled: SampledColumn, time: SampledColumn | None) -> bool:
    """Whether a column is an identifier, or goes with time."""
    return is_identifier(column, sampled) or abs(in_step(time, sampled) or 0.0) >= IN_STEP


def _numbers(moments: Sequence[datetime], column: Column, timezone: str) -> npt.NDArray[np.float64]:
    """Wall-clock moments as the numbers of a time column."""
    zone = ZoneInfo(timezone)
    if column.type == "date":
        return np.array([ordinal(m.date()) for m in moments], np.float64)
    if column.type == "timestamp":
        return np.array([ordinal(m.replace(tzinfo=zone).astimezone(UTC)) for m in moments], np.float64)
    return np.array([ordinal(m) for m in moments], np.float64)
