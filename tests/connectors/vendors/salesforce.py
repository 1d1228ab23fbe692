"""Salesforce, as its documentation says it behaves. Pages of https://developer.salesforce.com/docs/ unless said.

- Queries: platform/api-rest/guide/resources-query.md, …/resources-queryall.md: at most 2,000 records a page, often
  fewer; `nextRecordsUrl` says `query` and goes on with `queryAll`; deleted records are in the latter alone. What a
  query answered stays as it was (…/salesforce-app-limits-platform-apicursors.html).
- SOQL: platform/salesforce-soql-sosl/guide/sforce-api-calls-soql-select-dateformats.md: moments without quotes. A
  field that the user may not see is INVALID_FIELD, an unknown object INVALID_TYPE
  (platform/api-rest/guide/errorcodes.md).
- Addresses: https://help.salesforce.com/s/articleView?id=000386264: with headers at most 16,384 bytes, else 431.
- Describe: atlas.en-us.262.0.api_rest.meta/api_rest/resources_sobject_describe.htm: what this user may see.
- Calls: atlas.en-us.api_tooling.meta/api_tooling/headers_api_usage.htm: `Sforce-Limit-Info` on every answer; no
  `Retry-After`. When they are used up: 403 REQUEST_LIMIT_EXCEEDED.
- Bulk 2.0: atlas.en-us.api_asynch.meta/api_asynch/queries.html and its pages: a job is made, asked for its state, and
  its results come in sets with `Sforce-Locator`, which ends as the text `null`; CSV, every value quoted, a header in
  each set; compound fields are refused. Results are not there before the job is complete.
- Tokens: https://help.salesforce.com/apex/HTViewHelpDoc?id=xcloud.remoteaccess_oauth_jwt_flow_ca.htm: RS256, `aud` is
  the login address; `exp` is refused beyond five minutes (the strictest that is reported). No `expires_in`.
"""

from __future__ import annotations

import csv
import io
import re
import time
from collections.abc import Sequence
from datetime import timedelta
from itertools import count
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from tests.connectors.vendors.clock import Clock
from tests.connectors.vendors.vendor import Answer, Asked, Row, Vendor, route

__all__ = ["Salesforce", "field"]

ROOT = "/services/data/v67.0"
_SOQL = re.compile(r"SELECT (?P<fields>[\w,.]+) FROM (?P<object>\w+)(?: WHERE (?P<where>.+?))?(?: LIMIT \d+)?")
_BOUND = re.compile(r"(\w+) (>=|<) (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)")
_OWN = re.compile(r"\((\w+) = '([^']*)'\)")
_COMPOUND = "Selecting compound data not supported in Bulk Query"


def field(name: str, kind: str = "string", **more: Any) -> Row:
    return {"name": name, "label": name, "type": kind, "precision": 0, "scale": 0, "calculated": False,
            "referenceTo": [], "relationshipName": None, "deprecatedAndHidden": False} | more  # fmt: skip


def _error(status: int, code: str, message: str) -> Answer:
    return Answer(status, [{"message": message, "errorCode": code}])


