"""First drafts of specs: from answers of an API, its OpenAPI document, or a manifest of Airbyte's.

A draft is a spec that lints; what in it is a guess says so in a comment beside it, and a person decides.
"""

from __future__ import annotations

from dativo_provider.connectors.rest.draft.draft import Draft, as_text
from dativo_provider.connectors.rest.draft.make import Source, draft_of

__all__ = ["Draft", "Source", "as_text", "draft_of"]
