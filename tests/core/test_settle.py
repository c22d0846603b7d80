from itertools import product

import pytest

from sparkguard.checks.duplicate_keys import DuplicateKeys
from sparkguard.core.finding import Finding, Status
from sparkguard.core.settle import exit_code, run_status, transition, worst

ERROR = DuplicateKeys(id="e", dataset="t", key=("k",))
WARN = DuplicateKeys(id="w", dataset="t", key=("k",), severity="warn")


def found(status: Status, *, counted: bool = True) -> Finding:
    return Finding(status, "", counted=counted)


@pytest.mark.parametrize(
    ("previous", "now", "expected"),
    [
        (None, Status.FAIL, "new"),
        (Status.PASS, Status.ERROR, "new"),
        (Status.FAIL, Status.FAIL, "ongoing"),
        (Status.ERROR, Status.FAIL, "ongoing"),
        (Status.FAIL, Status.PASS, "recovered"),
        (Status.FAIL, Status.WARN, "recovered"),
        (None, Status.PASS, "steady"),
        (Status.WARN, Status.PASS, "steady"),
        (Status.FAIL, Status.SKIPPED, "ongoing"),
        (Status.PASS, Status.SKIPPED, "steady"),
    ],
)
def test_transitions_compare_with_the_run_before(previous: Status | None, now: Status, expected: str) -> None:
    assert transition(previous, now) == expected


@pytest.mark.parametrize(("first", "second"), list(product(Status, Status)))
def test_a_failure_outweighs_an_error_which_outweighs_all_else(first: Status, second: Status) -> None:
    statuses = {first, second}
    expected = 5 if Status.FAIL in statuses else 3 if statuses & {Status.ERROR, Status.SKIPPED} else 0
    assert exit_code([(ERROR, found(first)), (ERROR, found(second))]) == expected


@pytest.mark.parametrize("status", Status)
def test_a_warn_check_never_changes_the_exit_code(status: Status) -> None:
    assert exit_code([(WARN, found(status))]) == 0


def test_a_check_left_out_on_purpose_does_not_count() -> None:
    assert exit_code([(ERROR, found(Status.SKIPPED, counted=False))]) == 0


def test_the_worst_finding_stands_for_its_check() -> None:
    assert worst([found(Status.PASS), found(Status.WARN), found(Status.ERROR)]) is Status.ERROR


def test_an_interrupted_run_says_so_whatever_its_code() -> None:
    assert run_status(5, interrupted=True) == "interrupted"
    assert [run_status(c, interrupted=False) for c in (0, 3, 5)] == ["passed", "errored", "failed"]
