"""Where a table is, and what it is called."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sparkguard.core.source import Dataset
from sparkguard.core.text import last_part

_NO_NAME = re.compile(r"[^\w.-]+")


@dataclass(frozen=True)
class Place:
    """Where a table is: `path` with its `format`, or the name of a `table`."""

    path: str | None = None
    table: str | None = None
    format: str | None = None

    @property
    def short(self) -> str:
        """The last part of the path or name, with what a suite's name may hold."""
        last = str(self.path).rstrip("/").rpartition("/")[2] if self.path else last_part(str(self.table))
        return _NO_NAME.sub("_", last.removesuffix(".parquet")) or "table"

    @property
    def can_name_a_suite(self) -> bool:
        """Whether `${table}` of the table's name may stand in the name of a suite."""
        return self.table is None or last_part(self.table) == self.short

    def entry(self) -> dict[str, str]:
        """As a dataset of a suite."""
        fields = {"path": self.path, "table": self.table, "format": self.format}
        return {name: value for name, value in fields.items() if value is not None}

    def dataset(self, name: str, version: int | None = None) -> Dataset:
        """As the engine knows it."""
        return Dataset(name, path=self.path, table=self.table, format=self.format, version=version)


def names_in_family(places: Sequence[Place]) -> list[str]:
    """What tables are called in one file: their whole names, or of paths names without dots, each another."""
    found: list[str] = []
    for place in places:
        name = plain = place.table or place.short.replace(".", "_")
        number = 1
        while name in found:
            number += 1
            name = f"{plain}_{number}"
        found.append(name)
    return found
