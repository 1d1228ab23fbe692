"""PyIceberg's Arrow FileIO for object stores, which tells an answer that was cut off from a whole one.

Arrow's S3 client takes a response that ends within its headers for a good one without a body
(https://www.rfc-editor.org/rfc/rfc9112#section-8 calls it incomplete). A HEAD then says that the file is empty, and a
GET leaves the memory that it should fill as it was: with whatever was read into it before. And stores begin to answer
the completion of an upload while they work on it, so that one that was cut off says nothing about its success.
https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, NoReturn

import pyarrow as pa
from pyarrow.fs import FileInfo, FileSystemHandler, FileType, PyFileSystem
from pyiceberg.io.pyarrow import PyArrowFileIO

__all__ = ["RemoteFileIO", "WholeAnswers"]

_TAIL = 64  # bytes at the end that tell whether anything was written


class RemoteFileIO(PyArrowFileIO):  # type: ignore[misc]
    def _initialize_fs(self, scheme: str, netloc: str | None = None) -> Any:
        found = super()._initialize_fs(scheme, netloc)
        return found if found.type_name == "local" else PyFileSystem(WholeAnswers(found))


class _Reader:
    """What Arrow needs of a Python file. No file of ours is empty."""

    closed = False

    def __init__(self, opened: pa.NativeFile, path: str) -> None:
        self._opened, self._path, self._at, self._size = opened, path, 0, opened.size()
        if not self._size:
            raise _cut_off(path)

    def read(self, wanted: int = -1) -> pa.Buffer:
        left = max(0, self._size - self._at)
        count = left if wanted is None or wanted < 0 else min(wanted, left)
        data = self._filled(count, b"\x00")
        if not any(data[-_TAIL:]) and self._filled(count, b"\xff") != data:  # where nothing is written, both differ
            raise _cut_off(self._path)
        self._at += count
        return pa.py_buffer(data)

    def _filled(self, count: int, mark: bytes) -> bytearray:
        """So many bytes from here; those that did not come are `mark`."""
        data = bytearray(count) if mark == b"\x00" else bytearray(mark * count)
        if not count:  # at the end of a file there is nothing to seek: GCS refuses such a range
            return data
        self._opened.seek(self._at)
        if self._opened.readinto(data) < count:
            raise _cut_off(self._path)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        return self._at

    def close(self) -> None:
        self.closed = True
        self._opened.close()


class _Writer:
    """What Arrow needs of a Python file to write; closed, it is there in full length."""

    closed = False

    def __init__(self, opened: pa.NativeFile, path: str, length: Callable[[], int]) -> None:
        self._opened, self._path, self._length, self._at = opened, path, length, 0

    def write(self, data: pa.Buffer | bytes) -> None:
        self._opened.write(data)
        self._at += len(data)

    def flush(self) -> None:
        self._opened.flush()

    def tell(self) -> int:
        return self._at

    def close(self) -> None:
        self.closed = True
        self._opened.close()
        if self._length() != self._at:
            raise _cut_off(self._path)


def _cut_off(path: str) -> OSError:
    return OSError(f"the object store's answer was cut off: {path}")


def _delegated(name: str) -> Callable[..., Any]:
    return lambda self, *given: getattr(self.store, name)(*given)


class WholeAnswers(FileSystemHandler):  # type: ignore[misc]
    """`store`, where reading and writing raise `OSError` for what did not come, or was not kept, whole."""

    def __init__(self, store: Any) -> None:
        self.store = store

    def get_type_name(self) -> str:
        return str(self.store.type_name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, WholeAnswers) and bool(self.store == other.store)

    __hash__ = None  # type: ignore[assignment]

    def get_file_info(self, paths: list[str]) -> list[FileInfo]:
        found: list[FileInfo] = self.store.get_file_info(paths)
        for info in found:
            if info.type == FileType.File and not info.size:
                raise _cut_off(info.path)
        return found

    def open_input_file(self, path: str) -> pa.NativeFile:
        return pa.PythonFile(_Reader(self.store.open_input_file(path), path), mode="r")

    open_input_stream = open_input_file

    def open_output_stream(self, path: str, metadata: dict[str, str] | None) -> pa.NativeFile:
        opened = self.store.open_output_stream(path, metadata=metadata)
        return pa.PythonFile(_Writer(opened, path, lambda: self.store.get_file_info(path).size), mode="w")

    def open_append_stream(self, path: str, metadata: dict[str, str] | None) -> NoReturn:
        raise NotImplementedError("objects are written whole")

    def create_dir(self, path: str, recursive: bool) -> None:
        self.store.create_dir(path, recursive=recursive)

    def delete_root_dir_contents(self) -> NoReturn:
        raise NotImplementedError("nothing here empties a store")

    def delete_dir_contents(self, path: str, missing_dir_ok: bool) -> None:
        self.store.delete_dir_contents(path, missing_dir_ok=missing_dir_ok)

    get_file_info_selector = _delegated("get_file_info")
    delete_dir, delete_file = _delegated("delete_dir"), _delegated("delete_file")
    move, copy_file, normalize_path = _delegated("move"), _delegated("copy_file"), _delegated("normalize_path")
