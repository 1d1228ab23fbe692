"""`python -m dativo_provider.cli.docs`: docs/reference/cli.md, made from the parsers.  `--check` fails when stale."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from dativo_provider.cli.main import EXIT_CODES, VERBS, parser_of, verb

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"
INTRO = f"""# The command `dativo`

Made from the parsers by `python -m dativo_provider.cli.docs`; edit the verbs' files, not this page.

{EXIT_CODES[0].upper()}{EXIT_CODES[1:]}. `--quiet` prints errors only, `--verbose` debug logs and tracebacks.
Answers go to stdout, everything else to stderr: text on a terminal, one JSON object per line elsewhere.
"""


def page() -> str:
    return "\n".join([INTRO, *(part for name in VERBS for part in section(name))])


def section(name: str) -> Iterator[str]:
    parser = child(name)
    usage = " ".join(parser.format_usage().removeprefix("usage: ").split())
    yield f"## {name}\n\n{parser.description}\n\n```text\n{usage}\n```\n"
    rows = [row for action in parser._actions if (row := described(action))]
    if rows:
        yield "| argument | meaning |\n|---|---|\n" + "\n".join(rows) + "\n"
    notes = (sys.modules[verb(name).__name__].__doc__ or "").strip()  # type: ignore[attr-defined]
    if "\n\n" in notes:
        yield notes.split("\n\n", 1)[1] + "\n"


def child(name: str) -> argparse.ArgumentParser:
    parser = parser_of([name])
    verbs = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    found: argparse.ArgumentParser = verbs.choices[name]
    return found


def described(action: argparse.Action) -> str:
    """A row of the table; nothing for what every verb has."""
    if {"--help", "--quiet", "--verbose"} & set(action.option_strings):
        return ""
    value = value_of(action)
    names = ", ".join(f"{option}{' ' + value if value else ''}" for option in action.option_strings) or value
    required = " (required)" if action.required and action.option_strings else ""
    return f"| `{names}` | {(action.help or '').replace('|', chr(92) + '|')}{required} |"


def value_of(action: argparse.Action) -> str:
    if action.nargs == 0:
        return ""
    if action.choices:
        return "{" + ",".join(map(str, action.choices)) + "}"
    return str(action.metavar or action.dest)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    if parser.parse_args().check:
        return int(not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page())
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
