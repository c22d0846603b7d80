"""`sparkguard init` on real tables: what it writes passes on them, and fails on their faulty copies."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sparkguard import app, propose
from sparkguard.cli import main
from sparkguard.config.load import Parameters, load, load_all
from sparkguard.config.owners import Owners
from sparkguard.console import Silent
from sparkguard.core.batches import MAX_MEASURES
from sparkguard.core.suite import Suite
from sparkguard.engine.reader import Reader
from sparkguard.engine.spark_engine import SparkEngine
from sparkguard.errors import ConfigError, DataError
from sparkguard.proposal.place import Place
from sparkguard.proposal.suite import Heading
from sparkguard.runner import Runner
from sparkguard.sinks.memory import MemorySink
from tests.conftest import Work

NOW = datetime.now(UTC)
WISH = propose.Wish(Heading(NOW))
ROWS = 120
SQL = (
    "order_id BIGINT, `a.b` STRING, `Größe` DECIMAL(15,2), `back``tick` INT, vector ARRAY<DOUBLE>, ts TIMESTAMP, "
    "day DATE, local TIMESTAMP_NTZ, payload STRUCT<x: INT>, odd STRUCT<`a:b<`: INT>, tags MAP<STRING, INT>, "
    "score DOUBLE, risky FLOAT, maybe INT, nothing STRING, flag BOOLEAN, price DECIMAL(38,18)"
)


def rows() -> list[tuple[Any, ...]]:
    return [
        (
            i, ("no", "${date}", 'a "quoted" one')[i % 3], Decimal(i) / 4, 5 + i % 40, [1.0, float(i), 2.0],
            NOW - timedelta(hours=ROWS - i), (NOW - timedelta(days=i)).date(),
            datetime(2026, 1, 1) + timedelta(hours=i),
            (i,), (i,), {"k": i}, i / ROWS,
            math.nan if i == 3 else float(i), None if i % 9 == 0 else i, None, i % 2 == 0,
            Decimal(i) + Decimal("0.000000000000000001"),
        )
        for i in range(ROWS)
    ]  # fmt: skip


def verdicts(spark: SparkSession, suite: Suite, frame: DataFrame) -> dict[tuple[str, str], str]:
    """The statuses of a suite on a frame that stands in for its only dataset."""
    [name] = suite.datasets
    engine = SparkEngine(Reader(spark, suite.datasets, {name: frame}), timezone=suite.timezone)
    report = Runner(suite, engine, MemorySink(), Silent()).run()
    return {(check.id, f.subject): f.status.value for check, f in report.findings}


def loaded(text: str) -> Suite:
    return load(text, "f.yaml", Parameters(now=NOW, variables={}))


def made(place: Place, wish: propose.Wish = WISH) -> propose.Written:
    return propose.init_table(place, wish, app.Options(), lambda _step: None)


def parquet(frame: DataFrame, folder: Path) -> Place:
    frame.write.parquet(str(folder))
    return propose.placed(str(folder), None, None)


@pytest.fixture
def table(spark: SparkSession, tmp_path: Path) -> str:
    spark.createDataFrame(rows(), SQL).coalesce(2).write.format("delta").save(str(tmp_path / "orders"))
    return str(tmp_path / "orders")


def call(*arguments: str, code: int = 0) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(list(arguments))
    assert (stopped.value.code or 0) == code


def test_a_suite_passes_on_its_table_and_each_planted_fault_fails_its_check(
    spark: SparkSession, table: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "conf" / "orders.yaml"
    call("init", "--path", table, "--output", str(target))
    said = capsys.readouterr()
    assert "all of them pass on the table as it is" in said.out
    assert "taken out" not in said.out
    assert "looking for a key" in said.err
    text = target.read_text(encoding="utf-8")
    assert "version 0" in text
    assert "not in the check of the schema, since their types cannot be written in a suite: odd" in text
    suite = loaded(text)
    good = spark.read.format("delta").load(table)
    assert set(verdicts(spark, suite, good).values()) == {"pass"}

    worse = [list(row) for row in rows()]
    at = {name: i for i, name in enumerate(good.columns)}
    faults: Mapping[str, tuple[int, Any]] = {
        "flag": (0, None), "Größe": (1, Decimal(9999)), "a.b": (2, "another"), "order_id": (4, 5), "vector": (5, [1.0]),
        "score": (6, math.nan), "day": (7, date(1900, 1, 1)), "ts": (8, datetime(1990, 1, 1, tzinfo=UTC)),
    }  # fmt: skip
    for column, (row, value) in faults.items():
        worse[row][at[column]] = value
    bad = spark.createDataFrame([tuple(row) for row in worse], SQL).drop("payload")
    found = verdicts(spark, suite, bad)
    wrong = {
        check_id if subject == ":all" else f"{check_id}[{subject}]"
        for (check_id, subject), s in found.items()
        if s == "fail"
    }
    assert wrong == {
        "complete[flag]", "range_Größe[Größe]", "values_a.b[a.b]", "key", "length_vector[vector]", "finite[score]",
        "range_score[score]", "range_day[day]", "range_ts[ts]", "columns",
    }  # fmt: skip
    assert found["complete", "payload"] == "error"


def test_odd_tables_get_what_can_be_said_of_them(spark: SparkSession, tmp_path: Path) -> None:
    frame = spark.createDataFrame(rows(), SQL)
    empty = made(parquet(frame.limit(0), tmp_path / "empty"))
    assert [c.kind() for c in loaded(empty.text).checks] == ["schema"]
    one = made(parquet(frame.limit(1), tmp_path / "one"))
    assert {c.kind() for c in loaded(one.text).checks} >= {"row_count", "completeness", "schema"}
    null = made(parquet(spark.range(9).select(F.lit(None).cast("int").alias("x")), tmp_path / "null"))
    assert "NULL in every row, so nothing is proposed for x" in null.text
    assert not any(w.taken_out for w in (empty, one, null))
    with pytest.raises(ConfigError, match="--time-column: column 'when' does not exist"):
        made(propose.placed(str(tmp_path / "one"), None, None), replace(WISH, time_column="when"))
    with pytest.raises(ConfigError, match="--time-column: column 'order_id' is bigint; windows cut by TIMESTAMP"):
        made(propose.placed(str(tmp_path / "one"), None, None), replace(WISH, time_column="order_id"))
    with pytest.raises(DataError, match="there is no such data"):
        made(Place(str(tmp_path / "gone"), None, "parquet"))


def test_the_work_grows_by_batches_of_measures_not_by_columns(spark: SparkSession, work: Work, tmp_path: Path) -> None:
    columns = [f"CAST((id * {j + 1}) % {5 + j} AS DOUBLE) AS f_{j}" for j in range(300)]
    place = parquet(spark.range(200).selectExpr("id", *columns), tmp_path / "wide")
    with work:
        written = made(place, replace(WISH, verify=False))
    batches = math.ceil(300 * 3 / MAX_MEASURES)
    assert work.jobs <= 3 * batches
    assert len(written.text.splitlines()) < 600


@pytest.fixture
def schema(spark: SparkSession, tmp_path: Path) -> Iterator[str]:
    name = "spark_catalog.init_shop"
    spark.sql(f"CREATE SCHEMA {name} LOCATION '{tmp_path / 'shop'}'")
    clicks = spark.range(40).selectExpr("id AS click_id", "concat('k', id % 2) AS kind", "current_timestamp() AS ts")
    for table, n in (("clicks_daily", 40), ("views_daily", 40)):
        clicks.limit(n).write.format("delta").saveAsTable(f"{name}.{table}")
    spark.sql(f"CREATE VIEW {name}.users AS SELECT id AS user_id FROM range(30)")
    clicks.write.format("parquet").saveAsTable(f"{name}.broken")
    for file in (tmp_path / "shop" / "broken").glob("*.parquet"):
        file.write_bytes(b"no parquet")
    spark.range(3).createOrReplaceTempView("temporary_one")
    yield name
    spark.sql(f"DROP SCHEMA {name} CASCADE")
    spark.catalog.dropTempView("temporary_one")


def test_a_schema_becomes_one_file_with_a_suite_for_each_table(schema: str, tmp_path: Path) -> None:
    said: list[str] = []
    wish = replace(WISH, suite="shop")
    owners = Owners((("clicks_*", "ads"), ("*", "core")))
    written = propose.init_tables(propose.tables_of(schema, None), owners, wish, app.Options(), said.append)
    (tmp_path / "shop.yaml").write_text(written.text, encoding="utf-8")
    suites = {s.name: s for s in load_all(written.text, "f.yaml", Parameters(now=NOW, variables={}))}
    assert said == [f"{i} of 4: {name}" for i, name in enumerate(("broken", "clicks_daily", "users", "views_daily"), 1)]
    assert set(suites) == {"shop.clicks_daily", "shop.users", "shop.views_daily"}
    assert f"# {schema}.broken could not be read: " in written.text
    assert 'match: "*_daily"' in written.text
    assert {c.owner for c in suites["shop.clicks_daily"].checks} == {"ads"}
    assert {c.owner for c in suites["shop.views_daily"].checks} == {"core"}
    assert [c.id for c in suites["shop.users"].checks] == ["rows", "key", "complete", "columns"]
    assert not written.taken_out
    assert list(written.unread) == [f"{schema}.broken"]


def test_tables_that_were_not_read_are_told_and_exit_3(
    schema: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call("init", "--schema", schema, "--limit", "2", "--no-verify", "--output", str(tmp_path / "s.yaml"), code=3)
    said = capsys.readouterr().out
    assert f"not read: {schema}.broken: " in said
    assert "1 table could not be read; the file names them as comments" in said


def test_a_time_column_that_no_table_has_is_refused_before_any_is_profiled(schema: str) -> None:
    said: list[str] = []
    wish = replace(WISH, time_column="tsss")
    with pytest.raises(ConfigError, match=r"--time-column: none of \d tables has a column 'tsss'"):
        propose.init_tables(propose.tables_of(schema, None), Owners(), wish, app.Options(), said.append)
    assert not said


def test_without_spark_nothing_is_written() -> None:
    class Gone:
        def sql(self, query: str) -> object:
            message = "the connection was refused"
            raise OSError(message)

    with pytest.raises(DataError, match="Spark ended at table 1 of 4, and nothing is written: the connection"):
        propose._require_session(Gone(), 1, 4)  # type: ignore[arg-type]


def test_a_table_none_of_whose_checks_pass_is_a_comment(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("sales.2023", "returns.2023", "a_b", "a b"):
        spark.range(20).write.format("delta").save(str(tmp_path / "data" / name))

    def not_passed(_spark: object, suite: Suite, **_: object) -> dict[str, str]:
        lies = str(suite.datasets["table"].path).endswith("a b")
        return {c.id: "it lies" for c in suite.checks} if lies else {}

    monkeypatch.setattr(propose, "_not_passed", not_passed)
    places = propose.folders_of(str(tmp_path / "data"), None)
    written = propose.init_tables(places, Owners(), WISH, app.Options(), lambda _step: None)
    suites = load_all(written.text, "f.yaml", Parameters(now=NOW, variables={}))
    assert [s.name for s in suites] == ["tables.a_b_2", "tables.returns_2023", "tables.sales_2023"]
    assert "a_b could not be read: no check of " in written.text
    assert written.unread["a_b"].endswith("passes on it: rows: it lies; key: it lies; complete: it lies")


def test_without_values_a_check_that_fails_tells_no_values(spark: SparkSession, tmp_path: Path) -> None:
    place = parquet(spark.createDataFrame([("hunter2",)], "x STRING"), tmp_path / "t")
    check = {"id": "a", "type": "allowed_values", "dataset": "t", "columns": ["x"], "values": ["y"]}
    suite = app.load_suite({"suite": "s", "datasets": {"t": place.entry()}, "checks": [check]})
    assert "hunter2" in propose._not_passed(spark, suite, values=True)["a"]
    assert "hunter2" not in propose._not_passed(spark, suite, values=False)["a"]


def test_a_folder_of_tables_becomes_one_file_on_standard_output(
    spark: SparkSession, tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    for name in ("a", "b"):
        spark.range(20).write.format("delta").save(str(tmp_path / "data" / name))
    call("init", "--folder", str(tmp_path / "data"), "--no-verify", "--limit", "1", "--output", "-")
    said = capsysbinary.readouterr()
    [suite] = load_all(said.out.decode(), "f.yaml", Parameters(now=NOW, variables={}))
    assert (suite.name, suite.datasets["table"].path) == ("data.a", str(tmp_path / "data" / "a"))
    assert b"they were not run" in said.err
