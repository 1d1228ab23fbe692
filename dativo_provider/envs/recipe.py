"""What an environment is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["Recipe"]


@dataclass(frozen=True)
class Recipe:
    """`requirements` are pinned. `modules` must import, which proves the environment before it is put in place.

    `variables` are the only ones of the tool's own that its process sees.
    """

    name: str
    title: str
    requirements: tuple[str, ...]
    modules: tuple[str, ...]
    notice: str = ""  # what the operator should know before installing it
    variables: Mapping[str, str] = field(default_factory=dict)
    extra: str = ""  # of our own package, where the tool can live beside Airflow as well

    @property
    def ways(self) -> str:
        """How to get it."""
        package = f", or install 'airflow-provider-dativo[{self.extra}]'" if self.extra else ""
        return f"make it with: dativo env create {self.name}{package}"
