"""A job file as `JobSpec`: layers merged, names looked up, limits kept, everything that is wrong said at once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from dativo_provider.config.alerts import alerts
from dativo_provider.config.apis import shipped
from dativo_provider.config.blocks import block_rules
from dativo_provider.config.bridges import choose_engine, source_options
from dativo_provider.config.cleartext import check_cleartext
from dativo_provider.config.contract import Policy
from dativo_provider.config.expressions import column_named, is_windowed
from dativo_provider.config.known import Known
from dativo_provider.config.layers import Findings, Layers, Within, merged, merged_once
from dativo_provider.config.limits import check_connections, check_references, note_unsupported, warn_of_unread
from dativo_provider.config.lookup import Contracts
from dativo_provider.config.lookups import check_lookups, lookups
from dativo_provider.config.maintenance import maintenance_spec
from dativo_provider.config.making import Making
from dativo_provider.config.notifications import Channels
from dativo_provider.config.places import Place, place_of, within_tenant
from dativo_provider.config.plugged import plugged_in
from dativo_provider.config.policy import agreed_policy
from dativo_provider.config.problems import InvalidConfig, Problem, did_you_mean, listed
from dativo_provider.config.recipes import RecipeSpec, find_recipe, read_recipe, registered
from dativo_provider.config.references import expand
from dativo_provider.config.schedule import retry_spec, schedule_spec
from dativo_provider.config.settings import megabytes
from dativo_provider.config.shapes.job import ID_RULE, Job, Transformation, is_id
from dativo_provider.config.shapes.source import Source
from dativo_provider.config.shapes.target import Target
from dativo_provider.config.sla import sla_spec
from dativo_provider.config.streams import streams
from dativo_provider.config.targets import target
from dativo_provider.config.tenants import TenantSpec, tenant_for
from dativo_provider.config.types import named_type
from dativo_provider.config.validate import shaped
from dativo_provider.config.yamlpos import Document, Key, read, without_nulls
from dativo_provider.errors import ConfigurationError
from dativo_provider.model.job import JobSpec, SourceSpec, StreamSpec, TargetSpec, TransformSpec
from dativo_provider.vocabulary import Mode, Role, SchemaValidation

__all__ = ["examine", "load_job"]

_SHARED_TENANTS = ("global", "all")
_FIXED = ("tenant_id", "id", "environments")
_VALIDATION: Mapping[str, SchemaValidation] = {"block": "strict", "warn": "warn", "quarantine": "quarantine"}


def load_job(
    path: Path | str,
    *,
    root: Path | str | None = None,
    environment: str = "",
    mode: Mode = "self_hosted",
    variables: Mapping[str, str] | None = None,
) -> JobSpec:
    """The job of a YAML file. `root` bounds what it may name; default: the folder above `tenants/` or `jobs/`.

    `variables` serve the three path keys only; every other reference stays one. Raises `InvalidConfig` with all
    problems of the job and of its contracts.
    """
    job, findings = examine(path, root=root, environment=environment, mode=mode, variables=variables)
    findings.raise_errors()
    assert job is not None
    return job


def examine(
    path: Path | str,
    *,
    root: Path | str | None = None,
    environment: str = "",
    mode: Mode = "self_hosted",
    variables: Mapping[str, str] | None = None,
) -> tuple[JobSpec | None, Findings]:
    """As `load_job`, with warnings beside errors and nothing raised."""
    findings = Findings()
    try:
        made = _making(place_of(path, root), environment, mode, findings)
        job = _job(made, variables or {}) if made else None
    except InvalidConfig as invalid:
        findings.extend(invalid.problems)
        job = None
    return job, findings


def _making(place: Place, environment: str, mode: Mode, findings: Findings) -> Making | None:
    at, data, environment = _layers(place, environment, findings)
    job = shaped(Job, data, at, findings)
    if job is None:
        return None
    tenant = _tenant(place, job, at, findings)
    if tenant is None:
        return None
    made = Making(place, at, job, data, tenant, environment, mode, findings)
    _connectors(made)
    return made


def _layers(place: Place, environment: str, findings: Findings) -> tuple[Layers, dict[str, Any], str]:
    """The tenant's defaults, the job, and the overlays of the environment, last wins."""
    _refuse_links(place.path, place)
    doc = read(place.shown(place.path))
    own = without_nulls(doc.data)
    documents = [(defaults, without_nulls(defaults.data)) for defaults in _defaults(place)] + [(doc, own)]
    environment = environment or str(own.get("environment") or "")
    layers: list[Within] = []
    data: dict[str, Any] = {}
    for each, values in documents:
        layers.append(Within(each))
        data = merged(data, values) if data else values
        overlay = values.get("environments")
        overlay = overlay.get(environment) if isinstance(overlay, dict) and environment else None
        if isinstance(overlay, dict):
            layers.append(Within(each, ("environments", environment)))
            data = merged(data, _overlay(overlay, layers[-1], findings))
    return Layers(tuple(layers)), data, environment


