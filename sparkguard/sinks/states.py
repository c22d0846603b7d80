"""The table `states`: read by block, replaced by block and measure, belonging to no run."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sparkguard.core.encoding import FORMAT
from sparkguard.core.instant import micros_of, moment_of
from sparkguard.core.states import CHECKED, KEPT, Span, StateUpdate, StoredStates
from sparkguard.sinks.rows import StateRow

_MISSING = re.compile(r"NOT_FOUND|NOT_EXIST|NoSuchTable|is not a Delta table|DELTA_MISSING")
"""Before the first run there are no result tables, which a plan does not make."""
MOST_BYTES = 8 << 20
_OF_THE_DATA = f"measure_fingerprint NOT LIKE '{KEPT}%'"


class DeltaStates:
    """Loads the states of a suite from its result tables."""

    def __init__(self, read: Callable[[str], DataFrame], suite: str) -> None:
        """Read the table by its name."""
        self._read, self._suite = read, suite

    def load(
        self, dataset: str, start: datetime | None, end: datetime | None, columns: Sequence[str] = ()
    ) -> Sequence[StoredStates]:
        """The states of blocks inside [start, end), of the whole dataset without bounds; and `CHECKED`.

        Only rows that are about one of the columns, or about none.
        """
        try:
            found = self._rows(dataset, start, end, columns).collect()
        except Exception as error:
            if _MISSING.search(str(error)):
                return []
            raise
        return [
            StoredStates(
                row["dataset"],
                row["dataset_version"],
                _moment(row["window_start"]),
                _moment(row["window_end"]),
                tuple(row["columns"]),
                row["measure_fingerprint"],
                bytes(row["state"]),
                row["rows"],
            )
            for row in found
        ]

    def _rows(self, dataset: str, start: datetime | None, end: datetime | None, columns: Sequence[str]) -> DataFrame:
        rows = self._read(StateRow.TABLE).where((F.col("suite") == self._suite) & (F.col("dataset") == dataset))
        about = F.from_json(F.lit(json.dumps(list(columns))), "ARRAY<STRING>")
        rows = rows.where(F.col("state_version") == FORMAT)
        rows = rows.where((F.size("columns") == 0) | F.arrays_overlap("columns", about))
        if start is not None and end is not None:
            inside = F.expr(f"window_start >= {_instant(start)} AND window_end <= {_instant(end)}")
            rows = rows.where(inside | (F.col("measure_fingerprint") == CHECKED))
        else:
            rows = rows.where(F.col("window_start").isNull())
        micros = (F.expr(f"unix_micros({name})").alias(name) for name in ("window_start", "window_end"))
        plain = ("dataset", "dataset_version", "columns", "measure_fingerprint", "state", "rows")
        return rows.select(*plain, *micros)


def chunks(rows: Sequence[StateRow]) -> Iterator[list[StateRow]]:
    """Rows in parts of bounded size, since a part travels as one text."""
    part: list[StateRow] = []
    for row in rows:
        if part and sum(len(r.state) for r in part) + len(row.state) > MOST_BYTES:
            yield part
            part = []
        part = [*part, row]
    if part:
        yield part


def state_rows(updates: Sequence[StateUpdate], suite: str, now: datetime) -> list[StateRow]:
    """The rows that updates bring; what says that they hold comes last, so that half of them are not believed."""
    stored = [one for update in updates for one in update.states]
    stored += [update.checked for update in updates if update.checked]
    return [
        StateRow(
            suite=suite,
            dataset=one.dataset,
            dataset_version=one.version,
            window_start=one.start,
            window_end=one.end,
            columns=one.columns,
            measure_fingerprint=one.fingerprint,
            state_version=FORMAT,
            state=one.packed,
            rows=one.rows,
            created_at=now,
        )
        for one in stored
    ]


def replaced(updates: Sequence[StateUpdate], suite: str) -> str:
    """SQL for the rows that updates replace: what data made void, and what is there again."""
    parts = [part for update in updates for part in _parts(update)]
    used = ", ".join(_text(update.dataset) for update in updates)
    prefixes = dict.fromkeys(update.instead for update in updates if update.instead)
    parts += [
        f"(startswith(dataset, {_text(prefix)}) AND substring(dataset, {len(prefix) + 1}) RLIKE '^[0-9]+$'"
        f" AND dataset NOT IN ({used}) AND {_OF_THE_DATA})"
        for prefix in prefixes
    ]
    return f"suite = '{suite}' AND ({' OR '.join(parts)})"


def _parts(update: StateUpdate) -> Iterator[str]:
    dataset = f"dataset = {_text(update.dataset)}"
    if update.void is None:
        yield f"({dataset} AND {_OF_THE_DATA})"
        return
    if update.checked:
        yield f"({dataset} AND measure_fingerprint = '{CHECKED}')"
    if update.whole:
        yield f"({dataset} AND window_start IS NULL AND {_OF_THE_DATA})"
    for span in update.void:
        yield f"({dataset} AND {_meets(span)})"
    starts: dict[str, dict[str, None]] = {}
    for one in update.states:
        at = "IS NULL" if one.start is None else f"= {_instant(one.start)}"
        starts.setdefault(one.fingerprint, {})[at] = None
    together: dict[tuple[str, ...], list[str]] = {}
    for fingerprint, windows_of in starts.items():
        together.setdefault(tuple(windows_of), []).append(f"'{fingerprint}'")
    for windows, fingerprints in together.items():
        where = " OR ".join(f"window_start {at}" for at in windows)
        yield f"({dataset} AND measure_fingerprint IN ({', '.join(fingerprints)}) AND ({where}))"


def _meets(span: Span) -> str:
    return f"window_start <= {_instant(span[1])} AND window_end > {_instant(span[0])}"


def _instant(moment: datetime) -> str:
    return f"timestamp_micros({micros_of(moment)}L)"


def _moment(micros: int | None) -> datetime | None:
    return None if micros is None else moment_of(micros)


def _text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
