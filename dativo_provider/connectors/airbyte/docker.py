"""A source as an image: the same messages from a container. https://docs.docker.com/reference/cli/docker/container/run

What a tenant may run that way is Airbyte's own images. A container gets its files read-only, no right that it does not
need, and a name by which it is ended.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import uuid
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from dativo_provider.errors import ConfigurationError

__all__ = ["command", "end", "found"]

_IMAGE = re.compile(r"(docker\.io/)?airbyte/source-[a-z0-9-]+(:[\w.-]+)?(@sha256:[0-9a-f]{64})?")
_INSIDE = "/dativo"
SEEN = ("DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY", "DOCKER_CONTEXT")


def found(variables: Mapping[str, str]) -> str:
    """Docker's command. Raises `ConfigurationError` where there is none."""
    docker = shutil.which("docker", path=variables.get("PATH") or os.defpath)
    if docker is None:
        raise ConfigurationError(
            "the source is an image, and there is no Docker here",
            remedy="run the job where Docker is, or name the source's package on PyPI: package: airbyte-source-name",
        )
    return docker


def command(docker: str, image: str, folder: Path, arguments: tuple[str, ...], memory_mb: int) -> tuple[str, ...]:
    """`arguments` name files in `folder` by their names. Raises `ConfigurationError` for others' images."""
    if not _IMAGE.fullmatch(image):
        raise ConfigurationError(f"'{image}' is none of Airbyte's images", remedy="name one: airbyte/source-name:1.2.3")
    inside = tuple(f"{_INSIDE}/{each}" if each.endswith(".json") else each for each in arguments)
    return (
        docker, "run", "--rm", "--init", "--name", f"dativo-{uuid.uuid4().hex}", "--log-driver", "none",
        "--user", f"{os.getuid()}:{os.getgid()}", "--env", "HOME=/tmp", "--volume", f"{folder}:{_INSIDE}:ro",
        "--memory", f"{memory_mb}m", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", image, *inside,
    )  # fmt: skip


def end(whole: tuple[str, ...], variables: Mapping[str, str]) -> None:
    """Removes the container: the end of Docker's command alone would leave it at work."""
    name = whole[whole.index("--name") + 1]
    with suppress(OSError, subprocess.SubprocessError):
        subprocess.run(
            [whole[0], "rm", "--force", name], env={"PATH": os.defpath, **variables}, capture_output=True, timeout=30
        )
