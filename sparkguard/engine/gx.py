"""Great Expectations on a frame of Spark: silent, without persisting, and none of its failures stops another.

It bundles what expectations of rows count into one aggregate, so all are validated together, and without values.
Those that do not hold are then asked for samples, and for nothing else.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from sparkguard.core.text import first_line
from sparkguard.engine.faults import is_of_the_data
from sparkguard.engine.gx_outcomes import error_of, lacking_of, outcome_of, samples_of
from sparkguard.engine.gx_values import Looks, is_open, looks_of, rows_with_values
from sparkguard.errors import DataError
from sparkguard.measures.expectations import Outcome
from sparkguard.shapes.gx import INSTALL, columns_of, construct, quiet

_NAME = "sparkguard"
_VIEW = "tmp_view"
"""What Great Expectations calls its batch in a query."""
_UNEXPECTED = ("unexpected_values", "not_in_set")
_LACKING = "missing_from_column"
"""How the metrics end that hold unexpected values, and values of a set that no row has."""
_UNTOLD = "stops together with others, of which one may be to blame"
_TRANSPORT = ("pyspark", "py4j", "grpc")
"""Packages whose exceptions are about Spark, unless they are about the data."""


class _Batch:
    """A frame as Great Expectations sees it, in a context of our own."""

    def __init__(self, context: Any, frame: DataFrame, entries: Sequence[Mapping[str, Any]]) -> None:
        source = context.data_sources.add_spark(_NAME, persist=False)
        # Else a query is asked of whatever session is the process's current one.
        source.get_execution_engine().spark = frame.sparkSession
        self._definition = source.add_dataframe_asset(_NAME).add_batch_definition_whole_dataframe(_NAME)
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

    def values(self, number: int, most: int) -> tuple[Sequence[Any], Sequence[Any]]:
        """Some unexpected values of one expectation, and some that it lacks, by these metrics of it alone."""
        validator = self._validator()
        how = {"result_format": {"result_format": "BASIC", "partial_unexpected_count": most}}
        kind, kwargs = self._entries[number]["kind"], self._entries[number]["arguments"]
        expectation = construct(kind, {**kwargs, "batch_id": validator.active_batch_id})
        needed = expectation.get_validation_dependencies(validator.execution_engine, how).metric_configurations
        wanted = [metric for name, metric in needed.items() if name.endswith((*_UNEXPECTED, _LACKING))]
        found, _ = validator.compute_metrics(wanted, runtime_configuration=how)
        of = {metric.metric_name: found.get(metric.id) or () for metric in wanted}
        unexpected = [value for name, values in of.items() if not name.endswith(_LACKING) for value in values]
        return unexpected[:most], [v for name, values in of.items() if name.endswith(_LACKING) for v in values][:most]

    def open(self, outcomes: Mapping[int, Outcome]) -> Mapping[int, Looks]:
        """Where those look that may hold for want of values."""
        kinds = {i: self._entries[i]["kind"] for i, outcome in outcomes.items()}
        made = {i: construct(**self._entries[i]) for i, kind in kinds.items() if is_open(kind, outcomes[i])}
        looks = {i: looks_of(kinds[i], one.configuration.kwargs) for i, one in made.items()}
        return {i: one for i, one in looks.items() if one is not None}

    def rows_with_values(self, looks: Iterable[Looks]) -> Mapping[Looks, tuple[int, int]]:
        """How many rows each looks at, and how many of them have the values that it judges."""
        validator = self._validator()
        return rows_with_values(validator.execution_engine, validator.active_batch_id, looks)

    def _validator(self) -> Any:
        request = self._definition.build_batch_request(batch_parameters=self._given)
        return self._context.get_validator(batch_request=request)


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
        outcomes = _with_judged(batch, {i: outcome_of(result) for i, result in found.items()})
        for i, outcome in outcomes.items():
            if samples and outcome.holds is False and (outcome.unexpected or outcome.lacking):
                with suppress(Exception):  # the verdict stands without examples
                    unexpected, lacking = batch.values(i, samples)
                    shown = (*samples_of(named[i], unexpected), *lacking_of(named[i], lacking))
                    outcomes[i] = replace(outcome, samples=shown)
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
        raise DataError(
            message, "install it where the driver runs, and for formats and JSON where the executors run"
        ) from error
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
    taken = spark.catalog.tableExists(_VIEW) and spark.catalog.getTable(_VIEW).isTemporary
    before = spark.table(_VIEW) if taken else None
    try:
        yield
    finally:
        spark.catalog.dropTempView(_VIEW)
        if before is not None:
            before.createOrReplaceTempView(_VIEW)


def _each(batch: _Batch, numbers: Sequence[int]) -> dict[int, Any]:
    """Results of all; where several stop with one message, halves of them are tried to find who stops the others."""
    found: dict[int, Any] = {}
    waiting = deque([numbers] if numbers else [])
    # Two that are to blame are told apart from any number of others; of many it would take a try for each.
    for _ in range(4 * len(numbers).bit_length()):
        if not waiting:
            break
        tried = waiting.popleft()
        found |= _tried(batch, tried)
        for members in _together(found, tried):
            middle = len(members) // 2
            waiting += [members[:middle], members[middle:]]
    for i in (i for members in waiting for i in members):
        found[i] = RuntimeError(f"{_UNTOLD}: {error_of(found[i])}")
    return found


def _tried(batch: _Batch, numbers: Sequence[int]) -> Mapping[int, Any]:
    try:
        return batch.validate(numbers)
    except Exception as error:  # noqa: BLE001 - one that Great Expectations cannot prepare stops it as a whole
        return dict.fromkeys(numbers, error)


def _together(found: Mapping[int, Any], numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    """Those that stop with one message, for which another may be to blame."""
    together: dict[str, list[int]] = {}
    for i in numbers:
        message = error_of(found[i]) if i in found else None
        if message is not None and _is_shared(found[i], message):
            together.setdefault(message, []).append(i)
    yield from (members for members in together.values() if len(members) > 1)


def _is_shared(result: Any, message: str) -> bool:
    """Whether another expectation may be to blame; a lost executor is nobody's, and is not asked for again."""
    if isinstance(result, Exception) and type(result).__module__.partition(".")[0] not in _TRANSPORT:
        return not isinstance(result, OSError)
    return is_of_the_data(result if isinstance(result, Exception) else Exception(message))


def _with_judged(batch: _Batch, outcomes: dict[int, Outcome]) -> dict[int, Outcome]:
    """The outcomes, with the rows that were not judged where Great Expectations does not tell them."""
    untold = batch.open(outcomes)
    try:
        counted = batch.rows_with_values(untold.values()) if untold else {}
    except Exception as error:  # noqa: BLE001 - it then is not known whether anything was judged
        unknown = Outcome(error=first_line(error))
        return {i: unknown if i in untold and outcome.holds else outcome for i, outcome in outcomes.items()}
    for i, one in untold.items():
        rows, judged = counted[one]
        if outcomes[i].rows is not None or not judged:
            outcomes[i] = replace(outcomes[i], rows=rows, missing=rows - judged)
    return outcomes
