from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.connectors.rest.fake import FakeApi, serving


@pytest.fixture
def api() -> Iterator[FakeApi]:
    found = FakeApi()
    with serving(found):
        yield found
