"""One read for many summaries: all aggregates of a batch in one query.

If the query stops at the data, as an overflow or a cast does, the batch is halved until the measure
that stops it is alone; that one becomes `Broken` and the others are answered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sparkguard.core.batches import Batch
from sparkguard.core.measure import Broken, Dense, State, Summary, Tall
from sparkguard.engine.blocks import Block, numbers
from sparkguard.engine.dense import dense_query
from sparkguard.engine.faults import broken, is_of_the_data
from sparkguard.engine.reader import Reader
from sparkguard.engine.spark import Names, dense_recipes, tall_recipes, wide_recipes

MOST_READS = 24
"""Reads of one batch in search of measures that stop it; twice the halvings of a full batch, and some."""

Reply = tuple[Summary[State], State | Broken]
ByBlock = tuple[Summary[State], Mapping[Block, State] | Broken]


@dataclass
class _Search:
    """What is read, and how often it may still be."""

    blocks: tuple[Block, ...]
    files: tuple[str, ...]
    readable: bool = False
    left: int = field(default_factory=lambda: MOST_READS)


class Fused:
    """Answers batches of summaries, of all rows or block by block."""

    def __init__(self, reader: Reader) -> None:
        """Read through `reader`."""
        self._reader = reader
        self._can: Callable[[str], bool] = cache(reader.can)

    def answer(self, batch: Batch) -> Iterator[Reply]:
        """Answer every measure of a batch."""
        for measure, found in self.answer_blocks(batch, (None,)):
            yield measure, found if isinstance(found, Broken) else found[None]

    def answer_blocks(self, batch: Batch, blocks: Sequence[Block], files: Sequence[str] = ()) -> Iterator[ByBlock]:
        """Answer every measure for each block of time; (None,) stands for all rows, `files` for those of some files."""
        able: list[Summary[State]] = []
        try:
            recipes = [wide_recipes().get(type(measure)) for measure in batch.measures]
            lacking = [r is not None and r.needs is not None and not self._can(r.needs) for r in recipes]
        except Exception as error:  # noqa: BLE001 - whatever Spark raises, a measure says so
            yield from ((m, broken(error, str(m))) for m in batch.measures)
            return
        for measure, recipe, lacks in zip(batch.measures, recipes, lacking, strict=True):
            if recipe is not None and lacks:
                yield measure, Broken(f"{measure}: this Spark has no {recipe.needs}", "run on Spark 4.1 or newer")
            else:
                able.append(measure)
        if able:
            yield from self._search(replace(batch, measures=tuple(able)), _Search(tuple(blocks), tuple(files)))

    def _search(self, batch: Batch, search: _Search) -> Iterator[ByBlock]:
        try:
            query = self._query(batch, search)
            if search.left == 0:
                reason = (
                    f"too many measures of {batch.source} stop at the data; {MOST_READS} reads did not find them all"
                )
                yield from (
                    (m, Broken(f"{m}: {reason}", "correct the measures that are named")) for m in batch.measures
                )
                return
            search.left -= 1
            replies = query()
        except Exception as error:  # noqa: BLE001 - whatever Spark raises, a measure says so
            if len(batch.measures) == 1 or not is_of_the_data(error) or not self._can_read(batch, search):
                yield from ((m, broken(error, str(m))) for m in batch.measures)
                return
            for part in self._suspects(batch, str(error)) or batch.halves():
                yield from self._search(part, search)
            return
        yield from zip(batch.measures, replies, strict=True)

    def _can_read(self, batch: Batch, search: _Search) -> bool:
        """Whether the rows can be read at all: what is wrong with the filter is wrong for every measure."""
        if not search.readable:
            try:
                _analysed(self._reader.frame(batch.source, batch.columns, (), search.blocks, search.files))
            except Exception:  # noqa: BLE001 - the first error is told
                return False
            search.readable = True
        return True

    def _suspects(self, batch: Batch, message: str) -> Sequence[Batch]:
        """The measures whose own expression the message quotes, and the rest, if it quotes any."""
        parts: dict[bool, list[Summary[State]]] = {True: [], False: []}
        for measure in batch.measures:
            names = Names(batch.columns)
            if isinstance(measure, Dense):
                dense_recipes()[type(measure)].cells(measure, names)
            elif isinstance(measure, Tall):
                tall_recipes()[type(measure)].cell(measure, names)
            else:
                wide_recipes()[type(measure)].aggregates(measure, names)
            parts[any(sql in message for sql in names.expressions)].append(measure)
        return [replace(batch, measures=tuple(part)) for part in parts.values()] if all(parts.values()) else ()

    def _query(self, batch: Batch, search: _Search) -> Callable[[], Sequence[Mapping[Block, State]]]:
        """An analysed query: what is wrong with its text shows before anything is read."""
        if isinstance(batch.measures[0], Dense):
            return dense_query(self._reader, batch, search.blocks, search.files)
        return self._tall(batch) if isinstance(batch.measures[0], Tall) else self._wide(batch, search)

    def _wide(self, batch: Batch, search: _Search) -> Callable[[], Sequence[Mapping[Block, State]]]:
        names, recipes = Names(batch.columns), [wide_recipes()[type(m)] for m in batch.measures]
        wanted = [tuple(r.aggregates(m, names)) for r, m in zip(recipes, batch.measures, strict=True)]
        texts = list(dict.fromkeys(text for parts in wanted for text in parts))
        rows = self._reader.frame(batch.source, batch.columns, names.expressions, search.blocks, search.files)
        if search.blocks == (None,):
            query = rows.selectExpr("0 AS b", *(f"{text} AS a{i}" for i, text in enumerate(texts)))
        else:
            query = rows.groupBy("b").agg(*(F.expr(f"{text} AS a{i}") for i, text in enumerate(texts)))
        _analysed(query)

        def states() -> Sequence[Mapping[Block, State]]:
            # A block without rows is known to be empty.
            found: list[dict[Block, State]] = [dict.fromkeys(search.blocks, m.STATE.zero()) for m in batch.measures]
            blocks = numbers(search.blocks)
            for number, *values in query.collect():
                by_text = dict(zip(texts, values, strict=True))
                for state, r, m, parts in zip(found, recipes, batch.measures, wanted, strict=True):
                    state[blocks[number]] = r.state(m, [by_text[text] for text in parts])
            return found

        return states

    def _tall(self, batch: Batch) -> Callable[[], Sequence[Mapping[Block, State]]]:
        names, recipes = Names(batch.columns), [tall_recipes()[type(m)] for m in batch.measures]
        cells = [r.cell(m, names) for r, m in zip(recipes, batch.measures, strict=True)]
        structs = ", ".join(
            f"IF({c.when}, named_struct('i', {i}, 'cell', {c.cell}, 'shown', {_array(c.shown)}), NULL)"
            for i, c in enumerate(cells)
        )
        rows = self._reader.frame(batch.source, batch.columns, names.expressions)
        exploded = rows.selectExpr(f"explode(filter(array({structs}), x -> x IS NOT NULL)) AS x")
        grouped = exploded.selectExpr("x.i AS i", "x.cell AS cell", "x.shown AS shown").groupBy("i", "cell")
        counted = (F.count(F.lit(1)), F.min("shown"), F.max("shown"))
        query = _analysed(grouped.agg(*counted))

        def states() -> Sequence[Mapping[Block, State]]:
            found: list[list[tuple[int, int, Sequence[str | None], Sequence[str | None]]]] = [[] for _ in cells]
            for i, *cell in query.collect():
                found[i].append(tuple(cell))
            return [{None: r.state(m, f)} for r, m, f in zip(recipes, batch.measures, found, strict=True)]

        return states


def _array(texts: Sequence[str]) -> str:
    return f"array({', '.join(texts)})" if texts else "CAST(array() AS ARRAY<STRING>)"


def _analysed(query: DataFrame) -> DataFrame:
    query.schema  # noqa: B018 - Spark Connect analyses on demand
    return query
