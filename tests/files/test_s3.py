"""What an object store can do to us."""

from __future__ import annotations

import socket
from contextlib import suppress
from threading import Thread
from typing import Any

import pytest
from botocore.exceptions import ClientError
from botocore.retries.standard import ExponentialBackoff

from dativo_provider.errors import ConfigurationError, CredentialError, StorageUnavailable
from dativo_provider.files import open_files
from dativo_provider.files import s3 as leaf
from tests.services.framework import free_port
from tests.services.s3 import S3
from tests.services.toxiproxy import Toxiproxy
from tests.support import requirement

ATTEMPTS = 20  # more than a client makes


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients try again as often as ever, without a pause between: older ones sleep for seconds."""
    monkeypatch.setattr(ExponentialBackoff, "delay_amount", lambda *_: 0.0)


def test_wrong_keys_are_a_credential_error_without_the_keys(s3: S3, bucket: str) -> None:
    if s3.kind == "moto":
        pytest.skip("moto checks no signatures")
    files = open_files(f"s3://{bucket}", {**s3.properties, "s3.secret-access-key": "a-wrong-secret"})
    with pytest.raises(CredentialError) as caught:
        files.write(f"s3://{bucket}/x", b"1")
    assert "a-wrong-secret" not in str(caught.value)


def test_half_a_credential_an_unknown_key_and_no_address_are_nothing_to_ask_again(s3: S3, bucket: str) -> None:
    if s3.kind == "moto":
        pytest.skip("moto knows every key")
    for more, error, words in (
        ({"s3.secret-access-key": ""}, CredentialError, "half of the credentials"),
        ({"s3.access-key-id": "nobody"}, CredentialError, "refused these credentials"),
        ({"s3.endpoint": "store:9000"}, ConfigurationError, "no address of an object store"),
    ):
        with pytest.raises(error, match=words) as caught:
            open_files(f"s3://{bucket}", {**s3.properties, **more}).read(f"s3://{bucket}/a")
        assert not caught.value.retryable
        assert s3.secret_key not in str(caught.value)


def test_a_missing_bucket_is_a_setting_to_correct(s3: S3) -> None:
    with pytest.raises(ConfigurationError, match="bucket"):
        open_files("s3://dativo-nowhere/x", s3.properties).write("s3://dativo-nowhere/x", b"1")


@pytest.mark.usefixtures("hasty")
def test_an_unreachable_store_is_retryable(s3: S3) -> None:
    properties = {**s3.properties, "s3.endpoint": f"http://127.0.0.1:{free_port()}", "s3.connect-timeout": "1"}
    with pytest.raises(StorageUnavailable) as caught:
        open_files("s3://bucket/x", properties).read("s3://bucket/x")
    assert caught.value.retryable


def test_expired_credentials_are_not_retried_in_vain(s3: S3, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    files = leaf.S3Files(s3.properties)

    def expired(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "ExpiredToken"}}, "PutObject")

    monkeypatch.setattr(files._client, "put_object", expired)
    with pytest.raises(CredentialError, match="ExpiredToken"):
        files.write(f"s3://{bucket}/x", b"1")


@requirement("ING-25")
def test_a_store_that_ignores_conditional_puts_is_refused(s3: S3, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    files = leaf.S3Files({**s3.properties, "s3.endpoint": s3.endpoint + "/"})  # another name: probed afresh
    put = files._client.put_object
    monkeypatch.setattr(files._client, "put_object", lambda IfNoneMatch="", **more: put(**more))  # noqa: N803
    with pytest.raises(ConfigurationError, match="If-None-Match"):
        files.write_new(f"s3://{bucket}/x", b"1")
    assert files.list(f"s3://{bucket}/") == []


def test_a_lost_response_does_not_hide_our_own_success(s3: S3, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client repeats the put by itself; the store then says that the object exists."""
    files = leaf.S3Files(s3.properties)
    assert files.write_new(f"s3://{bucket}/warm", b"")
    put = files._client.put_object

    def twice(**more: Any) -> Any:
        put(**more)
        return put(**more)

    monkeypatch.setattr(files._client, "put_object", twice)
    assert files.write_new(f"s3://{bucket}/x", b"1")
    monkeypatch.setattr(files._client, "put_object", put)
    assert not files.write_new(f"s3://{bucket}/x", b"1")


