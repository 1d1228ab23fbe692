"""Prism: answers by an OpenAPI document, and refuses requests that it does not allow. https://github.com/stoplightio/prism

GitHub's own document comes from npm; of it only the paths asked for are served, so that it starts in seconds.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.services.builds import speaks_http
from tests.services.framework import Server, Unavailable, free_port, run, scratch, services_folder

PACKAGES = ("@stoplight/prism-cli@5.14.2", "@octokit/openapi@23.0.2")
HINT = "run `python -m tests.services install prism` (needs npm)"


@dataclass
class Prism:
    url: str
    server: Server

    def stop(self) -> None:
        self.server.stop()


def github() -> dict[str, Any]:
    """GitHub's description of its API. It speaks of JSON where GitHub also takes and gives its own media type:
    https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api#accept"""
    path = _document()
    if not path.exists():
        raise Unavailable(f"no document of GitHub's API: {HINT}")
    return dict(json.loads(path.read_bytes().replace(b'"application/json":', b'"application/vnd.github+json":')))


def start(document: dict[str, Any], paths: Collection[str]) -> Prism:
    node, main = shutil.which("node"), _main()
    if not node or not main.exists():
        raise Unavailable(f"no Prism: {HINT}")
    folder, port = scratch("prism"), free_port()
    described = folder / "api.json"
    described.write_text(json.dumps(cut(document, paths)))
    options = ["mock", "-h", "127.0.0.1", "-p", str(port), str(described)]
    server = Server([node, str(main), *options], folder)
    url = f"http://127.0.0.1:{port}"
    server.wait_until(lambda: speaks_http(url))
    return Prism(url, server)


def cut(document: dict[str, Any], paths: Collection[str]) -> dict[str, Any]:
    """The document with `paths` alone, and what they refer to."""
    kept = {path: document["paths"][path] for path in paths}
    made: dict[str, Any] = {"openapi": document["openapi"], "info": document["info"], "paths": kept, "components": {}}
    waiting, known = [*_references(kept)], set[str]()
    while waiting:
        reference = waiting.pop()
        if reference not in known:
            known.add(reference)
            _, _, kind, name = reference.split("/")
            found = document["components"][kind][name]
            made["components"].setdefault(kind, {})[name] = found
            waiting += _references(found)
    return made


def _references(data: Any) -> Iterator[str]:
    if isinstance(data, dict):
        if isinstance(data.get("$ref"), str):
            yield data["$ref"]
        for each in data.values():
            yield from _references(each)
    elif isinstance(data, list):
        for each in data:
            yield from _references(each)


def _main() -> Path:
    return services_folder() / "prism/node_modules/@stoplight/prism-cli/dist/index.js"


def _document() -> Path:
    return services_folder() / "prism/api.github.com.json"


def install() -> str:
    if not _main().exists() or not _document().exists():
        if not shutil.which("npm"):
            raise Unavailable("npm is not here (apt-get install npm)")
        folder = services_folder() / "prism"
        folder.mkdir(parents=True, exist_ok=True)
        run(["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), *PACKAGES], cwd=folder)
        package = folder / "node_modules/@octokit/openapi"
        shutil.copy(package / "generated/api.github.com.json", _document())
        shutil.rmtree(package)  # 390 MB of other editions
    return f"found {_main()}"
