"""Which error each trouble becomes, and what is left alone."""

from __future__ import annotations

import errno

import pytest
from pyiceberg.exceptions import CommitFailedException, CommitStateUnknownException, NoSuchTableError
from sqlalchemy.exc import ArgumentError, OperationalError

from dativo_provider.errors import ConfigurationError, CredentialError, DativoError, Fenced, StorageUnavailable
from dativo_provider.lake.compat import repair
from dativo_provider.lake.translate import is_transient, translated


def operational(text: str) -> OperationalError:
    return OperationalError("select", {}, Exception(text))


@pytest.mark.parametrize(
    ("problem", "kind"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), StorageUnavailable),
        (OSError("AWS Error NETWORK_CONNECTION during GetObject"), StorageUnavailable),
        (OSError("AWS Error ACCESS_DENIED during PutObject"), CredentialError),
        (OSError("AWS Error NO_SUCH_BUCKET during PutObject"), ConfigurationError),
        (PermissionError(errno.EACCES, "Permission denied"), CredentialError),
        (ConnectionResetError("reset"), StorageUnavailable),
        (operational("database is locked"), StorageUnavailable),
        (operational('FATAL: password authentication failed for user "x"'), CredentialError),
        (operational('FATAL: database "x" does not exist'), ConfigurationError),
        (ArgumentError("Could not parse SQLAlchemy URL from string"), ConfigurationError),
        (OSError(), StorageUnavailable),
    ],
)
def test_every_trouble_says_what_to_do(problem: Exception, kind: type[DativoError]) -> None:
    with pytest.raises(kind) as caught, translated("the place"):
        raise problem
    assert caught.value.where == "the place"
    assert caught.value.remedy
    assert caught.value.__cause__ is problem


@pytest.mark.parametrize("problem", [Fenced("ours"), NoSuchTableError("t"), TypeError("a bug")])
def test_what_is_not_the_storages_fault_passes(problem: Exception) -> None:
    with pytest.raises(type(problem)) as caught, translated("the place"):
        raise problem
    assert caught.value is problem


def test_what_may_pass_by_itself_is_known() -> None:
    for problem in (CommitFailedException(), CommitStateUnknownException(), TimeoutError(), operational("locked")):
        assert is_transient(problem)
    for other in (TypeError(), ValueError(), PermissionError(), KeyError()):
        assert not is_transient(other)


def test_the_repairs_are_those_this_version_needs() -> None:
    import pyiceberg

    needed = ("promoted-bounds", "entry-snapshot-id") if pyiceberg.__version__.startswith("0.11") else ()
    assert repair() == needed
