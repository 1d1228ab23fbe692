"""Stripe's lists and events, by its own rules.

| rule | page |
| --- | --- |
| keys as bearer tokens; 401 without a good one; error bodies `{error: {type, code, message, param}}` | /api/errors |
| `limit` 1 to 100, default 10; newest first; `starting_after` exclusive, not with `ending_before` | /api/pagination |
| ids do not tell the order of objects of one second; an unknown one as `starting_after` is `resource_missing` | |
| parameters that the path does not have: 400 `parameter_unknown` | stripe/openapi spec3.json 2026-08-26.dahlia |
| `created` is filtered by whole seconds; `gt`, `lt` exclusive, `gte`, `lte` inclusive | /api/events/list |
| cancelled subscriptions need `status=all` | /api/subscriptions/list |
| prices without `active` are the active ones | /api/prices/list |
| events of 30 days, at most 20 `types[]`; `data.object` in the account's own version, as it was then | /api/events |
| 100 requests a second, 25 for each endpoint, all ids of `/x/{id}/y` together | /rate-limits |
| a restricted key without a right: 403 that names `rak_…_read` | /keys/restricted-api-keys |
| lists inside of records hold ten, with `has_more` | stripe-php #1400 |
| `/subscription_items` needs its `subscription` | /api/subscription_items/list |

Pages are below https://docs.stripe.com.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from typing import Any, ClassVar

from tests.connectors.vendors.clock import Clock
from tests.connectors.vendors.vendor import Answer, Asked, Quota, Row, Vendor, route

__all__ = ["Stripe"]

_PAGING = {"ending_before", "expand[]", "limit", "starting_after"}
_NESTED = 10  # entries of a list inside a record
_KEPT = timedelta(days=30)


@dataclass(frozen=True)
class Kind:
    """Objects of one list: the prefix of ids, the words of their events, the right to read them."""

    prefix: str
    object: str
    params: str  # beside `created` and paging
    right: str
    events: tuple[str, str, str] = ("created", "updated", "deleted")
    event: str = ""

    @property
    def allowed(self) -> set[str]:
        return _PAGING | set(self.params.split())


KINDS = {
    "customers": Kind("cus", "customer", "created email test_clock", "rak_customer_read"),
    "charges": Kind("ch", "charge", "created customer payment_intent transfer_group", "rak_charge_read",
                    ("succeeded", "updated", "")),
    "invoices": Kind("in", "invoice", "created customer status subscription due_date", "rak_invoice_read"),
    "subscriptions": Kind("sub", "subscription", "created customer price status", "rak_subscription_read",
                          event="customer.subscription"),
    "products": Kind("prod", "product", "active created ids shippable url", "rak_product_read"),
    "prices": Kind("price", "price", "active created currency lookup_keys product recurring type", "rak_plan_read"),
    "payment_intents": Kind("pi", "payment_intent", "created customer", "rak_payment_intent_read",
                            ("created", "succeeded", "")),
    "refunds": Kind("re", "refund", "charge created payment_intent", "rak_charge_read", ("created", "updated", "")),
    "balance_transactions": Kind("txn", "balance_transaction", "created currency payout source type",
                                 "rak_balance_transaction_read", ("", "", "")),
    "events": Kind("evt", "event", "created delivery_success type types[]", "rak_event_read", ("", "", "")),
}  # fmt: skip


def refused(status: int, message: str, **error: Any) -> Answer:
    return Answer(status, {"error": {"type": "invalid_request_error", "message": message, **error}})


class Stripe(Vendor):
    """`version` is the account's default API version: events are written in it."""

    credentials: ClassVar[Mapping[str, Any]] = {"api_key": "sk_live_51Habc"}
    broken: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "an unknown key": {"api_key": "sk_live_wrong"},
        "an expired key": {"api_key": "rk_live_expired"},
        "a publishable key": {"api_key": "pk_live_51Habc"},
    }

    def __init__(self, clock: Clock | None = None) -> None:
        super().__init__(clock)
        self.version = "2026-08-26.dahlia"
        self.records = {name: {} for name in KINDS}
        self._order: dict[str, int] = {}  # the lists' own order: by what was made when
        self._sorted: dict[str, tuple[int, list[Row]]] = {}  # with how many things had happened by then
        self._happened = 0
        self._numbers = count(1)
        self.quotas = [Quota(100, 1, self._slow("global-rate"))]
        self.quotas += [Quota(25, 1, self._slow("endpoint-rate"), at(endpoint)) for endpoint in (
            *(f"/{name}" for name in KINDS), "/subscription_items", "/invoices/[^/]+/lines")]  # fmt: skip

    @staticmethod
    def _slow(reason: str) -> Answer:
        body = {"error": {"type": "invalid_request_error", "message": "Too many requests", "code": "rate_limit"}}
        return Answer(429, body, {"Stripe-Rate-Limited-Reason": reason})

    # What happens in the account ------------------------------------------------------------------------------

    def add(self, stream: str, count: int, every: timedelta = timedelta()) -> list[str]:
        now = self.clock.now()
        return [self.make(stream, now - every * place)["id"] for place in reversed(range(count))]

    def make(self, stream: str, at: datetime, **values: Any) -> Row:
        kind, number = KINDS[stream], next(self._numbers)
        key = f"{kind.prefix}_{hashlib.sha256(f'{stream}{number}'.encode()).hexdigest()[:14]}"
        made = {"id": key, "object": kind.object, "created": int(at.timestamp()), "livemode": True}
        made |= SAMPLES.get(stream, {}) | values
        self.records[stream][key] = made
        self._order[key] = number
        self._happened += 1
        self.tell(stream, made, kind.events[0], at)
        return made

    def touch(self, stream: str, keys: Sequence[Any]) -> None:
        for key in keys:
            made = self.records[stream][key]
            made["metadata"] = {"touched": str(next(self._numbers))}
            self.tell(stream, made, KINDS[stream].events[1], self.clock.now())

    def remove(self, stream: str, keys: Sequence[Any]) -> None:
        for key in keys:
            gone = self.records[stream].pop(key)
            self._happened += 1
            self.tell(stream, gone, KINDS[stream].events[2], self.clock.now())

    def tell(self, stream: str, made: Row, what: str, at: datetime) -> None:
        """The event of it."""
        if not what:
            return
        self._happened += 1
        kind, number = KINDS[stream], next(self._numbers)
        key = f"evt_{hashlib.sha256(f'event{number}'.encode()).hexdigest()[:14]}"
        self._order[key] = number
        self.records["events"][key] = {
            "id": key, "object": "event", "created": int(at.timestamp()), "livemode": True, "pending_webhooks": 0,
            "type": f"{kind.event or kind.object}.{what}", "api_version": self.version, "data": {"object": dict(made)},
            "request": {"id": None, "idempotency_key": None},
        }  # fmt: skip

    def scope(self, stream: str) -> str:
        return KINDS[stream].right

    # What it answers ------------------------------------------------------------------------------------------

    def login(self, asked: Asked) -> Answer | None:
        key = asked.headers.get("authorization", "").removeprefix("Bearer ")
        if key == self.credentials["api_key"]:
            return None
        if key.startswith("pk_"):
            return refused(400, "This needs a secret key.", code="secret_key_required")
        if key == "rk_live_expired":
            return refused(401, "Expired API Key provided: rk_live_***", code="api_key_expired")
        return refused(401, "Invalid API Key provided: sk_live_***")

    def missing(self, asked: Asked) -> Answer:
        return refused(404, f"Unrecognized request URL ({asked.method}: {asked.path}).")

    @route("/{name}")
    def lists(self, asked: Asked, name: str) -> Answer:
        kind = KINDS.get(name)
        if kind is None:
            return self.missing(asked)
        rows = filtered(self._kept(name), asked, STANDING.get(name))
        return self._listed(asked, rows, kind.allowed, kind.right)

    @route("/subscription_items")
    def items(self, asked: Asked) -> Answer:
        found = self.records["subscriptions"].get(asked.query.get("subscription", ""))
        if found is None:
            return refused(400, "No such subscription", code="resource_missing", param="subscription")
        rows = found["items"]["data"] + found.get("_more", [])
        return self._listed(asked, rows, _PAGING | {"subscription"}, "rak_subscription_read")

    @route("/invoices/{id}/lines")
    def lines(self, asked: Asked, id: str) -> Answer:
        found = self.records["invoices"].get(id)
        if found is None:
            return refused(404, f"No such invoice: '{id}'", code="resource_missing", param="invoice")
        return self._listed(asked, found["lines"]["data"] + found.get("_more", []), _PAGING, "rak_invoice_read")

    def _kept(self, name: str) -> list[Row]:
        happened, rows = self._sorted.get(name, (-1, []))
        if happened != self._happened:
            order = self._order
            rows = sorted(self.records[name].values(), key=lambda row: (-row["created"], -order[row["id"]]))
            self._sorted[name] = self._happened, rows
        if name != "events":
            return rows
        since = int((self.clock.now() - _KEPT).timestamp())
        return [each for each in rows if each["created"] >= since]

    def _listed(self, asked: Asked, rows: Sequence[Row], allowed: set[str], right: str) -> Answer:
        if right in self.forbidden:
            return refused(403, "The provided key does not have the required permissions for this endpoint. "
                           f"Having the '{right}' permission would allow this request to continue.")  # fmt: skip
        named = {re.sub(r"\[(gte?|lte?)\]$", "", name) for name in asked.query}
        if unknown := sorted(named - allowed):
            return refused(400, f"Received unknown parameter: {unknown[0]}", code="parameter_unknown", param=unknown[0])
        if len(asked.queries.get("types[]", ())) > 20:
            return refused(400, "You may pass up to 20 types", param="types")
        size = asked.query.get("limit", "10")
        if not size.isdigit() or not 1 <= int(size) <= 100:
            return refused(400, f"Invalid limit: {size}", param="limit")
        return self._page(asked, rows, int(size))

    def _page(self, asked: Asked, rows: Sequence[Row], size: int) -> Answer:
        after = asked.query.get("starting_after")
        if after is not None:
            places = [place for place, each in enumerate(rows) if each["id"] == after]
            if not places:
                return refused(400, f"No such object: '{after}'", code="resource_missing", param="starting_after")
            rows = rows[places[0] + 1 :]
        page = self.listed(rows, size)
        shown = [{name: value for name, value in each.items() if name != "_more"} for each in page]
        return Answer(body={"object": "list", "url": asked.path, "has_more": len(page) < len(rows), "data": shown})


