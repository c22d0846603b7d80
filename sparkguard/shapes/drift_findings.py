"""What a comparison with stretches becomes: a finding for each column and slice, and one for all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sparkguard.core.budget import Budget
from sparkguard.core.check import Check
from sparkguard.core.finding import Decision, Finding, Quantity, Status, Violation
from sparkguard.core.text import REDACTED, count, few, hides, number
from sparkguard.shapes.distances import distances
from sparkguard.shapes.drift import Compared, Comparison
from sparkguard.shapes.moved import Moved, Side, moved, percent
from sparkguard.shapes.shared_columns import Shared
from sparkguard.stats.maximum import Unit

_NAMED = 5
_REMEDY = (
    "look at what changed upstream, and whether the model can work with it; if this is how the data is from now on, "
    "train on it and move the reference"
)
_TOO_SHORT = "give a longer reference, a shorter window, or wait until there are more days"


@dataclass(frozen=True, slots=True)
class Story:
    """Tells what was found for `check` within its `budget`, in findings that are like `whole` unless they say so.

    `seasonality` is where stretches may lie, `small` how many slices have too few rows.
    """

    check: Check
    budget: Budget
    whole: Finding
    columns: Shared
    seasonality: str = "none"
    small: int = 0

    def undecided(self) -> tuple[Finding, ...]:
        """The reference has too few stretches even of one block."""
        message = f"cannot tell: {self.whole.reference} has no 26 disjoint stretches with data to compare them with"
        message += ", or less than three years" if self.seasonality == "yearly" else ""
        message += ", or no 26 groups of clusters" if self.whole.reference and not self.whole.reference.window else ""
        finding = replace(self.whole, status=Status.WARN, message=message, remedy=_TOO_SHORT)
        return (*self._unfit(), replace(finding, threshold_source="snapshots"))

    def told(self, comparison: Comparison) -> tuple[Finding, ...]:
        """All findings; the last is on all columns, and the bounds judge it."""
        whole = self._judged(comparison)
        columns = [self._column(one, unit, comparison, whole.status) for one, unit in comparison.units()]
        return (*self._unfit(), *columns, whole)

    def _unfit(self) -> Iterator[Finding]:
        named = [(one, Status.ERROR) for one in self.columns.unfit]
        for one, status in (*named, *((one, Status.WARN) for one in self.columns.unlike)):
            yield replace(
                self.whole,
                status=status,
                message=self.check.public(str(one.error)),
                remedy=one.error.remedy,
                subject_kind="column",
                subject=one.name,
                columns=(one.name,),
                evaluated_rows=None,
            )

    def _judged(self, comparison: Comparison) -> Finding:
        verdict = comparison.verdict
        judged = [unit for unit in verdict.units if unit.judged]
        drifted = [(one, unit) for one, unit in comparison.units() if unit.drifted]
        weak = sum(unit.underpowered and not unit.drifted for unit in judged)
        untold = [one for one, unit in comparison.units() if self._untold(one, unit)]
        numbers = {
            "drifted_columns": len(drifted),
            "compared_columns": len(judged),
            "underpowered_columns": weak,
            "undecided_columns": len(untold) + len(self.columns.unlike),
            "left_out_columns": len(self.columns.left_out),
            "snapshots": comparison.many,
            "judged_days": comparison.days,
            "maximum": verdict.maximum,
            "limit": verdict.limit,
            "p_value": verdict.p_value,
            "evaluated_rows": self.whole.evaluated_rows,
        }
        quantities = {name: Quantity(value) for name, value in numbers.items() if value is not None}
        evidence = tuple(self._violation(one, unit) for one, unit in drifted)
        rows, bare = self.whole.evaluated_rows, replace(self.whole, evaluated_rows=None, violations=evidence)
        said = self._said(comparison, drifted, untold, len(judged), weak)
        found = self.check.verdict(
            replace(bare, quantities=quantities),
            passed=said,
            failed=said if drifted else "",
            remedy=_REMEDY,
            told=("drifted_columns",),
        )
        undecided = self.columns.unlike or any(one.series.slice_key is None for one in untold)
        if found.status is Status.PASS and undecided:
            found = replace(found, status=Status.WARN, message=f"cannot tell all: {found.message}")
        elif found.status is Status.PASS and 2 * weak > len(judged):
            found = replace(found, status=Status.WARN, message=f"underpowered: {found.message}", remedy=_TOO_SHORT)
        return replace(found, evaluated_rows=rows)

    def _said(
        self,
        comparison: Comparison,
        drifted: Sequence[tuple[Compared, Unit]],
        untold: Sequence[Compared],
        judged: int,
        weak: int,
    ) -> str:
        usual = f"{comparison.many} {comparison.snapshots} from {self.whole.reference}"
        if drifted:
            named = "; ".join(f"{_name(one)}: {self._moved(one, unit).reason}" for one, unit in drifted[:_NAMED])
            more = f"; and {len(drifted) - _NAMED} more" if len(drifted) > _NAMED else ""
            told = f"{len(drifted)} of {count(judged, 'column')} drifted, by {usual}: {named}{more}"
        else:
            told = f"{count(judged, 'column')} {'looks' if judged == 1 else 'look'} like {usual}"
        if comparison.verdict.extrapolated:
            told += f"; {self.budget} is rarer than any rank of {comparison.many}: the limit is extrapolated"
        if comparison.days != comparison.asked_days:
            told += f"; only the last {count(comparison.days or 0, 'day')} of {comparison.asked_days} were judged: "
            told += "the reference has no 26 longer stretches"
        blind = [_name(one) for one, unit in comparison.units() if unit.smallest_effect == 1 and not unit.drifted]
        told += f"; too different from each other to find a change of values: {few(blind, _NAMED)}" if blind else ""
        told += f"; too few rows to tell a change of two fifths in {count(weak, 'column')}" if weak else ""
        names = [*map(_name, untold), *(f"{one.name} (another type)" for one in self.columns.unlike)]
        told += f"; nothing to tell by for {few(names, _NAMED)}" if names else ""
        told += f"; {count(self.small, 'slice')} with too few rows" if self.small else ""
        told += f"; only on one side: {few(self.columns.left_out, _NAMED)}" if self.columns.left_out else ""
        return told

    def _untold(self, one: Compared, unit: Unit) -> str | None:
        """Why a series that did not drift cannot be judged, or not its values."""
        if unit.drifted:
            return None
        if not unit.judged:
            return "the window has no rows of it, or too few of what it is compared with have"
        if unit.partial:
            return "too few stretches have values of it; only NULL and NaN were judged"
        if one.series.grid.outgrown(one.base):
            return "its grid is out of date, most of the reference lies outside of what it was made from; raise grid"
        return None

    def _column(self, one: Compared, unit: Unit, comparison: Comparison, whole: Status) -> Finding:
        status, message = self._column_verdict(one, unit, comparison, whole)
        fails = status is Status.FAIL
        limit = comparison.verdict.limit
        bounds = (None, limit) if fails else (None if status is Status.PASS else limit, None)
        decision = Decision(status, "score", unit.score, ">", *bounds)
        series = one.series
        return replace(
            self.whole,
            status=status,
            message=message,
            remedy=_REMEDY if unit.drifted else None,
            subject_kind="column",
            subject=series.column,
            columns=(series.column,),
            slice_key=series.slice_key,
            slice_value=series.slice_value,
            evaluated_rows=sum(one.window),
            decision=decision,
            quantities=_quantities(one, unit, limit),
            threshold_source="snapshots",
        )

    def _column_verdict(self, one: Compared, unit: Unit, comparison: Comparison, whole: Status) -> tuple[Status, str]:
        limit, usual = comparison.verdict.limit, f"{comparison.many} {comparison.snapshots}"
        untold = self._untold(one, unit)
        if untold is not None:
            return Status.WARN, f"cannot tell: {untold}"
        change = self._moved(one, unit).reason
        score = f"score {unit.score or 0:.1f}, where {usual} stay within {limit:.1f}"
        if unit.drifted:
            return (Status.FAIL if whole is Status.FAIL else Status.WARN), f"{change}; {score}"
        if unit.smallest_effect is not None:
            least = f"a change of {percent(unit.smallest_effect)} of the values would be found"
            blind = unit.smallest_effect >= 1
            score += "; they differ too much to find any change of the values" if blind else f"; {least}"
        if unit.underpowered:
            return Status.WARN, f"underpowered: {change}; {score}"
        if unit.score is not None and unit.score > limit:
            return Status.PASS, f"{change}; {score}, but less than min_effect beyond what is usual"
        return Status.PASS, f"{change}; {score}"

    def _moved(self, one: Compared, unit: Unit) -> Moved:
        """What changed, without values where the suite keeps them out."""
        if self.check.violations == "none" or hides(self.check.redact, one.series.column):
            return Moved(f"{unit.part} moved by {number(unit.effect or 0)}", REDACTED, REDACTED)
        grid = one.series.grid
        return moved(unit.part or "values", Side(grid, one.base), Side(grid, one.window))

    def _violation(self, one: Compared, unit: Unit) -> Violation:
        change, series = self._moved(one, unit), one.series
        key: Mapping[str, str | None] = {"column": series.column}
        key = {**key, series.slice_key: series.slice_value} if series.slice_key else key
        return Violation("drifted_column", key, change.reason, change.expected, change.actual, sum(one.window))


def _name(one: Compared) -> str:
    series = one.series
    return series.column + (f" where {series.slice_key} is {series.slice_value}" if series.slice_key else "")


def _quantities(one: Compared, unit: Unit, limit: float) -> Mapping[str, Quantity]:
    known = {
        "score": unit.score,
        "limit": limit,
        "effect": unit.effect,
        "p_value": unit.p_value,
        "q_value": unit.q_value,
        "smallest_detectable_effect": unit.smallest_effect,
        "design_effect": unit.design_effect,
        **distances(one),
    }
    return {name: Quantity(value) for name, value in known.items() if value is not None}
