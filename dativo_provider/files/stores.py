"""Object stores a job may name: the words of its `target.connection`, and PyIceberg's for them.
https://py.iceberg.apache.org/configuration/#fileio"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from dativo_provider.errors import ConfigurationError

__all__ = ["STORAGE", "STORES", "properties_of", "store_properties"]

_PLACE = frozenset({"path", "bucket", "prefix", "secure", "path_style_access"})  # said of targets, or said elsewhere
STORAGE = ("s3.", "client.", "gcs.", "adls.")  # how PyIceberg's storage properties begin


@dataclass(frozen=True)
class Store:
    """`address`: the words that name another store than the deployment's; then one of `keys` must be given too."""

    words: Mapping[str, str]
    address: frozenset[str]
    keys: frozenset[str]
    remedy: str

    def lacks_key(self, given: Mapping[str, str]) -> bool:
        return bool(self.address & set(given)) and not self.keys & set(given)


def _words(prefix: str, names: str, **others: str) -> dict[str, str]:
    """`access_key_id` and `s3.access-key-id` both stand for the latter."""
    properties = {name.replace("-", "_"): f"{prefix}.{name}" for name in names.split()}
    return properties | {name: f"{prefix}.{found}" for name, found in others.items()}


_S3 = Store(
    _words(
        "s3", "endpoint access-key-id secret-access-key session-token region force-virtual-addressing connect-timeout "
        "request-timeout", endpoint_url="endpoint", access_key="access-key-id", secret_key="secret-access-key",
    ),
    address=frozenset({"s3.endpoint"}), keys=frozenset({"s3.access-key-id"}),
    remedy="access_key_id and secret_access_key",
)  # fmt: skip
_GCS = Store(
    _words("gcs", "project-id service.host", endpoint="service.host", token="oauth2.token"),
    address=frozenset({"gcs.service.host"}), keys=frozenset({"gcs.oauth2.token"}), remedy="token",
)  # fmt: skip
_AZURE = Store(
    _words(
        "adls", "account-name account-key sas-token tenant-id client-id client-secret blob-storage-authority "
        "blob-storage-scheme dfs-storage-authority dfs-storage-scheme",
    ),
    address=frozenset({"adls.account-name", "adls.blob-storage-authority", "adls.dfs-storage-authority"}),
    keys=frozenset({"adls.account-key", "adls.sas-token", "adls.client-secret"}),
    remedy="account_key, sas_token or client_secret",
)  # fmt: skip
STORES: Mapping[str, Store] = {"s3": _S3, "minio": _S3, "gcs": _GCS, "azure": _AZURE}


def store_properties(connection: Mapping[str, Any]) -> dict[str, str]:
    """`connection: {s3: {...}}` (or minio, gcs, azure), or the words of S3 directly."""
    found: dict[str, str] = {}
    for name, store in STORES.items():
        block = {**(connection if store is _S3 else {}), **dict(connection.get(name) or {})}
        found |= {store.words[key]: str(value) for key, value in block.items() if key in store.words and value}
        if store is _S3 and found.get("s3.endpoint"):
            found["s3.endpoint"] = _with_scheme(found["s3.endpoint"], block)
    return found


def properties_of(name: str, connection: Mapping[str, Any]) -> dict[str, str]:
    """The words of the store `name`, written into `connection` itself or into its block `name`.

    Raises `ConfigurationError` for a word it does not have, or an address without a key for it.
    """
    store, block = STORES[name], {**connection, **dict(connection.get(name) or {})}
    given = {key: value for key, value in block.items() if key not in STORES and value not in (None, "")}
    if unknown := sorted(set(given) - store.words.keys() - _PLACE):
        near = get_close_matches(unknown[0], store.words, 1)
        raise ConfigurationError(
            f"'{name}' has no setting '{unknown[0]}'", where="source.connection",
            remedy=f"did you mean '{near[0]}'?" if near else f"known: {', '.join(sorted(store.words))}",
        )  # fmt: skip
    found = store_properties({name: given})
    if store.lacks_key(found):
        raise ConfigurationError(
            "the job names an object store of its own but no key for it", where="source.connection",
            remedy=f"add {store.remedy}; the deployment's are not sent to other stores",
        )  # fmt: skip
    return found


def _with_scheme(endpoint: str, block: Mapping[str, Any]) -> str:
    """MinIO's own clients take `host:port` and `secure`."""
    if "://" in endpoint or endpoint.startswith("${"):
        return endpoint
    return f"http{'' if block.get('secure') is False else 's'}://{endpoint}"
