"""The work that every tool does on TPC-H lineitem, and how a tool's process serves it.

A process reads the name of a task from each line of standard input, does it once, and prints one line of
JSON: seconds, CPU seconds of it and its JVM, Spark jobs, and what was found.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession

NUMBERS = (
    "l_orderkey", "l_partkey", "l_suppkey", "l_linenumber", "l_quantity", "l_extendedprice", "l_discount", "l_tax",
)  # fmt: skip
TEXTS = ("l_returnflag", "l_linestatus", "l_shipinstruct", "l_shipmode", "l_comment")
DATES = ("l_shipdate", "l_commitdate", "l_receiptdate")
COLUMNS = (*NUMBERS, *TEXTS, *DATES)

FILLED = (
    "l_orderkey", "l_partkey", "l_suppkey", "l_linenumber", "l_quantity", "l_extendedprice", "l_shipdate", "l_comment",
)  # fmt: skip
RANGES = {
    "l_quantity": (1, 50),
    "l_discount": (0, 0.1),
    "l_tax": (0, 0.08),
    "l_extendedprice": (0, 50_000),
    "l_linenumber": (1, 7),
}
LISTS = {
    "l_returnflag": ("A", "N", "R"),
    "l_linestatus": ("F", "O"),
    "l_shipmode": ("AIR", "FOB", "MAIL", "RAIL", "REG AIR", "SHIP", "TRUCK"),
    "l_shipinstruct": ("COLLECT COD", "DELIVER IN PERSON", "NONE", "TAKE BACK RETURN"),
}
PATTERNS = {"l_comment": "^.+$", "l_shipinstruct": "^[A-Z ]+$"}
LATER, EARLIER = "l_receiptdate", "l_shipdate"

_SETTINGS = {
    "spark.master": "local[*]",
    "spark.driver.memory": "4g",
    "spark.driver.host": "localhost",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.log.level": "ERROR",
    # As many as ours sets on a machine of two cores; the default of 200 would only slow the others.
    "spark.sql.shuffle.partitions": "4",
}
_SILENT = {
    "GX_ANALYTICS_ENABLED": "false",
    "SODA_TELEMETRY_ENABLED": "false",
    "OTEL_SDK_DISABLED": "true",
    "DO_NOT_TRACK": "1",
}

Task = Callable[[], Any]


def session(tool: str, **settings: str) -> SparkSession:
    """A local session with the settings that all tools share."""
    os.environ.update(_SILENT)
    builder = SparkSession.builder.appName(tool)
    for key, value in {**_SETTINGS, **{k.replace("__", "."): v for k, v in settings.items()}}.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def lineitem(spark: SparkSession) -> DataFrame:
    """The table, opened anew."""
    return spark.read.parquet(sys.argv[1])


def serve(spark: SparkSession, tasks: Mapping[str, Task]) -> None:
    """Say which tasks there are, and do each that is asked for."""
    out = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    # What a tool prints must not be taken for an answer.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    print(json.dumps({"tasks": list(tasks), "spark": spark.version}), file=out, flush=True)
    for line in sys.stdin:
        print(json.dumps(_timed(spark, tasks[line.strip()])), file=out, flush=True)


def _timed(spark: SparkSession, task: Task) -> dict[str, Any]:
    spark.catalog.clearCache()
    scheduler: Any = spark.sparkContext._jsc.sc().dagScheduler()  # noqa: SLF001 - no public way counts all jobs
    jobs, cpu, began = scheduler.numTotalJobs(), _cpu(), time.perf_counter()
    found = task()
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "cpu": _cpu() - cpu, "jobs": scheduler.numTotalJobs() - jobs, "found": found}


def _cpu() -> float:
    """User and system seconds of this process, its JVM, and what either has started."""
    parents: dict[int, int] = {}
    ticks: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        pid = int(stat.parent.name)
        parents[pid], ticks[pid] = int(fields[1]), sum(map(int, fields[11:15]))
    return sum(n for pid, n in ticks.items() if _descends(pid, parents)) / os.sysconf("SC_CLK_TCK")


def _descends(pid: int, parents: Mapping[int, int]) -> bool:
    while pid and pid != os.getpid():
        pid = parents.get(pid, 0)
    return pid == os.getpid()
