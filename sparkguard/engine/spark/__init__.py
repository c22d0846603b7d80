"""The only Spark expressions of sparkguard: one module for each family of measures.

A module declares `COMPUTE`, a map from measure type to the function that answers it, and
`EVIDENCE`, from measure type to the function that gives all its evidence as a frame.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.metadata import entry_points
from typing import Any

from pyspark.sql import DataFrame

from sparkguard.core.columns import Column
from sparkguard.core.measure import Answer, Measure
from sparkguard.core.source import Source

ENTRY_POINTS = "sparkguard.spark"
"""Where plugins declare the families of their own measures."""

Read = Callable[[Source, tuple[Column, ...]], DataFrame]
"""Opens the rows of a source with the given columns, renamed to c0, c1, …"""

Compute = Callable[[Read, Any], Answer]
Evidence = Callable[[Read, Any, str, Sequence[str]], DataFrame]


def computations() -> Mapping[type[Measure[Answer]], Compute]:
    """Every measure type that Spark can answer, with its function."""
    return _declared("COMPUTE")


def evidence_frame(read: Read, measure: Measure[Answer], kind: str, redact: Sequence[str]) -> DataFrame:
    """All evidence of a measure as a frame of `kind`, `key`, `reason` and `count`."""
    find: Evidence = _declared("EVIDENCE")[type(measure)]
    return find(read, measure, kind, redact)


@cache
def _declared(name: str) -> Mapping[type[Measure[Answer]], Any]:
    found: dict[type[Measure[Answer]], Any] = {}
    families = [importlib.import_module(f"{__name__}.{m.name}") for m in pkgutil.iter_modules(__path__)]
    families += [entry.load() for entry in entry_points(group=ENTRY_POINTS)]
    for family in families:
        found.update(getattr(family, name, {}))
    return found
