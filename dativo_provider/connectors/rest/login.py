"""Logs in once for every reader of a process, and again when the API says that a login is over.

Secrets change while a run goes on: a login that is refused reads them once more, and goes on where they are others.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from typing import Any, cast

from dativo_provider.connectors.rest.answers import asked_wait
from dativo_provider.connectors.rest.auth import Auth, Held
from dativo_provider.connectors.rest.pool import HttpPool, failures, open_pool
from dativo_provider.connectors.rest.spec import Api
from dativo_provider.errors import CredentialError, SourceUnavailable, StorageUnavailable
from dativo_provider.model.context import RunContext
from dativo_provider.model.reader import Keep
from dativo_provider.observability.masking import MASKER, Masker

__all__ = ["Fresh", "Keep", "Login"]

_WHY = ("error_description", "error", "message")  # why a token endpoint refuses
_PAUSES = (0.0, 1.0, 3.0)  # seconds


Fresh = Callable[[], Mapping[str, Any]]  # settings and credentials as they are now


@dataclass
class _Shared:
    """What all clients of one login hold together."""

    lock: Lock = field(default_factory=Lock)
    held: Held | None = None
    values: Mapping[str, Any] | None = None  # other than the first ones, once they were read again
    spent: set[str] = field(default_factory=set)  # credentials that are good once, and were used


class Login:
    """`values` are settings and credentials by name, `base` what `{base_url}` stands for."""

    def __init__(
        self, api: Api, values: Mapping[str, Any], base: str, ctx: RunContext, masker: Masker,
        fresh: Fresh | None = None, keep: Keep | None = None,
    ) -> None:  # fmt: skip
        self._api, self._base, self._ctx, self._masker, self._fresh, self._keep = api, base, ctx, masker, fresh, keep
        self._first = {**values, "base_url": base}  # a spec may put `{base_url}` before other addresses
        self._hide(_secrets(api, self._first))

    @property
    def values(self) -> Mapping[str, Any]:
        """Settings and credentials as they were read last."""
        return self._shared.values or self._first

    @cached_property
    def identity(self) -> str:
        """Tells one login from another without showing it."""
        return self._known_by(self._first)

    @cached_property
    def _turn(self) -> Lock:
        """One at a time of those that know an account by a credential of before and of after: what one is about to
        spend, the other must neither spend nor write back."""
        passing = {name for auth in self._api.auth for name in auth.replaces}
        account = self._known_by({name: value for name, value in self._first.items() if name not in passing})
        return self._ctx.kept.get(("rest.turn", account), Lock)

    def _known_by(self, values: Mapping[str, Any]) -> str:
        told = "\0".join(f"{name}={value}" for name, value in sorted(values.items()))
        return hashlib.sha256(f"{self._api.api}\0{told}".encode()).hexdigest()

    @cached_property
    def http(self) -> HttpPool:
        """Connections and cookies for all requests of a login."""
        return self._ctx.kept.get(("rest.http", self.identity), lambda: open_pool(self._api.timeout))

    def held(self) -> Held:
        """The login as it is, made now if there is none. Raises `CredentialError`, `SourceUnavailable`."""
        with self._shared.lock:
            if self._shared.held is None or self._shared.held.is_over:
                return self._made()
            return self._shared.held

    def renewed(self, old: Held) -> Held:
        """A new login, unless another thread has made one since `old`; `old` where there is no other to be had."""
        with self._shared.lock:
            now = self._shared.held
            if now is not None and now is not old:
                return now
            return self._made() if self._auth.renewable else old

    def reread(self, old: Held) -> Held:
        """A login with the secrets as they are now; `old` when they are what they were."""
        with self._shared.lock:
            now = self._shared.held
            if now is not None and now is not old:
                return now
            return self._made() if self._read_again() else old

    # how ----------------------------------------------------------------------------------------------------

    @cached_property
    def _shared(self) -> _Shared:
        return self._ctx.kept.get(("rest.login", self.identity), _Shared)

    @property
    def _auth(self) -> Auth:
        for auth in self._api.auth:
            if auth.fits(self.values):
                return auth
        ways = ", or ".join(" and ".join(each.needs) for each in self._api.auth)
        raise CredentialError(
            f"no credentials for '{self._api.api}'", where=self._base,
            remedy=f"set in source.connection, as ${{SECRET:NAME}}: {ways}",
        )  # fmt: skip

    def _replaced_meanwhile(self) -> bool:
        """Another task may just have spent a credential that is good once, and be about to write the next."""
        for pause in _PAUSES if self._auth.replaces else (0.0,):
            self._ctx.cancelled.wait(pause)
            if self._read_again():
                return True
        return False

    def _read_again(self) -> bool:
        if self._fresh is None:
            return False
        found = {**self._fresh(), "base_url": self._base}
        kept = (name for name in self._auth.replaces if found.get(name) in self._shared.spent)
        found |= {name: self.values[name] for name in kept}  # a store that could not be written is behind
        if found == dict(self.values):
            return False
        self._hide(_secrets(self._api, found))
        self._shared.values = found
        self._ctx.log.info("the secrets of '%s' have changed and are read anew", self._api.api)
        return True

    def _made(self) -> Held:
        with self._turn:
            self._prove_kept()
            try:
                return self._logged_in()
            except CredentialError:
                if not self._replaced_meanwhile():
                    raise
            self._prove_kept()
            return self._logged_in()

    def _logged_in(self) -> Held:
        held = self._auth.hold(self.values, self._post)
        self._hide(held.secrets)
        self._keep_changed(held)
        _refuse_unsendable(held, self._base)
        self._shared.held = held
        return held

    def _prove_kept(self) -> None:
        """Learns that the next ones can be written, before a login spends these: they must not be lost.

        Another task may have spent and replaced them: what is there is written, never what this one holds, and is read
        last, as what was spent once must not be shown again.
        """
        for name in self._auth.replaces:
            try:
                self._kept.prove(name)
            except CredentialError as error:
                raise CredentialError(
                    f"'{self._api.api}' gives a new '{name}' with each login, and it cannot be kept: {error.message}",
                    where=error.where or self._base,
                    remedy=f"write `{name}: ${{SECRET:NAME.{name}}}` of a provider that writes (docs/secrets.md)",
                ) from error
        if self._auth.replaces:
            self._read_again()

    @property
    def _kept(self) -> Keep:
        if self._keep is None:
            raise CredentialError("there is nowhere to write it")
        return self._keep

    def _keep_changed(self, held: Held) -> None:
        if not held.changed:
            return
        self._shared.spent |= {str(self.values[name]) for name in held.changed}
        self._shared.values = {**self.values, **held.changed}
        for name, value in held.changed.items():
            try:
                self._kept.put(name, value)
            except (CredentialError, StorageUnavailable) as error:
                self._ctx.log.warning(
                    "'%s' gave a new '%s', which could not be kept (%s): if the old one is not good any more, the next "
                    "run cannot log in", self._api.api, name, error.message,
                )  # fmt: skip

    def _hide(self, secrets: Iterator[str] | tuple[str, ...]) -> None:
        """From this reader's errors, and from whatever else this process writes."""
        for secret in secrets:
            self._masker.add(secret)
            MASKER.add(secret)

    def _post(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Mapping[str, Any]:

        from dativo_provider.connectors.rest.decode import parsed

        try:
            with self.http.lent() as http:
                answer = http.post(url, data=dict(form), headers={"Accept": "application/json", **headers})
        except failures() as error:
            raise SourceUnavailable(
                f"the token endpoint could not be asked ({type(error).__name__})", where=url,
                remedy="check source.connection.token_url and the network",
            ) from error  # fmt: skip
        body, _ = parsed(answer.content)
        if answer.status_code >= 500 or answer.status_code == 429:
            raise SourceUnavailable(f"the token endpoint answered {answer.status_code}", where=url,
                                    retry_after=asked_wait(answer.headers, self._ctx.now()))  # fmt: skip
        if answer.status_code < 400 and not isinstance(body, dict):
            raise SourceUnavailable(
                f"the token endpoint answered {answer.status_code} without a JSON object", where=url,
                remedy="look whether token_url is right, or a proxy or a login page answers for it",
            )  # fmt: skip
        if answer.status_code >= 400:
            told = body if isinstance(body, dict) else {}
            why = next((told[name] for name in _WHY if isinstance(told.get(name), str)), "")
            raise CredentialError(
                f"the token endpoint refused the login ({answer.status_code}{f': {why}' if why else ''})", where=url,
                remedy="renew the credentials of source.connection",
            )  # fmt: skip
        return cast("Mapping[str, Any]", body)


def _secrets(api: Api, values: Mapping[str, Any]) -> Iterator[str]:
    """Credentials of every login, and settings that the spec calls secret, whatever their names."""
    names = {name for auth in api.auth for name in auth.needs} - api.settings.keys()
    names |= {name for name, each in api.settings.items() if each.secret}
    return (str(values[name]) for name in names if values.get(name))


def _refuse_unsendable(held: Held, where: str) -> None:
    """Raises `CredentialError` for a line end or a letter with an accent in a header: no library can send it."""
    for name, value in held.headers.items():
        if not (value.isascii() and value.isprintable()):
            raise CredentialError(
                f"the credentials cannot be sent in the header {name}: they hold a line end or another character that "
                "no header may have",
                where=where, remedy="store the secret again, without what stands around it",
            )  # fmt: skip
