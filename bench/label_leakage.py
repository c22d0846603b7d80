"""How many planted leaks `label_leakage` finds, and what it says of honest columns.

    python bench/label_leakage.py             # leaks planted in five bundled data sets and in the flights
    python bench/label_leakage.py entities    # labels that are fixed for each entity
    python bench/label_leakage.py cost        # on Spark: against a bare scan and Spark ML's trees

The first two need no Spark; their seeds are fixed, so what they print is always the same. A leak is counted among
those that the check is to find if its column alone has a power of 0.97, by its values and without bins, or if it is
the label. The tables are in docs/leakage.md.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

import leakage_cost
import numpy as np
from leakage_planted import BUNDLED, DIFFERENCE, LEAKS, SampledEngine, Table, alone, tables

from sparkguard.checks.label_leakage import LabelLeakage
from sparkguard.core.check import Run
from sparkguard.core.finding import Finding
from sparkguard.core.instant import EPOCH
from sparkguard.engine.gather import Rounds

STRONG = 0.97
"""The power from which on a planted leak is to be found."""
POSITIVE = 0.4
"""The share of entities with the label."""
HONEST, BESIDE = "honest columns", "honest columns beside a leak"


@dataclass(frozen=True, slots=True)
class Told:
    """What is told of one column: which table, which leak (or `HONEST`), whether it is strong, and the status."""

    table: str
    leak: str
    strong: bool
    status: str
    column: str


def found_of(rows: Sequence[dict[str, object]], **fields: Any) -> dict[str, Finding]:
    """The findings by column."""
    check = LabelLeakage(id="c", dataset="t", label="label", **fields)
    [gathered] = Rounds(SampledEngine({"t": rows})).gather([check])
    if gathered.error is not None:
        raise gathered.error
    return {f.subject: f for f in check.judge(gathered.seen, Run(EPOCH.date(), EPOCH))[:-1]}


def told_of(table: Table, leak: str, seed: int) -> Iterator[Told]:
    """What is told of each planted column of a leak, and of the columns beside it."""
    made = LEAKS[leak](table, np.random.default_rng([seed, len(leak)])) if leak in LEAKS else {}
    findings = found_of(table.rows(made), task="regression" if table.number else "auto", seed=seed)
    for name, finding in findings.items():
        status = finding.status.value
        if name.startswith("leak"):
            column = made["leak1"] - made["leak0"] if leak == DIFFERENCE else made[name]
            yield Told(table.name, leak, alone(table, column) >= STRONG, status, name)
        elif name in table.features:
            yield Told(table.name, BESIDE if made else HONEST, strong=False, status=status, column=name)


def job(args: tuple[str, str, int]) -> list[Told]:
    """One data set with one leak."""
    name, leak, seed = args
    return [told for table in tables(name) for told in told_of(table, leak, seed)]


def show_planted(names: Sequence[str], seeds: int, workers: int) -> None:
    """Print the share of leaks that were found, and what was said of honest columns."""
    jobs = [
        (name, leak, seed)
        for name in names
        for leak in (HONEST, *LEAKS)
        for seed in range(seeds if name in BUNDLED else 1)
    ]
    told: list[Told] = []
    with ProcessPoolExecutor(workers) as pool:
        for i, some in enumerate(pool.map(job, jobs, chunksize=1), 1):
            told += some
            print(f"{i} of {len(jobs)}", end="\r", file=sys.stderr, flush=True)
    print(f"{'':44} {'columns':>8} {'fail':>8} {'warn':>8} {'found':>8}")
    for leak in LEAKS:
        for strong in (True, False):
            line(leak if strong else f"{leak}, weaker", [t for t in told if t.leak == leak and t.strong == strong])
    print()
    line("all strong leaks", [t for t in told if t.strong])
    for kind in (HONEST, BESIDE):
        line(kind, [t for t in told if t.leak == kind])
    for name in dict.fromkeys(t.table for t in told):
        line(f"{HONEST} of {name}", [t for t in told if t.leak == HONEST and t.table == name])
    missed = Counter((t.table, t.leak) for t in told if t.strong and t.status == "pass")
    print("\nmissed:", *(f"{many} × {leak} in {table}" for (table, leak), many in missed.items()), sep="\n  ")
    wrong = Counter((t.table, t.column, t.leak) for t in told if t.status == "fail" and t.leak not in LEAKS)
    print("\nhonest columns that fail:", *(f"{many} × {key}" for key, many in wrong.items()), sep="\n  ")
    warned = Counter((t.table, t.column) for t in told if t.status == "warn" and t.leak == HONEST)
    print("\nhonest columns that warn:", *(f"{many} × {key}" for key, many in warned.items()), sep="\n  ")


def line(name: str, told: Sequence[Told]) -> None:
    """Print one line of shares."""
    if told:
        by = Counter(t.status for t in told)
        fail, warn = by["fail"] / len(told), by["warn"] / len(told)
        print(f"{name:44} {len(told):8,} {fail:8.1%} {warn:8.1%} {fail + warn:8.1%}", flush=True)


def entities(seed: int, *, declared: bool) -> Counter[str]:
    """What is told of columns that are fixed for an entity, as its label is."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, object]] = []
    for entity in range(int(rng.integers(60, 400))):
        label, fixed = bool(rng.random() < POSITIVE), rng.normal(size=3)
        own = {"home": f"home{entity}", "account": entity * 7 + 1_000, "age": float(fixed[0])}
        own["score"] = float(fixed[1] + label)
        for _ in range(int(rng.integers(10, 51))):
            near = {"near_age": float(fixed[0] + 0.01 * rng.normal()), "amount": float(rng.normal() + 0.5 * label)}
            rows.append({"label": label, "user": entity, **own, **near, "kind": "abc"[int(rng.integers(3))]})
    findings = found_of(rows, seed=seed, entity=("user",) if declared else (), exclude=() if declared else ("user",))
    return Counter(f.status.value for f in findings.values())


def show_entities(seeds: int) -> None:
    """Print what is told if the entity is declared, and if not."""
    for declared in (True, False):
        told = [entities(seed, declared=declared) for seed in range(seeds)]
        silent = sum(set(one) == {"pass"} for one in told)
        total: Counter[str] = sum(told, Counter())
        words = "entity declared" if declared else "entity left out"
        print(f"{words}: {silent} of {seeds} tables raise nothing; columns: {dict(total)}", flush=True)


def main() -> None:
    """Print the shares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="?", choices=["planted", "entities", "cost"], default="planted")
    parser.add_argument("--seeds", type=int, default=3, help="of each leak (flights: 1), or of entities (default 3)")
    parser.add_argument("--sets", default=",".join((*BUNDLED, "flights")), help="data sets (default all)")
    parser.add_argument("--workers", type=int, default=2, help="processes (default 2)")
    leakage_cost.add_options(parser)
    args = parser.parse_args()
    if args.what == "cost":
        leakage_cost.run(args)
    elif args.what == "entities":
        show_entities(args.seeds)
    else:
        show_planted(args.sets.split(","), args.seeds, args.workers)


if __name__ == "__main__":
    main()
