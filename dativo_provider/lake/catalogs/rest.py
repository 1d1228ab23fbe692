"""Any Iceberg REST catalog: Polaris, Lakekeeper, Unity, S3 Tables, ...
https://github.com/apache/iceberg/blob/main/open-api/rest-catalog-open-api.yaml"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from dativo_provider.errors import ConfigurationError, CredentialError, DativoError, StorageUnavailable
from dativo_provider.lake.catalogs.base import CatalogLeaf, Place, first_line, kinds_of

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

__all__ = ["LEAF", "RestLeaf"]

_DENIED = {"UnauthorizedError", "ForbiddenError", "AuthorizationExpiredError", "OAuthError"}
_BUSY = {"ServerError", "ServiceUnavailableError", "TooManyRequestsError", "CommitStateUnknownException"}
_LATER = re.compile(r"RESTError (408|425|429)\b")  # statuses that not every PyIceberg has a class for
_NO_URL = {"requests.MissingSchema", "requests.InvalidSchema", "requests.InvalidURL"}
_ANSWERS = {"pydantic_core.ValidationError", "requests.JSONDecodeError"}


class RestLeaf(CatalogLeaf):
    """The server decides where tables are: its `warehouse` is a name it knows, else the path of ours."""

    type = "rest"
    tells_storage = True

    def properties(self, given: Mapping[str, str], place: Place) -> dict[str, str]:
        if not given.get("uri"):
            raise ConfigurationError(
                f"a {self.type} catalog needs its address", remedy="set catalog_uri (DATIVO_CATALOG_URI) to its URL"
            )
        return {**given, "type": "rest", "uri": given["uri"].rstrip("/")}

    def open(self, name: str, properties: Mapping[str, str]) -> Catalog:
        try:
            return self._make(name, properties)
        except Exception as problem:
            if kinds_of(problem) & _ANSWERS:
                raise ConfigurationError(
                    "what answers at this address is no Iceberg REST catalog", where=f"catalog {name}",
                    remedy="set catalog_uri to the root below which it serves v1/config",
                ) from problem  # fmt: skip
            raise

    def _make(self, name: str, properties: Mapping[str, str]) -> Catalog:
        from dativo_provider.lake.catalogs.timed import TimedRestCatalog

        return TimedRestCatalog(name, **properties)

    def failure(self, problem: Exception, where: str) -> DativoError | None:
        kinds = kinds_of(problem)
        if "requests.RequestException" in kinds:
            return _connection_failure(problem, kinds, where)
        if "pyiceberg.RESTError" not in kinds:
            return None
        said, names = first_line(problem), {kind.partition(".")[2] for kind in kinds}
        if names & _DENIED:
            return CredentialError(
                f"the catalog refused these credentials: {said}", where=where,
                remedy="renew token or credential of the catalog, or grant the rights on this namespace",
            )  # fmt: skip
        if names & _BUSY or _LATER.match(str(problem)):
            return StorageUnavailable(
                f"the catalog did not answer as it should: {said}", where=where, remedy="see its log, then run again"
            )
        return ConfigurationError(
            f"the catalog refused the request: {said}", where=where,
            remedy="correct the catalog's uri, warehouse or prefix",
        )  # fmt: skip

    def close(self, catalog: Any) -> None:
        catalog._session.close()


def _connection_failure(problem: Exception, kinds: frozenset[str], where: str) -> DativoError:
    if kinds & _NO_URL:
        return ConfigurationError("this is no catalog URL", where=where, remedy="catalog_uri is http(s)://host/path")
    return StorageUnavailable(
        f"the catalog did not answer: {type(problem).__name__}", where=where,
        remedy="check that it runs and can be reached from here, then run again",
    )  # fmt: skip


LEAF = RestLeaf()
