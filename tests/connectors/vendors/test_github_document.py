"""GitHub's spec against GitHub's own description of its API: by its text, and by Prism, which answers from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from functools import cache
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from dativo_provider.connectors.registry import open_reader
from dativo_provider.connectors.rest.load import api_of
from dativo_provider.connectors.rest.spec import Stream
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import ContractSpec, SourceSpec, StreamSpec
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import Slice
from tests.services import prism
from tests.services.plugin import started
from tests.support import requirement

API = api_of("github")
OWN = {"file_contents": {"path", "mode", "skipped"}}  # columns that the reader fills
NAMES = {"tree": "tree_sha", "parent.sha": "file_sha"}


def path_of(stream: Stream) -> str:
    """As the document writes it."""
    path = stream.request.path.replace("/orgs/{owner}", "/orgs/{org}")
    for ours, theirs in NAMES.items():
        path = path.replace(f"{{{ours}}}", f"{{{theirs}}}")
    return path


@cache
def document() -> dict[str, Any]:
    return started("prism", prism.github)


def resolved(part: Any) -> Any:
    while "$ref" in part:
        _, _, kind, name = part["$ref"].split("/")
        part = document()["components"][kind][name]
    return part


def properties(schema: Any) -> dict[str, Any]:
    found = resolved(schema)
    parts = [each for word in ("allOf", "anyOf", "oneOf") for each in found.get(word, [])]
    return {**found.get("properties", {}), **{name: each for part in parts for name, each in properties(part).items()}}


def record(name: str) -> dict[str, Any]:
    stream = API.streams[name]
    answer = document()["paths"][path_of(stream)]["get"]["responses"]["200"]
    schema = resolved(answer["content"]["application/vnd.github+json"]["schema"])
    found = resolved(properties(schema)[stream.records]) if stream.records else schema
    return properties(found["items"] if found.get("type") == "array" else found)


@requirement("CON-16")
@pytest.mark.parametrize("name", API.streams)
def test_every_column_and_parameter_is_one_of_githubs(name: str) -> None:
    stream, fields = API.streams[name], record(name)
    for column, each in stream.columns.items():
        found: Mapping[str, Any] = fields
        for part in (each.path or column).split(".") if column not in OWN.get(name, ()) else ():
            assert part in found, f"{column}: {part}"
            found = properties(found[part])
    operation = document()["paths"][path_of(stream)]["get"]
    known = {resolved(each)["name"] for each in operation["parameters"]}
    assert set(stream.request.params) <= known


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    found = document()
    paths = {path_of(each) for each in API.streams.values()}
    for path in paths:  # their examples lead to GitHub itself
        found["paths"][path]["get"]["responses"]["200"].pop("headers", None)
    made = started("prism", lambda: prism.start(found, paths))
    yield made.url
    made.stop()


def test_prism_refuses_what_the_document_does_not_allow(server: str) -> None:
    with pytest.raises(HTTPError) as caught:
        urlopen(f"{server}/repos/octocat/Hello-World/issues?per_page=many")
    assert caught.value.code == 422


@requirement("CON-16")
def test_githubs_own_examples_are_read_as_its_document_allows(server: str) -> None:
    """Prism refuses requests that the document does not allow, and answers with the document's examples."""
    connection = {"owner": "octocat", "repo": "Hello-World", "token": "x", "base_url": server}
    source = SourceSpec("github", connection, rate_limits={"retry": {"max_retries": 0}})
    lo = "2000-01-01T00:00:00+00:00"
    with closing(open_reader(source, RunContext(Settings(home="")))) as reader:
        reader.check()
        for name, stream in API.streams.items():
            spec = StreamSpec(name, name, name, ContractSpec(name))
            since = {"lo": lo} if stream.incremental and stream.incremental.cursor else {}
            for piece in (Slice(0, name, {}), Slice(0, name, {**since, "hi": "2030-01-01T00:00:00+00:00"})):
                batches = list(reader.read(spec, piece))
                assert not [reject for batch in batches for reject in batch.rejects], name
            assert "unknown_fields" not in reader.result().detail, name
            assert sum(batch.data.num_rows for batch in batches), name
