"""What `distribution_drift` and the usual ways say of healthy weeks of flights; for `drift_calibration.py`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from drift_flights import DAYS, Days, flights

from sparkguard.stats.cells import FIRST
from sparkguard.stats.distances import (
    chi_squared_pvalue,
    js_distance,
    ks_pvalue,
    population_stability_index,
)
from sparkguard.stats.drift import gathered, scores
from sparkguard.stats.homogeneity import Counts, Floats
from sparkguard.stats.maximum import decide
from sparkguard.stats.stretches import Mode, Timeline, choose
from sparkguard.stats.timeless import row_scores

WEEK = 7
REPLICATES = 199


@dataclass(frozen=True, slots=True)
class Weeks:
    """Healthy weeks, each to be compared with a reference: (start of window, start and end of the reference)."""

    name: str
    cases: tuple[tuple[int, int, int], ...]


def settings() -> Iterator[Weeks]:
    """Each week against the others; and the seven days after a reference, for each day on which it may end."""
    last = DAYS - WEEK + 1
    yield Weeks("each of 52 weeks, the others", tuple((s, 0, DAYS) for s in range(1, last, WEEK)))
    for weeks in (26, 30, 39):
        before = weeks * WEEK
        yield Weeks(f"each next week, {weeks} weeks before it", tuple((e, e - before, e) for e in range(before, last)))
    yield Weeks("each next week, all before it", tuple((e, 0, e) for e in range(30 * WEEK, last)))


def drifted(days: Days, case: tuple[int, int, int], mode: Mode, alpha: float) -> list[str]:
    """The columns that drifted."""
    at, left, right = case
    blocks = days.counts[left:right]
    first = datetime(2013, 1, 1) + timedelta(days=left)  # noqa: DTZ001 - wall-clock time
    found = choose(Timeline(tuple(blocks[:, 0].sum(axis=-1).tolist()), WEEK, at - right, first), mode)
    if found is None:
        return []
    window = days.counts[at + WEEK - found.length : at + WEEK].sum(axis=0)
    verdict = decide([scores(*gathered(blocks, window, found), days.kinds)], alpha)
    return [c for c, u in zip(days.columns, verdict.units, strict=True) if u.drifted]


def sides(days: Days, case: tuple[int, int, int]) -> tuple[Counts, Counts]:
    """Counts of the window and of its reference without the window."""
    at, left, right = case
    window = days.counts[at : at + WEEK].sum(axis=0)
    inside = window if left <= at < right else 0
    return window, np.asarray(days.counts[left:right].sum(axis=0) - inside)


def by_random_rows(days: Days, case: tuple[int, int, int]) -> bool:
    """Random rows of the reference, as many as in the window, differ less in 95 % of draws."""
    window, reference = sides(days, case)
    return any(u.drifted for u in decide([row_scores(window, reference, days.kinds, REPLICATES)], 0.05).units)


def beyond(
    distance: Callable[[Counts, Counts], Floats], threshold: float
) -> Callable[[Days, tuple[int, int, int]], bool]:
    """Any column is farther than a fixed threshold; NULL counts as a value."""
    return lambda days, case: bool((distance(*sides(days, case)) > threshold).any())


def by_p_value(*, corrected: bool) -> Callable[[Days, tuple[int, int, int]], bool]:
    """KS of any ordered column, or chi-square of any other, has p < .05, as if rows were independent."""

    def alarm(days: Days, case: tuple[int, int, int]) -> bool:
        window, reference = (side[:, FIRST:] for side in sides(days, case))
        ordered = days.kinds.ordered
        p = np.where(ordered, ks_pvalue(window, reference), chi_squared_pvalue(window, reference))
        return bool((p < (0.05 / len(p) if corrected else 0.05)).any())

    return alarm


USUAL: dict[str, Callable[[Days, tuple[int, int, int]], bool]] = {
    "random rows of the reference, 5 %": by_random_rows,
    "KS or chi-square, p < .05, any column": by_p_value(corrected=False),
    "the same, Bonferroni": by_p_value(corrected=True),
    "PSI > 0.1, any column": beyond(population_stability_index, 0.1),
    "PSI > 0.2, any column": beyond(population_stability_index, 0.2),
    "Jensen-Shannon > 0.1, any column": beyond(js_distance, 0.1),
}


def others_table() -> None:
    """(e) One line for each way, one column for each setting; and the columns that drifted."""
    days = flights()
    all_weeks = list(settings())
    print(
        "\n| share of healthy weeks that fail | " + " | ".join(f"{w.name} ({len(w.cases)})" for w in all_weeks) + " |"
    )
    print("|---" * (len(all_weeks) + 1) + "|")
    who: Counter[str] = Counter()
    judges: list[tuple[Mode, float]] = [("around", 0.05), ("forward", 0.05), ("around", 1 / 90), ("forward", 1 / 90)]
    for mode, alpha in judges:
        shares = []
        for weeks in all_weeks:
            found = [drifted(days, case, mode, alpha) for case in weeks.cases]
            outside = mode == "around" or weeks.cases[0][0] >= weeks.cases[0][2]
            shares.append(f"{np.mean([bool(f) for f in found]):.0%}" if outside else "")
            who.update(c for f in found for c in f if mode == "forward" and outside)
        print(f"| `{mode}`, {alpha:.1%} | " + " | ".join(shares) + " |", flush=True)
    for name, alarm in USUAL.items():
        shares = [f"{np.mean([alarm(days, case) for case in weeks.cases]):.0%}" for weeks in all_weeks]
        print(f"| {name} | " + " | ".join(shares) + " |", flush=True)
    print("\ndrifted under `forward`: " + ", ".join(f"{c} {n}" for c, n in who.most_common(6)))
