"""Prints which requirement ids have a test, from the `requirement` marks of the suite."""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent


def marked(tree: ast.AST, prefix: str = "", mark_name: str = "requirement") -> Iterator[tuple[str, str]]:
    """(argument of the mark, test name) pairs of one module."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            name = f"{prefix}{node.name}"
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and ast.unparse(mark.func).endswith(mark_name):
                    yield from ((ast.literal_eval(arg), name) for arg in mark.args)
            yield from marked(node, f"{name}::", mark_name)


def matrix(root: Path = HERE) -> dict[str, list[str]]:
    """Requirement id → tests, both sorted."""
    found: dict[str, list[str]] = defaultdict(list)
    for path in sorted(root.rglob("*.py")):
        for requirement, test in marked(ast.parse(path.read_text(encoding="utf-8"))):
            found[requirement].append(f"{path.relative_to(root.parent)}::{test}")
    return dict(sorted(found.items()))


def main() -> int:
    for requirement, tests in matrix().items():
        print(f"{requirement:10} {len(tests):3}  {tests[0]}" + (f"  (+{len(tests) - 1})" if len(tests) > 1 else ""))
    return 0


if __name__ == "__main__":
    sys.exit(main())
