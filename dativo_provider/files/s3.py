"""Files in S3 or a store that speaks its protocol, with conditional puts.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlencode

from dativo_provider.errors import (
    ConfigurationError,
    CredentialError,
    DataError,
    DativoError,
    MissingExtra,
    RateLimited,
    StorageUnavailable,
)
from dativo_provider.files.base import FileInfo, FileMissing, Labels, replaced
from dativo_provider.files.uri import bucket_and_key, join, parent

__all__ = ["S3Files", "make_client"]

_NONCE = "dativo-writer"  # object metadata: tells our own write apart from another's when a response got lost
_CONFLICT_ATTEMPTS = 5
_LARGEST_COPY, _COPIED_PART = 4 << 30, 256 << 20
_PLAIN = " !#$&'()*+,-./:;<=>?@[]^_`{|}~"
_NO_TAG = re.compile(r"[^\w \-.:/=+@]", re.ASCII)  # MinIO takes no other letters
_ABSENT = {"404", "NoSuchKey", "NotFound"}
_EXISTS = {"412", "PreconditionFailed"}
_CONFLICT = {"409", "ConditionalRequestConflict", "OperationAborted"}
_DENIED = {
    "401", "403", "AccessDenied", "AllAccessDisabled", "ExpiredToken", "ExpiredTokenException", "Forbidden",
    "InvalidAccessKeyId", "InvalidToken", "RequestExpired", "SignatureDoesNotMatch", "TokenRefreshRequired",
    "XAdminUserNotFound",  # of VersityGW
}  # fmt: skip
_honoured: set[tuple[str, str]] = set()  # (endpoint, bucket) whose conditional puts were seen to work


def make_client(properties: Mapping[str, str]) -> Any:
    """A boto3 client from PyIceberg's `s3.*`/`client.*` properties; what is absent comes from boto3's own chain.

    Clients are slow to make and safe to share between threads, so equal properties give the same one.
    """
    given = tuple(sorted((k, v) for k, v in properties.items() if k.startswith(("s3.", "client."))))
    with _made(properties.get("s3.endpoint", "")):
        return _client(given)


@contextmanager
def _made(endpoint: str) -> Iterator[None]:
    """Settings of which no client can be made are nothing to ask the store about again."""
    try:
        yield
    except Exception as problem:
        if type(problem).__name__ == "PartialCredentialsError":
            raise CredentialError(
                "half of the credentials for the object store is missing", where=endpoint or "S3",
                remedy="give both the access key's id and its secret, or neither and this machine a role",
            ) from problem  # fmt: skip
        if isinstance(problem, ValueError) and endpoint:
            raise ConfigurationError(
                "this is no address of an object store", where=endpoint, remedy="write it as https://host:port"
            ) from problem
        raise


@lru_cache(maxsize=32)
def _client(given: tuple[tuple[str, str], ...]) -> Any:
    properties = dict(given)
    try:
        import boto3
        from botocore.config import Config
    except ImportError as problem:
        raise MissingExtra.named("s3", "reading or writing s3://") from problem

    def value(name: str) -> str | None:
        return properties.get(f"s3.{name}") or properties.get(f"client.{name}") or None

    virtual = properties.get("s3.force-virtual-addressing", "").lower() in {"true", "1"}
    session = boto3.Session(profile_name=value("profile-name"))
    client = session.client(
        "s3",
        endpoint_url=value("endpoint"),
        region_name=value("region") or session.region_name or "us-east-1",
        aws_access_key_id=value("access-key-id"),
        aws_secret_access_key=value("secret-access-key"),
        aws_session_token=value("session-token"),
        config=Config(
            s3={"addressing_style": "virtual" if virtual else "path" if value("endpoint") else "auto"},
            connect_timeout=float(value("connect-timeout") or 10),
            read_timeout=float(value("request-timeout") or 60),
            retries={"mode": "standard", "max_attempts": 4},
        ),
    )
    for operation in ("GetObject", "HeadObject"):
        client.meta.events.register(f"before-parse.s3.{operation}", _check_told)
    return client


def _check_told(response_dict: Mapping[str, Any], **_: Any) -> None:
    """An answer that ends within its headers passes for one without a body, that is for an empty object.
    https://www.rfc-editor.org/rfc/rfc9112#section-8"""
    from botocore.exceptions import ConnectionClosedError

    told = response_dict["headers"].get("content-length") or response_dict["headers"].get("transfer-encoding")
    if response_dict["status_code"] < 300 and not told:
        raise ConnectionClosedError(endpoint_url="of the object store")


