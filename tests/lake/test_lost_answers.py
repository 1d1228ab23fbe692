"""The commit lands and its answer is lost on the way back: rows are there once, and the table can be read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import pytest

from dativo_provider.errors import StorageUnavailable
from dativo_provider.lake import commit as commit_module
from dativo_provider.model.settings import Settings
from tests.lake.places import on_glue, on_nessie, on_rest
from tests.lake.support import Lake
from tests.services.glue import Glue
from tests.services.nessie import Nessie
from tests.services.rest import Rest
from tests.services.s3 import S3
from tests.services.toxiproxy import Link, Toxiproxy
from tests.support import requirement


class Losing:
    """Inherit and give `direct`, a deployment, and `key`, the property that holds the catalog's address."""

    key = "uri"

    @pytest.fixture(autouse=True)
    def quick(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(commit_module, "_LONGEST_PAUSE", 0.02)

    @pytest.fixture
    def link(self, direct: Settings, toxiproxy: Toxiproxy) -> Link:
        return toxiproxy.link(urlsplit(direct.catalog.properties[self.key]).netloc)

    @pytest.fixture
    def where(self, direct: Settings, link: Link) -> Settings:
        """The same catalog, by way of the proxy."""
        properties = {**direct.catalog.properties, self.key: f"http://{link.address}"}
        return replace(direct, catalog=replace(direct.catalog, properties=properties))

    @requirement("CON-35", "ING-25")
    @pytest.mark.parametrize(
        "loss", [("limit_data", {"bytes": 0}), ("limit_data", {"bytes": 90})], ids=["whole", "half"]
    )
    def test_an_answer_that_is_lost_on_its_way(
        self, where: Settings, direct: Settings, link: Link, loss: tuple[str, dict[str, Any]]
    ) -> None:
        lake = Lake(where)
        lake.run([1], bad=[8], cursor=1)
        with losing(link, lambda: link.toxic(loss[0], **loss[1])) as lost:
            published = lake.run([2, 3], bad=[9], cursor=3)
        assert lost
        assert published.outcome == "committed"
        self.all_there_once(Lake(direct))

    @requirement("CON-35", "ING-25")
    def test_a_catalog_that_stays_away_after_it_has_committed(
        self, where: Settings, direct: Settings, link: Link
    ) -> None:
        lake = Lake(where)
        lake.run([1], bad=[8], cursor=1)
        plan = lake.plan()
        made = lake.extract(plan, [2, 3], bad=[9])
        with losing(link, lambda: link.toxic("limit_data", bytes=0), for_ever=True), pytest.raises(StorageUnavailable):
            lake.publish(plan, [made], 3)
        assert Lake(where).publish(plan, [made], 3).outcome == "already"
        self.all_there_once(Lake(direct))

    def all_there_once(self, lake: Lake) -> None:
        assert (lake.ids(), lake.quarantine()) == ([1, 2, 3], ["r8", "r9"])
        state = lake.state()
        assert state.cursor is not None
        assert (state.seq, state.cursor.value) == (2, {"value": 3})
        table = lake.target.table(lake.name())
        assert sum(len(m.fetch_manifest_entry(table.io)) for m in table.current_snapshot().manifests(table.io)) == 2  # type: ignore[union-attr]


class losing:  # noqa: N801
    """Spoils the answers from the next commit's request on: to that one only, unless `for_ever`."""

    def __init__(self, link: Link, spoil: Callable[[], None], *, for_ever: bool = False) -> None:
        self.link, self.spoil, self.for_ever = link, spoil, for_ever
        self.lost: list[int] = []

    def __enter__(self) -> list[int]:
        from pyiceberg.catalog.glue import GlueCatalog
        from requests import Session

        real_post, real_update = Session.post, GlueCatalog._update_glue_table
        self.patches = [
            mock.patch.object(Session, "post", lambda s, *a, **k: self.through(lambda: real_post(s, *a, **k), a, k)),
            mock.patch.object(GlueCatalog, "_update_glue_table", lambda s, *a, **k: self.update(real_update, s, a, k)),
        ]
        for patch in self.patches:
            patch.start()
        return self.lost

    def through(self, send: Callable[[], Any], args: Any, named: Any) -> Any:
        if self.lost or not str(args[0] if args else named.get("url")).endswith("/orders"):
            return send()
        return self.spoilt(send)

    def update(self, real: Any, catalog: Any, args: Any, named: Any) -> Any:
        return real(catalog, *args, **named) if self.lost else self.spoilt(lambda: real(catalog, *args, **named))

    def spoilt(self, send: Callable[[], Any]) -> Any:
        self.lost.append(1)
        self.spoil()
        try:
            return send()
        finally:
            if not self.for_ever:
                self.link.heal()

    def __exit__(self, *_: object) -> None:
        for patch in self.patches:
            patch.stop()
        self.link.heal()


class TestRest(Losing):
    @pytest.fixture
    def direct(self, tmp_path: Path, rest: Rest, s3: S3) -> Settings:
        return on_rest(tmp_path, rest, s3)


class TestNessie(Losing):
    @pytest.fixture
    def direct(self, tmp_path: Path, nessie: Nessie, s3: S3) -> Settings:
        return on_nessie(tmp_path, nessie, s3)


class TestGlue(Losing):
    key = "glue.endpoint"

    @pytest.fixture
    def direct(self, tmp_path: Path, glue: Glue, bucket: str, s3: S3) -> Settings:
        made = on_glue(tmp_path, glue, s3, bucket)
        return replace(
            made, catalog=replace(made.catalog, properties={**made.catalog.properties, "glue.max-retries": "2"})
        )
