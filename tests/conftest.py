"""Servers for every room; see `tests/services`."""

from __future__ import annotations

pytest_plugins = ["tests.services.plugin", "tests.airflow_home", "tests.masks"]
