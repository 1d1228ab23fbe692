from __future__ import annotations

import pytest

from dativo_provider.errors import DativoError
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import JobSpec, SourceSpec, TargetSpec
from dativo_provider.model.settings import Settings
from dativo_provider.secrets import EnvSecrets
from dativo_provider.secrets.resolve import resolve
from tests.support import requirement

VARIABLES = {
    "PGHOST": "db",
    "HOME": "/root",
    "DATIVO_SECRET__GLOBEX__KEY": "theirs",
    "DATIVO_SECRET__ACME__KEY": "ours",
}


def job(*allowed: str) -> JobSpec:
    return JobSpec("acme", "orders", "orders", SourceSpec("csv"), TargetSpec(), (), allowed_variables=allowed)


def context() -> RunContext:
    return RunContext(Settings(home="/tmp"), secrets=EnvSecrets(VARIABLES), variables=VARIABLES)


@requirement("SEC-05")
def test_references_are_replaced_at_any_depth() -> None:
    value = {"host": "${PGHOST}", "auth": [{"key": "${SECRET:KEY}"}], "port": 5432}
    assert resolve(value, job("PGHOST"), context()) == {"host": "db", "auth": [{"key": "ours"}], "port": 5432}


@requirement("SEC-05")
@pytest.mark.parametrize(
    "reference", ["${HOME}", "${DATIVO_SECRET__GLOBEX__KEY}", "${DATIVO_SECRET__ACME__KEY}", "${SECRET:../globex/key}"]
)
def test_a_job_reaches_only_what_its_tenant_may_see(reference: str) -> None:
    with pytest.raises(DativoError) as failure:
        resolve({"x": reference}, job("PGHOST", "DATIVO_SECRET__GLOBEX__KEY"), context())
    assert "theirs" not in str(failure.value)
