"""Great Expectations on a frame of Spark: silent, without persisting, and none of its failures stops another.

It bundles what expectations of rows count into one aggregate, so all are validated together, and without values.
Those that do not hold are then asked for samples, and for nothing else.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from numbers import Real
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from sparkguard.core.text import first_line
from sparkguard.engine.faults import is_of_the_data
from sparkguard.errors import DataError
from sparkguard.measures.expectations import Outcome, Sample
from sparkguard.shapes.gx import INSTALL, columns_of, construct, quiet

_NAME = "sparkguard"
_VIEW = "tmp_view"
"""What Great Expectations calls its batch in a query."""
_LONGEST = 200
_VALUES = ("unexpected_values", "not_in_set")
"""How the metrics end that hold unexpected values."""


class _Batch:
    """A frame as Great Expectations sees it, in a context of our own."""

    def __init__(self, context: Any, frame: DataFrame, entries: Sequence[Mapping[str, Any]]) -> None:
        asset = context.data_sources.add_spark(_NAME, persist=False).add_dataframe_asset(_NAME)
        self._definition = asset.add_batch_definition_whole_dataframe(_NAME)
        self._context, self._entries, self._given = context, entries, {"dataframe": frame}

    def validate(self, numbers: Sequence[int]) -> Mapping[int, Any]:
        """The results of these expectations, by their number; without values, for which a job each would run."""
        from great_expectations import ExpectationSuite

        # Results come in an order of their own; an id would be refused, meta comes back.
        made = [construct(**self._entries[i], meta={_NAME: i}) for i in numbers]
        suite = ExpectationSuite(name=_NAME, expectations=made)
        how = {"result_format": "BASIC", "partial_unexpected_count": 0}
        results = self._definition.get_batch(batch_parameters=self._given).validate(suite, result_format=how).results
        return {result.expectation_config.meta[_NAME]: result for result in results}

    def values(self, number: int, most: int) -> Sequence[Any]:
        """Some unexpected values of one expectation, by this one of its metrics: the counts are known."""
        request = self._definition.build_batch_request(batch_parameters=self._given)
        validator = self._context.get_validator(batch_request=request)
        how = {"result_format": {"result_format": "BASIC", "partial_unexpected_count": most}}
        kind, kwargs = self._entries[number]["kind"], self._entries[number]["arguments"]
        expectation = construct(kind, {**kwargs, "batch_id": validator.active_batch_id})
        needed = expectation.get_validation_dependencies(validator.execution_engine, how).metric_configurations
        wanted = [metric for name, metric in needed.items() if name.endswith(_VALUES)]
        found, _ = validator.compute_metrics(wanted, runtime_configuration=how)
        return [value for metric in wanted for value in found.get(metric.id) or ()][:most]


def run_expectations(frame: DataFrame, expectations: Sequence[str], samples: int) -> tuple[Outcome, ...]:
    """Validate each expectation, given as JSON of its type and arguments; one outcome each, in their order."""
    given = [json.loads(text) for text in expectations]
    entries = [{"kind": entry["type"], "arguments": entry["kwargs"]} for entry in given]
    named = [columns_of(entry["kwargs"]) for entry in given]
    columns = set(frame.columns)
    # One that names a missing column has Great Expectations compute a round of the others again.
    fit = [i for i, names in enumerate(named) if set(names) <= columns]
    unfit = [i for i, names in enumerate(named) if not set(names) <= columns]
    with quiet(), _view_kept(frame.sparkSession), _context() as context:
        batch = _Batch(context, frame, entries)
        found = {**_each(batch, fit), **_each(batch, unfit)}
        outcomes = {i: _outcome(result) for i, result in found.items()}
        for i, outcome in outcomes.items():
            if samples and outcome.holds is False and outcome.unexpected:
                with suppress(Exception):  # the verdict stands without examples
                    outcomes[i] = replace(outcome, samples=_samples(named[i], batch.values(i, samples)))
    lost = Outcome(error="Great Expectations gave no result")
    return tuple(outcomes.get(i, lost) for i in range(len(entries)))


@contextmanager
def _context() -> Iterator[Any]:
    """A context of our own; the one that was set before is set again."""
    try:
        from great_expectations import get_context
        from great_expectations.data_context.data_context.context_factory import project_manager
        from great_expectations.data_context.types.base import (
            DataContextConfig,
            InMemoryStoreBackendDefaults,
            ProgressBarsConfig,
        )
    except ImportError as error:
        message = f"the check {INSTALL}"
        raise DataError(message, "install it where the driver runs") from error
    before = vars(project_manager).get("_ProjectManager__project")
    configuration = DataContextConfig(
        # Else each context leaves a folder for its documents behind.
        store_backend_defaults=InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        progress_bars=ProgressBarsConfig(globally=False, metric_calculations=False),
        analytics_enabled=False,
    )
    try:
        yield get_context(mode="ephemeral", project_config=configuration)
    finally:
        project_manager.set_project(before)


@contextmanager
def _view_kept(spark: SparkSession) -> Iterator[None]:
    """Expectations with a query of their own make a view, perhaps in the place of one of the session's."""
    before = spark.table(_VIEW) if spark.catalog.tableExists(_VIEW) else None
    try:
        yield
    finally:
        spark.catalog.dropTempView(_VIEW)
        if before is not None:
            before.createOrReplaceTempView(_VIEW)


