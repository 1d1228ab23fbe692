"""Confluence's storage format, XHTML with macros, as HTML that shows the same text.

https://confluence.atlassian.com/doc/confluence-storage-format-790796544.html
"""

from __future__ import annotations

import re
from html import escape

__all__ = ["as_html"]

_CDATA = re.compile(r"(?s)<!\[CDATA\[(.*?)(?:\]\]>|\Z)")
_PARAMETER = re.compile(r"(?s)<ac:parameter\b[^>]*>.*?</ac:parameter>|<ac:parameter\b[^>]*/>")
_CODE = re.compile(r"<(/?)ac:plain-text-body\b[^>]*>")
_NAMED = re.compile(r"<ri:(?:page|blog-post)\b[^>]*\bri:content-title=\"([^\"]*)\"[^>]*>")
_SPOKEN = re.compile(r"(?s)<ac:(?:plain-text-)?link-body\b[^>]*>(.*?)</ac:(?:plain-text-)?link-body>")
_LINK = re.compile(r"(?s)<ac:link\b[^>]*>(.*?)</ac:link>")
_FILE = re.compile(r"<ri:attachment\b[^>]*\bri:filename=\"([^\"]*)\"[^>]*>")


def as_html(storage: str) -> str:
    """Code stands in `pre`; a link to another page is its text, else that page's title; parameters of macros go."""
    html = _CDATA.sub(lambda found: escape(found[1], quote=False), storage)
    html = _CODE.sub(r"<\1pre>", _PARAMETER.sub("", html))
    return _FILE.sub(r"\1", _LINK.sub(_link, html))


def _link(found: re.Match[str]) -> str:
    spoken, named = _SPOKEN.search(found[1]), _NAMED.search(found[1])
    return spoken[1] if spoken else named[1] if named else found[1]
