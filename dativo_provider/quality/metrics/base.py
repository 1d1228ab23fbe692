"""What evaluators of dataset checks look at, what they may ask of the one scan, and how they answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, NoReturn

from dativo_provider.errors import StorageUnavailable, Unsupported
from dativo_provider.model.acceptance import Acceptance
from dativo_provider.model.books import Books
from dativo_provider.model.checks import CheckResult, CheckSpec
from dativo_provider.model.run import Plan
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import Field
from dativo_provider.quality.frontends.thresholds import Threshold
from dativo_provider.vocabulary import EvaluatedBy, Outcome

if TYPE_CHECKING:
    import pyarrow as pa

    from dativo_provider.model.target import PublishedRows, TableVersion
    from dativo_provider.store import MetricPoint

__all__ = ["Evaluator", "History", "Measures", "NoHistory", "Read", "Scene", "Values", "judged", "passed"]

Read = Callable[[Sequence[str]], "Iterator[pa.RecordBatch]"]
Published = Callable[[Mapping[str, tuple[Any, Any]], Mapping[str, Sequence[Any]]], "PublishedRows"]
History = Callable[[str, int], "Sequence[MetricPoint]"]


class NoHistory(StorageUnavailable):
    """The metadata store, which alone has it, does not answer: a check that needs it is `not_evaluated`."""


def _no_history(_: str, __: int) -> Sequence[MetricPoint]:
    return ()


def _nothing_published(_: Mapping[str, tuple[Any, Any]], __: Mapping[str, Sequence[Any]]) -> NoReturn:
    raise Unsupported("there is no table whose published rows could be looked at", remedy="run the check within a job")


def _no_table(name: str) -> NoReturn:
    raise Unsupported(f"there are no published tables to find '{name}' among", remedy="run the check within a job")


def _go_on() -> None: ...


def _no_facts(_: Sequence[str]) -> Mapping[str, Mapping[str, Any]]:
    return {}


@dataclass(frozen=True)
class Scene:
    """The rows under judgement and what surrounds them.

    `read(columns)` yields the rows, as often as asked. `history(metric, most)` are the values that published runs of
    this stream left in the store, newest first; it raises `NoHistory`. `accepted()` are the levels that somebody has
    declared normal since. `table(name)` is a published table of the same tenant as it is now; it raises what
    `Target.version` does. `published(ranges, keys)` are the columns of `ranges` of rows that the stream's table held
    before this run (`Target.published_within`). `plan` is None where a table or file is checked without a run.
    """

    read: Read
    books: Books
    now: datetime
    settings: Settings
    fields: Sequence[Field] = ()  # of the rows; empty: not known
    history: History = _no_history
    accepted: Callable[[], Sequence[Acceptance]] = tuple
    table: Callable[[str], TableVersion] = _no_table
    published: Published = _nothing_published
    plan: Plan | None = None
    check_cancelled: Callable[[], None] = _go_on  # raises when the run was cancelled
    facts: Callable[[Sequence[str]], Mapping[str, Mapping[str, Any]]] = _no_facts  # `Target.facts`
    deletes: int = 0  # of what the books call produced: rows that only say that another is gone

    @property
    def rows(self) -> int:
        """How many there are to read."""
        return self.books.produced - self.deletes


@dataclass(frozen=True)
class Measures:
    """What a check asks of the one SELECT over all rows: aggregates in SQL by name, and the columns they read.

    Where `facts` have a word of `metrics.facts` and a column for every one of them, footers may tell them all.
    """

    columns: frozenset[str] = frozenset()
    aggregates: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, tuple[str, str]] = field(default_factory=dict)


Values = Mapping[str, Any]
Judge = Callable[[CheckSpec, Scene, Values], CheckResult]


def _nothing(_: CheckSpec, __: Scene) -> Measures:
    return Measures()


@dataclass(frozen=True)
class Evaluator:
    """One kind of dataset check. `judge` gets the values of its `measures`; what else it needs it asks the scene for.

    Both may raise `ConfigurationError` or `duckdb.Error`: the check's result is then `error`, with that sentence.
    """

    judge: Judge
    measures: Callable[[CheckSpec, Scene], Measures] = _nothing


def judged(
    check: CheckSpec, value: Any, scene: Scene, by: EvaluatedBy, what: str, failed: int = 0, total: int | None = None
) -> CheckResult:
    """Holds a number against `allowed`; without it, none may be. `what` names the number: "the avg of amount"."""
    total = scene.rows if total is None else total
    allowed = Threshold.from_dict(check.params["allowed"]) if "allowed" in check.params else Threshold("mustBe", 0)
    fits = allowed.holds(value, total)
    message = f"{what} is {value}, must be {allowed}"
    return check.result(passed(fits), by, scene.rows, failed, value, message)


def passed(fits: bool) -> Outcome:
    return "passed" if fits else "failed"
