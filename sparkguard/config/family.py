"""One file for many suites: overlays for environments, and templates over the names of tables.

All of it happens to the nodes of YAML, before values are read, so that every message keeps its line.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

import yaml

from sparkguard.config.layers import PLACES, Layers
from sparkguard.config.nodes import (
    Mistakes,
    Pairs,
    block,
    is_null,
    listing,
    mapping,
    only,
    plain,
    scalar,
    value_of,
    without,
)
from sparkguard.config.yaml import Variables, fill
from sparkguard.core.text import last_part
from sparkguard.errors import Problem

_TABLES, _TEMPLATES, _OVERLAYS = "tables", "templates", "overlays"
_OWN_KEYS = ("owner", "checks")
"""What an entry of `tables` says of the table; all else is how its data are read."""
_DATASET = "table"
_TEMPLATE_KEYS = ("match", "checks", "datasets", "defaults")


@dataclass(frozen=True)
class Member:
    """One suite of a file: its nodes, the variables that its table brings, and what to say of it.

    `content` is its configuration as one text, where it is a part of the file only.
    """

    root: yaml.Node
    variables: Variables = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    content: str | None = None

    def is_of(self, pattern: str) -> bool:
        """Whether this is the suite of a table whose name has a pattern."""
        name = self.variables.get("table_name")
        return name is not None and _matches(name, (pattern,))


@dataclass(frozen=True)
class Family:
    """The suites of a file, and what is wrong with how they are put together."""

    members: tuple[Member, ...]
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class _Template:
    patterns: tuple[str, ...]
    layer: yaml.MappingNode


def family_of(root: yaml.Node, file: str, variables: Variables) -> Family:
    """The suites of a file: the file itself, or one for each of its `tables`."""
    if not isinstance(root, yaml.MappingNode):
        return Family((Member(root),))
    reader = _Reader(Mistakes(file), variables)
    members = tuple(reader.members(root))
    return Family(members, reader.mistakes.problems)


@dataclass(frozen=True)
class _Reader:
    mistakes: Mistakes
    variables: Variables

    def members(self, root: yaml.MappingNode) -> Iterator[Member]:
        """Each suite of the file."""
        self.mistakes.pairs(root, "")
        overlay, notes = self._overlay(root)
        layers = Layers(self.mistakes)
        whole = layers.suites(without(root, (_OVERLAYS,)), only(overlay, (_TABLES, _TEMPLATES)))
        last = without(overlay, (_TABLES, _TEMPLATES))
        tables, templates = value_of(whole, _TABLES), value_of(whole, _TEMPLATES)
        if tables is None:
            if templates is not None:
                self.mistakes.tell("templates are for tables; list them: tables", templates, _TEMPLATES)
            yield Member(layers.suites(without(whole, (_TEMPLATES,)), last), notes=notes)
            return
        before = len(self.mistakes.problems)
        entries = self.mistakes.pairs(tables, _TABLES)
        if not entries and len(self.mistakes.problems) == before:
            self.mistakes.tell("names no table", tables, _TABLES)
        self._require_own_names(whole, entries)
        known = self._templates(templates, [str(key.value) for key, _ in entries])
        common = without(whole, (_TABLES, _TEMPLATES))
        for key, entry in entries:
            matching = [t.layer for t in known if _matches(str(key.value), t.patterns)]
            yield from self._member([common, *matching], key, entry, last, notes)

    def _member(
        self, below: list[yaml.MappingNode], key: yaml.Node, entry: yaml.Node, last: yaml.Node, notes: tuple[str, ...]
    ) -> Iterator[Member]:
        """The suite of one table: what holds for all, its templates, what it says itself, and then the overlay."""
        name = str(key.value)
        own = self.mistakes.pairs(entry, f"{_TABLES}.{name}")
        owner = self._owner(own, name)
        place = [(k, v) for k, v in own if k.value not in _OWN_KEYS]
        layers = Layers(self.mistakes, name)
        merged = mapping([(scalar("checks", key), listing([], key))], key)
        for layer in (
            *below,
            block(key, "datasets", _DATASET, mapping(place, key)),
            mapping([], key) if owner is None else block(owner, "defaults", "owner", owner),
            mapping([(k, v) for k, v in own if k.value == "checks"], key),
            mapping(self.mistakes.pairs(last, ""), last),
        ):
            merged = layers.suites(merged, layer)
        dataset = value_of(value_of(merged, "datasets") or merged, _DATASET)
        if dataset is None or not any(value_of(dataset, p) for p in PLACES):
            merged = layers.suites(merged, block(key, "datasets", _DATASET, _catalog_table(key)))
        checks = value_of(merged, "checks")
        if isinstance(checks, yaml.SequenceNode) and not checks.value:
            if not self.mistakes.problems:
                self.mistakes.tell("no check is left for this table", key, f"{_TABLES}.{name}")
            return
        known = {"table": last_part(name), "table_name": name}
        known |= {} if owner is None else {"owner": fill(str(owner.value), self.variables)}
        content = json.dumps([name, None if owner is None else plain(owner), plain(merged)])
        yield Member(merged, known, notes, content)

    def _owner(self, own: Pairs, name: str) -> yaml.ScalarNode | None:
        """Who owns a table."""
        owner = next((v for k, v in own if k.value == "owner"), None)
        if owner is None or is_null(owner):
            return None
        if not isinstance(owner, yaml.ScalarNode):
            self.mistakes.tell("expected the name of an owner", owner, f"{_TABLES}.{name}.owner")
            return None
        return scalar(owner.value, owner)

    def _overlay(self, root: yaml.MappingNode) -> tuple[yaml.MappingNode, tuple[str, ...]]:
        """What the file says of its environment, or that it says nothing of it."""
        written = value_of(root, "environment")
        environment = "dev" if written is None else fill(str(written.value), self.variables)
        found = {str(k.value): v for k, v in self.mistakes.pairs(value_of(root, _OVERLAYS), _OVERLAYS)}
        pairs = self.mistakes.pairs(found.get(environment), f"{_OVERLAYS}.{environment}")
        note = f"environment '{environment}' has no overlay; there is one for {', '.join(found)}"
        return mapping(pairs, root), () if environment in found or not found else (note,)

    def _templates(self, listed: yaml.Node | None, names: list[str]) -> list[_Template]:
        """The templates of the file in their order, each with patterns of which every one matches a table."""
        if listed is None or is_null(listed):
            return []
        if not isinstance(listed, yaml.SequenceNode):
            message = "expected a list of templates: [{match: '*', checks: […]}]"
            self.mistakes.tell(message, listed, _TEMPLATES)
            return []
        found: list[_Template] = []
        for i, template in enumerate(listed.value):
            at = f"{_TEMPLATES}[{i}]"
            pairs = self.mistakes.pairs(template, at)
            for key, _ in pairs:
                if key.value not in _TEMPLATE_KEYS:
                    message = f"unknown key; allowed: {', '.join(_TEMPLATE_KEYS)}"
                    self.mistakes.tell(message, key, f"{at}.{key.value}")
            layer = mapping([(k, v) for k, v in pairs if k.value in _TEMPLATE_KEYS[1:]], template)
            found.append(_Template(tuple(self._patterns(template, names, f"{at}.match")), layer))
        return found

    def _patterns(self, template: yaml.Node, names: list[str], at: str) -> Iterator[str]:
        match = value_of(template, "match")
        if match is None:
            self.mistakes.tell("is required but missing: a pattern of tables' names, or several", template, at)
            return
        for node in match.value if isinstance(match, yaml.SequenceNode) else [match]:
            if not isinstance(node, yaml.ScalarNode) or is_null(node):
                self.mistakes.tell("expected a pattern of tables' names, or a list of them", node, at)
                continue
            pattern = fill(node.value, self.variables)
            if not any(_matches(name, (pattern,)) for name in names):
                self.mistakes.tell(f"'{pattern}' is the name of no table", node, at)
            yield pattern

    def _require_own_names(self, whole: yaml.MappingNode, entries: Pairs) -> None:
        """Each table has a suite of its own name."""
        suite = value_of(whole, "suite")
        named = "${table}" if suite is None else str(suite.value)
        if suite is not None and "${table" not in named:
            message = "every table gets a suite of its own; let its name hold ${table}, for example features.${table}"
            self.mistakes.tell(message, suite, "suite")
        if "${table}" not in named or "${table_name}" in named:
            return
        seen: dict[str, str] = {}
        for key, _ in entries:
            name = str(key.value)
            first = seen.setdefault(last_part(name), name)
            if first != name:
                short = last_part(name)
                message = f"'{first}' and '{name}' are both called {short}; name the suite by ${{table_name}}"
                self.mistakes.tell(message, key, f"{_TABLES}.{name}")


def _catalog_table(key: yaml.Node) -> yaml.MappingNode:
    """A dataset that is the catalog table of a name."""
    return mapping([(scalar("table", key), scalar(str(key.value), key))], key)


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    """Whether the name of a table, whole or its last part, is of one of the patterns."""
    return any(fnmatchcase(name, p) or fnmatchcase(last_part(name), p) for p in patterns)
