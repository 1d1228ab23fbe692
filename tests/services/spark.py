"""Spark with the Iceberg runtime: another engine that reads what we published. Needs Java 17."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from tests.services.builds import java, maven_copy
from tests.services.engine import Engine
from tests.services.framework import Unavailable, run, services_folder

PYSPARK = "pyspark==4.0.5"
GROUP, NAME, VERSION = "org.apache.iceberg", "iceberg-spark-runtime-4.0_2.13", "1.11.0"
HINT = "run `python -m tests.services install spark` (needs Maven and Java 17)"


def start() -> Engine:
    """Raises `Unavailable` unless everything is installed."""
    env, jar = needs()
    return Engine([sys.executable], "spark_engine.py", env, jars=jar)


def needs() -> tuple[dict[str, str], str]:
    """The environment of a Python process that starts Spark, and Iceberg's jar. Raises `Unavailable`."""
    missing = [str(path) for path in (_python() / "pyspark", _jar()) if not path.exists()]
    if missing:
        raise Unavailable(f"{missing[0]} is missing: {HINT}")
    return {"PYTHONPATH": str(_python()), "JAVA_HOME": str(java(17, 17).parents[1])}, str(_jar())


def _python() -> Path:
    return services_folder() / "spark" / "python"


def _jar() -> Path:
    return services_folder() / "spark" / f"{NAME}-{VERSION}.jar"


def install() -> str:
    if not _jar().exists():
        maven_copy(f"{GROUP}:{NAME}:{VERSION}:jar", _jar().parent)
    if not (_python() / "pyspark").exists():
        uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
        tool = [uv, "pip"] if uv else [sys.executable, "-m", "pip"]
        run([*tool, "install", "-q", "--target", str(_python()), PYSPARK])
    return f"found {services_folder() / 'spark'}"
