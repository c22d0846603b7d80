"""Soda 4: data contracts on a table of the session."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from soda_core.common.yaml import ContractYamlSource
from soda_core.contracts.contract_verification import ContractVerificationSession
from soda_sparkdf.common.data_sources.sparkdf_data_source import SparkDataFrameDataSource
from work import COLUMNS, EARLIER, FILLED, LATER, LISTS, NUMBERS, PATTERNS, RANGES, serve, session

_HEAD = "dataset: main/main/lineitem\ncolumns:\n"


def rules_contract() -> str:
    """The 20 rules."""
    checks: dict[str, list[str]] = {c: [] for c in COLUMNS}
    for column in FILLED:
        checks[column].append("missing: {qualifier: filled}")
    for column, (low, high) in RANGES.items():
        checks[column].append(f"invalid: {{qualifier: range, valid_min: {low}, valid_max: {high}}}")
    for column, values in LISTS.items():
        checks[column].append(f"invalid: {{qualifier: list, valid_values: {list(values)}}}")
    for column, pattern in PATTERNS.items():
        checks[column].append(f"invalid: {{qualifier: like, valid_format: {{name: like, regex: '{pattern}'}}}}")
    text = _HEAD + "".join(_column(column, found) for column, found in checks.items())
    return text + f"checks:\n  - failed_rows: {{qualifier: order, expression: 'not ({LATER} > {EARLIER})'}}\n"


def profile_contract() -> str:
    """NULLs of all columns, the least, the greatest and the mean of numbers; it has no distinct counts."""
    text = _HEAD
    for column in COLUMNS:
        wanted = ["missing: {threshold: {must_be_greater_than_or_equal: 0}}"]
        if column in NUMBERS:
            wanted += [
                f"aggregate: {{qualifier: {f}, function: {f}, threshold: {{must_be_greater_than: -1}}}}"
                for f in ("min", "max", "avg")
            ]
        text += _column(column, wanted)
    return text + "checks:\n  - row_count:\n"


def _column(name: str, checks: Sequence[str]) -> str:
    listed = "".join(f"      - {check}\n" for check in checks)
    return f"  - name: {name}\n" + (f"    checks:\n{listed}" if listed else "")


def main() -> None:
    """Serve the tasks."""
    spark = session("soda")
    spark.sql("CREATE SCHEMA IF NOT EXISTS main")
    spark.sql("DROP TABLE IF EXISTS main.lineitem")
    spark.sql(f"CREATE TABLE main.lineitem USING parquet LOCATION '{sys.argv[1]}'")
    source = SparkDataFrameDataSource.from_existing_session(session=spark, name="main")

    def verified(contract: str) -> Sequence[Any]:
        result = ContractVerificationSession.execute(
            contract_yaml_sources=[ContractYamlSource.from_str(contract)], data_source_impls=[source]
        )
        found: Sequence[Any] = result.contract_verification_results[0].check_results
        return found

    def rules() -> Any:
        found = verified(rules_contract())
        return {"rules": len(found), "failed": [r.check.column_name for r in found if not r.is_passed]}

    serve(spark, {"profile": lambda: {"metrics": len(verified(profile_contract()))}, "rules": rules})


if __name__ == "__main__":
    main()
