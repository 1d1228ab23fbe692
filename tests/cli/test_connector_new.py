"""`dativo connector new`: what of a request a draft keeps, and what is told where something is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from dativo_provider.connectors.rest.draft.credentials import is_secret
from tests.cli.conftest import Command, dativo, own_logs
from tests.connectors.rest.fake import Answer, FakeApi, serving

__all__ = ["dativo", "own_logs"]

ORDERS = [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}]


def drafted(dativo: Command, data: str, query: str = "") -> str:
    """The text of the spec that an address asked by POST becomes."""
    found = FakeApi()
    found.faults.append(lambda _: Answer(body={"orders": ORDERS}))
    with serving(found):
        answer = dativo("connector", "new", f"{found.url}/orders{query}", "--data", data, "--name", "x")
    assert answer.code == 0, answer.err
    return Path("connectors/x.yaml").read_text(encoding="utf-8")


def test_secrets_inside_of_a_body_stay_out_and_are_named(dativo: Command) -> None:
    data = {"filter": {"credentials": {"user": "u1", "password": "hunter2"}, "author_id": 7},
            "any": [{"clientSecret": "hunter2", "keyword": "k"}], "sort_key": "id", "api-key": "hunter2"}  # fmt: skip
    text = drafted(dativo, json.dumps(data))
    assert "hunter2" not in text
    assert yaml.safe_load(text)["streams"]["orders"]["request"]["body"] == {
        "filter": {"author_id": 7}, "any": [{"keyword": "k"}], "sort_key": "id"
    }  # fmt: skip
    assert "# decide: left out as secrets: filter.credentials, any.clientSecret, api-key" in text


def test_a_parameter_that_is_left_out_is_named_unless_it_is_the_login(dativo: Command) -> None:
    text = drafted(
        dativo, '{"x": [{"token": "hunter2"}, {"token": "hunter2"}]}', "?token=hunter2&partition_key=hunter2&authors=1"
    )
    assert "hunter2" not in text
    made = yaml.safe_load(text)
    assert made["auth"] == {"type": "api_key", "key": "{api_key}", "param": "token"}
    assert made["streams"]["orders"]["request"]["params"] == {"authors": "1"}
    assert "# decide: left out as secrets: partition_key, x.token\n" in text


@pytest.mark.parametrize(
    "name",
    ["author_id", "authors", "keyword", "sort_key", "sortKey", "page_token", "nextPageToken", "page[token]", "limit"],
)
def test_names_that_only_look_like_secrets_are_kept(name: str) -> None:
    assert not is_secret(name)


@pytest.mark.parametrize(
    "name",
    ["apikey", "API_KEY", "X-Api-Key", "accessToken", "Authorization", "authcode", "author_token", "page_token_secret",
     "passwd", "credentials", "X-Amz-Signature"],
)  # fmt: skip
def test_names_of_secrets_are_known(name: str) -> None:
    assert is_secret(name)


def test_a_draft_that_fails_lint_gets_no_job_and_says_so(tmp_path: Path, dativo: Command) -> None:
    manifest = {
        "version": "6.1.0", "type": "DeclarativeSource", "check": {"type": "CheckStream", "stream_names": ["a"]},
        "streams": [{"type": "DeclarativeStream", "name": "a", "retriever": {"type": "AsyncRetriever"}}],
    }  # fmt: skip
    (tmp_path / "manifest.yaml").write_text(yaml.safe_dump(manifest))
    answer = dativo("connector", "new", "manifest.yaml", "--name", "x")
    assert answer.code != 0
    assert "no job was written: first correct what lint says below" in answer.out
    assert "stays as it is" not in answer.out
    assert "dativo connector lint" in answer.out
    assert "dativo connector test" not in answer.out
    assert not (tmp_path / "jobs").exists()


def test_a_broken_tenant_is_told_before_anything_is_written(tmp_path: Path, dativo: Command) -> None:
    (tmp_path / "orders.json").write_text(json.dumps(ORDERS))
    (tmp_path / "tenant.yaml").write_text("tenant_id: [acme")
    answer = dativo("connector", "new", "orders.json", "--name", "x")
    assert answer.code != 0
    assert "tenant.yaml" in answer.out + answer.err
    assert not (tmp_path / "connectors").exists()
