"""warehouse: list, put, get and delete; and of two conditional puts only the first may win."""

from __future__ import annotations

from collections.abc import Iterator

from dativo_provider.files import join
from dativo_provider.lake.catalog import warehouse_of
from dativo_provider.pipeline.doctor.base import Finding, Patient, fail, ok
from dativo_provider.pipeline.doctor.scratch import scratch


def check(patient: Patient) -> Iterator[Finding]:
    where = warehouse_of(patient.ctx.settings)
    with scratch(patient.ctx) as (files, folder):
        uri = join(folder, "probe")
        first, second = files.write_new(uri, b"first"), files.write_new(uri, b"second")
        if not first or second or files.read(uri) != b"first":
            remedy = "use a store with conditional writes (S3, MinIO, VersityGW, R2): else runs overwrite each other"
            yield fail("warehouse", f"{where} takes a file that is there already for a new one", remedy)
            return
        files.write(uri, b"third")
        if [info.size for info in files.list(folder)] != [5] or files.read(uri) != b"third":
            yield fail("warehouse", f"{where} does not show what was just written", "use a consistent object store")
            return
        files.delete(uri)
        if files.exists(uri):
            yield fail("warehouse", f"{where} keeps what was deleted", "allow delete on the warehouse")
            return
    yield ok("warehouse", f"{where}: list, put, conditional put, get, delete")
