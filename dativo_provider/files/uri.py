"""URIs of files: always with a scheme, never percent-encoded, as PyIceberg and the Iceberg metadata hold them."""

from __future__ import annotations

from pathlib import Path

from dativo_provider.errors import ConfigurationError

__all__ = ["bucket_and_key", "canonical", "file_uri", "join", "local_path", "parent", "relative", "scheme", "uri_of"]

_SPELLINGS = {"s3a": "s3", "s3n": "s3", "gcs": "gs", "az": "abfs"}
_UNSAFE = frozenset("?#%")  # URL parsers in readers of the table would cut or decode the path at these


def scheme(uri: str) -> str:
    """`s3` of `s3://bucket/key`. Raises `ConfigurationError` for a plain path."""
    kind, separator, _ = uri.partition("://")
    if not separator or not kind:
        raise ConfigurationError(f"'{uri}' has no scheme", remedy="write file:///…, s3://…, gs://… or abfss://…")
    return kind.lower()


def file_uri(path: Path | str) -> str:
    """The URI of a folder somebody chose, made absolute. Raises `ConfigurationError` for one others cannot read."""
    made = uri_of(path)
    if bad := sorted(_UNSAFE & set(made)):
        raise ConfigurationError(
            f"the path '{local_path(made)}' contains {' '.join(bad)}, which other engines cannot read in "
            "a table's location",
            remedy="choose a folder without these characters",
        )
    return made


def uri_of(path: Path | str) -> str:
    """The URI of a local path as it is: names Dativo makes itself may hold `%`."""
    return f"file://{Path(path).expanduser().absolute().as_posix()}"


def local_path(uri: str) -> Path:
    """The inverse of `file_uri`; `file:/a`, `file:///a` and `file://localhost/a` are the same file."""
    if not uri.startswith("file:"):
        raise ConfigurationError(f"'{uri}' is not a local file")
    rest = uri.removeprefix("file:")
    return Path(rest.removeprefix("//localhost").removeprefix("//") if rest.startswith("//") else rest)


def bucket_and_key(uri: str) -> tuple[str, str]:
    """`s3://bucket/a/b` → `("bucket", "a/b")`."""
    bucket, _, key = uri.partition("://")[2].partition("/")
    return bucket, key


def canonical(uri: str) -> str:
    """One spelling per file, for comparing: `file:/a` and `file:///a`, `s3a://b` and `s3://b`, `az://` and `abfs://`."""
    kind, _, rest = uri.partition(":")
    if kind == "file":
        return uri_of(local_path(uri))
    return f"{_SPELLINGS.get(kind, kind)}:{rest}"


def join(base: str, *parts: str) -> str:
    """`base` with `parts` appended, one slash between."""
    return "/".join([base.rstrip("/"), *(part.strip("/") for part in parts if part.strip("/"))])


def parent(uri: str) -> str:
    return uri.rstrip("/").rpartition("/")[0]


def relative(uri: str, base: str) -> str:
    """The part of `uri` below `base`. Raises `ConfigurationError` when it is not below it."""
    root = base.rstrip("/") + "/"
    if not uri.startswith(root):
        raise ConfigurationError(f"'{uri}' is not below '{base}'")
    return uri[len(root) :]
