"""What is known of Great Expectations: entries of a suite, what is wrong with them, and how to keep it quiet.

It is imported inside the functions that need it: the import alone takes more than two seconds.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import os
import threading
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from string import Formatter
from typing import Any, cast

from sparkguard.core.text import brief, did_you_mean, first_line

INSTALL = "needs Great Expectations, which is not installed: pip install 'sparkguard[expectations]'"
OLD_ENTRY = "is of Great Expectations 0.x; rename expectation_type to type, or write the suite with 1.x"
QUERY = "unexpected_rows_query"
"""The argument that is SQL."""
_PARAMETER = "$PARAMETER"
_COLUMNS = ("column", "column_A", "column_B", "column_list", "column_set")
_OF_THE_RUN = ("batch_id", "result_format", "catch_exceptions")
"""Arguments that say how an expectation is run, which is not the suite's business here."""
_SETS = ("type_list", "value_pairs_set", "value_set")
_RULE = ("type", "kwargs", "id", "severity")
_TOLD = ("meta", "notes", "description", "rendered_content", "success_on_last_run", "expectation_context")
_SEVERITIES = ("critical", "warning", "info")
_ID_DIGITS = 12
_LONGEST_ARGUMENT = 60
_ALONE = threading.RLock()

Step = tuple[str | int, ...]
Mistake = tuple[Step, str]
"""Where in an entry, and what is wrong there."""


@dataclass(frozen=True)
class Entry:
    """An expectation that Great Expectations could construct.

    `text` is the JSON of its type and its arguments, parameters filled in; `subject` is its `id` in the suite, or
    a hash of its type and its arguments as they were written.
    """

    text: str
    subject: str
    severity: str = "critical"
    columns: tuple[str, ...] = ()
    used: tuple[str, ...] = ()
    id: str | None = None

    @property
    def kind(self) -> str:
        """The type of the expectation."""
        return str(self._read["type"])

    @property
    def arguments(self) -> Mapping[str, Any]:
        """Its arguments, parameters filled in."""
        return cast("Mapping[str, Any]", self._read["kwargs"])

    @cached_property
    def _read(self) -> Mapping[str, Any]:
        return cast("Mapping[str, Any]", json.loads(self.text))

    @property
    def critical(self) -> bool:
        """Whether its failure is one; a warning or an information is none."""
        return self.severity == "critical"

    def __str__(self) -> str:
        """Type, columns and arguments: `expect_column_values_to_be_between(dep_delay, min_value=-90)`."""
        names = [", ".join(self.columns)] if self.columns else []
        # The least before the greatest, which the alphabet turns round.
        arguments = sorted(self.arguments.items(), key=lambda item: item[0].replace("max_", "min_~"))
        others = (f"{k}={_shown(v)}" for k, v in arguments if k not in _COLUMNS)
        return f"{self.kind}({', '.join([*names, *others])})"


@dataclass(frozen=True)
class WrongEntry(Exception):  # noqa: N818 - it carries mistakes, and is caught where they are told
    """An entry that cannot be run, with all that is wrong with it."""

    mistakes: tuple[Mistake, ...]


def entry_of(raw: object, parameters: Mapping[str, object]) -> Entry:
    """Read an entry of a suite and have Great Expectations construct it; `WrongEntry` with every mistake."""
    if not isinstance(raw, Mapping):
        raise WrongEntry((((), "is no block of keys: type, kwargs, severity"),))
    wrong, kind, arguments = list(_shape(raw)), raw.get("type"), raw.get("kwargs") or {}
    if not isinstance(kind, str) or not isinstance(arguments, Mapping):
        raise WrongEntry(tuple(wrong))
    written = {k: v for k, v in arguments.items() if k not in _OF_THE_RUN}
    used: dict[str, Step] = {}
    filled = _filled(written, parameters, ("kwargs",), used)
    unset = [(at, _unset(name, parameters)) for name, at in used.items() if name not in parameters]
    wrong += unset or list(_senseless(filled, ("kwargs",))) or _constructed(kind, filled)
    if wrong:
        raise WrongEntry(tuple(wrong))
    # 5 and 5.0 are equal, as GX writes the one for the other.
    own = hashlib.sha256(_canonical(kind, _plain(written)).encode()).hexdigest()[:_ID_DIGITS]
    severity = str(raw.get("severity") or "critical")
    return Entry(
        _canonical(kind, filled), raw.get("id") or own, severity, columns_of(filled), tuple(used), raw.get("id")
    )


