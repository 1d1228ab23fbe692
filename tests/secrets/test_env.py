from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dativo_provider.errors import CredentialError
from dativo_provider.secrets import EnvSecrets
from tests.support import requirement

TENANTS = ("acme", "acme_eu", "globex")


@requirement("SEC-01")
def test_a_tenants_own_secret_wins_over_global_and_global_over_all() -> None:
    variables = {"DATIVO_SECRET__ALL__KEY": "of all", "DATIVO_SECRET__GLOBAL__KEY": "global"}
    assert EnvSecrets(variables).get("acme", "key") == "global"
    assert EnvSecrets(variables | {"DATIVO_SECRET__ACME__KEY": "own"}).get("acme", "key") == "own"
    assert EnvSecrets({"DATIVO_SECRET__ALL__KEY": "of all"}).get("acme", "key") == "of all"


@pytest.mark.parametrize(
    ("variable", "text", "asked", "value"),
    [
        ("DATIVO_SECRET__ACME__KEY", "  plain\n", "key", "plain"),
        ("DATIVO_SECRET__ACME__KEY__raw", "  plain\n", "key", "  plain\n"),
        ("DATIVO_SECRET__ACME__KEY__TEXT", '{"a": 1}', "key", '{"a": 1}'),
        ("dativo_secret__acme__key", "lower", "KEY", "lower"),
        ("DATIVO_SECRET__ACME__STRIPE_API_KEY", "sk_1", "stripe-api-key", "sk_1"),
        ("DATIVO_SECRET__ACME__POSTGRES", '{"password": "p", "port": 5432}', "postgres.password", "p"),
        ("DATIVO_SECRET__ACME__POSTGRES", '{"password": "p", "port": 5432}', "postgres.port", "5432"),
        ("DATIVO_SECRET__ACME__POSTGRES__json", '{"db": {"Password": "p"}}', "postgres.db.password", "p"),
        (
            "DATIVO_SECRET__ACME__POSTGRES",
            "# of the shop\nPGUSER=u\nexport PGPASSWORD='a b'",
            "postgres.pgpassword",
            "a b",
        ),
        ("DATIVO_SECRET__ACME__KEY", "dGVzdA==", "key", "dGVzdA=="),
    ],
)
@requirement("SEC-01")
def test_formats_are_named_or_recognised(variable: str, text: str, asked: str, value: str) -> None:
    assert EnvSecrets({variable: text}).get("acme", asked) == value


@requirement("SEC-05")
@pytest.mark.parametrize(
    ("tenant", "name"),
    [
        ("acme", "../globex/key"),
        ("acme", "eu__key"),
        ("acme__eu", "key"),
        ("acme", "_key"),
        ("acme_", "key"),
        ("global", "key"),
        ("all", "key"),
        ("", "key"),
        ("acme", ""),
        ("acme", "key\n"),
        ("ACME", "key"),
        ("acme", "key__json"),
    ],
)
def test_a_hostile_name_reads_nothing(tenant: str, name: str) -> None:
    variables = {
        "DATIVO_SECRET__ACME__EU__KEY": "x", "DATIVO_SECRET__GLOBEX__KEY": "x", "DATIVO_SECRET__ACME___KEY": "x",
        "DATIVO_SECRET__GLOBAL__KEY": "x", "DATIVO_SECRET__ALL__KEY": "x", "DATIVO_SECRET__ACME__KEY__JSON": "{}",
    }  # fmt: skip
    with pytest.raises(CredentialError):
        EnvSecrets(variables).get(tenant, name)


_WORD = st.from_regex(r"[a-z0-9_-]{1,12}", fullmatch=True)


@requirement("SEC-05")
@given(owner=_WORD, name=_WORD, reader=_WORD, asked=_WORD)
def test_no_tenant_ever_reads_the_variable_of_another(owner: str, name: str, reader: str, asked: str) -> None:
    variable = f"DATIVO_SECRET__{owner}__{name}".upper()
    try:
        EnvSecrets({variable: "value"}).get(owner, name)
        readable_by_owner = True
    except CredentialError:
        readable_by_owner = False
    if readable_by_owner and reader != owner:
        with pytest.raises(CredentialError):
            EnvSecrets({variable: "value"}).get(reader, asked)


@requirement("SEC-05")
def test_the_prefixed_form_is_read_only_where_it_belongs_to_one_tenant() -> None:
    variables = {
        "DATIVO_ACME_EU_KEY": "of acme_eu",
        "DATIVO_ACME_TOKEN": "of acme",
        "DATIVO_GLOBEX_API_KEY": "of globex",
    }
    secrets = EnvSecrets(variables, prefix="DATIVO_", tenants=TENANTS)
    assert secrets.get("acme_eu", "key") == "of acme_eu"
    assert secrets.get("acme", "token") == "of acme"
    assert secrets.get("globex", "api_key") == "of globex"
    with pytest.raises(CredentialError):
        secrets.get("acme", "eu_key")
    with pytest.raises(CredentialError):
        EnvSecrets(variables, prefix="DATIVO_").get("globex", "api_key")


def test_without_a_prefix_the_prefixed_form_is_not_looked_up() -> None:
    with pytest.raises(CredentialError):
        EnvSecrets({"DATIVO_ACME_TOKEN": "x"}).get("acme", "token")


def test_an_absent_secret_says_where_it_was_looked_for_and_what_to_set() -> None:
    with pytest.raises(CredentialError) as failure:
        EnvSecrets({}, prefix="X_").get("acme", "stripe_api_key")
    assert "DATIVO_SECRET__{ACME|GLOBAL|ALL}__STRIPE_API_KEY" in str(failure.value)
    assert "X_ACME_STRIPE_API_KEY" in str(failure.value)
    assert "set DATIVO_SECRET__ACME__STRIPE_API_KEY" in str(failure.value)


@requirement("SEC-05")
@pytest.mark.parametrize("form", ["json", "env"])
def test_a_malformed_secret_is_refused_without_quoting_it(form: str) -> None:
    with pytest.raises(CredentialError) as failure:
        EnvSecrets({f"DATIVO_SECRET__ACME__KEY__{form}": "hunter2 {"}).get("acme", "key")
    assert "hunter2" not in str(failure.value)
    assert failure.value.__cause__ is None
    assert failure.value.__context__ is None


def test_a_missing_field_is_named_and_the_others_are_not() -> None:
    with pytest.raises(CredentialError, match="no field 'user'") as failure:
        EnvSecrets({"DATIVO_SECRET__ACME__KEY": '{"hunter2": "x"}'}).get("acme", "key.user")
    assert "hunter2" not in str(failure.value)
    with pytest.raises(CredentialError, match="no field 'user'"):
        EnvSecrets({"DATIVO_SECRET__ACME__KEY": "plain text"}).get("acme", "key.user")


@requirement("SEC-05", "PII-05")
def test_every_confidential_part_is_registered_before_it_is_handed_out() -> None:
    heard: list[str] = []
    text = '{"host": "db", "password": "hunter2", "keys": ["k1"], "pin": 1234, "nested": {"token": "t"}}'
    secrets = EnvSecrets({"DATIVO_SECRET__ACME__DB": text}, heard.append)
    secrets.get("acme", "db.host")
    assert heard == [text, "hunter2", "k1", "t"]
    secrets.get("acme", "db.pin")
    assert heard[-1] == "1234"
