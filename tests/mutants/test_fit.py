"""The planted bugs follow the source: a patch that no longer fits proves nothing."""

from __future__ import annotations

import pytest

from tests.mutants.mutants import MUTANTS, Mutant
from tests.mutants.run import ROOT


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_planted_bug_has_one_place_and_suites_to_catch_it(mutant: Mutant) -> None:
    source = (ROOT / mutant.path).read_text(encoding="utf-8")
    assert source.count(mutant.old) == 1
    planted = source.replace(mutant.old, mutant.new)
    assert planted != source
    compile(planted, mutant.path, "exec")
    assert [test for test in mutant.tests if not (ROOT / test.partition("::")[0]).exists()] == []
