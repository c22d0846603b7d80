"""Which models made the rows, and what cards and registries say of them."""

from __future__ import annotations

from pyspark.sql import Column as SparkColumn
from pyspark.sql import functions as F

from sparkguard.core.types import is_float, is_text
from sparkguard.engine.cards import read_card
from sparkguard.engine.registry import read_registry
from sparkguard.engine.spark import Logs, Read
from sparkguard.engine.spark.profile import AS_ORDINAL
from sparkguard.engine.spark.values import literal
from sparkguard.measures.models import (
    ModelCard,
    ModelMetadata,
    ModelVersions,
    RegisteredModel,
    VersionRows,
    VersionsAnswer,
)

_GROUP = ("v", "n", "timed", "low", "high")
"""A version, its rows, those that say when their model was trained, and the least and greatest such time."""


def versions(read: Read, measure: ModelVersions) -> VersionsAnswer:
    """Count by version, then total and take the largest; both read one shuffle, which Spark reuses."""
    columns = measure.reads[measure.source]
    version = "CAST(NULL AS STRING)" if measure.version is None else _text("c0", measure.version.type)
    trained = "CAST(NULL AS BIGINT)"
    if measure.trained is not None:
        trained = f"CAST({AS_ORDINAL[measure.trained.type].format(f'c{len(columns) - 1}')} AS BIGINT)"
    rows = read(measure.source, columns).selectExpr(f"{version} AS v", f"{trained} AS t")
    counts = {"n": F.count(F.lit(1)), "filled": F.count("v"), "timed": F.count("t")}
    counts |= {"low": F.min("t"), "high": F.max("t")}
    groups = rows.groupBy("v").agg(*(value.alias(name) for name, value in counts.items()))
    # A condition on the version itself would be pushed below the shuffle, which then could not be read twice.
    named = F.col("filled") > 0
    expected = F.expr("false" if measure.expected is None else f"v = {literal(measure.expected, 'string')}")
    totals: dict[str, SparkColumn] = {
        "rows": F.sum("n"),
        "null_rows": F.sum(F.col("n") - F.col("filled")),
        "expected_rows": F.sum(F.when(expected, F.col("n"))),
        "versions": F.count_if(named),
        "oldest": F.min("low"),
        "newest": F.max("high"),
        "untimed": F.sum(F.col("n") - F.col("timed")),
    }
    nothing = (F.lit(None).cast("bigint").alias(name) for name in totals)
    top = groups.where(named).orderBy(F.col("n").desc(), "v").limit(measure.limit).select(*_GROUP, *nothing)
    whole = groups.agg(*(total.cast("bigint").alias(name) for name, total in totals.items()))
    whole = whole.select(
        F.lit(None).cast("string").alias("v"), *(F.lit(None).cast("bigint").alias(n) for n in _GROUP[1:]), *totals
    )
    found = top.unionByName(whole).collect()
    largest = [VersionRows(r["v"], r["n"], r["low"], r["high"]) for r in found if r["v"] is not None]
    [total] = [r for r in found if r["v"] is None]
    answered = {name: total[name] if name in ("oldest", "newest") else total[name] or 0 for name in totals}
    return VersionsAnswer(**answered, top=tuple(sorted(largest, key=lambda one: (-one.rows, str(one.version)))))


def _text(name: str, kind: str) -> str:
    """A version as text, as `version_text` has it."""
    plain = f"CAST({name} AS STRING)"
    if is_text(kind):
        return f"nullif(trim({plain}), '')"
    if is_float(kind):
        whole = f"abs({name}) < 1e15 AND {name} = floor({name})"
        return f"CASE WHEN {whole} THEN CAST(CAST({name} AS BIGINT) AS STRING) ELSE {plain} END"
    if kind.startswith("decimal") and not kind.endswith(",0)"):
        return f"regexp_replace({plain}, '[.]?0+$', '')"
    return plain


def card(logs: Logs, measure: ModelCard) -> ModelMetadata:
    """Read the file through Spark."""
    return read_card(logs.small_file(measure.place), measure.keys)


def registered(_logs: Logs, measure: RegisteredModel) -> ModelMetadata:
    """Ask MLflow."""
    return read_registry(measure)


COMPUTE = {ModelVersions: versions}
PROBE = {ModelCard: card, RegisteredModel: registered}
