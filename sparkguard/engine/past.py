"""What earlier runs of a suite have left in its result tables."""

from __future__ import annotations

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from sparkguard.core.source import Dataset
from sparkguard.core.suite import Results, Suite
from sparkguard.engine.faults import is_missing
from sparkguard.engine.reader import reference


class Past:
    """The result tables of a suite, without the rows of the run that reads them."""

    def __init__(self, spark: SparkSession, suite: Suite) -> None:
        """Read where the suite writes its results."""
        self._spark = spark
        self._suite = suite

    def table(self, name: str) -> DataFrame | None:
        """The suite's rows of other runs, be they committed or not; None where the table does not exist yet."""
        rows = self.of_all(name)
        if rows is None:
            return None
        return rows.where((F.col("suite") == self._suite.name) & (F.col("run_id") != self._suite.run_id))

    def of_all(self, name: str, results: Results | None = None) -> DataFrame | None:
        """The rows of all suites in a result table, be it at another place; None where it does not exist yet."""
        results = results or self._suite.results
        place = results.table(name)
        table = Dataset(name, path=place) if results.path is not None else Dataset(name, table=place)
        try:
            rows = self._spark.sql(f"SELECT * FROM {reference(table)}")  # noqa: S608 - quoted
            rows.schema  # noqa: B018 - Spark Connect looks for the table only now
        except Exception as error:
            if is_missing(error):
                return None
            raise
        return rows
