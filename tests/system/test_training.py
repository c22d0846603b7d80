"""The demo's third suite: an honest table and an honest model pass, careless ones are told by name, in all tables."""

import shutil
import sys
from pathlib import Path

import pytest
from sklearn.metrics import roc_auc_score

from tests.system.conftest import ROOT, Done, call, rows

WRITE = """
from pathlib import Path
from demo import invert_labels, score_flights, write_sets
from sparkguard import app
with app.session("sets") as spark:
    write_sets(spark, Path("data"))
    score_flights(spark, Path("data"))
    invert_labels(spark, Path("data"))
"""


@pytest.fixture(scope="module")
def folder(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tables that the suite judges."""
    found = tmp_path_factory.mktemp("training")
    shutil.copytree(data / "flights", found / "data/flights")
    shutil.copytree(ROOT / "conf/scenarios", found / "conf/scenarios")
    program = f"import sys; sys.path.insert(0, {str(ROOT / 'jobs')!r}); {WRITE}"
    done = call([sys.executable, "-c", program], cwd=found)
    assert done.code == 0, done.err
    return found


@pytest.fixture(scope="module")
def run(folder: Path) -> Done:
    done = call(["sparkguard", "run", ROOT / "conf/training.yaml", "--date", "2013-11-04"], cwd=folder)
    assert done.code == 5, done.out + done.err
    return done


def test_the_honest_table_passes_and_the_careless_one_fails(folder: Path, run: Done) -> None:
    results = rows(folder / "results", "check_results")
    wholes = [r for r in results if r["subject"] == ":all" and r["slice_key"] is None]
    assert {r["check_id"]: r["status"] for r in wholes} == {
        "late_sets_apart": "pass",
        "late_no_proxy": "pass",
        "careless_sets_apart": "fail",
        "careless_no_proxy": "fail",
        "late_model_errors": "pass",
        "late_model_slices": "warn",
        "late_labels": "warn",
        "inverted_labels": "fail",
    }
    better = [r for r in results if r["check_id"] == "late_model_better"]
    assert [(r["subject"], r["status"]) for r in better] == [("majority", "pass"), ("linear", "pass")]
    assert "tells the label" in run.out


def test_the_honest_model_may_be_trained_on_and_the_one_with_a_typo_in_its_dates_may_not(
    folder: Path, run: Done
) -> None:
    sets = [r for r in rows(folder / "results", "check_results") if r["check_type"] == "metric_gate"]
    assert {(r["check_id"], r["status"]) for r in sets} == {
        ("late_model_ready", "pass"),
        ("late_model_calibrated", "pass"),
        ("typo_model_ready", "fail"),
    }
    assert {r["subject"] for r in sets} == {"train", "val_a", "val_b"}
    assert "below the minimum 0.9" in run.out
    found = {
        (r["check_id"], r["column_name"], r["metric_name"]): r["value"] for r in rows(folder / "results", "metrics")
    }
    scored = rows(folder / "data", "late_scored")
    mine = [r for r in scored if r["part"] == "val_a"]
    truth = roc_auc_score([r["late"] for r in mine], [r["score_typo"] for r in mine])
    value, low, high = (found["typo_model_ready", ":set:val_a", f"roc_auc{end}"] for end in ("", "_lower", "_upper"))
    assert value == pytest.approx(truth, rel=1e-9)
    assert low < value < high


def test_a_model_that_is_better_on_the_whole_and_worse_for_one_airport_fails_its_scenario(
    folder: Path, run: Done
) -> None:
    assert run.code == 5
    cases = [r for r in rows(folder / "results", "check_results") if r["check_id"] == "new_model_cases"]
    assert {r["subject"]: r["status"] for r in cases} == {
        "regional carriers": "pass",
        "evening": "pass",
        "to the west coast": "pass",
        "Salt Lake City": "fail",
        "short delays": "pass",
    }
    [lost] = [r for r in cases if r["status"] == "fail"]
    assert "the aggregate went up" in lost["message"]
    assert (lost["subject_kind"], lost["metric_name"], lost["error_bound"]) == ("scenario", "regression", 0.02)
    [evidence] = [r for r in rows(folder / "results", "violations") if r["kind"] == "failed_scenario"]
    assert dict(evidence["key"]) == {"scenario": "Salt Lake City"}


def test_evidence_becomes_scenarios_that_the_job_takes(folder: Path, run: Done) -> None:
    assert run.code == 5
    written = [
        "--check",
        "careless_sets_apart",
        "--key",
        "carrier,flight",
        "--minimum",
        "0.5",
        "--output",
        "found.yaml",
    ]
    done = call(["sparkguard", "scenarios", *written], cwd=folder)
    assert (done.code, "found.yaml" in done.out) == (0, True), done.out + done.err
    asked = ["--dataset", "path=data/late_scored", "--label", "late", "--score", "score", "--metric", "roc_auc"]
    job = ["spark-submit", ROOT / "jobs/scenario_tests.py", *asked, "--files", "found.yaml", "--results", "own"]
    done = call(job, cwd=folder)
    assert done.code == 0, done.out + done.err
    [one] = rows(folder / "own", "check_results")
    assert one["subject"] == "careless_sets_apart 2013-11-04 shared_key"
    assert one["evaluated_rows"] > 100


def test_evidence_names_the_leak_and_the_shared_keys(folder: Path, run: Done) -> None:
    assert run.code == 5
    found = rows(folder / "results", "violations")
    leaks = [r for r in found if r["kind"] == "leaking_feature"]
    assert {dict(r["key"])["column"] for r in leaks} >= {"arr_time"}
    assert all("sched_arr_time" in r["reason"] or "arr_time" in r["reason"] for r in leaks)
    shared = [r for r in found if r["kind"] == "shared_key"]
    assert shared
    assert {name for name, _ in shared[0]["key"]} == {"time_hour", "carrier", "flight"}


def test_metrics_have_the_power_and_the_importance_of_each_feature(folder: Path, run: Done) -> None:
    assert run.code == 5
    found = {
        (r["check_id"], r["column_name"], r["metric_name"]): r["value"] for r in rows(folder / "results", "metrics")
    }
    assert 0.85 < found["late_no_proxy", "dep_delay", "power"] < 0.95
    assert found["late_no_proxy", "dep_delay", "importance"] > 0.5
    assert found["careless_no_proxy", ":table", "leaking_features"] >= 1
    assert found["late_no_proxy", ":table", "leaking_features"] == 0


def test_wrong_inputs_of_both_jobs_are_told_in_a_sentence(folder: Path, tmp_path: Path) -> None:
    late = ["--dataset", "path=data/late", "--results", tmp_path / "r"]
    wrong = {
        ("label_leakage", "--label", "laet"): (3, "laet"),
        ("label_leakage", "--label", "late", "--max-power", "warn=0.99,fail=0.9"): (
            2,
            "max_power warns from a greater",
        ),
        ("split_overlap", "--key", "carrier"): (2, "split is the column of dataset"),
        ("metric_gate", "--label", "late", "--score", "month", "--metric", "log_loss", "--maximum", "1"): (
            3,
            "rows of dataset with a score that is no probability ('month')",
        ),
        ("metric_gate", "--label", "late", "--score", "month", "--metric", "auc", "--minimum", "0.5"): (
            2,
            "did you mean 'roc_auc'",
        ),
    }
    for (job, *options), (code, words) in wrong.items():
        done = call(["spark-submit", ROOT / f"jobs/{job}.py", *late, *options], cwd=folder)
        assert (done.code, words in done.out + done.err) == (code, True), (job, options, done.out, done.err)


def test_inverted_labels_of_a_week_are_the_ones_that_are_doubted(folder: Path, run: Done) -> None:
    assert run.code == 5
    doubted = [r for r in rows(folder / "results", "violations") if r["kind"] == "doubted_label"]
    keys = [dict(r["key"]) for r in doubted if r["check_id"] == "inverted_labels"]
    wrong = [key for key in keys if "2013-09-16" <= key["date"] <= "2013-09-22"]
    assert len(wrong) > 0.9 * len(keys) > 0
    classes = [
        r for r in rows(folder / "results", "check_results") if r["check_id"] == "late_labels" and r["slice_key"]
    ]
    truth = [r["late"] for r in rows(folder / "data", "late_scored") if r["part"] in ("val_a", "val_b")]
    assert {(r["slice_key"], r["slice_value"], r["evaluated_rows"]) for r in classes} == {
        ("late", "true", sum(truth)),
        ("late", "false", len(truth) - sum(truth)),
    }
