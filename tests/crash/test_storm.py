"""Everything at once: runs die while twins, new runs, a rival writer and maintenance work on the same table, over a
network that fails. Afterwards every row is where it belongs, exactly once, and what the rival wrote is there."""

from __future__ import annotations

import random
from collections import Counter
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest

from dativo_provider import errors
from tests.crash.keyed_world import KeyedWorld
from tests.crash.others import Others, maintainer, rival
from tests.crash.postgres_world import RemoteWorld
from tests.crash.processes import POINTS, Run, last_plan
from tests.crash.readback import published_ids
from tests.crash.test_kill_anywhere import KILLS
from tests.crash.weather import bad_weather
from tests.crash.world import World
from tests.services.postgres import Postgres
from tests.services.s3 import S3
from tests.services.toxiproxy import Toxiproxy
from tests.support import requirement

SHARE = max(8, KILLS // 6)
pytestmark = [pytest.mark.crash, pytest.mark.slow, pytest.mark.timeout(36_000)]


@requirement("ING-25", "STA-09")
def test_a_storm_over_one_machine(tmp_path: Path) -> None:
    world = World(tmp_path)
    storm(world, random.Random(1), nullcontext())
    clear_up(world)


@requirement("ING-25")
@pytest.mark.parametrize("mode", ["merge", "scd2"])
def test_a_storm_over_rows_that_change(tmp_path: Path, mode: str) -> None:
    world = KeyedWorld(tmp_path, mode=mode)
    storm(world, random.Random(mode), nullcontext())
    clear_up(world)


@pytest.fixture
def links(toxiproxy: Toxiproxy, postgres: Postgres, s3: S3) -> dict[str, object]:
    from urllib.parse import urlsplit

    catalog, storage = urlsplit(postgres.url), urlsplit(s3.endpoint)
    return {
        "catalog": toxiproxy.link(f"{catalog.hostname}:{catalog.port}"),
        "storage": toxiproxy.link(f"{storage.hostname}:{storage.port}"),
    }


@requirement("ING-25", "STA-09", "ERR-01")
def test_a_storm_over_the_network(
    tmp_path: Path, postgres: Postgres, s3: S3, bucket: str, links: dict[str, object]
) -> None:
    with postgres.database() as source, postgres.database() as catalog:
        far = RemoteWorld(tmp_path, catalog_uri=via(links["catalog"], catalog.url), params=source.params, bucket=bucket)
        far.storage = {**s3.properties, "s3.endpoint": f"http://{links['storage'].address}"}
        far.create()
        storm(far, random.Random(2), bad_weather(list(links.values()), 3))
        clear_up(far)


def via(link: object, url: str) -> str:
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    user = parts.netloc.rpartition("@")[0]
    return parts._replace(scheme="postgresql+psycopg2", netloc=f"{user}@{link.address}").geturl()


def storm(world: World, rng: random.Random, weather: AbstractContextManager[None]) -> None:
    world.add_file(rng)
    assert Run(world).outcome() == "committed"
    others, killed = Others(world, rng, (rival, maintainer)), 0
    with weather:
        while killed < SHARE:
            world.add_file(rng)
            others.stir()
            killed += attempt(world, rng)
    others.end()
    world.rivals = others.appended, others.tried


def attempt(world: World, rng: random.Random) -> int:
    """A run that may be killed, beside it perhaps another; then perhaps its plan again, perhaps twice at once."""
    before, beside = last_plan(world), []
    run = Run(world, point=rng.choice(POINTS) if rng.random() < 0.5 else None)
    if rng.random() < 0.2:
        beside.append(Run(world))
    run.kill_after(rng.uniform(0.02, 1.5))
    killed = run.outcome() == "killed"
    if (plan := last_plan(world)) != before:
        beside += [Run(world, plan_uri=plan) for _ in range(rng.choice([0, 1, 2]))]
    outcomes = [each.outcome() for each in beside]
    assert not [outcome for outcome in outcomes if unexpected(outcome)], outcomes
    return killed


def unexpected(outcome: str) -> bool:
    """Only errors that trying again may help are fit for such weather."""
    kind = getattr(errors, outcome.partition(":")[0], None)
    expected = kind is not None and issubclass(kind, errors.RetryableError | errors.Fenced)
    return outcome not in {"committed", "already", "killed"} and not expected


def clear_up(world: World) -> None:
    for _ in range(2):
        assert (outcome := Run(world).outcome()) == "committed", outcome
    appended, tried = world.rivals
    found = Counter(identity for identity in published_ids(world) if identity < 0)
    assert appended <= found.keys() <= tried, "a rival's rows are lost"
    assert set(found.values()) <= {1}, "a rival's rows are doubled"
    world.check()
