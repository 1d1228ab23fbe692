"""What every place rows are published to must guarantee. Inherit and give the fixture `where`."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any
from unittest import mock

import pytest

from dativo_provider.errors import (
    ConfigurationError,
    ContractViolation,
    DataError,
    Fenced,
    InternalError,
    SourceChanged,
    StorageUnavailable,
)
from dativo_provider.lake import commit as commit_module
from dativo_provider.lake import pending as pending_module
from dativo_provider.model.job import ContractSpec
from dativo_provider.model.run import Lane, Manifest, Plan, Published, RunRequest
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import Field, ReadResult
from tests.lake.support import FIELDS, Lake, job
from tests.support import requirement

BACKFILL = Lane("backfill", "2025")


class Died(BaseException):
    """Stands for SIGKILL where a thread has to do."""


@contextmanager
def commits(behave: Callable[..., Any]) -> Iterator[None]:
    """`behave(real, catalog, table, requirements, updates)` in place of every catalog commit."""
    from pyiceberg.catalog.glue import GlueCatalog
    from pyiceberg.catalog.rest import RestCatalog
    from pyiceberg.catalog.sql import SqlCatalog

    from dativo_provider.lake.plain.catalog import FolderCatalog

    with ExitStack() as patches:
        for kind in (SqlCatalog, RestCatalog, GlueCatalog, FolderCatalog):
            patches.enter_context(mock.patch.object(kind, "commit_table", _behaving(kind.commit_table, behave)))
        yield


def _behaving(real: Callable[..., Any], behave: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, table, requirements, updates: behave(real, self, table, requirements, updates)


def lost_response(error: Exception) -> Callable[..., Any]:
    """The commit lands, once; its caller hears of a failure."""
    calls: list[int] = []

    def behave(real: Any, catalog: Any, *rest: Any) -> Any:
        result = real(catalog, *rest)
        calls.append(1)
        if len(calls) == 1:
            raise error
        return result

    return behave


class Fixtures:
    @pytest.fixture
    def lake(self, where: Settings) -> Lake:
        return Lake(where)

    @pytest.fixture(autouse=True)
    def quiet(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(commit_module, "_LONGEST_PAUSE", 0.02)
        logging.getLogger("pyiceberg").setLevel(logging.CRITICAL)


class TargetSuite(Fixtures):
    # -- what a run does ------------------------------------------------------------------------------

    @requirement("ING-01", "STA-01", "STA-03")
    def test_a_run_publishes_rows_quarantine_and_state_together(self, lake: Lake) -> None:
        published = lake.run(range(10), bad=[98, 99], cursor=10)
        assert (published.outcome, published.inserted, published.quarantined) == ("committed", 10, 2)
        assert lake.ids() == list(range(10))
        assert lake.quarantine() == ["r98", "r99"]
        state = lake.state()
        assert state.seq == 1
        assert state.cursor is not None
        assert state.cursor.value == {"value": 10}

    @requirement("ING-25", "REG-02")
    def test_runs_add_up_and_never_overwrite(self, lake: Lake) -> None:
        for start in (0, 10, 20):
            lake.run(range(start, start + 10), cursor=start)
        assert lake.ids() == list(range(30))
        assert lake.state().seq == 3

    @requirement("ING-04")
    def test_nothing_is_visible_before_publish(self, lake: Lake) -> None:
        lake.run([1])
        plan = lake.plan()
        made = lake.extract(plan, range(100, 200), bad=[5])
        assert lake.ids() == [1]
        assert lake.quarantine() == []
        staged = lake.target.read_staged(plan, made.files, ["id"])
        assert sorted(i for rows in staged for i in rows["id"].to_pylist()) == list(range(100, 200))
        aside = lake.target.read_staged(plan, made.quarantine, ["row_id"])
        assert [i for rows in aside for i in rows["row_id"].to_pylist()] == ["r5"]

    @requirement("REG-07", "STA-09")
    def test_an_empty_run_commits_its_state_and_nothing_else(self, lake: Lake) -> None:
        lake.run([1, 2], cursor=2)
        published = lake.run([], cursor=3)
        assert (published.outcome, published.inserted) == ("committed", 0)
        assert lake.ids() == [1, 2]
        assert lake.state().seq == 2

    def test_the_snapshot_says_who_wrote_it(self, lake: Lake) -> None:
        plan = lake.plan()
        published = lake.publish(plan, [lake.extract(plan, [1, 2], bad=[9])], 2)
        snapshot = lake.target.table(plan.table).current_snapshot()
        assert snapshot is not None
        assert published.snapshot_id == snapshot.snapshot_id
        said = snapshot.summary.additional_properties if snapshot.summary else {}
        assert said["dativo.run"] == plan.plan_id
        assert said["dativo.job"] == "acme/orders/orders"
        assert said["dativo.contract_version"] == "1.0.0"
        assert (said["dativo.extracted"], said["dativo.accepted"], said["dativo.quarantined"]) == ("3", "2", "1")
        assert '"seq": 1' in said["dativo.state"]

    def test_several_slices_are_one_commit(self, lake: Lake) -> None:
        plan = lake.plan()
        pieces = [lake.extract(plan, range(n * 10, n * 10 + 10), piece=n) for n in range(4)]
        lake.publish(plan, pieces)
        assert lake.ids() == list(range(40))
        assert len(lake.target.table(plan.table).metadata.snapshots) == 1

    # -- once, whatever happens -----------------------------------------------------------------------

    @requirement("ING-25")
    def test_publishing_again_changes_nothing(self, lake: Lake) -> None:
        plan = lake.plan()
        made = lake.extract(plan, [1, 2], bad=[9])
        first, again = lake.publish(plan, [made], 2), lake.publish(plan, [made], 2)
        assert (first.outcome, again.outcome) == ("committed", "already")
        assert again.snapshot_id == first.snapshot_id
        assert lake.ids() == [1, 2]
        assert lake.quarantine() == ["r9"]
        assert lake.state().seq == 1

    @requirement("STA-09")
    def test_of_two_runs_from_one_base_the_second_is_fenced(self, lake: Lake) -> None:
        one, two = lake.plan(), lake.plan()
        late = lake.extract(two, [1, 2], bad=[8])
        lake.publish(one, [lake.extract(one, [1, 2])], 2)
        with pytest.raises(Fenced) as caught:
            lake.publish(two, [late], 2)
        assert one.plan_id in str(caught.value)
        assert lake.ids() == [1, 2]
        assert lake.quarantine() == []

    @requirement("STA-09")
    def test_a_cursor_that_did_not_move_is_fenced_as_well(self, lake: Lake) -> None:
        lake.run([1], cursor=7)
        one, two = lake.plan(), lake.plan()
        lake.publish(one, [lake.extract(one, [2])], 7)
        with pytest.raises(Fenced):
            lake.publish(two, [lake.extract(two, [2])], 7)
        assert lake.ids() == [1, 2]

    @requirement("STA-09")
    def test_an_empty_run_is_fenced_as_well(self, lake: Lake) -> None:
        one, two = lake.plan(), lake.plan()
        lake.publish(one, [lake.extract(one, [1])], 7)
        with pytest.raises(Fenced):
            lake.publish(two, [lake.extract(two, [])], 3)
        assert lake.state().cursor is not None
        assert lake.state().cursor.value == {"value": 7}  # type: ignore[union-attr]

    @requirement("STA-09")
    def test_empty_runs_that_race_fence_each_other(self, where: Settings, lake: Lake) -> None:
        """Both have seen the same base; without a snapshot there would be nothing to compare and set."""
        lake.run([1], cursor=1)
        ours, rivals = lake.plan(), lake.plan()
        nothing = lake.extract(ours, []), lake.extract(rivals, [])
        busy: list[int] = []

        def behave(real: Any, catalog: Any, *rest: Any) -> Any:
            if not busy:
                busy.append(1)
                Lake(where).publish(rivals, [nothing[1]], 2)
            return real(catalog, *rest)

        with commits(behave), pytest.raises(Fenced):
            lake.publish(ours, [nothing[0]], 3)
        state = lake.state()
        assert state.cursor is not None
        assert (state.seq, state.cursor.value["value"], state.runs[-1]) == (2, 2, rivals.plan_id)

    @requirement("STA-09", "REG-03")
    def test_state_never_lands_without_its_rows(self, lake: Lake) -> None:
        from pyiceberg.table.update import AddSnapshotUpdate

        def behave(real: Any, catalog: Any, table: Any, requirements: Any, updates: Any) -> Any:
            if any(isinstance(update, AddSnapshotUpdate) for update in updates):
                raise ConnectionError("no route to catalog")
            return real(catalog, table, requirements, updates)

        plan = lake.plan()
        made = lake.extract(plan, [1])
        with commits(behave), pytest.raises(StorageUnavailable):
            lake.publish(plan, [made], 1)
        assert lake.state().seq == 0

    @requirement("ING-25")
    def test_twins_publish_once(self, where: Settings, lake: Lake) -> None:
        plan = lake.plan()
        made = lake.extract(plan, range(10), bad=[50])
        twins = [Lake(where) for _ in range(4)]
        for twin in twins:
            twin.target.table(plan.table)
        gate = threading.Barrier(len(twins))

        def publish(twin: Lake) -> Published:
            gate.wait()
            return twin.publish(plan, [made], 10)

        with ThreadPoolExecutor(len(twins)) as pool:
            outcomes = sorted(published.outcome for published in pool.map(publish, twins))
        assert outcomes == ["already", "already", "already", "committed"]
        assert lake.ids() == list(range(10))
        assert lake.quarantine() == ["r50"]

    @requirement("ING-25")
    def test_racing_runs_land_once(self, where: Settings, lake: Lake) -> None:
        lake.run([0])
        rivals = [Lake(where) for _ in range(4)]
        plans = [(rival, rival.plan()) for rival in rivals]
        made = [rival.extract(plan, [1, 2, 3]) for rival, plan in plans]
        gate = threading.Barrier(len(plans))

        def publish(number: int) -> str:
            rival, plan = plans[number]
            gate.wait()
            try:
                return rival.publish(plan, [made[number]]).outcome
            except Fenced:
                return "fenced"

        with ThreadPoolExecutor(len(plans)) as pool:
            outcomes = sorted(pool.map(publish, range(len(plans))))
        assert outcomes == ["committed", "fenced", "fenced", "fenced"]
        assert lake.ids() == [0, 1, 2, 3]

    @pytest.mark.parametrize("known", [True, False], ids=["reported failed", "unknown outcome"])
    @requirement("ING-25")
    def test_a_commit_that_landed_but_was_reported_failed_counts_once(self, lake: Lake, known: bool) -> None:
        from pyiceberg.exceptions import CommitFailedException

        error = CommitFailedException("lost") if known else ConnectionError("reset by peer")
        lake.run([1])
        plan = lake.plan()
        made = lake.extract(plan, [2, 3], bad=[9])
        with commits(lost_response(error)):
            published = lake.publish(plan, [made])
        assert published.outcome == "committed"
        assert lake.ids() == [1, 2, 3]  # readable: nobody cleaned up after the commit that landed
        assert lake.quarantine() == ["r9"]
        assert lake.state().seq == 2

    def test_a_lost_response_of_the_quarantine_counts_once(self, lake: Lake) -> None:
        from pyiceberg.exceptions import CommitFailedException

        calls: list[str] = []

        def behave(real: Any, catalog: Any, table: Any, *rest: Any) -> Any:
            result = real(catalog, table, *rest)
            calls.append(table.name()[-1])
            if calls.count("orders_quarantine") == 1:
                raise CommitFailedException("lost")
            return result

        plan = lake.plan()
        made = lake.extract(plan, [2, 3], bad=[9])
        with commits(behave):
            lake.publish(plan, [made])
        assert lake.quarantine() == ["r9"]
        assert lake.ids() == [2, 3]

    @requirement("REG-03")
    def test_a_failed_commit_leaves_table_and_state_untouched(self, lake: Lake) -> None:
        lake.run([1], cursor=1)

        def behave(*_: Any) -> Any:
            raise ConnectionError("no route to catalog")

        plan = lake.plan()
        made = lake.extract(plan, [2], bad=[9])
        with commits(behave), pytest.raises(StorageUnavailable):
            lake.publish(plan, [made], 2)
        assert (lake.ids(), lake.quarantine(), lake.state().seq) == ([1], [], 1)
        assert lake.publish(plan, [made], 2).outcome == "committed"
        assert (lake.ids(), lake.quarantine(), lake.state().seq) == ([1, 2], ["r9"], 2)

    def test_a_bug_is_not_retried_as_if_it_were_weather(self, lake: Lake) -> None:
        calls: list[int] = []

        def behave(*_: Any) -> Any:
            calls.append(1)
            raise TypeError("a bug")

        plan = lake.plan()
        made = lake.extract(plan, [2])
        with commits(behave), pytest.raises(InternalError, match="a bug"):
            lake.publish(plan, [made])
        assert len(calls) == 1

    @requirement("ING-25")
    def test_a_rival_between_load_and_commit_costs_a_retry_and_no_rows(self, where: Settings, lake: Lake) -> None:
        lake.run([1])
        rival = Lake(where, job(name="rival"))
        busy: list[int] = []

        def behave(real: Any, catalog: Any, *rest: Any) -> Any:
            if not busy:
                busy.append(1)
                rival.run([100])
            return real(catalog, *rest)

        plan = lake.plan()
        made = lake.extract(plan, [2])
        with commits(behave):
            assert lake.publish(plan, [made]).outcome == "committed"
        assert lake.ids() == [1, 2, 100]
        assert (lake.state().seq, rival.state().seq) == (2, 1)

    def test_a_table_that_never_stops_changing_is_given_up(self, where: Settings, lake: Lake) -> None:
        from pyiceberg.exceptions import CommitFailedException

        def behave(*_: Any) -> Any:
            raise CommitFailedException("somebody else was faster")

        plan = lake.plan()
        made = lake.extract(plan, [2])
        with commits(behave), pytest.raises(StorageUnavailable, match="faster"):
            lake.publish(plan, [made])
        assert lake.ids() == []

    # -- replace --------------------------------------------------------------------------------------

    def test_replace_leaves_only_the_new_rows(self, where: Settings, lake: Lake) -> None:
        lake.run(range(5))
        lake.run(range(5, 9))
        full = Lake(where, job(mode="replace"))
        published = full.run([100, 101])
        assert (published.inserted, published.deleted) == (2, 9)
        assert full.ids() == [100, 101]

    @requirement("ING-25")
    def test_two_racing_replaces_leave_one_of_them(self, where: Settings, lake: Lake) -> None:
        lake.run(range(5))
        one, two = (Lake(where, job(mode="replace")) for _ in range(2))
        plans = one.plan(), two.plan()
        made = one.extract(plans[0], [100]), two.extract(plans[1], [200])
        one.publish(plans[0], [made[0]])
        with pytest.raises(Fenced):
            two.publish(plans[1], [made[1]])
        assert lake.ids() == [100]

    def test_replace_takes_away_what_a_rival_added_before_its_commit(self, where: Settings, lake: Lake) -> None:
        """A writer without state, a query engine say, is no job whose rows must be kept."""
        full = Lake(where, job(mode="replace"))
        full.run([1])
        busy: list[int] = []

        def behave(real: Any, catalog: Any, *rest: Any) -> Any:
            if not busy:
                busy.append(1)
                table = Lake(where).target.table(full.name())
                table.append(table.scan().to_arrow())
            return real(catalog, *rest)

        plan = full.plan()
        made = full.extract(plan, [7, 8])
        with commits(behave):
            full.publish(plan, [made])
        assert full.ids() == [7, 8]

    def test_replace_beside_another_job_is_refused(self, where: Settings, lake: Lake) -> None:
        lake.run([1, 2])
        other = Lake(where, job(name="other", mode="replace"))
        with pytest.raises(ConfigurationError, match=r"orders\.orders"):
            other.plan()

    def test_a_job_that_joined_after_the_plan_stops_the_replace(self, where: Settings, lake: Lake) -> None:
        full = Lake(where, job(mode="replace"))
        plan = full.plan()
        made = full.extract(plan, [1])
        Lake(where, job(name="other")).run([5])
        with pytest.raises(ConfigurationError, match="other"):
            full.publish(plan, [made])
        assert lake.ids() == [5]

    def test_several_jobs_append_to_one_table(self, where: Settings, lake: Lake) -> None:
        other = Lake(where, job(name="other"))
        lake.run([1], cursor=1)
        other.run([2], cursor=9)
        lake.run([3], cursor=3)
        assert lake.ids() == [1, 2, 3]
        assert (lake.state().seq, other.state().seq) == (2, 1)

    def test_an_empty_replace_is_blocked_unless_allowed(self, where: Settings, lake: Lake) -> None:
        full = Lake(where, job(mode="replace"))
        full.run([1])
        with pytest.raises(ContractViolation, match="empty the table"):
            full.run([])
        assert full.ids() == [1]
        Lake(where, job(mode="replace", allow_empty_replace=True)).run([])
        assert full.ids() == []

    def test_a_backfill_never_replaces(self, where: Settings) -> None:
        full = Lake(where, job(mode="replace"))
        full.run([1])
        with pytest.raises(ConfigurationError, match="backfill"):
            full.run([2], lane=BACKFILL)
        assert full.ids() == [1]

    # -- lanes ----------------------------------------------------------------------------------------

    @requirement("STA-03")
    def test_a_backfill_never_moves_the_live_cursor(self, lake: Lake) -> None:
        lake.run([1], cursor=100)
        lake.run([2], cursor=5, lane=BACKFILL)
        live, back = lake.state(), lake.state(BACKFILL)
        assert live.cursor is not None
        assert back.cursor is not None
        assert (live.seq, live.cursor.value["value"]) == (1, 100)
        assert (back.seq, back.cursor.value["value"]) == (1, 5)

    def test_lanes_do_not_fence_each_other(self, lake: Lake) -> None:
        live, back = lake.plan(), lake.plan(BACKFILL)
        lake.publish(back, [lake.extract(back, [1])])
        lake.publish(live, [lake.extract(live, [2])])
        assert lake.ids() == [1, 2]

    def test_a_repeated_backfill_is_fenced_by_its_own_lane(self, lake: Lake) -> None:
        one, two = lake.plan(BACKFILL), lake.plan(BACKFILL)
        lake.publish(one, [lake.extract(one, [1])])
        with pytest.raises(Fenced):
            lake.publish(two, [lake.extract(two, [1])])

    # -- the quarantine comes second ------------------------------------------------------------------

    def crashed_before_quarantine(self, lake: Lake, rows: list[int], bad: list[int]) -> tuple[Plan, Manifest]:
        plan = lake.plan()
        made = lake.extract(plan, rows, bad)
        with (
            mock.patch("dativo_provider.lake.publish.finish_pending", side_effect=Died),
            pytest.raises(Died),
        ):
            lake.publish(plan, [made])
        assert lake.quarantine() == []
        return plan, made

    def test_a_missing_quarantine_is_finished_by_the_same_run(self, lake: Lake) -> None:
        plan, made = self.crashed_before_quarantine(lake, [1], [8, 9])
        assert lake.publish(plan, [made]).outcome == "already"
        assert (lake.ids(), lake.quarantine()) == ([1], ["r8", "r9"])

    def test_a_missing_quarantine_is_finished_by_the_next_plan(self, lake: Lake) -> None:
        self.crashed_before_quarantine(lake, [1], [8, 9])
        assert lake.target.unfinished(lake.job, lake.spec, lake.state())
        lake.plan()
        assert lake.quarantine() == ["r8", "r9"]
        assert not lake.target.unfinished(lake.job, lake.spec, lake.state())

    def test_a_missing_quarantine_is_finished_before_the_next_commit(self, lake: Lake) -> None:
        lake.run([0])
        ready = lake.plan()
        self.crashed_before_quarantine(lake, [1], [8])
        following = replace(ready, base=lake.state())
        lake.publish(following, [lake.extract(following, [2], [9])])
        assert (lake.ids(), lake.quarantine()) == ([0, 1, 2], ["r8", "r9"])

    def test_a_late_zombie_cannot_double_the_quarantine(self, where: Settings, lake: Lake) -> None:
        """It stopped between the two commits and wakes up many runs later."""
        zombie, stalled = Lake(where), []
        plan = zombie.plan()
        made = zombie.extract(plan, [1], [9])

        def stall(*arguments: Any) -> bool:
            stalled.append(arguments)
            raise Died

        with mock.patch("dativo_provider.lake.publish.finish_pending", stall), pytest.raises(Died):
            zombie.publish(plan, [made])
        for number in range(2, 5):
            lake.run([number], bad=[number * 10])
        assert not pending_module.finish_pending(*stalled[0])
        assert lake.quarantine() == ["r20", "r30", "r40", "r9"]

    def test_a_quarantine_outlives_its_main_table(self, lake: Lake) -> None:
        lake.run([1], bad=[8])
        lake.run([2], bad=[9])
        lake.target.catalog.drop_table(lake.name())
        lake.run([3], bad=[7])
        assert (lake.ids(), lake.quarantine()) == ([3], ["r7", "r8", "r9"])

    def test_a_lost_quarantine_manifest_stops_the_next_run_and_says_so(self, lake: Lake) -> None:
        self.crashed_before_quarantine(lake, [1], [9])
        kept = lake.state().pending
        lost = lake.target.files.read(kept)
        lake.target.files.delete(kept)
        with pytest.raises(DataError) as caught:
            lake.plan()
        assert kept in str(caught.value)
        lake.target.files.write(kept, lost)
        lake.plan()
        assert lake.quarantine() == ["r9"]

    def test_a_quarantine_manifest_of_an_older_table_is_history(self, lake: Lake) -> None:
        self.crashed_before_quarantine(lake, [1], [9])
        pending = lake.state().pending
        target = lake.target
        assert not pending_module.finish_pending(pending, "another table's uuid", target.catalog, target.files)
        assert lake.quarantine() == []

    # -- whose table it is ----------------------------------------------------------------------------

    @requirement("STA-01")
    def test_another_tenants_table_is_refused(self, where: Settings, lake: Lake) -> None:
        lake.run([1])
        intruder = Lake(where, job("umbrella", namespace="acme"))
        with pytest.raises(ConfigurationError, match="another tenant"):
            intruder.plan()

    def test_another_tenants_namespace_is_refused(self, where: Settings, lake: Lake) -> None:
        lake.run([1])
        intruder = Lake(where, job("umbrella", namespace="acme", table="new"))
        with pytest.raises(ConfigurationError, match="another tenant"):
            intruder.plan()

    def test_every_publish_checks_whose_table_it_is(self, lake: Lake) -> None:
        plan = lake.plan()
        made = lake.extract(plan, [1])
        table = lake.target.table(plan.table)
        table.transaction().set_properties({"dativo.tenant": "umbrella"}).commit_transaction()
        with pytest.raises(ConfigurationError, match="another tenant"):
            lake.publish(plan, [made])
        assert lake.ids() == []

    @requirement("REG-13")
    def test_tenants_with_equal_table_names_share_nothing(self, where: Settings, lake: Lake) -> None:
        other = Lake(where, job("umbrella"))
        plans = lake.plan(), other.plan()
        assert plans[0].table_location != plans[1].table_location
        other.publish(plans[1], [other.extract(plans[1], [2])])
        lake.publish(plans[0], [lake.extract(plans[0], [1])])
        assert (lake.ids(), other.ids()) == ([1], [2])

    # -- tags -----------------------------------------------------------------------------------------

    @requirement("TAG-01", "TAG-02", "SN-08")
    def test_tags_become_table_properties_and_foreign_ones_survive(self, where: Settings) -> None:
        tags = {
            "dativo.governance.owner": "data-team@company.com",
            "dativo.finops.cost_center": "marketing",
            "dativo.finops.budget_code": "B12345",
        }
        fields = (*FIELDS, Field("email", "string", classification="PII"))
        tagged = Lake(where, job(contract=ContractSpec("orders", "1.0.0", properties=tags)), fields)
        tagged.run([{"id": 1, "email": "someone@example.org"}])
        table = tagged.target.table(tagged.name())
        table.transaction().set_properties({"owner.of.another.tool": "kept"}).commit_transaction()
        changed = {**tags, "dativo.governance.owner": "platform@company.com", "dativo.tenant": "umbrella"}
        again = Lake(where, job(contract=ContractSpec("orders", "1.0.0", properties=changed)), fields)
        again.run([{"id": 2}])
        found = again.target.table(again.name()).properties
        assert found["dativo.classification.email"] == "PII"
        assert found["dativo.governance.owner"] == "platform@company.com"
        assert (found["dativo.finops.cost_center"], found["dativo.finops.budget_code"]) == ("marketing", "B12345")
        assert found["owner.of.another.tool"] == "kept"
        assert found["dativo.tenant"] == "acme"

    # -- what is refused ------------------------------------------------------------------------------

    def test_a_staged_file_that_is_gone_stops_the_publish(self, lake: Lake) -> None:
        plan = lake.plan()
        made = lake.extract(plan, [1], bad=[9])
        lake.target.files.delete(made.files[0].path)
        with pytest.raises(SourceChanged, match="gone"):
            lake.publish(plan, [made])
        assert lake.state().seq == 0

    def test_a_staged_file_of_another_size_stops_the_publish(self, lake: Lake) -> None:
        plan = lake.plan()
        made = lake.extract(plan, [1], bad=[9])
        lake.target.files.write(made.quarantine[0].path, b"cut")
        with pytest.raises(SourceChanged, match="size"):
            lake.publish(plan, [made])
        assert (lake.ids(), lake.quarantine()) == ([], [])

    def test_files_of_another_run_are_refused(self, lake: Lake) -> None:
        one, two = lake.plan(), lake.plan()
        foreign = lake.extract(one, [1])
        with pytest.raises(InternalError, match="other plans"):
            lake.publish(two, [foreign])
        with pytest.raises(InternalError, match="not of this run"):
            lake.publish(two, [replace(foreign, plan_id=two.plan_id)])

    def test_a_file_named_twice_is_refused(self, lake: Lake) -> None:
        plan = lake.plan()
        made = lake.extract(plan, [1])
        with pytest.raises(InternalError, match="twice"):
            lake.publish(plan, [replace(made, files=made.files * 2)])
        with pytest.raises(InternalError, match="several manifests"):
            lake.publish(plan, [made, made])

    @requirement("STA-09")
    def test_an_incomplete_read_is_refused(self, lake: Lake) -> None:
        plan = lake.plan()
        made = replace(lake.extract(plan, [1]), read=ReadResult(1, complete=False))
        with pytest.raises(DataError, match="read to their end"):
            lake.publish(plan, [made])

    def test_a_dry_run_is_never_published(self, lake: Lake) -> None:
        plan = lake.plan(request=RunRequest(dry_run=True))
        with pytest.raises(InternalError, match="dry run"):
            lake.publish(plan, [lake.extract(plan, [1])])

    def test_a_table_made_anew_since_the_plan_is_refused(self, lake: Lake) -> None:
        plan = lake.plan()
        made = lake.extract(plan, [1])
        lake.target.catalog.drop_table(plan.table)
        lake.plan()
        with pytest.raises(Fenced, match="created again"):
            lake.publish(plan, [made])

    def test_a_branch_nobody_may_publish_to_is_refused(self, where: Settings) -> None:
        with pytest.raises(ConfigurationError, match="branch 'audit'"):
            Lake(where, job(branch="audit")).plan()

    # -- sweeping -------------------------------------------------------------------------------------

    @requirement("ING-04")
    def test_the_files_of_a_run_that_will_never_publish_can_be_swept(self, lake: Lake) -> None:
        lake.run([1])
        plan = lake.plan()
        lake.extract(plan, [2], bad=[9])
        assert lake.target.sweep(plan) == 2
        assert lake.target.sweep(plan) == 0
        assert lake.ids() == [1]

    def test_a_published_run_is_never_swept(self, lake: Lake) -> None:
        plan, _ = self.crashed_before_quarantine(lake, [1], [9])
        assert lake.target.sweep(plan) == 0
        lake.plan()
        assert (lake.ids(), lake.quarantine()) == ([1], ["r9"])

    # -- reading back ---------------------------------------------------------------------------------

    @requirement("DQ-06")
    def test_what_was_published_before_a_plan_is_found_by_ranges_and_its_own_commit_is_not(self, lake: Lake) -> None:
        def within(plan: Plan, low: int, high: int) -> list[int]:
            return sorted(lake.target.published_within(plan, {"id": (low, high)}).rows.read_all()["id"].to_pylist())

        assert within(lake.plan(), 0, 99) == []
        lake.run([1, 2, 3])
        lake.run([4, 5])
        plan = lake.plan()
        assert within(plan, 2, 4) == [2, 3, 4]
        made = lake.extract(plan, [6, 7])
        assert within(plan, 0, 99) == [1, 2, 3, 4, 5]
        lake.publish(plan, [made])
        assert within(plan, 0, 99) == [1, 2, 3, 4, 5]
        lake.run([8])
        assert within(plan, 0, 99) == [1, 2, 3, 4, 5]
        assert within(lake.plan(), 6, 99) == [6, 7, 8]

    def test_has_rows_knows_empty_from_full(self, lake: Lake) -> None:
        plan = lake.plan()
        assert not lake.target.has_rows(plan)
        lake.run([])
        assert not lake.target.has_rows(plan)
        lake.run([1])
        assert lake.target.has_rows(plan)


class TargetCore(Fixtures):
    """What differs between stores and catalogs; the rest of `TargetSuite` is ours alone and proved on others."""

    test_a_run_publishes_rows_quarantine_and_state_together = (
        TargetSuite.test_a_run_publishes_rows_quarantine_and_state_together
    )
    test_nothing_is_visible_before_publish = TargetSuite.test_nothing_is_visible_before_publish
    test_publishing_again_changes_nothing = TargetSuite.test_publishing_again_changes_nothing
    test_of_two_runs_from_one_base_the_second_is_fenced = (
        TargetSuite.test_of_two_runs_from_one_base_the_second_is_fenced
    )
    test_twins_publish_once = TargetSuite.test_twins_publish_once
    test_racing_runs_land_once = TargetSuite.test_racing_runs_land_once
    test_replace_leaves_only_the_new_rows = TargetSuite.test_replace_leaves_only_the_new_rows
    crashed_before_quarantine = TargetSuite.crashed_before_quarantine
    test_a_missing_quarantine_is_finished_by_the_next_plan = (
        TargetSuite.test_a_missing_quarantine_is_finished_by_the_next_plan
    )
    test_another_tenants_table_is_refused = TargetSuite.test_another_tenants_table_is_refused
    test_tags_become_table_properties_and_foreign_ones_survive = (
        TargetSuite.test_tags_become_table_properties_and_foreign_ones_survive
    )
    test_the_files_of_a_run_that_will_never_publish_can_be_swept = (
        TargetSuite.test_the_files_of_a_run_that_will_never_publish_can_be_swept
    )
