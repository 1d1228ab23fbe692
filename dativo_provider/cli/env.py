"""`dativo env`: environments for tools that cannot be installed beside Airflow.

Make them when an image is built or a machine starts, never inside a task. `check` tells what has changed since, and
ends with 2 when something has.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from dativo_provider.cli import context
from dativo_provider.errors import ConfigurationError
from dativo_provider.vocabulary import ExitCode

if TYPE_CHECKING:
    from dativo_provider.envs.recipe import Recipe

ACTIONS = ("create", "list", "check", "remove")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=ACTIONS, help="what to do")
    parser.add_argument(
        "name",
        nargs="?",
        default="",
        metavar="NAME",
        help="the tool (list shows which there are), or a package with a connector: 'tap-name==1.2.3'",
    )
    parser.add_argument("--pins", type=Path, metavar="F", help="create: a constraints file, as pip takes it")
    parser.add_argument(
        "--python", default="", metavar="P", help="create: the interpreter to make it with; default: ours"
    )
    parser.add_argument("--json", action="store_true", help="list, check: as JSON")


def run(args: argparse.Namespace) -> int:
    action = {"create": create, "list": show, "check": check, "remove": remove}[args.action]
    return int(action(args, Path(context.settings().envs)))


def _one(args: argparse.Namespace) -> Recipe:
    from dativo_provider.envs.recipes import RECIPES, recipe

    if not args.name:
        raise ConfigurationError(f"{args.action} needs a NAME", remedy=f"use one of {', '.join(RECIPES)}")
    return recipe(args.name)


def _there(envs: Path) -> dict[str, Recipe]:
    """The tools, and the packages that have an environment, by its name."""
    from dativo_provider.envs.packages import environments, package_recipe
    from dativo_provider.envs.recipes import RECIPES

    return {**RECIPES, **{each.name: package_recipe(each.requirements[0]) for each in environments(envs)}}


def create(args: argparse.Namespace, envs: Path) -> ExitCode:
    from dativo_provider.cli.output import counted, say
    from dativo_provider.envs import make

    recipe = _one(args)
    if context.environment().get("AIRFLOW_CTX_DAG_ID"):
        raise ConfigurationError(
            "environments are not made inside a task: the next worker would not have them",
            remedy=f"run 'dativo env create {recipe.wanted}' when the image is built or the machine starts",
        )
    if recipe.notice and not args.quiet:
        say(f"note: {recipe.notice}")
    made = make.create(envs, recipe, args.pins, args.python or sys.executable)
    if not args.quiet:
        say(f"{recipe.title} is in {envs / recipe.name} ({counted(len(made.versions), 'package')}, {made.hash[:12]})")
    return ExitCode.OK


def show(args: argparse.Namespace, envs: Path) -> ExitCode:
    from dataclasses import asdict

    from dativo_provider.cli.output import console, print_json, table
    from dativo_provider.envs.place import made

    there = _there(envs)
    found = {name: made(envs, name) for name in there}
    if args.json:
        print_json({name: asdict(each) if each else None for name, each in found.items()})
        return ExitCode.OK
    lines = ((name, each.made_at[:19] if each else "not made", each.hash[:12] if each else "", there[name].title)
             for name, each in found.items())  # fmt: skip
    console().print(table(("name", "made", "hash", "tool"), lines))
    return ExitCode.OK


def check(args: argparse.Namespace, envs: Path) -> ExitCode:
    """One, or every one that was made."""
    from dativo_provider.cli.output import print_json, say
    from dativo_provider.envs.place import drift, made

    there = _there(envs)
    wanted = [there.get(args.name) or _one(args)] if args.name else [
        each for each in there.values() if made(envs, each.name)
    ]  # fmt: skip
    found = {each.name: drift(envs, each) for each in wanted}
    if args.json:
        print_json(found)
    for name, changes in found.items() if not args.json else ():
        say(f"{name}: {'; '.join(changes) or 'as it was made'}")
        if changes:
            say(f"  → dativo env create {there[name].wanted if name in there else args.name}")
    return ExitCode.FAILED if any(found.values()) else ExitCode.OK


def remove(args: argparse.Namespace, envs: Path) -> ExitCode:
    from dativo_provider.cli.output import say
    from dativo_provider.envs import make

    there = _there(envs)
    name = args.name if args.name in there else _one(args).name
    gone = make.remove(envs, name)
    if not args.quiet:
        say(f"{name} is removed" if gone else f"{name} was not there")
    return ExitCode.OK
