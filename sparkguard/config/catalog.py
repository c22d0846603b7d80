"""Which check types there are: the files of `checks/`, and what plugins add."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import entry_points

import sparkguard.checks
from sparkguard.core.check import Check
from sparkguard.errors import ConfigError

ENTRY_POINTS = "sparkguard.checks"


class Catalog(Mapping[str, type[Check]]):
    """Every check type by the name it has in YAML."""

    def __init__(self, modules: Mapping[str, str]) -> None:
        """`modules`: the dotted name of each type's module."""
        self._modules = modules

    def __getitem__(self, kind: str) -> type[Check]:
        """Import the type's module, not before it is asked for: to import all takes seconds."""
        return _check(self._modules[kind])

    def __iter__(self) -> Iterator[str]:
        """The names, in the order of the files."""
        return iter(self._modules)

    def __len__(self) -> int:
        """How many types there are."""
        return len(self._modules)


@cache
def catalog() -> Catalog:
    """The installed check types; a name that two claim is an error."""
    package = sparkguard.checks
    modules = {found.name: f"{package.__name__}.{found.name}" for found in pkgutil.iter_modules(package.__path__)}
    for entry in entry_points(group=ENTRY_POINTS):
        kind = entry.module.rpartition(".")[2]
        if kind in modules:
            message = f"two check types are called '{kind}': {modules[kind]} and {entry.module}"
            raise ConfigError(message)
        modules[kind] = entry.module
    return Catalog(modules)


@cache
def _check(module: str) -> type[Check]:
    checks = [
        value
        for value in vars(importlib.import_module(module)).values()
        if isinstance(value, type) and issubclass(value, Check) and value.__module__ == module
    ]
    if len(checks) != 1:
        message = f"{module} defines {len(checks)} check types; a type has its name from its module: expected one"
        raise ConfigError(message)
    return checks[0]
