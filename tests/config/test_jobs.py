from __future__ import annotations

import pytest

from dativo_provider.config import load_job
from dativo_provider.model.job import PartitionSpec, RetrySpec, ScheduleSpec
from dativo_provider.model.sla import SlaSpec
from tests.config.support import CONTRACT, JOB, Deployment, edited, place, refused
from tests.support import requirement

CSV = """\
source_connector: csv
asset: orders
source:
  path: in/*.csv
"""


@requirement("CFG-01", "CFG-02", "CFG-03", "CFG-11")
def test_a_short_job_is_complete(deployment: Deployment) -> None:
    job = deployment.load()
    assert (job.tenant, job.name, job.id, job.dag_id) == ("acme", "orders", "orders", "acme.orders")
    assert (job.source.connector, job.target.connector, job.target.namespace) == ("postgres", "iceberg", "acme")
    assert job.warnings == job.unsupported == ()
    stream = job.streams[0]
    assert (stream.name, stream.object, stream.table) == ("orders", "public.orders", "orders")
    assert stream.key == ("id",)
    assert stream.contract.version == "1.2.0"
    assert job.path == str(deployment.root / "tenants/acme/jobs/orders.yaml")
    assert job.schedule == ScheduleSpec()
    assert job.retry == RetrySpec()
    assert (job.schema_validation, job.enforcement) == ("quarantine", "strict")


@requirement("CFG-10")
def test_every_key_of_a_job_is_read(deployment: Deployment) -> None:
    job = deployment.load("""\
        $schema: https://example.com/job.json
        tenant_id: acme
        id: orders_for_ever
        description: Orders
        environment: prod
        source_connector: postgres
        target_connector: iceberg
        asset: orders
        source:
          tables:
            - {name: public.orders, object: orders, cursor_field: updated_at, columns: [id, email, updated_at],
               where: "amount > 0", key: id, options: {batch_size: 5}}
          connection_id: acme_shop
          connection: {sslmode: require}
          credentials: {password: "${SECRET:shop}"}
          rate_limits: {rps: 5}
          engine: {type: native, options: {batch_size: 10000, native: {chunk_size: 7}}}
          options: {threads: 2}
          incremental: {strategy: updated_at, lookback_days: 1, lag_seconds: 5, state_path: /x}
        target:
          file_format: parquet
          write_mode: append
          mode: merge
          partitioning: [country, day(updated_at), "bucket[16](id)", {column: country, transform: "truncate[2]"}]
          parquet_target_size_mb: 200
          compression: snappy
          namespace: acme_lake
          system_columns: false
          allow_empty_replace: true
          catalog: {uri: postgresql://x, type: sql}
          connection: {s3: {endpoint: "http://minio", region: x}}
          options: {a: 1}
        data_contract:
          enabled: true
          enforcement_mode: warn
          quality_checks:
            - {name: positive, type: range, field: amount, min: 0}
        transformations:
          - {name: extract_year, type: sql, expression: "year(updated_at)", data_type: int}
          - {name: x, expression: "upper(country)", column: country}
        schedule: {cron: "0 * * * *", timezone: Europe/Berlin, enabled: false, max_concurrent_runs: 2, tags: {team: x}}
        schema_validation_mode: strict
        retry_config: {max_retries: 5, initial_delay_seconds: 1, max_delay_seconds: 9, backoff_multiplier: 3,
                       retryable_exit_codes: [1, 2], retryable_error_patterns: ["time.*out"]}
        slices: 8
        logging: {level: DEBUG, redaction: true}
        classification_overrides: {country: internal, default: confidential}
        finops: {cost_center: marketing, budget_code: B12345}
        governance_overrides: {owner: boss@example.com, retention_days: 30}
        plugins: {sandbox: {enabled: true, cpu_limit: 0.5, memory_limit: 512m, network_disabled: true, timeout: 300}}
        infrastructure: {cpu: 2}
        """)
    assert (job.id, job.environment, job.description, job.slices) == ("orders_for_ever", "prod", "Orders", 8)
    assert job.source.connection == {"sslmode": "require", "password": "${SECRET:shop}"}
    assert job.source.connection_id == "acme_shop"
    assert job.source.options == {"chunk_size": 7, "batch_size": 10000, "threads": 2}
    stream = job.streams[0]
    assert (stream.columns, stream.where) == (("id", "email", "updated_at"), "amount > 0")
    assert stream.options == {"batch_size": 5}
    assert (stream.incremental.cursor_field, stream.incremental.lookback_seconds) == ("updated_at", 86400)
    assert stream.incremental.lag_seconds == 5
    target = job.target
    assert (target.mode, target.namespace, target.file_size_mb, target.compression) == (
        "append",
        "acme_lake",
        200,
        "snappy",
    )
    assert target.partitioning == (
        PartitionSpec("country"), PartitionSpec("updated_at", "day"), PartitionSpec("id", "bucket[16]"),
        PartitionSpec("country", "truncate[2]"),
    )  # fmt: skip
    assert (target.system_columns, target.allow_empty_replace) == (False, True)
    assert target.options == {"a": 1}
    assert set(target.schema_policies.kinds.values()) == {"evolve"}
    assert target.catalog == {"uri": "postgresql://x", "type": "sql"}
    assert [(each.column, each.type, each.windowed) for each in job.transforms] == [
        ("year", "int", False), ("country", "", False),
    ]  # fmt: skip
    assert job.schedule == ScheduleSpec("0 * * * *", 0, False, "Europe/Berlin", 2, {"team": "x"})
    assert job.retry == RetrySpec(5, 1, 9, 3, ("time.*out",))
    assert (job.schema_validation, job.enforcement) == ("strict", "warn")
    assert stream.contract.rules[-1].body == {"name": "positive", "type": "range", "field": "amount", "min": 0}
    assert stream.contract.owner == "boss@example.com"
    assert stream.contract.fields[3].classification == "internal"
    properties = stream.contract.properties
    assert properties["dativo.finops.budget_code"] == "B12345"
    assert properties["dativo.classification.default"] == "confidential"
    assert properties["dativo.classification.email"] == "PII"
    assert properties["dativo.governance.retention_days"] == "30"


