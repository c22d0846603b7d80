"""Why a feature may stand in for the label: each reason with its number, its bound, and words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sparkguard.core.text import count, few
from sparkguard.measures.grids import FIRST
from sparkguard.shapes.identifiers import IN_STEP
from sparkguard.shapes.label import Label
from sparkguard.shapes.leakage import Feature, Rows, tells_the_time
from sparkguard.shapes.moved import percent
from sparkguard.stats.formulas import EXACT, Formula
from sparkguard.stats.importance import Importances
from sparkguard.stats.power import Power

LEAST_UNITS = 20
"""Groups of rows, or rows, of each class without which nothing fails."""
LOST = 1 / 3
"""The share of their skill that trees lose without a feature that is all that they know."""
_SURE = 2
"""Standard errors by which a power is beyond its bound."""
_CHANCE = 0.001
"""The chance that any value would be pure by accident."""
_PREDICTIVE = 0.6
_BETTER = 0.01
"""By so much a formula is better than both of its columns."""
_SHOWN = 3

Text = Callable[[str, str], str]
"""A value of a column, unless the suite keeps it out."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """From which power on a feature warns, and fails."""

    warn: float
    fail: float


@dataclass(frozen=True, slots=True)
class Reason:
    """In words why a feature fails, or only warns, and by which number."""

    fails: bool
    words: str
    metric: str
    observed: float
    bound: float


@dataclass(frozen=True, slots=True)
class Study:
    """All that was found: features, their rows, what trees and formulas say, and values later than their time."""

    label: Label
    rows: Rows
    features: tuple[Feature, ...]
    importances: Importances | None
    formulas: tuple[Formula, ...]
    future: Mapping[str, tuple[int, int]]
    grouped: bool

    @property
    def tested(self) -> int:
        """Values that could have been pure."""
        return sum(feature.tested for feature in self.features)


def reasons_of(study: Study, bounds: Bounds, text: Text) -> Sequence[Sequence[Reason]]:
    """For each feature its reasons, the ones that fail first."""
    found = [list(_alone(study, feature, bounds, text)) for feature in study.features]
    for i, reason in _by_importance(study, bounds):
        found[i].append(reason)
    for formula in study.formulas:
        for i, reason in _by_formula(study, formula, bounds, found):
            found[i].append(reason)
    return [sorted(reasons, key=lambda one: not one.fails) for reasons in found]


def _alone(study: Study, feature: Feature, bounds: Bounds, text: Text) -> Iterator[Reason]:
    """What a feature says by itself."""
    future, dated = study.future.get(feature.column.name, (0, 0))
    if future:
        words = f"{future:,} of {count(dated, 'value')} became available after the time of their row"
        yield Reason(True, words, "future_rows", future, 0)  # noqa: FBT003 - it fails
    yield from _by_power(study, feature.power, bounds, "power", "alone it tells the label")
    if feature.missing.value > feature.power.value - _BETTER:
        yield from _by_power(study, feature.missing, bounds, "missing_power", "whether it is NULL tells the label")
    yield from _by_purity(study, feature, text)
    if feature.identifier and feature.power.value - _SURE * _error(feature.power) >= _PREDICTIVE:
        words = f"nearly every row has a value of its own, and yet it has a power of {feature.power.value:.3f}"
        yield Reason(False, words, "power", feature.power.value, _PREDICTIVE)  # noqa: FBT003 - it warns
    if tells_the_time(feature) and feature.in_step is not None:
        words = f"it counts on with time (rank correlation {feature.in_step:.3f}), which no later row will have seen"
        yield Reason(False, words, "time_correlation", abs(feature.in_step), IN_STEP)  # noqa: FBT003 - it warns


def _by_power(study: Study, power: Power, bounds: Bounds, metric: str, what: str) -> Iterator[Reason]:
    if power.value < bounds.warn:
        return
    told = f"{what}: power {power.value:.4f}" + (f" ± {power.error:.4f}" if power.known else "")
    if power.value < bounds.fail:
        yield Reason(False, told, metric, power.value, bounds.warn)  # noqa: FBT003 - it warns
    elif study.rows.units < LEAST_UNITS:
        unit = "groups of rows" if study.grouped else "rows"
        words = f"{told}, but a class has only {study.rows.units} {unit} to tell by"
        yield Reason(False, words, metric, power.value, bounds.fail)  # noqa: FBT003 - it warns
    elif not power.known or power.value - _SURE * power.error < bounds.fail:
        words = f"{told}, too near to {bounds.fail:g} to be sure"
        yield Reason(False, words, metric, power.value, bounds.fail)  # noqa: FBT003 - it warns
    else:
        yield Reason(True, told, metric, power.value, bounds.fail)  # noqa: FBT003 - it fails


def _error(power: Power) -> float:
    return power.error if power.known else 1.0


def _by_purity(study: Study, feature: Feature, text: Text) -> Iterator[Reason]:
    sure = [one for one in feature.pure if one.chance * max(1, study.tested) <= _CHANCE]
    if not sure:
        return
    classes = study.rows.classes
    shown = []
    for one in sorted(sure, key=lambda pure: -pure.rows)[:_SHOWN]:
        value = feature.grid.label(one.cell)
        value = text(feature.column.name, value) if one.cell >= FIRST else value
        label = text(study.label.column.name, study.label.name(classes[one.label_class]))
        shown.append(f"{value}: all {count(one.rows, 'row')} are {label} ({percent(one.share_of_class)} of its rows)")
    more = f"; {len(sure) - _SHOWN} more" if len(sure) > _SHOWN else ""
    words = f"a value tells the label: {'; '.join(shown)}{more}"
    rows = sum(one.rows for one in sure)
    yield Reason(study.grouped and study.rows.units >= LEAST_UNITS, words, "pure_rows", rows, 0)


def _by_importance(study: Study, bounds: Bounds) -> Iterator[tuple[int, Reason]]:
    found = study.importances
    if found is None or found.top is None or found.top.lost < LOST or found.top.alone < bounds.warn:
        return
    top, names = found.top, [f.column.name for f in study.features]
    members = top.cluster.features
    fails = study.rows.units >= LEAST_UNITS
    for i in members:
        others = [names[j] for j in members if j != i]
        who = f"with {few(others, _SHOWN)} it has" if others else "it has"
        words = (
            f"{who} {percent(top.cluster.share)} of the importance of trees (limit {percent(found.limit)}), "
            f"which lose {percent(top.lost)} of their skill without it; alone its power is {top.alone:.3f}"
        )
        yield i, Reason(fails, words, "importance", top.cluster.share, found.limit)


def _by_formula(
    study: Study, formula: Formula, bounds: Bounds, found: Sequence[Iterable[Reason]]
) -> Iterator[tuple[int, Reason]]:
    pair = (formula.one, formula.other)
    if any(reason.fails for i in pair for reason in found[i]):
        return
    names = [study.features[i].column.name for i in pair]
    written = formula.written.format(*names)
    if formula.exact and formula.same is not None:
        words = f"{written} is '{study.label.column.name}', but for a constant, in {percent(formula.same)} of the rows"
        reason = Reason(True, words, "formula_rows", formula.same, EXACT)  # noqa: FBT003 - it fails
    elif formula.power.value >= max(bounds.fail, *(study.features[i].power.value + _BETTER for i in pair)):
        [reason] = _by_power(study, formula.power, bounds, "formula_power", f"{written} tells the label")
        if reason.fails and all(study.features[i].power.value >= bounds.warn for i in pair):
            words = f"{reason.words}, but each of the two nearly does by itself, and may be honest"
            reason = replace(reason, fails=False, words=words)
    else:
        return
    yield from ((i, reason) for i in pair)
