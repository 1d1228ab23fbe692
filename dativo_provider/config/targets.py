"""`target:` resolved: mode, namespace, warehouse, partitions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from dativo_provider.config.catalogs import CATALOGS, CHOICES, catalog_type
from dativo_provider.config.contract import ContractSource
from dativo_provider.config.evolution import block_policies, mode_policies, of_schema_contract
from dativo_provider.config.incremental import is_incremental
from dativo_provider.config.making import Making
from dativo_provider.config.modes import check_made_late, check_mode, columns_of_history, history_of
from dativo_provider.config.problems import did_you_mean, listed
from dativo_provider.config.roots import below_roots, has_scheme, located
from dativo_provider.config.shapes.target import Approval, Partition
from dativo_provider.config.streams import known_column
from dativo_provider.config.yamlpos import Key
from dativo_provider.model.job import ApprovalSpec, DeleteFlag, PartitionSpec, StreamSpec, TargetSpec, TransformSpec
from dativo_provider.model.modes import TRAITS
from dativo_provider.model.personal import is_personal
from dativo_provider.model.schema import SchemaPolicies
from dativo_provider.vocabulary import WriteMode

__all__ = ["target"]

_JUDGED_ELSEWHERE = ("s3.", "gcs.", "adls.", "connection_id", "conn_id", "airflow_conn_id")
_INGEST_DATE = "ingest_date"
_LOADED_AT = "_dativo_loaded_at"
_MOMENTS = {"timestamp", "timestamptz"}
_FITS = {
    "day": _MOMENTS | {"date"},
    "month": _MOMENTS | {"date"},
    "hour": _MOMENTS,
    "bucket": {"int", "long", "date", "time", "timestamp", "timestamptz", "string", "uuid", "binary"},
    "truncate": {"int", "long", "decimal", "string", "binary"},
    "identity": {"boolean", "int", "long", "decimal", "date", "time", *_MOMENTS, "string", "uuid", "binary"},
}
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]|\$\{[^{}/]+\}")
_KEYS = {"access_key_id", "access_key"}


def target(
    making: Making,
    streams: Sequence[StreamSpec],
    source: ContractSource | None,
    transforms: Sequence[TransformSpec],
) -> TargetSpec:
    """`source` is the job's contract file."""
    made = {each.column: each.type for each in transforms}
    given = making.target
    domain = next((each.contract.domain for each in streams if each.contract.domain), "")
    write_mode = _write_mode(making)
    history = history_of(making)
    partitioning = _partitioning(making, streams, source, {**made, **columns_of_history(write_mode, history)})
    check_mode(making, write_mode, streams, partitioning, made)
    check_made_late(making, write_mode, streams, transforms)
    return TargetSpec(
        connector=making.publisher.name,
        catalog=_catalog(making),
        warehouse=_PLACES.get(making.publisher.place, _warehouse)(making),
        namespace=_namespace(making, domain),
        branch=given.branch,
        publish=given.publish,
        approval=_approval(given.approval),
        mode=write_mode,
        partitioning=partitioning,
        order_by=given.order_by,
        delete_flag=DeleteFlag(given.delete_flag.column, given.delete_flag.value) if given.delete_flag else None,
        delete_missing=given.delete_missing,
        allow_mass_delete=given.allow_mass_delete,
        replace_by=given.replace_by or "",
        history=history,
        file_size_mb=given.parquet_target_size_mb,
        compression=given.compression,
        system_columns=given.system_columns,
        allow_empty_replace=given.allow_empty_replace,
        state_encryption=given.state_encryption.model_dump() if given.state_encryption else making.tenant.encryption,
        connection=dict(given.connection),
        schema_policies=_schema_policies(making),
        options={**(given.engine.options if given.engine else {}), **given.options},
    )


def _approval(given: Approval | None) -> ApprovalSpec:
    return ApprovalSpec(given.timeout, given.on_timeout) if given else ApprovalSpec()


def _schema_policies(making: Making) -> SchemaPolicies:
    """The job's own words: `schema_policy` before `mode`, before its contract block."""
    block = making.job.data_contract
    below = of_schema_contract(block.schema_contract if block else None)
    return block_policies(making.target.schema_policy).over(mode_policies(making.target.mode)).over(below)


