"""The inbox: rows in quarantine, looked at, corrected and sent the same way again.

Nothing is overwritten. The quarantine keeps what the source gave; a log beside it says what people did; and that a
row was replayed counts once the state of the main table, in the commit which holds the row, names the replay.
"""

from dativo_provider.pipeline.inbox.box import Box, open_box
from dativo_provider.pipeline.inbox.view import causes, entries, summaries

__all__ = ["Box", "causes", "entries", "open_box", "summaries"]
