"""Secrets that one test makes known must not blank out words of the next."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dativo_provider.observability import MASKER


@pytest.fixture(autouse=True)
def no_secret_outlives_its_test() -> Iterator[None]:
    forms, pattern, listeners = set(MASKER._forms), MASKER._pattern, list(MASKER._listeners)
    yield
    MASKER._forms, MASKER._pattern, MASKER._listeners = forms, pattern, listeners
