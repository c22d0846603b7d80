"""Great Expectations on its Spark engine: as it comes, and at its best settings."""

from __future__ import annotations

from typing import Any

import great_expectations as gx
import great_expectations.expectations as gxe
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.metrics.batch.row_count import BatchRowCount
from great_expectations.metrics.column import ColumnMetric
from great_expectations.metrics.column.mean import ColumnMean
from great_expectations.metrics.column.null_count import ColumnNullCount
from great_expectations.metrics.metric_results import MetricResult
from work import COLUMNS, EARLIER, FILLED, LATER, LISTS, NUMBERS, PATTERNS, RANGES, lineitem, serve, session


class _Least(MetricResult[Any]): ...  # type: ignore[misc] # GX is in an environment of its own


class _Greatest(MetricResult[Any]): ...  # type: ignore[misc] # GX is in an environment of its own


class _Deviation(MetricResult[Any]): ...  # type: ignore[misc] # GX is in an environment of its own


class ColumnMin(ColumnMetric[_Least]):  # type: ignore[misc] # GX is in an environment of its own
    """The least value; GX has it, but offers no class for it."""

    name = "column.min"


class ColumnMax(ColumnMetric[_Greatest]):  # type: ignore[misc] # GX is in an environment of its own
    """The greatest value."""

    name = "column.max"


class ColumnDeviation(ColumnMetric[_Deviation]):  # type: ignore[misc] # GX is in an environment of its own
    """The standard deviation."""

    name = "column.standard_deviation"


def suite() -> gx.ExpectationSuite:
    """The 20 rules."""
    wanted: list[Any] = [gxe.ExpectColumnValuesToNotBeNull(column=c) for c in FILLED]
    wanted += [gxe.ExpectColumnValuesToBeBetween(column=c, min_value=a, max_value=b) for c, (a, b) in RANGES.items()]
    wanted += [gxe.ExpectColumnValuesToBeInSet(column=c, value_set=list(v)) for c, v in LISTS.items()]
    wanted += [gxe.ExpectColumnValuesToMatchRegex(column=c, regex=p) for c, p in PATTERNS.items()]
    wanted += [gxe.ExpectColumnPairValuesAToBeGreaterThanB(column_A=LATER, column_B=EARLIER)]
    return gx.ExpectationSuite(name="rules", expectations=wanted)


def main() -> None:
    """Serve the tasks."""
    spark = session("gx")
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    batches = {}
    for persist in (True, False):
        source = context.data_sources.add_spark(f"spark {persist}", persist=persist)
        batches[persist] = source.add_dataframe_asset("t").add_batch_definition_whole_dataframe("t")

    def batch(*, persist: bool) -> Any:
        return batches[persist].get_batch(batch_parameters={"dataframe": lineitem(spark)})

    def rules(form: str, *, persist: bool) -> Any:
        result = batch(persist=persist).validate(suite(), result_format=form)
        failed = [r.expectation_config.kwargs["column"] for r in result.results if not r.success]
        return {"rules": len(result.results), "failed": failed}

    def profile() -> Any:
        wanted = [BatchRowCount(), *(ColumnNullCount(column=c) for c in COLUMNS)]
        wanted += [kind(column=c) for c in COLUMNS for kind in (ColumnMin, ColumnMax)]
        wanted += [kind(column=c) for c in NUMBERS for kind in (ColumnMean, ColumnDeviation)]
        found = batch(persist=False).compute_metrics(wanted)
        return {"metrics": sum("Error" not in type(result).__name__ for result in found)}

    serve(
        spark,
        {
            "profile": profile,
            "rules": lambda: rules("SUMMARY", persist=True),
            "rules without evidence": lambda: rules("BOOLEAN_ONLY", persist=False),
        },
    )


if __name__ == "__main__":
    main()
