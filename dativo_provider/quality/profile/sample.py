"""A share of the rows, for a profile that need not look at all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dativo_provider.quality.metrics.base import Scene

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["sampled"]


def sampled(scene: Scene, share: float) -> Scene:
    """Each row is in with the chance `share`, the same rows in every pass."""

    def read(columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        import pyarrow.compute as pc

        for at, batch in enumerate(scene.read(columns)):
            chosen = batch.filter(pc.less(pc.random(batch.num_rows, initializer=at), share))
            if chosen.num_rows:
                yield chosen

    return scene if share >= 1 else replace(scene, read=read)
