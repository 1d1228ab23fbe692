"""Every runner.yaml in the docs opens the provider that it names."""

from __future__ import annotations

from pathlib import Path

import pytest

from dativo_provider.config import load_runner
from dativo_provider.model.context import Connection
from dativo_provider.secrets import open_secrets
from tests.docs.pages import PAGES, Block, blocks
from tests.support import requirement

RUNNERS = [block for page in PAGES for block in blocks(page) if block.tag == "yaml runner"]


class Connections:
    def get(self, connection_id: str) -> Connection:
        return Connection("vault", "vault.acme.com", 8200, password="hvs.1")


@requirement("DOC-01", "SEC-02")
@pytest.mark.parametrize("block", RUNNERS, ids=str)
def test_a_runner_of_the_docs_opens_its_secrets(block: Block, tmp_path: Path) -> None:
    (tmp_path / "runner.yaml").write_text(block.body, encoding="utf-8")
    found = load_runner(tmp_path).secrets
    variables = {"VAULT_TOKEN": "t", "VAULT_ROLE_ID": "r", "VAULT_SECRET_ID": "s", "KMS_KEY": "k",
                 "AZURE_TENANT_ID": "t", "AZURE_CLIENT_ID": "c", "AZURE_CLIENT_SECRET": "s"}  # fmt: skip
    opened = open_secrets(found, variables, connections=Connections())
    assert opened.name == found.provider
