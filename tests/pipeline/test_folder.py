from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dativo_provider.errors import ConfigurationError
from dativo_provider.model.run import Manifest, RunRequest
from dativo_provider.pipeline import steps
from dativo_provider.pipeline.workplace import open_folder
from tests.pipeline.build import Bench
from tests.support import requirement


@requirement("ING-25")
def test_of_two_attempts_the_first_to_finish_wins(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.csv("a.csv", "1,north,1.00,")
    ctx = bench.context()
    plan = steps.plan(bench.spec(), "orders", ctx, RunRequest())
    folder = open_folder(plan.path, ctx)
    first = Manifest(plan.plan_id, 0, "first")
    assert folder.add_manifest(first) == first
    assert folder.add_manifest(replace(first, attempt="late twin")) == first
    assert folder.manifests(plan) == [first]


def test_a_missing_plan_says_what_workers_must_share(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    with pytest.raises(ConfigurationError, match="share the warehouse"):
        steps.extract((tmp_path / "nowhere" / "plan.json").as_uri(), 0, bench.context())


def test_slices_that_were_not_extracted_are_named(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.csv("a.csv", "1,north,1.00,")
    ctx = bench.context()
    plan = steps.plan(bench.spec(), "orders", ctx, RunRequest())
    with pytest.raises(ConfigurationError, match="slices 0 of the plan"):
        steps.audit(plan.path, ctx)
