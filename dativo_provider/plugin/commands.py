"""`airflow dativo …`: read whenever Airflow's command line starts, so the work is imported only when called."""

from __future__ import annotations

from typing import Any

__all__ = ["get_commands"]


def get_commands() -> list[Any]:
    from airflow.cli.cli_config import ActionCommand, Arg, GroupCommand, lazy_load_command

    folder = Arg(("folder",), nargs="?", default="", help="folder of the loader; default: Airflow's dags folder")
    paths = Arg(("paths",), nargs="+", help="jobs, contracts, tenant and runner files, or folders of them")
    return [
        GroupCommand(
            name="dativo",
            help="Tenants, jobs and contracts",
            subcommands=(
                ActionCommand(
                    name="sync",
                    help="Create or update the pools (and roles) of all tenants",
                    description="Idempotent. Needed before [dativo] manage_pools or manage_roles is switched on.",
                    func=lazy_load_command("dativo_provider.plugin.sync.sync_command"),
                    args=(folder,),
                ),
                ActionCommand(
                    name="validate",
                    help="Check YAML files; exit code 2 on any error",
                    func=lazy_load_command("dativo_provider.plugin.sync.validate_command"),
                    args=(paths,),
                ),
            ),
        )
    ]
