"""What catalogs and file systems raise, as the errors that say what to do next."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager

from dativo_provider.errors import ConfigurationError, CredentialError, DativoError, StorageUnavailable
from dativo_provider.lake.catalogs.base import first_line

__all__ = ["is_transient", "translated"]

_DENIED = re.compile(
    r"ACCESS_DENIED|INVALID_ACCESS_KEY|SIGNATURE_DOES_NOT_MATCH|EXPIRED_TOKEN|ExpiredToken|InvalidAccessKeyId"
    r"|SignatureDoesNotMatch|INVALID_CLIENT_TOKEN_ID|UNRECOGNIZED_CLIENT|HTTP status 40[13]",
)
_FULL = {errno.ENOSPC, errno.EDQUOT}


@contextmanager
def translated(where: str) -> Iterator[None]:
    """Turns the storage and catalog errors of the block into ours; anything else passes."""
    try:
        yield
    except DativoError:
        raise
    except Exception as problem:
        known = _known(problem, where)
        if known is None:
            raise
        raise known from problem


def is_transient(problem: Exception) -> bool:
    """Whether trying again may help: a lost race, a lost connection, an unknown outcome."""
    from pyiceberg import exceptions as iceberg

    lost = (
        iceberg.CommitFailedException, iceberg.ValidationException, iceberg.CommitStateUnknownException,
        iceberg.ServiceUnavailableError, iceberg.ServerError, iceberg.WaitingForLockException,
    )  # fmt: skip
    known = _known(problem, "")
    return isinstance(problem, lost) or (known is not None and known.retryable)


def _known(problem: Exception, where: str) -> DativoError | None:
    from dativo_provider.lake.catalogs.registry import leaves

    for leaf in leaves():  # first: errors of HTTP libraries are `OSError`s too
        if found := leaf.failure(problem, where):
            return found
    if isinstance(problem, PermissionError):
        return CredentialError(
            "this process may not read or write here", where=where, remedy="give its user the right to this folder"
        )
    if isinstance(problem, OSError):
        return _storage_error(problem, where)
    return None


def _storage_error(problem: OSError, where: str) -> DativoError:
    said = first_line(problem)
    if problem.errno in _FULL or "No space left" in said:
        return StorageUnavailable(
            "the disk of the warehouse is full", where=where,
            remedy="free space or move the warehouse, then run again; nothing was published",
        )  # fmt: skip
    if _DENIED.search(said):
        return CredentialError(
            f"the object store refused these credentials: {said}", where=where,
            remedy="renew them, or grant them get, put, list and delete on the warehouse",
        )  # fmt: skip
    if "NO_SUCH_BUCKET" in said or "NoSuchBucket" in said:
        return ConfigurationError("the warehouse's bucket does not exist", where=where, remedy="create or correct it")
    return StorageUnavailable(
        f"the warehouse did not answer: {said}",
        where=where,
        remedy="check disk, network and s3.endpoint, then run again",
    )
