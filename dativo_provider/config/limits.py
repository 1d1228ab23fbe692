"""What a job may not reach, and what this version cannot execute."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from dativo_provider.config.catalogs import catalog_type
from dativo_provider.config.known import BUILT_IN
from dativo_provider.config.making import Making
from dativo_provider.config.problems import did_you_mean
from dativo_provider.config.references import Reference, find_references, is_allowed
from dativo_provider.config.yamlpos import Key

__all__ = ["check_connections", "check_references", "note_unsupported", "warn_of_unread"]

_FORMATS = ("parquet", "iceberg")
_STRATEGIES = {"cdc": "change data capture"}
# Only here are references replaced, by a step, late.
_RESOLVED = {
    ("source", "connection"), ("source", "credentials"), ("source", "dsn"), ("source", "options"),
    ("source", "engine"), ("source", "rate_limits"), ("source", "reader"), ("target", "connection"),
    ("target", "catalog"), ("target", "options"), ("target", "engine"), ("target", "writer"),
    ("target", "state_encryption"),
}  # fmt: skip
_PATHS = {"source_connector_path", "target_connector_path", "asset_path", "contract_path", "path", "file", "file_path"}
_READ = ", ".join(sorted(name for name, known in BUILT_IN.items() if "source" in known.runs))
_WRITTEN = ", ".join(name for name, known in BUILT_IN.items() if "target" in known.runs)
_PLAIN = {"path", "file", "file_path"}
_TEXT = {"query", "where", "expression", "description", "environments", "compliance", "catalog", "alert_rules"}
_CONNECTION_KEYS = ("connection_id", "conn_id", "airflow_conn_id")


def note_unsupported(making: Making) -> None:
    """A sentence for each thing that validates but does not run yet. The job is then judged mildly."""
    for sentence in _missing(making):
        making.cannot(sentence)


def _missing(making: Making) -> Iterator[str]:
    job, source, target = making.job, making.source, making.target
    if source.reader or source.custom_reader:
        yield "custom readers are not executed by this version"
    elif making.connector and "source" not in making.connector.runs:
        yield f"connector '{making.connector.name}' cannot be read by this version, which reads {_READ}"
    if target.writer or target.custom_writer:
        yield "custom writers are not executed by this version"
    elif "target" not in making.publisher.runs:
        yield f"connector '{making.publisher.name}' cannot be written by this version, which writes {_WRITTEN}"
    documents = making.documents and any(each.document for each in making.apis.values())
    if target.file_format not in _FORMATS and not (documents and target.file_format == "markdown_kv"):
        yield f"file_format '{target.file_format}' is not written by this version"
    elif (target.markdown_kv_storage or target.storage_pattern) and not documents:
        yield "Markdown-KV storage is not executed by this version, except one row for each document of an API"
    kind = catalog_type(target.catalog, target.connection)
    if target.branch not in ("", "main") and kind not in ("", "nessie"):
        yield f"publishing to a branch ('{target.branch}') is not executed by this version, except in Nessie"
    if source.incremental and source.incremental.strategy in _STRATEGIES:
        yield f"{_STRATEGIES[source.incremental.strategy]} is not executed by this version"
    if any(each.type == "python" for each in job.transformations):
        yield "Python transformations are not executed by this version"
    for name in ("features", "feature_store", "ml_platforms"):
        if getattr(job, name):
            yield f"the `{name}` block is not executed by this version"


def warn_of_unread(making: Making) -> None:
    """Blocks that a run can do without."""
    unread = {
        "catalog": "no data catalog is told by this version",
        "compliance": "data-subject requests are not executed by this version",
        "versioning": "training sets are not tagged by this version",
        "column_mappings": "column lineage is not sent by this version",
        "infrastructure": "notes on where the job runs are not read by this version",
        "ml_metadata": "notes on training are not used by this version",
    }
    for key, sentence in unread.items():
        if getattr(making.job, key):
            making.warn((key,), sentence, value=False)
    engine = making.source.engine
    if engine and engine.type != "native" and making.engine_options is None and making.runnable:
        making.warn(
            ("source", "engine", "type"), f"engine '{engine.type}' is not used: the connector runs natively",
            "to insist, name what it shall run: `engine.options.tap` of Singer, `package` or `docker_image` of Airbyte",
        )  # fmt: skip


def check_references(making: Making) -> None:
    """`${…}` may name allowed variables only, and stand only where a step replaces it."""
    allowed = (*making.tenant.own_variables, *making.recipe_variables)
    for found in find_references(making.data):
        if set(found.path) & _TEXT and found.path[:2] not in _RESOLVED:
            continue
        if found.problem:
            making.error(found.path, found.problem, "write ${NAME}, ${NAME:-default} or ${SECRET:NAME}")
        elif found.path[:1] == ("source",) and found.path[-1] in _PLAIN:
            continue  # refused where the pattern is made, whatever the variable
        elif found.kind == "variable" and not is_allowed(found.name, allowed):
            _not_allowed(making, found)
        elif not _is_resolved(found):
            making.warn(found.path, f"{found.text} is not replaced here", "it stays as it is written")


def _not_allowed(making: Making, found: Reference) -> None:
    tenant = making.tenant.tenant
    hint = did_you_mean(found.name, making.tenant.variables)
    making.error(
        found.path,
        f"variable '{found.name}' is not allowed for tenant '{tenant}'",
        f"{hint} The operator adds it to `variables:` in tenant.yaml; {tenant.upper()}_… are always allowed".strip(),
    )


def _is_resolved(found: Reference) -> bool:
    late = found.path[:2] in _RESOLVED or found.path[:1] == ("notifications",)
    return late or bool(found.path and found.path[-1] in _PATHS)


def check_connections(making: Making) -> None:
    """Airflow connection ids carry the tenant's name, or are on the operator's list."""
    for keys, connection_id in _connection_ids(making.data):
        if not making.tenant.may_connect(connection_id):
            making.error(
                keys,
                f"connection '{connection_id}' is not one of tenant '{making.tenant.tenant}'",
                f"use an id that begins with {making.tenant.tenant}_; the operator allows others under "
                "`connections` in tenant.yaml",
            )


def _connection_ids(data: Mapping[str, Any]) -> Iterator[tuple[tuple[Key, ...], str]]:
    for side in ("source", "target", "catalog", "notifications"):
        yield from _ids_in(data.get(side), (side,))


def _names_connection(key: Any) -> bool:
    """`slack_conn_id` and its like are arguments of Airflow's notifiers."""
    return key in _CONNECTION_KEYS or str(key).endswith("_conn_id")


def _ids_in(value: Any, keys: tuple[Key, ...]) -> Iterator[tuple[tuple[Key, ...], str]]:
    """`connection: some_id` and `connection_id: some_id`, at any depth."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if _names_connection(key) and isinstance(inner, str) and inner:
                yield (*keys, key), inner
            elif isinstance(inner, str) and inner.startswith("connection:"):
                yield (*keys, key), inner.removeprefix("connection:").strip()
            else:
                yield from _ids_in(inner, (*keys, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _ids_in(inner, (*keys, number))
