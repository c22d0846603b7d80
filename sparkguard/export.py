"""A suite in the words of other tools, as far as they have the words."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from sparkguard.core.check import Check
from sparkguard.core.expectation import Expectation
from sparkguard.core.suite import Suite
from sparkguard.errors import DataError


def expectation_suites(suite: Suite) -> tuple[dict[str, Any], dict[str, str]]:
    """One suite of Great Expectations for each dataset, and why the other checks are left out, by id.

    Such a suite is about one batch of rows, so it says nothing of windows, filters or versions: the
    batch has to be cut as the dataset is. On a batch without rows every expectation of rows holds, and so it does
    of values that are all NULL; here that is an error.
    """
    suites: dict[str, Any] = {}
    left_out: dict[str, str] = {}
    for check in suite.checks:
        try:
            wanted = check.as_expectations()
        except DataError as error:
            left_out[check.id] = str(error)
            continue
        dataset = check.datasets[0].dataset
        one = suites.setdefault(
            dataset, {"name": f"{suite.name}.{dataset}", "expectations": [], "meta": _origin(suite)}
        )
        one["expectations"] += [
            {
                "type": e.type,
                "kwargs": dict(e.kwargs),
                "severity": e.severity,
                "id": e.id or _id(suite.name, check.id, e),
                **_about(check),
            }
            for e in wanted
        ]
    return suites, left_out


def _id(suite: str, check: str, expectation: Expectation) -> str:
    """The same at each export, and another for each check, of which two may expect the same."""
    said = [suite, check, expectation.type, expectation.kwargs, expectation.severity]
    return str(uuid.uuid5(uuid.NAMESPACE_OID, json.dumps(said, sort_keys=True, default=str)))


def _origin(suite: Suite) -> Mapping[str, object]:
    return {"sparkguard": {"suite": suite.name, "config_sha256": suite.config_sha256}}


def _about(check: Check) -> Mapping[str, object]:
    own = {"check_id": check.id, "severity": check.severity, "owner": check.owner}
    meta = {"sparkguard": {k: v for k, v in own.items() if v is not None}}
    return {"meta": meta, "notes": check.description} if check.description else {"meta": meta}