def _check_listing(page: Mapping[str, Any], uri: str) -> None:
    """An answer whose body did not come passes for an empty folder. What always comes says whether more follows:
    https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html"""
    if "IsTruncated" not in page:
        raise StorageUnavailable("the object store's answer was cut off", where=uri, remedy="run again")


class S3Files:
    def __init__(self, properties: Mapping[str, str]) -> None:
        self._client = make_client(properties)
        self._endpoint = properties.get("s3.endpoint", "")

    def read(self, uri: str) -> bytes:
        bucket, key = bucket_and_key(uri)
        with _translated(uri):
            data: bytes = self._client.get_object(Bucket=bucket, Key=key)["Body"].read()
        return data

    def write(self, uri: str, data: bytes) -> None:
        bucket, key = bucket_and_key(uri)
        with _translated(uri):
            self._client.put_object(Bucket=bucket, Key=key, Body=data)

    def write_new(self, uri: str, data: bytes) -> bool:
        self._require_conditional_puts(uri)
        return self._put_absent(uri, data)

    def copy(self, source: str, target: str, labels: Labels | None = None) -> None:
        """By the store itself; in parts beyond the size one request may copy."""
        (bucket, key), (to_bucket, to_key) = bucket_and_key(source), bucket_and_key(target)
        with _translated(source):
            self._client.copy(
                {"Bucket": bucket, "Key": key}, to_bucket, to_key, ExtraArgs=_labelled(labels), Config=_copying()
            )

    def list(self, prefix: str) -> list[FileInfo]:
        bucket, key = bucket_and_key(prefix)
        folder = key.rstrip("/") + "/" if key.strip("/") else ""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=folder)
        kind = prefix.partition("://")[0]
        found: list[FileInfo] = []
        with _translated(prefix):
            for page in pages:
                _check_listing(page, prefix)
                found += [
                    FileInfo(f"{kind}://{bucket}/{item['Key']}", item["Size"], item["LastModified"].timestamp())
                    for item in page.get("Contents", [])
                ]
        return sorted(found, key=lambda info: info.uri)

    def walk(self, prefix: str) -> Iterator[FileInfo]:
        bucket, key = bucket_and_key(prefix)
        kind = prefix.partition("://")[0]
        pages = iter(self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key))
        while True:
            with _translated(prefix):
                page = next(pages, None)
            if page is None:
                return
            _check_listing(page, prefix)
            for item in page.get("Contents", []):
                changed, etag = item["LastModified"].timestamp(), item.get("ETag", "").strip('"')
                yield FileInfo(f"{kind}://{bucket}/{item['Key']}", item["Size"], changed, etag)

    def read_part(self, info: FileInfo, at: int, size: int) -> bytes:
        """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html"""
        from botocore.exceptions import ClientError

        bucket, key = bucket_and_key(info.uri)
        with _translated(info.uri):
            try:
                asked = {"Range": f"bytes={at}-{at + size - 1}", "IfMatch": f'"{info.version}"'}
                data: bytes = self._client.get_object(Bucket=bucket, Key=key, **asked)["Body"].read()
            except ClientError as problem:
                raise _part_error(problem, info.uri) from problem
        return data

    def delete(self, uri: str) -> None:
        bucket, key = bucket_and_key(uri)
        with _translated(uri):
            self._client.delete_object(Bucket=bucket, Key=key)

    def exists(self, uri: str) -> bool:
        bucket, key = bucket_and_key(uri)
        try:
            with _translated(uri):
                self._client.head_object(Bucket=bucket, Key=key)
        except FileMissing:
            return False
        return True

    def _put_absent(self, uri: str, data: bytes) -> bool:
        nonce = uuid.uuid4().hex
        for attempt in range(_CONFLICT_ATTEMPTS):
            outcome = self._conditional_put(uri, data, nonce)
            if outcome == "created":
                return True
            if outcome == "exists":
                return self._is_ours(uri, nonce)
            time.sleep(0.05 * 2**attempt)
        raise StorageUnavailable("other writers kept this object busy", where=uri, remedy="run again")

    def _is_ours(self, uri: str, nonce: str) -> bool:
        """boto3 repeats a put whose response got lost; the repetition then finds the first one's object.

        Its body is asked for as well: only with that is it known that all headers came.
        """
        bucket, key = bucket_and_key(uri)
        with suppress(FileMissing), _translated(uri):
            found = self._client.get_object(Bucket=bucket, Key=key)
            found["Body"].read()
            return bool(found.get("Metadata", {}).get(_NONCE) == nonce)
        return False

    def _conditional_put(self, uri: str, data: bytes, nonce: str) -> str:
        from botocore.exceptions import ClientError

        bucket, key = bucket_and_key(uri)
        with _translated(uri):
            try:
                self._client.put_object(Bucket=bucket, Key=key, Body=data, IfNoneMatch="*", Metadata={_NONCE: nonce})
            except ClientError as problem:
                if _code(problem) in _EXISTS:
                    return "exists"
                if _code(problem) in _CONFLICT:
                    return "conflict"
                raise
        return "created"

    def _require_conditional_puts(self, uri: str) -> None:
        """Some stores accept `If-None-Match` and ignore it; there two attempts would overwrite each other."""
        known = (self._endpoint, bucket_and_key(uri)[0])
        if known in _honoured:
            return
        probe = join(parent(uri), f".dativo-probe-{uuid.uuid4().hex}")
        try:
            self._put_absent(probe, b"1")
            honoured = not self._put_absent(probe, b"2")
        finally:
            self.delete(probe)
        if not honoured:
            raise ConfigurationError(
                "this object store ignores If-None-Match, so runs could overwrite each other", where=uri,
                remedy="use a store with conditional writes (S3, MinIO, VersityGW, R2), or a newer version of this one",
            )  # fmt: skip
        _honoured.add(known)


