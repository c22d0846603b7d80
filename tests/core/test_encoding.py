"""States survive their encoding, and measures keep their fingerprint."""

import dataclasses
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparkguard.core.columns import Column
from sparkguard.core.encoding import decode, fingerprint, pack, unpack
from sparkguard.core.measure import State
from sparkguard.core.source import Source
from sparkguard.core.window import Window
from sparkguard.measures.conditions import Missing, Outside
from sparkguard.measures.profile import Extent, Extremes, Moments, Spread
from sparkguard.measures.sketches import Distincts, Frequent, Frequents, Ranks
from sparkguard.measures.tallies import Cell, Count, RowCount, Sample, Tally, Total

X = Column("x", ("x",), "double")
floats = st.floats(allow_nan=False)
states: st.SearchStrategy[State] = st.one_of(
    st.builds(Total, st.integers(0)),
    st.builds(Tally, st.integers(), st.integers(), st.integers()),
    st.builds(Extent, st.one_of(st.none(), floats, st.integers(), st.decimals(allow_nan=False)), floats),
    st.builds(Spread, st.integers(), floats, floats),
    st.builds(Ranks, st.binary()),
    st.builds(Distincts, st.binary()),
    st.builds(Frequents, st.integers(), st.lists(st.builds(Frequent, *[st.integers()] * 3)).map(tuple), st.integers()),
    st.builds(
        Sample,
        st.lists(
            st.builds(Cell, st.integers(), st.integers(), *[st.lists(st.one_of(st.none(), st.text())).map(tuple)] * 2)
        ).map(tuple),
    ),
)


@given(st.dictionaries(st.text(), states, max_size=5))
def test_states_survive_packing(found: dict[str, State]) -> None:
    unpacked = unpack(pack(found))
    assert {key: decode(type(state), unpacked[key]) for key, state in found.items()} == found


def test_infinities_and_decimals_keep_their_type() -> None:
    for state in (Extent(float("-inf"), float("inf")), Extent(Decimal("1.10"), Decimal("2.00"))):
        back = decode(Extent, unpack(pack({"k": state}))["k"])
        assert back == state
        assert back is not None
        assert type(back.low) is type(state.low)


@dataclass(frozen=True)
class Old(State):
    rows: int

    @classmethod
    def zero(cls) -> Self:
        return cls(0)

    def merge(self, other: Self) -> Self:
        return dataclasses.replace(self, rows=self.rows + other.rows)


@dataclass(frozen=True)
class New(Old):
    extra: int = 7


@dataclass(frozen=True)
class Other(Old):
    extra: int


def test_an_older_version_is_read_with_the_defaults_of_what_is_new() -> None:
    raw = unpack(pack({"k": Old(3)}))["k"]
    assert decode(New, raw) == New(3, 7)


@pytest.mark.parametrize("kind", [Other, Frequents])
def test_what_cannot_be_read_is_not_there(kind: type[State]) -> None:
    assert decode(kind, unpack(pack({"k": Old(3)}))["k"]) is None


@pytest.mark.parametrize("raw", [b"", b"\x80\x04pickle", pack({})[:-2]])
def test_foreign_bytes_are_no_states(raw: bytes) -> None:
    assert unpack(raw) == {}


def test_a_fingerprint_knows_the_question_and_not_the_window() -> None:
    night = Source("t", Window(datetime(2026, 1, 1), datetime(2026, 1, 2)))
    assert fingerprint(Moments(night, X), "t") == fingerprint(Moments(Source("t"), X), "t")
    different: list[Any] = [
        RowCount(night),
        Moments(night, X),
        Extremes(night, X),
        Extremes(night, X, lengths=True),
        Moments(night, Column("y", ("y",), "double")),
        Moments(night, Column("x", ("x",), "float")),
        Count(night, Missing(X)),
        Count(night, Outside(X, 0.0, 1.0)),
        Count(night, Outside(X, 0.0, 2.0)),
    ]
    prints = {fingerprint(m, "t") for m in different} | {fingerprint(RowCount(night), "u")}
    assert len(prints) == len(different) + 1


def test_a_fingerprint_outlives_a_release() -> None:
    measure = Count(Source("t"), Outside(Column("x", ("s", "x"), "timestamp"), None, datetime(2026, 1, 1)))
    assert fingerprint(measure, "t") == "34072138751a561110b1bb48c44504b0"
