"""Upstreams on real Delta tables, files and result tables; the log's verdict against a real count."""

import random
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

import sparkguard
from sparkguard import Options
from sparkguard.app import load_suite
from sparkguard.console import Silent
from sparkguard.core.columns import Column
from sparkguard.core.measure import Broken
from sparkguard.core.source import Dataset, Partition, Source
from sparkguard.core.suite import Results
from sparkguard.core.window import Duration, Window
from sparkguard.engine.past import Past
from sparkguard.engine.reader import Reader
from sparkguard.engine.spark.values import quoted
from sparkguard.engine.spark.windows import within
from sparkguard.engine.spark_engine import SparkEngine
from sparkguard.engine.touched import touched
from sparkguard.engine.waits import Patience
from sparkguard.measures.upstreams import (
    NO_PARTITIONS,
    Arrival,
    Committed,
    Counted,
    Marked,
    Part,
    Partitions,
    Recorded,
    SuitePassed,
    Upstream,
)
from sparkguard.sinks.delta import DeltaSink
from sparkguard.sinks.frames import frame_of
from sparkguard.sinks.rows import RunRow
from tests.conftest import Work

ZONE = ZoneInfo("Europe/Berlin")
DAY = Window(datetime(2026, 3, 2), datetime(2026, 3, 3), ZONE.key)
BEFORE, INSIDE, AFTER = datetime(2026, 3, 1, 12), datetime(2026, 3, 2, 12), datetime(2026, 3, 3, 12)
NONE, MAYBE, CERTAIN = 0, 1, 2
SEEDS = (12,)
FIRST_JOBS, POLL_JOBS = 12, 2
Row = tuple[datetime | None, str | None]


def frame(spark: SparkSession, *rows: Row | datetime | None) -> DataFrame:
    """A file's rows: a time of Berlin as instant `ts`, wall clock `n`, date `d` and text `day`, and an origin."""
    told = [row if isinstance(row, tuple) else (row, "EWR") for row in rows]
    listed = ", ".join(
        "("
        + ("NULL, NULL" if t is None else f"'{t.replace(tzinfo=ZONE).isoformat()}', '{t.isoformat(sep=' ')}'")
        + (", NULL)" if o is None else f', "{o}")')
        for t, o in told
    )
    types = "CAST(ts AS TIMESTAMP) AS ts, CAST(n AS TIMESTAMP_NTZ) AS n, CAST(n AS DATE) AS d, left(n, 10) AS day"
    return spark.sql(
        f"SELECT {types}, CAST(origin AS STRING) AS origin FROM VALUES {listed} AS v(ts, n, origin)"
    ).coalesce(1)


def save(data: DataFrame, path: Path, *by: str, mode: str = "append") -> None:
    data.write.format("delta").mode(mode).partitionBy(*by).save(str(path))


def engine(spark: SparkSession, *datasets: Dataset, frames: dict[str, DataFrame] | None = None) -> SparkEngine:
    return SparkEngine(Reader(spark, {d.name: d for d in datasets}, frames))


def asked(engine: SparkEngine, measure: Upstream) -> Arrival | Broken:
    [(_, answer)] = engine.compute([measure])
    assert isinstance(answer, Arrival | Broken)
    return answer


def arrival(engine: SparkEngine, measure: Upstream) -> Arrival:
    answer = asked(engine, measure)
    assert isinstance(answer, Arrival), answer
    return answer


def reason(engine: SparkEngine, measure: Upstream) -> str:
    answer = asked(engine, measure)
    assert isinstance(answer, Broken), answer
    return answer.reason


def missing(answer: Arrival) -> list[Part]:
    return [m.part for m in answer.missing]


def commit_of(by: Partitions = NO_PARTITIONS, window: Window = DAY) -> Committed:
    return Committed(Source("t", window), by)


def airports(*names: str | None) -> Partitions:
    return Partitions(("origin",), (names or ("EWR", "JFK", "LGA"),))


def table(path: Path, time: str = "ts", partition: Partition | None = None) -> Dataset:
    return Dataset("t", path=str(path), time_column=time, partition=partition)


# ---------------------------------------------------------------- the log against a count


