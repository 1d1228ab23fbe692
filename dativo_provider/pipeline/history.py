"""The records of runs, made again from what runs leave beside their tables: their folders, or once those are old, a
file of finished records per stream.

    <warehouse>/_dativo/runs/<tenant>/<job>/<stream>/<plan id>/plan.json, manifests/, verdict.json, published.json
    <warehouse>/_dativo/runs/<tenant>/<job>/<stream>/history/<when>-<nonce>.jsonl

The levels that somebody has accepted lie beside them (`acceptance`) and stay.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from dativo_provider.errors import DativoError
from dativo_provider.files import FileInfo, FileStore, join, parent
from dativo_provider.model.books import Books
from dativo_provider.model.checks import Verdict
from dativo_provider.model.context import RunContext
from dativo_provider.model.run import Plan, Published, RunRecord, dump, load
from dativo_provider.pipeline.folder import RunFolder
from dativo_provider.pipeline.numbers import measured, scored
from dativo_provider.pipeline.records import record_of
from dativo_provider.pipeline.workplace import run_files
from dativo_provider.vocabulary import RunStatus

__all__ = ["fold", "old_runs", "records"]

_HISTORY = "/history/"
_NO_RUNS = ("/history", "/accepted")  # folders of a stream that are no run's
_UNPUBLISHED: Mapping[str, RunStatus] = {"waiting": "awaiting_approval", "rejected": "rejected"}


def records(ctx: RunContext) -> Iterator[RunRecord]:
    """Of every run of the deployment's warehouse."""
    root = f"{ctx.settings.catalog.warehouse.rstrip('/')}/_dativo/runs"
    files = run_files(root, ctx)
    listed = files.list(root)
    seen: set[str] = set()
    for info in listed:
        if parent(info.uri).endswith("/history"):
            for record in _remembered(files, info.uri):
                seen.add(record.plan_id)
                yield record
    for folder, inside in sorted(_folders(listed).items(), key=lambda item: item[0].rpartition("/")[2]):
        if folder.rpartition("/")[2] not in seen and _is_run(folder, inside):
            yield _record(RunFolder(files, folder), max(info.mtime for info in inside))


def old_runs(files: FileStore, root: str, before: float, running: Collection[str]) -> dict[str, list[FileInfo]]:
    """Folders below `root` that nobody has touched since, by URI, with their files. A run that waits for its approval
    needs its folder, however old."""
    found = _folders(files.list(root))
    return {
        folder: inside
        for folder, inside in found.items()
        if max(info.mtime for info in inside) < before
        and folder.rpartition("/")[2] not in running
        and not _waits(RunFolder(files, folder))
    }


def _waits(folder: RunFolder) -> bool:
    published = folder.published()
    return published is not None and published.outcome == "waiting"


def fold(files: FileStore, folders: dict[str, list[FileInfo]]) -> None:
    """Writes the records of the runs down, then removes their folders; `plan.json` first, so that a folder that is
    half gone is never taken for a run."""
    by_stream: dict[str, list[str]] = defaultdict(list)
    for folder, inside in folders.items():
        if _is_run(folder, inside):
            by_stream[parent(folder)].append(folder)
    for stream, runs in by_stream.items():
        found = [_record(RunFolder(files, run), max(info.mtime for info in folders[run])) for run in sorted(runs)]
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}.jsonl"
        files.write_new(f"{stream}{_HISTORY}{name}", b"\n".join(map(dump, found)) + b"\n")
    for inside in folders.values():
        for info in sorted(inside, key=lambda info: not info.uri.endswith("/plan.json")):
            files.delete(info.uri)


def _remembered(files: FileStore, uri: str) -> Iterable[RunRecord]:
    return [load(RunRecord, line) for line in files.read(uri).splitlines() if line]


def _folders(listed: Iterable[FileInfo]) -> dict[str, list[FileInfo]]:
    """Files by the folder of their run."""
    found: dict[str, list[FileInfo]] = defaultdict(list)
    for info in listed:
        if not parent(info.uri).endswith(_NO_RUNS):
            found[parent(info.uri).removesuffix("/manifests")].append(info)
    return dict(found)


def _is_run(folder: str, inside: Iterable[FileInfo]) -> bool:
    return any(info.uri == join(folder, "plan.json") for info in inside)


def _record(folder: RunFolder, touched: float) -> RunRecord:
    plan = folder.plan()
    verdict, published, books = _verdict(folder), folder.published(), _books(folder, plan)
    status = _status(verdict, published, books)
    return replace(
        record_of(plan, status),
        finished_at=datetime.fromtimestamp(touched, UTC).isoformat(),
        snapshot_id=published.snapshot_id if published else None,
        books=books,
        verdict=verdict,
        decided_by=published.decided_by if published else "",
        numbers=_numbers(folder, plan, verdict, status),
    )


def _numbers(folder: RunFolder, plan: Plan, verdict: Verdict | None, status: RunStatus) -> dict[str, float]:
    if verdict is None:
        return {}
    accepted = status in ("published", "nothing_new")
    return scored(plan, verdict) | (measured(folder, plan, verdict) if accepted else {})


def _status(verdict: Verdict | None, published: Published | None, books: Books) -> RunStatus:
    """A run that wrote down no outcome was killed or failed; its folder cannot tell which."""
    if published and published.outcome in _UNPUBLISHED:
        return _UNPUBLISHED[published.outcome]
    if published:
        return "published" if books.extracted or published.deleted else "nothing_new"
    return "blocked" if verdict and not verdict.publishes else "failed"


def _verdict(folder: RunFolder) -> Verdict | None:
    try:
        return folder.verdict()
    except DativoError:
        return None


def _books(folder: RunFolder, plan: Plan) -> Books:
    made = folder.without_repeats() or folder.transformed()
    parts = [made] if made else [folder.manifest(piece.index) for piece in plan.slices]
    return sum((manifest.books for manifest in parts if manifest), Books())
