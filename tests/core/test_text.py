import pytest

from sparkguard.core.text import count, first_line, hides, is_secret, number, without_secrets


@pytest.mark.parametrize(
    "leak",
    [
        "jdbc:postgresql://db/x?user=u&password=hunter22",
        "https://account:hunter22@host/path",
        "AccountKey=hunter22==;EndpointSuffix=x",
        "Authorization: Bearer hunter22hunter22",
        "fs.s3a.secret.key: 'hunter22'",
        "https://blob/x?sv=1&sig=hunter22",
        "s3a://AKIA:xx/hunter22@bucket/p",
        "Authorization: Basic hunter22aa",
        '{"api_key": "hunter22"}',
    ],
)
def test_what_looks_like_a_secret_is_hidden(leak: str) -> None:
    assert "hunter22" not in without_secrets(f"cannot read {leak} now")


def test_a_known_secret_is_hidden_wherever_it_stands() -> None:
    assert without_secrets("path /x/s3cr3tvalue/y", ["s3cr3tvalue"]) == "path /x/***/y"


def test_ordinary_messages_are_left_alone() -> None:
    text = "column 'keyboard' does not exist; key=EWR, design=x, pass: 3, pass rate 0.5, 3 keys"
    assert without_secrets(text, ["ab"]) == text
    summary = "suite flights passed: 6 pass, 3 fail; exit code 5\nrun abc attempt 1, results in /home/token/results"
    assert without_secrets(summary) == summary


def test_variables_are_secret_by_their_name() -> None:
    assert [is_secret(n) for n in ("DB_PASSWORD", "token", "DB_PASS", "MY_PWD", "API_KEY")] == [True] * 5
    assert [is_secret(n) for n in ("ENV", "PWD", "OLDPWD", "COMPASS", "DESIGN")] == [False] * 5


def test_numbers_are_for_people() -> None:
    assert [number(29768), number(0.00123456789), count(1, "row"), count(1204, "row")] == [
        "29,768",
        "0.00123457",
        "1 row",
        "1,204 rows",
    ]


def test_the_telling_line_of_an_exception_is_found() -> None:
    text = "An error occurred while calling o1.x.\n: org.E: Job aborted due to failure\nCaused by: java.io: bad file\n"
    assert first_line(RuntimeError(text)) == "java.io: bad file"
    assert first_line(RuntimeError("")) == "RuntimeError"
    assert first_line(RuntimeError("[X] no such thing. SQLSTATE: 42K03; line 1")) == "[X] no such thing."


@pytest.mark.parametrize(
    ("column", "hidden"),
    [("payload", True), ("payload.email", True), ("pay", False), ("Payload.`EMAIL`", True), ("PAYLOAD", True)],
)
def test_what_surrounds_a_hidden_field_is_hidden_with_it(column: str, *, hidden: bool) -> None:
    assert hides(["payload.email"], column) is hidden


def test_of_a_python_worker_the_last_line_of_its_trace_is_told() -> None:
    error = Exception(
        "An exception was thrown from the Python worker. Please see the stack trace below.\n"
        "Traceback (most recent call last):\n  import pyarrow as pa\n"
        "ModuleNotFoundError: No module named 'pyarrow'\n\tat org.apache.spark.Some.java(1)"
    )
    assert first_line(error) == "ModuleNotFoundError: No module named 'pyarrow'"
