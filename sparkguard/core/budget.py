"""How often healthy data may raise an alarm."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sparkguard.core.window import Duration

_BUDGET = re.compile(r"(\d+)\s+per\s+(.+)")
_DAY_SECONDS = 86_400
_MOST_A_NIGHT = 0.5


@dataclass(frozen=True, slots=True)
class Budget:
    """So many false alarms in such a time, if a check judges one window a night."""

    alarms: int
    per: Duration

    @classmethod
    def parse(cls, text: str) -> Budget:
        """Read `1 per 365d`; `ValueError` for anything else, none at all, or more than one in two nights."""
        match = _BUDGET.fullmatch(text.strip())
        if match is None:
            message = f"'{text}' is not a budget of alarms; write for example 1 per 365d"
            raise ValueError(message)
        budget = cls(int(match[1]), Duration.parse(match[2]))
        if not 0 < budget.nightly <= _MOST_A_NIGHT:
            message = f"'{text}' is {budget.nightly:.3g} false alarms a night; more than 0 and at most 0.5 make sense"
            raise ValueError(message)
        return budget

    @property
    def nightly(self) -> float:
        """The probability of a false alarm in one night."""
        return self.alarms / (self.per.days + self.per.seconds / _DAY_SECONDS)

    def __str__(self) -> str:
        """Render as in the configuration: `1 per 365d`."""
        return f"{self.alarms} per {self.per}"
