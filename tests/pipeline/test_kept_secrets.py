"""A credential that an API replaced goes back into the secret that the job names."""

from __future__ import annotations

from pathlib import Path

import pytest

from dativo_provider.errors import CredentialError
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import JobSpec, SourceSpec, TargetSpec
from dativo_provider.model.settings import Settings
from dativo_provider.pipeline.workplace import reading
from dativo_provider.secrets import FileSecrets
from tests.support import requirement


@requirement("SEC-04")
def test_a_value_is_kept_where_the_job_read_it_and_read_again_from_there(tmp_path: Path) -> None:
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "crm.json").write_text('{"client_id": "me", "refresh_token": "r1"}')
    token, host = "${SECRET:crm.refresh_token}", "x-${SECRET:crm.client_id}"
    connection = {"refresh_token": token, "client_id": "me", "host": host}
    source = SourceSpec("csv", connection, roots=(str(tmp_path),))
    job = JobSpec("acme", "orders", "orders", source, TargetSpec(), ())
    with reading(job, RunContext(Settings(home=""), secrets=FileSecrets(tmp_path))) as reader:
        assert reader.keep
        assert reader.again
        reader.keep.prove("refresh_token")
        assert reader.again().connection["refresh_token"] == "r1"
        reader.keep.put("refresh_token", "r2")
        assert reader.source.connection["refresh_token"] == "r1"
        assert reader.again().connection["refresh_token"] == "r2"
        for name in ("client_id", "host", "absent"):
            with pytest.raises(CredentialError, match="not a secret by itself"):
                reader.keep.put(name, "x")
            with pytest.raises(CredentialError, match="not a secret by itself"):
                reader.keep.prove(name)
    assert '"client_id": "me"' in (tmp_path / "acme" / "crm.json").read_text()
