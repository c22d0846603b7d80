"""`metric_anomaly` judged on histories that tests record."""

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from sparkguard.checks.metric_anomaly import MetricAnomaly
from sparkguard.core.budget import Budget
from sparkguard.core.check import Run
from sparkguard.core.evidence import Evidence
from sparkguard.core.finding import Finding, Quantity, Status
from sparkguard.core.source import Source
from sparkguard.core.window import Duration, Window
from sparkguard.errors import DataError
from sparkguard.measures.history import History, MetricHistory, Point, Subject
from sparkguard.testing import judge

DAY = datetime(2026, 1, 31, tzinfo=UTC)
RUN = Run(DAY.date(), DAY + timedelta(hours=6))
TONIGHT = Window(datetime(2026, 1, 30), datetime(2026, 1, 31))
TABLE = Subject(":table")
STEADY = [1000.0 + (7 * n) % 11 for n in range(60)]


def watched(value: float | None, window: Window | None = TONIGHT, **fields: Any) -> Finding:
    return Finding(Status.PASS, "fine", quantities={"rows": Quantity(value)}, source=Source("t", window), **fields)


def of_column(name: str, value: float | None, **fields: Any) -> Finding:
    return watched(value, subject_kind="column", subject=name, columns=(name,), **fields)


def before(values: Iterable[float], length: timedelta = timedelta(1), end: datetime = DAY) -> tuple[Point, ...]:
    """One point a night, the last of which ends a day before tonight's."""
    nights = list(values)
    ends = [end - timedelta(len(nights) - n) for n in range(len(nights))]
    return tuple(Point(v, e - length, e) for v, e in zip(nights, ends, strict=True))


def found(
    findings: Sequence[Finding], past: Mapping[Subject, Sequence[Point]], run: Run = RUN, **fields: Any
) -> tuple[Finding, ...]:
    check = MetricAnomaly.model_validate({"id": "usual", "check": "a", "metric": "rows", **fields})
    seen = Evidence(judged={"a": findings})
    history = History({subject: tuple(points) for subject, points in past.items()})
    return judge(check, {}, recorded=dict.fromkeys(check.ask(seen), history), judged={"a": findings}, run=run)


def one(value: float | None, points: Sequence[Point], **fields: Any) -> Finding:
    [finding] = found([watched(value)], {TABLE: points}, **fields)
    return finding


def number(finding: Finding, name: str) -> float:
    value = finding.quantities[name].value
    assert value is not None
    return value


@pytest.mark.parametrize(
    ("value", "direction", "status"),
    [
        (1005, "both", "pass"), (500, "both", "fail"), (1500, "both", "fail"),
        (500, "low", "fail"), (1500, "low", "pass"), (500, "high", "pass"), (1500, "high", "fail"),
    ],
)  # fmt: skip
def test_what_is_outside_the_limits_fails_in_the_direction_that_is_watched(
    value: float, direction: str, status: str
) -> None:
    assert one(value, before(STEADY), direction=direction).status == status


def test_the_row_says_what_was_observed_and_the_nearer_limit() -> None:
    low, high = one(500, before(STEADY)), one(1006, before(STEADY))
    assert low.decision is not None
    assert high.decision is not None
    assert (low.decision.metric_name, low.decision.observed, low.decision.comparison) == ("rows", 500, "<")
    assert low.decision.error_bound == pytest.approx(number(low, "lower_limit"))
    assert high.decision.comparison == ">"
    assert high.decision.error_bound == pytest.approx(number(high, "upper_limit"))
    assert (low.threshold_source, high.threshold_source) == ("history", "history")
    assert low.decision.warn_bound is None
    assert number(low, "lower_limit") < number(low, "expected") < number(low, "upper_limit")
    assert {"observed", "expected", "lower_limit", "upper_limit", "deviation", "exceedance", "points"} == {
        *low.quantities
    }


def test_a_bound_on_the_exceedance_is_shown_in_the_metrics_own_units() -> None:
    finding = one(1010, before(STEADY), error_if={"exceedance": "> 1"}, warn_if={"exceedance": "> -0.9"})
    expected, upper = number(finding, "expected"), number(finding, "upper_limit")
    assert finding.decision is not None
    assert finding.status is Status.WARN
    assert finding.decision.error_bound == pytest.approx(expected + 2 * (upper - expected))
    assert finding.decision.warn_bound == pytest.approx(expected + 0.1 * (upper - expected))


