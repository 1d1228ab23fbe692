"""Pages of connectors, in Markdown: one of each that runs, and the list of all. `docs/generate.py` writes them.

Pages of APIs come from their specs (`rest/guide.py`), those of others from what their leaf says in `ConnectorInfo`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from dativo_provider.config.known import BUILT_IN
from dativo_provider.connectors.registry import ConnectorInfo, connector, connectors
from dativo_provider.connectors.rest.load import api_of, names

__all__ = ["documented", "index_page", "page", "table"]

_ABILITIES = {
    "incremental": "later runs read only what is new",
    "sliceable": "several tasks share a run",
    "threaded": "a task reads with several threads",
    "point_in_time": "a task sees one snapshot of the source",
    "deletes": "deletions are followed, where the source tells them",
}
_ANY_API = "any API by a spec of your own: jobs name that spec, not `rest`"
_SPECS = "writing-a-spec.md"  # what there is to say of `rest`


def documented() -> tuple[str, ...]:
    """Connectors with a page: those that this version runs in some role."""
    runs = {name for name, info in connectors().items() if _runs(info)}
    return tuple(sorted((runs | set(names())) - {"rest"}))


def page(name: str, example: str = "", tenant: str = "") -> str:
    """The page of a connector; `example` is a job that uses it, `tenant` the tenant file that lets it."""
    from dativo_provider.connectors.rest.guide import api_page

    if name in names():
        return api_page(name, example)
    info = connector(name)
    parts = [f"# {name}\n", f"{info.description or _plainly(info)}.\n", _how(info), *_targets(info)]
    parts += [fenced(example), _lets(tenant), first_steps(example)]
    parts += _settings("Connection", "source.connection", info.connection)
    parts += _settings("Options", "source.options", info.options)
    parts += _notes(info.notes)
    return "\n".join(part for part in parts if part)


def index_page() -> str:
    shown = sorted((*documented(), "rest"))
    rows = ((f"[{name}]({_SPECS if name == 'rest' else f'{name}.md'})", _what(name), *_marks(name)) for name in shown)
    return "\n".join([
        "# Connectors\n",
        "What `source_connector` and `target_connector` of a job may name.\n",
        table(("connector", "what", "source", "target"), rows) + "\n",
        "An API that is not here is one YAML: [writing a spec](writing-a-spec.md).\n",
    ])  # fmt: skip


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = tuple(head)
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def fenced(example: str) -> str:
    return f"## A job\n\n```yaml job\n{example.rstrip()}\n```\n" if example else ""


def first_steps(example: str) -> str:
    """What to type when the job of the example is there."""
    path = example.partition("\n")[0].removeprefix("# ").strip()
    secrets = dict.fromkeys(re.findall(r"\$\{SECRET:(\w+)\}", example))
    variables = dict.fromkeys(re.findall(r"\$\{(\w+)\}", example))
    lines = [f"export DATIVO_SECRET__ACME__{name.upper()}=…" for name in secrets]
    lines += [f"export {name}=…" for name in variables]
    scheme = "".join(re.findall(r"source_connector: (\w+)", example)[:1])
    address = f"'{scheme}://user:password@host/database'"
    lines += [f"export AIRFLOW_CONN_{each.upper()}={address}" for each in re.findall(r"connection_id: (\w+)", example)]
    lines += re.findall(r"Before: (dativo env create \S+)", example)
    lines += [f"dativo check --config {path}", f"dativo run --config {path}"]
    return "To try it:\n\n```console\n" + "\n".join(lines) + "\n```\n" if path.endswith(".yaml") else ""


def _lets(tenant: str) -> str:
    return f"and what lets it:\n\n```yaml tenant\n{tenant.rstrip()}\n```\n" if tenant else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _runs(info: ConnectorInfo) -> bool:
    return info.runs("source") or info.runs("target")


def _marks(name: str) -> tuple[str, str]:
    info = connector(name)
    return "yes" if info.runs("source") or name in names() else "", "yes" if info.runs("target") else ""


def _what(name: str) -> str:
    if name in names():
        api = api_of(name)
        return f"{api.title or api.api}: {', '.join(api.streams)}"
    info = connector(name)
    return _ANY_API if name == "rest" else info.description or _plainly(info)


def _plainly(info: ConnectorInfo) -> str:
    return {"table": "Tables", "files": "Files", "database": "A database"}.get(info.category, "An API")


def _how(info: ConnectorInfo) -> str:
    if not info.runs("source"):
        return ""
    able = [text for name, text in _ABILITIES.items() if getattr(info.capabilities, name)]
    lines = ["As a source:", *(f"- {each}" for each in able)]
    if info.strategies:
        lines.append(f"- `source.incremental.strategy`: {', '.join(f'`{each}`' for each in info.strategies)}")
    if not info.capabilities.allowed_in_cloud:
        lines.append("- not in `cloud` mode: it needs a machine inside the source's network")
    if info.extra:
        lines.append(f"- needs `pip install 'airflow-provider-dativo[{info.extra}]'`")
    return "\n".join([lines[0], "", *lines[1:], ""])


def _targets(info: ConnectorInfo) -> Iterator[str]:
    if info.runs("target"):
        known = BUILT_IN.get(info.name)
        modes = ", ".join(f"`{mode}`" for mode in known.modes) if known and known.modes else "every one"
        yield f"As a target: [write modes](../write-modes.md): {modes}.\n"


def _settings(title: str, where: str, told: Mapping[str, str]) -> Iterator[str]:
    if told:
        yield f"## {title}\n"
        yield table((f"`{where}`", "meaning"), ((f"`{name}`", text) for name, text in told.items())) + "\n"


def _notes(notes: Iterable[str]) -> Iterator[str]:
    if lines := [f"- {each}" for each in notes]:
        yield "## Good to know\n"
        yield "\n".join(lines) + "\n"
