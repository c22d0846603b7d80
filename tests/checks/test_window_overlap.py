"""`window_overlap` judged on small tables in plain Python."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sparkguard.checks.window_overlap import WindowOverlap
from sparkguard.core.check import Run
from sparkguard.core.finding import Finding, Status
from sparkguard.core.window import Window
from sparkguard.engine.gather import Rounds
from sparkguard.errors import DataError
from sparkguard.measures.times import SharedDays, TextTimes
from sparkguard.testing import TwinEngine, judge

NOW = datetime(2026, 3, 1, 6, tzinfo=UTC)
RUN = Run(NOW.date(), NOW)
NAMES = {"scored": "s", "features": "f"}


def check(zone: str = "UTC", **fields: Any) -> WindowOverlap:
    own = {"id": "apart", "dataset": "scored", "training": "features", **fields}
    return WindowOverlap.model_validate(own, context={"timezone": zone})


def tables(scored: Sequence[Any], features: Sequence[Any]) -> dict[str, list[dict[str, Any]]]:
    return {"scored": [_row("s", v) for v in scored], "features": [_row("f", v) for v in features]}


def _row(column: str, value: Any) -> dict[str, Any]:
    return dict(zip((column, "who"), value, strict=True)) if isinstance(value, tuple) else {column: value}


def found(scored: Sequence[Any], features: Sequence[Any], **fields: Any) -> Finding:
    [finding] = judge(check(**fields), tables(scored, features), time_columns=NAMES, run=RUN)
    return finding


def numbers(finding: Finding) -> dict[str, float | None]:
    return {name: quantity.value for name, quantity in finding.quantities.items()}


def jan(day: int, hour: int = 0) -> datetime:
    return datetime(2026, 1, day, hour, tzinfo=UTC)


def test_a_window_after_training_passes() -> None:
    finding = found([jan(28), jan(29)], [jan(1), jan(27, 23)])
    assert (finding.status, finding.violation_rows) == (Status.PASS, 0)
    assert finding.message == (
        "2 rows of scored lie apart from 'features', which has no row from 2026-01-28 00:00:00 on"
    )


def test_rows_not_later_than_training_fail_with_their_days() -> None:
    finding = found([jan(26), jan(27, 4), jan(27, 9), jan(29)], [jan(1), jan(27, 5), jan(26, 1)])
    assert (finding.status, finding.evaluated_rows, finding.violation_rows) == (Status.FAIL, 4, 2)
    assert [(v.kind, dict(v.key), v.count, v.actual) for v in finding.violations] == [
        ("overlap_day", {"day": "2026-01-26"}, 1, "1 row of 'features'"),
        ("overlap_day", {"day": "2026-01-27"}, 2, "1 row of 'features'"),
    ]
    assert finding.message == (
        "2 of 4 rows of scored are not later than 'features', which ends 2026-01-27 05:00:00; "
        "both have rows on 2 days, the first is 2026-01-26"
    )
    counted = numbers(finding)
    assert (counted["overlap_days"], counted["overlap_rows"]) == (2, 3)
    assert counted["gap_days"] == pytest.approx(-(1 + 5 / 24))
    assert counted["range_overlap_days"] == pytest.approx(1 + 5 / 24)


def test_a_row_at_the_very_moment_of_the_last_training_row_is_not_later() -> None:
    assert found([jan(27)], [jan(27)]).violation_rows == 1
    assert found([jan(27) + timedelta(microseconds=1)], [jan(27)]).status is Status.PASS


def test_a_window_before_training_fails_unless_either_side_is_fine() -> None:
    assert found([jan(1)], [jan(20), jan(27)]).status is Status.FAIL
    assert found([jan(1)], [jan(20), jan(27)], order="either").status is Status.PASS
    assert found([jan(21)], [jan(20), jan(27)], order="either").violation_rows == 1


def test_the_gap_counts_from_the_last_training_row() -> None:
    assert found([jan(14)], [jan(7)], gap="7d").status is Status.PASS
    late = found([jan(13, 23)], [jan(7)], gap="7d")
    assert (late.status, late.violation_rows) == (Status.FAIL, 1)
    assert "not 7d after 'features', which ends 2026-01-07 00:00:00; no day has rows of both" in late.message


def test_the_gap_holds_on_both_sides_if_either_is_fine() -> None:
    assert found([jan(1)], [jan(7)], gap="7d", order="either").status is Status.FAIL
    assert found([jan(1)], [jan(8)], gap="7d", order="either").status is Status.PASS


def test_a_date_lasts_until_the_next_midnight() -> None:
    assert found([date(2026, 1, 27)], [jan(27, 5)]).status is Status.FAIL
    assert found([jan(27, 5)], [date(2026, 1, 27)]).status is Status.FAIL
    assert found([jan(28)], [date(2026, 1, 27)]).status is Status.PASS
    assert found([date(2026, 1, 28)], [date(2026, 1, 27)], gap="1d").status is Status.FAIL
    assert found([date(2026, 1, 29)], [date(2026, 1, 27)], gap="1d").status is Status.PASS


def test_a_column_without_a_zone_is_read_in_the_suites_and_the_message_says_so() -> None:
    finding = found([date(2026, 1, 28)], [jan(27, 23)], zone="Europe/Berlin")
    assert finding.status is Status.FAIL
    assert "s of 'scored' has no zone and is read in Europe/Berlin, f of 'features' has a zone" in finding.message
    assert "zone" not in found([jan(28)], [jan(27)]).message


def test_texts_are_times_too() -> None:
    scored = ["2026-01-28", "2026-01-28T04:00:00+05:00", None, "never"]
    finding = found(scored, [jan(27, 22)], zone="UTC")
    assert (finding.status, finding.violation_rows) == (Status.PASS, 0)
    assert found(scored, [jan(27, 23)]).violation_rows == 1
    assert "s of 'scored' is text, read in UTC where it says no zone" in finding.message


def test_entities_count_on_common_days_only() -> None:
    scored = [(jan(26), "a"), (jan(27), "a"), (jan(27), "b"), (jan(27), None)]
    features = [(jan(26), "b"), (jan(27), "a"), (jan(27), "a"), (jan(27), None)]
    finding = found(scored, features, entity=["who"])
    assert numbers(finding)["overlap_entities"] == 1
    assert [(v.kind, dict(v.key), v.count) for v in finding.violations if v.kind == "overlap_entity"] == [
        ("overlap_entity", {"who": "a"}, 1)
    ]
    assert "1 entity on the same day" in finding.message


def test_rows_later_than_the_run_warn_and_in_training_they_fail() -> None:
    later = found([NOW + timedelta(hours=1)], [jan(27)])
    assert (later.status, numbers(later)["future_rows"]) == (Status.WARN, 1)
    assert "1 row of scored is later than now" in later.message
    trained = found([jan(28)], [jan(27), datetime(2030, 1, 1, tzinfo=UTC)])
    assert (trained.status, numbers(trained)["training_future_rows"]) == (Status.FAIL, 1)


def test_a_date_beyond_all_calendars_is_told_and_breaks_nothing() -> None:
    finding = found([jan(28)], [date(9999, 12, 31)], gap="400d", zone="Pacific/Kiritimati")
    assert finding.status is Status.FAIL
    assert "ends 9999-12-30 or later" in finding.message
    assert found([jan(28)], [date(1, 1, 1)], gap="400d", zone="America/New_York").status is Status.PASS
    first = found([date(1, 1, 1)], [date(1, 1, 1)], order="either", gap="400d")
    assert (first.status, first.violation_rows, numbers(first)["overlap_days"]) == (Status.FAIL, 1, 1)


def test_the_usual_night_asks_nothing_but_whether_training_reaches_the_window() -> None:
    engine = TwinEngine(tables([jan(28)], [jan(27)]), NAMES)
    window = Window(datetime(2026, 1, 28), datetime(2026, 1, 29))
    [_] = Rounds(engine).gather([check(window=window)], now=NOW)
    assert sorted(type(m).__name__ for m in engine.computed) == ["Near", "RowCount"]


def test_a_bound_on_the_gap_has_it_measured() -> None:
    finding = found([jan(28)], [jan(20)], error_if={"gap_days": "< 10"})
    assert (finding.status, numbers(finding)["gap_days"]) == (Status.FAIL, 8)


def test_an_empty_window_is_an_error_and_so_is_training_without_a_time() -> None:
    window = Window(datetime(2026, 1, 28), datetime(2026, 1, 29))
    assert found([jan(30)], [jan(27)], window=window).status is Status.ERROR
    with pytest.raises(DataError, match="no row of features has a readable f, so nothing was compared"):
        found([jan(28)], [None, None])
    unread = found(["soon"], [jan(27)])
    assert (unread.status, unread.message) == (
        Status.ERROR,
        "no row of scored has a readable s, so nothing was checked",
    )


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"training": "scored"}, "training is the dataset itself"),
        ({"entity": ["a"], "training_entity": ["a", "b"]}, "as many columns"),
        ({"error_if": {"overlap_entities": "> 0"}}, "needs entity"),
        ({"violations_to": "x/y"}, "violations_to is not for this check"),
        ({"gap": "soon"}, "is not a length of time"),
    ],
)
def test_a_wrong_configuration_says_what_is_wrong(fields: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        check(**fields)


def test_values_stay_out_of_messages_where_the_suite_says_so() -> None:
    finding = found([jan(26)], [jan(27)], violations="none")
    assert "2026" not in finding.message.replace("[redacted]", "")
    assert not finding.violations


moments = st.datetimes(datetime(2026, 1, 1), datetime(2026, 1, 9)).map(lambda m: m.replace(tzinfo=UTC))


@given(st.lists(moments, min_size=1, max_size=6), st.lists(moments, min_size=1, max_size=6), st.integers(0, 3))
def test_the_verdict_is_that_of_a_look_at_all_rows(scored: list[datetime], features: list[datetime], gap: int) -> None:
    finding = found(scored, features, **({"gap": f"{gap}d"} if gap else {}))
    last = max(features)
    early = sum(m < last + timedelta(days=gap) if gap else m <= last for m in scored)
    assert finding.violation_rows == early
    measured = "gap_days" in numbers(finding)
    assert numbers(finding)["overlap_days"] == len({m.date() for m in scored} & {m.date() for m in features}) * measured


def test_a_mixed_table_of_texts_merges_in_any_order() -> None:
    engine = TwinEngine(tables(["2026-01-28", "2026-01-27T05:00:00Z", "x"], []), NAMES)
    measure = TextTimes(check().source, engine.pin([check().source])["scored", None].schema.column("s"), "UTC")  # type: ignore[union-attr]
    [(_, whole)] = engine.compute([measure])
    assert isinstance(whole, measure.STATE)
    assert whole.merge(measure.STATE.zero()) == measure.STATE.zero().merge(whole) == whole
    assert (whole.zoned, whole.readable) == (1, 2)


def test_the_days_of_both_are_asked_in_their_common_stretch_only() -> None:
    engine = TwinEngine(tables([jan(20), jan(27)], [jan(1), jan(22)]), NAMES)
    [_] = Rounds(engine).gather([check()], now=NOW)
    [days] = [m for m in engine.computed if isinstance(m, SharedDays)]
    assert str(days) == "days of [2026-01-20, 2026-01-23) that scored and features share"


def test_a_batch_stamped_with_one_time_shares_its_day() -> None:
    finding = found([(jan(5, 2), "a")] * 5, [(jan(5, hour), "a") for hour in (0, 1, 3, 4)], entity=["who"])
    assert {n: v for n, v in numbers(finding).items() if n.startswith("overlap")} == {
        "overlap_days": 1, "overlap_rows": 5, "overlap_entities": 1
    }  # fmt: skip


def test_texts_count_by_their_clock_and_inside_their_own_window_only() -> None:
    window = Window(datetime(2026, 1, 5, 6), datetime(2026, 1, 5, 7))
    scored = ["2026-01-05T05:00:00", "2026-01-05T05:10:00", "2026-01-05T06:30:00"]
    assert found(scored, ["2026-01-05T06:45:00"], window=window).violation_rows == 1
    late = found([*scored, "2026-01-05T19:30:00"], ["2026-01-05T18:45:00", "2026-01-06"], order="either")
    assert late.violation_rows == 1


def test_the_window_of_a_column_without_a_zone_begins_in_the_zone_in_which_it_is_read() -> None:
    window = Window(datetime(2026, 1, 31), datetime(2026, 2, 1))
    finding = found([date(2026, 1, 31)], [jan(30, 23)], window=window, timezone="Europe/Berlin")
    assert finding.status is Status.FAIL


def test_two_columns_of_text_say_so_where_only_one_writes_its_zone() -> None:
    finding = found(["2026-01-27T12:00:00"], ["2026-01-27T15:00:00Z"], zone="Europe/Berlin")
    assert "s of 'scored' has no zone and is read in Europe/Berlin, f of 'features' has a zone" in finding.message


def test_days_of_the_gap_are_calendar_days() -> None:
    training, scored = [date(2025, 3, 27)], [date(2025, 4, 4)]
    finding = found(scored, training, gap="7d", zone="Europe/Berlin", error_if={"gap_days": "< 7"})
    assert (finding.status, numbers(finding)["gap_days"]) == (Status.PASS, 7)


def test_what_the_other_side_hides_is_hidden() -> None:
    finding = found([jan(27)], [jan(27, 1)], redact=["f"])
    assert "2026" not in finding.message
    assert [v.key["day"] for v in finding.violations] == ["[redacted]"]
    entities = found([(jan(27), "a@b.c")], [(jan(27), "a@b.c")], entity=["who"], redact=["who"])
    assert {v.key["who"] for v in entities.violations if v.kind == "overlap_entity"} == {"[redacted]"}
