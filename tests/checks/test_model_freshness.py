"""`model_freshness` judged on small tables and recorded metadata in plain Python."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from sparkguard.checks.model_freshness import ModelFreshness
from sparkguard.cli.single import _one_check_suite
from sparkguard.config.load import Parameters, load
from sparkguard.core.check import Run
from sparkguard.core.evidence import Evidence
from sparkguard.core.finding import Finding, Status
from sparkguard.errors import ConfigError, DataError
from sparkguard.measures.models import ModelMetadata
from sparkguard.shapes.models import RegistryBlock
from sparkguard.sinks.render import _threshold_source
from sparkguard.testing import judge

NIGHT = datetime(2013, 11, 4, 2, tzinfo=UTC)
DAY = {"start": "2013-11-03", "end": "2013-11-04"}
SEVEN = {"v": "7", "at": datetime(2013, 10, 20, 9)}
SIX = {"v": "6", "at": datetime(2013, 7, 4, 9)}
CARD = {"version": "7", "trained_at": "2013-10-20T09:00Z", "training_end": "2013-10-13", "data_version": "41"}


def check(zone: str = "UTC", **fields: Any) -> ModelFreshness:
    return ModelFreshness.model_validate({"id": "m", **fields}, context={"timezone": zone})


def rows(**fields: Any) -> dict[str, Any]:
    return {"dataset": "t", "version_column": "v", "trained_at_column": "at", **fields}


def found(
    table: Sequence[Mapping[str, object]] = (),
    *,
    says: Mapping[str, str | None] | None = None,
    note: str = "",
    run: Run | None = None,
    zone: str = "UTC",
    **fields: Any,
) -> Finding:
    wanted = check(zone, **fields)
    run = run or Run(NIGHT.date(), NIGHT)
    metadata = ModelMetadata(tuple((says or {}).items()), tuple(says or ()), note=note)
    recorded = {} if says is None else dict.fromkeys(wanted.ask(Evidence()), metadata)
    timed = [{"ts": datetime(2013, 11, 3, 12), **row} for row in table]
    # The schema of an empty window is that of the rows outside.
    outside = [{"ts": datetime(2000, 1, 1), **SEVEN}] if fields.get("window") else []
    [finding] = judge(wanted, {"t": timed + outside}, time_columns={"t": "ts"}, recorded=recorded, run=run)
    return finding


def value(finding: Finding, name: str) -> float | None:
    return finding.quantities[name].value


def test_a_model_that_is_four_months_old_fails_and_the_message_says_when_it_was_trained() -> None:
    finding = found([SIX] * 3, **rows())
    assert finding.status is Status.FAIL
    assert finding.message == (
        "model 6 made all 3 rows of 't'; "
        "model 6 was trained 2013-07-04 09:00 UTC, 122.7 days before 2013-11-04 02:00 UTC (limit 90)"
    )
    assert finding.decision is not None
    assert finding.decision.metric_name == "age_days"
    assert finding.remedy == "train the model anew, or find out why an old one was promoted"


def test_two_models_in_one_window_fail_and_are_both_named() -> None:
    registry = {"model": "flights", "alias": "production"}
    table = [SEVEN] * 5 + [{**SIX, "at": SEVEN["at"]}] * 2
    finding = found(table, says=CARD, **rows(window=DAY, registry=registry))
    assert finding.status is Status.FAIL
    assert finding.message.startswith(
        "2 models in [2013-11-03, 2013-11-04): 7 (5 rows), 6 (2 rows); the registry calls 7 production; "
    )
    assert (finding.violation_rows, finding.evaluated_rows) == (2, 7)
    assert [value(finding, n) for n in ("model_versions", "unexpected_versions")] == [2, 1]
    [one] = finding.violations
    assert (one.kind, dict(one.key), one.expected, one.count) == ("other_version", {"v": "6"}, "7", 2)
    assert finding.remedy == "find out which job used the other model, and score its rows anew"


def test_a_healthy_model_passes() -> None:
    finding = found([SEVEN] * 5, says=CARD, **rows(window=DAY, card="c.json", version=7, data_version=41, gap="7d"))
    assert (finding.status, finding.remedy, finding.violations) == (Status.PASS, None, ())
    assert finding.message == (
        "model 7 made all 5 rows of [2013-11-03, 2013-11-04); 7 is expected; "
        "model 7 was trained 2013-10-20 09:00 UTC, 14.7 days before 2013-11-04 02:00 UTC; "
        "its training data ends 2013-10-13, with the gap of 7d 14 days before the start of [2013-11-03, 2013-11-04)"
    )
    assert value(finding, "training_gap_days") == 14
    assert (value(finding, "wrong_version"), value(finding, "wrong_data_version")) == (0, 0)


def test_a_card_alone_is_judged_without_any_rows() -> None:
    finding = found(says=CARD, card="c.json")
    assert (finding.status, finding.evaluated_rows, finding.source, finding.columns) == (Status.PASS, None, None, ())
    old = found(says={**CARD, "trained_at": "2013-07-04"}, card="c.json")
    assert old.status is Status.FAIL
    assert old.message == ("model 7 was trained 2013-07-04, 123.1 days before 2013-11-04 02:00 UTC (limit 90)")


def test_a_backfill_is_judged_as_of_its_date_and_a_later_model_warns() -> None:
    later = datetime(2026, 1, 1, tzinfo=UTC)
    assert value(found([SEVEN], run=Run(NIGHT.date(), later), **rows()), "age_days") == 15 + 15 / 24
    after = found([{**SEVEN, "at": datetime(2013, 11, 20)}], run=Run(NIGHT.date(), later), **rows())
    assert after.status is Status.WARN
    assert "trained 2013-11-20 00:00 UTC, 15 days after 2013-11-05 00:00 UTC" in after.message


def test_the_run_s_date_ends_in_the_zone_of_the_suite() -> None:
    run = Run(NIGHT.date(), datetime(2026, 1, 1, tzinfo=UTC))
    finding = found([SEVEN], run=run, zone="America/New_York", **rows())
    assert value(finding, "age_days") == pytest.approx(15 + 20 / 24)
    assert "trained 2013-10-20 05:00 America/New_York" in finding.message


def test_a_training_window_that_reaches_into_the_window_fails() -> None:
    fields: dict[str, Any] = {"card": "c.json", "window": DAY}
    finding = found(says={**CARD, "training_end": "2013-11-05"}, **fields)
    assert (finding.status, value(finding, "training_gap_days")) == (Status.FAIL, -2)
    assert "its training data ends 2013-11-05, 2 days after the start of [2013-11-03, 2013-11-04)" in finding.message
    assert "the model has seen what it predicts" in str(finding.remedy)
    exactly = {**CARD, "training_end": "2013-11-03T00:00:00"}
    assert found(says=exactly, **fields).status is Status.PASS
    assert found(says={**CARD, "training_end": "2013-10-28"}, gap="7d", **fields).status is Status.FAIL


def test_a_gap_of_days_keeps_the_hour_when_clocks_change() -> None:
    # Berlin's summer time ended on 2013-10-27.
    fields: dict[str, Any] = {"card": "c.json", "window": DAY, "zone": "Europe/Berlin", "gap": "14d"}
    assert value(found(says={**CARD, "training_end": "2013-10-20"}, **fields), "training_gap_days") == 0


def test_another_version_of_the_data_fails_and_numbers_are_texts() -> None:
    assert value(found(says=CARD, card="c", data_version=" 41 "), "wrong_data_version") == 0
    finding = found(says=CARD, card="c", data_version=40)
    assert finding.status is Status.FAIL
    assert "data version 40 is expected, but the model was trained on 41" in finding.message


def test_the_version_that_is_written_down_must_be_the_card_s() -> None:
    finding = found([SEVEN], says={**CARD, "version": "8"}, **rows(card="c.json", version="7"))
    assert (finding.status, value(finding, "wrong_version"), finding.violation_rows) == (Status.FAIL, 1, 0)
    assert "version 7 is expected, but model card c.json has 8" in finding.message
    assert "promote the version that is meant" in str(finding.remedy)


@pytest.mark.parametrize("missing", ["trained_at", "version", "data_version", "training_end"])
def test_what_is_asked_and_not_there_is_an_error_that_names_the_keys(missing: str) -> None:
    says = {name: text for name, text in CARD.items() if name != missing}
    fields = rows(card="c.json", window=DAY, version_column="v", trained_at_column=None, data_version=41, gap="1d")
    for there in (says, {**says, missing: None}):
        finding = found([SEVEN], says=there, **fields)
        assert finding.status is Status.ERROR
        assert f"model card c.json has no '{missing}'" in finding.message
        assert "its keys are 'version'" in finding.message or missing == "version"
        assert "cannot be judged" in finding.message
        assert "keys" in str(finding.remedy)


def test_a_fault_that_is_sure_is_worse_than_one_that_is_unknown() -> None:
    finding = found([SEVEN, SIX], says={"version": "7"}, **rows(card="c.json", trained_at_column=None))
    assert finding.status is Status.FAIL
    assert "model card c.json has no 'trained_at'" in finding.message


def test_an_end_of_training_that_nobody_asks_for_may_be_missing_but_not_in_silence() -> None:
    says = {"version": "7", "trained_at": "2013-10-20"}
    finding = found(says=says, card="c.json", window=DAY)
    assert finding.status is Status.PASS
    assert "has no 'training_end'; its keys are 'version', 'trained_at', so the training window" in finding.message
    asked = {"error_if": {"training_gap_days": "< 0"}}, {"keys": {"training_end": "end"}}, {"gap": "1d"}
    for fields in asked:
        assert found(says=says, card="c.json", window=DAY, **fields).status is Status.ERROR


def test_a_registration_is_no_training() -> None:
    registry = {"model": "flights", "stage": "Production"}
    note = "it was registered without a run; when it was registered is not when it was trained"
    finding = found(says={"version": "7"}, note=note, registry=registry)
    assert finding.status is Status.ERROR
    assert (
        "registered model 'flights', stage 'Production' has no 'trained_at' or 'run.end_time' (it was"
        in finding.message
    )
    ended = found(says={"version": "7", "run.end_time": "2013-10-20T09:00:00+00:00"}, registry=registry)
    assert "trained 2013-10-20 09:00 UTC (the end of its run)" in ended.message


def test_keys_say_where_the_facts_stand() -> None:
    keys = {"trained_at": "training.finished", "version": "model.version"}
    says = {"training.finished": "2013-10-20", "model.version": "7", "version": "no"}
    finding = found([SEVEN], says=says, **rows(card="c.json", keys=keys, trained_at_column=None))
    assert (finding.status, finding.violation_rows) == (Status.PASS, 0)


@pytest.mark.parametrize("text", ["soon", "1372928400000", "2013-13-01", "9999-12-31T23:59:59-12:00"])
def test_a_time_that_is_none_is_an_error_that_shows_it(text: str) -> None:
    finding = found(says={**CARD, "trained_at": text}, card="c.json")
    assert finding.status is Status.ERROR
    assert f"model card c.json says trained_at '{text}', which is no date or time" in finding.message


def test_rows_without_a_version_are_violations_and_without_any_version_all_are() -> None:
    finding = found([SEVEN, {**SEVEN, "v": None}], **rows())
    assert (finding.status, finding.violation_rows, value(finding, "null_version_rows")) == (Status.FAIL, 1, 1)
    assert finding.message.startswith("1 model in 't': 7 (1 row), no version (1 row)")
    assert [v.key["v"] for v in finding.violations] == [None]
    nothing = found([{**SEVEN, "v": None}, {**SEVEN, "v": " "}], **rows())
    assert (nothing.status, nothing.violation_rows) == (Status.FAIL, 2)
    assert nothing.message.startswith("none of the 2 rows of 't' names its model")


def test_a_window_that_is_all_of_another_model_fails_only_where_the_right_one_is_known() -> None:
    assert found([{**SIX, "at": SEVEN["at"]}] * 2, **rows()).status is Status.PASS
    finding = found([{**SIX, "at": SEVEN["at"]}] * 2, **rows(version="7"))
    assert (finding.status, finding.violation_rows, value(finding, "unexpected_versions")) == (Status.FAIL, 2, 1)
    assert finding.message.startswith("model 6 made all 2 rows of 't'; 7 is expected")


@pytest.mark.parametrize(
    ("version", "expected", "violations"),
    [(7, "7", 0), (7, "7.0", 0), (7, "v7", 1), (7.0, "7", 0), (7.5, "7.50", 0), (" 7 ", "7", 0), ("7.0", "7", 1),
     ("7", "07", 1), (date(2013, 10, 1), "2013-10-01", 0), ("ß", "ß", 0), (float("nan"), "7", 1)],
)  # fmt: skip
def test_numbers_are_equal_by_value_and_texts_by_their_letters(version: object, expected: str, violations: int) -> None:
    assert found([{**SEVEN, "v": version}], **rows(version=expected)).violation_rows == violations


def test_times_without_a_zone_are_read_in_the_suite_s_and_a_date_is_its_first_midnight() -> None:
    run = Run(NIGHT.date(), datetime(2013, 11, 4, 0, tzinfo=UTC))
    finding = found([{**SEVEN, "at": date(2013, 11, 3)}], run=run, zone="Europe/Berlin", **rows())
    assert value(finding, "age_days") == 1 + 1 / 24
    assert "was trained 2013-11-03, " in finding.message
    card = found(says={**CARD, "trained_at": "2013-11-03"}, run=run, zone="Europe/Berlin", card="c.json")
    assert value(card, "age_days") == 1 + 1 / 24


def test_times_that_stand_for_none_do_not_hide() -> None:
    ancient = found([SEVEN, {**SEVEN, "at": datetime(1500, 1, 1)}], **rows())
    assert ancient.status is Status.FAIL
    assert "trained 1500-01-01 00:00 UTC, 187,677.1 days before" in ancient.message
    assert found([{**SEVEN, "at": date(9999, 12, 31)}], **rows()).status is Status.WARN
    for time, zone in ((datetime(9999, 12, 31, 23, 30), "Europe/Berlin"), (date(1, 1, 1), "Europe/Berlin")):
        beyond = found([{**SEVEN, "at": time}], zone=zone, **rows())
        assert beyond.status is Status.ERROR
        assert "the oldest at lies outside the years 1 to 9999" in beyond.message


def test_missing_times_are_counted_and_without_any_the_check_is_an_error() -> None:
    some = found([SEVEN, {**SEVEN, "at": None}], **rows())
    assert (some.status, value(some, "null_trained_at_rows")) == (Status.WARN, 1)
    assert some.message.endswith("; at is NULL in 1 row")
    none = found([{"v": "7", "at": None}], **rows(window=DAY))
    assert none.status is Status.ERROR
    assert "at is NULL in all 1 row;" in none.message


def test_an_empty_window_is_judged_as_on_empty_says() -> None:
    assert found(**rows(window=DAY)).status is Status.ERROR
    assert "is empty" in found(**rows(window=DAY)).message
    assert found(on_empty="skip", **rows(window=DAY)).status is Status.SKIPPED
    old = found(says={**CARD, "trained_at": "2013-01-01"}, **rows(window=DAY, card="c", trained_at_column=None))
    assert old.status is Status.FAIL
    assert old.message.startswith("there are no rows in [2013-11-03, 2013-11-04)")


def test_many_models_are_told_in_a_few_words() -> None:
    finding = found([{**SEVEN, "v": f"{n:03}"} for n in range(300)], **rows(violation_limit=5))
    assert "300 models in 't': 000 (1 row), 001 (1 row), 002 (1 row), 297 more" in finding.message
    assert (len(finding.violations), finding.violation_rows) == (5, 299)


def test_what_the_suite_hides_is_in_no_message() -> None:
    fields = rows(card="c.json", window=DAY, version="77", data_version=41)
    for hiding in ({"violations": "none"}, {"redact": ["v", "at", "data_version", "training_end"]}):
        finding = found(
            [{**SEVEN, "v": "66"}], says={**CARD, "version": "55", "data_version": "99"}, **fields, **hiding
        )
        shown = finding.message + repr(finding.violations)
        assert not [secret for secret in ("66", "55", "77", "99", "2013-10-20", "2013-10-13") if secret in shown]
        assert "[redacted]" in finding.message


def test_bounds_of_one_s_own_replace_the_defaults() -> None:
    assert found([SIX], error_if={"model_versions": "> 1"}, **rows()).status is Status.PASS
    finding = found([SEVEN] * 9 + [{**SIX, "at": SEVEN["at"]}], error_if={"violation_rate": "> 0.2"}, **rows())
    assert finding.status is Status.PASS
    assert finding.message.endswith("(within the bounds)")


def test_a_default_bound_is_called_one() -> None:
    wanted = check(**rows())
    finding = found([SIX], **rows())
    assert _threshold_source(wanted, finding.decision) == "default"
    assert _threshold_source(check(error_if={"age_days": "> 90"}, **rows()), finding.decision) == "config"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "give version_column or trained_at_column of a dataset, a card, or a registry"),
        ({"dataset": "t"}, "give version_column or trained_at_column"),
        ({"card": "c", "registry": {"model": "m", "alias": "a"}}, "give card or registry, not both"),
        ({"card": "c", "version_column": "v"}, "are columns of a dataset"),
        ({"card": "c", "dataset": "t"}, "dataset needs version_column or trained_at_column"),
        ({**rows(), "data_version": 41}, "data_version: give also card or registry"),
        ({**rows(), "keys": {"version": "v"}}, "keys: give also card or registry"),
        ({"dataset": "t", "trained_at_column": "at", "version": "7"}, "version needs version_column"),
        ({"card": "c", "gap": "7d"}, "gap needs a window"),
        ({**rows(), "violations_to": "x"}, "violations_to is for rows"),
        ({"card": "c", "error_if": {"training_gap_days": "< 0"}}, "error_if: training_gap_days needs window"),
        ({"card": "c", "error_if": {"violation_rows": "> 0"}}, "violation_rows needs version_column"),
        ({**rows(), "warn_if": {"wrong_version": "> 0"}}, "warn_if: wrong_version needs version and card or registry"),
        ({"registry": {"model": "m"}}, "give exactly one of alias, stage and version"),
        ({"registry": {"model": "m", "alias": "a", "version": 7}}, "give exactly one of alias, stage and version"),
        ({**rows(), "version": 7.1}, "put the version in quotes"),
        ({**rows(), "version": ""}, "at least 1 character"),
        ({"card": "c", "keys": {"when": "x"}}, "Input should be 'version', 'trained_at'"),
    ],
)  # fmt: skip
def test_a_check_that_cannot_be_judged_is_a_mistake_of_the_suite(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as error:
        check(**fields)
    assert message in str(error.value)


def test_mistakes_inside_the_blocks_are_named_with_their_line() -> None:
    text = """suite: s
