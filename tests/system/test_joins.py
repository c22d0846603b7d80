"""The joins that the demo's data invites, with the losses that they are known to have."""

from pathlib import Path
from typing import Any

import pytest

from tests.system.conftest import call, rows

SUITE = """
suite: joins
results: RESULTS
datasets:
  flights: {path: DATA/flights}
  planes: {path: DATA/planes}
  weather: {path: DATA/weather}
  airports: {path: DATA/airports}
  with_planes: {sql: "select f.* from delta.`DATA/flights` f join delta.`DATA/planes` p on f.tailnum = p.tailnum"}
  doubled:
    sql: select * from delta.`DATA/planes` union all select * from delta.`DATA/planes` where tailnum like 'N10%'
  with_doubled:
    sql: >-
      select f.* from delta.`DATA/flights` f left join
      (select tailnum from delta.`DATA/planes` union all
       select tailnum from delta.`DATA/planes` where tailnum like 'N10%') p on f.tailnum = p.tailnum
checks:
  - {id: planes, type: join_reconciliation, before: flights, after: with_planes, other: planes, key: [tailnum]}
  - {id: foretold, type: join_reconciliation, before: flights, other: planes, key: [tailnum]}
  - {id: airports, type: join_reconciliation, before: flights, other: airports, key: [dest], other_key: [faa]}
  - {id: twice, type: join_reconciliation, before: flights, after: with_doubled, other: doubled, key: [tailnum]}
  - id: unchanged
    type: join_reconciliation
    before: flights
    after: {dataset: flights, version: 0}
    key: [time_hour, carrier, flight]
"""


@pytest.fixture(scope="module")
def found(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of the suite."""
    folder = tmp_path_factory.mktemp("joins")
    text = SUITE.replace("DATA", str(data)).replace("RESULTS", str(folder / "r"))
    (folder / "joins.yaml").write_text(text, encoding="utf-8")
    done = call(["sparkguard", "run", folder / "joins.yaml"])
    assert done.code == 5, done.err
    return folder / "r"


def values(found: Path, check: str) -> dict[str, Any]:
    return {m["metric_name"]: m["value"] for m in rows(found, "metrics") if m["check_id"] == check}


def reasons(found: Path, check: str) -> dict[str, set[str]]:
    kinds: dict[str, set[str]] = {}
    for v in rows(found, "violations"):
        if v["check_id"] == check:
            kinds.setdefault(v["kind"], set()).add(v["reason"])
    return kinds


def test_a_join_with_planes_loses_flights_some_for_want_of_a_tail_number(found: Path) -> None:
    for check in ("planes", "foretold"):
        lost = values(found, check)
        assert (lost["lost_rows"], lost["gained_rows"], lost["multiplied_rows"]) == (52_606, 0, 0)
        assert lost["unmatched_rows"] == 52_606
        assert lost["evaluated_rows"] == 336_776
        assert reasons(found, check) == {"lost": {"NULL key", "no match in other"}}
    messages = {r["check_id"]: r["message"] for r in rows(found, "check_results")}
    assert messages["planes"].startswith("52,606 of 336,776 rows are lost (50,094 no match in other: for example ")
    assert "2,512 NULL key: tailnum=NULL" in messages["planes"]


def test_a_join_with_airports_loses_the_flights_to_four_of_them(found: Path) -> None:
    assert values(found, "airports")["lost_rows"] == 7_602
    keys = {dict(v["key"])["dest"] for v in rows(found, "violations") if v["check_id"] == "airports"}
    assert keys == {"BQN", "PSE", "SJU", "STT"}


def test_a_doubled_table_is_caught_with_the_doubled_keys_named(found: Path) -> None:
    twice = values(found, "twice")
    assert (twice["lost_rows"], twice["gained_rows"], twice["changed_rows"]) == (0, 0, 0)
    evidence = [v for v in rows(found, "violations") if v["check_id"] == "twice"]
    assert {v["reason"] for v in evidence} == {"duplicate key in other (2 rows)"}
    assert all(dict(v["key"])["tailnum"].startswith("N10") for v in evidence)
    assert twice["multiplied_rows"] >= sum(v["count"] for v in evidence) > 0


def test_a_version_against_itself_passes(found: Path) -> None:
    [status] = [r["status"] for r in rows(found, "check_results") if r["check_id"] == "unchanged"]
    assert status == "pass"


def test_the_job_reconciles_a_join_with_weather(data: Path, tmp_path: Path) -> None:
    joined = (
        f"select f.* from delta.`{data}/flights` f join delta.`{data}/weather` w "
        "on f.origin = w.origin and f.time_hour = w.time_hour"
    )
    job = [
        "spark-submit",
        "jobs/join_reconciliation.py",
        "--before",
        f"path={data}/flights",
        "--after",
        f"sql={joined}",
    ]
    done = call([*job, "--other", f"path={data}/weather", "--key", "origin,time_hour", "--results", tmp_path / "r"])
    assert done.code == 5, done.err
    found = values(tmp_path / "r", "join_reconciliation.flights-query-weather")
    assert (found["lost_rows"], found["gained_rows"]) == (1_556, 0)
