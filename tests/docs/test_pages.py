from __future__ import annotations

import re
from pathlib import Path

import pytest

from dativo_provider.connectors.registry import connectors
from tests.docs.pages import PAGES, ROOT, blocks, links
from tests.support import requirement

COMMAND = re.compile(r"\bmake ([a-z-]+)")


@requirement("DOC-01")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    assert [target for target in links(page) if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_make_command_of_a_page_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    marked = "\n".join(re.findall(r"`[^`]*`", page.read_text(encoding="utf-8")))
    fenced = "\n".join(block.body for block in blocks(page))
    assert set(COMMAND.findall(marked + fenced)) <= targets


def test_yaml_is_always_tagged_so_that_it_is_checked() -> None:
    untagged = [str(block) for page in PAGES for block in blocks(page) if block.tag in {"yaml", "yml", ""}]
    assert untagged == []


def test_decisions_are_numbered_dated_and_short() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [page.name[:5] for page in pages] == [f"{number:04d}-" for number in range(1, len(pages) + 1)]
    for page in pages:
        lines = [line for line in page.read_text(encoding="utf-8").splitlines() if line]
        assert lines[0].startswith("# ")
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", lines[1])
        assert len(lines) <= 16, page.name


@requirement("CON-39")
def test_the_readme_counts_the_sources_that_can_be_read() -> None:
    readable = [found.name for found in connectors().values() if found.reader]
    counted = re.findall(r"^\| sources \| \[?(\d+)", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert counted == [str(len(readable))] * 2