def test_bounds_on_other_quantities_decide_as_everywhere() -> None:
    finding = one(1005, before(STEADY), error_if={"observed": "> 1000"})
    assert finding.decision is not None
    assert (finding.status, finding.decision.metric_name, finding.threshold_source) == (Status.FAIL, "observed", None)
    assert finding.message.endswith("observed is 1,005, and '> 1,000' fails")
    few = one(0, before(STEADY[:3]), error_if={"observed": "< 1"})
    assert (few.status, few.message) == (
        Status.FAIL,
        "cannot decide yet: 3 of 26 points; observed is 0, and '< 1' fails",
    )


def test_the_row_is_about_what_the_watched_check_was_about() -> None:
    column = of_column("x", 500.0, slice_key="k", slice_value="v")
    [finding] = found([column], {Subject("x", "k", "v"): before(STEADY)})
    assert (finding.subject_kind, finding.subject, finding.columns) == ("column", "x", ("x",))
    assert (finding.slice_key, finding.slice_value, finding.source) == ("k", "v", Source("t", TONIGHT))
    assert finding.status is Status.FAIL


@pytest.mark.parametrize(("points", "status"), [(0, "warn"), (25, "warn"), (26, "pass")])
def test_too_few_points_warn_and_never_pass(points: int, status: str) -> None:
    finding = one(1005, before(STEADY[:points]))
    assert finding.status == status
    if status == "warn":
        assert finding.message == f"cannot decide yet: {points} of 26 points"
        assert number(finding, "points") == points


def test_too_few_points_say_nothing_of_a_number_that_is_far_off() -> None:
    assert one(0, before(STEADY[:25])).status is Status.WARN


def test_less_than_26_points_cannot_be_asked_for() -> None:
    with pytest.raises(ValueError, match="greater than or equal to 26"):
        MetricAnomaly(id="x", check="a", metric="rows", min_points=25)


@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_no_number_tonight_is_an_error(value: float | None) -> None:
    finding = one(value, before(STEADY))
    assert finding.status is Status.ERROR
    assert "so it cannot be compared" in finding.message


@pytest.mark.parametrize("status", [Status.ERROR, Status.SKIPPED])
def test_a_watched_check_without_a_verdict_is_an_error_with_its_reason(status: Status) -> None:
    [finding] = found([Finding(status, "the table is gone")], {})
    assert (finding.status, finding.counted) == (Status.ERROR, True)
    assert finding.message == f"'a' has no 'rows' tonight, it is {status.value}: the table is gone"


def test_a_watched_check_that_was_left_out_on_purpose_leaves_this_one_out() -> None:
    skipped = Finding(Status.SKIPPED, "empty", counted=False, quantities={"rows": Quantity(0)})
    [finding] = found([skipped], {TABLE: before(STEADY)})
    assert (finding.status, finding.counted) == (Status.SKIPPED, False)


def test_a_number_of_a_check_that_failed_is_still_compared() -> None:
    failed = Finding(Status.FAIL, "no rows", quantities={"rows": Quantity(0)}, source=Source("t", TONIGHT))
    [finding] = found([failed], {TABLE: before(STEADY)})
    assert finding.status is Status.FAIL
    assert finding.message.startswith("rows is 0, usually")


def test_a_metric_that_the_check_did_not_measure_is_an_error() -> None:
    assert [f.message for f in found([Finding(Status.PASS, "")], {})] == ["'a' has no 'rows' tonight"]
    assert found([], {})[0].status is Status.ERROR


def test_every_subject_has_a_verdict_and_named_columns_leave_out_the_others() -> None:
    columns = [of_column("x", 1005.0), of_column("y", 500.0), of_column("z", None)]
    past = {Subject(c): before(STEADY) for c in "xyz"}
    assert [(f.subject, f.status.value) for f in found(columns, past)] == [("x", "pass"), ("y", "fail"), ("z", "error")]
    named = found(columns, past, columns=["x", "gone"])
    assert [(f.subject, f.status.value) for f in named] == [("x", "pass"), ("gone", "error")]
    assert named[1].message == "'a' has no 'rows' of column 'gone' tonight"


def test_columns_of_a_check_that_broke_as_a_whole_are_one_error() -> None:
    [finding] = found([Finding(Status.ERROR, "gone")], {}, columns=["x", "y"])
    assert (finding.status, finding.subject) == (Status.ERROR, ":all")


def test_columns_that_have_no_such_number_are_no_subjects() -> None:
    text = Finding(Status.PASS, "", subject_kind="column", subject="name")
    assert [f.subject for f in found([text, of_column("x", 1005.0)], {Subject("x"): before(STEADY)})] == ["x"]


def test_each_set_is_compared_with_its_own_past() -> None:
    sets = [watched(value, subject_kind="set", subject=name) for name, value in (("train", 1000.0), ("test", 1.0))]
    past = {Subject(f":set:{name}"): before(STEADY) for name in ("train", "test")}
    assert [(f.subject, f.status) for f in found(sets, past)] == [("train", Status.PASS), ("test", Status.FAIL)]


