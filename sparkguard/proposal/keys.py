"""Which columns together name a row: candidates by sketches, verified exactly.

Distinct combinations are estimated for a bounded number of candidates, those that people would call
a key first: few columns, ids and names before times and numbers, never fractions or floats.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import combinations

from sparkguard.core.columns import Column
from sparkguard.core.source import Source
from sparkguard.core.types import can_be_key, column_scale, is_float, is_integer, is_text, is_time
from sparkguard.measures.duplicates import Key, KeyHashes, KeyHashesAnswer
from sparkguard.measures.sketches import DistinctKeys, Distincts
from sparkguard.proposal.names import looks_like_id
from sparkguard.proposal.profile import Ask, ColumnProfile

MOST_COLUMNS = 3
"""A key of more columns is rarely meant, and hardly found by chance."""
MOST_COMBINATIONS = 24
"""Combinations of one size whose distinct values are estimated."""
MOST_VERIFIED = 4
"""Candidates that are counted exactly, each by one read and one shuffle."""
MOST_CONSIDERED = 12
"""Columns that combinations are made of."""
FEW_ROWS = 100
"""In fewer rows columns are unique by chance."""
_LEAST_ROWS = 2
_SINGLE_SLACK = 0.95
"""Four standard errors of the sketch of a column …"""
_PAIR_SLACK = 0.985
"""… and of the finer one of a combination."""
_PROSE = 0.3
"""A text that is another in this share of the rows, and no id, is prose."""


def unique_keys(source: Source, columns: Sequence[ColumnProfile], rows: int, ask: Ask) -> list[tuple[str, ...]]:
    """The keys of the fewest columns that are certainly unique and without NULL, the likeliest first."""
    eligible = sorted((p for p in columns if _eligible(p)), key=_rank)
    if rows < _LEAST_ROWS:
        return []
    place = {p.name: i for i, p in enumerate(columns)}
    whole = [(p,) for p in eligible if (p.distinct or 0) >= _SINGLE_SLACK * rows and _is_named((p,), rows)]
    left = MOST_VERIFIED
    keys = _verified(source, whole[:left], ask)
    left -= len(whole[:left])
    alone = {p.name for p in eligible if (p.name,) in keys}
    combined = [p for p in eligible if not _is_prose(p, rows) and p.name not in alone][:MOST_CONSIDERED]
    known: dict[frozenset[str], float] = {}
    for size in range(2, MOST_COLUMNS + 1):
        if left <= 0 or not all(is_doubtful(key, columns, rows) for key in keys):
            break
        likely = [c for c in _likely(source, combined, size, rows, known, ask) if not _holds(c, keys)][:left]
        keys += _verified(source, likely, ask)
        left -= len(likely)
    keys.sort(key=lambda key: is_doubtful(key, columns, rows))
    return [tuple(sorted(key, key=place.__getitem__)) for key in keys]


def is_doubtful(key: Sequence[str], columns: Sequence[ColumnProfile], rows: int) -> bool:
    """Whether columns that are unique may be so by chance: in few rows, or without an id, a time, a name among them."""
    if all(map(looks_like_id, key)):
        return False
    kinds = {p.name: p.type for p in columns}
    meant = [looks_like_id(n) or is_time(kinds[n]) or (len(key) > 1 and is_text(kinds[n])) for n in key]
    return rows < FEW_ROWS or not any(meant)


def _holds(combination: Sequence[ColumnProfile], keys: Iterable[tuple[str, ...]]) -> bool:
    """Whether columns are a key only because some of them are."""
    return any({p.name for p in combination} >= set(key) for key in keys)


def _is_named(combination: Sequence[ColumnProfile], rows: int) -> bool:
    """Whether columns may be a key at all: of few rows nearly everything is unique, so that only ids are."""
    return rows >= FEW_ROWS or any(looks_like_id(p.name) for p in combination)


def _eligible(column: ColumnProfile) -> bool:
    kind = column.type
    fits = can_be_key(kind) and not is_float(kind) and kind not in ("boolean", "binary") and not column_scale(kind)
    return fits and column.distinct is not None and round(column.distinct) > 1 and not column.nulls


def _is_prose(column: ColumnProfile, rows: int) -> bool:
    return is_text(column.type) and not looks_like_id(column.name) and (column.distinct or 0) > _PROSE * rows


def _rank(column: ColumnProfile) -> int:
    """How little a column looks like a part of a key; the order of the table decides between equals."""
    if looks_like_id(column.name):
        return 0
    return 1 if is_text(column.type) or is_time(column.type) else 2 if is_integer(column.type) else 3


def _likely(
    source: Source,
    columns: Sequence[ColumnProfile],
    size: int,
    rows: int,
    known: dict[frozenset[str], float],
    ask: Ask,
) -> list[tuple[ColumnProfile, ...]]:
    """Combinations of a size with about as many distinct values as there are rows, by one read.

    `known` are the estimates of smaller combinations, by which larger ones are chosen; it is added to.
    """

    def nearly(combination: Sequence[ColumnProfile]) -> float:
        parts = combinations([p.name for p in combination], size - 1)
        return -round(max(known.get(frozenset(part), 0.0) for part in parts) / rows, 1)

    possible = [c for c in combinations(columns, size) if _could_be(c, rows) and _is_named(c, rows)]
    possible = sorted(possible, key=lambda c: (nearly(c), _oddness(c)))[:MOST_COMBINATIONS]
    asked = {c: DistinctKeys(source, _columns(c)) for c in possible}
    found = ask(list(asked.values())) if asked else {}
    estimates = {c: _estimate(found.get(m)) for c, m in asked.items()}
    known |= {frozenset(p.name for p in c): estimate for c, estimate in estimates.items()}
    return sorted((c for c, estimate in estimates.items() if estimate >= _PAIR_SLACK * rows), key=_oddness)


def _could_be(combination: Iterable[ColumnProfile], rows: int) -> bool:
    return math.prod((p.distinct or 1) for p in combination) >= _SINGLE_SLACK * rows


def _oddness(combination: Sequence[ColumnProfile]) -> tuple[int, float]:
    """Names before numbers; then the fewest combinations that could be, since a true key wastes few."""
    return sum(map(_rank, combination)), math.prod((p.distinct or 1) for p in combination)


def _estimate(answer: object) -> float:
    return answer.estimate()[0] if isinstance(answer, Distincts) else 0.0


def _verified(source: Source, candidates: Iterable[Sequence[ColumnProfile]], ask: Ask) -> list[tuple[str, ...]]:
    """Those that no two rows share, by their hashes of 63 bits, and that are never NULL."""
    asked = {tuple(p.name for p in c): KeyHashes(source, Key(_columns(c))) for c in candidates}
    found = ask(list(asked.values())) if asked else {}
    return [names for names, measure in asked.items() if _is_unique(found.get(measure))]


def _is_unique(answer: object) -> bool:
    return isinstance(answer, KeyHashesAnswer) and answer.unique and not answer.null_rows


def _columns(combination: Sequence[ColumnProfile]) -> tuple[Column, ...]:
    return tuple(p.column for p in combination)
