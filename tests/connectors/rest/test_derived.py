"""Columns that are made of HTML: as Markdown, and how long it reads."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dativo_provider.connectors.rest import derived
from dativo_provider.connectors.rest.arrow import Reading, to_batch
from dativo_provider.connectors.rest.derived import DERIVED, markdown
from dativo_provider.errors import MissingExtra
from tests.support import requirement

ARTICLE = """<h1>Reset</h1><p>Press <b>both</b> keys of my_device. See <a href="https://example.com/x">here</a>
or <a href="">nowhere</a>.</p><ul><li>one</li><li>two</li></ul><pre>a &lt; b</pre>
<table><tr><th>k</th><th>v</th></tr><tr><td>1</td><td>2</td></tr></table><script>alert(1)</script>"""


@requirement("MKV-07", "CON-12")
def test_an_article_reads_as_markdown() -> None:
    text = markdown(ARTICLE)
    assert text.startswith("# Reset\n\nPress **both** keys of my_device. See [here](https://example.com/x)")
    assert "[nowhere]()" in text  # a check of broken links has to see it
    assert "- one\n- two" in text
    assert "```\na < b\n```" in text
    assert "| k | v |" in text
    assert "alert" not in text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("", ""),
        ("plain &amp; short", "plain & short"),
        ("<p>never <b>closed", "never **closed**"),
        ("</p></div>closed too often", "closed too often"),
        ("a < b, c > d", "a < b, c > d"),
        ("<![CDATA[kept]]>", "kept"),
        ("<p>see<![if !mso]> this", "see this"),
        ("<![foo", "<![foo"),
    ],
)
def test_broken_html_keeps_its_text(html: str, text: str) -> None:
    assert " ".join(markdown(html).split()) == text


def test_nesting_beyond_reason_keeps_the_text() -> None:
    assert markdown("<div>" * 30_000 + "deep &amp; down") == "deep & down"


@requirement("CON-14", "MKV-07")
def test_confluence_s_storage_format_keeps_code_and_links() -> None:
    text = markdown(
        '<h2>Setup</h2><ac:structured-macro ac:name="code" ac:schema-version="1"><ac:parameter ac:name="language">py'
        "</ac:parameter><ac:plain-text-body><![CDATA[if x < 1 and y > 2:\n    go()]]></ac:plain-text-body>"
        '</ac:structured-macro><p>See <ac:link><ri:page ri:content-title="Other &amp; more" /></ac:link>, <ac:link>'
        '<ri:page ri:content-title="T"/><ac:plain-text-link-body><![CDATA[a link]]></ac:plain-text-link-body></ac:link>'
        '.</p><ac:image><ri:attachment ri:filename="a.png" /></ac:image><ac:structured-macro ac:name="info">'
        "<ac:rich-text-body><p>Mind <b>this</b>.</p></ac:rich-text-body></ac:structured-macro>"
    )
    assert text.startswith("## Setup\n\n```\nif x < 1 and y > 2:\n    go()\n```")
    assert "See Other & more, a link." in text
    assert "a.png" in text
    assert "Mind **this**." in text
    assert "py" not in text


@given(st.text(alphabet="<>/!-[]abc:&;\"'= \n\x00", max_size=80))
def test_whatever_stands_there_makes_a_text_and_a_length(html: str) -> None:
    assert isinstance(DERIVED["markdown"](html), str)
    assert DERIVED["text_length"](html) <= len(html)


@pytest.mark.parametrize(
    ("html", "length"),
    [(None, 0), ("<p>five!</p>", 5), ("<p>a</p>\n<p>b &lt; c</p>", 7), ("<style>p{}</style><!-- no -->x", 1)],
)
def test_a_length_counts_what_a_reader_sees(html: str | None, length: int) -> None:
    assert DERIVED["text_length"](html) == length


def test_a_column_of_each_form_is_made_of_one_value() -> None:
    columns = [Reading("raw_md", "string", "body", "markdown"), Reading("content_length", "int", "body", "text_length")]
    batch = to_batch([{"body": "<p>Hi <b>you</b></p>"}, {"body": None}, {}], columns, ())
    assert batch.column("raw_md").to_pylist() == ["Hi **you**", None, None]
    assert batch.column("content_length").to_pylist() == [6, 0, 0]
    assert str(batch.schema.field("content_length").type) == "int32"


def test_the_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "markdownify", None)
    derived._converter.cache_clear()
    with pytest.raises(MissingExtra) as caught:
        markdown("<p>x</p>")
    assert "airflow-provider-dativo[html]" in caught.value.remedy
