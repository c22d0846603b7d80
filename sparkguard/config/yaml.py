"""YAML with the line of every value, variables filled in, and only `true` and `false` as booleans."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import yaml

from sparkguard.errors import ConfigError, Problem

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_.]*)(?::-([^}]*))?\}")
_INT = re.compile(r"[-+]?(0|[1-9][0-9_]*)")
_FLOAT = re.compile(r"[-+]?((\.[0-9]+|[0-9]+\.[0-9]*)([eE][-+]?[0-9]+)?|[0-9]+[eE][-+]?[0-9]+)")
_CONSTANTS: Mapping[str, object] = {"true": True, "false": False, "null": None, "~": None, "": None}

HOLDS_ITSELF = "not valid YAML: a block holds itself"

Path = tuple[str | int, ...]
Variables = Mapping[str, str]


@dataclass
class Document:
    """A parsed file: plain data, and where each part of it stands."""

    file: str
    data: object = None
    lines: dict[Path, int] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)

    def where(self, path: Iterable[str | int]) -> str:
        """`file:line` of a value, or of the nearest part around it."""
        at = tuple(path)
        while at and at not in self.lines:
            at = at[:-1]
        line = self.lines.get(at)
        return self.file if line is None else f"{self.file}:{line}"


def show_path(path: Iterable[str | int]) -> str:
    """`checks[0].error_if`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def parse(text: str, file: str, variables: Variables) -> Document:
    """Parse a file; `ConfigError` with every unset variable and duplicate key at once."""
    return build(compose(text, file), file, variables)


def compose(text: str, file: str) -> yaml.Node:
    """Parse a file into nodes, which know their lines; `ConfigError` if it is no YAML."""
    try:
        root: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{file}:{mark.line + 1}" if mark else file
        raise ConfigError(Problem(f"not valid YAML: {error.problem or error.context}{_hint(error)}", where)) from error
    except yaml.YAMLError as error:
        raise ConfigError(Problem(f"not valid YAML: {error}", file)) from error
    if root is None:
        raise ConfigError(Problem("the file is empty; a suite needs at least 'suite', 'datasets' and 'checks'", file))
    return root


def _hint(error: yaml.MarkedYAMLError) -> str:
    if "\\t" in str(error.problem):
        return "; indent with spaces, YAML does not allow tabs"
    alias = "undefined alias" in str(error.problem) or "alias" in str(error.context)
    return '; what begins with * needs quotes: "*"' if alias else ""


def build(root: yaml.Node, file: str, variables: Variables) -> Document:
    """Read the values of nodes; `ConfigError` with every unset variable and duplicate key at once."""
    document = Document(file)
    builder = _Builder(document, variables)
    try:
        document.data = builder.build(root, ())
    except RecursionError as error:
        raise ConfigError(Problem(HOLDS_ITSELF, file)) from error
    if builder.problems:
        raise ConfigError(*builder.problems)
    return document


def fill(text: str, variables: Variables) -> str:
    """A text with its variables filled in; those that are not set stay."""
    return _VARIABLE.sub(lambda match: str(variables.get(match[1], match[0] if match[2] is None else match[2])), text)


def at_node(file: str, node: yaml.Node) -> str:
    """`file:line` of a node."""
    return f"{file}:{node.start_mark.line + 1}"


class _Builder:
    def __init__(self, document: Document, variables: Variables) -> None:
        self._document = document
        self._variables = variables
        self.problems: list[Problem] = []

    def build(self, node: yaml.Node, path: Path) -> object:
        self._document.lines[path] = node.start_mark.line + 1
        if isinstance(node, yaml.SequenceNode):
            return [self.build(child, (*path, i)) for i, child in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        return self._scalar(node, path)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, object]:
        result: dict[str, object] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            if key in result:
                where = f"{self._document.file}:{key_node.start_mark.line + 1}"
                self.problems.append(Problem("stands twice in the same block", where, show_path((*path, key))))
            result[key] = self.build(value_node, (*path, key))
            self._document.lines[(*path, key)] = key_node.start_mark.line + 1
        return result

    def _scalar(self, node: yaml.Node, path: Path) -> object:
        text = _VARIABLE.sub(lambda match: self._fill(match, path), str(node.value))
        if getattr(node, "style", None) is not None:
            return text
        return resolve(text)

    def _fill(self, match: re.Match[str], path: Path) -> str:
        name: str = match[1]
        default: str | None = match[2]
        value = self._variables.get(name, default)
        if value is None:
            message = f"${{{name}}} is not set; pass --set {name}=VALUE, export it, or write ${{{name}:-default}}"
            self.problems.append(Problem(message, self._document.where(path), show_path(path)))
            return ""
        self._document.variables[name] = value
        return value


def resolve(text: str) -> object:
    """Read a plain scalar as YAML 1.2 does: `no`, `on` and dates stay text."""
    folded = text.lower()
    if folded in _CONSTANTS:
        return _CONSTANTS[folded]
    if _INT.fullmatch(text):
        return int(text.replace("_", ""))
    if _FLOAT.fullmatch(text):
        return float(text)
    return text
