"""Bugs somebody might plant one day, as patches of the source. Each must make the tests named with it fail."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["MUTANTS", "Mutant"]


@dataclass(frozen=True)
class Mutant:
    """`old` occurs exactly once in `path`. `tests` are pytest arguments."""

    name: str
    path: str
    old: str
    new: str
    tests: tuple[str, ...]


LAKE = "dativo_provider/lake"
TARGET = "tests/lake/test_targets.py::TestSqliteOnDisk::"


CSV = "dativo_provider/connectors/csv"
PIPELINE = "dativo_provider/pipeline"
RUN = "tests/pipeline/test_run.py::"
LOOKUPS = "tests/pipeline/test_lookups.py::"


PLAIN = f"{LAKE}/plain"


def _plain(module: str, *names: str) -> tuple[str, ...]:
    return tuple(f"tests/lake/plain/test_{module}.py::{name}" for name in names)


def _target(*names: str) -> tuple[str, ...]:
    return tuple(TARGET + name for name in names)


def _mode(*names: str) -> tuple[str, ...]:
    return tuple(f"tests/lake/test_modes.py::TestSqliteOnDisk::{name}" for name in names)


def _replay(*names: str) -> tuple[str, ...]:
    return tuple(f"tests/pipeline/inbox/test_replay.py::{name}" for name in names)


MUTANTS = (
    Mutant(
        "the library's retries are on, so a stale append lands",
        f"{LAKE}/commit.py",
        '["commit.retry.num-retries"] = "0"',
        '["commit.retry.num-retries"] = "4"',
        ("tests/lake/test_catalog.py::TestSqlite::test_a_stale_handle_cannot_commit",),
    ),
    Mutant(
        "what Arrow says it has read from an object store is believed",
        f"{LAKE}/remote.py",
        'return found if found.type_name == "local" else PyFileSystem(WholeAnswers(found))',
        "return found",
        ("tests/lake/test_remote.py",),
    ),
    Mutant(
        "memory that nothing was read into is taken for rows",
        f"{LAKE}/remote.py",
        'if not any(data[-_TAIL:]) and self._filled(count, b"\\xff") != data:',
        "if self._size < 0:",
        ("tests/lake/test_remote.py",),
    ),
    Mutant(
        "an upload is done when the store has begun to say so",
        f"{LAKE}/remote.py",
        "        if self._length() != self._at:\n",
        "        if self._at < 0:\n",
        ("tests/lake/test_remote.py",),
    ),
    Mutant(
        "an answer without a body is an empty folder",
        "dativo_provider/files/s3.py",
        '    if "IsTruncated" not in page:\n',
        "    if page is None:\n",
        ("tests/files/test_s3.py",),
    ),
    Mutant(
        "the library may clean up after a commit that landed",
        f"{LAKE}/commit.py",
        "    table.io.delete = lambda _location: None  # type: ignore[method-assign]\n",
        "",
        _target("test_a_commit_that_landed_but_was_reported_failed_counts_once"),
    ),
    Mutant(
        "the fence compares cursors instead of sequence numbers",
        f"{LAKE}/publish.py",
        "if state.seq != self._plan.base.seq:",
        "if state.cursor != self._plan.base.cursor:",
        _target("test_a_cursor_that_did_not_move_is_fenced_as_well"),
    ),
    Mutant(
        "no fence at all",
        f"{LAKE}/publish.py",
        "if state.seq != self._plan.base.seq:",
        "if False:",
        _target("test_of_two_runs_from_one_base_the_second_is_fenced"),
    ),
    Mutant(
        "a run does not recognise its own commit",
        f"{LAKE}/publish.py",
        "if self._plan.plan_id in state.runs:",
        "if False:",
        _target("test_publishing_again_changes_nothing"),
    ),
    Mutant(
        "the quarantine is appended before the main commit",
        f"{LAKE}/publish.py",
        "            outcome = commit(self._catalog, self._plan.table, self._done, self._change)\n",
        "            main = self._catalog.load_table(self._plan.table)\n"
        "            early = self._pending(main)\n"
        "            if early:\n"
        "                finish_pending(early, str(main.metadata.table_uuid), self._catalog, self._files)\n"
        "            outcome = commit(self._catalog, self._plan.table, self._done, self._change)\n",
        _target("test_of_two_runs_from_one_base_the_second_is_fenced"),
    ),
    Mutant(
        "the main commit does not promise its quarantine",
        f"{LAKE}/publish.py",
        "self._plan.spec.contract.version, self._pending(table))",
        "self._plan.spec.contract.version, '')",
        _target("test_a_missing_quarantine_is_finished_by_the_same_run"),
    ),
    Mutant(
        "the next commit forgets a promised quarantine",
        f"{LAKE}/publish.py",
        "        self._finish(before, table)\n",
        "",
        _target("test_a_missing_quarantine_is_finished_before_the_next_commit"),
    ),
    Mutant(
        "the next plan forgets a promised quarantine",
        f"{LAKE}/iceberg.py",
        "        self._finish_pending(main, job, stream)\n",
        "",
        _target("test_a_missing_quarantine_is_finished_by_the_next_plan"),
    ),
    Mutant(
        "a quarantine append is known by its run only, so a zombie appends again",
        f"{LAKE}/pending.py",
        'return record.get("main") == pending.main and record.get("seq", 0) >= pending.seq',
        'return record.get("run") == pending.plan_id',
        _target("test_a_late_zombie_cannot_double_the_quarantine"),
    ),
    Mutant(
        "a new table inherits the old one's quarantine numbers",
        f"{LAKE}/pending.py",
        'record.get("main") == pending.main and ',
        "",
        _target("test_a_quarantine_outlives_its_main_table"),
    ),
    Mutant(
        "the state moves in a commit of its own, before the rows",
        f"{LAKE}/commit.py",
        "        transaction.set_properties(dict(change.properties))\n",
        "        table.transaction().set_properties(dict(change.properties)).commit_transaction()\n",
        _target("test_state_never_lands_without_its_rows"),
    ),
    Mutant(
        "an empty run commits no snapshot, so nothing is compared",
        f"{LAKE}/commit.py",
        "    producer.commit()  # explicitly",
        "    if change.added or change.removed:\n        producer.commit()  # explicitly",
        _target("test_empty_runs_that_race_fence_each_other"),
    ),
    Mutant(
        "a failure of the call is taken for a failure of the commit",
        f"{LAKE}/commit.py",
        "            problem = failure\n",
        "            raise StorageUnavailable(str(failure)) from failure\n",
        _target("test_a_commit_that_landed_but_was_reported_failed_counts_once"),
    ),
    Mutant(
        "a failure of the call is taken for success",
        f"{LAKE}/commit.py",
        "            problem = failure\n",
        "            return Outcome(table, ours=True)\n",
        _target("test_a_rival_between_load_and_commit_costs_a_retry_and_no_rows"),
    ),
    Mutant(
        "replace appends",
        f"{LAKE}/modes/replace.py",
        "self._work.data), live, counts)",
        "self._work.data), (), counts)",
        _target("test_replace_leaves_only_the_new_rows"),
    ),
    Mutant(
        "replace takes other jobs' rows",
        f"{LAKE}/publish.py",
        "        check_alone(table.properties, self._plan.job, self._plan.stream, self._plan.table)\n",
        "",
        _target("test_a_job_that_joined_after_the_plan_stops_the_replace"),
    ),
    Mutant(
        "an empty source empties the table",
        f"{LAKE}/modes/replace.py",
        "if has_rows and not self._work.data and not self._plan.job.target.allow_empty_replace:",
        "if False:",
        _target("test_an_empty_replace_is_blocked_unless_allowed"),
    ),
    Mutant(
        "whose table it is, is not asked when publishing",
        f"{LAKE}/publish.py",
        "        check_owner(table, self._plan.job.tenant)\n",
        "",
        _target("test_every_publish_checks_whose_table_it_is"),
    ),
    Mutant(
        "lanes share one record",
        f"{LAKE}/state.py",
        'return f"{PREFIX}{job.id}.{stream}{lane.suffix}"',
        'return f"{PREFIX}{job.id}.{stream}"',
        _target("test_a_backfill_never_moves_the_live_cursor"),
    ),
    Mutant(
        "a state that cannot be read is a fresh one",
        f"{LAKE}/state.py",
        "    except (ValueError, KeyError, TypeError, ValidationError, FileNotFoundError) as problem:\n",
        "    except (ValueError, KeyError, TypeError, ValidationError, FileNotFoundError) as problem:\n"
        "        return State()\n",
        ("tests/lake/test_state.py",),
    ),
    Mutant(
        "twins write the same file",
        f"{LAKE}/writer.py",
        "self._nonce = secrets.token_hex(4)",
        'self._nonce = "0"',
        ("tests/lake/test_writer.py::test_twins_with_the_same_attempt_never_share_a_name",),
    ),
    Mutant(
        "staged files are not looked at before they are published",
        f"{LAKE}/publish.py",
        "        check_present(staged, run_folder(self._plan.table_location, self._plan.plan_id), self._files)\n",
        "",
        _target("test_a_staged_file_that_is_gone_stops_the_publish", "test_files_of_another_run_are_refused"),
    ),
    Mutant(
        "files of an older table of this name are taken",
        f"{LAKE}/datafile.py",
        'if file.stats["table"] != str(table.metadata.table_uuid):',
        "if False:",
        _target("test_a_table_made_anew_since_the_plan_is_refused"),
    ),
    Mutant(
        "bounds of personal columns reach the manifests",
        f"{LAKE}/staging.py",
        "unbounded=personal_columns(plan.fields),",
        "unbounded=frozenset(),",
        ("tests/lake/test_writer.py::test_a_table_that_learned_of_personal_data_later_keeps_its_bounds_to_itself",),
    ),
    Mutant(
        "all rows of a batch go to the partition of its first",
        f"{LAKE}/splitter.py",
        "        if groups is None:\n",
        "        if True:\n",
        ("tests/lake/test_writer.py::test_two_partitions_of_one_batch_both_survive",),
    ),
    Mutant(
        "rows that wait on disk for more of their partition are forgotten",
        f"{LAKE}/writer.py",
        "        self._unspill()\n",
        "",
        ("tests/lake/test_writer.py::test_few_rows_of_a_partition_wait_for_more_so_that_row_groups_are_few",),
    ),
    Mutant(
        "times before 1970 are rounded toward zero",
        f"{LAKE}/transforms.py",
        "    below = pc.less(pc.subtract(numbers, pc.multiply(quotient, unit)), 0)\n",
        "    below = pc.less(numbers, pc.subtract(numbers, 1))\n",
        ("tests/lake/test_partition.py",),
    ),
    Mutant(
        "a required column is relaxed although its policy says freeze",
        f"{LAKE}/evolve.py",
        'if self._policies.of("nullability", name, "evolve") == "evolve":\n',
        "if True:\n",
        ("tests/lake/test_evolve.py::test_nullability_is_kept_where_the_policy_says_freeze",),
    ),
    Mutant(
        "a sweep keeps only what the current snapshot needs",
        f"{LAKE}/sweep.py",
        "for snapshot in table.metadata.snapshots:",
        "for snapshot in table.metadata.snapshots[-1:]:",
        ("tests/lake/test_sweep.py",),
    ),
    Mutant(
        "a sweep takes rows promised to the quarantine",
        f"{LAKE}/iceberg.py",
        "keep = set(promised(main, self.files))",
        "keep = set()",
        ("tests/lake/test_sweep.py",),
    ),
    Mutant(
        "create-if-absent overwrites",
        "dativo_provider/files/local.py",
        "os.link(temporary, target)",
        "os.replace(temporary, target)",
        ("tests/files/test_stores.py::TestLocalFiles",),
    ),
    Mutant(
        "a late twin's manifest replaces the winner's",
        f"{PIPELINE}/folder.py",
        "        if self.store.write_new(uri, dump(manifest)):\n",
        "        self.store.write(uri, dump(manifest))\n        if True:\n",
        ("tests/pipeline/test_folder.py::test_of_two_attempts_the_first_to_finish_wins",),
    ),
    Mutant(
        "a finished slice is read again",
        f"{PIPELINE}/extract.py",
        "    if (done := folder.manifest(index)) is not None:\n",
        "    if (done := folder.manifest(index)) is not None and False:\n",
        (f"{RUN}test_a_finished_slice_is_not_read_twice",),
    ),
    Mutant(
        "a read that stopped early counts as complete",
        f"{PIPELINE}/extract.py",
        "    if not read.complete:\n",
        "    if False:\n",
        ("tests/pipeline/test_extract.py::test_a_source_that_ends_early_publishes_nothing",),
    ),
    Mutant(
        "nobody compares the reader's count with the rows it gave",
        f"{PIPELINE}/extract.py",
        "    if read.rows != rows:\n",
        "    if False:\n",
        ("tests/pipeline/test_extract.py::test_a_source_that_miscounts_publishes_nothing",),
    ),
    Mutant(
        "a full refresh of an append stream appends",
        f"{PIPELINE}/plan.py",
        "return TRAITS[job.target.mode].again or job.target.mode if again else job.target.mode",
        "return job.target.mode",
        (f"{RUN}test_a_full_refresh_replaces_instead_of_doubling",),
    ),
    Mutant(
        "a blocked run passes the audit",
        f"{PIPELINE}/audit.py",
        "    if not verdict.publishes:\n        raise blocked(plan, verdict)\n    return verdict\n",
        "    return verdict\n",
        (f"{RUN}test_audit_and_publish_each_refuse_a_blocked_run",),
    ),
    Mutant(
        "publish does not look at the verdict",
        f"{PIPELINE}/publish.py",
        "    if not verdict.publishes:\n",
        "    if False:\n",
        (f"{RUN}test_audit_and_publish_each_refuse_a_blocked_run",),
    ),
    Mutant(
        "an empty source empties the table",
        f"{PIPELINE}/audit.py",
        "    if replaces and not books.extracted and target.has_rows(plan):\n",
        "    if False:\n",
        (f"{RUN}test_a_replace_that_read_nothing_says_so_before_publishing",),
    ),
    Mutant(
        "staged files that the books do not know are published",
        f"{PIPELINE}/audit.py",
        "    if staged != books.produced or aside != books.left_out:\n",
        "    if False:\n",
        ("tests/pipeline/test_audit.py::test_files_that_do_not_add_up_stop_the_run",),
    ),
    Mutant(
        "any home will do",
        "dativo_provider/lake/home.py",
        "    if plan.home != here:\n",
        "    if False:\n",
        (f"{RUN}test_a_step_in_another_home_stops_before_reading",),
    ),
    Mutant(
        "duplicates are looked up upwards only",
        f"{PIPELINE}/duplicates.py",
        "ranges = [(low, have_low)] if low < have_low else []",
        "ranges: list[tuple[Any, Any]] = []",
        ("tests/pipeline/test_duplicates.py",),
    ),
    Mutant(
        "a row set aside before is set aside again by every lookback",
        f"{PIPELINE}/rows.py",
        "        if not self._plan.window.overlap:\n            return rows\n",
        "        return rows\n",
        ("tests/pipeline/test_duplicates.py",),
    ),
    Mutant(
        "lanes do not fence each other",
        f"{LAKE}/publish.py",
        "        fence_lanes(self._plan, table.properties, self._files)\n",
        "",
        ("tests/pipeline/test_overlap.py",),
    ),
    Mutant(
        "backfills do not look for rows of live runs",
        f"{PIPELINE}/overlap.py",
        "        return replace(window, overlap=True)\n",
        "        return replace(window, overlap=False)\n",
        ("tests/pipeline/test_overlap.py",),
    ),
    Mutant(
        "a row set aside is known by its place alone",
        "dativo_provider/quality/quarantine.py",
        "{place}\\x1f{content}",
        "{place}",
        ("tests/quality/test_quarantine.py",),
    ),
    Mutant(
        "a renamed column is added anew, so old values are under a name nobody reads",
        f"{LAKE}/evolve.py",
        "        free = [name for name in field.renamed_from if",
        "        free = [name for name in () if",
        ("tests/lake/test_evolve.py::test_a_renamed_column_keeps_the_values_of_old_files_and_snapshots",),
    ),
    Mutant(
        "files publish although a column they hold was dropped",
        f"{LAKE}/datafile.py",
        "for each in written - _ids(schema)):",
        "for each in set()):",
        ("tests/lake/test_evolve.py::test_files_staged_before_their_column_was_dropped_are_refused",),
    ),
    Mutant(
        "rows with a value in an unknown column pass without it",
        f"{PIPELINE}/unknown.py",
        'if policy == "discard_row"]\n\n    def _absent',
        'if policy == "nothing"]\n\n    def _absent',
        (
            "tests/pipeline/test_schema_policy.py"
            "::test_rows_with_a_value_in_an_unknown_column_go_to_the_quarantine_whole",
        ),
    ),
    Mutant(
        "a part of JSON that nobody knows is cut off although its policy says to set the row aside",
        "dativo_provider/transform/nested.py",
        "        if complete and any(",
        "        if False and any(",
        ("tests/pipeline/test_json_columns.py::test_a_part_the_contract_does_not_know",),
    ),
    Mutant(
        "a sweep ignores that a plan is running",
        f"{LAKE}/sweep.py",
        " | set(running)",
        "",
        ("tests/lake/maintain/test_upkeep.py::test_orphans_go_and_running_jobs_keep_their_files",),
    ),
    Mutant(
        "maintenance does not ask which runs are running",
        f"{PIPELINE}/maintain.py",
        'running=_running(place.ctx) if each == "orphans" else (),',
        "running=(),",
        ("tests/pipeline/test_maintain.py::test_a_run_the_store_says_is_running_keeps_its_staged_files",),
    ),
    Mutant(
        "an expiry does not look at a branch's way back",
        f"{LAKE}/maintain/expire.py",
        "for each in _since_fork(table, name, main)}",
        "for each in ()}",
        ("tests/lake/maintain/test_expire.py::test_a_branch_keeps_its_way_back_to_main",),
    ),
    Mutant(
        "an expiry goes through although a tag was made since it looked",
        f"{LAKE}/maintain/expire.py",
        "(AssertRefs(refs=refs),) if here else tuple(every)",
        "()",
        ("tests/lake/maintain/test_expire.py::test_a_tag_made_while_it_runs_survives",),
    ),
    Mutant(
        "an expiry deletes what was written a moment ago",
        f"{LAKE}/maintain/expire.py",
        "if listed[uri].mtime <= edge]",
        "if listed[uri].mtime <= edge * 2]",
        ("tests/lake/maintain/test_expire.py::test_what_was_written_a_moment_ago_is_left_to_a_later_sweep",),
    ),
    Mutant(
        "a compaction adds its files and removes none",
        f"{LAKE}/maintain/compact.py",
        "data_files(now, added), removed, signed",
        "data_files(now, added), (), signed",
        ("tests/lake/maintain/test_compact.py::test_small_files_become_one_and_every_row_stays",),
    ),
    Mutant(
        "a compaction brings back files that a rival replaced",
        f"{LAKE}/maintain/compact.py",
        "if each.paths <= free]",
        "if each.paths]",
        ("tests/lake/maintain/test_compact.py::test_files_that_a_rival_replaced_meanwhile_do_not_come_back",),
    ),
    Mutant(
        "a compaction takes files of every partition spec",
        f"{LAKE}/maintain/compact.py",
        "if small and file.spec_id == table.spec().spec_id:",
        "if small:",
        ("tests/lake/maintain/test_compact.py::test_files_of_an_older_spec_are_left_alone",),
    ),
    Mutant(
        "a compaction does not know its own commit",
        f"{LAKE}/maintain/work.py",
        "snapshot.summary.get(_CALL) == name for",
        'snapshot.summary.get(_CALL) == "" for',
        ("tests/lake/maintain/test_compact.py::test_a_lost_answer_to_its_commit_is_not_compacted_twice",),
    ),
    Mutant(
        "metadata files of commits in flight are deleted",
        f"{LAKE}/maintain/metadata.py",
        "(_number(info.uri) or 0) < oldest",
        "(_number(info.uri) or 0) >= 0",
        ("tests/lake/maintain/test_upkeep.py::test_a_metadata_file_of_a_commit_in_flight_is_not_deleted",),
    ),
    Mutant(
        "folders of runs go before their records are written down",
        f"{PIPELINE}/history.py",
        '        files.write_new(f"{stream}{_HISTORY}{name}", b"\\n".join(map(dump, found)) + b"\\n")\n',
        "",
        ("tests/pipeline/test_maintain.py::test_folders_of_old_runs_are_folded_and_the_store_can_still_be_rebuilt",),
    ),
    Mutant(
        "mode: a merge leaves the rows it updates",
        f"{LAKE}/modes/merge.py",
        "in ('{ROW}', '{DELETE}')",
        "in ('{DELETE}')",
        _mode("test_a_merge_updates_inserts_and_deletes_in_one_snapshot"),
    ),
    Mutant(
        "mode: an older row overwrites a newer one",
        f"{LAKE}/modes/merge.py",
        'return f"{theirs} is not null and ({mine} is null or {mine} < {theirs})"',
        'return "false"',
        _mode("test_an_older_row_does_not_overwrite_a_newer_one"),
    ),
    Mutant(
        "mode: any share of the table may be deleted by absence",
        f"{LAKE}/modes/missing.py",
        "if missing <= rows * LARGEST_SHARE or",
        "if True or",
        _mode("test_more_than_a_tenth_is_not_deleted_by_absence"),
    ),
    Mutant(
        "mode: rows are called missing although some could not be named",
        f"{LAKE}/modes/missing.py",
        " and full and not work.unread",
        " and full",
        _mode("test_what_was_set_aside_is_not_missing"),
    ),
    Mutant(
        "mode: a window includes its upper edge",
        f"{LAKE}/modes/delete_insert.py",
        "pc.less(values,",
        "pc.less_equal(values,",
        _mode("test_a_window_is_replaced_and_its_edges_are_kept"),
    ),
    Mutant(
        "mode: files of an older partition spec are not looked into",
        f"{LAKE}/modes/delete_insert.py",
        "elif len(found := self._positions(task, wanted)):",
        "elif len(found := self._positions(task, set())):",
        _mode("test_files_of_an_older_partition_spec_give_up_their_rows_one_by_one"),
    ),
    Mutant(
        "mode: a history forgets when a version was last confirmed",
        f"{LAKE}/modes/scd2.py",
        'yield known % (seen, ROW, row, f"and {seen} > {begin} and ({end} is null or {seen} < {end})")',
        "pass",
        _mode("test_a_version_confirmed_later_than_a_late_one_comes_back"),
    ),
    Mutant(
        "mode: what a gone file held is still planned with",
        f"{LAKE}/modes/keyed.py",
        'self.db.run(f"delete from existing where {FILE} = ?", [path])',
        "pass",
        _mode("test_a_rival_merge_costs_only_what_it_changed"),
    ),
    Mutant(
        "mode: files written in vain stay",
        f"{LAKE}/modes/rewrite.py",
        "self._made.keys() - self._used if committed else ():",
        "():",
        _mode("test_a_rival_merge_costs_only_what_it_changed"),
    ),
    Mutant(
        "mode: the order column does not decide within a run",
        f"{PIPELINE}/settle.py",
        'return f"{quoted(column)} desc nulls last, " if column else ""',
        'return ""',
        ("tests/pipeline/test_modes.py::test_the_newest_of_a_run_wins_across_its_slices",),
    ),
    Mutant(
        "mode: rows without a key are published",
        f"{PIPELINE}/shape.py",
        "condemned = {**condemned, NO_KEY: lacking}",
        "condemned = {**condemned}",
        ("tests/pipeline/test_modes.py::test_a_row_without_a_key_is_set_aside_and_matches_nothing",),
    ),
    Mutant(
        "mode: rows that were set aside count as missing",
        f"{PIPELINE}/rows.py",
        "if self._keeps and shaped.bad is not None:",
        "if False:",
        ("tests/pipeline/test_modes.py::test_a_full_load_deletes_what_is_missing_but_not_what_was_set_aside",),
    ),
    Mutant(
        "a rollback leaves the cursor where it was",
        f"{LAKE}/rollback.py",
        "now = replace(now, cursor=stood.cursor, rewound=stood.rewound)",
        "now = replace(now, rewound=stood.rewound)",
        ("tests/lake/test_rollback.py::test_rows_and_cursor_go_back_together_and_the_quarantine_stays",),
    ),
    Mutant(
        "a rollback fences nobody",
        f"{LAKE}/rollback.py",
        "after = now.step(self._run)",
        "after = replace(now, runs=(*now.runs, self._run))",
        ("tests/lake/test_rollback.py::test_a_run_planned_before_a_rollback_is_fenced",),
    ),
    Mutant(
        "an approval moves main without looking whether it goes forward",
        f"{LAKE}/approval.py",
        "if main_head(table) == _began_at(table, head, self._plan):",
        "if main_head(table) is not None:",
        ("tests/lake/test_approval.py::test_rows_that_are_only_added_go_on_top_of_what_others_have_committed_since",),
    ),
    Mutant(
        "a merge that was looked at is another one when it is published",
        f"{LAKE}/approval.py",
        "if snapshot.summary is None or snapshot.summary.operation != Operation.REPLACE:",
        "if snapshot.summary is None:",
        ("tests/lake/test_approval.py::test_an_approval_that_would_drop_what_others_have_committed_since_is_refused",),
    ),
    Mutant(
        "what a reviewer has committed to the branch is left out",
        f"{LAKE}/approval.py",
        "if not _is_of(table.metadata.snapshot_by_id(head), self._plan):",
        "if False:",
        (
            "tests/lake/test_approval.py::"
            "test_what_a_reviewer_has_committed_to_the_branch_is_published_or_refused_never_left_out",
        ),
    ),
    Mutant(
        "the folder of a run that waits is folded away",
        f"{PIPELINE}/history.py",
        "and not _waits(RunFolder(files, folder))",
        "and folder",
        ("tests/pipeline/test_maintain.py::test_the_folder_of_a_run_that_waits_is_kept_until_it_is_decided",),
    ),
    Mutant(
        "a run that waits has moved its lane already",
        f"{LAKE}/approval.py",
        "return replace(made, summary=summary, properties={}, refs",
        "return replace(made, summary=summary, refs",
        ("tests/lake/test_approval.py::test_what_waits_is_on_its_branch_only_and_so_is_its_state",),
    ),
    Mutant(
        "a twin can bring back a rejected run",
        f"{LAKE}/approval.py",
        "before.step(change_id)",
        "replace(before, runs=(*before.runs, change_id))",
        ("tests/lake/test_approval.py::test_a_rejected_run_is_gone_and_its_twin_cannot_bring_it_back",),
    ),
    Mutant(
        "a lane that was set back doubles its rows",
        f"{PIPELINE}/state.py",
        "passed = before.seq > 0 and not is_after(cursor, before.cursor)",
        "passed = False",
        ("tests/cli/test_state.py::test_a_reset_reads_the_files_again_and_a_key_keeps_their_rows_from_doubling",),
    ),
    Mutant(
        "files that other branches of the catalog need are swept",
        f"{LAKE}/sweep.py",
        'return str(table.properties.get("gc.enabled", "true")).lower() != "false"',
        "return True",
        ("tests/lake/test_sweep.py::test_where_the_catalog_keeps_more_than_the_table_shows_nothing_goes",),
    ),
    Mutant(
        "tables in Nessie begin without a snapshot",
        f"{LAKE}/catalogs/seeded.py",
        "        transaction.update_snapshot().fast_append().commit()\n",
        "",
        ("tests/lake/test_catalog.py::TestNessie",),
    ),
    Mutant(
        "a table without a snapshot is committed to, in Nessie",
        f"{LAKE}/catalogs/seeded.py",
        "if first and not made:",
        "if False:",
        ("tests/lake/test_nessie.py::test_a_table_without_a_snapshot_is_refused",),
    ),
    Mutant(
        "a big file is cut wherever a line ends",
        f"{CSV}/split.py",
        "    if not plainly_quoted(text, dialect):\n        raise _Uncertain\n",
        "",
        ("tests/connectors/csv/test_split.py",),
    ),
    Mutant(
        "the last part of a big file is forgotten",
        f"{CSV}/split.py",
        "    if at > emitted:\n",
        "    if at > emitted + step:\n",
        ("tests/connectors/csv/test_split.py",),
    ),
    Mutant(
        "parts of a big file are one byte off",
        f"{CSV}/split.py",
        'first = facts["size"] - edges[-1].at',
        'first = facts["size"] - edges[-1].at + 1',
        ("tests/connectors/csv/test_split.py",),
    ),
    Mutant(
        "a connection that saw an error is used again",
        "dativo_provider/connectors/pool.py",
        "                connection.close()\n            connection = None\n            raise",
        "                pass\n            raise",
        ("tests/connectors/test_pool.py",),
    ),
    Mutant(
        "a broken connection is used again",
        "dativo_provider/connectors/pool.py",
        "            if connection.reusable():\n",
        "            if True:\n",
        ("tests/connectors/test_pool.py",),
    ),
    Mutant(
        "more connections than allowed",
        "dativo_provider/connectors/pool.py",
        "            self._used += 1\n        with",
        "            pass\n        with",
        ("tests/connectors/test_pool.py",),
    ),
    Mutant(
        "a connection in use outlives the pool",
        "dativo_provider/connectors/pool.py",
        "if keep and connection is not None and not self._closed:",
        "if keep and connection is not None:",
        ("tests/connectors/test_pool.py",),
    ),
    Mutant(
        "metadata files that other branches of the catalog need are deleted",
        f"{LAKE}/maintain/metadata.py",
        "    if not may_delete(table):\n        return []\n",
        "",
        ("tests/lake/maintain/test_upkeep.py::test_where_the_catalog_keeps_more_than_the_table_shows_nothing_goes",),
    ),
    Mutant(
        "hours before 1970 are rounded toward zero, where other engines do not look for them",
        f"{LAKE}/transforms.py",
        "return pc.subtract(quotient, below.cast(pa.int64()))",
        "return quotient",
        ("tests/lake/readback/test_values.py::test_rows_before_1970_are_found[duck-by_hour]",),
    ),
    Mutant(
        "snapshots expire although others may need their files",
        f"{LAKE}/maintain/expire.py",
        "    if not may_delete(table):\n        return set()\n",
        "",
        ("tests/lake/maintain/test_expire.py::test_where_others_may_need_the_files_nothing_is_forgotten",),
    ),
    Mutant(
        "a version of a folder is written whoever was there first",
        f"{PLAIN}/catalog.py",
        "        if not self._files.write_new(self._uri(name, version), data):\n            return False\n",
        "        self._files.write(self._uri(name, version), data)\n",
        _plain("folders", "test_of_two_who_write_one_version_the_second_begins_again"),
    ),
    Mutant(
        "the hint is believed",
        f"{PLAIN}/catalog.py",
        "        while self._files.exists(self._uri(name, version + 1)):\n            version += 1\n",
        "",
        _plain("folders", "test_the_hint_may_lag_or_be_lost"),
    ),
    Mutant(
        "a number that was swept is free again",
        f"{PLAIN}/catalog.py",
        "        if self._was_swept(name, version):",
        "        if False and self._was_swept(name, version):",
        _plain("folders", "test_a_writer_that_slept_through_a_sweep_of_versions_cannot_take_a_free_number"),
    ),
    Mutant(
        "whether a number was swept is told by the hint alone",
        f"{PLAIN}/catalog.py",
        "        if version > 1 and not self._files.exists(self._uri(name, version - 1)):\n            return True\n",
        "",
        _plain("upkeep", "test_a_swept_number_is_not_free_even_when_the_hint_lags"),
    ),
    Mutant(
        "a dropped table frees its numbers",
        f"{PLAIN}/catalog.py",
        "        if not self._put(name, version + 1, metadata.model_dump_json().encode()):",
        "        if not self._put(name, 1, metadata.model_dump_json().encode()):",
        _plain("folders", "test_numbers_go_on_when_a_table_is_made_anew"),
    ),
    Mutant(
        "a run does not say what it is about to publish",
        f"{PLAIN}/placement.py",
        "            self._files.write_new(intent_uri(plan.table_location, plan.plan_id), dump(intent))\n",
        "            dump(intent)\n",
        _plain("folders", "test_copies_of_a_run_that_died_go_with_the_next_one"),
    ),
    Mutant(
        "all attempts of a compaction share their copies",
        f"{PLAIN}/placement.py",
        '        plan_id += f".v{version_of(table.metadata_location)}"\n',
        '        plan_id += ".v0"\n',
        _plain(
            "upkeep",
            "test_tidying_takes_nothing_of_a_compaction_that_may_still_commit",
            "test_a_sleeping_compaction_commits_nothing_whose_copies_were_taken_back",
        ),
    ),
    Mutant(
        "copies of a compaction that lost stay",
        f"{PLAIN}/tidy.py",
        "or (base is not None and base < version)",
        "",
        _plain("upkeep", "test_copies_of_an_attempt_that_lost_its_race_are_taken_back"),
    ),
    Mutant(
        "tagged files of a folder are compacted",
        f"{PLAIN}/target.py",
        "        return tagged_files(table)\n",
        "        return ()\n",
        _plain("upkeep", "test_tagged_files_are_neither_compacted_nor_expired"),
    ),
    Mutant(
        "a rollback returns to files that have left the folders",
        f"{PLAIN}/versions.py",
        '        self._check_current(table, snapshot, "come back")\n',
        "",
        _plain("upkeep", "test_there_is_no_way_back_to_files_that_have_left_the_folders"),
    ),
    Mutant(
        "sweeps of versions begin anywhere",
        f"{LAKE}/maintain/metadata.py",
        "    return sorted(dropped, key=lambda info: _number(info.uri) or 0)\n",
        "    return sorted(dropped, key=lambda info: info.uri)\n",
        _plain("upkeep", "test_old_versions_of_the_manifest_go_and_the_oldest_first"),
    ),
    Mutant(
        "values that only folders say are forgotten when files are rewritten",
        f"{LAKE}/rows.py",
        "            yield filled(_projected(batch, have, wanted), said)\n",
        "            yield _projected(batch, have, wanted)\n",
        _plain("upkeep", "test_small_files_become_one_per_folder_and_keep_what_only_folders_say"),
    ),
    Mutant(
        "a lookup whose key comes twice is joined",
        f"{PIPELINE}/lookups.py",
        "            check_unique(bare, rows, pin.of, max(128, self._ctx.settings.memory_limit_mb // 4))\n",
        "",
        (f"{LOOKUPS}test_a_key_that_comes_twice_is_refused_before_any_row_is_read",),
    ),
    Mutant(
        "a retry looks up in the table as it is by then",
        f"{PIPELINE}/lookups.py",
        "target.version(plan.job, spec.table, pin.version)",
        "target.version(plan.job, spec.table)",
        (f"{LOOKUPS}test_a_table_is_read_at_the_snapshot_of_the_plan_whatever_is_published_meanwhile",),
    ),
    Mutant(
        "lookups are kept by name only",
        f"{PIPELINE}/lookup_cache.py",
        "repr((tenant, pin.of, pin.version, pin.columns))",
        "repr((tenant, pin.of, pin.columns))",
        (f"{LOOKUPS}test_a_table_is_read_once_per_machine_and_anew_for_a_new_snapshot",),
    ),
    Mutant(
        "what a lookup finds comes in the order of the join",
        "dativo_provider/transform/lookups.py",
        '            f"ORDER BY given.{_PLACE}"\n',
        '            f"ORDER BY found.{_PLACE}"\n',
        ("tests/transform/test_lookups.py",),
    ),
    Mutant(
        "a tenant looks up in another tenant's table",
        f"{LAKE}/versions.py",
        "    _check_readable(catalog, table, job.tenant)\n",
        "",
        (f"{LOOKUPS}test_only_tables_of_the_tenant_and_shared_ones_are_read",),
    ),
    Mutant(
        "what a plan has published counts against its own keys",
        f"{LAKE}/read.py",
        '        if said(snapshot).get("dativo.run") == plan_id:\n',
        '        if said(snapshot).get("dativo.run") == "":\n',
        ("tests/pipeline/test_checks.py::test_rows_of_this_very_plan_do_not_count_against_it",),
    ),
    Mutant(
        "a row on which a condition cannot be told passes",
        "dativo_provider/quality/stream.py",
        "    return false if truth.failed is None else pc.or_(false, truth.failed)\n",
        "    return false\n",
        ("tests/quality/test_stream.py::test_a_row_on_which_a_condition_cannot_be_told_is_no_good_row",),
    ),
    Mutant(
        "a replay claims its rows after it has published them",
        f"{PIPELINE}/publish.py",
        "    _claim(plan, ctx)\n    try:\n        outcome = target.publish(plan, manifests, cursor)\n",
        "    try:\n        outcome = target.publish(plan, manifests, cursor)\n        _claim(plan, ctx)\n",
        _replay("test_a_replay_that_dies_right_after_its_commit_has_nothing_left_to_do"),
    ),
    Mutant(
        "a replay's claim counts although its rows were never published",
        f"{PIPELINE}/inbox/view.py",
        "from log where status <> 'replayed' or action in (select id from replays) group by all",
        "from log group by all",
        _replay("test_a_claim_without_its_commit_means_nothing"),
    ),
    Mutant(
        "two replays may publish the rows that both have chosen",
        f"{PIPELINE}/plan.py",
        "    if request.replay and state.seq != request.replay.lanes.get(request.lane.suffix, 0):\n",
        "    if request.replay and state.seq < request.replay.lanes.get(request.lane.suffix, 0):\n",
        _replay("test_of_two_replays_that_chose_the_same_row_one_publishes_it"),
    ),
    Mutant(
        "a replay looks at the lanes after it has chosen its rows",
        f"{PIPELINE}/plan.py",
        "    lanes = request.replay.lanes if request.replay else target.lanes(job, spec)\n",
        "    lanes = target.lanes(job, spec)\n",
        _replay("test_a_full_refresh_beside_a_replay_wins_and_its_own_entry_is_the_open_one"),
    ),
    Mutant(
        "an older entry of a row in the inbox may be replayed beside the newer one",
        f"{PIPELINE}/inbox/view.py",
        '        parts.append("status in (select unnest(?)) and not superseded")\n',
        '        parts.append("status in (select unnest(?))")\n',
        ("tests/pipeline/inbox/test_view.py::test_of_a_row_that_several_runs_set_aside_only_the_newest_is_open",),
    ),
    Mutant(
        "what was done about rows of the inbox is forgotten before the rows",
        f"{PIPELINE}/inbox/expire.py",
        "    rows = tables.remove(tables.quarantine, new_id(now), _KEYS, row)\n"
        "    return Expired(name, rows, tables.remove(tables.log, new_id(now), _FIXES, line))\n",
        "    lines = tables.remove(tables.log, new_id(now), _FIXES, line)\n"
        "    return Expired(name, tables.remove(tables.quarantine, new_id(now), _KEYS, row), lines)\n",
        ("tests/pipeline/inbox/test_expire.py::test_an_expiry_that_dies_halfway_opens_no_replayed_row",),
    ),
)
