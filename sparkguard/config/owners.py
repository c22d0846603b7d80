"""Who owns which tables: a file of name patterns, of which the first match wins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from sparkguard.config.yaml import parse, show_path
from sparkguard.errors import ConfigError, Problem


@dataclass(frozen=True)
class Owners:
    """Patterns of tables' names with their owner, in the order of the file."""

    patterns: tuple[tuple[str, str], ...] = ()

    def of(self, *names: str) -> str | None:
        """The owner of a table that is known by several names."""
        return next((who for pattern, who in self.patterns if any(fnmatchcase(n, pattern) for n in names)), None)


def read_owners(text: str, file: str, variables: Mapping[str, str]) -> Owners:
    """Read `"clicks_*": ads`; `ConfigError` holds every entry that is not a pattern and a name."""
    document = parse(text, file, variables)
    if not isinstance(document.data, Mapping):
        message = 'expected patterns of tables\' names with their owners, for example "clicks_*": ads'
        raise ConfigError(Problem(message, document.where(())))
    wrong = [
        Problem(f"found {owner!r}, expected the name of an owner", document.where((pattern,)), show_path((pattern,)))
        for pattern, owner in document.data.items()
        if not isinstance(owner, str) or not owner
    ]
    if wrong:
        raise ConfigError(*wrong)
    return Owners(tuple((str(pattern), str(owner)) for pattern, owner in document.data.items()))
