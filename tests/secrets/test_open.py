from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dativo_provider.config import load_runner
from dativo_provider.errors import ConfigurationError, Unsupported
from dativo_provider.model.context import Connection
from dativo_provider.secrets import EnvSecrets, FileSecrets, open_secrets
from dativo_provider.secrets.aws import AwsSecrets
from dativo_provider.secrets.azure import AzureSecrets
from dativo_provider.secrets.base import Provider
from dativo_provider.secrets.gcp import GcpSecrets
from dativo_provider.secrets.vault import VaultSecrets
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


def test_a_provider_that_is_not_there_is_named() -> None:
    with pytest.raises(Unsupported, match="'keepass' is not available"):
        open_secrets({"provider": "keepass"}, {})


@requirement("SEC-01")
@pytest.mark.parametrize(
    ("provider", "options", "made"),
    [
        ("hashicorp", {"address": "http://v", "token": "t"}, VaultSecrets),
        ("hashicorp_vault", {"url": "http://v", "role_id": "r", "secret_id": "s"}, VaultSecrets),
        ("aws_secrets_manager", {"region_name": "eu-west-1"}, AwsSecrets),
        ("gcp_secret_manager", {"project_id": "p"}, GcpSecrets),
        ("azure_key_vault", {"vault_url": "https://v.vault.azure.net"}, AzureSecrets),
    ],
)
def test_each_provider_has_its_older_names_and_keys(provider: str, options: dict[str, str], made: type) -> None:
    assert isinstance(open_secrets({"provider": provider, provider: options}, {}), made)


SN_04 = """
# New runner.yaml configuration
runner:
  secrets:
    provider: "%s"  # or filesystem, vault, aws, gcp, azure
    
    # Provider-specific configuration
    vault:
      url: "http://vault:8200"
      token: "${VAULT_TOKEN}"
    
    aws:
      region: "us-east-1"
      kms_key_id: "arn:aws:kms:..."
"""  # noqa: W293 - as it was written


@requirement("SN-04", "SEC-02", "SEC-06")
def test_the_snippet_works_as_written_and_expands_what_it_uses(tmp_path: Path) -> None:
    def opened(provider: str, **variables: str) -> Provider:
        (tmp_path / "runner.yaml").write_text(SN_04 % provider)
        return open_secrets(load_runner(tmp_path).secrets, variables, heard.append)

    heard: list[str] = []
    assert opened("env", DATIVO_SECRET__ACME__KEY="v").get("acme", "key") == "v"
    assert isinstance(opened("aws"), AwsSecrets)
    with pytest.raises(ConfigurationError, match="VAULT_TOKEN") as caught:
        opened("vault")
    assert caught.value.where == "runner.secrets.vault"
    assert isinstance(opened("vault", VAULT_TOKEN="hvs.s3cret"), VaultSecrets)
    assert "hvs.s3cret" in heard


@pytest.mark.parametrize(
    ("provider", "options", "says"),
    [
        ("vault", {"url": "http://v", "tokn": "t"}, "did you mean 'token'"),
        ("vault", {"url": "http://v"}, "set token"),
        ("vault", {"url": "http://v", "token": "t", "kv_version": 3}, "kv_version"),
        ("vault", {"url": "http://v", "auth_method": "approle", "role_id": "r"}, "set both"),
        ("aws", {"secret_id_template": "prod/{name}"}, "write {tenant} in it"),
        ("aws", {"secret_id_template": "prod/{tenant}"}, "write {name} in it"),
        ("aws", {"secret_id_template": "{tenant}{name}"}, "between them"),
        ("aws", {"secret_id_template": "{tenant}/{nam}"}, "write {tenant} and {name}"),
        ("aws", {"secrets": [{"name": "x", "id": "prod/acme/x"}]}, "tenant: <the one that may>"),
        ("vault", {"url": "http://v", "token": "t", "paths": [{"path": "shared"}]}, "shared: true"),
        ("gcp", {"project_id": ""}, "project_id"),
    ],
)
@requirement("SEC-05")
def test_a_mistake_in_the_block_says_where_it_is(provider: str, options: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        open_secrets({"provider": provider, provider: options}, {})
    assert says.lower() in str(caught.value).lower()
    assert caught.value.where.startswith(f"runner.secrets.{provider}")


class Connections:
    def get(self, connection_id: str) -> Connection:
        assert connection_id == "our_vault"
        return Connection("vault", "vault.acme.com", 8200, password="hvs.of-airflow")


@requirement("SEC-02")
def test_an_airflow_connection_may_hold_the_address_and_the_login() -> None:
    heard: list[str] = []
    block = {"provider": "vault", "vault": {"connection_id": "our_vault"}}
    assert isinstance(open_secrets(block, {}, heard.append, connections=Connections()), VaultSecrets)
    assert "hvs.of-airflow" in heard


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