def _overlay(overlay: dict[str, Any], at: Within, findings: Findings) -> dict[str, Any]:
    for key in _FIXED:
        if key in overlay:
            findings.error(at, (key,), f"'{key}' cannot differ by environment", "remove it", value=False)
    return {key: value for key, value in overlay.items() if key not in _FIXED}


def _defaults(place: Place) -> list[Document]:
    """`defaults.yaml` of the tenant's folder."""
    if place.folder is None:
        return []
    path = place.folder / "defaults.yaml"
    if not path.is_file() or path == place.path:
        return []
    _refuse_links(path, place)
    return [read(place.shown(path))]


def _refuse_links(path: Path, place: Place) -> None:
    """A link out of the root, or into another tenant's folder, would show that file's content in messages."""
    if path.exists() and not within_tenant(path, place):
        what = "the file lies outside the root or in another tenant's folder"
        raise InvalidConfig([Problem(place.shown(path), 1, 1, "", what, "copy it instead of linking to it")])


def _tenant(place: Place, job: Job, at: Layers, findings: Findings) -> TenantSpec | None:
    name = job.tenant_id or place.tenant
    if not is_id(place.name):
        findings.error(
            at, (), f"the file's name '{place.name}' names the DAG and is not an id", f"rename it: {ID_RULE}"
        )
    if not name:
        findings.error(
            at, (), "'tenant_id' is missing", "add `tenant_id:`, or put the file into tenants/<tenant>/jobs/"
        )
        return None
    if place.tenant and job.tenant_id and job.tenant_id != place.tenant:
        remedy = "remove tenant_id, or move the file"
        findings.error(at, ("tenant_id",), f"the folder belongs to tenant '{place.tenant}'", remedy)
        return None
    if not is_id(name) or name in _SHARED_TENANTS:
        findings.error(at, ("tenant_id",), f"'{name}' cannot be a tenant", ID_RULE)
        return None
    found = tenant_for(place, name)
    findings.extend(found.problems)
    return found


def _connectors(making: Making) -> None:
    """Finds both connectors by name or recipe, merges the recipes below the job's blocks, notes what cannot run."""
    job = making.job
    source = _recipe(making, "source", job.source_connector, job.source_connector_path)
    target_recipe = _recipe(making, "target", job.target_connector or "iceberg", job.target_connector_path)
    making.source = _with_recipe(making, Source, "source", source)
    making.apis = (source.apis if source else {}) or shipped().get(source.type if source else job.source_connector, {})
    making.target = _with_recipe(making, Target, "target", target_recipe)
    if source and source.source and not (job.source and job.source.incremental):
        making.source.incremental = None
    making.connector = _known(making, "source", source.type if source else job.source_connector)
    choose_engine(making, source)
    found = _known(making, "target", target_recipe.type if target_recipe else job.target_connector or "iceberg")
    making.publisher = found or making.publisher
    note_unsupported(making)


