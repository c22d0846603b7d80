"""What a check says in the words of Great Expectations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Expectation:
    """One expectation: its type in snake case, its arguments, its severity and its id, as a suite holds them."""

    type: str
    kwargs: Mapping[str, object]
    severity: str = "critical"
    id: str | None = None
