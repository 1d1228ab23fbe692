"""A small deployment on disk, and problems as a reader sees them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from dativo_provider.config.jobs import examine
from dativo_provider.config.problems import InvalidConfig, Problem
from dativo_provider.model.job import JobSpec

CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: 53581432-6c55-4ba2-a65f-72344a91553a
name: orders
version: 1.2.0
status: active
domain: sales
schema:
  - name: orders
    properties:
      - {name: id, logicalType: integer, primaryKey: true, required: true}
      - {name: email, logicalType: string, classification: PII}
      - {name: amount, logicalType: number, physicalType: "decimal(12,2)"}
      - {name: country, logicalType: string}
      - {name: updated_at, logicalType: timestamp}
"""
JOB = """\
source_connector: postgres
asset: orders
source:
  tables: [public.orders]
"""


class Deployment:
    """`tenants/acme` with a contract `orders`, below `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("tenants/acme/contracts/orders.odcs.yaml", CONTRACT)

    def write(self, path: str, text: str) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(text))
        return file

    def job(self, text: str = JOB, name: str = "orders") -> Path:
        return self.write(f"tenants/acme/jobs/{name}.yaml", text)

    def load(self, text: str = JOB, name: str = "orders", **options: object) -> JobSpec:
        """The job; its errors fail the test, readable."""
        job, findings = examine(self.job(text, name), root=self.root, **options)  # type: ignore[arg-type]
        errors = [problem for problem in findings.problems if problem.severity == "error"]
        if errors or job is None:
            pytest.fail("\n".join(map(str, errors)))
        return job

    def problems(self, text: str = JOB, name: str = "orders", **options: object) -> list[Problem]:
        return examine(self.job(text, name), root=self.root, **options)[1].problems  # type: ignore[arg-type]

    def only_error(self, text: str = JOB, name: str = "orders", **options: object) -> Problem:
        return only([each for each in self.problems(text, name, **options) if each.severity == "error"])

    def only_warning(self, text: str = JOB, name: str = "orders", **options: object) -> Problem:
        return only([each for each in self.problems(text, name, **options) if each.severity == "warning"])


def only(problems: list[Problem]) -> Problem:
    assert len(problems) == 1, "\n".join(map(str, problems))
    return problems[0]


def refused(call: object, *args: object, **options: object) -> tuple[Problem, ...]:
    """The problems `call` is refused with."""
    with pytest.raises(InvalidConfig) as caught:
        call(*args, **options)  # type: ignore[operator]
    return caught.value.problems


def place(problem: Problem) -> tuple[int, int]:
    return problem.line, problem.column


def edited(text: str, changes: Mapping[str, str]) -> str:
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return text