def test_numbers_that_the_metrics_table_cannot_tell_apart_are_an_error() -> None:
    sets = [watched(1.0, subject_kind="set", subject="train") for _ in range(2)]
    assert [f.status for f in found(sets, {TABLE: before(STEADY)})] == [Status.ERROR, Status.ERROR]
    assert [f.subject for f in found(sets[:1], {TABLE: before(STEADY)})] == ["train"]


def test_more_subjects_share_the_budget_of_alarms() -> None:
    past = {Subject(f"c{i}"): before(STEADY) for i in range(20)}
    alone = found([of_column("c0", 1005.0)], past)[0]
    together = found([of_column(f"c{i}", 1005.0) for i in range(20)], past)[0]
    assert number(together, "upper_limit") > number(alone, "upper_limit")
    same = found([of_column("c0", 1005.0)], past, false_alarms="1 per 7300d")[0]
    assert number(same, "upper_limit") == pytest.approx(number(together, "upper_limit"))


def test_too_many_subjects_are_refused() -> None:
    with pytest.raises(DataError, match="of 1,001 subjects"):
        found([of_column(f"c{i}", 1.0) for i in range(1001)], {})


def test_one_question_has_the_history_of_all_subjects() -> None:
    check = MetricAnomaly(id="usual", check="a", metric="rows")
    seen = Evidence(judged={"a": [of_column("x", 1.0), of_column("y", 1.0)]})
    assert [*check.ask(seen)] == [MetricHistory("usual", "a", "rows", ("x", "y"), DAY)]
    assert [*check.ask(Evidence())] == []


def test_the_weekday_is_that_of_the_last_day_of_the_window() -> None:
    ends = [DAY - timedelta(n) for n in range(1, 61)]
    # Windows that end on a Monday's midnight hold the Sunday.
    points = [
        Point(500.0 + n % 3 if e.weekday() == 0 else 1000.0 + n % 3, e - timedelta(1), e) for n, e in enumerate(ends)
    ]
    sunday = Window(datetime(2026, 2, 1), datetime(2026, 2, 2))
    [finding] = found([watched(501, sunday)], {TABLE: points})
    assert finding.status is Status.PASS
    assert "by weekday" in finding.message
    assert found([watched(501, TONIGHT)], {TABLE: points})[0].status is Status.FAIL


def test_the_weekday_is_read_in_the_suites_timezone() -> None:
    tokyo = timedelta(hours=9)
    ends = [DAY - tokyo - timedelta(n) for n in range(1, 61)]
    points = [
        Point(500.0 + n % 3 if (e + tokyo).weekday() == 0 else 1000.0 + n % 3, e - timedelta(1), e)
        for n, e in enumerate(ends)
    ]
    window = Window(datetime(2026, 2, 1), datetime(2026, 2, 2), "Asia/Tokyo")
    assert found([watched(501, window)], {TABLE: points})[0].status is Status.PASS


def test_a_weekday_that_never_was_cannot_be_judged() -> None:
    points = [p for p in before(STEADY) if p.start is not None and p.start.weekday() < 5]
    saturday = Window(datetime(2026, 1, 31), datetime(2026, 2, 1))
    [finding] = found([watched(1005, saturday)], {TABLE: points})
    assert (finding.status, finding.message) == (Status.WARN, "cannot decide yet: 0 of 2 points on a Saturday")


def test_windows_of_another_length_are_not_compared() -> None:
    weeks, days = before(STEADY, timedelta(7)), before(STEADY)
    finding = one(1005, weeks)
    assert finding.status is Status.WARN
    assert finding.message == "cannot decide yet: 0 of 26 points, and 60 of windows of another length"
    assert one(1005, [*weeks[:20], *days[20:]]).quantities["points"].value == 40


def test_a_day_of_summer_time_is_as_long_as_any_other() -> None:
    window = Window(datetime(2026, 4, 5), datetime(2026, 4, 6), "Europe/Berlin")
    nights = [
        Window(window.start - timedelta(n), window.end - timedelta(n), window.timezone)
        for n in range(1, 61)
        if window.start is not None
    ]
    points = [Point(v, w.start_utc, w.end_utc) for v, w in zip(STEADY, nights, strict=True)]
    [finding] = found([watched(1005, window)], {TABLE: points})
    assert number(finding, "points") == 60


