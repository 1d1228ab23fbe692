"""What a job says of its Airbyte source: which one it is, and what it is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dativo_provider.connectors.bridge.options import known_options, settings_of
from dativo_provider.errors import ConfigurationError
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import SourceSpec

__all__ = ["SourceOptions", "source_options"]

_NAMES = ("package", "version", "command", "docker_image", "config", "streams_default", "start_date_default",
          "timeout_seconds", "memory_mb")  # fmt: skip


@dataclass(frozen=True)
class SourceOptions:
    """Either `image`, or `requirement` as `dativo env create` takes it and `command`, the program in it."""

    image: str = ""
    requirement: str = ""
    command: str = ""
    config: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def title(self) -> str:
        return self.image.rpartition("/")[2].partition(":")[0] or self.command


def source_options(source: SourceSpec, ctx: RunContext) -> SourceOptions:
    """Raises `ConfigurationError` when the source is not named, or an option is unknown."""
    given = known_options(source.options, _NAMES)
    config, package = _config(given, source, ctx), str(given.get("package") or "")
    if package:
        return SourceOptions("", _requirement(given, package), _command(given, package), config)
    if given.get("docker_image"):
        return SourceOptions(str(given["docker_image"]), config=config)
    raise ConfigurationError(
        "the job does not say which source to run", where="source.options",
        remedy="set `package: airbyte-source-name`, or `docker_image: airbyte/source-name:1.2.3`",
    )  # fmt: skip


def _config(given: Mapping[str, Any], source: SourceSpec, ctx: RunContext) -> dict[str, Any]:
    own = given.get("config")
    start = given.get("start_date_default")
    below = {"start_date": start} if start else {}
    return {**below, **settings_of(source, ctx), **(own if isinstance(own, Mapping) else {})}


def _requirement(given: Mapping[str, Any], package: str) -> str:
    version = str(given.get("version") or "")
    return package if "==" in package or "@" in package or not version else f"{package}=={version}"


def _command(given: Mapping[str, Any], package: str) -> str:
    name = package.partition("==")[0].partition("@")[0].partition("[")[0].strip()
    return str(given.get("command") or name.removeprefix("airbyte-"))
