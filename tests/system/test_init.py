"""A suite made from TPC-H's lineitem passes on it, and fails on a copy with planted faults."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.system.conftest import BIN, Done, call, rows

FAULTS = {
    "l_quantity": "IF(part, 5000, l_quantity)",
    "l_returnflag": "IF(part, 'Z', l_returnflag)",
    "l_shipdate": "IF(part, DATE'1950-01-01', l_shipdate)",
    "l_comment": "IF(part, NULL, l_comment)",
    "l_linenumber": "IF(part, 1, l_linenumber)",
}
"""What is planted in each column, in the rows of some orders."""


@pytest.fixture(scope="module")
def lineitem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Lineitem at scale 0.01, and beside it a copy in which some orders have the faults."""
    folder = tmp_path_factory.mktemp("tpch")
    generate = [BIN / "tpchgen-cli", "parquet", "-s", "0.01", "-T", "lineitem", "--output-dir", folder, "-q"]
    subprocess.run([str(g) for g in generate], check=True)
    program = f"""
from sparkguard import app
from pyspark.sql import functions as F
with app.session("data") as spark:
    good = spark.read.parquet("{folder}/lineitem.parquet")
    good.write.format("delta").save("{folder}/good")
    part = good.withColumn("part", F.expr("l_orderkey % 100 = 7"))
    bad = part.withColumns({{name: F.expr(sql) for name, sql in {FAULTS!r}.items()}}).drop("part")
    bad.write.format("delta").save("{folder}/bad")
"""
    done = call([sys.executable, "-c", program])
    assert done.code == 0, done.err
    return folder


def init(table: Path, *options: object) -> Done:
    return call(["sparkguard", "init", "--path", table, *options])


def run(suite: Path, results: Path) -> Done:
    return call(["sparkguard", "run", suite, "--results", results])


def test_a_suite_of_lineitem_passes_on_it_and_fails_on_planted_faults(lineitem: Path, tmp_path: Path) -> None:
    suite = tmp_path / "lineitem.yaml"
    done = init(lineitem / "good", "--output", suite)
    assert done.code == 0, done.err
    passed = run(suite, tmp_path / "good")
    assert passed.code == 0, passed.out + passed.err
    assert {row["status"] for row in rows(tmp_path / "good", "check_results")} == {"pass"}
    text = suite.read_text(encoding="utf-8").replace(str(lineitem / "good"), str(lineitem / "bad"))
    suite.write_text(text, encoding="utf-8")
    failed = run(suite, tmp_path / "bad")
    assert failed.code == 5, failed.out + failed.err
    wrong = {
        column
        for row in rows(tmp_path / "bad", "check_results")
        if row["status"] == "fail"
        for column in row["columns"]
    }
    assert wrong == {*FAULTS, "l_orderkey"}


def test_a_suite_through_spark_connect_is_the_same(lineitem: Path, connect: str) -> None:
    here, there = init(lineitem / "good"), init(lineitem / "good", "--remote", connect)
    assert (here.code, there.code) == (0, 0), there.err
    assert there.out == here.out
