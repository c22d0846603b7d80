"""`sparkguard report` on real Delta tables, most of it without Spark."""

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from sparkguard.app import Options, load_suite
from sparkguard.console import Silent
from sparkguard.core.suite import Results
from sparkguard.errors import ConfigError
from sparkguard.files import write_whole
from sparkguard.report import recorded_runs
from sparkguard.runner import Runner
from sparkguard.sinks.delta import DeltaSink
from sparkguard.sinks.tables import by_deltalake, by_spark
from sparkguard.sinks.verdict import last_exit_code
from sparkguard.testing import TwinEngine
from tests.report.tables import START, result_row, run_row, violation_row, write_tables
from tests.test_cli import call


def report(capsys: pytest.CaptureFixture[str], results: Path, *options: str) -> tuple[int, str, str]:
    return call(capsys, "report", "--results", str(results), "--output", "-", *options)


def test_the_last_run_is_written_to_a_file_whose_path_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    later = {"run_id": "r2", "started_at": START + timedelta(days=1)}
    write_tables(
        tmp_path / "r",
        run_row(),
        run_row(**later, run_date=date(2026, 2, 1)),
        result_row("a", message="the first night"),
        result_row("a", run_id="r2", message="the second night"),
    )
    target = tmp_path / "new" / "page.html"
    code, out, _ = call(capsys, "report", "--results", str(tmp_path / "r"), "--output", str(target))
    assert (code, out) == (0, f"{target}\n")
    text = target.read_text(encoding="utf-8")
    assert "the second night" in text
    assert "the first night" not in text
    assert "the first night" in report(capsys, tmp_path / "r", "--run-id", "r1")[1]
    assert [file.name for file in target.parent.iterdir()] == ["page.html"]


def test_only_rows_of_the_committed_attempt_are_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_tables(
        tmp_path,
        run_row(attempt=1, status="failed", exit_code=5, started_at=START - timedelta(hours=1)),
        run_row(attempt=2),
        result_row("a", attempt=2, message="of the second attempt"),
        result_row("b", attempt=3, message="of an attempt without a row in runs"),
        result_row("a", run_id="other", attempt=2, message="of another run"),
        result_row("a", suite="other", attempt=2, message="of another suite"),
        violation_row("a", attempt=2, key={"id": "shown-key"}),
        violation_row("a", attempt=3, key={"id": "hidden-key"}),
    )
    _, out, _ = report(capsys, tmp_path)
    assert "of the second attempt" in out
    assert "shown-key" in out
    assert "Exit code 0" in out
    for hidden in ("without a row in runs", "of another run", "of another suite", "hidden-key", "Exit code 5"):
        assert hidden not in out, hidden


def test_an_attempt_that_was_killed_after_it_replaced_the_details_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_tables(tmp_path, run_row(status="failed", exit_code=5), result_row("a", attempt=2, message="unfinished"))
    code, out, _ = report(capsys, tmp_path)
    assert code == 0
    assert "replaced by attempt 2, which is not finished" in out
    assert "unfinished" not in out


def test_evidence_is_read_up_to_the_cap_and_counted_beyond(tmp_path: Path) -> None:
    rows = [violation_row("a", rank, key={"id": None, "x": f"it's {rank}"}) for rank in range(1, 31)]
    write_tables(tmp_path, run_row(), result_row("a"), result_row("b", "pass"), *rows)
    results = Results(path=str(tmp_path))
    [read] = recorded_runs(by_deltalake(results), results, None, None)
    assert [row["rank"] for row in read.evidence["a.:all"]] == list(range(1, 21))
    assert read.evidence["a.:all"][2]["key"] == {"id": None, "x": "it's 3"}
    assert dict(read.evidence_rows) == {"a.:all": 30}


