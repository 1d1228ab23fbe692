"""compact: small data files become files of the target size, in one `replace` snapshot per round.

Rows keep the order in which they were published. Files of older partition specs are left alone, files that must stay
where they are, and tables with delete files: rewriting those would bring deleted rows back.
"""

from __future__ import annotations

import secrets
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from dativo_provider.errors import DativoError, InternalError, StorageUnavailable
from dativo_provider.lake.commit import Change, commit
from dativo_provider.lake.datafile import REWRITE, data_files, left_out, live_files, run_folder
from dativo_provider.lake.maintain.rewrite import replace_files
from dativo_provider.lake.maintain.work import Work, data_entries, has_deletes, is_signed, signed, total
from dativo_provider.lake.partition import to_json
from dativo_provider.lake.rows import file_rows
from dativo_provider.lake.sink import CODECS, Encoding
from dativo_provider.lake.writer import LakeFileWriter
from dativo_provider.model.maintenance import Amount, Upkeep
from dativo_provider.model.run import StagedFile

if TYPE_CHECKING:
    from pyiceberg.manifest import DataFile, ManifestEntry
    from pyiceberg.table import Table

__all__ = ["Bin", "plan_bins", "run"]

WHAT = "data files"
_SMALL = 0.75  # of the target size
_ROUND = 64  # files written per commit: what a kill can cost


@dataclass(frozen=True)
class Bin:
    """Files of one partition that become one file."""

    partition: tuple[Any, ...]
    files: tuple[DataFile, ...]

    @property
    def paths(self) -> frozenset[str]:
        return frozenset(file.file_path for file in self.files)

    @property
    def bytes(self) -> int:
        return sum(file.file_size_in_bytes for file in self.files)

    @property
    def rows(self) -> int:
        return sum(file.record_count for file in self.files)


class _Moved(Exception):
    """Nothing of this round is there any more."""


def run(work: Work) -> Upkeep:
    table = work.load()
    before = total([entry.data_file.file_size_in_bytes for entry in data_entries(table)])
    if has_deletes(table):
        note = "it has delete files of another engine; compact it with that engine"
        return Upkeep("compact", work.table, WHAT, before, before, "skipped", note)
    bins = plan_bins(table, work)
    if not bins and not work.dry_run:
        work.delete(work.strays())  # of a compaction that died after its commit
    if not bins:
        return work.nothing("compact", WHAT, before)
    if work.dry_run:
        return work.report("compact", WHAT, before, _without(before, bins, len(bins), sum(b.bytes for b in bins)))
    lost = 0
    for start in range(0, len(bins), _ROUND):
        lost += _round(work, bins[start : start + _ROUND])
        work.delete(work.strays())
    after = total([entry.data_file.file_size_in_bytes for entry in data_entries(work.load())])
    note = f"{lost} of {len(bins)} groups were changed by another writer meanwhile; the next run does them"
    return work.report("compact", WHAT, before, after, note if lost else "")


def _without(before: Amount, bins: Sequence[Bin], files: int, size: int) -> Amount:
    gone = sum(len(each.files) for each in bins)
    return Amount(before.files - gone + files, before.bytes - sum(each.bytes for each in bins) + size)


def plan_bins(table: Table, work: Work) -> list[Bin]:
    """What is worth rewriting: enough small files of one partition, or so many that they fill a file."""
    target, groups, pinned = work.spec.target_mb << 20, defaultdict(list), work.pinned(table)
    for entry in data_entries(table):
        file = entry.data_file
        small = file.file_size_in_bytes < _SMALL * target and file.file_path not in pinned
        if small and file.spec_id == table.spec().spec_id:
            groups[_partition(file, table)].append(entry)
    found = [Bin(key, tuple(files)) for key, group in groups.items() for files in _packed(group, target)]
    return [each for each in found if _worthwhile(each, work.spec.min_files, target)]


def _partition(file: DataFile, table: Table) -> tuple[Any, ...]:
    return tuple(file.partition[position] for position in range(len(table.spec().fields)))


