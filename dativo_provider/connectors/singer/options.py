"""What a job says of its tap: which one it is, and what it is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dativo_provider.connectors.bridge.options import known_options, settings_of
from dativo_provider.errors import ConfigurationError
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import SourceSpec

__all__ = ["TapOptions", "tap_options"]

_NAMES = ("tap", "tap_package", "tap_version", "tap_config", "catalog_argument", "replication_method", "also_select",
          "batches", "timeout_seconds", "memory_mb")  # fmt: skip


@dataclass(frozen=True)
class TapOptions:
    """`requirement` is the package as `dativo env create` takes it, `command` the program in it."""

    command: str
    requirement: str
    config: dict[str, Any] = field(default_factory=dict, repr=False)
    catalog_argument: str = "catalog"
    replication_method: str = ""
    also_select: tuple[str, ...] = ()  # parents of a stream, for taps that read children with them only
    batches: bool = False  # let the tap hand over files of records (BATCH messages)


def tap_options(source: SourceSpec, ctx: RunContext) -> TapOptions:
    """Raises `ConfigurationError` when the tap is not named, or an option is unknown."""
    given = known_options(source.options, _NAMES)
    command = str(given.get("tap") or given.get("tap_package") or "")
    if not command:
        raise ConfigurationError(
            "the job does not say which tap to run", where="source.options",
            remedy="set `tap: tap-name`, and `tap_package:` where the package is called otherwise",
        )  # fmt: skip
    own = given.get("tap_config") or {}
    config = {**settings_of(source, ctx), **(own if isinstance(own, Mapping) else {})}
    return TapOptions(
        command=_command(command),
        requirement=_requirement(given, command),
        config=config,
        catalog_argument=str(given.get("catalog_argument") or "catalog"),
        replication_method=str(given.get("replication_method") or config.get("replication_method") or ""),
        also_select=tuple(map(str, given.get("also_select") or ())),
        batches=bool(given.get("batches")),
    )


def _command(name: str) -> str:
    """A package that is called like its command need not say so twice."""
    return name.partition("==")[0].partition("@")[0].partition("[")[0].strip()


def _requirement(given: Mapping[str, Any], command: str) -> str:
    package, version = str(given.get("tap_package") or command), str(given.get("tap_version") or "")
    if "://" in package and "@" not in package.partition("://")[0]:
        package = f"{_command(command)} @ {package}"  # as Meltano writes a pip_url
    pinned = "==" in package or "@" in package or version in ("", "latest")
    return package if pinned else f"{package}=={version}"
