"""Nessie: a branch per tenant, made when it is missing; other branches see nothing of it."""

from __future__ import annotations

import json
import secrets
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from dativo_provider.errors import ConfigurationError, StorageUnavailable, Unsupported
from dativo_provider.lake.catalog import catalog_properties, open_catalog
from dativo_provider.lake.catalogs.nessie import LEAF
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import Field
from tests.lake.places import on_nessie
from tests.lake.support import FIELDS, Lake, job, settings
from tests.services.framework import free_port
from tests.services.nessie import Nessie
from tests.services.rest import Rest
from tests.services.s3 import S3
from tests.support import requirement


@pytest.fixture
def where(tmp_path: Path, nessie: Nessie, s3: S3) -> Settings:
    """The deployment says nothing of branches."""
    made = on_nessie(tmp_path, nessie, s3)
    words = {key: value for key, value in made.catalog.properties.items() if key != "branch"}
    return replace(made, catalog=replace(made.catalog, properties=words))


@pytest.fixture
def tenant() -> str:
    return f"acme{secrets.token_hex(4)}"


def at_branch(where: Settings, branch: str) -> Any:
    properties = {**where.catalog.properties, "branch": branch}
    return open_catalog(replace(where, catalog=replace(where.catalog, properties=properties)))


def api(nessie: Nessie, path: str) -> Any:
    with urllib.request.urlopen(f"{nessie.uri}/api/v2/{path}", timeout=10) as answer:
        return json.load(answer)


@requirement("ING-09", "CON-30")
def test_a_tenants_run_is_on_its_own_branch_and_seen_on_no_other(where: Settings, tenant: str, nessie: Nessie) -> None:
    ours, theirs = Lake(where, job(tenant)), Lake(where, job(f"umbrella{tenant}"))
    ours.run([1, 2], bad=[9], cursor=2)
    assert (ours.ids(), ours.quarantine()) == ([1, 2], ["r9"])
    assert tenant in [each["name"] for each in api(nessie, "trees")["references"]]
    theirs.run([7])
    for branch in ("main", f"umbrella{tenant}"):
        assert (tenant,) not in at_branch(where, branch).list_namespaces()
    assert theirs.ids() == [7]
    assert at_branch(where, tenant).load_table(f"{tenant}.orders").scan().to_arrow().num_rows == 2


@requirement("ING-09")
def test_a_job_or_the_operator_may_choose_the_branch(where: Settings, tenant: str) -> None:
    Lake(where, job(tenant, branch=f"{tenant}/audit")).run([1])
    assert at_branch(where, f"{tenant}/audit").table_exists(f"{tenant}.orders")
    assert not at_branch(where, tenant).namespace_exists(tenant)
    shared = f"shared-{tenant}"
    operators = replace(
        where, catalog=replace(where.catalog, properties={**where.catalog.properties, "branch": shared})
    )
    Lake(operators, job(tenant)).run([1])
    assert at_branch(where, shared).table_exists(f"{tenant}.orders")


@requirement("ING-09")
@pytest.mark.parametrize("branch", ["umbrella", "acme2", "acm"])
def test_a_job_cannot_choose_the_branch_of_another_tenant(where: Settings, branch: str) -> None:
    with pytest.raises(ConfigurationError, match=f"branch '{branch}'"):
        Lake(where, job("acme", branch=branch)).plan()


@requirement("ING-09")
def test_a_new_branch_begins_as_main_is(where: Settings, tenant: str) -> None:
    Lake(where, job(tenant, branch="main")).run([1], cursor=1)
    ours = Lake(where, job(tenant))
    assert ours.state().seq == 1
    ours.run([2], cursor=2)
    assert ours.ids() == [1, 2]
    assert Lake(where, job(tenant, branch="main")).ids() == [1]


@requirement("ING-25")
def test_processes_that_need_a_new_branch_at_once_all_get_it(where: Settings, tenant: str) -> None:
    with ThreadPoolExecutor(6) as pool:
        opened = list(pool.map(lambda _: open_catalog(where, job(tenant)), range(6)))
    assert all((tenant,) not in catalog.list_namespaces() for catalog in opened)


@requirement("ING-25")
def test_a_table_without_a_snapshot_is_refused(where: Settings, tenant: str) -> None:
    """Nessie would let the later of two first commits replace the earlier one."""
    from pyiceberg.catalog.rest import RestCatalog

    lake = Lake(where, job(tenant))
    lake.target.catalog.create_namespace(tenant, {"dativo.tenant": tenant})
    bare = RestCatalog("bare", **lake.target.catalog.properties)
    from dativo_provider.lake.schema import iceberg_schema

    schema = iceberg_schema(FIELDS)
    made = RestCatalog._create_table(  # as PyIceberg would, but with what Nessie asks of a schema
        bare, f"{tenant}.orders", schema, None, *_unpartitioned(), {"dativo.tenant": tenant}
    )
    assert made.metadata.current_snapshot_id is None
    with pytest.raises(ConfigurationError, match="no snapshot yet"):
        lake.run([1])


