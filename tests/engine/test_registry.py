"""A real MLflow registry in files tells of a model, or it is said why not; one that is down ends soon."""

import os
import socket
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import pytest

from sparkguard.checks.model_freshness import ModelFreshness
from sparkguard.core.text import without_secrets
from sparkguard.engine.registry import read_registry
from sparkguard.errors import DataError
from sparkguard.measures.models import RUN_ENDED, ModelMetadata, RegisteredModel

KEYS = ("version", "trained_at", RUN_ENDED, "training_end", "data_version")
ENDED = 1_382_259_600_000
"""2013-10-20 09:00 UTC."""


class Store:
    """A registry in a folder, written by MLflow's own client."""

    def __init__(self, folder: Path) -> None:
        from mlflow import MlflowClient

        self.uri = folder.as_uri()
        self.client: Any = MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)
        self.experiment = self.client.create_experiment("training")

    def run(self, *, ended: bool = True, **params: str) -> str:
        run = self.client.create_run(self.experiment, start_time=ENDED - 3_600_000)
        for name, text in params.items():
            self.client.log_param(run.info.run_id, name, text)
        if ended:
            self.client.set_terminated(run.info.run_id, end_time=ENDED)
        return str(run.info.run_id)

    def version(self, run: str | None, alias: str | None = None, model: str = "flights", **tags: str) -> str:
        if not [m for m in self.client.search_registered_models() if m.name == model]:
            self.client.create_registered_model(model)
        made = self.client.create_model_version(model, source=f"{self.uri}/m", run_id=run, tags=tags)
        if alias:
            self.client.set_registered_model_alias(model, alias, made.version)
        return str(made.version)

    def says(self, **asked: Any) -> dict[str, str | None]:
        return dict(self.answer(**asked).values)

    def answer(self, **asked: Any) -> ModelMetadata:
        return read_registry(RegisteredModel(**{"model": "flights", "keys": KEYS, "uri": self.uri, **asked}))

    def refusal(self, **asked: Any) -> DataError:
        with pytest.raises(DataError) as error:
            self.answer(**asked)
        return error.value


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    return Store(tmp_path / "registry")


def test_an_alias_names_a_version_and_its_run_says_when_it_was_trained(store: Store) -> None:
    store.version(store.run(training_end="2013-10-13"), "production", data_version="41")
    assert store.says(alias="production") == {
        "version": "1", RUN_ENDED: "2013-10-20T09:00:00+00:00", "training_end": "2013-10-13", "data_version": "41",
    }  # fmt: skip
    assert store.says(version="1") == store.says(alias="production")


def test_a_tag_of_the_version_comes_before_its_run(store: Store) -> None:
    store.version(store.run(data_version="40", version="99"), "production", data_version="41", trained_at="2013-07-04")
    says = store.says(alias="production")
    assert (says["data_version"], says["trained_at"], says["version"]) == ("41", "2013-07-04", "1")


# Setting a stage is what MLflow deprecates; models in stages are still there to be checked.
@pytest.mark.filterwarnings("ignore:.*transition_model_version_stage.*is deprecated:FutureWarning")
def test_a_stage_names_its_newest_version(store: Store) -> None:
    versions = [store.version(store.run()) for _ in range(11)]
    for number in versions[:10]:
        store.client.transition_model_version_stage("flights", number, "Production")
    assert store.says(stage="production")["version"] == "10"
    refusal = store.refusal(stage="Staging")
    assert (
        "no version of the model is in stage 'Staging'; there are: None (version 11), Production (version 10)"
        in str(refusal)
    )


def test_a_missing_alias_version_or_model_is_named_with_what_there_is(store: Store) -> None:
    store.version(store.run(), "champion")
    assert str(store.refusal(alias="production")) == (
        "the model has no alias 'production'; its aliases are: champion (version 1)"
    )
    assert str(store.refusal(version="12")).startswith("the model has no version '12'; its aliases are")
    assert str(store.refusal(version="none")).startswith("the model has no version 'none'")
    for asked in ({"alias": "a"}, {"version": "1"}, {"stage": "Production"}):
        assert str(store.refusal(model="fligths", **asked)) == "the registry has no model 'fligths'"


