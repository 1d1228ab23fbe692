"""What a write mode means to those who plan, check and configure runs; how it writes is its leaf in `lake.modes`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dativo_provider.vocabulary import WriteMode

__all__ = ["TRAITS", "ModeTraits"]


@dataclass(frozen=True)
class ModeTraits:
    """`again`: how a full reading of a stream that has rows is published; empty: in this mode too."""

    keyed: bool = False  # the table holds one row, or one history, of each key
    adds: bool = False  # a row that is brought twice is there twice
    reads_all: bool = False  # every run reads everything
    history: bool = False  # adds the columns of `TargetSpec.history`, and rows to those that were staged
    alone: bool = False  # takes away rows that other jobs may have brought
    again: WriteMode | None = None


TRAITS: Mapping[WriteMode, ModeTraits] = {
    "append": ModeTraits(adds=True, again="replace"),
    "replace": ModeTraits(reads_all=True, alone=True),
    "merge": ModeTraits(keyed=True),
    "delete_insert": ModeTraits(alone=True),
    "scd2": ModeTraits(keyed=True, history=True),
}
