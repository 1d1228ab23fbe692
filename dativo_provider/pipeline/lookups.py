"""Lookups of a run: pinned once by `plan`, and the same for every slice, retry and replay of that plan.

A table is pinned by its snapshot. Of a file, which may be replaced at any time and lie on another machine, the plan
keeps the columns that are read in the run's folder, until the run is published.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dativo_provider.config.roots import located
from dativo_provider.errors import SourceChanged
from dativo_provider.files import FileMissing, FileStore, join
from dativo_provider.model.budget import Budget
from dativo_provider.model.context import RunContext
from dativo_provider.model.job import JobSpec
from dativo_provider.model.lookup import LookupPin, LookupSpec
from dativo_provider.model.run import Plan
from dativo_provider.model.target import Target
from dativo_provider.pipeline.lookup_cache import LookupCache, key_of
from dativo_provider.pipeline.lookup_rows import LookupFile, gathered, too_large
from dativo_provider.pipeline.workplace import run_files

if TYPE_CHECKING:
    import pyarrow as pa

    from dativo_provider.transform.lookups import Lookup

_READ_AT_ONCE = 1 << 30

__all__ = ["Pinning", "described", "open_lookups", "release_lookups"]


def described(job: JobSpec) -> tuple[Lookup, ...] | None:
    """The columns that are read of each, without rows or a catalog; None when a table or a missing file is among them.

    Raises what planning would of them.
    """
    from dativo_provider.transform.lookups import Lookup, read_columns

    found = []
    for spec in job.lookups:
        if spec.table or not Path(located(spec.path, job.source.roots)).is_file():
            return None
        fields = LookupFile(spec, job.source.roots, _READ_AT_ONCE).fields
        found.append(Lookup(spec, read_columns(spec, job.transforms, fields, spec.path)))
    return tuple(found)


class Pinning:
    """Reads every lookup of a job, and checks it before any row of the source is read."""

    def __init__(self, job: JobSpec, folder: str, target: Target, ctx: RunContext) -> None:
        self._job, self._folder, self._target, self._ctx = job, folder, target, ctx
        self._cache = _cache(ctx)
        self._left = Budget.of(ctx.settings).lookup_bytes

    def pinned(self) -> tuple[tuple[LookupPin, ...], tuple[Lookup, ...]]:
        """Raises `ConfigurationError` (not there, not the tenant's, too large), `DataError` (a key comes twice)."""
        made = [(self._table if spec.table else self._file)(spec) for spec in self._job.lookups]
        for pin, _ in made:
            self._ctx.log.info("lookup %s: %d rows of %s, version %s", pin.name, pin.rows, pin.of, pin.version)
        return tuple(pin for pin, _ in made), tuple(lookup for _, lookup in made)

    def _table(self, spec: LookupSpec) -> tuple[LookupPin, Lookup]:
        from dativo_provider.transform.lookups import read_columns

        now = self._target.version(self._job, spec.table)
        columns = read_columns(spec, self._job.transforms, now.fields, now.name)
        pin = LookupPin(spec.name, now.name, now.version, columns, 0)
        return self._checked(spec, pin, lambda: gathered(now.read(columns), columns, self._left, spec))

    def _file(self, spec: LookupSpec) -> tuple[LookupPin, Lookup]:
        from dativo_provider.transform.lookups import read_columns

        file = LookupFile(spec, self._job.source.roots, self._left)
        columns = read_columns(spec, self._job.transforms, file.fields, spec.path)
        pin = LookupPin(spec.name, spec.path, file.version, columns, 0)
        pin, lookup = self._checked(spec, pin, lambda: gathered(file.read(columns), columns, self._left, spec))
        data, uri = _parquet(lookup.rows), join(self._folder, f"lookup-{spec.name}.parquet")
        run_files(self._folder, self._ctx).write(uri, data)
        return replace(pin, copy=uri, copy_version=hashlib.sha256(data).hexdigest()), lookup

    def _checked(self, spec: LookupSpec, pin: LookupPin, make: Callable[[], pa.Table]) -> tuple[LookupPin, Lookup]:
        from dativo_provider.transform.lookups import Lookup, check_unique

        bare = Lookup(spec, pin.columns)

        def checked() -> pa.Table:
            rows = make()
            check_unique(bare, rows, pin.of, max(128, self._ctx.settings.memory_limit_mb // 4))
            return rows

        rows = self._cache.get(key_of(self._job.tenant, spec, pin), checked)
        if rows.nbytes > self._left:
            raise too_large(spec, self._left)
        self._left -= rows.nbytes
        return replace(pin, rows=rows.num_rows), replace(bare, rows=rows)


def open_lookups(plan: Plan, target: Target, ctx: RunContext) -> tuple[Lookup, ...]:
    """What `plan` pinned, out of this machine's cache where an earlier task has read it.

    Raises `SourceChanged` when a snapshot has expired, or the copy in the run's folder is gone.
    """
    from dativo_provider.transform.lookups import Lookup

    cache, specs, found = _cache(ctx), {spec.name: spec for spec in plan.job.lookups}, []
    for pin in plan.lookups:
        spec = specs[pin.name]
        rows = cache.get(key_of(plan.job.tenant, spec, pin), partial(_read, plan, spec, pin, target, ctx))
        if rows.num_rows != pin.rows:
            raise _changed(pin, f"it had {pin.rows} rows, and has {rows.num_rows}")
        found.append(Lookup(spec, pin.columns, rows))
    return tuple(found)


def release_lookups(plan: Plan, files: FileStore) -> None:
    """Once a plan is published nothing reads its copies any more."""
    for pin in plan.lookups:
        if pin.copy:
            files.delete(pin.copy)


def _cache(ctx: RunContext) -> LookupCache:
    return LookupCache(join(ctx.settings.home, "cache", "lookups"))


def _read(plan: Plan, spec: LookupSpec, pin: LookupPin, target: Target, ctx: RunContext) -> pa.Table:
    if pin.copy:
        return _copied(pin, ctx)
    version = target.version(plan.job, spec.table, pin.version)
    return gathered(version.read(pin.columns), pin.columns, Budget.of(ctx.settings).lookup_bytes, spec)


def _copied(pin: LookupPin, ctx: RunContext) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        data = run_files(pin.copy, ctx).read(pin.copy)
    except FileMissing as problem:
        raise _changed(pin, "its copy in the run's folder is gone") from problem
    if hashlib.sha256(data).hexdigest() != pin.copy_version:
        raise _changed(pin, "its copy in the run's folder has been changed")
    return pq.read_table(pa.BufferReader(data)).combine_chunks()


def _changed(pin: LookupPin, what: str) -> SourceChanged:
    return SourceChanged(
        f"lookup '{pin.name}' is not what this run was planned with: {what}",
        where=pin.copy or pin.of,
        remedy="start a new run (clear the plan task)",
    )


def _parquet(rows: pa.Table | None) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = pa.BufferOutputStream()
    pq.write_table(rows, sink, compression="zstd", store_schema=True)
    return bytes(sink.getvalue())
