"""Any JSON API from its address, written in the job: no spec file, and no columns where a first page shows them."""

from __future__ import annotations

from dativo_provider.connectors.registry import ConnectorInfo
from dativo_provider.model.stream import Capabilities

__all__ = ["CAPABILITIES", "CONNECTORS"]

CAPABILITIES = Capabilities(incremental=True, sliceable=True, ordered_cursor=False, deletes=True)

CONNECTORS = (
    ConnectorInfo(
        "json_api", ("source",), "api", "Any JSON API, from its address alone", CAPABILITIES,
        ("updated_at", "full_refresh"),
        reader="dativo_provider.connectors.json_api.reader:JsonApiReader",
        connection={
            "token": "for `Authorization: Bearer`; or `username` and `password`, or what `auth` names",
            "base_url": "another host than that of `url`: a private gateway, a test server",
            "…": "whatever `{name}` in `url`, `params`, `headers`, `body` and `auth` stands for",
        },
        options={
            "url": "the address; also `api_url`",
            "records": "dotted path of the records in an answer; default: the answer itself",
            "columns": "names and types, as in a spec; default: the contract's, else those of the first page",
            "params, headers, body, method": "of the request; `{lo}` and `{hi}` are the bounds of the window",
            "paginate, auth, limits, errors, incremental, deleted": "[as in a spec](writing-a-spec.md)",
        },
        notes=(
            "The key is `source.key` or the contract's; the cursor is `source.incremental.cursor_field`. Where the API "
            "takes a lower bound, say where: `params: {updated_since: \"{lo:iso}\"}`; else everything is asked for and "
            "only what is new is kept.",
            "Several streams of one API, or one that several jobs read, are better [a spec](writing-a-spec.md).",
            "Keys of a record that hold a dot are no columns; the report of the run names them.",
        ),
    ),
)  # fmt: skip
