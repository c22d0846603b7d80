"""Do texts have the shape that they should?"""

from __future__ import annotations

import re
import warnings
from typing import ClassVar, Self

from pydantic import Field, model_validator

from sparkguard.core.columns import Column
from sparkguard.core.evidence import Evidence
from sparkguard.core.expectation import Expectation
from sparkguard.core.types import is_text
from sparkguard.measures.conditions import NotMatching
from sparkguard.shapes.rows import ColumnRowsCheck, Rule
from sparkguard.shapes.wording import Words, for_each_column, refuse

_COMMENTS = re.compile(r"\(\?[a-zA-Z]*x")
_JAVA_ONLY = re.compile(r"\\(?:[pP]\{[^}]*\}|[hHvVRXQEGzZ])")


class Pattern(ColumnRowsCheck):
    """Counts rows whose text does not match a regular expression as a whole.

    The expression is one of Java's, as Spark has them; (?i) at its start ignores case. A NULL is not
    judged: `completeness` counts it.

    Cost: shares one scan with all such checks of the same window; no shuffle. Where a bound is
    broken, a second scan shows rows. A pattern that backtracks much costs much.

    Blind to: texts of the right shape and the wrong content.

    Example:
        >>> from sparkguard.testing import judge
        >>> check = Pattern(id="tailnum", dataset="t", columns="x", pattern="N[0-9A-Z]{1,5}")
        >>> [finding] = judge(check, {"t": [{"x": "N14228"}, {"x": "D-ABCD"}, {"x": "N1 "}]})
        >>> finding.status.value, int(finding.violation_rows)
        ('fail', 2)
    """

    FITS: ClassVar[str] = "text"

    pattern: str = Field(min_length=1, examples=["N[0-9A-Z]{1,5}"])
    """A regular expression of Java that the whole text must match."""

    @model_validator(mode="after")
    def _well_formed(self) -> Self:
        try:
            with warnings.catch_warnings(action="ignore"):  # of what Java and Python read differently
                re.compile(_JAVA_ONLY.sub(".", self.pattern))
        except re.error as error:
            if any(word in str(error) for word in ("missing", "unterminated", "unbalanced", "nothing to repeat")):
                message = f"'{self.pattern}' is not a regular expression: {error}"
                raise ValueError(message) from error
        return self

    def fits(self, column: Column) -> bool:
        """Other types have no one text."""
        return is_text(column.type)

    def rule(self, column: Column, seen: Evidence) -> Rule:
        """What does not match is wrong."""
        del seen
        return Rule(
            self.finding(column),
            NotMatching(column, self.pattern),
            kind="no_match",
            fine=f"{column.name} matches {self.pattern}",
            wrong=f"not of the pattern {self.pattern} in {column.name}",
            expected=self.pattern,
            remedy="look for padding, another case, or a column that was filled with another",
        )

    def as_expectations(self) -> tuple[Expectation, ...]:
        """Values match a regular expression, which GX only looks for, so it gets both ends."""
        return for_each_column(self, self._words)

    def _words(self) -> Words:
        if _COMMENTS.search(self.pattern):
            refuse("(?x), whose comments would swallow the end,", self)
        return "expect_column_values_to_match_regex", {"regex": rf"\A(?:{self.pattern})\z"}
