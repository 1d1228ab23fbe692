"""Secret values become `***`; what names them stays: `password: hunter2` → `password: ***`."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from dativo_provider.observability.encodings import forms

__all__ = ["MASK", "MASKER", "STANDARD", "MaskFilter", "Masker"]

MASK = "***"
_WHOLE_WORDS_BELOW = 4  # a shorter secret would turn harmless words into riddles
_LABEL = r"pass(?:word|wd|phrase)?|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|sas|signature"
_VALUE = r"""(?!\$\{|\*\*\*)(?:'(?:[^'\\\n]|\\.)+'|"(?:[^"\\\n]|\\.)+"|[^\s'",;&)}\]]+)"""
# No pattern may begin with something that repeats: a long hostile text would take quadratic time.
_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"(?<=://)([^\s/:@'\"]{0,256}:)(?!\$\{)[^\s'\"]{1,1024}(?=@)"), rf"\1{MASK}"),
    (re.compile(r"(https?://)(?!\$\{)[^\s/:@'\"?#]{1,1024}(?=@)", re.I), rf"\1{MASK}"),
    (re.compile(rf"((?:{_LABEL})\s{{0,8}}=\s{{0,8}}){_VALUE}", re.I), rf"\1{MASK}"),
    (re.compile(rf"""((?:{_LABEL})["']\s{{0,8}}:\s{{0,8}}){_VALUE}""", re.I), rf'\1"{MASK}"'),
    (re.compile(rf"((?:pass(?:word|wd|phrase)|pwd)\s{{0,8}}:\s{{0,8}}){_VALUE}", re.I), rf"\1{MASK}"),
    (re.compile(r"(\b(?:Bearer|Basic)\s{1,8})(?=[A-Za-z_.~+/=-]{0,64}\d)[\w.~+/=-]{8,}"), rf"\1{MASK}"),
    (re.compile(r"(-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----).*?(-----END|\Z)", re.S), rf"\1{MASK}\2"),
)


class Masker:
    """Knows the secrets of this process. Threads may add and mask at the same time."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self._forms: set[str] = set()
        self._listeners: list[Callable[[str], None]] = []
        self._pattern: re.Pattern[str] | None = None
        for secret in secrets:
            self.add(secret)

    def add(self, secret: str) -> None:
        """From now on no text shows `secret`, nor its JSON, URL or base64 form."""
        if not secret.strip(" \t\r\n*"):
            return
        with self._lock:
            self._forms |= forms(secret)
            longest_first = sorted(self._forms, key=lambda form: (-len(form), form))
            self._pattern = re.compile("|".join(map(_pattern, longest_first)))
        for listener in self._listeners:
            listener(secret)

    def tell(self, listener: Callable[[str], None]) -> None:
        """`listener` hears every secret added later: Airflow's own `mask_secret`, for one."""
        if listener not in self._listeners:
            self._listeners.append(listener)

    def mask(self, text: str) -> str:
        known = self._pattern
        if known is not None:
            text = known.sub(MASK, text)
        for pattern, replacement in _PATTERNS:
            text = pattern.sub(replacement, text)
        return text

    def value(self, found: Any) -> Any:
        """`found` with every text in it masked, at any depth; what is not JSON becomes masked text."""
        if isinstance(found, str):
            return self.mask(found)
        if isinstance(found, Mapping):
            return {self.mask(str(key)): self._labelled(str(key), inner) for key, inner in found.items()}
        if isinstance(found, (list, tuple, set, frozenset)):
            return [self.value(inner) for inner in found]
        if found is None or isinstance(found, bool):
            return found
        shown = self.mask(_text(found))
        return found if isinstance(found, (int, float)) and shown == _text(found) else shown

    def _labelled(self, key: str, inner: Any) -> Any:
        secret = isinstance(inner, str) and inner and re.fullmatch(rf"\w*(?:{_LABEL})", key, re.I)
        return MASK if secret and not inner.startswith("${") else self.value(inner)


def _pattern(form: str) -> str:
    escaped = re.escape(form)
    if len(form) >= _WHOLE_WORDS_BELOW:
        return escaped
    before = r"(?<!\w)" if re.match(r"\w", form) else ""
    after = r"(?!\w)" if re.search(r"\w\Z", form) else ""
    return before + escaped + after


def _text(found: Any) -> str:
    try:
        return str(found)
    except Exception as problem:  # a log line is no place to fail
        return f"<{type(found).__name__}: {type(problem).__name__}>"


MASKER = Masker()
# What every log record has; anything else on one is an extra.
STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class MaskFilter(logging.Filter):
    """Masks message, arguments, exception text and every extra of a record, whoever formats it later."""

    def __init__(self, masker: Masker = MASKER) -> None:
        super().__init__()
        self.masker = masker

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = self.masker.mask(_message(record)), ()
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        for name in ("exc_text", "stack_info"):
            if text := getattr(record, name, None):
                setattr(record, name, self.masker.mask(text))
        for name in set(vars(record)) - STANDARD:
            setattr(record, name, self.masker._labelled(name, getattr(record, name)))
        return True


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # arguments that do not fit the format, or cannot be shown
        return str(record.msg)
