"""psycopg2, when it is there. https://www.psycopg.org/docs/"""

from __future__ import annotations

from typing import Any

from dativo_provider.errors import MissingExtra

__all__ = ["psycopg2_module"]


def psycopg2_module() -> Any:
    """Raises `MissingExtra`."""
    try:
        import psycopg2
        import psycopg2.errorcodes
        import psycopg2.extensions
    except ImportError as error:
        raise MissingExtra.named("postgres", "connector 'postgres'") from error
    return psycopg2
