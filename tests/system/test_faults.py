"""Killed, stopped and doubled runs: as if run once, nothing half-written, nothing lost."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.system.conftest import call, comparable, environment, rows, same_results, small_suite

Start = Callable[..., subprocess.Popen[str]]

DATE = ["--date", "2026-01-31"]

# Runs the real command, and kills its own process the hard way at one moment.
DYING = """
import os, signal, sys
from sparkguard.engine import spark_engine
from sparkguard.sinks import delta
moment = sys.argv.pop(1)
def die(*_, **__): os.kill(os.getpid(), signal.SIGKILL)
if moment == "while it reads":
    compute = spark_engine.SparkEngine.compute
    def dying(self, measures):
        for i, answered in enumerate(compute(self, measures)):
            if i == 1: die()
            yield answered
    spark_engine.SparkEngine.compute = dying
else:
    replace = delta.DeltaSink.replace
    def dying(self, table, *rest):
        if moment == "before " + table: die()
        replace(self, table, *rest)
    delta.DeltaSink.replace = dying
from sparkguard.cli import main
main()
"""
MOMENTS = ["while it reads", "before metrics", "before runs"]


SOME = ["--only", "good_key,bad_key,late,cells,filled,names", "--quiet"]
"""Some of the checks: with needs, evidence, states and more than one round."""


@pytest.fixture(scope="module")
def undisturbed(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of one run of some checks."""
    folder = tmp_path_factory.mktemp("undisturbed")
    file = folder / "small.yaml"
    file.write_text(small_suite(data), encoding="utf-8")
    done = call(["sparkguard", "run", file, *DATE, "--set", f"RESULTS={folder / 'r'}", *SOME])
    assert done.code == 5, done.err + done.out
    return folder / "r"


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_job_killed_at_any_moment_and_run_again_leaves_what_one_run_leaves(
    suite: Callable[[], Path], tmp_path: Path, undisturbed: Path, moment: str
) -> None:
    arguments = ["run", suite(), *DATE, "--set", f"RESULTS={tmp_path / 'r'}", *SOME]
    killed = call([sys.executable, "-c", DYING, moment, *arguments])
    assert killed.code == -signal.SIGKILL, killed.err
    if (tmp_path / "r/runs").exists():
        assert rows(tmp_path / "r", "runs") == []
    again = call(["sparkguard", *arguments])
    assert again.code == 5, again.err
    assert same_results(tmp_path / "r", undisturbed)


# A table large enough that SIGTERM finds Spark at work.
SLOW = """
suite: slow
results: {results}
datasets:
  good: {{path: {good}}}
  slow: {{sql: "SELECT id FROM range(0, 100000000000, 1, 64) WHERE id % 2 = 0"}}
checks:
  - {{id: quick, type: duplicate_keys, dataset: good, key: [id], error_if: {{evaluated_rows: "> 0"}}{severity}}}
  - {{id: endless, type: duplicate_keys, dataset: slow, key: [id]}}
"""


def slow_suite(tmp_path: Path, data: Path, severity: str = "") -> Path:
    file = tmp_path / "slow.yaml"
    file.write_text(SLOW.format(results=tmp_path / "r", good=data / "good", severity=severity), encoding="utf-8")
    return file


def wait_for(process: subprocess.Popen[str], sign: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if sign in line:
            return
    pytest.fail(f"the process ended before it said {sign}")


@pytest.mark.parametrize(("severity", "code"), [("", 5), (", severity: warn", 3)])
def test_sigterm_writes_what_is_known_within_ten_seconds(
    tmp_path: Path, data: Path, background: Start, severity: str, code: int
) -> None:
    command = ["sparkguard", "run", slow_suite(tmp_path, data, severity), *DATE, "--log-format", "json"]
    process = background(command)
    wait_for(process, '"check_id": "quick"')
    time.sleep(3)
    start = time.monotonic()
    os.killpg(process.pid, signal.SIGTERM)
    assert process.wait(60) == code
    took = time.monotonic() - start
    [run] = rows(tmp_path / "r", "runs")
    assert (run["status"], run["exit_code"]) == ("interrupted", code)
    found = {r["check_id"]: (r["status"], r["message"]) for r in rows(tmp_path / "r", "check_results")}
    assert found["quick"][0] == "fail"
    assert found["endless"] == ("error", "the run was interrupted before this check was judged")
    assert took < 10 * float(os.environ.get("SPARKGUARD_TEST_PATIENCE", "1"))


def test_sigterm_ends_a_wait_at_once(tmp_path: Path, background: Start) -> None:
    ready = "{id: ready, type: upstream_ready, upstreams: [{marker: never}], wait: {timeout: 30m, poll: 10m}}"
    file = tmp_path / "waiting.yaml"
    file.write_text(f"suite: waiting\nresults: {tmp_path / 'r'}\nchecks:\n  - {ready}\n", encoding="utf-8")
    process = background(["sparkguard", "run", file, *DATE, "--log-format", "json"])
    wait_for(process, "0 of 1 upstream ready, ")
    start = time.monotonic()
    os.killpg(process.pid, signal.SIGTERM)
    assert process.wait(60) == 3
    assert time.monotonic() - start < 10 * float(os.environ.get("SPARKGUARD_TEST_PATIENCE", "1"))
    [row] = rows(tmp_path / "r", "check_results")
    assert (row["status"], row["message"]) == ("error", "the run was interrupted before this check was judged")


def test_sigterm_to_spark_submit_leaves_nothing_half_written(tmp_path: Path, data: Path, background: Start) -> None:
    file = slow_suite(tmp_path, data)
    arguments = ["jobs/run_suite.py", "--config", file, *DATE, "--log-format", "json"]
    process = background(["spark-submit", *arguments])
    wait_for(process, '"check_id": "quick"')
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait(120) == 143
    assert rows(tmp_path / "r", "runs") == []
    assert rows(tmp_path / "r", "check_results") == []
    text = file.read_text(encoding="utf-8").replace("100000000000", "1000")
    file.write_text(text, encoding="utf-8")
    assert call(["sparkguard", "run", file, *DATE, "--quiet"]).code == 5
    assert [r["status"] for r in rows(tmp_path / "r", "runs")] == ["failed"]


def test_two_suites_that_write_at_the_same_moment_are_both_complete(
    suite: Callable[[str], Path], tmp_path: Path, background: Start, undisturbed: Path
) -> None:
    results = tmp_path / "r"
    names = ("one", "two")
    processes = [
        background(["sparkguard", "run", suite(name), *DATE, "--set", f"RESULTS={results}", *SOME]) for name in names
    ]
    assert [p.wait(300) for p in processes] == [5, 5]
    for table in ("check_results", "metrics", "violations", "runs"):
        expected = comparable(undisturbed, table)
        for name in names:
            found = [r for r in comparable(results, table) if f'"suite": "{name}"' in r]
            assert [r.replace(f'"suite": "{name}"', '"suite": "small"') for r in found] == expected


def test_a_second_run_of_the_checkout_needs_no_network(suite: Callable[[], Path], tmp_path: Path) -> None:
    unshare = ["unshare", "--map-root-user", "--net", "sh", "-c"]
    if call([*unshare, "true"]).code != 0:
        pytest.skip("this machine does not let a process leave the network")
    command = f"ip link set lo up 2>/dev/null; sparkguard run {suite()} --set RESULTS={tmp_path / 'r'} {' '.join(SOME)}"
    done = call([*unshare, command], env=environment({"SPARK_LOCAL_IP": "127.0.0.1"}))
    assert done.code == 5, done.err
