"""`dativo connector new`: the first draft of a spec, from answers of an API, its OpenAPI document or a manifest."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from dativo_provider.cli.connector_lint import lint
from dativo_provider.cli.output import print_json, say
from dativo_provider.errors import ConfigurationError, SourceUnavailable
from dativo_provider.vocabulary import ExitCode

if TYPE_CHECKING:
    import httpx

    from dativo_provider.connectors.rest.draft import Source

_LONGEST = 64 << 20  # bytes of an answer or a document
_SECONDS = 30.0
_KEPT = ("accept", "accept-language", "-version")  # ends of headers that are no secret and matter


def run(args: argparse.Namespace) -> int:
    from dativo_provider.connectors.rest.draft import as_text, draft_of

    sources = [_source(each, args) for each in args.paths]
    if args.list:
        return _list(sources[0], args)
    draft = draft_of(sources, args.name, args.object or ())
    path = Path(args.folder) / "connectors" / f"{draft.spec['api']}.yaml"
    if path.exists() and not args.force:
        raise ConfigurationError("there is a spec of that name", where=str(path), remedy="add --name, or --force")
    tenant = _tenant(Path(args.folder))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(as_text(draft), encoding="utf-8")
    found = lint(path)
    failed = any(each.severity == "error" for each in found)
    job, secrets = (None, []) if failed else _job(path, Path(args.folder), tenant)
    remarks = sum(len(each.splitlines()) for each in draft.remarks.values())
    _tell(Written(path, list(draft.spec["streams"]), remarks, job, secrets, failed), args)
    for problem in found:
        say(str(problem))
    return int(ExitCode.FAILED if failed else ExitCode.OK)


@dataclass(frozen=True)
class Written:
    """`job` is None where there was one of that name, or lint `failed`; `secrets` are variables of the environment that
    it will need."""

    path: Path
    streams: list[str]
    remarks: int
    job: Path | None
    secrets: list[str]
    failed: bool


def _job(path: Path, folder: Path, tenant: str) -> tuple[Path | None, list[str]]:
    """A job beside the spec, unless there is one."""
    from dativo_provider.connectors.rest.draft.job import job_of, secrets_of
    from dativo_provider.connectors.rest.load import load_api

    api, job = load_api(path), folder / "jobs" / path.name
    if job.exists():
        return None, []
    job.parent.mkdir(parents=True, exist_ok=True)
    job.write_text(job_of(api, tenant), encoding="utf-8")
    return job, [f"DATIVO_SECRET__{tenant.upper()}__{name.upper()}" for name in secrets_of(api).values()]


def _tenant(folder: Path) -> str:
    """As its file says, else as its folder is called."""
    from dativo_provider.config.yamlpos import read
    from dativo_provider.connectors.rest.draft.draft import slug

    path = folder / "tenant.yaml"
    told = read(path).data if path.is_file() else None
    return str((isinstance(told, dict) and told.get("tenant_id")) or slug(folder.resolve().name))


def _tell(made: Written, args: argparse.Namespace) -> None:
    job = str(made.job or "")
    if args.json:
        print_json({"path": str(made.path), "streams": made.streams, "remarks": made.remarks, "job": job})
    elif not args.quiet:
        say(f"{made.path}: {', '.join(made.streams)}")
        say(f"  {made.remarks} lines of comments say what is a guess, and what you must decide")
        say(_of_job(made))
        say("what next")
        for secret in made.secrets:
            say(f"  export {secret}=…")
        say(f"  dativo connector lint {made.path}")
        if not made.failed:
            say(f"  dativo connector test {job or 'JOB'}")


def _of_job(made: Written) -> str:
    if made.failed:
        return "no job was written: first correct what lint says below"
    there = f"a job named {made.path.stem} was there, and stays as it is"
    return f"{made.job}: a job that reads it" if made.job else there


def _list(source: Source, args: argparse.Namespace) -> int:
    """Operations that `--object` may name."""
    from dativo_provider.connectors.rest.draft.make import operations

    found = [{"path": each.path, "stream": each.name, "records": each.records} for each in operations(source)]
    if args.json:
        print_json(found)
    for each in found if not args.json else ():
        say(f"{each['path']}  (stream {each['stream']})")
    return int(ExitCode.OK)


def _source(name: str, args: argparse.Namespace) -> Source:
    from dativo_provider.connectors.rest.draft import Source

    if name == "-":
        return Source("items", sys.stdin.read(_LONGEST))
    if "://" in name:
        return _asked(name, dict(_headers(args.header or [])), _body(args.data))
    try:
        path = Path(name)
        if path.stat().st_size > _LONGEST:
            raise ConfigurationError(f"the file is larger than {_LONGEST >> 20} MB", where=name)
        return Source(name, path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError("the file cannot be read", where=name, remedy="check the path") from error


def _headers(given: list[str]) -> Iterator[tuple[str, str]]:
    for each in given:
        name, colon, value = each.partition(":")
        if not colon:
            raise ConfigurationError("a header has no ':'", remedy="write --header 'Authorization: Bearer …'")
        yield name.strip(), value.strip()


def _body(text: str) -> dict[str, Any] | None:
    import msgspec

    try:
        return msgspec.json.decode(text, type=dict[str, Any]) if text else None
    except msgspec.DecodeError:
        raise ConfigurationError(
            "--data is no JSON object", remedy="write --data '{\"limit\": 100}', in single quotes"
        ) from None


def _asked(url: str, headers: dict[str, str], body: dict[str, Any] | None) -> Source:
    """The answer, and what of its address a spec may keep: never what looks like a credential."""
    import httpx

    from dativo_provider.connectors.rest.draft import Source
    from dativo_provider.connectors.rest.draft.credentials import is_secret, kept, left_out
    from dativo_provider.connectors.rest.draft.pages import by_headers

    parts = urlsplit(url)
    shown = f"{parts.scheme}://{parts.hostname}{parts.path}"
    try:
        method = "GET" if body is None else "POST"
        with httpx.stream(method, url, headers=headers, json=body, timeout=_SECONDS) as answer:
            text = _text(answer, shown)
    except httpx.HTTPError as error:
        raise SourceUnavailable(
            f"no answer ({type(error).__name__})", where=shown, remedy="check the address"
        ) from None
    asked = parse_qsl(parts.query)
    secret = [key for key, _ in asked if is_secret(key)]
    params = {key: value for key, value in asked if key not in secret}
    base = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    plain = {name: value for name, value in headers.items() if name.lower().endswith(_KEPT)}
    login = _login(headers, secret)
    told = by_headers({key.title(): value for key, value in answer.headers.items()}, answer.links)
    missing = dict.fromkeys([*(key for key in secret if key != login.get("param")), *left_out(body)])
    return Source(shown, text, base, parts.path or "/", params, told, kept(body), login, plain, [*missing])


def _login(headers: dict[str, str], params: list[str]) -> dict[str, str]:
    """How it was asked, with a placeholder where the credentials stood."""
    from dativo_provider.connectors.rest.draft.credentials import is_secret

    for name, value in headers.items():
        scheme, space, _ = value.partition(" ")
        if name.lower() == "authorization" and scheme.lower() == "basic":
            return {"type": "basic"}
        if name.lower() == "authorization" and space:
            other = {} if scheme.lower() == "bearer" else {"scheme": scheme}
            return {"type": "bearer", "token": "{api_key}", **other}
        if is_secret(name):
            return {"type": "api_key", "key": "{api_key}", "header": name}
    return {"type": "api_key", "key": "{api_key}", "param": params[0]} if params else {"type": "none"}


def _text(answer: httpx.Response, shown: str) -> str:
    if answer.status_code != 200:
        remedy = "give credentials: --header 'Authorization: Bearer …'" if answer.status_code in (401, 403) else ""
        raise ConfigurationError(f"the answer has status {answer.status_code}", where=shown, remedy=remedy)
    held = b""
    for piece in answer.iter_bytes():
        held += piece
        if len(held) > _LONGEST:
            raise ConfigurationError(f"the answer is larger than {_LONGEST >> 20} MB", where=shown)
    return held.decode(answer.encoding or "utf-8", errors="replace")
