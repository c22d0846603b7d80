"""Two nights of one suite: the second reads the second day, and what arrived late."""

import sys
from pathlib import Path

from tests.system.conftest import call, rows

SUITE = """
suite: nights
results: ${RESULTS}
datasets:
  flights: {path: TABLE, time_column: time_hour}
checks:
  - {id: rows, type: row_count, dataset: flights, window: {end: "${date}", length: 7d}}
  - {id: filled, type: completeness, dataset: flights, window: {end: "${date}", length: 7d}, columns: {like: "*"},
     error_if: {violation_rate: "> 5 %"}, warn_if: {violation_rows: "> 0"}}
  - {id: shape, type: column_profile, dataset: flights, window: {end: "${date}", length: 7d}, columns: [air_time]}
  - {id: all_rows, type: row_count, dataset: flights}
"""
WRITE = """
from sparkguard import app
with app.session("write") as spark:
    flights = spark.read.format("delta").load("{source}").where("{where}")
    flights.coalesce(1).write.format("delta").mode("append").save("{target}")
"""


def write(data: Path, target: Path, where: str) -> None:
    done = call([sys.executable, "-c", WRITE.format(source=data / "flights", target=target, where=where)])
    assert done.code == 0, done.err


def test_a_second_night_reads_the_second_day_and_what_came_late(data: Path, tmp_path: Path) -> None:
    table, results, file = tmp_path / "flights", tmp_path / "results", tmp_path / "nights.yaml"
    file.write_text(SUITE.replace("TABLE", str(table)), encoding="utf-8")
    local = "year = 2013 AND time_hour >= '2013-10-21T00:00:00Z'"
    write(data, table, f"{local} AND time_hour < '2013-11-04T00:00:00Z' AND flight <> 1")
    options = ["--set", f"RESULTS={results}"]
    first = call(["sparkguard", "run", file, "--date", "2013-11-04", *options])
    assert first.code == 0, first.out + first.err

    write(data, table, f"{local} AND time_hour < '2013-11-05T00:00:00Z' AND time_hour >= '2013-11-04T00:00:00Z'")
    write(data, table, f"{local} AND flight = 1 AND date(time_hour) = '2013-10-30'")
    plan = call(["sparkguard", "run", file, "--date", "2013-11-05", "--dry-run", *options]).out
    assert "reads 2 of 7 days, the rest is known from earlier nights" in plan
    assert "answered by Delta's log" in plan
    second = call(["sparkguard", "run", file, "--date", "2013-11-05", *options])
    assert second.code == 0, second.out + second.err
    again = call(["sparkguard", "run", file, "--date", "2013-11-05", "--results", tmp_path / "other", *options])
    assert again.code == 0, again.out + again.err

    counted = [
        {(r["check_id"], r["subject"]): (r["evaluated_rows"], r["violation_rows"], r["status"], r["exactness"])
         for r in rows(place, "check_results") if str(r["run_date"]) == "2013-11-05"}
        for place in (results, tmp_path / "other")
    ]  # fmt: skip
    assert counted[0] == counted[1]
    assert counted[0]["filled", "dep_time"][2] == "warn"
    numbers = [
        {(r["check_id"], r["column_name"], r["metric_name"]): r["value"] for r in rows(place, "metrics")
         if str(r["run_date"]) == "2013-11-05" and not r["metric_name"].startswith(("q", "distinct"))}
        for place in (results, tmp_path / "other")
    ]  # fmt: skip
    assert {k: round(v, 6) for k, v in numbers[0].items() if v is not None} == {
        k: round(v, 6) for k, v in numbers[1].items() if v is not None
    }
    days = {r["window_start"] for r in rows(results, "states") if r["window_start"] is not None}
    assert len(days) == 8
