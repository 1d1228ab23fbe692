"""Cursors at rest, encrypted where a deployment, a tenant or a job gives a key (STA-06): AES-256-GCM.

A sealed cursor is `{"sealed": "v1.<key id>.<nonce>.<ciphertext>"}`; it is bound to its table and lane, so that one
record cannot be put in the place of another. The rest of a state (its number, plan ids) says nothing about the data.
NIST SP 800-38D, https://doi.org/10.6028/NIST.SP.800-38D
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from dativo_provider.errors import ConfigurationError, CredentialError
from dativo_provider.files import FileStore
from dativo_provider.model.run import State
from dativo_provider.model.stream import Cursor

__all__ = ["Seal", "opened", "seal_from", "sealed", "with_seal"]

_VERSION, _NONCE_BYTES, _KEY_BYTES = "v1", 12, 32
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MAKE_ONE = "give 32 random bytes as base64 (openssl rand -base64 32) by ${SECRET:…}"


class Seal:
    """`keys` by id: the one named `current` writes, all of them read."""

    def __init__(self, current: str, keys: Mapping[str, bytes]) -> None:
        self._current, self._keys = current, keys

    def close(self, text: str, bound: str) -> str:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        hidden = _cipher(self._keys[self._current]).encrypt(nonce, text.encode(), bound.encode())
        return ".".join([_VERSION, self._current, _encoded(nonce), _encoded(hidden)])

    def open(self, envelope: str, bound: str) -> str:
        """Raises `CredentialError` when the key is unknown, or does not fit this record."""
        from cryptography.exceptions import InvalidTag

        _version, key_id, nonce, hidden = envelope.split(".")
        if key_id not in self._keys:
            raise CredentialError(
                f"this state was encrypted with the key '{key_id}', which is not given",
                where=bound,
                remedy=f"add it under state_encryption.old_keys (given: {', '.join(sorted(self._keys)) or 'none'})",
            )
        try:
            return str(_cipher(self._keys[key_id]).decrypt(_decoded(nonce), _decoded(hidden), bound.encode()).decode())
        except (InvalidTag, binascii.Error) as problem:
            raise CredentialError(
                f"the key '{key_id}' does not open this state",
                where=bound,
                remedy="give the key that it was encrypted with; if that is the one, the record was tampered with",
            ) from problem


def seal_from(given: Mapping[str, Any], where: str) -> Seal | None:
    """Of `{key, key_id, old_keys: {<id>: <key>}}` with references resolved; None when nothing is given.

    Raises `ConfigurationError`, which never shows a key.
    """
    if not given:
        return None
    current = str(given.get("key_id") or "1")
    named = {**dict(given.get("old_keys") or {}), current: given.get("key") or ""}
    if bad := [name for name in named if not _KEY_ID.fullmatch(str(name))]:
        raise ConfigurationError(f"'{bad[0]}' is no id of a key", where=where, remedy="use letters, digits, _ and -")
    return Seal(current, {str(name): _key(str(text), str(name), where) for name, text in named.items()})


def _key(text: str, name: str, where: str) -> bytes:
    try:
        found = base64.b64decode(text.strip(), altchars=b"-_" if {"-", "_"} & set(text) else None, validate=True)
    except ValueError:
        found = b""
    if len(found) != _KEY_BYTES:
        raise ConfigurationError(f"the state key '{name}' is not 32 bytes as base64", where=where, remedy=_MAKE_ONE)
    return found


def _cipher(key: bytes) -> Any:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text)


class _SealingFiles:
    """A file store that carries the key of the states whose place it is."""

    def __init__(self, store: FileStore, seal: Seal) -> None:
        self._store, self.seal = store, seal

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def with_seal(files: FileStore, seal: Seal | None) -> FileStore:
    return files if seal is None else cast("FileStore", _SealingFiles(files, seal))


def _seal_of(files: FileStore) -> Seal:
    return files.seal if isinstance(files, _SealingFiles) else Seal("", {})


def sealed(state: State, files: FileStore, table: str, key: str) -> State:
    """`state` as it may be written down; as it is where `files` carry no key."""
    if state.cursor is None or not isinstance(files, _SealingFiles):
        return state
    text = json.dumps(dict(state.cursor.value), allow_nan=False, default=str)
    return replace(state, cursor=Cursor({"sealed": files.seal.close(text, _bound(table, key))}))


def opened(state: State, files: FileStore, table: str, key: str) -> State:
    """The inverse. States written before there was a key are read as they are. Raises `CredentialError`."""
    if state.cursor is None or set(state.cursor.value) != {"sealed"}:
        return state
    text = _seal_of(files).open(str(state.cursor.value["sealed"]), _bound(table, key))
    return replace(state, cursor=Cursor(json.loads(text)))


def _bound(table: str, key: str) -> str:
    return f"{table} {key}"
