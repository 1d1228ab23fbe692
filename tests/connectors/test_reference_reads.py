"""What does not change is asked for once: counted in the statements that go to the server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dativo_provider.connectors.postgres.session import Session
from dativo_provider.model.context import RunContext
from dativo_provider.model.settings import Settings
from dativo_provider.model.stream import WindowRequest
from tests.connectors.postgres_world import reader, source, table
from tests.services.postgres import Database
from tests.support import requirement

TYPES = "pg_catalog.pg_type"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement sent, as it goes out."""
    sent: list[str] = []
    run: Callable[..., Any] = Session._run

    def counted(session: Session, statement: str, values: Any) -> Any:
        sent.append(statement)
        return run(session, statement, values)

    monkeypatch.setattr(Session, "_run", counted)
    return sent


@pytest.fixture
def ctx() -> Iterator[RunContext]:
    made = RunContext(Settings(home=""))
    yield made
    made.kept.close()


def lookups(asked: list[str]) -> int:
    return sum(TYPES in statement for statement in asked)


@requirement("ING-16", "PRF-02")
def test_types_of_the_server_are_asked_for_once_a_run(database: Database, ctx: RunContext, asked: list[str]) -> None:
    database.execute(*(f"create table t{n} (id int primary key, at timestamptz, tags text[])" for n in range(5)))
    described = []
    for number in range(5):
        with reader(source(database), ctx) as opened:
            described.append(opened.describe(table(f"public.t{number}")).fields)
    assert described == [described[0]] * 5
    assert [field.type for field in described[0]] == ["int", "timestamptz", "list<string>"]
    assert lookups(asked) == 1


def test_a_type_of_the_users_own_may_change_from_one_look_to_the_next(
    database: Database, ctx: RunContext, asked: list[str]
) -> None:
    database.execute("create domain code as int", "create table t (id int, code code)")
    with reader(source(database), ctx) as opened:
        before = opened.describe(table("public.t")).fields[1]
    database.execute("alter domain code set not null")
    with reader(source(database), ctx) as opened:
        after = opened.describe(table("public.t")).fields[1]
    assert (before.type, before.required) == ("int", False)
    assert (after.type, after.required) == ("int", True)
    assert lookups(asked) == 2


@requirement("ING-16")
def test_the_schema_of_a_stream_is_looked_up_once_a_plan(database: Database, ctx: RunContext, asked: list[str]) -> None:
    database.execute("create table t (id int primary key)", "insert into t select generate_series(1, 100)")
    stream = table("public.t", "id")
    with reader(source(database), ctx) as opened:
        opened.describe(stream)
        window = opened.window(stream, WindowRequest())
        opened.estimate(stream, window)
        opened.slices(stream, window, 4)
    assert sum("col_description(" in statement for statement in asked) == 1
