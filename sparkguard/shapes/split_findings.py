"""What splits share and how they lie in time, in numbers and in words: of every two, and of all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sparkguard.core.finding import EvidenceQuery, Violation
from sparkguard.core.text import count, few
from sparkguard.measures.split_times import (
    Border,
    SplitReachesAnswer,
    StrayRow,
    Strays,
    StraysAnswer,
    TimesMeasure,
    moment_text,
)
from sparkguard.measures.splits import SharedByPair, SharedKey, SharedKeys, SharedKeysAnswer, SplitHashesAnswer

_NAMED_COLUMNS = 5
_NAMED_PAIRS = 5
_NO_PAIR = SharedByPair(0, 0, 0, ())

Pair = tuple[int, int]
Text = Callable[[str, str | None], str]


@dataclass(frozen=True)
class Noun:
    """What must not be in two splits, and the quantities that count it, the rows that have it, and those without."""

    name: str
    plural: str
    distinct: str
    rows: str
    nulls: str | None = None


NOUNS: Mapping[str, Noun] = {
    "row": Noun("different row", "different rows", "shared_contents", "shared_rows"),
    "key": Noun("key", "keys", "shared_keys", "shared_key_rows", "null_key_rows"),
    "entity": Noun("entity", "entities", "shared_entities", "shared_entity_rows", "null_entity_rows"),
}
UNORDERED, NULL_TIMES = "unordered_rows", "null_time_rows"


@dataclass(frozen=True)
class Share:
    """A question that was answered: what of `kind` the splits share; `shared` and `wanted` are None if nothing."""

    kind: str
    names: tuple[str, ...]
    hashes: SplitHashesAnswer
    wanted: SharedKeys | None
    shared: SharedKeysAnswer | None

    @property
    def noun(self) -> Noun:
        """What it is about."""
        return NOUNS[self.kind]

    def of(self, pair: Pair) -> SharedByPair:
        """What two splits share."""
        return self.shared.pairs.get(pair, _NO_PAIR) if self.shared else _NO_PAIR

    def blank(self, split: int) -> bool:
        """Whether a split has rows, and none of them has such a key."""
        return 0 < self.hashes.rows[split] == self.hashes.null_rows[split]

    def label(self) -> str:
        """The columns."""
        return f"by {count(len(self.names), 'column')}" if self.kind == "row" else ", ".join(self.names)


@dataclass(frozen=True)
class Order:
    """The reaches of the splits in time, and the rows out of order, None if there are none; `gap` as it is written."""

    asked: TimesMeasure[SplitReachesAnswer]
    reaches: SplitReachesAnswer
    gap: str | None
    wanted: Strays | None
    strays: StraysAnswer | None

    def of(self, pair: Pair) -> tuple[Border, Pair] | None:
        """Where two splits meet, and how many rows of both are out of order there."""
        if self.wanted is None or self.strays is None:
            return None
        borders = zip(self.wanted.borders, self.strays.at_borders, strict=True)
        return next(((b, rows) for b, rows in borders if (b.one, b.other) == pair), None)

    def blank(self, split: int) -> bool:
        """Whether a split has rows, and none of them has a time."""
        reach = self.reaches.reaches[split]
        return bool(reach.rows) and reach.first is None


@dataclass(frozen=True)
class SplitFindings:
    """All that was answered of the splits `names`; `text` hides what the suite keeps out of messages."""

    names: tuple[str, ...]
    shares: tuple[Share, ...]
    order: Order | None
    text: Text

    @property
    def rows(self) -> tuple[int, ...]:
        """The rows of each split."""
        return self.shares[0].hashes.rows if self.shares else tuple(r.rows for r in self._order.reaches.reaches)

    @property
    def others(self) -> int:
        """The rows of no split."""
        return self.shares[0].hashes.others if self.shares else self._order.reaches.others

    @property
    def _order(self) -> Order:
        if self.order is None:
            message = "nothing was asked"
            raise ValueError(message)
        return self.order

    def of_pair(self, pair: Pair) -> Mapping[str, int]:
        """The quantities of two splits."""
        found: dict[str, int] = {}
        for share in self.shares:
            both = share.of(pair)
            found |= {share.noun.distinct: both.keys, **_sides(share.noun.rows, both.rows, both.other_rows)}
            if share.noun.nulls is not None:
                found[share.noun.nulls] = sum(share.hashes.null_rows[at] for at in pair)
        if self.order is not None:
            met = self.order.of(pair)
            found |= _sides(UNORDERED, *(met[1] if met else (0, 0)))
            found[NULL_TIMES] = sum(self.order.reaches.reaches[at].null_rows for at in pair)
        return found

    def of_all(self) -> Mapping[str, int]:
        """The quantities of all splits: a row that is wrong at several others counts once."""
        found: dict[str, int] = {}
        for share in self.shares:
            shared = share.shared
            found |= {share.noun.distinct: shared.keys if shared else 0}
            found[share.noun.rows] = sum(shared.rows) if shared else 0
            if share.noun.nulls is not None:
                found[share.noun.nulls] = sum(share.hashes.null_rows)
        if self.order is not None:
            found[UNORDERED] = sum(self.order.strays.rows) if self.order.strays else 0
            found[NULL_TIMES] = sum(r.null_rows for r in self.order.reaches.reaches)
        return found

    @staticmethod
    def violations(quantities: Mapping[str, int]) -> int:
        """The rows that the question finds which finds the most: a row may be found by several."""
        return max(quantities.get(name, 0) for name in (*(n.rows for n in NOUNS.values()), UNORDERED))

    def empty(self, splits: Iterable[int]) -> str | None:
        """Which splits have no rows."""
        names = [f"'{self.names[at]}'" for at in splits if not self.rows[at]]
        many = len(names) > 1
        return f"split{'s' if many else ''} {', '.join(names)} {'have' if many else 'has'} no rows" if names else None

    def blank(self, splits: Iterable[int]) -> Iterator[str]:
        """Which questions compared nothing, since all rows of a split have NULL."""
        for at in splits:
            rows = f"{count(self.rows[at], 'row')} of {self.names[at]}"
            yield from (f"NULL in the {share.kind} of all {rows}" for share in self.shares if share.blank(at))
            if self.order is not None and self.order.blank(at):
                yield f"no time in all {rows}"

    def passed(self, pair: Pair) -> str:
        """What two splits are, if nothing is wrong with them."""
        one, other = (f"{self.names[at]} ({count(self.rows[at], 'row')})" for at in pair)
        return f"{one} and {other} {self._apart(pair)}{self.set_apart(self.of_pair(pair))}"

    def failed(self, pair: Pair) -> str:
        """What is wrong with two splits."""
        return "; ".join((*self._shared(pair), *self._strays(pair))) + self.set_apart(self.of_pair(pair))

    def set_apart(self, quantities: Mapping[str, int]) -> str:
        """The rows that were not compared."""
        nulls = [(s.noun.nulls, f"with NULL in the {s.kind} set apart") for s in self.shares]
        nulls += [(NULL_TIMES, "without a time")]
        return "".join(f"; {count(quantities[n], 'row')} {why}" for n, why in nulls if n and quantities.get(n))

    def all_passed(self) -> str:
        """What all splits are."""
        apart = []
        if self.shares:
            apart.append("no two share " + " or ".join(self._kinds()))
        if self.order is not None:
            gap = f", {self.order.gap} apart" if self.order.gap else ""
            apart.append(f"they follow each other in time{gap}")
        return f"{self._sizes()}: {', and '.join(apart)}{self.set_apart(self.of_all())}"

    def all_failed(self, wrong: Sequence[Pair]) -> str:
        """What is wrong with which splits."""
        pairs = []
        for pair in wrong:
            numbers = [count(s.of(pair).keys, s.noun.name, s.noun.plural) for s in self.shares if s.of(pair).keys]
            told = [f"share {' and '.join(numbers)}"] if numbers else []
            met = self.order.of(pair) if self.order else None
            told += [f"have {count(sum(met[1]), 'row')} out of order in time"] if met and sum(met[1]) else []
            pairs.append(f"{self.subject(pair)} {' and '.join(told)}")
        return f"{self._sizes()}: {few(pairs, _NAMED_PAIRS, '; ')}{self.set_apart(self.of_all())}"

    def subject(self, pair: Pair) -> str:
        """The name of two splits."""
        return " & ".join(self.names[at] for at in pair)

    def evidence(self, pair: Pair) -> Iterator[Violation]:
        """What two splits share, worst first, and the rows furthest out of order."""
        for share in self.shares:
            reason = "all of the row's compared columns" if share.kind == "row" else f"the {share.kind}"
            for one in share.of(pair).top:
                key = dict(zip(share.names, one.values, strict=False))
                rows = sum(one.counts[at] for at in pair)
                reason_all = f"{reason} {'are' if share.kind == 'row' else 'is'} in both splits"
                yield Violation(f"shared_{share.kind}", key, reason_all, actual=self._counts(one, pair), count=rows)
        met = self.order.of(pair) if self.order else None
        if met is not None and self.order is not None and self.order.strays is not None:
            border, _ = met
            strays = self.order.strays.top
            late = sorted((r for r in strays if r.split == border.one and r.last > border.after), key=lambda r: -r.last)
            early = sorted((r for r in strays if r.split == border.other and r.first < border.before), key=_first)
            yield from (self._stray(r, self._before(border)) for r in late)
            yield from (self._stray(r, self._after(border)) for r in early)

    def queries(self) -> Iterator[EvidenceQuery]:
        """The questions all of whose evidence can be written."""
        yield from (EvidenceQuery(s.wanted, f"shared_{s.kind}") for s in self.shares if s.wanted and s.shared)
        if self.order is not None and self.order.wanted is not None:
            yield EvidenceQuery(self.order.wanted, "out_of_order")

    def _kinds(self) -> Iterator[str]:
        for share in self.shares:
            yield f"a row ({share.label()})" if share.kind == "row" else f"{_article(share.kind)} ({share.label()})"

    def _sizes(self) -> str:
        sizes = (f"{n} ({count(rows, 'row')})" for n, rows in zip(self.names, self.rows, strict=True))
        return few(list(sizes), _NAMED_PAIRS)

    def _apart(self, pair: Pair) -> str:
        kinds = [f"no {'row' if s.kind == 'row' else s.kind} ({s.label()})" for s in self.shares]
        told = [f"share {', '.join(kinds)}"] if kinds else []
        if self.order is not None:
            one, other = (self.order.reaches.reaches[at] for at in pair)
            if one.last is not None and other.first is not None:
                last, first = self._moment(pair, one.last), self._moment(pair, other.first)
                told.append(f"are in order: the first ends {last}, the second begins {first}")
        return ", and ".join(told) or "share nothing"

    def _shared(self, pair: Pair) -> Iterator[str]:
        for share in self.shares:
            both = share.of(pair)
            if both.keys:
                one, other = (
                    f"{count(rows, 'row')} of {self.names[at]}"
                    for at, rows in zip(pair, (both.rows, both.other_rows), strict=True)
                )
                named = f": {self._named(share, both.top[0])}" if both.top else ""
                found = count(both.keys, share.noun.name, share.noun.plural)
                yield (
                    f"{found} ({share.label()}) {'is' if both.keys == 1 else 'are'} in both, "
                    f"in {one} and {other}{named}"
                )

    def _strays(self, pair: Pair) -> Iterator[str]:
        met = self.order.of(pair) if self.order else None
        if met is not None:
            border, rows = met
            for split, n, where in zip(pair, rows, (self._before(border), self._after(border)), strict=True):
                if n:
                    yield f"{count(n, 'row')} of {self.names[split]} {'is' if n == 1 else 'are'} {where}"

    def _before(self, border: Border) -> str:
        first = self._order.reaches.reaches[border.other].first or 0
        begins = f"{self.names[border.other]}, which begins {self._moment((border.one, border.other), first)}"
        return f"not {self._order.gap} before {begins}" if self._order.gap else f"not earlier than {begins}"

    def _after(self, border: Border) -> str:
        last = self._order.reaches.reaches[border.one].last or 0
        ends = f"{self.names[border.one]}, which ends {self._moment((border.one, border.other), last)}"
        return f"not {self._order.gap} after {ends}" if self._order.gap else f"not later than {ends}"

    def _moment(self, pair: Pair, micros: int) -> str:
        """A time for a message, unless the suite keeps that of either split out."""
        times = self._order.asked.times
        one, other = (times[min(at, len(times) - 1)].name for at in pair)
        return self.text(one, self.text(other, moment_text(micros, self._order.asked.timezone)))

    def _stray(self, row: StrayRow, reason: str) -> Violation:
        times = self._order.asked.times
        shown = self._order.wanted.shown if self._order.wanted else ()
        names = (times[min(row.split, len(times) - 1)].name, *(p.name for p in shown))
        key = dict(zip(reversed(names), reversed(row.values), strict=True))
        return Violation(
            "out_of_order", dict(reversed(key.items())), reason, actual=f"a row of {self.names[row.split]}"
        )

    def _counts(self, one: SharedKey, pair: Pair) -> str:
        return ", ".join(f"{count(one.counts[at], 'row')} of {self.names[at]}" for at in pair)

    def _named(self, share: Share, key: SharedKey) -> str:
        named = [f"{c}={self.text(c, v)}" for c, v in zip(share.names, key.values, strict=False)]
        more = f", … ({len(share.names)} columns)" if len(named) > _NAMED_COLUMNS else ""
        return ", ".join(named[:_NAMED_COLUMNS]) + more


def _sides(name: str, one: int, other: int) -> dict[str, int]:
    return {name: one + other, f"{name}_first": one, f"{name}_second": other}


def _article(noun: str) -> str:
    return f"an {noun}" if noun.startswith("e") else f"a {noun}"


def _first(row: StrayRow) -> int:
    return row.first
