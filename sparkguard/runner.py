"""Runs a loaded suite: stages, rounds, verdicts, and the rows that are left behind.

A check's exception becomes its `error`; nothing here stops another check.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from sparkguard.console import Progressing, Unbreakable
from sparkguard.core.check import Check, Run
from sparkguard.core.evidence import Evidence, Pin
from sparkguard.core.finding import Finding, Status
from sparkguard.core.measure import Answer, Broken, Measure
from sparkguard.core.plan import Stage, selected, stages
from sparkguard.core.settle import FAILED, NOT_EVALUATED, exit_code, run_status, transition, worst
from sparkguard.core.source import Source
from sparkguard.core.suite import Suite
from sparkguard.core.text import first_line, without_secrets
from sparkguard.engine.gather import Engine, Gathered, Rounds
from sparkguard.errors import DataError, SinkError
from sparkguard.outcome import Choice, Report
from sparkguard.ports import EvidenceEngine, Jobs, Sink, Unlabelled
from sparkguard.sinks.render import Judged, PreviousKey, Rendering, previous_key
from sparkguard.sinks.rows import RunRow

_STOPPED = "the run was interrupted before this check was judged"


@dataclass
class Runner:
    """One attempt of one suite; `stop` may be set from another thread to end it early."""

    suite: Suite
    engine: EvidenceEngine
    sink: Sink
    progress: Progressing
    choice: Choice = field(default_factory=Choice)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    facts: Mapping[str, str | None] = field(default_factory=dict)
    stop: threading.Event = field(default_factory=threading.Event)
    jobs: Jobs = field(default_factory=Unlabelled)

    def __post_init__(self) -> None:
        """Start with nothing judged."""
        self.progress = Unbreakable(self.progress)
        self._judged: list[Judged] = []
        self._previous: Mapping[PreviousKey, Status] = {}
        self._began = time.monotonic()
        self._rendering = Rendering(self.suite, 1)
        self._retry = False
        self._unwritten: SinkError | None = None

    def run(self) -> Report:
        """Judge every check, write the results, and report; `SinkError` if they cannot be written."""
        started = self.now()
        self.progress.started(self.suite.name, len(self.suite.checks))
        self.sink.prepare()
        highest = self.sink.highest_attempt(self.suite.name, self.suite.run_id)
        attempt = self.choice.attempt or highest + 1
        self._rendering, self._retry = Rendering(self.suite, attempt), highest > 0
        self._previous = self.sink.previous(self.suite.name, self.suite.run_id, self.suite.date)
        with self.jobs:
            self._judge_all(Run(self.suite.date, started))
            spark_jobs = self.jobs.count()
        code = exit_code((j.check, j.finding) for j in self._judged)
        interrupted = any(j.finding.message == _STOPPED for j in self._judged)
        if interrupted:
            code = max(code, NOT_EVALUATED)
        report = Report(
            self.suite.name,
            self.suite.run_id,
            attempt,
            run_status(code, interrupted=interrupted),
            code,
            str(self.suite.results),
            tuple(self._judged),
        )
        self.progress.working("writing results")
        self._write(report, started, spark_jobs)
        return report

    def _judge_all(self, run: Run) -> None:
        chosen = selected(self.suite.checks, self.choice.only, self.choice.tags)
        for check in self.suite.checks:
            if check.id not in chosen:
                self._leave_out(check, "not selected by --only or --tags", counted=False)
        rounds = Rounds(_Watched(self.engine, self.progress, self.stop))
        for stage in stages([c for c in self.suite.checks if c.id in chosen]):
            self._stage(stage, rounds, run)
        done = {j.check.id for j in self._judged}
        for check in self.suite.checks:
            if check.id not in done:
                self._record(check, [_error(check, _STOPPED, "run the suite again")], None)

    def _stage(self, stage: Stage, rounds: Rounds, run: Run) -> None:
        if self.stop.is_set():
            return
        self._began = time.monotonic()
        blocked = self._blocked(stage)
        if blocked is not None:
            for check in stage.checks:
                self._leave_out(check, blocked)
            return
        for gathered in rounds.gather(stage.checks, self._found(), run.now):
            if self.stop.is_set():
                return
            self._record(gathered.check, self._findings(gathered, run), gathered.seen)
            if self._failed_fast():
                break
        done = {j.check.id for j in self._judged}
        if not self.stop.is_set():
            for check in stage.checks:
                if check.id not in done:
                    self._leave_out(check, "not run, since --fail-fast was given and a check failed before")

    def _found(self) -> Mapping[str, Sequence[Finding]]:
        """What has been found so far, by the id of the check."""
        found: dict[str, list[Finding]] = {}
        for judged in self._judged:
            found.setdefault(judged.check.id, []).append(judged.finding)
        return found

    def _blocked(self, stage: Stage) -> str | None:
        """Why a stage cannot run: a need that did not pass, or an earlier failure with --fail-fast."""
        if self._failed_fast():
            return "not run, since --fail-fast was given and a check failed before"
        for need in stage.needs:
            status = worst(j.finding for j in self._judged if j.check.id == need)
            if status is not Status.PASS and status is not Status.WARN:
                word = {"fail": "failed", "error": "could not be evaluated", "skipped": "was skipped"}[status.value]
                unmet = next(c.UNMET for c in self.suite.checks if c.id == need)
                return f"{unmet}{': ' if unmet else ''}needs '{need}', which {word}"
        return None

    def _failed_fast(self) -> bool:
        return self.choice.fail_fast and exit_code((j.check, j.finding) for j in self._judged) == FAILED

    def _findings(self, gathered: Gathered, run: Run) -> Sequence[Finding]:
        try:
            if gathered.error is not None:
                raise gathered.error  # noqa: TRY301 - one place turns errors into findings
            return gathered.check.judge(gathered.seen, run)
        except DataError as error:
            return [_error(gathered.check, gathered.check.public(str(error)), error.remedy)]
        except Exception as error:  # noqa: BLE001 - one check's exception never stops the others
            remedy = f"report this: the check type {gathered.check.kind()} must not raise"
            message = gathered.check.public(f"{type(error).__name__}: {first_line(error)}")
            return [_error(gathered.check, message, remedy)]

    def _leave_out(self, check: Check, why: str, *, counted: bool = True) -> None:
        self._record(check, [replace(_whole(check, Status.SKIPPED, why), counted=counted)], None)

    def _record(self, check: Check, findings: Sequence[Finding], seen: Evidence | None) -> None:
        elapsed = round(1000 * (time.monotonic() - self._began))
        clean = [self._placed(check, _without_secrets(f, self.suite.secrets)) for f in findings]
        for finding in clean:
            previous = self._previous.get(previous_key(check, finding))
            read, compared = (
                self._version(check, source, seen) if seen is not None and source is not None else None
                for source in (finding.source, finding.reference)
            )
            change = transition(previous, finding.status)
            read = read if finding.version is None else finding.version
            judged = Judged(check, finding, change, read, compared, elapsed, self.now())
            self._judged.append(judged)
            if check.violations_to is not None and seen is not None:
                self._write_all_evidence(judged, check.violations_to)
        self.progress.judged(check, clean)

    def _placed(self, check: Check, finding: Finding) -> Finding:
        """With the source of what the check follows, if it has none: its row then joins that of the other."""
        followed = (j.finding.source for j in self._judged if j.check.id in check.follows)
        return replace(finding, source=finding.source or next(followed, None))

    def _version(self, check: Check, source: Source, seen: Evidence) -> int | None:
        """The version that was read, be it by a check that this one follows."""
        if any(mention.source.dataset == source.dataset for mention in check.mentions):
            return None  # It looked at the newest version, whatever its stage has pinned.
        own = seen.version(source)
        if own is not None or source in check.datasets:
            return own
        followed = (j for j in self._judged if j.check.id in check.follows and j.finding.source == source)
        return next((j.dataset_version for j in followed), None)

    def _write_all_evidence(self, judged: Judged, target: str) -> None:
        """Write while the stage's versions are pinned; what finds nothing clears the rows of an earlier attempt."""
        queries = judged.finding.queries
        if self.stop.is_set():
            return
        self.progress.working(f"writing all evidence of {judged.check.id}")
        try:
            frame = self.engine.evidence(queries, judged.check.redact) if queries else None
            self.sink.write_evidence(frame, self._rendering.evidence_row(judged), target)
        except Exception as error:  # noqa: BLE001 - the other checks go on, the run is not committed
            if not self.stop.is_set():
                reason = f"all evidence of '{judged.check.id}' cannot be written to '{target}': {first_line(error)}"
                self._unwritten = self._unwritten or SinkError(reason)

    def _write(self, report: Report, started: datetime, spark_jobs: int | None) -> None:
        rendering = self._rendering
        name, run_id = self.suite.name, self.suite.run_id
        ended = self.now()
        self.sink.replace("check_results", [rendering.result(j) for j in report.judged], name, run_id)
        self.sink.replace("metrics", [m for j in report.judged for m in rendering.metrics(j)], name, run_id)
        violations = [v for j in report.judged for v in rendering.violations(j)]
        if violations or self._retry:
            self.sink.replace("violations", violations, name, run_id)
        unkept = self._keep_states(ended)
        if self._unwritten is not None:
            raise self._unwritten
        self.sink.replace("runs", [self._run_row(report, started, ended, spark_jobs, unkept)], name, run_id)

    def _keep_states(self, now: datetime) -> str | None:
        """Keep what spares reading tomorrow; why not, if that fails: it is no result, so the run goes on."""
        try:
            self.sink.replace_states(self.engine.updates(), self.suite.name, now)
        except Exception as error:  # noqa: BLE001 - the verdicts stand without them
            return without_secrets(
                f"states were not kept, so the next run reads more: {first_line(error)}", self.suite.secrets
            )
        return None

    def _run_row(
        self, report: Report, started: datetime, ended: datetime, spark_jobs: int | None, unkept: str | None
    ) -> RunRow:
        by_check: dict[str, list[Finding]] = {}
        for j in report.judged:
            by_check.setdefault(j.check.id, []).append(j.finding)
        statuses = [worst(findings) for findings in by_check.values()]
        facts = {"sparkguard_version": "", "spark_version": "", "delta_version": None, "application_id": None}
        return RunRow(
            run_id=report.run_id,
            attempt=report.attempt,
            suite=report.suite,
            environment=self.suite.environment,
            run_date=self.suite.date,
            config_sha256=self.suite.config_sha256,
            **{"master": None, "user": None, **facts, **self.facts},  # type: ignore[arg-type]
            scheduled_for=self.suite.scheduled_for,
            started_at=started,
            ended_at=ended,
            duration_ms=round(1000 * (ended - started).total_seconds()),
            status=report.status,
            exit_code=report.exit_code,
            checks_total=len(by_check),
            checks_passed=statuses.count(Status.PASS),
            checks_warned=statuses.count(Status.WARN),
            checks_failed=statuses.count(Status.FAIL),
            checks_errored=statuses.count(Status.ERROR),
            checks_skipped=statuses.count(Status.SKIPPED),
            rows_scanned=sum(j.finding.evaluated_rows or 0 for j in report.judged),
            spark_jobs=spark_jobs,
            tags=self.suite.tags,
            selection=self.choice.selection,
            error="interrupted" if report.status == "interrupted" else unkept,
        )


