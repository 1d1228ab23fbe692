"""`dativo init`: a dags folder to start from. Everything it writes validates and runs as it is."""

from __future__ import annotations

import argparse
from importlib import resources
from pathlib import Path

from dativo_provider.cli.output import say
from dativo_provider.errors import ConfigurationError

EXAMPLE = "example"  # the folder beside this file that is copied


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("dags_dir", type=Path, metavar="DAGS_DIR", help="the dags folder; made if it is not there")
    parser.add_argument("--force", action="store_true", help="write over files that are there")


def run(args: argparse.Namespace) -> int:
    files = example_files()
    there = [args.dags_dir / name for name in files if (args.dags_dir / name).exists()]
    if there and not args.force:
        raise ConfigurationError(
            f"would write over {', '.join(map(str, there))}", remedy="choose another folder, or add --force"
        )
    for name, content in files.items():
        target = args.dags_dir / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    if not args.quiet:
        explain(args.dags_dir, files)
    return 0


def example_files() -> dict[str, bytes]:
    """Path below the dags folder → content, the loader first."""
    root = resources.files("dativo_provider.cli") / EXAMPLE
    with resources.as_file(root) as folder:
        found = {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*")) if path.is_file()}
        return {name.removesuffix(".txt"): path.read_bytes() for name, path in found.items()}


def explain(dags_dir: Path, files: dict[str, bytes]) -> None:
    for name in files:
        say(f"wrote {dags_dir / name}")
    job = dags_dir / "tenants" / "example" / "jobs" / "orders.yaml"
    say("\nwhat next")
    say(f"  dativo validate {dags_dir}")
    say(f"  dativo run --config {job}")
    say("  airflow dags test example.orders        # with this folder as Airflow's dags_folder")
