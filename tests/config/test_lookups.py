"""`lookups:` of a job: read, or refused at their place."""

from __future__ import annotations

from pathlib import Path

import pytest

from dativo_provider.cli.checking import problems_of
from dativo_provider.model.lookup import LookupSpec
from tests.config.support import JOB, Deployment
from tests.support import requirement

READS = """\
transformations:
  - {name: land, expression: "lands.name"}
"""


@requirement("ING-16")
def test_tables_and_files_are_read_with_their_keys(deployment: Deployment) -> None:
    job = deployment.load(
        JOB
        + """\
lookups:
  lands: {table: shared.lands, key: {code: country}}
  rates: {path: dims/rates.csv, key: [country, updated_at], types: {updated_at: timestamptz, rate: "decimal(6,2)"}}
  own: {table: mine, key: country}
transformations:
  - {name: land, expression: "lands.name || rates.rate || own.x"}
"""
    )
    assert job.lookups == (
        LookupSpec("lands", {"code": "country"}, table="shared.lands"),
        LookupSpec(
            "rates", {"country": "country", "updated_at": "updated_at"}, path="dims/rates.csv",
            types={"updated_at": "timestamptz", "rate": "decimal(6,2)"},
        ),
        LookupSpec("own", {"country": "country"}, table="mine"),
    )  # fmt: skip
    assert job.lookups[1].declared_in.endswith("jobs/orders.yaml:7:3")


WRONG = [
    ("{key: country}", "lookup 'lands' needs a `table` or a `path`", 6),
    ("{table: lands, path: lands.csv, key: country}", "needs a `table` or a `path`", 6),
    ("{table: lands}", "lookup 'lands' has no key", 6),
    ("{table: a.b.c, key: country}", "'a.b.c' is no table", 6),
    ("{path: ../../globex/data/lands.csv, key: country}", "lies outside the folders of tenant 'acme'", 6),
    ("{path: /etc/passwd.csv, key: country}", "lies outside the folders of tenant 'acme'", 6),
    ("{path: 's3://bucket/lands.csv', key: country}", "is no file below the tenant's folders", 6),
    ("{path: lands.txt, key: country}", "is no CSV or Parquet file", 6),
    ("{table: lands, key: {code: contry}}", "lookup 'lands' is found by 'contry', which is no column of the row", 6),
    ("{table: lands, key: country, types: {code: string}}", "only a CSV file's columns need types", 6),
    ("{path: lands.csv, key: country, types: {code: strong}}", "'strong' is not a type of a CSV column", 6),
]


@requirement("ING-16")
@pytest.mark.parametrize(("written", "said", "line"), WRONG, ids=[said[:40] for _, said, _ in WRONG])
def test_what_cannot_be_looked_up_is_refused_where_it_stands(
    deployment: Deployment, written: str, said: str, line: int
) -> None:
    problem = deployment.only_error(JOB + f"lookups:\n  lands: {written}\n" + READS)
    assert said in problem.message
    assert problem.line == line
    assert problem.remedy


def test_a_lookup_is_not_called_like_a_column_and_is_read_by_something(deployment: Deployment) -> None:
    lookups = "lookups:\n  country: {table: lands, key: country}\n"
    assert "'country' is a column of the row" in deployment.only_error(JOB + lookups + READS).message
    unread = JOB + "lookups:\n  lands: {table: lands, key: country}\n"
    assert "no transformation reads lookup 'lands'" in deployment.only_warning(unread).message


def test_a_target_without_a_catalog_looks_up_in_files_only(deployment: Deployment) -> None:
    job = JOB + "target_connector: parquet\nlookups:\n  lands: {table: lands, key: country}\n" + READS
    assert "has no catalog to look tables up in" in deployment.only_error(job).message


@requirement("ING-16")
@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("lands.nam", "lookup 'lands' has no column 'nam' (has: code, name)"),
        ("lands.name + 1", "transformation 'land'"),
        ("lands", "'lands' is a lookup, not a value"),
        ("id + lands.code", "transformation 'land'"),
    ],
)
def test_validate_reads_the_header_of_a_file(deployment: Deployment, expression: str, said: str) -> None:
    lands = deployment.write("tenants/acme/dims/lands.csv", "code,name\nde,Germany\n")
    job = JOB + "lookups:\n  lands: {path: dims/lands.csv, key: {code: country}}\n" + READS
    path = deployment.job(job.replace("lands.name", expression))
    assert lands.is_file()
    assert said in " ".join(errors(path))
    assert errors(deployment.job(job)) == []


def test_validate_knows_what_is_no_expression_although_it_cannot_see_the_table(deployment: Deployment) -> None:
    job = JOB + "lookups:\n  lands: {table: lands, key: {code: country}}\n" + READS
    assert errors(deployment.job(job)) == []
    (said,) = errors(deployment.job(job.replace("lands.name", "lands.name ||")))
    assert "ends too early" in said


def errors(path: Path) -> list[str]:
    return [f"{found.message} {found.remedy}" for found in problems_of([path]) if found.severity == "error"]
