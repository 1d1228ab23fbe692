"""Why a connector of another ecosystem ended, told from what it complained of last."""

from __future__ import annotations

import re

from dativo_provider.errors import ConfigurationError, CredentialError, DativoError, RateLimited, SourceUnavailable
from dativo_provider.observability.masking import Masker

__all__ = ["failure_of", "kind_of"]

_LONGEST = 300
_KINDS: tuple[tuple[type[DativoError], re.Pattern[str]], ...] = (
    (RateLimited, re.compile(r"\b429\b|too many requests|rate limit", re.I)),
    (CredentialError, re.compile(
        r"\b40[13]\b|unauthori[sz]ed|forbidden|authenticat|access.?denied|invalid.{0,20}(credential|token|api.?key|"
        r"password)|(password|login|permission).{0,20}(failed|denied)|SignatureDoesNotMatch|InvalidAccessKeyId", re.I)),
    (ConfigurationError, re.compile(
        r"config(uration)? (validation|is missing|is invalid|error)|ConfigValidationError|missing required|"
        r"required (key|property|field|config)|is a required property|unrecognized arguments|no such option", re.I)),
)  # fmt: skip
_REMEDIES: dict[type[DativoError], str] = {
    RateLimited: "let fewer jobs use the account at once, or run later",
    CredentialError: "check the credentials in source.connection and what they are allowed to",
    ConfigurationError: "compare source.connection with the settings that the connector documents",
    SourceUnavailable: "see the log of the task for what it said; the run can be tried again",
}
_TELLING = re.compile(r"CRITICAL|FATAL|ERROR|^\w[\w.]*(Error|Exception)\b|error:", re.I)


def kind_of(text: str) -> type[DativoError]:
    """The class of our tree for a complaint; one that the table does not know may pass by itself."""
    return next((kind for kind, pattern in _KINDS if pattern.search(text)), SourceUnavailable)


def failure_of(title: str, why: str, said: tuple[str, ...], masker: Masker) -> DativoError:
    """The last line that tells something gives the class, and is quoted."""
    last = next((line for line in reversed(said) if _TELLING.search(line)), said[-1] if said else "")
    kind = kind_of(last)
    shown = f"; it said: {masker.mask(last.strip())[:_LONGEST]}" if last else ""
    return kind(f"{title}: {why}{shown}", remedy=_REMEDIES[kind])
