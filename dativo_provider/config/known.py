"""Connectors by name: roles, cloud permission, and what this version can run (CFG-05, CFG-06, CFG-11, CFG-15).

A spec in the connectors room is a connector by its file alone; a row here says more of it. A registry file adds to
these. The connectors room has its own registry of what can be opened; a test holds the two
together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dativo_provider.config.apis import shipped

__all__ = ["BUILT_IN", "Known"]


@dataclass(frozen=True)
class Known:
    """`runs` are the roles this version executes."""

    name: str
    source: bool = True
    target: bool = False
    cloud: bool = True
    kind: str = "api"  # api | database | files | table
    runs: tuple[str, ...] = ()
    strategy: str = ""
    modes: tuple[str, ...] = ()  # write modes of the target; none: every mode
    place: str = ""  # where it writes, when that is named in the job: bucket | folder

    def can_be(self, role: str) -> bool:
        return self.source if role == "source" else self.target


_APIS = (
    "hubspot stripe salesforce zendesk intercom confluence github google_drive aws_cost_explorer gcp_billing "
    "azure_cost_management kubernetes_metrics notion jira shopify mimesis"
)
_SPECS = ("rest", *shipped())  # read by a spec
_BRIDGES = ("airbyte", "singer")  # connectors of other ecosystems
_DATABASES = "mongodb snowflake bigquery redshift databricks kafka"
_PLAIN = ("append", "replace")  # readers of folders cannot be shown anything else
_MODIFIED = "file_modified_time"
_ROWS = (
    Known("csv", target=True, kind="files", runs=("source",), strategy=_MODIFIED),
    *(Known(name, target=True, cloud=False, kind="database", runs=("source",), strategy="updated_at")
      for name in ("postgres", "mysql", "mariadb")),
    Known("iceberg", source=False, target=True, kind="table", runs=("target",)),
    Known("markdown_kv", target=True, kind="files", runs=("source",), strategy=_MODIFIED),
    Known("gdrive_csv", runs=("source",), strategy=_MODIFIED),
    Known("google_sheets", target=True, runs=("source", "target"), strategy="spreadsheet_modified_time"),
    *(Known(name, target=True, kind="files", runs=("source", "target"), strategy=_MODIFIED, modes=_PLAIN,
            place="bucket")
      for name in ("s3", "minio")),
    Known("gcs", kind="files", runs=("source",), strategy=_MODIFIED),
    Known("parquet", target=True, kind="files", runs=("source", "target"), strategy=_MODIFIED, modes=_PLAIN,
          place="folder"),
    Known("azure_blob", target=True, kind="files", runs=("source",), strategy=_MODIFIED),
    Known("json", target=True, kind="files", runs=("source",), strategy=_MODIFIED),
    Known("avro", kind="files", runs=("source",), strategy=_MODIFIED),
    *(Known(name, target=name == "snowflake", kind="database", strategy="updated_at")
      for name in _DATABASES.split()),
)  # fmt: skip
_GENERAL = (
    Known("json_api", runs=("source",), strategy="updated_at"),
    *(Known(name) for name in _APIS.split()),
    *(Known(name, runs=("source",), strategy="updated_at") for name in _SPECS),
    *(Known(name, runs=("source",), strategy="incremental") for name in _BRIDGES),
)
BUILT_IN: Mapping[str, Known] = {row.name: row for row in (*_GENERAL, *_ROWS)}
