"""What an answer means: a page to read, or an error chosen by what can be done about it (ERR-01).

Without a rule of the spec the status decides: 401 expired, 403 forbidden, 404 and 410 missing, 408, 425 and 5xx
transient, 429 rate limited, any other 4xx wrong (REQUIREMENTS 3.17).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from typing import Any

from dativo_provider.connectors.rest.page import at
from dativo_provider.connectors.rest.paginate.base import Missing, Moved
from dativo_provider.connectors.rest.spec import ErrorRule, Meaning
from dativo_provider.connectors.rest.waits import told_wait
from dativo_provider.errors import (
    ConfigurationError,
    CredentialError,
    DativoError,
    RateLimited,
    RetryableError,
    SourceUnavailable,
)

__all__ = ["Forbidden", "Missing", "asked_wait", "error_of", "fits", "meaning", "said_in", "says"]

_BY_STATUS: Mapping[int, Meaning] = {
    401: "expired", 403: "forbidden", 404: "missing", 410: "missing", 408: "transient", 425: "transient",
    429: "rate_limited",
}  # fmt: skip
_SAID = (
    "message", "error.message", "error_description", "errors.0.message", "errors.0.detail", "0.message", "detail",
    "title", "error", "description",
)  # fmt: skip
_SCOPES = ("x-accepted-oauth-scopes", "x-accepted-github-permissions")
_SCOPES_TOLD = (
    "errors.0.context.requiredGranularScopes", "errors.0.context.requiredScopes", "missing_scopes", "required_scopes",
    "needed",
)  # fmt: skip
_EPOCH_FROM = 10_000_000  # a reset header above is a moment, below it is seconds from now
_ANEW = 3600.0  # seconds; a quota that is used up is not asked for again by the same request
_EPOCH_MS_FROM = 100_000_000_000
_LONGEST = 32 * 86_400  # seconds; who asks for more than a month's quota made a mistake
_RESETS = ("ratelimit-reset", "rate-limit-reset")
_LIMITS = re.compile(r',\s*(?=")')  # between the limits of one `RateLimit` header
_PAIR = re.compile(r"\b(r|t|remaining|resets?)=(\d{1,15})\b")


class Forbidden(CredentialError):
    """The credentials lack a right (403)."""

    def naming(self, right: str) -> Forbidden:
        """The same with what the vendor's reference says that it takes."""
        if not right or right in f"{self.message} {self.remedy}":
            return self
        return Forbidden(self.message, where=self.where, remedy=f"{self.remedy}; it takes {right}", **self.details)


def meaning(status: int, body: Any, headers: Mapping[str, str], rules: Sequence[ErrorRule]) -> ErrorRule | None:
    """The rule that an answer falls under; None for a page to read."""
    for rule in rules:
        if _fits(rule, status, body, headers):
            return rule
    if status < 400:
        return None
    return ErrorRule(means=_BY_STATUS.get(status, "transient" if status >= 500 else "wrong"))


def _fits(rule: ErrorRule, status: int, body: Any, headers: Mapping[str, str]) -> bool:
    statuses = [status, f"{status // 100}xx"]
    if rule.status and not any(each in statuses for each in rule.status):
        return False
    if not (rule.status or rule.where or rule.header):
        return False
    values = [(at(body, path), wanted) for path, wanted in rule.where.items()]
    values += [(headers.get(name), wanted) for name, wanted in rule.header.items()]
    return all(says(value, wanted) for value, wanted in values)


def fits(data: Any, rule: Mapping[str, Any]) -> bool:
    """Whether `data` has the values of `rule` at its paths."""
    return all(says(at(data, path), wanted) for path, wanted in rule.items())


def says(value: Any, wanted: Any) -> bool:
    """Whether `value` is `wanted`; `*` is any value, and `text*` or `*text` any text that begins or ends so."""
    if isinstance(wanted, list):
        return any(says(value, each) for each in wanted)
    if not isinstance(wanted, str) or "*" not in wanted or value is None:
        return bool(value == wanted)
    if wanted == "*":
        return True
    text = str(value)
    return text.startswith(wanted[:-1]) if wanted.endswith("*") else text.endswith(wanted[1:])


_ERRORS: Mapping[Meaning, tuple[type[DativoError], str]] = {
    "rate_limited": (RateLimited, "lower source.rate_limits, or run at another time"),
    "quota": (RateLimited, "the quota of the vendor is used up: run again when it starts anew"),
    "transient": (SourceUnavailable, "look at the vendor's status page"),
    "expired": (CredentialError, "renew the credentials of source.connection"),
    "credential": (CredentialError, "renew the credentials of source.connection"),
    "forbidden": (Forbidden, "give the credentials the right to read this"),
    "missing": (Missing, "check source.connection and the stream's name"),
    "moved": (Moved, "run again"),
    "wrong": (ConfigurationError, "correct the request in the API's spec"),
}