def test_suites_that_share_a_run_are_on_one_page_unless_one_is_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_tables(
        tmp_path,
        run_row(),
        run_row(suite="t", status="failed", exit_code=5),
        result_row("a", "pass", message="of s"),
        result_row("a", suite="t", message="of t"),
    )
    _, both, _ = report(capsys, tmp_path, "--run-id", "r1")
    assert "of s" in both
    assert "of t" in both
    assert call(capsys, "verdict", "--run-id", "r1", "--results", str(tmp_path))[0] == 5
    for options in (["--suite", "s"], ["--suite", "s", "--run-id", "r1"]):
        _, one, _ = report(capsys, tmp_path, *options)
        assert "of s" in one
        assert "of t" not in one


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--run-id", "r9"], 3, "no finished run 'r9' is recorded in"),
        (["--suite", "nope"], 3, "no finished run of suite 'nope' is recorded in"),
        (["--run-id", "a'b"], 2, "--run-id: 'a'b' may hold letters"),
        (["--suite", "a'b"], 2, "--suite: 'a'b' may hold letters"),
        (["--results", "{tmp}/none"], 2, "there are no result tables in"),
        (["--output", "{tmp}"], 2, "--output: '{tmp}' cannot be written: Is a directory"),
        (["--output", "{tmp}/runs/_delta_log/00000000000000000000.json/x"], 2, "cannot be written: File exists"),
    ],
)
def test_what_cannot_be_reported_exits_as_verdict_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], code: int, message: str
) -> None:
    write_tables(tmp_path, run_row(), result_row("a"))
    given = [part.format(tmp=tmp_path) for part in options]
    found, _, err = call(capsys, "report", "--results", str(tmp_path), "--output", str(tmp_path / "x.html"), *given)
    assert (found, message.format(tmp=tmp_path) in err) == (code, True), err
    assert "Traceback" not in err
    assert not (tmp_path / "x.html").exists()


def test_a_reader_of_the_file_never_sees_a_part_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "page.html"
    write_whole("old", target)

    def full(path: Path, content: bytes) -> int:
        with path.open("wb") as file:
            file.write(content[:1])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ConfigError, match="No space left"):
        write_whole("new", target)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_link_and_a_pipe_stay_what_they_are(tmp_path: Path) -> None:
    (tmp_path / "link.html").symlink_to(tmp_path / "page.html")
    write_whole("new", tmp_path / "link.html")
    assert (tmp_path / "link.html").is_symlink()
    assert (tmp_path / "page.html").read_text() == "new"
    write_whole("x", Path("/dev/null"))
    assert Path("/dev/null").is_char_device()


def test_a_report_needs_no_spark(tmp_path: Path) -> None:
    write_tables(tmp_path, run_row(), result_row("a"), violation_row("a"))
    program = (
        f"import sys; sys.argv = ['sparkguard', 'report', '--results', {str(tmp_path)!r}, '--output', '-']\n"
        "from sparkguard.cli import main\n"
        "try: main()\n"
        "except SystemExit as stopped: assert not stopped.code\n"
        "assert not {'pyspark', 'pyarrow', 'pandas', 'numpy'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("<!doctype html>")


def test_what_a_run_writes_is_read_alike_with_and_without_spark(spark: SparkSession) -> None:
    spark.sql("CREATE DATABASE IF NOT EXISTS reported")
    schema = Results(schema="spark_catalog.reported")
    raw: dict[str, Any] = {
        "suite": "s",
        "tags": {"team": "x"},
        "datasets": {"t": {"path": "t"}},
        "checks": [
            {"id": "a", "type": "duplicate_keys", "dataset": "t", "key": ["k"], "tags": ["x"]},
            {"id": "b", "type": "duplicate_keys", "dataset": "t", "key": ["k"], "needs": ["a"]},
        ],
    }
    start = datetime(2026, 11, 1, 5, 30, 0, 123456, tzinfo=UTC)  # an hour that New York has twice
    suite = load_suite(raw, Options(date=date(2026, 11, 1)))
    engine = TwinEngine({"t": [{"k": 1}, {"k": 1}]})
    Runner(suite, engine, DeltaSink(spark, schema), Silent(), now=lambda: start).run()
    place = spark.sql("DESCRIBE DETAIL reported.runs").collect()[0]["location"].removeprefix("file:")
    folder = Results(path=str(Path(place).parent))
    through, without = by_spark(spark, schema), by_deltalake(folder)
    [one] = recorded_runs(through, schema, None, None)
    [other] = recorded_runs(without, folder, None, "s")
    assert one.run["started_at"] == start
    assert one.evidence
    assert one == other
    assert last_exit_code(through, suite.run_id, schema) == last_exit_code(without, suite.run_id, folder) == 5
    with pytest.raises(ConfigError, match="there are no result tables in"):
        recorded_runs(by_spark(spark, Results(schema="spark_catalog.nowhere")), schema, None, None)
