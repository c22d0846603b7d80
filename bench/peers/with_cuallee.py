"""cuallee: one check object of rules; it has no profile of its own."""

from __future__ import annotations

from typing import Any

from cuallee import Check, CheckLevel
from work import COLUMNS, EARLIER, FILLED, LATER, LISTS, NUMBERS, PATTERNS, RANGES, lineitem, serve, session


def main() -> None:
    """Serve the tasks."""
    spark = session("cuallee")

    def rules() -> Any:
        check = Check(CheckLevel.WARNING, "rules")
        for column in FILLED:
            check.is_complete(column)
        for column, (low, high) in RANGES.items():
            check.is_between(column, (low, high) if isinstance(high, int) else (float(low), float(high)))
        for column, values in LISTS.items():
            check.is_contained_in(column, list(values))
        for column, pattern in PATTERNS.items():
            check.has_pattern(column, pattern)
        check.satisfies(LATER, f"{LATER} > {EARLIER}")
        rows = check.validate(lineitem(spark)).collect()
        return {"rules": len(rows), "failed": [row["column"] for row in rows if row["status"] != "PASS"]}

    def profile() -> Any:
        # Rules that cannot hold, for the numbers that they tell.
        check = Check(CheckLevel.WARNING, "profile")
        for column in COLUMNS:
            check.is_complete(column)
        for column in NUMBERS:
            check.has_min(column, -1).has_max(column, -1).has_mean(column, -1.0).has_std(column, -1.0)
        return {"metrics": len(check.validate(lineitem(spark)).collect())}

    serve(spark, {"profile": profile, "rules": rules})


if __name__ == "__main__":
    main()
