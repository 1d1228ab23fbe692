"""Assets `dativo-iceberg://<catalog>/<namespace>/<table>`: how Airflow and OpenLineage know our tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

if TYPE_CHECKING:
    from airflow.sdk import Asset

__all__ = ["SCHEME", "create_asset", "sanitize", "table_uri", "to_openlineage"]

SCHEME = "dativo-iceberg"


def table_uri(catalog: str, namespace: str, table: str) -> str:
    return f"{SCHEME}://{catalog}/{namespace}/{table}"


def sanitize(uri: SplitResult) -> SplitResult:
    """`uri` as Airflow stores it. Raises `ValueError` when it does not name a catalog, a namespace and a table."""
    parts = uri.path.strip("/").split("/")
    if not uri.netloc or len(parts) != 2 or not all(parts) or uri.query:
        raise ValueError(f"{uri.geturl()} is not {SCHEME}://<catalog>/<namespace>/<table>")
    return uri._replace(path="/" + "/".join(parts))


def create_asset(*, catalog: str, namespace: str, table: str, extra: dict[str, Any] | None = None) -> Asset:
    from airflow.sdk import Asset

    return Asset(name=f"{namespace}.{table}", uri=table_uri(catalog, namespace, table), extra=extra)


def to_openlineage(asset: Asset, lineage_context: Any) -> Any:  # noqa: ARG001 - the signature Airflow calls
    """The dataset `iceberg://<catalog>`, `<namespace>.<table>`."""
    from airflow.providers.common.compat.openlineage.facet import Dataset

    parts = urlsplit(asset.uri)
    return Dataset(namespace=f"iceberg://{parts.netloc}", name=parts.path.strip("/").replace("/", "."))
