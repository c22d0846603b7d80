"""The errors of sparkguard: a wrong configuration is never mistaken for wrong data.

Each error knows the exit code that a scheduler sees when nothing catches it.
"""

from __future__ import annotations

from dataclasses import dataclass


class SparkguardError(Exception):
    """The root of everything that sparkguard raises on purpose."""

    exit_code = 3


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a configuration: where it stands and what was expected there."""

    message: str
    where: str = ""
    path: str = ""

    def __str__(self) -> str:
        """Render as `file:line: path: message`, leaving out what is unknown."""
        return ": ".join(part for part in (self.where, self.path, self.message) if part)


class ConfigError(SparkguardError):
    """A suite or an option that cannot be used; nothing was checked."""

    exit_code = 2

    def __init__(self, *problems: Problem | str) -> None:
        """Keep every problem, so that a user mends them all at once."""
        self.problems = tuple(p if isinstance(p, Problem) else Problem(p) for p in problems)
        super().__init__("\n".join(str(p) for p in self.problems))


class DataError(SparkguardError):
    """An input that could not be read or does not have what a check needs.

    The check that asked becomes `error`; the other checks go on.
    """

    def __init__(self, message: str, remedy: str | None = None) -> None:
        """Carry what happened and, where it is known, what to do about it."""
        super().__init__(message)
        self.remedy = remedy


class SinkError(SparkguardError):
    """Results that could not be written."""

    exit_code = 4


class CheckFailureError(SparkguardError):
    """Raised by `Report.raise_for_failure` when error-severity checks did not pass."""

    exit_code = 5
