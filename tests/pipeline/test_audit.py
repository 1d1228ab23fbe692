from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dativo_provider.errors import InternalError
from dativo_provider.model.run import RunRequest, dump
from dativo_provider.pipeline import steps
from dativo_provider.pipeline.workplace import open_folder
from tests.pipeline.build import Bench
from tests.support import requirement


@requirement("ING-25")
@pytest.mark.parametrize("what", ["files", "quarantine"])
def test_files_that_do_not_add_up_stop_the_run(tmp_path: Path, what: str) -> None:
    bench = Bench(tmp_path)
    bench.csv("a.csv", "1,north,1.00,", "2,north,,")
    ctx = bench.context()
    plan = steps.plan(bench.spec(), "orders", ctx, RunRequest())
    manifest = steps.extract(plan.path, 0, ctx)
    folder = open_folder(plan.path, ctx)
    (staged,) = getattr(manifest, what)
    wrong = replace(manifest, **{what: (replace(staged, rows=staged.rows + 1),)})
    folder.store.write(f"{plan.folder}/manifests/slice-00000.json", dump(wrong))
    with pytest.raises(InternalError, match="staged files hold"):
        steps.audit(plan.path, ctx)
    assert bench.rows() == []
