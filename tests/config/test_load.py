from datetime import UTC, date, datetime

import pytest

from sparkguard.checks.duplicate_keys import DuplicateKeys
from sparkguard.checks.upstream_ready import UpstreamReady
from sparkguard.config.load import Parameters, load
from sparkguard.core.suite import Results, Suite
from sparkguard.core.window import Window
from sparkguard.errors import ConfigError

HEAD = """suite: s
datasets:
  t: {path: data/t, time_column: ts}
  u: {table: a.b.c}
checks:
"""
CHECK = "  - {id: a, type: duplicate_keys, dataset: t, key: [k]}\n"


def loaded(text: str, *, now: datetime = datetime(2026, 1, 31, 23, 30, tzinfo=UTC), **given: object) -> Suite:
    return load(text, "s.yaml", Parameters(now=now, variables={}, **given))  # type: ignore[arg-type]


def problems(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        loaded(text)
    return [str(p) for p in caught.value.problems]


def test_a_suite_is_loaded_with_its_defaults() -> None:
    suite = loaded("defaults: {owner: me, tags: [x]}\n" + HEAD + CHECK)
    [check] = suite.checks
    assert (check.owner, check.tags, check.severity, suite.timezone) == ("me", ("x",), "error", "UTC")
    assert suite.results == Results(path="results")


def test_a_window_that_ends_at_the_date_excludes_that_day() -> None:
    text = HEAD + '  - {id: a, type: duplicate_keys, dataset: t, key: [k], window: {end: "${date}", length: 2d}}\n'
    [check] = loaded(text, date=date(2026, 1, 31)).checks
    assert isinstance(check, DuplicateKeys)
    assert check.window == Window(datetime(2026, 1, 29), datetime(2026, 1, 31))


def test_today_is_the_day_in_the_suites_timezone() -> None:
    assert loaded("timezone: Asia/Tokyo\n" + HEAD + CHECK).date == date(2026, 2, 1)


def test_the_first_example_of_the_contract_is_answered_word_for_word() -> None:
    text = HEAD + "  - id: a\n    tpye: duplicate_keys\n"
    assert problems(text) == ["s.yaml:7: checks[0].tpye: unknown key, did you mean 'type'?"]


def test_all_problems_are_shown_at_once_in_the_order_of_lines() -> None:
    text = """suite: s
datasets:
  t: {path: x, frmat: delta}
checks:
  - {id: a, type: duplicate_keys, dataset: tt, key: [k], error_if: {violation_row: "> 0", excess_rows: "0"}}
  - {id: a, type: duplicate_keys, dataset: t, key: k, nulls: eqal, needs: [b]}
  - {id: c, type: duplicate_kes}
"""
    found = problems(text)
    assert [p.split(": ", 2)[1] for p in found] == [
        "datasets.t.frmat",
        "checks[0].error_if",
        "checks[1].id",
        "checks[1].key",
        "checks[1].nulls",
        "checks[2].type",
    ]
    assert "did you mean 'equal'?" in found[4]


@pytest.mark.parametrize(
    ("check", "message"),
    [
        ("{id: a, type: duplicate_keys, dataset: tt, key: [k]}", "there is no dataset 'tt', did you mean 't'?"),
        ("{id: a, type: duplicate_keys, dataset: t}", "checks[0].key: is required but missing"),
        (
            "{id: a, type: join_reconciliation, before: t, after: {dataset: tt, version: 1}, key: [k]}",
            "checks[0].after: there is no dataset 'tt', did you mean 't'?",
        ),
        (
            "{id: a, type: join_reconciliation, before: t, after: {dataset: t, version: v1}, key: [k]}",
            "checks[0].after: expected the name of a dataset, or {dataset: flights, version: 41}",
        ),
        (
            "{id: a, type: referential_integrity, dataset: t, key: [k], references: {dataset: uu, version: 1}}",
            "s.yaml:6: checks[0].references: there is no dataset 'uu', did you mean 'u'?",
        ),
        (
            "{id: a, type: referential_integrity, dataset: t, key: [k], references: t, references_key: [j, k]}",
            "references_key names as many columns of references as key has",
        ),
        (
            (
                "{id: a, type: referential_integrity, dataset: t, key: [k], references: u, "
                "references_window: {end: 2026-01-01, length: 1d}}"
            ),
            "checks[0].references_window: dataset 'u' has no time_column",
        ),
        ("{id: a, type: schema, dataset: t, reference: uu}", "checks[0].reference: there is no dataset 'uu', did"),
        ("{id: a, type: schema, dataset: t}", "give exactly one of columns and reference"),
        (
            "{id: a, type: schema, dataset: t, columns: {k: bigin}}",
            "s.yaml:6: checks[0].columns.k: 'bigin' is no type of Spark, did you mean 'bigint'?",
        ),
        (
            "{id: a, type: schema, dataset: t, columns: {k: {type: 'array<sting>', nullable: false}}}",
            "checks[0].columns.k: 'sting' is no type of Spark, did you mean 'string'?",
        ),
        ("{id: a, type: schema, dataset: t, columns: {k: {nullable: false}}}", "checks[0].columns.k: expected a type"),
        ("{id: a, type: schema, dataset: t, columns: {}}", "checks[0].columns: found {}"),
        ("{id: a, type: duplicate_keys, dataset: t, key: []}", "expected at least one entry"),
        ("{id: a, type: duplicate_keys, dataset: t, key: [k, k]}", "names a column twice"),
        ("{id: a, type: duplicate_keys, dataset: t, key: [k], history: all}", "history needs a window"),
        ("{id: a, type: duplicate_keys, dataset: t, key: [k], history: 90d}", "expected none, all, or {length: 90d}"),
        ("{id: a, type: duplicate_keys, dataset: t, key: [k], needs: [b]}", "there is no check 'b'"),
        ("{id: a, type: duplicate_keys, dataset: t, key: [k], needs: [a]}", "circle: a → a"),
        ("{id: a, type: duplicate_keys, dataset: t, key: [k], violation_limit: many}", "expected a whole number"),
        ("{id: a b, type: duplicate_keys, dataset: t, key: [k]}", "allowed are letters, digits"),
        ("{id: a, type: duplicate_keys, dataset: t, key: [k], error_if: {rowz: '> 0'}}", "has no such quantity"),
        ("{id: a, type: duplicate_keys, dataset: t, key: [k], error_if: {excess_rows: '0'}}", "is not a bound"),
        ("{id: a, type: duplicate_keys, dataset: t, key: [k], window: {end: 2026-01-01}}", "{end, length}"),
        ("{id: a, type: duplicate_keys, dataset: t, key: [k], window: {end: soon, length: 1d}}", "not a date or time"),
        (
            "{id: a, type: duplicate_keys, dataset: t, key: [k], window: {start: 2026-01-02, end: 2026-01-01}}",
            "not before its end",
        ),
        (
            "{id: a, type: duplicate_keys, dataset: u, key: [k], window: {end: 2026-01-01, length: 1d}}",
            "dataset 'u' has no time_column",
        ),
        ("just text", "a check is a block of keys"),
        (
            "{id: a, type: duplicate_keys, dataset: t, key: [k], window: {end: 2026-01-01, length: 9999999d}}",
            "before the year 1",
        ),
        (
            (
                "{id: a, type: duplicate_keys, dataset: t, key: [k], history: {length: 9999999d}, "
                "window: {end: 2026-01-01, length: 1d}}"
            ),
            "history starts before the year 1",
        ),
        ("{id: a, type: duplicate_keys, dataset: t, key: [k], error_if: {history_rows: '> 0'}}", "needs history"),
        ("{id: a, dataset: t}", "checks[0].type: is required but missing"),
    ],
)
def test_a_wrong_check_is_answered_with_what_is_allowed(check: str, message: str) -> None:
    found = problems(HEAD + f"  - {check}\n")
    assert any(message in p for p in found), found
    assert all(p.startswith("s.yaml:") for p in found)


@pytest.mark.parametrize(
    ("check", "field"),
    [
        ("type: referential_integrity, dataset: q, key: [k], references: {dataset: q, version: 3}", "references"),
        ("type: schema, dataset: q, reference: {dataset: q, version: 3}", "reference"),
        ("type: join_reconciliation, before: t, after: {dataset: q, version: 3}, key: [k]", "after"),
    ],
)
def test_a_version_of_a_query_is_answered_at_the_field_that_asks_for_it(check: str, field: str) -> None:
    found = problems(HEAD.replace("  u:", "  q: {sql: select 1}\n  u:") + f"  - {{id: a, {check}}}\n")
    assert found == [f"s.yaml:7: checks[0].{field}: dataset 'q' is a query, so it has no versions"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("t2: {}", "exactly one of path, table and sql"),
        ("t2: {path: a, timestamp: soon}", "'soon' is not a date or time"),
        ("t2: {path: a, options: {sep: ';'}, format: csv}", None),
        ("t2: {path: a, table: b}", "exactly one of path, table and sql"),
        ("t2: {sql: select 1, version: 3}", "version and timestamp are for Delta tables only"),
        ("t2: {path: a, version: 3, timestamp: 2026-01-01}", "give one of them"),
        ("t2: {path: a, format: avro}", "found 'avro'"),
        ("t2: {path: a, partition: {column: ds, format: dd.MM.yyyy}}", "from large to small units"),
    ],
)
def test_a_wrong_dataset_is_answered(line: str, message: str | None) -> None:
    text = HEAD.replace("  u:", f"  {line}\n  u:") + CHECK
    if message is None:
        assert "t2" in loaded(text).datasets
    else:
        assert any(message in p for p in problems(text)), problems(text)


