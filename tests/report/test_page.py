"""What a reader of the page sees, and in which order."""

import re
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from sparkguard.report import page, render
from sparkguard.report.outline import FULL_RESULTS, FULL_SUBJECTS
from sparkguard.report.reading import Recorded
from sparkguard.sinks.rows import CheckResultRow
from tests.report.html import Seen
from tests.report.tables import START, recorded, result_row, run_row, violation_row

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>&amp;"


def html(*runs: Recorded) -> str:
    return render(page(runs, "results"))


def seen(*runs: Recorded) -> Seen:
    return Seen(html(*runs))


def of(*results: CheckResultRow, **run: Any) -> Seen:
    return seen(recorded(run_row(**run), results))


def test_the_verdict_comes_first_and_says_what_a_scheduler_does() -> None:
    found = of(result_row("a"), status="failed", exit_code=5, checks_failed=1, attempt=3)
    assert found.headings()[:2] == [(1, "s"), (1, "failed")]
    start = found.text[: found.text.index("what a found")]
    for told in (
        "for 2026-01-31", "Exit code 5. An error-severity check failed: stop what is downstream", "1 failed",
        "Attempt 3", "Started 2026-01-31 02:00:00 UTC", "Took 1 min 15 s",
        "sparkguard 0.1.0 , Spark 4.1.4 , Delta 4.4.0",
    ):  # fmt: skip
        assert told in start


@pytest.mark.parametrize(("code", "advice"), [(0, "go on"), (3, "run it again"), (5, "stop what is downstream")])
def test_each_exit_code_has_its_advice(code: int, advice: str) -> None:
    assert advice in of(result_row("a", "pass"), exit_code=code).text


def test_what_is_urgent_comes_first() -> None:
    found = of(
        result_row("passed", "pass"),
        result_row("warned", "warn"),
        result_row("skipped", "skipped"),
        result_row("errored", "error"),
        result_row("mild", severity="warn"),
        result_row("ongoing", transition="ongoing"),
        result_row("new"),
    )
    ids = [
        word
        for word in found.text.split()
        if word in {"passed", "warned", "skipped", "errored", "mild", "ongoing", "new"}
    ]
    in_order = [text for level, text in found.headings() if level == 3]
    assert in_order == ["new", "ongoing", "mild", "errored", "warned"]
    assert [text for level, text in found.headings() if level == 2][::2] == [
        "Failed", "Not evaluated", "Skipped", "Warned", "Passed",
    ]  # fmt: skip
    assert ids.index("mild") < ids.index("errored") < ids.index("warned")


def test_a_failed_check_tells_what_where_why_and_what_to_do() -> None:
    row = result_row(
        "pk", message="3 keys occur twice", remedy="look at the last join", owner="crm", reference="planes",
        reference_version=2, window_start=START - timedelta(days=1), window_end=START, columns=("id", "odd.name"),
        transition="ongoing", severity="warn", tags=("nightly",),
    )  # fmt: skip
    found = seen(recorded(run_row(), [row]))
    for told in (
        "3 keys occur twice", "What to do look at the last join", "Owner crm", "ongoing",
        "violation_rows is 3; fails if > 0 (default)", "3 of 2,000 violate the rule (0.15 %)",
        "t at version 7", "planes at version 2", "from 2026-01-30 02:00:00 until before 2026-01-31 02:00:00 (UTC)",
        "id , odd.name", "severity warn: it does not change the exit code", "nightly",
    ):  # fmt: skip
        assert told in found.text, told


def test_evidence_is_escaped() -> None:
    row = result_row(EVIL, message=EVIL, remedy=EVIL, owner=EVIL, dataset=EVIL, columns=(EVIL,), slice_key=EVIL,
                     slice_value=EVIL, tags=(EVIL,), metric_name=EVIL)  # fmt: skip
    evidence = violation_row(EVIL, kind=EVIL, key={EVIL: EVIL}, reason=EVIL, expected=EVIL, actual=EVIL)
    run = run_row(suite=EVIL, environment=EVIL, user=EVIL, master=EVIL, error=EVIL, tags={EVIL: EVIL}, selection=EVIL)
    many = [result_row("wide", s, subject=f"{EVIL}{i}", message=EVIL) for i in range(30) for s in ("fail", "pass")]
    found = seen(recorded(run, [row, *many], [evidence]), recorded(run_row(suite="other"), []))
    assert {"script", "img"} & {tag for tag, _ in found.elements} == set()
    assert not any(name.startswith("on") for _, attributes in found.elements for name in attributes)
    assert found.within("td").count(EVIL) >= 5
    assert EVIL in found.within("th")


