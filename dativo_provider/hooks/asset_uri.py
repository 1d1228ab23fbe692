"""Assets `dativo-iceberg://<catalog>/<namespace>/<table>`, and folders by their own URI: how Airflow and OpenLineage
know our tables. https://openlineage.io/docs/spec/naming"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

if TYPE_CHECKING:
    from airflow.sdk import Asset

__all__ = ["SCHEME", "create_asset", "dataset_of", "folder_asset_uri", "sanitize", "table_uri", "to_openlineage"]

SCHEME = "dativo-iceberg"
_S3 = ("s3", "s3a", "s3n")


def table_uri(catalog: str, namespace: str, table: str) -> str:
    return f"{SCHEME}://{catalog}/{namespace}/{table}"


def folder_asset_uri(tenant: str, root: str, name: str) -> str:
    """Of the plain table `name` below `root`. A root that only a run knows is not guessed at: Airflow takes a URI
    that begins with `x-` as it is."""
    path = name.replace(".", "/")
    return f"{root.rstrip('/')}/{path}" if "://" in root and "${" not in root else f"x-dativo://{tenant}/{path}"


def dataset_of(uri: str) -> tuple[str, str]:
    """Namespace and name of what is stored at `uri`, as OpenLineage names it."""
    parts = urlsplit(uri)
    if parts.scheme == "file":
        return "file", parts.path
    return f"{'s3' if parts.scheme in _S3 else parts.scheme}://{parts.netloc}", parts.path.strip("/")


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
