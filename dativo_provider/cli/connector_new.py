"""`dativo connector new`: the first draft of a spec, from answers of an API, its OpenAPI document or a manifest."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
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
_SECRET = ("key", "token", "secret", "password", "signature", "auth")


def run(args: argparse.Namespace) -> int:
    from dativo_provider.connectors.rest.draft import as_text, draft_of

    sources = [_source(each, args.header or []) for each in args.paths]
    if args.list:
        return _list(sources[0], args)
    draft = draft_of(sources, args.name, args.object or ())
    path = Path(args.folder) / "connectors" / f"{draft.spec['api']}.yaml"
    if path.exists() and not args.force:
        raise ConfigurationError("there is a spec of that name", where=str(path), remedy="add --name, or --force")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(as_text(draft), encoding="utf-8")
    found = lint(path)
    _tell(path, list(draft.spec["streams"]), sum(len(each.splitlines()) for each in draft.remarks.values()), args)
    for problem in found:
        say(str(problem))
    return int(ExitCode.FAILED if any(each.severity == "error" for each in found) else ExitCode.OK)


def _tell(path: Path, streams: list[str], remarks: int, args: argparse.Namespace) -> None:
    if args.json:
        print_json({"path": str(path), "streams": streams, "remarks": remarks})
    elif not args.quiet:
        say(f"{path}: {', '.join(streams)}")
        say(f"  {remarks} lines of comments say what is a guess, and what you must decide")
        say(f"  then: dativo connector lint {path}")
        say("  and:  dativo connector test JOB, with a job whose source_connector is " + path.stem)


def _list(source: Source, args: argparse.Namespace) -> int:
    """Operations that `--object` may name."""
    from dativo_provider.connectors.rest.draft.make import operations

    found = [{"path": each.path, "stream": each.name, "records": each.records} for each in operations(source)]
    if args.json:
        print_json(found)
    for each in found if not args.json else ():
        say(f"{each['path']}  (stream {each['stream']})")
    return int(ExitCode.OK)


def _source(name: str, headers: list[str]) -> Source:
    from dativo_provider.connectors.rest.draft import Source

    if name == "-":
        return Source("items", sys.stdin.read(_LONGEST))
    if "://" in name:
        return _asked(name, dict(_headers(headers)))
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


def _asked(url: str, headers: dict[str, str]) -> Source:
    """The answer, and what of its address a spec may keep: never what looks like a credential."""
    import httpx

    from dativo_provider.connectors.rest.draft import Source

    parts = urlsplit(url)
    shown = f"{parts.scheme}://{parts.hostname}{parts.path}"
    try:
        with httpx.stream("GET", url, headers=headers, timeout=_SECONDS) as answer:
            text = _text(answer, shown)
    except httpx.HTTPError as error:
        raise SourceUnavailable(
            f"no answer ({type(error).__name__})", where=shown, remedy="check the address"
        ) from None
    asked = parse_qsl(parts.query)
    secret = [key for key, _ in asked if _is_secret(key)]
    params = {key: value for key, value in asked if key not in secret}
    base = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    kept = {name: value for name, value in headers.items() if name.lower().endswith(_KEPT)}
    login = _login(headers, secret)
    return Source(shown, text, base, parts.path or "/", params, "next" in answer.links, login, kept)


def _is_secret(name: str) -> bool:
    return any(word in name.lower() for word in _SECRET)


def _login(headers: dict[str, str], params: list[str]) -> dict[str, str]:
    """How it was asked, with a placeholder where the credentials stood."""
    for name, value in headers.items():
        scheme, space, _ = value.partition(" ")
        if name.lower() == "authorization" and scheme.lower() == "basic":
            return {"type": "basic"}
        if name.lower() == "authorization" and space:
            other = {} if scheme.lower() == "bearer" else {"scheme": scheme}
            return {"type": "bearer", "token": "{api_key}", **other}
        if _is_secret(name):
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
