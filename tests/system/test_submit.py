"""The jobs under real spark-submit, and what a user or a scheduler sees of them."""

import csv
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.system.conftest import ROOT, call, environment, rows, same_results

DATE = ["--date", "2026-01-31"]


def test_run_suite_is_the_whole_suite_and_the_same_as_the_command(
    suite: Callable[[], Path], tmp_path: Path, reference: Path
) -> None:
    done = call(["spark-submit", "jobs/run_suite.py", "--config", suite(), *DATE, "--set", f"RESULTS={tmp_path / 'r'}"])
    assert done.code == 5, done.err
    assert "PASS    good_key" in done.out
    assert "FAIL    bad_key  3 keys occur more than once" in done.out
    assert same_results(tmp_path / "r", reference)


def test_duplicate_keys_finds_the_hour_that_weather_has_twice(data: Path, tmp_path: Path) -> None:
    job = ["spark-submit", "jobs/duplicate_keys.py", "--dataset", f"path={data / 'weather'},time_column=time_hour"]
    done = call([*job, "--key", "origin,year,month,day,hour", "--results", tmp_path / "r"])
    assert done.code == 5, done.err
    metrics = {m["metric_name"]: m["value"] for m in rows(tmp_path / "r", "metrics")}
    assert (metrics["duplicate_keys"], metrics["evaluated_rows"]) == (3, 26_115)
    keys = [dict(v["key"]) for v in rows(tmp_path / "r", "violations")]
    assert {(k["origin"], k["year"], k["month"], k["day"], k["hour"]) for k in keys} == {
        (airport, "2013", "11", "3", "1") for airport in ("EWR", "JFK", "LGA")
    }
    [result] = rows(tmp_path / "r", "check_results")
    assert (result["check_id"], result["dataset_version"]) == ("duplicate_keys.weather", 0)
    run = rows(tmp_path / "r", "runs")[0]["run_id"]
    assert call(["sparkguard", "verdict", "--run-id", run, "--results", tmp_path / "r"]).code == 5


def test_upstreams_are_told_from_those_that_are_missing(data: Path, tmp_path: Path) -> None:
    weather = f"{{path: {data / 'weather'}, time_column: time_hour}}"
    upstreams = (
        f"[{{rows: {weather}, partitions: {{origin: [EWR, JFK, LGA]}}, at_least: 15}}, "
        f'{{marker: "{tmp_path}/ds=${{date}}/_SUCCESS"}}]'
    )
    job = ["spark-submit", "jobs/upstream_ready.py", "--upstreams", upstreams, "--window", "end=2013-11-04,length=1d"]
    early = call([*job, "--date", "2013-11-04", "--results", tmp_path / "r", "--wait", "timeout=2s,poll=1s"])
    assert early.code == 5, early.err
    assert f"'{tmp_path}/ds=2013-11-04/_SUCCESS' does not exist" in early.out
    (tmp_path / "ds=2013-11-04").mkdir()
    (tmp_path / "ds=2013-11-04/_SUCCESS").touch()
    again = call([*job, "--date", "2013-11-04", "--results", tmp_path / "r"])
    assert again.code == 0, again.out + again.err
    found = {(r["subject"], r["status"], r["transition"]) for r in rows(tmp_path / "r", "check_results")}
    marker = f"{tmp_path}/ds=${{date}}/_SUCCESS"
    assert found == {("weather", "pass", "steady"), (marker, "fail", "new"), (marker, "pass", "recovered")}


def brute_force(flights: Path) -> tuple[int, int]:
    """Flights of 2013-11-03 (UTC), and how many of their routes flew in the 30 days before."""
    with flights.open(encoding="utf-8") as file:
        found = [
            (r["time_hour"][:10], (r["carrier"], r["flight"], r["origin"], r["dest"])) for r in csv.DictReader(file)
        ]
    before = {key for day, key in found if "2013-10-04" <= day < "2013-11-03"}
    window = [key for day, key in found if day == "2013-11-03"]
    return len(window), sum(key in before for key in window)


def test_the_true_keys_of_flights_and_weather_are_told_from_the_tempting_ones(data: Path, tmp_path: Path) -> None:
    text = f"""
suite: truth
results: {tmp_path / "r"}
datasets:
  flights: {{path: {data / "flights"}, time_column: time_hour}}
  weather: {{path: {data / "weather"}, time_column: time_hour}}
checks:
  - {{id: weather, type: duplicate_keys, dataset: weather, key: [origin, time_hour]}}
  - {{id: flights, type: duplicate_keys, dataset: flights, key: [time_hour, carrier, flight]}}
  - {{id: tempting, type: duplicate_keys, dataset: flights, key: [year, month, day, flight]}}
  - id: history
    type: duplicate_keys
    dataset: flights
    key: [time_hour, carrier, flight]
    window: {{end: 2013-11-04, length: 7d}}
    history: all
  - id: repeated
    type: duplicate_keys
    dataset: flights
    key: [carrier, flight, origin, dest]
    window: {{end: 2013-11-04, length: 1d}}
    history: {{length: 30d}}
"""
    (tmp_path / "truth.yaml").write_text(text, encoding="utf-8")
    assert call(["sparkguard", "run", tmp_path / "truth.yaml", "--quiet"]).code == 5
    values = {(m["check_id"], m["metric_name"]): m["value"] for m in rows(tmp_path / "r", "metrics")}
    assert [values[c, "duplicate_keys"] for c in ("weather", "flights", "tempting", "history")] == [0, 0, 29_768, 0]
    assert values["history", "history_rows"] == 0
    window, seen = brute_force(data / "flights.csv")
    assert (values["repeated", "evaluated_rows"], values["repeated", "history_rows"]) == (window, seen)