def test_only_what_lies_before_tonight_is_compared_and_no_further_back_than_history() -> None:
    later = tuple(Point(5.0, DAY + timedelta(n), DAY + timedelta(n + 1)) for n in range(-1, 40))
    finding = one(1005, [*before(STEADY), *later])
    assert (finding.status, number(finding, "points")) == (Status.PASS, 60)
    assert number(one(1005, before(STEADY), history="30d"), "points") == 29
    assert number(one(1005, before([*STEADY, *STEADY])), "points") == 89


def test_a_new_level_begins_with_since() -> None:
    points = before([*[10.0] * 30, *STEADY[:30]])
    assert one(1005, points).status is Status.PASS
    assert number(one(1005, points, since="2026-01-01"), "points") == 29
    narrow, wide = (number(one(1005, points, since=day), "upper_limit") for day in ("2026-01-01", None))
    assert narrow < 1100 < wide


def test_a_number_without_a_window_is_ordered_by_the_date_of_its_run() -> None:
    ends = [DAY + timedelta(1) - timedelta(60 - n) for n in range(60)]
    points = [Point(v, None, e) for v, e in zip(STEADY, ends, strict=True)]
    assert found([watched(1005, None)], {TABLE: points})[0].status is Status.PASS
    backfill = Run(date(2026, 1, 11), DAY)
    [finding] = found([watched(1005, None)], {TABLE: points}, run=backfill)
    assert number(finding, "points") == 40


def test_a_trend_is_followed_only_if_asked_for() -> None:
    points = before([1000.0 + 10 * n + n % 3 for n in range(60)])
    assert one(1601, points, trend="linear").status is Status.PASS
    assert one(1300, points, trend="linear").status is Status.FAIL
    assert one(1300, points).status is Status.PASS


def test_logarithms_see_a_factor_where_amounts_see_none() -> None:
    points = before(np.exp(0.4 * np.random.default_rng(1).normal(size=60)) * 1000)
    assert (one(150, points).status, one(150, points, scale="log").status) == (Status.PASS, Status.FAIL)
    assert one(0, points, scale="log").status is Status.FAIL
    finding = one(5, [*points, *before([0.0], end=DAY - timedelta(70))], scale="log")
    assert (finding.status, "write scale: linear" in finding.message) == (Status.ERROR, True)


def test_a_number_that_never_varied_warns_at_its_first_change_unless_that_is_rare_enough() -> None:
    zeros = before([0.0] * 60)
    assert one(0, zeros).status is Status.PASS
    first = one(1, zeros)
    assert (first.status, first.threshold_source) == (Status.WARN, "history")
    assert "it never varied before, but in too few points" in first.message
    rare = one(1, zeros, false_alarms="1 per 60d")
    assert rare.decision is not None
    assert (rare.status, rare.decision.error_bound, rare.decision.comparison) == (Status.FAIL, 0, ">")
    assert one(1, zeros, false_alarms="1 per 60d", direction="low").status is Status.PASS


def test_the_message_says_how_unusual_it_is() -> None:
    finding = one(990, before(STEADY), direction="low")
    assert finding.message.startswith("rows is 990, usually 995.324")
    assert " or more (60 points, by weekday); healthy data is so low once in " in finding.message
    assert finding.remedy is not None
    assert "healthy" not in one(1005, before(STEADY)).message


def test_a_warning_only_check_never_fails_so_that_its_numbers_stay_in_the_baseline() -> None:
    finding = one(500, before(STEADY), error_if={}, warn_if={"exceedance": "> 0"})
    assert finding.decision is not None
    assert (finding.status, finding.decision.error_bound) == (Status.WARN, None)
    assert finding.decision.warn_bound == pytest.approx(number(finding, "lower_limit"))


@pytest.mark.parametrize(
    ("text", "nightly"), [("1 per 365d", 1 / 365), ("2 per 10w", 2 / 70), (" 1  per 12h ", None), ("1 per 48h", 0.5)]
)
def test_a_budget_is_a_probability_a_night(text: str, nightly: float | None) -> None:
    if nightly is None:
        with pytest.raises(ValueError, match="is 2 false alarms a night"):
            Budget.parse(text)
    else:
        assert Budget.parse(text).nightly == pytest.approx(nightly)
        assert Budget.parse(str(Budget.parse(text))) == Budget.parse(text)


@pytest.mark.parametrize("text", ["1", "one per year", "0 per 365d", "1 per 0d", "1 per"])
def test_what_is_no_budget_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"false alarms a night|not a budget|not a length"):
        Budget.parse(text)


def test_it_reads_no_dataset_and_follows_what_it_watches() -> None:
    check = MetricAnomaly(id="usual", check="a", metric="rows", history=Duration(days=30))
    assert (len(check.datasets), check.follows, len(check.needs)) == (0, frozenset({"a"}), 0)
