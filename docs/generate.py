"""What is made from code (reference pages, the index of specs): `python docs/generate.py`; `--check` tells the stale.

The page of the command line is made by `python -m dativo_provider.cli.docs`.
"""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from dativo_provider import errors
from dativo_provider.config.docs import page
from dativo_provider.connectors import guide
from dativo_provider.connectors.rest.load import index
from dativo_provider.connectors.rest.spec import Api
from dativo_provider.get_provider_info import get_provider_info
from dativo_provider.observability.events import EVENTS
from dativo_provider.observability.logs import LABELS
from dativo_provider.observability.metrics import METRICS
from dativo_provider.vocabulary import ExitCode

ROOT = Path(__file__).parents[1]
MADE = "Made from the code by `python docs/generate.py`; do not edit this page.\n"
SPEC = """\
`connectors/<name>.yaml` beside a job, its tenant or the root describes an API, and `source_connector: <name>` reads it.
[Writing a spec](../connectors/writing-a-spec.md) goes through one step by step.

`{name}` in a text stands for a setting or a credential, `{lo}` and `{hi}` for the bounds of the window, `{parent.x}`
for a value of the record that others hang on, `{parents}` for a list of such records, `{columns}` for what the API
calls the columns that are read (a list in a body, joined by commas elsewhere). `{lo:epoch}` writes a moment in another
form: `iso` (with microseconds),
`iso_millis`, `iso_seconds`, `date`, `epoch`, `epoch_ms`, `http`; `{key:base64}` encodes. What has no value is left out:
an entry of a mapping alone, an item of a list as a whole.
"""
EXITS: Mapping[ExitCode, str] = {
    ExitCode.OK: "every row was accepted; nothing new to read counts as this",
    ExitCode.PARTIAL: "published, and some rows were left out: they are in the quarantine table with their reasons",
    ExitCode.FAILED: "failed; the message says whether anything was published",
}


def table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def error_classes(kind: type[errors.DativoError] = errors.DativoError) -> Iterator[type[errors.DativoError]]:
    """The tree, parents first, in the order of the file."""
    for child in kind.__subclasses__():
        if child.__module__ == errors.__name__:
            yield child
            yield from error_classes(child)


def advice() -> dict[str, str]:
    """The drawing at the top of errors.py: class → what the reader can do."""
    lines = (line.lstrip(" │├└─") for line in (errors.__doc__ or "").splitlines())
    pairs = (line.partition(" ") for line in lines)
    return {name: text.strip() for name, _, text in pairs if name in errors.__all__ and text.strip()}


def errors_page() -> str:
    drawing = inspect.cleandoc(errors.__doc__ or "").partition("\n\n")[2]
    rows = (
        (f"`{kind.__name__}`", f"`{kind.code}`", "yes" if kind.retryable else "no", advice()[kind.__name__])
        for kind in error_classes()
    )
    exits = ((str(int(code)), EXITS[code]) for code in ExitCode)
    return "\n".join([
        "# Errors and exit codes\n", MADE,
        "An error is named by what you can do next. A message is a fact, where it was seen, and a remedy;",
        "`--json` prints the same with `error_code`, `where`, `remedy`, `details` and `retryable`.\n",
        f"```text\n{drawing}\n```\n",
        table(("class", "`error_code`", "retried", "what to do"), rows) + "\n",
        "Connectors may narrow a code further (`FILE_MISSING` is a `DataError`). In Airflow, retried errors follow the",
        "job's `retry_config`, and all others fail the task at once.\n",
        "## Exit codes of `dativo`\n",
        table(("code", "meaning"), exits),
        "\nAn Airflow task succeeds on 0 and 1.\n",
    ])  # fmt: skip


