"""Small files that are no table, read through Spark, so that every file system it knows works."""

from __future__ import annotations

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from sparkguard.engine.faults import is_missing
from sparkguard.engine.places import literal
from sparkguard.errors import DataError

LARGEST = 1 << 20
"""Bytes of the largest file that is brought to the driver."""


def small_file(spark: SparkSession, place: str) -> bytes:
    """The bytes of the one file at a place; `DataError` if there is none, more than one, or it is not small."""
    remedy = "correct the place in the suite, or find out why the file is missing"
    try:
        files = spark.read.format("binaryFile").load(literal(place))
        lengths = [row[0] for row in files.select("length").limit(2).collect()]
    except Exception as error:
        if not is_missing(error):
            raise
        message = "there is no such file"
        raise DataError(message, remedy) from error
    if not lengths:
        message = "there is no file; Spark leaves out names that begin with '_' or '.'"
        raise DataError(message, remedy)
    if len(lengths) > 1:
        message = "this is a folder or a pattern of several files, not one file"
        raise DataError(message, "name the file in the suite")
    if lengths[0] > LARGEST:
        message = f"the file has {lengths[0]:,} bytes, more than {LARGEST:,}"
        raise DataError(message, "name a small file that holds only the metadata")
    contents = files.where(F.col("length") <= LARGEST).select("content").collect()
    return bytes(contents[0][0]) if contents else b""
