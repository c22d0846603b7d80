"""What a comparison with stretches becomes: a finding for each column and slice, and one for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sparkguard.core.budget import Budget
from sparkguard.core.check import Check
from sparkguard.core.finding import Decision, Finding, Quantity, Status, Violation
from sparkguard.core.text import REDACTED, count, few, hides, number
from sparkguard.shapes.distances import distances
from sparkguard.shapes.drift import Compared, Comparison
from sparkguard.shapes.joint import Together
from sparkguard.shapes.moved import Binned, Moved, moved, percent
from sparkguard.shapes.series import Calendar, Series
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

    `calendar` says where stretches may lie (None: there is no time), `small` how many slices have too few rows,
    `bare` which columns have no frequent value to slice by, `joint` what columns show together, if that is asked.
    """

    check: Check
    budget: Budget
    whole: Finding
    columns: Shared
    calendar: Calendar | None
    small: int = 0
    bare: tuple[str, ...] = ()
    joint: Callable[[Comparison], Together] | None = None

    def undecided(self) -> tuple[Finding, ...]:
        """There is too little to compare with."""
        why, remedy = self._too_little()
        numbers = {
            "drifted_columns": 0,
            "compared_columns": 0,
            "undecided_columns": len(self.columns.pairs) + len(self.columns.unlike),
            "left_out_columns": len(self.columns.left_out),
            "evaluated_rows": self.whole.evaluated_rows or 0,
            **({} if self.joint is None else {"joint_drift": 0}),
        }
        quantities = {name: Quantity(value) for name, value in numbers.items()}
        bare = replace(self.whole, evaluated_rows=None, quantities=quantities, threshold_source="snapshots")
        found = self.check.verdict(bare, passed=f"cannot tell: {why}", failed="")
        status = Status.WARN if found.status is Status.PASS else found.status
        return (
            *self._unfit(),
            replace(found, status=status, remedy=remedy, evaluated_rows=self.whole.evaluated_rows),
        )

    def _too_little(self) -> tuple[str, str]:
        """Of what, and what to do about it."""
        reference = self.whole.reference
        if self.calendar is None:
            why = f"{self.whole.source} and {reference} have no 26 groups of clusters with rows"
            return why, "collect more clusters, or name what rows belong to by a finer column"
        why = f"{reference} has no 26 disjoint stretches with data to compare them with"
        if self.calendar.seasonality == "yearly":
            why += ", or less than three years"
        if self.calendar.mode == "forward" and self.calendar.gap > 0:
            why += f", at a gap of {count(self.calendar.gap, 'day')} as before the window"
            return why, f"{_TOO_SHORT}; or train on newer days, or write snapshots: around, which knows no gap"
        return why, _TOO_SHORT

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
        weak = [o.series for o, u in comparison.units() if u.judged and u.underpowered and not u.drifted]
        untold = [one for one, unit in comparison.units() if _untold(one, unit, comparison)]
        numbers = {
            "drifted_columns": len(drifted),
            "compared_columns": len(judged),
            "underpowered_columns": len(weak),
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
        joint = None if self.joint is None else self.joint(comparison)
        quantities |= {} if joint is None else joint.quantities
        evidence = (*(self._violation(one, unit) for one, unit in drifted), *(joint.violations() if joint else ()))
        rows, bare = self.whole.evaluated_rows, replace(self.whole, evaluated_rows=None, violations=evidence)
        said = self._said(comparison, drifted, untold, weak)
        alone = joint is not None and joint.drifted and not drifted
        if joint is not None:
            said = "; ".join((joint.said, said) if alone else (said, joint.said))
        found = self.check.verdict(
            replace(bare, quantities=quantities),
            passed=said,
            failed=said if drifted or alone else "",
            remedy=joint.remedy if joint and alone else _REMEDY,
            told=("drifted_columns", "joint_drift"),
        )
        undecided = self.columns.unlike or any(one.series.slice_key is None for one in untold)
        undecided = undecided or (joint is not None and joint.verdict is None)
        if found.status is Status.PASS and undecided:
            found = replace(found, status=Status.WARN, message=f"cannot tell all: {found.message}")
        elif found.status is Status.PASS and _mostly(weak, comparison):
            found = replace(found, status=Status.WARN, message=f"underpowered: {found.message}", remedy=_TOO_SHORT)
        return replace(found, evaluated_rows=rows)

    def _said(
        self,
        comparison: Comparison,
        drifted: Sequence[tuple[Compared, Unit]],
        untold: Sequence[Compared],
        weak: Sequence[Series],
    ) -> str:
        usual = f"{comparison.many} {comparison.snapshots} from {self.whole.reference}"
        judged = _counted(one.series for one, unit in comparison.units() if unit.judged)
        if drifted:
            named = "; ".join(f"{_name(one.series)}: {self._moved(one, unit).reason}" for one, unit in drifted[:_NAMED])
            more = f"; and {len(drifted) - _NAMED} more" if len(drifted) > _NAMED else ""
            told = f"{len(drifted)} of {judged} drifted, by {usual}: {named}{more}"
        else:
            told = f"{judged} {'looks' if judged == '1 column' else 'look'} like {usual}"
        if comparison.odd is not None:
            series, days = comparison.odd
            told += f"; the limit is what {_name(series)} showed from {days}, far above all other stretches: "
            told += "leave those days out of the reference if something was wrong with them"
        if comparison.verdict.extrapolated:
            told += f"; {self.budget} is rarer than any rank of {comparison.many}: the limit is extrapolated"
        if comparison.days != comparison.asked_days:
            told += f"; only the last {count(comparison.days or 0, 'day')} of {comparison.asked_days} were judged: "
            told += "the reference has no 26 longer stretches"
        units = [(one, unit) for one, unit in comparison.units() if not unit.drifted and not unit.underpowered]
        blind = [_name(one.series) for one, unit in units if unit.smallest_effect == 1]
        told += f"; too different from each other to find a change of values: {few(blind, _NAMED)}" if blind else ""
        told += f"; too few rows to tell a change of two fifths in {_counted(weak)}" if weak else ""
        names = [*(_name(one.series) for one in untold), *(f"{one.name} (another type)" for one in self.columns.unlike)]
        told += f"; nothing to tell by for {few(names, _NAMED)}" if names else ""
        told += f"; {count(self.small, 'slice')} with too few rows" if self.small else ""
        bare = f"; no value to slice by in {few(self.bare, _NAMED)}: none is frequent, or they are hidden"
        told += bare if self.bare else ""
        told += f"; only on one side: {few(self.columns.left_out, _NAMED)}" if self.columns.left_out else ""
        return told

    def _column(self, one: Compared, unit: Unit, comparison: Comparison, whole: Status) -> Finding:
        status, message = self._column_verdict(one, unit, comparison, whole)
        fails = status is Status.FAIL
        limit = comparison.verdict.limit
        bounds = (None, None) if not unit.drifted else (None, limit) if fails else (limit, None)
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
        untold = _untold(one, unit, comparison)
        if untold is not None:
            return Status.WARN, f"cannot tell: {untold}"
        told = self._moved(one, unit).reason
        # Shares within their floors have no score.
        told += "" if unit.score is None else f"; score {unit.score:.1f}, and the limit by {usual} is {limit:.1f}"
        if unit.drifted:
            return (Status.FAIL if whole is Status.FAIL else Status.WARN), told
        if unit.score is not None and unit.score > limit:
            told += ", but it is less than min_effect beyond what is usual"
        if unit.smallest_effect is not None and unit.smallest_effect < 1:
            told += f"; a change of {percent(unit.smallest_effect)} of the values would be found"
        elif unit.smallest_effect is not None and not unit.underpowered:
            told += "; they differ too much to find any change of the values"
        return (Status.WARN, f"underpowered: {told}") if unit.underpowered else (Status.PASS, told)

    def _moved(self, one: Compared, unit: Unit) -> Moved:
        """What changed, without values where the suite keeps them out."""
        if self.check.violations == "none" or hides(self.check.redact, one.series.column):
            return Moved(f"{unit.part} moved by {number(unit.effect or 0)}", REDACTED, REDACTED)
        grid = one.series.grid
        return moved(unit.part or "values", Binned(grid, one.base), Binned(grid, one.window))

    def _violation(self, one: Compared, unit: Unit) -> Violation:
        change, series = self._moved(one, unit), one.series
        key: Mapping[str, str | None] = {"column": series.column}
        key = {**key, series.slice_key: series.slice_value} if series.slice_key else key
        return Violation("drifted_column", key, change.reason, change.expected, change.actual, sum(one.window))


def _untold(one: Compared, unit: Unit, comparison: Comparison) -> str | None:
    """Why a series that did not drift cannot be judged, or not its values."""
    if unit.drifted:
        return None
    lack = "what it is compared with or too many stretches have none, or too few to say what is new"
    if comparison.days is None:
        lack = "fewer than 26 groups of clusters on a side have any, unequal ones counted as fewer"
    if not unit.judged:
        return f"the window has no rows of it, or {lack}"
    if unit.partial:
        return f"the window has values of it, but {lack}"
    # A slice may rightly have only values that are rare in the column.
    if one.series.slice_key is None and one.series.grid.outgrown(one.base):
        return "its grid is out of date, much of the reference lies outside of what it was made from; raise grid"
    return None


def _counted(series: Iterable[Series]) -> str:
    """How many columns they are, and how many slices of them."""
    whole = [one.slice_key is None for one in series]
    slices = len(whole) - sum(whole)
    return count(sum(whole), "column") + (f" and {count(slices, 'slice')} of them" if slices else "")


def _mostly(weak: Sequence[Series], comparison: Comparison) -> bool:
    """Whether most of the columns that were judged are among these; slices are small by nature."""
    judged = sum(u.judged and one.series.slice_key is None for one, u in comparison.units())
    return 2 * sum(one.slice_key is None for one in weak) > judged


def _name(series: Series) -> str:
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
