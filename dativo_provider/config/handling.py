"""`violation_handling:` blocks as the engine sees them."""

from __future__ import annotations

from dativo_provider.config.shapes.checks import ViolationHandling
from dativo_provider.model.handling import Handling
from dativo_provider.vocabulary import OnViolation

__all__ = ["handling_of"]


def handling_of(shape: ViolationHandling | None) -> Handling:
    """`on_quality_violation` is the word for severity error."""
    if shape is None:
        return Handling()
    words: dict[str, OnViolation] = {str(name): word for name, word in shape.by_severity.items()}
    if shape.on_quality_violation:
        words.setdefault("error", shape.on_quality_violation)
    return Handling(
        by_severity=words,
        by_dimension={name.lower(): word for name, word in shape.by_dimension.items()},
        on_error=shape.on_error or "",
        on_not_evaluated=shape.on_not_evaluated or "",
    )
