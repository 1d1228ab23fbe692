"""`dativo schema`: the JSON Schemas of the YAML files, for editors and CI."""

from __future__ import annotations

import argparse

from dativo_provider.cli.output import print_json, say
from dativo_provider.errors import ConfigurationError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", nargs="?", help="job, contract, tenant, runner, … (default: list them)")
    parser.add_argument("--all", action="store_true", help="all of them in one JSON object")


def run(args: argparse.Namespace) -> int:
    from dativo_provider.config import json_schemas

    schemas = json_schemas()
    if args.all:
        print_json(schemas)
    elif args.kind is None:
        for kind, schema in schemas.items():
            say(f"{kind:<10} {schema.get('title', '')}".rstrip())
    elif args.kind in schemas:
        print_json(schemas[args.kind])
    else:
        raise ConfigurationError(f"there is no schema '{args.kind}'", remedy=f"use one of: {', '.join(schemas)}")
    return 0
