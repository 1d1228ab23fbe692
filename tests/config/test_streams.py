from __future__ import annotations

import pytest

from tests.config.support import CONTRACT, JOB, Deployment, place
from tests.support import requirement

TWO = CONTRACT.replace(
    "schema:\n",
    "schema:\n  - name: Line-Items\n    physicalName: order_lines\n    properties:\n"
    "      - {name: id, logicalType: integer, primaryKey: true}\n",
)
POSTGRES = "source_connector: postgres\n"
CSV = "source_connector: csv\n"


def test_a_contract_with_several_tables_gives_each_stream_its_own(deployment: Deployment) -> None:
    deployment.write("tenants/acme/contracts/orders.odcs.yaml", TWO)
    job = deployment.load(POSTGRES + "asset: orders\nsource: {tables: [public.orders, public.order_lines]}\n")
    orders, lines = job.streams
    assert (orders.name, orders.table, len(orders.contract.fields)) == ("orders", "orders", 5)
    assert (lines.name, lines.table, len(lines.contract.fields)) == ("order_lines", "order_lines", 1)


def test_with_one_stream_the_table_is_called_as_the_contract_says(deployment: Deployment) -> None:
    deployment.write("tenants/acme/contracts/orders.odcs.yaml", TWO)
    job = deployment.load(POSTGRES + "asset: orders\nsource: {tables: [public.order_lines]}\n")
    assert job.streams[0].table == "line_items"


def test_an_older_asset_serves_every_stream(deployment: Deployment) -> None:
    deployment.write(
        "assets/My Orders.yaml", "asset: {name: My Orders, schema: [{name: id, type: bigint}], team: {owner: a}}\n"
    )
    one = deployment.load(POSTGRES + "asset_path: assets/My Orders.yaml\nsource: {tables: [a]}\n")
    assert one.streams[0].table == "my_orders"
    two = deployment.load(POSTGRES + "asset_path: assets/My Orders.yaml\nsource: {tables: [a, b]}\n")
    assert [each.table for each in two.streams] == ["a", "b"]
    assert all(each.contract.fields for each in two.streams)


def test_a_stream_may_have_a_contract_of_its_own(deployment: Deployment) -> None:
    job = deployment.load(POSTGRES + "source:\n  tables:\n    - {name: a, asset: orders}\n    - {name: b}\n")
    assert [len(each.contract.fields) for each in job.streams] == [5, 0]


def test_a_stream_the_contract_does_not_know_is_an_error(deployment: Deployment) -> None:
    deployment.write("tenants/acme/contracts/orders.odcs.yaml", TWO)
    found = deployment.only_error(POSTGRES + "asset: orders\nsource: {tables: [public.orders, public.oder_lines]}\n")
    assert "has no table for stream 'oder_lines' (it has: Line-Items, orders)" in found.message
    assert place(found) == (3, 34)


@requirement("CFG-10")
def test_every_list_of_a_source_makes_streams(deployment: Deployment) -> None:
    objects = deployment.load("source_connector: stripe\nsource: {objects: [customers, charges]}\n")
    assert [(each.name, each.object) for each in objects.streams] == [
        ("customers", "customers"),
        ("charges", "charges"),
    ]
    sheets = deployment.load(
        "source_connector: google_sheets\nsource: {sheets: [{spreadsheet_id: abc, sheet_id: 0, object: vendors}]}\n"
    )
    assert sheets.streams[0].object == "abc"
    assert sheets.streams[0].options == {"sheet_id": "0"}
    drive = deployment.load("source_connector: gdrive_csv\nsource: {files: [{file_id: 1aB, object: deals}]}\n")
    assert (drive.streams[0].name, drive.streams[0].object) == ("deals", "1aB")


@pytest.mark.parametrize("key", ["path", "file", "file_path"])
def test_a_file_is_named_by_any_of_three_words(deployment: Deployment, key: str) -> None:
    job = deployment.load(CSV + f"source: {{files: [{{{key}: in/a.csv, object: a, id: stable}}]}}\n")
    assert job.streams[0].object == "in/a.csv"
    assert job.streams[0].options == {"id": "stable"}


def test_files_of_one_object_are_one_stream(deployment: Deployment) -> None:
    job = deployment.load(
        CSV + "source: {files: [{path: a.csv, object: x}, {path: b.csv, object: x}, {path: in/c_*.csv.gz}]}\n"
    )
    assert [(each.name, each.object) for each in job.streams] == [("x", "a.csv,b.csv"), ("c", "in/c_*.csv.gz")]


