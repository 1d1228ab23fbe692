"""PyMySQL and NumPy, when they are there. https://pymysql.readthedocs.io/"""

from __future__ import annotations

from typing import Any

from dativo_provider.errors import MissingExtra

__all__ = ["numpy_module", "pymysql_module"]


def pymysql_module() -> Any:
    """For login, TLS and single answers. Raises `MissingExtra`."""
    try:
        import pymysql
        import pymysql.connections
    except ImportError as error:
        raise MissingExtra.named("mysql", "connector 'mysql'") from error
    return pymysql


def numpy_module() -> Any:
    """For cutting rows into columns. Raises `MissingExtra`."""
    try:
        import numpy
    except ImportError as error:
        raise MissingExtra.named("mysql", "connector 'mysql'") from error
    return numpy
