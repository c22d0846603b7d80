"""What Spark's exceptions mean for a user, in a sentence and without a stack trace."""

from __future__ import annotations

import re
from typing import NamedTuple

from sparkguard.core.measure import Broken
from sparkguard.core.text import first_line
from sparkguard.errors import DataError


class _Fault(NamedTuple):
    pattern: re.Pattern[str]
    reason: str
    remedy: str


_PACKAGES = re.compile(
    r"No module named '(?:numpy|pandas|pyarrow)\b|PACKAGE_NOT_INSTALLED|UNSUPPORTED_PACKAGE_VERSION|"
    r"(?:PyArrow|Pandas) >= [\d.]+ must be installed"
)
_KNOWN = (
    _Fault(
        _PACKAGES,
        "Python lacks a package that counting in numpy needs",
        "pip install 'sparkguard[drift]' for the Python of the driver and for that of the executors",
    ),
    _Fault(
        re.compile(
            r"PATH_NOT_FOUND|Path does not exist|DELTA_PATH_DOES_NOT_EXIST|is not a Delta table|"
            r"DELTA_MISSING_DELTA_TABLE|DELTA_TABLE_NOT_FOUND|DELTA_TABLE_ONLY_OPERATION"
        ),
        "there is no such data",
        "correct the location or the format (delta, if none is given), or find out why the data is missing",
    ),
    _Fault(
        re.compile(
            r"TABLE_OR_VIEW_NOT_FOUND|SCHEMA_NOT_FOUND|NoSuchTable|CATALOG_NOT_FOUND|REQUIRES_SINGLE_PART_NAMESPACE"
        ),
        "there is no such table",
        "correct the table's name in the suite, or find out why the table is missing",
    ),
    _Fault(
        re.compile(
            r"is not a Parquet file|CANNOT_READ_FILE|FAILED_READ_FILE|MALFORMED|footer|CorruptRecord|Could not read"
        ),
        "a file of it cannot be read",
        "restore or rewrite the damaged file",
    ),
    _Fault(
        re.compile(r"UNABLE_TO_INFER_SCHEMA|UNABLE_TO_INFER_PARTITION|DELTA_SCHEMA_NOT_SET|EMPTY_SCHEMA"),
        "it holds no readable file",
        "find out whether the upstream has written it, and in which format",
    ),
    _Fault(
        re.compile(r"VersionNotFound|DELTA_VERSION_NOT_FOUND|DELTA_TIMESTAMP|TimestampEarlier|Cannot time travel"),
        "there is no such version",
        "name a version or timestamp that the table still keeps",
    ),
)


_MISSING = _KNOWN[1:3]
_UNWRITTEN = _KNOWN[4]

_OF_THE_DATA = re.compile(
    r"\[(?:ARITHMETIC_OVERFLOW|BINARY_ARITHMETIC_OVERFLOW|CAST_\w+|DIVIDE_BY_ZERO|REMAINDER_BY_ZERO|\w*OUT_OF_RANGE|"
    r"INVALID_\w+|CANNOT_PARSE\w*|DATETIME_\w+|INTERVAL_\w+|NULL_MAP_KEY|DUPLICATED_MAP_KEY|USER_RAISED_EXCEPTION|"
    r"FAILED_EXECUTE_UDF|SCALAR_SUBQUERY_\w+|PARSE_SYNTAX_ERROR|DATATYPE_MISMATCH|UNRESOLVED_\w+|AMBIGUOUS_\w+|"
    r"WRONG_NUM_ARGS|MALFORMED_RECORD\w*|MISSING_GROUP_BY|MISSING_AGGREGATION|UNSUPPORTED_\w+)[\w.]*\]|"
    r"\bPatternSyntaxException\b|\bArithmeticException\b|\bNumberFormatException\b|\bDateTimeException\b|"
    r"\bStackOverflowError\b"
)
_OF_THE_TEXT = ("ParseException", "AnalysisException", "PythonException")


def is_of_the_data(error: Exception) -> bool:
    """Whether a query stopped at a value or at its own text, so that a part of it may succeed."""
    if _PACKAGES.search(str(error)):
        return False
    return type(error).__name__ in _OF_THE_TEXT or _OF_THE_DATA.search(str(error)) is not None


def is_missing(error: Exception) -> bool:
    """Whether there is no such table or path, rather than one that cannot be read."""
    whole = f"{type(error).__name__} {error}"
    return next((fault in _MISSING for fault in _KNOWN if fault.pattern.search(whole)), False)


def is_not_there_yet(error: Exception) -> bool:
    """Whether there is no such table or path, or nothing was written into it so far."""
    whole = f"{type(error).__name__} {error}"
    first = next((fault for fault in _KNOWN if fault.pattern.search(whole)), None)
    return not isinstance(error, DataError) and first in (*_MISSING, _UNWRITTEN)


def broken(error: Exception, what: str) -> Broken:
    """Explain an exception: what could not be read, why, and what to do."""
    if isinstance(error, DataError):
        return Broken(f"{what}: {error}", error.remedy)
    detail = first_line(error)
    whole = f"{type(error).__name__} {error}"
    for fault in _KNOWN:
        if fault.pattern.search(whole):
            return Broken(f"{what}: {fault.reason} ({detail})", fault.remedy)
    return Broken(f"{what}: {detail}", None)
