"""Paths and URIs a tenant names, held below the roots it was given."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

__all__ = ["absolute", "below_roots", "has_scheme", "located", "relative_to_first"]

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_GLOB = re.compile(r"[*?\[{$]")


def has_scheme(text: str) -> bool:
    return bool(_SCHEME.match(text))


def absolute(path: str, folder: Path) -> str:
    """A folder made absolute from `folder`; a URI without its last slash. `file://` URIs become paths."""
    path = _local(path)
    if has_scheme(path):
        return path.rstrip("/")
    return os.path.normpath(os.path.join(folder, os.path.expanduser(path)))


def _local(text: str) -> str:
    if not text.lower().startswith("file:"):
        return text
    parts = urlsplit(text)
    return unquote(parts.path) if parts.netloc in ("", "localhost") else text


def located(path: str, roots: Sequence[str]) -> str:
    """`path` made absolute from the first root in which it exists, else from the first; URIs stay as they are."""
    path = _local(path)
    if has_scheme(path) or path.startswith("${"):
        return path
    folders = [root for root in roots if not has_scheme(root)] or ["/"]
    made = [os.path.normpath(os.path.join(folder, path)) for folder in folders]
    return next((each for each in made if os.path.exists(_fixed(each))), made[0])


def relative_to_first(path: str, roots: Sequence[str]) -> str:
    """Below the first root a path is kept relative to it, so that it means the same on another machine."""
    if has_scheme(path) or not roots or not Path(path).is_relative_to(roots[0]) or path == roots[0]:
        return path
    return os.path.relpath(path, roots[0])


def below_roots(path: str, roots: Sequence[str]) -> bool:
    """Whether an absolute path or URI lies in one of the roots; links are followed as far as they exist.

    Globs are judged by the part before the first wildcard. References are not known yet: readers judge again.
    """
    if path.startswith("${"):
        return True
    if has_scheme(path):
        parts = path.split("/")
        clean = ".." not in parts and "." not in parts and "%2e" not in path.lower()
        return clean and any(_uri_below(path, root) for root in roots)
    if os.path.normpath(path) != path:
        return False
    real = os.path.realpath(_fixed(path))
    return any(not has_scheme(root) and Path(real).is_relative_to(os.path.realpath(root)) for root in roots)


def _uri_below(uri: str, root: str) -> bool:
    return has_scheme(root) and (uri == root or uri.startswith(root.rstrip("/") + "/"))


def _fixed(path: str) -> str:
    """The path up to its first wildcard or reference."""
    match = _GLOB.search(path)
    return path if match is None else os.path.dirname(path[: match.start()])
