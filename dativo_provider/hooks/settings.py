"""`[dativo]` of airflow.cfg and `DATIVO_*` of the environment, as the engine's `Settings`."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import quote

from dativo_provider.get_provider_info import SETTING_NAMES, get_provider_info

if TYPE_CHECKING:
    from dativo_provider.model.context import Connection, Connections
    from dativo_provider.model.settings import Settings

__all__ = ["default_home", "is_distributed", "load_settings", "setting_values"]

REFERENCE = "connection:"
_ONE_MACHINE = ("LocalExecutor", "SequentialExecutor", "DebugExecutor", "InProcessExecutor")


def setting_values(variables: Mapping[str, str]) -> dict[str, str]:
    """What was set on purpose: `[dativo]` (and `AIRFLOW__DATIVO__*`) first, then `DATIVO_*`."""
    from airflow.sdk.configuration import conf

    defaults = get_provider_info()["config"]["dativo"]["options"]
    found = {name: variables.get(f"DATIVO_{name.upper()}", "") for name in SETTING_NAMES}
    for name in SETTING_NAMES:
        value = conf.get("dativo", name, fallback="")
        if value and value != defaults[name]["default"]:
            found[name] = value
    return {name: value for name, value in found.items() if value}


def load_settings(connections: Connections, variables: Mapping[str, str] | None = None) -> Settings:
    """For a task. `connection:<id>` stands for the URI or the properties that an Airflow connection holds."""
    from dativo_provider.config import settings_from

    variables = os.environ if variables is None else variables
    values = {name: looked_up(name, value, connections) for name, value in setting_values(variables).items()}
    values.setdefault("home", default_home(variables))
    settings: Settings = settings_from(values)
    return replace(settings, distributed=settings.distributed or is_distributed(variables))


def default_home(variables: Mapping[str, str]) -> str:
    """Below AIRFLOW_HOME: the working directory of a task is nobody's choice."""
    return os.path.join(variables.get("AIRFLOW_HOME") or os.path.expanduser("~/airflow"), "dativo")


def is_distributed(variables: Mapping[str, str]) -> bool:
    """Whether tasks of one run may execute on several machines."""
    from airflow.sdk.configuration import conf

    names = conf.get("core", "executor", fallback="").replace(";", ",").split(",")
    kinds = {name.rpartition("=")[2].rpartition(":")[2].rpartition(".")[2].strip() for name in names}
    return bool(kinds - set(_ONE_MACHINE) - {""}) or "AIRFLOW_IS_K8S_EXECUTOR_POD" in variables


def looked_up(name: str, value: str, connections: Connections) -> str:
    if not value.startswith(REFERENCE):
        return value
    connection = connections.get(value.removeprefix(REFERENCE).strip())
    return json.dumps(_properties(connection)) if name == "catalog_properties" else _uri(connection)


def _properties(connection: Connection) -> dict[str, str]:
    """The connection's extra; the key pair of an `aws` connection under PyIceberg's names."""
    found = {key: str(value) for key, value in connection.extra.items()}
    if connection.conn_type == "aws" and connection.login:
        found |= {"s3.access-key-id": connection.login, "s3.secret-access-key": connection.password}
    return found


def _uri(connection: Connection) -> str:
    scheme = {"postgres": "postgresql+psycopg2"}.get(connection.conn_type, connection.conn_type)
    login = f"{quote(connection.login, safe='')}:{quote(connection.password, safe='')}@" if connection.login else ""
    port = f":{connection.port}" if connection.port else ""
    host = connection.host.partition("://")[2] or connection.host
    return f"{scheme}://{login}{host}{port}/{connection.schema}"
