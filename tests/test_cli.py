"""The command line where it needs no Spark: usage, validation, the verdict, the options of a job."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from sparkguard.cli import check_main, main

ROOT = Path(__file__).parents[1]
GOOD = "suite: s\ndatasets: {t: {path: x}}\nchecks:\n  - {id: a, type: duplicate_keys, dataset: t, key: [k]}\n"


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main(list(arguments))
    captured = capsys.readouterr()
    return int(stopped.value.code or 0), captured.out, captured.err


def test_validate_says_what_is_valid(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "s.yaml").write_text(GOOD, encoding="utf-8")
    code, out, _ = call(capsys, "validate", str(tmp_path / "s.yaml"))
    assert (code, "suite s is valid: 1 checks on 1 datasets" in out) == (0, True)


def test_validate_reads_all_suites_of_a_folder_and_shows_all_problems(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.yaml").write_text(GOOD.replace("type", "tpye"), encoding="utf-8")
    (tmp_path / "b.yaml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "c.yml").write_text("", encoding="utf-8")
    code, out, err = call(capsys, "validate", str(tmp_path))
    assert code == 2
    assert "b.yaml" in out
    assert "a.yaml:4: checks[0].tpye: unknown key, did you mean 'type'?" in err
    assert "c.yml: the file is empty" in err


@pytest.mark.parametrize("other", ["overlays: {dev: {suite: fixed}}\n", None])
def test_validate_refuses_suites_of_one_name_as_run_does(
    other: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    family = GOOD.replace("suite: s", "suite: a.${table}\ntables: {x: , y: }").replace("dataset: t", "dataset: table")
    (tmp_path / "a.yaml").write_text(GOOD if other is None else family + other, encoding="utf-8")
    (tmp_path / "b.yaml").write_text(GOOD, encoding="utf-8")
    validated, ran = call(capsys, "validate", str(tmp_path)), call(capsys, "run", str(tmp_path))
    assert (validated[0], ran[0]) == (2, 2)
    assert "two suites are called " in validated[2]
    assert validated[2] == ran[2]


def test_one_table_of_many_is_chosen_by_its_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    family = GOOD.replace("suite: s", "suite: a.${table}\ntables: {f.x_daily: , f.y: }").replace(
        "dataset: t", "dataset: table"
    )
    (tmp_path / "a.yaml").write_text(family, encoding="utf-8")
    (tmp_path / "b.yaml").write_text(GOOD, encoding="utf-8")
    for pattern in ("*_daily", "f.x_daily", "x_*"):
        code, out, _ = call(capsys, "validate", str(tmp_path), "--table", pattern)
        assert (code, out.count("is valid"), "suite a.x_daily" in out) == (0, 1, True)
    for command in ("validate", "run"):
        code, _, err = call(capsys, command, str(tmp_path), "--table", "z*")
        assert (code, err) == (2, "--table: no suite is of a table 'z*'\n")


def test_validate_says_that_an_environment_has_no_overlay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = GOOD + "environment: ${ENV:-dev}\noverlays: {prod: {timezone: CET}}\n"
    (tmp_path / "a.yaml").write_text(text, encoding="utf-8")
    code, out, _ = call(capsys, "validate", str(tmp_path), "--set", "ENV=prdo")
    assert code == 0
    assert "a.yaml: note: environment 'prdo' has no overlay; there is one for prod" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run"], "name a suite"),
        (["run", "no/such.yaml"], "no/such.yaml: cannot be read: No such file"),
        (["run", "{good}", "--date", "tomorrow"], "'tomorrow' is not a date"),
        (["run", "{good}", "--set", "A"], "--set: 'A' has no value"),
        (["run", "{good}", "--only", "b"], "--only: nothing is called b; there are a"),
        (["run", "{good}", "--tags", "nigthly"], "--tags: nothing is called nigthly; there are none"),
        (["run", "{good}", "--run-id", "a'b"], "may hold letters"),
        (["run", "{empty}"], "holds no suite"),
        (["run", "{good}", "--frobnicate"], "No such option"),
        (["explain", "duplicate_kes"], "did you mean 'duplicate_keys'?"),
        (["verdict", "--run-id", "x", "--results", "{empty}"], "no result tables"),
        (["init"], "give one of --path, --table, --schema and --folder"),
        (["init", "--path", "a", "--schema", "b"], "give one of --path, --table, --schema and --folder"),
        (["init", "--schema", "b", "--format", "csv"], "--format goes with --path"),
        (["init", "--path", "a", "--output", "{good}"], "exists; name another file, or overwrite it with --force"),
        (["init", "--folder", "no/such"], "'no/such' is not a local folder"),
        (["init", "--path", "a", "--output", "/proc/x/out.yaml"], "--output: '/proc/x/out.yaml' cannot be written"),
        (["init", "--path", "a", "--output", "{empty}", "--force"], "is a folder; name a file in it"),
        (["init", "--table", "a.b", "--format", "csv"], "--format: goes with --path"),
        (["init", "--path", "a", "--limit", "3"], "--limit: goes with --schema and --folder"),
        (["init", "--path", "a", "--owners", "x", "--limit", "3"], "--owners and --limit: goes with --schema"),
        (["init", "--schema", "b", "--owners", "{good}"], "good.yaml:2: datasets: found {'t': {'path': 'x'}}"),
        (["init", "--schema", "b", "--owners", "no/such"], "--owners: cannot be read"),
    ],
)
def test_wrong_usage_exits_2_with_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    (tmp_path / "good.yaml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "empty").mkdir()
    places = {"good": str(tmp_path / "good.yaml"), "empty": str(tmp_path / "empty")}
    code, out, err = call(capsys, *(a.format(**places) for a in arguments))
    assert code == 2
    assert message in err + out
    assert "Traceback" not in err


def test_a_file_that_is_not_text_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "s.yaml").write_bytes(b"\xff\xfe\x00suite")
    assert "is not text in UTF-8" in call(capsys, "validate", str(tmp_path / "s.yaml"))[2]


def test_list_explain_and_schema_answer(capsys: pytest.CaptureFixture[str]) -> None:
    assert "duplicate_keys" in call(capsys, "list")[1]
    assert "violation_rows" in call(capsys, "explain", "duplicate_keys")[1]
    assert json.loads(call(capsys, "schema")[1])["title"] == "A sparkguard suite"


def job(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as stopped:
        check_main("duplicate_keys", list(arguments))
    return int(stopped.value.code or 0), capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--key", "a"], "--dataset: is required but missing"),
        (["--dataset", "path=x"], "--key: is required but missing"),
        (["--dataset", "path=x", "--key", "a", "--nulls", "eqal"], "--nulls: found 'eqal'"),
        (["--dataset", "pth=x", "--key", "a"], "--dataset"),
        (["--dataset", "path=x,tim_column=t", "--key", "a"], "--dataset.tim-column: unknown key"),
        (["--dataset", "path=x", "--key", "a", "--window", "end=2026-01-01,length=3d"], "has no time_column"),
        (
            ["--dataset", "path=x,time_column=t", "--key", "a", "--window", "end=x,length=3d"],
            "--window: 'x' is not a date",
        ),
        (["--dataset", "path=x", "--key", "a", "--error-if", "rows> 3"], "has no such quantity"),
        (["--dataset", "path=x", "--key", "a", "--error-if", "violation_rate>x"], "'>x' is not a bound"),
        (["--dataset", "path=x", "--key", ""], "--key"),
    ],
)
def test_a_job_of_one_check_names_its_options_in_its_errors(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    code, err = job(capsys, *arguments)
    assert code == 2
    assert message in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--before", "path=x", "--key", "a"], "give after, to compare with, or other, to foretell a join"),
        (["--before", "path=x", "--after", "y", "--key", "a"], "--after: there is no dataset 'y'"),
        (
            ["--before", "path=x", "--after", "path=y", "--key", "a,b", "--other", "z"],
            "--other: there is no dataset 'z'",
        ),
        (
            ["--before", "path=x", "--other", "path=y", "--key", "a", "--compare", "b,c"],
            "compare and float_tolerance need after",
        ),
        (["--before", "path=x", "--after", "path=y", "--key", "a", "--float-tolerance", "-1"], "--float-tolerance"),
    ],
)
def test_the_join_job_names_its_options_in_its_errors(
    capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    with pytest.raises(SystemExit) as stopped:
        check_main("join_reconciliation", arguments)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        ("referential_integrity", ["--dataset", "path=x", "--key", "a"], "--references: is required but missing"),
        (
            "referential_integrity",
            ["--dataset", "path=x", "--key", "a", "--references", "planes"],
            "--references: there is no dataset 'planes'",
        ),
        (
            "referential_integrity",
            [
                "--dataset",
                "path=x",
                "--key",
                "a",
                "--references",
                "path=y",
                "--references-window",
                "end=2026-01-01,length=3d",
            ],
            "--references-window: dataset 'references' has no time_column",
        ),
        ("schema", ["--dataset", "path=x"], "give exactly one of columns and reference"),
        ("schema", ["--dataset", "path=x", "--columns", "id=bigin"], "--columns.id: 'bigin' is no type of Spark"),
        ("schema", ["--dataset", "path=x", "--columns", "id"], "--columns.id: '' is no type of Spark"),
        ("schema", ["--dataset", "path=x", "--reference", "y"], "--reference: there is no dataset 'y'"),
    ],
)
def test_the_jobs_of_two_datasets_name_their_options_in_their_errors(
    capsys: pytest.CaptureFixture[str], kind: str, arguments: list[str], message: str
) -> None:
    with pytest.raises(SystemExit) as stopped:
        check_main(kind, arguments)
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err


def test_columns_and_their_types_are_an_option() -> None:
    from sparkguard.cli.single import _one_check_suite

    columns = "path=string,a.b=decimal(15,2), with space =map<string,int>,s=struct<x:int,y:array<date>> not null,id=int"
    suite = _one_check_suite("schema", {"dataset": "path=data/t", "columns": columns})
    assert suite["datasets"] == {"dataset": {"path": "data/t"}}
    assert list(suite["checks"][0]["columns"].items()) == [
        ("path", "string"),
        ("a.b", "decimal(15,2)"),
        ("with space", "map<string,int>"),
        ("s", "struct<x:int,y:array<date>> not null"),
        ("id", "int"),
    ]


def test_a_dataset_may_refer_to_a_version_of_itself() -> None:
    from sparkguard.cli.single import _one_check_suite

    given = {"dataset": "path=data/t", "key": "a", "references": "dataset=dataset,version=3"}
    suite = _one_check_suite("referential_integrity", given)
    assert suite["checks"][0]["references"] == {"dataset": "dataset", "version": 3}


def test_the_options_of_a_job_are_the_fields_of_its_check(capsys: pytest.CaptureFixture[str]) -> None:
    from sparkguard.checks.duplicate_keys import DuplicateKeys

    with pytest.raises(SystemExit):
        check_main("duplicate_keys", ["--help"])
    text = capsys.readouterr().out
    for name in set(DuplicateKeys.model_fields) - {"needs"}:
        assert "--" + name.replace("_", "-") in text


def test_validation_needs_neither_spark_nor_a_second(tmp_path: Path) -> None:
    """Unless a suite has expectations, which Great Expectations itself constructs."""
    demo = yaml.safe_load((ROOT / "conf/flights.yaml").read_text(encoding="utf-8"))
    demo["checks"] = [check for check in demo["checks"] if check["type"] != "expectations"]
    (tmp_path / "s.yaml").write_text(yaml.safe_dump(demo), encoding="utf-8")
    program = (
        f"import sys; sys.argv = ['sparkguard', 'validate', {str(tmp_path / 's.yaml')!r}]\n"
        "from sparkguard.cli import main\n"
        "try: main()\n"
        "except SystemExit as stopped: assert not stopped.code\n"
        "heavy = {'pyspark', 'numpy', 'scipy', 'sklearn', 'pandas', 'deltalake', 'jinja2', 'great_expectations'}\n"
        "assert not heavy & set(sys.modules)\n"
        "import time; print(time.process_time())\n"
    )
    seconds = []
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        seconds.append(float(done.stdout.split()[-1]))
    assert min(seconds) < 1.5


def test_export_writes_a_file_for_each_dataset_and_names_what_is_left_out(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, out, err = call(capsys, "export", "conf/flights.yaml", "--to", "gx", "--output", str(tmp_path))
    assert code == 0
    assert f"{tmp_path}/flights.planes.json: 3 expectations" in out
    assert "left out: weather_local_hour: Great Expectations cannot say window of duplicate_keys" in err
    assert {f.name for f in tmp_path.iterdir()} >= {"flights.weather.json", "flights.planes.json"}


def test_upstreams_are_an_option_and_their_datasets_stand_in_them() -> None:
    from sparkguard.cli.single import _one_check_suite

    weather = "{path: data/weather, time_column: time_hour}"
    text = (
        f"[{{commit: {weather}}}, "
        f"{{rows: {weather}, name: enough, at_least: 5, partitions: {{origin: [EWR, 7, null]}}}}, "
        '{row: {path: logs/weather}, where: "a = 1, b"}, {marker: "in/${date}/_SUCCESS"}]'
    )
    suite = _one_check_suite("upstream_ready", {"upstreams": text, "wait": "timeout=30m,poll=60s"})
    assert suite["datasets"] == {
        "weather": {"path": "data/weather", "time_column": "time_hour"},
        "weather-2": {"path": "logs/weather"},
    }
    [check] = suite["checks"]
    assert (check["id"], check["wait"]) == ("upstream_ready.weather-weather", {"timeout": "30m", "poll": "60s"})
    assert check["upstreams"] == [
        {"commit": "weather"},
        {"rows": "weather", "name": "enough", "at_least": 5, "partitions": {"origin": ["EWR", 7, None]}},
        {"row": "weather-2", "where": "a = 1, b"},
        {"marker": "in/${date}/_SUCCESS"},
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[{commit: {path: x}}]", "window is required but missing: whose rows must upstreams[0] (x) hold?"),
        ("[{marker: in/${date}/x}]", "--upstreams: not valid YAML"),
        ("weather", "--upstreams"),
        ("[weather]", "--upstreams[0]"),
        ("[{comit: {path: x}}]", "--upstreams[0].comit: unknown key, did you mean 'commit'?"),
    ],
)
def test_the_upstream_job_names_its_option_in_its_errors(
    capsys: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    with pytest.raises(SystemExit) as stopped:
        check_main("upstream_ready", ["--upstreams", text])
    assert stopped.value.code == 2
    assert message in capsys.readouterr().err
