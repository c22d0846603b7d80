"""One file for many suites: overlays for environments, and templates over the names of tables.

All of it happens to the nodes of YAML, before values are read, so that every message keeps its line.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import NoReturn

import yaml

from sparkguard.config.yaml import Variables, at_node, fill
from sparkguard.errors import ConfigError, Problem

_TABLES, _TEMPLATES, _OVERLAYS = "tables", "templates", "overlays"
_OWN_KEYS = ("owner", "checks")
"""What an entry of `tables` says of the table; all else is how its data are read."""
_DATASET = "table"
_PLACES = ("path", "table", "sql")
_TEMPLATE_KEYS = ("match", "checks", "datasets", "defaults")

Pairs = list[tuple[yaml.Node, yaml.Node]]


@dataclass(frozen=True)
class Member:
    """One suite of a file: its nodes, and the variables that its table brings."""

    root: yaml.Node
    variables: Variables


def members(root: yaml.Node, file: str, variables: Variables) -> Iterator[Member]:
    """The suites of a file: the file itself, or one for each of its `tables`; `ConfigError` for what cannot be."""
    if not isinstance(root, yaml.MappingNode):
        yield Member(root, {})
        return
    overlay = _overlay(root, file, variables)
    plain = _without(root, (_OVERLAYS,))
    whole = _merged(plain, _only(overlay, (_TABLES, _TEMPLATES)), file)
    last = _without(overlay, (_TABLES, _TEMPLATES))
    tables = _value(whole, _TABLES)
    if tables is None:
        unused = _value(whole, _TEMPLATES)
        if unused is not None:
            _refuse("templates are for tables; list them: tables", file, unused, _TEMPLATES)
        yield Member(_merged(whole, last, file), {})
        return
    entries = _pairs(tables, file, _TABLES)
    if not entries:
        _refuse("names no table", file, tables, _TABLES)
    _require_own_names(whole, entries, file)
    for key, entry in entries:
        yield _member(whole, key, entry, last, file)


def _member(whole: yaml.MappingNode, key: yaml.Node, entry: yaml.Node, last: yaml.MappingNode, file: str) -> Member:
    """The suite of one table: what holds for all, its templates, what it says itself, and then the overlay."""
    name = str(key.value)
    own = _pairs(entry, file, f"{_TABLES}.{name}")
    owner = next((str(v.value) for k, v in own if k.value == "owner"), None)
    place = [(k, v) for k, v in own if k.value not in _OWN_KEYS]
    if not any(k.value in _PLACES for k, _ in place):
        place.append((_scalar("table", key), _scalar(name, key)))
    layers = [_block(key, "datasets", _DATASET, _mapping(place, key))]
    layers += [_without(template, ("match",)) for template in _matching(whole, name, file)]
    if owner is not None:
        layers.append(
            _mapping([(_scalar("defaults", key), _mapping([(_scalar("owner", key), _scalar(owner, key))], key))], key)
        )
    layers.append(_mapping([(k, v) for k, v in own if k.value == "checks"], key))
    merged = _without(whole, (_TABLES, _TEMPLATES))
    for layer in (*layers, last):
        merged = _merged(merged, layer, file)
    known = {"table": _short(name), "table_name": name}
    return Member(merged, known | ({} if owner is None else {"owner": owner}))


def _overlay(root: yaml.MappingNode, file: str, variables: Variables) -> yaml.MappingNode:
    """What the file says of its environment."""
    overlays, written = _value(root, _OVERLAYS), _value(root, "environment")
    environment = "dev" if written is None else fill(str(written.value), variables)
    found = {} if overlays is None else {str(k.value): v for k, v in _pairs(overlays, file, _OVERLAYS)}
    at = f"{_OVERLAYS}.{environment}"
    return _mapping(_pairs(found[environment], file, at) if environment in found else [], root)


def _matching(whole: yaml.MappingNode, name: str, file: str) -> Iterator[yaml.MappingNode]:
    """The templates whose pattern the name of a table has, in their order."""
    listed = _value(whole, _TEMPLATES)
    if listed is None:
        return
    if not isinstance(listed, yaml.SequenceNode):
        _refuse("expected a list of templates: [{match: '*', checks: […]}]", file, listed, _TEMPLATES)
    for i, template in enumerate(listed.value):
        at = f"{_TEMPLATES}[{i}]"
        pairs = _pairs(template, file, at)
        unknown = next((k for k, _ in pairs if k.value not in _TEMPLATE_KEYS), None)
        if unknown is not None:
            message = f"unknown key; allowed: {', '.join(_TEMPLATE_KEYS)}"
            _refuse(message, file, unknown, f"{at}.{unknown.value}")
        match = _value(template, "match")
        if match is None:
            _refuse("is required but missing: a pattern of tables' names, or several", file, template, f"{at}.match")
        patterns = [str(p.value) for p in match.value] if isinstance(match, yaml.SequenceNode) else [str(match.value)]
        if any(fnmatchcase(name, p) or fnmatchcase(_short(name), p) for p in patterns):
            yield template


def _merged(below: yaml.Node, above: yaml.Node, file: str) -> yaml.MappingNode:
    """Two blocks as one: blocks key by key, lists of checks by their ids, of all else the upper one."""
    pairs: Pairs = list(_pairs(below, file, ""))
    at = {str(k.value): i for i, (k, _) in enumerate(pairs)}
    for key, value in _pairs(above, file, ""):
        name = str(key.value)
        if name not in at:
            pairs.append((key, value))
            continue
        old_key, old = pairs[at[name]]
        pairs[at[name]] = (old_key, _both(old, value, file))
    return _mapping(pairs, below)


def _both(below: yaml.Node, above: yaml.Node, file: str) -> yaml.Node:
    if isinstance(below, yaml.MappingNode) and isinstance(above, yaml.MappingNode):
        return _merged(below, above, file)
    if _has_ids(below) and _has_ids(above):
        return _by_id(below, above, file)
    return above


def _has_ids(node: yaml.Node) -> bool:
    return isinstance(node, yaml.SequenceNode) and all(_value(child, "id") is not None for child in node.value)


def _by_id(below: yaml.Node, above: yaml.Node, file: str) -> yaml.Node:
    """Checks of two layers: the upper one changes what the lower one has, adds, or removes (`remove: true`)."""
    found = {_id(child): child for child in below.value}
    for child in above.value:
        name = _id(child)
        remove = _value(child, "remove")
        if remove is not None and str(remove.value) == "true":
            if found.pop(name, None) is None:
                _refuse(f"there is no check '{name}' to remove", file, child, "checks")
        elif name in found and _changes_type(found[name], child):
            found[name] = child
        else:
            found[name] = _merged(found[name], child, file) if name in found else child
    return yaml.SequenceNode("tag:yaml.org,2002:seq", list(found.values()), above.start_mark, above.end_mark)


def _changes_type(below: yaml.Node, above: yaml.Node) -> bool:
    """Whether a check becomes one of another type, of whose fields the lower one knows nothing."""
    kinds = [_value(node, "type") for node in (below, above)]
    return kinds[1] is not None and kinds[0] is not None and kinds[0].value != kinds[1].value


def _id(node: yaml.Node) -> str:
    found = _value(node, "id")
    return "" if found is None else str(found.value)


def _require_own_names(whole: yaml.MappingNode, entries: Pairs, file: str) -> None:
    """Each table has a suite of its own name."""
    suite = _value(whole, "suite")
    if suite is not None and "${table" not in str(suite.value):
        message = "every table gets a suite of its own; let its name hold ${table}, for example features.${table}"
        _refuse(message, file, suite, "suite")
    seen: dict[str, str] = {}
    by_short = suite is None or "${table}" in str(suite.value)
    for key, _ in entries:
        name = str(key.value)
        same = _short(name) if by_short else name
        if same in seen:
            message = f"'{seen[same]}' and '{name}' are both called {same}; name the suite by ${{table_name}}"
            _refuse(message, file, key, f"{_TABLES}.{name}")
        seen[same] = name


def _short(name: str) -> str:
    """The last part of a table's name."""
    return name.rstrip("/").replace("`", "").rpartition("/")[2].rpartition(".")[2] or name


