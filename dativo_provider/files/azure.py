"""Files in Azure Blob Storage. https://learn.microsoft.com/rest/api/storageservices/specifying-conditional-headers-for-blob-service-operations"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from dativo_provider.errors import ConfigurationError, CredentialError, DativoError, MissingExtra, StorageUnavailable
from dativo_provider.files.base import FileInfo, FileMissing, Labels, replaced
from dativo_provider.files.uri import bucket_and_key

__all__ = ["AzureFiles"]

_NONCE = "dativo_writer"  # blob metadata: tells our own write apart from another's when a response got lost
_CLOUD = "blob.core.windows.net"
_DENIED = {401, 403}
_COPY_PAUSE, _COPY_SECONDS = 0.2, 3600


class AzureFiles:
    """`abfss://container@account.dfs.core.windows.net/path`, or `abfs://container/path` with `adls.account-name`.

    Properties are PyIceberg's `adls.*`; without a key or token, Azure's default credential.
    """

    def __init__(self, properties: Mapping[str, str]) -> None:
        self._given = tuple(sorted((k, v) for k, v in properties.items() if k.startswith("adls.")))

    def read(self, uri: str) -> bytes:
        with _translated(uri):
            data: bytes = self._blob(uri).download_blob().readall()
        return data

    def write(self, uri: str, data: bytes) -> None:
        with _translated(uri):
            self._blob(uri).upload_blob(data, overwrite=True)

    def write_new(self, uri: str, data: bytes) -> bool:
        from azure.core.exceptions import ResourceExistsError, ResourceModifiedError

        nonce = uuid.uuid4().hex
        with _translated(uri):
            try:
                self._blob(uri).upload_blob(data, overwrite=False, metadata={_NONCE: nonce})  # If-None-Match: *
            except (ResourceExistsError, ResourceModifiedError):
                return self._is_ours(uri, nonce)
        return True

    def copy(self, source: str, target: str, labels: Labels | None = None) -> None:
        """By the store itself. It has no tags everywhere: they become metadata."""
        from azure.core.exceptions import ResourceNotFoundError

        given = {**labels.metadata, **labels.tags} if labels else {}
        metadata = {_metadata_name(name): quote(value, safe=" ") for name, value in given.items()}
        made, original = self._blob(target), self._blob(source)
        with _translated(source):
            if not original.exists():
                raise ResourceNotFoundError("source")
            made.start_copy_from_url(original.url, metadata=metadata or None)
            _wait(made, source)

    def list(self, prefix: str) -> list[FileInfo]:
        container, key = bucket_and_key(prefix)
        folder = key.rstrip("/") + "/" if key.strip("/") else ""
        root = prefix.partition("://")[0] + "://" + container
        with _translated(prefix):
            client = _service(self._given, _account(container)).get_container_client(container.partition("@")[0])
            found = [
                FileInfo(f"{root}/{blob.name}", blob.size, blob.last_modified.timestamp())
                for blob in client.list_blobs(name_starts_with=folder)
            ]
        return sorted(found, key=lambda info: info.uri)

    def walk(self, prefix: str) -> Iterator[FileInfo]:
        container, key = bucket_and_key(prefix)
        root = prefix.partition("://")[0] + "://" + container
        client = _service(self._given, _account(container)).get_container_client(container.partition("@")[0])
        blobs = iter(client.list_blobs(name_starts_with=key or None))
        while True:
            with _translated(prefix):
                blob = next(blobs, None)
            if blob is None:
                return
            etag, md5 = str(blob.etag).strip('"'), blob.content_settings.content_md5
            version = f"{etag}/{bytes(md5).hex()}" if md5 else etag
            yield FileInfo(f"{root}/{blob.name}", blob.size, blob.last_modified.timestamp(), version)

    def read_part(self, info: FileInfo, at: int, size: int) -> bytes:
        from azure.core import MatchConditions
        from azure.core.exceptions import ResourceModifiedError

        condition = {"etag": f'"{info.version.partition("/")[0]}"', "match_condition": MatchConditions.IfNotModified}
        try:
            with _translated(info.uri):
                try:
                    data: bytes = self._blob(info.uri).download_blob(at, size, **condition).readall()
                except ResourceModifiedError:
                    raise replaced(info.uri) from None
        except FileMissing:
            raise replaced(info.uri, "was removed") from None
        return data

    def delete(self, uri: str) -> None:
        from azure.core.exceptions import ResourceNotFoundError

        with _translated(uri):
            try:
                self._blob(uri).delete_blob()
            except ResourceNotFoundError:
                return

    def exists(self, uri: str) -> bool:
        with _translated(uri):
            return bool(self._blob(uri).exists())

    def _blob(self, uri: str) -> Any:
        container, key = bucket_and_key(uri)
        return _service(self._given, _account(container)).get_blob_client(container.partition("@")[0], key)

    def _is_ours(self, uri: str, nonce: str) -> bool:
        """The client repeats an upload whose response got lost; the repetition then finds the first one's blob."""
        return bool(self._blob(uri).get_blob_properties().metadata.get(_NONCE) == nonce)


