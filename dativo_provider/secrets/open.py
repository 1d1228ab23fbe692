"""The `secrets:` block of runner.yaml as a provider."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

from dativo_provider.errors import Unsupported
from dativo_provider.secrets.base import Provider, Register, ignore
from dativo_provider.secrets.env import EnvSecrets
from dativo_provider.secrets.filesystem import FileSecrets

if TYPE_CHECKING:
    from dativo_provider.config.runners import SecretsSpec

__all__ = ["ALIASES", "open_secrets"]

ALIASES = {
    "environment": "env",
    "fs": "filesystem",
    "file": "filesystem",
    "hashicorp": "vault",
    "hashicorp_vault": "vault",
    "aws_secrets_manager": "aws",
    "gcp_secret_manager": "gcp",
    "azure_key_vault": "azure",
}
PROVIDERS = ("env", "filesystem")


def open_secrets(
    config: SecretsSpec | Mapping[str, Any],
    variables: Mapping[str, str],
    register: Register = ignore,
    *,
    tenants: Collection[str] = (),
) -> Provider:
    """`config` is the runner's, or `{provider: env, env: {prefix: …}}` as it is written there; empty means `env`.

    `variables` are the environment's; `register` is the masker's `add`; `tenants` are all tenants known.
    Raises `Unsupported` for a provider this version does not have.
    """
    provider, options = _chosen(config)
    makers: Mapping[str, Callable[[], Provider]] = {
        "env": lambda: EnvSecrets(variables, register, prefix=str(options.get("prefix", "")), tenants=tenants),
        "filesystem": lambda: FileSecrets(_directory(options), register),
    }
    if provider not in makers:
        here = "is known inside Airflow only" if provider == "airflow" else "is not available in this version"
        raise Unsupported(
            f"secrets provider '{provider}' {here}",
            where="runner.secrets.provider",
            remedy=f"use one of: {', '.join(PROVIDERS)}",
        )
    return makers[provider]()


def _chosen(config: SecretsSpec | Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    if not isinstance(config, Mapping):
        return ALIASES.get(config.provider, config.provider), config.options
    asked = str(config.get("provider") or config.get("type") or "env").lower()
    provider = ALIASES.get(asked, asked)
    return provider, config.get(asked) or config.get(provider) or {}


def _directory(options: Mapping[str, Any]) -> str:
    return str(options.get("secrets_dir") or options.get("path") or "/secrets")