@requirement("QUA-05")
def test_how_long_quarantined_rows_are_kept_is_the_contracts_say(deployment: Deployment) -> None:
    block = "data_contract: {violation_handling: {quarantine: {retention_days: 7}}}\n"
    [stream] = deployment.load(JOB + block).streams
    assert stream.contract.properties["dativo.quarantine.retention_days"] == "7"
    [stream] = deployment.load(JOB).streams
    assert "dativo.quarantine.retention_days" not in stream.contract.properties


@requirement("TAG-02", "TAG-03")
def test_tags_of_the_job_win_over_those_of_the_contract(deployment: Deployment) -> None:
    deployment.write(
        "tenants/acme/contracts/orders.odcs.yaml",
        CONTRACT + "customProperties:\n  - {property: dativo.finops.cost_center, value: sales}\n"
        "  - {property: dativo.finops.project, value: shop}\n",
    )
    properties = deployment.load(JOB + "finops: {cost_center: marketing}\n").streams[0].contract.properties
    assert properties["dativo.finops.cost_center"] == "marketing"
    assert properties["dativo.finops.project"] == "shop"


@requirement("CFG-12")
def test_the_overlay_of_an_environment_is_merged_deeply(deployment: Deployment) -> None:
    text = (
        CSV
        + """\
environment: dev
target: {compression: snappy, partitioning: [country]}
schedule: {interval: 1h}
environments:
  dev: {schedule: {enabled: false}}
  prod:
    target: {partitioning: [day(updated_at)]}
    schedule: {interval: 30m}
"""
    )
    dev, prod, other = (deployment.load(text, environment=name) for name in ("", "prod", "staging"))
    assert (dev.environment, dev.schedule.enabled, dev.schedule.interval_seconds) == ("dev", False, 3600)
    assert (prod.environment, prod.schedule.enabled, prod.schedule.interval_seconds) == ("prod", True, 1800)
    assert prod.target.partitioning == (PartitionSpec("updated_at", "day"),)
    assert prod.target.compression == "snappy"
    assert (other.environment, other.target.partitioning) == ("staging", (PartitionSpec("country"),))