def _account(container: str) -> str:
    """`account` of `container@account.dfs.core.windows.net`."""
    return container.partition("@")[2].partition(".")[0]


@lru_cache(maxsize=32)
def _service(given: tuple[tuple[str, str], ...], account: str) -> Any:
    properties = {key.removeprefix("adls."): value for key, value in given}
    name = account or properties.get("account-name", "")
    if not name:
        raise ConfigurationError(
            "it is not said which storage account holds this", where="abfs://",
            remedy="set adls.account-name, or write abfss://container@account.dfs.core.windows.net/path",
        )  # fmt: skip
    try:
        from azure.storage.blob import BlobServiceClient
    except ImportError as problem:
        raise MissingExtra.named("azure", "reading or writing abfs://") from problem
    authority, scheme = properties.get("blob-storage-authority", ""), properties.get("blob-storage-scheme", "https")
    url = f"{scheme}://{authority}/{name}" if authority else f"https://{name}.{_CLOUD}"
    return BlobServiceClient(url, credential=_credential(properties, name))


def _credential(properties: Mapping[str, str], account: str) -> Any:
    if key := properties.get("account-key"):
        return {"account_name": account, "account_key": key}
    if token := properties.get("sas-token"):
        return token
    from azure.identity import ClientSecretCredential, DefaultAzureCredential

    if secret := properties.get("client-secret"):
        return ClientSecretCredential(properties.get("tenant-id", ""), properties.get("client-id", ""), secret)
    return DefaultAzureCredential()


def _metadata_name(name: str) -> str:
    """Names of metadata are those of C# identifiers."""
    return "".join(sign if sign.isalnum() and sign.isascii() else "_" for sign in name)


def _wait(blob: Any, uri: str) -> None:
    deadline = time.monotonic() + _COPY_SECONDS
    while (status := blob.get_blob_properties().copy.status) == "pending" and time.monotonic() < deadline:
        time.sleep(_COPY_PAUSE)
    if status not in ("success", None):
        raise StorageUnavailable(f"the object store's copy ended as '{status}'", where=uri, remedy="run again")


@contextmanager
def _translated(uri: str) -> Iterator[None]:
    from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

    try:
        yield
    except ClientAuthenticationError as problem:
        raise _denied(uri) from problem
    except HttpResponseError as problem:
        raise _refusal(problem, uri) from problem
    except AzureError as problem:
        raise StorageUnavailable(
            f"the object store did not answer: {type(problem).__name__}", where=uri, remedy="check network, then retry"
        ) from problem


def _refusal(problem: Any, uri: str) -> DativoError:
    code = str(getattr(problem, "error_code", "") or problem.status_code)
    if problem.status_code in _DENIED:
        return _denied(uri)
    if code == "ContainerNotFound":
        return ConfigurationError(
            "this container does not exist", where=uri, remedy="create it or correct the warehouse"
        )
    if problem.status_code == 404 or type(problem).__name__ == "ResourceNotFoundError":
        return FileMissing("this blob does not exist", where=uri)
    return StorageUnavailable(f"the object store answered {code}", where=uri, remedy="run again")


def _denied(uri: str) -> CredentialError:
    return CredentialError(
        "the object store refused these credentials", where=uri,
        remedy="renew them, or grant the role Storage Blob Data Contributor on the container",
    )  # fmt: skip
