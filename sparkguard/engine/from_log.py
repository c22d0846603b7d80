"""Row counts and bounds of a whole table from Delta's log, where it has them.

Delta itself answers such a query from the statistics of its files, if every file has them and none has
deleted rows that they still count; the plan of the query tells whether it does.
"""

from __future__ import annotations

from collections.abc import Mapping

from sparkguard.core.batches import Batch
from sparkguard.core.measure import State, Summary
from sparkguard.core.types import is_integer
from sparkguard.engine.reader import Reader
from sparkguard.engine.spark.values import quoted
from sparkguard.measures.profile import Extent, Extremes, ordinal
from sparkguard.measures.tallies import RowCount, Total

METADATA = "metadata"


def answers(reader: Reader, batch: Batch) -> Mapping[Summary[State], State] | None:
    """The states of all measures of a batch by the log alone; None if it does not hold them."""
    query = plan(reader, batch)
    if query is None:
        return None
    values = (None if v is None else ordinal(v) for v in reader.spark.sql(query).collect()[0])
    found: dict[Summary[State], State] = {}
    for measure in batch.measures:
        if isinstance(measure, Extremes):
            found[measure] = Extent(next(values), next(values), METADATA)
        else:
            found[measure] = Total(int(next(values) or 0), METADATA)
    return found


def plan(reader: Reader, batch: Batch) -> str | None:
    """The query, if the log answers all of it."""
    if batch.source.window is not None or not all(map(_eligible, batch.measures)):
        return None
    reference = reader.unfiltered(batch.source)
    if reference is None:
        return None
    parts: list[str] = []
    for measure in batch.measures:
        if isinstance(measure, Extremes):
            parts += [f"{function}({quoted(*measure.column.path)})" for function in ("min", "max")]
        else:
            parts.append("count(1)")
    query = f"SELECT {', '.join(f'{part} AS a{i}' for i, part in enumerate(parts))} FROM {reference}"  # noqa: S608 - quoted
    text = str(reader.spark.sql(f"EXPLAIN {query}").collect()[0][0])
    return query if "LocalTableScan" in text and "FileScan" not in text else None


def _eligible(measure: Summary[State]) -> bool:
    if isinstance(measure, Extremes):
        column = measure.column
        return not measure.lengths and len(column.path) == 1 and (is_integer(column.type) or column.type == "date")
    return isinstance(measure, RowCount)
