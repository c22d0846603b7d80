"""The Spark session: an embedded one with sane defaults, or the one that spark-submit prepared.

What the user set anywhere (spark-submit, spark-defaults.conf, environment) is never overridden.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self
from urllib.parse import urlparse

from pyspark import SparkConf, SparkContext
from pyspark.java_gateway import launch_gateway
from pyspark.sql import SparkSession
from pyspark.sql.utils import is_remote

from sparkguard.errors import ConfigError

_DELTA = {
    # Delta's SQL (DESCRIBE HISTORY, VERSION AS OF) comes from its extension …
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    # … and its tables by name from its catalog.
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
}
_QUIET = {
    # Warnings of a healthy run (native library, loopback address) read like errors in a nightly log.
    "spark.log.level": "ERROR",
}
_LOCAL = {
    # A task for each core; 200 tasks of a few kilobytes would cost more than the work.
    "spark.sql.shuffle.partitions": str(2 * (os.cpu_count() or 1)),
    # A snapshot of a result table has a handful of files; 50 tasks to read it took seconds.
    "spark.databricks.delta.snapshotPartitions": "2",
    # Nobody looks at the UI of a job of two minutes, and its port may be taken.
    "spark.ui.enabled": "false",
    # The driver is the only executor; a laptop's hostname may not resolve.
    "spark.driver.host": "localhost",
    "spark.driver.bindAddress": "127.0.0.1",
}
_LARGEST_DRIVER_GIB = 16
_WATCH_EVERY_S = 0.2
_CONTAINER_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))

_PACKAGES = {
    "4.1": "io.delta:delta-spark_4.1_2.13:4.4.0",
    "4.0": "io.delta:delta-spark_2.13:4.0.1",
    "3.5": "io.delta:delta-spark_2.12:3.3.3",
}


@contextmanager
def spark_session(name: str, master: str | None = None, remote: str | None = None) -> Iterator[SparkSession]:
    """Open a session and close it; one that was there before is left open.

    `remote` (or SPARK_REMOTE) connects by Spark Connect. Otherwise `master`, or what spark-submit
    says, or `local[*]`.
    """
    quiet_loggers()
    remote = remote or os.environ.get("SPARK_REMOTE")
    existing = None if remote else SparkSession.getActiveSession()
    if existing is not None:
        yield existing
        return
    spark = SparkSession.builder.remote(remote).getOrCreate() if remote else _classic(name, master)
    try:
        yield spark
    finally:
        spark.stop()


def quiet_loggers() -> None:
    """Keep pyspark from printing a page of JSON for each analysis error; sparkguard reports it."""
    for logger in ("SQLQueryContextLogger", "DataFrameQueryContextLogger", "py4j"):
        logging.getLogger(logger).setLevel(logging.CRITICAL)


def require_delta(spark: SparkSession) -> None:
    """Fail with the exact option to add where Delta's jars are not loaded."""
    try:
        spark.read.format("delta").load("/sparkguard/probe").schema  # noqa: B018 - resolving it is the probe
    except Exception as error:
        text = str(error)
        if any(
            sign in text
            for sign in ("DATA_SOURCE_NOT_FOUND", "Failed to find", "CATALOG_PLUGIN", "Cannot find catalog plugin")
        ):
            message = (
                "Delta's jars are not loaded; add to spark-submit: "
                f"--packages {delta_package(spark.version)}"
                "\nor, for an embedded Spark, put 'spark.jars.packages "
                f"{delta_package(spark.version)}' into $SPARK_CONF_DIR/spark-defaults.conf"
            )
            raise ConfigError(message) from error


def delta_package(spark_version: str) -> str:
    """The Maven coordinate of Delta for a version of Spark."""
    return _PACKAGES.get(".".join(spark_version.split(".")[:2]), _PACKAGES["4.1"])


def facts(spark: SparkSession) -> Mapping[str, str | None]:
    """What `runs` records of the session; NULL where Spark Connect does not tell."""
    remote = is_remote()
    return {
        "spark_version": spark.version,
        "application_id": None if remote else spark.sparkContext.applicationId,
        "master": spark.conf.get("spark.remote", None) if remote else spark.sparkContext.master,
    }