def test_when_a_model_was_registered_is_not_when_it_was_trained(store: Store) -> None:
    store.version(None, "production")
    answer = store.answer(alias="production")
    assert dict(answer.values) == {"version": "1"}
    assert answer.note == "it was registered without a run; when it was registered is not when it was trained"
    store.version(store.run(ended=False), "production")
    assert store.answer(alias="production").note.startswith("its run has not ended; ")
    store.version("f" * 32, "production", trained_at="2013-07-04")
    answer = store.answer(alias="production")
    assert "cannot be read: it no longer exists" in answer.note
    assert dict(answer.values)["trained_at"] == "2013-07-04"


def test_a_deleted_run_still_says_when_it_ended(store: Store) -> None:
    run = store.run()
    store.version(run, "production")
    store.client.delete_run(run)
    assert store.says(alias="production")[RUN_ENDED] == "2013-10-20T09:00:00+00:00"


def test_names_in_any_script_work_and_only_what_is_asked_for_leaves_the_registry(store: Store) -> None:
    store.version(store.run(login="hunter2"), "größte", model="vols d'été", **{"Schlüssel.der": "ä"})
    answer = store.answer(model="vols d'été", alias="größte", keys=("Schlüssel.der",))
    assert dict(answer.values) == {"Schlüssel.der": "ä"}
    assert set(answer.keys) == {"version", RUN_ENDED, "Schlüssel.der", "login"}
    assert "hunter2" not in repr(answer)


def test_a_store_in_files_needs_leave_and_the_remedy_says_how(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_ALLOW_FILE_STORE")
    refusal = store.refusal(alias="production", uri=store.uri + "2")
    assert "set MLFLOW_ALLOW_FILE_STORE=true" in str(refusal.remedy)


def test_a_registry_that_is_named_nowhere_is_not_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="no registry is named"):
        read_registry(RegisteredModel("flights", KEYS, alias="production"))
    assert not list(tmp_path.iterdir())


def test_the_registry_of_the_environment_is_the_default(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    store.version(store.run(), "production")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store.uri)
    assert store.says(alias="production", uri=None)["version"] == "1"


def test_a_registry_that_is_down_ends_soon_without_its_password(capfd: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    began = time.monotonic()
    with pytest.raises(DataError) as error:
        read_registry(RegisteredModel("m", KEYS, alias="a", uri=f"http://user:hunter2@127.0.0.1:{port}"))
    assert time.monotonic() - began < 15
    assert str(error.value).startswith("the registry gives no answer: ")
    assert "hunter2" not in str(error.value)
    assert "look whether the registry is up" in str(error.value.remedy)
    assert capfd.readouterr() == ("", "")
    assert without_secrets(str(error.value)) == str(error.value)


def test_mlflow_s_settings_are_as_before_and_those_of_the_user_are_kept(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "77")
    before, shown = dict(os.environ), warnings.filters[:]
    store.refusal(alias="production")
    assert dict(os.environ) == before
    assert warnings.filters[:] == shown


def test_without_mlflow_the_remedy_is_its_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mlflow", None)
    with pytest.raises(DataError) as error:
        read_registry(RegisteredModel("m", KEYS, alias="a", uri="http://127.0.0.1:1"))
    assert error.value.remedy == "pip install 'sparkguard[mlflow]'"


def test_the_plan_does_not_show_the_address() -> None:
    registry = {"model": "flights", "alias": "production", "uri": "http://user:hunter2@host"}
    check = ModelFreshness.model_validate({"id": "m", "registry": registry})
    assert str(check._probe) == "registered model 'flights', alias 'production'"
