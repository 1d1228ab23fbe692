"""The shipped example data is what its generator makes, and two independent counts of its faults agree."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from include import count_orders, make_orders

DATA = Path(make_orders.__file__).parent / "data"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    planted = make_orders.make_orders(folder, seed=2026)
    make_orders.make_customers(folder, seed=2026)
    (folder / "planted.json").write_text(json.dumps(planted))
    return folder


def content(path: Path) -> bytes:
    return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): content(p) for p in sorted(folder.rglob("*.csv*"))}


def test_the_shipped_files_are_what_the_generator_makes(made: Path) -> None:
    assert files(made) == files(DATA)


def test_the_expected_counts_are_those_of_the_shipped_files() -> None:
    assert count_orders.expected(DATA) == json.loads((DATA / "orders.expected.json").read_text())


def test_what_was_planted_is_what_is_counted(made: Path) -> None:
    planted = json.loads((made / "planted.json").read_text())
    expected = json.loads((DATA / "orders.expected.json").read_text())
    assert json.loads((DATA / "planted.json").read_text()) == planted
    for name, faults in planted.items():
        counts = expected[name]
        ragged = sum(faults.get(fault, 0) for fault in make_orders.RAGGED)
        assert counts["rejected"] == ragged
        assert counts["duplicates"] == faults["delivered_again"]
        assert counts["quarantined"] == sum(faults.values()) - ragged - faults["delivered_again"]


def test_the_books_of_the_example_balance() -> None:
    for counts in json.loads((DATA / "orders.expected.json").read_text()).values():
        ended = ("accepted", "quarantined", "rejected", "duplicates")
        assert counts["extracted"] == sum(counts[name] for name in ended)
    assert json.loads((DATA / "orders.expected.json").read_text())["orders"]["extracted"] > 200_000


def test_the_data_is_as_dirty_as_promised() -> None:
    shipped = files(DATA)
    every = b"".join(shipped.values()).decode()
    assert any(data.startswith(b"\xef\xbb\xbf") for data in shipped.values())
    assert any(b"\r\n" in data for data in shipped.values())
    assert "🏺" in every
    assert "Müller" in every
    assert '"gift: ""happy birthday, little one"""' in every
    assert "ring twice,\nthen wait" in every
    assert all(offset in every for offset in ("+02:00", "+05:30", "-07:00", "+09:00"))
    assert make_orders.FIRST_ID > 2**53


def test_many_rows_share_the_timestamp_at_which_the_late_file_begins() -> None:
    def instants(name: str) -> list[str]:
        rows = list(count_orders.records(DATA / name))
        at = rows[0].index("updated_at")
        return [row[at] for row in rows[1:] if len(row) == len(rows[0]) and row[at].endswith("Z")]

    before, after = instants("orders/orders_2026-09b.csv"), instants("orders_late/orders_2026-09c.csv")
    assert len(set(before) & set(after)) >= 1
    assert after.count(after[0]) > 10


def test_addresses_are_of_nobody() -> None:
    for cells in count_orders.records(DATA / "customers" / "customers.csv"):
        assert cells[2] == "email" or cells[2].endswith(("@example.com", "@example.org"))
