"""Pages of APIs say what their specs say."""

from __future__ import annotations

from typing import get_args

from dativo_provider.connectors.guide import documented, first_steps, index_page, page
from dativo_provider.connectors.rest.guide import _MEANINGS
from dativo_provider.connectors.rest.load import api_of, names
from dativo_provider.connectors.rest.spec import Meaning
from tests.support import requirement


def test_every_meaning_of_an_answer_has_words() -> None:
    assert set(_MEANINGS) == set(get_args(Meaning))


@requirement("DOC-01")
def test_a_page_names_every_stream_column_limit_and_right() -> None:
    for name in names():
        api, shown = api_of(name), page(name)
        for stream, each in api.streams.items():
            assert f"## {stream}\n" in shown
            assert each.permission in shown
            assert all(f"| `{column}` |" in shown for column in each.columns), stream
        assert all(limit.docs in shown and limit.note in shown for limit in api.limits.values())
        assert all(note in shown for note in api.notes)


def test_every_api_has_limits_with_their_page_a_check_and_described_streams() -> None:
    for name in names():
        api = api_of(name)
        assert api.limits, name
        assert all(limit.docs.startswith("https://") for limit in api.limits.values() if limit.docs), name
        assert api.limits["default"].docs, name
        assert all(limit.note for limit in api.limits.values()), name
        assert api.check is not None, name
        assert all(each.description and each.docs for each in api.streams.values()), name


def test_a_page_says_what_to_type_first() -> None:
    example = '# tenants/acme/jobs/x.yaml\nconnection: {key: "${SECRET:toy}", host: "${ACME_HOST}"}\n'
    assert first_steps(example).splitlines()[3:-1] == [
        "export DATIVO_SECRET__ACME__TOY=…", "export ACME_HOST=…",
        "dativo check --config tenants/acme/jobs/x.yaml", "dativo run --config tenants/acme/jobs/x.yaml",
    ]  # fmt: skip
    assert first_steps("") == ""


def test_the_index_links_every_page() -> None:
    assert all(f"]({name}.md)" in index_page() for name in documented())
