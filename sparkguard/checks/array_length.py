"""Do vectors have the shape that the model takes?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar, Self

from pydantic import Field, model_validator

from sparkguard.core.columns import Column
from sparkguard.core.evidence import Evidence
from sparkguard.core.finding import Quantity
from sparkguard.core.measure import Answer, Broken, Measure
from sparkguard.core.types import element
from sparkguard.measures.conditions import WrongLength
from sparkguard.measures.profile import Extremes
from sparkguard.shapes.rows import ROW_QUANTITIES, ColumnRowsCheck, Rule


class ArrayLength(ColumnRowsCheck):
    """Counts rows whose array has not the right number of elements: one fixed length unless told otherwise.

    Without `length`, `min_length` and `max_length`, all arrays must be as long as the longest. A NULL
    is not judged: `completeness` counts it.

    Cost: shares one scan with all such checks of the same window; no shuffle. Where a bound is
    broken, and where lengths differ that should not, a second scan.

    Blind to: arrays of the right length with their elements in the wrong order, or padded.

    Example:
        >>> from sparkguard.testing import judge
        >>> check = ArrayLength(id="shape", dataset="t", columns="v")
        >>> [finding] = judge(check, {"t": [{"v": [1.0, 2.0]}, {"v": [3.0]}, {"v": [4.0, 5.0]}]})
        >>> finding.status.value, finding.message
        ('fail', '1 of 3 rows is not of 2 elements in v, for example v=[3.0]')
    """

    FITS: ClassVar[str] = "an array"
    QUANTITIES: ClassVar[Mapping[str, str]] = {
        "shortest": "elements of the shortest array",
        "longest": "elements of the longest array",
        **ROW_QUANTITIES,
    }

    length: int | None = Field(default=None, ge=0, examples=["128"])
    """The number of elements of every array."""
    min_length: int | None = Field(default=None, ge=0)
    """The least number of elements, in the place of `length`."""
    max_length: int | None = Field(default=None, ge=0)
    """The greatest number of elements, in the place of `length`."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.length is not None and (self.min_length is not None or self.max_length is not None):
            message = "has length and min_length or max_length; give one of them"
            raise ValueError(message)
        if self.min_length is not None and self.max_length is not None and self.min_length > self.max_length:
            message = f"min_length {self.min_length} is more than max_length {self.max_length}"
            raise ValueError(message)
        return self

    def fits(self, column: Column) -> bool:
        """Only arrays have elements."""
        return element(column.type) is not None

    def ask_column(self, column: Column, seen: Evidence) -> Iterable[Measure[Answer]]:
        """First the lengths, by which the rule is known."""
        lengths = Extremes(self.source, column, lengths=True)
        yield lengths
        if self._given or (lengths in seen and not isinstance(seen.get(lengths), Broken)):
            yield from super().ask_column(column, seen)

    def rule(self, column: Column, seen: Evidence) -> Rule:
        """What has another length is wrong."""
        lengths = Extremes(self.source, column, lengths=True)
        found = seen.require(lengths) if lengths in seen else None
        shortest, longest = (None, None) if found is None else (found.low, found.high)
        low, high = (self.length, self.length) if self.length is not None else (self.min_length, self.max_length)
        if not self._given:
            low = high = 0 if longest is None else int(longest)
        elements = f"{low} elements" if low == high else f"{low or 0} to {'∞' if high is None else high} elements"
        known = {"shortest": shortest, "longest": longest}
        return Rule(
            self.finding(column, quantities={n: Quantity(None if v is None else float(v)) for n, v in known.items()}),
            WrongLength(column, low, high),
            kind="wrong_length",
            fine=f"{column.name} has {elements}",
            wrong=f"not of {elements} in {column.name}",
            expected=elements,
            remedy="look for another version of the model or tokenizer that made the vectors, or for truncation",
        )

    @property
    def _given(self) -> bool:
        return (self.length, self.min_length, self.max_length) != (None, None, None)
