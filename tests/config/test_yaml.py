import pytest

from sparkguard.config.yaml import parse, resolve
from sparkguard.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "value"),
    [("no", "no"), ("on", "on"), ("2026-01-31", "2026-01-31"), ("12:30", "12:30"), ("007", "007"), ("1_000", 1000),
     ("0.5", 0.5), ("1e3", 1000.0), ("true", True), ("null", None), ("", None), ("NaN", "NaN"), (".", ".")],
)  # fmt: skip
def test_plain_scalars_follow_yaml_1_2(text: str, value: object) -> None:
    assert resolve(text) == value


def test_variables_come_from_the_arguments_then_from_the_default() -> None:
    document = parse("a: ${A}\nb: ${B:-x}-${A}\nn: ${N:-3}\nq: '${N:-3}'", "f", {"A": "1"})
    assert document.data == {"a": 1, "b": "x-1", "n": 3, "q": "3"}
    assert document.variables == {"A": "1", "B": "x", "N": "3"}


def test_every_unset_variable_and_doubled_key_is_reported_with_its_line() -> None:
    with pytest.raises(ConfigError) as caught:
        parse("a: ${A}\nb: [1, '${B}']\na: 2", "f.yaml", {})
    assert str(caught.value).splitlines() == [
        "f.yaml:1: a: ${A} is not set; pass --set A=VALUE, export it, or write ${A:-default}",
        "f.yaml:2: b[1]: ${B} is not set; pass --set B=VALUE, export it, or write ${B:-default}",
        "f.yaml:3: a: stands twice in the same block",
    ]


@pytest.mark.parametrize("text", ["", "   \n", "# only a comment\n"])
def test_an_empty_file_says_what_a_suite_needs(text: str) -> None:
    with pytest.raises(ConfigError, match="the file is empty"):
        parse(text, "f.yaml", {})


def test_a_tab_is_named_with_its_line() -> None:
    with pytest.raises(ConfigError, match=r"f.yaml:2: not valid YAML.*tabs"):
        parse("a:\n\tb: 1\n", "f.yaml", {})


def test_broken_yaml_is_named_with_its_line() -> None:
    with pytest.raises(ConfigError, match=r"f.yaml:2: not valid YAML"):
        parse("a: [1,\nb: 2", "f.yaml", {})


def test_python_objects_are_not_built() -> None:
    document = parse("a: !!python/object/apply:os.system ['false']", "f", {})
    assert document.data == {"a": ["false"]}
