"""What an MLflow registry says of a model; only this file knows MLflow, and only if it is asked."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sparkguard.core.text import few, first_line, without_secrets
from sparkguard.engine.cards import chosen
from sparkguard.errors import DataError
from sparkguard.measures.models import RUN_ENDED, ModelMetadata, RegisteredModel

_PATIENCE: Mapping[str, str] = {
    # MLflow's own 7 retries of 120 seconds would hold a nightly run for a quarter of an hour.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_DATABRICKS_ENDPOINT_HTTP_RETRY_TIMEOUT": "30",
    # A server that is overloaded may ask for any pause.
    "MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER": "false",
    # MLflow 3 reports what is used to its makers.
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
"""Set where the user has not."""
_SHOWN = 10
_ABSENT = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")


def read_registry(asked: RegisteredModel) -> ModelMetadata:
    """What the registry says of the version under the keys; `DataError` if there is none, or no answer."""
    with _bounded():
        try:
            from mlflow import MlflowClient, get_tracking_uri, is_tracking_uri_set
        except ImportError as error:
            message = "the client of MLflow is not installed for the driver's Python"
            raise DataError(message, "pip install 'sparkguard[mlflow]'") from error
        named = asked.uri or is_tracking_uri_set() or get_tracking_uri().startswith("databricks")  # type: ignore[no-untyped-call]
        if not named:
            message = "no registry is named"
            raise DataError(message, "set registry.uri in the suite, or MLFLOW_TRACKING_URI")
        try:
            # The runs of a model in Unity Catalog are in the workspace.
            runs = asked.uri and asked.uri.replace("databricks-uc", "databricks", 1)
            client = MlflowClient(tracking_uri=runs, registry_uri=asked.uri)
            version = _version(client, asked)
            return _metadata(client, version, asked)
        except DataError:
            raise
        except Exception as error:  # each store of MLflow raises errors of its own
            raise _unanswered(error) from error


@contextmanager
def _bounded() -> Iterator[None]:
    """Let MLflow neither wait for long, nor warn, nor call home; its settings are read at each call."""
    added = {name: value for name, value in _PATIENCE.items() if name not in os.environ}
    log = logging.getLogger("mlflow")
    level = log.level
    os.environ.update(added)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            log.setLevel(logging.ERROR)
            yield
    finally:
        log.setLevel(level)
        for name in added:
            os.environ.pop(name, None)


def _version(client: Any, asked: RegisteredModel) -> Any:
    """The version by its alias, its stage or its number; `DataError` says which there are."""
    if asked.stage is not None:
        return _of_stage(client, asked)
    try:
        if asked.alias is not None:
            return client.get_model_version_by_alias(asked.model, asked.alias)
        return client.get_model_version(asked.model, asked.version)
    except Exception as error:
        if not _is_absent(error):
            raise
        raise _missing(client, asked) from error


def _of_stage(client: Any, asked: RegisteredModel) -> Any:
    try:
        latest = client.get_latest_versions(asked.model)
    except Exception as error:
        if not _is_absent(error):
            raise
        raise _missing(client, asked) from error
    wanted = str(asked.stage).lower()
    found = [version for version in latest if str(version.current_stage).lower() == wanted]
    if not found:
        there = few(sorted(f"{v.current_stage} (version {v.version})" for v in latest), _SHOWN) or "none"
        message = f"no version of the model is in stage '{asked.stage}'; there are: {there}"
        raise DataError(message, "correct the stage in the suite, or find out who moved the model")
    return max(found, key=lambda version: int(version.version))


def _missing(client: Any, asked: RegisteredModel) -> DataError:
    """Say whether it is the model that is missing, or its version, and what there is instead."""
    try:
        aliases: Mapping[str, Any] = client.get_registered_model(asked.model).aliases
    except Exception as error:
        if not _is_absent(error):
            raise
        message = f"the registry has no model '{asked.model}'"
        return DataError(message, "correct the model's name or the registry's uri in the suite")
    there = few(sorted(f"{name} (version {number})" for name, number in aliases.items()), _SHOWN) or "none"
    message = f"the model has no {asked.called}; its aliases are: {there}"
    return DataError(message, f"correct the {asked.called.split()[0]} in the suite, or find out who took it away")


def _metadata(client: Any, version: Any, asked: RegisteredModel) -> ModelMetadata:
    """Tags of the version come before parameters and tags of its run."""
    values: dict[str, str | None] = {"version": str(version.version)}
    run, note = _run(client, version)
    if run is not None and run.info.end_time:
        values[RUN_ENDED] = datetime.fromtimestamp(run.info.end_time / 1000, UTC).isoformat()
    elif run is not None:
        note = "its run has not ended"
    for facts in (version.tags, {} if run is None else run.data.params, {} if run is None else run.data.tags):
        # What MLflow notes down for itself, such as who started the run and where, is not the user's.
        values |= {n: str(v) for n, v in facts.items() if n not in values and not n.startswith("mlflow.")}
    if RUN_ENDED not in values:
        note += "; when it was registered is not when it was trained"
    return chosen(values, asked.keys, note)


def _run(client: Any, version: Any) -> tuple[Any, str]:
    """The run that trained the version, or why there is none; a deleted one is still told by most stores."""
    if not version.run_id:
        return None, "it was registered without a run"
    try:
        return client.get_run(version.run_id), ""
    except Exception as error:  # noqa: BLE001 - tags of the version may say all that is asked
        absent = "it no longer exists" if _is_absent(error) else without_secrets(first_line(error))
        return None, f"its run {version.run_id} cannot be read: {absent}"


def _is_absent(error: Exception) -> bool:
    return getattr(error, "error_code", None) in _ABSENT


def _unanswered(error: Exception) -> DataError:
    remedy = "look whether the registry is up, and whether the driver may reach it and log in"
    text = str(error)
    if "MLFLOW_ALLOW_FILE_STORE" in text:
        remedy = "use a tracking server; to go on with a store in files, set MLFLOW_ALLOW_FILE_STORE=true"
    elif isinstance(error, ImportError):
        remedy = "this kind of registry needs all of MLflow: pip install mlflow"
    return DataError(f"the registry gives no answer: {without_secrets(first_line(error))}", remedy)
