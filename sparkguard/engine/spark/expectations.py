"""What Great Expectations finds in the rows of a source."""

from __future__ import annotations

from sparkguard.engine.gx import run_expectations
from sparkguard.engine.spark import Logs
from sparkguard.measures.expectations import ExpectationsRun, Outcomes


def validated(logs: Logs, measure: ExpectationsRun) -> Outcomes:
    """Hand it the rows."""
    return Outcomes(run_expectations(logs.rows(measure.source), measure.expectations, measure.samples))


PROBE = {ExpectationsRun: validated}