def _write_mode(making: Making) -> WriteMode:
    written, modes = making.target.write_mode, making.publisher.modes
    if written and modes and written not in modes:
        making.error(
            ("target", "write_mode"), f"'{written}' needs a table format, and {making.publisher.name} is plain files",
            f"use {listed(modes)}, or target_connector: iceberg",
        )  # fmt: skip
    if written and TRAITS[written].adds and not is_incremental(making) and making.runnable:
        making.warn(("target", "write_mode"), "append without `source.incremental` publishes every row again each run",
                    "add `source.incremental`, or use replace")  # fmt: skip
    if written and TRAITS[written].reads_all and is_incremental(making):
        making.warn(
            ("target", "write_mode"), "replace reads and writes everything each run; `source.incremental` has no effect"
        )
    usual: WriteMode = "merge" if making.documents and making.runnable else "append"  # one row for each document
    return written or (usual if is_incremental(making) else "replace")


def _namespace(making: Making, domain: str) -> str:
    written = making.target.namespace
    if not written:
        made = making.tenant.namespace(domain, making.environment)
        return made if making.tenant.may_publish_to(made) else making.tenant.tenant
    if "." in written:
        making.error(("target", "namespace"), f"'{written}' has several levels; a namespace has one", "use _ instead")
    elif not making.tenant.may_publish_to(written):
        making.error(
            ("target", "namespace"), f"namespace '{written}' is not one of tenant '{making.tenant.tenant}'",
            f"use {making.tenant.tenant} or {making.tenant.tenant}_…; the operator allows others under `namespaces` in "
            "tenant.yaml",
        )  # fmt: skip
    return written


def _catalog(making: Making) -> Mapping[str, Any]:
    """As written, without a warehouse that is a path: that is the target's."""
    given = making.target.catalog
    named = _is_name(making, given.get("warehouse"))
    return {key: value for key, value in given.items() if key != "warehouse" or named}


def _is_name(making: Making, warehouse: Any) -> bool:
    """Whether only the catalog's server knows what it stands for."""
    kind = CATALOGS.get(catalog_type(making.target.catalog, making.target.connection))
    return bool(kind and kind.named_warehouse and warehouse and not has_scheme(str(warehouse)))


def _check_catalog(making: Making) -> None:
    """Its type is known, and a tenant may say each of its words."""
    target, keys = making.target, ("target", "catalog")
    kind = catalog_type(target.catalog, target.connection)
    if kind and kind not in CATALOGS:
        hint = did_you_mean(kind, CATALOGS) or f"use one of: {listed(sorted(CATALOGS))}"
        making.error((*keys, "type"), f"there is no catalog of type '{kind}'", hint)
        return
    words = CATALOGS[kind].words if kind else CHOICES
    for word in target.catalog:
        if word not in {*words, "type", "warehouse"} and not word.startswith(_JUDGED_ELSEWHERE):
            making.error(
                (*keys, word), f"a job may not set '{word}' of {f'a {kind}' if kind else 'the deployment’s'} catalog",
                did_you_mean(word, words) or f"it may set: {listed(sorted(words))}; the operator sets the others",
            )  # fmt: skip


def _warehouse(making: Making) -> str:
    _check_catalog(making)
    _check_catalog_uri(making)
    nested = making.target.catalog.get("warehouse")
    if _is_name(making, nested):
        nested = ""
    if making.target.warehouse:
        return _below(making, making.target.warehouse, ("target", "warehouse"))
    if isinstance(nested, str) and nested:
        return _below(making, nested, ("target", "catalog", "warehouse"))
    return making.tenant.warehouse


def _bucket(making: Making) -> str:
    """`s3://<bucket>/<prefix>`. With keys of the job's own it may be any bucket, since those decide."""
    found = _connection(making)
    bucket, prefix = str(found.get("bucket") or ""), str(found.get("prefix") or "").strip("/")
    if not bucket:
        return _named_warehouse(making)
    if not _BUCKET.fullmatch(bucket):
        making.error(("target", "connection"), f"'{bucket}' is no name of a bucket", "write the name alone; `prefix` "
                     "says what is below it")  # fmt: skip
    uri = f"s3://{bucket}/{prefix}".rstrip("/")
    if _KEYS & found.keys() and ".." not in uri.split("/"):
        return uri
    return _below(making, uri, ("target", "connection"))


def _named_warehouse(making: Making) -> str:
    if not making.target.warehouse:
        making.judge(("target", "connection"), "no bucket is named", "add connection.bucket", value=False)
    return _warehouse(making)