def tell(spark: SparkSession, dataset: Dataset, window: Window, by: Partitions = NO_PARTITIONS) -> dict[Part, int]:
    reader = Reader(spark, {"t": dataset})
    found = touched(spark, dataset, reader.open("t").schema, window, by).verdicts
    return {part: found.get(part, NONE) for part in by.parts}


def real(spark: SparkSession, dataset: Dataset, window: Window, by: Partitions) -> dict[Part, int]:
    data = spark.read.format("delta").load(str(dataset.path))
    name = str(dataset.time_column)
    column = Column(name, (name,), data.schema[name].dataType.simpleString())
    inside = data.where(within(F.col(quoted(name)), column, window)).groupBy(*by.columns).count().collect()
    counts = {tuple(row)[:-1]: row["count"] for row in inside}
    return {part: counts.get(part, 0) for part in by.parts}


def stretch(chance: random.Random, origin: str) -> list[Row]:
    """A file's rows around the edges of the day: inside, outside, or across."""
    start = chance.choice([DAY.start, DAY.end, BEFORE, INSIDE, AFTER])
    steps = [
        timedelta(0),
        timedelta(microseconds=-1),
        timedelta(microseconds=1),
        timedelta(hours=3),
        -timedelta(days=2),
    ]
    some: list[Row] = [(start + chance.choice(steps), origin) for _ in range(chance.randint(1, 3)) if start]
    return [*some, (None, origin)] if chance.random() < 0.3 else some


