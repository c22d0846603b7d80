"""Ours: from opening the dataset to the verdicts; only result rows are not written."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from work import EARLIER, FILLED, LATER, LISTS, NUMBERS, PATTERNS, RANGES, serve

from sparkguard.app import session
from sparkguard.checks.allowed_values import AllowedValues
from sparkguard.checks.column_profile import ColumnProfile
from sparkguard.checks.completeness import Completeness
from sparkguard.checks.expression import Expression
from sparkguard.checks.pattern import Pattern
from sparkguard.checks.value_range import ValueRange
from sparkguard.core.check import Check, Run
from sparkguard.core.finding import Finding, Status
from sparkguard.core.source import Dataset, Source
from sparkguard.core.values import Value
from sparkguard.engine.gather import Rounds
from sparkguard.engine.reader import Reader
from sparkguard.engine.spark_engine import SparkEngine
from sparkguard.measures.sketches import Quantiles


def rules(**fields: Any) -> list[Check]:
    """The 20 rules; `fields` are those of every check."""
    wanted: list[Check] = [Completeness(id="filled", dataset="t", columns=FILLED, **fields)]
    wanted += [
        ValueRange(id=f"range_{c}", dataset="t", columns=(c,), min=Value(str(low)), max=Value(str(high)), **fields)
        for c, (low, high) in RANGES.items()
    ]
    wanted += [
        AllowedValues(id=f"list_{c}", dataset="t", columns=(c,), values=tuple(map(Value, values)), **fields)
        for c, values in LISTS.items()
    ]
    wanted += [Pattern(id=f"like_{c}", dataset="t", columns=(c,), pattern=p, **fields) for c, p in PATTERNS.items()]
    return [*wanted, Expression(id="order", dataset="t", expression=f"{LATER} > {EARLIER}", **fields)]


def main() -> None:
    """Serve the tasks."""
    with session("sparkguard") as spark:
        datasets = {"t": Dataset("t", path=sys.argv[1], format="parquet")}

        def judged(checks: Sequence[Check]) -> list[Finding]:
            now = datetime.now(UTC)
            found: list[Finding] = []
            for gathered in Rounds(SparkEngine(Reader(spark, datasets))).gather(checks):
                if gathered.error is not None:
                    raise gathered.error
                found += gathered.check.judge(gathered.seen, Run(now.date(), now))
            return found

        def verdicts(checks: Sequence[Check]) -> Any:
            found = judged(checks)
            failed = [f for f in found if f.status is not Status.PASS]
            return {
                "rules": len(found),
                "failed": [f.columns[0] for f in failed],
                "rows": sum(f.violation_rows or 0 for f in failed),
            }

        def profile() -> Any:
            return {"metrics": sum(len(f.quantities) for f in judged([ColumnProfile(id="profile", dataset="t")]))}

        def quantiles() -> Any:
            engine, source = SparkEngine(Reader(spark, datasets)), Source("t")
            pin = engine.pin([source])["t", None]
            schema = pin.schema  # type: ignore[union-attr]
            return {"sketches": len(list(engine.compute([Quantiles(source, schema.column(c)) for c in NUMBERS])))}

        serve(
            spark,
            {
                "profile": profile,
                "rules": lambda: verdicts(rules()),
                "rules without evidence": lambda: verdicts(rules(violation_limit=0)),
                "quantiles": quantiles,
            },
        )


if __name__ == "__main__":
    main()
