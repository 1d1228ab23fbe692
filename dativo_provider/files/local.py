"""Files on a local or mounted disk."""

from __future__ import annotations

import errno
import os
import shutil
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from dativo_provider.errors import ConfigurationError, CredentialError, DativoError, StorageUnavailable
from dativo_provider.files.base import FileInfo, FileMissing, Labels
from dativo_provider.files.uri import local_path, uri_of

__all__ = ["LocalFiles", "fsync_path", "translated"]

_TEMPORARY = ".dativo-tmp-"
_FULL = {errno.ENOSPC, errno.EDQUOT}
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.ENOSYS}


class LocalFiles:
    def __init__(self, properties: Mapping[str, str] | None = None) -> None:
        """Takes no properties."""

    def read(self, uri: str) -> bytes:
        with translated(uri):
            return local_path(uri).read_bytes()

    def write(self, uri: str, data: bytes) -> None:
        with translated(uri), _durable_temporary(local_path(uri), data) as (temporary, target):
            os.replace(temporary, target)

    def write_new(self, uri: str, data: bytes) -> bool:
        with translated(uri), _durable_temporary(local_path(uri), data) as (temporary, target):
            try:
                os.link(temporary, target)  # the only create-if-absent that also makes the content appear at once
            except FileExistsError:
                return False
            except OSError as problem:
                raise _without_links(problem, uri) from problem
        return True

    def copy(self, source: str, target: str, labels: Labels | None = None) -> None:
        """By a hard link, so it takes no space; a file that is linked must never be changed in place."""
        with translated(source), _temporary(local_path(target)) as temporary:
            _link_or_copy(local_path(source), temporary)
            os.replace(temporary, local_path(target))
        fsync_path(local_path(target).parent)

    def list(self, prefix: str) -> list[FileInfo]:
        with translated(prefix):
            return sorted(_walk(local_path(prefix)), key=lambda info: info.uri)

    def delete(self, uri: str) -> None:
        with translated(uri):
            local_path(uri).unlink(missing_ok=True)

    def exists(self, uri: str) -> bool:
        with translated(uri):
            return local_path(uri).is_file()


def _walk(folder: Path) -> Iterator[FileInfo]:
    for root, _, names in os.walk(folder):
        for name in names:
            path = Path(root, name)
            with suppress(FileNotFoundError):  # removed by another process since the listing
                if not name.startswith(_TEMPORARY):
                    found = path.stat()
                    yield FileInfo(uri_of(path), found.st_size, found.st_mtime)


@contextmanager
def _durable_temporary(target: Path, data: bytes) -> Iterator[tuple[str, Path]]:
    """A synced temporary file beside `target`; afterwards it is gone and the folder's entry is on disk."""
    with _temporary(target) as temporary:
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        yield temporary, target


@contextmanager
def _temporary(target: Path) -> Iterator[str]:
    """A free name beside `target`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = str(target.parent / f"{_TEMPORARY}{uuid.uuid4().hex}")
    try:
        yield temporary
    finally:
        with suppress(FileNotFoundError):
            os.unlink(temporary)
    fsync_path(target.parent)


def _link_or_copy(source: Path, target: str) -> None:
    try:
        os.link(source, target)
    except OSError as problem:
        if problem.errno not in _NO_LINKS | {errno.EXDEV, errno.EMLINK}:
            raise
        shutil.copyfile(source, target)
        fsync_path(target)


def fsync_path(path: Path | str) -> None:
    """Push a file's bytes, or a folder's entries, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def translated(uri: str) -> Iterator[None]:
    """`OSError` as the error that says what to do."""
    try:
        yield
    except DativoError:
        raise
    except FileNotFoundError as problem:
        raise FileMissing("this file does not exist", where=uri) from problem
    except PermissionError as problem:
        raise CredentialError(
            "this process may not read or write here", where=uri, remedy="give its user the right, or move the folder"
        ) from problem
    except OSError as problem:
        raise _os_error(problem, uri) from problem


def _os_error(problem: OSError, uri: str) -> DativoError:
    if problem.errno in _FULL:
        return StorageUnavailable(
            "the disk is full", where=uri, remedy="free space or move the warehouse, then run again; nothing is lost"
        )
    if problem.errno in {errno.EROFS, errno.ENOTDIR, errno.EISDIR, errno.ENAMETOOLONG}:
        return ConfigurationError(problem.strerror or str(problem), where=uri, remedy="choose a writable folder")
    return StorageUnavailable(problem.strerror or str(problem), where=uri, remedy="check the disk or mount, then retry")


def _without_links(problem: OSError, uri: str) -> OSError | DativoError:
    if problem.errno not in _NO_LINKS:
        return problem
    return ConfigurationError(
        "this file system has no hard links, so two writers cannot be told apart", where=uri,
        remedy="put DATIVO_HOME and the warehouse on a file system with hard links, or in an object store",
    )  # fmt: skip
