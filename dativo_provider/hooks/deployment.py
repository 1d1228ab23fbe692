"""What only Airflow itself can say of the deployment."""

from __future__ import annotations

from collections.abc import Collection

__all__ = ["executors", "known_pools"]


def executors() -> str:
    from airflow.sdk.configuration import conf

    return str(conf.get("core", "executor", fallback=""))


def known_pools() -> Collection[str] | None:
    """Names in Airflow's database; None where it cannot be reached, as in every worker of Airflow 3."""
    try:
        from airflow.models.pool import Pool
        from airflow.utils.session import create_session
        from sqlalchemy import select

        with create_session() as session:
            return frozenset(session.scalars(select(Pool.pool)))
    except Exception:
        return None
