"""GitHub, as its documentation says it behaves. Pages of https://docs.github.com/en/ are named by their end.

- Pages: rest/using-the-rest-api/using-pagination-in-the-rest-api: `per_page` 1..100, default 30; `Link` without which
  everything fits one page. Addresses in it begin with `/repositories/{id}`. Issues carry `after` beside `page`, and
  from page 100 on a request without it is refused (https://github.com/google/go-github/issues/3565).
- `since` is on `updated_at` and, as rest/issues/issues says, "after": what changed at that second is left out. The
  moment 1970-01-01 answers nothing (https://github.com/airbytehq/airbyte/pull/85376). Pulls have no `since`; commits
  have `since` and `until` on the committer's date, both included (rest/commits/commits).
- Limits: rest/using-the-rest-api/rate-limits-for-the-rest-api: 5,000 an hour, told by `x-ratelimit-*`, refused by 403;
  900 a minute for an endpoint, refused by 403 or 429 while requests remain, with or without `retry-after`.
- Rights: rest/using-the-rest-api/troubleshooting-the-rest-api: 404 for what is private, 403 with
  `X-Accepted-GitHub-Permissions` for a right that a token lacks, no answer to those without a `User-Agent`.
- Renamed repositories: rest/using-the-rest-api/best-practices-for-using-the-rest-api: 301 to `/repositories/{id}`.
- Apps: apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app and
  …/generating-an-installation-access-token-for-a-github-app: RS256, `exp` at most ten minutes ahead, `iat` not in the
  future, as a bearer; 201 with a token that is good for an hour.
- Trees: rest/git/trees: at most 100,000 entries (fewer here), else `truncated`; any `recursive` counts. Blobs come in
  Base64 with line breaks. An empty repository has no tree and no commit: 409.
"""

from __future__ import annotations

import hashlib
import time
from base64 import encodebytes
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from tests.connectors.vendors.clock import Clock
from tests.connectors.vendors.vendor import Answer, Asked, Quota, Row, Vendor, route

__all__ = ["GitHub", "iso"]

ID = 17  # of the repository
RIGHTS = {
    "issues": "issues=read; pull_requests=read", "issue_comments": "issues=read; pull_requests=read",
    "pulls": "pull_requests=read", "review_comments": "pull_requests=read",
    "commits": "contents=read", "commit_comments": "contents=read", "releases": "contents=read",
    "files": "contents=read", "file_contents": "contents=read",
}  # fmt: skip
_LISTS = ("/issues", "/pulls", "/commits", "/comments", "/releases", "/repos")
_BY_CURSOR = (
    "Pagination with the page parameter is not supported for large datasets, "
    "please use cursor based pagination (after/before)"
)
_SECONDARY = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."


def iso(at: Any) -> str:
    return str(at.isoformat(timespec="seconds").replace("+00:00", "Z"))


