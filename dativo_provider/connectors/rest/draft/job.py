"""The first draft of a job that reads by a spec."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dativo_provider.connectors.rest.draft.draft import Draft, as_text
from dativo_provider.connectors.rest.spec import Api

__all__ = ["job_of", "secrets_of"]

_OPEN = ("username", "email", "client_id", "client_email", "issuer")  # of a login, but no secret


def secrets_of(api: Api) -> dict[str, str]:
    """Names of secrets by the credential they hold: what the first login needs."""
    needed = [name for name in (api.auth[0].needs if api.auth else ()) if _is_secret(api, name)]
    return {name: api.api if len(needed) == 1 else f"{api.api}_{name}" for name in needed}


def _is_secret(api: Api, name: str) -> bool:
    return api.settings[name].secret if name in api.settings else name not in _OPEN


def job_of(api: Api, tenant: str) -> str:
    """YAML. Streams without a key are replaced by each run, since nothing says which row is which."""
    keyed = all(stream.key for stream in api.streams.values())
    later = keyed and any(api.increment(stream) for stream in api.streams.values())
    source: dict[str, Any] = {"objects": list(api.streams), "connection": _connection(api)}
    if later:
        source["incremental"] = {"strategy": "updated_at", "lookback_hours": 1}
    job = Draft({
        "tenant_id": tenant, "source_connector": api.api,
        "source": {name: value for name, value in source.items() if value},
        "target": {"write_mode": "merge" if keyed else "replace"},
    })  # fmt: skip
    job.remark("Written by `dativo connector new`. Without a `schedule` it runs when it is told to:\n"
               'schedule: {cron: "0 * * * *"}')  # fmt: skip
    if later:
        job.remark("the last hour is read again, for changes that the API showed late", "source", "incremental")
    if not keyed:
        job.remark("a stream has no `key`, so rows cannot be merged: each run reads and replaces all", "target")
    return as_text(job)


def _connection(api: Api) -> Mapping[str, str]:
    secrets = secrets_of(api)
    open_ones = [name for name in (api.auth[0].needs if api.auth else ()) if name not in secrets]
    needed = [name for name, each in api.settings.items() if each.default is None and not each.optional]
    plain = {name: f"your-{name.replace('_', '-')}" for name in (*needed, *open_ones) if name not in secrets}
    return {**plain, **{name: f"${{SECRET:{secret}}}" for name, secret in secrets.items()}}