def test_without_deltas_jars_the_job_exits_2_and_prints_the_option(suite: Callable[[], Path], tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    env = environment({"SPARK_CONF_DIR": str(tmp_path / "conf")})
    done = call(["spark-submit", "jobs/run_suite.py", "--config", suite(), "--set", "RESULTS=x"], env=env)
    assert done.code == 2
    assert "--packages io.delta:delta-spark_4.1_2.13:4.4.0" in done.err + done.out
    assert "Traceback" not in done.err + done.out


def test_a_place_that_cannot_be_written_exits_4(suite: Callable[[], Path]) -> None:
    done = call(["sparkguard", "run", suite(), "--set", "RESULTS=/proc/nowhere"])
    assert done.code == 4
    assert "results cannot be written to '/proc/nowhere'" in done.out
    assert "Traceback" not in done.err


def test_a_missing_table_exits_3_and_prints_no_page_of_json(suite: Callable[[], Path], tmp_path: Path) -> None:
    file = suite()
    file.write_text(file.read_text(encoding="utf-8").replace("/bad}", "/gone}"), encoding="utf-8")
    done = call(["sparkguard", "run", file, "--set", f"RESULTS={tmp_path / 'r'}", "--log-format", "json"])
    assert done.code == 3
    assert "there is no such data" in done.out
    assert '{"ts"' not in done.err + done.out
    assert [r["status"] for r in rows(tmp_path / "r", "runs")] == ["errored"]


def test_a_folder_of_suites_runs_in_one_application(suite: Callable[[str], Path], tmp_path: Path) -> None:
    suite("one")
    suite("two")
    done = call(["sparkguard", "run", tmp_path, *DATE, "--set", f"RESULTS={tmp_path / 'r'}"])
    assert done.code == 5, done.err
    found = rows(tmp_path / "r", "runs")
    assert {r["suite"] for r in found} == {"one", "two"}
    assert len({r["application_id"] for r in found}) == 1


def test_without_java_there_is_one_clear_sentence(suite: Callable[[], Path], tmp_path: Path) -> None:
    for program in ("python3", "bash", "sh"):
        (tmp_path / program).symlink_to(str(shutil.which(program)))
    env = {**environment(), "PATH": str(tmp_path)}
    env.pop("JAVA_HOME", None)
    done = call([sys.executable, ROOT / "jobs/run_suite.py", "--config", suite(), "--set", "RESULTS=x"], env=env)
    assert done.code == 2
    assert done.err.strip().startswith("Java was not found; install Java 17 or 21")


@pytest.mark.parametrize("target", ["demo", "test"])
def test_make_without_java_says_what_to_install(tmp_path: Path, target: str) -> None:
    for program in ("python3", "bash", "sh", "make", "test", "true"):
        found = shutil.which(program)
        if found:
            (tmp_path / program).symlink_to(found)
    shutil.copy(ROOT / "Makefile", tmp_path / "Makefile")
    for name in ("requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "jobs").mkdir()
    shutil.copy(ROOT / "jobs/setup_delta.py", tmp_path / "jobs")
    env = {k: v for k, v in environment().items() if k != "JAVA_HOME"} | {"PATH": str(tmp_path)}
    done = call([tmp_path / "make", target], cwd=tmp_path, env=env)
    assert done.code == 2
    assert "Java was not found: install Java 17 or 21" in done.out


def test_a_healthy_week_of_flights_is_like_the_weeks_before_it(data: Path, tmp_path: Path) -> None:
    job = ["spark-submit", "jobs/distribution_drift.py", "--results", tmp_path / "r"]
    week = ["--dataset", f"path={data / 'flights'},time_column=time_hour", "--window", "end=2013-11-04,length=7d"]
    past = ["--reference-window", "end=2013-10-28,length=300d", "--columns", "dep_delay,arr_delay,carrier,distance"]
    done = call([*job, *week, *past])
    assert done.code == 0, done.out + done.err
    found = {row["subject"]: row["status"] for row in rows(tmp_path / "r", "check_results")}
    assert found == dict.fromkeys(["dep_delay", "arr_delay", "carrier", "distance", ":all"], "pass")
    assert {m["metric_name"] for m in rows(tmp_path / "r", "metrics")} >= {"ks_statistic", "js_distance", "limit"}
    wrong = call([*job, *week, *past, "--block", "6h"])
    assert wrong.code == 2
    assert "days are counted" in wrong.out
