"""A table and the runs on it, night after night, each compared with a run that knows nothing of the others."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from sparkguard.core.columns import Column
from sparkguard.core.measure import Broken, State, Summary
from sparkguard.core.source import Dataset, Source
from sparkguard.core.suite import Results
from sparkguard.core.window import Window
from sparkguard.engine.reader import Reader
from sparkguard.engine.spark_engine import SparkEngine
from sparkguard.measures.conditions import Missing
from sparkguard.measures.profile import Extremes, Moments
from sparkguard.measures.sketches import Distinct
from sparkguard.measures.tallies import Count, RowCount
from sparkguard.sinks.delta import DeltaSink
from sparkguard.sinks.states import DeltaStates
from tests.conftest import Work

DAY = 1_000
"""Rows of a day; reading logs and states is far less."""
X, S = Column("x", ("x",), "double"), Column("s", ("s",), "string")


def rows(spark: SparkSession, first: int, last: int, kind: str = "TIMESTAMP") -> DataFrame:
    """Rows of the days [first, last) of January 2026, one file a day."""
    days = [
        spark.range(DAY).selectExpr(
            f"CAST(timestamp_micros({round(datetime(2026, 1, day, tzinfo=UTC).timestamp())}000000L + id * 60000000L)"
            f" AS {kind}) AS ts",
            f"IF(id % 10 = 0, NULL, id + {day} * 1.0D) AS x",
            "concat('v', id % 7) AS s",
        )
        for day in range(first, last)
    ]
    whole = days[0]
    for more in days[1:]:
        whole = whole.unionByName(more)
    return whole.coalesce(len(days)) if kind == "TIMESTAMP" else whole


@dataclass
class Nights:
    """A table, and the runs on it, each with a session's engine of its own."""

    spark: SparkSession
    folder: Path
    work: Work
    hidden: bool = False
    dataset: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.sink = DeltaSink(self.spark, Results(path=str(self.folder / "results")))
        self.sink.prepare()

    @property
    def path(self) -> str:
        return str(self.folder / "t")

    def write(self, frame: DataFrame, mode: str = "append", **options: Any) -> None:
        frame.write.format("delta").mode(mode).options(**options).save(self.path)

    def sql(self, text: str) -> None:
        self.spark.sql(text.replace("{t}", f"delta.`{self.path}`"))

    def run(self, windows: Sequence[Window | None], questions: Any = None) -> dict[Any, Any]:
        """Answer, keep the states, and compare each answer with that of an engine without any."""
        measures = [m for w in windows for m in (questions or asked)(Source("t", w))]
        dataset = Dataset("t", path=self.path, time_column="ts", **self.dataset)
        store = DeltaStates(self.sink.read, "s")
        engine = SparkEngine(Reader(self.spark, {"t": dataset}), store, lambda _d, c: self.hidden and c == "s")
        engine.pin({source for m in measures for source in m.sources})
        with self.work:
            found = dict(engine.compute(measures))
        self.read = self.work.rows_read
        self.work.rows_read = 0
        self.sink.replace_states(engine.updates(), "s", datetime(2026, 2, 1, tzinfo=UTC))
        plain = SparkEngine(Reader(self.spark, {"t": dataset}))
        plain.pin({source for m in measures for source in m.sources})
        for measure, wanted in plain.compute(measures):
            assert_alike(found[measure], wanted)
        return found

    @property
    def days_read(self) -> int:
        """Days whose rows were read; what logs and states add is less than one."""
        return self.read // DAY

    def stored(self) -> list[Any]:
        return self.sink.read("states").where("measure_fingerprint <> 'checked'").collect()


def asked(source: Source) -> list[Summary[State]]:
    return [RowCount(source), Count(source, Missing(X)), Moments(source, X), Extremes(source, X), Distinct(source, S)]


def assert_alike(found: Any, wanted: Any) -> None:
    assert not isinstance(found, Broken)
    if hasattr(wanted, "mean"):
        assert (found.n, found.mean, found.squares) == (
            wanted.n,
            pytest.approx(wanted.mean),
            pytest.approx(wanted.squares),
        )
    elif hasattr(wanted, "estimate"):
        assert found.estimate()[0] == pytest.approx(wanted.estimate()[0], rel=0.05)
    elif hasattr(wanted, "quantile"):
        assert found.quantile(0.5) == pytest.approx(wanted.quantile(0.5), rel=0.05)
    else:
        assert found == wanted
