"""The secrets of runner.yaml as Airflow connections and Variables, for operators of others too.

https://airflow.apache.org/docs/apache-airflow/stable/security/secrets/secrets-backend/index.html
"""

from __future__ import annotations

import json
import os
import re
from typing import Any

from airflow.secrets import BaseSecretsBackend

from dativo_provider.errors import CredentialError

__all__ = ["DativoSecretsBackend"]

_PARTS = ("conn_type", "host", "port", "login", "password", "schema", "extra")
_URI = re.compile(r"[a-z][a-z0-9+._-]*://", re.I)
_OTHER_NAMES = {"hostname": "host", "user": "login", "username": "login", "database": "schema", "dbname": "schema"}


class DativoSecretsBackend(BaseSecretsBackend):  # type: ignore[misc]
    """Connection `<tenant>__<name>` and Variable `dativo__<tenant>__<name>` are the secret `name` of that tenant.

    `runner_config` is runner.yaml or the folder that has one. What is called otherwise, or is not there, Airflow looks
    for elsewhere.
    """

    def __init__(self, runner_config: str, **_more: Any) -> None:
        super().__init__()
        self._runner = runner_config

    def get_conn_value(self, conn_id: str, team_name: str | None = None) -> str | None:
        tenant, joint, name = conn_id.partition("__")
        found = self._secret(tenant, name) if joint else None
        return found if found is None or _URI.match(found) else _connection(found)

    def get_variable(self, key: str, team_name: str | None = None) -> str | None:
        ours, _, rest = key.partition("__")
        tenant, joint, name = rest.partition("__")
        return self._secret(tenant, name) if ours == "dativo" and joint else None

    def _secret(self, tenant: str, name: str) -> str | None:
        from dativo_provider.config import load_runner
        from dativo_provider.secrets import open_secrets

        try:
            return open_secrets(load_runner(self._runner).secrets, os.environ).get(tenant, name)
        except CredentialError:
            return None


def _connection(secret: str) -> str:
    """As Airflow's JSON form: fields by their usual names, the others as extras; text is the password."""
    from dativo_provider.secrets.payload import parse

    fields = parse(secret, None, "").fields
    if fields is None:
        return json.dumps({"conn_type": "generic", "password": secret})
    named = {_OTHER_NAMES.get(str(name).lower(), str(name)): value for name, value in fields.items()}
    extra = {name: value for name, value in named.items() if name not in _PARTS}
    made = {"conn_type": "generic", **{name: value for name, value in named.items() if name in _PARTS}}
    return json.dumps(made if "extra" in made or not extra else made | {"extra": extra})
