"""Tells people: a channel is a leaf of `channels/` and an entry of `CHANNELS`."""

from dativo_provider.notify.once import Told, read_told, sift
from dativo_provider.notify.registry import CHANNELS, open_channel
from dativo_provider.notify.send import send
from dativo_provider.notify.words import compose

__all__ = ["CHANNELS", "Told", "compose", "open_channel", "read_told", "send", "sift"]
