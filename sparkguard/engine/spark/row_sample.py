"""A bounded sample of rows: those whose hash is smallest."""

from __future__ import annotations

import math

from pyspark.sql import functions as F

from sparkguard.core.columns import Column
from sparkguard.engine.spark import Read
from sparkguard.engine.spark.sampling import Packing, packed
from sparkguard.engine.spark.values import hash_of, hashes_apart
from sparkguard.measures.grids import TEXT, kind_of
from sparkguard.measures.row_sample import RowSample, SampledRows

_SURE = 6
"""Standard deviations of a number of rows by chance."""
_EQUAL = 0.05
"""With a larger share of rows that are equal to others, a hash chooses badly."""


def row_sample(read: Read, measure: RowSample) -> SampledRows:
    """Count the rows, then read those with a small hash, a few more than are wanted, and cut them by the hash."""
    rows = read(measure.source, measure.columns)
    many = rows.count()
    asked = [(f"c{i}", c.type, kind_of(c.type) == TEXT) for i, c in enumerate(measure.columns)]
    hashed = content_hash([(f"c{i}", c) for i, c in enumerate(measure.columns)], measure.seed)
    share = min(1.0, (measure.rows + _SURE * math.sqrt(measure.rows)) / max(1, many))
    if share == 1:
        found = packed(rows, asked, hashed, measure.rows)
    else:
        # As text, since a literal of 2^63 is no BIGINT.
        limit = int(share * 2**64) - 2**63
        found = packed(rows.where(f"{hashed} < CAST('{limit}' AS BIGINT)"), asked, hashed, measure.rows)
        if _clumped(found, share * many):
            chosen = rows.where(F.rand(measure.seed) < share)
            found = packed(chosen, asked, "xxhash64(monotonically_increasing_id())", measure.rows)
    return SampledRows(many, found.columns)


def content_hash(columns: list[tuple[str, Column]], seed: int) -> str:
    """A hash of named columns of a row as SQL; of those that have no grid only of where they are NULL."""
    plain = [(name, column.type) for name, column in columns if kind_of(column.type) is not None]
    values = [f"CAST({name} AS BINARY)" if hashes_apart(kind) else name for name, kind in plain]
    return hash_of(values, [name for name, _ in columns], seed=seed)


def _clumped(found: Packing, expected: float) -> bool:
    """Whether rows are equal to each other so often that all of some kind are in the sample, or none."""
    by_chance = abs(found.met - expected) <= _SURE * math.sqrt(expected)
    return not by_chance or found.different < (1 - _EQUAL) * found.met


COMPUTE = {RowSample: row_sample}
