from __future__ import annotations

import logging
from types import SimpleNamespace

import pytest

from dativo_provider.errors import Cancelled, ContractViolation, SourceUnavailable
from dativo_provider.model.context import RunContext
from dativo_provider.model.run import Published
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import Slice
from dativo_provider.operators import base
from dativo_provider.operators.audit import AuditOperator
from dativo_provider.operators.extract import ExtractOperator
from dativo_provider.operators.plan import PlanOperator
from dativo_provider.operators.publish import PublishOperator
from dativo_provider.operators.sync import SyncOperator
from dativo_provider.operators.transform import TransformOperator
from tests.operators.samples import FakeTask, airflow_context, sample_job, sample_plan

LABELS = {"task_id": "t", "tenant": "acme", "job": "orders", "stream": "orders"}
PLANNED = {**LABELS, "plan": "file:///w/plan.json"}


@pytest.fixture
def ctx(monkeypatch, tmp_path):
    made = RunContext(Settings(home=str(tmp_path)))
    monkeypatch.setattr(base, "run_context", lambda context, labels: made)
    return made


@pytest.fixture
def engine(monkeypatch):
    """Calls of the engine, by step."""
    from dativo_provider.pipeline import publish, steps

    calls = {}
    monkeypatch.setattr(publish, "fail_if_stale", lambda *_args: None)
    for name in ("extract", "transform", "audit", "sync"):
        monkeypatch.setattr(steps, name, lambda *args, name=name: calls.update({name: args}))
    return calls


def test_plan_returns_slice_indexes_and_pushes_only_its_uri(monkeypatch, ctx):
    from dativo_provider import config
    from dativo_provider.pipeline import steps

    seen = {}
    plan = sample_plan(slices=(Slice(0, "orders"), Slice(1, "orders")))
    monkeypatch.setattr(config, "load_job", lambda path, **given: seen.update(path=path, **given) or sample_job())
    monkeypatch.setattr(steps, "plan", lambda job, stream, ctx, request: seen.update(request=request) or plan)
    task = FakeTask()
    operator = PlanOperator(path="/dags/o.yaml", root="/dags", environment="prod", mode="cloud", **LABELS)
    assert operator.execute(airflow_context(task=task, full_refresh=True)) == [0, 1]
    assert task.pushed == {"plan": plan.path}
    assert (str(seen["path"]), str(seen["root"]), seen["environment"], seen["mode"]) == (
        "/dags/o.yaml", "/dags", "prod", "cloud",
    )  # fmt: skip
    assert seen["request"].full_refresh


@pytest.mark.parametrize(
    ("kind", "step"), [(TransformOperator, "transform"), (AuditOperator, "audit"), (SyncOperator, "sync")]
)
def test_each_later_step_gets_the_plan_and_returns_nothing(ctx, engine, kind, step):
    assert kind(**PLANNED).execute(airflow_context()) is None
    assert engine[step] == ("file:///w/plan.json", ctx)


def test_extract_reads_the_slice_it_was_mapped_to(ctx, engine):
    ExtractOperator(index=3, **PLANNED).execute(airflow_context())
    assert engine["extract"] == ("file:///w/plan.json", 3, ctx)


def test_a_kill_reaches_the_engine(ctx, monkeypatch):
    from dativo_provider.pipeline import steps

    ended = []
    ctx.on_cancel.append(lambda: ended.append("query"))
    operator = ExtractOperator(index=0, **PLANNED)

    def extract(*_args):
        operator.on_kill()
        ctx.check_cancelled()

    monkeypatch.setattr(steps, "extract", extract)
    with pytest.raises(Cancelled):
        operator.execute(airflow_context())
    assert ended == ["query"]


def test_a_kill_before_the_step_has_begun_is_not_lost(ctx, engine):
    operator = AuditOperator(**PLANNED)
    operator.on_kill()
    with pytest.raises(Cancelled):
        operator.execute(airflow_context())
    assert engine == {}


@pytest.fixture
def records(monkeypatch, ctx):
    """Statuses the engine was told to record."""
    from dativo_provider.pipeline import records, workplace

    told = []
    monkeypatch.setattr(records, "failed", lambda plan, error, ctx: told.append(error))
    monkeypatch.setattr(workplace, "open_folder", lambda uri, ctx: SimpleNamespace(plan=sample_plan))
    return told


def failing(monkeypatch, error):
    from dativo_provider.pipeline import steps

    def audit(*_args):
        raise error

    monkeypatch.setattr(steps, "audit", audit)
    return AuditOperator(**PLANNED)


def test_a_failure_is_recorded_once_airflow_will_not_try_again(monkeypatch, records):
    operator = failing(monkeypatch, SourceUnavailable("away"))
    for attempt in (1, 2):
        with pytest.raises(SourceUnavailable):
            operator.execute(airflow_context(task=FakeTask(try_number=attempt, max_tries=1)))
    assert len(records) == 1


def test_a_blocked_run_was_recorded_by_the_audit_itself(monkeypatch, records):
    with pytest.raises(ContractViolation):
        failing(monkeypatch, ContractViolation("blocked")).execute(airflow_context())
    assert records == []


def test_a_store_that_is_away_does_not_hide_the_error(monkeypatch, records, caplog):
    from dativo_provider.pipeline import workplace

    def away(*_args):
        raise OSError("no such folder")

    monkeypatch.setattr(workplace, "open_folder", away)
    with caplog.at_level(logging.WARNING), pytest.raises(SourceUnavailable, match="source is away"):
        failing(monkeypatch, SourceUnavailable("source is away")).execute(
            airflow_context(task=FakeTask(try_number=4, max_tries=3))
        )
    assert "could not be recorded" in caplog.text


def test_no_step_renders_anything_but_the_plans_uri():
    for kind in (PlanOperator, ExtractOperator, TransformOperator, AuditOperator, PublishOperator, SyncOperator):
        assert set(kind.template_fields) <= {"plan"}
        assert tuple(kind.template_ext) == ()


class Events(dict):
    def __missing__(self, key):
        self[key] = type("Event", (), {"extra": {}})()
        return self[key]


def publish(monkeypatch, published):
    from airflow.sdk import Asset

    from dativo_provider.operators import lineage
    from dativo_provider.pipeline import publish as engine

    monkeypatch.setattr(engine, "commit", lambda *_args: published)
    monkeypatch.setattr(lineage, "gather", lambda *_args: None)
    table = Asset("acme.orders", "dativo-iceberg://dativo/acme/orders")
    operator = PublishOperator(outlets=[table], **PLANNED)
    events = Events()
    operator.execute({**airflow_context(), "outlet_events": events})
    return operator, events, table


def test_changed_rows_make_an_asset_event_with_their_counts(monkeypatch, ctx):
    published = Published("committed", snapshot_id=7, inserted=10, quarantined=2)
    operator, events, table = publish(monkeypatch, published)
    assert operator.outlets == [table]
    assert events[table].extra == {"snapshot_id": 7, "inserted": 10, "updated": 0, "deleted": 0, "quarantined": 2}


def test_a_run_that_found_nothing_new_wakes_nobody(monkeypatch, ctx):
    operator, events, _ = publish(monkeypatch, Published("committed", snapshot_id=8))
    assert operator.outlets == []
    assert events == {}
    assert operator.get_openlineage_facets_on_complete(None) is None
