"""Which classifications mean personal data: such columns shape no path, partition, cursor or manifest bound."""

from __future__ import annotations

import re

__all__ = ["is_personal"]

_WORDS = frozenset({"pii", "personal", "sensitive", "spi", "phi", "pci", "gdpr", "pseudonymous", "special"})


def is_personal(classification: str) -> bool:
    """By word: `PII`, `pii:email`, `personal-data`, `sensitive_pii`."""
    return bool(_WORDS & set(re.split(r"[^a-z]+", classification.lower())))
