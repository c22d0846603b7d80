"""What is asked of splits, and when: hashes and reaches first, then only what is shared or out of order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sparkguard.core.columns import Column
from sparkguard.core.evidence import Evidence
from sparkguard.core.measure import Answer, Measure
from sparkguard.core.text import few
from sparkguard.core.types import can_be_grouped, can_be_key, common_type, is_text, is_time
from sparkguard.core.window import Duration
from sparkguard.errors import DataError
from sparkguard.measures.split_times import SplitReaches, Strays, borders
from sparkguard.measures.splits import Part, SharedKeys, SplitHashes, SplitKey, Splits
from sparkguard.shapes.split_findings import Order, Share, SplitFindings, Text

_SHOWN = 5


@dataclass(frozen=True)
class SplitQuestions:
    """The questions about some splits: what must not be shared, by its kind (row, key, entity), and the times.

    `times` is empty where no order is asked for. `limit` is how much evidence is wanted of each pair.
    """

    splits: Splits
    keys: Mapping[str, SplitKey]
    times: tuple[Column, ...]
    timezone: str
    gap: Duration | None
    limit: int

    def ask(self, seen: Evidence) -> Iterator[Measure[Answer]]:
        """All that can be asked by now."""
        for key in self.keys.values():
            hashes = SplitHashes(self.splits, key)
            shared = self._shared(seen, hashes) if hashes in seen else None
            yield hashes
            if shared is not None:
                yield shared
        if self.times:
            strays = self._strays(seen) if self._reaches in seen else None
            yield self._reaches
            if strays is not None:
                yield strays

    def sizes(self, seen: Evidence) -> tuple[tuple[int, ...], int] | None:
        """The rows of each split and of none, once they are known."""
        for key in self.keys.values():
            hashes = SplitHashes(self.splits, key)
            if hashes in seen:
                return seen.require(hashes).rows, seen.require(hashes).others
        if self.times and self._reaches in seen:
            answer = seen.require(self._reaches)
            return tuple(r.rows for r in answer.reaches), answer.others
        return None

    def found(self, seen: Evidence, text: Text) -> SplitFindings:
        """All answers; `DataError` if one is broken or missing."""
        shares = []
        for kind, key in self.keys.items():
            hashes = SplitHashes(self.splits, key)
            wanted = self._shared(seen, hashes)
            shared = None if wanted is None else seen.require(wanted)
            shares.append(Share(kind, tuple(p.name for p in key.parts), seen.require(hashes), wanted, shared))
        order = None
        if self.times:
            stray = self._strays(seen)
            strays = None if stray is None else seen.require(stray)
            gap = None if self.gap is None else str(self.gap)
            order = Order(self._reaches, seen.require(self._reaches), gap, stray, strays)
        return SplitFindings(self.splits.names, tuple(shares), order, text)

    @property
    def _reaches(self) -> SplitReaches:
        return SplitReaches(self.splits, self.times, self.timezone)

    def _shared(self, seen: Evidence, hashes: SplitHashes) -> SharedKeys | None:
        suspects = seen.require(hashes).suspects
        return SharedKeys(self.splits, hashes.key, suspects, self.limit) if suspects else None

    def _strays(self, seen: Evidence) -> Strays | None:
        met = borders(seen.require(self._reaches).reaches, self.gap, self.timezone)
        shown = next((key.parts for kind, key in self.keys.items() if kind != "row"), ())
        return Strays(self.splits, self.times, self.timezone, met, shown, self.limit) if met else None


def named_parts(seen: Evidence, splits: Splits, names: Sequence[str], what: str) -> tuple[Part, ...]:
    """The columns of a key in every source; `DataError` if they cannot be compared by value."""
    parts = []
    for name in names:
        columns = tuple(seen.schema(source).column(name) for source in splits.sources)
        kind = _common(columns)
        if kind is None or not can_be_key(kind):
            message = f"{what} column '{name}' is {_types(splits, columns)}, so its values cannot be matched"
            raise DataError(message, "cast it to one plain type in every split, in a dataset's sql")
        parts.append(Part(columns, kind))
    return tuple(parts)


def row_parts(seen: Evidence, splits: Splits, but: Sequence[str]) -> tuple[Part, ...]:
    """The columns that whole rows are compared by: those of all sources; `DataError` if one cannot be."""
    schemas = [seen.schema(source) for source in splits.sources]
    left_out = {schemas[0].column(name).path for name in but}
    left_out |= set() if splits.column is None else {splits.column.path}
    own = [{c.name: c for c in schema.columns} for schema in schemas]
    shared = [name for name in own[0] if all(name in columns for columns in own) and (name,) not in left_out]
    if not shared:
        message = "the splits have no column in common by which their rows could be compared"
        raise DataError(message, "name the columns that matter in key or entity")
    parts, refused = [], []
    for name in shared:
        columns = tuple(schema[name] for schema in own)
        kind = _common(columns)
        if kind is None or not can_be_grouped(kind):
            refused.append(f"'{name}' is {_types(splits, columns)}")
        else:
            parts.append(Part(columns, kind))
    if refused:
        message = f"rows cannot be compared by value: {few(refused, _SHOWN, '; ')}"
        raise DataError(message, "leave such columns out with rows_except, or cast them in a dataset's sql")
    return tuple(parts)


def one_sided(seen: Evidence, splits: Splits, but: Sequence[str]) -> list[str]:
    """The columns that some sources have and others have not."""
    own = [[f.name for f in seen.schema(source).fields] for source in splits.sources]
    names = dict.fromkeys(name for columns in own for name in columns)
    return [name for name in names if name not in but and not all(name in columns for columns in own)]


def time_columns(seen: Evidence, splits: Splits) -> tuple[Column, ...]:
    """The time column of each source; `DataError` if it has none, or one that holds no times."""
    return tuple(_time_column(seen, splits, at) for at in range(len(splits.sources)))


def _time_column(seen: Evidence, splits: Splits, at: int) -> Column:
    source = splits.sources[at]
    name = seen.time_column(source)
    if name is None:
        message = f"dataset '{source.dataset}' has no time_column, so its splits have no order in time"
        raise DataError(message, "add time_column to the dataset in the suite")
    column = seen.schema(source).column(name)
    if not is_time(column.type) and not is_text(column.type):
        message = f"time column '{name}' is {column.type}; an order in time needs a timestamp, a date or an ISO text"
        raise DataError(message, "name another time_column, or convert it in a dataset's sql")
    return column


def _common(columns: Sequence[Column]) -> str | None:
    """The type in which all compare without loss; one column compares with itself in its own."""
    found: str | None = columns[0].type
    for column in columns[1:]:
        found = None if found is None else found if found == column.type else common_type(found, column.type)
    return found


def _types(splits: Splits, columns: Sequence[Column]) -> str:
    if len({c.type for c in columns}) == 1:
        return columns[0].type
    return ", ".join(f"{c.type} in {name}" for c, name in zip(columns, splits.names, strict=True))