def test_a_single_file_or_table_or_query_is_one_stream(deployment: Deployment) -> None:
    assert deployment.load(CSV + "source: {path: in}\n").streams[0].name == "orders"
    assert deployment.load(CSV + "source: {files: [in/*.csv]}\n").streams[0].name == "in"
    table = deployment.load(POSTGRES + "source: {table: public.Users, columns: [id], where: x > 1}\n").streams[0]
    assert (table.name, table.object, table.table, table.where) == ("Users", "public.Users", "users", "x > 1")
    query = deployment.load(POSTGRES + "source: {query: select 1, object: ones, key: [a, b]}\n").streams[0]
    assert (query.name, query.query, query.key) == ("ones", "select 1", ("a", "b"))


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{tables: [a], objects: [b]}", "source has both tables and objects"),
        ("{table: a, query: select 1}", "source has both table and query"),
        ("{tables: [{name: a, query: select 1, object: x}]}", "a table has both name and query"),
        ("{tables: [{object: a}]}", "a table has neither name nor query"),
        ("{tables: [{query: select 1}]}", "a query needs a name"),
        ("{tables: [{query: select 1, object: a, where: x}]}", "where beside query"),
        ("{query: select 1, columns: [a]}", "columns beside query"),
        ("{files: [a.csv]}", "postgres reads `query` or `table` or `tables`, not files"),
        ("{}", "source names nothing to read"),
        ("{tables: [a.x, b.x]}", "two streams are called 'x'"),
        ("{tables: [{name: a, object: X}, {name: b, object: x}]}", "streams 'X' and 'x' end in one table, 'x'"),
        ("{tables: 5}", "'tables' must be a list"),
    ],
)
def test_a_source_that_is_ambiguous_is_refused(deployment: Deployment, source: str, said: str) -> None:
    assert said in deployment.only_error(POSTGRES + f"source: {source}\n").message


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{files: [{path: a, file: b}]}", "a file has path and file"),
        ("{files: [{object: a}]}", "a file has no path"),
        ("{files: [{path: '${ACME_DIR}/a.csv'}]}", "references are not replaced in paths"),
        ("{files: [{path: '${OTHER_DIR}/a.csv'}]}", "references are not replaced in paths"),
        ("{tables: [a]}", "csv reads `files` or `path`, not tables"),
    ],
)
def test_files_that_are_ambiguous_are_refused(deployment: Deployment, source: str, said: str) -> None:
    assert said in deployment.only_error(CSV + f"source: {source}\n").message


@pytest.mark.parametrize(
    ("extra", "said", "where"),
    [
        ("  key: [idd]\n", "key 'idd' is not a column of the contract", (5, 9)),
        ("  incremental: {strategy: updated_at, cursor_field: updated}\n", "cursor_field 'updated'", (5, 53)),
        ("target: {partitioning: [county]}\n", "partition column 'county'", (5, 25)),
        ("  columns: [email]\n", "the contract requires id, which is not read", (5, 3)),
    ],
)
def test_columns_that_do_not_exist_are_found_wherever_they_are_named(
    deployment: Deployment, extra: str, said: str, where: tuple[int, int]
) -> None:
    text = JOB.replace("  tables: [public.orders]\n", "  table: public.orders\n") + extra
    found = deployment.only_error(text)
    assert said in found.message
    assert "id, email, amount" in found.message or "requires" in found.message
    assert place(found) == where


def test_columns_that_transformations_make_are_known(deployment: Deployment) -> None:
    deployment.load(
        JOB + "transformations: [{name: year, expression: 'year(updated_at)'}]\ntarget: {partitioning: [year]}\n"
        "data_contract: {quality_checks: [{type: range, field: year, min: 2000}]}\n"
    )


def test_columns_that_are_read_but_not_in_the_contract_are_warned_of(deployment: Deployment) -> None:
    found = deployment.only_warning(JOB.replace("tables: [public.orders]", "{table: o, columns: [id, emial]}").replace(
        "source:\n  {table: o, columns: [id, emial]}", "source: {table: o, columns: [id, emial]}"))  # fmt: skip
    assert found.message == "'emial' is not in the contract and is dropped"
    assert found.remedy == "Did you mean 'email'?"


def test_a_job_has_a_bounded_number_of_streams(deployment: Deployment) -> None:
    many = ", ".join(f"t{number}" for number in range(201))
    found = deployment.only_error(POSTGRES + f"source: {{tables: [{many}]}}\n")
    assert found.message == "201 streams are too many for one job"