def _recipe(making: Making, role: Role, name: str, path: str) -> RecipeSpec | None:
    keys = (f"{role}_connector_path",)
    found = None
    if path:
        found = _recipe_path(making, path, keys)
        if found is None:
            making.warn(keys, f"there is no recipe '{path}'", f"the connector '{name}' is used by name" if name else "")
    found = found or find_recipe(name, role, making.place)
    if found is None:
        return None
    try:
        recipe = read_recipe(Path(making.shown(found)))
    except InvalidConfig as invalid:
        making.findings.extend(invalid.problems)
        return None
    if role not in recipe.roles:
        making.error(keys if path else (f"{role}_connector",), f"recipe '{recipe.name}' is no {role}", "")
    if not making.place.exclusive or not found.is_relative_to(making.place.folder or found):
        making.recipe_variables += recipe.variables  # the operator's own file
    return recipe


def _recipe_path(making: Making, written: str, keys: tuple[Key, ...]) -> Path | None:
    try:
        wanted = expand(written, {}, making.tenant.own_variables)
    except ConfigurationError as error:
        making.error(keys, error.message, error.remedy)
        return None
    relative = wanted.removeprefix("/app/") if wanted.startswith("/app/") else wanted
    found = next((path for base in making.place.bases() if os.path.isfile(path := base / relative)), None)
    if found and not within_tenant(found, making.place):
        making.error(keys, f"'{written}' lies outside the folders of this tenant", "move the recipe beside the job")
        return None
    return found


def _with_recipe(making: Making, model: Any, block: str, recipe: RecipeSpec | None) -> Any:
    own = making.data.get(block) or {}
    below = getattr(recipe, block) if recipe else {}
    if not below:
        return getattr(making.job, block) or model()
    return shaped(model, merged_once(dict(below), own), making.at, making.findings, (block,)) or model()


def _known(making: Making, role: Role, name: str) -> Known | None:
    keys = (f"{role}_connector",)
    if role == "source" and (making.source.reader or making.source.custom_reader) and not name:
        return Known("custom", runs=())
    known = registered(making.place.root)
    if not name:
        making.error(keys, f"'{role}_connector' is missing", f"add `{role}_connector:`", value=False)
        return None
    found = known.get(name) or _plugged(making, keys, name)
    if found is None and (making.source.reader or making.source.custom_reader):
        return Known(name, runs=())
    if found is None or not found.can_be(role):
        names = sorted(each.name for each in known.values() if each.can_be(role))
        missing = f"no connector, and there is no connectors/{name}.yaml"  # a recipe, or the spec of an API
        what = missing if found is None else f"no {role}"
        making.error(keys, f"'{name}' is {what}", did_you_mean(name, names) or f"use one of: {listed(names)}")
        return found
    if making.mode == "cloud" and not found.cloud:
        making.error(keys, f"'{name}' is not allowed in cloud mode", "run the job self-hosted, inside its network")
    return found


def _plugged(making: Making, keys: tuple[Key, ...], name: str) -> Known | None:
    try:
        return plugged_in(name)
    except ConfigurationError as error:
        making.error(keys, error.message, error.remedy)
        return Known(name)


def _job(making: Making, variables: Mapping[str, str]) -> JobSpec:
    job = making.job
    for check in (check_references, check_connections, check_cleartext):
        check(making)
    contracts = Contracts(making, variables)
    transforms = tuple(_transform(making, each, number) for number, each in enumerate(job.transformations))
    policy = agreed_policy(making, contracts)
    found = streams(making, contracts, _own_rules(making, contracts), [each.column for each in transforms])
    others = lookups(making)
    check_lookups(making, others, found, transforms)
    warn_of_unread(making)
    target_spec = _target(making, contracts, found, transforms)
    return JobSpec(
        tenant=making.tenant.tenant,
        name=making.place.name,
        id=job.id or making.place.name,
        source=_source(making),
        target=target_spec,
        streams=found,
        transforms=transforms,
        lookups=others,
        schedule=schedule_spec(making),
        retry=retry_spec(making),
        schema_validation=job.schema_validation_mode or _VALIDATION.get(policy.on_schema_violation or "", "quarantine"),
        enforcement=policy.enforcement or "strict",
        environment=making.environment,
        path=str(making.place.path),
        description=job.description,
        slices=job.slices or 0,
        memory_limit_mb=_memory_limit(making),
        profile=_profile_share(making),
        maintenance=maintenance_spec(making.tenant.maintenance, job.maintenance, target_spec.file_size_mb),
        allowed_variables=(*making.tenant.own_variables, *making.recipe_variables),
        sla=sla_spec(policy.sla, found),
        **_told(making, policy, found, transforms),
        connection_prefixes=(f"{making.tenant.tenant}_", *(each.rstrip("*") for each in making.tenant.connections)),
        unsupported=tuple(making.unsupported),
        warnings=making.findings.warnings,
    )