@requirement("CFG-12")
def test_mistakes_in_an_overlay_are_found_where_they_stand(deployment: Deployment) -> None:
    text = CSV + "environments:\n  prod:\n    schedule: {cron: never}\n    tenant_id: globex\n"
    found = deployment.problems(text, environment="prod")
    assert [(each.line, each.column) for each in found] == [(8, 5), (7, 22)]
    assert "'tenant_id' cannot differ by environment" in found[0].message
    assert "has 1 fields" in found[1].message


@requirement("CFG-14")
def test_defaults_of_the_tenant_lie_below_every_job(deployment: Deployment) -> None:
    defaults = deployment.write(
        "tenants/acme/defaults.yaml",
        "target: {compression: gzip}\nschedule: {cron: '@daily'}\nenvironments: {prod: {slices: 4}}\n",
    )
    job = deployment.load(CSV + "target: {compression: snappy}\n", environment="prod")
    assert (job.target.compression, job.schedule.cron, job.slices) == ("snappy", "@daily", 4)
    defaults.write_text("schedule: {cron: '@dayly'}\n")
    found = deployment.only_error(CSV)
    assert found.path == str(defaults)
    assert place(found) == (1, 18)


@requirement("CFG-14")
def test_the_tenant_is_inferred_from_the_folder_or_read_from_the_file(deployment: Deployment) -> None:
    flat = deployment.write("flat.yaml", JOB.replace("asset: orders\n", "tenant_id: beta\n"))
    assert load_job(flat, root=deployment.root).dag_id == "beta.flat"
    older = deployment.write("jobs/gamma/old.yaml", JOB.replace("asset: orders\n", ""))
    assert load_job(older, root=deployment.root).dag_id == "gamma.old"
    assert load_job(older).dag_id == "gamma.old"
    assert load_job(deployment.job()).dag_id == "acme.orders"
    missing = deployment.write("none.yaml", JOB.replace("asset: orders\n", ""))
    assert "'tenant_id' is missing" in refused(load_job, missing)[0].message


@pytest.mark.parametrize(
    ("text", "name", "said"),
    [
        (JOB, "Orders-2", "the file's name 'Orders-2' names the DAG"),
        (JOB + "tenant_id: Acme\n", "orders", "'Acme' is not an id"),
        (JOB + "tenant_id: globex\n", "orders", "the folder belongs to tenant 'acme'"),
        (JOB + "id: 'a b'\n", "orders", "'a b' is not an id"),
        (JOB + "schedule: {cron: '0 * * * *', interval: 5m}\n", "orders", "schedule has both cron and interval"),
        (JOB + "schedule: {interval: 5 parsecs}\n", "orders", "'5 parsecs' is not an interval"),
        (JOB + "schedule: {timezone: Mars/Base}\n", "orders", "'Mars/Base' is not a time zone"),
        (JOB + "retry_config: {max_retries: 1, max_attempts: 5}\n", "orders", "contradicts max_retries"),
        (JOB + "retry_config: {retryable_errors: ['(']}\n", "orders", "not a regular expression"),
        (JOB.replace("postgres", "postgress"), "orders", "'postgress' is no connector"),
        (JOB.replace("postgres", "iceberg"), "orders", "'iceberg' is no source"),
        (JOB + "target_connector: stripe\n", "orders", "'stripe' is no target"),
        (JOB.replace("source_connector: postgres\n", ""), "orders", "'source_connector' is missing"),
        (JOB.replace("asset: orders", "asset: oders"), "orders", "there is no contract 'oders'"),
        (JOB.replace("asset: orders", "asset_path: x.yaml"), "orders", "there is no file 'x.yaml'"),
        (
            JOB.replace("asset: orders", "asset_path: order.odcs.yaml"),
            "orders",
            "there is no file 'order.odcs.yaml'. Did you mean 'orders.odcs.yaml'?",
        ),
        (JOB + "target: {mode: append}\n", "orders", "`write_mode:` says how rows are written"),
        (JOB + "transformations: [{name: x}]\n", "orders", "transformation 'x' has no expression"),
        (JOB + "transformations: [{name: x, expression: 1, data_type: inte}]\n", "orders", "'inte' is not a type"),
        (JOB + "source_conector: x\n", "orders", "'source_conector' is not a key here"),
        (JOB + "classification_overrides: {emial: PII}\n", "orders", "'emial' is not a column of the contract"),
        (
            JOB + "data_contract: {quality_checks: [{type: range, field: amout, min: 0}]}\n",
            "orders",
            "names column 'amout'",
        ),
        (JOB + "data_contract: {quality_checks: {sod: []}}\n", "orders", "'sod' is not an engine"),
        (JOB + "  dsn: postgresql://x\n  connection: {host: y}\n", "orders", "source has both dsn and connection.host"),
    ],
)
def test_one_mistake_is_one_sentence(deployment: Deployment, text: str, name: str, said: str) -> None:
    found = deployment.only_error(text, name)
    assert said in found.text
    assert found.remedy
    assert found.line >= 1


