"""Settings of the session that hold for a while; then it is left as it was."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from pyspark.sql import SparkSession

INFERENCE = "spark.sql.constraintPropagation.enabled", "false"
"""A filter on the hash of a key holds under each alias of each of its columns, and Spark lists all combinations:
with 15 columns planning takes minutes, with 30 it ends in OutOfMemoryError."""
BATCH_BYTES = "spark.sql.execution.arrow.maxBytesPerBatch", str(2**31 - 1)
"""The number of rows alone limits the batches that Spark hands to Python, as before Spark 4.1. A limit of bytes
has Spark add up the sizes of all columns after each row: half of the time of handing 11 columns over."""


@contextmanager
def setting(spark: SparkSession, name: str, value: str) -> Iterator[None]:
    """Set it, then leave it as it was; a session that does not let itself be set is as it is."""
    before = None
    with suppress(Exception):
        before = spark.conf.get(name, None)
        spark.conf.set(name, value)
    try:
        yield
    finally:
        with suppress(Exception):
            spark.conf.unset(name) if before is None else spark.conf.set(name, before)
