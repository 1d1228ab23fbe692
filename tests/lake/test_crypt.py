"""Cursors at rest: nothing readable without the key, nothing moved from one record to another."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dativo_provider.errors import ConfigurationError, CredentialError, DataError
from dativo_provider.files import local_path
from dativo_provider.lake.crypt import Seal, seal_from
from dativo_provider.model.settings import Settings
from tests.lake import support
from tests.lake.support import Lake, job, settings
from tests.support import requirement

OLD, NEW = (base64.b64encode(letter * 32).decode() for letter in (b"o", b"n"))
SECRET = "customer-4711@example.org"


@pytest.fixture(params=["iceberg", "parquet"])
def home(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setitem(support.TARGET, "connector", request.param)
    return settings(tmp_path)


def lake(home: Settings, name: str = "orders", **given: Any) -> Lake:
    return Lake(replace(home, state_encryption=given), job(name=name))


def everything(home: Settings) -> bytes:
    places = (Path(home.home), local_path(home.catalog.warehouse))
    return b"".join(path.read_bytes() for place in places for path in place.rglob("*") if path.is_file())


@requirement("STA-06")
@pytest.mark.parametrize("entries", [1, 500], ids=["inline", "in a file"])
def test_no_file_shows_the_cursor(home: Settings, entries: int) -> None:
    cursor = {f"{SECRET}/{number}": number for number in range(entries)}
    lake(home, key=NEW).run([1], cursor=cursor)
    assert SECRET.encode() not in everything(home)
    state = lake(home, key=NEW).state()
    assert state.cursor is not None
    assert state.cursor.value == {"value": cursor}


def test_without_a_key_it_would_be_there(home: Settings) -> None:
    lake(home).run([1], cursor=SECRET)
    assert SECRET.encode() in everything(home)


@requirement("STA-06")
def test_keys_can_be_changed_while_the_old_one_reads(home: Settings) -> None:
    lake(home).run([1], cursor=1)  # before there was a key
    lake(home, key=OLD, key_id="2025").run([2], cursor=2)
    rotated = lake(home, key=NEW, key_id="2026", old_keys={"2025": OLD})
    rotated.run([3], cursor=3)
    state = lake(home, key=NEW, key_id="2026").state()
    assert state.cursor is not None
    assert (state.seq, state.cursor.value) == (3, {"value": 3})


@requirement("STA-06")
@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "encrypted with the key '2026', which is not given"),
        ({"key": OLD, "key_id": "2025"}, "key '2026', which is not given"),
        ({"key": OLD, "key_id": "2026"}, "the key '2026' does not open this state"),
    ],
)
def test_without_the_right_key_a_run_stops(home: Settings, given: dict[str, str], said: str) -> None:
    lake(home, key=NEW, key_id="2026").run([1], cursor=SECRET)
    with pytest.raises(CredentialError, match=said) as caught:
        lake(home, **given).plan()
    assert OLD not in str(caught.value)
    assert lake(home, key=NEW, key_id="2026").ids() == [1]


@requirement("STA-06")
def test_a_record_cannot_take_the_place_of_another(home: Settings) -> None:
    one, two = lake(home, key=NEW), lake(home, "other", key=NEW)
    one.run([1], cursor=1)
    two.run([2], cursor=2)
    table = one.target.table(one.name())
    mine, other = (f"dativo.state.{name}.orders" for name in ("orders", "other"))
    table.transaction().set_properties({mine: table.properties[other]}).commit_transaction()
    with pytest.raises(CredentialError, match="does not open"):
        one.state()


def test_what_is_no_envelope_is_a_broken_state(home: Settings) -> None:
    one = lake(home, key=NEW)
    one.run([1], cursor=1)
    table = one.target.table(one.name())
    broken = json.dumps({"seq": 1, "cursor": {"value": {"sealed": "v1.1"}}, "runs": []})
    table.transaction().set_properties({"dativo.state.orders.orders": broken}).commit_transaction()
    with pytest.raises(DataError, match="cannot be read"):
        one.state()


def test_the_same_text_never_looks_the_same() -> None:
    seal = Seal("1", {"1": b"k" * 32})
    assert seal.close("text", "here") != seal.close("text", "here")


@pytest.mark.parametrize("key", ["", "short", base64.b64encode(b"k" * 16).decode(), "ä" * 44])
def test_what_is_no_key_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(ConfigurationError, match="not 32 bytes") as caught:
        seal_from({"key": key}, "job.yaml")
    assert not key or key not in str(caught.value)


def test_a_key_id_is_a_plain_word() -> None:
    with pytest.raises(ConfigurationError, match="no id of a key"):
        seal_from({"key": NEW, "key_id": "a.b"}, "job.yaml")


def test_both_alphabets_of_base64_are_read() -> None:
    key = b"\xfb\xff" * 16
    made = [seal_from({"key": encode(key).decode()}, "") for encode in (base64.b64encode, base64.urlsafe_b64encode)]
    assert made[0] is not None
    assert made[1] is not None
    assert made[1].open(made[0].close("text", "x"), "x") == "text"
