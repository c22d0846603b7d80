"""The waits: all probes of a round that wait are asked together, again and again, by one clock.

It sleeps through a callable that SIGTERM ends, so a run that waits stops at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from sparkguard.core.measure import Awaited, Broken, Waiting
from sparkguard.core.text import count, few, lasting
from sparkguard.engine.faults import broken, is_of_the_data
from sparkguard.errors import DataError

AnyWaiting = Waiting[Awaited]
_SHOWN = 3


def _sleep(seconds: float) -> bool:
    return threading.Event().wait(seconds)


def _silent(_: str) -> None:
    return


@dataclass(frozen=True)
class Patience:
    """How to wait: `pause` sleeps and tells whether to stop, `tell` shows progress, `clock` counts seconds."""

    pause: Callable[[float], bool] = _sleep
    tell: Callable[[str], None] = _silent
    clock: Callable[[], float] = time.monotonic


class Waits:
    """Asks until all are ready or their time is over."""

    def __init__(self, ask: Callable[[AnyWaiting], Awaited], patience: Patience) -> None:
        """Ask each probe by `ask`, which may raise."""
        self._ask, self._patience = ask, patience

    def answers(self, measures: Sequence[AnyWaiting]) -> Iterator[tuple[AnyWaiting, Awaited | Broken]]:
        """Yield each answer as soon as it is ready, and what is not when its time is over; nothing more on a stop."""
        start = self._patience.clock()
        due = dict.fromkeys(measures, 0.0)
        while due:
            sweep = [measure for measure in due if due[measure] <= self._since(start)]
            for measure in sweep:
                if self._patience.pause(0):
                    return
                elapsed = self._since(start)
                # The first question waits for nothing but the others of its round.
                waited = elapsed if due[measure] else 0.0
                reply, final = self._asked(measure, waited)
                if final or elapsed >= measure.timeout:
                    del due[measure]
                    yield measure, reply
            now = self._since(start)
            # From the end of the sweep, so that slow questions leave the cluster a pause and stay together.
            due |= {m: max(now, min(now + m.poll, m.timeout)) for m in sweep if m in due}
            if due:
                self._tell(measures, due, now)
                if self._patience.pause(max(0.0, min(due.values()) - self._since(start))):
                    return

    def _since(self, start: float) -> float:
        return self._patience.clock() - start

    def _asked(self, measure: AnyWaiting, waited: float) -> tuple[Awaited | Broken, bool]:
        """The reply, and whether asking again cannot change it."""
        try:
            answer = replace(self._ask(measure), waited=waited)
        except Exception as error:  # noqa: BLE001 - one upstream's fault must not stop the others
            # A wrong name or type stays wrong; a lost executor or a file system that does not answer may not.
            final = isinstance(error, DataError) or is_of_the_data(error)
            return broken(error, _name(measure)), final
        return answer, measure.ready(answer)

    def _tell(self, measures: Sequence[AnyWaiting], due: dict[AnyWaiting, float], elapsed: float) -> None:
        names = [_name(measure) for measure in due]
        longest = max(m.timeout for m in due)
        self._patience.tell(
            f"waiting for {few(names, _SHOWN)}: {len(measures) - len(due)} of "
            f"{count(len(measures), 'upstream')} ready, {lasting(elapsed)} of {lasting(longest)}"
        )


def _name(measure: AnyWaiting) -> str:
    """What is asked, without how long."""
    return str(getattr(measure, "what", measure))
