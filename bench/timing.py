"""Times several ways of doing the same work in turn, and prints ratios round by round."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from pyspark.sql import SparkSession

from sparkguard.core.check import Check, Run
from sparkguard.core.finding import Finding
from sparkguard.core.source import Dataset
from sparkguard.engine.gather import Rounds
from sparkguard.engine.reader import Reader
from sparkguard.engine.spark_engine import SparkEngine


@dataclass(frozen=True)
class Way:
    """One way of doing the work, the way that it is compared with, and the ratio aimed at."""

    name: str
    run: Callable[[], None]
    against: str | None = None
    aim: float | None = None
    most_bytes: int | None = None


@dataclass(frozen=True)
class Sample:
    """One run: seconds, CPU seconds of Spark's JVM, and bytes that its tasks sent to the driver."""

    seconds: float
    cpu: float
    collected: int


Samples = Mapping[str, Sequence[Sample]]


class Meter:
    """Reads clocks and counters of the JVM that runs Spark, which in local mode does all the work."""

    def __init__(self, spark: SparkSession) -> None:
        """Read the JVM of a classic session."""
        # No public way leads to the JVM's process and counters; a benchmark may look inside.
        gateway: Any = spark.sparkContext._gateway  # noqa: SLF001
        self._scala: Any = spark.sparkContext._jsc.sc()  # noqa: SLF001
        java = gateway.jvm.java
        self._pid = int(java.lang.ProcessHandle.current().pid())
        # Stages of any status, without tasks and without quantiles.
        none = gateway.new_array(gateway.jvm.double, 0)
        self._all_stages = (None, False, False, none, java.util.Collections.emptyList())
        self._last_stage = -1

    def sample(self, run: Callable[[], None]) -> Sample:
        """Time one run."""
        self._collected()
        cpu, began = self._cpu(), time.perf_counter()
        run()
        seconds = time.perf_counter() - began
        return Sample(seconds, self._cpu() - cpu, self._collected())

    def _cpu(self) -> float:
        """User and system time of the JVM and of the Python workers that it started, or 0 where there is no /proc."""
        spent: dict[int, tuple[int, int]] = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                fields = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
                # The last two are of processes that have ended and were waited for.
                spent[int(stat.parent.name)] = (int(fields[1]), sum(map(int, fields[11:15])))
        family: set[int] = set()
        found = {self._pid} & spent.keys()
        while found:
            family |= found
            found = {pid for pid, (parent, _) in spent.items() if parent in found} - family
        return sum(spent[pid][1] for pid in family) / os.sysconf("SC_CLK_TCK")

    def _collected(self) -> int:
        """Bytes of all task results since the last call, by Spark's own record of its stages."""
        self._scala.listenerBus().waitUntilEmpty()
        stages = self._scala.statusStore().stageList(*self._all_stages)
        new = [s for s in (stages.apply(i) for i in range(stages.size())) if s.stageId() > self._last_stage]
        self._last_stage = max([self._last_stage, *(s.stageId() for s in new)])
        return sum(s.resultSize() for s in new)


def measure(meter: Meter, found: Sequence[Way], runs: int) -> dict[str, list[Sample]]:
    """Run all ways in turn, once to warm up and then `runs` times."""
    samples: dict[str, list[Sample]] = {way.name: [] for way in found}
    for turn in range(runs + 1):
        print(f"round {turn} of {runs}" if turn else "warming up", file=sys.stderr, flush=True)
        for way in found:
            sample = meter.sample(way.run)
            if turn:
                samples[way.name].append(sample)
    return samples


def ratio(samples: Samples, name: str, against: str, what: Callable[[Sample], float]) -> float:
    """The median over the rounds of what one way took by what the other took in the same round."""
    pairs = zip(samples[name], samples[against], strict=True)
    return median(what(a) / (what(b) or float("nan")) for a, b in pairs)


def show(title: str, found: Sequence[Way], samples: Samples) -> None:
    """Print one scale: a line for each way, with its ratio where it has one."""
    print(f"\n{title}")
    print(f"{'':40} {'seconds':>8} {'CPU s':>7} {'to driver':>10} {'ratio':>6} {'CPU':>5} {'aim':>7}")
    for way in found:
        runs = samples[way.name]
        line = (
            f"{way.name:40} {median(s.seconds for s in runs):8.2f} {median(s.cpu for s in runs):7.1f}"
            f" {max(s.collected for s in runs) / 1024:6,.0f} KiB"
        )
        if way.against is not None and way.aim is not None:
            seconds = ratio(samples, way.name, way.against, lambda s: s.seconds)
            # What runs in another process has no CPU seconds of this JVM.
            here = all(s.cpu > s.seconds / 4 for s in samples[way.against])
            cpu = f"{ratio(samples, way.name, way.against, lambda s: s.cpu):5.2f}" if here else "     "
            line += f" {seconds:6.2f} {cpu} <= {way.aim:4.2f}  {_verdict(met=seconds <= way.aim)}"
        print(line, flush=True)


def show_growth(by_scale: Mapping[int, Samples], found: Sequence[Way]) -> None:
    """Print what the largest scale took by what the smallest took, and what reached the driver."""
    small, large = min(by_scale), max(by_scale)
    print("\nmost bytes that tasks sent to the driver in one run")
    for way in found:
        if way.most_bytes is not None:
            most = max(s.collected for samples in by_scale.values() for s in samples[way.name])
            told = _verdict(met=most <= way.most_bytes)
            print(f"{way.name:40} {most / 1024:8,.0f} KiB  <= {way.most_bytes / 1024:,.0f} KiB  {told}")
    if small == large:
        return
    print(f"\nseconds at scale {large} by seconds at scale {small}, for {large / small:.0f} times the rows")
    for way in found:
        times = [median(s.seconds for s in by_scale[scale][way.name]) for scale in (large, small)]
        growth = times[0] / times[1]
        aim = f"  <= {large / small:.2f}  {_verdict(met=growth <= large / small)}" if way.most_bytes else ""
        print(f"{way.name:40} {growth:6.2f}{aim}")


def judged(spark: SparkSession, datasets: Mapping[str, Dataset], asked: Check) -> Finding:
    """A check's verdict on the whole, from opening the datasets on."""
    [gathered] = Rounds(SparkEngine(Reader(spark, datasets))).gather([asked])
    now = datetime.now(UTC)
    return asked.judge(gathered.seen, Run(now.date(), now))[0]


def expect(found: object, wanted: object) -> None:
    """Stop unless the work was done."""
    if found != wanted:
        message = f"the work was not done: {found} instead of {wanted}"
        raise SystemExit(message)


def _verdict(*, met: bool) -> str:
    return "PASS" if met else "short"
