"""HubSpot's CRM by its own rules.

| rule | page |
| --- | --- |
| bearer tokens; 401 `INVALID_AUTHENTICATION`, `EXPIRED_AUTHENTICATION`; error bodies | …/error-handling |
| `POST /oauth/2026-03/token`: a form; tokens live 1,800 s | /docs/api-reference/2026-03/authentication |
| a missing scope: 403 `MISSING_SCOPES` with `errors[].context.requiredGranularScopes` | …/error-handling |
| 100 requests in 10 s; 429 with `policyName`, of the day too | /docs/developer-tooling/platform/usage-guidelines |
| search: 5 requests a second; 200 a page; no hit beyond 10,000 by `after`; one sort | …/latest/crm/search-the-crm |
| search: 6 filters in 5 groups; moments as epoch milliseconds; ids compared as numbers | the same |
| search: no archived records; some moments behind | the same |
| lists: 100 a page, `archived=true` are the archived alone, oldest id first | spec collection, CRM/Contacts |
| every value of a property is text, or null; "" where it was cleared | spec collection; estuary/connectors #4282 |
| deleting does not touch last-modified | /docs/api-reference/crm/objects/contacts |
| properties of a kind in one answer | /docs/api-reference/2026-03/crm/properties |
| associations of at most 1,000 records at once, each with its own paging; none: not there | …/associations/batch |

Pages are below https://developers.hubspot.com.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from itertools import count
from typing import Any, ClassVar

from tests.connectors.vendors.clock import Clock
from tests.connectors.vendors.vendor import Answer, Asked, Quota, Row, Vendor, route

__all__ = ["HubSpot"]

MODIFIED = {"contacts": "lastmodifieddate"}  # of the others: hs_lastmodifieddate
SCOPES = {"tickets": "tickets"}
_CEILING, _HITS, _LISTED, _INPUTS = 10_000, 200, 100, 1_000
_TOGETHER = 500  # associations of a record in one answer


def modified(kind: str) -> str:
    return MODIFIED.get(kind, "hs_lastmodifieddate")


def refused(status: int, category: str, message: str = "no", **more: Any) -> Answer:
    return Answer(status, {"status": "error", "message": message, "category": category, "correlationId": "c", **more})


def limited(policy: str) -> Answer:
    body = {"status": "error", "message": f"You have reached your {policy} limit.", "errorType": "RATE_LIMIT"}
    return Answer(429, body | {"policyName": policy})


class HubSpot(Vendor):
    """`behind` is how long search takes to see a change. `lifetime`: requests that an OAuth token is good for."""

    credentials: ClassVar[Mapping[str, Any]] = {"api_key": "pat-eu1-good"}
    broken: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "an unknown token": {"api_key": "pat-eu1-wrong"},
        "an expired token": {"api_key": "pat-eu1-expired"},
    }
    oauth: ClassVar[Mapping[str, Any]] = {"client_id": "cl", "client_secret": "cs3cret", "refresh_token": "refr3sh"}

    def __init__(self, clock: Clock | None = None) -> None:
        super().__init__(clock)
        self.records = {name: {} for name in ("contacts", "companies", "deals", "tickets")}
        self.properties: dict[str, list[Row]] = {name: [] for name in self.records}
        self.associations: dict[tuple[str, str, str], list[str]] = {}
        self.behind = timedelta()
        self.lifetime = 0
        self._tokens: dict[str, int] = {}
        self._numbers, self._issued = count(95), count(1)
        self.quotas = [
            Quota(100, 10, limited("TEN_SECONDLY_ROLLING"), lambda asked: not asked.path.endswith("/search")),
            Quota(5, 1, limited("SECONDLY"), lambda asked: asked.path.endswith("/search")),
        ]

    # What happens in the account ------------------------------------------------------------------------------

    def add(self, stream: str, count: int, every: timedelta = timedelta()) -> list[str]:
        now = self.clock.now()
        return [self.make(stream, now - every * place)["id"] for place in reversed(range(count))]

    def make(self, stream: str, at: datetime, **values: str | None) -> Row:
        key = str(next(self._numbers))
        named = {"hs_object_id": key, "createdate": iso(at), modified(stream): iso(at)}
        made = {"id": key, "properties": named | values, "createdAt": iso(at), "updatedAt": iso(at), "archived": False}
        self.records[stream][key] = made
        return made

    def touch(self, stream: str, keys: Sequence[Any]) -> None:
        for key in keys:
            self.records[stream][key]["properties"][modified(stream)] = iso(self.clock.now())

    def remove(self, stream: str, keys: Sequence[Any]) -> None:
        for key in keys:
            self.records[stream][key].update(archived=True, archivedAt=iso(self.clock.now()))

    def scope(self, stream: str) -> str:
        return SCOPES.get(stream, f"crm.objects.{stream}.read")

    # What it answers ------------------------------------------------------------------------------------------

    def login(self, asked: Asked) -> Answer | None:
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        if asked.path.startswith("/oauth/") or token == self.credentials["api_key"]:
            return None
        if self._tokens.get(token, 0) > 0:
            self._tokens[token] -= 1
            return None
        if token.endswith("expired") or token in self._tokens:
            return refused(401, "EXPIRED_AUTHENTICATION", "The OAuth token used to make this call expired.")
        return refused(401, "INVALID_AUTHENTICATION", "Authentication credentials not found.")

    @route("/oauth/2026-03/token", "POST")
    def token(self, asked: Asked) -> Answer:
        given = {name: values[0] for name, values in asked.body.items()}
        if any(given.get(name) != value for name, value in {**self.oauth, "grant_type": "refresh_token"}.items()):
            return Answer(400, {"status": "BAD_REFRESH_TOKEN", "message": "missing or invalid refresh token"})
        made = f"oauth-{next(self._issued)}"
        self._tokens[made] = self.lifetime or 1 << 30
        return Answer(
            body={"access_token": made, "refresh_token": "refr3sh", "token_type": "bearer", "expires_in": 1800}
        )

    @route("/crm/objects/2026-03/{kind}")
    def lists(self, asked: Asked, kind: str) -> Answer:
        if refusal := self._unscoped(kind):
            return refusal
        size, archived = int(asked.query.get("limit", 10)), asked.query.get("archived", "false") == "true"
        if not 1 <= size <= _LISTED:
            return refused(400, "VALIDATION_ERROR", "limit")
        rows = [each for each in self._by_id(kind) if each["archived"] == archived]
        rows = [each for each in rows if int(each["id"]) > int(asked.query.get("after", 0))]
        page = self.listed(rows, size)
        names = asked.query.get("properties", "").split(",")
        more = {"paging": {"next": {"after": page[-1]["id"]}}} if len(page) < len(rows) else {}
        return Answer(body={"results": [shown(each, kind, names) for each in page], **more})

    @route("/crm/objects/2026-03/{kind}/search", "POST")
    def search(self, asked: Asked, kind: str) -> Answer:
        body, groups = asked.body, asked.body.get("filterGroups", [])
        after, size = int(body.get("after", 0)), int(body.get("limit", 10))
        wrong = not 1 <= size <= _HITS or after + size > _CEILING or len(body.get("sorts", [])) > 1
        if wrong or len(groups) > 5 or any(len(each["filters"]) > 6 for each in groups):
            return refused(400, "VALIDATION_ERROR", "the search is not valid")
        if refusal := self._unscoped(kind):
            return refusal
        rules = [rule for group in groups for rule in group["filters"] if rule["propertyName"] == "hs_object_id"]
        beyond = int(rules[0]["value"]) if len(groups) == len(rules) == 1 else 0  # told apart first: it is cheap
        found = [each for each in self._by_id(kind) if int(each["id"]) > beyond and not each["archived"]]
        found = [each for each in found if self._seen(each, kind)]
        if groups:
            found = [each for each in found if any(all(holds(each, rule) for rule in g["filters"]) for g in groups)]
        page = self.listed(found[after:], size)
        more = {"paging": {"next": {"after": str(after + len(page))}}} if after + len(page) < len(found) else {}
        results = [shown(each, kind, body.get("properties", [])) for each in page]
        return Answer(body={"total": len(found), "results": results, **more})

    @route("/crm/properties/2026-03/{kind}")
    def told(self, asked: Asked, kind: str) -> Answer:
        common = {
            "name": "hs_object_id",
            "label": "Record ID",
            "type": "number",
            "hubspotDefined": True,
            "hidden": False,
        }
        return self._unscoped(kind) or Answer(body={"results": [common, *self.properties[kind]]})

    @route("/crm/associations/2026-03/{kind}/{other}/batch/read", "POST")
    def associated(self, asked: Asked, kind: str, other: str) -> Answer:
        if len(asked.body["inputs"]) > _INPUTS:
            return refused(400, "VALIDATION_ERROR", "too many inputs")
        results = []
        for each in asked.body["inputs"]:
            found, start = self.associations.get((kind, each["id"], other), []), int(each.get("after", 0))
            to = [
                {"toObjectId": int(key), "associationTypes": [{"typeId": 1}]}
                for key in found[start : start + _TOGETHER]
            ]
            more = {"paging": {"next": {"after": str(start + len(to))}}} if start + len(to) < len(found) else {}
            results += [{"from": {"id": each["id"]}, "to": to, **more}] if to else []
        return self._unscoped(kind) or self._unscoped(other) or Answer(body={"status": "COMPLETE", "results": results})

    @route("/crm/v3/owners")
    def owners(self, asked: Asked) -> Answer:
        archived = asked.query["archived"] == "true"
        return Answer(body={"results": [{"id": "2" if archived else "1", "archived": archived, "userId": 7}]})

    def _unscoped(self, kind: str) -> Answer | None:
        if (scope := self.scope(kind)) not in self.forbidden:
            return None
        told = [{"message": "scopes", "context": {"requiredGranularScopes": [scope]}}]
        return refused(403, "MISSING_SCOPES", "This app hasn't been granted all required scopes.", errors=told)

    def _by_id(self, kind: str) -> list[Row]:
        return list(self.records[kind].values())  # made in the order of their ids

    def _seen(self, row: Row, kind: str) -> bool:
        since = iso(self.clock.now() - self.behind)
        return not self.behind or row["properties"][modified(kind)] <= since


def iso(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def shown(row: Row, kind: str, names: Sequence[str]) -> Row:
    """With the properties that were asked for, and those that are always there."""
    always = ("hs_object_id", "createdate", modified(kind))
    return {**row, "properties": {name: row["properties"].get(name) for name in (*always, *filter(None, names))}}


_COMPARE: Mapping[str, Callable[[int, int], bool]] = {
    "GT": int.__gt__, "GTE": int.__ge__, "LT": int.__lt__, "LTE": int.__le__, "EQ": int.__eq__,
}  # fmt: skip


def holds(row: Row, rule: Mapping[str, Any]) -> bool:
    value = row["properties"].get(rule["propertyName"])
    return value is not None and _COMPARE[rule["operator"]](number(value), int(rule["value"]))


@cache
def number(value: str) -> int:
    """Ids as they are, moments as milliseconds."""
    return int(value) if value.isdigit() else round(datetime.fromisoformat(value).timestamp() * 1000)