def _told(
    making: Making, policy: Policy, found: tuple[StreamSpec, ...], transforms: tuple[TransformSpec, ...]
) -> dict[str, Any]:
    """Who hears of what; a channel may be declared by being named."""
    channels = Channels(making)
    notification, watched = channels.notification(policy.notification), alerts(making, channels, found, transforms)
    return {"notification": notification, "alerts": watched, "channels": tuple(channels.every())}


def _target(
    making: Making, contracts: Contracts, found: tuple[StreamSpec, ...], transforms: tuple[TransformSpec, ...]
) -> TargetSpec:
    made = target(making, found, contracts.job, transforms)
    if contracts.checks:
        return replace(made, schema_policies=made.schema_policies.over(contracts.checks.schema_policies))
    return made


def _memory_limit(making: Making) -> int:
    if (given := making.job.memory_limit) is None:
        return 0
    try:
        return megabytes(str(given), "memory_limit")
    except ConfigurationError as error:
        making.error(("memory_limit",), error.message, error.remedy)
        return 0


def _profile_share(making: Making) -> float:
    given = making.job.profile
    return float(given) if isinstance(given, bool) else given.sample


def _own_rules(making: Making, contracts: Contracts) -> tuple[Any, ...]:
    found: tuple[Any, ...] = contracts.checks.rules if contracts.checks else ()
    block = making.data.get("data_contract")
    if isinstance(block, dict) and block.get("enabled", True):
        found = (*found, *block_rules(block, making.at, ("data_contract",), making.findings))
    return found


def _source(making: Making) -> SourceSpec:
    source = making.source
    connection = {**source.connection, **source.credentials}
    if source.dsn:
        if {"host", "url", "dsn"} & connection.keys():
            making.error(
                ("source", "dsn"), "source has both dsn and connection.host", "keep one of the two", value=False
            )
        connection["url"] = source.dsn
    return SourceSpec(
        connector=making.connector.name if making.connector else making.job.source_connector,
        connection=connection,
        connection_id=source.connection_id,
        options=source_options(making),
        roots=making.tenant.file_roots,
        pool_size=source.pool_size,
        rate_limits=source.rate_limits,
    )


def _transform(making: Making, shape: Transformation, number: int) -> TransformSpec:
    keys: tuple[Key, ...] = ("transformations", number)
    if shape.type == "sql" and not shape.expression:
        making.error(keys, f"transformation '{shape.name}' has no expression", "add `expression:`")
    windowed = is_windowed(shape.expression)
    if windowed:
        making.warn((*keys, "expression"), f"'{shape.name}' is windowed: it sees the rows of one run only")
    kind = named_type(shape.data_type) if shape.data_type else ""
    if kind is None:
        making.error((*keys, "data_type"), f"'{shape.data_type}' is not a type", "e.g. string, bigint, decimal(18,2)")
    path, line, column = making.at.spot(keys)
    return TransformSpec(
        name=shape.name,
        column=shape.column or column_named(shape.name),
        expression=shape.expression,
        type=kind or "",
        windowed=windowed,
        declared_in=f"{path}:{line}:{column}",
    )
