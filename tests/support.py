"""What tests of every room share."""

from __future__ import annotations

import pytest


def requirement(*ids: str) -> pytest.MarkDecorator:
    """Names the requirements a test proves; `make requirements` prints the matrix."""
    return pytest.mark.requirement(*ids)


def proves(what: str, *connectors: str) -> pytest.MarkDecorator:
    """Names a column of tests/connectors/test_matrix.py (`memory`, `faults`) and the connectors it is proven for."""
    return pytest.mark.proves(what, *connectors)