class Jobs:
    """Labels the Spark jobs of this thread's checks, counts them, and cancels them on `stop`."""

    def __init__(self, spark: SparkSession, group: str, stop: threading.Event) -> None:
        """Label with `group`; a watcher cancels the group's jobs as long as `stop` is set."""
        self._spark, self._group, self._stop, self._remote = spark, group, stop, is_remote()
        self._ended = threading.Event()

    def __enter__(self) -> Self:
        """Label every later job of this thread."""
        if self._remote:
            self._spark.addTag(self._group)
        else:
            self._spark.sparkContext.setJobGroup(self._group, self._group, interruptOnCancel=True)
        threading.Thread(target=self._watch, name="sparkguard-stop", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Take the label off, so that later jobs are neither counted nor cancelled."""
        self._ended.set()
        if self._remote:
            self._spark.removeTag(self._group)
            return
        for key in ("spark.jobGroup.id", "spark.job.description", "spark.job.interruptOnCancel"):
            self._spark.sparkContext.setLocalProperty(key, None)  # type: ignore[arg-type] # None removes the property

    def count(self) -> int | None:
        """The jobs so far; None on Spark Connect."""
        if self._remote:
            return None
        return len(self._spark.sparkContext.statusTracker().getJobIdsForGroup(self._group))

    def _watch(self) -> None:
        """Cancel again and again: a check may start a job between two cancellations."""
        while not self._ended.wait(_WATCH_EVERY_S):
            if self._stop.is_set():
                if self._remote:
                    self._spark.interruptTag(self._group)
                else:
                    self._spark.sparkContext.cancelJobGroup(self._group)


def log_store(spark: SparkSession, location: str | None) -> str | None:
    """The log store that the session has for a location's scheme."""
    scheme = urlparse(location or "").scheme
    return spark.conf.get(f"spark.delta.logStore.{scheme}.impl", None) if scheme else None


def _classic(name: str, master: str | None) -> SparkSession:
    embedded = "PYSPARK_GATEWAY_PORT" not in os.environ
    if embedded:
        # The lowest of Spark's settings for the driver's memory, so that any other wins over it.
        os.environ.setdefault("SPARK_DRIVER_MEMORY", _driver_memory())
    # Only the JVM knows what spark-submit and spark-defaults.conf set, so it starts before the
    # builder is filled: a builder's options would override them.
    # A session of its own keeps a signal to our process group from the JVM, which must still write.
    gateway = launch_gateway(popen_kwargs={"start_new_session": True}) if embedded else None  # type: ignore[no-untyped-call]
    SparkContext._ensure_initialized(gateway=gateway)  # noqa: SLF001 - the public ways build the context at once
    conf = SparkConf()
    if master is not None:
        conf.setMaster(master)
    conf.setIfMissing("spark.master", "local[*]")
    conf.setIfMissing("spark.app.name", name)
    if embedded:
        # The launcher of an embedded JVM turns Spark's progress bars on; they would break our lines.
        conf.set("spark.ui.showConsoleProgress", "false")
    local = str(conf.get("spark.master")).startswith("local")
    if local:
        # Spark would start whatever `python3` is first in the path, which may lack our packages.
        os.environ.setdefault("PYSPARK_PYTHON", conf.get("spark.pyspark.python", None) or sys.executable)
    for key, value in (_DELTA | _QUIET | (_LOCAL if local else {})).items():
        conf.setIfMissing(key, value)
    extensions = str(conf.get("spark.sql.extensions"))
    if _DELTA["spark.sql.extensions"] not in extensions:
        conf.set("spark.sql.extensions", f"{extensions},{_DELTA['spark.sql.extensions']}")
    return SparkSession.builder.config(conf=conf).getOrCreate()


def _driver_memory() -> str:
    """Half of the machine or container: in local mode the driver does all the work."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for limit in _CONTAINER_LIMITS:
        with suppress(OSError, ValueError):
            total = min(total, int(limit.read_text()))
    return f"{max(1, min(_LARGEST_DRIVER_GIB, int(total / 2**31)))}g"
