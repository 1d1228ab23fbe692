"""What the engines share: the rows as one Parquet file, a process to ask, answers made into results."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dativo_provider.envs.place import interpreter
from dativo_provider.envs.process import Call, WorkerFailed, call
from dativo_provider.envs.recipe import Recipe
from dativo_provider.model.checks import CheckResult, CheckSpec
from dativo_provider.model.settings import Settings
from dativo_provider.quality.frontends.thresholds import Threshold
from dativo_provider.quality.metrics.base import Scene

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "SILENT",
    "WORKERS",
    "Answer",
    "Answers",
    "Staged",
    "answered",
    "ask",
    "ask_tool",
    "names_of",
    "python_of",
    "seconds_of",
]

WORKERS = Path(__file__).with_name("workers")
_SECONDS = 300.0
_LIBRARIES_MB = 1536  # what a tool weighs before it has seen a row


@dataclass(frozen=True)
class Answer:
    """What an engine said of one check. `failed` and `evaluated` are rows; `value` a number, held against the check's
    `allowed` where `outcome` is empty."""

    outcome: str
    message: str = ""
    value: float | None = None
    failed: int | None = None
    evaluated: int | None = None


Answers = dict[str, Answer]
SILENT = Answer("error", "the engine gave no answer for it")


@dataclass
class Staged:
    """The rows of a scene as a Parquet file in `folder`, written when the first engine asks."""

    scene: Scene
    folder: str
    _path: Path | None = field(default=None, init=False)

    def path(self) -> Path:
        if self._path is None:
            self._path = Path(self.folder, "rows.parquet")
            _write(self.scene, self._path)
        return self._path


def _write(scene: Scene, path: Path) -> None:
    import pyarrow.parquet as pq

    names = [item.name for item in scene.fields]
    batches = iter(scene.read(names)) if scene.rows else iter(())
    first = next(batches, None)
    schema = _schema(scene) if first is None else first.schema
    with pq.ParquetWriter(path, schema, compression="lz4") as writer:
        for batch in _all(first, batches):
            scene.check_cancelled()
            writer.write_batch(batch)


def _schema(scene: Scene) -> pa.Schema:
    import pyarrow as pa

    from dativo_provider.model.types import to_arrow

    return pa.schema([(item.name, to_arrow(item.type)) for item in scene.fields])


def _all(first: pa.RecordBatch | None, rest: Iterator[pa.RecordBatch]) -> Iterable[pa.RecordBatch]:
    return () if first is None else chain([first], rest)


def python_of(recipe: Recipe, settings: Settings) -> str:
    """The interpreter that has the tool: its own environment's, else ours; empty when none has."""
    own = interpreter(Path(settings.envs), recipe.name) if settings.envs else None
    if own:
        return str(own)
    return sys.executable if all(find_spec(module) for module in recipe.modules) else ""


def ask_tool(
    recipe: Recipe, checks: Sequence[CheckSpec], requests: Sequence[Mapping[str, Any]], scene: Scene, staged: Staged
) -> Answers:
    """All `requests` (one for each check, in order) in one process."""
    python = python_of(recipe, scene.settings)
    if not python:
        missing = f"{recipe.title} is not installed here; {recipe.ways}"
        return {check.id: Answer("not_evaluated", missing) for check in checks}
    asked = [{**each, "id": check.id, "where": check.where} for check, each in zip(checks, requests, strict=True)]
    wanted = Call(
        python, WORKERS / f"{recipe.name}.py", max(map(seconds_of, checks)), memory_of(scene), recipe.variables,
        modules=(str(WORKERS / "shared"),),
    )  # fmt: skip
    return ask(wanted, checks, {"checks": asked, "names": names_of(scene)}, scene, staged)


def ask(wanted: Call, checks: Sequence[CheckSpec], request: Mapping[str, Any], scene: Scene, staged: Staged) -> Answers:
    """One call; where it gives no answer, that is what happened to each of its checks."""
    settings = scene.settings
    facts = {
        "data": str(staged.path()),
        "memory_mb": max(settings.memory_limit_mb // 2 // settings.parties, 64),
        "threads": settings.threads,
    }
    try:
        given = call(wanted, lambda _: {**facts, **request}, scene.check_cancelled)
        return {name: _read(each) for name, each in given["answers"].items()}
    except WorkerFailed as failure:
        return {check.id: Answer("error", str(failure)) for check in checks}
    except (KeyError, TypeError, ValueError, AttributeError):
        return {check.id: Answer("error", "its answer is none") for check in checks}


def _read(given: Mapping[str, Any]) -> Answer:
    value, rows = given.get("value"), [given.get(key) for key in ("failed", "evaluated")]
    number = float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None
    failed, evaluated = (None if each is None else int(each) for each in rows)
    return Answer(str(given["outcome"]), str(given.get("message") or "")[:500], number, failed, evaluated)


def seconds_of(check: CheckSpec) -> float:
    return float(check.params.get("timeout_seconds") or _SECONDS)


def memory_of(scene: Scene) -> int:
    return scene.settings.memory_limit_mb // scene.settings.parties + _LIBRARIES_MB


def names_of(scene: Scene) -> list[str]:
    """What queries of the user may call the rows: by the table, the source's object, the stream, the contract."""
    if scene.plan is None:
        return []
    spec = scene.plan.spec
    return sorted({name for name in (scene.plan.table, spec.object, spec.table, spec.name, spec.contract.name) if name})


def answered(check: CheckSpec, scene: Scene, answer: Answer) -> CheckResult:
    if not answer.outcome:
        answer = _decided(check, scene, answer)
    value: Any = answer.value
    return check.result(
        answer.outcome,  # type: ignore[arg-type]
        "none" if answer.outcome in ("error", "not_evaluated") else "engine",
        scene.rows if answer.evaluated is None else answer.evaluated,
        answer.failed or 0,
        int(value) if value is not None and value.is_integer() else value,
        answer.message,
    )


def _decided(check: CheckSpec, scene: Scene, answer: Answer) -> Answer:
    allowed = Threshold.from_dict(check.params["allowed"]) if "allowed" in check.params else Threshold("mustBe", 0)
    value = answer.value or 0.0
    fits = allowed.holds(value, scene.rows)  # type: ignore[arg-type]
    message = answer.message or f"it is {value:g}, must be {allowed}"
    return replace(answer, outcome="passed" if fits else "failed", message=message)
