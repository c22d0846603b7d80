"""What one check cannot know by itself: the other checks, the datasets, the quantities of its type."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from sparkguard.config.yaml import Path
from sparkguard.core.check import Check, Mention
from sparkguard.core.source import Dataset, Source, Versioned
from sparkguard.core.text import did_you_mean

_SOURCE_FIELDS = ("dataset", "before", "after", "other", "references", "reference", "training")
_SOURCES_BY_NAME = "splits"
"""A field that may hold names of the user's own, each with a dataset."""
_WINDOW_FIELDS = {"references": "references_window", "training": "training_window"}
"""The window of a field that names a dataset, where it is not `window`."""


def across(check: Check, index: int, ids: list[str], datasets: Mapping[str, Dataset]) -> Iterator[tuple[Path, str]]:
    """What one check cannot know by itself: other checks, the datasets, its type's quantities."""
    at: Path = ("checks", index)
    for need in check.needs:
        if need not in ids:
            yield (*at, "needs"), f"there is no check '{need}'{did_you_mean(need, ids)}"
    for name in ("error_if", "warn_if"):
        for quantity in getattr(check, name):
            if quantity not in check.quantities:
                near = did_you_mean(quantity, sorted(check.quantities))
                yield (*at, name, quantity), f"'{check.kind()}' has no such quantity{near}"
    for source in dict.fromkeys(check.datasets):
        dataset = datasets.get(source.dataset)
        if dataset is None:
            near = did_you_mean(source.dataset, datasets)
            yield (*at, *_field_of(check, source)), f"there is no dataset '{source.dataset}'{near}"
        elif source.version is not None and dataset.sql is not None:
            yield (*at, *_field_of(check, source)), f"dataset '{dataset.name}' is a query, so it has no versions"
        elif (source.window is not None or check.timed) and dataset.time_column is None:
            path = _field_of(check, source)
            path = (_WINDOW_FIELDS.get(path[0], "window"),) if source.window else path
            yield (*at, *path), f"dataset '{dataset.name}' has no time_column, so it cannot be cut into windows"
    yield from (((*at, *m.path), problem) for m in check.mentions for problem in _mentioned(m, datasets))


def _mentioned(mention: Mention, datasets: Mapping[str, Dataset]) -> Iterator[str]:
    """What is wrong with a dataset that is looked at without being pinned."""
    name = mention.source.dataset
    dataset = datasets.get(name)
    if dataset is None:
        yield f"there is no dataset '{name}'{did_you_mean(name, datasets)}"
        return
    if mention.source.window is not None and dataset.time_column is None:
        yield f"dataset '{name}' has no time_column, so it cannot be cut into windows"
    if mention.logged:
        facts = {
            "is a query": dataset.sql,
            f"is {dataset.format}": dataset.format not in (None, "delta"),
            "has a fixed version": dataset.version is not None or dataset.timestamp is not None,
            "has a where, of which a log knows nothing": dataset.where,
        }
        for fact, holds in facts.items():
            if holds:
                yield f"dataset '{name}' {fact}, and only the log of a whole Delta table is read; write rows: {name}"


def watching(check: Check, index: int, ids: list[str], checks: Iterable[Check]) -> Iterator[tuple[Path, str]]:
    """What a check watches of others: that they are there, and have such a quantity."""
    by_id = {other.id: other for other in checks}
    for watched in check.watches:
        names = type(check).model_fields
        by, what = (next((n for n in names if n != "id" and getattr(check, n) == word), "type") for word in watched)
        other = by_id.get(watched.check)
        if watched.check not in ids:
            yield ("checks", index, by), f"there is no check '{watched.check}'{did_you_mean(watched.check, ids)}"
        elif other is not None and watched.quantity not in other.quantities:
            near = did_you_mean(watched.quantity, sorted(other.quantities))
            yield ("checks", index, what), f"'{other.kind()}' has no quantity '{watched.quantity}'{near}"


def _field_of(check: Check, source: Source) -> tuple[str, ...]:
    """The path of the field that names a source's dataset, at its version."""
    named = Versioned(source.dataset, source.version)
    for name in _SOURCE_FIELDS:
        value = getattr(check, name, None)
        if value == named or (value == source.dataset and source.version is None):
            return (name,)
    by_name = getattr(check, _SOURCES_BY_NAME, None)
    if isinstance(by_name, Mapping):
        return next(
            ((_SOURCES_BY_NAME, name) for name, value in by_name.items() if value == named), (_SOURCES_BY_NAME,)
        )
    return (_SOURCE_FIELDS[0],)