def test_a_conflicting_put_is_repeated(s3: S3, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    files = leaf.S3Files(s3.properties)
    assert files.write_new(f"s3://{bucket}/warm", b"")
    put, calls = files._client.put_object, []

    def busy(**more: Any) -> Any:
        calls.append(1)
        if len(calls) < 3:
            raise ClientError({"Error": {"Code": "ConditionalRequestConflict"}}, "PutObject")
        return put(**more)

    monkeypatch.setattr(files._client, "put_object", busy)
    assert files.write_new(f"s3://{bucket}/x", b"1")
    assert len(calls) == 3


def test_endless_conflicts_end(s3: S3, bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    files = leaf.S3Files(s3.properties)
    assert files.write_new(f"s3://{bucket}/warm", b"")
    monkeypatch.setattr(leaf.time, "sleep", lambda _: None)

    def busy(**_: Any) -> Any:
        raise ClientError({"Error": {"Code": "ConditionalRequestConflict"}}, "PutObject")

    monkeypatch.setattr(files._client, "put_object", busy)
    with pytest.raises(StorageUnavailable, match="busy"):
        files.write_new(f"s3://{bucket}/x", b"1")


@requirement("ERR-01", "ING-25")
@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("cut", [0, 17, 60, 119, 200, 400, 600])
def test_an_answer_that_is_cut_off_is_no_empty_file_and_no_empty_folder(
    s3: S3, bucket: str, toxiproxy: Toxiproxy, cut: int
) -> None:
    link = toxiproxy.link(s3.endpoint.rpartition("/")[2])
    files, uri = open_files("s3://x", {**s3.properties, "s3.endpoint": f"http://{link.address}"}), f"s3://{bucket}/x"
    assert files.write_new(uri, b"1")
    link.toxic("limit_data", bytes=cut)
    if cut < 600:  # the object's answer is shorter
        with pytest.raises(StorageUnavailable):
            files.read(uri)
    with pytest.raises(StorageUnavailable):
        files.list(f"s3://{bucket}")
    with suppress(StorageUnavailable):
        assert files.exists(uri)
    link.heal()
    assert (files.read(uri), files.exists(uri), len(files.list(f"s3://{bucket}"))) == (b"1", True, 1)


def store_saying(lines: bytes) -> str:
    """The address of a store that gives this one answer to every request and hangs up."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with listener:
            for _ in range(ATTEMPTS):
                connection, _peer = listener.accept()
                with connection:
                    connection.recv(65536)
                    connection.sendall(lines)

    Thread(target=serve, daemon=True).start()
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


HEAD = b'HTTP/1.1 200 OK\r\nETag: "1"\r\nContent-Length: 1\r\nLast-Modified: Sun, 22 Nov 2026 01:02:03 GMT\r\n\r\n'


@requirement("ERR-01")
@pytest.mark.usefixtures("hasty")
def test_an_answer_that_is_cut_off_within_a_date_is_no_answer(s3: S3) -> None:
    endpoint = store_saying(HEAD[: HEAD.index(b"1:02:03")])
    files = open_files("s3://x", {**s3.properties, "s3.endpoint": endpoint})
    for ask in (files.read, files.exists):
        with pytest.raises(StorageUnavailable):
            ask("s3://x/y")


def test_an_answer_in_chunks_is_a_whole_one(s3: S3) -> None:
    """Proxies and some stores say no length beforehand."""
    endpoint = store_saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n")
    assert open_files("s3://x", {**s3.properties, "s3.endpoint": endpoint}).read("s3://x/y") == b"ab"