@dataclass(frozen=True)
class _Watched:
    """An engine whose work is shown, and which stops when asked to."""

    engine: Engine
    progress: Progressing
    stop: threading.Event

    def pin(self, sources: Iterable[Source]) -> Mapping[tuple[str, int | None], Pin | Broken]:
        wanted = list(sources)
        if wanted:
            self.progress.working("opening " + ", ".join(dict.fromkeys(s.dataset for s in wanted)))
        return self.engine.pin(wanted)

    def compute(self, measures: Sequence[Measure[Answer]]) -> Iterator[tuple[Measure[Answer], Answer | Broken]]:
        more = f" and {len(measures) - 1} more" if len(measures) > 1 else ""
        self.progress.working(f"{measures[0]}{more}")
        if self.stop.is_set():
            return
        for answered in self.engine.compute(measures):
            if self.stop.is_set():
                return
            yield answered


def _error(check: Check, message: str, remedy: str | None) -> Finding:
    return replace(_whole(check, Status.ERROR, message), remedy=remedy)


def _whole(check: Check, status: Status, message: str) -> Finding:
    """A finding on a check that was not judged; its source keeps its `result_id` that of a judged one."""
    source = check.datasets[0] if check.datasets else None
    return Finding(status, message, source=source, columns=check.about)


def _without_secrets(finding: Finding, secrets: Sequence[str]) -> Finding:
    remedy = finding.remedy and without_secrets(finding.remedy, secrets)
    return replace(finding, message=without_secrets(finding.message, secrets), remedy=remedy)
