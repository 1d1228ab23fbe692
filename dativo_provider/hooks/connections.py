"""Airflow connections, from whatever secrets backend the deployment has, as the engine's `Connection`."""

from __future__ import annotations

from dativo_provider.errors import CredentialError
from dativo_provider.hooks.secrets import register
from dativo_provider.model.context import Connection

__all__ = ["AirflowConnections"]


class AirflowConnections:
    """Fetched anew each time, so that a rotated secret is seen by the next caller."""

    def get(self, connection_id: str) -> Connection:
        from airflow.sdk import BaseHook
        from airflow.sdk.exceptions import AirflowException

        try:
            found = BaseHook.get_connection(connection_id)
        except AirflowException as error:
            raise CredentialError(
                f"Airflow has no connection '{connection_id}'",
                remedy=f"create it: airflow connections add {connection_id} --conn-uri ..., or in your secrets backend",
            ) from error
        if found.password:
            register(found.password)
        return Connection(
            conn_type=found.conn_type or "",
            host=found.host or "",
            port=found.port,
            login=found.login or "",
            password=found.password or "",
            schema=found.schema or "",
            extra=found.extra_dejson,
        )
