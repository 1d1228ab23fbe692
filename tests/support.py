"""What tests of every room share."""

from __future__ import annotations

import pytest

_CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: 0b5c1b52-7f7c-4f0a-9d5c-0d1f6b8f2a11
name: orders
version: 1.0.0
status: active
team: {name: shop, members: [{username: shop-data@example.com, role: owner}]}
schema:
  - name: orders
    logicalType: object
    properties:
"""


def orders_contract(*columns: str) -> str:
    """The ODCS contract of table `orders`; a column is the inside of its YAML mapping."""
    return _CONTRACT + "".join(f"      - {{{each}}}\n" for each in columns)


def requirement(*ids: str) -> pytest.MarkDecorator:
    """Names the requirements a test proves; `make requirements` prints the matrix."""
    return pytest.mark.requirement(*ids)


def proves(what: str, *connectors: str) -> pytest.MarkDecorator:
    """Names a column of tests/connectors/test_matrix.py (`memory`, `faults`) and the connectors it is proven for."""
    return pytest.mark.proves(what, *connectors)
