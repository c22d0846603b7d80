"""What Delta's log says of the version that is read."""

from __future__ import annotations

from sparkguard.engine.spark import Logs
from sparkguard.measures.commits import Commit, LastCommit


def last_commit(logs: Logs, measure: LastCommit) -> Commit:
    """Ask the table's history."""
    return Commit(logs.committed(measure.source))


PROBE = {LastCommit: last_commit}
