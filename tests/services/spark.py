"""Spark with the Iceberg runtime: another engine that reads what we published. Java 17, one process per call."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.services.framework import Unavailable, run, services_folder

PYSPARK = "pyspark==4.0.5"
JARS = (
    ("org.apache.iceberg", "iceberg-spark-runtime-4.0_2.13", "1.11.0"),
    ("org.xerial", "sqlite-jdbc", "3.54.1.0"),
)
HINT = "run `python -m tests.services install spark` (needs Maven and Java 17)"


@dataclass(frozen=True)
class Spark:
    """`query` runs SQL over tables given by their `metadata.json`."""

    java_home: Path

    def query(self, tables: Mapping[str, str], statements: Sequence[str]) -> list[list[list[Any]]]:
        """The rows of each statement, as JSON values."""
        job = json.dumps({"jars": [str(jar) for jar in _jars()], "tables": tables, "statements": statements})
        done = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("spark_query.py"))],
            input=job,
            capture_output=True,
            text=True,
            check=False,
            timeout=280,
            env={**os.environ, "PYTHONPATH": str(_python()), "JAVA_HOME": str(self.java_home), "TZ": "UTC"},
        )
        if done.returncode:
            raise AssertionError(f"Spark failed:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
        found: list[list[list[Any]]] = json.loads(done.stdout.splitlines()[-1])
        return found


def start() -> Spark:
    """Raises `Unavailable` unless everything is installed."""
    missing = [str(path) for path in (_python() / "pyspark", *_jars()) if not path.exists()]
    if missing:
        raise Unavailable(f"{missing[0]} is missing: {HINT}")
    return Spark(_java_home())


def _python() -> Path:
    return services_folder() / "spark" / "python"


def _jars() -> list[Path]:
    return [services_folder() / "spark" / f"{name}-{version}.jar" for _, name, version in JARS]


def _java_home() -> Path:
    """Of a Java 17. Raises `Unavailable`."""
    java = shutil.which("java")
    homes = [Path(os.environ["JAVA_HOME"])] if "JAVA_HOME" in os.environ else []
    homes += [Path(java).resolve().parents[1]] if java else []
    homes += sorted(Path("/usr/lib/jvm").glob("*17*"))
    for home in homes:
        if (home / "bin/java").exists() and _major(home) == 17:
            return home
    raise Unavailable(f"no Java 17: {HINT}")


def _major(home: Path) -> int:
    said = subprocess.run([home / "bin/java", "-version"], capture_output=True, text=True, check=False).stderr
    match = re.search(r'version "(\d+)', said)
    return int(match[1]) if match else 0


def install() -> str:
    try:
        start()
    except Unavailable:
        _install()
    return f"found {services_folder() / 'spark'}"


def _install() -> None:
    if not shutil.which("mvn"):
        raise Unavailable("Maven is not here (apt-get install maven openjdk-17-jre-headless)")
    folder = services_folder() / "spark"
    folder.mkdir(parents=True, exist_ok=True)
    for (group, name, version), jar in zip(JARS, _jars(), strict=True):
        if not jar.exists():
            artifact = f"{group}:{name}:{version}:jar"
            run(["mvn", "-B", "-q", "dependency:get", f"-Dartifact={artifact}", "-Dtransitive=false"])
            run(["mvn", "-B", "-q", "dependency:copy", f"-Dartifact={artifact}", f"-DoutputDirectory={folder}"])
    if not (_python() / "pyspark").exists():
        uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
        tool = [uv, "pip"] if uv else [sys.executable, "-m", "pip"]
        run([*tool, "install", "-q", "--target", str(_python()), PYSPARK])