SAMPLES: Mapping[str, Row] = {
    "customers": {"email": "a@example.com", "balance": -1250, "metadata": {}, "delinquent": False},
    "charges": {"amount": 1099, "currency": "eur", "paid": True, "metadata": {}},
    "invoices": {"status": "draft", "total": 500, "lines": {"object": "list", "data": [], "has_more": False}},
    "subscriptions": {"status": "active", "items": {"object": "list", "data": [], "has_more": False}},
    "products": {"active": True, "name": "Lamp", "metadata": {}},
    "prices": {"active": True, "unit_amount": 100, "unit_amount_decimal": "100.125000000001", "currency": "eur"},
    "balance_transactions": {"amount": 100, "net": 71, "fee": 29, "exchange_rate": 1.0853, "status": "pending"},
}
STANDING: Mapping[str, Callable[[Asked, Row], bool]] = {
    "subscriptions": lambda asked, row: (
        asked.query.get("status") in ("all", row["status"])
        or ("status" not in asked.query and row["status"] != "canceled")
    ),
    "prices": lambda asked, row: row["active"] == (asked.query.get("active", "true") == "true"),
    "products": lambda asked, row: "active" not in asked.query or row["active"] == (asked.query["active"] == "true"),
    "events": lambda asked, row: not asked.queries.get("types[]") or row["type"] in asked.queries["types[]"],
}


def at(path: str) -> Callable[[Asked], bool]:
    pattern = re.compile(path)
    return lambda asked: bool(pattern.fullmatch(asked.path))


def filtered(rows: Sequence[Row], asked: Asked, stands: Callable[[Asked, Row], bool] | None) -> list[Row]:
    bounds: dict[str, Callable[[int, int], bool]] = {
        "created[gte]": int.__ge__, "created[gt]": int.__gt__, "created[lte]": int.__le__, "created[lt]": int.__lt__
    }  # fmt: skip
    given = [(holds, int(asked.query[name])) for name, holds in bounds.items() if name in asked.query]
    if not given and not stands:
        return list(rows)
    known = (each for each in rows if not stands or stands(asked, each))
    return [each for each in known if all(holds(each["created"], bound) for holds, bound in given)]
