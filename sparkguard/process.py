"""A run as a process: suites one after the other in one Spark application, SIGTERM, the exit code."""

from __future__ import annotations

import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sparkguard.app import Options, SuiteLike, execute, load_all, notes, require_writable, secrets, session, summary
from sparkguard.console import Progressing, Unbreakable
from sparkguard.core.settle import NOT_EVALUATED, most_urgent
from sparkguard.core.suite import Suite
from sparkguard.core.text import without_secrets
from sparkguard.errors import SparkguardError
from sparkguard.outcome import Report

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_LISTEN_EVERY_S = 0.5


def run_command(path: SuiteLike, options: Options, progress: Progressing) -> int:
    """Run one suite or a folder of them; the exit code, the most urgent where they differ.

    SIGTERM ends the run early: what is known is written and decides, suites not begun count as 3.
    """
    progress = Unbreakable(progress)
    suites = load_all(path, options)
    for note in notes(suites):
        sys.stderr.write(f"{note}\n")
    with session(f"sparkguard {suites[0].name}", options) as spark:
        for suite in suites:
            require_writable(suite, spark)
        stop = threading.Event()
        codes: list[int] = []
        # In a thread of its own, so that this one can hear the signal while Spark works.
        worker = threading.Thread(target=_run_all, args=(suites, spark, options, progress, stop, codes))
        with _on_sigterm(stop):
            worker.start()
            while worker.is_alive():
                worker.join(_LISTEN_EVERY_S)
    return most_urgent(codes)


def _run_all(
    suites: Sequence[Suite],
    spark: SparkSession,
    options: Options,
    progress: Progressing,
    stop: threading.Event,
    codes: list[int],
) -> None:
    for suite in suites:
        if stop.is_set():
            progress.finished(f"suite {suite.name}: not run, the process was asked to stop")
            codes.append(NOT_EVALUATED)
            continue
        try:
            report: Report = execute(suite, spark, {}, options.choice, progress, stop)
        except SparkguardError as error:
            progress.finished(without_secrets(f"suite {suite.name}: {error}", secrets(options)))
            codes.append(error.exit_code)
        except Exception:  # noqa: BLE001 - the other suites go on
            print_traceback(secrets(options))
            progress.finished(f"suite {suite.name}: stopped by an error of sparkguard itself, see above")
            codes.append(NOT_EVALUATED)
        else:
            progress.finished(without_secrets(summary(report), secrets(options)))
            codes.append(report.exit_code)


def print_traceback(hidden: Sequence[str]) -> None:
    """Print the current exception on standard error, without secrets."""
    sys.stderr.write(without_secrets(traceback.format_exc(), hidden))


@contextmanager
def _on_sigterm(stop: threading.Event) -> Iterator[None]:
    """Set `stop` on SIGTERM, once and for good: the writing that follows must not be cut short."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: stop.set())
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