def test_all_mistakes_of_a_file_come_at_once(deployment: Deployment) -> None:
    path = deployment.job("""\
        tenant_id: acme
        source_conector: postgres
        source:
          tables: [{nme: x}]
          incremental: {strategy: updated}
        slices: many
        """)
    found = refused(load_job, path, root=deployment.root)
    assert [(each.line, each.column) for each in found] == [(2, 1), (4, 13), (5, 27), (6, 9)]
    assert [each.remedy.split("?")[0] for each in found] == [
        "Did you mean 'source_connector'", "Did you mean 'name'", "Did you mean 'updated_at'", "",
    ]  # fmt: skip


def test_the_nearest_word_is_offered(deployment: Deployment) -> None:
    assert deployment.only_error(JOB.replace("postgres", "postgress")).remedy == "Did you mean 'postgres'?"
    assert deployment.only_error(JOB.replace("asset: orders", "asset: oders")).remedy == "Did you mean 'orders'?"
    check = "data_contract: {quality_checks: [{type: range, field: amout, min: 0}]}\n"
    assert deployment.only_error(JOB + check).remedy == "Did you mean 'amount'?"


@requirement("CFG-02")
@pytest.mark.parametrize(
    "written",
    [
        "../contracts/orders.odcs.yaml", "contracts/orders.odcs.yaml", "orders.odcs.yaml", "shared/orders.odcs.yaml",
        "/app/shared/orders.odcs.yaml", "${ACME_FOLDER}/orders.odcs.yaml",
    ],
)  # fmt: skip
def test_a_contract_is_found_beside_job_tenant_and_root(deployment: Deployment, written: str) -> None:
    deployment.write("shared/orders.odcs.yaml", CONTRACT)
    text = JOB.replace("asset: orders", f"asset_path: {written}")
    job = deployment.load(text, variables={"ACME_FOLDER": "shared"})
    assert job.streams[0].contract.name == "orders"


def test_a_path_that_is_gone_falls_back_to_the_name(deployment: Deployment) -> None:
    job = deployment.load(JOB + "asset_path: /app/assets/gone.yaml\n")
    assert job.streams[0].contract.name == "orders"


def test_problems_of_the_contract_come_with_the_job(deployment: Deployment) -> None:
    path = deployment.write("tenants/acme/contracts/orders.odcs.yaml", CONTRACT.replace("integer", "integr"))
    found = deployment.only_error()
    assert found.path == str(path)
    assert "'logicalType' cannot be 'integr'" in found.message


