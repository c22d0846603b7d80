"""Checks of many columns, one finding for each: a column that cannot be judged stops no other."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from sparkguard.core.check import Run, SourceCheck
from sparkguard.core.columns import Column
from sparkguard.core.evidence import Evidence
from sparkguard.core.fields import ColumnsField, Like
from sparkguard.core.finding import Finding, Status
from sparkguard.core.measure import Answer, Measure
from sparkguard.errors import DataError


@dataclass(frozen=True, slots=True)
class Unfit:
    """A column that was named and cannot be judged."""

    name: str
    error: DataError


class ColumnsCheck(SourceCheck):
    """A check that asks the same of each of its columns."""

    FITS: ClassVar[str] = "of any type"

    columns: ColumnsField
    """Columns by name, or by a pattern: {like: "f_*", except: [f_id]}; a pattern takes the columns that fit."""

    @property
    def about(self) -> tuple[str, ...]:
        """The columns that are named."""
        return () if isinstance(self.columns, Like) else self.columns

    def fits(self, column: Column) -> bool:
        """Whether columns of this type can be judged."""
        del column
        return True

    @abstractmethod
    def ask_column(self, column: Column, seen: Evidence) -> Iterable[Measure[Answer]]:
        """What is asked of a column."""

    @abstractmethod
    def judge_column(self, column: Column, seen: Evidence, run: Run) -> Finding:
        """The finding on a column; `DataError` if an answer is broken."""

    def ask(self, seen: Evidence) -> Iterable[Measure[Answer]]:
        """Ask of every column that can be judged."""
        for column in self.resolved(seen):
            if isinstance(column, Column):
                try:
                    yield from self.ask_column(column, seen)
                except DataError:
                    continue  # judging the column meets the same error and tells it

    def judge(self, seen: Evidence, run: Run) -> tuple[Finding, ...]:
        """A finding for each column; one that cannot be judged is `error`, the others are judged."""
        return tuple(self._finding(column, seen, run) for column in self.resolved(seen))

    def resolved(self, seen: Evidence) -> Iterator[Column | Unfit]:
        """The columns that the check is about; `DataError` if a pattern matches none."""
        schema = seen.schema(self.source)
        if isinstance(self.columns, Like):
            found = list(self.columns.matching(schema, self.fits))
            if not found:
                message = f"no column of '{self.dataset}' is {self.columns} and {self.FITS}"
                raise DataError(message, "correct the pattern, or find out why the table lost the columns")
            yield from found
            return
        for name in self.columns:
            try:
                column = schema.column(name)
                if not self.fits(column):
                    message = f"column '{name}' is {column.type}; {self.kind()} needs {self.FITS}"
                    raise DataError(message, "name another column, or cast it in a dataset's sql")  # noqa: TRY301 - told as the finding of the column
            except DataError as error:
                yield Unfit(name, error)
            else:
                yield column

    def finding(self, column: Column, **facts: object) -> Finding:
        """A finding on a column that `verdict` completes."""
        return Finding(
            Status.PASS,
            "",
            subject_kind="column",
            subject=column.name,
            columns=(column.name,),
            source=self.source,
            **facts,  # type: ignore[arg-type] # fields of Finding
        )

    def _finding(self, column: Column | Unfit, seen: Evidence, run: Run) -> Finding:
        try:
            if isinstance(column, Unfit):
                raise column.error
            return self.judge_column(column, seen, run)
        except DataError as error:
            name = column.name
            return Finding(
                Status.ERROR,
                self.public(str(error)),
                error.remedy,
                subject_kind="column",
                subject=name,
                columns=(name,),
                source=self.source,
            )
