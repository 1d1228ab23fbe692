from __future__ import annotations

import os
from pathlib import Path

import pytest

from dativo_provider.errors import CredentialError
from dativo_provider.secrets import FileSecrets
from tests.support import requirement


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {
        "acme/postgres.env": "PGUSER=reader\nPGPASSWORD=hunter2\n",
        "acme/gsheets.json": '{"private_key": "-----BEGIN-----"}',
        "acme/stripe_api_key": "sk_live_1\n",
        "acme/note.txt": "A=B",
        "globex/stripe_api_key": "sk_globex",
    }.items():
        path = tmp_path / "secrets" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "secrets"


@requirement("SEC-01", "SEC-03")
def test_the_layout_of_the_product_we_succeed_is_read(folder: Path) -> None:
    secrets = FileSecrets(folder)
    assert secrets.get("acme", "postgres.pgpassword") == "hunter2"
    assert secrets.get("acme", "gsheets.private_key") == "-----BEGIN-----"
    assert secrets.get("acme", "stripe_api_key") == "sk_live_1"
    assert secrets.get("acme", "note") == "A=B"
    assert secrets.get("globex", "stripe_api_key") == "sk_globex"


@requirement("SEC-04")
def test_a_rotated_secret_is_seen_by_the_next_read(folder: Path) -> None:
    secrets = FileSecrets(folder)
    secrets.get("acme", "stripe_api_key")
    (folder / "acme/stripe_api_key").write_text("sk_live_2")
    assert secrets.get("acme", "stripe_api_key") == "sk_live_2"


@requirement("SEC-05")
@pytest.mark.parametrize(
    "name", ["../globex/stripe_api_key", "/etc/passwd", "..", ".", "a/b", "a\\b", "a\x00b", "%2e%2e"]
)
def test_a_name_cannot_leave_the_tenants_folder(folder: Path, name: str) -> None:
    with pytest.raises(CredentialError):
        FileSecrets(folder).get("acme", name)


@requirement("SEC-05")
@pytest.mark.parametrize("tenant", ["..", "../secrets/globex", "/", "", "GLOBEX", "acme/../globex"])
def test_a_tenant_cannot_be_a_path(folder: Path, tenant: str) -> None:
    with pytest.raises(CredentialError):
        FileSecrets(folder).get(tenant, "stripe_api_key")


@requirement("SEC-05")
def test_a_link_to_another_tenants_secret_is_refused(folder: Path) -> None:
    (folder / "acme/stolen").symlink_to(folder / "globex/stripe_api_key")
    with pytest.raises(CredentialError, match="leads out of"):
        FileSecrets(folder).get("acme", "stolen")


def test_links_inside_the_folder_work_as_kubernetes_mounts_them(folder: Path) -> None:
    (folder / "acme/..2026_11_20").mkdir()
    (folder / "acme/..2026_11_20/token").write_text("t")
    (folder / "acme/..data").symlink_to("..2026_11_20")
    (folder / "acme/token").symlink_to("..data/token")
    assert FileSecrets(folder).get("acme", "token") == "t"


def test_what_is_missing_is_named(folder: Path) -> None:
    with pytest.raises(CredentialError, match=r"tenant 'initech' has no folder"):
        FileSecrets(folder).get("initech", "x")
    with pytest.raises(CredentialError, match=r"acme/x\[\.env\|\.json\|\.txt\]"):
        FileSecrets(folder).get("acme", "x")


def test_a_file_that_is_no_secret_is_refused(folder: Path) -> None:
    (folder / "acme/big").write_bytes(b"x" * (1 << 20) + b"y")
    (folder / "acme/binary").write_bytes(b"hunter2\xff")
    with pytest.raises(CredentialError, match="too big"):
        FileSecrets(folder).get("acme", "big")
    with pytest.raises(CredentialError, match="not UTF-8") as failure:
        FileSecrets(folder).get("acme", "binary")
    assert failure.value.__suppress_context__


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_read_permission_says_so(folder: Path) -> None:
    (folder / "acme/stripe_api_key").chmod(0)
    with pytest.raises(CredentialError, match="may not read"):
        FileSecrets(folder).get("acme", "stripe_api_key")
