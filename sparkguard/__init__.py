"""Checks of feature and prediction tables, as Spark jobs that write what they find to Delta tables.

`sparkguard.run(suite, spark=spark, dataframes={...})` is the whole of it from Python.
"""

from sparkguard.app import Options, load_suite, run
from sparkguard.errors import CheckFailureError, ConfigError, DataError, SinkError, SparkguardError
from sparkguard.outcome import Choice, Report

__all__ = [
    "CheckFailureError",
    "Choice",
    "ConfigError",
    "DataError",
    "Options",
    "Report",
    "SinkError",
    "SparkguardError",
    "load_suite",
    "run",
]
