"""Airbyte's declarative manifests as specs of ours, where their components have a counterpart.

https://docs.airbyte.com/platform/connector-development/config-based/understanding-the-yaml-file/reference

A leaf for each kind of component; what has no counterpart is told by its path in the manifest, and a stream that would
be read wrongly without it is left out.
"""

from __future__ import annotations

from dativo_provider.connectors.airbyte.manifest.files import problems, spec_text, translation
from dativo_provider.connectors.airbyte.manifest.translate import Translated, translated

__all__ = ["Translated", "problems", "spec_text", "translated", "translation"]
