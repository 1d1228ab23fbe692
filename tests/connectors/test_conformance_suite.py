"""The suite itself: readers of another kind pass it unchanged, and a reader that misbehaves does not."""

from __future__ import annotations

import pytest

from dativo_provider.model.stream import Cursor, WindowRequest
from tests.conformance.hostile import FLAWS, HostileWorld
from tests.conformance.readers import ReaderConformance, extracted, opened, planned, row, rows_of, run
from tests.conformance.toys import Change, ChangeWorld, PageWorld, SchemaWorld


class TestPageTokens(ReaderConformance):
    """The cursor is known only when the last page has been read."""

    @pytest.fixture
    def world(self) -> PageWorld:
        return PageWorld()

    def test_the_cursor_comes_from_the_result(self, world: PageWorld) -> None:
        world.add(rows_of(100))
        made = run(world, incremental=True)
        assert made.window.cursor is None
        assert made.cursor == made.results[-1].cursor == Cursor({"token": "t100"})


class TestChangeLog(ReaderConformance):
    """Operations with deletes; what was committed is acknowledged, and only that."""

    @pytest.fixture
    def world(self) -> ChangeWorld:
        return ChangeWorld()

    def test_deletes_arrive_as_operations_on_their_rows(self, world: ChangeWorld) -> None:
        world.server.append(Change("insert", row(1)), Change("update", row(1, name="x")), Change("delete", row(1)))
        ((batch,),) = run(world).batches
        assert batch.ops.to_pylist() == ["insert", "update", "delete"]
        assert batch.positions.to_pylist() == [1, 2, 3]

    def test_nothing_is_acknowledged_before_it_is_committed(self, world: ChangeWorld) -> None:
        world.add(rows_of(3))
        spec = world.stream(incremental=True)
        made = extracted(world, spec, planned(world, spec, WindowRequest()))
        assert world.server.confirmed == 0
        again = extracted(world, spec, planned(world, spec, WindowRequest()))
        assert again.ids == made.ids
        with opened(world) as reader:
            reader.committed(made.cursor)
        assert (world.server.confirmed, world.server.changes) == (3, [])


class TestSeveralStreams(ReaderConformance):
    """Batches of another stream stand between those of ours; both count."""

    @pytest.fixture
    def world(self) -> SchemaWorld:
        return SchemaWorld()

    def test_each_batch_says_whose_it_is(self, world: SchemaWorld) -> None:
        world.add(rows_of(3))
        made = run(world)
        (batches,) = made.batches
        assert [batch.stream for batch in batches] == ["events", "customers"] * 3
        assert made.ids == [1, 2, 3]
        assert made.results[0].rows == 6


class TestWellBehaved(ReaderConformance):
    """The hostile reader without a flaw: what the suite finds below is the flaw and nothing else."""

    @pytest.fixture
    def world(self) -> HostileWorld:
        return HostileWorld()


@pytest.mark.parametrize(("flaw", "test"), FLAWS.items())
def test_the_suite_notices(flaw: str, test: str) -> None:
    with pytest.raises((Exception, pytest.fail.Exception)) as caught:
        getattr(ReaderConformance(), test)(HostileWorld(flaw))
    assert not isinstance(caught.value, (NameError, TypeError, pytest.skip.Exception)) or flaw == "not JSON", (
        caught.value
    )