def events_page() -> str:
    labels = ", ".join(f"`{name}`" for name in dict.fromkeys(LABELS.values()))
    rows = ((f"`{name}`", meaning) for name, meaning in EVENTS.items())
    return "\n".join([
        "# Log events\n", MADE,
        "Where nobody looks at a terminal, a log line is one JSON object with `timestamp`, `level`, `message`,",
        f"`module`, `function`, `line`, then what is known of {labels}, then `event_type`",
        "and the event's own counts and names. Secrets are replaced by `***`; rows never appear.\n",
        "These names do not change. Not every version writes every event.\n",
        table(("`event_type`", "meaning"), rows) + "\n",
    ])  # fmt: skip


def metrics_page() -> str:
    rows = ((f"`{m.name}`", m.kind, ", ".join(f"`{tag}`" for tag in m.tags), m.meaning) for m in METRICS)
    return "\n".join([
        "# Metrics\n", MADE,
        "Inside Airflow they go to Airflow's own metrics (StatsD or OpenTelemetry, as configured there), on the",
        "command line into the debug log. Not every version measures every one.\n",
        table(("name", "kind", "tags", "meaning"), rows) + "\n",
    ])  # fmt: skip


def settings_page() -> str:
    options = get_provider_info()["config"]["dativo"]["options"]
    rows = (
        (f"`{name}`", f"`DATIVO_{name.upper()}`", f"`{option['default']}`" if option["default"] else "",
         " ".join(option["description"].split()) + (f" Example: `{option['example']}`" if option["example"] else ""))
        for name, option in options.items()
    )  # fmt: skip
    return "\n".join([
        "# Settings of a deployment\n", MADE,
        "In `airflow.cfg` they stand in the section `[dativo]`; as environment variables they are",
        "`AIRFLOW__DATIVO__<NAME>` or `DATIVO_<NAME>`. A value `connection:<id>` stands for what that Airflow",
        "connection holds. Without any of them everything lives in one folder of this machine.\n",
        table(("`[dativo]`", "environment", "default", "meaning"), rows) + "\n",
    ])  # fmt: skip


def spec_page() -> str:
    return page("Spec of an API", SPEC, [("", Api)])


def connector_page(name: str) -> str:
    """With the job of `examples/connectors/<name>`, where there is one."""
    tenants = ROOT / "examples" / "connectors" / name / "tenants"
    job = next(iter(sorted(tenants.glob("*/jobs/*.yaml"))), None)
    if job is None:
        return _made(guide.page(name))
    return _made(guide.page(name, _placed(job, tenants), _placed(job.parents[1] / "tenant.yaml", tenants)))


def _placed(path: Path, tenants: Path) -> str:
    return f"# {path.relative_to(tenants.parent)}\n{path.read_text(encoding='utf-8')}" if path.exists() else ""


def connectors_page() -> str:
    return _made(guide.index_page())


def _made(text: str) -> str:
    title, _, rest = text.partition("\n")
    return f"{title}\n\n{MADE}{rest}"


PAGES: Mapping[str, Callable[[], str]] = {
    "docs/reference/errors.md": errors_page,
    "docs/reference/events.md": events_page,
    "docs/reference/metrics.md": metrics_page,
    "docs/reference/settings.md": settings_page,
    "docs/reference/spec.md": spec_page,
    "dativo_provider/connectors/rest/specs/index.json": index,
    "docs/connectors/index.md": connectors_page,
    **{f"docs/connectors/{name}.md": partial(connector_page, name) for name in guide.documented()},
}


def stale() -> list[str]:
    """Pages that are not what the code says."""
    paths = ((name, ROOT / name) for name in PAGES)
    return [name for name, path in paths if not path.exists() or path.read_text(encoding="utf-8") != PAGES[name]()]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    if parser.parse_args().check:
        for name in stale():
            print(f"{name} is stale: run `python docs/generate.py`", file=sys.stderr)
        return int(bool(stale()))
    for name in stale():
        (ROOT / name).parent.mkdir(parents=True, exist_ok=True)
        (ROOT / name).write_text(PAGES[name](), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
