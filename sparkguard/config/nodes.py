"""Blocks of YAML before their values are read: looked into, cut, and made."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

import yaml

from sparkguard.config.yaml import at_node
from sparkguard.errors import Problem

Pairs = list[tuple[yaml.Node, yaml.Node]]
_STRING, _LIST, _BLOCK = "tag:yaml.org,2002:str", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map"
_NULL = ("", "~", "null")


@dataclass
class Mistakes:
    """What is wrong with the blocks of a file, each once; the search goes on after each."""

    file: str
    _found: dict[Problem, list[str]] = field(default_factory=dict)

    def tell(self, message: str, node: yaml.Node, path: str, table: str | None = None) -> None:
        """Keep one mistake with its line, and the table of which it is one."""
        tables = self._found.setdefault(Problem(message, at_node(self.file, node), path), [])
        tables += [] if table is None else [table]

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Each mistake with the first of its tables."""
        return tuple(replace(p, message=p.message + _of(tables)) for p, tables in self._found.items())

    def pairs(self, node: yaml.Node | None, path: str) -> Pairs:
        """The keys of a block with their values; none of what is missing or empty."""
        if node is None or is_null(node):
            return []
        if not isinstance(node, yaml.MappingNode):
            self.tell("expected a block of keys", node, path)
            return []
        seen: set[str] = set()
        for key, _ in node.value:
            if str(key.value) in seen:
                self.tell("stands twice in the same block", key, f"{path}.{key.value}" if path else str(key.value))
            seen.add(str(key.value))
        return list(node.value)


def is_null(node: yaml.Node) -> bool:
    """Whether nothing is written, or `null`."""
    return isinstance(node, yaml.ScalarNode) and node.style is None and node.value in _NULL


def value_of(node: yaml.Node, name: str) -> yaml.Node | None:
    """What stands under a key of a block."""
    pairs: Pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return next((value for key, value in pairs if key.value == name), None)


def only(node: yaml.MappingNode, names: Collection[str]) -> yaml.MappingNode:
    """A block without all other keys."""
    return mapping([(k, v) for k, v in node.value if k.value in names], node)


def without(node: yaml.MappingNode, names: Collection[str]) -> yaml.MappingNode:
    """A block without some keys."""
    return mapping([(k, v) for k, v in node.value if k.value not in names], node)


def mapping(pairs: Pairs, at: yaml.Node) -> yaml.MappingNode:
    """A block that stands where another node does."""
    return yaml.MappingNode(_BLOCK, pairs, at.start_mark, at.end_mark)


def listing(nodes: list[yaml.Node], at: yaml.Node) -> yaml.SequenceNode:
    """A list that stands where another node does."""
    return yaml.SequenceNode(_LIST, nodes, at.start_mark, at.end_mark)


def scalar(text: str, at: yaml.Node) -> yaml.ScalarNode:
    """A text that stands where another node does."""
    return yaml.ScalarNode(_STRING, text, at.start_mark, at.end_mark, style='"')


def block(at: yaml.Node, outer: str, inner: str, value: yaml.Node) -> yaml.MappingNode:
    """`{outer: {inner: value}}`."""
    return mapping([(scalar(outer, at), mapping([(scalar(inner, at), value)], at))], at)


def plain(node: yaml.Node) -> object:
    """What is written, without where: the same for two files with the same content."""
    if isinstance(node, yaml.MappingNode):
        return {"block": [[str(key.value), plain(value)] for key, value in node.value]}
    if isinstance(node, yaml.SequenceNode):
        return [plain(child) for child in node.value]
    return [node.value, node.style is not None] if isinstance(node, yaml.ScalarNode) else None


def _of(tables: list[str]) -> str:
    more = f" and {len(tables) - 1:,} more" if len(tables) > 1 else ""
    return f" (of table '{tables[0]}'{more})" if tables else ""
