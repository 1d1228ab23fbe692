"""Reference pages for job, contract, runner and tenant files, made from the models.

python -m dativo_provider.config.docs docs/reference
"""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from dativo_provider.config import types as contract_types
from dativo_provider.config.shapes.asset import Asset
from dativo_provider.config.shapes.base import Shape
from dativo_provider.config.shapes.contract import Contract, ContractFileBody
from dativo_provider.config.shapes.job import Job
from dativo_provider.config.shapes.policy import PolicyFile
from dativo_provider.config.shapes.recipe import Recipe
from dativo_provider.config.shapes.runner import Runner
from dativo_provider.config.shapes.tenant import Tenant

__all__ = ["main", "page", "pages"]

_NOTE = "<!-- Made by `python -m dativo_provider.config.docs docs/reference`; do not edit. -->"
_WORDS: dict[Any, str] = {str: "text", int: "whole number", float: "number", bool: "true or false", Any: "anything"}

_JOB = """\
One YAML file is one job, one DAG and one or more tables. It lies in `tenants/<tenant>/jobs/<job>.yaml`; the DAG is
`<tenant>.<job>`. `tenants/<tenant>/defaults.yaml` may hold any of these keys for every job of the tenant.

`${VAR}`, `${VAR:-default}` and `${SECRET:NAME}` are replaced by the step that needs them, and only in `connection`,
`credentials`, `dsn`, `options`, `engine`, `rate_limits` and `catalog`. Variables must begin with `<TENANT>_` or be
listed in the tenant's file; `$${` writes a literal `${`. Nothing is rendered by Jinja.

The column that a transformation makes is its `column`, else its name without a leading verb and a trailing `_from_…`:
`extract_team_from_tags` makes `team`, `calculate_daily_cost` makes `daily_cost`.
"""
_CONTRACT = """\
Contracts are files of the [Open Data Contract Standard](https://bitol-io.github.io/open-data-contract-standard/) 3.0,
3.1 or 3.2, best named `<table>.odcs.yaml` in `contracts/` beside the job, the tenant or the root. Every official key is
accepted. The older asset form and files of checks are described below.

Dativo's own words go into `customProperties`: `dativo.classification.…`, `dativo.governance.…` and `dativo.finops.…`
become table properties, `onViolation` of a quality rule says what a failure does (`block`, `warn`, `quarantine`), and
`dativo.keep_original: true` keeps masked columns in clear in the quarantine.
"""
_RUNNER = """\
`runner.yaml` lies beside `tenants/`. It sets schedules outside the jobs (they override a job's own), how many tasks of
one tenant may run at once, and where secrets come from. The keys may stand at the top or below `runner:`.
"""
_POLICY = """\
`policy.yaml`, or `configs/policy.yaml`, lies beside `tenants/`; a tenant's own in its folder goes over it. It holds
for every contract and job that does not say otherwise. A job that is laxer than `contract_enforcement: strict` is
valid, and `dativo validate` warns of it.
"""
_TENANT = """\
`tenants/<tenant>/tenant.yaml` says what a tenant may reach. It belongs to the operator: protect it by code owners.
Without it a tenant reads files in its own folder, variables that begin with `<TENANT>_` and Airflow connections that
begin with `<tenant>_`, and publishes to the deployment's warehouse in the namespace `<tenant>`.
"""


def pages() -> dict[str, str]:
    """Markdown by file name."""
    return {
        "job.md": page("Job", _JOB, [("", Job)]),
        "contract.md": page(
            "Contract",
            _CONTRACT + "\n## Types\n\n" + _type_table(),
            [("", Contract), ("Older form: asset", Asset), ("Files of checks: data_contract", ContractFileBody)],
        ),
        "runner.md": page("Runner", _RUNNER, [("", Runner)]),
        "tenant.md": page("Tenant", _TENANT, [("", Tenant)]),
        "policy.md": page("Policy", _POLICY, [("", PolicyFile)]),
        "recipe.md": page("Recipe", f"{Recipe.__doc__}\n", [("", Recipe)]),
    }


