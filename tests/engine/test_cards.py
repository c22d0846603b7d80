"""A card is read as it is written, or it is said why not."""

import json

import pytest

from sparkguard.engine.cards import LONGEST, SHOWN, read_card
from sparkguard.errors import DataError


def says(content: str | bytes, *keys: str) -> dict[str, str | None]:
    return dict(read_card(content.encode() if isinstance(content, str) else content, keys).values)


def test_json_and_yaml_say_the_same() -> None:
    card = {"model": {"version": 7, "tags": ["a"]}, "training.finished": "2013-10-20", "ok": True, "none": None}
    keys = ("model.version", "training.finished", "ok", "none", "model.tags", "absent")
    expected = {"model.version": "7", "training.finished": "2013-10-20", "ok": "true", "none": None, "model.tags": None}
    yaml = "model:\n  version: 7\n  tags: [a]\ntraining.finished: 2013-10-20\nok: true\nnone: null\n"
    for content in (json.dumps(card), json.dumps(card, indent="\t"), yaml, "\ufeff" + yaml, "# a card\n---\n" + yaml):
        assert says(content, *keys) == expected


def test_scalars_stay_as_they_were_written() -> None:
    yaml = "a: 1.10\nb: 2013-07-04 09:00\nc: 012\nd: no\ne: 1_000\nf: '7'\ng: 0x1F\nh: ~\ni: 'null'\nj: ' '\nk: 1:30\n"
    assert list(says(yaml, *"abcdefghijk").values()) == [
        "1.10", "2013-07-04 09:00", "012", "no", "1_000", "7", "0x1F", None, "null", None, "1:30",
    ]  # fmt: skip
    assert says('{"a": 1.10, "b": 1e400, "c": NaN, "d": 12345678901234567890}', *"abcd") == {
        "a": "1.10", "b": "1e400", "c": "NaN", "d": "12345678901234567890",
    }  # fmt: skip
    assert says('{"ключ": "\\ud83d\\ude00"}', "ключ") == {"ключ": "😀"}
    assert says("{a: 1, b: 2}", "a") == {"a": "1"}


def test_only_what_is_asked_for_leaves_a_card_and_few_of_its_keys() -> None:
    content = json.dumps({"token": "very-secret", "version": "x" * 10_000, **{f"k{i}": i for i in range(1000)}})
    answer = read_card(content.encode(), ("version",))
    assert "very-secret" not in repr(answer)
    assert [len(text or "") for _, text in answer.values] == [LONGEST]
    assert (len(answer.keys), answer.more) == (SHOWN, 1002 - SHOWN)


def test_a_key_that_stands_twice_is_refused_where_it_is_asked_for() -> None:
    for content in ('{"a": 1, "a": 2}', "a: 1\na: 2\n", '{"a.b": 1, "a": {"b": 2}}', "a.b: 1\na:\n  b: 1\n"):
        key = "a" if "b" not in content else "a.b"
        with pytest.raises(DataError, match=f"'{key}' stands in it more than once"):
            says(content, key)
        assert says(content, "c") == {}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "it is empty"),
        ("\n# nothing\n", "it is empty"),
        ("[1, 2]", "it is a list or a single value"),
        ("- a\n- b\n", "it is a list or a single value"),
        ("seven", "it is a list or a single value"),
        ("null", "it is a list or a single value"),
        ("a: 1\n b: 2\n", "not valid YAML: line 2"),
        ("a: 1\n---\nb: 2\n", "not valid YAML: line 2"),
        ('{"a": 1,\n "b": }}', "not valid JSON: line 2"),
        (b"\x80\x04\x95", "it is no text in UTF-8: byte 1"),
        ("{a: 1}".encode("utf-16"), "it is no text in UTF-8"),
        (b"a: \x00\x01", "it holds characters that are no text"),
        ('{"a":' * 50_000 + "1" + "}" * 50_000, "nested too deeply"),
        ("a: &a\n  b: *a\n", "nested too deeply, or a block of it holds itself"),
        ("\n".join(["a0: &a0 {x: 1}", *(f"a{i}: &a{i} {{x: *a{i - 1}, y: *a{i - 1}}}" for i in range(1, 40))]),
         "it has more than 100,000 values"),
        ("\n".join(["a0: &a0 {}", *(f"a{i}: &a{i} {{x: *a{i - 1}, y: *a{i - 1}}}" for i in range(1, 40))]),
         "it has more than 100,000 values"),
    ],
)  # fmt: skip
def test_what_is_no_card_is_refused_with_the_reason(content: str | bytes, message: str) -> None:
    with pytest.raises(DataError) as error:
        says(content, "a")
    assert message in str(error.value)
    assert error.value.remedy
