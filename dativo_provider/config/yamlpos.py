"""YAML with places: one pass of libyaml gives the values and remembers where each key stands.

What differs from PyYAML's SafeLoader, on purpose: scalars are typed by YAML 1.2's core schema (no dates, no
`12:30` = 750, no `NO` = false, no `0123` = 83), keys are always text, a key that stands twice is an error, and
tags other than the core ones are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from dativo_provider.config.problems import InvalidConfig, Problem
from dativo_provider.config.yamlguard import decoded, end_of, failure, refuse_aliases, refuse_depth, start, syntax
from dativo_provider.config.yamltypes import MAP, MERGE, NULL, SEQ, STR, Loader, scalar, shown

__all__ = ["Document", "Key", "parse", "read", "without_nulls"]

Key = str | int
_ESCAPED_NUL = re.compile(r"\\(?:0|x00|u0000|U00000000)")
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Document:
    """A file's `data` (always a mapping) and the places of its keys."""

    def __init__(self, path: str, data: dict[str, Any], root: MappingNode, text: str) -> None:
        self.path, self.data, self.text = path, data, text
        self._root = root

    def place(self, keys: Sequence[Key], *, value: bool = False) -> tuple[int, int]:
        """Line and column, from 1, of the key `keys` leads to, or of its value when that is a scalar on request.

        A path that leads nowhere gives the place of the deepest part that exists.
        """
        node: Node = self._root
        spot: Node = self._root
        for key in keys:
            found = _child(node, key)
            if found is None:
                break
            spot, node = found
        if value and isinstance(node, ScalarNode):
            spot = node
        return spot.start_mark.line + 1, spot.start_mark.column + 1

    def where(self, keys: Sequence[Key]) -> str:
        line, column = self.place(keys)
        return f"{self.path}:{line}:{column}"

    def depth(self, keys: Sequence[Key]) -> int:
        """How many of `keys` exist."""
        inner: Any = self.data
        for at, key in enumerate(keys):
            try:
                inner = inner[key]
            except (KeyError, IndexError, TypeError):
                return at
        return len(keys)

    def raw(self, *keys: Key) -> str:
        """The scalar as it is written (`1.10`, not 1.1); empty when there is none."""
        node: Node = self._root
        for key in keys:
            found = _child(node, key)
            if found is None:
                return ""
            node = found[1]
        return str(node.value) if isinstance(node, ScalarNode) and node.tag != NULL else ""


def _child(node: Node, key: Key) -> tuple[Node, Node] | None:
    """The node to point at and the node to go on from."""
    if isinstance(node, MappingNode):
        return next(((name, inner) for name, inner in _pairs(node) if name.value == key), None)
    if isinstance(node, SequenceNode) and isinstance(key, int) and key < len(node.value):
        return node.value[key], node.value[key]
    return None


def _pairs(node: MappingNode) -> Iterator[tuple[Node, Node]]:
    """Keys and values with `<<` followed; own keys first, so that they win."""
    merges: list[Node] = []
    for name, inner in node.value:
        if name.tag == MERGE:
            merges += inner.value if isinstance(inner, SequenceNode) else [inner]
        else:
            yield name, inner
    for inner in merges:
        if isinstance(inner, MappingNode):
            yield from _pairs(inner)


def read(path: str | Path) -> Document:
    """Raises `InvalidConfig` for a file that is missing, unreadable, or not one YAML mapping."""
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise failure(str(path), f"the file cannot be read: {error.strerror}", "check the path") from None
    return parse(content, str(path))


def parse(content: bytes | str, path: str = "<text>") -> Document:
    """As `read`, from memory."""
    text = decoded(content, path)
    refuse_depth(text, path)
    root = _composed(text, path)
    if "&" in text:
        refuse_aliases(root, path)
    builder = _Builder(path, nul=bool(_ESCAPED_NUL.search(text)))
    data = builder.build(root)
    if builder.problems:
        raise InvalidConfig(builder.problems)
    return Document(path, data, root, text)


def _composed(text: str, path: str) -> MappingNode:
    try:
        loader = Loader(text)
        try:
            root = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.reader.ReaderError:
        found = _UNPRINTABLE.search(text)
        place = end_of(text[: found.start()]) if found else (1, 1)
        raise failure(path, "a control character is not allowed in YAML", "remove it", *place) from None
    except UnicodeEncodeError as error:
        place = end_of(text[: error.start])
        raise failure(path, "a lone surrogate is not allowed in YAML", "remove it", *place) from None
    except yaml.MarkedYAMLError as error:
        raise syntax(error, text, path) from None
    if root is None or (isinstance(root, ScalarNode) and root.tag == NULL):
        raise failure(path, "the file is empty", "write a mapping of keys, or delete the file")
    if not isinstance(root, MappingNode):
        kind = "list" if isinstance(root, SequenceNode) else "single value"
        mark = root.start_mark
        raise failure(
            path,
            f"the file is a {kind}, not a mapping of keys",
            "begin with `key: value`",
            mark.line + 1,
            mark.column + 1,
        )
    return root


class _Builder:
    """Nodes → dict, list, str, int, float, bool, None; collects every duplicate key and foreign tag."""

    def __init__(self, path: str, *, nul: bool) -> None:
        self.path, self._nul = path, nul
        self.problems: list[Problem] = []

    def build(self, node: Node) -> Any:
        kind = type(node)
        if kind is ScalarNode:
            if self._nul and "\0" in node.value:
                return self._report(node, "a NUL character is not allowed", "remove it")
            return node.value if node.tag == STR else self._scalar(node)
        if kind is MappingNode and node.tag == MAP:
            return self._mapping(node)
        if kind is SequenceNode and node.tag == SEQ:
            return [self.build(inner) for inner in node.value]
        return self._report(node, f"the tag '{shown(node.tag)}' is not supported", "remove the tag")

    def _mapping(self, node: Any) -> dict[str, Any]:
        built: dict[str, Any] = {}
        lines: dict[str, int] = {}
        merges: list[Any] = []
        for name, inner in node.value:
            if type(name) is not ScalarNode:
                self._report(name, "a key must be text", "write `key: value`")
            elif name.tag == MERGE:
                merges.append(inner)
            elif name.value in built:
                again = f"'{name.value}' stands twice in this mapping (first in line {lines[name.value]})"
                self._report(name, again, "keep one of the two")
            else:
                built[name.value] = self.build(inner)
                lines[name.value] = name.start_mark.line + 1
        for inner in merges:
            self._merge(built, inner)
        return built

    def _merge(self, built: dict[str, Any], node: Any) -> None:
        for each in node.value if type(node) is SequenceNode else [node]:
            if type(each) is not MappingNode:
                self._report(each, "`<<` merges mappings only", "refer to an anchored mapping")
                continue
            for key, value in self._mapping(each).items():
                built.setdefault(key, value)

    def _scalar(self, node: Any) -> Any:
        try:
            return scalar(node.tag, node.value)
        except ValueError:
            return self._report(node, f"'{node.value}' cannot be read as '{shown(node.tag)}'", "remove the tag")

    def _report(self, node: Any, message: str, remedy: str) -> None:
        self.problems.append(Problem(self.path, *start(node), "", message, remedy))


def without_nulls(data: Mapping[str, Any]) -> dict[str, Any]:
    """A key without a value means the same as no key."""
    return {
        key: without_nulls(value) if isinstance(value, dict) else value
        for key, value in data.items()
        if value is not None
    }
