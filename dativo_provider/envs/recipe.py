"""What an environment is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Recipe"]


_COMMANDS = (
    "from importlib.metadata import distribution as d\n"
    "for each in d({package!r}).entry_points.select(group='console_scripts'): each.load()"
)


@dataclass(frozen=True)
class Recipe:
    """`requirements` are pinned. `modules` must import, which proves the environment before it is put in place; of a
    `package` its commands must.

    `variables` are the only ones of the tool's own that its process sees.
    """

    name: str
    title: str
    requirements: tuple[str, ...]
    modules: tuple[str, ...]
    notice: str = ""  # what the operator should know before installing it
    variables: Mapping[str, str] = field(default_factory=dict)
    extra: str = ""  # of our own package, where the tool can live beside Airflow as well
    package: str = ""  # the distribution whose commands are wanted

    @property
    def proof(self) -> str:
        """Python that fails when what was installed does not work."""
        return f"import {', '.join(self.modules)}" if self.modules else _COMMANDS.format(package=self.package)

    @property
    def ways(self) -> str:
        """How to get it."""
        extra = f", or install 'airflow-provider-dativo[{self.extra}]'" if self.extra else ""
        return f"make it with: dativo env create {self.wanted}{extra}"

    @property
    def wanted(self) -> str:
        """As `dativo env create` takes it."""
        return f"'{self.requirements[0]}'" if self.package else self.name
