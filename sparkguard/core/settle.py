"""What only the whole suite can decide: transitions, the status of the run, the exit code."""

from __future__ import annotations

from collections.abc import Iterable

from sparkguard.core.check import Check
from sparkguard.core.finding import Finding, Status

FAILED, NOT_EVALUATED, PASSED = 5, 3, 0
"""Exit codes of a suite whose results were written."""

_URGENCY = (2, 4, FAILED, NOT_EVALUATED, PASSED)
_BAD = (Status.FAIL, Status.ERROR)


def transition(previous: Status | None, now: Status) -> str:
    """Compare with the last run that was not skipped: new, ongoing, recovered or steady.

    Bad is `fail` or `error`; a skipped check says nothing, so it keeps what was.
    """
    was_bad = previous in _BAD
    is_bad = was_bad if now is Status.SKIPPED else now in _BAD
    if is_bad:
        return "ongoing" if was_bad else "new"
    return "recovered" if was_bad else "steady"


def worst(findings: Iterable[Finding]) -> Status:
    """The most urgent status among the findings of one check."""
    return min((f.status for f in findings), key=lambda s: s.rank, default=Status.SKIPPED)


def exit_code(judged: Iterable[tuple[Check, Finding]]) -> int:
    """5 if an error-severity check failed, 3 if one could not be evaluated, else 0.

    A skipped check could not be evaluated either, unless it was left out on purpose.
    """
    code = PASSED
    for check, finding in judged:
        if check.severity != "error" or not finding.counted:
            continue
        if finding.status is Status.FAIL:
            return FAILED
        if finding.status in (Status.ERROR, Status.SKIPPED):
            code = NOT_EVALUATED
    return code


def most_urgent(codes: Iterable[int]) -> int:
    """The exit code of several suites: 2, 4, 5, 3, 0, the first that occurs."""
    return min(codes, key=_URGENCY.index)


def run_status(code: int, *, interrupted: bool) -> str:
    """The word for `runs.status`."""
    if interrupted:
        return "interrupted"
    return {PASSED: "passed", NOT_EVALUATED: "errored", FAILED: "failed"}[code]
