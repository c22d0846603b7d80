from hypothesis import given
from hypothesis import strategies as st

from sparkguard.checks.duplicate_keys import DuplicateKeys
from sparkguard.checks.metric_anomaly import MetricAnomaly
from sparkguard.core.check import Check
from sparkguard.core.plan import cycle, selected, stages


def check(name: str, *needs: str, tags: tuple[str, ...] = ()) -> DuplicateKeys:
    return DuplicateKeys(id=name, dataset="t", key=("k",), needs=needs, tags=tags)


def test_checks_with_the_same_needs_share_a_stage() -> None:
    found = stages([check("a"), check("b", "a"), check("c"), check("d", "a")])
    assert [[c.id for c in stage.checks] for stage in found] == [["a", "c"], ["b", "d"]]


@given(st.lists(st.lists(st.integers(0, 20), max_size=4), min_size=1, max_size=12))
def test_every_need_comes_in_an_earlier_stage(raw: list[list[int]]) -> None:
    checks = [check(str(i), *{str(n) for n in needs if n < i}) for i, needs in enumerate(raw)]
    seen: set[str] = set()
    for stage in stages(list(reversed(checks))):
        assert stage.needs <= seen
        seen |= {c.id for c in stage.checks}
    assert seen == {c.id for c in checks}


def test_a_circle_of_needs_is_found_and_shown() -> None:
    assert cycle({"a": ["b"], "b": ["c"], "c": ["b"]}) == ["b", "c", "b"]
    assert cycle({"a": ["b"], "b": [], "c": ["a", "b"]}) is None


def test_a_selected_check_brings_what_it_needs() -> None:
    checks = [check("a"), check("b", "a"), check("c", "b"), check("d", tags=("x",))]
    assert selected(checks, only=["c"]) == {"a", "b", "c"}
    assert selected(checks, tags=["x"]) == {"d"}
    assert selected(checks) == {"a", "b", "c", "d"}


def watch(name: str, followed: str, *needs: str) -> MetricAnomaly:
    return MetricAnomaly(id=name, check=followed, metric="evaluated_rows", needs=needs)


def test_what_a_check_follows_comes_in_an_earlier_stage_without_being_needed() -> None:
    checks: list[Check] = [watch("w", "a"), check("a"), watch("v", "b", "a"), check("b", "a"), watch("x", "a")]
    found = [(sorted(s.needs), sorted(s.follows), [c.id for c in s.checks]) for s in stages(checks)]
    assert found == [
        ([], [], ["a"]),
        ([], ["a"], ["w", "x"]),
        (["a"], [], ["b"]),
        (["a"], ["b"], ["v"]),
    ]


def test_a_selected_check_brings_what_it_follows() -> None:
    checks: list[Check] = [check("a"), check("b", "a"), watch("w", "b"), check("c")]
    assert selected(checks, only=["w"]) == {"a", "b", "w"}
