"""A small table from its profile to the verdict on it, without a JVM."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sparkguard.config.load import Parameters, load
from sparkguard.console import Silent
from sparkguard.core.evidence import Pin
from sparkguard.core.source import Source
from sparkguard.core.suite import Suite
from sparkguard.proposal.profiling import profile
from sparkguard.proposal.proposals import propose
from sparkguard.proposal.proposed import Proposal, Proposed
from sparkguard.proposal.suite import Heading, suite_text
from sparkguard.runner import Runner
from sparkguard.sinks.memory import MemorySink
from sparkguard.testing import TwinEngine

NOW = datetime(2026, 1, 31, 6, tzinfo=UTC)
HEADING = Heading(NOW, "conf/t.yaml")
Rows = Sequence[Mapping[str, object]]


@dataclass(frozen=True)
class Known:
    """What became of a table."""

    proposed: Proposed
    text: str
    suite: Suite

    def check(self, name: str) -> Proposal:
        return next(c for c in self.proposed.checks if c.id == name)

    @property
    def ids(self) -> list[str]:
        return [c.id for c in self.proposed.checks]

    @property
    def notes(self) -> str:
        return "\n".join(self.proposed.notes)


def known(rows: Rows, *, time: str | None = None, values: bool = True) -> Known:
    engine, source = TwinEngine({"t": rows}), Source("t")
    pin = engine.pin([source])["t", None]
    assert isinstance(pin, Pin)
    found = profile(source, pin.schema, lambda ms: dict(engine.compute(ms)), NOW, values=values, say=lambda _: None)
    proposed = propose(found, time)
    text = suite_text("t", "t", {"path": "data/t"}, proposed, HEADING, rows=found.rows, version=3)
    return Known(proposed, text, load(text, "t.yaml", Parameters(now=NOW, variables={})))


def verdicts(suite: Suite, rows: Rows) -> dict[str, set[str]]:
    """The ids of the checks by status."""
    engine = TwinEngine({"t": rows}, {"t": suite.datasets["t"].time_column or ""})
    report = Runner(suite, engine, MemorySink(), Silent(), now=lambda: NOW).run()
    found: dict[str, set[str]] = {}
    for check, finding in report.findings:
        found.setdefault(finding.status.value, set()).add(check.id)
    return found


def orders(n: int = 60) -> list[dict[str, Any]]:
    """Orders of a shop: a key, a few kinds, numbers, vectors, a day and a moment."""
    return [
        {
            "order_id": 1000 + i,
            "customer_id": i % 17,
            "status": ("paid", "open", "sent")[i % 3],
            "no": ("NO", "DE")[i % 2],
            "lines": 1 + i % 4,
            "price": Decimal("9.99") + i,
            "score": i / n,
            "vector": [float(i), 1.0, 2.0],
            "note": None if i % 10 == 0 else f"call customer {i} back",
            "country": "NO",
            "ordered": date(2025, 12, 1) + timedelta(days=i),
            "ts": NOW - timedelta(hours=n - i),
            "ratio": math.nan if i == 0 else i * 1.5,
        }
        for i in range(n)
    ]
