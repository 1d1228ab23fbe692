"""What a YAML file may not be: not text, too big, too deep, too clever. Each is a located error.

libyaml's composer recurses in C: `[` a hundred thousand times ends the process, and with it every DAG of the
deployment. So depth is checked first, on events, which libyaml makes without recursion.
"""

from __future__ import annotations

import re

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode

from dativo_provider.config.problems import InvalidConfig, Problem
from dativo_provider.config.yamltypes import Loader

__all__ = ["MAX_BYTES", "decoded", "end_of", "failure", "refuse_aliases", "refuse_depth", "start", "syntax"]

MAX_BYTES = 4_000_000
MAX_DEPTH = 50
MAX_NODES = 200_000  # after aliases are followed

_DEEP_BLOCK = re.compile(rf"^[ \t?:-]{{{2 * MAX_DEPTH},}}", re.MULTILINE)
_BRACKETS = re.compile(r"[\[\]{}]")


def failure(path: str, message: str, remedy: str, line: int = 1, column: int = 1) -> InvalidConfig:
    return InvalidConfig([Problem(path, line, column, "", message, remedy)])


def start(node: Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def decoded(content: bytes | str, path: str) -> str:
    if isinstance(content, str):
        return content
    if len(content) > MAX_BYTES:
        raise failure(path, f"the file is larger than {MAX_BYTES // 1_000_000} MB", "split it")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8", "replace")
        raise failure(path, "the file is not UTF-8 text", "save it as UTF-8", *end_of(before)) from None


def end_of(text: str) -> tuple[int, int]:
    return text.count("\n") + 1, len(text) - (text.rfind("\n") + 1) + 1


def refuse_depth(text: str, path: str) -> None:
    """Counts only where the text looks as if it may be too deep."""
    if not (_DEEP_BLOCK.search(text) or _bracket_depth(text) >= MAX_DEPTH):
        return
    loader, depth = Loader(text), 0
    try:
        while loader.check_event():
            event = loader.get_event()
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_DEPTH:
                mark = event.start_mark
                raise failure(
                    path, f"nested more than {MAX_DEPTH} levels deep", "flatten it", mark.line + 1, mark.column + 1
                )
    except yaml.YAMLError:
        return  # the composer reports it
    finally:
        loader.dispose()


def _bracket_depth(text: str) -> int:
    if text.count("[") + text.count("{") < MAX_DEPTH:
        return 0
    depth = deepest = 0
    for match in _BRACKETS.finditer(text):
        depth = depth + 1 if match[0] in "[{" else max(0, depth - 1)
        deepest = max(deepest, depth)
    return deepest


_SYNTAX = (
    ("expected a single document", "the file holds several documents", "keep one document per file: remove `---`"),
    ("mapping values are not allowed", "a colon is not allowed here", "check the indentation; quote text with ': '"),
    ("could not find expected ':'", "a key without a colon", "write `key: value`; check the indentation"),
    ("did not find expected key", "the indentation does not fit the lines above", "align the keys of one mapping"),
    ("found undefined alias", "an alias refers to an anchor that does not exist", "define it with & before its use"),
    ("found unexpected end of stream", "a quote or bracket is not closed", "close it"),
)  # fmt: skip


def syntax(error: yaml.MarkedYAMLError, text: str, path: str) -> InvalidConfig:
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    said = f"{error.problem or ''} {error.context or ''}"
    lines = text.splitlines()
    tab = "\t" in "".join(lines[line - 1 : line])[:column]
    if "tab character" in said or ("cannot start any token" in said and tab):
        return failure(path, "a tab is used for indentation", "use spaces; YAML allows no tabs there", line, column)
    for needle, message, remedy in _SYNTAX:
        if needle in said:
            return failure(path, message, remedy, line, column)
    return failure(path, f"not valid YAML: {(error.problem or error.context or 'syntax error')}", "", line, column)


def refuse_aliases(root: Node, path: str) -> None:
    """Aliases share nodes, so a small file may stand for billions of values, or contain itself."""
    sizes: dict[int, int] = {}
    within: set[int] = set()

    def size(node: Node) -> int:
        if isinstance(node, ScalarNode):
            return 1
        known = sizes.get(id(node))
        if known is None:
            known = sizes[id(node)] = grown(node)
        return known

    def grown(node: Node) -> int:
        if id(node) in within:
            raise failure(path, "an anchor contains itself", "remove the alias", *start(node))
        within.add(id(node))
        parts = [part for pair in node.value for part in pair] if isinstance(node, MappingNode) else node.value
        total = 1
        for part in parts:
            total += size(part)
            if total > MAX_NODES:
                raise failure(path, f"aliases expand to more than {MAX_NODES} values", "write less", *start(node))
        within.discard(id(node))
        return total

    size(root)
