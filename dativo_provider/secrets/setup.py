"""What a provider is opened with, and how its block of runner.yaml is read."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import ValidationError

from dativo_provider.config.problems import did_you_mean, listed
from dativo_provider.config.shapes.base import Shape
from dativo_provider.errors import ConfigurationError
from dativo_provider.model.context import Connection, Connections, NoConnections
from dativo_provider.secrets.base import Register, ignore

__all__ = ["Setup"]

S = TypeVar("S", bound=Shape)


@dataclass(frozen=True)
class Setup:
    """`options` is the provider's block with its references expanded, `variables` the environment's."""

    provider: str
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    register: Register = ignore
    tenants: Collection[str] = ()
    connections: Connections = field(default_factory=NoConnections)

    @property
    def where(self) -> str:
        return f"runner.secrets.{self.provider}"

    def shaped(self, shape: type[S], aliases: Mapping[str, str], defaults: Mapping[str, Any]) -> S:
        """The block as a `shape`; what it leaves out comes from `defaults`. Raises `ConfigurationError`."""
        given = {aliases.get(name, name): value for name, value in self.options.items()}
        given.pop("connection_id", None)
        for name in given:
            if name not in shape.model_fields:
                known = sorted({*shape.model_fields, "connection_id"})
                hint = did_you_mean(name, known) or f"known: {listed(known)}"
                raise ConfigurationError(f"'{name}' is not a key here", where=self.where, remedy=hint)
        said = {name: value for name, value in {**defaults, **given}.items() if value is not None}
        try:
            return shape.model_validate(said)
        except ValidationError as failed:
            error = failed.errors(include_url=False, include_input=False)[0]
            place = ".".join((self.where, *map(str, error["loc"])))
            raise ConfigurationError(f"{error['msg']}", where=place, remedy="see docs/secrets.md") from None

    def connection(self) -> Connection:
        """The Airflow connection of `connection_id`, an empty one where none is named. Raises `CredentialError`."""
        named = str(self.options.get("connection_id") or "")
        found = self.connections.get(named) if named else Connection()
        if found.password:
            self.register(found.password)
        return found

    def of_environment(self, **names: str) -> dict[str, Any]:
        """Values of variables by the option they stand for."""
        return {option: self.variables[name] for option, name in names.items() if self.variables.get(name)}