def _pairs(node: yaml.Node, file: str, path: str) -> Pairs:
    if isinstance(node, yaml.MappingNode):
        return list(node.value)
    if not isinstance(node, yaml.ScalarNode) or node.value:
        _refuse("expected a block of keys", file, node, path)
    return []


def _value(node: yaml.Node, name: str) -> yaml.Node | None:
    pairs: Iterable[tuple[yaml.Node, yaml.Node]] = node.value if isinstance(node, yaml.MappingNode) else ()
    return next((value for key, value in pairs if key.value == name), None)


def _only(node: yaml.MappingNode, names: Collection[str]) -> yaml.MappingNode:
    return _mapping([(k, v) for k, v in node.value if k.value in names], node)


def _without(node: yaml.MappingNode, names: Collection[str]) -> yaml.MappingNode:
    return _mapping([(k, v) for k, v in node.value if k.value not in names], node)


def _mapping(pairs: Pairs, at: yaml.Node) -> yaml.MappingNode:
    return yaml.MappingNode("tag:yaml.org,2002:map", pairs, at.start_mark, at.end_mark)


def _block(at: yaml.Node, outer: str, inner: str, value: yaml.Node) -> yaml.MappingNode:
    """`{outer: {inner: value}}`."""
    return _mapping([(_scalar(outer, at), _mapping([(_scalar(inner, at), value)], at))], at)


def _scalar(text: str, at: yaml.Node) -> yaml.ScalarNode:
    """A text that stands where another node does."""
    return yaml.ScalarNode("tag:yaml.org,2002:str", text, at.start_mark, at.end_mark, style='"')


def _refuse(message: str, file: str, node: yaml.Node, path: str) -> NoReturn:
    raise ConfigError(Problem(message, at_node(file, node), path))
