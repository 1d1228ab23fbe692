"""One behaviour for every place small files can be."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote

import pytest

from dativo_provider.files import FileInfo, FileMissing, FileStore, Labels, file_uri, join, open_files
from dativo_provider.files import s3 as s3_files
from tests.services.azurite import Azure
from tests.services.gcs import Gcs
from tests.services.s3 import S3
from tests.support import requirement


class FileStoreSuite:
    """Inherit and give `root`, an empty place, and `store`, which holds it."""

    def test_what_was_written_is_read_back(self, store: FileStore, root: str) -> None:
        store.write(join(root, "a/b.json"), b"\x00text\xff")
        assert store.read(join(root, "a/b.json")) == b"\x00text\xff"

    def test_write_replaces(self, store: FileStore, root: str) -> None:
        for data in (b"longer than", b"this"):
            store.write(join(root, "x"), data)
        assert store.read(join(root, "x")) == b"this"

    def test_an_empty_file_is_a_file(self, store: FileStore, root: str) -> None:
        store.write(join(root, "empty"), b"")
        assert store.exists(join(root, "empty"))
        assert store.read(join(root, "empty")) == b""

    def test_write_new_never_replaces(self, store: FileStore, root: str) -> None:
        assert store.write_new(join(root, "x"), b"first")
        assert not store.write_new(join(root, "x"), b"second")
        assert store.read(join(root, "x")) == b"first"

    def test_write_new_leaves_nothing_else_behind(self, store: FileStore, root: str) -> None:
        for data in (b"first", b"second"):
            store.write_new(join(root, "x"), data)
        assert [info.uri for info in store.list(root)] == [join(root, "x")]

    @requirement("ING-25")
    def test_of_racing_writers_exactly_one_wins(self, store: FileStore, root: str) -> None:
        with ThreadPoolExecutor(8) as pool:
            for number in range(5):
                uri = join(root, f"race-{number}")
                won = list(pool.map(lambda w, uri=uri: store.write_new(uri, b"%d" % w), range(8)))  # type: ignore[misc]
                assert sum(won) == 1
                assert store.read(uri) == b"%d" % won.index(True)

    def test_a_missing_file_is_both_our_error_and_pythons(self, store: FileStore, root: str) -> None:
        with pytest.raises(FileMissing) as caught:
            store.read(join(root, "nowhere"))
        assert isinstance(caught.value, FileNotFoundError)
        assert join(root, "nowhere") in str(caught.value)

    def test_delete_is_idempotent(self, store: FileStore, root: str) -> None:
        store.write(join(root, "x"), b"1")
        for _ in range(2):
            store.delete(join(root, "x"))
        assert not store.exists(join(root, "x"))

    @requirement("ING-08")
    def test_a_copy_is_made_where_the_file_is(self, store: FileStore, root: str) -> None:
        store.write(join(root, "staged/x"), b"rows")
        target = join(root, "region=EU%2FWest/ümläut=1/x y")
        for _ in range(2):
            store.copy(join(root, "staged/x"), target, Labels({"owner": "Zoë"}, {"owner": "Zoë"}))
        assert (store.read(target), store.read(join(root, "staged/x"))) == (b"rows", b"rows")
        assert [info.uri for info in store.list(join(root, "region=EU%2FWest"))] == [target]

    def test_a_copy_replaces_and_outlives_its_source(self, store: FileStore, root: str) -> None:
        store.write(join(root, "x"), b"old")
        store.write(join(root, "staged"), b"new")
        store.copy(join(root, "staged"), join(root, "x"))
        store.delete(join(root, "staged"))
        assert store.read(join(root, "x")) == b"new"

    def test_what_is_not_there_cannot_be_copied(self, store: FileStore, root: str) -> None:
        with pytest.raises(FileMissing):
            store.copy(join(root, "nowhere"), join(root, "x"))
        assert not store.exists(join(root, "x"))

    def test_list_is_recursive_sorted_and_bounded_by_the_folder(self, store: FileStore, root: str) -> None:
        for name in ("in/b/c", "in/a", "in-sibling"):
            store.write(join(root, name), b"123")
        found = store.list(join(root, "in"))
        assert [info.uri for info in found] == [join(root, "in/a"), join(root, "in/b/c")]
        assert all(_recent(info) and info.size == 3 for info in found)

    def test_an_absent_folder_lists_as_empty(self, store: FileStore, root: str) -> None:
        assert store.list(join(root, "nowhere")) == []


def _recent(info: FileInfo) -> bool:
    return abs(info.mtime - time.time()) < 300


class TestLocalFiles(FileStoreSuite):
    @pytest.fixture
    def root(self, tmp_path: Path) -> str:
        return file_uri(tmp_path / "with space")

    @pytest.fixture
    def store(self, root: str) -> FileStore:
        return open_files(root)


class TestS3Files(FileStoreSuite):
    @pytest.fixture
    def root(self, bucket: str) -> str:
        return f"s3://{bucket}/some/folder"

    @pytest.fixture
    def store(self, root: str, s3: S3) -> FileStore:
        return open_files(root, s3.properties)

    @requirement("ING-12")
    def test_labels_are_kept_beside_the_copy(self, store: FileStore, root: str, s3: S3, bucket: str) -> None:
        store.write(join(root, "x"), b"rows")
        labels = Labels({"owner": "Zoë <z@example.org>\n50%"}, {"owner": "Zoë, 50%", "team": "a b"})
        store.copy(join(root, "x"), join(root, "y"), labels)
        client = s3.client()
        kept = client.head_object(Bucket=bucket, Key="some/folder/y")["Metadata"]
        assert unquote(kept["owner"]) == "Zoë <z@example.org>\n50%"
        tags = client.get_object_tagging(Bucket=bucket, Key="some/folder/y")["TagSet"]
        assert {tag["Key"]: tag["Value"] for tag in tags} == {"owner": "Zo__ 50_", "team": "a b"}

    def test_a_large_file_is_copied_in_parts(
        self, store: FileStore, root: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(s3_files, "_LARGEST_COPY", 6 << 20)
        monkeypatch.setattr(s3_files, "_COPIED_PART", 5 << 20)
        s3_files._copying.cache_clear()
        data = os.urandom(11 << 20)
        store.write(join(root, "x"), data)
        store.copy(join(root, "x"), join(root, "y"), Labels({"owner": "me"}, {"owner": "me"}))
        s3_files._copying.cache_clear()
        assert store.read(join(root, "y")) == data

    def test_a_listing_longer_than_one_page_is_complete(self, store: FileStore, root: str) -> None:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda n: store.write(join(root, f"{n:04d}"), b""), range(1010)))
        assert len(store.list(root)) == 1010


@requirement("CON-31")
class TestMinioFiles(FileStoreSuite):
    @pytest.fixture
    def root(self, minio: S3) -> str:
        return f"s3://{minio.bucket()}/some/folder"

    @pytest.fixture
    def store(self, root: str, minio: S3) -> FileStore:
        return open_files(root, minio.properties)


class TestGcsFiles(FileStoreSuite):
    @pytest.fixture
    def root(self, gcs: Gcs) -> str:
        return f"gs://{gcs.bucket()}/some/folder"

    @pytest.fixture
    def store(self, root: str, gcs: Gcs) -> FileStore:
        return open_files(root, gcs.properties)


class TestAzureFiles(FileStoreSuite):
    @pytest.fixture
    def root(self, azurite: Azure) -> str:
        return f"abfss://{azurite.bucket()}@{azurite.account}.dfs.core.windows.net/some/folder"

    @pytest.fixture
    def store(self, root: str, azurite: Azure) -> FileStore:
        return open_files(root, azurite.properties)


class TestAzureFilesOfANamedAccount(TestAzureFiles):
    @pytest.fixture
    def root(self, azurite: Azure) -> str:
        return f"az://{azurite.bucket()}/some/folder"