def test_null_empty_redacted_and_text_that_looks_like_them_differ() -> None:
    keys: list[dict[str, str | None]] = [
        {"a": None}, {"a": ""}, {"a": "[redacted]"}, {"a": "NULL"}, {"a": "empty text"}, {"b": "x"},
    ]  # fmt: skip
    rows = [violation_row("c", rank, key=key, count=None) for rank, key in enumerate(keys, 1)]
    found = seen(recorded(run_row(), [result_row("c")], rows))
    cells = [(path[-1], text) for path, text in found.texts if "td" in path and "tbody" in path]
    of_a = [cell for cell in cells if cell != ("bdi", "duplicate")]
    assert of_a[:9:2] == [
        ("em", "NULL"), ("em", "empty text"), ("em", "[redacted]"), ("bdi", "NULL"), ("bdi", "empty text"),
    ]  # fmt: skip
    assert of_a[-2:] == [("em", "–"), ("bdi", "x")]


def test_what_is_unseen_is_written_out() -> None:
    odd = "a\x00b\u202ec\u200bd\ud800"
    rows = [violation_row("c", key={odd: odd})]
    found = seen(recorded(run_row(), [result_row("c", message=odd)], rows))
    assert found.text.count("a\\x00b\\u202ec\\u200bd\\ud800") == 3
    html(recorded(run_row(), [result_row("c", message=odd)], rows)).encode("utf-8")


def test_letters_of_all_scripts_stay_as_they_are() -> None:
    rows = [violation_row("c", key={"naïve.col`": "東京 \U0001f600 नमस्ते"})]
    found = seen(recorded(run_row(), [result_row("c")], rows))
    assert "naïve.col`" in found.within("th")
    assert "東京 \U0001f600 नमस्ते" in found.within("td")


def test_evidence_is_capped_and_says_how_much_more_there_is() -> None:
    rows = [violation_row("c", rank) for rank in range(1, 101)]
    found = seen(recorded(run_row(), [result_row("c")], rows))
    assert "the first 20 of 100 rows; the others are in violations" in found.text
    assert [text for text in found.within("td") if text.isdigit() and text != "2"] == [
        "1", *(str(i) for i in range(3, 21)),
    ]  # fmt: skip


def test_a_check_of_many_subjects_is_one_group() -> None:
    passes = [result_row("wide", "pass", subject=f"c{i}", subject_kind="column") for i in range(2000)]
    found = of(*passes)
    assert found.count("details") == 1
    assert "2,000 columns: 2,000 pass" in found.text
    rows_outside = [path for path, text in found.texts if text.startswith("c1999") and "details" not in path]
    assert rows_outside == []
    assert "c1999" in found.within("details")


def test_the_worst_subjects_of_a_wide_check_are_shown_and_the_others_listed() -> None:
    bad = [result_row("wide", subject=f"c{i}", violation_rate=i / 100, subject_kind="column") for i in range(60)]
    found = of(*bad, result_row("wide", "pass", subject="good", subject_kind="column"))
    assert [t for level, t in found.headings() if level == 4] == [f"c{i}" for i in range(59, 59 - FULL_SUBJECTS, -1)]
    assert "61 columns: 60 fail, 1 pass" in found.text
    assert "50 more did not pass" in found.text
    assert {"c0", "good"} <= set(found.within("details"))


def test_facts_of_all_results_of_a_check_are_told_once() -> None:
    rows = [result_row("wide", subject=f"c{i}", owner="ml", observed=float(i)) for i in range(5)]
    assert of(*rows).text.count("Owner ml") == 1


