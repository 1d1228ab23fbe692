"""Secrets in files: `<secrets_dir>/<tenant>/<name>`, with `.json`, `.env` or `.txt` when the format is said."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import mkstemp

from dativo_provider.errors import CredentialError
from dativo_provider.secrets.base import Provider, Register, ignore
from dativo_provider.secrets.names import SecretName
from dativo_provider.secrets.payload import Format, Payload, parse
from dativo_provider.secrets.setup import Setup

__all__ = ["FileSecrets", "opened"]

_SUFFIXES: dict[str, Format | None] = {"": None, ".env": "env", ".json": "json", ".txt": "text"}
_MOST_BYTES = 1 << 20


def opened(setup: Setup) -> FileSecrets:
    return FileSecrets(str(setup.options.get("secrets_dir") or setup.options.get("path") or "/secrets"), setup.register)


class FileSecrets(Provider):
    """One folder per tenant, as Kubernetes mounts secrets. Links may lead anywhere inside that folder only."""

    name, writes = "filesystem", True

    def __init__(self, directory: Path | str, register: Register = ignore) -> None:
        super().__init__(register)
        self._directory = Path(directory)

    def find(self, wanted: SecretName) -> tuple[Payload, str]:
        path, form = self._path(wanted)
        return parse(_read(path, path.parent), form, str(path)), str(path)

    def store(self, wanted: SecretName, text: str, found: Payload) -> None:
        """In one step, so that a reader sees the old or the new. Kubernetes mounts secrets read-only."""
        path, _ = self._path(wanted)
        try:
            number, made = mkstemp(dir=path.parent, prefix=f".{path.name}.")
            with open(number, "w", encoding="utf-8") as file:
                file.write(text)
            os.chmod(made, path.stat().st_mode & 0o777)
            os.replace(made, path)
        except OSError as problem:
            raise CredentialError(
                f"secret '{wanted.full}' has changed and cannot be written ({problem.strerror})", where=str(path),
                remedy="let this process write the folder, or keep the secret with a provider that can be written",
            ) from problem  # fmt: skip

    def _path(self, wanted: SecretName) -> tuple[Path, Format | None]:
        folder = self._directory / wanted.tenant
        if not folder.is_dir():
            raise CredentialError(
                f"tenant '{wanted.tenant}' has no folder of secrets", where=str(folder), remedy="create it"
            )
        for suffix, form in _SUFFIXES.items():
            path = folder / f"{wanted.name}{suffix}"
            if path.is_file():
                return path, form
        raise CredentialError(
            f"secret '{wanted.full}' of tenant '{wanted.tenant}' is not there",
            where=f"{folder}/{wanted.name}[{'|'.join(filter(None, _SUFFIXES))}]",
            remedy="create one of these files",
        )


def _read(path: Path, folder: Path) -> str:
    if not path.resolve().is_relative_to(folder.resolve()):
        raise CredentialError("this link leads out of the tenant's folder", where=str(path), remedy="copy the file")
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise CredentialError("this file is too big for a secret", where=str(path), remedy="keep it under 1 MB")
        return path.read_text(encoding="utf-8")
    except PermissionError as problem:
        raise CredentialError("this process may not read the file", where=str(path), remedy="chmod it") from problem
    except UnicodeDecodeError:  # its text quotes the secret, so it is not chained
        raise CredentialError("the file is not UTF-8 text", where=str(path), remedy="store it as base64") from None
