"""Files in Google Cloud Storage; a generation of 0 is "absent". https://cloud.google.com/storage/docs/request-preconditions"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from dativo_provider.errors import ConfigurationError, CredentialError, DativoError, MissingExtra, StorageUnavailable
from dativo_provider.files.base import FileInfo, FileMissing, Labels, replaced
from dativo_provider.files.uri import bucket_and_key

__all__ = ["GcsFiles"]

_NONCE = "dativo-writer"  # object metadata: tells our own write apart from another's when a response got lost
_SECONDS = 60


class GcsFiles:
    """Properties are PyIceberg's `gcs.*`; without `gcs.oauth2.token`, Google's default credentials."""

    def __init__(self, properties: Mapping[str, str]) -> None:
        self._client = _client(tuple(sorted((k, v) for k, v in properties.items() if k.startswith("gcs."))))

    def read(self, uri: str) -> bytes:
        with _translated(uri):
            data: bytes = self._blob(uri).download_as_bytes(timeout=_SECONDS)
        return data

    def write(self, uri: str, data: bytes) -> None:
        with _translated(uri):
            self._blob(uri).upload_from_string(data, "application/octet-stream", timeout=_SECONDS)

    def write_new(self, uri: str, data: bytes) -> bool:
        from google.api_core.exceptions import PreconditionFailed

        blob, nonce = self._blob(uri), uuid.uuid4().hex
        blob.metadata = {_NONCE: nonce}
        with _translated(uri):
            try:
                blob.upload_from_string(data, "application/octet-stream", if_generation_match=0, timeout=_SECONDS)
            except PreconditionFailed:
                return self._is_ours(uri, nonce)
        return True

    def copy(self, source: str, target: str, labels: Labels | None = None) -> None:
        """By the store itself. It has no tags: they become metadata."""
        made = self._blob(target)
        made.metadata = {**labels.metadata, **labels.tags} if labels else None
        with _translated(source):
            token: str | None = ""
            while token is not None:
                token, _, _ = made.rewrite(self._blob(source), token=token or None, timeout=_SECONDS)

    def list(self, prefix: str) -> list[FileInfo]:
        bucket, key = bucket_and_key(prefix)
        folder = key.rstrip("/") + "/" if key.strip("/") else ""
        with _translated(prefix):
            found = [
                FileInfo(f"gs://{bucket}/{blob.name}", blob.size, blob.updated.timestamp())
                for blob in self._client.list_blobs(bucket, prefix=folder, timeout=_SECONDS)
            ]
        return sorted(found, key=lambda info: info.uri)

    def walk(self, prefix: str) -> Iterator[FileInfo]:
        bucket, key = bucket_and_key(prefix)
        names = "items(name,size,updated,generation,crc32c),nextPageToken"
        blobs = iter(self._client.list_blobs(bucket, prefix=key, fields=names, timeout=_SECONDS))
        while True:
            with _translated(prefix):
                blob = next(blobs, None)
            if blob is None:
                return
            version = f"{blob.generation}/{blob.crc32c}" if blob.crc32c else str(blob.generation)
            yield FileInfo(f"gs://{bucket}/{blob.name}", blob.size, blob.updated.timestamp(), version)

    def read_part(self, info: FileInfo, at: int, size: int) -> bytes:
        """As stored: what was uploaded with `Content-Encoding: gzip` is unpacked by who reads it.
        https://cloud.google.com/storage/docs/json_api/v1/objects/get"""
        bucket, key = bucket_and_key(info.uri)
        blob = self._client.bucket(bucket).blob(key, generation=int(info.version.partition("/")[0]))
        try:
            with _translated(info.uri):
                data: bytes = blob.download_as_bytes(
                    start=at, end=at + size - 1, raw_download=True, checksum=None, timeout=_SECONDS
                )
        except FileMissing:
            raise replaced(info.uri) from None
        return data

    def delete(self, uri: str) -> None:
        from google.api_core.exceptions import NotFound

        with _translated(uri):
            try:
                self._blob(uri).delete(timeout=_SECONDS)
            except NotFound:
                return

    def exists(self, uri: str) -> bool:
        with _translated(uri):
            return bool(self._blob(uri).exists(timeout=_SECONDS))

    def _blob(self, uri: str) -> Any:
        bucket, key = bucket_and_key(uri)
        return self._client.bucket(bucket).blob(key)

    def _is_ours(self, uri: str, nonce: str) -> bool:
        """The client repeats an upload whose response got lost; the repetition then finds the first one's object."""
        bucket, key = bucket_and_key(uri)
        found = self._client.bucket(bucket).get_blob(key, timeout=_SECONDS)
        return found is not None and (found.metadata or {}).get(_NONCE) == nonce


@lru_cache(maxsize=32)
def _client(given: tuple[tuple[str, str], ...]) -> Any:
    properties = dict(given)
    try:
        from google.cloud import storage
    except ImportError as problem:
        raise MissingExtra.named("gcs", "reading or writing gs://") from problem
    from google.auth.exceptions import DefaultCredentialsError
    from google.oauth2.credentials import Credentials

    token, host = properties.get("gcs.oauth2.token"), properties.get("gcs.service.host")
    options = {"api_endpoint": host} if host else None
    credentials = Credentials(token) if token else None  # type: ignore[no-untyped-call]
    try:
        project = properties.get("gcs.project-id") or ("none" if token else None)
        return storage.Client(project, credentials, client_options=options)
    except DefaultCredentialsError as problem:
        raise _no_credentials() from problem


@contextmanager
def _translated(uri: str) -> Iterator[None]:
    from google.api_core import exceptions as google
    from google.auth.exceptions import GoogleAuthError
    from requests import RequestException

    try:
        yield
    except google.GoogleAPICallError as problem:
        raise _refusal(problem, uri) from problem
    except GoogleAuthError as problem:
        raise _no_credentials(uri) from problem
    except (google.RetryError, RequestException) as problem:
        raise StorageUnavailable(
            f"the object store did not answer: {type(problem).__name__}", where=uri, remedy="check network, then retry"
        ) from problem


def _refusal(problem: Any, uri: str) -> DativoError:
    if problem.code in (401, 403):
        return CredentialError(
            f"the object store refused these credentials ({problem.code})", where=uri,
            remedy="renew them, or grant the role Storage Object User on the bucket",
        )  # fmt: skip
    if problem.code == 404 and "bucket" in str(problem.message).lower():
        return ConfigurationError("this bucket does not exist", where=uri, remedy="create it or correct the warehouse")
    if problem.code == 404:
        return FileMissing("this object does not exist", where=uri)
    return StorageUnavailable(f"the object store answered {problem.code}", where=uri, remedy="run again")


def _no_credentials(uri: str = "gs://") -> CredentialError:
    return CredentialError(
        "no valid credentials for Google Cloud Storage", where=uri,
        remedy="give this machine a service account (GOOGLE_APPLICATION_CREDENTIALS), or set gcs.oauth2.token",
    )  # fmt: skip
