"""Airbyte sources from PyPI or as images. https://docs.airbyte.com/platform/understanding-airbyte/airbyte-protocol"""

from __future__ import annotations

from dativo_provider.connectors.registry import ConnectorInfo
from dativo_provider.model.stream import Capabilities

__all__ = ["CONNECTORS"]

CONNECTORS = (
    ConnectorInfo(
        "airbyte",
        ("source",),
        "api",
        "An Airbyte source from PyPI, in an environment of its own, or as an image ([bridges](bridges.md))",
        Capabilities(incremental=True, ordered_cursor=False, deletes=True),
        ("incremental", "full_refresh"),
        reader="dativo_provider.connectors.airbyte.reader:AirbyteReader",
        connection={"…": "the source's own settings, as its page names them; `config` of the options goes over them"},
        options={
            "package": "its package on PyPI, `airbyte-source-name`, or `name @ git+https://…@tag`",
            "version": "version of the package; default: the one that has an environment",
            "command": "the package's command; default: its name without `airbyte-`",
            "docker_image": "instead of a package: `airbyte/source-name:1.2.3`, where Docker is at hand",
            "config": "settings of the source, where they are not in `source.connection`",
            "start_date_default": "the source's `start_date`, unless it is set",
            "timeout_seconds": "a source that says nothing for so long is ended; default 3600",
            "memory_mb": "a source that takes more is ended; default 2048",
        },
        notes=(
            "`dativo env create 'airbyte-source-name==1.2.3'` makes the source's environment, when an image is built "
            "or a machine starts.",
            "A source that changes its own settings in mid-run (single-use refresh tokens) is not kept up with: the "
            "log tells.",
            "There is no range to backfill: a source begins where its state or its `start_date` says.",
            "Lists and objects arrive as JSON text; a contract that says what is in them gets them as such.",
        ),
    ),
)
