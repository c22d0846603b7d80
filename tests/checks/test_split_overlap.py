"""What two splits share is counted on both sides, and what they do not is no finding."""

from typing import Any

import pytest

from sparkguard.checks.split_overlap import SplitOverlap
from sparkguard.core.finding import Finding
from sparkguard.testing import judge


def found_of(rows: list[tuple[object, str]], **fields: Any) -> dict[str, Finding]:
    table = [{"id": key, "x": i, "part": part} for i, (key, part) in enumerate(rows)]
    check = SplitOverlap(id="c", dataset="t", **{"split": "part", "key": ["id"], **fields})
    return {finding.subject: finding for finding in judge(check, {"t": table})}


def test_splits_without_a_common_key_pass() -> None:
    found = found_of([(1, "train"), (2, "train"), (3, "test")])
    assert {f.status.value for f in found.values()} == {"pass"}


def test_a_key_of_two_splits_is_counted_on_both_sides() -> None:
    found = found_of([(1, "train"), (1, "train"), (2, "train"), (1, "test")], splits=["train", "test"])
    pair = found["train & test"]
    assert pair.status.value == "fail"
    assert pair.quantities["shared_keys"].value == 1
    assert pair.quantities["shared_key_rows"].value == 3
    assert [v.kind for v in pair.violations] == ["shared_key"]


def test_null_keys_are_in_no_two_splits() -> None:
    found = found_of([(None, "train"), (None, "test"), (1, "train"), (2, "test")])
    assert found[":all"].status.value == "pass"
    assert found[":all"].quantities["null_key_rows"].value == 2


def test_a_split_that_is_named_and_has_no_rows_is_no_pass() -> None:
    found = found_of([(1, "train"), (2, "test")], splits=["train", "validation", "test"])
    assert found[":all"].status.value != "pass"


def test_one_split_has_nothing_to_share_with() -> None:
    with pytest.raises(ValueError, match="split"):
        SplitOverlap(id="c", dataset="t", split="part", key=("id",), splits=("train",))
