"""From the metric of some rows to a verdict: what all check types of metrics do alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from sparkguard.core.finding import Finding, Quantity, Status
from sparkguard.core.text import hides
from sparkguard.core.threshold import Bound
from sparkguard.measures.scored import Fate
from sparkguard.shapes.scoring import SetScore
from sparkguard.shapes.scoring_fields import ScoringCheck
from sparkguard.shapes.scoring_words import refused, with_ends


def quantities_of(score: SetScore, *, sampled: bool = False) -> dict[str, Quantity]:
    """The metric with its interval, clusters, and rows that are not judged."""
    found = score.estimate
    exactness = "sample" if sampled else "sketch" if found.margin else "exact"
    numbers = with_ends(found.wanted.name, found.value, found.interval, found.margin, exactness)
    fates = {"unlabelled_rows": Fate.UNLABELLED, "unscored_rows": Fate.UNSCORED}
    numbers |= {name: Quantity(score.fates.get(fate, 0)) for name, fate in fates.items()}
    return numbers if found.clusters is None else {**numbers, "clusters": Quantity(found.clusters)}


def settled(
    check: ScoringCheck,
    finding: Finding,
    score: SetScore,
    bounds: Mapping[str, Bound],
    sentence: Callable[[Sequence[str]], str],
    *,
    nothing: str | None,
    remedy: str | None,
) -> Finding:
    """A finding on some rows, judged by `bounds` and then by the check's own.

    `sentence` tells the metric, given which of the bounds are broken; `nothing` why no row was judged.
    """
    about = replace(finding, evaluated_rows=score.judged)
    wrong = refused(check, score.fates, score.name)
    if wrong is not None:
        return replace(about, status=Status.ERROR, message=wrong.reason, remedy=wrong.remedy)
    if not score.judged:
        return check.verdict(about, passed=nothing or "", failed="", nothing=nothing)
    known = {**finding.quantities, "evaluated_rows": Quantity(score.judged)}
    broken = [name for name, bound in bounds.items() if bound.broken_by(known.get(name, Quantity(None)))]
    text = sentence(broken)
    judged = check.model_copy(update={"error_if": {**bounds, **check.error_if}})
    verdict = judged.verdict(
        replace(finding, evaluated_rows=None, quantities=known),
        passed=text,
        failed=text if broken else "",
        remedy=remedy,
        told=tuple(bounds),
    )
    if broken and verdict.decision is not None and verdict.decision.metric_name in broken:
        verdict = replace(verdict, message=text)
    return replace(verdict, evaluated_rows=score.judged)


def shows_labels(check: ScoringCheck) -> bool:
    """Whether the suite lets classes of the label be named."""
    return check.violations != "none" and not any(hides(check.redact, name) for name in check.about)
