"""Numbers, secrets and exceptions in messages."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence

REDACTED = "[redacted]"
"""Stands for a value that a suite keeps out of tables and messages."""

_HIDDEN = "***"
_WORD = (
    r"(?:password|passwd|passphrase|(?<![a-z])pwd(?![a-z])|secret|token|credential|api[_-]?key|access[_-]?key|"
    r"account[_-]?key|(?<![a-z])sig(?:nature)?(?![a-z]))"
)
_SECRETS = (
    (re.compile(rf"(?i)([\w.-]*{_WORD}[\w.-]*[\"']?\s*[=:]\s*[\"']?)[^\s\"'&;,)]+"), rf"\1{_HIDDEN}"),
    (re.compile(r"(\w+://[^\s/:@]+:)\S+@"), rf"\1{_HIDDEN}@"),
    (re.compile(r"(?i)\b((?:bearer|basic)\s+)[\w.~+/=-]{8,}"), rf"\1{_HIDDEN}"),
    (re.compile(r"\bAKIA[0-9A-Z]{16}\b"), _HIDDEN),
)
_SECRET_NAME = re.compile(rf"(?i){_WORD}|(?<![a-z])pass(?![a-z])")
_LAST_PART = re.compile(r"(?:`(?:[^`]|``)+`|[^.`]+)$")
_PYTHON_ERROR = re.compile(r"[A-Za-z_.]+(?:Error|Exception): \S")
_NO_SECRETS = ("PWD", "OLDPWD")
_SHORTEST_SECRET = 6
_LONGEST_LINE = 500
_LARGEST_EXACT = 1e15
_LONG_SECONDS, _LONG_MINUTES = 119.5, 7200


def count(number: float, noun: str, plural: str | None = None) -> str:
    """`1 row`, `1,204 rows`."""
    return f"{number:,.0f} {noun if number == 1 else plural or noun + 's'}"


def number(value: float) -> str:
    """A number for people: whole ones in full with separators, others with six digits."""
    return f"{value:,.0f}" if float(value).is_integer() and abs(value) < _LARGEST_EXACT else f"{value:.6g}"


def short(value: float, digits: int = 3) -> str:
    """A number of a few digits: three are enough for where something may lie."""
    return number(float(f"{value:.{digits}g}"))


def percent(share: float) -> str:
    """A share of three digits for people: `4.1 %`."""
    return f"{short(100 * share)} %"


def lasting(seconds: float) -> str:
    """A length of time for people: `45 s`, `30 min`, `3.5 h`."""
    if seconds < _LONG_SECONDS:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < _LONG_MINUTES else f"{seconds / 3600:.3g} h"


def is_secret(name: str) -> bool:
    """Whether a variable of this name holds a secret, to judge by the name."""
    return name not in _NO_SECRETS and _SECRET_NAME.search(name) is not None


def hides(redacted: Iterable[str], column: str) -> bool:
    """Whether a column is among the redacted ones, inside one or around one, however either is spelled."""
    plain = _folded(column)
    names = [_folded(name) for name in redacted]
    return any(plain == name or plain.startswith(name + ".") or name.startswith(plain + ".") for name in names)


def last_part(name: str) -> str:
    """`clicks` of `main.features.clicks` and of `lake/clicks`, without backticks."""
    last = name.rstrip("/").rpartition("/")[2]
    found = _LAST_PART.search(last)
    if found is None:
        return last or name
    return found[0].strip("`").replace("``", "`") if found[0].startswith("`") else found[0]


def brief(text: str, most: int) -> str:
    """The first `most` characters of a text, an ellipsis among them where it goes on."""
    return text if len(text) <= most else text[: most - 1] + "…"


def few(names: Sequence[str], most: int, separator: str = ", ") -> str:
    """`a, b, c and 4 more`: the first `most` of some names."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return separator.join(names[:most]) + more


def did_you_mean(name: str, allowed: Iterable[str]) -> str:
    """`, did you mean 'type'?`, or the whole list where nothing is near."""
    names = list(allowed)
    close = difflib.get_close_matches(name.lower(), {n.lower(): n for n in names}, 1, 0.5)
    if close:
        return f", did you mean '{next(n for n in names if n.lower() == close[0])}'?"
    return f"; allowed: {', '.join(sorted(names))}" if names else ""


def without_secrets(text: str, secrets: Iterable[str] = ()) -> str:
    """Hide known secret values, and whatever looks like a password, token or signed URL."""
    for secret in sorted((s for s in secrets if len(s) >= _SHORTEST_SECRET), key=len, reverse=True):
        text = text.replace(secret, _HIDDEN)
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


def first_line(error: BaseException) -> str:
    """The telling line of an exception, without Py4J's preamble and Spark's stack."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    causes = [line for line in lines if line.startswith("Caused by:")]
    line = lines[0]
    if "An error occurred while calling" in line and len(lines) > 1:
        line = lines[1].lstrip(": ")
    if "Job aborted" in line and causes:
        line = causes[-1].removeprefix("Caused by: ")
    if "thrown from the Python worker" in line:
        line = next((told for told in reversed(lines) if _PYTHON_ERROR.match(told)), line)
    line = re.sub(r"\s*SQLSTATE: \w+;?.*$", "", line)
    return brief(line, _LONGEST_LINE)


def _folded(column: str) -> str:
    return column.replace("`", "").casefold()
