"""Measures the profile, 20 rules and quantile sketches of TPC-H lineitem beside other tools, as ratios.

Each tool runs in an environment of its own, made on the first run (which needs the network), with its own
Spark. One task runs at a time; in each round every tool does every task once, after a round that only warms
up. What counts is the ratio within a round; seconds depend on the machine. It measures and never fails.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import venv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from tpch import generated

TOOLS = Path(__file__).parent / "peers"
ROOT = Path(__file__).parent.parent
COMMON = ("setuptools<81",)
PEERS: Mapping[str, Sequence[str]] = {
    "pydeequ": ("pydeequ==1.7.0", "pyspark[sql]==3.5.9", "pandas<3"),
    "gx": ("great-expectations==1.24.1", "pyspark==4.1.4", "pandas<3", "pyarrow"),
    "soda": ("soda-sparkdf==4.28.0", "pyspark==4.1.4"),
    "cuallee": ("cuallee==0.15.4", "pyspark==4.1.4", "pandas<3", "pyarrow", "numpy"),
}
OURS = "sparkguard"
RULES = (20, ["l_extendedprice"])
"""How many rules there are, and the column of the one that does not hold."""
PROFILE_AIM, RULES_AIM, QUANTILES_AIM = 0.9, 1.0, 0.1
"""Our seconds by PyDeequ's profile, by the fastest tool's rules, and by Deequ's sketches, at most."""


@dataclass
class Tool:
    """A tool in a process of its own, and what each of its tasks took, round by round."""

    name: str
    process: subprocess.Popen[str]
    tasks: Sequence[str]
    spark: str
    runs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def run(self, task: str) -> dict[str, Any]:
        """Do a task once."""
        if self.process.stdin is None or self.process.stdout is None:
            raise RuntimeError
        print(task, file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            message = f"{self.name} has ended at '{task}'; its messages are in {log_of(self.name)}"
            raise SystemExit(message)
        answer: dict[str, Any] = json.loads(line)
        if task.startswith("rules"):
            self._require(answer["found"])
        return answer

    def _require(self, found: Mapping[str, Any]) -> None:
        """Stop unless the 20 rules were judged, and the one that does not hold was found."""
        if (found["rules"], found["failed"]) != RULES:
            message = f"{self.name} found {found} instead of {RULES}"
            raise SystemExit(message)

    def median(self, task: str, what: str) -> float:
        """The median over the rounds."""
        return float(median(run[what] for run in self.runs[task]))


def log_of(name: str) -> Path:
    """Where a tool's messages go."""
    return ROOT / f".venv-peer-{name}" / "messages.log"


def start(name: str, data: Path) -> Tool:
    """Make a tool's environment unless it is there, and start its process."""
    folder = ROOT / f".venv-peer-{name}"
    if not (folder / "ready").exists():
        print(f"making an environment for {name}", file=sys.stderr, flush=True)
        venv.create(folder, with_pip=True, clear=True)
        if name != OURS:
            subprocess.run([folder / "bin/pip", "install", "-q", *COMMON, *PEERS[name]], check=True)
        (folder / "ready").touch()
    python = sys.executable if name == OURS else str(folder / "bin/python")
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("SPARK", "PYSPARK"))}
    with log_of(name).open("w", encoding="utf-8") as log:
        process = subprocess.Popen(
            [python, str(TOOLS / f"with_{name}.py"), str(data)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=clean | ({"SPARK_DRIVER_MEMORY": "4g"} if name == OURS else {}),
            cwd=folder,
        )
    # Spark's launcher may print lines of its own first.
    hello = next((line for line in process.stdout or () if line.startswith("{")), "")
    if not hello:
        message = f"{name} did not start; its messages are in {log_of(name)}"
        raise SystemExit(message)
    told = json.loads(hello)
    return Tool(name, process, told["tasks"], told["spark"])


def measure(tools: Sequence[Tool], rounds: int) -> None:
    """Let every tool do every task once to warm up, and then `rounds` times."""
    for turn in range(rounds + 1):
        for tool in tools:
            for task in tool.tasks:
                print(f"round {turn} of {rounds}: {tool.name}: {task}", file=sys.stderr, flush=True)
                run = tool.run(task)
                if turn:
                    tool.runs.setdefault(task, []).append(run)


def show(tools: Sequence[Tool]) -> None:
    """Print a table for each task: medians, and the median ratio to ours."""
    ours = next(tool for tool in tools if tool.name == OURS)
    for task in dict.fromkeys(task for tool in tools for task in tool.tasks):
        print(f"\n| {task} | Spark | found | jobs | seconds | CPU s | seconds by ours | CPU by ours |")
        print("|---|---|---|---|---|---|---|---|")
        for tool in (tool for tool in tools if task in tool.runs):
            found = ", ".join(f"{v} {k}" for k, v in tool.runs[task][0]["found"].items() if isinstance(v, int))
            ratios = " | ".join(f"{ratio(tool, ours, task, what):.2f}" for what in ("seconds", "cpu"))
            print(
                f"| {tool.name} | {tool.spark} | {found} | {tool.median(task, 'jobs'):.0f} "
                f"| {tool.median(task, 'seconds'):.1f} | {tool.median(task, 'cpu'):.1f} | {ratios} |"
            )


def ratio(tool: Tool, ours: Tool, task: str, what: str, mine: str | None = None) -> float:
    """The median over the rounds of what a tool took by what ours took in the same round."""
    pairs = zip(tool.runs[task], ours.runs[mine or task], strict=True)
    return float(median(a[what] / b[what] for a, b in pairs))


def show_aims(tools: Sequence[Tool]) -> None:
    """Print our time by that of the others, beside what was aimed at."""
    by_name = {tool.name: tool for tool in tools}
    ours, deequ = by_name[OURS], by_name.get("pydeequ")
    print()
    if deequ is not None:
        for task, aim in (("profile", PROFILE_AIM), ("quantiles", QUANTILES_AIM)):
            told(f"{task} by PyDeequ's", 1 / ratio(deequ, ours, task, "seconds"), aim)
    others = [(tool, task) for tool in tools if tool is not ours for task in tool.tasks if task.startswith("rules")]
    if others:
        fastest, task = min(others, key=lambda pair: pair[0].median(pair[1], "seconds"))
        for mine in ("rules", "rules without evidence"):
            quotient = 1 / ratio(fastest, ours, task, "seconds", mine)
            told(f"{mine} by the fastest, {fastest.name} ({task})", quotient, RULES_AIM)


def told(what: str, quotient: float, aim: float) -> None:
    """Print a quotient and whether it is as small as was aimed at."""
    print(f"{what}: {quotient:.2f}, aim at most {aim}: {'PASS' if quotient <= aim else 'short'}")


def main() -> None:
    """Run the tools and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=int, default=1, help="TPC-H scale (default 1)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds after the warm-up (default 3)")
    parser.add_argument("--peers", default=",".join(PEERS), help="other tools, separated by commas")
    options = parser.parse_args()
    data = generated("lineitem", options.scale, ROOT / "data/tpch").resolve()
    names = [OURS, *(name for name in options.peers.split(",") if name)]
    tools: list[Tool] = []
    try:
        tools.extend(start(name, data) for name in names)
        measure(tools, options.rounds)
    finally:
        for tool in tools:
            tool.process.terminate()
    show(tools)
    show_aims(tools)


if __name__ == "__main__":
    main()