@requirement("DQ-01")
def test_a_file_of_checks_joins_the_columns_it_refers_to(deployment: Deployment) -> None:
    deployment.write(
        "tenants/acme/contracts/checks.yaml",
        """\
        data_contract:
          name: checks
          version: "1"
          asset_ref: orders.odcs.yaml
          enforcement_mode: warn
          quality_checks: [{name: a, type: not_null, column: amount}]
          violation_handling: {on_schema_violation: warn}
        """,
    )
    text = JOB.replace("asset: orders\n", "data_contract: {contract_path: checks.yaml}\n")
    job = deployment.load(text)
    assert job.streams[0].contract.name == "orders"
    assert job.streams[0].contract.rules[-1].body["name"] == "a"
    assert (job.enforcement, job.schema_validation) == ("warn", "warn")


def test_a_contract_may_be_named_where_checks_are(deployment: Deployment) -> None:
    job = deployment.load(JOB.replace("asset: orders\n", "data_contract: {contract_path: orders.odcs.yaml}\n"))
    assert len(job.streams[0].contract.fields) == 5


def test_disabled_checks_are_not_rules(deployment: Deployment) -> None:
    job = deployment.load(JOB + "data_contract: {enabled: false, quality_checks: [{type: not_null, column: id}]}\n")
    assert job.enforcement == "disabled"
    assert all(rule.language != "inline" for rule in job.streams[0].contract.rules)


@requirement("ORC-07")
@pytest.mark.parametrize(
    ("config", "retries", "delay"),
    [
        ("{max_retries: 2}", 2, 5), ("{max_attempts: 3}", 2, 5), ("{max_retries: 3, max_attempts: 3}", 3, 5),
        ("{max_retries: 3, max_attempts: 4}", 3, 5), ("{retry_delay_seconds: 7}", 3, 7),
        ("{initial_delay_seconds: 0}", 3, 0),
    ],
)  # fmt: skip
def test_retries_and_attempts_mean_what_they_say(deployment: Deployment, config: str, retries: int, delay: int) -> None:
    retry = deployment.load(JOB + f"retry_config: {config}\n").retry
    assert (retry.max_retries, retry.initial_delay_seconds) == (retries, delay)


@requirement("CFG-15")
def test_databases_are_refused_in_cloud_mode(deployment: Deployment) -> None:
    assert "is not allowed in cloud mode" in deployment.only_error(JOB, mode="cloud").message
    assert deployment.load(CSV, mode="cloud").source.connector == "csv"


@requirement("ING-18")
def test_a_windowed_transformation_is_marked_and_warned_of(deployment: Deployment) -> None:
    text = JOB + (
        "transformations:\n"
        "  - {name: calculate_daily, expression: 'SUM(amount) OVER (PARTITION BY country)'}\n"
        "  - {name: over, expression: \"'over (' || country\"}\n"
        "  - {name: add_total_from_rows, expression: 'sum(amount)'}\n"
    )
    job = deployment.load(text)
    assert [(each.column, each.windowed) for each in job.transforms] == [
        ("daily", True),
        ("over", False),
        ("total", True),
    ]
    assert ["sees the rows of one run only" in each for each in job.warnings] == [True, True]
    assert job.transforms[0].declared_in.endswith("orders.yaml:6:5")


