"""Layers of one suite: the upper one changes, adds to, or takes from what the lower one says.

Blocks that name things are joined key by key and checks by their ids; what a key of them says is replaced whole,
so that `error_if: {}` takes every bound away.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import yaml

from sparkguard.config.nodes import Mistakes, Pairs, is_null, listing, mapping, value_of, without
from sparkguard.core.text import did_you_mean

PLACES = ("path", "table", "sql")
_OF_A_PATH = ("format", "options")

Join = Callable[[yaml.Node, yaml.Node], yaml.Node]


def _upper(_below: yaml.Node, above: yaml.Node) -> yaml.Node:
    return above


@dataclass(frozen=True)
class Layers:
    """Joins the layers of a suite, or of the suite of one table."""

    mistakes: Mistakes
    table: str | None = None

    def suites(self, below: yaml.MappingNode, above: yaml.MappingNode) -> yaml.MappingNode:
        """Two layers of a whole suite or family."""
        joins: Mapping[str, Join] = {
            "checks": self._checks,
            "datasets": lambda b, a: _joined(b, a, {}, _datasets),
            "defaults": lambda b, a: _joined(b, a, {}),
            "tags": lambda b, a: _joined(b, a, {}),
            "tables": lambda b, a: _joined(b, a, {}, self._entries),
            "templates": _appended,
        }
        return mapping(_pairs_joined(below, above, joins, _upper), below)

    def _entries(self, below: yaml.Node, above: yaml.Node) -> yaml.Node:
        """Two entries of a table."""
        return _joined(_without_place(below, above), above, {"checks": self._checks})

    def _checks(self, below: yaml.Node, above: yaml.Node) -> yaml.Node:
        """Checks of two layers by their ids; those that have none, or one that is taken, are left to be refused."""
        if not (isinstance(below, yaml.SequenceNode) and isinstance(above, yaml.SequenceNode)):
            return _the_wrong_one(below, above, yaml.SequenceNode)
        found: list[yaml.Node] = list(below.value)
        at = {_id(child): i for i, child in reversed(list(enumerate(found)))}
        removed: set[int] = set()
        met: set[str | None] = {None}
        for child in above.value:
            name = _id(child)
            known = None if name in met else at.get(name)
            met.add(name)
            remove = value_of(child, "remove")
            if name is not None and remove is not None and str(remove.value) == "true":
                if known is None:
                    self.mistakes.tell(f"there is no check '{name}' to remove", child, "checks", self.table)
                else:
                    removed.add(known)
            elif known is None:
                found += [child] if self._is_whole(child, name) else []
            else:
                found[known] = child if _changes_type(found[known], child) else _joined(found[known], child, {})
        return listing([child for i, child in enumerate(found) if i not in removed], above)

    def _is_whole(self, check: yaml.Node, name: str | None) -> bool:
        """Whether a check that no lower layer has says its type, or tries to."""
        keys = [str(k.value) for k, _ in check.value] if isinstance(check, yaml.MappingNode) else ["type"]
        if name is None or any(did_you_mean(key, ["type"]).startswith(", did") for key in keys):
            return True
        message = f"there is no check '{name}' to change, and a new one needs a type"
        self.mistakes.tell(message, check, "checks", self.table)
        return False


def _joined(below: yaml.Node, above: yaml.Node, joins: Mapping[str, Join], other: Join = _upper) -> yaml.Node:
    """Two blocks key by key."""
    if not (isinstance(below, yaml.MappingNode) and isinstance(above, yaml.MappingNode)):
        return _the_wrong_one(below, above, yaml.MappingNode)
    return mapping(_pairs_joined(below, above, joins, other), below)


def _pairs_joined(below: yaml.MappingNode, above: yaml.MappingNode, joins: Mapping[str, Join], other: Join) -> Pairs:
    pairs: Pairs = list(below.value)
    at = {str(k.value): i for i, (k, _) in enumerate(pairs)}
    for key, value in above.value:
        # A key that stands twice in the upper block is found here once only, and the other is left to be refused.
        place = at.pop(str(key.value), None)
        if place is None:
            pairs.append((key, value))
        else:
            old_key, old = pairs[place]
            joined = joins.get(str(key.value), other)(old, value)
            pairs[place] = (key if joined is value else old_key, joined)
    return pairs


def _datasets(below: yaml.Node, above: yaml.Node) -> yaml.Node:
    return _joined(_without_place(below, above), above, {})


def _without_place(below: yaml.Node, above: yaml.Node) -> yaml.Node:
    """A dataset without its place where the upper layer has another; with a path goes what is said of its files."""
    new = [p for p in PLACES if value_of(above, p) is not None]
    if not new or not isinstance(below, yaml.MappingNode):
        return below
    return without(below, PLACES if "path" in new else (*PLACES, *_OF_A_PATH))


def _appended(below: yaml.Node, above: yaml.Node) -> yaml.Node:
    if isinstance(below, yaml.SequenceNode) and isinstance(above, yaml.SequenceNode):
        return listing([*below.value, *above.value], below)
    return _the_wrong_one(below, above, yaml.SequenceNode)


def _the_wrong_one(below: yaml.Node, above: yaml.Node, kind: type[yaml.Node]) -> yaml.Node:
    """Of two that cannot be joined the one that is of another kind, so that it is refused; not what is empty."""
    if is_null(above):
        return below
    return above if is_null(below) or isinstance(below, kind) else below


def _changes_type(below: yaml.Node, above: yaml.Node) -> bool:
    """Whether a check becomes one of another type, of whose fields the lower one knows nothing."""
    kinds = [value_of(node, "type") for node in (below, above)]
    return kinds[1] is not None and kinds[0] is not None and kinds[0].value != kinds[1].value


def _id(node: yaml.Node) -> str | None:
    found = value_of(node, "id")
    return None if found is None else str(found.value)