def _type_table() -> str:
    lines = (contract_types.__doc__ or "").splitlines()
    return "\n".join(line for line in lines if line.startswith("|")) + "\n"


def page(title: str, intro: str, parts: list[tuple[str, type[Shape]]]) -> str:
    """A table of each model's keys, and of those of the blocks below it."""
    seen: set[type[Shape]] = set()
    sections = [section for heading, model in parts for section in _sections(heading, model, "", seen)]
    return "\n".join([_NOTE, f"# {title}", "", intro.rstrip(), "", *sections]).rstrip() + "\n"


def _sections(heading: str, model: type[Shape], path: str, seen: set[type[Shape]]) -> Iterator[str]:
    """The table of `model`, then those of the blocks below it, each model once."""
    if model in seen:
        return
    seen.add(model)
    if heading or path:
        yield f"## {heading or _titled(model, path)}\n"
    if (heading or path) and model.__doc__:
        yield f"{model.__doc__.strip()}\n"
    yield "| key | type | default | meaning |\n|---|---|---|---|"
    for name, field in _fields(model):
        yield f"| `{name}` | {_type(field.annotation, name, path)} | {_default(field)} | {_cell(field.description)} |"
    yield ""
    for name, field in _fields(model):
        for inner in _shapes(field.annotation):
            yield from _sections("", inner, _joined(path, name, field.annotation), seen)


def _titled(model: type[Shape], path: str) -> str:
    """With the word under `type` where that tells one block from another."""
    found = model.model_fields.get("type")
    words = get_args(found.annotation) if found and get_origin(found.annotation) is Literal else ()
    return f"`{path}` of type `{words[0]}`" if len(words) == 1 else f"`{path}`"


def _fields(model: type[Shape]) -> Iterator[tuple[str, FieldInfo]]:
    for name, field in model.model_fields.items():
        if field.alias != "$schema":
            yield field.alias or name, field


def _joined(path: str, name: str, annotation: Any) -> str:
    return f"{path}.{name}".lstrip(".") + ("[]" if _is_list(annotation) else "")


def _is_list(annotation: Any) -> bool:
    return get_origin(annotation) is list or any(_is_list(part) for part in _parts(annotation))


def _parts(annotation: Any) -> tuple[Any, ...]:
    """Members of a union, the inside of `Annotated`; nothing else."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return get_args(annotation)[:1]
    if origin in (Union, types.UnionType):
        return tuple(part for part in get_args(annotation) if part is not type(None))
    return ()


def _type(annotation: Any, name: str, path: str) -> str:
    origin = get_origin(annotation)
    if parts := _parts(annotation):
        return " or ".join(dict.fromkeys(_type(part, name, path) for part in parts))
    if origin is Literal:
        return ", ".join(f"`{word}`" for word in get_args(annotation))
    if origin is list:
        return f"list of {_type(get_args(annotation)[0], name, path)}"
    if origin is dict:
        value = get_args(annotation)[1]
        return "mapping" if value in (Any, str) else f"mapping of {_type(value, name, path)}"
    if isinstance(annotation, type) and issubclass(annotation, Shape):
        return "block"
    return _WORDS.get(annotation, "anything")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    value = field.get_default(call_default_factory=True)
    if value in (None, "", [], {}) or _is_block(value):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _is_block(value: Any) -> bool:
    """A table of its own says what stands in it."""
    return isinstance(value, Shape) or (isinstance(value, list) and any(map(_is_block, value)))


def _cell(text: str | None) -> str:
    return (text or "").replace("|", "\\|").replace("\n", " ")


def _shapes(annotation: Any) -> Iterator[type[Shape]]:
    if isinstance(annotation, type) and get_origin(annotation) is None and issubclass(annotation, Shape):
        yield annotation
    for part in get_args(annotation):
        if get_origin(annotation) is not Literal:
            yield from _shapes(part)


def main(arguments: list[str]) -> int:
    """Writes the pages into the folder named."""
    if len(arguments) != 1:
        print("usage: python -m dativo_provider.config.docs OUTDIR", file=sys.stderr)
        return 2
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