UNSUPPORTED = [
    (JOB.replace("postgres", "mongodb"), "connector 'mongodb' cannot be read"),
    (JOB + "target_connector: json\n", "connector 'json' cannot be written"),
    (JOB + "target: {file_format: delta}\n", "file_format 'delta'"),
    (JOB + "target: {storage_pattern: document_level}\n", "Markdown-KV storage"),
    (JOB + "target: {branch: acme, catalog: glue}\n", "publishing to a branch"),
    (JOB + "  incremental: {strategy: cdc}\n", "change data capture"),
    (JOB + "  custom_reader: plugins/x.py:Reader\n", "custom readers"),
    (JOB + "  reader: {type: plugin, plugin_path: a.b.C, config: {x: 1}}\n", "custom readers"),
    (JOB + "  reader: {type: custom, implementation: a.b.C}\n", "custom readers"),
    (JOB + "target: {custom_writer: x.py:W}\n", "custom writers"),
    (JOB + "target: {writer: {implementation: a.B}}\n", "custom writers"),
    (JOB + "transformations: [{name: x, type: python, function: a.b}]\n", "Python transformations"),
    (JOB + "features: [{name: x}]\n", "the `features` block"),
    (JOB + "feature_store: {enabled: true}\n", "the `feature_store` block"),
    (JOB + "ml_platforms: {mlflow: {}}\n", "the `ml_platforms` block"),
]


@pytest.mark.parametrize(("text", "said"), UNSUPPORTED)
def test_what_cannot_run_yet_validates_and_says_so(deployment: Deployment, text: str, said: str) -> None:
    job = deployment.load(text)
    assert said in job.unsupported[0]
    assert len(job.unsupported) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("catalog: {type: openmetadata}\n", "no data catalog is told"),
        ("compliance: {enabled: true}\n", "data-subject requests"),
        ("versioning: {enabled: true}\n", "training sets are not tagged"),
        ("column_mappings: [{a: b}]\n", "column lineage"),
        ("  engine: {type: meltano}\n", "engine 'meltano' is not used"),
    ],
)
def test_what_a_run_can_do_without_is_a_warning(deployment: Deployment, text: str, said: str) -> None:
    found = deployment.only_warning(JOB + text)
    assert said in found.message
    assert deployment.load(JOB + text).unsupported == ()


@requirement("PLG-03")
def test_a_plugin_needs_no_connector(deployment: Deployment) -> None:
    job = deployment.load(
        """\
        source:
          reader:
            type: plugin
            plugin_path: "examples.plugins.json_api_reader.JsonApiReader"
            config:
              api_url: "https://api.example.com/data"
        """,
        name="custom_api_sync",
    )
    assert job.unsupported == ("custom readers are not executed by this version",)
    assert job.streams[0].name == "custom_api_sync"


def test_an_invalid_job_travels_between_processes(deployment: Deployment) -> None:
    import pickle

    from dativo_provider.config import InvalidConfig

    with pytest.raises(InvalidConfig) as caught:
        load_job(deployment.job(edited(JOB, {"postgres": "postgress"})))
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.problems == caught.value.problems
    assert str(again) == str(caught.value)
    assert again.to_dict()["details"]["problems"][0]["line"] == 1


@requirement("SEC-05")
@pytest.mark.parametrize(
    ("source", "refused"),
    [
        ("  connection: {host: db, password: hunter2}\n", True),
        ("  dsn: postgresql://me:hunter2@db/shop\n", True),
        ("  connection: {host: db, password: '${SECRET:DB}'}\n", False),
        ("  dsn: postgresql://me@db/shop\n", False),
    ],
)
def test_a_secret_in_the_file_itself_is_refused_without_showing_it(
    deployment: Deployment, source: str, refused: bool
) -> None:
    """Plans are kept beside the tables: what they hold of a job must be references."""
    found = [each for each in deployment.problems(JOB + source) if "secret stands" in each.message]
    assert [each.severity for each in found] == ["error"] * refused
    assert "hunter2" not in str([each.text for each in found])


@requirement("DQ-02")
def test_promises_of_a_block_and_of_freshness_checks_are_the_jobs(deployment: Deployment) -> None:
    job = deployment.load(
        JOB
        + """\
data_contract:
  quality_checks: [{name: fresh, type: freshness, column: updated_at, max_age_hours: 6}]
  sla: {freshness: {max_age_hours: 8}, completeness: {min_records_per_day: 10}, availability: {uptime_percentage: 99}}
"""
    )
    assert job.sla == SlaSpec(6, 10, 99)
    assert job.warnings == ()
