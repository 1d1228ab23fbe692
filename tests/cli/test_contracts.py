from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from dativo_provider.cli.contracts import contract_of, table_name, write_contracts
from dativo_provider.cli.main import main
from dativo_provider.errors import ConfigurationError
from dativo_provider.model.stream import Field, Stream

STREAM = Stream(
    "public.Order Items",
    (
        Field("id", "long", required=True),
        Field("note", "string", description="what the customer wrote", classification="PII"),
        Field("price", "decimal(12,2)"),
        Field("at", "timestamptz"),
        Field("local_at", "timestamp"),
        Field("tags", "list<string>"),
        Field("box", "struct<w:int,h:int>"),
        Field("raw", "binary"),
    ),
    ("id",),
    "Lines of orders",
)


@pytest.mark.parametrize(
    ("name", "table"),
    [("public.orders", "orders"), ("Order Items", "order_items"), ("in/x-2026.csv.gz", "x_2026"), ("…", "table")],
)
def test_tables_get_names_every_engine_takes(name: str, table: str) -> None:
    assert table_name(name) == table


def test_a_written_contract_says_what_the_source_says(tmp_path: Path) -> None:
    [path] = write_contracts([STREAM], tmp_path, tenant="acme")
    made = yaml.safe_load(path.read_text())
    assert path.name == "order_items.odcs.yaml"
    assert made["tenant"] == "acme"
    by_name = {each["name"]: each for each in made["schema"][0]["properties"]}
    assert by_name["id"] == {
        "name": "id", "logicalType": "integer", "physicalType": "long", "primaryKey": True, "primaryKeyPosition": 1,
        "required": True,
    }  # fmt: skip
    assert by_name["price"]["physicalType"] == "decimal(12,2)"
    assert by_name["local_at"]["logicalTypeOptions"] == {"timezone": False}
    assert by_name["note"]["classification"] == "PII"


def test_a_written_contract_validates_and_means_the_same_types(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    [path] = write_contracts([STREAM], tmp_path)
    assert main(["validate", str(path)]) == 0, capsys.readouterr().out


def test_ids_are_stable() -> None:
    assert contract_of(STREAM)["id"] == contract_of(STREAM)["id"] != contract_of(STREAM, "acme")["id"]


def test_nothing_is_written_over(tmp_path: Path) -> None:
    write_contracts([STREAM], tmp_path)
    with pytest.raises(ConfigurationError, match="is there already"):
        write_contracts([STREAM], tmp_path)


def test_several_objects_need_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="do not fit into the one file"):
        write_contracts([STREAM, STREAM], tmp_path / "all.yaml")
    assert write_contracts([STREAM], tmp_path / "one.yaml") == [tmp_path / "one.yaml"]
