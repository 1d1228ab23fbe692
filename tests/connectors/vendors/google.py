"""What the fakes of Google's APIs share: logins, the shape of errors, limits, and its discovery documents.

- tokens: https://developers.google.com/identity/protocols/oauth2/service-account - an assertion is signed, lives an
  hour at most and names the endpoint as `aud`; a refresh token that is not known is `invalid_grant`
- errors: https://developers.google.com/workspace/drive/api/guides/handle-errors
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any, ClassVar

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from dativo_provider.model.context import RunContext
from dativo_provider.model.kept import Kept
from dativo_provider.model.settings import Settings
from tests.connectors.vendors.discovery import Discovery
from tests.connectors.vendors.vendor import Answer, Asked, Vendor, route

__all__ = ["ACCOUNT", "Google", "refusal", "service_account"]

ACCOUNT = "robot@project.iam.gserviceaccount.com"
_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
_PEM = _KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()


@cache
def _documents() -> tuple[tuple[str, Discovery], ...]:
    return ("/v4/", Discovery("sheets.v4")), ("/drive/v3/", Discovery("drive.v3", "/drive/v3"))


def _document(asked: Asked) -> Discovery | None:
    return next((document for prefix, document in _documents() if asked.path.startswith(prefix)), None)


def _true(asked: Asked, method: Callable[..., Answer], *given: Any, **found: str) -> Answer:
    made, document = method(*given, **found), _document(asked)
    wrong = document.answered_wrong(asked, made.body) if document and made.status < 300 else ""
    assert not wrong, f"the fake answers what Google does not: {wrong}"
    return made


def service_account() -> dict[str, str]:
    """A key file as the console gives it."""
    return {
        "type": "service_account", "project_id": "project", "private_key_id": "k1", "private_key": _PEM,
        "client_email": ACCOUNT, "client_id": "1", "token_uri": "https://oauth2.googleapis.com/token",
    }  # fmt: skip


def refusal(code: int, message: str, status: str = "", reason: str = "", location: str = "") -> Answer:
    """The shape of Google's errors, with what the newer and the older APIs add."""
    error: dict[str, Any] = {"code": code, "message": message, "status": status}
    if reason:
        error["errors"] = [{"domain": "global", "reason": reason, "message": message, "location": location}]
        error["details"] = [{"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason}]
    return Answer(code, {"error": error})


class Google(Vendor):
    """Requests that the discovery documents do not know are refused."""

    credentials: ClassVar[dict[str, Any]] = {
        "client_id": "c",
        "client_secret": "s3cr3t00",
        "refresh_token": "1//r3fr3sh",
    }
    broken: ClassVar[dict[str, dict[str, Any]]] = {
        "a refresh token that was revoked": {"refresh_token": "1//r3v0ked"},
        "a wrong client secret": {"client_secret": "wr0ngs3cret"},
    }

    def __init__(self) -> None:
        super().__init__()
        self._given = 0
        self.kept = Kept()  # connections and logins, over all readers of a test
        self._tokens: set[str] = set()

    @route("/token", "POST")
    def give_token(self, asked: Asked) -> Answer:
        form = {name: values[0] for name, values in asked.body.items()}
        if form.get("grant_type") == "refresh_token":
            good = all(form.get(name) == value for name, value in self.credentials.items())
        else:
            good = self._signed(form)
        if not good:
            return Answer(400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."})
        self._given += 1
        token = f"ya29.token{self._given}"
        self._tokens.add(token)
        return Answer(body={"access_token": token, "expires_in": 3599, "token_type": "Bearer"})

    def _signed(self, form: dict[str, str]) -> bool:
        try:
            told = jwt.decode(form["assertion"], _KEY.public_key(), ["RS256"], audience=f"{self.url}/token")
        except jwt.PyJWTError:
            return False
        return bool(told["exp"] - told["iat"] <= 3600 and told["iss"] == ACCOUNT and told["scope"])

    def login(self, asked: Asked) -> Answer | None:
        if asked.headers.get("authorization", "").removeprefix("Bearer ") not in self._tokens:
            return refusal(401, "Request had invalid authentication credentials.", "UNAUTHENTICATED", "authError")
        document = _document(asked)
        if document and (why := document.wrong(asked)):
            return refusal(400, why, "INVALID_ARGUMENT", "badRequest", why.partition("'")[2].partition("'")[0])
        return None

    def _routed(self, asked: Asked) -> tuple[Callable[..., Answer], dict[str, str]] | None:
        """What the fake itself answers is held against the document, too."""
        known = super()._routed(asked)
        return known and (partial(_true, asked, known[0]), known[1])

    def _refused(self, asked: Asked) -> Answer | None:
        return None if asked.path == "/token" else super()._refused(asked)

    def context(self) -> RunContext:
        """Of a run in the fake's time."""
        return RunContext(Settings(home=""), now=self.clock.now, cancelled=self.clock, kept=self.kept)

    def expire(self) -> None:
        """All access tokens end now."""
        self._tokens.clear()
