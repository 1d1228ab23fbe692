"""Every job, contract and tenant file in the docs is valid as it stands. Its first line says where it belongs."""

from __future__ import annotations

from pathlib import Path

import pytest

from dativo_provider.config import check_paths
from dativo_provider.connectors.rest.load import load_api
from tests.docs.pages import PAGES, ROOT, Block, blocks
from tests.support import requirement

KINDS = ("yaml job", "yaml contract", "yaml tenant", "yaml spec")
WITH_EXAMPLES = [page for page in PAGES if any(block.tag in KINDS for block in blocks(page))]


def place(block: Block) -> str:
    first = block.body.splitlines()[0]
    assert first.startswith("# tenants/"), f"{block}: the first line says where the file belongs"
    return first.removeprefix("# ").strip()


@requirement("REG-15", "DOC-01")
@pytest.mark.parametrize("page", WITH_EXAMPLES, ids=lambda page: str(page.relative_to(ROOT)))
def test_examples_of_a_page_are_valid_together(page: Path, tmp_path: Path) -> None:
    for block in blocks(page):
        if block.tag in KINDS:
            path = tmp_path / place(block)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.body, encoding="utf-8")
            (tmp_path / "tenants" / path.relative_to(tmp_path).parts[1] / "data").mkdir(exist_ok=True)
    assert [str(problem) for problem in check_paths([tmp_path])] == []
    for spec in tmp_path.rglob("connectors/*.yaml"):
        load_api(spec)


def test_the_readme_shows_a_job_a_contract_and_a_tenant() -> None:
    shown = [block.tag for block in blocks(ROOT / "README.md")]
    assert all(kind in shown for kind in KINDS[:3])
