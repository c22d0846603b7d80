from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from sparkguard.checks.duplicate_keys import DuplicateKeys
from sparkguard.core.check import Run, SourceCheck
from sparkguard.core.evidence import Evidence
from sparkguard.core.finding import Finding
from sparkguard.core.measure import Answer, Broken, Measure
from sparkguard.core.plan import MAX_ROUNDS
from sparkguard.engine.gather import Rounds
from sparkguard.errors import DataError
from sparkguard.measures.duplicates import Key, KeyHashes
from sparkguard.testing import TwinEngine

ROWS = {"t": [{"a": 1, "b": 1}, {"a": 2, "b": 1}], "u": [{"a": 1, "b": 1}]}


def check(name: str, *key: str, dataset: str = "t") -> DuplicateKeys:
    return DuplicateKeys(id=name, dataset=dataset, key=key)


class Endless(SourceCheck):
    def ask(self, seen: Evidence) -> Iterable[Measure[Answer]]:
        columns = (seen.schema(self.source).column("a"),)
        for i in range(100):
            measure = KeyHashes(self.source, Key(columns, ("trim",) * i))
            yield measure
            if measure not in seen:
                return

    def judge(self, seen: Evidence, run: Run) -> tuple[Finding, ...]:
        raise NotImplementedError


class Raising(Endless):
    def ask(self, seen: Evidence) -> Iterable[Measure[Answer]]:
        raise ZeroDivisionError


@dataclass
class Dying(TwinEngine):
    left: list[Measure[Answer]] = field(default_factory=list)

    def compute(self, measures: Sequence[Measure[Answer]]) -> Iterator[tuple[Measure[Answer], Answer | Broken]]:
        for measure in measures:
            yield measure, Broken("the executor was lost")


def test_equal_questions_are_answered_once() -> None:
    engine = TwinEngine(ROWS)
    list(Rounds(engine).gather([check("x", "a"), check("y", "a"), check("z", "a", "b")]))
    assert len(engine.computed) == 2


def test_a_check_is_ready_before_the_others_have_asked_all() -> None:
    engine = TwinEngine(ROWS)
    order = [(g.check.id, len(engine.computed)) for g in Rounds(engine).gather([check("dup", "b"), check("ok", "a")])]
    assert order == [("ok", 2), ("dup", 3)]


def test_the_same_version_is_not_read_again_by_a_later_stage_and_another_is() -> None:
    engine = TwinEngine(ROWS, version=3)
    rounds = Rounds(engine)
    list(rounds.gather([check("x", "a")]))
    list(rounds.gather([check("y", "a")]))
    assert len(engine.computed) == 1
    engine.version = 4
    list(rounds.gather([check("z", "a")]))
    assert len(engine.computed) == 2


def test_what_has_no_version_is_read_again_by_a_later_stage() -> None:
    engine = TwinEngine(ROWS)
    rounds = Rounds(engine)
    for name in ("x", "y"):
        list(rounds.gather([check(name, "a")]))
    assert len(engine.computed) == 2


def test_a_check_that_asks_on_is_stopped_after_four_rounds() -> None:
    engine = TwinEngine(ROWS)
    [gathered] = Rounds(engine).gather([Endless(id="e", dataset="t")])
    assert isinstance(gathered.error, DataError)
    assert len(engine.computed) == MAX_ROUNDS


def test_a_check_that_cannot_ask_does_not_stop_the_others() -> None:
    found = {
        g.check.id: g.error for g in Rounds(TwinEngine(ROWS)).gather([Raising(id="r", dataset="t"), check("ok", "a")])
    }
    assert isinstance(found["r"], ZeroDivisionError)
    assert found["ok"] is None


def test_a_dataset_that_cannot_be_read_breaks_only_its_own_checks() -> None:
    found = {
        g.check.id: g.error for g in Rounds(TwinEngine(ROWS)).gather([check("x", "a", dataset="gone"), check("y", "a")])
    }
    assert "there is no such data" in str(found["x"])
    assert found["y"] is None


def test_a_broken_answer_reaches_the_judge_as_an_error() -> None:
    [gathered] = Rounds(Dying(ROWS)).gather([check("x", "a")])
    assert "the executor was lost" in str(gathered.error)
