"""Singer taps, each in an environment of its own. https://hub.meltano.com/singer/spec"""

from __future__ import annotations

from dativo_provider.connectors.registry import ConnectorInfo
from dativo_provider.model.stream import Capabilities

__all__ = ["CONNECTORS"]

CONNECTORS = (
    ConnectorInfo(
        "singer",
        ("source",),
        "api",
        "A Singer tap from PyPI, in an environment of its own ([bridges](bridges.md))",
        Capabilities(incremental=True, ordered_cursor=False, deletes=True),
        ("incremental", "full_refresh"),
        reader="dativo_provider.connectors.singer.reader:SingerReader",
        connection={"…": "the tap's own settings, as its page names them; `tap_config` of the options goes over them"},
        options={
            "tap": "the tap's command",
            "tap_package": "its package on PyPI, or `name @ git+https://…@tag`; default: called like the command",
            "tap_version": "version of the package; default: the one that has an environment",
            "tap_config": "settings of the tap, where they are not in `source.connection`",
            "replication_method": "`INCREMENTAL`, `FULL_TABLE` or `LOG_BASED`; default: what the tap says of a stream",
            "replication_key": "of one stream (`tables: [{name: …, options: …}]`): the property that says what is new",
            "catalog_argument": "`properties` for taps of the first years; default `catalog`",
            "also_select": "streams that the tap reads along, where it needs a parent to read a child",
            "batches": "`true`: the tap may hand over files of records (BATCH messages)",
            "timeout_seconds": "a tap that says nothing for so long is ended; default 3600",
            "memory_mb": "a tap that takes more is ended; default 2048",
        },
        notes=(
            "`dativo env create 'tap-name==1.2.3'` makes the tap's environment, when an image is built or a machine "
            "starts.",
            "Each stream of a job is a process of the tap, which sees that stream alone.",
            "`dativo check` runs the tap's discovery: a tap whose discovery does not log in is not checked by it.",
            "The tap names streams and keys, so `validate` cannot judge them; say `key` in the job, or a primary key "
            "in the contract.",
            "Lists and objects arrive as JSON text; a contract that says what is in them gets them as such.",
            "There is no range to backfill: a tap begins where its state or its `start_date` says.",
        ),
    ),
)
