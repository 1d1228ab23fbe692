"""catalog: a scratch table is made, committed to and dropped; and of two rivals only one may commit."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from dativo_provider.errors import DativoError
from dativo_provider.lake.catalog import open_catalog
from dativo_provider.lake.commit import guard
from dativo_provider.lake.translate import translated
from dativo_provider.pipeline.doctor.base import Finding, Patient, fail, ok
from dativo_provider.pipeline.doctor.scratch import clear
from dativo_provider.pipeline.workplace import run_files

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

_RIGHTS = "grant its user the right to create and drop namespaces and tables, and to commit"


def check(patient: Patient) -> Iterator[Finding]:
    catalog = open_catalog(patient.ctx.settings)
    namespace, steps = f"dativo_doctor_{secrets.token_hex(4)}", list[str]()
    try:
        with _scratch_table(catalog, namespace, patient, steps) as name:
            steps.append("commit")
            first, second = catalog.load_table(name), catalog.load_table(name)
            _append(first)
            steps.append("refuse a stale commit")
            stale = _lands(second)
    except DativoError:
        raise
    except Exception as problem:
        said = str(problem).strip().partition("\n")[0][:200]
        yield fail("catalog", f"it could not {steps[-1]}: {type(problem).__name__}: {said}", _RIGHTS)
        return
    if stale:
        remedy = "use a catalog with atomic commits: here two runs could overwrite each other's rows"
        yield fail("catalog", "of two writers of one table both could commit", remedy)
    else:
        yield ok("catalog", f"{catalog.name}: create, commit, compare-and-set and drop of a scratch table")


@contextmanager
def _scratch_table(catalog: Catalog, namespace: str, patient: Patient, steps: list[str]) -> Iterator[str]:
    """Whatever fails, nothing of it is left that can be removed."""
    from pyiceberg.schema import Schema
    from pyiceberg.types import LongType, NestedField

    name = f"{namespace}.probe"
    with translated(f"catalog {catalog.name}"), ExitStack() as left:
        steps.append("create a namespace")
        catalog.create_namespace(namespace)
        left.push(_unless_gone(partial(catalog.drop_namespace, namespace)))
        steps.append("create a table")
        location = catalog.create_table(name, Schema(NestedField(1, "id", LongType()))).location()
        left.callback(clear, run_files(location, patient.ctx), location)
        left.push(_unless_gone(partial(catalog.drop_table, name)))
        yield name
        steps.append("drop a table")
        catalog.drop_table(name)
        steps.append("drop a namespace")
        catalog.drop_namespace(namespace)


def _unless_gone(remove: Callable[[], object]) -> Callable[..., None]:
    """After a failure, which is what is told, and not that of cleaning up."""

    def leave(kind: object, *_: object) -> None:
        if kind is not None:
            with suppress(Exception):
                remove()

    return leave


def _append(table: Any) -> None:
    guard(table)
    transaction = table.transaction()
    transaction.update_snapshot().fast_append().commit()
    transaction.commit_transaction()


def _lands(stale: Any) -> bool:
    from pyiceberg.exceptions import CommitFailedException

    try:
        _append(stale)
    except CommitFailedException:
        return False
    return True
