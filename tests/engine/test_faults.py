"""Which of Spark's exceptions a part of the query may escape."""

import pytest

from sparkguard.engine.faults import is_of_the_data


class AnalysisException(Exception):  # noqa: N818 - Spark's own name
    pass


@pytest.mark.parametrize(
    "text",
    [
        "[DIVIDE_BY_ZERO] Division by zero. Use `try_divide`",
        '[CAST_INVALID_INPUT] The value \'x\' of the type "STRING" cannot be cast to "INT"',
        "[ARITHMETIC_OVERFLOW] long overflow",
        "[INVALID_ARRAY_INDEX_IN_ELEMENT_AT] The index 5 is out of bounds",
        "[FAILED_EXECUTE_UDF] User defined function",
        "java.util.regex.PatternSyntaxException: Unclosed group near index 1",
    ],
)
def test_a_value_or_a_text_stops_only_what_looks_at_it(text: str) -> None:
    assert is_of_the_data(RuntimeError(text))


@pytest.mark.parametrize(
    "text",
    [
        "Job aborted: ExecutorLostFailure (executor 3 exited) reading s3://lake/FORECAST_DAILY/CAST_1/part-0",
        "[FAILED_READ_FILE.NO_HINT] Encountered error while reading file file:///t/part-0.parquet",
        "java.lang.OutOfMemoryError: Java heap space",
        "Connection refused",
    ],
)
def test_what_is_wrong_with_the_machines_is_not_tried_again(text: str) -> None:
    assert not is_of_the_data(RuntimeError(text))


def test_what_cannot_be_analysed_is_looked_for() -> None:
    assert is_of_the_data(AnalysisException("anything"))
