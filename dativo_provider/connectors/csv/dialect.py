"""How the text of a CSV file is to be read: the options of a job, checked."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Any

from dativo_provider.errors import ConfigurationError

__all__ = ["TABBED", "Dialect", "dialect_of"]


@dataclass(frozen=True)
class Dialect:
    """The options of the CSV connector, by the names they have in YAML. An empty `quote_char` turns quoting off.

    Unquoted text that is one of `null_values` is NULL; quoted text never is. `skip_rows` counts lines before
    the header. `batch_size` (or `chunk_size`) limits the rows of a batch. A blank line is no row, except in a
    file of one column, where it is a row with an empty value.
    """

    delimiter: str = ","
    quote_char: str = '"'
    escape_char: str = ""
    encoding: str = "utf-8"
    header: bool = True
    column_names: tuple[str, ...] = ()
    null_values: tuple[str, ...] = ("",)
    skip_rows: int = 0
    batch_size: int = 0
    max_record_mb: int = 64

    @property
    def utf8(self) -> bool:
        return codecs.lookup(self.encoding).name in ("utf-8", "utf-8-sig", "ascii")


TABBED = re.compile(r"\.tsv(\.(gz|gzip|zst|zstd))?$", re.IGNORECASE)


def dialect_of(options: Mapping[str, Any], path: str = "") -> Dialect:
    """The delimiter of a file whose name ends in `.tsv` is a tab, unless they say another.

    Raises `ConfigurationError` naming the option that is unknown or impossible.
    """
    given = {("batch_size" if name == "chunk_size" else name): value for name, value in options.items()}
    if TABBED.search(path):
        given = {"delimiter": "\t", **given}
    known = {each.name for each in fields(Dialect)}
    for name in given:
        if name not in known:
            near = get_close_matches(name, known, 1)
            hint = f"did you mean '{near[0]}'? " if near else ""
            raise ConfigurationError(f"unknown CSV option '{name}'", remedy=f"{hint}known: {', '.join(sorted(known))}")
    dialect = Dialect(**{name: _READ[name](name, value) for name, value in given.items()})
    _refuse_clashes(dialect)
    return dialect


def _wrong(name: str, value: Any, wanted: str) -> ConfigurationError:
    return ConfigurationError(f"CSV option '{name}' cannot be {value!r}", remedy=f"it must be {wanted}")


def _character(name: str, value: Any) -> str:
    text = "\t" if value in ("\\t", "tab") else value
    if not isinstance(text, str) or len(text) != 1 or not text.isascii() or text in "\r\n\0":
        raise _wrong(name, value, "one ASCII character")
    return text


def _character_or_none(name: str, value: Any) -> str:
    return "" if value in (None, "") else _character(name, value)


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong(name, value, "true or false")
    return value


def _count(name: str, value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise _wrong(name, value, "a whole number from 0 on")
    return value


def _limit(name: str, value: Any) -> int:
    if not 1 <= _count(name, value) <= 1024:
        raise _wrong(name, value, "between 1 and 1024")
    return int(value)


def _texts(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(each, str) for each in value):
        raise _wrong(name, value, "a list of texts")
    return tuple(value)


def _codec(name: str, value: Any) -> str:
    try:
        known = codecs.lookup(value)
        "a".encode(value).decode(value)
    except (LookupError, TypeError, ValueError):
        raise _wrong(name, value, "a text encoding such as utf-8, utf-16, latin-1 or cp1252") from None
    return known.name


_READ: dict[str, Callable[[str, Any], Any]] = {
    "delimiter": _character,
    "quote_char": _character_or_none,
    "escape_char": _character_or_none,
    "encoding": _codec,
    "header": _flag,
    "column_names": _texts,
    "null_values": _texts,
    "skip_rows": _count,
    "batch_size": _count,
    "max_record_mb": _limit,
}


def _refuse_clashes(dialect: Dialect) -> None:
    special = [each for each in (dialect.delimiter, dialect.quote_char, dialect.escape_char) if each]
    if len(set(special)) != len(special):
        raise ConfigurationError(
            "CSV options 'delimiter', 'quote_char' and 'escape_char' name the same character",
            remedy="give each its own; leave out escape_char where quotes are doubled",
        )
