from __future__ import annotations

import pytest

from dativo_provider.config.recipes import read_recipe, read_registry
from dativo_provider.model.job import PartitionSpec
from tests.config.support import JOB, Deployment, only, refused
from tests.support import requirement

RECIPE = """\
name: shop_pg
type: postgres
roles: [source, target]
description: The shop's database
default_engine:
  type: native
  options:
    native: {batch_size: 5000}
credentials: {type: basic, file_template: "/secrets/{tenant}/postgres.env"}
connection_template:
  host: "${PGHOST}"
  port: "${PGPORT:-5432}"
  database: shop
incremental: {strategy: cursor_field, cursor_field_default: updated_at, lookback_days_default: 1}
rate_limits: {rps_default: 7, burst_default: 14, retry: {max_retries: 5, backoff: exponential, max_backoff_seconds: 64}}
"""
REGISTRY = """\
version: 3
connectors:
  mimesis2:
    roles: [source]
    category: files
    default_engine: native
    engines_supported: [native]
    allowed_in_cloud: false
    supports_incremental: true
    incremental_strategy_default: file_modified_time
    objects_supported: [file]
    requires_tables: false
    supports_queries: false
    file_formats: [parquet]
    supports_schema_evolution: true
"""


@requirement("CFG-06", "CFG-11")
def test_a_recipe_is_found_by_name_and_merged_below_the_job(deployment: Deployment) -> None:
    deployment.write("connectors/shop_pg.yaml", RECIPE)
    text = JOB.replace("source_connector: postgres", "source_connector: shop_pg") + (
        "  connection: {port: 6543}\n  incremental: {strategy: updated_at}\n"
    )
    job = deployment.load(text)
    assert job.source.connector == "postgres"
    assert job.source.connection == {"host": "${PGHOST}", "port": 6543, "database": "shop"}
    assert job.source.options == {"batch_size": 5000}
    incremental = job.streams[0].incremental
    assert (incremental.strategy, incremental.cursor_field, incremental.lookback_seconds) == (
        "updated_at",
        "updated_at",
        86400,
    )
    assert set(job.allowed_variables) == {"ACME_*", "PGHOST", "PGPORT"}


def test_incremental_reading_is_off_unless_the_job_asks_for_it(deployment: Deployment) -> None:
    deployment.write("connectors/shop_pg.yaml", RECIPE)
    job = deployment.load(JOB.replace("source_connector: postgres", "source_connector: shop_pg"))
    assert job.streams[0].incremental.strategy == "full_refresh"
    assert job.target.mode == "replace"


def test_variables_of_a_tenant_s_own_recipe_need_the_list(deployment: Deployment) -> None:
    deployment.write("tenants/acme/connectors/shop_pg.yaml", RECIPE)
    job = deployment.load(JOB.replace("source_connector: postgres", "source_connector: shop_pg"))
    assert "PGHOST" not in job.allowed_variables


@requirement("CFG-11")
@pytest.mark.parametrize("path", ["connectors/shop_pg.yaml", "/app/connectors/shop_pg.yaml"])
def test_a_recipe_is_found_by_path(deployment: Deployment, path: str) -> None:
    deployment.write("connectors/shop_pg.yaml", RECIPE)
    job = deployment.load(JOB + f"source_connector_path: {path}\n")
    assert job.source.connection["database"] == "shop"


@requirement("CFG-11")
def test_a_path_that_is_gone_is_a_warning_and_the_name_serves(deployment: Deployment) -> None:
    found = deployment.only_warning(JOB + "source_connector_path: /app/connectors/postgres.yaml\n")
    assert found.message == "there is no recipe '/app/connectors/postgres.yaml'"
    assert "'postgres' is used by name" in found.remedy


def test_a_target_recipe_sets_files_and_partitions(deployment: Deployment) -> None:
    deployment.write("connectors/targets/iceberg.yaml", """\
        name: iceberg
        type: iceberg
        roles: [target]
        default_engine: {type: native, options: {native: {max_file_size_mb: 200, compression: snappy}}}
        connection_template: {s3: {endpoint: "http://minio:9000"}}
        catalog: sql
        file_format: parquet
        partitioning_default: [ingest_date]
        """)  # fmt: skip
    target = deployment.load(JOB + "target: {compression: gzip}\n").target
    assert (target.file_size_mb, target.compression, target.catalog) == (200, "gzip", {"type": "sql"})
    assert target.partitioning == (PartitionSpec("_dativo_loaded_at", "day"),)
    assert target.connection == {"s3": {"endpoint": "http://minio:9000"}}


