"""`storage_pattern: document_level`: one row for each document of an API."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.support import Deployment
from tests.support import requirement

SPEC = """\
api: centre
base_url: https://centre.example
streams:
  articles:
    request: /articles
    key: [id]
    columns: {id: long, title: string, body: string, changed: timestamptz}
    document:
      doc_id: {type: string, path: id}
      title: string
      raw_md: {path: body, form: markdown}
      changed: timestamptz
    incremental: {cursor: changed}
  votes: {request: /votes, key: [id], columns: {id: long}}
"""
JOB = """\
source_connector: centre
source:
  objects: [articles]
  incremental: {strategy: updated_after, lookback_hours: 1}
"""
TARGET = "target: {file_format: markdown_kv, storage_pattern: document_level}\n"


@pytest.fixture
def centre(tmp_path: Path) -> Deployment:
    made = Deployment(tmp_path)
    made.write("tenants/acme/connectors/centre.yaml", SPEC)
    return made


@requirement("SN-01", "MKV-01", "MKV-02")
@pytest.mark.parametrize(
    "target",
    [
        TARGET,
        "target: {storage_pattern: document_level}\n",
        "target: {markdown_kv_storage: {mode: structured, structured_pattern: document_level}}\n",
    ],
)
def test_an_api_s_documents_are_merged_by_their_id(centre: Deployment, target: str) -> None:
    job = centre.load(JOB + target)
    [stream] = job.streams
    assert job.unsupported == ()
    assert stream.documents
    assert stream.key == ("doc_id",)
    assert stream.incremental.cursor_field == "changed"
    assert job.target.mode == "merge"


def test_without_it_rows_stay_rows(centre: Deployment) -> None:
    job = centre.load(JOB)
    assert not job.streams[0].documents
    assert (job.streams[0].key, job.target.mode) == (("id",), "append")


def test_a_job_s_own_words_go_before(centre: Deployment) -> None:
    job = centre.load(JOB + TARGET.replace("target: {", "target: {write_mode: append, "))
    assert job.target.mode == "append"


def test_a_stream_without_documents_is_refused_with_those_that_have_them(centre: Deployment) -> None:
    said = centre.only_error(JOB.replace("[articles]", "[votes]") + TARGET)
    assert said.message == "'votes' has no documents to be stored one a row"
    assert said.remedy == "it has documents: articles"


@pytest.mark.parametrize("pattern", ["row_per_kv", "hybrid"])
def test_other_patterns_are_told_as_not_executed(centre: Deployment, pattern: str) -> None:
    job = centre.load(JOB + f"target: {{storage_pattern: {pattern}}}\n")
    assert "Markdown-KV storage is not executed" in job.unsupported[0]
