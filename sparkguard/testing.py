"""For tests of checks, built-in or a plugin's: judge small tables in plain Python, and the laws.

`TwinEngine` answers measures by their twins, so a check's whole way from question to verdict runs
without a JVM and can be compared with Spark's.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, cast

from sparkguard.core.check import Check, Run
from sparkguard.core.columns import Column, Field, Schema
from sparkguard.core.evidence import Pin
from sparkguard.core.finding import EvidenceQuery, Finding
from sparkguard.core.instant import micros_of
from sparkguard.core.measure import Answer, Broken, Daily, Days, Measure, RowMeasure, State
from sparkguard.core.source import Source
from sparkguard.core.states import StateUpdate
from sparkguard.core.window import Window
from sparkguard.engine.gather import Rounds
from sparkguard.measures.history import MOST_POINTS, History, MetricHistory, Point, Subject
from sparkguard.measures.times import span

Rows = Sequence[Mapping[str, object]]

_TYPES: Mapping[type, str] = {
    bool: "boolean",
    int: "bigint",
    float: "double",
    str: "string",
    bytes: "binary",
    Decimal: "decimal(38,18)",
    datetime: "timestamp",
    date: "date",
}


@dataclass
class TwinEngine:
    """Answers measures in plain Python from tables of rows; counts what it was asked.

    `time_columns` names the column by which a dataset is cut into windows; `recorded` holds the answers
    of probes, which no rows answer, and what earlier runs have left.
    """

    tables: Mapping[str, Rows]
    time_columns: Mapping[str, str] = field(default_factory=dict)
    version: int | None = None
    recorded: Mapping[Measure[Answer], Answer] = field(default_factory=dict)
    computed: list[Measure[Answer]] = field(default_factory=list)
    spans: dict[tuple[str, str], list[tuple[int, int] | None]] = field(default_factory=dict)

    def pin(self, sources: Iterable[Source]) -> Mapping[tuple[str, int | None], Pin | Broken]:
        """Take the schema from the first value of each column."""
        return {(s.dataset, s.version): self._pin(s.dataset) for s in sources}

    def compute(self, measures: Sequence[Measure[Answer]]) -> Iterator[tuple[Measure[Answer], Answer | Broken]]:
        """Answer each measure by its twin."""
        for measure in measures:
            self.computed.append(measure)
            if isinstance(measure, Daily):
                yield measure, self._days(measure)
                continue
            if measure in self.recorded:
                yield measure, self.recorded[measure]
                continue
            if not isinstance(measure, RowMeasure):
                message = f"{type(measure).__name__} has no twin in plain Python"
                raise TypeError(message)
            rows = {source: self._rows(source, columns) for source, columns in measure.reads.items()}
            yield measure, measure.twin(rows)

    def _days(self, measure: Daily[State]) -> Days[State] | Broken:
        parts = measure.parts()
        if parts is None:
            return Broken(f"{measure}: the window does not consist of whole days")
        states = [answer for _, answer in self.compute(tuple(parts.values()))]
        return Days(tuple(parts), cast("tuple[State, ...]", tuple(states)))

    def evidence(self, queries: Sequence[EvidenceQuery], redact: Sequence[str]) -> object:
        """There is no frame without Spark."""
        raise NotImplementedError

    def updates(self) -> Sequence[StateUpdate]:
        """Nothing is kept."""
        return ()

    def _pin(self, dataset: str) -> Pin | Broken:
        if dataset not in self.tables:
            return Broken(f"dataset '{dataset}': there is no such data")
        names = dict.fromkeys(name for row in self.tables[dataset] for name in row)
        return Pin(
            Schema(tuple(Field(n, self._type(dataset, n)) for n in names)), self.version, self.time_columns.get(dataset)
        )

    def _type(self, dataset: str, name: str) -> str:
        values = (row.get(name) for row in self.tables[dataset])
        first = next((v for v in values if v is not None), "")
        if isinstance(first, list | tuple):
            return f"array<{_TYPES[type(next(iter(first), ''))]}>"
        return _TYPES[type(first)]

    def _rows(self, source: Source, columns: Sequence[Column]) -> list[tuple[object, ...]]:
        table = self.tables[source.dataset]
        rows = table if source.window is None else [table[i] for i in self._inside(source.dataset, source.window)]
        return [tuple(row.get(column.path[0]) for column in columns) for row in rows]

    def _inside(self, dataset: str, window: Window) -> Iterator[int]:
        """The places of the rows of a window."""
        spans = self.spans.setdefault((dataset, window.timezone), [])
        if not spans:
            column = self.time_columns[dataset]
            kind = self._type(dataset, column)
            spans += [span(row.get(column), kind, window.timezone) for row in self.tables[dataset]]
        first = None if window.start_utc is None else micros_of(window.start_utc)
        end = micros_of(window.end_utc)
        for i, found in enumerate(spans):
            if found is not None and found[0] < end and (first is None or first <= found[0]):
                yield i


def judge(
    check: Check,
    tables: Mapping[str, Rows],
    *,
    time_columns: Mapping[str, str] | None = None,
    recorded: Mapping[Measure[Answer], Answer] | None = None,
    judged: Mapping[str, Sequence[Finding]] | None = None,
    run: Run | None = None,
) -> tuple[Finding, ...]:
    """Let a check ask and judge small tables in plain Python; `DataError` if it cannot.

    `judged` is what the checks that it follows have found.
    """
    engine = TwinEngine(tables, time_columns or {}, recorded=recorded or {})
    moment = datetime(2026, 1, 31, tzinfo=UTC)
    run = run or Run(moment.date(), moment)
    [gathered] = Rounds(engine).gather([check], judged or {}, run.now)
    if gathered.error is not None:
        raise gathered.error
    return check.judge(gathered.seen, run)


def history_of(tables: Mapping[str, Sequence[Any]], suite: str, measure: MetricHistory, run_id: str = "") -> History:
    """The twin of the engine's query: what rows of result tables tell of a metric before the run `run_id`.

    `tables` are those of a `MemorySink`, or the rows that Spark collected.
    """
    started = {(r.run_id, r.attempt): r.started_at for r in tables["runs"] if r.suite == suite and r.run_id != run_id}
    by_run: dict[tuple[Subject, str], list[Any]] = {}
    for row in tables["metrics"]:
        if row.suite == suite and (row.run_id, row.attempt) in started and row.column_name in measure.columns:
            by_run.setdefault((Subject(row.column_name, row.slice_key, row.slice_value), row.run_id), []).append(row)
    latest: dict[tuple[Subject, datetime], tuple[datetime, str, Point]] = {}
    for (subject, run), rows in by_run.items():
        point = _point(rows, measure)
        if point is not None:
            entry = (started[run, rows[0].attempt], run, point)
            latest[subject, point.end] = max(latest.get((subject, point.end), entry), entry, key=lambda e: e[:2])
    points: dict[Subject, list[Point]] = {}
    for (subject, _), (_, _, point) in sorted(latest.items(), key=lambda item: item[0][1]):
        if math.isfinite(point.value):
            points.setdefault(subject, []).append(point)
    return History({subject: tuple(found[-MOST_POINTS:]) for subject, found in points.items()})


def _point(rows: Sequence[Any], measure: MetricHistory) -> Point | None:
    """What the rows of one subject and run tell; NaN where the number is no baseline, None without a number."""
    numbers = [r for r in rows if (r.check_id, r.metric_name) == (measure.check, measure.metric)]
    if len(numbers) != 1 or (numbers[0].window_end is None) is not (measure.until is None):
        return None
    [row] = numbers
    end = row.window_end or datetime.combine(row.run_date, time(), UTC) + timedelta(days=1)
    if measure.until is not None and end >= measure.until:
        return None
    refused = any(not r.baseline_eligible for r in rows if r is row or r.check_id == measure.judge)
    return Point(math.nan if refused or row.value is None else row.value, row.window_start, end)
