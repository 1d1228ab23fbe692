"""`dativo contract suggest`: a contract with checks, from a profile of real rows and what earlier runs left."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dativo_provider.errors import ConfigurationError

if TYPE_CHECKING:
    from dativo_provider.model.context import RunContext
    from dativo_provider.quality.suggest import Past, Suggestion

HEADER = (
    "# Written by `dativo contract suggest`, from what the rows look like now: go through it rule by rule, add\n"
    "# descriptions and owners. Each line below is a proposed rule.\n"
)


def run(args: argparse.Namespace) -> int:
    from dativo_provider.cli.contracts import contract_of
    from dativo_provider.cli.output import print_json, say
    from dativo_provider.cli.profile import rows_of
    from dativo_provider.cli.rows import scene_of
    from dativo_provider.model.stream import Stream
    from dativo_provider.quality.profile.measure import profile
    from dativo_provider.quality.suggest import classified, suggest, unique_columns

    args.what, args.stream = str(args.paths[0]), args.table
    rows, ctx = rows_of(args)
    rows = replace(rows, fields=classified(rows.fields))
    scene = scene_of(rows, ctx)
    found = profile(scene)
    made = suggest(found, past_of(args, ctx), unique_columns(found, scene))
    contract = contract_of(Stream(rows.name, rows.fields))
    apply(contract, made)
    if args.json:
        print_json({"contract": contract, "suggestions": [vars(each) | {"text": str(each)} for each in made]})
    if args.output:
        write(args.output, text_of(contract, made))
        said = [*(f"  {each}" for each in made), f"wrote {args.output}: {len(made)} rules from {found.rows:,} rows"]
    else:
        said = [text_of(contract, made)]
    for line in () if args.json else said:
        say(line)
    return 0


def past_of(args: argparse.Namespace, ctx: RunContext) -> Past:
    """What the job's runs left; nothing for a file or a table."""
    if Path(args.what).suffix not in (".yaml", ".yml"):
        return lambda _: ()
    from dativo_provider.cli import context
    from dativo_provider.pipeline.state import chosen_one
    from dativo_provider.store import StreamKey, open_store

    job = context.load_job(Path(args.what), args)
    key, store = StreamKey(job.tenant, job.name, chosen_one(job, args.stream).name), open_store(ctx)
    return lambda metric: [point.value for point in store.history(key, metric, 100)]


def apply(contract: dict[str, Any], made: Sequence[Suggestion]) -> None:
    """The rules where ODCS has them."""
    table = contract["schema"][0]
    columns = {each["name"]: each for each in table["properties"]}
    for each in made:
        place = columns[each.column] if each.column else table
        if each.part == "quality":
            place.setdefault("quality", []).append({**each.body, "description": each.why})
        elif each.part == "options":
            place.setdefault("logicalTypeOptions", {}).update(each.body)
        else:
            place.update(each.body)


def text_of(contract: dict[str, Any], made: Sequence[Suggestion]) -> str:
    import yaml

    body = yaml.safe_dump(contract, sort_keys=False, allow_unicode=True, width=110)
    return HEADER + "".join(f"#   {each}\n" for each in made) + body


def write(path: Path, text: str) -> None:
    try:
        with open(path, "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ConfigurationError(f"{path} is there already", remedy="choose another name, or remove it") from None
