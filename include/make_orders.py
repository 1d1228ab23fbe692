"""Makes the example data: orders of a web shop, as dirty as real exports are, the same bytes for the same seed.

    python include/make_orders.py            # writes include/data/orders, orders_late, customers

Nobody in the data exists: people are an adjective, an animal and a number at example.com or example.org.
What is wrong with the rows on purpose is the table `FAULTS` and the functions under it; every fault is counted
while it is planted (`planted.json`), and `include/count_orders.py` counts them again from the files alone.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

COLUMNS = (
    "order_id", "customer_id", "customer_email", "status", "currency", "amount", "quantity",
    "ordered_at", "updated_at", "country", "coupon", "comment",
)  # fmt: skip
Row = dict[str, str]

FIRST_ID = 7_305_843_009_213_693_953  # far above 2**53: a reader that goes through a double changes these ids
CUSTOMERS = 18_000
BATCH_UPDATE = 400  # so many neighbouring orders are touched by one nightly job and share `updated_at`

ADJECTIVES = "amber brave calm dapper eager fuzzy gentle happy idle jolly keen lucky merry noble proud quick".split()
ANIMALS = "otter heron badger lynx marten osprey puffin quail raven seal tapir urchin vole walrus yak zebra".split()
STATUSES = ("placed", "paid", "shipped", "delivered", "delivered", "delivered", "returned", "cancelled")
COUPONS = ("SPRING10", "WELCOME5", "FREESHIP", "VIP2026", "SOMMER15")
# country, currency, offsets from UTC in minutes as its shop front writes them, form of the timestamp
SHOPS = (
    ("DE", "EUR", (120,), "iso"), ("DE", "EUR", (120,), "iso"), ("FR", "EUR", (120,), "iso"),
    ("GB", "GBP", (0,), "zulu"), ("US", "USD", (-240, -420), "space"), ("CH", "CHF", (120,), "micro"),
    ("IN", "INR", (330,), "iso"), ("JP", "JPY", (540,), "micro"), ("BR", "USD", (-180,), "space"),
)  # fmt: skip
COMMENTS = (
    "please leave at the door",
    'gift: "happy birthday, little one"',
    "Bitte klingeln, Hinterhaus, 2. Stock – Müller & Söhne KG",
    "ring twice,\nthen wait",
    "fragile 🏺, handle with care",
    "livrer après 18 h, s'il vous plaît",
    "午前中に届けてください",
    'size "L", colour "sea, green"',
    "first line\n\nthird line, after an empty one",
    "= not a formula; 100 % text | 'quoted'",
)


def words(customer: int) -> str:
    return f"{ADJECTIVES[customer % 16]}.{ANIMALS[customer // 16 % 16]}.{customer}"


def email(customer: int) -> str:
    return f"{words(customer)}@example.{'org' if customer % 3 else 'com'}"


def moment(at: datetime, offset: int, form: str) -> str:
    """The instant `at` as a shop in that zone writes it."""
    if form == "zulu":
        return at.strftime("%Y-%m-%dT%H:%M:%SZ")
    local = at.astimezone(timezone(timedelta(minutes=offset)))
    return local.isoformat(
        sep=" " if form == "space" else "T", timespec="microseconds" if form == "micro" else "seconds"
    )


# ── What goes wrong ──────────────────────────────────────────────────────────────────────────────────────────
# name → share of rows, what it does to the row. All but the ragged ones end in quarantine.
FAULTS: dict[str, tuple[float, Callable[[Row], Row]]] = {
    "amount_text": (0.0010, lambda row: row | {"amount": "N/A"}),
    "amount_comma": (0.0010, lambda row: row | {"amount": row["amount"].replace(".", ",")}),
    "amount_negative": (0.0015, lambda row: row | {"amount": "-" + row["amount"]}),
    "amount_null": (0.0006, lambda row: row | {"amount": ""}),
    "quantity_zero": (0.0005, lambda row: row | {"quantity": "0"}),
    "quantity_text": (0.0002, lambda row: row | {"quantity": "two"}),
    "status_unknown": (0.0010, lambda row: row | {"status": "teleported"}),
    "status_null": (0.0002, lambda row: row | {"status": ""}),
    "email_malformed": (0.0015, lambda row: row | {"customer_email": row["customer_email"].replace("@", " at ")}),
    "email_null": (0.0004, lambda row: row | {"customer_email": ""}),
    "country_name": (0.0005, lambda row: row | {"country": "Germany"}),
    "currency_unknown": (0.0003, lambda row: row | {"currency": "DOGE"}),
    "ordered_at_impossible": (0.0004, lambda row: row | {"ordered_at": "2026-02-31T10:00:00Z"}),
    "ordered_at_text": (0.0002, lambda row: row | {"ordered_at": "yesterday"}),
    "updated_at_null": (0.0002, lambda row: row | {"updated_at": ""}),
    "order_id_null": (0.0002, lambda row: row | {"order_id": ""}),
    "order_id_too_big": (0.0001, lambda row: row | {"order_id": "99999999999999999999"}),
    "comment_too_long": (0.0002, lambda row: row | {"comment": "very " * 120 + "long"}),
    "two_faults": (0.0003, lambda row: row | {"amount": "N/A", "status": "teleported"}),
    "too_few_columns": (0.0003, lambda row: {name: row[name] for name in COLUMNS[:7]}),
    "too_many_columns": (0.0003, lambda row: row | {"comment": "broken", "surplus": "by", "more": "commas"}),
}
RAGGED = ("too_few_columns", "too_many_columns")


@dataclass
class Shop:
    """Writes orders one after another; remembers what it planted and some good rows to deliver again."""

    rng: random.Random
    next_id: int = FIRST_ID
    rows: int = 0
    planted: Counter[str] = field(default_factory=Counter)
    good: list[Row] = field(default_factory=list)
    touched: datetime = datetime(2026, 4, 1, tzinfo=UTC)

    def pick(self, choices: tuple[object, ...] | list[Row]) -> object:
        return choices[int(self.rng.random() * len(choices))]

    def order(self, at: datetime) -> Row:
        country, currency, offsets, form = self.pick(SHOPS)  # type: ignore[misc]
        customer, offset = 1 + int(self.rng.random() ** 2 * CUSTOMERS), self.pick(offsets)
        self.next_id += 1 + int(self.rng.random() * 6)
        return {
            "order_id": str(self.next_id),
            "customer_id": str(customer),
            "customer_email": email(customer),
            "status": str(self.pick(STATUSES)),
            "currency": currency,
            "amount": f"{1 + self.rng.random() ** 3 * 900:.2f}",
            "quantity": str(1 + int(self.rng.random() ** 3 * 9)),
            "ordered_at": moment(at, offset, form),  # type: ignore[arg-type]
            "updated_at": moment(self.touched, offset, form),  # type: ignore[arg-type]
            "country": country,
            "coupon": str(self.pick(COUPONS)) if self.rng.random() < 0.08 else "",
            "comment": str(self.pick(COMMENTS)) if self.rng.random() < 0.12 else "",
        }

    def spoil(self, row: Row) -> Row:
        """The row, or the row with one fault; each fault is as frequent as `FAULTS` says."""
        dice = self.rng.random()
        for name, (share, fault) in FAULTS.items():
            if dice < share:
                self.planted[name] += 1
                return fault(row)
            dice -= share
        if self.rng.random() < 0.002:
            self.good.append(row)
        return row

    def orders(self, count: int, start: datetime, seconds: float) -> Iterator[Row]:
        """`count` orders spread over `seconds`, each touched by the nightly job of its batch."""
        for n in range(count):
            at = start + timedelta(seconds=int(seconds * n / count), microseconds=int(self.rng.random() * 1e6))
            if self.rows % BATCH_UPDATE == 0:
                self.touched = (at + timedelta(days=2)).replace(hour=2, minute=0, second=0, microsecond=0)
            self.rows += 1
            yield self.spoil(self.order(at))

    def again(self, count: int) -> Iterator[Row]:
        """Good rows delivered before, unchanged: same key, same `updated_at`."""
        self.rng.shuffle(self.good)
        self.planted["delivered_again"] += min(count, len(self.good))
        yield from self.good[:count]


def text(rows: Iterator[Row], newline: str) -> str:
    """CSV as most tools write it: quotes only where needed, NULL as nothing at all."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator=newline)
    writer.writerow(COLUMNS)
    writer.writerows(row.values() for row in rows)
    return out.getvalue()


