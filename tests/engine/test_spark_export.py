"""An exported suite gives the same verdicts: the real Great Expectations on a table with planted faults."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml
from pyspark.sql import SparkSession

from sparkguard.config.load import Parameters, load
from sparkguard.core.check import Run
from sparkguard.core.finding import Status
from sparkguard.core.source import Dataset
from sparkguard.engine.gather import Rounds
from sparkguard.engine.reader import Reader
from sparkguard.engine.spark_engine import SparkEngine
from sparkguard.export import expectation_suites
from sparkguard.shapes.gx import quiet

NIGHT = datetime(2026, 1, 31, tzinfo=UTC)
ROWS = """
  SELECT CAST(id AS INT) AS id, IF(id = 3, 2, id) AS twice, IF(id = 3, NULL, CAST(id AS INT)) AS gap,
    IF(id < 7, NULL, 1) AS seven_missing, IF(id = 5, 'x', 'EWR') AS text, CAST(id % 2 AS INT) AS bit,
    CASE WHEN id = 1 THEN double('NaN') WHEN id = 2 THEN 10.5D ELSE CAST(id AS DOUBLE) END AS number,
    CAST(id AS DECIMAL(10,1)) / 10 AS share, IF(id = 4, 'N12', 'N1') AS tail, IF(id = 4, 'N1\\n', 'N1') AS line,
    CAST(NULL AS INT) AS nothing, id = 1 AS flag, IF(id > 7, 'a', 'A') AS letter, IF(id < 2, NULL, 1) AS a,
    IF(id IN (2, 3), NULL, 1) AS b
  FROM range(10)
"""
CHECKS = {
    "completeness": [
        "columns: id", "columns: gap", "columns: [id, gap]", "columns: gap, severity: warn",
        "columns: gap, error_if: {violation_rate: '> 0.1'}", "columns: gap, error_if: {violation_rate: '> 0.0999'}",
        "columns: seven_missing, error_if: {violation_rate: '> 0.7'}",
        "columns: seven_missing, error_if: {violation_rate: '> 69.9 %'}",
        "columns: gap, error_if: {violation_rate: '> 50 %'}, warn_if: {violation_rows: '> 0'}",
        "columns: number",
    ],
    "value_range": [
        "columns: id, min: 0, max: 9", "columns: id, min: 0, max: 8", "columns: id, max: 8.5",
        "columns: gap, min: 0, max: 9", "columns: number, min: 0, max: 20",
        "columns: number, min: 0, max: 20, error_if: {violation_rate: '> 0.1'}",
        "columns: number, max: 10.4, error_if: {violation_rate: '> 0.2'}",
        "columns: number, max: 10.4, error_if: {violation_rate: '> 0.19'}",
        "columns: share, min: 0, max: 0.9", "columns: share, min: 0, max: 0.89", "columns: share, max: '0.9'",
        "columns: seven_missing, min: 1, max: 1", "columns: seven_missing, min: 2, max: 3",
    ],
    "allowed_values": [
        "columns: text, values: [EWR]", "columns: text, values: [EWR, x]", "columns: bit, values: [0, 1]",
        "columns: bit, values: [0]", "columns: flag, values: [true]", "columns: flag, values: [true, false]",
        "columns: letter, values: [A]", "columns: text, values: [EWR], error_if: {violation_rate: '> 0.1'}",
        "columns: seven_missing, values: [1]",
    ],
    "pattern": [
        "columns: tail, pattern: 'N[0-9]{1,2}'", "columns: tail, pattern: 'N[0-9]'", "columns: tail, pattern: 'N1|N12'",
        "columns: line, pattern: N1", "columns: letter, pattern: '(?i)a'", "columns: letter, pattern: a",
    ],
    "row_count": [
        "error_if: {rows: '< 10'}", "error_if: {rows: '< 11'}", "error_if: {rows: '<= 10'}", "error_if: {rows: '<= 9'}",
        "error_if: {rows: '> 9.5'}", "error_if: {rows: '> 10'}", "error_if: {rows: '>= 10'}",
        "error_if: {rows: '>= 11'}",
        "error_if: {rows: '!= 10'}", "error_if: {rows: '!= 11'}", "error_if: {rows: '< 1'}, warn_if: {rows: '< 20'}",
    ],
    "duplicate_keys": [
        "key: [id]", "key: [twice]", "key: [gap]", "key: [gap], nulls: distinct", "key: [id, twice]",
        "key: [bit, tail]", "key: [a, b], nulls: distinct", "key: [id, a]", "key: [id, a], nulls: distinct",
        "key: [number]", "key: [twice], severity: warn",
    ],
    "schema": [
        "columns: {id: int}", "columns: {id: long}", "columns: {id: int, other: int}",
        "columns: {id: int}, mode: strict",
        "columns: {number: double, text: string, flag: boolean}",
    ],
}  # fmt: skip


def exported() -> tuple[Any, list[dict[str, Any]]]:
    checks = [
        {"id": f"{kind}.{n}", "type": kind, "dataset": "t", **yaml.safe_load(f"{{{fields}}}")}
        for kind, all_fields in CHECKS.items()
        for n, fields in enumerate(all_fields)
    ]
    text = json.dumps({"suite": "s", "datasets": {"t": {"path": "d"}}, "checks": checks})
    suite = load(text, "s.yaml", Parameters(NIGHT, {}))
    suites, left_out = expectation_suites(suite)
    assert left_out == {}
    # As a team would get it: through the file.
    return suite, json.loads(json.dumps(suites["t"]))["expectations"]


@pytest.fixture(scope="module")
def verdicts(spark: SparkSession) -> tuple[dict[str, str], dict[str, str]]:
    """What each check says, and what Great Expectations says of it."""
    suite, expectations = exported()
    frame = spark.sql(ROWS).coalesce(2)
    engine = SparkEngine(Reader(spark, {"t": Dataset("t")}, {"t": frame}))
    ours = {}
    for gathered in Rounds(engine).gather(suite.checks, {}, NIGHT):
        assert gathered.error is None, gathered.error
        findings = gathered.check.judge(gathered.seen, Run(NIGHT.date(), NIGHT))
        worst = min((f.status for f in findings), key=lambda status: status.rank)
        warns = worst is Status.FAIL and gathered.check.severity == "warn"
        ours[gathered.check.id] = "warn" if warns else worst.value
    with quiet():
        import great_expectations as gx

        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = {"globally": False}
        loaded = gx.ExpectationSuite(name="s", expectations=expectations)
        assert len(loaded.expectations) == len(expectations)
        asset = context.data_sources.add_spark("s", persist=False).add_dataframe_asset("a")
        batch = asset.add_batch_definition_whole_dataframe("b").get_batch(batch_parameters={"dataframe": frame})
        results = batch.validate(loaded, result_format="BOOLEAN_ONLY").results
    assert len(results) == len(expectations)
    theirs = dict.fromkeys(ours, "pass")
    for result in results:
        check = result.expectation_config.meta["sparkguard"]["check_id"]
        if not result.success:
            warns = result.expectation_config.severity.value == "warning" and theirs[check] != "fail"
            theirs[check] = "warn" if warns else "fail"
    return ours, theirs


@pytest.mark.parametrize("kind", CHECKS)
def test_great_expectations_gives_the_same_verdict(verdicts: tuple[dict[str, str], dict[str, str]], kind: str) -> None:
    ours, theirs = ({k: v for k, v in side.items() if k.startswith(f"{kind}.")} for side in verdicts)
    assert theirs == ours
    assert set(ours.values()) >= {"pass", "fail"}, "both verdicts are told apart"
