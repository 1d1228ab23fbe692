from __future__ import annotations

import argparse
import os
import signal
from pathlib import Path

import pytest

from dativo_provider.cli import context
from dativo_provider.cli.signals import cancelling
from dativo_provider.errors import CredentialError
from dativo_provider.model.context import RunContext
from dativo_provider.model.settings import Settings
from tests.cli.conftest import Command, World
from tests.support import requirement

ARGS = argparse.Namespace(
    quiet=False, verbose=False, mode=None, environment=None, tenant_id=None, runner_config=None, secret_manager=None,
    secrets_dir=None,
)  # fmt: skip


def with_args(**more: object) -> argparse.Namespace:
    return argparse.Namespace(**{**vars(ARGS), **more})


def test_settings_of_airflow_come_before_those_of_dativo(dativo: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATIVO_THREADS", "3")
    assert context.settings().threads == 3
    monkeypatch.setenv("AIRFLOW__DATIVO__THREADS", "4")
    assert context.settings().threads == 4


def test_a_setting_may_name_a_connection(dativo: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATIVO_STORE_URI", "connection:meta")
    monkeypatch.setenv("AIRFLOW_CONN_META", "postgres://me:pw@db:5433/dativo")
    assert context.settings().store.uri == "postgresql+psycopg2://me:pw@db:5433/dativo"
    monkeypatch.delenv("AIRFLOW_CONN_META")
    with pytest.raises(CredentialError, match="AIRFLOW_CONN_META"):
        context.settings()


def test_the_mode_of_the_command_line_wins(dativo: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATIVO_MODE", "self_hosted")
    assert context.settings(with_args(mode="cloud")).mode == "cloud"


@requirement("CFG-15")
def test_databases_are_refused_in_cloud_mode(world: World) -> None:
    world.edit(world.job, "source_connector: csv", "source_connector: postgres")
    world.edit(world.job, '    - path: "*.csv"  # below the tenant\'s roots\n      object: orders', "    []")
    world.edit(world.job, "source:\n", "source:\n  table: public.orders\n  connection: {host: db}\n")
    world.edit(world.job, "strategy: file_modified_time", "strategy: full_refresh")
    refused = world.run("--mode", "cloud")
    assert refused.code == 2
    assert "cloud" in refused.err


@requirement("SEC-03")
def test_secrets_come_from_the_environment_the_runner_file_or_the_options(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = context.load_job(world.job, ARGS)
    monkeypatch.setenv("DATIVO_SECRET__EXAMPLE__TOKEN", "from-env")
    assert context.run_context(ARGS, job).secrets.get("example", "TOKEN") == "from-env"
    folder = world.folder / "secrets" / "example"
    folder.mkdir(parents=True)
    (folder / "token").write_text("from-file")
    chosen = with_args(secret_manager="filesystem", secrets_dir=folder.parent)
    assert context.run_context(chosen, job).secrets.get("example", "token") == "from-file"
    runner = world.folder / "dags" / "runner.yaml"
    runner.write_text(f"runner: {{secrets: {{provider: filesystem, filesystem: {{secrets_dir: {folder.parent}}}}}}}\n")
    assert context.run_context(ARGS, job).secrets.get("example", "token") == "from-file"
    named = with_args(runner_config=runner)
    assert context.run_context(named, None).secrets.get("example", "token") == "from-file"


@requirement("CFG-12")
def test_the_environment_chooses_the_overlay(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.job.write_text(world.job.read_text() + "environments:\n  prod: {description: for real}\n")
    assert context.load_job(world.job, with_args(environment="prod")).description == "for real"
    monkeypatch.setenv("DATIVO_ENVIRONMENT", "prod")
    assert context.load_job(world.job, ARGS).description == "for real"
    assert context.load_job(world.job, with_args(environment="dev")).description != "for real"


def test_the_first_signal_cancels_and_the_second_stops(tmp_path: Path) -> None:
    ctx, called = RunContext(Settings(str(tmp_path))), list[str]()
    ctx.on_cancel.append(lambda: called.append("query ended"))
    before = signal.getsignal(signal.SIGINT)
    with cancelling(ctx):
        os.kill(os.getpid(), signal.SIGTERM)
        assert ctx.cancelled.is_set()
        assert called == ["query ended"]
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before