def save(path: Path, rows: Iterator[Row], *, bom: bool = False, newline: str = "\n") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = text(rows, newline).encode("utf-8-sig" if bom else "utf-8")
    if path.suffix == ".gz":
        buffer = io.BytesIO()  # no file name and no time in the header: the same bytes each time
        with gzip.GzipFile(filename="", fileobj=buffer, mode="wb", compresslevel=9, mtime=0) as packed:
            packed.write(data)
        data = buffer.getvalue()
    path.write_bytes(data)


def month(number: int) -> datetime:
    return datetime(2026, number, 1, 0, 0, 5, tzinfo=UTC)


def chain(*parts: Iterator[Row]) -> Iterator[Row]:
    for part in parts:
        yield from part


def make_orders(folder: Path, seed: int) -> dict[str, Counter[str]]:
    """First delivery and the late one; what was planted in each."""
    shop, days = Shop(random.Random(seed)), 86_400.0
    first = folder / "orders"
    for number, count in ((4, 41_000), (5, 42_000), (6, 43_000), (7, 42_000), (8, 37_000)):
        save(first / f"orders_2026-{number:02}.csv.gz", shop.orders(count, month(number), 29.9 * days))
    save(first / "orders_2026-09a.csv", shop.orders(4_000, month(9), 2.9 * days), bom=True, newline="\r\n")
    save(
        first / "orders_2026-09b.csv", chain(shop.orders(3_100, month(9) + timedelta(days=3), 2 * days), shop.again(40))
    )
    planted, shop.planted = shop.planted, Counter()
    # The late file goes on at the very timestamp where the first delivery stopped: a boundary shared by both.
    late = chain(shop.orders(5_000, month(9) + timedelta(days=5), 3 * days), shop.again(25))
    save(folder / "orders_late" / "orders_2026-09c.csv", late)
    return {"orders": planted, "orders_late": shop.planted}


def make_customers(folder: Path, seed: int) -> None:
    """A small master table without faults: one row per customer of the first thousand."""
    rng = random.Random(seed)
    path = folder / "customers" / "customers.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(("customer_id", "display_name", "email", "country", "joined_on", "newsletter"))
        for customer in range(1, 1001):
            joined = datetime(2021, 1, 1) + timedelta(days=int(rng.random() * 1900))
            name = words(customer).replace(".", " ").title()
            country = SHOPS[int(rng.random() * len(SHOPS))][0]
            writer.writerow((customer, name, email(customer), country, joined.date(), str(rng.random() < 0.4).lower()))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--to", type=Path, default=Path(__file__).parent / "data", help="folder to write below")
    args = parser.parse_args()
    planted = make_orders(args.to, args.seed)
    make_customers(args.to, args.seed)
    summary = {name: dict(sorted(counts.items())) for name, counts in planted.items()}
    (args.to / "planted.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
