"""What Airflow asks a provider: https://airflow.apache.org/docs/apache-airflow-providers/howto/create-custom-providers.html

Read by every Airflow process at start, so it imports nothing but the version.
"""

from __future__ import annotations

from typing import Any

from dativo_provider import __version__

__all__ = ["SETTING_NAMES", "get_provider_info"]


def _option(
    description: str, *, example: str | None = None, default: str = "", kind: str = "string", sensitive: bool = False
) -> dict[str, Any]:
    option = {
        "description": description + "\n",
        "version_added": "0.1.0",
        "type": kind,
        "example": example,
        "default": default,
    }
    return {**option, "sensitive": True} if sensitive else option


_OPTIONS = {
    "home": _option(
        "Folder of the embedded catalog, warehouse and metadata store. Meant for one machine only. "
        "Empty: in Airflow `dativo` below AIRFLOW_HOME, on the command line `.dativo` in the working directory.",
        example="/opt/airflow/dativo",
    ),
    "catalog_name": _option("Name of the Iceberg catalog in lineage and asset URIs.", default="dativo"),
    "catalog_type": _option(
        "Kind of Iceberg catalog: sql (SQLite or PostgreSQL), rest, nessie or glue.", example="sql"
    ),
    "catalog_uri": _option(
        "Where the Iceberg catalog is: a database URL, or the address of a REST or Nessie server. "
        "Empty: a SQLite file under `home`.",
        example="postgresql+psycopg2://user@db/catalog",
        sensitive=True,
    ),
    "catalog_properties": _option(
        "Further PyIceberg catalog properties, as a JSON object.",
        example='{"s3.region": "eu-central-1"}',
        default="",
        sensitive=True,
    ),
    "warehouse": _option("Root URI of all tables. Empty: a folder under `home`.", example="s3://lake/warehouse"),
    "state_encryption": _option(
        "Encrypts the cursors of every state, as a JSON object: `key` (32 bytes as base64, or a reference to a "
        "secret), `key_id`, and `old_keys` by id. Tenants and jobs may name their own.",
        example='{"key": "${SECRET:STATE_KEY}", "key_id": "2026-11"}',
        sensitive=True,
    ),
    "store_uri": _option(
        "Metadata store of runs and check results: a SQLAlchemy URL, or a folder URI for the `lake` form. "
        "Empty: a SQLite file under `home`, or `<warehouse>/_dativo` when the warehouse is remote.",
        example="postgresql+psycopg2://user@db/dativo",
        sensitive=True,
    ),
    "envs": _option(
        "Folder of the environments that `dativo env create` makes, for tools that cannot live beside Airflow. "
        "Empty: `envs` under `home`.",
        example="/opt/dativo/envs",
    ),
    "notifiers": _option(
        "Airflow's own notifiers that jobs may name as channels, as dotted names with commas between. They use "
        "connections of their own choice, so each is as trusted as a DAG. Empty: none.",
        example="airflow.providers.slack.notifications.slack_webhook.SlackWebhookNotifier",
    ),
    "memory_limit": _option(
        "Memory that DuckDB may use in one task, in MB or with a unit.", default="1024", example="2GB"
    ),
    "threads": _option("Threads that one task may use.", default="2", kind="integer"),
    "mode": _option(
        "`self_hosted`, or `cloud` where only connectors allowed in the cloud may run.", default="self_hosted"
    ),
    "environment": _option("Which overlay of a job's `environments` applies.", example="prod"),
    "distributed": _option(
        "Tasks of one run may execute on several machines. Assumed of every executor but LocalExecutor.",
        default="False",
        kind="boolean",
    ),
    "manage_pools": _option(
        "Put every tenant's tasks into the pool `dativo_<tenant>`. Run `airflow dativo sync` first: "
        "a task whose pool is missing waits for ever.",
        default="False",
        kind="boolean",
    ),
    "manage_roles": _option(
        "Grant each tenant's DAGs to the role `dativo_<tenant>` (FAB auth manager). Run `airflow dativo sync` first.",
        default="False",
        kind="boolean",
    ),
}

SETTING_NAMES = tuple(_OPTIONS)
"""Options of `[dativo]`; each is also read as `DATIVO_<NAME>` by the command line."""


def get_provider_info() -> dict[str, Any]:
    return {
        "package-name": "airflow-provider-dativo",
        "name": "Dativo",
        "description": "Tenant YAML and data contracts become audited Iceberg tables, as Airflow DAGs.",
        "versions": [__version__],
        "integrations": [{"integration-name": "Dativo", "tags": ["software"]}],
        "operators": [{"integration-name": "Dativo", "python-modules": ["dativo_provider.operators"]}],
        "hooks": [{"integration-name": "Dativo", "python-modules": ["dativo_provider.hooks"]}],
        "secrets-backends": ["dativo_provider.hooks.secrets_backend.DativoSecretsBackend"],
        "asset-uris": [
            {
                "schemes": ["dativo-iceberg"],
                "handler": "dativo_provider.hooks.asset_uri.sanitize",
                "factory": "dativo_provider.hooks.asset_uri.create_asset",
                "to_openlineage_converter": "dativo_provider.hooks.asset_uri.to_openlineage",
            }
        ],
        "notifications": ["dativo_provider.notifications.dativo.DativoNotifier"],
        "extra-links": ["dativo_provider.operators.links.QualityReportLink"],
        "cli": ["dativo_provider.plugin.commands.get_commands"],
        "config": {
            "dativo": {
                "description": "Where Dativo keeps its tables and what it may use. A job can override the catalog.",
                "options": _OPTIONS,
            }
        },
    }
