"""`dativo branch`: a name for a version of a table that other engines may commit to. Jobs publish to `main`."""

from __future__ import annotations

import argparse

from dativo_provider.cli.versions import add_naming, name_version


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_naming(parser, "branch")


def run(args: argparse.Namespace) -> int:
    return name_version(args, "branch")
