"""A check type is one file, one test file and one README row."""

import doctest
import importlib
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import jsonschema
import pytest
import yaml

from sparkguard.config.catalog import catalog
from sparkguard.config.load import Parameters, load
from sparkguard.config.schema import suite_schema
from sparkguard.core.check import Check
from sparkguard.errors import ConfigError
from sparkguard.explain import explain_lines

ROOT = Path(__file__).parents[1]
TYPES = sorted(catalog())


def test_files_tests_and_readme_rows_are_the_same_set() -> None:
    files = {f.stem for f in (ROOT / "sparkguard/checks").glob("*.py")} - {"__init__"}
    tests = {f.stem.removeprefix("test_") for f in (ROOT / "tests/checks").glob("test_*.py")}
    rows = set(re.findall(r"^\| `(\w+)` \|", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE))
    assert files == tests == set(TYPES)
    assert files <= rows


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Install a distribution that says its entry point is this module, with this source."""

    def install(module: str, source: str) -> None:
        info = tmp_path / "ours-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: ours\nVersion: 1.0\n", encoding="utf-8")
        (info / "entry_points.txt").write_text(f"[sparkguard.checks]\nours = {module}\n", encoding="utf-8")
        (tmp_path / f"{module}.py").write_text(source, encoding="utf-8")
        monkeypatch.syspath_prepend(tmp_path)
        catalog.cache_clear()

    yield install
    catalog.cache_clear()


CHECK = "from sparkguard.checks.row_count import RowCount\nclass {}(RowCount):\n    'Counts.'\n"


def test_a_plugin_adds_a_type(plugin: Callable[[str, str], None]) -> None:
    plugin("our_rows", CHECK.format("OurRows"))
    assert set(catalog()) == {*TYPES, "our_rows"}
    assert catalog()["our_rows"].kind() == "our_rows"


def test_a_plugin_cannot_take_a_name(plugin: Callable[[str, str], None]) -> None:
    plugin("row_count", CHECK.format("OurRows"))
    with pytest.raises(ConfigError, match="two check types are called 'row_count'"):
        catalog()


def test_a_plugin_defines_one_type(plugin: Callable[[str, str], None]) -> None:
    plugin("two_counts", CHECK.format("OurRows") + "class Others(OurRows):\n    'Counts.'\n")
    with pytest.raises(ConfigError, match="two_counts defines 2 check types"):
        catalog()["two_counts"]


def test_every_type_that_can_stand_alone_has_a_job() -> None:
    jobs = {f.stem for f in (ROOT / "jobs").glob("*.py")}
    watching = {kind for kind in TYPES if catalog()[kind].watches is not Check.watches}
    assert set(TYPES) - watching <= jobs
    assert not watching & jobs


@pytest.mark.parametrize("kind", TYPES)
def test_a_type_documents_its_cost_its_blindness_and_an_example_that_runs(kind: str) -> None:
    check = catalog()[kind]
    for heading in ("Cost:", "Blind to:", "Example:"):
        assert heading in (check.__doc__ or "")
    assert check.COST
    if "violation_rows" in check.QUANTITIES:
        assert {"evaluated_rows", "violation_rate"} <= set(check.QUANTITIES)
    assert set(check.model_fields["error_if"].default) <= set(check.QUANTITIES)
    module = importlib.import_module(check.__module__)
    results = doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert (results.failed, results.attempted > 0) == (0, True)


@pytest.mark.parametrize("kind", TYPES)
def test_explain_names_every_field_and_quantity(kind: str) -> None:
    text = "\n".join(explain_lines(kind))
    for name in [*catalog()[kind].model_fields, *catalog()[kind].QUANTITIES]:
        assert name in text
    assert "\n      None" not in text


def test_the_committed_schema_is_the_current_one() -> None:
    assert json.loads((ROOT / "conf/suite.schema.json").read_text(encoding="utf-8")) == suite_schema()


@pytest.mark.parametrize("file", sorted((ROOT / "conf").glob("*.yaml")), ids=lambda f: f.stem)
def test_the_shipped_suites_are_valid_by_loader_and_by_schema(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    load(text, file.name, Parameters(datetime(2026, 1, 1, tzinfo=UTC), {}, read=lambda path: (ROOT / path).read_text()))
    jsonschema.validate(yaml.safe_load(text), suite_schema())


def test_the_schema_refuses_what_the_loader_refuses() -> None:
    bad = {"suite": "s", "checks": [{"id": "a", "type": "duplicate_keys", "dataset": "t", "keys": ["k"]}]}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(bad, suite_schema())
