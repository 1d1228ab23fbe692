"""What catalogs and file systems raise, as the errors that say what to do next."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager

from dativo_provider.errors import ConfigurationError, CredentialError, DativoError, StorageUnavailable

__all__ = ["is_transient", "translated"]

_DENIED = re.compile(
    r"ACCESS_DENIED|INVALID_ACCESS_KEY|SIGNATURE_DOES_NOT_MATCH|EXPIRED_TOKEN|ExpiredToken|InvalidAccessKeyId"
    r"|SignatureDoesNotMatch|INVALID_CLIENT_TOKEN_ID|UNRECOGNIZED_CLIENT|HTTP status 40[13]",
)
_REFUSED = re.compile(
    r"password authentication failed|no password supplied|no pg_hba.conf entry|role \"[^\"]*\" does not exist"
    r"|permission denied",
    re.IGNORECASE,
)
_NO_DATABASE = re.compile(r"database \"[^\"]*\" does not exist", re.IGNORECASE)
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
    from sqlalchemy.exc import SQLAlchemyError

    if isinstance(problem, SQLAlchemyError):
        return _catalog_error(problem, where)
    if isinstance(problem, PermissionError):
        return CredentialError(
            "this process may not read or write here", where=where, remedy="give its user the right to this folder"
        )
    if isinstance(problem, OSError):
        return _storage_error(problem, where)
    return None


def _storage_error(problem: OSError, where: str) -> DativoError:
    said = _first_line(problem)
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


def _catalog_error(problem: Exception, where: str) -> DativoError:
    from sqlalchemy.exc import ArgumentError

    said = _first_line(getattr(problem, "orig", None) or problem)
    if isinstance(problem, ArgumentError):  # before any connection: the message may repeat the URL
        return ConfigurationError(
            "this is no catalog URL", where=where,
            remedy="catalog_uri is sqlite:////path/catalog.db or postgresql://user:password@host/database",
        )  # fmt: skip
    if _REFUSED.search(said):
        return CredentialError(
            f"the catalog refused these credentials: {said}", where=where,
            remedy="correct user and password in catalog_uri (DATIVO_CATALOG_URI), or grant the rights",
        )  # fmt: skip
    if _NO_DATABASE.search(said):
        return ConfigurationError(
            f"the catalog's database does not exist: {said}", where=where,
            remedy="create it, or correct catalog_uri (DATIVO_CATALOG_URI)",
        )  # fmt: skip
    return StorageUnavailable(
        f"the catalog did not answer: {said}", where=where, remedy="check that its database runs, then run again"
    )


def _first_line(problem: BaseException) -> str:
    lines = str(problem).strip().splitlines()
    return lines[0] if lines else type(problem).__name__
