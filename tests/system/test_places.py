"""The same suite on Spark Connect, on a cluster, and on older Sparks: the same result rows."""

import os
import re
import shutil
import subprocess
import sys
import time
import tomllib
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pyspark
import pytest

from tests.system.conftest import QUICK, ROOT, call, environment, free_port, rows, same_results, wait_for_port

Start = Callable[..., subprocess.Popen[str]]

DATE = ["--date", "2026-01-31"]


def test_spark_connect_leaves_the_same_rows(
    everything: Path, tmp_path: Path, connect: str, everything_here: Path
) -> None:
    command = ["sparkguard", "run", everything, *DATE, "--set"]
    done = call([*command, f"RESULTS={tmp_path / 'r'}", "--remote", connect])
    assert done.code == 5, done.err + done.out
    assert same_results(tmp_path / "r", everything_here)
    by_environment = call(
        [*command, f"RESULTS={tmp_path / 's'}", "--only", "rows"], env=environment({"SPARK_REMOTE": connect})
    )
    assert by_environment.code == 0, by_environment.err + by_environment.out
    for results in ("r", "s"):
        [run] = rows(tmp_path / results, "runs")
        assert (run["application_id"], run["spark_jobs"]) == (None, None)


def bare_environment(tmp_path: Path) -> Path:
    """A Python with sparkguard's dependencies but without sparkguard."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    [site] = (tmp_path / "bare/lib").glob("python*/site-packages")
    (site / "dependencies.pth").write_text(str(Path(pyspark.__file__).parents[1]), encoding="utf-8")
    python = tmp_path / "bare/bin/python"
    assert call([python, "-c", "import sparkguard"], cwd=tmp_path).code != 0
    return python


def test_a_cluster_runs_the_package_as_a_wheel(
    everything: Path, tmp_path: Path, background: Start, everything_here: Path
) -> None:
    wheel = call([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path / "dist"])
    assert wheel.code == 0, wheel.err
    [package] = (tmp_path / "dist").glob("*.whl")
    python = bare_environment(tmp_path)
    port, ui = free_port(), free_port()
    spark = f"{Path(pyspark.__file__).parent}/bin/spark-class"
    address = f"spark://127.0.0.1:{port}"
    env = environment({"SPARK_LOCAL_IP": "127.0.0.1"})
    deploy = "org.apache.spark.deploy"
    master = background(
        [spark, f"{deploy}.master.Master", "--host", "127.0.0.1", "--port", str(port), "--webui-port", str(ui)], env=env
    )
    wait_for_port(ui, master)
    work = ["--cores", "2", "--memory", "2g", "--webui-port", "0", "--work-dir", tmp_path / "work", address]
    background([spark, f"{deploy}.worker.Worker", *work], env=env)
    deadline = time.monotonic() + 60
    while b"ALIVE" not in urllib.request.urlopen(f"http://127.0.0.1:{ui}/json").read().split(b"workers")[1]:
        assert time.monotonic() < deadline
        time.sleep(0.5)
    shutil.copy(ROOT / "jobs/run_suite.py", tmp_path / "run_suite.py")
    done = call(
        [
            "spark-submit", "--master", address, "--py-files", package, "--conf", "spark.sql.shuffle.partitions=4",
            "--conf", f"spark.pyspark.python={python}", "--conf", f"spark.pyspark.driver.python={python}",
            tmp_path / "run_suite.py", "--config", everything, *DATE, "--set", f"RESULTS={tmp_path / 'r'}",
        ],
        cwd=tmp_path,
        env=env,
    )  # fmt: skip
    assert done.code == 5, done.err
    assert same_results(tmp_path / "r", everything_here)
    [run] = rows(tmp_path / "r", "runs")
    assert run["master"] == address
    assert run["application_id"].startswith("app-")


OLDER = {"3.5": ("pyspark==3.5.*", "delta-spark==3.3.*"), "4.0": ("pyspark==4.0.*", "delta-spark==4.0.*")}


@pytest.mark.parametrize("version", OLDER)
def test_older_sparks_run_the_same_suite(everything: Path, tmp_path: Path, everything_here: Path, version: str) -> None:
    """In an environment of its own, kept in the checkout so that a second run needs no network."""
    place = ROOT / f".venv-spark{version}"
    python = place / "bin/python"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    others = [r for r in project["dependencies"] if re.match("numpy|pydantic|pyyaml|rich|scipy|typer", r)]
    extras = project["optional-dependencies"]
    wanted = [*OLDER[version], *others, *extras["expectations"], *extras["leakage"]]
    ready = place / ".ready"
    if not ready.exists() or ready.read_text(encoding="utf-8") != repr(wanted):
        shutil.rmtree(place, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
        done = call([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *wanted])
        assert done.code == 0, done.err
        ready.write_text(repr(wanted), encoding="utf-8")
    from sparkguard.engine.session import delta_package

    (tmp_path / "spark-defaults.conf").write_text(QUICK, encoding="utf-8")
    env = {
        **environment(),
        "PATH": f"{place / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "SPARK_CONF_DIR": str(tmp_path),
        "PYTHONPATH": str(ROOT),
    }
    done = call(
        [
            place / "bin/spark-submit", "--packages", delta_package(version), ROOT / "jobs/run_suite.py",
            "--config", everything, *DATE, "--set", f"RESULTS={tmp_path / 'r'}",
        ],
        cwd=tmp_path,
        env=env,
    )  # fmt: skip
    assert done.code == 5, done.err[-3000:] + done.out
    assert same_results(tmp_path / "r", everything_here)
    [run] = rows(tmp_path / "r", "runs")
    assert run["spark_version"].startswith(version)
