"""The suite itself, on the smallest vendor there can be."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from itertools import count
from typing import Any

from dativo_provider.model.job import SourceSpec
from tests.connectors.vendors.suite import VendorSuite
from tests.connectors.vendors.vendor import Answer, Asked, Quota, Vendor, route

SPEC: dict[str, Any] = {
    "api": "corner_shop",
    "base_url": "https://shop.example",
    "auth": {"type": "bearer", "token": "{token}"},
    "limits": {"default": {"requests": 50, "per": 10}},
    "check": "/me",
    "streams": {
        "orders": {
            "description": "What was bought.",
            "records": "data",
            "request": {"path": "/orders", "params": {"size": 100, "since": "{lo:epoch}", "until": "{hi:epoch}"}},
            "paginate": {"type": "cursor", "param": "at", "next": "next"},
            "key": ["id"],
            "columns": {"id": "long", "changed": {"type": "timestamptz", "form": "epoch"}, "gone": "boolean"},
            "deleted": {"gone": True},
            "incremental": {"cursor": "changed", "format": "epoch", "bounded": True},
        },
    },
}


class CornerShop(Vendor):
    """Keeps deleted orders as such, and lets 50 requests through in ten seconds."""

    def __init__(self) -> None:
        super().__init__()
        self.records["orders"] = {}
        self.quotas = [Quota(50, 10)]
        self._numbers = count(1)

    def add(self, stream: str, count: int, every: timedelta = timedelta()) -> list[Any]:
        keys = [next(self._numbers) for _ in range(count)]
        now = self.clock.now()
        for place, key in enumerate(reversed(keys)):
            self.records[stream][key] = {"id": key, "changed": int((now - every * place).timestamp()), "gone": False}
        return keys

    def touch(self, stream: str, keys: Sequence[Any]) -> None:
        for key in keys:
            self.records[stream][key]["changed"] = int(self.clock.now().timestamp())

    def remove(self, stream: str, keys: Sequence[Any]) -> None:
        self.touch(stream, keys)
        for key in keys:
            self.records[stream][key]["gone"] = True

    def scope(self, stream: str) -> str:
        return "orders.read"

    @route("/me")
    def me(self, asked: Asked) -> Answer:
        return Answer(body={})

    @route("/orders")
    def orders(self, asked: Asked) -> Answer:
        if "orders.read" in self.forbidden:
            return Answer(403, {"message": "this takes orders.read"})
        since, until = int(asked.query.get("since", 0)), int(asked.query.get("until", 1 << 40))
        rows = [each for each in self.records["orders"].values() if since <= each["changed"] < until]
        at = int(asked.query.get("at", 0))
        page = self.listed(rows[at:], int(asked.query["size"]))
        following = str(at + len(page)) if at + len(page) < len(rows) else None
        return Answer(body={"data": page, "next": following})


class TestCornerShop(VendorSuite):
    connector, stream, make = "rest", "orders", CornerShop

    def source(self, vendor: Vendor, **connection: Any) -> SourceSpec:
        made = super().source(vendor, **connection)
        return SourceSpec("rest", made.connection, options={"spec": json.dumps(SPEC)}, rate_limits=made.rate_limits)
