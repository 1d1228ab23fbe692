"""Spark, DuckDB and PyIceberg find what the model says: in every mode, run after run, through evolution and care."""

from __future__ import annotations

import pytest

from tests.lake.readback.engines import (
    CURRENT,
    EVOLVED,
    QUESTIONS,
    VERSIONS,
    Answers,
    ours,
    partitions,
    partitions_of,
    theirs,
)
from tests.lake.readback.tables import MODES, STAGES, Grown, as_arrow, grown
from tests.services.engine import Engine
from tests.support import requirement

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]  # the first test waits for all answers

PARTITIONS = "select partition, record_count, file_count from {}"
FILES = "select sum(record_count), count(*) from iceberg_metadata('{}') where status <> 'DELETED'"


@pytest.fixture(scope="module")
def answers(spark: Engine, duck: Engine, tmp_path_factory: pytest.TempPathFactory) -> Answers:
    """What everyone said at every stage."""
    made, found = grown(tmp_path_factory.mktemp("readback")), Answers()
    for stage in STAGES:
        for each in made.values():
            each.reach(stage)
        tables = {f"{name}_{stage}": each for name, each in made.items()}
        places = {name: str(each.table.metadata_location) for name, each in tables.items()}
        asked = {name: questions_of(each.name, stage) for name, each in tables.items()}
        for who, engine in (("spark", spark), ("duck", duck)):
            found |= {(who, *key): rows for key, rows in theirs(engine, places, asked).items()}
        for name, each in tables.items():
            found |= known(name, each, asked[name], stage)
            found |= layout(name, each, spark, duck)
    return found


def questions_of(mode: str, stage: str) -> dict[str, str]:
    later = EVOLVED if stage in ("evolved", "cared") else {}
    return QUESTIONS | later | (CURRENT if mode == "scd2" else {})


def known(name: str, each: Grown, asked: dict[str, str], stage: str) -> Answers:
    read = ours(each.table.scan().to_arrow(), asked)
    expected = ours(as_arrow(each.expected), {key: text for key, text in asked.items() if key != "current"})
    expected |= ours(as_arrow(each.current), VERSIONS)
    found = {("pyiceberg", name, key): rows for key, rows in read.items()}
    return found | {("model", name, key): expected[key] for key in asked}


def layout(name: str, each: Grown, spark: Engine, duck: Engine) -> Answers:
    """Partitions and files, as the metadata tables of each engine show them."""
    place = str(each.table.metadata_location)
    [parts] = spark.query({f"{name}_parts": f"{place}#partitions"}, [PARTITIONS.format(f"{name}_parts")])
    [files] = duck.query({}, [FILES.format(place)])
    mine = partitions_of(each.table)
    return {
        ("spark", name, "partitions"): partitions(parts),
        ("pyiceberg", name, "partitions"): mine,
        ("duck", name, "files"): files,
        ("pyiceberg", name, "files"): [[sum(row[1] for row in mine), sum(row[2] for row in mine)]],
    }


@requirement("ING-08", "ING-20", "TAG-08")
@pytest.mark.parametrize("engine", ["spark", "duck", "pyiceberg"])
@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("mode", MODES)
def test_an_engine_finds_what_the_model_holds(answers: Answers, mode: str, stage: str, engine: str) -> None:
    name = f"{mode}_{stage}"
    asked = questions_of(mode, stage)
    assert {key: answers[engine, name, key] for key in asked} == {key: answers["model", name, key] for key in asked}


@requirement("ING-08")
@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("mode", MODES)
def test_engines_agree_on_partitions_and_files(answers: Answers, mode: str, stage: str) -> None:
    name = f"{mode}_{stage}"
    assert answers["spark", name, "partitions"] == answers["pyiceberg", name, "partitions"]
    assert answers["duck", name, "files"] == answers["pyiceberg", name, "files"]
    assert len(answers["spark", name, "partitions"]) >= 2