@lru_cache(maxsize=1)
def _copying() -> Any:
    """One request copies up to 5 GB: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html"""
    from boto3.s3.transfer import TransferConfig

    return TransferConfig(multipart_threshold=_LARGEST_COPY, multipart_chunksize=_COPIED_PART, use_threads=False)


def _labelled(labels: Labels | None) -> dict[str, Any]:
    """Metadata travels in headers, which are ASCII; tags take a few more signs, but not every one."""
    if labels is None:
        return {}
    return {
        "Metadata": {name: quote(value, safe=_PLAIN) for name, value in labels.metadata.items()},
        "MetadataDirective": "REPLACE",
        "Tagging": urlencode({name: _tag(value) for name, value in labels.tags.items()}),
        "TaggingDirective": "REPLACE",
    }


def _tag(value: str) -> str:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html"""
    return _NO_TAG.sub("_", value)[:256]


def _code(problem: Any) -> str:
    return str(problem.response.get("Error", {}).get("Code", ""))


@contextmanager
def _translated(uri: str) -> Iterator[None]:
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError
    from botocore.parsers import ResponseParserError

    try:
        yield
    except ClientError as problem:
        raise _client_error(problem, uri) from problem
    except (NoCredentialsError, PartialCredentialsError) as problem:
        raise CredentialError(
            "no credentials for the object store", where=uri,
            remedy="set s3.access-key-id and s3.secret-access-key, or give this machine a role",
        ) from problem  # fmt: skip
    except (BotoCoreError, ResponseParserError, ValueError) as problem:  # ValueError: a header cut in its middle
        raise StorageUnavailable(
            f"the object store did not answer: {type(problem).__name__}",
            where=uri,
            remedy="check the endpoint of the store, then retry",
        ) from problem


def _part_error(problem: Any, uri: str) -> DativoError:
    code = _code(problem)
    if code in _EXISTS | {"416", "InvalidRange"}:
        return replaced(uri)
    if code in _ABSENT:
        return replaced(uri, "was removed")
    if code == "InvalidObjectState":
        return DataError("the object is archived", where=uri, remedy="restore it first, or leave it out of the pattern")
    if code in ("SlowDown", "503", "TooManyRequests"):
        return RateLimited("the object store asks to slow down", where=uri, remedy="run again with fewer slices")
    return _client_error(problem, uri)


def _client_error(problem: Any, uri: str) -> DativoError:
    code = _code(problem)
    if code == "NoSuchBucket":
        return ConfigurationError("this bucket does not exist", where=uri, remedy="create it or correct the warehouse")
    if code in _ABSENT:
        return FileMissing("this object does not exist", where=uri)
    if code in _DENIED:
        return CredentialError(
            f"the object store refused these credentials ({code})", where=uri,
            remedy="renew them, or grant them get and list on this prefix, to write put and delete too",
        )  # fmt: skip
    return StorageUnavailable(f"the object store answered {code}", where=uri, remedy="retry; see its own log otherwise")