@pytest.mark.parametrize("text", ["- a\n- b\n", "just text\n", "3\n"])
def test_a_file_that_is_no_block_is_no_suite(text: str) -> None:
    assert "a suite is a block of keys" in problems(text)[0]


def test_wrong_timezones_and_names_are_answered() -> None:
    found = problems("timezone: Mars/Olympus\n" + HEAD.replace("suite: s", "suite: a/b") + CHECK)
    assert any("is not a timezone" in p for p in found)
    assert any("suite: found 'a/b'" in p for p in found)


def test_the_run_id_depends_on_date_parameters_and_configuration_only() -> None:
    text = "environment: ${ENV:-dev}\n" + HEAD + CHECK
    base = loaded(text)
    assert base.run_id == loaded(text, now=datetime(2026, 1, 31, 1, tzinfo=UTC)).run_id
    changed = [
        loaded(text, date=date(2026, 1, 30)).run_id,
        loaded(text + "# changed\n").run_id,
        load(text, "s.yaml", Parameters(datetime(2026, 1, 31, tzinfo=UTC), {"ENV": "prod"})).run_id,
    ]
    assert len({base.run_id, *changed}) == 4
    assert loaded(text, run_id="mine").run_id == "mine"


def test_the_rule_fingerprint_changes_with_the_rule_and_not_with_the_date_or_the_owner() -> None:
    def fingerprint(check: str, day: int) -> str:
        text = HEAD + f"  - {{id: a, type: duplicate_keys, dataset: t, {check}}}\n"
        return loaded(text, date=date(2026, 1, day)).rule_fingerprints["a"]

    windowed = 'key: [k], window: {end: "${date}", length: 2d}'
    assert fingerprint(windowed, 1) == fingerprint(windowed, 2)
    assert fingerprint("key: [k]", 1) == fingerprint("key: [k], owner: x, severity: warn", 1)
    assert fingerprint("key: [k]", 1) != fingerprint("key: [j]", 1)


