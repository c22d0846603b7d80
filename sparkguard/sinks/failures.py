"""What a check found in a recorded run, as keys of rows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sparkguard.core.suite import Results
from sparkguard.core.text import REDACTED, few
from sparkguard.errors import ConfigError, DataError
from sparkguard.sinks.tables import Query

_ID = re.compile(r"[\w.-]+")
_SHOWN = 5


@dataclass(frozen=True)
class Failures:
    """The evidence of one kind: whose, of which run, and the different keys."""

    kind: str
    suite: str
    check: str
    run_id: str
    run_date: date
    owner: str | None
    message: str
    keys: tuple[dict[str, str | None], ...]


def failures_of(query: Query, results: Results, check: str, run_id: str | None, key: Sequence[str]) -> list[Failures]:
    """The evidence of a check's last run that left some, by kind; with `key` by these columns alone.

    `DataError` if there is none, or its keys lack a column or are hidden.
    """
    if not all(_ID.fullmatch(name) for name in (check, run_id or check)):
        message = f"'{check}' is no id of a check" if not _ID.fullmatch(check) else f"'{run_id}' is no id of a run"
        raise ConfigError(message)
    one = f"AND v.run_id = '{run_id}'" if run_id else ""
    rows = query(
        "SELECT v.kind, v.key, v.rank, v.suite, v.run_id, v.attempt, v.run_date, r.started_at, c.owner, c.message "  # noqa: S608 - both ids were checked
        "FROM {violations} v JOIN {runs} r ON v.suite = r.suite AND v.run_id = r.run_id AND v.attempt = r.attempt "
        "JOIN {check_results} c ON v.result_id = c.result_id AND v.attempt = c.attempt "
        f"WHERE v.check_id = '{check}' {one}"
    )
    if not rows:
        message = f"no evidence of check '{check}'{' in run ' + run_id if run_id else ''} is recorded in '{results}'"
        raise DataError(message, "name a check that failed, or one whose violations are kept")
    last = max(rows, key=lambda row: (row["run_date"], row["started_at"]))
    same = ("suite", "run_id", "attempt")
    mine = sorted((row for row in rows if all(row[n] == last[n] for n in same)), key=lambda row: row["rank"])
    kinds: dict[str, list[dict[str, str | None]]] = {}
    for row in mine:
        found = {name: value for name, value in row["key"].items() if not key or name in key}
        _require(found, key, row["key"])
        if found not in kinds.setdefault(row["kind"], []):
            kinds[row["kind"]].append(found)
    about = (last["suite"], check, last["run_id"], last["run_date"], last["owner"], last["message"])
    return [Failures(kind, *about, tuple(keys)) for kind, keys in kinds.items()]


def _require(found: dict[str, str | None], key: Sequence[str], whole: dict[str, str | None]) -> None:
    lacking = [name for name in key if name not in found]
    hidden = [name for name, value in found.items() if value == REDACTED]
    message = None
    if lacking:
        message = f"the evidence has no {few(lacking, _SHOWN)}; it has {few(list(whole), _SHOWN)}"
    elif hidden:
        message = f"the suite keeps {few(hidden, _SHOWN)} out of its evidence"
    if message is not None:
        raise DataError(message, "name columns of the evidence that are shown: --key")
