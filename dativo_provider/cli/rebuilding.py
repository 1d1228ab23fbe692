"""The records of runs, made again from the folders that runs leave beside their tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from dativo_provider.errors import DativoError
from dativo_provider.files import FileStore, open_files
from dativo_provider.model.books import Books
from dativo_provider.model.checks import Verdict
from dativo_provider.model.context import RunContext
from dativo_provider.model.run import Plan, Published, RunRecord, load
from dativo_provider.pipeline.folder import RunFolder
from dativo_provider.pipeline.records import record_of
from dativo_provider.vocabulary import RunStatus

__all__ = ["records"]


def records(ctx: RunContext) -> Iterator[RunRecord]:
    """Of the deployment's warehouse, oldest first."""
    root = f"{ctx.settings.catalog.warehouse.rstrip('/')}/_dativo/runs"
    files = open_files(root, ctx.settings.catalog.properties)
    listed = {info.uri: info.mtime for info in files.list(root)}
    for uri in sorted((uri for uri in listed if uri.endswith("/plan.json")), key=lambda uri: uri.split("/")[-2]):
        folder = RunFolder.of_plan(files, uri)
        inside = [mtime for name, mtime in listed.items() if name.startswith(f"{folder.uri}/")]
        yield _record(folder, folder.plan(), max(inside))


def _record(folder: RunFolder, plan: Plan, touched: float) -> RunRecord:
    verdict, published, books = _verdict(folder), _published(folder.store, folder.uri), _books(folder, plan)
    return replace(
        record_of(plan, _status(verdict, published, books)),
        finished_at=datetime.fromtimestamp(touched, UTC).isoformat(),
        snapshot_id=published.snapshot_id if published else None,
        books=books,
        verdict=verdict,
    )


def _status(verdict: Verdict | None, published: Published | None, books: Books) -> RunStatus:
    """A run that wrote down no outcome was killed or failed; its folder cannot tell which."""
    if published:
        return "published" if books.extracted or published.deleted else "nothing_new"
    return "blocked" if verdict and not verdict.publishes else "failed"


def _verdict(folder: RunFolder) -> Verdict | None:
    try:
        return folder.verdict()
    except DativoError:
        return None


def _published(files: FileStore, folder: str) -> Published | None:
    uri = f"{folder}/published.json"
    return load(Published, files.read(uri)) if files.exists(uri) else None


def _books(folder: RunFolder, plan: Plan) -> Books:
    made = folder.transformed()
    parts = [made] if made else [folder.manifest(piece.index) for piece in plan.slices]
    return sum((manifest.books for manifest in parts if manifest), Books())