def error_of(
    rule: ErrorRule, status: int, body: Any, headers: Mapping[str, str], url: str, now: datetime
) -> DativoError:
    """The error of an answer that falls under `rule`."""
    kind, remedy = _ERRORS[rule.means]
    said = said_in(body)
    text = f"the API answered {status}" + (f": {said}" if said else "")
    wait = {"retry_after": _wait(rule, body, headers, now)} if issubclass(kind, RetryableError) else {}
    return kind(text, where=url, remedy=rule.remedy or _scopes(rule, body, headers) or remedy, **wait)


def _wait(rule: ErrorRule, body: Any, headers: Mapping[str, str], now: datetime) -> float | None:
    """Where the rule says that it stands, else as HTTP says it, else the rule's own."""
    found = told_wait(rule.wait, body, headers, now)
    if found is None:
        found = asked_wait(headers, now, _ERRORS[rule.means][0] is RateLimited)
    if found is None and rule.wait:
        found = rule.wait.otherwise
    return _ANEW if found is None and rule.means == "quota" else found


def _scopes(rule: ErrorRule, body: Any, headers: Mapping[str, str]) -> str:
    """What the API says that the credentials lack: GitHub in a header, RFC 6750 §3 in another, HubSpot in the body."""
    if rule.means not in ("forbidden", "credential", "expired"):
        return ""
    found = [headers.get(name) for name in _SCOPES]
    found += re.findall(r'scope="([^"]+)"', headers.get("www-authenticate", ""))
    found += [at(body, path) for path in _SCOPES_TOLD]
    wanted = next((each for each in found if each), "")
    named = ", ".join(map(str, wanted)) if isinstance(wanted, list) else wanted
    return f"allow the credentials: {named}" if named else ""


def said_in(body: Any) -> str:
    """The message of an answer that is an error."""
    found = next((value for path in _SAID if isinstance(value := at(body, path), str) and value), "")
    return " ".join(found.split())[:300]


def asked_wait(headers: Mapping[str, str], now: datetime, resets: bool = True) -> float | None:
    """Seconds that an answer asks to wait: `Retry-After` (RFC 9110 §10.2.3); with `resets`, else when the limit that is
    used up starts anew (`X-RateLimit-Reset` and its kin, `RateLimit` of draft-ietf-httpapi-ratelimit-headers)."""
    waits = [_retry_after(name.lower(), value, now) for name, value in headers.items()]
    if resets and all(wait is None for wait in waits):
        waits = [_reset(name.lower(), value, headers, now) for name, value in headers.items()]
    known = [wait for wait in waits if wait is not None and wait <= _LONGEST]
    return max(known) if known else None


def _retry_after(name: str, value: str, now: datetime) -> float | None:
    if name.endswith("retry-after"):
        return _seconds(value, now)
    wait = _seconds(value, now) if name.endswith("retry-after-ms") else None
    return wait and wait / 1000


def _reset(name: str, value: str, headers: Mapping[str, str], now: datetime) -> float | None:
    """When a limit starts anew, unless the answer says that some of it is left: it was another one, then."""
    if name.endswith(_RESETS):
        left = headers.get(name.removesuffix("reset") + "remaining", "0").strip()
        return _seconds(value, now) if left in ("0", "") else None
    if not name.endswith("ratelimit") and "-ratelimit-" not in name:
        return None
    pairs = [dict(_PAIR.findall(limit)) for limit in _LIMITS.split(value)]
    waits = [each.get("t") or each.get("reset") or each.get("resets") for each in pairs if _used_up(each)]
    return max((float(wait) for wait in waits if wait), default=None)


def _used_up(limit: Mapping[str, str]) -> bool:
    return (limit.get("r") or limit.get("remaining")) == "0"


def _seconds(text: str, now: datetime) -> float | None:
    try:
        number = Decimal(text.strip())
    except InvalidOperation:
        return _until(text, now)
    if not number.is_finite():
        return None
    if number > _EPOCH_MS_FROM:
        number /= 1000
    return max(0.0, float(number) - now.timestamp() if number > _EPOCH_FROM else float(number))


def _until(text: str, now: datetime) -> float | None:
    """A date as HTTP writes it, or in ISO."""
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            at_ = read(text.strip())
        except (TypeError, ValueError, OverflowError):
            continue
        at_ = at_ if at_.tzinfo else at_.replace(tzinfo=UTC)
        return max(0.0, (at_ - now).total_seconds())
    return None