def test_nothing_is_left_out_of_a_page_with_more_failures_than_it_shows_in_full() -> None:
    rows = [result_row(f"check_{i:04}") for i in range(FULL_RESULTS + 50)]
    found = of(*rows)
    assert found.count("article") == FULL_RESULTS
    assert {f"check_{i:04}" for i in range(FULL_RESULTS, FULL_RESULTS + 50)} <= set(found.within("tbody"))


def test_the_page_is_bounded_for_many_results_with_much_evidence() -> None:
    results = [result_row(f"c{i}", message="x" * 100_000, columns=tuple(map(str, range(2000)))) for i in range(5000)]
    evidence = [
        violation_row(f"c{i}", rank, key={f"k{k}": "v" * 10_000 for k in range(30)})
        for i in range(FULL_RESULTS)
        for rank in range(1, 21)
    ]
    size = len(html(recorded(run_row(), results, evidence)).encode())
    assert 1_000_000 < size < 12_000_000


def test_an_interrupted_run_says_so() -> None:
    assert "This run was interrupted" in of(result_row("a", "error"), status="interrupted", exit_code=3).text


def test_details_that_an_unfinished_attempt_replaced_are_said_to_be_gone() -> None:
    found = seen(recorded(run_row(status="failed", exit_code=5, checks_failed=1), [], replaced_by=2))
    assert "replaced by attempt 2, which is not finished" in found.text
    assert "1 failed" in found.text


def test_a_part_of_a_suite_says_what_was_selected() -> None:
    assert "Only a part of the suite was selected (--only a)" in of(result_row("a", "pass"), selection="--only a").text


def test_suites_of_one_run_stand_below_each_other_the_most_urgent_first() -> None:
    green = recorded(run_row(suite="a_green"), [result_row("x", "pass")])
    red = recorded(run_row(suite="z_red", status="failed", exit_code=5), [result_row("x")])
    found = seen(green, red)
    assert found.text.index("Exit code 5") < found.text.index("Exit code 0")
    assert [t for level, t in found.headings() if level == 1] == ["2 suites"]
    assert [t for level, t in found.headings() if level == 2] == ["z_red", "failed", "a_green", "passed"]


def test_a_check_without_a_number_has_no_measure() -> None:
    row = result_row("a", "error", metric_name=None, observed=None, comparison=None, error_bound=None,
                     evaluated_rows=None, violation_rows=None, violation_rate=None)  # fmt: skip
    assert "Measured" not in of(row).text


def test_one_file_without_scripts_or_anything_from_elsewhere() -> None:
    text = html(recorded(run_row(), [result_row("a")], [violation_row("a")]))
    found = Seen(text)
    assert {"script", "link", "img", "iframe", "object"} & {tag for tag, _ in found.elements} == set()
    assert all(a.get("href", "#").startswith("#") for _, a in found.elements)
    assert "url(" not in text
    assert "@import" not in text
    policy = next(a["content"] for tag, a in found.elements if "http-equiv" in a)
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"


def test_the_page_can_be_read_without_seeing_it() -> None:
    found = of(result_row("a"), result_row("b", "pass"), checks_failed=1)
    assert ("html", {"lang": "en"}) in found.elements
    levels = [level for level, _ in found.headings()]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    headers = [a for tag, a in found.elements if tag == "th"]
    assert headers
    assert all(a.get("scope") in {"col", "row"} for a in headers)
    ids = [a["id"] for _, a in found.elements if "id" in a]
    assert len(ids) == len(set(ids))
    links = [a["href"] for tag, a in found.elements if tag == "a"]
    assert links
    assert {link.removeprefix("#") for link in links} <= set(ids)


def test_a_status_is_a_word_and_never_a_colour_alone() -> None:
    results = [result_row(status, status) for status in ("pass", "warn", "fail", "error", "skipped")]
    words = re.findall(r'<span class="status \w+">([^<]*)</span>', html(recorded(run_row(), results)))
    assert sorted(words) == ["fail", "not evaluated", "pass", "passed", "skipped", "warning"]
