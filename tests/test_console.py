import io
import json
from dataclasses import replace

import pytest

from sparkguard.checks.duplicate_keys import DuplicateKeys
from sparkguard.console import JsonProgress, TerminalProgress
from sparkguard.core.finding import Finding, Status, Violation

CHECK = DuplicateKeys(id="pk", dataset="t", key=("k",), severity="warn")
BAD = Finding(
    Status.FAIL,
    "1 key [bold]occurs[/] twice",
    "look at the join",
    violations=tuple(Violation("duplicate", {"k": f"[red]{i}", "n": None}, count=1000) for i in range(5)),
    evaluated_rows=7,
    violation_rows=2,
)
GOOD = Finding(Status.PASS, "fine")


def test_a_line_names_status_check_finding_evidence_and_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    progress = TerminalProgress()
    progress.started("s", 1)
    progress.judged(CHECK, [BAD, GOOD])
    progress.finished("suite s failed")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "FAIL    pk (severity warn)  1 key [bold]occurs[/] twice"
    assert lines[1].strip() == "duplicate: k=[red]0, n=NULL  × 1,000"
    assert lines[4].strip() == "→ look at the join"
    assert lines[5:] == ["PASS    pk  fine", "suite s failed"]


def test_quiet_prints_what_did_not_pass(capsys: pytest.CaptureFixture[str]) -> None:
    progress = TerminalProgress(quiet=True)
    progress.started("s", 2)
    progress.judged(CHECK, [GOOD])
    progress.judged(CHECK, [BAD])
    progress.finished("done")
    out = capsys.readouterr().out
    assert "PASS" not in out
    assert out.startswith("FAIL")


def test_json_lines_are_one_object_each() -> None:
    out = io.StringIO()
    progress = JsonProgress(out)
    progress.started("s", 1)
    progress.working("opening t")
    progress.judged(CHECK, [BAD])
    progress.finished("over")
    events = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [e["event"] for e in events] == ["started", "working", "judged", "finished"]
    assert (events[2]["check_id"], events[2]["status"], events[2]["violation_rows"]) == ("pk", "fail", 2)


def test_of_thousands_of_findings_fifty_lines_and_the_whole_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    columns = [replace(BAD, subject=f"c{i}", slice_key="part", slice_value="b", violations=()) for i in range(60)]
    TerminalProgress(quiet=True).judged(CHECK, [*columns, BAD])
    out = capsys.readouterr().out
    assert out.startswith("FAIL    pk[c0 where part is b] (severity warn)")
    assert out.count("1 key") == 51
    assert "FAIL    pk  10 more, all of them in check_results" in out
