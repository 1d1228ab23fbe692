from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dativo_provider.config.references import expand, find_references, is_allowed
from dativo_provider.errors import ConfigurationError, CredentialError
from tests.support import requirement

VARIABLES = {"ACME_HOST": "db.acme", "PORT": "5432", "HOME": "/root", "EMPTY": "", "TRICK": "${HOME}"}
ALLOWED = ("ACME_*", "PORT", "EMPTY", "TRICK", "UNSET")


def secret(name: str) -> str:
    return f"<{name}>"


@requirement("CFG-07")
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${ACME_HOST}", "db.acme"),
        ("pg://${ACME_HOST}:${PORT}/x", "pg://db.acme:5432/x"),
        ("${UNSET:-here}", "here"),
        ("${UNSET:-}", ""),
        ("${EMPTY:-used}", "used"),
        ("${UNSET:-a:-b}", "a:-b"),
        ("${PORT:-1}", "5432"),
        ("${SECRET:stripe_api_key}", "<stripe_api_key>"),
        ("${SECRET:postgres.password}", "<postgres.password>"),
        ("$${ACME_HOST}", "${ACME_HOST}"),
        ("a $ b {c} $PORT", "a $ b {c} $PORT"),
        ("{{ var.value.x }} {% if 1 %}", "{{ var.value.x }} {% if 1 %}"),
    ],
)
def test_references_become_values(text: str, value: str) -> None:
    assert expand(text, VARIABLES, ALLOWED, secret) == value


def test_every_depth_is_expanded_and_other_values_stay() -> None:
    given_ = {"a": ["${PORT}", 5, None, True], "b": {"c": ("${PORT}",)}}
    assert expand(given_, VARIABLES, ALLOWED) == {"a": ["5432", 5, None, True], "b": {"c": ("5432",)}}


def test_what_a_variable_holds_is_not_expanded_again() -> None:
    assert expand("${TRICK}", VARIABLES, ALLOWED) == "${HOME}"


@requirement("TEN-03")
def test_a_variable_that_is_not_allowed_is_refused_even_with_a_default() -> None:
    for text in ("${HOME}", "${HOME:-x}", "x${HOME}y"):
        with pytest.raises(ConfigurationError, match="'HOME' is not allowed"):
            expand(text, VARIABLES, ALLOWED)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${UNSET}", "'UNSET' is not set"),
        ("${ACME_HOST", "not closed"),
        ("${}", "does not name a variable"),
        ("${A B}", "does not name a variable"),
        ("${SECRET:}", "does not name a secret"),
        ("${SECRET:../globex/key}", "does not name a secret"),
    ],
)
def test_a_broken_reference_says_what_is_wrong(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        expand(text, VARIABLES, ALLOWED, secret)


def test_without_a_provider_a_secret_is_a_credential_error() -> None:
    with pytest.raises(CredentialError, match="cannot be read here"):
        expand("${SECRET:x}", {}, ())


def test_references_are_found_with_the_keys_that_lead_to_them() -> None:
    found = list(find_references({"a": ["x", "${B:-1} ${SECRET:c}"], "d": "${", "e": b"${X}"}))
    assert [(each.kind, each.name, each.default, each.path) for each in found] == [
        ("variable", "B", "1", ("a", 1)),
        ("secret", "c", None, ("a", 1)),
        ("variable", "", None, ("d",)),
    ]
    assert found[2].problem == "'${' is not closed by '}'"


def test_a_star_allows_a_prefix_and_nothing_else() -> None:
    assert is_allowed("ACME_X", ["ACME_*"])
    assert not is_allowed("ACMEX", ["ACME_*"])
    assert not is_allowed("X", [])


@given(st.text())
def test_any_text_is_expanded_or_refused(text: str) -> None:
    try:
        assert isinstance(expand(text, VARIABLES, ALLOWED, secret), str)
    except ConfigurationError:
        assert "${" in text
