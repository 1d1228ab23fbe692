"""How leaves fetch what they start: Go's module proxy, Maven, npm. Each says what is missing by `Unavailable`."""

from __future__ import annotations

import os
import shutil
import subprocess
import urllib.error
import urllib.request
from pathlib import Path

from tests.services.framework import Unavailable, run, services_folder


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def speaks_http(url: str) -> bool:
    """Any answer at all, an error too."""
    try:
        with urllib.request.urlopen(url, timeout=1):
            return True
    except urllib.error.HTTPError:
        return True
    except (urllib.error.URLError, OSError):
        return False


def program(name: str) -> Path | None:
    """On the machine, else what was installed."""
    found = shutil.which(name) or services_folder() / "bin" / name
    return Path(found) if Path(found).exists() else None


def need_program(name: str, hint: str) -> Path:
    found = program(name)
    if found is None:
        raise Unavailable(f"no {name}: {hint}")
    return found


def go_install(module: str, name: str) -> str:
    """`module` is `path@version`; its program is called `name` afterwards."""
    if found := program(name):
        return f"found {found}"
    if not shutil.which("go"):
        raise Unavailable(f"no Go here to build {name}")
    target = services_folder() / "bin"
    target.mkdir(parents=True, exist_ok=True)
    run(["go", "install", "-ldflags=-s -w", module], env={**os.environ, "GOBIN": str(target), "CGO_ENABLED": "0"})
    built = target / module.partition("@")[0].rpartition("/")[2]
    if built.name != name:
        built.rename(target / name)
    return f"built {target / name}"


def maven(*arguments: str) -> None:
    if not shutil.which("mvn"):
        raise Unavailable("Maven is not here (apt-get install maven)")
    run(["mvn", "-B", "-q", *arguments])


def maven_copy(artifact: str, folder: Path) -> None:
    """`group:name:version:packaging[:classifier]` alone, without what it needs."""
    maven("dependency:get", f"-Dartifact={artifact}", "-Dtransitive=false")
    maven("dependency:copy", f"-Dartifact={artifact}", f"-DoutputDirectory={folder}")


def java(least: int, most: int = 99) -> Path:
    """A JDK's `bin/java` of such a version. Raises `Unavailable`."""
    homes = [Path(os.environ["JAVA_HOME"])] if "JAVA_HOME" in os.environ else []
    homes += [Path(found).resolve().parents[1] for found in [shutil.which("java")] if found]
    homes += sorted(path for path in Path("/usr/lib/jvm").glob("*") if path.is_dir())
    for home in homes:
        if (home / "bin/java").exists() and least <= _version(home) <= most:
            return home / "bin/java"
    raise Unavailable(f"no Java between {least} and {most}: install one, or set JAVA_HOME")


def _version(home: Path) -> int:
    said = subprocess.run([home / "bin/java", "-version"], capture_output=True, text=True, check=False).stderr
    number = said.partition('version "')[2].partition(".")[0].partition('"')[0]
    return int(number) if number.isdigit() else 0


JVM = ("-Xms64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")  # less memory, faster start
