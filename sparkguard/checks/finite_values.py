"""Are numbers finite?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from sparkguard.core.columns import Column
from sparkguard.core.evidence import Evidence
from sparkguard.core.fields import ColumnsField, Like
from sparkguard.core.types import element, is_float
from sparkguard.measures.conditions import Infinite, NotANumber, NotFinite
from sparkguard.shapes.rows import ROW_QUANTITIES, ColumnRowsCheck, Rule


class FiniteValues(ColumnRowsCheck):
    """Counts rows in which a number is NaN or infinite, or an array holds such an element or a NULL.

    A NULL is not judged: `completeness` counts it.

    Cost: shares one scan with all such checks of the same window; no shuffle. Where a bound is
    broken, a second scan shows rows.

    Blind to: numbers so large that the model overflows on them; a finite value that stands for
    "unknown".

    Example:
        >>> from sparkguard.testing import judge
        >>> check = FiniteValues(id="finite", dataset="t", columns="x")
        >>> [finding] = judge(check, {"t": [{"x": 1.0}, {"x": float("nan")}, {"x": None}, {"x": float("inf")}]})
        >>> finding.status.value, finding.message
        ('fail', '2 of 3 rows are not finite in x, for example x=inf')
        >>> int(finding.quantities["nan_rows"].value), int(finding.quantities["infinite_rows"].value)
        (1, 1)
    """

    FITS: ClassVar[str] = "a float, a double or an array of them"
    QUANTITIES: ClassVar[Mapping[str, str]] = {
        "nan_rows": "rows with NaN",
        "infinite_rows": "rows with +∞ or -∞",
        **ROW_QUANTITIES,
    }

    columns: ColumnsField = Like(("*",))
    """Columns by name, or by a pattern: {like: "f_*", except: [f_id]}; by default all that fit."""

    def fits(self, column: Column) -> bool:
        """Only these types know NaN."""
        return is_float(element(column.type) or column.type)

    def rule(self, column: Column, seen: Evidence) -> Rule:
        """What is not finite is wrong."""
        del seen
        return Rule(
            self.finding(column),
            NotFinite(column),
            kind="not_finite",
            fine=f"{column.name} is finite",
            wrong=f"not finite in {column.name}",
            expected="a finite number",
            remedy="look for a division by zero, a logarithm of zero, or a text that was read as NaN",
            counts={"nan_rows": NotANumber(column), "infinite_rows": Infinite(column)},
        )
