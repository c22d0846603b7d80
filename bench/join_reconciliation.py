"""Measures `join_reconciliation` beside plain Spark and other tools on two copies of TPC-H orders.

The ways are timed in turn, after a round that only warms up, and compared round by round: the ratios
count, the seconds depend on the machine. Other tools run in an environment of their own (made on the
first run, which needs the network), each in its own Spark, one at a time. It measures and never fails.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import venv
from collections.abc import Mapping, Sequence
from functools import partial, reduce
from operator import or_
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from timing import Meter, Samples, Way, expect, judged, measure, show, show_growth
from tpch import orders_pair

from sparkguard.app import session
from sparkguard.checks.join_reconciliation import JoinReconciliation
from sparkguard.core.source import Dataset

ROOT = Path(__file__).parent.parent
KEY = "o_orderkey"
PEERS: Mapping[str, Sequence[str]] = {
    "pyspark-extension": ("pyspark-extension==2.15.0.4.1",),
    "datacompy": ("datacompy==1.1.0",),
}
COMMON = ("pyspark==4.1.4", "pandas<3", "pyarrow", "setuptools")
EQUAL_AIM = 1.5
"""Seconds for equal sides by those of a bare scan of both, at most."""
DIFFERING_AIM = 0.6
"""Seconds for differing sides by those of pyspark-extension's diff, at most."""
FLAT_BYTES = 1 << 20
DIFFERENCES = {"lost": 1_000, "gained": 1_000, "changed": 1_000}


class Peer:
    """Another tool, in a process and an environment of its own, that runs whenever it is asked."""

    def __init__(self, name: str, before: Path, after: Path) -> None:
        """Make the environment on the first use, and start the process."""
        folder = ROOT / f".venv-{name}"
        if not (folder / "ready").exists():
            venv.create(folder, with_pip=True, clear=True)
            subprocess.run([folder / "bin/pip", "install", "-q", *COMMON, *PEERS[name]], check=True)
            (folder / "ready").touch()
        command = [str(folder / "bin/python"), str(ROOT / "bench/join_peers.py"), name, str(before), str(after)]
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("SPARK", "PYSPARK"))}
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=clean
        )

    def run(self) -> None:
        """Let it work once; its counts must be right."""
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError
        print(file=self._process.stdin, flush=True)
        expect(json.loads(self._process.stdout.readline())["found"], DIFFERENCES)

    def stop(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.wait()


def scan(spark: SparkSession, paths: Sequence[Path]) -> None:
    """Read both sides and throw them away."""
    for path in paths:
        spark.read.parquet(str(path)).write.format("noop").mode("overwrite").save()


def full_join(spark: SparkSession, before: Path, after: Path) -> None:
    """Count the differences as one would by hand."""
    one, other = (
        spark.read.parquet(str(p)).withColumn("there", F.lit(1)).alias(a) for p, a in ((before, "b"), (after, "a"))
    )
    columns = [c for c in one.columns if c not in (KEY, "there")]
    joined = one.join(other, F.col(f"b.{KEY}") == F.col(f"a.{KEY}"), "full_outer")
    both = F.col("b.there").isNotNull() & F.col("a.there").isNotNull()
    differs = reduce(or_, (~F.col(f"b.{c}").eqNullSafe(F.col(f"a.{c}")) for c in columns))
    row = joined.agg(
        F.count_if(F.col("a.there").isNull()), F.count_if(F.col("b.there").isNull()), F.count_if(both & differs)
    ).collect()[0]
    expect(tuple(row), tuple(DIFFERENCES.values()))


def check(spark: SparkSession, before: Path, after: Path, wanted: Mapping[str, int]) -> None:
    """Run our check from opening the datasets to the verdict; only its result rows are not written."""
    datasets = {n: Dataset(n, path=str(p), format="parquet") for n, p in (("before", before), ("after", after))}
    asked = JoinReconciliation.model_validate({"id": "join", "before": "before", "after": "after", "key": (KEY,)})
    finding = judged(spark, datasets, asked)
    expect({name: finding.quantities[f"{name}_rows"].value for name in wanted}, wanted)


def ways(spark: SparkSession, paths: tuple[Path, Path, Path], peers: Mapping[str, Peer]) -> list[Way]:
    """Every way that is timed, a way after the one it is compared with."""
    orders, equal, differing = paths
    nothing = dict.fromkeys(DIFFERENCES, 0)
    against = "differing: pyspark-extension" if "pyspark-extension" in peers else None
    found = [
        Way("scan of both sides", partial(scan, spark, (orders, equal))),
        Way(
            "equal: join_reconciliation",
            partial(check, spark, orders, equal, nothing),
            "scan of both sides",
            EQUAL_AIM,
            FLAT_BYTES,
        ),
        Way("differing: full outer join by hand", partial(full_join, spark, orders, differing)),
    ]
    found += [Way(f"differing: {name}", peer.run) for name, peer in peers.items()]
    ours = partial(check, spark, orders, differing, DIFFERENCES)
    return [*found, Way("differing: join_reconciliation", ours, against, DIFFERING_AIM, FLAT_BYTES)]


def main() -> None:
    """Measure each scale and print the figures beside the aims."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=int, action="append", help="TPC-H scale; may be repeated (default 1)")
    parser.add_argument("--runs", type=int, default=5, help="rounds after the warm-up (default 5)")
    parser.add_argument("--peers", default=",".join(PEERS), help="other tools to run beside, separated by commas")
    options = parser.parse_args()
    by_scale: dict[int, Samples] = {}
    found: list[Way] = []
    with session("sparkguard bench") as spark:
        meter = Meter(spark)
        print(f"Spark {spark.version}, {spark.sparkContext.defaultParallelism} cores, {options.runs} runs")
        for scale in sorted(set(options.scale or [1])):
            paths = orders_pair(spark, scale, ROOT / "data/tpch")
            peers = {n: Peer(n, paths[0], paths[2]) for n in options.peers.split(",") if n}
            found = ways(spark, paths, peers)
            by_scale[scale] = measure(meter, found, options.runs)
            show(f"scale {scale}: {spark.read.parquet(str(paths[0])).count():,} rows a side", found, by_scale[scale])
            for peer in peers.values():
                peer.stop()
    show_growth(by_scale, found)


if __name__ == "__main__":
    main()