def _each(batch: _Batch, numbers: Sequence[int]) -> dict[int, Any]:
    """Results of all; where several stop with one message, halves of them are tried to find who stops the others."""
    if not numbers:
        return {}
    try:
        found = dict(batch.validate(numbers))
    except Exception as error:  # noqa: BLE001 - one that Great Expectations cannot prepare stops it as a whole
        found = dict.fromkeys(numbers, error)
    together: dict[str, list[int]] = {}
    for i in numbers:
        message = _error(found[i]) if i in found else None
        if message is not None and _is_shared(found[i], message):
            together.setdefault(message, []).append(i)
    for members in together.values():
        if len(members) > 1:
            middle = len(members) // 2
            found |= _each(batch, members[:middle]) | _each(batch, members[middle:])
    return found


def _is_shared(result: Any, message: str) -> bool:
    """Whether another expectation may be to blame; a lost executor is nobody's, and is not asked for again."""
    return isinstance(result, Exception) or is_of_the_data(Exception(message))


def _outcome(result: Any) -> Outcome:
    error = _error(result)
    if error is not None:
        return Outcome(error=error)
    details = _details(result)
    # numpy's booleans are no bool, and JSON of older results has texts.
    word = str(result.success).lower()
    if word not in ("true", "false"):
        return Outcome(error="Great Expectations says neither success nor failure")
    observed = details.get("observed_value")
    mismatched = (details.get("details") or {}).get("mismatched") if word == "false" else None
    told = [] if observed is None else [_text(observed)]
    told += [] if not mismatched else [f"mismatched {_text(mismatched)}"]
    return Outcome(
        holds=word == "true",
        number=_number(observed),
        shown="; ".join(map(_brief, told)) or None,
        rows=_whole(details.get("element_count")),
        missing=_whole(details.get("missing_count")),
        unexpected=_whole(details.get("unexpected_count")),
    )


def _details(result: Any) -> Mapping[str, Any]:
    return getattr(result, "result", None) or {}


def _error(result: Any) -> str | None:
    """The telling line of what stopped an expectation; None if nothing did."""
    if isinstance(result, Exception):
        return first_line(result)
    return next(_messages(result.exception_info or {}), None)


def _messages(info: Mapping[str, Any]) -> Iterator[str]:
    """Of one exception, or of one for each metric that could not be computed."""
    if "raised_exception" in info:
        if info["raised_exception"]:
            yield first_line(Exception(info.get("exception_message") or "Great Expectations says nothing"))
        return
    for one in info.values():
        if isinstance(one, Mapping):
            yield from _messages(one)


def _samples(columns: Sequence[str], values: Iterable[Any] | None) -> tuple[Sample, ...]:
    """Equal values together, the most frequent first; of equally frequent ones in the order of their texts."""
    rows: Counter[tuple[tuple[str, str | None], ...]] = Counter()
    for value in values or ():
        if isinstance(value, Mapping):
            cells: Iterable[tuple[str, Any]] = value.items()
        else:
            several = isinstance(value, list | tuple) and len(columns) > 1
            cells = zip(columns, value if several else [value], strict=False)
        rows[tuple((str(name), None if cell is None else _text(cell)) for name, cell in cells)] += 1
    ordered = sorted(rows.items(), key=lambda one: (-one[1], [(t is not None, t or "") for _, t in one[0]]))
    return tuple(Sample(values, n) for values, n in ordered)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, date):
        return value.isoformat(*[" "] * isinstance(value, datetime))
    if isinstance(value, list | tuple | set | dict):
        return json.dumps(sorted(value, key=str) if isinstance(value, set) else value, default=str, ensure_ascii=False)
    return str(value)


def _brief(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, Real | Decimal):
        return None
    return None if math.isnan(value) else float(value)


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)