def test_the_rule_fingerprint_changes_with_the_order_of_columns() -> None:
    a, b = (
        loaded(HEAD + f"  - {{id: a, type: schema, dataset: t, columns: {{{c}}}}}\n").rule_fingerprints["a"]
        for c in ("x: int, y: int", "y: int, x: int")
    )
    assert a != b


def test_secret_values_are_known_to_the_suite_by_the_variables_name() -> None:
    text = HEAD.replace("{path: data/t,", "{path: 'data/${DB_PASSWORD}',") + CHECK
    suite = load(text, "s", Parameters(datetime(2026, 1, 1, tzinfo=UTC), {"DB_PASSWORD": "hunter22"}))
    assert suite.secrets == ("hunter22",)


def test_supplied_data_frames_are_datasets() -> None:
    text = "suite: s\nchecks:\n  - {id: a, type: duplicate_keys, dataset: after, key: [k]}\n"
    assert "after" in loaded(text, supplied=("after",)).datasets
    assert any("there is no dataset 'after'" in p for p in problems(text))


def test_windows_are_wall_clock_time_of_the_suite() -> None:
    window = "window: {end: 2026-03-30, length: 1d}"
    text = "timezone: Europe/Berlin\n" + HEAD + f"  - {{id: a, type: duplicate_keys, dataset: t, key: [k], {window}}}\n"
    [check] = loaded(text).checks
    assert isinstance(check, DuplicateKeys)
    assert check.window is not None
    assert check.window.end_utc - (check.window.start_utc or check.window.end_utc) == (
        datetime(2026, 3, 29, 22, tzinfo=UTC) - datetime(2026, 3, 28, 23, tzinfo=UTC)
    )


