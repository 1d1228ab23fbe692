from __future__ import annotations

from pathlib import Path

import pytest

from dativo_provider.config import load_runner
from dativo_provider.errors import Unsupported
from dativo_provider.secrets import EnvSecrets, FileSecrets, open_secrets
from dativo_provider.secrets.open import ALIASES
from tests.support import requirement


@requirement("SEC-01", "SEC-02")
@pytest.mark.parametrize("config", [{}, {"provider": "env"}, {"provider": "environment"}, {"type": "ENV"}])
def test_env_is_the_default_and_has_aliases(config: dict[str, str]) -> None:
    assert isinstance(open_secrets(config, {}), EnvSecrets)


@requirement("SEC-02", "SN-04")
def test_blocks_of_providers_that_are_not_chosen_are_ignored() -> None:
    config = {"provider": "env", "vault": {"url": "http://vault:8200", "token": "${VAULT_TOKEN}"}, "aws": {}}
    secrets = open_secrets(config, {"DATIVO_SECRET__ACME__KEY": "v"})
    assert secrets.get("acme", "key") == "v"


@pytest.mark.parametrize("alias", ["filesystem", "fs", "file"])
def test_the_filesystem_provider_reads_its_folder(tmp_path: Path, alias: str) -> None:
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme/key").write_text("v")
    secrets = open_secrets({"provider": alias, alias: {"secrets_dir": str(tmp_path)}}, {})
    assert isinstance(secrets, FileSecrets)
    assert secrets.get("acme", "key") == "v"


def test_the_prefix_of_the_env_provider_comes_from_its_block() -> None:
    config = {"provider": "env", "env": {"prefix": "DATIVO_"}}
    assert open_secrets(config, {"DATIVO_ACME_KEY": "v"}).get("acme", "key") == "v"


@pytest.mark.parametrize("provider", ["vault", "hashicorp_vault", "aws_secrets_manager", "gcp", "azure", "keepass"])
def test_a_provider_that_is_not_there_is_named(provider: str) -> None:
    with pytest.raises(Unsupported, match=f"'{ALIASES.get(provider, provider)}' is not available"):
        open_secrets({"provider": provider}, {})


def test_airflows_own_secrets_are_not_asked_for_elsewhere() -> None:
    with pytest.raises(Unsupported, match="inside Airflow only"):
        open_secrets({"provider": "airflow"}, {})


@requirement("SEC-02", "SN-04")
def test_what_the_runner_file_says_opens_its_provider(tmp_path: Path) -> None:
    (tmp_path / "secrets" / "acme").mkdir(parents=True)
    (tmp_path / "secrets" / "acme" / "key").write_text("v")
    block = f"runner: {{secrets: {{provider: fs, filesystem: {{secrets_dir: {tmp_path}/secrets}}}}}}"
    (tmp_path / "runner.yaml").write_text(block)
    assert open_secrets(load_runner(tmp_path).secrets, {}).get("acme", "key") == "v"
