"""What tests of every room share."""

from __future__ import annotations

import pytest


def requirement(*ids: str) -> pytest.MarkDecorator:
    """Names the requirements a test proves; `make requirements` prints the matrix."""
    return pytest.mark.requirement(*ids)
