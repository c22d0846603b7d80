"""The engine that answers with Spark: pins, computes, and hands out all evidence as a frame."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from functools import reduce
from typing import TypeVar, cast

from pyspark.sql import DataFrame

from sparkguard.core.batches import Batch, batches
from sparkguard.core.evidence import Pin
from sparkguard.core.finding import EvidenceQuery
from sparkguard.core.measure import (
    Answer,
    Awaited,
    Broken,
    Cost,
    Daily,
    Days,
    Dense,
    Measure,
    Probe,
    Summary,
    Waiting,
    Wide,
)
from sparkguard.core.source import Source
from sparkguard.core.states import StateStore, StateUpdate
from sparkguard.core.suite import Results
from sparkguard.engine import from_log
from sparkguard.engine.faults import broken
from sparkguard.engine.files import small_file
from sparkguard.engine.fused import Fused
from sparkguard.engine.kept_grids import Hidden, KeptGrids
from sparkguard.engine.lasting import Lasting
from sparkguard.engine.past import Past
from sparkguard.engine.reader import PinKey, Reader
from sparkguard.engine.spark import computations, evidence_frame, probes
from sparkguard.engine.waits import Patience, Waits
from sparkguard.measures.sampled_grids import Grids, GridsAnswer

T = TypeVar("T")


class SparkEngine:
    """Answers measures by the functions that `engine.spark` declares for their types."""

    def __init__(
        self,
        reader: Reader,
        store: StateStore | None = None,
        hidden: Hidden = lambda _dataset, _column: False,
        past: Past | None = None,
        timezone: str = "UTC",
        patience: Patience = Patience(),  # noqa: B008 - it is frozen
    ) -> None:
        """Read through `reader`, which knows the datasets, and wait with `patience`.

        States of days, in `timezone`, are kept in `store`, but none of `hidden` columns; `past` knows the
        suite's earlier runs.
        """
        self._reader = reader
        self._past = past
        self._waits = Waits(self._ask, patience)
        self.remembered: dict[Measure[Answer], tuple[object, Answer]] = {}
        self._fused = Fused(reader)
        self._grids = KeptGrids(store, hidden)
        self._lasting = None if store is None else Lasting(reader, self._fused, store, hidden, timezone)

    def pin(self, sources: Iterable[Source]) -> Mapping[PinKey, Pin | Broken]:
        """Fix the version of each dataset from now on."""
        return self._reader.pin(sources)

    def compute(self, measures: Sequence[Measure[Answer]]) -> Iterator[tuple[Measure[Answer], Answer | Broken]]:
        """Answer summaries together, the others in turn, and last those that wait.

        What goes wrong is `Broken`, never an exception.
        """
        for batch in batches(measures):
            yield from self._summaries(batch)
        for measure in measures:
            if not isinstance(measure, Summary | Daily | Waiting):
                yield measure, self._answer(measure)
        yield from self._waits.answers([m for m in measures if isinstance(m, Waiting)])

    def committed(self, source: Source) -> datetime | None:
        """When the version that is read was committed; None where the dataset has no versions."""
        return self._reader.committed(source)

    def recorded(self, table: str) -> DataFrame | None:
        """The rows that other runs of the suite left in a result table; None where there are none yet."""
        return None if self._past is None else self._past.table(table)

    def small_file(self, place: str) -> bytes:
        """A whole file from wherever Spark can read; `DataError` if there is none or it is not small."""
        return small_file(self._reader.spark, place)

    def recorded_of_all(self, table: str, results: str | None) -> DataFrame | None:
        """The rows of all suites in a result table of some place; None where there is none yet."""
        place = None if results is None else Results.parse(results)
        return None if self._past is None else self._past.of_all(table, place)

    def afresh(self) -> Reader:
        """The datasets as they are now, whatever the stage has pinned."""
        return self._reader.afresh()

    def rows(self, source: Source) -> DataFrame:
        """The rows of a source with all columns, under their own names."""
        return self._reader.rows(source)

    def updates(self) -> Sequence[StateUpdate]:
        """What was learnt of days and tables, to be kept."""
        kept = self._lasting.updates() if self._lasting else ()
        return (*kept, *self._grids.updates())

    def missing(self, batch: Batch) -> tuple[int, str]:
        """Reads of a batch, and what of it they would read where that is not all."""
        if not batch.daily and self._from_log(from_log.plan, batch) is not None:
            return 0, "answered by Delta's log"
        return self._lasting.missing(batch) if _lasts(batch) and self._lasting else (1, "")

    def cost(self, measure: Measure[Answer]) -> Cost:
        """What a measure that is answered by itself costs; grids that earlier runs made cost nothing."""
        with suppress(Exception):  # what cannot be read counts as unknown
            if isinstance(measure, Grids) and self._grids.knows(measure):
                return Cost(scans=0, shuffles=0)
        return measure.cost

    def size(self, source: Source) -> int | None:
        """Bytes of the dataset, where known without reading it."""
        return self._reader.size(source)

    def evidence(self, queries: Sequence[EvidenceQuery], redact: Sequence[str]) -> DataFrame:
        """All evidence of some measures: `kind`, `key` (a map of texts, `redact` hidden), `reason`, `count`."""
        frames = [evidence_frame(self._reader.frame, q.measure, q.kind, redact) for q in queries]
        return reduce(lambda a, b: a.unionByName(b), frames)

    def _summaries(self, batch: Batch) -> Iterator[tuple[Measure[Answer], Answer | Broken]]:
        """By the log alone, else from states of earlier nights, else by a read."""
        if batch.daily:
            yield from self._days(batch)
            return
        known = self._from_log(from_log.answers, batch)
        if known is not None:
            yield from known.items()
        elif self._lasting and _lasts(batch):
            yield from self._lasting.answer(batch)
        else:
            yield from self._fused.answer(batch)

    def _days(self, batch: Batch) -> Iterator[tuple[Measure[Answer], Answer | Broken]]:
        """Day by day, from states of earlier nights where there are any."""
        blocks = None if batch.source.window is None else batch.source.window.days()
        if blocks is None:
            why = "it is asked day by day, but its window does not consist of whole days"
            remedy = "begin and end the window at midnight"
            yield from ((Daily(m), Broken(f"{m}: {why}", remedy)) for m in batch.measures)
            return
        ways = self._lasting.days(batch, blocks) if self._lasting else self._fused.answer_blocks(batch, blocks)
        for measure, found in ways:
            days = found if isinstance(found, Broken) else Days(blocks, tuple(found[block] for block in blocks))
            yield Daily(measure), days

    def _from_log(self, ask: Callable[[Reader, Batch], T | None], batch: Batch) -> T | None:
        try:
            return ask(self._reader, batch)
        except Exception:  # noqa: BLE001 - what the log does not tell is read
            return None

    def _ask(self, measure: Waiting[Awaited]) -> Awaited:
        answer = probes()[type(measure)](self, measure)
        return cast("Awaited", answer)

    def _sampled(self, measure: Grids) -> GridsAnswer:
        return cast("GridsAnswer", computations()[Grids](self._reader.frame, measure))

    def _answer(self, measure: Measure[Answer]) -> Answer | Broken:
        try:
            if isinstance(measure, Grids):
                return self._grids.answer(measure, self._sampled)
            if isinstance(measure, Probe):
                return probes()[type(measure)](self, measure)
            return computations()[type(measure)](self._reader.frame, measure)
        except Exception as error:  # noqa: BLE001 - one measure's fault must not stop the others
            return broken(error, str(measure))


def _lasts(batch: Batch) -> bool:
    """Whether states of days are kept of such summaries."""
    return isinstance(batch.measures[0], Wide | Dense)
