"""Nessie through its Iceberg REST endpoint, one branch per tenant.
https://projectnessie.org/guides/iceberg-rest/ and https://projectnessie.org/develop/rest/"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from dativo_provider.errors import ConfigurationError, CredentialError, StorageUnavailable, Unsupported
from dativo_provider.lake.catalogs.base import Place
from dativo_provider.lake.catalogs.rest import RestLeaf

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

__all__ = ["LEAF"]

_MAIN = "main"
_ENDPOINT = re.compile(r"/(api(/v[12])?|iceberg(/[^/]+)?)$")  # what users copy from Nessie's own pages
_DEFAULT = "-"  # the server's default branch, in its paths


class NessieLeaf(RestLeaf):
    """A branch holds all tables as they were when it was made; others see nothing of it until it is merged."""

    type = "nessie"
    has_branches = True

    def properties(self, given: Mapping[str, str], place: Place) -> dict[str, str]:
        """`branch`: what the job says, else what the operator says, else the tenant's name; made when missing."""
        found = super().properties(given, place)
        branch = place.branch or found.get("branch") or place.tenant or _MAIN
        if place.branch:
            _check_own(place.branch, place.tenant)
        prefix = "|".join(part for part in (branch, found.get("warehouse", "")) if part)
        root = _ENDPOINT.sub("", found["uri"])
        return {**found, "branch": branch, "uri": f"{root}/iceberg", "prefix": quote(prefix, safe="")}

    def open(self, name: str, properties: Mapping[str, str]) -> Catalog:
        from pyiceberg.exceptions import ServerError

        try:
            catalog = super().open(name, properties)
        except ServerError as problem:
            if "is not known" in str(problem):  # it says so as an error of its own
                raise _unknown_warehouse(name) from problem
            raise
        if "nessie.is-nessie-catalog" not in catalog.properties:
            raise ConfigurationError(
                "what answers at this address is not Nessie", where=f"catalog {name}",
                remedy="use type: rest for other Iceberg REST catalogs",
            )  # fmt: skip
        _make_branch(catalog, properties["uri"].removesuffix("/iceberg"), properties["branch"], name)
        return catalog

    def check_versions(self, what: str, where: str) -> None:
        """A table has its newest snapshot only: its past is the catalog's, of all tables at once."""
        raise Unsupported(
            f"{what}: in Nessie a table has one snapshot, and versions are commits of the catalog's branch",
            where=where,
            remedy="use Nessie's own branches and tags; to approve before readers see, set target.branch to <tenant>/… "
            "and merge it",
        )

    def _make(self, name: str, properties: Mapping[str, str]) -> Catalog:
        from dativo_provider.lake.catalogs.seeded import SeededRestCatalog

        return SeededRestCatalog(name, **properties)


def _unknown_warehouse(name: str) -> ConfigurationError:
    return ConfigurationError(
        "Nessie does not know this warehouse", where=f"catalog {name}",
        remedy='name one of its nessie.catalog.warehouses: catalog_properties = {"warehouse": "..."}',
    )  # fmt: skip


def _check_own(branch: str, tenant: str) -> None:
    own = branch == tenant or any(branch.startswith(f"{tenant}{mark}") for mark in "_-./")
    if tenant and not own and branch != _MAIN:
        raise ConfigurationError(
            f"branch '{branch}' is not one of tenant '{tenant}'", where="target.branch",
            remedy=f"use {tenant}, {tenant}/…, {tenant}_… or main",
        )  # fmt: skip


def _make_branch(catalog: Any, root: str, branch: str, name: str) -> None:
    """From the server's default branch, as it is now; a rival that makes it too is no trouble."""
    session, trees = catalog._session, f"{root}/api/v2/trees"
    found = session.get(f"{trees}/{quote(branch, safe='')}")
    if found.status_code == 404:
        base = _checked(session.get(f"{trees}/{_DEFAULT}"), name).json()["reference"]
        found = session.post(trees, params={"name": branch, "type": "BRANCH"}, json=base)
    if found.status_code != 409:
        _checked(found, name)


def _checked(answer: Any, name: str) -> Any:
    if answer.ok:
        return answer
    where, said = f"catalog {name}", f"{answer.status_code} from {answer.request.method} {_path(answer)}"
    if answer.status_code in (401, 403):
        raise CredentialError(
            f"Nessie refused to read or make the branch: {said}", where=where,
            remedy="renew the token, or grant CREATE_REFERENCE, or make the branch beforehand",
        )  # fmt: skip
    if answer.status_code >= 500 or answer.status_code == 429:
        raise StorageUnavailable(f"Nessie did not make the branch: {said}", where=where, remedy="run again")
    raise ConfigurationError(
        f"Nessie does not accept this branch: {said}", where=where, remedy="choose another target.branch"
    )


def _path(answer: Any) -> str:
    return unquote(str(answer.request.path_url).partition("?")[0])


LEAF = NessieLeaf()
