"""What every store of secrets must do alike, on real ones where there are any."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from dativo_provider.errors import CredentialError, StorageUnavailable
from dativo_provider.secrets import open_secrets
from dativo_provider.secrets.base import Provider
from tests.connectors.rest.fake import serving
from tests.secrets.fakes import FakeAzure, FakeGcp
from tests.services.glue import Glue
from tests.services.vault import TOKEN, Vault
from tests.support import requirement

PROVIDERS = ("filesystem", "vault", "vault_kv1", "vault_approle", "aws", "gcp", "azure")
_runs = count(1)


@dataclass
class World:
    """A store, how to put a secret into it by hand, and what the masker heard."""

    block: Mapping[str, Any]
    put: Callable[[str, str, str], None]
    heard: list[str] = field(default_factory=list)

    def opened(self, **options: Any) -> Provider:
        name = self.block["provider"]
        block = {"provider": name, name: {**self.block[name], **options}}
        return open_secrets(block, {}, self.heard.append)


@pytest.fixture(params=PROVIDERS)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    yield from MAKERS[request.param](request, tmp_path)


def filesystem(request: pytest.FixtureRequest, folder: Path) -> Iterator[World]:
    def put(tenant: str, name: str, text: str) -> None:
        (folder / tenant).mkdir(exist_ok=True)
        (folder / tenant / name).write_text(text)

    yield World({"provider": "filesystem", "filesystem": {"secrets_dir": str(folder)}}, put)


def of_vault(version: int, approle: bool) -> Callable[..., Iterator[World]]:
    def made(request: pytest.FixtureRequest, folder: Path) -> Iterator[World]:
        vault: Vault = request.getfixturevalue("vault")
        mount = vault.mount(version)

        def put(tenant: str, name: str, text: str) -> None:
            body = {"value": text}
            path = f"{mount}/{'data/' if version == 2 else ''}dativo/{tenant}/{name}"
            vault.call("POST", path, {"data": body} if version == 2 else body)

        login = dict(zip(("role_id", "secret_id"), vault.role(mount), strict=True)) if approle else {"token": TOKEN}
        options = {"url": vault.url, "mount_point": mount, "kv_version": version, **login}
        yield World({"provider": "vault", "vault": options}, put)

    return made


def aws(request: pytest.FixtureRequest, folder: Path) -> Iterator[World]:
    moto: Glue = request.getfixturevalue("glue")
    prefix = f"run{next(_runs)}/"
    keys = {"region": "us-east-1", "access_key_id": "testing", "secret_access_key": "testing"}

    def put(tenant: str, name: str, text: str) -> None:
        client = secretsmanager(moto)
        try:
            client.create_secret(Name=f"{prefix}{tenant}/{name}", SecretString=text)
        except client.exceptions.ResourceExistsException:
            client.put_secret_value(SecretId=f"{prefix}{tenant}/{name}", SecretString=text)

    yield World({"provider": "aws", "aws": {"prefix": prefix, "endpoint_url": moto.endpoint, **keys}}, put)


def secretsmanager(moto: Glue) -> Any:
    import boto3

    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    return boto3.client("secretsmanager", endpoint_url=moto.endpoint, region_name="us-east-1", **keys)


def gcp(request: pytest.FixtureRequest, folder: Path) -> Iterator[World]:
    fake = FakeGcp()

    def put(tenant: str, name: str, text: str) -> None:
        fake.versions.setdefault(f"dativo--{tenant}--{name}", []).append(text)

    with serving(fake) as url:
        options = {"project_id": "acme-lake", "api_url": url, "access_token": fake.token}
        yield World({"provider": "gcp", "gcp": options}, put)


def azure(request: pytest.FixtureRequest, folder: Path) -> Iterator[World]:
    fake = FakeAzure()

    def put(tenant: str, name: str, text: str) -> None:
        fake.values[f"dativo--{tenant}--{name.replace('_', '-')}"] = text

    with serving(fake) as url:
        yield World({"provider": "azure", "azure": {"vault_url": url, "access_token": fake.token}}, put)


MAKERS: Mapping[str, Callable[..., Iterator[World]]] = {
    "filesystem": filesystem,
    "vault": of_vault(2, False),
    "vault_kv1": of_vault(1, False),
    "vault_approle": of_vault(2, True),
    "aws": aws,
    "gcp": gcp,
    "azure": azure,
}


@requirement("SEC-01")
def test_a_secret_is_read_whole_or_by_field_and_the_masker_hears_it_first(world: World) -> None:
    world.put("acme", "stripe_api_key", "sk_live_1")
    world.put("acme", "postgres", json.dumps({"user": "reader", "password": "hunter2"}))
    found = world.opened()
    assert found.get("acme", "stripe_api_key") == "sk_live_1"
    assert found.get("acme", "STRIPE_API_KEY") == "sk_live_1"
    assert found.get("acme", "postgres.password") == "hunter2"
    assert {"sk_live_1", "hunter2"} <= set(world.heard)


@requirement("SEC-04")
def test_a_secret_that_is_changed_is_seen_by_the_next_read(world: World) -> None:
    world.put("acme", "token", "old")
    found = world.opened()
    assert found.get("acme", "token") == "old"
    world.put("acme", "token", "new")
    assert found.get("acme", "token") == "new"


@requirement("SEC-05", "TEN-01")
def test_a_tenant_reads_its_own_secrets_and_nobody_elses(world: World) -> None:
    world.put("acme", "token", "of-acme")
    world.put("globex", "token", "of-globex")
    world.put("globex", "only", "theirs")
    world.put("acme-eu", "key", "of-acme-eu")
    found = world.opened()
    assert found.get("acme", "token") == "of-acme"
    assert found.get("globex", "token") == "of-globex"
    names = (
        "only",
        "../globex/only",
        "globex/only",
        "eu-key",
        "eu--key",
        "-eu--key",
        "globex.only",
        "*",
        "dativo/globex",
    )
    for name in names:
        with pytest.raises(CredentialError):
            found.get("acme", name)
    for tenant in ("global", "..", "acme/../globex", "GLOBEX", ""):
        with pytest.raises(CredentialError):
            found.get(tenant, "only")
    assert "theirs" not in world.heard
    assert "of-acme-eu" not in world.heard


@requirement("SEC-01")
def test_what_is_not_there_is_told_with_where_it_was_looked_for(world: World) -> None:
    world.put("acme", "other", "x")
    with pytest.raises(CredentialError, match="acme") as caught:
        world.opened().get("acme", "missing")
    assert "missing" in caught.value.where
    assert caught.value.remedy


@requirement("SEC-04")
def test_a_field_is_written_back_and_its_neighbours_stay(world: World) -> None:
    world.put("acme", "oauth", json.dumps({"client_id": "me", "refresh_token": "r1"}))
    world.put("acme", "plain", "p1")
    found = world.opened()
    found.put("acme", "oauth.refresh_token", "r2")
    found.put("acme", "plain", "p2")
    again = world.opened()
    assert again.get("acme", "oauth.refresh_token") == "r2"
    assert again.get("acme", "oauth.client_id") == "me"
    assert again.get("acme", "plain") == "p2"
    assert "r2" in world.heard
    with pytest.raises(CredentialError):
        found.put("acme", "absent", "x")


@requirement("SEC-04")
def test_a_proof_that_a_secret_can_be_written_leaves_what_is_there(world: World) -> None:
    world.put("acme", "oauth", text := json.dumps({"client_id": "me", "refresh_token": "r1"}))
    world.put("acme", "plain", "p1")
    found = world.opened()
    for name in ("oauth.refresh_token", "plain"):
        found.prove("acme", name)
    assert (found.get("acme", "oauth"), found.get("acme", "plain")) == (text, "p1")
    for name in ("oauth.absent", "absent"):
        with pytest.raises(CredentialError):
            found.prove("acme", name)


def test_a_store_that_does_not_answer_may_be_asked_again() -> None:
    for block in (
        {"provider": "vault", "vault": {"url": "http://127.0.0.1:1", "token": "t"}},
        {"provider": "gcp", "gcp": {"project_id": "p", "api_url": "http://127.0.0.1:1", "access_token": "t"}},
        {"provider": "azure", "azure": {"vault_url": "http://127.0.0.1:1", "access_token": "t"}},
    ):
        with pytest.raises(StorageUnavailable, match="could not be asked"):
            open_secrets(block, {}).get("acme", "token")


@pytest.mark.parametrize("provider", ["gcp", "azure"])
def test_a_login_that_is_refused_says_which_right_is_needed(provider: str, request: pytest.FixtureRequest) -> None:
    for world in MAKERS[provider](request, Path()):
        with pytest.raises(CredentialError) as caught:
            world.opened(access_token="wrong").get("acme", "token")
        assert "role" in caught.value.remedy


# Vault -----------------------------------------------------------------------------------------------------------


@requirement("SEC-01", "SEC-03")
def test_the_older_layout_of_vault_has_one_path_for_a_tenant_and_more_paths(vault: Vault) -> None:
    one, two = vault.mount(2), vault.mount(1)
    vault.call("POST", f"{one}/data/dativo/acme", {"data": {"stripe_api_key": "sk", "postgres": {"password": "pw"}}})
    vault.call("POST", f"{two}/teams/acme/crm", {"hubspot_api_key": "hk"})
    vault.call("POST", f"{two}/common", {"geo": "gk"})
    paths = [
        {"path": "dativo/{tenant}", "mount_point": one},
        {"path": "teams/{tenant}/crm", "mount_point": two, "kv_version": 1},
        {"path": "common", "mount_point": two, "kv_version": 1, "shared": True},
    ]
    found = open_secrets({"provider": "vault", "vault": {"address": vault.url, "token": TOKEN, "paths": paths}}, {})
    assert found.get("acme", "stripe_api_key") == "sk"
    assert found.get("acme", "postgres.password") == "pw"
    assert found.get("acme", "hubspot-api-key") == "hk"
    assert found.get("globex", "geo") == "gk"
    with pytest.raises(CredentialError):
        found.get("globex", "stripe_api_key")
    found.put("acme", "stripe_api_key", "sk2")
    assert found.get("acme", "stripe_api_key") == "sk2"
    assert found.get("acme", "postgres.password") == "pw"


@requirement("SEC-04")
@pytest.mark.parametrize("path", ["dativo/acme", "dativo/acme/oauth"])
def test_two_tasks_that_write_fields_of_one_secret_of_vault_lose_none(vault: Vault, path: str) -> None:
    mount, count = vault.mount(2), 2
    fields = {f"token_{number}": "old" for number in range(count)}
    vault.call("POST", f"{mount}/data/{path}", {"data": fields})
    prefix = "" if path.endswith("acme") else "oauth."
    block = {"provider": "vault", "vault": {"url": vault.url, "token": TOKEN, "mount_point": mount}}

    def rotate(number: int) -> None:
        for turn in range(2):
            open_secrets(block, {}).put("acme", f"{prefix}token_{number}", f"new-{turn}")

    with ThreadPoolExecutor(count) as pool:
        list(pool.map(rotate, range(count)))
    found = open_secrets(block, {})
    assert {found.get("acme", f"{prefix}{name}") for name in fields} == {"new-1"}


def test_a_secret_of_vault_that_changes_all_the_time_is_told(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    mount = vault.mount(2)
    vault.call("POST", f"{mount}/data/dativo/acme", {"data": {"key": "v"}})
    found = open_secrets({"provider": "vault", "vault": {"url": vault.url, "token": TOKEN, "mount_point": mount}}, {})
    before = type(found).store

    def store(self: Any, *given: Any) -> None:
        vault.call("POST", f"{mount}/data/dativo/acme", {"data": {"key": "theirs"}})
        before(self, *given)

    monkeypatch.setattr("dativo_provider.secrets.base._TRIES", 2)
    monkeypatch.setattr(type(found), "store", store)
    with pytest.raises(StorageUnavailable, match="changed by others each time"):
        found.put("acme", "key", "ours")
    assert found.get("acme", "key") == "theirs"


@requirement("SEC-04")
def test_a_proof_loses_nothing_that_others_write_into_vault_meanwhile(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    mount, turns = vault.mount(2), iter([1])
    vault.call("POST", f"{mount}/data/dativo/acme", {"data": {"key": "spent"}})
    found = open_secrets({"provider": "vault", "vault": {"url": vault.url, "token": TOKEN, "mount_point": mount}}, {})
    before = type(found).store

    def store(self: Any, *given: Any) -> None:
        if next(turns, None):
            vault.call("POST", f"{mount}/data/dativo/acme", {"data": {"key": "next"}})
        before(self, *given)

    monkeypatch.setattr(type(found), "store", store)
    found.prove("acme", "key")
    assert found.get("acme", "key") == "next"


@requirement("SEC-04")
def test_an_approle_whose_token_was_revoked_logs_in_again(vault: Vault) -> None:
    mount = vault.mount(2)
    role, secret = vault.role(mount)
    vault.call("POST", f"{mount}/data/dativo/acme", {"data": {"key": "v"}})
    heard: list[str] = []
    options = {"url": vault.url, "auth_method": "approle", "role_id": role, "secret_id": secret, "mount_point": mount}
    found = open_secrets({"provider": "vault", "vault": options}, {}, heard.append)
    assert found.get("acme", "key") == "v"
    token = next(each for each in heard if each.startswith("hvs."))
    vault.call("POST", "auth/token/revoke", {"token": token})
    assert found.get("acme", "key") == "v"


@requirement("SEC-04")
def test_a_token_file_is_read_each_time_as_the_agent_renews_it(vault: Vault, tmp_path: Path) -> None:
    mount = vault.mount(2)
    vault.call("POST", f"{mount}/data/dativo/acme", {"data": {"key": "v"}})
    sink = tmp_path / "token"
    sink.write_text("hvs.old\n")
    options = {"url": vault.url, "token_file": str(sink), "mount_point": mount}
    found = open_secrets({"provider": "vault", "vault": options}, {})
    with pytest.raises(CredentialError, match="403"):
        found.get("acme", "key")
    sink.write_text(f"{TOKEN}\n")
    assert found.get("acme", "key") == "v"


# AWS -------------------------------------------------------------------------------------------------------------


@requirement("SEC-06", "SN-04")
def test_what_is_written_back_is_encrypted_by_the_key_that_the_runner_names(glue: Glue) -> None:
    import boto3

    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing", "region_name": "us-east-1"}
    key = boto3.client("kms", endpoint_url=glue.endpoint, **keys).create_key()["KeyMetadata"]["Arn"]
    client = secretsmanager(glue)
    client.create_secret(Name="kms/acme/oauth", SecretString='{"refresh_token": "r1"}')
    options = {"region": "us-east-1", "kms_key_id": key, "prefix": "kms/", "endpoint_url": glue.endpoint,
               "access_key_id": "testing", "secret_access_key": "testing"}  # fmt: skip
    found = open_secrets({"provider": "aws", "aws": options}, {})
    found.put("acme", "oauth.refresh_token", "r2")
    assert client.describe_secret(SecretId="kms/acme/oauth")["KmsKeyId"] == key
    assert found.get("acme", "oauth.refresh_token") == "r2"


@requirement("SEC-01", "SEC-05")
def test_secrets_by_list_and_in_a_bundle(glue: Glue) -> None:
    client = secretsmanager(glue)
    client.create_secret(Name="bundle/acme", SecretString=json.dumps({"stripe": "sk", "pg": {"password": "pw"}}))
    client.create_secret(Name="legacy/gsheets", SecretBinary=b'{"private_key": "pk"}')
    listed = [{"name": "gsheets", "id": "legacy/gsheets", "tenant": "acme", "version_stage": "AWSCURRENT"}]
    options = {"region": "us-east-1", "bundle_secret_id_template": "bundle/{tenant}", "secrets": listed,
               "endpoint_url": glue.endpoint, "access_key_id": "testing", "secret_access_key": "testing"}  # fmt: skip
    found = open_secrets({"provider": "aws", "aws": options}, {})
    assert found.get("acme", "stripe") == "sk"
    assert found.get("acme", "pg.password") == "pw"
    assert found.get("acme", "gsheets.private_key") == "pk"
    found.put("acme", "stripe", "sk2")
    assert found.get("acme", "stripe") == "sk2"
    with pytest.raises(CredentialError):
        found.get("globex", "gsheets")


# names -----------------------------------------------------------------------------------------------------------


@requirement("SEC-05")
def test_names_that_could_be_another_tenants_are_refused() -> None:
    """`acme` + `eu-key` and `acme-eu` + `key` would meet in `acme-eu-key`."""
    block = {
        "provider": "gcp",
        "gcp": {"project_id": "p", "access_token": "t", "secret_id_template": "{tenant}-{name}"},
    }
    for tenant, name in (("acme", "eu-key"), ("acme-eu", "key")):
        with pytest.raises(CredentialError, match="could be another tenant's"):
            open_secrets(block, {}).get(tenant, name)


@requirement("SEC-04")
def test_a_provider_that_cannot_write_says_so() -> None:
    found = open_secrets({}, {"DATIVO_SECRET__ACME__OAUTH": '{"refresh_token": "r1"}'})
    with pytest.raises(CredentialError, match="'env' cannot write it back"):
        found.put("acme", "oauth.refresh_token", "r2")
    with pytest.raises(CredentialError, match="'env' cannot write it back"):
        found.prove("acme", "oauth.refresh_token")


@requirement("SEC-01")
@pytest.mark.parametrize(
    ("provider", "module", "options", "extra"),
    [
        ("aws", "boto3", {"region": "eu-west-1"}, "aws"),
        ("gcp", "google.auth", {"project_id": "p"}, "gcp"),
        ("azure", "azure.identity", {"vault_url": "https://v.vault.azure.net"}, "azure"),
    ],
)
def test_a_library_that_is_missing_names_its_extra(
    provider: str, module: str, options: dict[str, str], extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    from dativo_provider.errors import MissingExtra

    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(MissingExtra) as caught:
        open_secrets({"provider": provider, provider: options}, {}).get("acme", "key")
    assert f"[{extra}]" in caught.value.remedy
