"""The order of a suite's checks: stages by what they need, and what a selection means."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sparkguard.core.check import Check

MAX_ROUNDS = 4


@dataclass(frozen=True, slots=True)
class Stage:
    """Checks with the same `needs` and `follows`: pinned and asked together.

    Their turn comes once the needs have passed, and what they follow has been judged, whatever its verdict.
    """

    needs: frozenset[str]
    checks: tuple[Check, ...]
    follows: frozenset[str] = frozenset()


def stages(checks: Sequence[Check]) -> tuple[Stage, ...]:
    """Group checks by what comes before them, and order the groups so that it does.

    Groups keep the order of the configuration where that allows it. What comes before is acyclic and
    known, which `config.load` has made sure of.
    """
    groups: dict[tuple[frozenset[str], frozenset[str]], list[Check]] = {}
    for check in checks:
        groups.setdefault((frozenset(check.needs), check.follows), []).append(check)
    waiting, done, ordered = dict(groups), set[str](), list[Stage]()
    while waiting:
        needs, follows = next(key for key in waiting if key[0] | key[1] <= done)
        group = tuple(waiting.pop((needs, follows)))
        ordered.append(Stage(needs, group, follows))
        done.update(check.id for check in group)
    return tuple(ordered)


def cycle(needs: Mapping[str, Collection[str]]) -> list[str] | None:
    """A circle of ids that wait for each other (first id repeated at its end), or None."""
    finished: set[str] = set()

    def visit(node: str, path: list[str]) -> list[str] | None:
        if node in path:
            return [*path[path.index(node) :], node]
        if node in finished:
            return None
        for other in needs.get(node, ()):
            found = visit(other, [*path, node])
            if found:
                return found
        finished.add(node)
        return None

    return next((found for node in needs if (found := visit(node, []))), None)


def selected(checks: Sequence[Check], only: Collection[str] = (), tags: Collection[str] = ()) -> frozenset[str]:
    """The ids to run: those named or tagged (all without either), and what they need or follow."""
    by_id = {check.id: check for check in checks}
    chosen = {c.id for c in checks if (not only or c.id in only) and (not tags or set(tags) & set(c.tags))}
    todo = list(chosen)
    while todo:
        check = by_id[todo.pop()]
        for before in {*check.needs, *check.follows} - chosen:
            chosen.add(before)
            todo.append(before)
    return frozenset(chosen)
