"""Stores that hold each secret under an id, or all of a tenant's under one: AWS, Google, Azure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pydantic import Field

from dativo_provider.config.shapes.base import Shape
from dativo_provider.errors import ConfigurationError, CredentialError
from dativo_provider.secrets.names import SecretName
from dativo_provider.secrets.payload import Format, Payload, of_value, parse
from dativo_provider.secrets.templates import Template

__all__ = ["Entry", "Named", "Place"]


class Entry(Shape):
    """One secret by its name."""

    name: str = Field(min_length=1, description="Name, as in `${SECRET:NAME}`.")
    id: str = Field(min_length=1, description="Id in the store; `{tenant}` in it.")
    format: Format | None = Field(default=None, description="Default: by content.")
    tenant: str = Field(default="", description="The only tenant that may read it.")
    shared: bool = Field(default=False, description="Whether every tenant may read it.")


@dataclass(frozen=True)
class Place:
    """Where a secret may be: at `id`, as a whole or, in a bundle, under its name."""

    id: str
    form: Format | None = None
    bundle: bool = False
    entry: Entry | None = None


Read = Callable[[Place], "str | None"]


class Named:
    """Templates of ids. `usual` is the template where neither it nor a bundle is given. Raises `ConfigurationError`."""

    def __init__(
        self, where: str, template: str, usual: str, entries: Sequence[Entry], bundle: str, bundle_format: Format
    ) -> None:
        self._where, self._form = where, bundle_format
        self._entries = [
            (each, Template(each.id, f"{where}.secrets.{number}.id", each.tenant, each.shared))
            for number, each in enumerate(entries)
        ]
        self._bundle = Template(bundle, f"{where}.bundle_secret_id_template") if bundle else None
        single = template or ("" if bundle else usual)
        self._single = Template(single, f"{where}.secret_id_template") if single else None
        if self._single and "{name}" not in single:
            raise ConfigurationError(
                f"'{single}' is one secret for all names", where=f"{where}.secret_id_template",
                remedy="write {name} in it, or use bundle_secret_id_template",
            )  # fmt: skip

    def places(self, wanted: SecretName) -> Iterator[Place]:
        listed = [(each, template) for each, template in self._entries if _same(each.name, wanted.name)]
        for each, template in listed:
            if (found := template.of(wanted)) is not None:
                yield Place(found, each.format, entry=each)
        if self._bundle and (found := self._bundle.of(wanted)) is not None:
            yield Place(found, self._form, bundle=True)
        if self._single and not listed and (found := self._single.of(wanted)) is not None:
            yield Place(found)

    def find(self, wanted: SecretName, read: Read, store: str) -> tuple[Payload, str]:
        place, payload = self._found(wanted, read, store)
        return (payload, place.id) if not place.bundle else (of_value(_member(payload, wanted)[1]), place.id)

    def changed(self, wanted: SecretName, read: Read, text: str, store: str) -> tuple[Place, str]:
        """Where a secret is, and what is to be written there so that it is `text`."""
        place, payload = self._found(wanted, read, store)
        if not place.bundle:
            return place, text
        return place, payload.replaced(_member(payload, wanted)[0], text, place.id)

    def _found(self, wanted: SecretName, read: Read, store: str) -> tuple[Place, Payload]:
        looked = list(self.places(wanted))
        for place in looked:
            if (text := read(place)) is None:
                continue
            payload = parse(text, place.form, place.id)
            if not place.bundle or _member(payload, wanted)[1] is not None:
                return place, payload
        raise CredentialError(
            f"secret '{wanted.full}' of tenant '{wanted.tenant}' is not in {store}",
            where=", ".join(each.id for each in looked) or self._where, remedy="create it, or correct the template",
        )  # fmt: skip


def _member(bundle: Payload, wanted: SecretName) -> tuple[str, object]:
    for name, value in (bundle.fields or {}).items():
        if _same(str(name), wanted.name):
            return name, value
    return wanted.name, None


def _same(one: str, other: str) -> bool:
    return one.lower().replace("-", "_") == other.lower().replace("-", "_")
