"""Which check types there are: the files of `checks/`, and what plugins add."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib.metadata import entry_points
from types import MappingProxyType, ModuleType

import sparkguard.checks
from sparkguard.core.check import Check
from sparkguard.errors import ConfigError

ENTRY_POINTS = "sparkguard.checks"


@cache
def catalog() -> Mapping[str, type[Check]]:
    """Every check type by the name it has in YAML; a name that two claim is an error."""
    found: dict[str, type[Check]] = {}
    for module in pkgutil.iter_modules(sparkguard.checks.__path__):
        _add(found, importlib.import_module(f"{sparkguard.checks.__name__}.{module.name}"))
    for entry in entry_points(group=ENTRY_POINTS):
        _add(found, entry.load())
    return MappingProxyType(found)


def _add(found: dict[str, type[Check]], module: ModuleType) -> None:
    types = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Check) and value.__module__ == module.__name__
    ]
    for check in types:
        if check.kind() in found:
            message = (
                f"two check types are called '{check.kind()}': {found[check.kind()].__module__} and {check.__module__}"
            )
            raise ConfigError(message)
        found[check.kind()] = check
