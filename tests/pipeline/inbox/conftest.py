from __future__ import annotations

from pathlib import Path

import pytest

from tests.pipeline.inbox.build import AT, InboxBench


@pytest.fixture
def bench(tmp_path: Path) -> InboxBench:
    """Row 1 is good, 2 lacks its amount, 3 has one that is no number, and the last line is no row."""
    made = InboxBench(tmp_path)
    return made.delivered(f"1,north,5.00,{AT}", f"2,south,,{AT}", f"3,south,12x,{AT}", "4,x")
