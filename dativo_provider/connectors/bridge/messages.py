"""What a line of a connector means for us, whatever its protocol calls it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

from dativo_provider.errors import DativoError

if TYPE_CHECKING:
    import msgspec

__all__ = ["Failed", "Garbage", "Message", "Position", "Record", "Said", "decode", "plain"]


@dataclass(slots=True)
class Record:
    """A row of `stream`; of one that is gone, what is left of it."""

    stream: str
    values: dict[str, Any]
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Position:
    """Where a later run goes on. What was said before it is in the rows before it."""

    state: Any


@dataclass(frozen=True, slots=True)
class Said:
    """For people; of no consequence for rows."""

    text: str
    level: int


@dataclass(frozen=True, slots=True)
class Failed:
    """The connector's own word on why it will end without success."""

    error: DativoError


@dataclass(frozen=True, slots=True)
class Garbage:
    """A line that is no message: a stray print, or half of something."""

    reason: str


Message = Record | Position | Said | Failed | Garbage


def decode(line: bytes) -> Mapping[str, Any] | None:
    """None when the line is no JSON object. Numbers with a point stay exact."""
    import msgspec

    try:
        found = _decoder().decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def plain(text: bytes) -> Any:
    """JSON that travels on as JSON: its numbers stay numbers. None for what is none."""
    import msgspec

    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


@cache
def _decoder() -> msgspec.json.Decoder[Any]:
    import msgspec

    return msgspec.json.Decoder(float_hook=Decimal)