WATCH = HEAD + CHECK


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ("check: aa, metric: excess_rows", "checks[1].check: there is no check 'aa', did you mean 'a'?"),
        (
            "check: a, metric: excess_row",
            "checks[1].metric: 'duplicate_keys' has no quantity 'excess_row', did you mean 'excess_rows'?",
        ),
        ("check: w, metric: points", "circle: w → w"),
        ("check: a, metric: excess_rows, needs: [b]", "checks[1].needs: there is no check 'b'"),
        ("metric: excess_rows", "checks[1].check: is required but missing"),
        ("check: a, metric: excess_rows, min_points: 8", "checks[1].min_points: found 8"),
        (
            "check: a, metric: excess_rows, false_alarms: rarely",
            "checks[1].false_alarms: 'rarely' is not a budget of alarms",
        ),
        ("check: a, metric: excess_rows, history: long", "checks[1].history: 'long' is not a length of time"),
        ("check: a, metric: excess_rows, direction: up", "checks[1].direction: found 'up', expected"),
        ("check: a, metric: excess_rows, since: soon", "checks[1].since: found 'soon'"),
        ("check: a, metric: excess_rows, error_if: {excedance: '> 0'}", "did you mean 'exceedance'?"),
        ("check: a, metric: excess_rows, dataset: t", "checks[1].dataset: unknown key"),
    ],
)
def test_a_wrong_watch_is_answered_with_its_place(fields: str, problem: str) -> None:
    found = problems(WATCH + f"  - {{id: w, type: metric_anomaly, {fields}}}\n")
    assert len(found) == 1
    assert problem in found[0]
    assert found[0].startswith("s.yaml:")


def test_a_watch_may_stand_before_what_it_watches_and_a_circle_of_both_kinds_is_found() -> None:
    watch = "  - {id: w, type: metric_anomaly, check: a, metric: excess_rows, since: 2026-01-15}\n"
    first, _ = loaded(HEAD + watch + CHECK).checks
    assert first.follows == {"a"}
    text = HEAD + watch + CHECK.replace("key: [k]", "key: [k], needs: [w]")
    assert ["circle: w → a → w" in p for p in problems(text)] == [True]


def test_a_quantile_that_a_profile_records_can_be_watched() -> None:
    profile = "  - {id: p, type: column_profile, dataset: t, quantiles: [0.9]}\n"
    watch = "  - {id: w, type: metric_anomaly, check: p, metric: %s}\n"
    assert len(loaded(HEAD + profile + watch % "q90").checks) == 2
    assert "has no quantity 'q77'" in problems(HEAD + profile + watch % "q77")[0]


UPSTREAM = """suite: s
datasets:
  weather: {path: data/weather, time_column: ts}
  flights: {path: data/flights}
  query: {sql: select 1 AS ts, time_column: ts}
  files: {path: in, format: parquet, time_column: ts}
  fixed: {path: x, version: 3, time_column: ts}
  some: {path: x, where: "a > 1", time_column: ts}
checks:
  - id: ready
    type: upstream_ready
    window: {end: "${date}", length: 1d}
    upstreams:
      - {rows: weather}
      - {%s}
"""


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        ("comit: weather", ".comit: unknown key, did you mean 'commit'?"),
        ("commit: weather, partitons: {a: [1]}", ".partitons: unknown key, did you mean 'partitions'?"),
        ("commit: wether", ".commit: there is no dataset 'wether', did you mean 'weather'?"),
        ("row: wether, where: x", ".row: there is no dataset 'wether', did you mean 'weather'?"),
        ("rows: flights", ".rows: dataset 'flights' has no time_column, so it cannot be cut into windows"),
        ("commit: query", ".commit: dataset 'query' is a query, and only the log of a whole Delta table is read"),
        ("commit: files", ".commit: dataset 'files' is parquet, and only the log"),
        ("commit: fixed", ".commit: dataset 'fixed' has a fixed version, and only the log"),
        ("commit: some", ".commit: dataset 'some' has a where, of which a log knows nothing, and only the log"),
        ("commit: weather, rows: weather", ": has commit and rows; give exactly one of"),
        ("rows: weather, name: x, at_least: many", ".at_least: found 'many', expected a whole number"),
        ("rows: weather, name: x, partitions: {origin: EWR}", ".partitions: expected a list of values of 'origin'"),
        ("suite: features, date: soon", ".date: 'soon' is not a date"),
    ],
)
def test_a_wrong_upstream_is_answered_with_its_place(entry: str, problem: str) -> None:
    found = problems(UPSTREAM % entry)
    assert len(found) == 1
    assert found[0].startswith(f"s.yaml:15: checks[0].upstreams[1]{problem}"), found


def test_upstreams_know_the_date_of_the_run_and_pin_nothing() -> None:
    loaded_suite = loaded(UPSTREAM % "suite: features")
    [ready] = loaded_suite.checks
    assert isinstance(ready, UpstreamReady)
    assert (ready.upstreams[1].date, ready.datasets) == (loaded_suite.date, ())
    assert not loaded_suite.hides("weather", "origin")
    assert loaded(UPSTREAM.replace("upstreams:", "redact: [origin]\n    upstreams:") % "marker: x").hides(
        "weather", "origin"
    )
