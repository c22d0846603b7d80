"""What a check found becomes keys of scenarios: by kind, each once, of its last run."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from sparkguard.core.suite import Results
from sparkguard.errors import ConfigError, DataError
from sparkguard.sinks.failures import failures_of

RESULTS = Results.parse("results")


def row(run: str = "r2", kind: str = "orphan", rank: int = 1, day: int = 2, **key: str | None) -> dict[str, Any]:
    about = {
        "suite": "s",
        "run_id": run,
        "attempt": 1,
        "run_date": date(2026, 1, day),
        "owner": "ops",
        "message": "2 keys",
    }
    return {**about, "kind": kind, "key": key, "rank": rank, "started_at": datetime(2026, 1, day, tzinfo=UTC)}


def found(rows: list[dict[str, Any]], *key: str, run_id: str | None = None) -> list[tuple[str, list[dict[str, Any]]]]:
    return [(f.kind, list(f.keys)) for f in failures_of(lambda _: rows, RESULTS, "fk", run_id, key)]


def test_the_last_run_counts_and_each_kind_is_one() -> None:
    rows = [row("r1", day=1, id="old"), row(rank=2, id="b"), row(id="a"), row(id="a"), row(kind="null_key", id=None)]
    assert found(rows) == [("orphan", [{"id": "a"}, {"id": "b"}]), ("null_key", [{"id": None}])]


def test_a_key_may_be_some_of_the_columns() -> None:
    assert found([row(id="a", day_of="1"), row(id="a", day_of="2")], "id") == [("orphan", [{"id": "a"}])]
    with pytest.raises(DataError, match="the evidence has no nr; it has id"):
        found([row(id="a")], "nr")


def test_hidden_values_are_no_keys() -> None:
    with pytest.raises(DataError, match="the suite keeps id out of its evidence"):
        found([row(id="[redacted]")])


def test_nothing_recorded_is_told_and_an_id_is_no_sql() -> None:
    with pytest.raises(DataError, match="no evidence of check 'fk' in run r9 is recorded in 'results'"):
        found([], run_id="r9")
    with pytest.raises(ConfigError, match="is no id of a check"):
        failures_of(lambda _: [], RESULTS, "x' OR 1", None, ())