def test_a_recipe_for_another_role_is_refused(deployment: Deployment) -> None:
    deployment.write("connectors/shop_pg.yaml", RECIPE.replace("[source, target]", "[target]"))
    found = deployment.only_error(JOB.replace("source_connector: postgres", "source_connector: shop_pg"))
    assert found.message == "recipe 'shop_pg' is no source"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("roles: [source, target]", "roles: [sauce]", "cannot be 'sauce'"),
        ("type: native", "type: nativ", "'type' cannot be 'nativ'"),
        ("name: shop_pg\n", "", "'name' is missing"),
        ("rate_limits:", "rate_limit:", "'rate_limit' is not a key"),
    ],
)
def test_mistakes_in_recipes_come_with_the_job(deployment: Deployment, old: str, new: str, said: str) -> None:
    path = deployment.write("connectors/postgres.yaml", RECIPE.replace(old, new))
    assert said in only(list(refused(read_recipe, path))).message
    assert said in deployment.only_error().message


def test_a_key_from_the_environment_becomes_a_reference(deployment: Deployment) -> None:
    path = deployment.write(
        "connectors/stripe.yaml",
        "name: stripe\ntype: stripe\nroles: [source]\ndefault_engine: airbyte\n"
        "credentials: {type: api_key, from_env: STRIPE_API_KEY}\n",
    )
    found = read_recipe(path)
    assert found.source["connection"] == {"api_key": "${STRIPE_API_KEY}"}
    assert (found.variables, found.engine) == (("STRIPE_API_KEY",), "airbyte")


@requirement("CFG-05", "CFG-15")
def test_a_registry_adds_connectors(deployment: Deployment) -> None:
    text = "source_connector: mimesis2\nsource: {files: [a.csv]}\n"
    assert "'mimesis2' is no connector" in deployment.only_error(text).message
    path = deployment.write("registry/connectors.yaml", REGISTRY)
    assert "connector 'mimesis2' cannot be read" in deployment.load(text).unsupported[0]
    assert "not allowed in cloud mode" in deployment.only_error(text, mode="cloud").message
    assert read_registry(path)["mimesis2"].strategy == "file_modified_time"
    path.write_text(REGISTRY.replace("version: 3", "version: 2"))
    assert "'version' cannot be" in deployment.only_error(text).message


TAP = """\
name: warehouse
type: snowflake
roles: [source]
default_engine:
  type: meltano
  options:
    native: {batch_size_rows: 5}
    meltano: {tap: tap-snowflake, tap_version: "3", tap_config: {password: "${WAREHOUSE_PASSWORD}"}}
connection_template: {account: abc}
"""


@requirement("CFG-16")
def test_a_recipe_falls_back_on_an_engine_of_another_ecosystem(deployment: Deployment) -> None:
    deployment.write("connectors/warehouse.yaml", TAP)
    job = deployment.load("source_connector: warehouse\nsource: {objects: [orders], options: {memory_mb: 9}}\n")
    assert job.unsupported == ()
    assert job.source.connector == "singer"
    assert job.source.connection == {"account": "abc"}
    config = {"password": "${WAREHOUSE_PASSWORD}"}
    assert job.source.options == {"tap": "tap-snowflake", "tap_version": "3", "tap_config": config, "memory_mb": 9}
    assert "WAREHOUSE_PASSWORD" in job.allowed_variables


@requirement("CFG-16")
def test_what_is_read_natively_is_read_by_a_bridge_when_the_job_insists(deployment: Deployment) -> None:
    deployment.write("connectors/shop.yaml", TAP.replace("type: snowflake", "type: postgres"))
    text = "source_connector: shop\nsource:\n  tables: [public.orders]\n  incremental: {cursor_field: updated_at}\n"
    assert deployment.load(text).source.connector == "postgres"
    job = deployment.load(text + "  engine: {type: meltano, options: {tap_version: '4'}}\n")
    assert (job.source.connector, job.source.options["tap_version"]) == ("singer", "4")
    assert job.source.options["tap"] == "tap-snowflake"
