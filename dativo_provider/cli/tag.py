"""`dativo tag`: a name for a version of a table, such as what a model was trained on. Tags outlive expiry."""

from __future__ import annotations

import argparse

from dativo_provider.cli.versions import add_naming, name_version


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_naming(parser, "tag")


def run(args: argparse.Namespace) -> int:
    return name_version(args, "tag")
