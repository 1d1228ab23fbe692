from __future__ import annotations

from dativo_provider.cli import docs
from dativo_provider.cli.main import VERBS


def test_the_reference_page_is_what_the_parsers_say() -> None:
    assert docs.PAGE.read_text(encoding="utf-8") == docs.page(), "run `python -m dativo_provider.cli.docs`"


def test_every_verb_and_option_is_on_the_page() -> None:
    page = docs.page()
    for name in VERBS:
        assert f"\n## {name}\n" in page
        for action in docs.child(name)._actions:
            assert all(option in page for option in action.option_strings if option not in ("-h", "--help", "-q", "-v"))
