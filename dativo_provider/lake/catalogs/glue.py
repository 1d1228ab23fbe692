"""AWS Glue Data Catalog. https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-catalog.html

A commit is an `UpdateTable` with the `VersionId` that was read: Glue refuses it when another writer was faster.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dativo_provider.errors import ConfigurationError, CredentialError, DativoError, MissingExtra, StorageUnavailable
from dativo_provider.lake.catalogs.base import CatalogLeaf, Place, kinds_of

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

__all__ = ["LEAF"]

_DENIED = {
    "AccessDeniedException", "ExpiredTokenException", "InvalidClientTokenId", "InvalidSignatureException",
    "MissingAuthenticationToken", "UnrecognizedClientException",
}  # fmt: skip
_WRONG = {
    "InvalidInputException",
    "EntityNotFoundException",
    "ValidationException",
    "ResourceNumberLimitExceededException",
}
_NO_KEYS = {"botocore.NoCredentialsError", "botocore.PartialCredentialsError", "botocore.ProfileNotFound"}


_RETRIES = "glue.max-retries"


class GlueLeaf(CatalogLeaf):
    """Namespaces are databases, of one level; names are folded to lower case by Glue."""

    type = "glue"
    extra = "glue"

    def properties(self, given: Mapping[str, str], place: Place) -> dict[str, str]:
        region = given.get("glue.region") or given.get("client.region") or given.get("s3.region")
        return {**given, "type": "glue", "warehouse": place.warehouse, **({"glue.region": region} if region else {})}

    def open(self, name: str, properties: Mapping[str, str]) -> Catalog:
        try:
            import boto3  # noqa: F401
        except ImportError as problem:
            raise MissingExtra.named(self.extra, "the AWS Glue catalog") from problem
        numbers = {
            key: int(properties[key]) for key in (_RETRIES,) if key in properties
        }  # PyIceberg hands it on as it is
        return super().open(name, {**properties, **numbers})  # type: ignore[dict-item]

    def check_name(self, namespace: str, table: str) -> None:
        for kind, name in (("namespace", namespace), ("table", table)):
            if name != name.lower():
                raise ConfigurationError(
                    f"Glue folds names to lower case, so the {kind} '{name}' would not be found again",
                    where=f"{namespace}.{table}", remedy=f"call it '{name.lower()}'",
                )  # fmt: skip

    def failure(self, problem: Exception, where: str) -> DativoError | None:
        kinds = kinds_of(problem)
        if "botocore.ClientError" in kinds:
            return _refusal(problem, where)
        if kinds & _NO_KEYS:
            return CredentialError(
                "no credentials for AWS Glue", where=where,
                remedy="give this machine a role, or set glue.access-key-id and glue.secret-access-key",
            )  # fmt: skip
        if "botocore.NoRegionError" in kinds:
            return ConfigurationError("no region for AWS Glue", where=where, remedy="set glue.region")
        if "botocore.BotoCoreError" in kinds:
            return StorageUnavailable(
                f"AWS Glue did not answer: {type(problem).__name__}", where=where,
                remedy="check network and glue.region, then run again",
            )  # fmt: skip
        return None

    def close(self, catalog: Any) -> None:
        catalog.glue.close()


def _refusal(problem: Any, where: str) -> DativoError:
    error = problem.response.get("Error", {})
    code, said = str(error.get("Code", "")), f"{error.get('Code', '')} {error.get('Message', '')}".strip()[:300]
    if code in _DENIED:
        return CredentialError(
            f"AWS refused these credentials: {said}", where=where,
            remedy="renew them, or grant glue:Get*, glue:CreateDatabase, glue:CreateTable and glue:UpdateTable",
        )  # fmt: skip
    if code in _WRONG:
        return ConfigurationError(
            f"AWS Glue refused the request: {said}", where=where, remedy="correct the catalog's settings"
        )
    return StorageUnavailable(f"AWS Glue answered {said}", where=where, remedy="run again; AWS may be throttling")


LEAF = GlueLeaf()
