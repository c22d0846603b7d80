"""One Spark session for all tests, started only when a test asks for it."""

import json
import os
import sys
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pytest
from hypothesis import settings
from pyspark.sql import SparkSession

os.environ["TZ"] = "UTC"
time.tzset()

# A busy machine is no defect of the code.
settings.register_profile("sparkguard", deadline=None)
settings.load_profile("sparkguard")

SETTINGS = {
    # Two tasks at a time, as the machine has cores.
    "spark.master": "local[2]",
    # Tiny data: more partitions only cost time; two still make rows meet across tasks.
    "spark.sql.shuffle.partitions": "2",
    "spark.databricks.delta.snapshotPartitions": "1",
    # As `sparkguard.run` sets it: see engine/settings.py.
    "spark.sql.constraintPropagation.enabled": "false",
    # Not UTC, so that whatever silently depends on the session's timezone goes wrong here.
    "spark.sql.session.timeZone": "America/New_York",
    # The claims about scans and shuffles are read from the event log.
    "spark.eventLog.enabled": "true",
    "spark.eventLog.rolling.enabled": "false",
    "spark.eventLog.compress": "false",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
    "spark.driver.host": "localhost",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "spark" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.spark)


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SparkSession]:
    scratch = tmp_path_factory.mktemp("spark")
    (scratch / "events").mkdir()
    os.environ.setdefault("SPARK_DRIVER_MEMORY", "3g")
    # Else Spark's Python workers are whatever `python3` is on the path.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName("sparkguard tests")
    for key, value in SETTINGS.items():
        builder = builder.config(key, value)
    session = (
        builder.config("spark.eventLog.dir", f"file://{scratch}/events")
        .config("spark.sql.warehouse.dir", f"{scratch}/warehouse")
        .getOrCreate()
    )
    yield session
    session.stop()


@dataclass
class Work:
    """What Spark did inside a `with` block, from its event log."""

    spark: SparkSession
    rows_read: int = 0
    shuffled_rows: int = 0
    shuffled_bytes: int = 0
    result_bytes: int = 0
    jobs: int = 0
    _offset: int = 0
    _events: list[dict[str, Any]] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._read_to_marker()
        self._events.clear()
        return self

    def __exit__(self, *_: object) -> None:
        self._read_to_marker()
        for event in self._events:
            if event["Event"] == "SparkListenerJobStart":
                self.jobs += 1
            elif event["Event"] == "SparkListenerTaskEnd":
                metrics = event["Task Metrics"]
                self.rows_read += metrics["Input Metrics"]["Records Read"]
                self.shuffled_rows += metrics["Shuffle Write Metrics"]["Shuffle Records Written"]
                self.shuffled_bytes += metrics["Shuffle Write Metrics"]["Shuffle Bytes Written"]
                self.result_bytes += metrics["Result Size"]

    def _log(self) -> Path:
        folder = Path(str(self.spark.conf.get("spark.eventLog.dir")).removeprefix("file://"))
        return next(folder.iterdir())

    def _read_to_marker(self) -> None:
        """Run a job of our own and read the log up to its end; the marker's job is left out."""
        marker = uuid.uuid4().hex
        context = self.spark.sparkContext
        context.setJobGroup(marker, marker)
        self.spark.range(1).collect()
        for key in ("spark.jobGroup.id", "spark.job.description"):
            context.setLocalProperty(key, None)  # type: ignore[arg-type]
        pending: dict[int, bool] = {}
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with self._log().open(encoding="utf-8") as log:
                log.seek(self._offset)
                for line in iter(log.readline, ""):
                    if not line.endswith("\n"):
                        break
                    self._offset += len(line.encode())
                    event = json.loads(line)
                    if (
                        event["Event"] == "SparkListenerJobStart"
                        and event["Properties"].get("spark.jobGroup.id") == marker
                    ):
                        pending[event["Job ID"]] = True
                    elif event["Event"] == "SparkListenerJobEnd" and event["Job ID"] in pending:
                        return
                    elif not pending:
                        self._events.append(event)
            time.sleep(0.05)
        raise TimeoutError


@pytest.fixture
def work(spark: SparkSession) -> Work:
    return Work(spark)