@pytest.mark.parametrize("seed", SEEDS)
def test_the_log_is_never_surer_than_a_count(spark: SparkSession, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - no secret
    path, place = tmp_path / "t", f"delta.`{tmp_path / 't'}`"
    names = [*"abcdefgh"]
    vectors = {"delta.checkpointInterval": "3", "delta.enableDeletionVectors": "true"}
    first = frame(spark, *(row for name in names for row in stretch(chance, name)))
    first.write.format("delta").partitionBy("origin").options(**vectors).save(str(path))
    changes: list[Callable[[], object]] = [
        lambda: save(frame(spark, *(row for name in "abcde" for row in stretch(chance, name))), path, "origin"),
        *(
            lambda query=query: spark.sql(query)
            for query in (
                f"DELETE FROM {place} WHERE n >= TIMESTAMP_NTZ '2026-03-02 03:00:00'",
                f"DELETE FROM {place} WHERE n IS NULL OR origin = 'a' AND d < DATE '2026-03-02'",
                f"UPDATE {place} SET ts = ts + INTERVAL 1 DAY, n = n + INTERVAL 1 DAY WHERE origin > 'd'",
                f"OPTIMIZE {place}",
                f"ALTER TABLE {place} SET TBLPROPERTIES ('delta.enableDeletionVectors' = 'false')",
            )
        ),
    ]
    chance.shuffle(changes)
    told = []
    for step, column in enumerate(chance.sample(["ts", "n", "d"], 2)):
        for act in changes[3 * step : 3 * step + 3]:
            act()
        verdicts, counts = (f(spark, table(path, column), DAY, airports(*names)) for f in (tell, real))
        for part, verdict in verdicts.items():
            told.append(verdict)
            assert verdict != CERTAIN or counts[part] > 0, (part, column)
            assert verdict != NONE or counts[part] == 0, (part, column)
    assert {NONE, CERTAIN} <= set(told)
    assert told.count(MAYBE) < len(told) / 2


# ---------------------------------------------------------------- commits


def test_a_missing_day_and_a_half_written_set_are_told_and_who_touched_it_last(
    spark: SparkSession, tmp_path: Path
) -> None:
    path = tmp_path / "with space" / "t"
    save(frame(spark, *((BEFORE, o) for o in ("EWR", "JFK", "LGA"))), path, "origin")
    upstream = engine(spark, table(path))
    nothing = arrival(upstream, commit_of(airports()))
    assert missing(nothing) == [("EWR",), ("JFK",), ("LGA",)]
    assert nothing.newest is not None
    assert (nothing.newest.version, nothing.newest.operation, nothing.latest) == (0, "WRITE", "2026-03-01 12:00:00")
    save(frame(spark, (INSIDE, "EWR"), (INSIDE, "JFK")), path, "origin")
    half = arrival(upstream, commit_of(airports()))
    assert (missing(half), half.touch) == ([("LGA",)], None)
    save(frame(spark, (INSIDE, "LGA")), path, "origin")
    save(frame(spark, (AFTER, "LGA")), path, "origin")
    whole = arrival(upstream, commit_of(airports()))
    assert (missing(whole), whole.touch and (whole.touch.version, whole.touch.operation)) == ([], (2, "WRITE"))
    spark.sql(f"OPTIMIZE delta.`{path}`")
    compacted = arrival(upstream, commit_of())
    assert (compacted.missing, compacted.unsure, compacted.newest and compacted.newest.operation) == (
        (),
        (),
        "OPTIMIZE",
    )


def test_a_table_that_is_not_there_is_missing_and_one_made_anew_is_looked_at(
    spark: SparkSession, tmp_path: Path
) -> None:
    path = tmp_path / "t"
    upstream = engine(spark, table(path))
    for measure in (commit_of(), Counted(Source("t", DAY)), Recorded("t", "origin = 'EWR'")):
        answer = arrival(upstream, measure)
        assert (missing(answer), answer.absent) == ([()], str(path))
    path.mkdir()
    assert arrival(upstream, commit_of()).absent == str(path)
    save(frame(spark, BEFORE), path)
    assert arrival(upstream, commit_of()).absent is None
    shutil.rmtree(path)
    save(frame(spark, INSIDE), path)
    assert arrival(upstream, commit_of()).missing == ()


def test_partitions_with_odd_values_and_names_are_found(spark: SparkSession, tmp_path: Path) -> None:
    path, values = tmp_path / "t", ["São Paulo/x", "a=b%20c", "", None]
    data = frame(spark, *((INSIDE, v) for v in values)).withColumnRenamed("origin", "odd.näme")
    save(data.withColumn("n", F.lit(7)), path, "odd.näme", "n")
    upstream = engine(spark, table(path))
    both = Partitions(("n", "odd.näme"), (("7",), ("São Paulo/x", "a=b%20c", None, "LGA")))
    assert missing(arrival(upstream, commit_of(both))) == [("7", "LGA")]
    assert missing(arrival(upstream, Counted(Source("t", DAY), both))) == [("7", "LGA")]
    named = replace(table(path), where="`odd.näme` <> 'LGA'")
    assert missing(arrival(engine(spark, named), Counted(Source("t", DAY), both)))[0] == ("7", None)


@pytest.mark.parametrize(("column", "verdicts"), [("d", [NONE, CERTAIN]), ("day", [NONE, CERTAIN])])
def test_a_time_that_is_a_partition_is_exact(
    spark: SparkSession, tmp_path: Path, column: str, verdicts: list[int]
) -> None:
    path = tmp_path / "t"
    save(frame(spark, BEFORE, AFTER, None), path, column)
    found = [*tell(spark, table(path, column), DAY).values()]
    save(frame(spark, INSIDE), path, column)
    found += tell(spark, table(path, column), DAY).values()
    assert found == verdicts


def test_a_file_that_only_spans_the_day_is_neither_there_nor_missing_unless_its_partition_says_so(
    spark: SparkSession, tmp_path: Path
) -> None:
    path = tmp_path / "t"
    data = frame(spark, BEFORE, AFTER)
    save(data.withColumn("ds", F.lit("20260302")), path, "ds")
    spanning = arrival(engine(spark, table(path)), commit_of())
    assert (spanning.missing, spanning.unsure) == ((), ((),))
    declared = table(path, partition=Partition("ds", "yyyyMMdd", Duration(days=1)))
    assert tell(spark, declared, DAY) == {(): MAYBE}
    assert tell(spark, declared, Window(datetime(2026, 3, 1), datetime(2026, 3, 4))) == {(): CERTAIN}
    assert tell(spark, declared, Window(datetime(2026, 3, 8), datetime(2026, 3, 9))) == {(): NONE}


def test_times_at_the_ends_of_history_are_told(spark: SparkSession, tmp_path: Path) -> None:
    path = tmp_path / "t"
    old = "SELECT TIMESTAMP '%s' AS ts, DATE '%s' AS d, 'EWR' AS origin"
    for moment, day in (("0001-01-01 00:00:00", "1500-02-28"), ("294247-01-10T04:00:54.775Z", "9999-12-31")):
        save(spark.sql(old % (moment, day)), path)
    early = Window(datetime(1500, 2, 28), datetime(1500, 3, 1))
    assert tell(spark, table(path, "d"), early) == {(): CERTAIN}
    assert tell(spark, table(path, "ts"), DAY) == {(): NONE}
    assert arrival(engine(spark, table(path)), commit_of()).latest == "9999-12-31 23:59:59"


def test_what_the_log_cannot_tell_is_an_error_that_says_what_to_do(spark: SparkSession, tmp_path: Path) -> None:
    path, mapped, json = tmp_path / "t", tmp_path / "mapped", tmp_path / "json"
    save(frame(spark, INSIDE), path)
    frame(spark, INSIDE).write.format("delta").option("delta.columnMapping.mode", "name").save(str(mapped))
    frame(spark, INSIDE).write.json(str(json))
    for dataset, by, why in (
        (table(path, "day"), NO_PARTITIONS, "says nothing of the times in 'day', which is string"),
        (table(path), airports(), "'origin' is no partition column, the table is not partitioned"),
        (table(path), Partitions(("orgin",), (("EWR",),)), "column 'orgin' does not exist"),
        (table(mapped), NO_PARTITIONS, "column mapping"),
        (replace(table(json), format="json"), NO_PARTITIONS, "it is no Delta table"),
    ):
        assert why in reason(engine(spark, dataset), commit_of(by))
    framed = engine(spark, table(path), frames={"t": frame(spark, INSIDE)})
    assert "a data frame stands in" in reason(framed, commit_of())
    without = tmp_path / "without"
    frame(spark, INSIDE).write.format("delta").option("delta.dataSkippingNumIndexedCols", "0").save(str(without))
    assert arrival(engine(spark, table(without)), commit_of()).unsure == ((),)


def test_a_log_that_is_only_in_a_checkpoint_of_the_new_kind_cannot_tell(spark: SparkSession, tmp_path: Path) -> None:
    path = tmp_path / "t"
    policy = {"delta.checkpointPolicy": "v2", "delta.checkpointInterval": "1"}
    frame(spark, BEFORE).write.format("delta").options(**policy).save(str(path))
    save(frame(spark, INSIDE), path)
    upstream = engine(spark, table(path))
    assert arrival(upstream, commit_of()).missing == ()
    # As the clean-up of the log does.
    (path / "_delta_log/00000000000000000000.json").unlink()
    save(frame(spark, AFTER), path)
    assert "commits since its last classic checkpoint" in reason(upstream, commit_of())


def test_a_poll_without_a_new_version_asks_only_for_the_version(
    spark: SparkSession, tmp_path: Path, work: Work
) -> None:
    path = tmp_path / "t"
    save(frame(spark, (BEFORE, "EWR")), path, "origin")
    upstream = engine(spark, table(path))
    with work:
        first = arrival(upstream, commit_of(airports()))
    assert (work.rows_read < 20, work.jobs <= FIRST_JOBS) == (True, True)
    again = Work(spark)
    with again:
        assert arrival(upstream, commit_of(airports())) == first
    assert again.jobs <= POLL_JOBS


# ---------------------------------------------------------------- rows, markers, suites


def test_rows_are_counted_by_partition_and_of_the_newest_version(spark: SparkSession, tmp_path: Path) -> None:
    path = tmp_path / "t"
    save(frame(spark, (INSIDE, "EWR"), (INSIDE, "EWR"), (INSIDE, "JFK"), (AFTER, "LGA")), path)
    upstream = engine(spark, table(path))
    whole = arrival(upstream, Counted(Source("t", DAY), at_least=4))
    assert (missing(whole), whole.rows) == ([()], 3)
    parts = arrival(upstream, Counted(Source("t", DAY), airports(), at_least=2))
    assert [(m.part, m.rows) for m in parts.missing] == [(("JFK",), 1), (("LGA",), 0)]
    save(frame(spark, (INSIDE, None)), path)
    assert arrival(upstream, Counted(Source("t", DAY), at_least=4)).rows == 4
    assert arrival(upstream, Counted(Source("t", DAY), airports(None))).missing == ()


def test_rows_of_a_data_frame_and_of_files_are_counted_too(spark: SparkSession, tmp_path: Path) -> None:
    supplied = engine(spark, Dataset("t", time_column="d"), frames={"t": frame(spark, INSIDE, INSIDE)})
    assert arrival(supplied, Counted(Source("t", DAY))).rows == 2
    files = engine(spark, Dataset("t", path=str(tmp_path / "p"), format="parquet", time_column="ts"))
    assert missing(arrival(files, Counted(Source("t", DAY)))) == [()]
    (tmp_path / "p/_temporary").mkdir(parents=True)
    assert missing(arrival(files, Counted(Source("t", DAY)))) == [()]
    frame(spark, INSIDE).write.mode("overwrite").parquet(str(tmp_path / "p"))
    assert arrival(files, Counted(Source("t", DAY))).missing == ()


def test_a_row_is_found_by_its_condition(spark: SparkSession, tmp_path: Path) -> None:
    save(frame(spark, (BEFORE, "it's"), (None, "EWR")), tmp_path / "t")
    upstream = engine(spark, table(tmp_path / "t"))
    assert arrival(upstream, Recorded("t", "origin = 'EWR' AND ts IS NULL")).missing == ()
    assert missing(arrival(upstream, Recorded("t", "origin = 'EWR' AND ts IS NOT NULL"))) == [()]
    assert "UNRESOLVED_COLUMN" in reason(upstream, Recorded("t", "orgin = 'EWR'"))


def test_markers_are_found_whatever_their_name(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ds=2026 03").mkdir()
    (tmp_path / "ds=2026 03/_SUCCESS").touch()
    upstream = engine(spark)
    there = ("ds=2026 03/_SUCCESS", "ds=2026 03", f"file:{tmp_path}/ds=2026 03/_SUCCESS")
    assert missing(arrival(upstream, Marked((*there, "ds=2026 04/_SUCCESS")))) == [("ds=2026 04/_SUCCESS",)]
    assert "nosuch" in reason(upstream, Marked(("nosuch://x/y",)))


def run(suite: str, started: datetime, status: str = "passed", selection: str | None = None) -> RunRow:
    code = {"passed": 0, "failed": 5, "interrupted": 3}[status]
    return RunRow(
        run_id=f"{suite}-{started:%H}", attempt=1, suite=suite, environment="dev", run_date=date(2026, 3, 3),
        config_sha256="", sparkguard_version="", spark_version="", delta_version=None, application_id=None, master=None,
        user=None, scheduled_for=None, started_at=started, ended_at=started, duration_ms=0, status=status,
        exit_code=code, checks_total=1, checks_passed=1, checks_warned=0, checks_failed=0, checks_errored=0,
        checks_skipped=0, rows_scanned=0, spark_jobs=None, tags={}, selection=selection, error=None,
    )  # fmt: skip


def test_the_latest_full_run_of_a_suite_decides(spark: SparkSession, tmp_path: Path) -> None:
    raw = {"suite": "s", "checks": [{"id": "c", "type": "upstream_ready", "upstreams": [{"suite": "good"}]}]}
    suite = replace(load_suite(raw, Options(date=date(2026, 3, 3))), results=Results(path=str(tmp_path / "r")))
    upstream = SparkEngine(Reader(spark, {}), past=Past(spark, suite))
    assert missing(arrival(upstream, SuitePassed("good", date(2026, 3, 3)))) == [()]
    DeltaSink(spark, suite.results).prepare()
    early, late = datetime(2026, 3, 3, 1, tzinfo=UTC), datetime(2026, 3, 3, 2, tzinfo=UTC)
    runs = [
        run("good", early, "failed"), run("good", late), run("bad", early), run("bad", late, "failed"),
        run("part", late, selection="only c"), run("good", late + timedelta(hours=1), "failed", "only c"),
    ]  # fmt: skip
    frame_of(spark, "runs", runs).write.format("delta").mode("append").save(suite.results.table("runs"))
    good, bad, part, other = (
        arrival(upstream, SuitePassed(name, day))
        for name, day in (("good", date(2026, 3, 3)), ("bad", date(2026, 3, 3)), ("part", date(2026, 3, 3)),
                          ("good", date(2026, 3, 2)))
    )  # fmt: skip
    assert (good.missing, good.run and (good.run.run_id, good.run.ended_at)) == ((), ("good-02", late))
    assert (missing(bad), bad.run and bad.run.status) == ([()], "failed")
    assert [(missing(a), a.run) for a in (part, other)] == [([()], None)] * 2
    assert missing(arrival(upstream, SuitePassed("good", date(2026, 3, 3), str(tmp_path / "elsewhere")))) == [()]
    assert missing(arrival(upstream, SuitePassed("good", date(2026, 3, 3), environment="prod"))) == [()]


def test_a_place_is_taken_as_it_is_written(spark: SparkSession, tmp_path: Path) -> None:
    for name in ("ds=1", "[x]{a,b}"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "_SUCCESS").touch()
    engine = SparkEngine(Reader(spark, {}))
    places = (f"{tmp_path}/ds=*/_SUCCESS", f"{tmp_path}/[x]{{a,b}}/_SUCCESS")
    assert missing(arrival(engine, Marked(places))) == [places[:1]]


def test_a_catalog_table_that_nobody_has_made_yet_is_missing(spark: SparkSession) -> None:
    known = {"t": Dataset("t", table="nowhere.made", time_column="ts")}
    assert missing(arrival(SparkEngine(Reader(spark, known)), commit_of())) == [()]


def test_a_table_in_a_folder_with_brackets_tells_what_its_log_says(spark: SparkSession, tmp_path: Path) -> None:
    place = f"{tmp_path}/t[1]{{a}}"
    spark.sql("SELECT TIMESTAMP'2026-03-02 12:00:00Z' AS ts").write.format("delta").save(place)
    known = {"t": Dataset("t", path=place, time_column="ts")}
    window = Window(datetime(2026, 3, 2), datetime(2026, 3, 3))
    assert arrival(SparkEngine(Reader(spark, known)), commit_of(window=window)).missing == ()


# ---------------------------------------------------------------- the wait


def test_a_wait_ends_when_the_upstream_commits(spark: SparkSession, tmp_path: Path) -> None:
    path = tmp_path / "t"
    save(frame(spark, (INSIDE, "EWR")), path, "origin")
    late = threading.Timer(3, lambda: save(frame(spark, (INSIDE, "JFK"), (INSIDE, "LGA")), path, "origin"))
    told: list[str] = []
    waiting = SparkEngine(Reader(spark, {"t": table(path)}), patience=Patience(tell=told.append))
    late.start()
    answer = arrival(waiting, Committed(Source("t", DAY), airports(), timeout=60, poll=1))
    late.join()
    assert (answer.missing, 1 < answer.waited < 60) == ((), True)
    assert told[0].startswith("waiting for commit of t [2026-03-02, 2026-03-03) in 3 partitions of origin: 0 of 1")


class Landing(Silent):
    """Lets an upstream commit as soon as somebody waits for it."""

    def __init__(self, commit: Callable[[], None]) -> None:
        self._commit, self._done = commit, False

    def working(self, what: str) -> None:
        if what.startswith("waiting for") and not self._done:
            self._done = True
            self._commit()


def test_what_needs_it_reads_the_version_for_which_it_waited(spark: SparkSession, tmp_path: Path) -> None:
    path = tmp_path / "t"
    save(frame(spark, BEFORE), path)
    suite = {
        "suite": "s", "timezone": ZONE.key, "results": str(tmp_path / "results"),
        "datasets": {"t": {"path": str(path), "time_column": "ts"}},
        "checks": [
            {"id": "ready", "type": "upstream_ready", "window": {"end": "${date}", "length": "1d"},
             "upstreams": [{"commit": "t"}], "wait": {"timeout": "60s", "poll": "1s"}},
            {"id": "rows", "type": "row_count", "dataset": "t", "needs": ["ready"]},
            {"id": "now", "type": "row_count", "dataset": "t"},
        ],
    }  # fmt: skip
    progress = Landing(lambda: save(frame(spark, INSIDE, INSIDE), path))
    report = sparkguard.run(suite, spark=spark, options=Options(date=date(2026, 3, 3)), progress=progress)
    found = {j.check.id: j for j in report.judged}
    assert [j.check.id for j in report.judged] == ["now", "ready", "rows"]
    assert {name: j.dataset_version for name, j in found.items()} == {"ready": 1, "rows": 1, "now": 0}
    assert "touched [2026-03-02, 2026-03-03)" in found["ready"].finding.message
