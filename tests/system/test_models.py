"""A stale model and one of two in a window, found by the job under real spark-submit; a healthy one passes."""

import json
from pathlib import Path
from typing import Any

from mlflow import MlflowClient

from tests.system.conftest import Done, call, environment, rows

SCORED = (
    "sql=select timestamp_seconds(1383436800 + id * 864) as scored_at, if(id < 130, 7, 6) as model_version,"
    " timestamp'2013-10-20 09:00:00Z' as trained_at from range(200),time_column=scored_at"
)
"""A hundred predictions a day from 2013-11-03 on; on the second day two models made them."""


def job(results: Path, *options: object) -> Done:
    command = ["spark-submit", "jobs/model_freshness.py", "--date", "2013-11-05", "--results", results, *options]
    return call(command, env=environment({"MLFLOW_ALLOW_FILE_STORE": "true"}))


def registered(folder: Path, monkeypatch: Any) -> str:
    """A registry whose production model is four months old."""
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    uri = folder.as_uri()
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    run = client.create_run(client.create_experiment("training"), start_time=1_372_900_000_000)
    client.log_param(run.info.run_id, "features.version", "41")
    client.set_terminated(run.info.run_id, end_time=1_372_928_400_000)
    client.create_registered_model("flights_delay")
    version = client.create_model_version("flights_delay", source=f"{uri}/m", run_id=run.info.run_id)
    client.set_registered_model_alias("flights_delay", "production", version.version)
    return uri


def test_a_four_months_old_model_that_the_registry_calls_production_fails(tmp_path: Path, monkeypatch: Any) -> None:
    registry = f"model=flights_delay,alias=production,uri={registered(tmp_path / 'registry', monkeypatch)}"
    options = ["--registry", registry, "--keys", "data_version=features.version", "--data-version", "40"]
    done = job(tmp_path / "r", *options)
    assert done.code == 5, done.err
    [result] = rows(tmp_path / "r", "check_results")
    assert (result["dataset"], result["metric_name"], result["threshold_source"]) == (None, "age_days", "default")
    assert result["message"] == (
        "model 1 was trained 2013-07-04 09:00 UTC (the end of its run), 124.6 days before 2013-11-06 00:00 UTC "
        "(limit 90); data version 40 is expected, but the model was trained on 41"
    )


def test_two_models_in_a_window_fail_and_one_passes(tmp_path: Path) -> None:
    card = tmp_path / "card.yaml"
    card.write_text("version: 7\ntraining: {end: 2013-10-20}\n", encoding="utf-8")
    options = ["--dataset", SCORED, "--version-column", "model_version", "--trained-at-column", "trained_at"]
    options += ["--card", str(card), "--keys", "training_end=training.end", "--gap", "7d"]
    done = job(tmp_path / "bad", *options, "--window", "end=2013-11-05,length=1d")
    assert done.code == 5, done.err
    assert "2 models in [2013-11-04, 2013-11-05): 6 (70 rows), 7 (30 rows); the card says 7" in done.out
    [violation] = rows(tmp_path / "bad", "violations")
    assert (violation["kind"], dict(violation["key"]), violation["count"]) == (
        "other_version", {"model_version": "6"}, 70,
    )  # fmt: skip
    done = job(tmp_path / "good", *options, "--window", "end=2013-11-04,length=1d", "--version", "7")
    assert done.code == 0, done.err
    metrics = {m["metric_name"]: m["value"] for m in rows(tmp_path / "good", "metrics")}
    assert (metrics["evaluated_rows"], metrics["violation_rows"], metrics["training_gap_days"]) == (100, 0, 7)


def test_a_registry_that_is_down_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    done = job(tmp_path / "r", "--registry", "model=m,alias=a,uri=http://user:hunter2@127.0.0.1:9")
    assert done.code == 3, done.err
    assert "registered model 'm', alias 'a': the registry gives no answer: " in done.out
    [result] = rows(tmp_path / "r", "check_results")
    assert "look whether the registry is up" in result["remedy"]
    assert "hunter2" not in done.out + done.err + json.dumps(result, default=str)