def _folder(making: Making) -> str:
    path = str(_connection(making).get("path") or "")
    if path:
        return _below(making, path, ("target", "connection", "path"))
    root = _warehouse(making)
    return f"{root}/parquet" if root and not making.target.warehouse else root


def _connection(making: Making) -> Mapping[str, Any]:
    """Flat, or below the name of the store."""
    found = making.target.connection
    nested = [each for name in ("s3", "minio", "parquet") if isinstance(each := found.get(name), Mapping)]
    return {**found, **{key: value for each in nested for key, value in each.items()}}


def _below(making: Making, path: str, keys: tuple[Key, ...]) -> str:
    roots = making.tenant.warehouse_roots
    found = located(path, roots).rstrip("/")
    if "${" in path or not below_roots(found, roots):
        what = "a reference cannot name a warehouse" if "${" in path else f"'{path}' lies outside the warehouses"
        allowed = listed([root if has_scheme(root) else making.shown(root) for root in roots])
        making.judge(
            keys,
            f"{what} of tenant '{making.tenant.tenant}'",
            f"it may use: {allowed}; the operator adds more under `roots.warehouses` in tenant.yaml",
        )
    return found


def _check_catalog_uri(making: Making) -> None:
    """A catalog in a local file is a path like any other."""
    uri = making.target.catalog.get("uri")
    if isinstance(uri, str) and uri.lower().startswith(("sqlite", "duckdb")):
        path = uri.partition("://")[2].partition("?")[0].removeprefix("/") or "."
        if not below_roots(located(path, making.tenant.warehouse_roots), making.tenant.warehouse_roots):
            making.judge(
                ("target", "catalog", "uri"), f"the catalog's file lies outside the warehouses of tenant "
                f"'{making.tenant.tenant}'", "leave the catalog to the deployment",
            )  # fmt: skip


def _partitioning(
    making: Making, streams: Sequence[StreamSpec], source: ContractSource | None, made: Mapping[str, str]
) -> tuple[PartitionSpec, ...]:
    """The job's own, else the asset's, else the recipe's, else what the contract calls partitioned."""
    own = making.job.target.partitioning if making.job.target else None
    older = [Partition.model_validate(each) for each in (source.target.get("partitioning") or () if source else ())]
    chosen: Iterable[Partition] = own if own is not None else older or making.target.partitioning or ()
    specs = [_spec(making, part, streams) for part in chosen]
    if own is None and not specs and source and len(streams) == 1:
        specs = [
            part for table in source.tables for part in table.partitioning if table.fields == streams[0].contract.fields
        ]
    for number, spec in enumerate(specs):
        keys: tuple[Key, ...] = ("target", "partitioning", number) if own is not None else ("target",)
        for stream in streams:
            _check_partition(making, spec, stream, made, keys)
    return tuple(specs)


def _spec(making: Making, part: Partition, streams: Sequence[StreamSpec]) -> PartitionSpec:
    """`ingest_date` is the day on which the run started, unless the contract has such a column."""
    own = any(field.name == _INGEST_DATE for stream in streams for field in stream.contract.fields)
    if part.column != _INGEST_DATE or own:
        return PartitionSpec(part.column, part.transform)
    if not making.target.system_columns:
        making.error(
            ("target", "system_columns"),
            "partitioning by ingest_date needs the system columns",
            "remove one of the two",
        )
    return PartitionSpec(_LOADED_AT, "day")


def _check_partition(
    making: Making, spec: PartitionSpec, stream: StreamSpec, made: Mapping[str, str], keys: tuple[Key, ...]
) -> None:
    fields = {field.name: field for field in stream.contract.fields}
    if not fields or spec.column == _LOADED_AT:
        return
    known = [*fields, *made]
    if not known_column(making, spec.column, known, keys, "partition column"):
        return
    field = fields.get(spec.column)
    if field and is_personal(field.classification):
        making.error(
            keys, f"partition column '{spec.column}' is personal data ({field.classification}), which partitions write "
            "into paths", "partition by another column, or correct its classification",
        )  # fmt: skip
    kind = (field.type if field else made.get(spec.column, "")).partition("(")[0].partition("<")[0]
    word = spec.transform.partition("[")[0]
    if kind and kind not in _FITS[word]:
        making.error(
            keys, f"'{spec.transform}' cannot partition by '{spec.column}', which is {kind}",
            f"{word} takes {listed(sorted(_FITS[word]))}",
        )  # fmt: skip


_PLACES: Mapping[str, Callable[[Making], str]] = {"bucket": _bucket, "folder": _folder}
