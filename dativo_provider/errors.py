"""Every error Dativo raises on purpose, chosen by what the reader can do next.

DativoError
 ├─ RetryableError          wait: the same task may succeed later
 │   ├─ SourceUnavailable     the source did not answer or cut the connection
 │   ├─ RateLimited           the source asked us to slow down (`retry_after` seconds)
 │   └─ StorageUnavailable    catalog, warehouse or metadata store did not answer
 ├─ ConfigurationError      fix the YAML or the deployment's settings
 │   ├─ Unsupported           valid, but this version cannot execute it
 │   └─ MissingExtra          install the named optional extra
 ├─ CredentialError         fix a secret, a right or a connection
 ├─ DataError               fix the data or the contract
 │   ├─ SourceChanged         what was planned is no longer what is there (file gone, column gone)
 │   └─ ContractViolation     the audit blocked the run; nothing was published
 ├─ Fenced                  start a new run: another run has moved this stream since the plan
 ├─ Cancelled               the operator stopped the run
 └─ InternalError           report a bug: an invariant of Dativo itself does not hold
"""

from __future__ import annotations

from typing import Any, ClassVar

__all__ = [
    "Cancelled",
    "ConfigurationError",
    "ContractViolation",
    "CredentialError",
    "DataError",
    "DativoError",
    "Fenced",
    "InternalError",
    "MissingExtra",
    "RateLimited",
    "RetryableError",
    "SourceChanged",
    "SourceUnavailable",
    "StorageUnavailable",
    "Unsupported",
]


class DativoError(Exception):
    """A fact, where it was seen, and what to do next.

    `where` is `file:line:column`, a table, a row or a task; `remedy` is an instruction to the reader.
    `details` are small JSON values without secrets and without personal data.
    """

    code: ClassVar[str] = "DATIVO_ERROR"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, where: str = "", remedy: str = "", **details: Any) -> None:
        super().__init__(message)
        self.message, self.where, self.remedy, self.details = message, where, remedy, details

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.message}" + (f"\n  → {self.remedy}" if self.remedy else "")

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, self.where, self.remedy, self.details)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form of `--json` output and of the run record."""
        return {
            "error_type": type(self).__name__,
            "error_code": self.code,
            "message": self.message,
            "where": self.where,
            "remedy": self.remedy,
            "details": self.details,
            "retryable": self.retryable,
        }


def _rebuild(kind: type[DativoError], message: str, where: str, remedy: str, details: dict[str, Any]) -> DativoError:
    return kind(message, where=where, remedy=remedy, **details)


class RetryableError(DativoError):
    code = "TRANSIENT_ERROR"
    retryable = True

    @property
    def retry_after(self) -> float | None:
        """Seconds the other side asked us to wait, when it said so."""
        return self.details.get("retry_after")


class SourceUnavailable(RetryableError):
    code = "CONNECTION_FAILED"


class RateLimited(RetryableError):
    code = "RATE_LIMIT_EXCEEDED"


class StorageUnavailable(RetryableError):
    code = "STORAGE_UNAVAILABLE"


class ConfigurationError(DativoError):
    code = "CONFIGURATION_ERROR"


class Unsupported(ConfigurationError):
    code = "UNSUPPORTED"


class MissingExtra(ConfigurationError):
    code = "MISSING_EXTRA"

    @classmethod
    def named(cls, extra: str, needed_by: str) -> MissingExtra:
        return cls(
            f"{needed_by} needs the optional extra '{extra}', which is not installed",
            remedy=f"pip install 'airflow-provider-dativo[{extra}]'",
            extra=extra,
        )


class CredentialError(DativoError):
    code = "AUTHENTICATION_FAILED"


class DataError(DativoError):
    code = "VALIDATION_FAILED"


class SourceChanged(DataError):
    code = "SOURCE_CHANGED"


class ContractViolation(DataError):
    code = "CONTRACT_VIOLATION"


class Fenced(DativoError):
    code = "FENCED"


class Cancelled(DativoError):
    code = "CANCELLED"


class InternalError(DativoError):
    code = "INTERNAL_ERROR"
