"""What is wrong with a file, where, and what to do: many at once, never a traceback."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from typing import Any, Literal

from dativo_provider.errors import ConfigurationError

__all__ = ["InvalidConfig", "Problem", "did_you_mean", "listed", "nearest"]

_LONGEST = 1000


@dataclass(frozen=True)
class Problem:
    """A finding at `path:line:column` (both from 1). `key` is the dotted key path, empty for the whole file."""

    path: str
    line: int
    column: int
    key: str
    message: str
    remedy: str = ""
    severity: Literal["error", "warning"] = "error"

    def __post_init__(self) -> None:
        """What a file says is shown, but cannot steer a terminal, forge a log line or fill it."""
        for name in ("key", "message", "remedy"):
            object.__setattr__(self, name, _harmless(getattr(self, name)))

    @property
    def where(self) -> str:
        return f"{self.path}:{self.line}:{self.column}"

    @property
    def text(self) -> str:
        return f"{self.message}. {self.remedy[:1].upper()}{self.remedy[1:]}" if self.remedy else self.message

    def __str__(self) -> str:
        return f"{self.where}: {'warning: ' if self.severity == 'warning' else ''}{self.text}"


def _harmless(text: str) -> str:
    if len(text) > _LONGEST:
        text = text[: _LONGEST - 1] + "…"
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


class InvalidConfig(ConfigurationError):
    """A file cannot be used. `problems` holds every error of it, and its warnings."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        errors = [problem for problem in self.problems if problem.severity == "error"] or list(self.problems)
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        super().__init__(
            errors[0].message + more,
            where=errors[0].where,
            remedy=errors[0].remedy,
            problems=[asdict(problem) for problem in self.problems],
        )

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)

    def __reduce__(self) -> tuple[Any, ...]:
        return InvalidConfig, (self.problems,)


def did_you_mean(word: str, words: Iterable[str], nearness: float = 0.6) -> str:
    """`Did you mean 'x'?`, or an empty string when nothing is near."""
    near = nearest(word, words, nearness)
    return f"Did you mean '{near}'?" if near else ""


def nearest(word: str, words: Iterable[str], nearness: float = 0.6) -> str:
    known = {str(each).lower(): str(each) for each in words}
    near = get_close_matches(word.lower(), known, 1, nearness)
    return known[near[0]] if near else ""


def listed(words: Iterable[str], limit: int = 40) -> str:
    every = list(words)
    return ", ".join(every[:limit]) + (", …" if len(every) > limit else "")
