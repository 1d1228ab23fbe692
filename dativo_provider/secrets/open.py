"""The `secrets:` block of runner.yaml as a provider."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from dativo_provider.config.references import expand
from dativo_provider.errors import ConfigurationError, Unsupported
from dativo_provider.model.context import Connections, NoConnections
from dativo_provider.secrets.base import Provider, Register, ignore

if TYPE_CHECKING:
    from dativo_provider.config.runners import SecretsSpec

__all__ = ["ALIASES", "PROVIDERS", "open_secrets"]

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
PROVIDERS = ("env", "filesystem", "vault", "aws", "gcp", "azure")  # each a leaf with `opened`


def open_secrets(
    config: SecretsSpec | Mapping[str, Any],
    variables: Mapping[str, str],
    register: Register = ignore,
    *,
    tenants: Collection[str] = (),
    connections: Connections | None = None,
) -> Provider:
    """`config` is the runner's, or `{provider: env, env: {prefix: …}}` as it is written there; empty means `env`.

    `variables` are the environment's; `register` is the masker's `add`; `tenants` are all tenants known. References
    in the block of the provider are expanded here, those of the others never.
    Raises `Unsupported`, `ConfigurationError`, `MissingExtra`.
    """
    from dativo_provider.secrets.setup import Setup

    provider, options = _chosen(config)
    if provider not in PROVIDERS:
        here = "is known inside Airflow only" if provider == "airflow" else "is not available in this version"
        raise Unsupported(
            f"secrets provider '{provider}' {here}",
            where="runner.secrets.provider",
            remedy=f"use one of: {', '.join(PROVIDERS)}",
        )
    setup = Setup(
        provider, _expanded(options, variables, provider), variables, register, tenants, connections or NoConnections()
    )
    opened: Provider = import_module(f"dativo_provider.secrets.{provider}").opened(setup)
    return opened


def _expanded(options: Mapping[str, Any], variables: Mapping[str, str], provider: str) -> Mapping[str, Any]:
    """runner.yaml is the deployment's own file: it may name any variable."""
    try:
        found: Mapping[str, Any] = expand(dict(options), variables, ("*",))
    except ConfigurationError as error:
        error.where = f"runner.secrets.{provider}"
        raise
    return found


def _chosen(config: SecretsSpec | Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    if not isinstance(config, Mapping):
        return ALIASES.get(config.provider, config.provider), config.options
    asked = str(config.get("provider") or config.get("type") or "env").lower()
    provider = ALIASES.get(asked, asked)
    return provider, config.get(asked) or config.get(provider) or {}
