"""Lookups: a LEFT JOIN of at most one row, which every slice, retry and replay of a plan sees alike."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dativo_provider.errors import ConfigurationError, DataError, SourceChanged
from dativo_provider.model.job import IncrementalSpec, StreamSpec, TransformSpec
from dativo_provider.model.lookup import LookupSpec
from dativo_provider.model.run import RunRequest
from dativo_provider.pipeline import steps
from dativo_provider.pipeline.lookup_cache import LookupCache
from tests.pipeline.build import Bench
from tests.support import requirement

NAMES = "code,name,rate\nnorth,Nord,1.5\nsouth,Süd,2\n"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    made = Bench(tmp_path)
    made.csv("a.csv", "1,north,1.50,", "2,south,2.50,", "3,west,10.00,", "4,,1.00,")
    (made.data / "dims").mkdir()
    names(made, NAMES)
    made.transforms = (
        TransformSpec("region_name", "region_name", "coalesce(regions.name, 'unknown')", declared_in="job.yaml:9:5"),
        TransformSpec("cost", "cost", "amount * regions.rate", declared_in="job.yaml:12:5"),
    )
    made.job["lookups"] = (file(),)
    return made


def names(bench: Bench, text: str) -> None:
    (bench.data / "dims" / "regions.csv").write_text(text, encoding="utf-8")


def file(**changes: Any) -> LookupSpec:
    given = LookupSpec(
        "regions",
        {"code": "region"},
        path="dims/regions.csv",
        types={"rate": "decimal(6,2)"},
        declared_in="job.yaml:5:3",
    )
    return replace(given, **changes)


def found(bench: Bench, column: str = "region_name") -> dict[int, Any]:
    return {row["id"]: row[column] for row in bench.rows()}


@requirement("ING-16", "ING-18")
def test_rows_get_what_the_lookup_has_under_their_key_and_null_where_it_has_nothing(bench: Bench) -> None:
    report = bench.run()
    assert report.error is None
    assert found(bench) == {1: "Nord", 2: "Süd", 3: "unknown", 4: "unknown"}
    assert found(bench, "cost") == {1: Decimal("2.25"), 2: Decimal("5.00"), 3: None, 4: None}
    assert report.books.extracted == report.books.accepted == 4


@requirement("ING-16")
def test_a_key_that_comes_twice_is_refused_before_any_row_is_read(bench: Bench) -> None:
    names(bench, NAMES + "south,Süden,3\n")
    report = bench.run()
    assert isinstance(report.error, DataError)
    assert "lookup 'regions': 1 values of its key (code) come more than once in dims/regions.csv" in str(report.error)
    assert report.error.where == "job.yaml:5:3"
    assert "Süd" not in str(report.error)
    assert bench.rows() == []


@requirement("ING-16")
def test_every_slice_and_retry_sees_the_lookup_as_it_was_planned(bench: Bench) -> None:
    bench.csv("b.csv", "5,north,1.00,")
    bench.job["slices"] = 2
    ctx = bench.context()
    plan = steps.plan(bench.spec(), "orders", ctx, RunRequest())
    assert len(plan.slices) == 2
    (pin,) = plan.lookups
    assert (pin.of, pin.rows, [column.name for column in pin.columns]) == (
        "dims/regions.csv",
        2,
        ["code", "name", "rate"],
    )
    steps.extract(plan.path, 0, ctx)
    names(bench, "code,name,rate\nnorth,Norden,9\nnorth,Twice,9\n")
    another_worker(bench)
    steps.extract(plan.path, 1, bench.context())
    steps.audit(plan.path, ctx)
    steps.publish(plan.path, ctx)
    assert found(bench) == {1: "Nord", 2: "Süd", 3: "unknown", 4: "unknown", 5: "Nord"}
    assert not list(Path(plan.folder.removeprefix("file://")).glob("lookup-*")), "a published run leaves no copy"


def another_worker(bench: Bench) -> None:
    """One that has nothing in its cache."""
    for kept in (bench.home / "cache" / "lookups").iterdir():
        kept.unlink()


@requirement("ING-16")
def test_a_copy_that_was_tampered_with_or_lost_is_not_joined(bench: Bench) -> None:
    ctx = bench.context()
    plan = steps.plan(bench.spec(), "orders", ctx, RunRequest())
    (copy,) = Path(plan.folder.removeprefix("file://")).glob("lookup-*")
    pq.write_table(pa.table({"code": ["north"], "name": ["x"], "rate": pa.array([1], pa.decimal128(6, 2))}), copy)
    another_worker(bench)
    with pytest.raises(SourceChanged, match="has been changed"):
        steps.extract(plan.path, 0, ctx)
    copy.unlink()
    with pytest.raises(SourceChanged, match="is gone"):
        steps.extract(plan.path, 0, ctx)


def regions(bench: Bench, *lines: str) -> Any:
    """Publishes the table `regions`, as another job of the tenant does."""
    bench.csv("regions.txt", *lines, header="code,name,rate")
    job = bench.spec("regions")
    contract = replace(job.streams[0].contract, fields=())
    stream = StreamSpec("regions", "regions.txt", "regions", contract, incremental=IncrementalSpec())
    job = replace(job, streams=(stream,), transforms=(), lookups=(), target=replace(job.target, mode="replace"))
    from dativo_provider.pipeline.run import run

    (report,) = run(job, bench.context(), RunRequest()).streams
    assert report.error is None
    return bench.table("acme.regions")


@pytest.fixture
def tables(bench: Bench) -> Bench:
    regions(bench, "north,Nord,1.5", "south,Süd,2")
    bench.job["lookups"] = (file(path="", types={}, table="regions"),)
    bench.transforms = bench.transforms[:1]
    return bench


@requirement("ING-16")
def test_a_table_is_read_at_the_snapshot_of_the_plan_whatever_is_published_meanwhile(tables: Bench) -> None:
    ctx = tables.context()
    plan = steps.plan(tables.spec(), "orders", ctx, RunRequest())
    assert plan.lookups[0].of == "acme.regions"
    assert plan.lookups[0].version.endswith(f"/{tables.table('acme.regions').metadata.current_snapshot_id}")
    regions(tables, "north,Norden,1", "north,Twice,1")
    another_worker(tables)
    steps.extract(plan.path, 0, ctx)
    steps.audit(plan.path, ctx)
    steps.publish(plan.path, ctx)
    assert found(tables)[1] == "Nord"
    tables.csv("b.csv", "5,south,1.00,")
    assert isinstance(tables.run().error, DataError), "a new run sees the new table, whose key comes twice"


@requirement("ING-16")
def test_a_snapshot_that_has_expired_stops_the_retry(tables: Bench) -> None:
    ctx = tables.context()
    plan = steps.plan(tables.spec(), "orders", ctx, RunRequest())
    old = tables.table("acme.regions").metadata.current_snapshot_id
    table = regions(tables, "north,Norden,1")
    table.maintenance.expire_snapshots().by_id(old).commit()
    another_worker(tables)
    with pytest.raises(SourceChanged, match="no longer there"):
        steps.extract(plan.path, 0, ctx)


@requirement("ING-16")
def test_a_table_is_read_once_per_machine_and_anew_for_a_new_snapshot(
    tables: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dativo_provider.lake import versions

    reads, real = [], versions._rows

    def counted(*given: Any) -> Any:
        reads.append(given[1])
        return real(*given)

    monkeypatch.setattr(versions, "_rows", counted)
    tables.job["slices"] = 2
    tables.csv("b.csv", "5,north,1.00,")
    tables.run()
    tables.csv("c.csv", "6,north,1.00,")
    tables.run()
    assert len(reads) == 1
    regions(tables, "north,Norden,1.5")
    tables.csv("d.csv", "7,north,1.00,")
    tables.run()
    assert len(set(reads)) == len(reads) == 2
    assert found(tables) == {1: "Nord", 2: "Süd", 3: "unknown", 4: "unknown", 5: "Nord", 6: "Nord", 7: "Norden"}


@requirement("ING-16")
@pytest.mark.parametrize(
    ("properties", "namespace", "words"),
    [
        ({"dativo.tenant": "globex"}, {}, "another tenant's"),
        ({}, {"dativo.tenant": "globex"}, "another tenant's"),
        ({}, {}, "nobody's"),
        ({"dativo.tenant": "globex", "dativo.shared": "true"}, {"dativo.tenant": "globex"}, ""),
        ({}, {"dativo.tenant": "acme"}, ""),
        ({"dativo.tenant": "acme"}, {}, ""),
    ],
)
def test_only_tables_of_the_tenant_and_shared_ones_are_read(
    bench: Bench, properties: dict[str, str], namespace: dict[str, str], words: str
) -> None:
    bench.run(dry_run=True)
    from pyiceberg.catalog import load_catalog

    settings = bench.context().settings.catalog
    catalog = load_catalog(settings.name, **settings.properties, warehouse=settings.warehouse)
    catalog.create_namespace("other", namespace)
    rows = pa.table({"code": ["north"], "name": ["Nord"]})
    catalog.create_table("other.regions", rows.schema, properties=properties).append(rows)
    bench.job["lookups"] = (file(path="", types={}, table="other.regions"),)
    bench.transforms = bench.transforms[:1]
    error = bench.run().error
    if words:
        assert isinstance(error, ConfigurationError)
        assert words in str(error)
    else:
        assert error is None
        assert found(bench)[1] == "Nord"


@requirement("ING-16")
def test_a_table_that_has_no_rows_yet_finds_nothing_even_when_rows_come_meanwhile(bench: Bench) -> None:
    table = regions(bench, "north,Nord,1.5")
    from pyiceberg.catalog import load_catalog

    settings = bench.context().settings.catalog
    catalog = load_catalog(settings.name, **settings.properties, warehouse=settings.warehouse)
    empty = catalog.create_table("acme.empty", table.schema(), properties={"dativo.tenant": "acme"})
    bench.job["lookups"] = (file(path="", types={}, table="empty"),)
    bench.transforms = bench.transforms[:1]
    ctx = bench.context()
    plan = steps.plan(bench.spec(), "orders", ctx, RunRequest())
    empty.append(table.scan().to_arrow())
    another_worker(bench)
    steps.extract(plan.path, 0, ctx)
    steps.audit(plan.path, ctx)
    steps.publish(plan.path, ctx)
    assert found(bench)[1] == "unknown"


@requirement("ING-16", "SN-02")
def test_windows_over_a_run_see_lookups_too(bench: Bench) -> None:
    bench.transforms = (
        TransformSpec("n", "n", "count(*) over (partition by coalesce(regions.name, '?'))", windowed=True),
        TransformSpec("label", "label", "coalesce(regions.name, '?') || n"),
    )
    report = bench.run()
    assert report.error is None
    assert found(bench, "label") == {1: "Nord1", 2: "Süd1", 3: "?2", 4: "?2"}


@requirement("ING-16")
def test_a_lookup_that_does_not_fit_into_memory_is_refused(bench: Bench) -> None:
    bench.job["memory_limit_mb"] = 201  # leaves 8 MB, of which lookups may take 2
    wide = "x" * 1000
    names(bench, "code,name,rate\n" + "".join(f"{at},{wide},1\n" for at in range(3000)))
    error = bench.run().error
    assert isinstance(error, ConfigurationError)
    assert "do not fit into 2 MB" in str(error)
    assert "memory_limit" in error.remedy
    packed = pa.table({"code": [str(at) for at in range(3000)], "name": [wide] * 3000})
    pq.write_table(packed, bench.data / "dims" / "regions.parquet")
    assert (bench.data / "dims" / "regions.parquet").stat().st_size < 1 << 20
    bench.transforms = bench.transforms[:1]
    bench.job["lookups"] = (file(path="dims/regions.parquet", types={}),)
    assert "do not fit into 2 MB" in str(bench.run().error)


@requirement("ING-16")
@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("../home/x.csv", "outside"),
        ("dims/none.csv", "is no file"),
        ("dims", "is no file"),
        ("dims/link.csv", "outside"),
    ],
)
def test_a_file_is_read_below_the_tenants_roots_only(bench: Bench, path: str, words: str) -> None:
    secret = bench.root / "secret.csv"
    secret.write_text(NAMES, encoding="utf-8")
    (bench.data / "dims" / "link.csv").symlink_to(secret)
    bench.home.mkdir(exist_ok=True)
    (bench.home / "x.csv").write_text(NAMES, encoding="utf-8")
    bench.job["lookups"] = (file(path=path),)
    error = bench.run().error
    assert isinstance(error, ConfigurationError)
    assert words in str(error)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("code,name,rate\nnorth,Nord,abc-secret\n", "cannot be read as declared"),
        ("code,name,rate\nnorth,Nord\n", "cannot be read as declared"),
        ("", "cannot be read as declared"),
        ("code,name\nnorth,Nord\n", "cannot be read as declared"),
        ("codex,name,rate\nnorth,Nord,1\n", "has no column 'code'"),
    ],
)
def test_a_file_that_is_not_as_declared_stops_the_run_without_showing_values(
    bench: Bench, text: str, words: str
) -> None:
    names(bench, text)
    error = bench.run().error
    assert isinstance(error, ConfigurationError | DataError)
    assert words in str(error)
    assert "secret" not in str(error)


def test_files_keep_what_looks_like_a_number_as_text_unless_a_type_is_given(bench: Bench) -> None:
    bench.csv("a.csv", "1,01,1.50,", "2,1,2.50,")
    names(bench, "code,name,rate\n01,zero one,\n1,,1\n")
    assert bench.run().error is None
    assert found(bench) == {1: "zero one", 2: "unknown"}


def test_kept_lookups_are_bounded_by_bytes_and_the_oldest_go_first(tmp_path: Path) -> None:
    cache = LookupCache(str(tmp_path / "kept"), most_bytes=3000)
    rows = pa.table({"a": pa.array(range(100), pa.int64())})
    for key in "abcd":
        assert cache.get(key, lambda: rows).equals(rows)
    assert cache.get("a", lambda: rows.slice(1)).num_rows == 99, "it had gone"
    assert cache.get("d", lambda: rows.slice(1)).num_rows == 100
    assert sum(each.stat().st_size for each in (tmp_path / "kept").iterdir()) <= 3000


def test_a_cache_file_that_is_broken_or_cannot_be_written_costs_a_read_only(tmp_path: Path) -> None:
    rows = pa.table({"a": [1, 2]})
    cache = LookupCache(str(tmp_path / "kept"))
    cache.get("a", lambda: rows)
    (tmp_path / "kept" / "a.arrow").write_bytes(b"ARROW1 and then nothing")
    assert cache.get("a", lambda: rows).equals(rows)
    (tmp_path / "no").write_text("a file, not a folder")
    assert LookupCache(str(tmp_path / "no" / "kept")).get("a", lambda: rows).equals(rows)
