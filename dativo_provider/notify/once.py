"""Who has been told what: a notice is sent when it begins, again after a window, and once more when it is over.

The memory is the stream's newest point of metric `notices` and its companions: `notice:<key>` is when people were last
told, in seconds since 1970; negative once they were told that it is over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dativo_provider.errors import DativoError
from dativo_provider.model.notices import Notice
from dativo_provider.store import Store, StreamKey

__all__ = ["Told", "read_told", "sift"]

_NAME, _PREFIX = "notices", "notice:"
_REMEMBERED = 366 * 86_400.0


@dataclass(frozen=True)
class Told:
    """By key, when people were last told that it is wrong; `open` where they do not know yet that it is over."""

    at: Mapping[str, float] = field(default_factory=dict)
    open: frozenset[str] = frozenset()

    def to_metrics(self) -> dict[str, float]:
        signed = {f"{_PREFIX}{key}": at if key in self.open else -at for key, at in self.at.items()}
        return {_NAME: float(len(self.open)), **signed}

    def after(self, sent: Sequence[Notice], now: float) -> Told:
        """With what was just sent; what was said longer ago than any window is forgotten."""
        wrong = {notice.key for notice in sent if not notice.resolved}
        over = {notice.key for notice in sent if notice.resolved}
        still = (self.open | wrong) - over
        at = {**self.at, **dict.fromkeys(wrong, now)}
        kept = {key: moment for key, moment in at.items() if now - moment < _REMEMBERED}
        return Told(kept, frozenset(still & kept.keys()))


def read_told(store: Store, stream: StreamKey) -> Told:
    """Nothing where the store cannot be reached: better told twice than never."""
    try:
        newest = store.history(stream, _NAME, limit=1)
        values = store.metrics(stream, newest[0].plan_id) if newest else {}
    except DativoError:
        return Told()
    told = {name.removeprefix(_PREFIX): value for name, value in values.items() if name.startswith(_PREFIX)}
    return Told({key: abs(value) for key, value in told.items()}, frozenset(key for key, at in told.items() if at > 0))


def sift(
    wrong: Sequence[Notice], over: Mapping[str, str], told: Told, now: float, window: float
) -> tuple[list[Notice], list[Notice]]:
    """What to send of what is `wrong`, and of what people were told before and is `over` (titles by key)."""
    due = [notice for notice in wrong if now - told.at.get(notice.key, float("-inf")) >= window]
    still = {notice.key for notice in wrong}
    ended = sorted((set(over) & told.open) - still)
    return due, [Notice(key, over[key], resolved=True) for key in ended]
