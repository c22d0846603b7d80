"""Rows that have the values which an expectation judges, where Great Expectations does not count them.

Of columns without a value it calls many an expectation a success.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import and_
from typing import Any

from pyspark.sql import Column
from pyspark.sql import functions as F

from sparkguard.measures.expectations import Outcome
from sparkguard.shapes.gx import columns_of

_OF_NO_VALUE = {
    "expect_column_proportion_of_non_null_values_to_be_between",
    "expect_column_to_exist",
    "expect_column_type_to_be",
    "expect_column_values_to_be_in_type_list",
    "expect_column_values_to_be_of_type",
    "expect_table_columns_to_match_ordered_list",
    "expect_table_columns_to_match_set",
}
"""Expectations that name columns and hold or not whatever is NULL."""
_COMPARES = "expect_column_pair_values_a_to_be_greater_than_b"
"""A NULL on one side is as expected to it; to the others that count rows it is a value or counted as missing."""


@dataclass(frozen=True)
class Looks:
    """The columns that an expectation compares or aggregates, and as JSON the condition of its rows."""

    columns: tuple[str, ...]
    condition: str

    @property
    def has_values(self) -> Column:
        """Whether a row is judged."""
        return reduce(and_, [F.col(name).isNotNull() for name in self.columns])


def is_open(kind: str, outcome: Outcome) -> bool:
    """Whether it may be for want of values that an expectation holds, or is said to hold for so many rows."""
    if outcome.rows is None:
        return outcome.holds is True
    return outcome.rows > 0 and kind == _COMPARES


def looks_of(kind: str, kwargs: Mapping[str, Any]) -> Looks | None:
    """Where an expectation of these arguments looks; None if it looks at no value."""
    columns = columns_of(kwargs)
    condition = {name: kwargs.get(name) for name in ("row_condition", "condition_parser")}
    return Looks(columns, json.dumps(condition, sort_keys=True)) if columns and kind not in _OF_NO_VALUE else None


def rows_with_values(engine: Any, batch_id: str, wanted: Iterable[Looks]) -> Mapping[Looks, tuple[int, int]]:
    """How many rows meet the condition, and how many of them are judged: a query for each condition."""
    conditions: dict[str, dict[Looks, None]] = {}
    for one in wanted:
        conditions.setdefault(one.condition, {})[one] = None
    found: dict[Looks, tuple[int, int]] = {}
    for condition, looks in conditions.items():
        rows = engine.get_domain_records({"batch_id": batch_id, **json.loads(condition)})
        judged = (F.count(F.when(one.has_values, 1)) for one in looks)
        [[total, *counts]] = rows.agg(F.count(F.lit(1)), *judged).collect()
        found |= {one: (total, n) for one, n in zip(looks, counts, strict=True)}
    return found