class Salesforce(Vendor):
    """The organization of acme.my.salesforce.com, with accounts and an object of its own.

    `held_back` jobs stay in progress for so many questions; `failing` messages end the next jobs.
    """

    broken = {"a wrong token": {"access_token": "00Dwr0ngs3cret"}}

    def __init__(self, clock: Clock | None = None) -> None:
        super().__init__(clock)
        self.connected(access_token="t0ps3cret")
        self.fields = {
            name: [field("Id", "id"), field("IsDeleted", "boolean"), field("Name"), field("Email", "email"),
                   field("AnnualRevenue", "currency", precision=18, scale=2), field("NumberOfEmployees", "int"),
                   field("BillingAddress", "address"), field("BillingCity"), field("Photo", "base64"),
                   field("OwnerId", "reference", referenceTo=["Group", "User"], relationshipName="Owner"),
                   field("Score__c", "double", precision=4, scale=1, calculated=True), field("Birthdate", "date"),
                   field("CreatedDate", "datetime"), field("SystemModstamp", "datetime")]
            for name in ("Account", "Invoice__c")
        }  # fmt: skip
        self.records = {name: {} for name in self.fields}
        self.tokens = {"t0ps3cret"}
        self.key: RSAPublicKey | None = None
        self.used, self.allowed = 18, 100_000  # calls of the last 24 hours
        self.found: dict[str, list[Row]] = {}  # by locator
        self.jobs: dict[str, Row] = {}
        self.held_back, self.failing = 1, list[str]()
        self.not_in_bulk: set[str] = set()
        self.set_size = 0  # 0: as many as asked for
        self._numbers = count(1)

    def connected(self, **connection: Any) -> None:
        """What a job says of its connection; None takes a word away."""
        said = {**self.credentials, "token": None, **connection}
        self.credentials = {name: each for name, each in said.items() if each is not None}  # type: ignore[misc]

    # records ----------------------------------------------------------------------------------------------------

    def add(self, stream: str, count: int, every: timedelta = timedelta()) -> list[Any]:
        now, made = self.clock.now(), [next(self._numbers) for _ in range(count)]
        for place, number in enumerate(reversed(made)):
            at = _stamp(now - every * place)
            self.records[stream][_id(number)] = {
                "Id": _id(number), "IsDeleted": False, "Name": f'No. {number}, "quoted"\nand broken',
                "Email": "a@example.com",
                "AnnualRevenue": 1_250_000.5 if number % 2 else None, "NumberOfEmployees": number,
                "BillingCity": None, "Owner.Type": "User", "OwnerId": _id(9), "Score__c": 4.5,
                "Birthdate": "1990-02-28", "CreatedDate": at, "SystemModstamp": at,
            }  # fmt: skip
        return [_id(number) for number in made]

    def touch(self, stream: str, keys: Sequence[Any]) -> None:
        for key in keys:
            self.records[stream][key]["SystemModstamp"] = _stamp(self.clock.now())

    def remove(self, stream: str, keys: Sequence[Any]) -> None:
        self.touch(stream, keys)
        for key in keys:
            self.records[stream][key]["IsDeleted"] = True

    def scope(self, stream: str) -> str:
        return "View All Data"

    # every request ----------------------------------------------------------------------------------------------

    def answer(self, asked: Asked) -> Answer:
        self.more_headers["Sforce-Limit-Info"] = f"api-usage={self.used}/{self.allowed}"
        if sum(map(len, [asked.path, *asked.query.values(), *asked.headers.values()])) > 16_384:
            return Answer(431, b"")
        return super().answer(asked)

    def login(self, asked: Asked) -> Answer | None:
        if asked.path == "/services/oauth2/token":
            return None
        self.used += 1
        if asked.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return _error(401, "INVALID_SESSION_ID", "Session expired or invalid")
        if self.used > self.allowed:
            return _error(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
        return None

    def missing(self, asked: Asked) -> Answer:
        return _error(404, "NOT_FOUND", "The requested resource does not exist")

    # login ------------------------------------------------------------------------------------------------------

    @route("/services/oauth2/token", "POST")
    def token(self, asked: Asked) -> Answer:
        form = {name: values[0] for name, values in asked.body.items()}
        refusal = {"client_credentials": self._by_client, "refresh_token": self._by_refresh}.get(
            form["grant_type"], self._by_assertion
        )(form)
        if refusal:
            return Answer(400, {"error": "invalid_grant", "error_description": refusal})
        token = f"00D4711!{next(self._numbers)}"
        self.tokens = {token}
        return Answer(body={"access_token": token, "instance_url": self.url, "token_type": "Bearer", "issued_at": "1"})

    def _by_client(self, form: Row) -> str:
        return (
            ""
            if (form["client_id"], form["client_secret"]) == ("3MVG9", "cl1ent-s3cret")
            else "invalid client credentials"
        )

    def _by_refresh(self, form: Row) -> str:
        return self._by_client(form) or ("" if form["refresh_token"] == "5Aep861" else "expired access/refresh token")

    def _by_assertion(self, form: Row) -> str:
        try:
            said = jwt.decode(form["assertion"], self.key, ["RS256"], audience=["https://login.salesforce.com"])  # type: ignore[arg-type]
        except jwt.PyJWTError as error:
            return f"invalid assertion ({error})"
        if said["exp"] > time.time() + 300 or (said["iss"], said["sub"]) != ("3MVG9", "etl@acme.example"):
            return "user hasn't approved this consumer"
        return ""

    # objects ----------------------------------------------------------------------------------------------------

    @route(f"{ROOT}/sobjects")
    def sobjects(self, asked: Asked) -> Answer:
        told = [
            {"name": name, "label": name, "queryable": True, "custom": name.endswith("__c")} for name in self.fields
        ]
        return Answer(body={"sobjects": [*told, {"name": "AccountFeed", "label": "Feed", "queryable": False}]})

    @route(f"{ROOT}/sobjects/{{name}}/describe")
    def describe(self, asked: Asked, name: str) -> Answer:
        if name not in self.fields:
            return self.missing(asked)
        return Answer(body={"name": name, "label": name, "fields": self.fields[name]})

    # SOQL -------------------------------------------------------------------------------------------------------

    @route(f"{ROOT}/query")
    def query(self, asked: Asked) -> Answer:
        return Answer(body={"totalSize": 1, "done": True, "records": [{"Id": _id(1)}]})

    @route(f"{ROOT}/queryAll")
    def query_all(self, asked: Asked) -> Answer:
        rows = self._selected(asked.query["q"])
        if isinstance(rows, Answer):
            return rows
        locator = f"0r8{next(self._numbers):015d}"
        self.found[locator] = rows
        return self._answered(locator, 0)

    @route(f"{ROOT}/query/{{locator}}")
    def more(self, asked: Asked, locator: str) -> Answer:
        name, _, offset = locator.partition("-")
        if name not in self.found:
            return _error(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        return self._answered(name, int(offset))

    def _answered(self, locator: str, start: int) -> Answer:
        rows = self.found[locator]
        page = self.listed(rows[start:], 2_000)
        end = start + len(page)
        body = {"totalSize": len(rows), "done": end >= len(rows), "records": [_nested(row) for row in page]}
        more = {} if end >= len(rows) else {"nextRecordsUrl": f"{ROOT}/query/{locator}-{end}"}
        return Answer(body=body | more)

    def _selected(self, soql: str) -> list[Row] | Answer:
        """What a query finds, as it is now; or why it is refused."""
        parsed = _SOQL.fullmatch(soql)
        if not parsed:
            return _error(400, "MALFORMED_QUERY", f"unexpected token: {soql[:20]}")
        name, fields = parsed["object"], parsed["fields"].split(",")
        if name not in self.fields or self.forbidden:
            return _error(400, "INVALID_TYPE", f"sObject type '{name}' is not supported; it takes View All Data")
        known = {each["name"] for each in self.fields[name]} | {"Owner.Type"}
        if unknown := [each for each in fields if each not in known]:
            return _error(400, "INVALID_FIELD", f"No such column '{unknown[0]}' on entity '{name}'.")
        conditions = (parsed["where"] or "").split(" AND ") if parsed["where"] else []
        wanted = [_BOUND.fullmatch(each) or _OWN.fullmatch(each) for each in conditions]
        if None in wanted:
            return _error(400, "MALFORMED_QUERY", f"unexpected token in {conditions}")
        rows = [each for each in self.records[name].values() if all(_within(each, *bound.groups()) for bound in wanted)]  # type: ignore[union-attr]
        return [{key: each.get(key) for key in fields} for each in rows]

    # bulk -------------------------------------------------------------------------------------------------------

    @route(f"{ROOT}/jobs/query", "POST")
    def make_job(self, asked: Asked) -> Answer:
        soql = asked.body["query"]
        if "BillingAddress" in soql:
            return _error(400, "API_ERROR", _COMPOUND)
        name = soql.split(" FROM ")[1].split()[0]
        if name in self.not_in_bulk:
            return _error(400, "INVALIDENTITY", f"Entity '{name}' is not supported by the Bulk API.")
        rows = self._selected(soql)
        if isinstance(rows, Answer):
            return rows
        if asked.body["operation"] == "query":
            rows = [each for each in rows if not each.get("IsDeleted")]
        job = f"750{next(self._numbers):012d}AAA"
        fields = soql.removeprefix("SELECT ").split(" FROM ")[0].split(",")
        self.jobs[job] = {"rows": rows, "fields": fields, "left": self.held_back, "state": "InProgress"}
        return Answer(body={"id": job, "state": "UploadComplete", "operation": asked.body["operation"]})

    @route(f"{ROOT}/jobs/query/{{job}}")
    def job(self, asked: Asked, job: str) -> Answer:
        made = self.jobs[job]
        if made["left"] <= 0 and made["state"] == "InProgress":
            made["why"] = self.failing.pop(0) if self.failing else ""
            made["state"] = "Failed" if made["why"] else "JobComplete"
        made["left"] -= 1
        said = {"id": job, "state": made["state"], "numberRecordsProcessed": len(made["rows"])}
        return Answer(body=said | ({"errorMessage": made["why"]} if made.get("why") else {}))

    @route(f"{ROOT}/jobs/query/{{job}}", "PATCH")
    def abort_job(self, asked: Asked, job: str) -> Answer:
        self.jobs[job]["state"] = asked.body["state"]
        return Answer(body={"id": job, "state": asked.body["state"]})

    @route(f"{ROOT}/jobs/query/{{job}}", "DELETE")
    def drop_job(self, asked: Asked, job: str) -> Answer:
        del self.jobs[job]
        return Answer(204, b"")

    @route(f"{ROOT}/jobs/query/{{job}}/results")
    def results(self, asked: Asked, job: str) -> Answer:
        made = self.jobs[job]
        if made["state"] != "JobComplete":
            return _error(400, "INVALIDJOBSTATE", "the job is not complete")
        start = int(asked.query.get("locator", "0"))
        rows = self.listed(made["rows"][start:], min(int(asked.query["maxRecords"]), self.set_size or 1 << 20))
        end = start + len(rows)
        told = {"Content-Type": "text/csv", "Sforce-NumberOfRecords": str(len(rows)),
                "Sforce-Locator": str(end) if end < len(made["rows"]) else "null"}  # fmt: skip
        return Answer(body=_csv(made["fields"], rows), headers=told)


def _csv(fields: Sequence[str], rows: Sequence[Row]) -> bytes:
    """Every value in quotes; nothing is an empty one, and whole numbers may have a fraction of none."""
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(fields)
    writer.writerows([_shown(name, row[name]) for name in fields] for row in rows)
    return text.getvalue().encode()


def _shown(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if name == "NumberOfEmployees" and value is not None:
        return f"{value}.0" if value % 3 == 0 else str(value)
    if isinstance(value, float):
        return f"{value:.8G}" if value < 1e6 else f"{value / 1e6!r}E6"
    return "" if value is None else str(value).replace("+0000", "Z")


def _within(row: Row, column: str, sign: str, bound: str = "") -> bool:
    if not bound:
        return bool(row[column] == sign)
    at, wanted = row[column][:19], bound[:19]
    return bool(at >= wanted if sign == ">=" else at < wanted)


def _nested(row: Row) -> Row:
    """As REST shows it: what belongs to another record below that."""
    plain = {name: value for name, value in row.items() if "." not in name}
    below = {name.partition(".")[0]: {"attributes": {}, "Type": value} for name, value in row.items() if "." in name}
    return {"attributes": {"type": "x", "url": "/x"}, **plain, **below}


def _id(number: int) -> str:
    return f"001{number:012d}AAA"


def _stamp(at: Any) -> str:
    return str(at.strftime("%Y-%m-%dT%H:%M:%S.000+0000"))