checks:
  - id: m
    type: model_freshness
    registry: {model: m, alais: production}
    keys: {trained: x}
"""
    with pytest.raises(ConfigError) as error:
        load(text, "s.yaml", Parameters(NIGHT, {}))
    assert "s.yaml:5: checks[0].registry.alais: unknown key, did you mean 'alias'?" in str(error.value)
    assert "s.yaml:6: checks[0].keys.trained: found 'trained', expected 'version', 'trained_at'" in str(error.value)


def test_columns_of_other_types_are_refused() -> None:
    with pytest.raises(DataError, match=r"column 'v' is timestamp, but a version is a text, a number or a date"):
        found([{"v": NIGHT, "at": NIGHT}], **rows())
    with pytest.raises(DataError, match=r"column 'at' is string, but a time of training is a date or a timestamp"):
        found([{"v": "7", "at": "2013-01-01"}], **rows())
    with pytest.raises(DataError, match="column 'w' does not exist"):
        found([SEVEN], **rows(version_column="w"))


def test_the_options_of_the_job_are_the_blocks_of_the_suite() -> None:
    given = {
        "dataset": "path=data/scored,time_column=ts", "window": "end=2013-11-04,length=1d", "version_column": "v",
        "registry": "model=flights,version=7,uri=http://host:5000/?a=b", "version": "1.10", "gap": "7d",
        "keys": "version=model.version,data_version=features version", "data_version": "41",
    }  # fmt: skip
    suite = _one_check_suite("model_freshness", given)
    [one] = suite["checks"]
    assert (one["dataset"], list(suite["datasets"]), one["id"]) == ("dataset", ["dataset"], "model_freshness.scored")
    wanted = check(**{name: raw for name, raw in one.items() if name not in ("id", "type")})
    assert wanted.registry == RegistryBlock.model_validate(
        {"model": "flights", "version": 7, "uri": "http://host:5000/?a=b"}
    )
    assert (wanted.version, wanted.data_version) == ("1.10", "41")
    assert wanted.keys == {"version": "model.version", "data_version": "features version"}
    alone = _one_check_suite("model_freshness", {"card": "models/card.json"})
    assert (alone["datasets"], alone["checks"][0]["card"]) == ({}, "models/card.json")


def test_rows_are_counted_once_it_is_known_which_version_is_expected() -> None:
    wanted = check(**rows(card="c.json"))
    [first] = wanted.ask(Evidence())
    assert str(first) == "model card c.json"
    assert wanted.datasets[0].dataset == "t"
    assert check(card="c.json").datasets == ()


def test_an_empty_window_hides_no_bad_card() -> None:
    old = {**CARD, "version": "6", "trained_at": "2010-01-01"}
    fields = rows(window=DAY, card="c.json", version="7", trained_at_column=None, on_empty="pass")
    bad = found(says=old, **fields)
    assert bad.status is Status.FAIL
    assert "the window [2013-11-03, 2013-11-04) of 't' is empty" in bad.message
    assert "model 6 was trained 2010-01-01" in bad.message
    assert found(says=CARD, **fields).status is Status.PASS
    assert found(says=CARD, **{**fields, "on_empty": "error"}).status is Status.ERROR
