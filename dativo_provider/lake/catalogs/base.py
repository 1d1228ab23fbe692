"""What a kind of catalog says about itself. A leaf is a module of this package whose `LEAF` is a `CatalogLeaf`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from dativo_provider.config.catalogs import CATALOGS, CatalogKind

if TYPE_CHECKING:
    from pyiceberg.catalog import Catalog

    from dativo_provider.errors import DativoError

__all__ = ["CatalogLeaf", "Place", "first_line", "kinds_of"]

_LONGEST = 300


@dataclass(frozen=True)
class Place:
    """Who opens a catalog: `tenant` is empty for the deployment itself, `branch` is what its job asks for."""

    home: str
    warehouse: str
    tenant: str = ""
    branch: str = ""


class CatalogLeaf(ABC):
    """`type` is the word in YAML. `extra` is the optional extra that brings its libraries."""

    type: ClassVar[str]
    extra: ClassVar[str] = ""
    has_branches: ClassVar[bool] = False  # of its own, for all tables at once; `target.branch` chooses one
    tells_storage: ClassVar[bool] = False  # its answers name the object store, so it must be trusted with the keys

    @property
    def kind(self) -> CatalogKind:
        return CATALOGS[self.type]

    @abstractmethod
    def properties(self, given: Mapping[str, str], place: Place) -> dict[str, str]:
        """PyIceberg's properties, with defaults. Raises `ConfigurationError` for what this catalog cannot do."""

    def open(self, name: str, properties: Mapping[str, str]) -> Catalog:
        """Makes on the server what has to be there first."""
        from pyiceberg.catalog import load_catalog

        return load_catalog(name, **properties)

    def check_versions(self, what: str, where: str) -> None:  # noqa: B027 - most keep them in the table
        """Raises `Unsupported` where a table has no snapshots, tags and branches of its own for `what`."""

    def check_name(self, namespace: str, table: str) -> None:  # noqa: B027 - most take any name
        """Raises `ConfigurationError` for names the catalog would change or refuse."""

    @abstractmethod
    def failure(self, problem: Exception, where: str) -> DativoError | None:
        """What its libraries raise, as the error that says what to do; None for what is not its own."""

    def close(self, catalog: Any) -> None:  # noqa: B027 - some hold none
        """Returns its connections."""


def kinds_of(problem: BaseException) -> frozenset[str]:
    """`module.Class` of the exception and its bases: which libraries are installed is not asked by importing them."""
    return frozenset(f"{kind.__module__.partition('.')[0]}.{kind.__name__}" for kind in type(problem).__mro__)


def first_line(problem: BaseException) -> str:
    lines = str(problem).strip().splitlines()
    return lines[0][:_LONGEST] if lines else type(problem).__name__
