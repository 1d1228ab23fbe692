"""S3, MinIO, Google Cloud Storage and Azure Blob Storage."""

from __future__ import annotations

from typing import Any, ClassVar

from dativo_provider.connectors.files.objects import ObjectPlace
from dativo_provider.connectors.files.place import Place
from dativo_provider.connectors.files.reader import FilesReader
from dativo_provider.errors import ConfigurationError
from dativo_provider.files import ObjectStore, open_files, scheme
from dativo_provider.files.stores import properties_of
from dativo_provider.model.budget import Budget
from dativo_provider.model.context import Connection

__all__ = ["AzureReader", "GcsReader", "S3Reader"]


class BucketReader(FilesReader):
    """`login` says which words of an Airflow connection stand for which of ours."""

    store: ClassVar[str]
    schemes: ClassVar[frozenset[str]]
    login: ClassVar[dict[str, str]]

    def place_of(self) -> Place:
        block = Budget.of(self.ctx.settings).block_bytes
        return ObjectPlace(self.source.roots, self._open, self.request, self.ctx.check_cancelled, block)

    def _open(self, uri: str) -> ObjectStore:
        if scheme(uri) not in self.schemes:
            raise ConfigurationError(
                f"'{self.source.connector}' does not read {scheme(uri)}:// paths", where=uri,
                remedy=f"write {' or '.join(f'{each}://…' for each in sorted(self.schemes))}",
            )  # fmt: skip
        store: Any = open_files(uri, properties_of(self.store, self._connection()))
        made: ObjectStore = store
        return made

    def _connection(self) -> dict[str, Any]:
        if not self.source.connection_id:
            return dict(self.source.connection)
        if self.source.connection.keys() - {"path"}:
            raise ConfigurationError(
                "the source has both `connection` and `connection_id`", remedy="keep one of the two in the job"
            )
        return self._from_airflow(self.ctx.connections.get(self.source.connection_id))

    def _from_airflow(self, found: Connection) -> dict[str, Any]:
        given = {"login": found.login, "password": found.password, "host": found.host, **found.extra}
        return {ours: given[theirs] for theirs, ours in self.login.items() if given.get(theirs)}


class S3Reader(BucketReader):
    store, schemes = "s3", frozenset({"s3", "s3a", "s3n"})
    login = {
        "login": "access_key_id", "password": "secret_access_key", "endpoint_url": "endpoint",
        "region_name": "region", "aws_session_token": "session_token",
    }  # fmt: skip


class GcsReader(BucketReader):
    store, schemes = "gcs", frozenset({"gs", "gcs"})
    login = {"token": "token", "project": "project_id", "endpoint": "endpoint"}


class AzureReader(BucketReader):
    store, schemes = "azure", frozenset({"abfs", "abfss", "az"})
    login = {
        "login": "account_name", "password": "account_key", "sas_token": "sas_token", "tenant_id": "tenant_id",
        "client_id": "client_id", "client_secret": "client_secret",
    }  # fmt: skip