def doubled(entries: Sequence[Entry]) -> Iterator[tuple[int, str]]:
    """The entries whose subject an earlier one has, by their number."""
    first: dict[str, int] = {}
    for i, entry in enumerate(entries):
        if first.setdefault(entry.subject, i) != i:
            yield i, f"is '{entry.subject}' as expectations[{first[entry.subject]}] is; give each an id of its own"


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Great Expectations from sending, logging and warning; what was set before is set again.

    One thread after the other, since what is set is the whole process's, as its context is.
    """
    with _ALONE:
        yield from _quietened()


def _quietened() -> Iterator[None]:
    logger, name = logging.getLogger("great_expectations"), "GX_ANALYTICS_ENABLED"
    handlers, passes_on, sends = logger.handlers, logger.propagate, os.environ.get(name)
    # A level would not do: some of its loggers have one of their own.
    logger.handlers, logger.propagate = [logging.NullHandler()], False
    os.environ[name] = "False"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its own code and of its own dependencies
            yield
    finally:
        logger.handlers, logger.propagate = handlers, passes_on
        os.environ.pop(name, None)
        os.environ.update({} if sends is None else {name: sends})


def construct(kind: str, arguments: Mapping[str, object], **others: object) -> Any:
    """The expectation as an object of Great Expectations; whatever it raises."""
    from great_expectations.expectations.expectation_configuration import ExpectationConfiguration

    return ExpectationConfiguration(type=kind, kwargs=dict(arguments), **others).to_domain_obj()


def columns_of(arguments: Mapping[str, Any]) -> tuple[str, ...]:
    """The columns that an expectation names."""
    given = (arguments[name] for name in _COLUMNS if arguments.get(name) is not None)
    return tuple(str(column) for value in given for column in (value if isinstance(value, list) else [value]))


def _shape(raw: Mapping[str, object]) -> Iterator[Mistake]:
    if "expectation_type" in raw and "type" not in raw:
        yield ("expectation_type",), OLD_ENTRY
        return
    known = (*_RULE, *_TOLD)
    yield from (((key,), f"unknown key{did_you_mean(key, known)}") for key in raw if key not in known)
    named = raw.get("id")
    if named is not None and not (isinstance(named, str) and named.strip()):
        yield ("id",), "is no name; write a text, or leave it out"
    kind = raw.get("type")
    if not isinstance(kind, str):
        yield ("type",) if "type" in raw else (), "type is required: the name of an expectation in snake case"
    arguments = raw.get("kwargs") or {}
    if isinstance(arguments, Mapping):
        misplaced = [name for name in arguments if name in ("id", "severity", *_TOLD)]
        yield from ((("kwargs", name), f"'{name}' is no argument; it stands beside kwargs") for name in misplaced)
    else:
        yield ("kwargs",), "kwargs is no block of arguments"
    if raw.get("severity") not in (None, *_SEVERITIES):
        severity = str(raw["severity"])
        yield ("severity",), f"unknown severity '{severity}'{did_you_mean(severity, _SEVERITIES)}"


def _senseless(value: Any, at: Step) -> Iterator[Mistake]:
    """What Great Expectations takes, and by which everything would hold, or other rows would be read."""
    if isinstance(value, float) and not math.isfinite(value):
        yield at, f"{value} is no finite number"
    elif value is None and at[-1] in _SETS:
        yield at, f"{at[-1]} is null, so everything would hold"
    elif at[-1] == QUERY and isinstance(value, str):
        with suppress(ValueError):  # what is wrong with its braces is told by Great Expectations
            if "batch" not in (name for _, name, _, _ in Formatter().parse(value)):
                yield at, "reads no {batch}, so it would not be about the dataset, its window and its version"
    elif isinstance(value, Mapping):
        yield from (mistake for key, one in value.items() for mistake in _senseless(one, (*at, key)))
    elif isinstance(value, list):
        yield from (mistake for i, one in enumerate(value) for mistake in _senseless(one, (*at, i)))


def _constructed(kind: str, arguments: Mapping[str, object]) -> Iterator[Mistake]:
    """What Great Expectations says of an entry."""
    with quiet():
        try:
            from great_expectations.compatibility import pydantic
            from great_expectations.exceptions import ExpectationNotFoundError
            from great_expectations.expectations import registry
        except ImportError:
            yield (), INSTALL
            return
        try:
            construct(kind, arguments)
        except ExpectationNotFoundError:
            near = did_you_mean(kind, registry.list_registered_expectation_implementations())
            yield ("type",), f"unknown expectation '{kind}'" + (near if near.startswith(", did") else "")
        except pydantic.ValidationError as error:
            allowed = registry.get_expectation_impl(kind).get_allowed_config_keys()
            yield from _arguments(error.errors(), allowed)
        except Exception as error:  # noqa: BLE001 - whatever it raises, the entry cannot be run
            yield (), first_line(error)


def _arguments(errors: Sequence[Mapping[str, Any]], allowed: Sequence[str]) -> Iterator[Mistake]:
    """Great Expectations' words on arguments; of the members of a union only what the first says."""
    told: set[str] = set()
    for error in errors:
        name, kind = str(error["loc"][0]), error["type"]
        if name in told:
            continue
        told.add(name)
        if kind == "value_error.extra":
            names = [one for one in allowed if one not in _OF_THE_RUN]
            yield ("kwargs", name), f"unknown argument '{name}'{did_you_mean(name, names)}"
        elif kind == "value_error.missing":
            yield ("kwargs",), f"argument '{name}' is required but missing"
        elif name == "__root__":
            yield ("kwargs",), error["msg"]
        else:
            yield ("kwargs", name), f"argument '{name}': {error['msg']}"


def _filled(value: Any, parameters: Mapping[str, object], at: Step, used: dict[str, Step]) -> Any:
    """A value with parameters in the place of `{"$PARAMETER": name}`; `used` learns where they stand."""
    if isinstance(value, Mapping):
        if set(value) == {_PARAMETER}:
            name = str(value[_PARAMETER])
            used.setdefault(name, at)
            return parameters.get(name)
        return {str(k): _filled(v, parameters, (*at, k), used) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_filled(v, parameters, (*at, i), used) for i, v in enumerate(value)]
    return value


def _unset(name: str, parameters: Mapping[str, object]) -> str:
    plain = name.isidentifier()
    hint = did_you_mean(name, parameters) if plain else "; an expression is not computed here, write its value"
    return f"{_PARAMETER} '{name}' has no value in parameters{hint}"


def _canonical(kind: str, arguments: Mapping[str, object]) -> str:
    return json.dumps({"kwargs": arguments, "type": kind}, sort_keys=True, ensure_ascii=False, default=str)


def _plain(value: Any) -> Any:
    """Whole numbers as such, in whatever form they were written."""
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _shown(value: object) -> str:
    return brief(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False), _LONGEST_ARGUMENT)
