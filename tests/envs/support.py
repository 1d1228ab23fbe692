"""A recipe whose packages are made here, so that nothing is fetched."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

from dativo_provider.envs.recipe import Recipe

__all__ = ["a_recipe", "a_wheel"]


def a_wheel(folder: Path, name: str = "gauge", version: str = "1.0", source: str = "WORD = 'whole'\n",
            commands: Mapping[str, str] | None = None) -> Path:  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    path, info = folder / f"{name}-{version}-py3-none-any.whl", f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": source,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    scripts = "".join(f"{each} = {where}\n" for each, where in (commands or {}).items())
    files |= {f"{info}/entry_points.txt": f"[console_scripts]\n{scripts}"} if scripts else {}
    record = "".join(f"{each},,\n" for each in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(path, "w") as wheel:
        for each, text in {**files, f"{info}/RECORD": record}.items():
            wheel.writestr(each, text)
    return path


def a_recipe(wheel: Path, modules: tuple[str, ...] = ("gauge",)) -> Recipe:
    return Recipe("gauge", "Gauge", (str(wheel),), modules)
