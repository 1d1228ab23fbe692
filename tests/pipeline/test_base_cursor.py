"""A plan does not repeat what the table's state has, and publishes only on top of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dativo_provider.errors import Fenced
from dativo_provider.files import local_path
from dativo_provider.model.run import Plan, RunRequest
from dativo_provider.pipeline import steps
from tests.pipeline.build import Bench, ids
from tests.support import requirement


def known(bench: Bench, files: range) -> None:
    """Runs over so many files, of one row each, that the cursor is large."""
    for number in files:
        bench.csv(f"known-{number:04d}.csv", f"{number},north,1.00,")
    assert bench.run().error is None


def planned(bench: Bench, row: int) -> Plan:
    bench.csv(f"new-{row}.csv", f"{row},north,1.00,")
    return steps.plan(bench.spec(), "orders", bench.context(), RunRequest())


def through(bench: Bench, plan: Plan) -> None:
    ctx = bench.context()
    steps.extract(plan.path, 0, ctx)
    steps.audit(plan.path, ctx)
    steps.publish(plan.path, ctx)


@requirement("PRF-01", "STA-01")
def test_a_plan_does_not_grow_with_the_files_that_were_read_before(tmp_path: Path) -> None:
    bench, sizes = Bench(tmp_path), []
    for files, row in ((range(20), 1001), (range(20, 60), 1002)):
        known(bench, files)
        plan = planned(bench, row)
        text = local_path(plan.path).read_text()
        sizes.append(len(text))
        assert "known-0003" not in text
        through(bench, plan)
    assert abs(sizes[1] - sizes[0]) < 100
    assert ids(bench.rows()) == [*range(60), 1001, 1002]
    assert not planned_twin(bench).slices, "every file is known"


def test_a_rival_that_published_first_fences_the_plan(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    known(bench, range(20))
    late, first = planned(bench, 1001), planned_twin(bench)
    through(bench, first)
    with pytest.raises(Fenced):
        through(bench, late)
    through(bench, first)
    assert ids(bench.rows()) == [*range(20), 1001]


def planned_twin(bench: Bench) -> Plan:
    return steps.plan(bench.spec(), "orders", bench.context(), RunRequest())


def test_a_table_that_was_made_anew_fences_the_plan(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    known(bench, range(20))
    plan = planned(bench, 1001)
    ctx = bench.context()
    steps.extract(plan.path, 0, ctx)
    steps.audit(plan.path, ctx)
    bench.table().catalog.drop_table("acme.orders")
    planned_twin(bench)  # makes the table
    with pytest.raises(Fenced, match="older than the plan"):
        steps.publish(plan.path, ctx)
