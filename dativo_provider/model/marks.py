"""Marks: keys a run brings without a row. They are staged beside its data, in the order in which they came."""

from __future__ import annotations

__all__ = ["AFTER", "DELETE", "KEEP", "OP"]

OP = "_dativo_op"  # what the mark says: one of the two below
AFTER = "_dativo_after"  # how many rows of its slice came before it
DELETE = "delete"  # the source has no row of this key any more
KEEP = "keep"  # it has one, which was set aside: nothing is missing
