"""A check type in words: what it asks, its fields, quantities, defaults and cost."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

from sparkguard.config.catalog import catalog
from sparkguard.core.check import Check
from sparkguard.core.text import did_you_mean
from sparkguard.errors import ConfigError, Problem


def summary(check: type[Check]) -> str:
    """The first sentence of the type's documentation."""
    return inspect.cleandoc(check.__doc__ or "").split("\n")[0]


def explain_lines(kind: str) -> Iterator[str]:
    """Everything a user needs to write a check of this type."""
    if kind not in catalog():
        raise ConfigError(Problem(f"unknown check type '{kind}'{did_you_mean(kind, catalog())}"))
    check = catalog()[kind]
    yield kind
    yield from ("  " + line for line in inspect.cleandoc(check.__doc__ or "").split("\n"))
    yield "\nFields (of every check, then its own):"
    for name, field in check.model_fields.items():
        default = "required" if field.is_required() else f"default {_shown(field.default)}"
        yield f"  {name} ({default})"
        yield f"      {field.description}"
    yield "\nQuantities, for error_if and warn_if:"
    yield from (f"  {name}: {meaning}" for name, meaning in check.QUANTITIES.items())
    yield f"\nCost: {check.COST}"


def _shown(default: object) -> str:
    if isinstance(default, dict):
        return "{" + ", ".join(f'{k}: "{v}"' for k, v in default.items()) + "}"
    if isinstance(default, tuple):
        return "[" + ", ".join(map(str, default)) + "]"
    return "none" if default is None else str(default)
