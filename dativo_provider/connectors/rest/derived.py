"""Values that are made of what stands in a record: JSON text, HTML as Markdown, how long that HTML reads, bytes."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from functools import cache
from html import unescape
from typing import Any

from dativo_provider.connectors.rest.storage import as_html
from dativo_provider.errors import MissingExtra

__all__ = ["DERIVED", "json_text", "markdown"]

# Comments and what browsers do not show, then tags.
_UNSEEN = re.compile(r"(?is)<!--.*?(?:-->|\Z)|<(script|style)\b.*?(?:</\1\s*>|\Z)")
_CONDITION = re.compile(r"<!\[(?!CDATA\[)[^<>]*>")  # as Word writes them: <![if !mso]>
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|<!(?:\[CDATA\[)?|\]\]>")


def json_text(value: Any) -> str:
    import msgspec

    return msgspec.json.Encoder(decimal_format="number").encode(value).decode()


def markdown(html: str) -> str:
    """HTML as Markdown. What no parser can read, or is nested beyond reason, becomes its plain text."""
    convert, refused = _converter()
    if "<" not in html:
        return unescape(html).strip()
    html = as_html(html) if "<ac:" in html else html
    try:
        return convert(_CONDITION.sub("", html)).strip()
    except refused:
        return _shown(html)


@cache
def _converter() -> tuple[Callable[[str], str], tuple[type[Exception], ...]]:
    """The function, and what it raises for HTML that it cannot make anything of."""
    try:
        from bs4.exceptions import ParserRejectedMarkup
        from markdownify import ATX, MarkdownConverter
    except ImportError as problem:
        raise MissingExtra.named("html", "a column with `form: markdown`") from problem

    class Converter(MarkdownConverter):  # type: ignore[misc]
        """A link that leads nowhere stays one, so that checks of links see it."""

        def convert_a(self, el: Any, text: str, parent_tags: set[str]) -> str:
            if el.get("href") == "" and text.strip():
                return f"[{text.strip()}]()"
            return str(super().convert_a(el, text, parent_tags))  # type: ignore[misc]

    made = Converter(heading_style=ATX, bullets="-", escape_underscores=False)
    return made.convert, (ParserRejectedMarkup, RecursionError, ValueError)


def _shown(html: str) -> str:
    """The text that a reader sees, on one line."""
    return " ".join(unescape(_TAG.sub(" ", _UNSEEN.sub(" ", html))).split())


def _decoded(value: Any) -> Any:
    """The bytes that Base64 stands for; what is none stays as it is."""
    try:
        return b64decode("".join(value.split()), validate=True)
    except (AttributeError, ValueError):
        return value


DERIVED: Mapping[str, Callable[[Any], Any]] = {
    "json": lambda value: None if value is None else json_text(value),
    "markdown": lambda value: None if value is None else markdown(str(value)),
    "text_length": lambda value: 0 if value is None else len(_shown(str(value))),
    "base64": _decoded,
}
