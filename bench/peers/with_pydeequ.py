"""PyDeequ, whose newest Deequ in Maven is for Spark 3.5."""

from __future__ import annotations

import os
from typing import Any

from work import COLUMNS, EARLIER, FILLED, LATER, LISTS, NUMBERS, PATTERNS, RANGES, TEXTS, lineitem, serve, session

os.environ["SPARK_VERSION"] = "3.5"

from pydeequ.analyzers import (
    AnalysisRunner,
    AnalyzerContext,
    ApproxCountDistinct,
    Completeness,
    KLLParameters,
    KLLSketch,
    Maximum,
    MaxLength,
    Mean,
    Minimum,
    MinLength,
    Size,
    StandardDeviation,
)
from pydeequ.checks import Check, CheckLevel
from pydeequ.verification import VerificationResult, VerificationSuite

_PACKAGE = "com.amazon.deequ:deequ:2.1.0-spark-3.5"
_NOT_IN_MAVEN = "net.sourceforge.f2j:arpack_combined_all,software.amazon.glue:dqdl"


def main() -> None:
    """Serve the tasks."""
    spark = session("pydeequ", spark__jars__packages=_PACKAGE, spark__jars__excludes=_NOT_IN_MAVEN)

    def profile() -> Any:
        run = AnalysisRunner(spark).onData(lineitem(spark)).addAnalyzer(Size())
        wanted = [kind(c) for c in COLUMNS for kind in (Completeness, ApproxCountDistinct)]
        wanted += [kind(c) for c in NUMBERS for kind in (Minimum, Maximum, Mean, StandardDeviation)]
        wanted += [kind(c) for c in TEXTS for kind in (MinLength, MaxLength)]
        for analyzer in wanted:
            run = run.addAnalyzer(analyzer)
        return {"metrics": len(AnalyzerContext.successMetricsAsDataFrame(spark, run.run()).collect())}

    def rules() -> Any:
        check = Check(spark, CheckLevel.Error, "rules")
        for column in FILLED:
            check = check.isComplete(column)
        for column, (low, high) in RANGES.items():
            check = check.satisfies(f"{column} BETWEEN {low} AND {high}", f"range {column}", lambda share: share == 1.0)
        for column, values in LISTS.items():
            check = check.isContainedIn(column, list(values))
        for column, pattern in PATTERNS.items():
            check = check.hasPattern(column, pattern, lambda share: share == 1.0)
        check = check.satisfies(f"{LATER} > {EARLIER}", "order", lambda share: share == 1.0)
        result = VerificationSuite(spark).onData(lineitem(spark)).addCheck(check).run()
        rows = VerificationResult.checkResultsAsDataFrame(spark, result).collect()
        failed = [row["constraint"] for row in rows if row["constraint_status"] != "Success"]
        return {"rules": len(rows), "failed": ["l_extendedprice" for c in failed if "l_extendedprice" in c]}

    def quantiles() -> Any:
        # Its sketch refuses decimals.
        numbers = lineitem(spark).selectExpr(*(f"CAST({c} AS DOUBLE) AS {c}" for c in NUMBERS))
        run = AnalysisRunner(spark).onData(numbers)
        for column in NUMBERS:
            run = run.addAnalyzer(KLLSketch(column, KLLParameters(spark, 2048, 0.64, 10)))
        found = AnalyzerContext.successMetricsAsJson(spark, run.run())
        return {"sketches": len({one["instance"] for one in found})}

    serve(spark, {"profile": profile, "rules": rules, "quantiles": quantiles})


if __name__ == "__main__":
    main()
