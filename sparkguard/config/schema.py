"""The JSON schema of a suite, for editors and for other tools."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from sparkguard.config.catalog import catalog
from sparkguard.config.model import SuiteBlock

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SUITE_NAME = r"^([\w.-]|\$\{[^}]*\})+$"
_VARIABLE: dict[str, Any] = {"type": "string", "pattern": r"\$\{"}


def suite_schema() -> dict[str, Any]:
    """Describe a suite with every known check type; `${NAME}` may stand for any number or boolean."""
    schema = SuiteBlock.model_json_schema()
    definitions = schema.setdefault("$defs", {})
    branches = []
    for kind, model in sorted(catalog().items()):
        check = TypeAdapter(model).json_schema()
        definitions.update(check.pop("$defs", {}))
        check["properties"] = {"type": {"const": kind}, **check["properties"]}
        check["required"] = ["type", *check.get("required", [])]
        check["description"] = (model.__doc__ or "").strip().split("\n")[0]
        definitions[kind] = check
        branches.append(
            {"if": {"properties": {"type": {"const": kind}}, "required": ["type"]}, "then": {"$ref": f"#/$defs/{kind}"}}
        )
    schema["properties"]["checks"]["items"] = {
        "type": "object",
        "properties": {"type": {"enum": sorted(catalog())}},
        "required": ["type"],
        "allOf": branches,
    }
    results = schema["properties"]["results"]
    schema["properties"]["results"] = {
        "anyOf": [{"type": "string"}, {"$ref": results["$ref"]}],
        "description": results.get("description", ""),
    }
    schema["properties"]["suite"]["pattern"] = _SUITE_NAME
    schema["properties"] |= _family(schema["properties"]["checks"], schema["properties"]["datasets"])
    schema["required"] = ["suite"]
    schema["anyOf"] = [{"required": ["checks"]}, {"required": ["tables"]}]
    _allow_variables(schema)
    return {"$schema": _DIALECT, "title": "A sparkguard suite", **{k: v for k, v in schema.items() if k != "title"}}


def _family(checks: dict[str, Any], datasets: dict[str, Any]) -> dict[str, Any]:
    """The keys by which one file holds many suites; what they change may be in part, so it is not described."""
    part: dict[str, Any] = {"type": "array", "items": {"type": "object"}}
    table = {"type": ["object", "null"], "properties": {"owner": {"type": ["string", "null"]}, "checks": part}}
    match = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
    template = {
        "type": "object",
        "properties": {"match": match, "checks": checks, "datasets": datasets, "defaults": {"type": "object"}},
        "required": ["match"],
        "additionalProperties": False,
    }
    return {
        "tables": {
            "type": "object",
            "additionalProperties": table,
            "description": "Tables that get a suite each: their owner, how they are read, and checks of their own.",
        },
        "templates": {
            "type": "array",
            "items": template,
            "description": "Checks for the tables whose names match a pattern.",
        },
        "overlays": {
            "type": "object",
            "additionalProperties": {"type": "object"},
            "description": "What is different in an environment.",
        },
    }


def _allow_variables(node: Any) -> None:
    if isinstance(node, list):
        for child in node:
            _allow_variables(child)
    elif isinstance(node, dict):
        for key, child in node.items():
            if key == "properties":
                for name, one in child.items():
                    if one.get("type") in ("integer", "number", "boolean"):
                        keep = {k: one.pop(k) for k in ("description", "default", "title") if k in one}
                        child[name] = {"anyOf": [one, _VARIABLE], **keep}
            _allow_variables(child)
