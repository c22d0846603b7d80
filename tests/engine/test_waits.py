"""Waiting probes under a clock that only the pauses move."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from sparkguard.core.measure import Awaited, Broken
from sparkguard.engine.touched import newest_checkpoint
from sparkguard.engine.waits import Patience, Waits
from sparkguard.errors import DataError
from sparkguard.measures.upstreams import Arrival, Marked, Missing, Upstream

READY = Arrival()


def marker(name: str, timeout: float = 300, poll: float = 60) -> Marked:
    return Marked((name,), timeout=timeout, poll=poll)


@dataclass
class World:
    """Markers that appear at a moment; a question takes `slow` seconds."""

    there: Mapping[str, float] = field(default_factory=dict)
    slow: float = 0
    stops: float = float("inf")
    faults: Mapping[str, Callable[[float], Exception | None]] = field(default_factory=dict)
    now: float = 1000.0
    asked: list[tuple[str, float]] = field(default_factory=list)
    told: list[str] = field(default_factory=list)

    def ask(self, measure: object) -> Arrival:
        assert isinstance(measure, Marked)
        [name] = measure.places
        at = self.now - 1000
        self.asked.append((name, at))
        self.now += self.slow
        fault = self.faults[name](at) if name in self.faults else None
        if fault is not None:
            raise fault
        return READY if self.there.get(name, float("inf")) <= at else Arrival(missing=(Missing((name,)),))

    def pause(self, seconds: float) -> bool:
        self.now += seconds
        return self.now - 1000 >= self.stops

    def wait(self, *measures: Upstream) -> Iterator[tuple[str, Awaited | Broken]]:
        waits = Waits(self.ask, Patience(self.pause, self.told.append, lambda: self.now))
        for measure, reply in waits.answers(measures):
            assert isinstance(measure, Marked)
            yield measure.places[0], reply


def waited(replies: Iterator[tuple[str, Awaited | Broken]]) -> list[tuple[str, float, bool]]:
    found = []
    for name, reply in replies:
        assert isinstance(reply, Arrival)
        found.append((name, reply.waited, not reply.missing))
    return found


def test_without_a_timeout_everything_is_asked_once() -> None:
    world = World({"a": 0})
    assert waited(world.wait(marker("a", 0), marker("b", 0))) == [("a", 0, True), ("b", 0, False)]
    assert (world.asked, world.told, world.now) == ([("a", 0), ("b", 0)], [], 1000)


def test_all_wait_together_by_one_clock_and_each_is_told_when_it_is_ready() -> None:
    world = World({"a": 100, "b": 0, "c": 61})
    replies = waited(world.wait(marker("a"), marker("b"), marker("c"), marker("never")))
    assert replies == [("b", 0, True), ("a", 120, True), ("c", 120, True), ("never", 300, False)]
    assert world.now == 1300


def test_what_is_ready_reaches_the_judge_before_the_rest() -> None:
    world = World({"a": 0})
    replies = world.wait(marker("b"), marker("a"))
    assert (next(replies)[0], world.now) == ("a", 1000)


def test_the_last_question_comes_at_the_timeout_be_it_no_multiple_of_the_poll() -> None:
    world = World({"a": 99})
    assert waited(world.wait(marker("a", timeout=100, poll=45))) == [("a", 100, True)]
    assert [at for _, at in world.asked] == [0, 45, 90, 100]


def test_each_check_has_its_own_timeout_and_poll() -> None:
    world = World({"b": 50})
    assert waited(world.wait(marker("a", timeout=20, poll=10), marker("b", timeout=60, poll=25))) == [
        ("a", 20, False),
        ("b", 50, True),
    ]
    assert [at for name, at in world.asked if name == "b"] == [0, 25, 50]


def test_slow_questions_do_not_pile_up() -> None:
    world = World(slow=40)
    waited(world.wait(marker("a", timeout=100, poll=10)))
    assert [at for _, at in world.asked] == [0, 50, 100]


def test_questions_stay_together_however_long_each_takes() -> None:
    world = World(slow=5)
    waited(world.wait(marker("a", timeout=100, poll=30), marker("b", timeout=100, poll=30)))
    assert [at for _, at in world.asked] == [0, 5, 40, 45, 80, 85, 100, 105]


def test_a_stop_ends_the_wait_at_once() -> None:
    world = World(stops=60)
    assert list(world.wait(marker("a"), marker("b"))) == []
    assert len(world.asked) == 2


def test_progress_says_for_whom_how_many_and_how_long() -> None:
    world = World({"a": 0, "b": 60})
    list(world.wait(marker("a", 1800), marker("b", 1800), marker("c", 120)))
    assert world.told == [
        "waiting for marker b, marker c: 1 of 3 upstreams ready, 0 s of 30 min",
        "waiting for marker c: 2 of 3 upstreams ready, 60 s of 120 s".replace("120 s", "2 min"),
    ]


class AnalysisException(Exception):  # noqa: N818 - as Spark calls it
    pass


@pytest.mark.parametrize("fault", [DataError("column 'x' does not exist"), AnalysisException("[UNRESOLVED_COLUMN]")])
def test_what_stays_wrong_is_not_waited_for(fault: Exception) -> None:
    world = World({"a": 0}, faults={"bad": lambda _: fault})
    replies = dict(world.wait(marker("bad"), marker("a")))
    assert isinstance(replies["bad"], Broken)
    assert (str(fault) in replies["bad"].reason, world.now) == (True, 1000)


def test_what_may_pass_is_asked_again_and_an_error_only_at_the_end() -> None:
    shaky = {
        "mended": lambda at: OSError("connection reset") if at < 100 else None,
        "lost": lambda _: OSError("connection reset"),
    }
    world = World({"mended": 0}, faults=shaky)
    replies = dict(world.wait(marker("mended"), marker("lost")))
    assert isinstance(replies["mended"], Arrival)
    assert isinstance(replies["lost"], Broken)
    assert ("connection reset" in replies["lost"].reason, world.now) == (True, 1300)


def names(version: int, parts: Sequence[int] = (), of: int = 1) -> list[str]:
    if not parts:
        return [f"{version:020}.checkpoint.parquet"]
    return [f"{version:020}.checkpoint.{part:010}.{of:010}.parquet" for part in parts]


def test_the_last_complete_classic_checkpoint_is_taken() -> None:
    assert newest_checkpoint([], 9) is None
    some = [*names(10), *names(20, [1, 2], 2), *names(30, [1], 2), f"{40:020}.checkpoint.{'0' * 36}.parquet", "x.json"]
    assert newest_checkpoint(some, 50) == (20, tuple(names(20, [1, 2], 2)))
    assert newest_checkpoint(some, 19) == (10, tuple(names(10)))
