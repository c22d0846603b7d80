"""From the rows of a run to what the page shows, in the order in which it shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date

from sparkguard.core.finding import WHOLE, Status
from sparkguard.core.settle import most_urgent
from sparkguard.report import words
from sparkguard.report.evidence import evidence_of
from sparkguard.report.outline import Group, Row, outline
from sparkguard.report.reading import Recorded
from sparkguard.report.views import CheckView, Fact, Page, Result, RunView, Section

LONGEST_TEXT = 2000
LONGEST_LINE = 300
"""Of a message in a table, where there may be thousands."""
MOST_VALUES = 12

_ADVICE = {
    0: "Every error-severity check passed: go on with what is downstream.",
    3: "An error-severity check could not be evaluated, none failed: run it again.",
    5: "An error-severity check failed: stop what is downstream, and do not run it again before it is mended.",
}
_TITLES = {
    Status.FAIL: "Failed",
    Status.ERROR: "Not evaluated",
    Status.SKIPPED: "Skipped",
    Status.WARN: "Warned",
    Status.PASS: "Passed",
}
_COUNTERS = {
    Status.FAIL: "checks_failed",
    Status.ERROR: "checks_errored",
    Status.SKIPPED: "checks_skipped",
    Status.WARN: "checks_warned",
    Status.PASS: "checks_passed",
}


def page(recorded: Sequence[Recorded], results: str) -> Page:
    """The most urgent suite first; the exit code is the one that `sparkguard verdict` gives."""
    code = most_urgent(r.run["exit_code"] for r in recorded)
    # Of the codes that `runs` holds, a larger one is more urgent.
    ordered = sorted(recorded, key=lambda r: (-r.run["exit_code"], r.run["suite"]))
    return Page(tuple(_run(r) for r in ordered), code, _ADVICE[code], results)


def _run(recorded: Recorded) -> RunView:
    run = recorded.run
    groups = outline(recorded.results)
    return RunView(
        suite=run["suite"],
        date=_day(run["run_date"]),
        status=run["status"],
        exit_code=run["exit_code"],
        advice=_ADVICE[run["exit_code"]],
        counts=tuple((status.value, title, run[_COUNTERS[status]]) for status, title in _TITLES.items()),
        total=run["checks_total"],
        notes=tuple(_notes(recorded)),
        facts=tuple(_run_facts(run)),
        sections=tuple(
            Section(status.value, title, tuple(_check(g, recorded) for g in groups if g.status is status))
            for status, title in _TITLES.items()
            if any(g.status is status for g in groups)
        ),
    )


def _notes(recorded: Recorded) -> Iterable[str]:
    run = recorded.run
    if run["status"] == "interrupted":
        yield "This run was interrupted. Checks that had no verdict by then are not evaluated."
    elif run["error"]:
        yield words.clipped(run["error"], LONGEST_TEXT)
    if recorded.replaced_by is not None:
        yield (
            f"The details of this run were replaced by attempt {recorded.replaced_by}, which is not finished: it is "
            f"still running, or was killed. What stands here is the verdict of attempt {run['attempt']}; "
            "its results are gone. Run it again."
        )
    elif not recorded.results and run["checks_total"]:
        yield "The results of this run are no longer in the tables."
    if run.get("selection"):
        yield f"Only a part of the suite was selected ({run['selection']})."


def _run_facts(run: Row) -> Iterable[Fact]:
    versions = [
        f"{name} {run[column]}"
        for name, column in (
            ("sparkguard", "sparkguard_version"),
            ("Spark", "spark_version"),
            ("Delta", "delta_version"),
        )
        if run[column]
    ]
    yield from _known(
        Fact("Run", _one(run["run_id"]), code=True),
        Fact("Attempt", (str(run["attempt"]),)),
        Fact("Environment", _one(run["environment"])),
        Fact("Due", _one(words.moment(run["scheduled_for"]))),
        Fact("Started", _one(words.moment(run["started_at"]))),
        Fact("Took", (words.duration(run["duration_ms"]),)),
        Fact("Rows evaluated", (f"{run['rows_scanned']:,}",)),
        Fact("Spark jobs", () if run["spark_jobs"] is None else (f"{run['spark_jobs']:,}",)),
        Fact("Versions", tuple(versions)),
        Fact("Master", _one(run["master"]), code=True),
        Fact("Application", _one(run["application_id"]), code=True),
        Fact("User", _one(run["user"])),
        Fact("Configuration", (run["config_sha256"][:12],), code=True),
        Fact("Tags", tuple(f"{k}={v}" for k, v in (run["tags"] or {}).items())),
    )


def _check(group: Group, recorded: Recorded) -> CheckView:
    rows = group.rows
    first = rows[0]
    # A fact that holds for all results that did not pass is told once.
    facts = [_facts(row) for row in group.full + group.listed or group.passed]
    common = tuple(fact for fact in facts[0] if all(fact in other for other in facts[1:]))
    transitions = {row["transition"] for row in rows if row["status"] != Status.PASS} or {first["transition"]}
    return CheckView(
        id=first["check_id"],
        type=first["check_type"],
        status=group.status.value,
        severity=first["severity"],
        dataset=first["dataset"] or "",
        transition=transitions.pop() if len(transitions) == 1 else None,
        tally=_tally(rows) if len(rows) > 1 else None,
        facts=common,
        full=tuple(_result(row, recorded, tuple(f for f in _facts(row) if f not in common)) for row in group.full),
        listed=tuple(_result(row, recorded) for row in group.listed),
        passed=tuple(_result(row, recorded) for row in group.passed),
        duration=words.duration(max(row["duration_ms"] for row in rows)),
    )


def _result(row: Row, recorded: Recorded, facts: tuple[Fact, ...] | None = None) -> Result:
    """A result in full, or without `facts` as a line."""
    total = recorded.evidence_rows.get(row["result_id"], 0)
    full = facts is not None
    return Result(
        status=row["status"],
        title=_title(row),
        transition=row["transition"],
        message=words.clipped(row["message"], LONGEST_TEXT if full else LONGEST_LINE),
        observed=words.observed(row),
        facts=facts or (),
        evidence=evidence_of(recorded.evidence.get(row["result_id"], ()), total) if full else None,
        evidence_rows=total,
    )


def _title(row: Row) -> str:
    subject = "whole table" if row["subject"] == WHOLE else row["subject"]
    sliced = "" if row["slice_key"] is None else f", {row['slice_key']} = {_sliced(row['slice_value'])}"
    return words.clipped(subject + sliced, LONGEST_LINE)


def _sliced(value: str | None) -> str:
    return "NULL" if value is None else value or "(empty text)"


def _tally(rows: Sequence[Row]) -> str:
    kinds = {row["subject_kind"] for row in rows}
    what = f"{kinds.pop()}s" if len(kinds) == 1 and "table" not in kinds else "results"
    counted = Counter(row["status"] for row in rows)
    return f"{len(rows):,} {what}: " + ", ".join(f"{counted[s]:,} {s.value}" for s in _TITLES if counted[s])


def _facts(row: Row) -> list[Fact]:
    measured = [text for text in (words.observed(row), words.bounds(row)) if text]
    columns = () if tuple(row["columns"] or ()) == (row["subject"],) else tuple(row["columns"] or ())
    return list(
        _known(
            Fact("What to do", _one(row["remedy"] and words.clipped(row["remedy"], LONGEST_TEXT))),
            Fact("Owner", _one(row["owner"])),
            Fact("Measured", ("; ".join(measured),) if measured else ()),
            Fact("Rows", _one(words.violating(row))),
            Fact("Dataset", _pinned(row["dataset"], row["dataset_version"])),
            Fact("Compared with", _pinned(row["reference"], row["reference_version"])),
            Fact("Window", _one(words.window(row["window_start"], row["window_end"]))),
            Fact("Columns", columns[:MOST_VALUES], code=True, more=max(0, len(columns) - MOST_VALUES)),
            Fact("Tags", tuple(row["tags"] or ())),
        )
    )


def _known(*facts: Fact) -> Iterable[Fact]:
    return (fact for fact in facts if fact.values)


def _one(value: str | None) -> tuple[str, ...]:
    return (value,) if value else ()


def _pinned(dataset: str | None, version: int | None) -> tuple[str, ...]:
    if dataset is None:
        return ()
    return (dataset if version is None else f"{dataset} at version {version}",)


def _day(value: date) -> str:
    return value.isoformat()
