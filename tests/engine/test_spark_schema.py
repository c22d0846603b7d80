"""What `schema` compares is what Spark says of tables, read without a scan."""

from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import DataFrame, SparkSession

from sparkguard.checks.schema import TableSchema
from sparkguard.core.finding import Finding, Status
from sparkguard.core.source import Dataset, Versioned
from sparkguard.core.sqltypes import parse_type
from sparkguard.engine.gather import Rounds
from sparkguard.engine.reader import Reader
from sparkguard.engine.spark_engine import SparkEngine
from tests.conftest import Work
from tests.engine.test_spark_references import RUN


def by_spark(
    spark: SparkSession, datasets: dict[str, Dataset] | None = None, frame: DataFrame | None = None, **fields: Any
) -> Finding:
    frames = {} if frame is None else {"t": frame}
    known = {name: Dataset(name) for name in frames} | (datasets or {})
    wanted = TableSchema(**{"id": "s", "dataset": "t", **fields})
    [gathered] = Rounds(SparkEngine(Reader(spark, known, frames))).gather([wanted])
    [finding] = gathered.check.judge(gathered.seen, RUN)
    return finding


@pytest.mark.parametrize(
    "written",
    [
        "BOOLEAN", "BYTE", "SHORT", "INTEGER", "LONG", "REAL", "DOUBLE", "DEC", "NUMERIC(5)", "DECIMAL(15, 2)",
        "STRING", "STRING COLLATE UTF8_LCASE", "BINARY", "DATE", "TIMESTAMP", "TIMESTAMP_LTZ", "TIMESTAMP_NTZ",
        "VARIANT", "VOID", "INTERVAL YEAR TO MONTH", "INTERVAL DAY TO SECOND", "INTERVAL HOUR", "ARRAY<DOUBLE>",
        "MAP<STRING, ARRAY<DECIMAL(4, 1)>>", "STRUCT<a: INT, `b c`: STRUCT<d: DATE>>", "STRUCT<a INT, b BYTE>",
    ],
)  # fmt: skip
def test_a_type_is_spelled_as_spark_spells_it(spark: SparkSession, written: str) -> None:
    frame = spark.sql(f"SELECT CAST(NULL AS {written}) AS c")
    assert str(parse_type(written)) == frame.schema[0].dataType.simpleString()
    assert by_spark(spark, frame=frame, columns={"c": written}, mode="strict").status is Status.PASS


@pytest.fixture
def table(spark: SparkSession, tmp_path: Path) -> Dataset:
    """A Delta table whose version 0 has three columns, and whose last one has a column and a field more."""
    place = f"delta.`{tmp_path}/t`"
    spark.sql(
        f"CREATE TABLE {place} (id BIGINT NOT NULL, `odd.name` STRUCT<x: INT, y: STRING>, s VARCHAR(9)) USING delta"
    )
    spark.sql(f"ALTER TABLE {place} ADD COLUMNS (`odd.name`.z DATE, n INT FIRST)")
    spark.sql(f"ALTER TABLE {place} ALTER COLUMN id DROP NOT NULL")
    spark.sql(f"INSERT INTO {place} VALUES (1, 2, struct(1, 'y', NULL), 's')")
    return Dataset("t", path=f"{tmp_path}/t")


EXPECTED = {"id": "bigint not null", "odd.name": "struct<x:int,y:string>", "s": "string"}


def test_a_delta_table_is_compared_with_what_is_written(spark: SparkSession, table: Dataset) -> None:
    [first] = [by_spark(spark, {"t": Dataset("t", path=table.path, version=0)}, columns=EXPECTED, mode="strict")]
    assert (first.status, first.message) == (Status.PASS, "the schema is as expected: 3 columns")
    last = by_spark(spark, {"t": table}, columns=EXPECTED, mode="strict")
    assert [(v.kind, v.key["column"], v.expected, v.actual) for v in last.violations] == [
        ("changed_nullability", "id", "NOT NULL", "NULL"),
        ("added_column", "n", None, "int"),
        ("added_column", "`odd.name`.z", None, "date"),
    ]


def test_a_delta_table_is_compared_with_an_earlier_version_of_itself(spark: SparkSession, table: Dataset) -> None:
    additive = by_spark(spark, {"t": table}, reference=Versioned("t", 0))
    assert (additive.status, additive.quantities["added_columns"].value) == (Status.PASS, 2)
    strict = by_spark(spark, {"t": table}, reference=Versioned("t", 0), mode="strict")
    assert strict.message == "3 differences: 'id' is nullable instead of NOT NULL; 'n' is new; '`odd.name`.z' is new"


def test_files_that_are_no_delta_table_may_hold_null_everywhere(spark: SparkSession, tmp_path: Path) -> None:
    spark.range(1).write.parquet(f"{tmp_path}/p")
    found = by_spark(
        spark, {"t": Dataset("t", path=f"{tmp_path}/p", format="parquet")}, columns={"id": "bigint not null"}
    )
    assert found.message == "1 difference: 'id' is nullable instead of NOT NULL"


def test_no_row_is_read(spark: SparkSession, work: Work, tmp_path: Path) -> None:
    spark.range(5_000).write.format("delta").save(f"{tmp_path}/t")
    dataset = {"t": Dataset("t", path=f"{tmp_path}/t")}
    by_spark(spark, dataset, columns={"id": "bigint"})
    with work:
        found = by_spark(spark, dataset, columns={"id": "bigint"})
    assert found.status is Status.PASS
    # The table's history is read, which is a row a commit.
    assert work.rows_read < 100
    assert work.shuffled_rows < 100
