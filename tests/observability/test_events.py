from __future__ import annotations

from typing import get_args

from dativo_provider.observability.events import EVENTS
from dativo_provider.vocabulary import EventType
from tests.support import requirement


@requirement("OBS-06")
def test_every_event_is_explained_once_in_the_order_of_the_vocabulary() -> None:
    assert list(EVENTS) == list(get_args(EventType))
    assert all(EVENTS.values())
