"""What is told of features that may stand in for the label: a finding for each, and one for all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from sparkguard.core.check import Check
from sparkguard.core.finding import Decision, Finding, Quantity, Status, Violation
from sparkguard.core.text import count, few
from sparkguard.shapes.leakage import Feature
from sparkguard.shapes.reasons import Bounds, Reason, Study, reasons_of
from sparkguard.stats.power import Power

_NAMED = 5
_REMEDY = (
    "find out when each value is known: what is made from the label, or after the time of prediction, must not reach "
    "training; take the column out of the features, or waive it with a reason, an owner and a date"
)


@dataclass(frozen=True, slots=True)
class Waived:
    """A column that is accepted: why, by whom, and until when (that day included)."""

    column: str
    reason: str
    owner: str
    until: date

    def __str__(self) -> str:
        """For messages."""
        return f"waived until {self.until} by {self.owner}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Told:
    """Tells of a `study` for `check` in findings that are like `whole` unless they say so.

    `together` says what rows belong to, `waivers` which columns are accepted, by name.
    """

    check: Check
    study: Study
    bounds: Bounds
    whole: Finding
    together: str
    waivers: Mapping[str, Waived]
    today: date

    def findings(self) -> tuple[Finding, ...]:
        """All findings; the last is on all features, and the bounds judge it."""
        reasons = reasons_of(self.study, self.bounds, self.check.text)
        each = list(zip(self.study.features, reasons, strict=True))
        whole = self._whole(each)
        return (*(self._feature(f, i, found, whole.status) for i, (f, found) in enumerate(each)), whole)

    def _waiver(self, feature: Feature) -> Waived | None:
        """The waiver of a feature that has not expired."""
        found = self.waivers.get(feature.column.name)
        return found if found is not None and self.today <= found.until else None

    def _whole(self, each: Sequence[tuple[Feature, Sequence[Reason]]]) -> Finding:
        fails = [(f, r) for f, r in each if r and r[0].fails and self._waiver(f) is None]
        warns = [(f, r) for f, r in each if r and not r[0].fails and self._waiver(f) is None]
        waived = [f for f, r in each if r and self._waiver(f) is not None]
        rows, importances = self.study.rows, self.study.importances
        numbers: dict[str, float | None] = {
            "leaking_features": len(fails),
            "suspicious_features": len(warns),
            "waived_features": len(waived),
            "examined_features": len(each),
            "strongest_power": max((f.power.value for f, _ in each), default=None),
            "model_power": None if importances is None else importances.power,
            "unlabelled_rows": rows.unlabelled,
            "evaluated_rows": rows.labelled,
        }
        quantities = {name: Quantity(value) for name, value in numbers.items() if value is not None}
        evidence = tuple(self._violation(f, reason) for f, found in (*fails, *warns) for reason in found)
        bare = replace(self.whole, evaluated_rows=None, violation_rows=None, quantities=quantities, violations=evidence)
        told = self._told(fails, warns, waived)
        found = self.check.verdict(
            bare,
            passed=told,
            failed=told if fails else "",
            remedy=_REMEDY,
            told=("leaking_features", "suspicious_features", "waived_features"),
        )
        status = Status.WARN if found.status is Status.PASS and warns else found.status
        return replace(
            found,
            status=status,
            remedy=_REMEDY if status is Status.WARN else found.remedy,
            evaluated_rows=rows.labelled,
        )

    def _told(
        self,
        fails: Sequence[tuple[Feature, Sequence[Reason]]],
        warns: Sequence[tuple[Feature, Sequence[Reason]]],
        waived: Sequence[Feature],
    ) -> str:
        label, rows = self.study.label, self.study.rows
        of = f"of {count(len(self.study.features), 'feature')}"
        what = f"'{label.column.name}' ({label.task}, {count(rows.labelled, 'row')})"
        parts = []
        fail = "stands in for" if len(fails) == 1 else "stand in for"
        for found, verb in ((fails, fail), (warns, "may stand in for")):
            if found:
                named = few([f"{f.column.name} ({r[0].words})" for f, r in found], _NAMED, "; ")
                parts.append(f"{len(found)} {of} {verb} {what}: {named}")
        if not parts:
            strongest = max(self.study.features, key=lambda f: f.power.value)
            alone = f"the strongest alone is {strongest.column.name} with a power of {strongest.power.value:.3f}"
            parts.append(f"none {of} stands in for {what}; {alone}")
        if waived:
            parts.append(few([f"{f.column.name} is {self._waiver(f)}" for f in waived], _NAMED, "; "))
        expired = [w for name, w in self.waivers.items() if self.today > w.until]
        if expired:
            parts.append("expired: " + few([f"{w.column} was {w}" for w in expired], _NAMED, "; "))
        if rows.unlabelled:
            parts.append(f"{count(rows.unlabelled, 'row')} without a label set apart")
        parts.append(f"rows belong to {self.together}")
        return "; ".join(parts)

    def _feature(self, feature: Feature, at: int, reasons: Sequence[Reason], whole: Status) -> Finding:
        waiver = self._waiver(feature)
        words = "; ".join(reason.words for reason in reasons)
        status, message = Status.PASS, f"power {feature.power.value:.3f} by {feature.power.by}"
        if reasons:
            fails = reasons[0].fails and whole is Status.FAIL and waiver is None
            status = Status.FAIL if fails else Status.WARN
            message = words if waiver is None else f"{waiver}; {words}"
        decision = Decision(status, "power", feature.power.value, ">=", self.bounds.warn, self.bounds.fail)
        if reasons:
            first = reasons[0]
            bounds = (None, first.bound) if first.fails else (first.bound, None)
            decision = Decision(status, first.metric, first.observed, ">=", *bounds)
        return replace(
            self.whole,
            status=status,
            message=message,
            remedy=_REMEDY if reasons and waiver is None else None,
            subject_kind="column",
            subject=feature.column.name,
            columns=(feature.column.name,),
            evaluated_rows=self.study.rows.labelled,
            decision=decision,
            quantities=self._quantities(feature, at),
        )

    def _quantities(self, feature: Feature, at: int) -> Mapping[str, Quantity]:
        """The numbers of a feature."""
        known: dict[str, float | None] = {
            "missing_power": feature.missing.value,
            "null_rate": feature.missing_share,
            "pure_rows": sum(one.rows for one in feature.pure),
            "time_correlation": feature.in_step,
            "future_rows": self.study.future.get(feature.column.name, (None, 0))[0],
        }
        if self.study.importances is not None:
            known["importance"] = self.study.importances.shares[at]
            mine = next((c for c in self.study.importances.clusters if at in c.features), None)
            known["cluster_importance"] = 0.0 if mine is None else mine.share
            known["permutation_importance"] = 0.0 if mine is None else mine.loss
        power = {"power": _quantity(feature.power)}
        return {**power, **{name: Quantity(value) for name, value in known.items() if value is not None}}

    def _violation(self, feature: Feature, reason: Reason) -> Violation:
        expected = f"{reason.metric} {'<' if reason.fails else '<='} {reason.bound:.4g}"
        return Violation(
            "leaking_feature", {"column": feature.column.name}, reason.words, expected, f"{reason.observed:.6g}"
        )


def _quantity(power: Power) -> Quantity:
    """A power with two standard errors as its margin."""
    return Quantity(power.value, 2 * power.error if power.known else 0.0)


def left_out(names: Iterable[str]) -> str:
    """Columns of which only NULLs can tell, for the end of a message."""
    found = list(names)
    return f"; only whether there is a value was looked at in {few(found, _NAMED)}" if found else ""