class GitHub(Vendor):
    """The repository acme/shop. `key` and `installation` are those of an app that is installed in it."""

    broken = {"a wrong token": {"token": "wr0ngs3cret"}, "a revoked token": {"token": "ghp_revoked1"}}

    def __init__(self, clock: Clock | None = None) -> None:
        super().__init__(clock)
        self.connected(owner="acme", repo="shop", token="t0ps3cret")
        self.records = {name: {} for name in RIGHTS} | {"repositories": {}}
        self.renamed_from, self.prefix = "", ""
        self.key: RSAPublicKey | None = None
        self.installation, self.given = "4711", 0
        self.tokens: dict[str, float] = {"t0ps3cret": float("inf")}  # until when they are good
        self.most = 100_000  # entries of a tree
        self.blobs: dict[str, bytes] = {}
        self.trees: dict[str, list[Row]] = {}
        self.head = ""  # the tree of the default branch
        self.quotas = [
            Quota(5_000, 3_600, Answer(403, {"message": "API rate limit exceeded for user ID 1."})),
            *(Quota(900, 60, Answer(403, {"message": _SECONDARY}), _of(end)) for end in _LISTS),
        ]
        self._numbers = count(1)

    def connected(self, **connection: Any) -> None:
        """What a job says of its connection; None takes a word away."""
        said = {**self.credentials, **connection}
        self.credentials = {name: each for name, each in said.items() if each is not None}  # type: ignore[misc]

    # records ----------------------------------------------------------------------------------------------------

    def add(self, stream: str, count: int, every: timedelta = timedelta()) -> list[Any]:
        now, made = self.clock.now(), [next(self._numbers) for _ in range(count)]
        for place, number in enumerate(reversed(made)):
            at = iso(now - every * place)
            row = _commit(number, at) if stream == "commits" else _row(number, at)
            self.records[stream][row["sha" if stream == "commits" else "id"]] = row
        keys = list(self.records[stream])[-count:] if count else []
        return sorted(keys)

    def touch(self, stream: str, keys: Sequence[Any]) -> None:
        for key in keys:
            self.records[stream][key]["updated_at"] = iso(self.clock.now())

    def push(self, files: dict[str, bytes]) -> str:
        """The tree of these files becomes the head. Its SHA."""
        self.head = self._stored({path: self._blob(content) for path, content in files.items()})
        return self.head

    def _blob(self, content: bytes) -> str:
        sha = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        self.blobs[sha] = content
        return sha

    def _stored(self, files: dict[str, str]) -> str:
        entries: list[Row] = []
        folders: dict[str, dict[str, str]] = {}
        for path, sha in files.items():
            folder, slash, rest = path.partition("/")
            if slash:
                folders.setdefault(folder, {})[rest] = sha
            else:
                entries.append({"path": path, "mode": "100644", "type": "blob", "sha": sha,
                                "size": len(self.blobs[sha]), "url": f"{self.url}/repos/x"})  # fmt: skip
        for folder, below in folders.items():
            entries.append({"path": folder, "mode": "040000", "type": "tree", "sha": self._stored(below)})
        entries.sort(key=lambda each: str(each["path"]))
        sha = hashlib.sha1(repr([(each["path"], each["sha"]) for each in entries]).encode()).hexdigest()
        self.trees[sha] = entries
        return sha

    # every request ----------------------------------------------------------------------------------------------

    def scope(self, stream: str) -> str:
        return RIGHTS.get(stream, "")

    def answer(self, asked: Asked) -> Answer:
        path = asked.path.removeprefix(self.prefix).replace(f"/repositories/{ID}", "/repos/acme/shop")
        if self.renamed_from and path.startswith(f"/repos/acme/{self.renamed_from}"):
            rest = path.removeprefix(f"/repos/acme/{self.renamed_from}")
            query = "&".join(f"{name}={value}" for name, value in asked.query.items())
            where = f"{self.url}{self.prefix}/repositories/{ID}{rest}" + (f"?{query}" if query else "")
            return Answer(301, {"message": "Moved Permanently"}, {"Location": where})
        answer = super().answer(replace(asked, path=path))
        return replace(answer, headers={**self._told(answer), **answer.headers})

    def login(self, asked: Asked) -> Answer | None:
        if "user-agent" not in asked.headers:
            return Answer(
                403, b"Request forbidden by administrative rules. Please make sure your request has a User-Agent"
            )
        if asked.path.startswith("/app/"):
            return None
        shown = asked.headers.get("authorization", "").removeprefix("Bearer ")
        if self.tokens.get(shown, 0) <= self.clock.monotonic():
            return Answer(401, {"message": "Bad credentials", "status": "401"})
        return None

    def _told(self, answer: Answer) -> dict[str, str]:
        hour = self.quotas[0]
        left = max(0, hour.requests - len(hour._left))
        spent = isinstance(answer.body, dict) and str(answer.body.get("message")).startswith("API rate limit")
        reset = int((self.clock.now() + timedelta(seconds=hour.per)).timestamp())
        if hour._left:
            reset = int(
                (self.clock.now() + timedelta(seconds=hour._left[0] + hour.per - self.clock.monotonic())).timestamp()
            )
        return {"x-ratelimit-limit": str(hour.requests), "x-ratelimit-remaining": "0" if spent else str(max(left, 1)),
                "x-ratelimit-reset": str(reset + 1), "x-ratelimit-resource": "core"}  # fmt: skip

    def missing(self, asked: Asked) -> Answer:
        return Answer(404, {"message": "Not Found", "status": "404"})

    # login of an app --------------------------------------------------------------------------------------------

    @route("/app/installations/{number}/access_tokens", "POST")
    def access_token(self, asked: Asked, number: str) -> Answer:
        try:
            said = jwt.decode(asked.headers["authorization"].removeprefix("Bearer "), self.key, ["RS256"])  # type: ignore[arg-type]
        except jwt.PyJWTError:
            return Answer(401, {"message": "A JSON web token could not be decoded"})
        if said["exp"] > time.time() + 600 or said["iat"] > time.time() or said.get("iss") != "Iv1.a1":
            return Answer(401, {"message": "'Expiration time' claim ('exp') is too far in the future"})
        if number != self.installation:
            return self.missing(asked)
        self.given += 1
        token = f"ghs_4711_{self.given}_eyJhbGciOi"
        self.tokens[token] = self.clock.monotonic() + 3_600
        return Answer(201, {"token": token, "expires_at": iso(self.clock.now() + timedelta(hours=1))})

    # lists ------------------------------------------------------------------------------------------------------

    @route("/repos/{owner}/{repo}")
    def repository(self, asked: Asked, owner: str, repo: str) -> Answer:
        if (owner, repo) != ("acme", "shop"):
            return self.missing(asked)
        return Answer(body={"id": ID, "full_name": "acme/shop", "owner": {"login": "acme"}, "private": True,
                            "created_at": iso(self.clock.now())})  # fmt: skip

    @route("/orgs/acme/repos")
    def repositories(self, asked: Asked) -> Answer:
        return self._page(asked, list(self.records["repositories"].values()))

    @route("/repos/acme/shop/issues")
    def issues(self, asked: Asked) -> Answer:
        size = self._size(asked)
        if int(asked.query.get("page", 1)) * size >= 10_000 and "after" not in asked.query:
            return Answer(422, {"message": _BY_CURSOR, "status": "422"})
        return self._denied("issues") or self._page(asked, self._since(asked, "issues"), cursor=True)

    @route("/repos/acme/shop/pulls")
    def pulls(self, asked: Asked) -> Answer:
        return self._denied("pulls") or self._page(asked, self._sorted(asked, "pulls"))

    @route("/repos/acme/shop/commits")
    def commits(self, asked: Asked) -> Answer:
        if not self.head and not self.records["commits"]:
            return Answer(409, {"message": "Git Repository is empty.", "status": "409"})
        since, until = asked.query.get("since", ""), asked.query.get("until", "9")
        rows = [each for each in self.records["commits"].values() if since <= _committed(each) <= until]
        return self._denied("commits") or self._page(asked, sorted(rows, key=_committed, reverse=True))

    @route("/repos/acme/shop/issues/comments")
    def issue_comments(self, asked: Asked) -> Answer:
        return self._denied("issue_comments") or self._page(asked, self._since(asked, "issue_comments"))

    @route("/repos/acme/shop/pulls/comments")
    def review_comments(self, asked: Asked) -> Answer:
        return self._denied("review_comments") or self._page(asked, self._since(asked, "review_comments"))

    @route("/repos/acme/shop/comments")
    def commit_comments(self, asked: Asked) -> Answer:
        return self._denied("commit_comments") or self._page(asked, list(self.records["commit_comments"].values()))

    @route("/repos/acme/shop/releases")
    def releases(self, asked: Asked) -> Answer:
        return self._denied("releases") or self._page(asked, list(self.records["releases"].values()))

    # files ------------------------------------------------------------------------------------------------------

    @route("/repos/acme/shop/git/trees/{name}")
    def tree(self, asked: Asked, name: str) -> Answer:
        if not self.head:
            return Answer(409, {"message": "Git Repository is empty.", "status": "409"})
        sha = self.head if name in ("HEAD", "main") else name
        if sha not in self.trees:
            return self.missing(asked)
        found = self._below(sha) if "recursive" in asked.query else self.trees[sha]
        body = {"sha": sha, "tree": found[: self.most], "truncated": len(found) > self.most}
        return self._denied("files") or Answer(body=body)

    def _below(self, sha: str) -> list[Row]:
        found: list[Row] = []
        for each in self.trees[sha]:
            found.append(each)
            if each["type"] == "tree":
                found += [{**below, "path": f"{each['path']}/{below['path']}"} for below in self._below(each["sha"])]
        return found

    @route("/repos/acme/shop/git/blobs/{sha}")
    def blob(self, asked: Asked, sha: str) -> Answer:
        content = self.blobs[sha]
        self.sent += 1
        body = {"sha": sha, "size": len(content), "encoding": "base64", "content": encodebytes(content).decode()}
        return self._denied("file_contents") or Answer(body=body)

    # help -------------------------------------------------------------------------------------------------------

    def _denied(self, stream: str) -> Answer | None:
        right = RIGHTS[stream]
        if right not in self.forbidden:
            return None
        said = {"message": "Resource not accessible by personal access token", "status": "403"}
        return Answer(403, said, {"X-Accepted-GitHub-Permissions": right})

    def _since(self, asked: Asked, stream: str) -> list[Row]:
        since = asked.query.get("since", "")
        if since.startswith("1970-01-01T00:00:00"):
            return []
        return [each for each in self._sorted(asked, stream) if each["updated_at"] > since]

    def _sorted(self, asked: Asked, stream: str) -> list[Row]:
        by = f"{asked.query['sort']}_at" if "sort" in asked.query else "created_at"
        ascending = asked.query.get("direction") == "asc" and "sort" in asked.query
        return sorted(self.records[stream].values(), key=lambda row: (row[by], row["id"]), reverse=not ascending)

    def _size(self, asked: Asked) -> int:
        size = min(int(asked.query.get("per_page", 30)), 100)
        return min(size, self.page or size)

    def _page(self, asked: Asked, rows: Sequence[Row], cursor: bool = False) -> Answer:
        size, number = self._size(asked), int(asked.query.get("page", 1))
        start = (number - 1) * size
        if cursor and "after" in asked.query:
            ids = [row["id"] for row in rows]
            start = ids.index(int(asked.query["after"])) + 1
        page = self.listed(rows[start:], size)
        if start + len(page) >= len(rows):
            return Answer(body=page)
        more = {"page": number + 1, **({"after": page[-1]["id"]} if cursor else {})}
        query = "&".join(f"{name}={value}" for name, value in {**asked.query, **more}.items())
        path = asked.path.replace("/repos/acme/shop", f"/repositories/{ID}")
        return Answer(body=page, headers={"Link": f'<{self.url}{self.prefix}{path}?{query}>; rel="next"'})


def _of(end: str) -> Any:
    return lambda asked: asked.path.endswith(end)


def _row(number: int, at: str) -> Row:
    return {
        "id": number, "node_id": f"N{number}", "number": number, "title": f"No. {number}", "state": "open",
        "user": None if number % 7 == 0 else {"login": "ann", "id": 1}, "labels": [{"name": "bug"}],
        "full_name": f"acme/r{number}", "tag_name": f"v{number}", "created_at": at, "updated_at": at,
    }  # fmt: skip


def _commit(number: int, at: str) -> Row:
    who = {"name": "Ann", "email": "ann@example.com", "date": at}
    commit = {"message": f"change {number}", "tree": {"sha": f"t{number}"}, "author": who, "committer": who}
    return {"sha": f"{number:040x}", "node_id": "N", "commit": commit, "author": None, "committer": {}, "parents": []}


def _committed(row: Row) -> str:
    return str(row["commit"]["committer"]["date"])
