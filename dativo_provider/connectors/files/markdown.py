"""Markdown-KV: Markdown whose lines `key:: value` are data, in sections told by headings.

A value goes on in lines that are indented or empty. Text that is no pair is kept as a pair of the key `_text`, so
nothing of a document is lost. Fenced code is text, whatever it looks like
(https://spec.commonmark.org/0.31.2/#fenced-code-blocks). YAML between `---` lines at the very begin is section
`_front_matter`, unless it cannot be read: then it is text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from textwrap import dedent
from typing import Any

import yaml

__all__ = ["DEFAULT", "FRONT", "TEXT", "Document", "Pair", "Section", "parsed"]

TEXT, DEFAULT, FRONT = "_text", "_default", "_front_matter"

_HEADING = re.compile(r"(#{1,6})[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*$")
_PAIR = re.compile(r"([^\s:][^:]*?)[ \t]*::[ \t]*(.*)$")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_MOST_FRONT = 64 << 10


@dataclass(frozen=True)
class Pair:
    """`line` is where it begins in the file."""

    key: str
    value: str
    line: int

    @property
    def as_json(self) -> str | None:
        """The value, where it is JSON."""
        try:
            json.loads(self.value, parse_constant=_refused)
        except (ValueError, RecursionError):
            return None
        return self.value


@dataclass
class Section:
    name: str
    level: int
    pairs: list[Pair] = field(default_factory=list)


@dataclass(frozen=True)
class Document:
    front: Mapping[str, Any]
    sections: tuple[Section, ...]  # none is empty

    def title(self, otherwise: str) -> str:
        named = (each.name for each in self.sections if each.name not in (DEFAULT, FRONT))
        return str(self.front.get("title") or next(named, otherwise))

    def id(self, otherwise: str) -> str:
        return str(self.front.get("doc_id") or self.front.get("id") or otherwise)


def parsed(text: str) -> Document:
    lines = _lines(text)
    front, begin = _front_matter(lines)
    sections = [Section(FRONT, 0, [Pair(key, _shown(value), 1) for key, value in front.items()])]
    sections += _sections(lines, begin)
    return Document(front, tuple(each for each in sections if each.pairs))


def _lines(text: str) -> list[str]:
    """Ended as CommonMark ends them; other signs that Python breaks lines at stand in values."""
    lines = re.split(r"\r\n|\r|\n", text)
    return lines if lines[-1] else lines[:-1]


def _front_matter(lines: Sequence[str]) -> tuple[dict[str, Any], int]:
    """And the number of lines it takes."""
    if not lines or lines[0].rstrip() != "---":
        return {}, 0
    end = next((at for at, line in enumerate(lines[1:], 1) if line.rstrip() == "---"), 0)
    found = _yaml("\n".join(lines[1:end])) if end else None
    return (found, end + 1) if isinstance(found, dict) else ({}, 0)


def _yaml(text: str) -> Any:
    """None for what cannot be read, or could grow by aliases: https://en.wikipedia.org/wiki/Billion_laughs_attack"""
    if len(text) > _MOST_FRONT:
        return None
    try:
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text)):
            return None
        found = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
    return (
        {str(key): value for key, value in found.items()} if isinstance(found, dict) else {} if found is None else found
    )


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False, default=str).strip('"')


def _sections(lines: Sequence[str], begin: int) -> Iterator[Section]:
    section, open_pair = Section(DEFAULT, 0), _Open()
    for at, line, fenced in _told(lines, begin):
        heading = None if fenced else _HEADING.match(line)
        pair = None if fenced else _PAIR.match(line)
        if heading:
            section.pairs += open_pair.closed()
            yield section
            section = Section(heading[2], len(heading[1]))
        elif pair:
            section.pairs += open_pair.closed()
            open_pair = _Open(pair[1], at, [pair[2]])
        elif open_pair.takes(line):
            open_pair.lines.append(line)
        else:
            section.pairs += open_pair.closed()
            open_pair = _Open(TEXT, at, [line])
    section.pairs += open_pair.closed()
    yield section


def _told(lines: Sequence[str], begin: int) -> Iterator[tuple[int, str, bool]]:
    """Number, text, and whether it belongs to fenced code."""
    fence = ""
    for at in range(begin, len(lines)):
        mark = _FENCE.match(lines[at])
        closes = bool(fence) and lines[at].strip().startswith(fence) and not lines[at].strip().strip(fence[0])
        yield at + 1, lines[at], bool(fence or mark)
        fence = "" if closes else fence or (mark[1] if mark else "")


@dataclass
class _Open:
    """What has been read of a pair; of nothing, while there is none."""

    key: str = ""
    line: int = 0
    lines: list[str] = field(default_factory=list)

    def takes(self, line: str) -> bool:
        """Whether `line` goes on with it."""
        if self.key == TEXT:
            return True
        return bool(self.key) and (not line.strip() or line[0] in " \t")

    def closed(self) -> list[Pair]:
        """The pair, and nothing from now on."""
        key, self.key = self.key, ""
        first, rest = (self.lines or [""])[0], "\n".join(self.lines[1:])
        value = "\n".join(self.lines) if key == TEXT else f"{first}\n{dedent(rest)}"
        return [Pair(key, value.strip(), self.line)] if key and (value.strip() or key != TEXT) else []


def _refused(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")