def _packed(group: Sequence[ManifestEntry], target: int) -> Iterator[list[DataFile]]:
    """Neighbours in the order of publishing: what came together stays together, so statistics still prune."""
    files: list[DataFile] = []
    for entry in sorted(group, key=lambda entry: (entry.sequence_number or 0, entry.data_file.file_path)):
        if files and sum(file.file_size_in_bytes for file in files) + entry.data_file.file_size_in_bytes > target:
            yield files
            files = []
        files.append(entry.data_file)
    yield files


def _worthwhile(found: Bin, min_files: int, target: int) -> bool:
    full = len(found.files) > 1 and found.bytes >= _SMALL * target
    return full or len(found.files) >= max(2, min_files)


def _round(work: Work, bins: Sequence[Bin]) -> int:
    """Writes and commits one round; how many of `bins` another writer has changed meanwhile."""
    table, name = work.load(), f"{REWRITE}{time.strftime('%Y%m%dT%H%M%S', time.gmtime())}-{secrets.token_hex(4)}"
    tried = [(each, _written(work, table, each, name, number)) for number, each in enumerate(bins)]
    written = [(each, files) for each, files in tried if files is not None]
    kept: list[Bin] = []

    def change(now: Table) -> Change:
        """Of what was written, as much as still stands for files that are live."""
        live = {} if has_deletes(now) else live_files(now)
        free = live.keys() - set(work.pinned(now))
        good = [(each, files) for each, files in written if each.paths <= free]
        kept[:] = [each for each, _ in good]
        if not good:
            raise _Moved
        added = [file for _, files in good for file in files]
        removed = [live[path] for each, _ in good for path in sorted(each.paths)]
        return Change(data_files(now, added), removed, signed(now, "compact", name), update=replace_files)

    try:
        commit(work.catalog, work.table, lambda now: is_signed(now, name), change)
    except _Moved:
        return len(bins)
    return len(bins) - len(kept)


def _written(work: Work, table: Table, each: Bin, name: str, number: int) -> tuple[StagedFile, ...] | None:
    """None when another writer has replaced files of `each` meanwhile: where no snapshot keeps them, they are gone."""
    try:
        return _write(work, table, each, name, number)
    except StorageUnavailable:
        if each.paths <= live_files(work.load()).keys():
            raise
        return None


def _write(work: Work, table: Table, each: Bin, name: str, number: int) -> tuple[StagedFile, ...]:
    """The rows of `each` in one new file nobody sees yet. Raises `InternalError` rather than lose or move a row."""
    from pyiceberg.table import FileScanTask

    folder, target = run_folder(table.location(), name), work.spec.target_mb << 20
    writer = LakeFileWriter(
        table, folder, f"c{number:05d}", target_bytes=2 * target, encoding=_encoding(table),
        unbounded=_unbounded(table), left_out=left_out(table), budget=work.budget,
    )  # fmt: skip
    try:
        for file in each.files:
            for batch in file_rows(table, FileScanTask(file)):
                work.check_cancelled()
                writer.write(batch)
        made = writer.close()
    except BaseException:
        writer.abort()
        raise
    _check(table, each, made)
    return made


def _check(table: Table, each: Bin, made: Sequence[StagedFile]) -> None:
    if (rows := sum(file.rows for file in made)) != each.rows:
        raise _refused(table, f"{each.rows} rows became {rows}")
    wanted = to_json(each.partition, table.spec())
    if any(dict(file.partition) != wanted for file in made):
        raise _refused(table, "a file holds rows of another partition than its manifest says")


def _refused(table: Table, what: str) -> DativoError:
    return InternalError(
        f"compaction would change the table: {what}", where=".".join(table.name()),
        remedy="nothing was changed; leave `compact` out for this table and report this",
    )  # fmt: skip


def _encoding(table: Table) -> Encoding:
    """As the table's properties want it."""
    codec = table.properties.get("write.parquet.compression-codec", "zstd").lower()
    bloom = _columns(table, "write.parquet.bloom-filter-enabled.column.", "true")
    return Encoding(codec if codec in CODECS else "zstd", bloom)


def _unbounded(table: Table) -> frozenset[str]:
    """Columns without bounds, personal ones above all."""
    return _columns(table, "write.metadata.metrics.column.", "none")


def _columns(table: Table, prefix: str, word: str) -> frozenset[str]:
    named = {key.removeprefix(prefix): value for key, value in table.properties.items() if key.startswith(prefix)}
    return frozenset(name for name, value in named.items() if value == word)
