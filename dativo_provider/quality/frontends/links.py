"""What a check of links looks for where nobody wrote a pattern: links of Markdown and HTML that lead nowhere.

An empty target, `#` alone, a target with spaces in a scheme, and `href` or `src` without a value. Nothing is fetched.
"""

from __future__ import annotations

from collections.abc import Sequence

from dativo_provider.model.stream import Field

__all__ = ["BROKEN", "is_about_links", "text_column"]

BROKEN = (
    r"\]\(\s*(?:#\s*)?\)"  # [text](), [text](#)
    r"|\]\(\s*https?:/?/?\s*\)"  # [text](http://)
    r"|\]\(\s*https?:/(?:[^/]|$)"  # [text](http:/host)
    r"""|(?i:\b(?:href|src)\s*=\s*(?:""|''|"#"|'#'|"https?:/{0,2}"))"""
)
_NAMES = ("raw_md", "markdown", "body", "content", "html", "text", "description")


def is_about_links(name: str) -> bool:
    return "link" in name.lower()


def text_column(fields: Sequence[Field]) -> str:
    """The column that holds the documents: one of the usual names, else the only text; empty when that is not clear."""
    texts = [field.name for field in fields if field.type == "string"]
    usual = next((name for wanted in _NAMES for name in texts if name.lower() == wanted), "")
    return usual or (texts[0] if len(texts) == 1 else "")
