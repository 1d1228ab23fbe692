"""Counts by hand what a run over the example orders must come to, from the files and the contract's words alone.

    python include/count_orders.py           # writes include/data/orders.expected.json

Plain Python on purpose: no pyarrow, no DuckDB, no Dativo. The end-to-end test compares the pipeline with this.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

COLUMNS = 12
STATUSES = {"placed", "paid", "shipped", "delivered", "returned", "cancelled"}
CURRENCIES = {"EUR", "GBP", "USD", "CHF", "INR", "JPY"}
EMAIL = re.compile(r"[a-z0-9._%+-]+@[a-z0-9.-]+\.[a-z]{2,}")
MONEY = re.compile(r"-?\d{1,10}(\.\d{1,2})?")
WHOLE = re.compile(r"-?\d+")


def is_long(text: str, low: int = -(2**63), high: int = 2**63 - 1) -> bool:
    return bool(WHOLE.fullmatch(text)) and low <= int(text) <= high


def is_moment(text: str) -> bool:
    try:
        return bool(datetime.fromisoformat(text))
    except ValueError:
        return False


def is_amount(text: str) -> bool:
    return bool(MONEY.fullmatch(text)) and 0 <= Decimal(text) <= 100_000


# column → whether its text is good; every column but coupon and comment is required
GOOD = {
    "order_id": is_long,
    "customer_id": lambda text: is_long(text, low=1),
    "customer_email": lambda text: bool(EMAIL.fullmatch(text)),
    "status": STATUSES.__contains__,
    "currency": CURRENCIES.__contains__,
    "amount": is_amount,
    "quantity": lambda text: is_long(text, low=1, high=999),
    "ordered_at": is_moment,
    "updated_at": is_moment,
    "country": lambda text: bool(re.fullmatch("[A-Z]{2}", text)),
    "coupon": lambda text: not text or 4 <= len(text) <= 12,
    "comment": lambda text: len(text) <= 500,
}


@dataclass
class Count:
    """One run's books, what was wrong per column, and sums over the accepted rows."""

    extracted: int = 0
    accepted: int = 0
    quarantined: int = 0
    rejected: int = 0
    duplicates: int = 0
    wrong: Counter[str] = field(default_factory=Counter)
    amount: Decimal = Decimal(0)
    quantity: int = 0
    months: Counter[str] = field(default_factory=Counter)
    countries: Counter[str] = field(default_factory=Counter)
    smallest_id: int = 2**63
    largest_id: int = 0

    def take(self, cells: list[str], names: list[str], seen: set[tuple[str, str]]) -> None:
        self.extracted += 1
        if len(cells) != COLUMNS:
            self.rejected += 1
            return
        row = dict(zip(names, cells, strict=True))
        wrong = [name for name, good in GOOD.items() if not good(row[name])]
        key = (row["order_id"], row["updated_at"])
        if wrong:
            self.quarantined += 1
            self.wrong.update(wrong)
        elif key in seen:
            self.duplicates += 1
        else:
            seen.add(key)
            self.accept(row)

    def accept(self, row: dict[str, str]) -> None:
        self.accepted += 1
        self.amount += Decimal(row["amount"])
        self.quantity += int(row["quantity"])
        self.months[datetime.fromisoformat(row["ordered_at"]).astimezone(UTC).strftime("%Y-%m")] += 1
        self.countries[row["country"]] += 1
        self.smallest_id = min(self.smallest_id, int(row["order_id"]))
        self.largest_id = max(self.largest_id, int(row["order_id"]))

    def summary(self) -> dict[str, Any]:
        facts = {name: dict(sorted(v.items())) if isinstance(v, Counter) else v for name, v in vars(self).items()}
        return facts | {"amount": str(self.amount)}


def records(path: Path) -> Iterator[list[str]]:
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    yield from csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""))


def count(folder: Path, seen: set[tuple[str, str]]) -> Count:
    """The run that finds the files of `folder` new; `seen` are the keys published before, and grows."""
    books = Count()
    for path in sorted(folder.glob("*.csv*")):
        rows = records(path)
        names = next(rows)
        for cells in rows:
            books.take(cells, names, seen)
    return books


def expected(data: Path) -> dict[str, Any]:
    seen: set[tuple[str, str]] = set()
    return {name: count(data / name, seen).summary() for name in ("orders", "orders_late")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(__file__).parent / "data")
    data: Path = parser.parse_args().data
    (data / "orders.expected.json").write_text(json.dumps(expected(data), indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
