"""References become values here: providers that fill `model.context.Secrets`, one tenant at a time."""

from dativo_provider.secrets.env import EnvSecrets
from dativo_provider.secrets.filesystem import FileSecrets
from dativo_provider.secrets.open import open_secrets

__all__ = ["EnvSecrets", "FileSecrets", "open_secrets"]