def _unpartitioned() -> tuple[Any, Any]:
    from pyiceberg.partitioning import UNPARTITIONED_PARTITION_SPEC
    from pyiceberg.table.sorting import UNSORTED_SORT_ORDER

    return UNPARTITIONED_PARTITION_SPEC, UNSORTED_SORT_ORDER


@requirement("ING-20")
def test_a_table_gains_columns_nested_ones_too(where: Settings, tenant: str) -> None:
    Lake(where, job(tenant)).run([1])
    fields = (*FIELDS, Field("place", "struct<city:string,codes:list<int>>"), Field("more", "map<string,long>"))
    wider = Lake(where, job(tenant), fields)
    wider.run([{"id": 2, "place": {"city": "x", "codes": [1]}, "more": [("a", 1)]}])
    assert wider.ids() == [1, 2]
    assert wider.target.table(wider.name()).schema().highest_field_id == 10


@requirement("ING-25")
def test_files_other_branches_may_need_are_never_swept(where: Settings, tenant: str) -> None:
    lake = Lake(where, job(tenant, mode="replace"))
    for number in (1, 2):
        lake.run([number])
    assert lake.target.sweep_table(lake.name(), timedelta(hours=1)) == 0
    assert lake.target.table(lake.name()).properties["gc.enabled"] == "false"


@pytest.mark.parametrize("path", ["", "/", "/api", "/api/v1", "/api/v2/", "/iceberg", "/iceberg/main"])
def test_the_address_may_be_any_of_those_nessie_shows(where: Settings, nessie: Nessie, tenant: str, path: str) -> None:
    properties = {**where.catalog.properties, "uri": nessie.uri + path, "warehouse": "warehouse"}
    found = open_catalog(replace(where, catalog=replace(where.catalog, properties=properties)), job(tenant))
    assert (tenant,) not in found.list_namespaces()


def test_a_warehouse_nessie_does_not_know_is_a_setting_to_correct(where: Settings, tenant: str) -> None:
    properties = {**where.catalog.properties, "warehouse": "elsewhere"}
    with pytest.raises(ConfigurationError, match="does not know this warehouse"):
        open_catalog(replace(where, catalog=replace(where.catalog, properties=properties)), job(tenant))


def test_another_rest_catalog_is_not_taken_for_nessie(tmp_path: Path, rest: Rest) -> None:
    where = settings(tmp_path, warehouse=rest.warehouse, properties={"type": "nessie", "uri": rest.uri})
    with pytest.raises(ConfigurationError, match=r"not Nessie|refused"):
        open_catalog(where, job())


def test_a_nessie_that_is_not_there_is_waited_for(tmp_path: Path) -> None:
    where = settings(tmp_path, properties={"type": "nessie", "uri": f"http://127.0.0.1:{free_port()}"})
    with pytest.raises(StorageUnavailable, match="did not answer"):
        open_catalog(where, job())


@requirement("MKV-09", "ML-04")
def test_versions_that_only_nessie_keeps_are_refused_before_anything_is_read(where: Settings, tenant: str) -> None:
    plain = Lake(where, job(tenant))
    plain.run([1])
    before = plain.target.table(plain.name()).metadata_location
    lake = Lake(where, job(tenant, publish="branch"))
    with pytest.raises(Unsupported, match="publish: branch: in Nessie a table has one snapshot") as refused:
        lake.plan()
    assert "merge it" in refused.value.remedy
    for what in ("--as-of", "dativo tag", "dativo rollback"):
        with pytest.raises(Unsupported, match=what):
            plain.target.check_versions(what, plain.name())
    assert plain.target.table(plain.name()).metadata_location == before


@requirement("MKV-09", "ING-09")
def test_write_audit_and_publish_goes_by_a_branch_of_nessies_own(where: Settings, tenant: str, nessie: Nessie) -> None:
    """What the refusal advises: rows are on `<tenant>/audit` until somebody merges it."""
    Lake(where, job(tenant)).run([1], cursor=1)
    tip = api(nessie, f"trees/{tenant}")["reference"]
    post(nessie, f"trees?name={tenant}/audit&type=BRANCH", tip)
    audit = Lake(where, job(tenant, branch=f"{tenant}/audit"))
    audit.run([2], bad=[9], cursor=2)
    published = Lake(where, job(tenant))
    assert (audit.ids(), published.ids(), published.quarantine()) == ([1, 2], [1], [])
    merged = api(nessie, f"trees/{tenant}%2Faudit")["reference"]
    post(
        nessie,
        f"trees/{tenant}@{tip['hash']}/history/merge",
        {"fromRefName": merged["name"], "fromHash": merged["hash"]},
    )
    published = Lake(where, job(tenant))
    assert (published.ids(), published.quarantine()) == ([1, 2], ["r9"])
    assert published.state().seq == 2


def post(nessie: Nessie, path: str, body: Any) -> None:
    request = urllib.request.Request(
        f"{nessie.uri}/api/v2/{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    urllib.request.urlopen(request, timeout=10).close()


def test_catalogs_without_branches_of_their_own_say_so(tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match="no branch 'dev'"):
        catalog_properties(settings(tmp_path), job(branch="dev"))
    assert LEAF.has_branches
