"""One leaf per kind of channel."""
