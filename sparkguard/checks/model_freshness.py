"""Is it the right model, and is it new enough?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, time, timedelta
from functools import partial
from typing import Annotated, ClassVar, Self
from zoneinfo import ZoneInfo

from pydantic import Field

from sparkguard.core.check import Check, Run
from sparkguard.core.columns import Column
from sparkguard.core.evidence import Evidence
from sparkguard.core.fields import Bounds, DurationField, WindowField, ZoneField
from sparkguard.core.finding import Finding, Quantity, Status
from sparkguard.core.measure import Answer, Measure
from sparkguard.core.source import Source
from sparkguard.core.text import REDACTED, count, number
from sparkguard.core.threshold import Bound
from sparkguard.core.types import is_number, is_text, is_time
from sparkguard.errors import DataError
from sparkguard.measures.models import (
    ModelCard,
    ModelMetadata,
    ModelVersions,
    RegisteredModel,
    VersionsAnswer,
    written_version,
)
from sparkguard.shapes.models import (
    Fact,
    Facts,
    Mixture,
    Moment,
    RegistryBlock,
    Told,
    VersionField,
    age,
    asked_keys,
    moment_in,
)

_SHOWN = 3
_REMEDIES = {
    "age_days": "train the model anew, or find out why an old one was promoted",
    "training_gap_days": "score later rows, or train on data that ends earlier: the model has seen what it predicts",
    "wrong_version": "promote the version that is meant, or correct version",
    "wrong_data_version": "train on the data that is meant, or correct data_version",
}
_REMEDY = "find out which job used the other model, and score its rows anew"
_UNKNOWN = "write down what is missing, name its key in keys, or take the bound out of error_if"
_COUNTS = ("violation_rows", "model_versions", "unexpected_versions", "null_version_rows", "null_trained_at_rows")
_TOLD = frozenset((*_REMEDIES, *_COUNTS))
"""Quantities whose breach the message tells in words."""


class ModelFreshness(Check):
    r"""Judges the age of the model behind the predictions, its training window, its data, and which model it is.

    What is known of the model comes from columns of the predictions (`version_column`, `trained_at_column`), and
    from a `card` (a JSON or YAML file) or a `registry` (MLflow). The age counts to the end of the run's date, or
    to now if that is earlier, so that a backfill is judged as of its date; with `trained_at_column` it is that of
    the oldest model in the window. The expected version is `version`, else that of the card or registry; without
    any, the most frequent one is taken for it, so that two models in one window show up.

    By default everything is judged that the given fields can tell. What is looked for and not there is an
    error, and the message names the keys that are. Only a training window's end that neither `keys`, `gap` nor a
    bound asks for may be missing; the message then says that it was not compared.

    Cost: one scan of the two columns and one shuffle of a row for each version and task; a card is a file of at
    most 1 MB; a registry is asked one to three times, and given up after at most a minute.

    Blind to: whether the model that wrote a version into its rows is that version; an old model that was
    registered or tagged anew with a new trained_at; without a version from anywhere, a window that is all of
    one wrong model; rows whose time column is NULL or unreadable.

    Example:
        >>> from datetime import datetime
        >>> from sparkguard.testing import judge
        >>> check = ModelFreshness(id="m", dataset="t", version_column="model", trained_at_column="trained_at")
        >>> row = {"model": "6", "trained_at": datetime(2025, 9, 20, 9)}
        >>> [finding] = judge(check, {"t": [row, row]})  # run on 2026-01-31
        >>> finding.status.value, finding.message
        ('fail', "model 6 made all 2 rows of 't'; model 6 was trained 2025-09-20 09:00 UTC, 132.6 days before 2026-01-31 00:00 UTC (limit 90)")
    """  # noqa: E501 - a message is one line

    QUANTITIES: ClassVar[Mapping[str, str]] = {
        "age_days": "days from the training of the model (of a window's oldest) to the end of the run's date or now",
        "training_gap_days": "days from the end of the training window and the gap to the start of the window; "
        "below 0 the training reached into it",
        "model_versions": "distinct versions in the window",
        "unexpected_versions": "distinct versions that are not the expected one, or not the most frequent one",
        "null_version_rows": "rows without a version: NULL or blank text",
        "null_trained_at_rows": "rows that do not say when their model was trained",
        "wrong_version": "1 if the card or registry says another version than `version`, else 0",
        "wrong_data_version": "1 if the model was trained on another version of the data than `data_version`, else 0",
        "evaluated_rows": "rows of the window",
        "violation_rows": "rows whose version is not the expected one, or not the most frequent one; NULL too",
        "violation_rate": "violation_rows / evaluated_rows",
    }
    COST: ClassVar[str] = (
        "1 scan of two columns and 1 shuffle of its versions; 1 small file, or 1 to 3 calls of a registry"
    )

    dataset: str | None = Field(default=None, examples=["path=data/scored,time_column=scored_at"])
    """The predictions: the name of a dataset of the suite; on the command line also the dataset itself."""
    window: WindowField | None = Field(default=None, examples=["end=2026-01-31,length=1d"])
    """Half-open stretch of the predictions' time column: {end, length} or {start, end}."""
    version_column: str | None = None
    """The column of the predictions that names the model's version."""
    trained_at_column: str | None = None
    """The column of the predictions that says when their model was trained; a date is its first midnight."""
    timezone: ZoneField = Field(default="", validate_default=True)
    """The zone of times that have none, and in which the run's date ends; by default the suite's."""
    card: str | None = Field(default=None, min_length=1, examples=["models/flights.json"])
    """A JSON or YAML file of the model's metadata, from any file system that Spark reads."""
    registry: RegistryBlock | None = Field(default=None, examples=["model=flights_delay,alias=production"])
    """A version of a model in an MLflow registry: {model, alias | stage | version, uri}."""
    keys: dict[Fact, Annotated[str, Field(min_length=1)]] = Field(
        default={}, examples=["version=model.version,trained_at=training.finished"]
    )
    """Under which keys of the card (with dots), or tags and parameters of the registry, to look for the facts."""
    version: VersionField = None
    """The version that is expected, and that a card or registry must have too."""
    data_version: VersionField = None
    """The version of the data that the training was told to use."""
    gap: DurationField | None = None
    """How long labels take: the training window must end this long before the window starts."""
    error_if: Bounds = {
        "age_days": Bound(">", 90.0),
        "training_gap_days": Bound("<", 0.0),
        "model_versions": Bound(">", 1.0),
        "violation_rows": Bound(">", 0.0),
        "wrong_version": Bound(">", 0.0),
        "wrong_data_version": Bound(">", 0.0),
    }
    """Bounds on the quantities whose breach fails the check; by default on those that its fields can tell."""
    warn_if: Bounds = {"age_days": Bound("<", 0.0), "null_trained_at_rows": Bound(">", 0.0)}
    """Bounds on the quantities whose breach warns; by default on those that its fields can tell."""

    def _mistakes(self) -> Iterator[str]:
        known, columns = self._probe is not None, bool(self.about)
        alone = [name for name in ("keys", "data_version", "gap") if getattr(self, name) and not known]
        wrong = {
            "give card or registry, not both": self.card and self.registry,
            "give version_column or trained_at_column of a dataset, a card, or a registry": not known and not columns,
            "version_column and trained_at_column are columns of a dataset; name it": columns and not self.dataset,
            "dataset needs version_column or trained_at_column": self.dataset and not columns,
            f"{' and '.join(alone)}: give also card or registry": alone,
            "version needs version_column, card or registry": self.version and not (known or self.version_column),
            "gap needs a window, whose start the training window's end is compared with": self.gap and not self.window,
            "violations_to is for rows; every version is in the results, up to violation_limit": self.violations_to,
        }
        yield from (message for message, is_so in wrong.items() if is_so)
        for name in {"error_if", "warn_if"} & self.model_fields_set:
            for quantity in getattr(self, name):
                if quantity in self.QUANTITIES and quantity not in self._possible:
                    yield f"{name}: {quantity} needs {self._needs(quantity)}"

    @property
    def _possible(self) -> frozenset[str]:
        """The quantities that the given fields can tell."""
        return frozenset(quantity for quantity in self.QUANTITIES if not self._needs(quantity))

    def _needs(self, quantity: str) -> str:
        """The fields that a quantity lacks, in words."""
        metadata = [] if self._probe else ["card or registry"]
        needed = {
            "age_days": [] if self.trained_at_column or not metadata else ["trained_at_column, card or registry"],
            "training_gap_days": [*([] if self.window else ["window"]), *metadata],
            "wrong_version": [*([] if self.version else ["version"]), *metadata],
            "wrong_data_version": [*([] if self.data_version else ["data_version"]), *metadata],
            "null_trained_at_rows": [] if self.trained_at_column else ["trained_at_column"],
            "evaluated_rows": [] if self.dataset else ["dataset"],
        }
        return " and ".join(needed.get(quantity, [] if self.version_column else ["version_column"]))

    @property
    def about(self) -> tuple[str, ...]:
        """The columns that are read."""
        return tuple(name for name in (self.version_column, self.trained_at_column) if name is not None)

    @property
    def datasets(self) -> tuple[Source, ...]:
        """The predictions, if there are any."""
        return () if self._source is None else (self._source,)

    def ask(self, seen: Evidence) -> Iterable[Measure[Answer]]:
        """What is written of the model, then its rows, which are counted by the version that is expected."""
        if self._probe is not None:
            yield self._probe
            if not isinstance(seen.get(self._probe), ModelMetadata):
                return
        if self._source is not None:
            yield self._versions(seen, self._source)

    def judge(self, seen: Evidence, run: Run) -> tuple[Finding, ...]:
        """Judge one finding for the model and the rows that it made."""
        facts, asked = self._facts(seen), None if self._source is None else self._versions(seen, self._source)
        found = None if asked is None else seen.require(asked)
        mixture = None if asked is None or self.version_column is None else self._mixture(seen, asked, facts)
        parts = [] if mixture is None else [mixture.told()]
        parts.append(self._age(seen, asked, facts, run))
        if facts is not None:
            parts += [] if self.window is None else [facts.training(self.window, self.gap)]
            parts += [] if self.version is None else [facts.version(self.version)]
            parts += [] if self.data_version is None else [facts.data(self.data_version)]
        finding = Finding(
            Status.PASS,
            "",
            quantities={name: quantity for part in parts for name, quantity in part.quantities.items()},
            evaluated_rows=None if found is None else found.rows,
            violation_rows=None if mixture is None else mixture.violating,
            columns=self.about,
            source=self._source,
            violations=() if mixture is None else tuple(mixture.others(str(self.version_column))),
        )
        told = "; ".join(dict.fromkeys(part.clause for part in parts if part.clause))
        if found is not None and not found.rows:
            return (self._empty_window(finding, facts, told),)
        failed = "" if found is None else told
        return (self._worded(self._bounded(facts).verdict(finding, passed=told, failed=failed, told=_TOLD)),)

    def _empty_window(self, finding: Finding, facts: Facts | None, told: str) -> Finding:
        """No row is no pass of the model: what its card or registry tells is judged all the same."""
        empty = self.verdict(finding, passed=told, failed=told)
        own = {"training_gap_days", "wrong_version", "wrong_data_version"} | (
            set() if self.trained_at_column else {"age_days"}
        )
        quantities = {name: quantity for name, quantity in finding.quantities.items() if name in own}
        alone = replace(finding, quantities=quantities, evaluated_rows=None, violation_rows=None)
        bounded = self._bounded(facts)
        kept = {n: {q: b for q, b in getattr(bounded, n).items() if q in own} for n in ("error_if", "warn_if")}
        judged = self._worded(bounded.model_copy(update=kept).verdict(alone, passed=told, failed="", told=_TOLD))
        worse = judged.status.rank < empty.status.rank and judged.status is not Status.PASS
        return replace(judged, message=f"{empty.message}; {judged.message}", counted=True) if worse else empty

    def _mixture(self, seen: Evidence, asked: ModelVersions, facts: Facts | None) -> Mixture:
        column = str(self.version_column)
        written = self._expected(facts)
        missing = facts.absent("version") if facts is not None and written is None else ""
        said = "" if written is None else self._said(self.text(column, written))
        where = str(asked.source.window or f"'{self.dataset}'")
        return Mixture(seen.require(asked), asked.expected, where, said, missing, partial(self.text, column))

    def _said(self, expected: str) -> str:
        """Who expects this version."""
        named = self.registry
        if self.version is not None or (named is not None and named.version is not None):
            return f"{expected} is expected"
        if named is None:
            return f"the card says {expected}"
        return f"the registry calls {expected} {named.alias or named.stage}"

    def _age(self, seen: Evidence, asked: ModelVersions | None, facts: Facts | None, run: Run) -> Told:
        """How old the model is, as of the run's date."""
        until = min(run.now, datetime.combine(run.date + timedelta(1), time(), self._zone))
        if asked is not None and asked.trained is not None:
            found = seen.require(asked)
            rows = {"null_trained_at_rows": Quantity(found.untimed)}
            when, model = self._oldest(asked.trained, found)
            null = f"; {asked.trained.name} is NULL in {count(found.untimed, 'row')}" if found.untimed else ""
            return age(when, model, until, self._limit, rows, null)
        if facts is None:
            return Told({})
        known = facts.text("version") is not None
        return age(facts.moment("trained_at"), facts.named if known else "the model", until, self._limit)

    def _oldest(self, column: Column, found: VersionsAnswer) -> tuple[Moment | str, str]:
        """When the oldest model of the window was trained, or why that is unknown, and what it is called."""
        if found.oldest is None:
            return f"{column.name} is NULL in all {count(found.rows, 'row')}", ""
        try:
            when = moment_in(found.oldest, column.type, self._zone)
        except OverflowError:
            return f"the oldest {column.name} lies outside the years 1 to 9999", ""
        names = [one.version for one in found.top if one.oldest == found.oldest]
        model = f"model {self.text(str(self.version_column), names[0])}" if names else "the oldest model"
        return replace(when, shown=self.text(column.name, when.shown)), model

    def _limit(self, name: str, value: float) -> str:
        """The bound that a quantity breaks, where it is more than a question of sides."""
        bounds = (bounds[name] for bounds in (self.error_if, self.warn_if) if name in bounds)
        broken = next((bound for bound in bounds if bound.limit and bound.broken_by(Quantity(value))), None)
        return f" (limit {number(broken.limit)})" if broken else ""

    def _worded(self, verdict: Finding) -> Finding:
        """With the remedy for what decided, and without the words of a bound that the message has told already."""
        decision = verdict.decision
        if decision is None or decision.status is Status.PASS:
            return verdict
        if decision.status is Status.ERROR:
            return replace(verdict, remedy=verdict.remedy or _UNKNOWN)
        name = str(decision.metric_name)
        message = verdict.message.removesuffix(f"; {decision.reason}") if name in _TOLD else verdict.message
        return replace(verdict, message=message, remedy=_REMEDIES.get(name, _REMEDY))

    def _bounded(self, facts: Facts | None) -> Self:
        """The check with those of its default bounds that its fields can tell.

        A training window's end that nobody asks for is judged if it is there.
        """
        told = self._possible
        asked = self.gap is not None or "training_end" in self.keys
        if not asked and (facts is None or facts.text("training_end") is None):
            told -= {"training_gap_days"}
        return self.bounded_by(told, written=False)

    @property
    def _source(self) -> Source | None:
        return None if self.dataset is None else Source(self.dataset, self.window)

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def _probe(self) -> ModelCard | RegisteredModel | None:
        keys = asked_keys(self.keys)
        if self.registry is not None:
            named = self.registry
            return RegisteredModel(named.model, keys, named.alias, named.stage, named.version, named.uri or None)
        return None if self.card is None else ModelCard(self.card, keys)

    def _facts(self, seen: Evidence) -> Facts | None:
        if self._probe is None:
            return None
        return Facts(
            seen.require(self._probe), str(self._probe), self.registry is not None, self.keys, self._zone, self._show
        )

    def _show(self, fact: Fact, key: str, text: str) -> str:
        """A fact for a message, hidden also where the column that says the same is."""
        columns = {"version": self.version_column, "trained_at": self.trained_at_column}
        hidden = REDACTED in (self.text(name, "") for name in (fact, columns.get(fact)) if name)
        return REDACTED if hidden else self.text(key, text)

    def _expected(self, facts: Facts | None) -> str | None:
        return self.version or (None if facts is None else facts.text("version"))

    def _versions(self, seen: Evidence, source: Source) -> ModelVersions:
        schema = seen.schema(source)
        version, trained = (
            None if name is None else schema.column(name) for name in (self.version_column, self.trained_at_column)
        )
        if version is not None and not (is_text(version.type) or is_number(version.type) or version.type == "date"):
            message = f"column '{version.name}' is {version.type}, but a version is a text, a number or a date"
            raise DataError(message, "name another version_column, or cast it in the dataset's sql")
        if trained is not None and not is_time(trained.type):
            message = f"column '{trained.name}' is {trained.type}, but a time of training is a date or a timestamp"
            raise DataError(message, "name another trained_at_column, or cast it in the dataset's sql")
        expected = self._expected(self._facts(seen))
        if expected is not None and version is not None:
            expected = written_version(expected, version.type)
        # One more than is shown, since the expected one is no evidence.
        return ModelVersions(source, version, trained, expected, max(_SHOWN, self.violation_limit) + 1)
