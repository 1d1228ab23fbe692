"""A spec with mistakes: every one is told, with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from dativo_provider.config import InvalidConfig, apis
from dativo_provider.connectors.registry import connector
from dativo_provider.connectors.rest.load import api_of, index, load_api, names
from dativo_provider.errors import ConfigurationError
from tests.support import requirement

GOOD = """\
api: shop
base_url: https://{account}.example.com/v2
settings:
  account: {description: before the first dot of your address}
auth: {type: bearer, token: "{api_key}"}
limits:
  default: {requests: 100, per: 1m}
paginate: {type: cursor, param: cursor, next: meta.next}
streams:
  orders:
    request: {path: /orders, params: {since: "{lo:epoch}"}}
    records: data
    key: [id]
    columns:
      id: {type: long, required: true}
      changed: timestamptz
    incremental: {cursor: changed}
"""


def mistakes(folder: Path, old: str, new: str) -> list[tuple[int, str]]:
    assert old in GOOD
    path = folder / "shop.yaml"
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(InvalidConfig) as caught:
        load_api(path)
    return [(each.line, each.text) for each in caught.value.problems]


def test_a_good_spec_loads(tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    path.write_text(GOOD)
    assert load_api(path).streams["orders"].columns["changed"].type == "timestamptz"
    assert api_of("rest", GOOD).api == "shop"


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("records: data", "record: data", 12, "Did you mean 'records'?"),
        ("type: cursor,", "type: cusror,", 8, "cursor"),
        ("next: meta.next", "nxt: meta.next", 8, "Did you mean 'next'?"),
        (", next: meta.next", "", 8, "needs either `next` or `header`"),
        ("param: cursor, ", "", 8, "needs either `param` or `body`"),
        ('token: "{api_key}"', "scheme: 5, tokn: x", 5, "Did you mean 'token'?"),
        ("{lo:epoch}", "{lo:epoc}", 11, "'epoc' is no form of a value"),
        (
            "    columns:",
            "    document: {doc_id: string, title: string}\n    columns:",
            10,
            "`document` has no 'raw_md'",
        ),
        ("{lo:epoch}", "{low}", 11, "'{low}' is not a setting"),
        ("changed: timestamptz", "changed: timestmp", 16, "unknown type 'timestmp'"),
        ("key: [id]", "key: [idd]", 10, "'idd' is no column"),
        ("cursor: changed}", "cursor: changed, token: {path: a, param: b}}", 17, "needs one of"),
        ("cursor: changed}", "moment: at, changes: {}, bounded: true, latest: true}", 17, "cannot be shared by tasks"),
        ("cursor: changed}", "token: {path: a}, gone: {request: /gone}}", 17, "without a moment"),
        ("records: data", "parent: {stream: orders, values: {id: id}}", 1, "is its own parent"),
        ("per: 1m", "per: soon", 7, "'soon' is not an interval"),
        ("requests: 100", "requests: 0", 7, "greater than or equal to 1"),
        ("api: shop", "api: Shop", 1, "does not fit ^[a-z]"),
    ],
)
@requirement("CFG-16")
def test_a_mistake_is_told_with_its_line(tmp_path: Path, old: str, new: str, line: int, says: str) -> None:
    found = mistakes(tmp_path, old, new)
    assert [(at, text) for at, text in found if says in text], found
    assert line in {at for at, _ in found}, found


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    found = mistakes(tmp_path, "id: {type: long, required: true}", "id: lng\n      other: {type: x}")
    assert len(found) == 2


def test_a_connector_without_a_spec_says_where_to_put_one() -> None:
    with pytest.raises(ConfigurationError) as caught:
        api_of("rest")
    assert "connectors/<name>.yaml" in caught.value.remedy


@requirement("CFG-05")
def test_the_configuration_learns_keys_and_cursors_of_a_spec_that_is_put_beside_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shop.yaml").write_text(GOOD)
    (tmp_path / "other.yaml").write_text(GOOD.replace("api: shop", "api: other").replace("key: [id]", "key: []"))
    (tmp_path / "index.json").write_text(index(tmp_path))
    monkeypatch.setattr(apis, "INDEX", tmp_path / "index.json")
    shipped = apis.shipped.__wrapped__()
    assert shipped["shop"] == {"orders": apis.ApiStream(("id",), "changed")}
    assert shipped["other"] == {"orders": apis.ApiStream((), "changed")}


@requirement("CFG-05", "CON-29")
def test_a_spec_is_a_connector_by_its_file_alone() -> None:
    for name in names():
        assert api_of(name).api == name
        assert connector(name).runs("source"), name
